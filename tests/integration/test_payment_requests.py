"""Requests for money: made, handed on, paid once or often, cancelled; nobody learns or pays what they should not."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pymysql
import pytest

from tests.integration.conftest import Functions
from tests.integration.test_functions_under_faults import told
from tests.integration.test_statements import reads
from tests.support.books import Books, Person, unique
from tests.support.confirmations import Confirming, required, tier_with
from tests.support.crowd import together
from tests.support.functions import Function, api_event
from tests.support.moves import clock_at, connection, made_anew, pay, refund, refusal_of, refusals_in
from tests.support.waiting import behind, nothing
from wallet import wiring
from wallet.identity.sessions.model import Principal
from wallet.ledger import ids
from wallet.ledger.receipts import PaymentReceipt
from wallet.ledger.refusals import Refusal, Refused
from wallet.payment_requests.model import PaymentRequest, RequestStatus, Terms
from wallet.payment_requests.service import ask, call_off, show
from wallet.payment_requests.store import list_payment_requests, open_payment_request
from wallet.storage import payments
from wallet.storage.claims import Claim
from wallet.storage.lists import ListRequest

pytestmark = pytest.mark.usefixtures("ids_in_order")

OPEN, PAID, EXPIRED, CANCELLED = RequestStatus


def caller(person: Person, *, generation: int | None = None) -> Principal:
    return Principal(person.user_id, wiring.new_id(), person.generation if generation is None else generation)


def asked(books: Books, maker: Person, amount: int | None = 100, *, valid_s: int = 3_600) -> PaymentRequest:
    return ask(connection(books, "directory"), wiring.new_id, caller(maker), Terms(amount, "tea", valid_s))


def paid(
    books: Books, payer: Person, request: PaymentRequest, amount: int = 100, *, claim: Claim | None = None, **more: Any
) -> tuple[PaymentReceipt, bool]:
    return payments.pay_payment_request(
        connection(books, "money"),
        claim or payer.claim(),
        transaction_id=wiring.new_id(),
        payment_request_id=request.id,
        amount=amount,
        **{"description": None, **more},
    )


def pay_it(books: Books, payer: Person, request: PaymentRequest) -> object:
    return paid(books, payer, request)


def cancel(books: Books, maker: Person, request: PaymentRequest) -> object:
    return call_off(connection(books, "directory"), caller(maker), request.id)


def standing(
    books: Books, request: PaymentRequest, reader: Person | None = None
) -> tuple[RequestStatus, list[tuple[int, UUID]]]:
    reader_id = reader.user_id if reader else wiring.new_id()
    found, received = show(connection(books, "directory"), request.id, reader_id=reader_id)
    return found.status, [(one.amount, one.payer.wallet_id) for one in received]


def freeze(books: Books, person: Person) -> None:
    books.write("UPDATE wallets SET status = 'frozen' WHERE id = %s", person.wallet_id.bytes)


# --------------------------------------------------------------------------------------------------------- being paid


def test_what_is_asked_for_is_paid_once_with_what_it_is_for_and_its_id_as_reference(books: Books) -> None:
    asha, ravi = books.person(), books.person(money=900)
    request = asked(books, asha)
    receipt, _ = paid(books, ravi, request)
    assert (receipt.amount, receipt.payee.wallet_id, receipt.description) == (100, asha.wallet_id, "tea")
    assert receipt.reference == ids.show(ids.PAYMENT_REQUEST, request.id)
    assert (books.balance(asha), books.balance(ravi)) == (100, 800)
    assert standing(books, request, asha) == (PAID, [(100, ravi.wallet_id)])
    assert standing(books, request, ravi) == (PAID, [(100, ravi.wallet_id)]), "who has paid sees that it was them"
    assert standing(books, request, books.person()) == (PAID, []), "else who has paid is its maker's to know"
    assert refusal_of(partial(paid, books, books.person(money=900), request)) is Refusal.PAYMENT_REQUEST_ENDED
    assert refusal_of(partial(paid, books, ravi, request)) is Refusal.PAYMENT_REQUEST_ENDED
    assert books.faults() == []


def test_its_payer_may_say_something_else(books: Books) -> None:
    asha, ravi = books.person(), books.person(money=900)
    assert paid(books, ravi, asked(books, asha), description="chai")[0].description == "chai"


def test_one_without_an_amount_is_paid_as_often_and_as_much_as_payers_like(books: Books) -> None:
    asha, ravi, meera = books.person(), books.person(money=900), books.person(money=900)
    request = asked(books, asha, None)
    for payer, amount in ((ravi, 1), (meera, 70), (ravi, 5)):
        paid(books, payer, request, amount)
    assert standing(books, request, asha) == (
        OPEN,
        [(5, ravi.wallet_id), (70, meera.wallet_id), (1, ravi.wallet_id)],
    )
    assert standing(books, request, ravi) == (OPEN, [])


@pytest.mark.parametrize("amount", [99, 101, 1])
def test_another_amount_than_was_asked_for_is_refused(books: Books, amount: int) -> None:
    asha, ravi = books.person(), books.person(money=900)
    request = asked(books, asha)
    assert refusal_of(partial(paid, books, ravi, request, amount)) is Refusal.AMOUNT_DIFFERS
    assert (standing(books, request, asha), books.balance(asha)) == ((OPEN, []), 0)


def test_the_same_key_pays_it_once_and_is_answered_the_same_again(books: Books) -> None:
    asha, ravi = books.person(), books.person(money=900)
    request, claim = asked(books, asha), ravi.claim()
    first, replayed = paid(books, ravi, request, claim=claim)
    again, replayed_again = paid(books, ravi, request, claim=claim)
    assert (made_anew(first), replayed, replayed_again) == (again, False, True)
    assert books.balance(asha) == 100
    pay(books, ravi, asha, 1, claim=ravi.claim())
    assert paid(books, ravi, request, claim=claim)[0] == again, "also when it has ended since"


def test_a_refusal_uses_neither_the_request_nor_the_key_up(books: Books) -> None:
    asha, ravi = books.person(), books.person(money=100)
    request, claim = asked(books, asha, 150), ravi.claim()
    assert refusal_of(partial(paid, books, ravi, request, 150, claim=claim)) is Refusal.INSUFFICIENT_FUNDS
    assert standing(books, request, asha) == (OPEN, [])
    books.top_up(ravi, 100)
    paid(books, ravi, request, 150, claim=claim)
    assert standing(books, request, asha)[0] is PAID


def test_of_many_who_pay_one_at_once_one_does(books: Books) -> None:
    asha, payers = books.person(), [books.person(money=900) for _ in range(8)]
    request = asked(books, asha)
    answers = together([partial(paid, books, payer, request) for payer in payers for _ in range(2)])
    assert [answer.refusal for answer in answers if isinstance(answer, Refused)] == [Refusal.PAYMENT_REQUEST_ENDED] * 15
    assert (books.balance(asha), len(standing(books, request, asha)[1])) == (100, 1)
    assert books.faults() == []


def test_many_who_pay_an_open_one_at_once_all_do(books: Books) -> None:
    asha, payers = books.person(), [books.person(money=900) for _ in range(8)]
    request = asked(books, asha, None)
    answers = together([partial(paid, books, payer, request, 10) for payer in payers for _ in range(2)])
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert (books.balance(asha), len(standing(books, request, asha)[1])) == (160, 16)


def test_paid_or_cancelled_but_never_both(books: Books) -> None:
    asha, ravi = books.person(), books.person(money=9_000)
    for _ in range(10):
        request, before = asked(books, asha), books.balance(asha)
        answers = together([partial(pay_it, books, ravi, request), partial(cancel, books, asha, request)])
        refused = [answer.refusal for answer in answers if isinstance(answer, Refused)]
        assert refused == [Refusal.PAYMENT_REQUEST_ENDED]
        is_paid = books.balance(asha) == before + 100
        assert standing(books, request)[0] is (PAID if is_paid else CANCELLED)


def test_who_cancels_behind_a_payment_that_they_waited_for_is_told_that_it_is_paid(books: Books) -> None:
    asha, ravi = books.person(), books.person(money=9_000)
    request = asked(books, asha)
    tasks = [partial(pay_it, books, ravi, request), partial(cancel, books, asha, request)]
    lock = "SELECT id FROM payment_requests WHERE id = %s FOR UPDATE"
    answers = behind(books, tasks, nothing, lock, request.id.bytes)
    assert refusals_in(answers) == [Refusal.PAYMENT_REQUEST_ENDED]
    assert (standing(books, request)[0], books.balance(asha)) == (PAID, 100)


def test_two_who_pay_each_other_s_requests_never_deadlock(books: Books) -> None:
    asha, ravi = books.person(money=9_000), books.person(money=9_000)
    tasks = [partial(paid, books, payer, asked(books, payee)) for payer, payee in [(asha, ravi), (ravi, asha)] * 8]
    assert [answer for answer in together(tasks) if isinstance(answer, Exception)] == []
    assert (books.balance(asha), books.balance(ravi)) == (9_000, 9_000)


def test_a_refund_gives_the_money_back_and_leaves_the_request_paid(books: Books) -> None:
    asha, ravi = books.person(), books.person(money=900)
    request = asked(books, asha)
    receipt, _ = paid(books, ravi, request)
    refund(books, asha, receipt.transaction_id, None)
    assert (standing(books, request)[0], books.balance(ravi)) == (PAID, 900)


def test_what_wants_a_confirmation_wants_it_for_a_request_too_and_of_its_maker(books: Books) -> None:
    asha, ravi = books.person(), books.person(money=900)
    books.set_tier(ravi, tier_with(books, above=0))
    request, claim = asked(books, asha), ravi.claim()
    confirmation = required(partial(paid, books, ravi, request, claim=claim))
    (row,) = books.select("SELECT payee_wallet_id, amount FROM confirmations WHERE id = %s", confirmation.id.bytes)
    assert (UUID(bytes=row["payee_wallet_id"]), row["amount"]) == (asha.wallet_id, 100)
    assert standing(books, request)[0] is OPEN
    Confirming(books, ravi).confirm(confirmation.id)
    paid(books, ravi, request, claim=claim)
    assert standing(books, request)[0] is PAID


# ----------------------------------------------------------------------------------------------------------- its end


def test_one_that_is_cancelled_is_paid_by_nobody_and_cancelled_again_is_no_fault(books: Books) -> None:
    asha, ravi = books.person(), books.person(money=900)
    request = asked(books, asha)
    for _ in range(2):
        assert call_off(connection(books, "directory"), caller(asha), request.id)[0].status is CANCELLED
    assert refusal_of(partial(paid, books, ravi, request)) is Refusal.PAYMENT_REQUEST_ENDED


def test_one_that_is_paid_or_over_is_not_cancelled(books: Books) -> None:
    asha, ravi, directory = books.person(), books.person(money=900), connection(books, "directory")
    request = asked(books, asha)
    paid(books, ravi, request)
    assert refusal_of(partial(call_off, directory, caller(asha), request.id)) is Refusal.PAYMENT_REQUEST_ENDED


def test_an_open_one_that_was_paid_and_is_cancelled_shows_what_was_paid(books: Books) -> None:
    asha, ravi, directory = books.person(), books.person(money=900), connection(books, "directory")
    request = asked(books, asha, None)
    paid(books, ravi, request, 7)
    cancelled, received = call_off(directory, caller(asha), request.id)
    assert (cancelled.status, [one.amount for one in received]) == (CANCELLED, [7])


def test_one_that_is_over_is_expired_and_paid_by_nobody(books: Books) -> None:
    asha, ravi, directory = books.person(), books.person(money=900), connection(books, "directory")
    for amount in (100, None):
        with clock_at(books, datetime.now(UTC) - timedelta(hours=2)):
            request = asked(books, asha, amount)
        assert standing(books, request)[0] is EXPIRED
        assert refusal_of(partial(paid, books, ravi, request)) is Refusal.PAYMENT_REQUEST_ENDED
        assert refusal_of(partial(call_off, directory, caller(asha), request.id)) is Refusal.PAYMENT_REQUEST_ENDED


# ------------------------------------------------------------------------------------------------------ who may what


def test_only_its_maker_cancels_it_and_whoever_was_given_it_sees_what_is_asked_for(books: Books) -> None:
    asha, other, directory = books.person(), books.person(), connection(books, "directory")
    request = asked(books, asha)
    assert refusal_of(partial(call_off, directory, caller(other), request.id)) is Refusal.NOT_FOUND
    seen, received = show(directory, request.id, reader_id=other.user_id)
    assert (seen, received) == (replace(request, is_own=False), [])
    for call in (
        partial(show, directory, wiring.new_id(), reader_id=other.user_id),
        partial(call_off, directory, caller(other), wiring.new_id()),
    ):
        assert refusal_of(call) is Refusal.NOT_FOUND


def test_who_was_given_one_knows_its_maker_until_a_month_behind_its_end_and_its_maker_always(books: Books) -> None:
    asha, other, directory = books.person(), books.person(), connection(books, "directory")
    for days, is_known in ((29, True), (31, False)):
        with clock_at(books, datetime.now(UTC) - timedelta(days=days, hours=1)):
            request = asked(books, asha)
        seen = partial(show, directory, request.id, reader_id=other.user_id)
        if is_known:
            assert seen()[0].status is EXPIRED
        else:
            assert refusal_of(seen) is Refusal.NOT_FOUND
        assert show(directory, request.id, reader_id=asha.user_id)[0].status is EXPIRED


def test_of_a_closed_wallet_s_request_nobody_learns_whose_it_was(books: Books) -> None:
    asha = books.person()
    request = asked(books, asha)
    books.write("UPDATE wallets SET status = 'closed' WHERE id = %s", asha.wallet_id.bytes)
    assert refusal_of(partial(standing, books, request)) is Refusal.NOT_FOUND


def test_what_a_request_tells_names_no_user(books: Books) -> None:
    """Whoever has taken its function over, and one link: by a user's id they would list all that its maker asks for."""
    asha = books.person()
    request = asked(books, asha)
    (row,) = connection(books, "directory").read(
        "CALL find_payment_request(%s, %s)", wiring.new_id().bytes, request.id.bytes
    )
    assert asha.user_id.bytes not in row.values()


