"""The reconciler: everything due is asked about, whatever one attempt or event does, and nothing ends too early."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import pytest

from tests.support.books import Books, captured, unique
from wallet import wiring
from wallet.gateways.port import GatewayOrder, GatewayRejectedError, GatewayUnavailableError, UpiIntent
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.refunds import ObservedRefund, RefundStatus
from wallet.movements.reconcile import Findings, finish_leftovers, reconcile
from wallet.storage import settlement

Told = tuple[ObservedPayment, ...] | Exception


@dataclass
class ScriptedGateway:
    """A gateway that says of each order what the test wants: statuses that a simulator would take days to reach."""

    told: dict[str, Told] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refunds: list[ObservedRefund] = field(default_factory=list)
    name: str = "razorpay"

    def checkout(self, *, order_id: str | None, session: str | None) -> dict[str, str | None]:
        raise NotImplementedError

    def create_order(
        self, *, receipt: str, amount_minor: int, currency: str, contact: str, expires_at: datetime | None = None
    ) -> GatewayOrder:
        raise NotImplementedError

    def refund(
        self, *, payment_id: str, order_id: str | None, reference: str, amount_minor: int, currency: str
    ) -> ObservedRefund:
        raise NotImplementedError

    def find_refund(self, *, payment_id: str, order_id: str | None, reference: str) -> ObservedRefund | None:
        raise NotImplementedError

    def refunds_of(self, *, payment_id: str, order_id: str | None) -> tuple[ObservedRefund, ...]:
        assert order_id
        return tuple(one for one in self.refunds if one.payment_id == payment_id)

    def upi_intent(self, *, order_id: str, amount_minor: int, currency: str, contact: str, email: str) -> UpiIntent:
        raise NotImplementedError

    def find_order(self, *, receipt: str) -> GatewayOrder | None:
        assert receipt.startswith("top_")
        return None

    def payments_of(self, order_id: str) -> tuple[ObservedPayment, ...]:
        self.asked.append(order_id)
        answer = self.told.get(order_id, ())
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def quiet(books: Books) -> Books:
    """The books with nothing due from other tests."""
    books.write("UPDATE payment_attempts SET next_check_at = NULL")
    books.write("UPDATE gateway_events SET outcome = 'ignored' WHERE outcome IS NULL")
    return books


def run(books: Books, gateway: ScriptedGateway) -> Findings:
    database, findings = books.as_role("gateway"), Findings()
    reconcile(database, gateway, wiring.new_id, findings, first_check_s=60, time_left_s=lambda: 60.0)
    database.close()
    return findings


def due(books: Books, *, is_over: bool = False) -> tuple[str, int]:
    """An attempt of somebody's that is due: its order and its amount."""
    amount = 500
    order_id = books.order(books.person(), amount, valid_s=0 if is_over else 3600, first_check_s=0)
    return order_id, amount


def row(books: Books, order_id: str) -> dict[str, object]:
    return books.select(
        "SELECT status, checks, next_check_at > UTC_TIMESTAMP(6) AS later, next_check_at IS NULL AS never"
        " FROM payment_attempts WHERE gateway_order_id = %s",
        order_id,
    )[0]


def observed(order_id: str, status: PaymentStatus, reason: str | None = None, amount: int = 500) -> ObservedPayment:
    return ObservedPayment("razorpay", unique("pay_"), order_id, amount, "INR", status, captured=False, reason=reason)


def test_orders_that_the_gateway_rejects_hold_up_nobody(quiet: Books) -> None:
    rejected = GatewayRejectedError(http_status=400, reason="input_validation_failed")
    odd = [due(quiet)[0] for _ in range(8)]
    paid = [due(quiet) for _ in range(3)]
    told: dict[str, Told] = {order: (captured(order, amount),) for order, amount in paid}
    gateway = ScriptedGateway(told | dict.fromkeys(odd, rejected))
    findings = run(quiet, gateway)
    assert (findings.asked, findings.booked, len(findings.broken)) == (11, 3, 8)
    assert not findings.is_healthy
    assert {row(quiet, order)["status"] for order, _ in paid} == {"succeeded"}
    assert all(row(quiet, order)["later"] for order in odd), "they back off like any other"


