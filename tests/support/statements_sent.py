"""Statements and round trips, as the server counts them for one session."""

from collections import Counter
from collections.abc import Callable

from wallet.storage.database import Database

_KINDS = (
    "set_option",
    "begin",
    "call_procedure",
    "select",
    "insert",
    "insert_select",
    "update",
    "delete",
    "replace",
    "savepoint",
    "rollback",
    "commit",
)


def statements_of(database: Database, work: Callable[[], object]) -> Counter[str]:
    """What a piece of work that goes by this connection costs: statements by their kind, and round trips."""
    before = _counted(database)
    work()
    return _counted(database) - before - _COST_OF_COUNTING


#: The question itself.
_COST_OF_COUNTING = Counter({"round trips": 1})


def _counted(database: Database) -> Counter[str]:
    names = ", ".join(f"'Com_{kind}'" for kind in _KINDS)
    rows = database.read(f"SHOW SESSION STATUS WHERE Variable_name IN ({names}, 'Questions')")
    counted = {row["Variable_name"].removeprefix("Com_"): int(row["Value"]) for row in rows}
    return Counter({"round trips": counted.pop("Questions"), **counted})