def test_what_there_is_not_is_paid_by_nobody(books: Books) -> None:
    ravi = books.person(money=900)
    request = asked(books, books.person())
    ghost = PaymentRequest(**{name: getattr(request, name) for name in request.__slots__} | {"id": wiring.new_id()})
    assert refusal_of(partial(paid, books, ravi, ghost)) is Refusal.NOT_FOUND


def test_ones_own_is_no_payment(books: Books) -> None:
    asha = books.person(money=900)
    assert refusal_of(partial(paid, books, asha, asked(books, asha))) is Refusal.SELF_PAYMENT


def test_a_maker_who_can_t_be_paid_is_unavailable_and_nothing_says_why(books: Books) -> None:
    asha, ravi = books.person(), books.person(money=900)
    request = asked(books, asha)
    freeze(books, asha)
    assert standing(books, request)[0] is OPEN, "whether a wallet is frozen shows to nobody else"
    assert refusal_of(partial(paid, books, ravi, request)) is Refusal.PAYEE_UNAVAILABLE


def test_who_has_signed_out_asks_for_nothing_and_cancels_nothing(books: Books) -> None:
    asha, directory = books.person(), connection(books, "directory")
    request = asked(books, asha)
    old = caller(asha, generation=asha.generation + 1)
    assert refusal_of(partial(ask, directory, wiring.new_id, old, Terms(1, None, 60))) is Refusal.INVALID_TOKEN
    assert refusal_of(partial(call_off, directory, old, request.id)) is Refusal.INVALID_TOKEN
    assert standing(books, request)[0] is OPEN


