"""Withdrawals through the functions themselves: killed half way, a provider in trouble, news by both ways."""

import hashlib
import hmac
import json
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from local.gateway.server import Simulator
from tests.integration import razorpay_simulator as razorpay
from tests.integration import razorpayx_simulator as razorpayx
from tests.integration.conftest import Functions
from tests.integration.test_functions_under_faults import aws_through, moto, until_it_works
from tests.support.books import Books, Person, unique
from tests.support.cloud import Cloud
from tests.support.crowd import together
from tests.support.functions import Function, FunctionDiedError, api_event
from tests.support.payouts import claimed, held, make_older, payout, state_of, withdraw
from tests.support.proxy import Proxy
from wallet.ledger import ids
from wallet.ledger.receipts import WithdrawalReceipt
from wallet.ledger.withdrawals import PayoutStatus
from wallet.storage.withdrawals import PayoutClaim

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def _alone(books: Books, simulator: Simulator) -> Iterator[None]:
    """No fault is left over, and nothing of another test is due."""
    books.nothing_is_due()
    yield
    razorpay.fault(simulator, "none")
    razorpayx.set_balance(simulator, 10**12)


def withdrawal_event(person: Person, key: str, amount: int = 600, vpa: str = "pending@okbank") -> Json:
    return api_event(
        "POST",
        "/withdrawals",
        body={"amount": amount, "vpa": vpa},
        headers={"Idempotency-Key": key},
        caller=person.user_id,
        generation=person.generation,
    )


def told(answer: Json) -> Json:
    body: Json = json.loads(answer["body"])
    return body


def withdrawal_of(answer: Json) -> UUID:
    withdrawal_id = ids.read(ids.WITHDRAWAL, told(answer)["id"])
    assert withdrawal_id is not None
    return withdrawal_id


def make_due(books: Books, withdrawal_id: UUID) -> None:
    books.write("UPDATE withdrawals SET next_check_at = UTC_TIMESTAMP(6) WHERE id = %s", withdrawal_id.bytes)


def reconciler(functions: Functions, **changes: str) -> Function:
    """It asks about nothing twice in one run, however long that takes."""
    return functions.make("reconcile", RECONCILE_AFTER_SECONDS="60", **changes)


def run(reconcile: Function) -> Json:
    answer: Json = reconcile.invoke({}, timeout_s=60)
    return answer