def test_an_order_that_is_rejected_to_the_end_expires(quiet: Books) -> None:
    order, _ = due(quiet, is_over=True)
    run(quiet, ScriptedGateway({order: GatewayRejectedError(http_status=404)}))
    assert row(quiet, order)["status"] == "expired"


def test_an_order_that_is_rejected_for_any_other_reason_does_not_expire(quiet: Books) -> None:
    order, _ = due(quiet, is_over=True)
    gateway = ScriptedGateway({order: GatewayRejectedError(http_status=400, reason="input_validation_failed")})
    findings = run(quiet, gateway)
    assert (findings.expired, len(findings.broken)) == (0, 1)
    assert row(quiet, order)["status"] == "pending", "nobody has said that nobody paid"
    assert row(quiet, order)["later"]


def test_an_order_that_razorpay_does_not_know_expires(quiet: Books) -> None:
    order, _ = due(quiet, is_over=True)
    none = GatewayRejectedError(http_status=400, description="The id provided does not exist")
    run(quiet, ScriptedGateway({order: none}))
    assert row(quiet, order)["status"] == "expired"


@pytest.mark.parametrize("error", [GatewayRejectedError(http_status=404), GatewayUnavailableError("status 500")])
def test_refunds_that_can_not_be_had_hide_no_other_payment_of_the_order_and_end_nothing(
    quiet: Books, error: Exception
) -> None:
    order, amount = due(quiet, is_over=True)
    first = replace(captured(order, amount), amount_refunded=100)
    second = replace(captured(order, amount), amount_refunded=200)

    class Silent(ScriptedGateway):
        """Says nothing of one payment's refunds."""

        def refunds_of(self, *, payment_id: str, order_id: str | None) -> tuple[ObservedRefund, ...]:
            if payment_id == first.payment_id:
                raise error
            return super().refunds_of(payment_id=payment_id, order_id=order_id)

    told = ObservedRefund("razorpay", unique("rfnd_"), None, second.payment_id, 200, "INR", RefundStatus.SUCCEEDED)
    findings = run(quiet, Silent({order: (first, second)}, refunds=[told]))
    assert findings.booked == 3, "both payments, and the other's refund"
    assert not findings.is_healthy
    assert str(error) in str([findings.broken, findings.unreached])
    assert not row(quiet, order)["never"], "it is asked about again"


def test_with_our_keys_refused_nothing_expires_and_the_run_fails(quiet: Books) -> None:
    orders = [due(quiet, is_over=True)[0] for _ in range(4)]
    gateway = ScriptedGateway(dict.fromkeys(orders, GatewayRejectedError(http_status=401)))
    findings = run(quiet, gateway)
    assert not findings.is_healthy
    assert len(gateway.asked) == 1
    assert {row(quiet, order)["status"] for order in orders} == {"pending"}
    assert {row(quiet, order)["checks"] for order in orders} == {0}


def test_a_gateway_that_is_down_is_asked_three_times_and_the_attempts_stay_due_soon(quiet: Books) -> None:
    orders = [due(quiet)[0] for _ in range(5)]
    gateway = ScriptedGateway(dict.fromkeys(orders, GatewayUnavailableError("down")))
    findings = run(quiet, gateway)
    assert (findings.unreachable, len(gateway.asked)) == (3, 3)
    assert {row(quiet, order)["checks"] for order in orders} == {0}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (PaymentStatus.AUTHORIZED, None),
        (PaymentStatus.UNKNOWN, None),
        (PaymentStatus.FAILED, "deemed_transaction"),
    ],
)
def test_an_attempt_with_a_payment_on_its_way_does_not_expire(
    quiet: Books, status: PaymentStatus, reason: str | None
) -> None:
    order, amount = due(quiet, is_over=True)
    gateway = ScriptedGateway({order: (observed(order, status, reason),)})
    assert run(quiet, gateway).expired == 0
    assert row(quiet, order)["status"] == "pending"
    quiet.write("UPDATE payment_attempts SET next_check_at = UTC_TIMESTAMP(6) WHERE gateway_order_id = %s", order)
    gateway.told[order] = (captured(order, amount),)
    assert run(quiet, gateway).booked == 1
    assert row(quiet, order)["status"] == "succeeded"


