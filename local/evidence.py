"""The audit of the stack on this machine, and the stranger's look at what was exported of it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.invocation import invoke
from local.processes import LocalStackError
from local.state import ROOT

_SIGNS = {"passed": "✓", "broken": "✗", "unfinished": "…"}


def audit(stack: Mapping[str, Any]) -> int:
    """Has the deployed audit look at everything, and prints each promise; 0 only if all of it was kept."""
    report = invoke(stack, "audit", '{"command": "report"}', patience_s=900)
    for result in report["results"]:
        told = f"  ({result['told']})" if result["told"] else ""
        print(f"  {_SIGNS[result['outcome']]} {result['promise']}{told}")
        for fault in result["faults"]:
            print(f"      {fault}")
        for note in result["notes"]:
            print(f"      {note}")
    print(f"\n{report['outcome']}: {report['verified']} of {report['checkpoints']} checkpoints verified")
    return 0 if report["outcome"] == "passed" else 1


def verify(folder: Path) -> int:
    """Runs the stranger's program on an export; its exit status."""
    if not (folder / "ledger.jsonl").exists():
        raise LocalStackError(f"There is no export in {folder}: `make export` writes one.")
    told = (folder / "ledger.jsonl", folder / "checkpoints", folder / "public-key.der")
    return subprocess.run([sys.executable, "-I", ROOT / "verifier" / "verify.py", *told], check=False).returncode
