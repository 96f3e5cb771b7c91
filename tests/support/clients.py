"""The environment of what reads the API's document: made by the Makefile, once for each list of what is in it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".clients" / "venv"


def ensure() -> Path:
    """Its folder of programs."""
    made = ["make", "--no-print-directory", f"PYTHON={sys.executable}", ".clients/venv/made"]
    subprocess.run(made, cwd=ROOT, check=True)
    return VENV / "bin"