def test_a_frozen_wallet_asks_for_nothing(books: Books) -> None:
    asha = books.person()
    freeze(books, asha)
    with pytest.raises(Refused) as caught:
        asked(books, Person(asha.user_id, asha.wallet_id, asha.phone, _generation(books, asha)))
    assert caught.value.refusal is Refusal.WALLET_FROZEN


def _generation(books: Books, person: Person) -> int:
    (row,) = books.select("SELECT session_generation AS n FROM wallets WHERE id = %s", person.wallet_id.bytes)
    return int(row["n"])


def test_so_many_are_made_in_a_day_and_no_more(books: Books) -> None:
    asha = books.person()
    asked(books, asha)
    books.write(
        "UPDATE quota_usage SET used = 100 WHERE subject = %s AND quota = 'payment_requests'", asha.user_id.bytes
    )
    with pytest.raises(Refused) as caught:
        asked(books, asha)
    assert caught.value.refusal is Refusal.TOO_MANY_PAYMENT_REQUESTS
    assert 86_000 < (caught.value.retry_after_s or 0) <= 86_401


def test_an_answer_that_was_lost_makes_no_second_one(books: Books) -> None:
    asha, request_id = books.person(), wiring.new_id()
    for _ in range(2):
        open_payment_request(
            connection(books, "directory"), caller(asha), Terms(100, None, 60), payment_request_id=request_id
        )
    (row,) = books.select("SELECT COUNT(*) AS n FROM payment_requests WHERE wallet_id = %s", asha.wallet_id.bytes)
    assert row["n"] == 1


