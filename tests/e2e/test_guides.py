"""The guides' code is run as it stands, against a running stack; only phones are others, to run it again."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.addresses import new_address
from tests.support.client import Api, new_phone
from tests.support.confirming import person_in
from tests.support.guides import ROOT, blocks

GUIDE = ROOT / "docs" / "guides"
#: Of the quick start, whose shell the other pages go on in.
_PHONES = ("+919876543210", "+919876543211")
_TIME_LIMIT_S = 300
#: People of the tests' stack confirm nothing: here they do, as they do in the local stack.
_CONFIRMING = (
    """python3 - +919876543210 <<'END'
import json, sys
import pymysql
known = json.load(open(".local/stack.json"))["mysql"]
connection = pymysql.connect(**{name: known[name] for name in ("host", "port", "user", "password", "database")})
with connection, connection.cursor() as cursor:
    moved = "UPDATE wallets w JOIN users u ON u.id = w.user_id SET w.tier = 'careful' WHERE u.phone = %s"
    assert cursor.execute(moved, sys.argv[1:]) == 1
    connection.commit()
END""",
)


class Shell:
    """What somebody has who follows the guides: a stack that is up, and a shell."""

    def __init__(self, api: Api, folder: Path) -> None:
        self.phones = {phone: new_phone() for phone in _PHONES}
        self._folder = folder
        (folder / ".local").mkdir()
        (folder / ".local" / "stack.json").write_text(json.dumps(api.stack))
        # from an address of its own, as codes are counted by it; and `make up` has been done
        (folder / ".curlrc").write_text(f'header = "X-Forwarded-For: {new_address()}"\n')
        (folder / "make").write_text('#!/bin/sh\ntest "$*" = up\n')
        (folder / "make").chmod(0o755)

    def run(self, *code: str) -> str:
        """The code, block by block in one shell that ends at the first failure; what it prints."""
        script = "\n".join(("set -euo pipefail", *code))
        for written, taken in self.phones.items():
            script = script.replace(written, taken)
        path = f"{self._folder}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(self._folder), "CURL_HOME": str(self._folder)}
        ran = subprocess.run(
            ["bash", "-c", script],  # noqa: S607
            cwd=self._folder,
            env=environment,
            text=True,
            capture_output=True,
            timeout=_TIME_LIMIT_S,
            check=False,
        )
        assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
        return ran.stdout


def code_of(page: str) -> list[str]:
    return [block.code for block in blocks(GUIDE / f"{page}.md") if block.kind == "sh"]


@pytest.fixture
def shell(api: Api, tmp_path: Path) -> Shell:
    return Shell(api, tmp_path)


def test_the_quick_start_pays_once(shell: Shell) -> None:
    printed = shell.run(*code_of("quick-start"), 'get /wallet -H "$AUTH"')
    assert json.loads(printed.splitlines()[-1])["balance"] == {"total": 44_000, "held": 0, "available": 44_000}
    assert printed.count("Idempotency-Replayed: true") == 1
    assert len(set(re.findall(r'"id":"(pay_\w{26})"', printed))) == 1
    assert '"name":"Bela Iyer","kind":"personal"' in printed


def test_what_the_guide_to_integration_does(api: Api, select: Any, shell: Shell) -> None:
    assert person_in(api, select).balance() > 0  # so that there is a tier in which is confirmed what is locally
    code = [*code_of("quick-start"), *_CONFIRMING, *code_of("integrate"), 'get /wallet -H "$AUTH"']
    printed = shell.run(*code)
    assert json.loads(printed.splitlines()[-1])["balance"]["total"] == 44_000 - 2_500 - 1_000
    assert '"code":"idempotency_key_reused"' in printed
    assert "304" in printed.splitlines()


def test_what_is_played_in_the_sandbox(shell: Shell) -> None:
    printed = shell.run(*code_of("quick-start"), *code_of("sandbox"), 'get /wallet -H "$AUTH"')
    assert json.loads(printed.splitlines()[-1])["balance"]["total"] == 44_000 + 2 * 10_000
    assert printed.count('"code":"gateway_unavailable"') == 1
    assert "upi://pay?" in printed.partition("as it should be")[2]
