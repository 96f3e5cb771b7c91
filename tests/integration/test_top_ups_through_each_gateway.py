"""A top-up from the request to the credit, through the deployed functions and each gateway's own protocol."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from local.gateway.server import Simulator, running
from tests.integration import razorpay_simulator as razorpay
from tests.integration.conftest import Functions
from tests.integration.razorpay_simulator import KEY_SECRET, Receiver, call, fault, play, receiving
from tests.integration.spoken import SPOKEN, Spoken, aim
from tests.integration.test_functions_under_faults import told
from tests.integration.test_operator_commands import done
from tests.support.books import Books, Person, new_landline, new_phone, unique
from tests.support.cloud import Cloud
from tests.support.functions import Function, api_event
from tests.support.operators import order
from wallet import wiring
from wallet.gateways.port import GatewayRejectedError, refuses_our_keys
from wallet.ledger import ids
from wallet.ledger.refunds import RefundStatus
from wallet.movements.top_up import TopUpRules, open_top_up

Json = dict[str, Any]

_AMOUNT = 25_050


@dataclass
class Shop:
    """The functions that a top-up goes through, with one gateway chosen."""

    spoken: Spoken
    simulator: Simulator
    books: Books
    functions: Functions
    top_up: Function
    webhook: Function

    def ask(self, person: Person, key: str | None = None) -> Json:
        """Ask for a top-up; what was answered."""
        headers = {"Idempotency-Key": key or unique("key-")}
        event = api_event(
            "POST",
            "/top-ups",
            body={"amount": _AMOUNT},
            headers=headers,
            caller=person.user_id,
            request_id=unique("req"),
        )
        answer: Json = self.top_up.invoke(event)
        return answer

    def look(self, person: Person, top_up_id: str) -> Json:
        """The top-up as its owner sees it now."""
        event = api_event("GET", "/top-ups/{id}", path={"id": top_up_id}, caller=person.user_id)
        answer: Json = told(self.top_up.invoke(event))
        return answer

    def deliver(self, webhook: tuple[bytes, dict[str, str]], function: Function | None = None) -> tuple[int, Json]:
        """Hand a webhook on as API Gateway does."""
        body, headers = webhook
        event = api_event(
            "POST",
            "/webhooks/{gateway}",
            path={"gateway": self.spoken.name},
            raw_body=body.decode(),
            headers=headers,
        )
        answer = (function or self.webhook).invoke(event)
        return answer["statusCode"], told(answer)

    def act(self, order_id: str, outcome: str, count: int, **more: object) -> Receiver:
        """Let the person act; the webhooks that came of it."""
        with receiving() as receiver:
            aim(self.simulator, self.spoken, receiver.url)
            play(self.simulator, order_id, outcome, **more)
            receiver.wait_for(count)
        return receiver

    @property
    def of_a_capture(self) -> int:
        """How many events tell of a capture."""
        return 1 if self.spoken.name == "cashfree" else 3


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A gateway of the test's own: its webhooks are nobody else's."""
    with running(razorpay.settings(tmp_path)) as simulator:
        yield simulator


@pytest.fixture(params=SPOKEN, ids=lambda spoken: spoken.name)
def shop(request: pytest.FixtureRequest, books: Books, functions: Functions, simulator: Simulator) -> Iterator[Shop]:
    spoken: Spoken = request.param
    books.nothing_is_due()
    told = spoken.environment(simulator)
    yield Shop(spoken, simulator, books, functions, functions.make("top_up", **told), functions.make("webhook", **told))
    fault(simulator, "none")


def test_what_was_asked_for_is_paid_and_credited_once_however_often_it_is_told(shop: Shop) -> None:
    person = shop.books.person()
    answer = shop.ask(person)
    asked = told(answer)
    assert (answer["statusCode"], asked["gateway"], asked["status"]) == (201, shop.spoken.name, "pending")
    assert asked["upi"]["intent_url"].startswith("upi://pay?")
    assert "am=250.50" in asked["upi"]["intent_url"]
    receiver = shop.act(asked["gateway_order_id"], "captured", 2 * shop.of_a_capture, duplicates=1)
    outcomes = [shop.deliver(webhook) for webhook in receiver.received]
    assert {status for status, _ in outcomes} == {200}
    assert [body["status"] for _, body in outcomes].count("processed") == 1
    assert shop.books.balance(person) == _AMOUNT
    seen = shop.look(person, asked["id"])
    assert seen["status"] == "succeeded"
    assert f'"{seen["rrn"]}"' in receiver.received[0][0].decode(), "as the bank's customer has it"
    evidence = evidence_of(shop, asked["gateway_order_id"])
    assert (evidence["event_gateway"], evidence["answer"]) == (shop.spoken.name, None)
    assert evidence["payment_id"] in evidence["body"].decode()
    assert shop.books.faults() == []


