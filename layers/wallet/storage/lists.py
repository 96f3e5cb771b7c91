"""Lists of one's own: what is asked of one, and how a page of one status is found among others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

#: How many are read at once where a status is asked for, and how often for one page: it may be short, and more follow.
_AT_ONCE, _READS = 100, 10


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The newest `limit` of those older than `before`, in `status`; None is any.

    `status` is one as it is shown. `key` is an idempotency key of theirs: what was done under it, if it is listed here.
    """

    before: UUID | None = None
    status: str | None = None
    key: str | None = None
    limit: int = 20


class HasId(Protocol):
    """What stands in a list."""

    @property
    def id(self) -> UUID:
        """Lists are in the order of these."""
        ...


Listed = TypeVar("Listed", bound=HasId)
#: What `limit` found, and the last one looked at if there are more.
Page = tuple[list[Listed], UUID | None]


def read_page(
    read: Callable[[UUID | None, int], Sequence[Listed]],
    asked: ListRequest,
    *,
    status_of: Callable[[Listed], str],
) -> Page[Listed]:
    """A page of what `read` gives: so many that are older than an id, the newest first.

    Of one status it looks at a thousand at most, so that nobody's long list keeps the server busy: a page may be short,
    and others behind it.
    """
    found: list[Listed] = []
    before, at_once = asked.before, asked.limit if asked.status is None else _AT_ONCE
    for _ in range(_READS):
        rows = read(before, at_once + 1)
        for row in rows[:at_once]:
            if len(found) == asked.limit:
                return found, before
            before = row.id
            if asked.status is None or status_of(row) == asked.status:
                found.append(row)
        if len(rows) <= at_once:
            return found, None
        if len(found) == asked.limit:
            break
    return found, before


def id_bytes(value: UUID | None) -> bytes | None:
    """An id as a procedure takes it, or NULL."""
    return value.bytes if value is not None else None
