"""A layer is unpacked once, not once for each process that uses it: 20 MB for each of a hundred processes.

The processes share what they compile of it, too, so that only the first of them is slow to begin.
"""

import contextlib
import hashlib
import shutil
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Final


class _Layer(zipfile.ZipFile):
    """The zip file of a layer that MiniStack has written for one process."""

    def extractall(self, path: object = None, members: object = None, pwd: object = None) -> None:  # noqa: ARG002 - as the original
        """Makes `path` a link to where this very file is unpacked."""
        written, wanted = Path(str(self.filename)), Path(str(path))
        place = written.parent.parent / f"layer-{hashlib.sha256(written.read_bytes()).hexdigest()[:32]}"
        if not place.exists():
            fresh = Path(tempfile.mkdtemp(dir=place.parent))
            super().extractall(fresh)
            with contextlib.suppress(OSError):  # another thread was quicker
                fresh.rename(place)
            shutil.rmtree(fresh, ignore_errors=True)
        wanted.rmdir()
        wanted.symlink_to(place)
        written.unlink()


def _open(path: str) -> zipfile.ZipFile:
    return _Layer(path) if Path(path).name.startswith("layer_") else zipfile.ZipFile(path)


#: What stands in for `zipfile` where processes are begun.
SHARING: Final = SimpleNamespace(ZipFile=_open, BadZipFile=zipfile.BadZipFile, LargeFileError=zipfile.LargeZipFile)