# ---------------------------------------------------------------------------------------- what nobody can do about it


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payment_requests SET amount = 1",
        "UPDATE payment_requests SET expires_at = '2099-01-01'",
        "UPDATE payment_requests SET cancelled_at = NULL WHERE cancelled_at IS NOT NULL",
        "DELETE FROM payment_requests",
        "UPDATE payment_request_payments SET only_of = NULL",
        "DELETE FROM payment_request_payments",
    ],
)
def test_what_was_asked_for_and_paid_does_not_change(books: Books, statement: str) -> None:
    asha, ravi = books.person(), books.person(money=900)
    paid(books, ravi, asked(books, asha))
    call_off(connection(books, "directory"), caller(asha), asked(books, asha).id)
    with pytest.raises(pymysql.MySQLError, match=r"payment request|payments of requests"):
        books.write(statement)


def test_the_database_takes_no_second_payment_of_one_whatever_the_kernel_does(books: Books) -> None:
    asha, ravi = books.person(), books.person(money=900)
    request = asked(books, asha)
    paid(books, ravi, request)
    other = pay(books, ravi, asha, 100)[0].transaction_id
    for only_of in (request.id.bytes, asked(books, asha).id.bytes):
        with pytest.raises(pymysql.MySQLError):
            books.write(
                "INSERT INTO payment_request_payments VALUES (%s, %s, %s)", request.id.bytes, other.bytes, only_of
            )


