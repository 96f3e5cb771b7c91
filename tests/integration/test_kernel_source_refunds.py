"""Refunds to source, on a real server: set aside, paid out once or given back, in whatever order it is told."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.books import GATEWAY, Books, Person, captured, unique
from tests.support.crowd import together
from tests.support.moves import deadlocks
from tests.support.operators import asked
from tests.support.waiting import behind_wallet, nothing
from wallet import wiring
from wallet.ledger import ids
from wallet.ledger.attempts import AttemptStatus, PaymentStatus
from wallet.ledger.refunds import ObservedRefund, RefundNews, RefundStatus, weigh
from wallet.ledger.refusals import Refusal, Refused
from wallet.movements.refund_to_source import book_refund
from wallet.storage import operators, settlement, source_refunds
from wallet.storage.claims import Claim
from wallet.storage.operators import Instruction
from wallet.storage.payments import post_payment
from wallet.storage.settlement import settle_payment
from wallet.storage.source_refunds import OpenRefund

MEERA = wiring.new_id()
PENDING, SUCCEEDED, FAILED = RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.FAILED


def instruction(key: str | None = None, *, asked: str = "") -> Instruction:
    claim = Claim(wiring.new_id() if key is None else MEERA, key or unique("key-"), sha256(asked.encode()).digest())
    return Instruction("Meera", "asked for it", claim)


def pay(books: Books, payer: Person, payee: Person, amount: int) -> UUID:
    money = books.as_role("money")
    try:
        return post_payment(
            money,
            payer.claim(),
            transaction_id=wiring.new_id(),
            payee_wallet_id=payee.wallet_id,
            payee_phone=None,
            amount=amount,
            description=None,
            reference=None,
        )[0].transaction_id
    finally:
        money.close()


def over_the_cap(books: Books) -> tuple[Person, "Entry"]:
    """Somebody with 9,000 rupees of the 10,000 that they may have, and 6,000 more of theirs in suspense."""
    person = books.person(tier="small")
    order_id = books.order(person, 600_000)
    books.top_up(person, 900_000)
    return person, Entry(books, person, 600_000, order_id=order_id)


@pytest.fixture(autouse=True)
def leave_nothing_due(books: Books) -> Iterator[None]:
    """The gateway of other tests knows nothing of these refunds, and is not to be asked about them."""
    yield
    books.write("UPDATE source_refunds SET next_check_at = NULL")


class Entry:
    """A payment of somebody's that has arrived: credited to them, or in suspense."""

    def __init__(
        self, books: Books, person: Person, amount: int, *, refunded: int = 0, order_id: str | None = None
    ) -> None:
        self.books, self.person, self.amount = books, person, amount
        self.order_id = order_id or books.order(person, amount)
        self.payment = captured(self.order_id, amount, refunded=refunded)
        self.id = wiring.new_id()
        gateway = books.as_role("gateway")
        settle_payment(gateway, self.payment, transaction_id=self.id)
        gateway.close()

    @property
    def attempt_status(self) -> AttemptStatus:
        rows = self.books.select("SELECT status FROM payment_attempts WHERE gateway_order_id = %s", self.order_id)
        return AttemptStatus(rows[0]["status"])

    def refund(self, amount: int | None = None, *, key: str | None = None, refund_id: UUID | None = None) -> UUID:
        """Opens a refund of it by the operator's command."""
        operator = self.books.as_role("operator")
        try:
            return operators.refund_to_source(
                operator,
                asked(operator, "refund_to_source", instruction(key, asked=f"{self.id} {amount}")),
                refund_id=refund_id or wiring.new_id(),
                transaction_id=self.id,
                amount=amount,
            )[0].refund_id
        finally:
            operator.close()

    def told(self, status: RefundStatus, amount: int, *, reference: UUID | None, refund_id: str) -> ObservedRefund:
        """What the gateway says of a refund of it."""
        return ObservedRefund(
            gateway=GATEWAY,
            refund_id=refund_id,
            reference=None if reference is None else ids.show(ids.REFUND, reference),
            payment_id=self.payment.payment_id,
            amount=amount,
            currency="INR",
            status=status,
            payment=replace(self.payment, amount_refunded=amount),
            reason="bank_says_no" if status is FAILED else None,
        )


