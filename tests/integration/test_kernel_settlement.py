"""Money that arrives through a gateway, on a real server: once, in whatever order, and never dropped."""

import itertools
import json
import random
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from tests.support.books import Books, Person, captured, unique
from tests.support.crowd import together
from tests.support.moves import pay, refusals_in
from wallet import wiring
from wallet.ledger.attempts import AttemptStatus, ObservedPayment, PaymentStatus, SuspenseReason
from wallet.ledger.refusals import Refusal, Refused
from wallet.movements.settle import EventOutcome, book
from wallet.storage.database import DatabaseBrokenError
from wallet.storage.settlement import Noted, Settlement, note_unsuccessful_payment, settle_payment
from wallet.storage.top_ups import attach_order, due_attempts, expire_attempt, open_top_up, refuse_attempt


def settle(books: Books, payment: ObservedPayment) -> Settlement:
    gateway = books.as_role("gateway")
    try:
        return settle_payment(gateway, payment, transaction_id=wiring.new_id())
    finally:
        gateway.close()


def failed(order_id: str, amount: int, payment_id: str, reason: str = "payment_failed") -> ObservedPayment:
    return ObservedPayment(
        "razorpay", payment_id, order_id, amount, "INR", PaymentStatus.FAILED, captured=False, reason=reason
    )


def status_of(books: Books, order_id: str) -> AttemptStatus:
    rows = books.select("SELECT status FROM payment_attempts WHERE gateway_order_id = %s", order_id)
    return AttemptStatus(rows[0]["status"])


def history_of(books: Books, order_id: str) -> list[tuple[str, str | None]]:
    rows = books.select(
        "SELECT e.status, e.reason FROM payment_attempt_events e JOIN payment_attempts a ON a.id = e.attempt_id"
        " WHERE a.gateway_order_id = %s ORDER BY e.position",
        order_id,
    )
    return [(row["status"], row["reason"]) for row in rows]


def suspense_of(books: Books, payment_id: str) -> str | None:
    rows = books.select("SELECT suspense_reason FROM gateway_payments WHERE gateway_payment_id = %s", payment_id)
    reason: str | None = rows[0]["suspense_reason"]
    return reason


def test_a_captured_payment_is_credited_once_however_often_it_is_told(books: Books) -> None:
    person = books.person()
    payment = captured(books.order(person, 500), 500)
    assert [settle(books, payment).new for _ in range(3)] == [True, False, False]
    assert books.balance(person) == 500
    assert books.faults() == []


def test_20_tellings_of_one_payment_at_once_credit_once(books: Books) -> None:
    person = books.person()
    payment = captured(books.order(person, 500), 500)
    answers = together([lambda: settle(books, payment) for _ in range(20)])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert sum(answer.new for answer in answers if isinstance(answer, Settlement)) == 1
    assert books.balance(person) == 500


def test_20_tellings_at_once_of_a_payment_for_an_unknown_order_book_it_once_in_suspense(books: Books) -> None:
    payment = captured(unique("order_of_nobody"), 500)
    answers = together([lambda: settle(books, payment) for _ in range(20)])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert sum(answer.new for answer in answers if isinstance(answer, Settlement)) == 1
    assert suspense_of(books, payment.payment_id) == "unknown_order"
    assert books.faults() == []


@pytest.mark.parametrize("order", list(itertools.permutations(["failed", "captured", "captured again"])))
def test_failed_and_captured_of_one_payment_credit_once_in_any_order(books: Books, order: tuple[str, ...]) -> None:
    person = books.person()
    order_id, payment_id = books.order(person, 500), unique("pay_")
    told = {
        "failed": failed(order_id, 500, payment_id),
        "captured": captured(order_id, 500, payment_id=payment_id),
        "captured again": captured(order_id, 500, payment_id=payment_id),
    }
    gateway = books.as_role("gateway")
    for name in order:
        book(gateway, wiring.new_id, told[name])
    gateway.close()
    assert books.balance(person) == 500
    assert status_of(books, order_id) is AttemptStatus.SUCCEEDED


