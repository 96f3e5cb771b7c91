"""The relay: hands what the kernel noted to the bus, at least once, several calls at a time.

Whatever happens between handing over and writing that down, the event is still in the outbox and goes out again, under
the same id. Nothing waits for its turn: the bus promises no order on the way to whoever listens, so who needs it sorts
by `sequence`. One relay works at a time, by a lease in the database; one that stalls past the end of its lease may hand
over once more what the next one has handed over already, which is a repetition like any other.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from uuid import UUID

from wallet.channels.port import CALLS_AT_ONCE, MAX_ENTRIES, Bus, ChannelUnavailableError, Entry
from wallet.ledger.events import BrokenEventError, Pending, is_personal, told, told_to
from wallet.storage import outbox
from wallet.storage.database import Database

#: Who speaks on the bus: the wallet to whoever of ours listens, and the wallet to one merchant.
SOURCE = "wallet"
MERCHANT_SOURCE = "wallet.merchant"

# Longer than a call of the bus may take with all its tries; it is renewed with everything that is written down.
_LEASE_S = 30
# How long to wait where nothing is left to do: what an event waits at most while a relay runs.
_PAUSE_S = 1
# So many are looked at in one go. Those that nobody understands stay among them, so a look that is full of them is
# followed by one that is twice as long: they must not hold up everybody.
_SCAN = 500
_LONGEST_SCAN = 16_000
# As soon as so many are answered that is written down: they and what is under way go out again if the relay dies.
_WRITTEN_AT_ONCE = 100
_GIVE_UP_AFTER = 5
_KEPT_DAYS = 30
_SWEPT_AT_ONCE = 10_000


@dataclass(slots=True)
class Deliveries:
    """What one run came to. A run that has `broken` events or can't reach the bus counts as failed."""

    delivered: int = 0
    refused: int = 0  # single ones, by a bus that took others: they go out again
    unreachable: int = 0  # looks in a row, up to now, in which the bus was not reached and nothing delivered
    broken: set[str] = field(default_factory=set)
    scan: int = _SCAN  # how many are looked at in one go

    @property
    def is_healthy(self) -> bool:
        """Whether every event was understood, and the bus was there."""
        return not self.broken and self.unreachable < _GIVE_UP_AFTER


@dataclass(frozen=True, slots=True)
class _Message:
    """An event, and what the bus is told of it: all of it goes in one call, and it is delivered when all is taken."""

    position: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Relay:
    """One run. `owner` is its own id."""

    database: Database
    bus: Bus
    owner: UUID

    def run(self, deliveries: Deliveries, *, time_left_s: Callable[[], float], pause: Callable[[float], None]) -> None:
        """Delivers what there is and what comes, as long as there is time and the bus is there."""
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="bus") as callers:
            while time_left_s() > 0 and deliveries.unreachable < _GIVE_UP_AFTER:
                is_ours = outbox.claim_relay(self.database, owner=self.owner, lease_s=_LEASE_S)
                if not (is_ours and self._deliver(callers, deliveries, time_left_s)):
                    pause(_PAUSE_S)
        outbox.sweep_events(self.database, kept_days=_KEPT_DAYS, limit=_SWEPT_AT_ONCE)
        outbox.release_relay(self.database, owner=self.owner)

    def _deliver(self, callers: Executor, deliveries: Deliveries, time_left_s: Callable[[], float]) -> bool:
        """Hands over what one look at the outbox shows, and writes it down while further calls are under way.

        False if there is nothing to be done at once: nothing was delivered, or the bus is hardly reached.
        """
        before, waiting = deliveries.delivered, outbox.pending_events(self.database, limit=deliveries.scan)
        calls = _calls(message for pending in waiting if (message := _message(pending, deliveries)))
        under_way: set[Future[list[tuple[int, bool]] | None]] = set()
        answered: list[tuple[int, bool]] = []
        is_reached = is_ours = True
        while True:
            while is_reached and is_ours and len(under_way) < CALLS_AT_ONCE and time_left_s() > 0:
                if (call := next(calls, None)) is None:
                    break
                under_way.add(callers.submit(self._hand_over, call))
            if not under_way:
                break
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for answer in [future.result() for future in ended]:
                is_reached = is_reached and answer is not None
                answered += answer or ()
            if len(answered) >= _WRITTEN_AT_ONCE or not under_way:
                taken = [position for position, is_taken in answered if is_taken]
                is_ours = outbox.mark_delivered(self.database, taken, owner=self.owner, lease_s=_LEASE_S)
                deliveries.delivered += len(taken)
                deliveries.refused += len(answered) - len(taken)
                answered.clear()
        has_delivered = deliveries.delivered > before
        if has_delivered:
            deliveries.unreachable = 0
        elif not is_reached:
            deliveries.unreachable += 1
        elif len(waiting) == deliveries.scan:
            deliveries.scan = min(2 * deliveries.scan, _LONGEST_SCAN)
        return has_delivered and is_reached

    def _hand_over(self, messages: Sequence[_Message]) -> list[tuple[int, bool]] | None:
        """One call: of each message its position, and whether all of it was taken; None if the bus can't be reached."""
        try:
            results = iter(self.bus.publish([entry for message in messages for entry in message.entries]))
        except ChannelUnavailableError:
            return None
        outcomes = [(message.position, [next(results) for _ in message.entries]) for message in messages]
        return [(position, all(outcome)) for position, outcome in outcomes]


def _message(pending: Pending, deliveries: Deliveries) -> _Message | None:
    """The event for the bus, then for each merchant in it; nothing if it can't be understood."""
    event = pending.event
    try:
        merchants = () if is_personal(event) else pending.merchants
        public = told(event)
        own = Entry(SOURCE, event.type, _text(public))
        copies = [Entry(MERCHANT_SOURCE, event.type, _text(told_to(event, one, public))) for one in merchants]
    except BrokenEventError as error:
        deliveries.broken.add(str(error))
        return None
    return _Message(event.position, (own, *copies))


def _calls(messages: Iterable[_Message]) -> Iterator[list[_Message]]:
    """The messages in their order, as many in a call as it takes."""
    call: list[_Message] = []
    places = MAX_ENTRIES
    for message in messages:
        if len(message.entries) > places:
            yield call
            call, places = [], MAX_ENTRIES
        call.append(message)
        places -= len(message.entries)
    if call:
        yield call


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