def hear(books: Books, *told: ObservedRefund) -> list[RefundNews]:
    """Books news, one after the other."""
    gateway = books.as_role("gateway")
    try:
        return [book_refund(gateway, wiring.new_id, one) for one in told]
    finally:
        gateway.close()


def row(books: Books, refund_id: UUID) -> dict[str, object]:
    return books.select("SELECT * FROM source_refunds WHERE id = %s", refund_id.bytes)[0]


def held(books: Books, person: Person) -> int:
    return int(books.select("SELECT held FROM wallets WHERE id = %s", person.wallet_id.bytes)[0]["held"])


def posted(books: Books, entry: Entry) -> list[tuple[str, int]]:
    """The refunds of an entry in the ledger: who was debited and how much."""
    return [
        (row["kind"], row["amount"])
        for row in books.select(
            "SELECT a.kind, t.amount FROM transactions t"
            " JOIN postings p ON p.transaction_id = t.id AND p.side = 'debit'"
            " JOIN accounts a ON a.id = p.account_id WHERE t.type = 'refund_to_source' AND t.cause_id = %s",
            entry.id.bytes,
        )
    ]


def events(books: Books, person: Person) -> list[str]:
    rows = books.select("SELECT type FROM outbox WHERE wallet_id = %s ORDER BY position", person.wallet_id.bytes)
    return [row["type"] for row in rows if row["type"].startswith("RefundToSource")]


def test_a_refund_is_set_aside_first_and_leaves_the_wallet_when_the_gateway_has_paid(books: Books) -> None:
    person = books.person()
    entry = Entry(books, person, 1_000)
    refund_id = entry.refund(400)
    assert (books.balance(person), held(books, person)) == (1_000, 400)
    told = entry.told(SUCCEEDED, 400, reference=refund_id, refund_id=unique("rfnd_"))
    assert hear(books, told) == [RefundNews.NEW]
    assert (books.balance(person), held(books, person)) == (600, 0)
    assert posted(books, entry) == [("wallet", 400)]
    assert row(books, refund_id)["gateway_refund_id"] == told.refund_id
    assert entry.attempt_status is AttemptStatus.SUCCEEDED
    assert events(books, person) == ["RefundToSourceRequested", "RefundToSourceSucceeded"]
    assert books.faults() == []


def test_a_failed_refund_gives_the_money_back_and_may_be_tried_again(books: Books) -> None:
    person = books.person()
    entry = Entry(books, person, 1_000)
    first = entry.refund()
    told = entry.told(FAILED, 1_000, reference=first, refund_id=unique("rfnd_"))
    assert hear(books, told, told) == [RefundNews.NEW, RefundNews.KNOWN]
    assert (books.balance(person), held(books, person), posted(books, entry)) == (1_000, 0, [])
    assert row(books, first)["reason"] == "bank_says_no"
    assert events(books, person) == ["RefundToSourceRequested", "RefundToSourceFailed"]
    second = entry.refund()
    hear(books, entry.told(SUCCEEDED, 1_000, reference=second, refund_id=unique("rfnd_")))
    assert books.balance(person) == 0
    assert entry.attempt_status is AttemptStatus.REFUNDED
    assert books.faults() == []


def test_refunds_of_a_top_up_never_add_up_to_more_than_it(books: Books) -> None:
    person = books.person(money=5_000)
    entry = Entry(books, person, 1_000)
    entry.refund(600)
    with pytest.raises(Refused) as caught:
        entry.refund(401)
    assert caught.value.refusal is Refusal.REFUND_EXCEEDS_PAYMENT
    entry.refund(400)
    with pytest.raises(Refused, match="refund_exceeds_payment"):
        entry.refund()
    assert held(books, person) == 1_000


@pytest.mark.parametrize("in_suspense", [False, True])
def test_20_refunds_at_once_never_exceed_what_came(books: Books, *, in_suspense: bool) -> None:
    person = books.person(money=50_000)
    entry = Entry(books, person, 1_000, refunded=1 if in_suspense else 0)
    answers = together([lambda: entry.refund(300) for _ in range(20)])
    assert sum(isinstance(answer, UUID) for answer in answers) == 3
    refusals = {answer.refusal for answer in answers if isinstance(answer, Refused)}
    assert refusals == {Refusal.REFUND_EXCEEDS_PAYMENT}
    assert held(books, person) == (0 if in_suspense else 900)
    assert books.faults() == []


