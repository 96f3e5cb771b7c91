"""What gateways tell us; they tell it again until they are answered."""

import hashlib
import json
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from tests.faults.crash.world import Json, Situation, World, told
from tests.integration.test_functions_under_faults import captured_body, webhook_event
from tests.integration.test_withdrawals_under_faults import reference_of
from tests.integration.test_withdrawals_under_faults import webhook as payout_event
from tests.support.books import captured, unique
from tests.support.cold import Run
from tests.support.payouts import state_of, withdraw
from wallet import wiring
from wallet.storage import settlement

if TYPE_CHECKING:
    from uuid import UUID


class Told(Situation):
    """A verified event; what it comes to is `outcome`."""

    def __init__(self, world: World, event: Json, *, outcome: str = "processed") -> None:
        self.world, self.event, self.outcome = world, event, outcome

    def check(self) -> None:
        """That what the event tells of is booked, once."""
        raise NotImplementedError

    def after_death(self, _run: Run, /) -> None:
        answer = self.world.answer("webhook", self.event)
        # the gateway has nothing to do about what is for people
        said = "ignored" if self.outcome == "stuck" else self.outcome
        assert (answer["statusCode"], told(answer)["status"]) in ((200, said), (200, "duplicate"))
        # "duplicate": the process that died had booked it, and not yet said so
        assert self._outcomes() in ([self.outcome], ["duplicate"])
        self.check()
        again = self.world.answer("webhook", self.event)
        assert told(again) == {"status": "duplicate"}
        self.check()

    def _outcomes(self) -> list[str | None]:
        digest = hashlib.sha256(self.event["body"].encode()).digest()
        kept = self.world.books.select("SELECT outcome FROM gateway_events WHERE digest = %s", digest)
        return [row["outcome"] for row in kept]


class Paid(Told):
    """A top-up of 500 paise that is paid; `told_amount` is what the gateway says has come."""

    amount = 500

    def __init__(self, world: World, *, told_amount: int = 500, known: bool = True, name: str = "captured") -> None:
        self.person = world.books.person()
        self.attempt_id: UUID | None = None
        order_id = unique("order_")
        if known:
            self.attempt_id, order_id = world.attempt(self.person, self.amount)
        self.payment_id = world.pays(order_id) if known else unique("pay_")
        self.told_amount, self.known = told_amount, known
        super().__init__(world, webhook_event(captured_body(order_id, self.payment_id, told_amount, f"payment.{name}")))

    def check(self) -> None:
        (entry,) = self.world.booked(self.payment_id)
        credited = self.known and self.told_amount == self.amount
        reason = None if credited else "amount_mismatch" if self.known else "unknown_order"
        kind = "top_up" if credited else "suspense"
        assert (entry["type"], entry["amount"], entry["suspense_reason"]) == (kind, self.told_amount, reason)
        assert self.world.books.balance(self.person) == (self.amount if credited else 0)


class PaidTwiceTold(Paid):
    """News of a payment that is in the books already, in other words."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        assert told(world.answer("webhook", self.event)) == {"status": "processed"}
        other = json.loads(self.event["body"]) | {"event": "order.paid"}
        self.event, self.outcome = webhook_event(json.dumps(other)), "duplicate"


class Failed(Told):
    """A payment that failed."""

    def __init__(self, world: World) -> None:
        person = world.books.person()
        self.attempt_id, order_id = world.attempt(person, 500)
        body = captured_body(order_id, unique("pay_"), 500, "payment.failed")
        super().__init__(world, webhook_event(body))

    def check(self) -> None:
        (attempt,) = self.world.books.select(
            "SELECT a.status, (SELECT COUNT(*) FROM payment_attempt_events e WHERE e.attempt_id = a.id"
            " AND e.status = 'failed') AS times FROM payment_attempts a WHERE a.id = %s",
            self.attempt_id.bytes,
        )
        assert (attempt["status"], attempt["times"]) == ("failed", 1)


class Refunded(Told):
    """A refund that somebody began at the gateway, of a top-up that was credited."""

    def __init__(self, world: World) -> None:
        self.person = world.books.person()
        _, order_id = world.attempt(self.person, 500)
        self.payment_id, self.refund_id = world.pays(order_id), unique("rfnd_")
        gateway = world.books.as_role("gateway")
        settlement.settle_payment(
            gateway, captured(order_id, 500, payment_id=self.payment_id), transaction_id=wiring.new_id()
        )
        gateway.close()
        told_of = json.loads(captured_body(order_id, self.payment_id, 500))
        told_of["payload"]["payment"]["entity"]["amount_refunded"] = 200
        refund = {"id": self.refund_id, "payment_id": self.payment_id, "amount": 200, "currency": "INR"}
        told_of["payload"]["refund"] = {"entity": refund | {"status": "processed", "receipt": None, "notes": []}}
        super().__init__(world, webhook_event(json.dumps(told_of | {"event": "refund.processed"})))

    def check(self) -> None:
        (refund,) = self.world.books.select(
            "SELECT status, amount FROM source_refunds WHERE gateway_refund_id = %s", self.refund_id
        )
        assert (refund["status"], refund["amount"]) == ("succeeded", 200)
        assert (self.world.books.balance(self.person), self.world.books.held(self.person)) == (300, 0)


class Disputed(Told):
    """A top-up of 500 paise of which the payer's bank wants 300 back: they are reserved, once."""

    def __init__(self, world: World) -> None:
        self.person = world.books.person()
        _, order_id = world.attempt(self.person, 500)
        self.payment_id, self.dispute_id = world.pays(order_id), unique("disp_")
        with closing(world.books.as_role("gateway")) as gateway:
            paid = captured(order_id, 500, payment_id=self.payment_id)
            settlement.settle_payment(gateway, paid, transaction_id=wiring.new_id())
        told_of = json.loads(captured_body(order_id, self.payment_id, 500, "payment.dispute.created"))
        dispute = {"id": self.dispute_id, "payment_id": self.payment_id, "amount": 300, "currency": "INR"}
        dispute |= {"status": "open", "phase": "chargeback", "created_at": 1_795_000_000}
        told_of["payload"]["dispute"] = {"entity": dispute}
        super().__init__(world, webhook_event(json.dumps(told_of | {"created_at": 1_795_000_000})))

    def check(self) -> None:
        assert breaks_of(self.world, self.dispute_id) == ["payment_dispute"]
        assert (self.world.books.balance(self.person), self.world.books.held(self.person)) == (500, 300)


