"""A ledger with its evidence: sealed by the product, signed with a key of the tests', kept in a folder."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from local.state import ROOT
from tests.support.books import Books
from tests.support.signing import Folder, Key
from wallet.ledger.audits import AuditReport
from wallet.ledger.seals import NEWEST_FORM, SALT_SIZE, make_seals
from wallet.ledger.signatures import read_public_key
from wallet.movements import seal as movement
from wallet.movements.audit import Audit
from wallet.movements.seal import Sealer, Sealing
from wallet.storage.database import Database
from wallet.storage.exports import export_lines


@dataclass
class Ledger:
    """A ledger, the folder and the key that its checkpoints are kept in and signed with."""

    books: Books
    folder: Folder
    key: Key
    scratch: Path

    def seal(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), form: int = NEWEST_FORM) -> None:
        """Seals and publishes what waits, under one checkpoint; in an older form, as releases that knew no other."""
        sealing = Sealing()
        sealer = Sealer(self.books.as_role("sealer"), self.key, self.folder, lambda: os.urandom(SALT_SIZE), now)
        with patch.object(movement, "make_seals", partial(make_seals, form=form)):
            sealer.run(sealing, time_left_s=lambda: 60)
        assert sealing.is_healthy
        assert sealing.sealed

    def audit(self, database: Database, *, seconds: int = 600) -> AuditReport:
        """One audit, over a connection."""
        report = AuditReport()
        key = read_public_key(self.key.der)
        Audit(database, self.folder, key, random.SystemRandom().randrange).run(report, time_left_s=lambda: seconds)
        return report

    def export(self, database: Any) -> Path:
        """What a stranger gets."""
        path = self.scratch / "export.jsonl"
        path.write_bytes(b"".join(export_lines(database)))
        return path

    def verify(self, export: Path) -> "subprocess.CompletedProcess[str]":
        """What the stranger's program says of it."""
        return self._verifier(export, self.folder.path / "checkpoints")

    def verify_proof(self, proof: Path) -> "subprocess.CompletedProcess[str]":
        """What it says of a proof."""
        return self._verifier("proof", proof)

    def _verifier(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        key = self.scratch / "key.pem"
        key.write_bytes(self.key.pem)
        program = ROOT / "verifier" / "verify.py"
        return subprocess.run(
            [sys.executable, "-I", program, *map(str, arguments), key], capture_output=True, text=True, check=False
        )


@contextmanager
def as_root(ledger: Ledger) -> Iterator[Database]:
    """One connection of the owner, in a transaction that is taken back at the end: what was done shows in it alone."""
    database = ledger.books.owner()
    database.read("SET foreign_key_checks = 0, unique_checks = 0")
    database.read("START TRANSACTION")
    try:
        yield database
    finally:
        database.read("ROLLBACK")
        database.close()


class Inside:
    """The same connection, where a snapshot would be another one that sees nothing of what is not committed."""

    def __init__(self, database: Database) -> None:
        self.read = database.read

    @contextmanager
    def snapshot(self) -> Iterator["Inside"]:
        """This very connection."""
        yield self