def test_what_has_been_spent_can_not_go_back(books: Books) -> None:
    person, shop = books.person(), books.person()
    entry = Entry(books, person, 1_000)
    pay(books, person, shop, 700)
    with pytest.raises(Refused, match="insufficient_funds"):
        entry.refund()
    entry.refund(300)
    assert held(books, person) == 300


def test_the_gateways_smallest_refund_is_a_rupee(books: Books) -> None:
    entry = Entry(books, books.person(), 1_000)
    with pytest.raises(Refused, match="amount_out_of_range"):
        entry.refund(99)


@pytest.mark.parametrize("kind", ["payment", "nothing"])
def test_only_top_ups_and_money_in_suspense_go_back_to_a_source(books: Books, kind: str) -> None:
    person, shop = books.person(money=1_000), books.person()
    entry = Entry(books, person, 500)
    entry.id = pay(books, person, shop, 100) if kind == "payment" else wiring.new_id()
    with pytest.raises(Refused, match="not_found"):
        entry.refund()


def test_the_same_key_opens_one_refund_and_answers_it_again(books: Books) -> None:
    person = books.person()
    entry = Entry(books, person, 1_000)
    key, refund_id = unique("key-"), wiring.new_id()
    assert entry.refund(400, key=key, refund_id=refund_id) == refund_id
    assert entry.refund(400, key=key) == refund_id
    with pytest.raises(Refused, match="idempotency_key_reused"):
        entry.refund(401, key=key)
    assert held(books, person) == 400


def test_money_in_suspense_goes_back_without_touching_a_wallet(books: Books) -> None:
    person, entry = over_the_cap(books)
    assert books.balance(person) == 900_000
    refund_id = entry.refund()
    told = entry.told(SUCCEEDED, 600_000, reference=refund_id, refund_id=unique("rfnd_"))
    assert hear(books, told, told) == [RefundNews.NEW, RefundNews.KNOWN]
    assert (books.balance(person), held(books, person)) == (900_000, 0)
    assert posted(books, entry) == [("suspense", 600_000)]
    assert entry.attempt_status is AttemptStatus.REFUNDED
    assert books.faults() == []


def test_the_second_payment_of_an_order_goes_back_and_the_top_up_stays_succeeded(books: Books) -> None:
    person = books.person()
    entry = Entry(books, person, 500)
    second = captured(entry.order_id, 500)
    entry.id, entry.payment = wiring.new_id(), second
    settle_payment(books.as_role("gateway"), second, transaction_id=entry.id)
    hear(books, entry.told(SUCCEEDED, 500, reference=entry.refund(), refund_id=unique("rfnd_")))
    assert entry.attempt_status is AttemptStatus.SUCCEEDED
    assert books.balance(person) == 500


@pytest.mark.parametrize("order", list(itertools.permutations([PENDING, SUCCEEDED, SUCCEEDED, PENDING], 4))[::5])
def test_in_whatever_order_success_is_told_it_is_booked_once(books: Books, order: tuple[RefundStatus, ...]) -> None:
    person = books.person()
    entry = Entry(books, person, 1_000)
    refund_id, there = entry.refund(400), unique("rfnd_")
    hear(books, *[entry.told(status, 400, reference=refund_id, refund_id=there) for status in order])
    assert (books.balance(person), held(books, person), posted(books, entry)) == (600, 0, [("wallet", 400)])
    assert books.faults() == []


def test_a_gateway_that_says_now_this_now_that_is_for_people(books: Books) -> None:
    person = books.person()
    entry = Entry(books, person, 1_000)
    paid, failed = entry.refund(400), entry.refund(300)
    one, other = unique("rfnd_"), unique("rfnd_")
    news = hear(
        books,
        entry.told(SUCCEEDED, 400, reference=paid, refund_id=one),
        entry.told(FAILED, 400, reference=paid, refund_id=one),
        entry.told(FAILED, 300, reference=failed, refund_id=other),
        entry.told(SUCCEEDED, 300, reference=failed, refund_id=other),
    )
    assert news == [RefundNews.NEW, RefundNews.CONTRADICTED, RefundNews.NEW, RefundNews.CONTRADICTED]
    assert (books.balance(person), held(books, person)) == (600, 0)


