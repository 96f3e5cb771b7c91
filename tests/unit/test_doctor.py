"""What can't work is said in a sentence, before anything takes long."""

import shutil
import sys
from pathlib import Path

import pytest

from local import doctor, mysqld
from local.doctor import Finding, look, require
from local.processes import LocalStackError
from local.state import State


def server(folder: Path, says: str, name: str = "mysqld") -> Path:
    """A program that says which server it is, and does nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program


@pytest.fixture(autouse=True)
def a_good_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQLD", str(server(tmp_path / "good", "mysqld  Ver 8.4.2 for Linux on x86_64")))


def missing(state: Path) -> list[str]:
    return [f"{found.about}: {found.told}" for found in look(State(state)) if found.needed and not found.good]


def test_where_nothing_is_missing_nothing_is_said_to_be(tmp_path: Path) -> None:
    assert missing(tmp_path / "not" / "there" / "yet") == []
    require(State(tmp_path))


def test_looking_makes_and_changes_nothing(tmp_path: Path) -> None:
    look(State(tmp_path / "state"))
    assert not (tmp_path / "state").exists()


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    [said] = missing(tmp_path / "file" / "state")
    assert said == f"state: {tmp_path / 'file'} can't be written: Not a directory"


def test_no_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=100_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert f"state: {tmp_path}, 0.1 GB free; 1.0 are needed" in missing(tmp_path)


def test_no_database_server_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MYSQLD")
    monkeypatch.setattr(mysqld, "_search", lambda: None)
    monkeypatch.setattr(mysqld, "_can_install", lambda: False)
    [said] = missing(tmp_path)
    assert said.startswith("database server: no MySQL or MariaDB server on this machine: install one")


def test_a_server_that_is_still_to_be_installed_is_not_missing_nor_installed_by_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MYSQLD")
    monkeypatch.setattr(mysqld, "_search", lambda: None)
    monkeypatch.setattr(mysqld, "_can_install", lambda: True)
    monkeypatch.setattr(mysqld, "_install", lambda _: pytest.fail("it was installed"))
    assert missing(tmp_path) == []


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("mysqld  Ver 5.7.44 for Linux", "is MySQL 5.7, and 8.0 is the oldest that will do"),
        ("mysqld  Ver 10.6.18-MariaDB for Linux", "is MariaDB 10.6, and 10.11 is the oldest that will do"),
        ("good day", "doesn't say which version it is"),
    ],
)
def test_a_server_that_will_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, told: str) -> None:
    monkeypatch.setenv("MYSQLD", str(server(tmp_path, says)))
    [said] = missing(tmp_path)
    assert told in said


def test_a_server_that_is_named_and_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQLD", "/nowhere/mysqld")
    assert missing(tmp_path) == ["database server: MYSQLD: there is no program /nowhere/mysqld"]


def test_data_of_another_server_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "mysql" / "mariadb-10.11" / "data").mkdir(parents=True)
    [said] = missing(tmp_path)
    assert "has the data of mariadb-10.11, which MySQL 8.4 can't read" in said
    assert "make reset" in said
    (tmp_path / "mysql" / "mysql-8.4" / "data").mkdir(parents=True)
    assert missing(tmp_path) == []


def test_a_python_that_is_too_old_is_missing_and_one_that_is_too_new_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    [said] = missing(tmp_path)
    assert "older than 3.11" in said
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    assert missing(tmp_path) == []
    assert "newer than what this was tried with" in str(look(State(tmp_path))[0])


def test_everything_that_is_missing_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MYSQLD", "/nowhere/mysqld")
    with pytest.raises(LocalStackError) as raised:
        require(State(tmp_path / "file"))
    assert len(str(raised.value).splitlines()) == 2


def test_the_command_prints_all_of_it_and_fails_where_something_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor.main(["--state", str(tmp_path)]) == 0
    assert "✓ database server: MySQL 8.4" in capsys.readouterr().out
    assert doctor.main(["--state", str(tmp_path), "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("MYSQLD", "/nowhere/mysqld")
    assert doctor.main(["--state", str(tmp_path), "--quiet"]) == 1
    assert capsys.readouterr().out == "  ✗ database server: MYSQLD: there is no program /nowhere/mysqld\n"


def test_what_is_not_needed_is_no_fault() -> None:
    assert str(Finding("docker", good=False, needed=False, told="none here")).startswith("…")
