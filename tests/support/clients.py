"""The environment of what reads the API's document: made by the Makefile, once for each list of what is in it."""

import fcntl
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".clients" / "venv"


def ensure() -> Path:
    """Its folder of programs. Several workers may want it at once: one makes it."""
    VENV.parent.mkdir(exist_ok=True)
    made = ["make", "--silent", f"PYTHON={sys.executable}", ".clients/venv/made"]
    with (VENV.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(made, cwd=ROOT, check=True, capture_output=True)
    return VENV / "bin"