def webhook(reference: str, status: str, **changes: object) -> Json:
    """The event of a payout, as its provider signs it."""
    entity = {
        "id": f"pout_{reference[-14:]}",
        "entity": "payout",
        "amount": 600,
        "currency": "INR",
        "status": status,
        "reference_id": reference,
        "status_details": {"reason": "bank_account_closed"},
    }
    body = json.dumps(
        {
            "entity": "event",
            "account_id": razorpay.ACCOUNT,
            "event": f"payout.{status}",
            "payload": {"payout": {"entity": entity | changes}},
            "n": unique("n"),
        }
    )
    signature = hmac.new(razorpayx.WEBHOOK_SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    return api_event(
        "POST",
        "/webhooks/{gateway}",
        path={"gateway": "razorpayx"},
        raw_body=body,
        headers={"X-Razorpay-Signature": signature},
    )


def test_a_withdrawal_is_accepted_its_money_set_aside_and_its_payout_asked_for(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person(money=1_000)
    door = functions.make("withdraw")
    event = withdrawal_event(person, unique("key-"))
    first, again = door.invoke(event), door.invoke(event)
    assert first["statusCode"] == 202
    assert told(first) | {"created_at": ""} == {
        "id": told(first)["id"],
        "status": "pending",
        "amount": 600,
        "fee": 0,
        "currency": "INR",
        "vpa": "pe***@okbank",
        "created_at": "",
        "balance": {"total": 1_000, "held": 600, "available": 400},
    }
    assert (again["body"], again["headers"]["Idempotency-Replayed"]) == (first["body"], "true")
    made = razorpayx.payouts_of(simulator, told(first)["id"])
    assert [one["amount"] for one in made] == [600]
    assert state_of(books, withdrawal_of(first))["provider_payout_id"] == made[0]["id"]


def test_killed_behind_setting_the_money_aside_the_reconciler_asks_for_the_payout(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person(money=1_000)
    event = withdrawal_event(person, unique("key-"), vpa="asha@okbank")
    host, _, port = simulator.url.removeprefix("http://").partition(":")
    with Proxy((host, int(port))) as proxy:
        door = functions.make("withdraw", PAYOUT_BASE_URL=f"http://{proxy.host}:{proxy.port}")
        pid = door.pid

        def kill_at_the_question(from_client: bool, chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            if from_client and b"POST /v1/payouts" in chunk:
                os.kill(pid, signal.SIGKILL)
                return False
            return True

        proxy.judge = kill_at_the_question
        with pytest.raises(FunctionDiedError):
            door.invoke(event, timeout_s=6)
    assert (books.balance(person), held(books, person)) == (1_000, 600), "it was killed behind the commit"

    survivor = functions.make("withdraw")
    answer = until_it_works(survivor, event)
    assert answer["statusCode"] == 202
    assert answer["headers"]["Idempotency-Replayed"] == "true"
    reference = told(answer)["id"]
    assert razorpayx.payouts_of(simulator, reference) == [], "a replay asks nothing"
    assert held(books, person) == 600

    reconcile = reconciler(functions)
    make_due(books, withdrawal_of(answer))
    run(reconcile)
    assert len(razorpayx.payouts_of(simulator, reference)) == 1
    make_due(books, withdrawal_of(answer))
    assert run(reconcile)["booked"] == 1
    assert (books.balance(person), held(books, person)) == (400, 0)
    assert len(razorpayx.payouts_of(simulator, reference)) == 1
    assert books.faults() == []


def test_killed_behind_the_providers_answer_it_is_paid_once(
    books: Books, functions: Functions, simulator: Simulator, cloud: Cloud
) -> None:
    person = books.person(money=1_000)
    event = withdrawal_event(person, unique("key-"))
    with Proxy(moto(cloud)) as proxy:
        door = functions.make("withdraw", **aws_through(cloud, proxy))
        pid = door.pid

        def kill_at_the_update(from_client: bool, chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            if from_client and b"DynamoDB_20120810.UpdateItem" in chunk:
                os.kill(pid, signal.SIGKILL)
                return False
            return True

        proxy.judge = kill_at_the_update
        with pytest.raises(FunctionDiedError):
            door.invoke(event, timeout_s=6)
    answer = until_it_works(functions.make("withdraw"), event)
    assert answer["headers"]["Idempotency-Replayed"] == "true"
    assert len(razorpayx.payouts_of(simulator, told(answer)["id"])) == 1
    assert held(books, person) == 600


@pytest.mark.parametrize("mode", ["drop_answer", "slow"])
def test_a_provider_that_pays_and_loses_the_answer_pays_once(
    books: Books, functions: Functions, simulator: Simulator, mode: str
) -> None:
    person = books.person(money=1_000)
    razorpay.fault(simulator, mode, path="/v1/payouts", method="POST", times=1, seconds=7)
    answer = functions.make("withdraw").invoke(withdrawal_event(person, unique("key-"), vpa="asha@okbank"))
    assert answer["statusCode"] == 202
    assert told(answer)["status"] == "pending"
    reference, withdrawal_id = told(answer)["id"], withdrawal_of(answer)
    assert state_of(books, withdrawal_id)["provider_payout_id"] is None, "nobody heard of it"
    razorpay.wait_until(lambda: len(razorpayx.payouts_of(simulator, reference)) == 1)
    make_due(books, withdrawal_id)
    assert run(reconciler(functions))["booked"] == 1
    assert len(razorpayx.payouts_of(simulator, reference)) == 1
    assert (books.balance(person), held(books, person)) == (400, 0)
    assert books.faults() == []


@pytest.mark.parametrize("mode", ["down", "rate_limited"])
def test_a_provider_that_is_down_is_asked_later_under_the_same_key(
    books: Books, functions: Functions, simulator: Simulator, mode: str
) -> None:
    person = books.person(money=1_000)
    razorpay.fault(simulator, mode, path="/v1/payouts")
    answer = functions.make("withdraw").invoke(withdrawal_event(person, unique("key-")))
    assert (answer["statusCode"], told(answer)["status"]) == (202, "pending")
    withdrawal_id = withdrawal_of(answer)
    reconcile = reconciler(functions)
    make_due(books, withdrawal_id)
    with pytest.raises(FunctionDiedError, match="1 not reached, 0 not understood"):
        run(reconcile)
    assert held(books, person) == 600
    razorpay.fault(simulator, "none")
    make_due(books, withdrawal_id)
    run(reconcile)
    (made,) = razorpayx.payouts_of(simulator, told(answer)["id"])
    assert state_of(books, withdrawal_id)["provider_payout_id"] == made["id"]


def test_what_the_provider_will_not_pay_fails_at_once_and_the_money_is_free(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person(money=1_000)
    door = functions.make("withdraw")
    answer = door.invoke(withdrawal_event(person, unique("key-"), vpa="asha_rao@okbank"))
    assert (answer["statusCode"], told(answer)["status"]) == (202, "pending")
    shown = door.invoke(api_event("GET", "/withdrawals/{id}", path={"id": told(answer)["id"]}, caller=person.user_id))
    assert told(shown)["status"] == "failed"
    assert told(shown)["reason"] == "input_validation_failed"
    assert (books.balance(person), held(books, person)) == (1_000, 0)
    assert razorpayx.payouts_of(simulator, told(answer)["id"]) == []
    assert "asha_rao" not in door.logged()


def test_wrong_keys_of_ours_fail_no_withdrawal_and_are_seen(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600, first_check_s=0)
    reconcile = reconciler(functions, PAYOUT_ACCOUNT_NUMBER="1")
    with pytest.raises(FunctionDiedError, match="1 not understood"):
        run(reconcile)
    assert state_of(books, receipt.id)["status"] == "pending"
    assert held(books, person) == 600


def test_one_that_the_provider_has_never_heard_of_is_over_when_its_key_guards_no_more(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person(money=1_000)
    fresh, old = withdraw(books, person, 300)[0], withdraw(books, person, 300)[0]
    assert {claimed(books, one) for one in (fresh, old)} == {PayoutClaim.ALLOWED}
    make_older(books, fresh, timedelta(days=4))
    make_older(books, old, timedelta(days=5, hours=1))
    run(reconciler(functions))
    assert len(razorpayx.payouts_of(simulator, reference_of(fresh))) == 1
    assert razorpayx.payouts_of(simulator, reference_of(old)) == [], "never asked for under a key that is forgotten"
    assert (state_of(books, old.id)["status"], state_of(books, old.id)["reason"]) == ("failed", "never_sent")
    assert held(books, person) == 300


def test_one_that_was_paid_long_after_it_was_asked_for_is_found_however_old_it_is(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    razorpayx.adapter(simulator).send(
        reference=reference_of(receipt), amount_minor=600, currency="INR", vpa="asha@okbank", name="Asha Rao"
    )
    make_older(books, receipt, timedelta(days=30))
    assert run(reconciler(functions))["booked"] == 1
    assert books.balance(person) == 400


def test_a_payout_that_the_provider_knows_no_more_is_for_people_to_look_at(books: Books, functions: Functions) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    books.write("UPDATE withdrawals SET provider_payout_id = 'pout_gone' WHERE id = %s", receipt.id.bytes)
    make_due(books, receipt.id)
    with pytest.raises(FunctionDiedError, match="1 not understood"):
        run(reconciler(functions))
    assert state_of(books, receipt.id)["status"] == "pending"


def test_the_bank_may_take_money_back_after_days_and_a_lost_webhook_does_not_hide_it(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person(money=1_000)
    answer = functions.make("withdraw").invoke(withdrawal_event(person, unique("key-"), vpa="asha@okbank"))
    reconcile = reconciler(functions)
    make_due(books, withdrawal_of(answer))
    run(reconcile)
    assert books.balance(person) == 400
    razorpayx.end(simulator, told(answer)["id"], "reversed", silent=True)
    make_due(books, withdrawal_of(answer))
    assert run(reconcile)["booked"] == 1
    assert (books.balance(person), held(books, person)) == (1_000, 0)
    assert books.faults() == []


def test_the_webhook_settles_a_withdrawal_whose_answer_nobody_heard(books: Books, functions: Functions) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    door = functions.make("webhook")
    said = [
        told(door.invoke(webhook(reference_of(receipt), status)))["status"]
        for status in ("initiated", "processed", "processed", "reversed", "processed")
    ]
    assert said == ["processed", "processed", "duplicate", "processed", "duplicate"]
    assert (books.balance(person), held(books, person)) == (1_000, 0)
    assert state_of(books, receipt.id)["status"] == "reversed"


def test_twenty_webhooks_beside_the_reconciler_book_it_once(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person(money=1_000)
    answer = functions.make("withdraw").invoke(withdrawal_event(person, unique("key-"), vpa="asha@okbank"))
    reference = told(answer)["id"]
    (made,) = razorpayx.payouts_of(simulator, reference)
    make_due(books, withdrawal_of(answer))
    doors = [functions.make("webhook") for _ in range(4)]
    tasks = [lambda door=doors[n % 4]: door.invoke(webhook(reference, "processed", id=made["id"])) for n in range(20)]
    together([*tasks, lambda: run(reconciler(functions))], at_once=6)
    assert (books.balance(person), held(books, person)) == (400, 0)
    assert books.faults() == []


@pytest.mark.parametrize(
    "lie",
    [{"amount": 60_000}, {"currency": "USD"}, {"id": "pout_another"}],
    ids=["amount", "currency", "another payout"],
)
def test_an_event_that_does_not_agree_is_kept_stuck_and_moves_nothing(
    books: Books, functions: Functions, lie: dict[str, object]
) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    books.write(
        "UPDATE withdrawals SET provider_payout_id = %s WHERE id = %s",
        f"pout_{reference_of(receipt)[-14:]}",
        receipt.id.bytes,
    )
    door = functions.make("webhook")
    answer = door.invoke(webhook(reference_of(receipt), "processed", **lie))
    assert (answer["statusCode"], told(answer)["status"]) == (200, "ignored")
    assert '"stuck"' in door.logged()
    assert (books.balance(person), held(books, person)) == (1_000, 600)
    rows = books.select("SELECT outcome FROM gateway_events WHERE gateway = 'razorpayx' ORDER BY received_at DESC")
    assert rows[0]["outcome"] == "stuck"


@pytest.mark.parametrize("reference", [None, "bill 7", "wdr_notanid", "top_06f4k8m2t9x1z3b5c7d9e1f3g5"])
def test_payouts_that_others_have_made_are_left_alone(functions: Functions, reference: str | None) -> None:
    answer = functions.make("webhook").invoke(webhook("wdr_xxxxxxxxxxxxxx", "processed", reference_id=reference))
    assert (answer["statusCode"], told(answer)["status"]) == (200, "ignored")


def leave_behind(books: Books, event: Json) -> None:
    """An event that was kept an hour ago by a webhook that died before it acted on it."""
    body = event["body"].encode()
    books.write(
        "INSERT INTO gateway_events (id, gateway, digest, name, body, received_at)"
        " VALUES (%s, 'razorpayx', %s, 'payout.processed', %s, UTC_TIMESTAMP(6) - INTERVAL 1 HOUR)",
        os.urandom(16),
        hashlib.sha256(body).digest(),
        body,
    )


def test_an_event_that_a_dead_webhook_left_is_finished_by_the_reconciler(books: Books, functions: Functions) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    leave_behind(books, webhook(reference_of(receipt), "processed"))
    assert run(reconciler(functions))["finished_events"] >= 1
    assert books.balance(person) == 400


def test_one_that_contradicts_the_books_fails_the_run_once_and_holds_up_nothing(
    books: Books, functions: Functions
) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    leave_behind(books, webhook(reference_of(receipt), "processed", amount=60_000))
    reconcile = reconciler(functions)
    with pytest.raises(FunctionDiedError, match="1 not understood"):
        run(reconcile)
    run(reconcile)
    assert (books.balance(person), held(books, person)) == (1_000, 600)


def test_a_payment_gateways_secret_signs_no_payout(functions: Functions) -> None:
    event = webhook("wdr_06f4k8m2t9x1z3b5c7d9e1f3g5", "processed")
    signature = hmac.new(razorpay.WEBHOOK_SECRET.encode(), event["body"].encode(), hashlib.sha256).hexdigest()
    event["headers"]["X-Razorpay-Signature"] = signature
    assert functions.make("webhook").invoke(event)["statusCode"] == 401


def reference_of(receipt: WithdrawalReceipt) -> str:
    reference = payout(receipt, PayoutStatus.PENDING).reference
    assert reference is not None
    return reference
