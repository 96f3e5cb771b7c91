"""Events as the kernel notes them, for unit tests, and an outbox that lives in memory."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from wallet.channels.port import ChannelUnavailableError, Entry
from wallet.ledger.events import CATALOGUE, FIELDS, Kind, OutboxEvent
from wallet.storage.database import Answer

NOON = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)


def wallet(number: int) -> UUID:
    """A wallet's id."""
    return UUID(int=0x01928E7E_9B3A_7C5D_8F21_000000000000 + number)


def noted(event_type: str, **changes: object) -> str:
    """What the kernel would note of an event of this type, every field filled."""
    known = CATALOGUE[event_type]
    told: dict[str, object] = {}
    for number, name in enumerate(known.fields):
        kind = FIELDS[name].kind
        value: object = wallet(100 + number).hex
        if kind is Kind.AMOUNT:
            value = 1_000 + number
        elif kind is Kind.TIME:
            value = "2026-11-22T06:30:00.123456"
        elif kind is Kind.TEXT:
            value = "INR" if name == "currency" else f"a {name} of ₹"
        told[known.noted_as.get(name, name)] = value
    return json.dumps(told | changes)


def outbox_event(
    event_type: str = "PaymentCompleted",
    *,
    position: int = 7,
    wallet_id: UUID = wallet(1),  # noqa: B008 - a value
    other_wallet_id: UUID | None = wallet(2),  # noqa: B008
    detail: str | None = None,
) -> OutboxEvent:
    """An event in the outbox."""
    return OutboxEvent(
        position=position,
        type=event_type,
        wallet_id=wallet_id,
        other_wallet_id=other_wallet_id,
        detail=noted(event_type) if detail is None else detail,
        created_at=NOON,
    )


@dataclass
class Outbox:
    """The outbox and its procedures, as far as a relay sees of them; rows as the query gives them."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    owner: bytes = b""
    leased_until: datetime = NOON
    clock: datetime = NOON
    called: list[str] = field(default_factory=list)

    def note(
        self,
        payer: int,
        payee: int | None = None,
        *,
        detail: str | None = None,
        kinds: tuple[str, str] = ("personal", "personal"),
        event_type: str = "PaymentCompleted",
    ) -> None:
        """An event of wallet `payer`, and of `payee` if there is one."""
        self.rows.append(
            {
                "position": len(self.rows) + 1,
                "type": event_type,
                "wallet_id": wallet(payer).bytes,
                "other_wallet_id": None if payee is None else wallet(payee).bytes,
                "detail": noted(event_type) if detail is None else detail,
                "created_at": NOON.replace(tzinfo=None),
                "kind": kinds[0],
                "other_kind": None if payee is None else kinds[1],
                "delivered": False,
            }
        )

    def waiting(self) -> list[int]:
        """Positions of what was not delivered."""
        return [row["position"] for row in self.rows if not row["delivered"]]

    def read(self, _query: str, limit: int) -> list[dict[str, Any]]:
        """The only query."""
        return [row for row in self.rows if not row["delivered"]][:limit]

    def call(self, procedure: str, *arguments: Any) -> Answer:
        """As `schema/procedures/events`."""
        self.called.append(procedure)
        if procedure == "claim_relay":
            owner, lease_s = arguments
            if owner != self.owner and self.leased_until > self.clock:
                return Answer("taken", {})
            self.owner, self.leased_until = owner, self.clock + timedelta(seconds=lease_s)
        elif procedure == "mark_events_delivered":
            owner, _, stretches = arguments
            for row in self.rows:
                told = any(first <= row["position"] <= last for first, last in json.loads(stretches))
                row["delivered"] = row["delivered"] or told
            return Answer("done" if owner == self.owner else "taken", {})
        return Answer("done", {})


@dataclass
class ScriptedBus:
    """A bus that takes what `judge` says of it, one call at a time, and remembers what it took."""

    judge: Callable[[Sequence[Entry]], list[bool]] = lambda entries: [True] * len(entries)
    taken: list[Entry] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def publish(self, entries: Sequence[Entry]) -> list[bool]:
        """One call."""
        with self.lock:
            self.calls.append(len(entries))
            results = self.judge(entries)
            self.taken += [entry for entry, result in zip(entries, results, strict=True) if result]
            return results

    def details(self) -> list[dict[str, Any]]:
        """What it took, read."""
        return [json.loads(entry.detail) for entry in self.taken]


def unreachable(_entries: Sequence[Entry]) -> list[bool]:
    """A judge: nobody is there."""
    raise ChannelUnavailableError("down")