def test_a_failed_payment_leaves_the_attempt_open_for_another(books: Books) -> None:
    person = books.person()
    order_id = books.order(person, 500)
    gateway = books.as_role("gateway")
    told = failed(order_id, 500, unique("pay_"), "incorrect_pin")
    assert note_unsuccessful_payment(gateway, told) is Noted.NEW
    assert status_of(books, order_id) is AttemptStatus.FAILED
    settle(books, captured(order_id, 500))
    assert books.balance(person) == 500
    assert history_of(books, order_id) == [("pending", None), ("failed", "incorrect_pin"), ("succeeded", None)]


def test_a_payment_whose_outcome_is_unknown_is_not_called_failed(books: Books) -> None:
    order_id = books.order(books.person(), 500)
    payment = failed(order_id, 500, unique("pay_"), "deemed_transaction")
    book(books.as_role("gateway"), wiring.new_id, payment)
    assert status_of(books, order_id) is AttemptStatus.PENDING
    assert history_of(books, order_id)[-1] == ("pending", "deemed_transaction")


def test_a_failure_that_is_told_after_the_success_changes_nothing(books: Books) -> None:
    person = books.person()
    order_id = books.order(person, 500)
    settle(books, captured(order_id, 500))
    late = failed(order_id, 500, unique("pay_"))
    assert book(books.as_role("gateway"), wiring.new_id, late) is EventOutcome.DUPLICATE
    assert status_of(books, order_id) is AttemptStatus.SUCCEEDED


def test_the_second_of_two_payments_of_one_order_goes_to_suspense(books: Books) -> None:
    person = books.person()
    order_id = books.order(person, 500)
    second = captured(order_id, 500)
    settle(books, captured(order_id, 500))
    assert settle(books, second).suspense is SuspenseReason.ORDER_ALREADY_PAID
    assert books.balance(person) == 500
    assert books.faults() == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": 499}, SuspenseReason.AMOUNT_MISMATCH),
        ({"amount": 501}, SuspenseReason.AMOUNT_MISMATCH),
        ({"currency": "USD"}, SuspenseReason.CURRENCY_MISMATCH),
        ({"refunded": 500}, SuspenseReason.ALREADY_REFUNDED),
    ],
)
def test_money_that_is_not_what_was_asked_for_goes_to_suspense(
    books: Books, changes: dict[str, object], reason: SuspenseReason
) -> None:
    person = books.person()
    order_id = books.order(person, 500)
    arguments: dict[str, object] = {"amount": 500} | changes
    payment = captured(order_id, **arguments)  # type: ignore[arg-type]  # a table of examples
    assert settle(books, payment).suspense is reason
    assert books.balance(person) == 0
    assert status_of(books, order_id) is AttemptStatus.FAILED
    assert suspense_of(books, payment.payment_id) == reason.value
    assert books.faults() == []


def surcharge_of(books: Books, payment_id: str) -> tuple[int, int]:
    """What was booked of a payment, and what its payer paid beside it."""
    rows = books.select(
        "SELECT t.amount, g.surcharge FROM transactions t JOIN gateway_payments g ON g.transaction_id = t.id"
        " WHERE g.gateway_payment_id = %s",
        payment_id,
    )
    return rows[0]["amount"], rows[0]["surcharge"]


def test_what_was_asked_for_is_credited_when_the_payer_bore_the_gateways_fee(books: Books) -> None:
    person = books.person()
    order_id = books.order(person, 50_000)
    payment = captured(order_id, 51_180, surcharge=1_180)
    assert [settle(books, payment) for _ in range(2)] == [
        Settlement(new=True, suspense=None),
        Settlement(new=False, suspense=None),
    ]
    assert books.balance(person) == 50_000
    assert status_of(books, order_id) is AttemptStatus.SUCCEEDED
    assert surcharge_of(books, payment.payment_id) == (50_000, 1_180)
    (event,) = [one for one in books.outbox() if one.wallet_id == person.wallet_id]
    assert json.loads(event.detail)["amount"] == 50_000
    assert books.faults() == []


