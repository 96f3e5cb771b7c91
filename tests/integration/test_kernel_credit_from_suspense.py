"""Money out of suspense into a wallet, on a real server: once under its key, never more than is left, within limits."""

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import UUID

import pytest

from tests.integration.test_kernel_source_refunds import Entry, events, hear, instruction, over_the_cap, pay, row
from tests.support.books import Books, Person, captured, unique
from tests.support.crowd import together
from tests.support.moves import deadlocks, refusals_in
from tests.support.operators import asked
from tests.support.proxy import Proxy
from wallet import wiring
from wallet.ledger.attempts import AttemptStatus
from wallet.ledger.refunds import RefundStatus
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import breaks, inspection, operators, settlement
from wallet.storage.database import Database, Server
from wallet.storage.operators import Instruction, SuspenseCredit

_connections = threading.local()


def operator(books: Books) -> Database:
    """This thread's own."""
    if not hasattr(_connections, "operator"):
        _connections.operator = books.as_role("operator")
    known: Database = _connections.operator
    return known


def credit(books: Books, transaction_id: UUID, amount: int | None = None, **more: Any) -> tuple[SuspenseCredit, bool]:
    arguments: dict[str, Any] = {
        "transaction_id": wiring.new_id(),
        "suspended_id": transaction_id,
        "wallet_id": None,
        "amount": amount,
        "over_limits": False,
    }
    ordered: Instruction = more.pop("ordered", None) or instruction()
    asked(operator(books), "credit_from_suspense", ordered)
    database: Database = more.pop("database", None) or operator(books)
    return operators.credit_from_suspense(database, ordered, **(arguments | more))


def refused(call: Callable[[], object]) -> Refusal:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.refusal


def wrong_amount(books: Books, person: Person, *, asked: int = 1_000, paid: int = 900) -> Entry:
    """A payment of another amount than was asked for: in suspense."""
    entry = Entry(books, person, asked)  # credited, so that the wallet is not at its limits by accident
    order_id = books.order(person, asked)
    entry.payment, entry.id, entry.amount = captured(order_id, paid), wiring.new_id(), paid
    entry.order_id = order_id
    gateway = books.as_role("gateway")
    settled = settlement.settle_payment(gateway, entry.payment, transaction_id=entry.id)
    gateway.close()
    assert settled.suspense is not None
    return entry


def rest(books: Books, entry: Entry) -> int:
    return int(books.select("SELECT rest FROM money_in_suspense WHERE id = %s", entry.id.bytes)[0]["rest"])


def test_money_in_suspense_is_credited_to_whom_it_came_for_with_its_cause(books: Books) -> None:
    person = books.person()
    entry = wrong_amount(books, person)
    done, replayed = credit(books, entry.id)
    assert not replayed
    assert (done.wallet_id, done.amount, done.left) == (person.wallet_id, 900, 0)
    assert books.balance(person) == 1_900
    booked = books.select("SELECT type, amount, cause_id FROM transactions WHERE id = %s", done.transaction_id.bytes)[0]
    assert booked == {"type": "adjustment", "amount": 900, "cause_id": entry.id.bytes}
    told = [event.type for event in books.outbox() if event.wallet_id == person.wallet_id]
    assert told[-1] == "SuspenseCredited"
    journal = books.select(
        "SELECT command, operator, wallet_id, subject_id FROM operator_actions WHERE id = %s", done.transaction_id.bytes
    )[0]
    assert journal == {
        "command": "credit_from_suspense",
        "operator": "Meera",
        "wallet_id": person.wallet_id.bytes,
        "subject_id": entry.id.bytes,
    }
    assert entry.attempt_status is AttemptStatus.FAILED, "what was asked for did not come"
    assert books.faults() == []


def test_an_attempt_that_is_credited_whole_has_succeeded_and_takes_no_second_payment(books: Books) -> None:
    person, entry = over_the_cap(books)
    books.set_tier(person, "full")
    credit(books, entry.id)
    assert entry.attempt_status is AttemptStatus.SUCCEEDED
    again = Entry(books, person, 600_000, order_id=entry.order_id)
    assert rest(books, again) == 600_000, "a second payment of the same order is not credited by itself"
    assert books.balance(person) == 1_500_000
    assert books.faults() == []