@pytest.mark.parametrize("payments", [(), ("created",), ("failed",)])
def test_an_attempt_that_nobody_paid_ends_when_its_time_is_over(quiet: Books, payments: tuple[str, ...]) -> None:
    order, _ = due(quiet, is_over=True)
    told = tuple(observed(order, PaymentStatus(status), "payment_failed") for status in payments)
    findings = run(quiet, ScriptedGateway({order: told}))
    ended = row(quiet, order)
    assert ended["status"] == ("failed" if "failed" in payments else "expired")
    assert ended["never"]
    assert findings.expired == (0 if "failed" in payments else 1)


def test_a_captured_payment_of_nothing_is_no_money(quiet: Books) -> None:
    order, _ = due(quiet)
    findings = run(quiet, ScriptedGateway({order: (captured(order, 0),)}))
    assert (findings.booked, findings.broken) == (0, [])


def test_a_payment_that_somebody_has_refunded_is_booked_with_its_refund(quiet: Books) -> None:
    order, amount = due(quiet)
    payment = captured(order, amount, refunded=300)
    refund = ObservedRefund("razorpay", unique("rfnd_"), None, payment.payment_id, 300, "INR", RefundStatus.SUCCEEDED)
    gateway = ScriptedGateway({order: (payment,)}, refunds=[refund])
    assert run(quiet, gateway).booked == 2
    rows = quiet.select(
        "SELECT r.amount, r.status, g.suspense_reason FROM source_refunds r JOIN gateway_payments g"
        " ON g.transaction_id = r.transaction_id WHERE r.gateway_refund_id = %s",
        refund.refund_id,
    )
    assert rows == [{"amount": 300, "status": "succeeded", "suspense_reason": "already_refunded"}]
    assert quiet.faults() == []


def test_each_question_waits_twice_as_long_as_the_one_before(quiet: Books) -> None:
    order, _ = due(quiet)
    waits = []
    for _ in range(4):
        run(quiet, ScriptedGateway())
        rows = quiet.select(
            "SELECT ROUND(TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), next_check_at) / 60) AS minutes"
            " FROM payment_attempts WHERE gateway_order_id = %s",
            order,
        )
        waits.append(int(rows[0]["minutes"]))
        quiet.write("UPDATE payment_attempts SET next_check_at = UTC_TIMESTAMP(6) WHERE gateway_order_id = %s", order)
    assert waits == [1, 2, 4, 8]


def test_two_runs_at_once_ask_about_each_attempt_once(quiet: Books) -> None:
    from tests.support.crowd import together  # noqa: PLC0415 - for this test alone

    orders = [due(quiet)[0] for _ in range(12)]
    gateway = ScriptedGateway()
    together([lambda: run(quiet, gateway), lambda: run(quiet, gateway)])
    assert sorted(gateway.asked) == sorted(orders)


def kept(books: Books, body: str, gateway: str = "razorpay") -> UUID:
    event = settlement.store_event(
        books.as_role("gateway"),
        new_id=wiring.new_id(),
        gateway=gateway,
        digest=wiring.new_id().bytes * 2,
        event_id=None,
        name="payment.captured",
        body=body.encode(),
    )
    return event.id


def outcome(books: Books, event_id: UUID) -> object:
    return books.select("SELECT outcome FROM gateway_events WHERE id = %s", event_id.bytes)[0]["outcome"]


def as_razorpay_tells(order_id: str) -> str:
    entity = {
        "id": unique("pay_"),
        "amount": 500,
        "currency": "INR",
        "status": "captured",
        "captured": True,
        "order_id": order_id,
        "amount_refunded": 0,
    }
    payload = {"payment": {"entity": entity}}
    return json.dumps({"account_id": "acc_Mine", "event": "payment.captured", "payload": payload})


def as_cashfree_tells(order_id: str) -> str:
    payment = {
        "cf_payment_id": unique("cf"),
        "payment_status": "SUCCESS",
        "payment_amount": 5,
        "payment_currency": "INR",
    }
    order = {"order_id": order_id, "order_amount": 5, "order_currency": "INR"}
    return json.dumps({"type": "PAYMENT_SUCCESS_WEBHOOK", "data": {"order": order, "payment": payment}})


