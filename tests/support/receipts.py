"""The page's own check of a receipt (`web/src/proof.ts`), run under Node, and the stranger's, run beside it."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from local.state import ROOT
from verifier import verify

_WEB = ROOT / "web"
_RUN = """
import { readFileSync } from "node:fs";
import { verify, fingerprint, readKey, readId, shownId } from "./proof.js";
const read = (text) => new Uint8Array(Buffer.from(text, "base64"));
const answers = [];
for (const { receipt, keys, other } of JSON.parse(readFileSync(0, "utf8"))) {
  const usable = (await Promise.all(keys.map((key) => readKey(read(key))))).filter((key) => key !== null);
  const verdict = await verify(read(receipt), usable);
  if (verdict.is === "proven") {
    verdict.other = other === null ? null : await verdict.isOtherSide(readId("wal", other) ?? other);
    const wallets = verdict.sides.map((side) => shownId("wal", side.walletId));
    verdict.shown = [shownId("txn", verdict.transactionId), ...wallets];
    verdict.fingerprint = await fingerprint(usable[verdict.key]);
  }
  answers.push(verdict);
}
process.stdout.write(JSON.stringify(answers));
"""
_RUN_LINKS = """
import { readFileSync } from "node:fs";
import { packed, unpacked } from "./receipts.js";
const { texts, links } = JSON.parse(readFileSync(0, "utf8"));
const read = links.map(unpacked).map((bytes) => bytes && Buffer.from(bytes).toString());
process.stdout.write(JSON.stringify([texts.map(packed), read]));
"""

Verdict = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """The page's check, as it is built for browsers, in a folder of its own."""

    folder: Path
    node: str

    def verdicts(self, receipts: Sequence[bytes], keys: Sequence[bytes], *, other: str | None = None) -> list[Verdict]:
        """What it says of each receipt."""
        asked = [
            {"receipt": _text(receipt), "keys": [_text(key) for key in keys], "other": other} for receipt in receipts
        ]
        told: list[Verdict] = self._run("run.mjs", asked)
        return told

    def links(self, texts: Sequence[str]) -> list[str | None]:
        """What stands behind the # of the link to each receipt, None where it would be too long."""
        found: list[str | None] = self._run("links.mjs", {"texts": list(texts), "links": []})[0]
        return found

    def from_links(self, links: Sequence[str]) -> list[str | None]:
        """The receipt that stands behind each #."""
        found: list[str | None] = self._run("links.mjs", {"texts": [], "links": list(links)})[1]
        return found

    def _run(self, script: str, asked: object) -> Any:
        done = subprocess.run(
            [self.node, self.folder / script], input=json.dumps(asked), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def built_page(folder: Path) -> Page:
    """Builds the check. Skips the test where there is nothing to build it with."""
    node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    vite = _WEB / "node_modules" / "vite" / "bin" / "vite.js"
    if node is None or not vite.exists():
        pytest.skip("the page's own check of receipts needs Node.js, and `npm ci` in web/")
    for module in ("proof", "receipts"):
        done = subprocess.run(
            [node, vite, "build", "--ssr", f"src/{module}.ts", "--outDir", folder, "--logLevel", "error"],
            cwd=_WEB,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "run.mjs").write_text(_RUN)
    (folder / "links.mjs").write_text(_RUN_LINKS)
    return Page(folder, node)


def strangers_verdict(receipt: bytes, key: bytes, folder: Path, *, other: str | None = None) -> str:
    """What verifier/verify.py says of a receipt: `proven`, or why not in the page's words."""
    (folder / "receipt.json").write_bytes(receipt)
    (folder / "key").write_bytes(key)
    arguments = ["proof", str(folder / "receipt.json"), str(folder / "key")]
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()):
        status = verify.main(arguments if other is None else [*arguments, "--other", other])
    if status != 1:
        return {0: "proven", 2: "unreadable"}[status]
    [told] = [line for line in out.getvalue().splitlines() if line.startswith("BROKEN")]
    if "signature" in told:
        return "signature"
    return "chain" if "is not under the checkpoint" in told else "other"


def whole_numbers(value: Any) -> set[int]:
    """Every number in it, of whatever depth."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = {value} if isinstance(value, int) else set()
    return own.union(*(whole_numbers(one) for one in inner))


def _text(given: bytes) -> str:
    return base64.b64encode(given).decode()