# -------------------------------------------------------------------------------------------------------- over the API


@pytest.fixture
def door(functions: Functions) -> Function:
    return functions.make("payment_requests", WEB_ORIGIN="https://wallet.example")


def answered(function: Function, method: str, resource: str, person: Person, **more: Any) -> tuple[int, dict[str, Any]]:
    answer = function.invoke(api_event(method, resource, caller=person.user_id, **more))
    return answer["statusCode"], json.loads(answer["body"])


def test_a_link_is_made_opened_paid_and_seen_to_be_paid(books: Books, functions: Functions, door: Function) -> None:
    asha, ravi = books.person(), books.person(money=900)
    status, made = answered(door, "POST", "/payment-requests", asha, body={"amount": 100, "description": "tea"})
    assert (status, made["status"], made["amount"], made["payments"]) == (201, "open", 100, [])
    assert made["url"] == made["code"] == f"https://wallet.example/pay#{made['id']}"
    assert made["svg"].startswith("<svg")
    path = {"id": made["id"]}
    status, seen = answered(door, "GET", "/payment-requests/{id}", ravi, path=path)
    assert (status, seen["to"]["name"], seen["amount"]) == (200, "Asha Rao", 100)
    assert (set(made) - set(seen), seen["payments"]) == ({"code", "svg", "url"}, [])
    pay_door, key = functions.make("pay"), {"Idempotency-Key": unique("key-")}
    body = {"to": {"payment_request": made["code"]}, "amount": 100}
    status, receipt = answered(pay_door, "POST", "/payments", ravi, body=body, headers=key)
    assert (status, receipt["description"], receipt["reference"]) == (201, "tea", made["id"])
    _, shown = answered(door, "GET", "/payment-requests/{id}", asha, path=path)
    assert (shown["status"], [(one["id"], one["amount"]) for one in shown["payments"]]) == (
        "paid",
        [(receipt["id"], 100)],
    )
    again = pay_door.invoke(api_event("POST", "/payments", body=body, headers=key, caller=ravi.user_id))
    assert (again["statusCode"], told(again)) == (201, receipt), "the same request under the same key is its replay"