@pytest.mark.parametrize(("gateway", "tell"), [("razorpay", as_razorpay_tells), ("cashfree", as_cashfree_tells)])
def test_kept_events_are_finished_and_one_that_can_not_be_is_marked_for_people(
    quiet: Books, monkeypatch: pytest.MonkeyPatch, gateway: str, tell: Callable[[str], str]
) -> None:
    monkeypatch.setattr("wallet.movements.reconcile._EVENT_GRACE_S", -1)
    monkeypatch.setenv("GATEWAY", gateway)
    monkeypatch.setenv("GATEWAY_ACCOUNT_ID", "acc_Mine")
    person = quiet.person()
    order_id = quiet.order(person, 500, gateway=gateway)
    unreadable, readable = kept(quiet, "{", gateway), kept(quiet, tell(order_id), gateway)
    findings = Findings()
    finish_leftovers(quiet.as_role("gateway"), wiring.new_id, wiring.kept_event, findings)
    assert (outcome(quiet, unreadable), outcome(quiet, readable)) == ("stuck", "processed")
    assert quiet.balance(person) == 500
    assert (findings.finished_events, len(findings.broken)) == (2, 1)


def test_a_kept_event_of_a_gateway_that_was_left_is_marked_for_people(
    quiet: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wallet.movements.reconcile._EVENT_GRACE_S", -1)
    monkeypatch.setenv("GATEWAY", "cashfree")
    left = kept(quiet, as_razorpay_tells(quiet.order(quiet.person(), 500)))
    findings = Findings()
    finish_leftovers(quiet.as_role("gateway"), wiring.new_id, wiring.kept_event, findings)
    assert outcome(quiet, left) == "stuck"
    assert len(findings.broken) == 1


def test_only_the_attempts_of_the_gateway_that_is_asked_are_due(quiet: Books) -> None:
    here, _ = due(quiet)
    there = quiet.order(quiet.person(), 500, first_check_s=0, gateway="cashfree")
    gateway = ScriptedGateway()
    run(quiet, gateway)
    assert gateway.asked == [here]
    gateway.name = "cashfree"
    run(quiet, gateway)
    assert gateway.asked == [here, there]


def test_a_refund_elsewhere_of_a_credited_top_up_whose_news_was_lost_is_found_by_the_last_question(
    quiet: Books,
) -> None:
    person = quiet.person()
    order_id = quiet.order(person, 500)
    paid = captured(order_id, 500)
    gateway = quiet.as_role("gateway")
    settlement.settle_payment(gateway, paid, transaction_id=wiring.new_id())
    gateway.close()
    assert (quiet.balance(person), row(quiet, order_id)["later"]) == (500, 1)
    quiet.write(
        "UPDATE payment_attempts SET next_check_at = UTC_TIMESTAMP(6), expires_at = UTC_TIMESTAMP(6)"
        " WHERE gateway_order_id = %s",
        order_id,
    )
    gone = replace(paid, amount_refunded=500)
    refund = ObservedRefund(
        "razorpay", unique("rfnd_"), None, paid.payment_id, 500, "INR", RefundStatus.SUCCEEDED, gone
    )
    findings = run(quiet, ScriptedGateway({order_id: (gone,)}, refunds=[refund]))
    assert (findings.asked, findings.booked, findings.expired, findings.broken) == (1, 1, 0, [])
    assert quiet.balance(person) == 0
    assert (row(quiet, order_id)["status"], row(quiet, order_id)["never"]) == ("refunded", 1)
    assert quiet.faults() == []


def test_a_credited_top_up_is_asked_about_once_more_and_never_again(quiet: Books) -> None:
    order_id, amount = due(quiet)
    gateway = ScriptedGateway({order_id: (captured(order_id, amount),)})
    run(quiet, gateway)
    quiet.write(
        "UPDATE payment_attempts SET next_check_at = UTC_TIMESTAMP(6), expires_at = UTC_TIMESTAMP(6)"
        " WHERE gateway_order_id = %s",
        order_id,
    )
    run(quiet, gateway)
    assert gateway.asked == [order_id, order_id]
    assert (row(quiet, order_id)["status"], row(quiet, order_id)["never"]) == ("succeeded", 1)
