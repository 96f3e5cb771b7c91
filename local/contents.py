"""What is in files and folders: as a hash that is another one when something in them is."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LEFT_OUT: Final = {"__pycache__", ".mypy_cache", ".ruff_cache"}


def files_below(source: Path) -> list[Path]:
    """A folder's files, in the order of their names, but for what Python keeps beside them; a file itself."""
    return sorted(_of_folder(source)) if source.is_dir() else [source]


def contents_hash(root: Path, *sources: Path) -> str:
    """40 hexadecimal digits over files and folders, and over the names of all of it below `root`."""
    digest = hashlib.sha256()
    for source in sources:
        for file in files_below(source):
            content = file.read_bytes()
            digest.update(f"{file.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:40]


def _of_folder(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file() and not _LEFT_OUT.intersection(file.parts))