def test_without_a_site_a_code_names_the_request(books: Books, functions: Functions) -> None:
    asha, ravi = books.person(), books.person(money=900)
    _, made = answered(functions.make("payment_requests"), "POST", "/payment-requests", asha, body={})
    assert (made["url"], made["code"], made["amount"]) == (None, f"payment-request:{made['id']}", None)
    for named in (made["code"], made["id"], f" {made['code']}\n"):
        body = {"to": {"payment_request": named}, "amount": 1}
        headers = {"Idempotency-Key": unique("key-")}
        assert answered(functions.make("pay"), "POST", "/payments", ravi, body=body, headers=headers)[0] == 201


@pytest.mark.parametrize(
    ("to", "more", "fault"),
    [
        ({"payment_request": "prq_1"}, {}, "to.payment_request"),
        ({"payment_request": 7}, {}, "to.payment_request"),
        ({"payment_request": "wallet:wal_06f4k8m2t9x1z3b5c7d9e1f3g5"}, {}, "to.payment_request"),
        ({"payment_request": "prq_06f4k8m2t9x1z3b5c7d9e1f3g5", "phone": "+919876543210"}, {}, "to"),
        ({"payment_request": "prq_06f4k8m2t9x1z3b5c7d9e1f3g5"}, {"reference": "mine"}, "body"),
    ],
)
def test_what_names_no_request_is_told_so(
    books: Books, functions: Functions, to: dict[str, Any], more: dict[str, Any], fault: str
) -> None:
    body, headers = {"to": to, "amount": 1, **more}, {"Idempotency-Key": unique("key-")}
    status, problem = answered(functions.make("pay"), "POST", "/payments", books.person(), body=body, headers=headers)
    assert (status, [one["field"] for one in problem["errors"]]) == (422, [fault])


@pytest.mark.parametrize(
    "body",
    [
        *({"amount": amount} for amount in (0, -1, 1.5, "1", True)),
        *({"expires_in": seconds} for seconds in (59, 7_776_001, "60")),
        {"description": "a\nb"},
        {"to": {}},
    ],
)
def test_a_request_that_does_not_fit_is_none(books: Books, door: Function, body: dict[str, Any]) -> None:
    assert answered(door, "POST", "/payment-requests", books.person(), body=body)[0] == 422


