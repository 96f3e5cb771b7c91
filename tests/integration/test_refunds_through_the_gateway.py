"""Refunds to source, from the operator's command to the gateway and back: once, whatever dies or is lost on the way."""

import base64
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from local.gateway.server import Simulator, running
from tests.integration import razorpay_simulator as razorpay
from tests.integration.conftest import Functions
from tests.integration.test_functions_under_faults import captured_body, told, top_up_event, webhook_event
from tests.integration.test_kernel_source_refunds import held
from tests.integration.test_operator_commands import done
from tests.support.books import Books, Person, unique
from tests.support.crowd import together
from tests.support.functions import Function, FunctionDiedError, api_event
from tests.support.operators import order
from tests.support.proxy import Proxy
from wallet import wiring
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError
from wallet.gateways.razorpay.client import RazorpayGateway
from wallet.gateways.razorpay.webhook import RazorpayWebhook
from wallet.ledger import ids
from wallet.ledger.refunds import ObservedRefund, RefundStatus

Json = dict[str, Any]


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A gateway of the test's own: its webhooks are nobody else's."""
    with running(razorpay.settings(tmp_path)) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def quiet(books: Books) -> None:
    """Nothing due from other tests: this gateway knows nothing of it."""
    books.nothing_is_due()


def answer(simulator: Simulator, word: str) -> None:
    """Let refunds be processed at once, or stay pending."""
    assert razorpay.call(simulator, "PUT", "/simulator/refunds", {"answer": word})[0] == 200


def paid(simulator: Simulator, amount: int = 50_000) -> str:
    """A captured payment at the gateway."""
    made = razorpay.adapter(simulator).create_order(
        receipt=unique("top_"), amount_minor=amount, currency="INR", contact="+919000000000"
    )
    payment_id: str = razorpay.play(simulator, made.order_id, "captured_without_webhook")["payments"][0]["id"]
    return payment_id


def refunds_at(simulator: Simulator, payment_id: str) -> list[Json]:
    """What the gateway has of refunds of a payment."""
    items: list[Json] = razorpay.call(simulator, "GET", f"/v1/payments/{payment_id}/refunds?count=100")[1]["items"]
    return items


class TestTheAdapter:
    def ask(self, gateway: RazorpayGateway, payment_id: str, reference: str, amount: int = 20_000) -> ObservedRefund:
        return gateway.refund(
            payment_id=payment_id, order_id=None, reference=reference, amount_minor=amount, currency="INR"
        )

    @pytest.fixture
    def reference(self) -> str:
        return ids.show(ids.REFUND, wiring.new_id())

    def test_a_refund_is_made_once_and_found_again(self, simulator: Simulator, reference: str) -> None:
        gateway, payment_id = razorpay.adapter(simulator), paid(simulator)
        made = self.ask(gateway, payment_id, reference)
        assert (made.reference, made.amount, made.status) == (reference, 20_000, RefundStatus.SUCCEEDED)
        assert self.ask(gateway, payment_id, reference) == made
        assert gateway.find_refund(payment_id=payment_id, order_id=None, reference=reference) == made
        other = ids.show(ids.REFUND, wiring.new_id())
        assert gateway.find_refund(payment_id=payment_id, order_id=None, reference=other) is None
        assert len(refunds_at(simulator, payment_id)) == 1

    def test_an_answer_lost_after_the_work_leaves_one_refund(self, simulator: Simulator, reference: str) -> None:
        payment_id = paid(simulator)
        razorpay.fault(simulator, "drop_answer", path=f"/v1/payments/{payment_id}/refund", method="POST", times=1)
        assert self.ask(razorpay.adapter(simulator), payment_id, reference).reference == reference
        assert len(refunds_at(simulator, payment_id)) == 1

    def test_answers_that_are_all_lost_are_an_unknown_outcome_and_it_is_found_later(
        self, simulator: Simulator, reference: str
    ) -> None:
        payment_id = paid(simulator)
        razorpay.fault(simulator, "drop_answer", path=f"/v1/payments/{payment_id}/refund", method="POST")
        with pytest.raises(GatewayUnavailableError):
            self.ask(razorpay.adapter(simulator), payment_id, reference)
        razorpay.fault(simulator, "none")
        assert self.ask(razorpay.adapter(simulator), payment_id, reference).reference == reference
        assert len(refunds_at(simulator, payment_id)) == 1

    def test_while_the_first_request_still_runs_another_is_told_409_which_is_no_refusal(
        self, simulator: Simulator, reference: str
    ) -> None:
        payment_id = paid(simulator)
        path, key = f"/v1/payments/{payment_id}/refund", {"X-Refund-Idempotency": reference}
        razorpay.fault(simulator, "slow", path=path, method="POST", times=2, seconds=6)
        ask = partial(razorpay.call, simulator, "POST", path, {"amount": 20_000}, headers=key)
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(ask) for _ in range(2)]  # whichever comes first is carried out, slowly
            (refused,), (carried_out,) = wait(both, return_when=FIRST_COMPLETED)
            assert refused.result()[0] == 409
            with pytest.raises(GatewayUnavailableError):
                self.ask(razorpay.adapter(simulator), payment_id, reference)
            assert carried_out.result()[0] == 200
        assert len(refunds_at(simulator, payment_id)) == 1

    def test_twenty_at_once_under_one_reference_are_one_refund(self, simulator: Simulator, reference: str) -> None:
        gateway, payment_id = razorpay.adapter(simulator), paid(simulator)

        def ask(_: int) -> str | None:
            try:
                return self.ask(gateway, payment_id, reference).refund_id
            except GatewayUnavailableError:
                return None  # the key was in use

        with ThreadPoolExecutor(20) as callers:
            made = set(callers.map(ask, range(20))) - {None}
        assert len(made) == 1
        assert len(refunds_at(simulator, payment_id)) == 1

    def test_more_than_there_is_left_is_a_refusal(self, simulator: Simulator, reference: str) -> None:
        with pytest.raises(GatewayRejectedError):
            self.ask(razorpay.adapter(simulator), paid(simulator), reference, 50_001)

    @pytest.mark.parametrize(("outcome", "status"), [("processed", "succeeded"), ("failed", "failed")])
    def test_a_pending_refund_is_seen_to_its_end(
        self, simulator: Simulator, reference: str, outcome: str, status: str
    ) -> None:
        gateway, payment_id = razorpay.adapter(simulator), paid(simulator)
        answer(simulator, "pending")
        made = self.ask(gateway, payment_id, reference)
        assert made.status is RefundStatus.PENDING
        path = f"/simulator/refunds/{made.refund_id}"
        assert razorpay.call(simulator, "POST", path, {"outcome": outcome})[0] == 200
        assert razorpay.call(simulator, "POST", path, {"outcome": outcome})[0] == 409
        found = gateway.find_refund(payment_id=payment_id, order_id=None, reference=reference)
        assert found is not None
        assert found.status == status

    def test_one_begun_at_the_dashboard_is_found_by_its_own_id(self, simulator: Simulator) -> None:
        payment_id = paid(simulator)
        status, begun = razorpay.call(simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": 500})
        assert status == 200
        found = razorpay.adapter(simulator).find_refund(payment_id=payment_id, order_id=None, reference=begun["id"])
        assert found is not None
        assert (found.refund_id, found.reference, found.amount) == (begun["id"], None, 500)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("refunds", {"answer": "later"}, 422),
        ("refunds/rfnd_nobody", {"outcome": "processed"}, 404),
        ("refunds/rfnd_nobody", {"outcome": "lost"}, 422),
        ("payments/pay_nobody/refund", {}, 404),
    ],
)
def test_a_command_to_the_simulator_that_makes_no_sense_is_refused(
    simulator: Simulator, path: str, body: Json, status: int
) -> None:
    method = "PUT" if path == "refunds" else "POST"
    assert razorpay.call(simulator, method, f"/simulator/{path}", body)[0] == status


def test_half_a_request_to_the_simulator_is_none(simulator: Simulator) -> None:
    payment_id, address = paid(simulator), urlsplit(simulator.url)
    pair = base64.b64encode(f"{razorpay.KEY_ID}:{razorpay.KEY_SECRET}".encode()).decode()
    head = (
        f"POST /v1/payments/{payment_id}/refund HTTP/1.1\r\nAuthorization: Basic {pair}\r\nContent-Length: 20\r\n\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 0)) as caller:
        caller.sendall(head.encode())
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(100) == b""
    assert refunds_at(simulator, payment_id) == []


# ------------------------------------------------------------------------------------------ through the functions


class Story:
    """Somebody whose top-up was credited, and the functions around it."""

    def __init__(self, books: Books, functions: Functions, simulator: Simulator, amount: int = 50_000) -> None:
        self.books, self.functions, self.simulator, self.amount = books, functions, simulator, amount
        self.person: Person = books.person()
        opened = told(functions.make("top_up").invoke(top_up_event(self.person, unique("key-"), amount)))
        self.top_up_id, self.order_id = opened["id"], opened["gateway_order_id"]
        play = razorpay.play(simulator, self.order_id, "captured_without_webhook")
        self.payment_id: str = play["payments"][0]["id"]
        functions.make("webhook").invoke(webhook_event(captured_body(self.order_id, self.payment_id, amount)))
        assert books.balance(self.person) == amount

    def command(self, **more: object) -> Json:
        rows = self.books.select(
            "SELECT transaction_id AS id FROM gateway_payments WHERE gateway_payment_id = %s", self.payment_id
        )
        shown = ids.show(ids.TRANSACTION, UUID(bytes=rows[0]["id"]))
        return order("refund_to_source", transaction_id=shown, **more)

    def reconcile(self, **changes: str) -> None:
        self.books.write("UPDATE source_refunds SET next_check_at = UTC_TIMESTAMP(6) WHERE next_check_at IS NOT NULL")
        self.functions.make("reconcile", **changes).invoke({}, timeout_s=60)

    def state(self) -> tuple[int, int, list[str], int]:
        """Balance, held, the refunds' statuses, and how many refunds the gateway has that didn't fail."""
        rows = self.books.select(
            "SELECT status FROM source_refunds WHERE gateway_payment_id = %s ORDER BY created_at", self.payment_id
        )
        there = [one for one in refunds_at(self.simulator, self.payment_id) if one["status"] != "failed"]
        return (
            self.books.balance(self.person),
            held(self.books, self.person),
            [row["status"] for row in rows],
            len(there),
        )


@pytest.fixture
def story(books: Books, functions: Functions, simulator: Simulator) -> Story:
    return Story(books, functions, simulator)


def heard(simulator: Simulator, what: Any, count: int) -> list[Json]:
    """The webhooks that the gateway sends because of something, as API Gateway would hand them over."""
    with razorpay.receiving() as receiver:
        razorpay.aim(simulator, receiver)
        what()
        receiver.wait_for(count)
    return [
        api_event(
            "POST",
            "/webhooks/{gateway}",
            path={"gateway": "razorpay"},
            raw_body=body.decode(),
            headers={name: headers[name] for name in ("x-razorpay-signature", "x-razorpay-event-id")},
        )
        for body, headers in receiver.received
    ]


def test_a_refund_is_set_aside_by_the_operator_sent_by_the_clock_and_paid_by_the_gateway(story: Story) -> None:
    result = done(story.functions.operators(), story.command(amount=20_000))
    assert story.state() == (50_000, 20_000, ["pending"], 0)
    story.reconcile()
    assert story.state() == (30_000, 0, ["succeeded"], 1)
    (there,) = refunds_at(story.simulator, story.payment_id)
    assert (there["receipt"], there["notes"]) == (result["refund_id"], {"reference": result["refund_id"]})
    assert story.books.faults() == []


def test_a_pending_refund_ends_by_the_webhook_or_by_asking_whichever_comes_first(story: Story) -> None:
    answer(story.simulator, "pending")
    done(story.functions.operators(), story.command())
    story.reconcile()
    assert story.state() == (50_000, 50_000, ["pending"], 1)
    (there,) = refunds_at(story.simulator, story.payment_id)
    path = f"/simulator/refunds/{there['id']}"
    (event,) = heard(story.simulator, lambda: razorpay.call(story.simulator, "POST", path, {"outcome": "processed"}), 1)
    webhooks = [story.functions.make("webhook") for _ in range(3)]
    tasks: list[Any] = [lambda turn=turn: webhooks[turn % 3].invoke(event) for turn in range(9)]
    tasks.append(story.reconcile)
    answers = together(tasks)
    assert not [one for one in answers if isinstance(one, Exception)]
    assert story.state() == (0, 0, ["succeeded"], 1)
    rows = story.books.select("SELECT status FROM payment_attempts WHERE gateway_order_id = %s", story.order_id)
    assert rows == [{"status": "refunded"}]
    assert story.books.faults() == []


def test_a_refund_that_fails_at_the_gateway_gives_the_money_back(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    story = Story(books, functions, simulator, 24_68)
    done(functions.operators(), story.command())
    story.reconcile()
    assert story.state() == (24_68, 0, ["failed"], 0)
    assert books.faults() == []


def test_a_gateway_that_does_the_work_and_loses_every_answer_refunds_once(story: Story) -> None:
    done(story.functions.operators(), story.command())
    razorpay.fault(story.simulator, "drop_answer", path=f"/v1/payments/{story.payment_id}/refund", method="POST")
    with pytest.raises(FunctionDiedError, match="not reached"):
        story.reconcile(RECONCILE_AFTER_SECONDS="60")  # not again in the same run
    assert story.state() == (50_000, 50_000, ["pending"], 1), "the money stays set aside while nobody knows"
    razorpay.fault(story.simulator, "none")
    story.reconcile()
    assert story.state() == (0, 0, ["succeeded"], 1)
    assert story.books.faults() == []


def test_a_gateway_that_is_down_is_asked_again(story: Story) -> None:
    done(story.functions.operators(), story.command())
    razorpay.fault(story.simulator, "down")
    with pytest.raises(FunctionDiedError, match="not reached"):
        story.reconcile(RECONCILE_AFTER_SECONDS="60")  # not again in the same run
    razorpay.fault(story.simulator, "none")
    assert story.state() == (50_000, 50_000, ["pending"], 0)
    story.reconcile()
    assert story.state() == (0, 0, ["succeeded"], 1)


def test_an_operator_killed_behind_the_set_aside_approves_again_and_it_is_one(story: Story) -> None:
    request = story.functions.operators().send(story.command())["result"]["request_id"]
    with Proxy((story.books.server.host, story.books.server.port)) as proxy:
        operator = story.functions.operators(DATABASE_HOST=proxy.host, DATABASE_PORT=str(proxy.port))
        operator.send({"command": "pending", "only": "closing"})  # it has a connection
        pid, asked = operator.pid, list[bool]()

        def kill_at_the_answer(from_client: bool, _chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            if from_client:  # the request is looked for, then it is carried out
                asked.append(True)
            elif len(asked) == 2:
                os.kill(pid, signal.SIGKILL)
                return False
            return True

        proxy.judge = kill_at_the_answer
        with pytest.raises(FunctionDiedError):
            operator.approve(request, "money")
    assert story.state() == (50_000, 50_000, ["pending"], 0), "it was killed behind the commit"
    again = story.functions.operators().approve(request, "money")
    assert (again["status"], again["replayed"], again["result"]["amount"]) == ("done", True, 50_000)
    story.reconcile()
    assert story.state() == (0, 0, ["succeeded"], 1)
    assert story.books.faults() == []


def _encrypted(chunk: bytes) -> bool:
    """Whether it is a TLS record of application data."""
    return chunk[:1] == b"\x17"


@pytest.mark.parametrize("where", ["the question", "the answer"])
def test_a_clock_killed_around_the_gateways_work_leaves_it_to_the_next_and_it_is_one(story: Story, where: str) -> None:
    done(story.functions.operators(), story.command())
    address = urlsplit(story.simulator.url)
    with Proxy((address.hostname or "", address.port or 0)) as proxy:
        clock = story.functions.make("reconcile", GATEWAY_BASE_URL=f"http://{proxy.host}:{proxy.port}")
        pid, asked = clock.pid, threading.Event()

        def kill(from_client: bool, chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            if from_client and chunk.startswith(b"POST "):
                asked.set()
            if not asked.is_set() or from_client == (where == "the answer"):
                return True
            os.kill(pid, signal.SIGKILL)
            return False

        proxy.judge = kill
        with pytest.raises(FunctionDiedError):
            clock.invoke({}, timeout_s=60)
    at_the_gateway = 1 if where == "the answer" else 0
    assert story.state() == (50_000, 50_000, ["pending"], at_the_gateway)
    story.reconcile()
    assert story.state() == (0, 0, ["succeeded"], 1)
    assert story.books.faults() == []


def test_two_clocks_at_once_send_each_refund_once(story: Story) -> None:
    operator = story.functions.operators()
    for _ in range(5):
        done(operator, story.command(amount=1_000))
    clocks = [story.functions.make("reconcile", RECONCILE_AFTER_SECONDS="60") for _ in range(2)]
    answers = together([lambda clock=clock: clock.invoke({}, timeout_s=60) for clock in clocks])  # type: ignore[misc]  # bound early
    assert not [one for one in answers if isinstance(one, Exception)]
    assert story.state() == (45_000, 0, ["succeeded"] * 5, 5)


def test_one_begun_at_the_dashboard_debits_the_wallet_once_however_it_is_told(story: Story) -> None:
    path = f"/simulator/payments/{story.payment_id}/refund"
    events = heard(story.simulator, lambda: razorpay.call(story.simulator, "POST", path, {"amount": 30_000}), 2)
    webhook = story.functions.make("webhook")
    answers = [told(webhook.invoke(event))["status"] for event in [*reversed(events), *events]]
    assert "processed" in answers
    assert story.state() == (20_000, 0, ["succeeded"], 1)
    assert story.books.faults() == []


def test_a_refund_that_the_gateway_refuses_because_somebody_was_faster_ends_as_one_refund(story: Story) -> None:
    done(story.functions.operators(), story.command())
    path = f"/simulator/payments/{story.payment_id}/refund"
    events = heard(story.simulator, lambda: razorpay.call(story.simulator, "POST", path, {}), 2)
    story.reconcile()
    assert story.state() == (0, 0, ["failed", "succeeded"], 1), "the gateway was asked who was faster"
    webhook = story.functions.make("webhook")
    for event in events:
        webhook.invoke(event)
    assert story.state() == (0, 0, ["failed", "succeeded"], 1)
    assert story.books.faults() == []


def test_an_auto_refund_of_a_payment_that_nobody_captured_debits_nobody(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person()
    opened = told(functions.make("top_up").invoke(top_up_event(person, unique("key-"))))
    before = books.select("SELECT COUNT(*) AS n FROM transactions")
    events = heard(simulator, lambda: razorpay.play(simulator, opened["gateway_order_id"], "auto_refunded"), 3)
    webhook = functions.make("webhook")
    assert [told(webhook.invoke(event)) for event in events] == [{"status": "ignored"}] * 3
    assert books.select("SELECT COUNT(*) AS n FROM transactions") == before
    rows = books.select("SELECT status FROM payment_attempts WHERE gateway_order_id = %s", opened["gateway_order_id"])
    assert rows == [{"status": "pending"}]


def test_the_webhooks_of_a_refund_of_ours_carry_its_reference(story: Story) -> None:
    result = done(story.functions.operators(), story.command())
    events = heard(story.simulator, story.reconcile, 2)
    reader = RazorpayWebhook([razorpay.WEBHOOK_SECRET], account_id=razorpay.ACCOUNT)
    seen = [reader.read(event["body"].encode(), event["headers"]) for event in events]
    assert {event.name for event in seen} == {"refund.created", "refund.processed"}
    assert {event.refunds[0].reference for event in seen} == {result["refund_id"]}
    webhook: Function = story.functions.make("webhook")
    assert [told(webhook.invoke(event))["status"] for event in events] == ["duplicate", "duplicate"]
    assert story.state() == (0, 0, ["succeeded"], 1)
