"""Debts: what left for somebody and nothing of theirs covers is traced to its owner, while it is open and after."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from uuid import UUID

import pytest

from local.database import PrivateServer
from tests.support import moves
from tests.support.books import Books, Person
from tests.support.disputes import TopUp, end, instruction, tell, then
from tests.support.operators import asked
from tests.support.own_database import own_books
from tests.support.payouts import PROVIDER
from wallet import wiring
from wallet.ledger import ids
from wallet.ledger.breaks import Break, Kind
from wallet.ledger.refunds import RefundStatus
from wallet.movements.refund_to_source import book_refund
from wallet.storage import breaks, debts, inspection, operators, withdrawals
from wallet.storage.breaks import tidy_breaks
from wallet.storage.debts import Debt


@pytest.fixture
def fresh(server: PrivateServer) -> Iterator[Books]:
    """Books in which nobody owes anything."""
    with own_books(server, "debts") as fresh:
        yield fresh


def owed(books: Books, **asked: object) -> tuple[Debt, ...]:
    with closing(books.as_role("operator")) as operator:
        return debts.debts(operator, **{"limit": 100} | asked)  # type: ignore[arg-type]  # of several types


def hear(books: Books, *refunds: object) -> None:
    with closing(books.as_role("gateway")) as gateway:
        for refund in refunds:
            book_refund(gateway, wiring.new_id, refund)  # type: ignore[arg-type]  # refunds
        tidy_breaks(gateway)


def is_of(debt: Debt, person: Person) -> bool:
    return (debt.user_id, debt.wallet_id, debt.phone) == (person.user_id, person.wallet_id, person.phone)


def resolve(books: Books, break_id: UUID) -> None:
    with closing(books.as_role("operator")) as operator:
        ordered = asked(operator, "resolve_break", instruction())
        operators.resolve_break(operator, ordered, action_id=wiring.new_id(), break_id=break_id)


def spent(books: Books, amount: int) -> tuple[Person, TopUp]:
    """Somebody who has topped up and has nothing left of it."""
    person = books.person()
    top_up = TopUp(books, person, amount)
    moves.pay(books, person, books.person(), amount)
    return person, top_up


def test_a_refund_of_what_was_spent_is_its_owners_debt_while_it_is_open_and_after(fresh: Books) -> None:
    person, top_up = spent(fresh, 1_000)
    refund = top_up.refunded(600)
    with closing(fresh.as_role("gateway")) as gateway:
        book_refund(gateway, wiring.new_id, refund)
    [debt] = owed(fresh)
    assert is_of(debt, person), "before the reconciler has made a break of it"
    hear(fresh)
    [debt] = owed(fresh)
    assert (debt.cause, debt.subject, debt.amount) == ("uncovered_refund", refund.refund_id, 600)
    assert (debt.until, debt.resolution) == (None, None)
    with closing(fresh.as_role("operator")) as operator:
        [listed] = inspection.uncovered_refunds(operator, limit=10)
        assert (listed.owner_wallet_id, listed.owner_phone) == (person.wallet_id, person.phone)
    resolve(fresh, debt.debt_id)
    [after] = owed(fresh)
    assert after.until is not None
    assert replace(after, until=None, resolution=None, resolved_by=None, reason=None) == debt
    assert (after.resolution, after.resolved_by, after.reason) == ("operator", "Meera", "the bank has written")
    assert owed(fresh, only_open=True) == ()
    assert owed(fresh, wallet_id=person.wallet_id) == (after,)
    assert owed(fresh, wallet_id=fresh.person().wallet_id) == ()
    with closing(fresh.as_role("operator")) as operator:
        seen = inspection.find_wallet(operator, wallet_id=None, phone=person.phone)
    assert seen is not None
    assert seen.debts == (after,)


def test_a_refund_that_fails_after_all_is_no_debt_any_more(fresh: Books) -> None:
    _, top_up = spent(fresh, 1_000)
    refund = top_up.refunded(600, RefundStatus.PENDING)
    hear(fresh, refund)
    assert [debt.until for debt in owed(fresh)] == [None]
    hear(fresh, replace(refund, status=RefundStatus.FAILED))
    [debt] = owed(fresh)
    assert (debt.resolution, debt.until is not None) == ("failed", True)


def test_a_refund_that_the_wallet_covers_is_none(fresh: Books) -> None:
    hear(fresh, TopUp(fresh, fresh.person(), 1_000).refunded(600))
    assert owed(fresh) == ()


def test_of_money_in_suspense_it_is_whose_it_was_credited_to_and_as_much_as_is_missing(fresh: Books) -> None:
    nobody, person = fresh.person(), fresh.person()
    top_up = TopUp(fresh, nobody, 1_000, suspended=True)
    with closing(fresh.as_role("operator")) as operator:
        operators.credit_from_suspense(
            operator,
            asked(operator, "credit_from_suspense", instruction()),
            transaction_id=wiring.new_id(),
            suspended_id=top_up.id,
            wallet_id=person.wallet_id,
            amount=700,
            over_limits=False,
        )
    hear(fresh, top_up.refunded(500))
    [debt] = owed(fresh)
    assert is_of(debt, person)
    assert debt.amount == 200, "300 were still there"


def test_a_withdrawal_that_was_paid_and_given_back_is_its_owners_debt(fresh: Books) -> None:
    person, other = fresh.person(money=1_000), fresh.person(money=1_000)
    made = {who: withdrawn(fresh, who) for who in (person, other)}
    with closing(fresh.as_role("gateway")) as gateway:
        for who, ours, theirs in ((person, 0, 600), (other, 600, 0)):
            subject = ids.show(ids.WITHDRAWAL, made[who])
            found = Break(Kind.DISPUTED_WITHDRAWAL, subject, ours, theirs, "INR")
            breaks.note_break(gateway, found, gateway=PROVIDER, break_id=wiring.new_id())
    [debt] = owed(fresh)
    assert is_of(debt, person), "what the provider owes is nobody's debt to us"
    assert (debt.cause, debt.amount, debt.subject) == (
        "disputed_withdrawal",
        600,
        ids.show(ids.WITHDRAWAL, made[person]),
    )
    assert owed(fresh, wallet_id=other.wallet_id) == ()
    resolve(fresh, debt.debt_id)
    [after] = owed(fresh, wallet_id=person.wallet_id)
    assert (after.resolution, after.resolved_by, after.since) == ("operator", "Meera", debt.since)
    assert owed(fresh, only_open=True) == ()


def withdrawn(books: Books, person: Person) -> UUID:
    with closing(books.as_role("withdrawals")) as database:
        receipt, _ = withdrawals.open_withdrawal(
            database,
            person.claim(),
            withdrawal_id=wiring.new_id(),
            provider=PROVIDER,
            vpa="asha@okbank",
            amount=600,
            first_check_s=60,
        )
    return receipt.id


def test_a_chargeback_is_a_debt_as_far_as_nothing_covers_it_and_stays_on_record_when_we_bear_it(fresh: Books) -> None:
    person, top_up = spent(fresh, 1_000)
    fresh.top_up(person, 300)
    covered = TopUp(fresh, fresh.person(), 1_000).disputed()
    dispute = top_up.disputed()
    tell(fresh, dispute, covered)
    [debt] = owed(fresh)
    assert is_of(debt, person)
    assert (debt.cause, debt.subject, debt.amount) == ("payment_dispute", dispute.dispute_id, 700)
    tell(fresh, then(dispute, "lost"))
    end(fresh, dispute, "lost_recovered")
    [after] = owed(fresh)
    assert (after.amount, after.resolution, after.resolved_by) == (700, "borne", "Meera")
    assert (after.since, after.until is not None, owed(fresh, only_open=True)) == (debt.since, True, ())


def test_a_disputed_payment_that_lies_in_suspense_covers_itself(fresh: Books) -> None:
    top_up = TopUp(fresh, fresh.person(), 1_000, suspended=True)
    dispute = top_up.disputed(700)
    tell(fresh, dispute, then(dispute, "lost"))
    assert owed(fresh) == ()
    end(fresh, dispute, "lost_recovered")
    assert owed(fresh) == ()


def test_pages_follow_one_another_over_all_causes(fresh: Books) -> None:
    found = []
    for number in range(5):
        person, top_up = spent(fresh, 1_000)
        if number % 2:
            tell(fresh, top_up.disputed())
        else:
            hear(fresh, top_up.refunded(100))
        found.append(person.wallet_id)
    after, pages = None, []
    while page := owed(fresh, after=after, limit=2):
        pages.append(page)
        after = page[-1].debt_id
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [debt.wallet_id for page in pages for debt in page] == found
