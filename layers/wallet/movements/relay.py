"""The relay: hands what the kernel noted to the bus, at least once, and each wallet's in order.

Whatever happens between handing over and writing that down, the event is still in the outbox and goes out again, under
the same id. One relay works at a time, by a lease in the database; one that stalls past the end of its lease may hand
over once more what the next one has handed over already, which is a repetition like any other.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from wallet.channels.port import MAX_ENTRIES, Bus, ChannelUnavailableError, Entry
from wallet.ledger.events import BrokenEventError, is_personal, told, told_to
from wallet.ledger.lineup import Lineup, Pending
from wallet.storage import outbox
from wallet.storage.database import Database

#: Who speaks on the bus: the wallet to whoever of ours listens, and the wallet to one merchant.
SOURCE = "wallet"
MERCHANT_SOURCE = "wallet.merchant"

# Longer than a call of the bus may take with all its tries; it is renewed with every batch.
_LEASE_S = 30
# How long to wait where nothing is left to do: what an event waits at most while a relay runs.
_PAUSE_S = 1
# So many are looked at in one go. Those that are held up stay among them, so a look that is full of them is followed by
# one that is twice as long: a broken event of a busy wallet must not hold up everybody.
_SCAN = 500
_LONGEST_SCAN = 16_000
_GIVE_UP_AFTER = 5
_KEPT_DAYS = 30
_SWEPT_AT_ONCE = 10_000


@dataclass(slots=True)
class Deliveries:
    """What one run came to. A run that has `broken` events or can't reach the bus counts as failed."""

    delivered: int = 0
    refused: int = 0  # single ones, by a bus that took others: they go out again
    unreachable: int = 0  # calls in a row, up to now, that came to nothing
    broken: set[str] = field(default_factory=set)
    scan: int = _SCAN  # how many are looked at in one go

    @property
    def is_healthy(self) -> bool:
        """Whether every event was understood, and the bus was there."""
        return not self.broken and self.unreachable < _GIVE_UP_AFTER


@dataclass(frozen=True, slots=True)
class Relay:
    """One run. `owner` is its own id."""

    database: Database
    bus: Bus
    owner: UUID

    def run(self, deliveries: Deliveries, *, time_left_s: Callable[[], float], pause: Callable[[float], None]) -> None:
        """Delivers what there is and what comes, as long as there is time and the bus is there."""
        while time_left_s() > 0 and deliveries.unreachable < _GIVE_UP_AFTER:
            before = deliveries.delivered
            if outbox.claim_relay(self.database, owner=self.owner, lease_s=_LEASE_S):
                self._deliver(deliveries, time_left_s)
            if deliveries.delivered == before:
                pause(_PAUSE_S)
        outbox.sweep_events(self.database, kept_days=_KEPT_DAYS, limit=_SWEPT_AT_ONCE)
        outbox.release_relay(self.database, owner=self.owner)

    def _deliver(self, deliveries: Deliveries, time_left_s: Callable[[], float]) -> None:
        """Hands over what one look at the outbox shows, batch by batch, as far as its order allows."""
        before, waiting = deliveries.delivered, outbox.pending_events(self.database, limit=deliveries.scan)
        lineup = Lineup(waiting)
        while time_left_s() > 0 and (batch := lineup.next_batch(MAX_ENTRIES)):
            messages = [(pending, self._entries(pending, deliveries)) for pending in batch]
            try:
                taken = self._hand_over(messages)
            except ChannelUnavailableError:
                deliveries.unreachable += 1
                return
            deliveries.unreachable = 0
            for pending, entries in messages:
                if pending not in taken:
                    lineup.hold_up(pending)
                    deliveries.refused += bool(entries)
            deliveries.delivered += len(taken)
            events = [pending.event for pending in taken]
            if not outbox.mark_delivered(self.database, events, owner=self.owner, lease_s=_LEASE_S):
                return  # another has taken over
        if deliveries.delivered == before and len(waiting) == deliveries.scan:
            deliveries.scan = min(2 * deliveries.scan, _LONGEST_SCAN)

    def _hand_over(self, messages: Sequence[tuple[Pending, Sequence[Entry]]]) -> list[Pending]:
        """Those of which the bus took every entry. One that it took in part goes out again as a whole."""
        entries = [entry for _, told_as in messages for entry in told_as]
        results = iter(self.bus.publish(entries) if entries else [])
        outcomes = [(pending, [next(results) for _ in told_as]) for pending, told_as in messages]
        return [pending for pending, outcome in outcomes if outcome and all(outcome)]

    def _entries(self, pending: Pending, deliveries: Deliveries) -> list[Entry]:
        """The event for the bus, then for each merchant in it; none if it can't be understood."""
        event = pending.event
        try:
            merchants = () if is_personal(event) else pending.merchants
            return [
                Entry(SOURCE, event.type, _text(told(event))),
                *(Entry(MERCHANT_SOURCE, event.type, _text(told_to(event, merchant))) for merchant in merchants),
            ]
        except BrokenEventError as error:
            deliveries.broken.add(str(error))
            return []


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
