"""In which order events may go out: each wallet's as they were noted, and otherwise as many at once as fit."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from wallet.ledger.events import OutboxEvent


@dataclass(frozen=True, slots=True)
class Pending:
    """An event that waits for its delivery.

    `merchants` are those of its wallets that are merchants', who are told of it too. `in_order` are the wallets in
    whose order it stands: not the payee's if it is hot, for payments into its slots have no order among each other.
    """

    event: OutboxEvent
    merchants: tuple[UUID, ...]
    in_order: frozenset[UUID]

    @property
    def places(self) -> int:
        """How many places of a batch it needs: its own, and one for each merchant."""
        return 1 + len(self.merchants)


class Lineup:
    """Events in the order in which they were noted, handed out in batches.

    A batch has at most one event of each wallet, for its members may fail one by one. An event that failed holds up
    its wallets: what stands behind it in any of their orders waits, and so does what stands behind that.
    """

    def __init__(self, waiting: Iterable[Pending]) -> None:
        self._waiting = list(waiting)
        self._held_up: set[UUID] = set()

    def next_batch(self, places: int) -> list[Pending]:
        """What may go out now, at most so many places; it is waiting no more. Empty when nothing may."""
        batch: list[Pending] = []
        left: list[Pending] = []
        busy = set(self._held_up)
        for pending in self._waiting:
            if pending.places <= places and busy.isdisjoint(pending.in_order):
                batch.append(pending)
                places -= pending.places
            else:
                left.append(pending)
            busy |= pending.in_order  # also where it has to wait: nothing may overtake it
        self._waiting = left
        return batch

    def hold_up(self, failed: Pending) -> None:
        """Says that this did not go out: its wallets wait for the next line-up."""
        self._held_up |= failed.in_order