def test_a_refund_that_we_gave_up_and_that_was_made_after_all_is_booked(books: Books) -> None:
    person = books.person()
    entry = Entry(books, person, 1_000)
    refund_id, gateway = entry.refund(400), books.as_role("gateway")
    (due,) = [one for one in source_refunds.due_refunds(gateway, gateway=GATEWAY, limit=999) if one.id == refund_id]
    assert source_refunds.reject_refund(gateway, due, gateway=GATEWAY, reason="no_balance") is RefundNews.NEW
    assert held(books, person) == 0
    told = entry.told(SUCCEEDED, 400, reference=refund_id, refund_id=unique("rfnd_"))
    assert hear(books, told, told) == [RefundNews.NEW, RefundNews.KNOWN]
    assert (books.balance(person), held(books, person), posted(books, entry)) == (600, 0, [("wallet", 400)])
    assert books.faults() == []


def test_a_refusal_heard_before_the_refund_was_made_does_not_end_it(books: Books) -> None:
    person = books.person()
    entry = Entry(books, person, 1_000)
    refund_id, gateway = entry.refund(400), books.as_role("gateway")
    hear(books, entry.told(PENDING, 400, reference=refund_id, refund_id=unique("rfnd_")))
    due = OpenRefund(refund_id, ours=True, payment_id=entry.payment.payment_id, gateway_order_id=None,
                     gateway_refund_id=None, amount=400, currency="INR", checks=0)  # fmt: skip
    assert source_refunds.reject_refund(gateway, due, gateway=GATEWAY, reason="no") is RefundNews.KNOWN
    assert (row(books, refund_id)["status"], held(books, person)) == ("pending", 400)


@pytest.mark.parametrize("changes", [{"amount": 399}, {"currency": "USD"}, {"payment_id": "pay_another"}])
def test_news_that_is_not_what_was_asked_for_moves_nothing(books: Books, changes: dict[str, object]) -> None:
    person = books.person()
    entry = Entry(books, person, 1_000)
    told = entry.told(SUCCEEDED, 400, reference=entry.refund(400), refund_id=unique("rfnd_"))
    wrong = replace(told, **changes)  # type: ignore[arg-type]  # a table of examples
    assert hear(books, wrong) == [RefundNews.MISMATCH]
    assert (books.balance(person), held(books, person)) == (1_000, 400)


def test_two_refunds_under_one_of_ours_are_for_people(books: Books) -> None:
    entry = Entry(books, books.person(), 1_000)
    refund_id = entry.refund(400)
    news = hear(
        books,
        entry.told(PENDING, 400, reference=refund_id, refund_id=unique("rfnd_")),
        entry.told(SUCCEEDED, 400, reference=refund_id, refund_id=unique("rfnd_")),
    )
    assert news == [RefundNews.NEW, RefundNews.MISMATCH]