@pytest.mark.parametrize("resource", ["/payments", "/bulk-payments"])
def test_nobody_else_s_payment_passes_for_one_of_a_request(books: Books, functions: Functions, resource: str) -> None:
    """A shop goes by the reference of what it is paid: a paisa with a request's id on it would pay for anything."""
    asha, ravi = books.person(), books.person(money=900)
    shown = ids.show(ids.PAYMENT_REQUEST, asked(books, asha).id)
    wallet_id, headers = ids.show(ids.WALLET, asha.wallet_id), {"Idempotency-Key": unique("key-")}
    if resource == "/payments":
        body = {"to": {"wallet_id": wallet_id}, "amount": 1, "reference": shown}
        event = api_event("POST", resource, body=body, headers=headers, caller=ravi.user_id)
        answer = functions.make("pay").invoke(event)
    else:
        file = f"to,amount,description,reference\r\n{wallet_id},1,,{shown}\r\n"
        headers |= {"Content-Type": "text/csv"}
        event = api_event("POST", resource, raw_body=file, headers=headers, caller=ravi.user_id)
        answer = functions.make("bulk").invoke(event)
    assert (answer["statusCode"], told(answer)["errors"][0]["field"]) in (
        (422, "reference"),
        (422, "lines.2.reference"),
    )


def test_asking_again_whether_it_is_paid_costs_no_body(books: Books, door: Function) -> None:
    asha, ravi = books.person(), books.person(money=900)
    request = asked(books, asha)
    path = {"id": ids.show(ids.PAYMENT_REQUEST, request.id)}
    first = door.invoke(api_event("GET", "/payment-requests/{id}", path=path, caller=asha.user_id))
    again: dict[str, Any] = {
        "path": path,
        "caller": asha.user_id,
        "headers": {"If-None-Match": first["headers"]["ETag"]},
    }
    assert door.invoke(api_event("GET", "/payment-requests/{id}", **again))["statusCode"] == 304
    paid(books, ravi, request)
    assert told(door.invoke(api_event("GET", "/payment-requests/{id}", **again)))["status"] == "paid"


def test_no_hold_is_placed_on_a_request(books: Books, functions: Functions) -> None:
    body = {"to": {"payment_request": "prq_06f4k8m2t9x1z3b5c7d9e1f3g5"}, "amount": 1}
    headers = {"Idempotency-Key": unique("key-")}
    assert answered(functions.make("hold"), "POST", "/holds", books.person(), body=body, headers=headers)[0] == 422


def test_ones_own_requests_are_listed_newest_first_page_by_page_and_by_status(books: Books, door: Function) -> None:
    asha, other = books.person(), books.person()
    made = [ids.show(ids.PAYMENT_REQUEST, asked(books, asha).id) for _ in range(3)]
    asked(books, other)
    status, _ = answered(door, "POST", "/payment-requests/{id}/cancel", asha, path={"id": made[1]})
    assert status == 200
    _, first = answered(door, "GET", "/payment-requests", asha, query={"limit": "2"})
    _, second = answered(door, "GET", "/payment-requests", asha, query={"limit": "2", "cursor": first["next_cursor"]})
    assert [one["id"] for one in first["data"] + second["data"]] == made[::-1]
    assert second["next_cursor"] is None
    _, cancelled = answered(door, "GET", "/payment-requests", asha, query={"status": "cancelled"})
    assert [one["id"] for one in cancelled["data"]] == [made[1]]


def test_a_page_of_ones_own_costs_no_more_than_its_rows_however_many_others_have(books: Books) -> None:
    asha, other = books.person(), books.person()
    for person in [asha, other] * 45:
        asked(books, person)
    maker = connection(books, "directory")
    before = reads(maker)
    assert len(list_payment_requests(maker, actor_id=asha.user_id, asked=ListRequest(limit=5))[0]) == 5
    assert reads(maker) - before < 45