def test_it_can_be_credited_in_parts_and_to_another_wallet(books: Books) -> None:
    person, other = books.person(), books.person()
    entry = wrong_amount(books, person)
    credit(books, entry.id, 300)
    done, _ = credit(books, entry.id, 500, wallet_id=other.wallet_id)
    assert (done.left, rest(books, entry)) == (100, 100)
    assert (books.balance(person), books.balance(other)) == (1_300, 500)
    assert refused(lambda: credit(books, entry.id, 101)) is Refusal.REFUND_EXCEEDS_PAYMENT
    credit(books, entry.id)
    assert refused(lambda: credit(books, entry.id)) is Refusal.REFUND_EXCEEDS_PAYMENT
    assert refused(entry.refund) is Refusal.REFUND_EXCEEDS_PAYMENT
    assert books.faults() == []


def test_money_of_nobody_is_credited_only_to_a_wallet_that_is_named(books: Books) -> None:
    person, foreign = books.person(), wiring.new_id()
    gateway = books.as_role("gateway")
    settlement.settle_payment(gateway, captured(unique("order_"), 700), transaction_id=foreign)
    gateway.close()
    assert refused(lambda: credit(books, foreign)) is Refusal.PAYEE_NOT_FOUND
    assert refused(lambda: credit(books, foreign, wallet_id=wiring.new_id())) is Refusal.PAYEE_NOT_FOUND
    credit(books, foreign, wallet_id=person.wallet_id)
    assert books.balance(person) == 700
    assert books.faults() == []


def test_limits_apply_unless_the_order_says_otherwise_and_then_it_still_counts_as_a_load(books: Books) -> None:
    person, entry = over_the_cap(books)
    assert refused(lambda: credit(books, entry.id)) is Refusal.WALLET_LIMIT_EXCEEDED
    assert books.balance(person) == 900_000
    credit(books, entry.id, over_limits=True)
    assert books.balance(person) == 1_500_000
    assert books.faults() == []  # among them: a load that does not count


@pytest.mark.parametrize("status", ["frozen", "closing", "closed"])
def test_a_frozen_wallet_takes_it_and_a_closed_one_does_not(books: Books, status: str) -> None:
    person, other = books.person(), books.person()
    entry = wrong_amount(books, person)
    books.turn(other, status)
    if status == "closed":
        assert refused(lambda: credit(books, entry.id, wallet_id=other.wallet_id)) is Refusal.WALLET_FROZEN
    else:
        credit(books, entry.id, wallet_id=other.wallet_id)
    assert books.balance(other) == (0 if status == "closed" else 900)
    assert books.faults() == []


def test_money_of_another_currency_is_not_credited(books: Books) -> None:
    person, foreign = books.person(), wiring.new_id()
    gateway = books.as_role("gateway")
    settlement.settle_payment(gateway, captured(books.order(person, 900), 900, currency="USD"), transaction_id=foreign)
    gateway.close()
    assert refused(lambda: credit(books, foreign)) is Refusal.INVALID_REQUEST
    assert books.balance(person) == 0


def test_only_money_in_suspense_is_credited(books: Books) -> None:
    person = books.person()
    entry = Entry(books, person, 500)
    assert refused(lambda: credit(books, entry.id)) is Refusal.NOT_FOUND
    assert refused(lambda: credit(books, wiring.new_id())) is Refusal.NOT_FOUND


def test_the_same_key_credits_once_and_answers_it_again_a_year_later_too(books: Books) -> None:
    person = books.person()
    entry = wrong_amount(books, person)
    key = unique("key-")
    first, replayed = credit(books, entry.id, 400, ordered=instruction(key, asked="credit"))
    assert not replayed
    again, replayed = credit(books, entry.id, 400, ordered=instruction(key, asked="credit"))
    assert replayed
    assert again == first
    assert refused(lambda: credit(books, entry.id, 401, ordered=instruction(key, asked="another"))) is (
        Refusal.IDEMPOTENCY_KEY_REUSED
    )
    assert (books.balance(person), rest(books, entry)) == (1_400, 500)


