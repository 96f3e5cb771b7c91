"""`make deploy`: what is typed is what is deployed, and a build is for the machines that it is deployed to."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.build import ARM64, X86_64, Target, foreign_libraries
from local.processes import LocalStackError
from local.release import _unproven, parsed
from tests.unit.calls import ROOT


@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        ("", {}),
        ("Gateway=cashfree DatabasePort=3307", {"Gateway": "cashfree", "DatabasePort": "3307"}),
        ("'NoticeContact=1800 000 000'", {"NoticeContact": "1800 000 000"}),
        ('SealSchedule="cron(0 4 * * ? *)" UpiIntent=on', {"SealSchedule": "cron(0 4 * * ? *)", "UpiIntent": "on"}),
        ("DatabaseCa=", {"DatabaseCa": ""}),
        ("NoticeContact=a=b", {"NoticeContact": "a=b"}),
    ],
)  # fmt: skip
def test_parameters_are_words_like_a_shells(given: str, parameters: dict[str, str]) -> None:
    assert parsed(given) == parameters


def test_parameters_of_a_file_give_way_to_those_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "in production.yaml").write_text(
        "Gateway: razorpay\nDatabasePort: 3306\nNoticeContact: 1800 000 000\nSubnetIds: [subnet-1, subnet-2]\n"
    )
    (tmp_path / "theirs.json").write_text('[{"ParameterKey": "Gateway", "ParameterValue": "cashfree"}]')
    assert parsed(f"DatabasePort=3307 'file://{tmp_path}/in production.yaml'") == {
        "Gateway": "razorpay",
        "DatabasePort": "3307",
        "NoticeContact": "1800 000 000",
        "SubnetIds": "subnet-1,subnet-2",
    }
    assert parsed(f"file://{tmp_path}/theirs.json") == {"Gateway": "cashfree"}


def test_what_yaml_takes_for_something_else_than_a_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "some.yaml").write_text("UpiIntent: on\n")
    with pytest.raises(LocalStackError, match=r"UpiIntent in .* is not a text"):
        parsed(f"file://{tmp_path}/some.yaml")


@pytest.mark.parametrize(
    "given", ["Gateway", "=x", "'NoticeContact=1800", "NoticeContact=1800 000 000", "file:///none"]
)
def test_what_is_no_parameter_is_said(given: str) -> None:
    with pytest.raises(LocalStackError):
        parsed(given)


def test_make_hands_parameters_on_as_they_were_typed(tmp_path: Path) -> None:
    """Blanks, brackets, quotes and dollars are make's, then a shell's, before they are ours."""
    (tmp_path / "shown.py").write_text("import sys\nprint(sys.argv[1:])\n")
    typed = """ReconcileSchedule="rate(1 minute)" 'NoticeContact=1800 000; $HOME $(x) `x` "a"' PayoutAccountNumber=1"""
    made = subprocess.run(
        [
            *("make", "--silent", "--old-file", ".venv/made", "deploy", f"LOCAL={sys.executable} {tmp_path}/shown.py"),
            *("STACK_NAME=wallet-eu", "CONFIRM=no", f"PARAMETERS={typed}"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = ["deploy", "--state", ".local", "--stack-name", "wallet-eu", "--confirm", "no", f"--given={typed}"]
    assert made.stdout == f"{told}\n"


def elf(machine: int) -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(9) + (3).to_bytes(2, "little") + machine.to_bytes(2, "little") + bytes(44)


@pytest.mark.parametrize(("architecture", "foreign"), [(ARM64, ["b.so"]), (X86_64, ["a.abi3.so"])])
def test_a_library_for_another_machine_is_noticed(tmp_path: Path, architecture: str, foreign: list[str]) -> None:
    (tmp_path / "a.abi3.so").write_bytes(elf(183))
    (tmp_path / "b.so").write_bytes(elf(62))
    assert foreign_libraries(tmp_path, Target("3.13", architecture)) == foreign


def test_a_library_that_is_no_lambda_machines_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(b"\xcf\xfa\xed\xfe" + bytes(60))
    assert foreign_libraries(tmp_path, Target("3.13", ARM64)) == ["a.so"]


def test_the_makefile_of_the_layer_takes_no_architecture_for_granted() -> None:
    done = subprocess.run(
        [*("make", "--dry-run"), "--directory", str(ROOT / "layers"), "packages", "PACKAGES=x"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode != 0
    assert re.search("TARGET_ARCH is arm64 or x86_64", done.stderr)


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({}, None),
        ({"WebOrigin": "", "WebCertificateArn": ""}, None),
        ({"WebOrigin": "https://wallet.example", "WebCertificateArn": "arn:aws:acm:…"}, None),
        ({"WebOrigin": "https://d1.cloudfront.net"}, None),
        ({"WebOrigin": "http://localhost:5173"}, None),
        ({"WebOrigin": "https://wallet.example", "WebCertificateArn": ""}, "wallet.example"),
    ],
)
def test_a_name_that_the_distribution_can_not_prove_is_said(parameters: dict[str, str], name: str | None) -> None:
    assert _unproven(parameters, "d1.cloudfront.net") == name
