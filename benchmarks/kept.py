"""What benchmarks have measured, kept for `make performance`, which makes a page of it."""

import json
from pathlib import Path
from typing import Any

from local.mysqld import Program
from local.state import ROOT

FOLDER = ROOT / ".local" / "bench"


def keep(program: Program, part: str, measured: object) -> None:
    """Beside what the other benchmarks measured on a server of that kind."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{program.flavour}.json"
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    kept |= {"server": f"{program.flavour} {program.version}", part: measured}
    file.write_text(json.dumps(kept, indent=1))


def kept_files() -> list[Path]:
    """Those there are, MySQL's last."""
    return sorted(FOLDER.glob("*.json"))