def test_1000_credits_at_once_never_exceed_what_came(books: Books) -> None:
    people = [books.person() for _ in range(4)]
    entry = wrong_amount(books, people[0], paid=90_000)
    before = deadlocks(books)
    tasks = [
        lambda turn=turn: credit(books, entry.id, 700, wallet_id=people[turn % 4].wallet_id) for turn in range(1_000)
    ]
    answers = together(tasks, at_once=16)
    done = [answer for answer in answers if isinstance(answer, tuple)]
    assert len(done) == 90_000 // 700
    assert set(refusals_in(answers)) == {Refusal.REFUND_EXCEEDS_PAYMENT}
    assert len(answers) == 1_000
    assert books.total(*people) == 1_000 + 700 * len(done)
    assert deadlocks(books) == before
    assert books.faults() == []


def test_200_times_one_key_at_once_is_one_credit(books: Books) -> None:
    person = books.person()
    entry = wrong_amount(books, person, paid=90_000)
    ordered = instruction(unique("key-"), asked="credit")
    answers = together([lambda: credit(books, entry.id, 700, ordered=ordered) for _ in range(200)], at_once=16)
    credits_ = {answer[0].transaction_id for answer in answers if isinstance(answer, tuple)}
    assert len(credits_) == 1
    assert refusals_in(answers) == []
    assert books.balance(person) == 1_700


def test_credits_and_refunds_to_source_at_once_never_exceed_what_came(books: Books) -> None:
    person = books.person()
    entry = wrong_amount(books, person, paid=30_000)
    before = deadlocks(books)
    tasks: list[Callable[[], object]] = []
    for _ in range(100):
        tasks += [lambda: credit(books, entry.id, 700), lambda: entry.refund(500)]
    answers = together(tasks, at_once=16)
    assert set(refusals_in(answers)) == {Refusal.REFUND_EXCEEDS_PAYMENT}
    credited = 700 * sum(isinstance(answer, tuple) for answer in answers)
    returned = 500 * sum(isinstance(answer, UUID) for answer in answers)
    assert credited > 0
    assert returned > 0
    assert 0 <= 30_000 - credited - returned < 500
    assert rest(books, entry) == 30_000 - credited - returned
    assert books.balance(person) == 1_000 + credited
    assert deadlocks(books) == before
    assert books.faults() == []


def test_a_refund_that_fails_gives_its_money_free_to_be_credited(books: Books) -> None:
    person = books.person()
    entry = wrong_amount(books, person)
    refund_id = entry.refund()
    assert refused(lambda: credit(books, entry.id, 100)) is Refusal.REFUND_EXCEEDS_PAYMENT
    hear(books, entry.told(RefundStatus.FAILED, 900, reference=refund_id, refund_id=unique("rfnd_")))
    assert row(books, refund_id)["status"] == "failed"
    credit(books, entry.id)
    assert books.balance(person) == 1_900
    assert books.faults() == []


def test_what_the_gateway_gives_back_after_it_was_credited_is_shown_as_uncovered(books: Books) -> None:
    person = books.person()
    entry = wrong_amount(books, person)
    credit(books, entry.id)
    hear(books, entry.told(RefundStatus.SUCCEEDED, 900, reference=None, refund_id=unique("rfnd_")))
    assert rest(books, entry) == -900
    assert entry.id in uncovered(books)
    assert books.balance(person) == 1_900, "the wallet is left alone: this is a debt of its owner"
    assert events(books, person) == ["RefundToSourceRequested", "RefundToSourceSucceeded"]
    assert books.faults() == []


def uncovered(books: Books) -> set[UUID]:
    """The entries whose refunds are shown as uncovered."""
    return {refund.transaction_id for refund in inspection.uncovered_refunds(operator(books), limit=10_000)}