@pytest.mark.parametrize(
    ("paid", "surcharge"), [(51_180, 0), (51_180, 1_179), (51_180, 1_181), (50_001, 0), (49_999, 1), (48_820, 1_180)]
)
def test_more_or_less_than_was_asked_for_is_in_suspense_whole_when_the_surcharge_does_not_explain_it(
    books: Books, paid: int, surcharge: int
) -> None:
    person = books.person()
    payment = captured(books.order(person, 50_000), paid, surcharge=surcharge)
    assert settle(books, payment).suspense is SuspenseReason.AMOUNT_MISMATCH
    assert books.balance(person) == 0
    assert surcharge_of(books, payment.payment_id) == (paid, 0)


def test_money_of_nobodys_order_is_in_suspense_whole_whoever_bore_the_fee(books: Books) -> None:
    payment = captured(unique("order_of_nobody"), 51_180, surcharge=1_180)
    assert settle(books, payment).suspense is SuspenseReason.UNKNOWN_ORDER
    assert surcharge_of(books, payment.payment_id) == (51_180, 0)


def test_a_surcharge_in_another_currency_explains_nothing(books: Books) -> None:
    payment = captured(books.order(books.person(), 50_000), 51_180, surcharge=1_180, currency="USD")
    assert settle(books, payment).suspense is SuspenseReason.CURRENCY_MISMATCH
    assert surcharge_of(books, payment.payment_id) == (51_180, 0)


def test_limits_count_what_was_asked_for_and_not_what_the_payer_paid_beside_it(books: Books) -> None:
    person = books.person(tier="small")
    assert settle(books, captured(books.order(person, 1_000_000), 1_023_600, surcharge=23_600)).suspense is None
    assert books.balance(person) == 1_000_000
    assert books.faults() == []


def test_of_two_top_ups_at_the_edge_of_the_cap_one_is_credited_and_one_waits_in_suspense(books: Books) -> None:
    person = books.person(tier="small")
    payments = [captured(books.order(person, 600_000), 600_000) for _ in range(2)]
    answers = together([lambda payment=payment: settle(books, payment) for payment in payments])  # type: ignore[misc]  # bound early
    reasons = [answer.suspense for answer in answers if isinstance(answer, Settlement)]
    assert sorted(reasons, key=str) == [None, SuspenseReason.OVER_BALANCE_LIMIT]
    assert books.balance(person) == 600_000
    assert books.faults() == []


def test_a_frozen_wallet_is_credited_what_its_owner_paid_in(books: Books) -> None:
    person = books.person()
    order_id = books.order(person, 500)
    books.write("UPDATE wallets SET status = 'frozen' WHERE id = %s", person.wallet_id.bytes)
    assert settle(books, captured(order_id, 500)).suspense is None
    assert books.balance(person) == 500


def test_money_for_a_closed_wallet_goes_to_suspense(books: Books) -> None:
    person = books.person()
    order_id = books.order(person, 500)
    books.write("UPDATE wallets SET status = 'closed' WHERE id = %s", person.wallet_id.bytes)
    assert settle(books, captured(order_id, 500)).suspense is SuspenseReason.WALLET_CLOSED


def test_an_expired_attempt_is_still_credited_when_the_money_comes(books: Books) -> None:
    person = books.person()
    order_id = books.order(person, 500, valid_s=0)
    rows = books.select("SELECT id FROM payment_attempts WHERE gateway_order_id = %s", order_id)
    expire_attempt(books.as_role("gateway"), UUID(bytes=rows[0]["id"]))
    assert status_of(books, order_id) is AttemptStatus.EXPIRED
    assert settle(books, captured(order_id, 500)).suspense is None
    assert status_of(books, order_id) is AttemptStatus.SUCCEEDED


def test_an_attempt_never_moves_back_not_even_for_the_schemas_owner(books: Books) -> None:
    order_id = books.order(books.person(), 500)
    settle(books, captured(order_id, 500))
    with pytest.raises(Exception, match="forward only"):
        books.write("UPDATE payment_attempts SET status = 'pending' WHERE gateway_order_id = %s", order_id)


def test_an_ended_attempt_is_not_asked_about_again(books: Books) -> None:
    order_id = books.order(books.person(), 500, first_check_s=0)
    gateway = books.as_role("gateway")
    assert order_id in {attempt.gateway_order_id for attempt in due_attempts(gateway, gateway="razorpay", limit=1000)}
    settle(books, captured(order_id, 500))
    assert order_id not in {
        attempt.gateway_order_id for attempt in due_attempts(gateway, gateway="razorpay", limit=1000)
    }


