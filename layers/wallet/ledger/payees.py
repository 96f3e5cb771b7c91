"""Who is to be paid, as the payer names them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PayeeName:
    """A wallet, by one of the two: its id, or its owner's phone (E.164)."""

    wallet_id: UUID | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class AskedFor:
    """Whoever has made a payment request."""

    payment_request_id: UUID


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

#: How long it counts that somebody was told of a payee who can't be paid.
LOOKUP_WINDOW = timedelta(hours=1)
#: How often within it: people, and approved merchants, who pay by files.
LOOKUPS = 100
LOOKUPS_OF_MERCHANTS = 10_000


@dataclass(frozen=True, slots=True)
class FailedLookups:
    """How often somebody was told of payees who can't be paid, within the window that ends at `ends_at`."""

    failed: int = 0
    ends_at: datetime = _LONG_AGO

    def is_exhausted(self, allowed: int, now: datetime) -> bool:
        """Whether nothing more is told before the window's end: then no payee is looked for at all."""
        return self.failed >= allowed and now < self.ends_at

    def with_another(self, now: datetime) -> "FailedLookups":
        """Behind one more."""
        if now < self.ends_at:
            return FailedLookups(self.failed + 1, self.ends_at)
        return FailedLookups(1, now + LOOKUP_WINDOW)
