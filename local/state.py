"""The state folder of one stack: where everything lives, and what was once chosen and stays."""

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from local import ports
from local.processes import Daemon, LocalStackError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class State:
    """Everything of one stack is below `folder`, and nothing of it anywhere else."""

    folder: Path

    @property
    def build(self) -> Path:
        return self.folder / "build"

    @property
    def stack_file(self) -> Path:
        """What clients of the stack read: addresses and secrets."""
        return self.folder / "stack.json"

    def daemon(self, name: str) -> Daemon:
        return Daemon(name, self.folder / f"{name}.pid", self.folder / "logs" / f"{name}.log")

    def port(self, name: str) -> int:
        """A free port, the same as last time if it still is."""
        remembered = self._remembered()
        port = ports.free(remembered.get(f"{name}_port"))
        self._remember({**remembered, f"{name}_port": port})
        return port

    def last_port(self, name: str) -> int | None:
        """The port that `port` last gave, free or not; None before the first time."""
        port: int | None = self._remembered().get(f"{name}_port")
        return port

    def secret(self, name: str) -> str:
        """40 random characters, the same each time."""
        remembered = self._remembered()
        if name not in remembered:
            remembered[name] = secrets.token_hex(20)
            self._remember(remembered)
        value: str = remembered[name]
        return value

    def environment(self) -> dict[str, str]:
        """What the stack's programs inherit: little, and no temporary file outside the folder."""
        temporary = self.folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        kept = (
            "PATH",
            "HOME",
            "LANG",
            "LC_ALL",
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "http_proxy",
            "https_proxy",
        )
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
            "TMPDIR": str(temporary),
            "PYTHONUNBUFFERED": "1",
        }

    @contextlib.contextmanager
    def alone(self, purpose: str = "stack", *, patience_s: float = 0) -> Iterator[None]:
        """Refuses a second one of the same purpose, as two `up` at once; the lock dies with its holder.

        `patience_s`: how long to wait for the first one's end before that.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # it holds secrets
        with (self.folder / f"{purpose}.lock").open("w") as lock:
            until = time.monotonic() + patience_s
            while not _locked(lock):
                if time.monotonic() >= until:
                    raise LocalStackError(f"another command is at work on {self.folder}")
                time.sleep(0.1)
            yield

    def write_json(self, path: Path, content: Mapping[str, Any]) -> None:
        """Whole or not at all, and for nobody else's eyes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
        fresh.replace(path)

    def _remembered(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads((self.folder / "chosen.json").read_text())
        except FileNotFoundError:
            return {}
        return content

    def _remember(self, content: Mapping[str, Any]) -> None:
        self.write_json(self.folder / "chosen.json", content)


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