def test_top_ups_and_payments_mixed_at_once_never_deadlock_and_always_add_up(books: Books) -> None:
    people = [books.person(money=10_000) for _ in range(4)]
    dice = random.Random(11)

    def topping_up(person: Person) -> object:
        payment = captured(books.order(person, 100), 100)
        return lambda: settle(books, payment)

    tasks: list[object] = [topping_up(dice.choice(people)) for _ in range(40)]
    for _ in range(80):
        payer, payee = dice.sample(people, 2)
        tasks.append(partial(pay, books, payer, payee, 50))
    dice.shuffle(tasks)
    answers = together(tasks, at_once=16)  # type: ignore[arg-type]  # two kinds of tasks
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert books.total(*people) == 40_000 + 40 * 100
    assert books.faults() == []


def test_a_settlement_whose_answer_was_lost_is_new_to_the_one_who_repeats_it(books: Books) -> None:
    person, transaction_id = books.person(), wiring.new_id()
    payment = captured(books.order(person, 500), 500)
    gateway = books.as_role("gateway")
    answers = [settle_payment(gateway, payment, transaction_id=transaction_id).new for _ in range(2)]
    assert answers == [True, True]
    assert books.balance(person) == 500


def test_an_id_that_is_taken_is_an_accident_and_no_duplicate(books: Books) -> None:
    person, transaction_id = books.person(), wiring.new_id()
    gateway = books.as_role("gateway")
    settle_payment(gateway, captured(books.order(person, 500), 500), transaction_id=transaction_id)
    with pytest.raises(DatabaseBrokenError):
        settle_payment(gateway, captured(books.order(person, 500), 500), transaction_id=transaction_id)
    assert books.balance(person) == 500


def test_the_order_of_another_attempt_is_not_attached(books: Books) -> None:
    taken = books.order(books.person(), 500)
    person, money = books.person(), books.as_role("money")
    attempt, _, _ = open_top_up(
        money, person.claim(), attempt_id=wiring.new_id(), gateway="razorpay", amount=500, valid_s=60, first_check_s=60
    )
    assert attach_order(money, attempt.id, order_id=taken) is None


def ask(books: Books, person: Person, *, key: str | None = None, valid_s: int = 3600) -> object:
    database = books.as_role("money")
    try:
        return open_top_up(
            database,
            person.claim(key),
            attempt_id=wiring.new_id(),
            gateway="razorpay",
            amount=500,
            valid_s=valid_s,
            first_check_s=600,
        )
    finally:
        database.close()


def test_a_wallet_has_fifty_open_top_ups_at_most_and_is_told_when_one_is_over(books: Books) -> None:
    person, other = books.person(), books.person()
    kept = [unique("key-") for _ in range(50)]
    for key in kept:
        ask(books, person, key=key)
    with pytest.raises(Refused) as caught:
        ask(books, person)
    assert caught.value.refusal is Refusal.TOO_MANY_OPEN_TOP_UPS
    assert caught.value.retry_after_s is not None
    assert 3_000 < caught.value.retry_after_s <= 3_600
    ask(books, person, key=kept[0])  # a repetition opens none
    ask(books, other)
    books.write(
        "UPDATE payment_attempts SET expires_at = UTC_TIMESTAMP(6) WHERE wallet_id = %s LIMIT 1", person.wallet_id.bytes
    )
    ask(books, person)
    with pytest.raises(Refused, match="too_many_open_top_ups"):
        ask(books, person)


def test_many_who_ask_at_once_open_hardly_more_than_fifty(books: Books) -> None:
    person = books.person()
    answers = together([lambda: ask(books, person) for _ in range(120)], at_once=8)
    refused = refusals_in(answers)
    assert set(refused) == {Refusal.TOO_MANY_OPEN_TOP_UPS}
    assert 50 <= 120 - len(refused) <= 50 + 8


