"""What is built is for the machine that it is deployed to, and an edit builds what it changed, without the network."""

import shutil
from pathlib import Path

import pytest

from local.build import ARCHITECTURES, Target, build, lambda_build, machine_architecture
from local.state import ROOT, State
from local.template import read

# e_machine of ELF: elf(5)
_MACHINES = {"arm64": 183, "x86_64": 62}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_wheels_are_of_the_architecture_that_the_functions_run_on(architecture: str, tmp_path: Path) -> None:
    built = lambda_build(State(tmp_path), architecture)
    libraries = list(built.template.with_name("WalletLayer").rglob("*.so"))
    assert {library.name.partition(".")[0] for library in libraries} == {"_bcrypt", "_pydantic_core"}
    for library in libraries:
        head = library.read_bytes()[:20]
        assert head[:4] == b"\x7fELF"
        assert int.from_bytes(head[18:20], "little") == _MACHINES[architecture], library
        assert "cpython-313-" in library.name or ".abi3." in library.name
    # and it can't be deployed for another
    told = read(built.template)["Parameters"]["Architecture"]
    assert (told["Default"], told["AllowedValues"]) == (architecture, [architecture])
    assert read(built.template)["Globals"]["Function"]["Architectures"] == [{"Ref": "Architecture"}]


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sources to be edited, on a machine without a network but with the packages of an earlier build."""
    target = Target("3.13", machine_architecture())
    build(State(tmp_path / "earlier"), "any", target)
    for folder in ("functions", "layers", "schema"):
        shutil.copytree(ROOT / folder, tmp_path / "sources" / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "template.yaml", tmp_path / "sources")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path / "sources"


def test_an_edit_builds_what_it_changed_and_needs_no_network(sources: Path, tmp_path: Path) -> None:
    state, target = State(tmp_path / "state"), Target("3.13", machine_architecture())
    first = build(state, "any", target, sources=sources)
    assert set(first.changed) == set(first.artifacts)
    assert build(state, "any", target, sources=sources).changed == ()

    (sources / "functions/pay/app.py").write_text("edited = True\n")
    second = build(state, "any", target, sources=sources)
    assert {one for one in first.artifacts if first.artifacts[one] != second.artifacts[one]} == {"PayFunction"}
    assert second.template.with_name("PayFunction").joinpath("app.py").read_text() == "edited = True\n"
    assert not {"WalletLayer", "MigrateFunction"}.intersection(second.changed)

    (sources / "layers/wallet/money_laundering.py").write_text("")
    third = build(state, "any", target, sources=sources)
    assert {one for one in second.artifacts if second.artifacts[one] != third.artifacts[one]} == {"WalletLayer"}
    assert set(third.changed) <= {"WalletLayer", "PasskeyLayer"}  # of one folder; no function is made anew
    assert third.template.with_name("WalletLayer").joinpath("python/wallet/money_laundering.py").exists()

    (sources / "layers/wallet/money_laundering.py").unlink()
    assert build(state, "any", target, sources=sources).artifacts == second.artifacts
    assert not third.template.with_name("WalletLayer").joinpath("python/wallet/money_laundering.py").exists()


def test_a_build_that_was_killed_half_way_is_made_anew(sources: Path, tmp_path: Path) -> None:
    state, target = State(tmp_path / "state"), Target("3.13", machine_architecture())
    whole = build(state, "any", target, sources=sources)
    shutil.rmtree(whole.template.with_name("PayFunction"))
    (whole.template.with_name("artifacts.json")).write_text('{"PayFu')
    assert build(state, "any", target, sources=sources).artifacts == whole.artifacts
    assert whole.template.with_name("PayFunction").joinpath("app.py").exists()
