"""What a check is, and how it is asked."""

from dataclasses import dataclass

from wallet.ledger.faults import Fault
from wallet.storage.database import Reader


@dataclass(frozen=True, slots=True)
class Check:
    """One promise. `query` finds what breaks it: `id` is what is at fault, of the kind that `names` says.

    `code` is stable: alarms and people's notes refer to it.
    """

    code: str
    promise: str
    names: str
    query: str


def find_faults(reader: Reader, check: Check, *, limit: int) -> list[Fault]:
    """What breaks the check's promise, at most `limit` of it, the oldest first: ids are ordered by time."""
    query = f"SELECT * FROM ({check.query}) found ORDER BY id LIMIT %s"  # noqa: S608 - checks are constants
    return [
        Fault(
            code=check.code,
            names=check.names,
            id=str(row.pop("id")).lower(),
            told=", ".join(f"{name} {value}" for name, value in row.items()),
        )
        for row in reader.read(query, limit)
    ]