def evidence_of(shop: Shop, order_id: str) -> Json:
    """What a credited payment of an order was believed on."""
    (row,) = shop.books.select(
        "SELECT g.answer, g.answer_digest, e.gateway AS event_gateway, e.body, g.gateway_payment_id AS payment_id"
        " FROM payment_attempts a JOIN gateway_payments g ON g.attempt_id = a.id"
        " LEFT JOIN gateway_events e ON e.id = g.event_id"
        " WHERE a.gateway_order_id = %s",
        order_id,
    )
    return row


def test_the_checkout_is_told_alike_by_the_first_answer_its_replay_and_every_look(shop: Shop) -> None:
    person, key = shop.books.person(), unique("key-")
    asked = told(shop.ask(person, key))
    assert asked["checkout"]["order_id"] == asked["gateway_order_id"]
    assert set(asked["checkout"]) == (
        {"order_id", "payment_session_id"} if shop.spoken.name == "cashfree" else {"order_id", "key_id"}
    )
    assert all(asked["checkout"].values())
    assert told(shop.ask(person, key)) == asked
    assert shop.look(person, asked["id"])["checkout"] == asked["checkout"]
    assert KEY_SECRET not in str(asked)


def test_failed_then_captured_of_one_payment_is_credited(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    receiver = shop.act(asked["gateway_order_id"], "failed_then_captured", 1 + shop.of_a_capture)
    for webhook in receiver.received:
        assert shop.deliver(webhook)[0] == 200
    assert shop.books.balance(person) == _AMOUNT
    assert shop.look(person, asked["id"])["status"] == "succeeded"


def test_captured_and_then_failed_stays_credited(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    receiver = shop.act(asked["gateway_order_id"], "failed_then_captured", 1 + shop.of_a_capture)
    for webhook in reversed(receiver.received):
        assert shop.deliver(webhook)[0] == 200
    assert shop.look(person, asked["id"])["status"] == "succeeded"
    assert shop.books.balance(person) == _AMOUNT


def test_a_failure_is_shown_with_its_reason_and_moves_nothing(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    receiver = shop.act(asked["gateway_order_id"], "failed", 1)
    assert shop.deliver(receiver.received[0]) == (200, {"status": "processed"})
    seen = shop.look(person, asked["id"])
    assert (seen["status"], seen["events"][-1]["reason"]) == ("failed", "insufficient_funds")
    assert shop.books.balance(person) == 0


def test_a_payment_that_hangs_is_no_money_yet(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    receiver = shop.act(asked["gateway_order_id"], "pending", 1)
    assert shop.deliver(receiver.received[0]) == (200, {"status": "ignored"})
    assert shop.look(person, asked["id"])["status"] == "pending"
    assert shop.books.balance(person) == 0


def test_what_was_asked_for_is_credited_when_the_payer_bore_the_gateways_fee(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    receiver = shop.act(asked["gateway_order_id"], "captured_with_surcharge", shop.of_a_capture)
    outcomes = [shop.deliver(webhook) for webhook in receiver.received]
    assert [body["status"] for _, body in outcomes].count("processed") == 1
    assert shop.books.balance(person) == _AMOUNT
    assert shop.look(person, asked["id"])["status"] == "succeeded"
    assert shop.books.faults() == []


def test_another_amount_than_was_asked_for_goes_to_suspense(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    receiver = shop.act(asked["gateway_order_id"], "amount_mismatch", shop.of_a_capture)
    for webhook in receiver.received:
        assert shop.deliver(webhook)[0] == 200
    assert shop.books.balance(person) == 0
    assert shop.look(person, asked["id"])["events"][-1]["reason"] == "amount_mismatch"
    assert shop.books.faults() == []


def test_a_second_payment_of_one_order_goes_to_suspense(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    receiver = shop.act(asked["gateway_order_id"], "captured_twice", 2)
    for webhook in receiver.received:
        assert shop.deliver(webhook)[0] == 200
    assert shop.books.balance(person) == _AMOUNT


def test_a_webhook_that_never_comes_is_made_up_for_by_asking(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    play(shop.simulator, asked["gateway_order_id"], "captured_without_webhook")
    shop.books.write("UPDATE payment_attempts SET next_check_at = UTC_TIMESTAMP(6) WHERE next_check_at IS NOT NULL")
    findings = shop.functions.make("reconcile", **shop.spoken.environment(shop.simulator)).invoke({}, timeout_s=60)
    assert (findings["asked"], findings["booked"], findings["broken"]) == (1, 1, [])
    assert shop.books.balance(person) == _AMOUNT
    evidence = evidence_of(shop, asked["gateway_order_id"])
    assert evidence["event_gateway"] is None
    assert evidence["payment_id"] in evidence["answer"].decode()
    assert evidence["answer_digest"] == hashlib.sha256(evidence["answer"]).digest()


def test_money_that_went_back_before_we_heard_of_it_is_not_credited(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    paid = play(shop.simulator, asked["gateway_order_id"], "captured_without_webhook")["payments"][0]["id"]
    shop.spoken.refund_elsewhere(shop.simulator, asked["gateway_order_id"], paid, 100)
    shop.books.write("UPDATE payment_attempts SET next_check_at = UTC_TIMESTAMP(6) WHERE next_check_at IS NOT NULL")
    shop.functions.make("reconcile", **shop.spoken.environment(shop.simulator)).invoke({}, timeout_s=60)
    assert shop.books.balance(person) == 0
    assert shop.look(person, asked["id"])["events"][-1]["reason"] == "already_refunded"


@pytest.mark.parametrize("mode", ["down", "drop_answer", "rate_limited"])
def test_with_the_gateway_in_trouble_it_is_502_and_the_key_makes_one_order_afterwards(shop: Shop, mode: str) -> None:
    person, key = shop.books.person(), unique("key-")
    fault(shop.simulator, mode)
    refused = shop.ask(person, key)
    assert (refused["statusCode"], told(refused)["code"]) == (502, "gateway_unavailable")
    fault(shop.simulator, "none")
    answer = shop.ask(person, key)
    assert answer["statusCode"] == 201
    assert shop.spoken.count_orders(shop.simulator, told(answer)["id"]) == 1


def open_places(shop: Shop, person: Person) -> int:
    rows = shop.books.select(
        "SELECT COUNT(*) AS open FROM payment_attempts"
        " WHERE wallet_id = %s AND status IN ('created', 'pending', 'failed') AND expires_at > UTC_TIMESTAMP(6)",
        person.wallet_id.bytes,
    )
    return int(rows[0]["open"])


def test_what_the_gateway_refuses_for_good_is_422_with_its_word_and_takes_no_place(shop: Shop) -> None:
    person, key = shop.books.person(), unique("key-")
    shop.books.write("UPDATE users SET phone = %s WHERE id = %s", new_landline(), person.user_id.bytes)
    refused = shop.ask(person, key)
    assert (refused["statusCode"], told(refused)["code"]) == (422, "gateway_refused")
    word = "customer_phone_invalid" if shop.spoken.name == "cashfree" else "input_validation_failed"
    assert word in told(refused)["detail"]
    rows = shop.books.select(
        "SELECT a.id, a.status, e.reason FROM payment_attempts a JOIN payment_attempt_events e ON e.attempt_id = a.id"
        " WHERE a.wallet_id = %s AND e.status = 'failed'",
        person.wallet_id.bytes,
    )
    assert [(row["status"], row["reason"]) for row in rows] == [("failed", word)]
    assert shop.look(person, ids.show(ids.TOP_UP, UUID(bytes=rows[0]["id"])))["status"] == "failed"
    fault(shop.simulator, "down")  # the same key is told the same without asking
    again = shop.ask(person, key)
    assert (again["statusCode"], told(again)["detail"]) == (422, told(refused)["detail"])
    fault(shop.simulator, "none")
    for _ in range(51):
        assert shop.ask(person)["statusCode"] == 422
    assert open_places(shop, person) == 0
    shop.books.write("UPDATE users SET phone = %s WHERE id = %s", new_phone(), person.user_id.bytes)
    assert shop.ask(person)["statusCode"] == 201
    findings = shop.functions.make("reconcile", **shop.spoken.environment(shop.simulator)).invoke({}, timeout_s=60)
    assert findings["broken"] == []


def test_refused_keys_of_ours_are_an_outage_and_the_same_key_goes_on_when_they_are_right(shop: Shop) -> None:
    person = shop.books.person()
    rules = TopUpRules(valid_s=3600, first_check_s=60, upi_intent=True)
    claim = person.claim(unique("key-"), "100")
    with closing(shop.books.as_role("money")) as money:
        wrong = shop.spoken.gateway(shop.simulator.url, secret="another")
        for _ in range(2):
            with pytest.raises(GatewayRejectedError) as caught:
                open_top_up(money, wrong, wiring.new_id, rules, claim=claim, amount=_AMOUNT)
            assert refuses_our_keys(caught.value)
        assert open_places(shop, person) == 1
        top_up, _ = open_top_up(
            money, shop.spoken.gateway(shop.simulator.url), wiring.new_id, rules, claim=claim, amount=_AMOUNT
        )
        assert top_up.intent_url is not None


def credited(shop: Shop) -> tuple[Person, str, str]:
    """Somebody whose top-up was credited; the gateway's order and payment."""
    person = shop.books.person()
    order_id = told(shop.ask(person))["gateway_order_id"]
    receiver = shop.act(order_id, "captured", shop.of_a_capture)
    for webhook in receiver.received:
        shop.deliver(webhook)
    assert shop.books.balance(person) == _AMOUNT
    rows = shop.books.select(
        "SELECT g.gateway_payment_id FROM gateway_payments g JOIN payment_attempts a ON a.id = g.attempt_id"
        " WHERE a.gateway_order_id = %s",
        order_id,
    )
    return person, order_id, rows[0]["gateway_payment_id"]


def refund_events(shop: Shop, payment_id: str, amount: int) -> Receiver:
    """What the gateway tells of a refund that somebody begins at its dashboard."""
    with receiving() as receiver:
        aim(shop.simulator, shop.spoken, receiver.url)
        status, _ = call(shop.simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": amount})
        assert status == 200
        receiver.wait_for(1 if shop.spoken.name == "cashfree" else 2)
    return receiver


def test_a_top_up_goes_back_the_way_it_came_once(shop: Shop) -> None:
    person, order_id, payment_id = credited(shop)
    rows = shop.books.select(
        "SELECT transaction_id AS id FROM gateway_payments WHERE gateway_payment_id = %s", payment_id
    )
    wanted = ids.show(ids.TRANSACTION, UUID(bytes=rows[0]["id"]))
    done(shop.functions.operators(), order("refund_to_source", transaction_id=wanted, amount=5_050))
    reconcile = shop.functions.make("reconcile", **shop.spoken.environment(shop.simulator))
    for _ in range(2):
        shop.books.write("UPDATE source_refunds SET next_check_at = UTC_TIMESTAMP(6) WHERE next_check_at IS NOT NULL")
        reconcile.invoke({}, timeout_s=60)
    assert shop.books.balance(person) == _AMOUNT - 5_050
    gateway = shop.spoken.gateway(shop.simulator.url)
    (refund,) = gateway.refunds_of(payment_id=payment_id, order_id=order_id)
    assert (refund.amount, refund.status) == (5_050, RefundStatus.SUCCEEDED)
    assert shop.books.faults() == []


def test_a_refund_begun_at_the_dashboard_is_seen_and_booked_once(shop: Shop) -> None:
    person, _, payment_id = credited(shop)
    receiver = refund_events(shop, payment_id, 1_050)
    for webhook in receiver.received * 2:
        assert shop.deliver(webhook)[0] == 200
    assert shop.books.balance(person) == _AMOUNT - 1_050
    assert shop.books.faults() == []


def test_what_the_gateway_gives_back_by_itself_was_never_in_the_wallet(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    receiver = shop.act(asked["gateway_order_id"], "auto_refunded", 1 if shop.spoken.name == "cashfree" else 3)
    for webhook in receiver.received:
        assert shop.deliver(webhook)[0] == 200
    assert shop.books.balance(person) == 0
    assert shop.books.faults() == []


def test_one_changed_byte_is_a_401_and_moves_nothing(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    receiver = shop.act(asked["gateway_order_id"], "captured", shop.of_a_capture)
    for body, headers in receiver.received:
        status, answer = shop.deliver((body.replace(b"250.50", b"950.50").replace(b"25050", b"95050"), headers))
        assert (status, answer["code"]) == (401, "invalid_signature")
    assert shop.books.balance(person) == 0


def test_the_other_gateway_is_not_connected(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    receiver = shop.act(asked["gateway_order_id"], "captured", shop.of_a_capture)
    other = next(one for one in SPOKEN if one.name != shop.spoken.name)
    stranger = shop.functions.make("webhook", **other.environment(shop.simulator))
    status, answer = shop.deliver(receiver.received[0], stranger)
    assert (status, answer["code"]) == (404, "unknown_gateway")


def test_a_top_up_of_the_gateway_before_is_still_shown_and_nobody_asks_the_new_one_about_it(shop: Shop) -> None:
    person = shop.books.person()
    asked = told(shop.ask(person))
    other = next(one for one in SPOKEN if one.name != shop.spoken.name)
    shop.books.write("UPDATE payment_attempts SET next_check_at = UTC_TIMESTAMP(6) WHERE next_check_at IS NOT NULL")
    findings = shop.functions.make("reconcile", **other.environment(shop.simulator)).invoke({}, timeout_s=60)
    assert (findings["asked"], findings["broken"]) == (0, [])
    shop.top_up = shop.functions.make("top_up", **other.environment(shop.simulator))
    seen = shop.look(person, asked["id"])
    assert (seen["gateway"], seen["status"], seen["checkout"]) == (shop.spoken.name, "pending", {})


def test_cashfrees_events_are_believed_under_the_secret_before_its_rotation_and_the_one_behind_it(
    books: Books, functions: Functions, simulator: Simulator, cloud: Cloud
) -> None:
    spoken = next(one for one in SPOKEN if one.name == "cashfree")
    name, manager = unique("rotated-"), cloud.client("secretsmanager")
    manager.create_secret(Name=name, SecretString=f'{{"client_id": "c", "client_secret": "{KEY_SECRET}"}}')
    manager.put_secret_value(SecretId=name, SecretString='{"client_id": "c", "client_secret": "brand-new"}')
    told_it = spoken.environment(simulator)
    top_up, webhook = (
        functions.make("top_up", **told_it),
        functions.make("webhook", **{**told_it, "WEBHOOK_SECRET": name}),
    )
    shop = Shop(spoken, simulator, books, functions, top_up, webhook)
    person = books.person()
    order_id = told(shop.ask(person))["gateway_order_id"]
    receiver = shop.act(order_id, "captured", 1)
    assert shop.deliver(receiver.received[0]) == (200, {"status": "processed"})
    assert books.balance(person) == _AMOUNT


def test_a_dispute_is_reserved_when_it_is_told_and_booked_once_when_an_operator_ends_it(shop: Shop) -> None:
    person = shop.books.person()
    order_id = told(shop.ask(person))["gateway_order_id"]
    captured = shop.act(order_id, "captured", shop.of_a_capture)
    for webhook in captured.received:
        shop.deliver(webhook)
    [payment] = shop.books.select(
        "SELECT g.gateway_payment_id AS id FROM gateway_payments g JOIN payment_attempts a ON a.id = g.attempt_id"
        " WHERE a.gateway_order_id = %s",
        order_id,
    )
    with receiving() as receiver:
        aim(shop.simulator, shop.spoken, receiver.url)
        path = f"/simulator/payments/{payment['id']}/dispute"
        status, begun = call(shop.simulator, "POST", path, {"amount": 20_000})
        assert status == 200, begun
        receiver.wait_for(1)
        for step in ({"status": "under_review"}, {"status": "lost"}):
            assert call(shop.simulator, "POST", f"/simulator/disputes/{begun['id']}", step)[0] == 200
        receiver.wait_for_events(3)
    lost, *others = sorted(receiver.received, key=lambda webhook: b"lost" not in webhook[0].lower())
    outcomes = [shop.deliver(webhook)[1]["status"] for webhook in (lost, *others, lost)]
    assert outcomes == ["processed", "duplicate", "duplicate", "duplicate"], "the last word came first"
    assert (shop.books.balance(person), shop.books.held(person)) == (_AMOUNT, 20_000)
    operator = shop.functions.operators()
    asked_for, shown = {"command": "breaks", "kind": "payment_dispute"}, list[Any]()
    while page := done(operator, asked_for | ({"after": shown[-1]["break_id"]} if shown else {})):
        shown += page  # what other tests have left comes first
    [listed] = [one for one in shown if one["subject"] == begun["id"]]
    assert (listed["their_amount"], listed["phase"], listed["status"]) == (20_000, "chargeback", "lost")
    assert listed["respond_by"].endswith("Z")
    asked = order("resolve_payment_dispute", dispute_id=listed["dispute_id"], end="lost_recovered")
    first, again = done(operator, asked), done(operator, asked)
    assert (first, first["from_wallet"]) == (again, 20_000)
    assert (shop.books.balance(person), shop.books.held(person)) == (_AMOUNT - 20_000, 0)
    seen = done(operator, {"command": "show_payment_dispute", "dispute_id": listed["dispute_id"]})
    assert (seen["dispute"]["from_wallet"], len(seen["history"])) == (20_000, 2)
    left = done(operator, {"command": "pending", "only": "disputes"})["disputes"]  # of other tests
    assert listed["dispute_id"] not in [one["dispute_id"] for one in left]
    assert shop.books.faults() == []