class TestOneThatWeDidNotBegin:
    def test_it_debits_the_wallet_that_was_credited_once(self, books: Books) -> None:
        person = books.person()
        entry = Entry(books, person, 1_000)
        there = unique("rfnd_")
        created = entry.told(PENDING, 400, reference=None, refund_id=there)
        assert hear(books, created) == [RefundNews.KNOWN]
        assert (books.balance(person), held(books, person)) == (1_000, 400)
        done = entry.told(SUCCEEDED, 400, reference=None, refund_id=there)
        assert hear(books, done, created, done) == [RefundNews.NEW, RefundNews.KNOWN, RefundNews.KNOWN]
        assert (books.balance(person), held(books, person), posted(books, entry)) == (600, 0, [("wallet", 400)])
        assert books.faults() == []

    def test_20_tellings_at_once_debit_once(self, books: Books) -> None:
        person = books.person()
        entry = Entry(books, person, 1_000)
        done = entry.told(SUCCEEDED, 400, reference=None, refund_id=unique("rfnd_"))
        answers = together([lambda: hear(books, done) for _ in range(20)])
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        assert (books.balance(person), held(books, person), posted(books, entry)) == (600, 0, [("wallet", 400)])
        assert books.faults() == []

    def test_a_wallet_that_has_spent_the_money_leaves_the_gap_in_suspense(self, books: Books) -> None:
        person, shop = books.person(), books.person()
        entry = Entry(books, person, 1_000)
        pay(books, person, shop, 700)
        hear(books, entry.told(SUCCEEDED, 1_000, reference=None, refund_id=unique("rfnd_")))
        assert (books.balance(person), held(books, person), posted(books, entry)) == (300, 0, [("suspense", 1_000)])
        assert entry.attempt_status is AttemptStatus.REFUNDED
        assert books.faults() == []

    def test_of_money_in_suspense_it_debits_suspense(self, books: Books) -> None:
        person, entry = over_the_cap(books)
        hear(books, entry.told(SUCCEEDED, 600_000, reference=None, refund_id=unique("rfnd_")))
        assert (books.balance(person), posted(books, entry)) == (900_000, [("suspense", 600_000)])
        with pytest.raises(Refused, match="refund_exceeds_payment"):
            entry.refund()

    def test_of_a_payment_that_is_not_booked_yet_it_books_that_first_and_never_to_the_wallet(
        self, books: Books
    ) -> None:
        person = books.person()
        order_id = books.order(person, 1_000)
        payment = captured(order_id, 1_000, refunded=1_000)
        told = ObservedRefund(
            GATEWAY, unique("rfnd_"), None, payment.payment_id, 1_000, "INR", SUCCEEDED, payment=payment
        )
        assert hear(books, told, told) == [RefundNews.NEW, RefundNews.KNOWN]
        assert settle_payment(books.as_role("gateway"), payment, transaction_id=wiring.new_id()).new is False
        assert books.balance(person) == 0
        rows = books.select(
            "SELECT t.type, g.suspense_reason FROM gateway_payments g JOIN transactions t ON t.id = g.transaction_id"
            " WHERE g.gateway_payment_id = %s",
            payment.payment_id,
        )
        assert rows == [{"type": "suspense", "suspense_reason": "already_refunded"}]
        assert books.faults() == []

    def test_of_a_payment_that_was_never_captured_it_moves_nothing(self, books: Books) -> None:
        person = books.person()
        payment = replace(
            captured(books.order(person, 1_000), 1_000, refunded=1_000),
            captured=False,
            status=PaymentStatus.REFUNDED,
        )
        told = ObservedRefund(
            GATEWAY, unique("rfnd_"), None, payment.payment_id, 1_000, "INR", SUCCEEDED, payment=payment
        )
        before = books.select("SELECT COUNT(*) AS n FROM transactions")
        assert hear(books, told, told) == [RefundNews.NO_MONEY] * 2
        assert books.select("SELECT COUNT(*) AS n FROM transactions") == before
        assert books.balance(person) == 0

    def test_of_a_payment_that_nobody_has_told_of_it_waits(self, books: Books) -> None:
        person = books.person()
        payment = captured(books.order(person, 1_000), 1_000)
        told = ObservedRefund(GATEWAY, unique("rfnd_"), None, payment.payment_id, 1_000, "INR", SUCCEEDED)
        assert hear(books, told) == [RefundNews.UNKNOWN_PAYMENT]
        settlement.settle_payment(books.as_role("gateway"), payment, transaction_id=wiring.new_id())
        assert hear(books, told) == [RefundNews.NEW]
        assert books.balance(person) == 0

    @pytest.mark.parametrize("changes", [{"amount": 1_001}, {"currency": "USD"}])
    def test_one_that_can_not_be_of_this_payment_is_for_people(self, books: Books, changes: dict[str, object]) -> None:
        person = books.person()
        entry = Entry(books, person, 1_000)
        told = entry.told(SUCCEEDED, 400, reference=None, refund_id=unique("rfnd_"))
        wrong = replace(told, **changes)  # type: ignore[arg-type]  # a table of examples
        assert hear(books, wrong) == [RefundNews.MISMATCH]
        assert books.balance(person) == 1_000

    def test_a_reference_of_nobody_is_somebody_elses_refund(self, books: Books) -> None:
        person = books.person()
        entry = Entry(books, person, 1_000)
        hear(books, entry.told(SUCCEEDED, 400, reference=wiring.new_id(), refund_id=unique("rfnd_")))
        assert books.balance(person) == 600

    def test_one_that_failed_gives_back_what_was_set_aside(self, books: Books) -> None:
        person = books.person()
        entry = Entry(books, person, 1_000)
        there = unique("rfnd_")
        hear(books, entry.told(PENDING, 400, reference=None, refund_id=there))
        hear(books, entry.told(FAILED, 400, reference=None, refund_id=there))
        assert (books.balance(person), held(books, person), posted(books, entry)) == (1_000, 0, [])
        assert books.faults() == []


