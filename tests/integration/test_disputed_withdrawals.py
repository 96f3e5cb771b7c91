"""Withdrawals that were paid out and failed: shown, and ended only by an operator's order and the provider's word."""

from contextlib import closing
from dataclasses import dataclass, field

import pytest

from tests.support.books import Books, Person
from tests.support.crowd import together
from tests.support.payouts import charge, held, payout, state_of, tell, withdraw
from wallet import wiring
from wallet.gateways.port import GatewayUnavailableError
from wallet.ledger import ids
from wallet.ledger.breaks import Kind
from wallet.ledger.receipts import WithdrawalReceipt
from wallet.ledger.refusals import Refused
from wallet.ledger.withdrawals import ObservedPayout, PayoutStatus
from wallet.movements.payouts import book_payout
from wallet.movements.reconcile import Findings
from wallet.movements.reconcile_withdrawals import reconcile_withdrawals
from wallet.storage import breaks, operators
from wallet.storage.operators import Instruction, OrderedEnd
from wallet.storage.withdrawals import Settled

SUCCEEDED, FAILED = PayoutStatus.SUCCEEDED, PayoutStatus.FAILED
FEE = 5


@dataclass
class Provider:
    """A payout provider that says what the test wants."""

    told: dict[str, ObservedPayout] = field(default_factory=dict)
    name: str = "razorpayx"
    is_down: bool = False

    def send(self, *, reference: str, amount_minor: int, currency: str, vpa: str, name: str) -> ObservedPayout:
        raise NotImplementedError

    def find(self, *, reference: str) -> ObservedPayout | None:
        if self.is_down:
            raise GatewayUnavailableError("down")
        return self.told.get(reference)


@dataclass
class Dispute:
    """A withdrawal of 3,000 of 10,000, of which one word is in the books and the other is the provider's."""

    books: Books
    booked: PayoutStatus
    news: PayoutStatus
    person: Person = field(init=False)
    receipt: WithdrawalReceipt = field(init=False)
    provider: Provider = field(default_factory=Provider)

    def __post_init__(self) -> None:
        self.person = self.books.person(money=10_000)
        self.receipt, _ = withdraw(self.books, self.person, 3_000)
        tell(self.books, self.receipt, self.booked)
        self.provider.told = {self.reference: payout(self.receipt, self.news)}

    @property
    def reference(self) -> str:
        return ids.show(ids.WITHDRAWAL, self.receipt.id)

    def hear(self, *, asked: bool = False) -> Settled:
        with closing(self.books.as_role("gateway")) as database:
            return book_payout(database, wiring.new_id, payout(self.receipt, self.news), asked=asked)

    def order(self) -> OrderedEnd:
        instruction = Instruction("meera", "the bank says so, ticket 12", self.person.claim())
        with closing(self.books.as_role("operator")) as operator:
            return operators.end_dispute(
                operator, instruction, action_id=wiring.new_id(), withdrawal_id=self.receipt.id
            )[0]

    def ask(self) -> Findings:
        """One run of the reconciler."""
        findings = Findings()
        with closing(self.books.as_role("gateway")) as database:
            reconcile_withdrawals(
                database, self.provider, wiring.new_id, findings, first_check_s=60, time_left_s=lambda: 60.0
            )
        return findings

    def open_breaks(self) -> list[tuple[str, int | None, int | None, bool]]:
        with closing(self.books.as_role("operator")) as operator:
            shown = breaks.shown_breaks(operator, kind=Kind.DISPUTED_WITHDRAWAL, limit=100)
        return [
            (one.kind, one.our_amount, one.their_amount, one.ordered) for one in shown if one.subject == self.reference
        ]

    def resolution(self) -> str | None:
        row = self.books.select("SELECT resolution FROM reconciliation_breaks WHERE subject = %s", self.reference)
        resolution: str | None = row[0]["resolution"]
        return resolution


@pytest.fixture(autouse=True)
def quiet(books: Books) -> None:
    books.nothing_is_due()


def test_a_contradiction_moves_nothing_and_is_a_break_that_says_both_words(books: Books) -> None:
    paid_first, failed_first = Dispute(books, SUCCEEDED, FAILED), Dispute(books, FAILED, SUCCEEDED)
    for dispute, balance in ((paid_first, 7_000), (failed_first, 10_000)):
        assert dispute.hear() is Settled.DISPUTED
        assert dispute.hear() is Settled.DISPUTED
        assert (books.balance(dispute.person), held(books, dispute.person)) == (balance, 0)
    assert paid_first.open_breaks() == [("disputed_withdrawal", 3_000, 0, False)]
    assert failed_first.open_breaks() == [("disputed_withdrawal", 0, 3_000, False)]
    assert books.faults() == []


def test_a_payout_that_failed_after_all_comes_back_with_its_fee_when_an_operator_has_ordered_it(books: Books) -> None:
    with charge(books, flat=FEE):
        dispute = Dispute(books, SUCCEEDED, FAILED)
        assert books.balance(dispute.person) == 7_000 - FEE
        dispute.hear()
        assert dispute.order().withdrawal_id == dispute.receipt.id
        assert books.balance(dispute.person) == 7_000 - FEE, "an order is not an answer of the provider's"
        assert dispute.hear() is Settled.DISPUTED, "nor is an event, which may be an old one"
        assert dispute.ask().booked == 1
        assert books.balance(dispute.person) == 10_000
        assert state_of(books, dispute.receipt.id)["status"] == "reversed"
        assert (dispute.open_breaks(), dispute.resolution()) == ([], "ended")
        assert dispute.hear() is Settled.KNOWN, "told again it does nothing"
        assert dispute.ask() == Findings()
    assert books.faults() == []


