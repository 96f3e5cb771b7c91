"""From what the database returns to our values."""

from datetime import UTC, datetime
from uuid import UUID


def uuid_of(value: bytes | str) -> UUID:
    """`BINARY(16)` from a table, hexadecimal from a procedure's JSON."""
    return UUID(bytes=value) if isinstance(value, bytes) else UUID(hex=value)


def uuid_if_any(value: bytes | str | None) -> UUID | None:
    """The same of a column that may be NULL."""
    return None if value is None else uuid_of(value)


def time_of(value: datetime | str) -> datetime:
    """A naive DATETIME from a table or its text from a procedure's JSON; both are UTC by our convention."""
    naive = datetime.fromisoformat(value) if isinstance(value, str) else value
    return naive.replace(tzinfo=UTC)


def time_if_any(value: datetime | str | None) -> datetime | None:
    """The same of one that may be NULL."""
    return None if value is None else time_of(value)


def exact_time(value: datetime) -> str:
    """A naive DATETIME from a table as the ledger's seals have it: `2026-11-22T06:30:00.123456Z`."""
    return value.isoformat(timespec="microseconds") + "Z"
