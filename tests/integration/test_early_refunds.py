"""A refund that is heard of before its payment, from a gateway that tells nothing of the payment: it waits."""

from collections.abc import Iterator

import pytest

from tests.support.books import GATEWAY, Books, Person, captured, unique
from wallet import wiring
from wallet.gateways.port import GatewayEvent
from wallet.ledger.refunds import ObservedRefund, RefundStatus
from wallet.movements.reconcile import Findings, finish_leftovers
from wallet.movements.settle import EventOutcome, receive
from wallet.storage.settlement import settle_payment


class Early:
    """A captured payment of somebody's that nobody has told us of, and the event of its refund."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.person: Person = books.person()
        self.payment = captured(books.order(self.person, 1_000), 1_000)
        told = ObservedRefund(
            GATEWAY, unique("rfnd_"), None, self.payment.payment_id, 1_000, "INR", RefundStatus.SUCCEEDED
        )
        self.event = GatewayEvent(None, "REFUND", refunds=(told,))
        self.body = unique("body-").encode()

    def arrive(self) -> EventOutcome:
        return receive(self.books.as_role("gateway"), wiring.new_id, self.event, gateway=GATEWAY, body=self.body)

    def finish(self) -> Findings:
        """A run of the clock that looks at what was kept."""
        findings = Findings()
        finish_leftovers(self.books.as_role("gateway"), wiring.new_id, lambda _, body: self._read(body), findings)
        return findings

    def _read(self, body: bytes) -> GatewayEvent:
        return self.event if body == self.body else GatewayEvent(None, "other")

    def row(self) -> dict[str, object]:
        return self.books.select("SELECT id, outcome FROM gateway_events WHERE body = %s", self.body)[0]


@pytest.fixture
def early(books: Books, monkeypatch: pytest.MonkeyPatch) -> Iterator[Early]:
    monkeypatch.setattr("wallet.movements.reconcile._EVENT_GRACE_S", -1)
    books.write("UPDATE gateway_events SET outcome = 'ignored' WHERE outcome IS NULL")
    yield Early(books)
    books.write("UPDATE gateway_events SET outcome = 'ignored' WHERE outcome IS NULL")


def test_it_is_kept_and_acted_on_when_the_payment_has_come(books: Books, early: Early) -> None:
    assert early.arrive() is EventOutcome.EARLY
    assert early.arrive().told == "ignored"
    assert early.finish().finished_events == 0
    assert early.row()["outcome"] is None
    settle_payment(books.as_role("gateway"), early.payment, transaction_id=wiring.new_id())
    assert books.balance(early.person) == 1_000
    assert early.finish().finished_events == 1
    assert (books.balance(early.person), early.row()["outcome"]) == (0, "processed")
    assert books.faults() == []


def test_the_events_behind_it_are_not_held_up(books: Books, early: Early, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wallet.movements.reconcile._BATCH", 1)
    early.arrive()
    behind = wiring.new_id()
    books.write(
        "INSERT INTO gateway_events (id, gateway, digest, name, body, received_at)"
        " VALUES (%s, 'razorpay', %s, 'x', 'x', UTC_TIMESTAMP(6))",
        behind.bytes,
        behind.bytes * 2,
    )
    assert early.finish().finished_events == 1
    assert early.row()["outcome"] is None


def test_a_payment_that_never_comes_leaves_its_refund_alone_in_the_end(
    early: Early, monkeypatch: pytest.MonkeyPatch
) -> None:
    early.arrive()
    monkeypatch.setattr("wallet.movements.reconcile._EARLY_FOR_S", -1)
    assert early.finish().finished_events == 1
    assert early.row()["outcome"] == "ignored"