def test_an_order_of_cashfree_is_asked_about_once_more_a_day_after_its_end_for_it_gives_no_list(books: Books) -> None:
    person = books.person()
    order_id = books.order(person, 500, gateway="cashfree", valid_s=0)

    def next_check() -> dict[str, Any]:
        return books.select(
            "SELECT id, status, TIMESTAMPDIFF(MINUTE, expires_at, next_check_at) AS later FROM payment_attempts"
            " WHERE gateway_order_id = %s",
            order_id,
        )[0]

    attempt_id = UUID(bytes=next_check()["id"])
    gateway = books.as_role("gateway")
    assert expire_attempt(gateway, attempt_id)
    assert (next_check()["status"], next_check()["later"]) == ("expired", 24 * 60)
    books.write("UPDATE payment_attempts SET expires_at = expires_at - INTERVAL 1 DAY WHERE id = %s", attempt_id.bytes)
    assert not expire_attempt(gateway, attempt_id)
    assert next_check()["later"] is None
    gateway.close()


def attempt_of(books: Books, person: Person, *, order_id: str | None = None, intent_url: str | None = None) -> UUID:
    """An open attempt of theirs, as far as its caller has come."""
    database = books.as_role("money")
    attempt, _, _ = open_top_up(
        database,
        person.claim(),
        attempt_id=wiring.new_id(),
        gateway="razorpay",
        amount=500,
        valid_s=3600,
        first_check_s=0,
    )
    if order_id is not None:
        attach_order(database, attempt.id, order_id=order_id, intent_url=intent_url)
    database.close()
    return attempt.id


@pytest.mark.parametrize("with_order", [False, True])
def test_an_attempt_that_the_gateway_refuses_has_failed_is_over_and_is_asked_about_once_more(
    books: Books,
    with_order: bool,  # noqa: FBT001 - a table
) -> None:
    order_id = unique("order_") if with_order else None
    attempt_id = attempt_of(books, books.person(), order_id=order_id)
    money = books.as_role("money")
    for word in ("invalid_contact", "another_word"):  # told again, by whoever asked beside
        assert refuse_attempt(money, attempt_id, order_id=order_id, reason=word)
    (row,) = books.select(
        "SELECT status, expires_at <= UTC_TIMESTAMP(6) AS is_over, next_check_at IS NOT NULL AS is_asked_about"
        " FROM payment_attempts WHERE id = %s",
        attempt_id.bytes,
    )
    assert (row["status"], row["is_over"], row["is_asked_about"]) == ("failed", 1, 1)
    events = books.select("SELECT status, reason FROM payment_attempt_events WHERE attempt_id = %s", attempt_id.bytes)
    assert [(one["status"], one["reason"]) for one in events] == [("pending", None), ("failed", "invalid_contact")]
    money.close()
    gateway = books.as_role("gateway")
    assert not expire_attempt(gateway, attempt_id)
    assert attempt_id not in {one.id for one in due_attempts(gateway, gateway="razorpay", limit=1000)}
    gateway.close()


@pytest.mark.parametrize("further", [("order_", None), ("order_", "upi://pay?pa=a@b")])
def test_an_attempt_that_another_caller_has_got_further_is_not_ended_by_a_refusal(
    books: Books, further: tuple[str, str | None]
) -> None:
    prefix, link = further
    order_id = unique(prefix)
    attempt_id = attempt_of(books, books.person(), order_id=order_id, intent_url=link)
    money = books.as_role("money")
    assert not refuse_attempt(money, attempt_id, order_id=order_id if link else None, reason="invalid_contact")
    assert status_of(books, order_id) is AttemptStatus.PENDING
    money.close()


def test_money_that_comes_for_a_refused_attempt_all_the_same_is_credited(books: Books) -> None:
    person, order_id = books.person(), unique("order_")
    attempt_id = attempt_of(books, person, order_id=order_id)
    money = books.as_role("money")
    assert refuse_attempt(money, attempt_id, order_id=order_id, reason="invalid_contact")
    assert settle(books, captured(order_id, 500)).suspense is None
    assert (books.balance(person), status_of(books, order_id)) == (500, AttemptStatus.SUCCEEDED)
    assert not refuse_attempt(money, attempt_id, order_id=order_id, reason="invalid_contact")
    money.close()
    assert books.faults() == []