def test_a_status_that_is_new_to_us_moves_nothing(books: Books) -> None:
    entry = Entry(books, books.person(), 1_000)
    told = entry.told(RefundStatus.UNKNOWN, 400, reference=entry.refund(400), refund_id=unique("rfnd_"))
    assert hear(books, told) == [RefundNews.NO_MONEY]


def test_a_settlement_whose_answer_was_lost_is_new_to_the_one_who_repeats_it(books: Books) -> None:
    person = books.person()
    entry = Entry(books, person, 1_000)
    refund_id, transaction_id, gateway = entry.refund(400), wiring.new_id(), books.as_role("gateway")
    told = entry.told(SUCCEEDED, 400, reference=refund_id, refund_id=unique("rfnd_"))
    news = [source_refunds.settle_refund(gateway, refund_id, told, transaction_id=transaction_id) for _ in range(2)]
    assert news == [RefundNews.NEW, RefundNews.NEW]
    assert books.balance(person) == 600


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([PENDING, SUCCEEDED, FAILED]), st.booleans()), max_size=6))
def test_the_kernel_weighs_news_as_the_rule_in_python_does(
    books: Books, stories: list[tuple[RefundStatus, bool]]
) -> None:
    person = books.person()
    entry = Entry(books, person, 1_000)
    refund_id, there, gateway = entry.refund(400), unique("rfnd_"), books.as_role("gateway")
    stored, known_there = PENDING, False
    for status, agrees in stories:
        told = entry.told(status, 400 if agrees else 401, reference=refund_id, refund_id=there)
        wanted = weigh(stored=stored, told=status, agrees=agrees, is_known_there=known_there)
        assert source_refunds.settle_refund(gateway, refund_id, told, transaction_id=wiring.new_id()) is wanted
        if wanted is RefundNews.NEW:
            stored, known_there = status, True
    gateway.close()
    assert row(books, refund_id)["status"] == stored
    assert books.balance(person) == (600 if stored is SUCCEEDED else 1_000)
    assert held(books, person) == (400 if stored is PENDING else 0)


def test_opens_settlements_and_payments_mixed_at_once_never_deadlock_and_always_add_up(books: Books) -> None:
    person, shop = books.person(money=20_000), books.person()
    entries = [Entry(books, person, 1_000, refunded=number % 2) for number in range(6)]
    dice = random.Random(3)

    def story(entry: Entry) -> object:
        def run() -> None:
            refund_id, there = entry.refund(300), unique("rfnd_")
            end = dice.choice([SUCCEEDED, FAILED])
            hear(books, *[entry.told(s, 300, reference=refund_id, refund_id=there) for s in (PENDING, end, end)])

        return run

    def foreign(entry: Entry) -> object:
        return lambda: hear(books, entry.told(SUCCEEDED, 200, reference=None, refund_id=unique("rfnd_")))

    tasks: list[object] = [story(entry) for entry in entries for _ in range(2)]
    tasks += [foreign(entry) for entry in entries]
    tasks += [lambda: pay(books, person, shop, 100) for _ in range(20)]
    dice.shuffle(tasks)
    answers = together(tasks, at_once=12)  # type: ignore[arg-type]  # three kinds of tasks
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert held(books, person) == 0
    assert books.faults() == []


def test_who_settles_a_refund_from_suspense_and_who_begins_the_next_lock_in_the_same_order(books: Books) -> None:
    person, entry = over_the_cap(books)
    first = entry.refund(100_000)
    seen = deadlocks(books)
    told = entry.told(SUCCEEDED, 100_000, reference=first, refund_id=unique("rfnd_"))
    # while the wallet is locked, both of them wait for it, or for each other
    answers = behind_wallet(books, person, [partial(hear, books, told), partial(entry.refund, 100_000)], nothing)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert deadlocks(books) == seen
    assert row(books, first)["status"] == SUCCEEDED
    assert books.faults() == []