def uncovered_refund(books: Books) -> tuple[Entry, str]:
    """A refund that somebody began at the gateway after the money in suspense had been credited."""
    entry = wrong_amount(books, books.person())
    credit(books, entry.id)
    refund_id = unique("rfnd_")
    hear(books, entry.told(RefundStatus.PENDING, 900, reference=None, refund_id=refund_id))
    return entry, refund_id


def breaks_of(books: Books, refund_id: str) -> list[dict[str, Any]]:
    """What is open about this refund, after a run of the clock."""
    with closing(books.as_role("gateway")) as database:
        breaks.tidy_breaks(database)
        breaks.tidy_breaks(database)
    return books.select(
        "SELECT id, their_amount, currency FROM reconciliation_breaks"
        " WHERE kind = 'uncovered_refund' AND subject = %s AND resolved_at IS NULL",
        refund_id,
    )


def test_an_uncovered_refund_is_a_break_until_an_operator_resolves_it_and_is_not_listed_again(books: Books) -> None:
    entry, refund_id = uncovered_refund(books)
    (found,) = breaks_of(books, refund_id)
    assert (found["their_amount"], found["currency"]) == (900, "INR")
    ordered = asked(operator(books), "resolve_break", instruction())
    operators.resolve_break(operator(books), ordered, action_id=wiring.new_id(), break_id=UUID(bytes=found["id"]))
    assert breaks_of(books, refund_id) == []
    assert entry.id not in uncovered(books)
    hear(books, entry.told(RefundStatus.SUCCEEDED, 900, reference=None, refund_id=refund_id))
    assert breaks_of(books, refund_id) == []


def test_a_refund_of_a_top_up_whose_wallet_has_spent_the_money_is_such_a_break_and_a_covered_one_is_none(
    books: Books,
) -> None:
    spent, kept = Entry(books, books.person(), 1_000), Entry(books, books.person(), 1_000)
    pay(books, spent.person, books.person(), 900)
    told = {entry: unique("rfnd_") for entry in (spent, kept)}
    for entry, refund_id in told.items():
        hear(books, entry.told(RefundStatus.SUCCEEDED, 1_000, reference=None, refund_id=refund_id))
    assert [(one["their_amount"], one["currency"]) for one in breaks_of(books, told[spent])] == [(1_000, "INR")]
    assert breaks_of(books, told[kept]) == []


def test_an_uncovered_refund_that_fails_is_no_break_any_more(books: Books) -> None:
    entry, refund_id = uncovered_refund(books)
    assert len(breaks_of(books, refund_id)) == 1
    hear(books, entry.told(RefundStatus.FAILED, 900, reference=None, refund_id=refund_id))
    assert breaks_of(books, refund_id) == []


def test_a_refund_at_the_gateway_that_is_covered_by_what_is_in_suspense_is_no_break(books: Books) -> None:
    entry = wrong_amount(books, books.person())
    refund_id = unique("rfnd_")
    hear(books, entry.told(RefundStatus.SUCCEEDED, 900, reference=None, refund_id=refund_id))
    assert breaks_of(books, refund_id) == []


@pytest.mark.parametrize("lost_when_asked", [True, False])
def test_a_credit_whose_question_or_answer_is_lost_is_made_once(books: Books, *, lost_when_asked: bool) -> None:
    person = books.person()
    entry = wrong_amount(books, person)
    cut: list[bool] = []

    def once(from_client: bool, _chunk: bytes) -> bool:  # noqa: FBT001 - a judge
        if cut or from_client is not lost_when_asked:
            return True
        cut.append(True)
        return False

    with Proxy((books.server.host, books.server.port)) as proxy:
        server = Server(proxy.host, proxy.port, books.server.database, books.server.ca_pem)
        database = Database(server, books.credentials_of("operator"))
        database.read("SELECT 1")
        proxy.judge = once
        done, _ = credit(books, entry.id, database=database)
        database.close()
    assert cut
    assert done.amount == 900
    assert books.balance(person) == 1_900
    assert books.faults() == []