class PaidOut(Told):
    """A withdrawal of 600 of 1,000 paise whose payout comes to something; then the money is gone, or free."""

    def __init__(self, world: World, status: str, after: tuple[str, int, int]) -> None:
        self.person, self.after = world.books.person(money=1_000), after
        self.receipt, _ = withdraw(world.books, self.person, 600)
        super().__init__(world, payout_event(reference_of(self.receipt), status))

    def check(self) -> None:
        books = self.world.books
        state = state_of(books, self.receipt.id)["status"]
        assert (state, books.balance(self.person), books.held(self.person)) == self.after


class PaidOutInitiated(PaidOut):
    """Its provider has begun with it."""

    def __init__(self, world: World) -> None:
        super().__init__(world, "initiated", ("pending", 1_000, 600))

    def check(self) -> None:
        super().check()
        assert state_of(self.world.books, self.receipt.id)["provider_payout_id"] is not None


class PaidOutOtherwise(PaidOut):
    """A payout of another amount than was asked for: a break, for people."""

    def __init__(self, world: World) -> None:
        super().__init__(world, "processed", ("pending", 1_000, 600))
        self.event = payout_event(reference_of(self.receipt), "processed", amount=60_000)
        self.outcome = "stuck"

    def check(self) -> None:
        super().check()
        assert breaks_of(self.world, reference_of(self.receipt)) == ["payout_mismatch"]


class PaidOutAndFailed(PaidOut):
    """A payout that is said to have failed after it was paid: a break, for people."""

    def __init__(self, world: World) -> None:
        super().__init__(world, "processed", ("succeeded", 400, 0))
        assert told(world.answer("webhook", self.event)) == {"status": "processed"}
        self.event, self.outcome = payout_event(reference_of(self.receipt), "failed"), "stuck"

    def check(self) -> None:
        super().check()
        assert breaks_of(self.world, reference_of(self.receipt)) == ["disputed_withdrawal"]


def breaks_of(world: World, subject: str) -> list[str]:
    """The kinds of the breaks that are open of something."""
    rows = world.books.select(
        "SELECT kind FROM reconciliation_breaks WHERE subject = %s AND resolved_at IS NULL", subject
    )
    return [row["kind"] for row in rows]


class Forged(Told):
    """An event that nobody signed whom we know: refused, and not kept."""

    def __init__(self, world: World) -> None:
        self.person = world.books.person()
        _, order_id = world.attempt(self.person, 500)
        super().__init__(world, webhook_event(captured_body(order_id, unique("pay_"), 500), "a guess"))

    def after_death(self, _run: Run, /) -> None:
        answer = self.world.answer("webhook", self.event)
        assert (answer["statusCode"], told(answer)["code"]) == (401, "invalid_signature")
        assert self._outcomes() == []
        assert self.world.books.balance(self.person) == 0


def paid_out(status: str, after: tuple[str, int, int]) -> Callable[[World], PaidOut]:
    """A withdrawal's end, and what is so then: its status, the balance and what is held, in paise."""
    return lambda world: PaidOut(world, status, after)


def paid(**changes: object) -> Callable[[World], Paid]:
    """A payment told of in some way."""
    return lambda world: Paid(world, **changes)  # type: ignore[arg-type]  # of several types
