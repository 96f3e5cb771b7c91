"""What is asked of a list of one's own, as the procedures take it."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The newest `limit` of those older than `before`, in `status`; None is any.

    `status` is one as it is shown. `key` is an idempotency key of theirs: what was done under it, if it is listed here.
    """

    before: UUID | None = None
    status: str | None = None
    key: str | None = None
    limit: int = 20

    def arguments(self) -> tuple[bytes | None, str | None, str | None, int]:
        """The last four of every procedure that lists."""
        return self.before.bytes if self.before is not None else None, self.status, self.key, self.limit