def test_a_payout_that_was_paid_after_all_is_debited_once_without_a_fee(books: Books) -> None:
    with charge(books, flat=FEE):
        dispute = Dispute(books, FAILED, SUCCEEDED)
        dispute.hear()
        dispute.order()
        assert dispute.ask().booked == 1
        assert books.balance(dispute.person) == 7_000
        assert state_of(books, dispute.receipt.id)["status"] == "failed"
        assert (dispute.open_breaks(), dispute.resolution()) == ([], "ended")
        assert dispute.hear(asked=True) is Settled.KNOWN
        assert books.balance(dispute.person) == 7_000
    assert books.faults() == []


def test_what_the_wallet_can_not_bear_is_not_taken_and_the_order_stands_until_it_can(books: Books) -> None:
    dispute = Dispute(books, FAILED, SUCCEEDED)
    withdraw(books, dispute.person, 8_000)  # held for another payout
    dispute.hear()
    dispute.order()
    findings = dispute.ask()
    assert (findings.booked, findings.broken) == (0, [f"{dispute.reference}: not_covered"])
    assert books.balance(dispute.person) == 10_000
    assert dispute.open_breaks() == [("disputed_withdrawal", 0, 3_000, True)]
    books.top_up(dispute.person, 1_500)
    with closing(books.as_role("gateway")) as database:
        breaks.tidy_breaks(database)
    row = state_of(books, dispute.receipt.id)
    assert row["next_check_at"] is not None, "it is asked about again within the hour"
    books.write("UPDATE withdrawals SET next_check_at = UTC_TIMESTAMP(6) WHERE id = %s", dispute.receipt.id.bytes)
    assert dispute.ask().booked == 1
    assert books.balance(dispute.person) == 8_500
    assert dispute.open_breaks() == []
    assert books.faults() == []


def test_an_order_outlives_a_provider_that_is_down(books: Books) -> None:
    dispute = Dispute(books, FAILED, SUCCEEDED)
    dispute.hear()
    books.write(
        "UPDATE withdrawals SET created_at = created_at - INTERVAL 90 DAY WHERE id = %s", dispute.receipt.id.bytes
    )
    dispute.order()
    dispute.provider.is_down = True
    assert dispute.ask().unreachable == 1
    books.write("UPDATE withdrawals SET next_check_at = UTC_TIMESTAMP(6) WHERE next_check_at IS NOT NULL")
    dispute.provider.is_down = False
    assert dispute.ask().booked == 1
    assert books.balance(dispute.person) == 7_000


def test_an_order_outlives_a_reconciler_that_dies_before_it_asks(books: Books) -> None:
    dispute = Dispute(books, FAILED, SUCCEEDED)
    dispute.hear()
    dispute.order()
    books.write("UPDATE withdrawals SET next_check_at = NULL WHERE id = %s", dispute.receipt.id.bytes)
    with closing(books.as_role("gateway")) as database:
        breaks.tidy_breaks(database)
    assert state_of(books, dispute.receipt.id)["next_check_at"] is not None


def test_a_provider_that_takes_its_word_back_ends_the_dispute_and_moves_nothing(books: Books) -> None:
    dispute = Dispute(books, SUCCEEDED, FAILED)
    dispute.hear()
    dispute.order()
    dispute.provider.told = {dispute.reference: payout(dispute.receipt, SUCCEEDED)}
    assert dispute.ask().booked == 0
    assert books.balance(dispute.person) == 7_000
    assert (dispute.open_breaks(), dispute.resolution()) == ([], "gone")
    assert books.faults() == []


@pytest.mark.parametrize(("booked", "news", "balance"), [(SUCCEEDED, FAILED, 10_000), (FAILED, SUCCEEDED, 7_000)])
def test_twenty_who_hear_it_at_once_after_an_order_book_it_once(
    books: Books, booked: PayoutStatus, news: PayoutStatus, balance: int
) -> None:
    dispute = Dispute(books, booked, news)
    dispute.hear()
    dispute.order()
    answers = together([lambda: dispute.hear(asked=True)] * 20)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert answers.count(Settled.NEW) == 1, answers
    assert books.balance(dispute.person) == balance
    assert books.faults() == []


def test_only_an_open_dispute_can_be_ended(books: Books) -> None:
    dispute = Dispute(books, SUCCEEDED, FAILED)
    with pytest.raises(Refused, match="not_found"):
        dispute.order()
    dispute.hear()
    dispute.order()
    dispute.ask()
    with pytest.raises(Refused, match="not_found"):
        dispute.order()


def test_a_payout_that_is_not_what_was_asked_for_is_a_break_and_is_not_believed(books: Books) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 3_000)
    with closing(books.as_role("gateway")) as database:
        for status in (PayoutStatus.PENDING, SUCCEEDED):
            lie = payout(receipt, status, amount=3_001)
            assert book_payout(database, wiring.new_id, lie, asked=True) is Settled.MISMATCH
    row = books.select(
        "SELECT kind, our_amount, their_amount, resolved_at FROM reconciliation_breaks WHERE subject = %s",
        ids.show(ids.WITHDRAWAL, receipt.id),
    )
    assert row == [{"kind": "payout_mismatch", "our_amount": None, "their_amount": 3_001, "resolved_at": None}]
    assert held(books, person) == 3_000
    assert state_of(books, receipt.id)["provider_payout_id"] is None
