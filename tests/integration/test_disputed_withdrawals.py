"""Withdrawals that were paid out and failed: shown, and ended only by an operator's order and the provider's word."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from tests.support.books import Books, Person
from tests.support.crowd import together
from tests.support.operators import asked
from tests.support.payouts import charge, held, payout, state_of, tell, withdraw
from wallet import wiring
from wallet.gateways.port import GatewayUnavailableError
from wallet.ledger import ids
from wallet.ledger.breaks import Kind
from wallet.ledger.receipts import WithdrawalReceipt
from wallet.ledger.refusals import Refused
from wallet.ledger.withdrawals import ObservedPayout, PayoutStatus, Standing, Verdict, WithdrawalStatus, weigh
from wallet.movements.payouts import book_payout
from wallet.movements.reconcile import Findings
from wallet.movements.reconcile_withdrawals import reconcile_withdrawals
from wallet.storage import breaks, inspection, operators, withdrawals
from wallet.storage.operators import Instruction, OrderedEnd
from wallet.storage.withdrawals import Settled

SUCCEEDED, FAILED, REVERSED = PayoutStatus.SUCCEEDED, PayoutStatus.FAILED, PayoutStatus.REVERSED
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

    def hear(self, news: PayoutStatus | None = None, *, asked: bool = False) -> Settled:
        with closing(self.books.as_role("gateway")) as database:
            return book_payout(database, wiring.new_id, payout(self.receipt, news or self.news), asked=asked)

    def answers(self, news: PayoutStatus) -> Findings:
        """The provider is asked, now, and says this."""
        self.provider.told = {self.reference: payout(self.receipt, news)}
        self.books.write("UPDATE withdrawals SET next_check_at = UTC_TIMESTAMP(6) WHERE id = %s", self.receipt.id.bytes)
        return self.ask()

    def end(self, news: PayoutStatus | None = None) -> None:
        """An operator orders the end of what is open, and the provider says the same word when it is asked."""
        self.hear(news, asked=news is not None)
        self.order()
        assert self.answers(news or self.news).booked == 1
        assert self.open_breaks() == []

    def asked_in_h(self) -> int | None:
        """In how many hours the provider is asked next."""
        row = self.books.select(
            "SELECT ROUND(TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), next_check_at) / 3600) AS hours FROM withdrawals"
            " WHERE id = %s",
            self.receipt.id.bytes,
        )
        hours: int | None = row[0]["hours"]
        return hours

    def order(self) -> OrderedEnd:
        instruction = Instruction("meera", "the bank says so, ticket 12", self.person.claim())
        with closing(self.books.as_role("operator")) as operator:
            asked(operator, "end_dispute", instruction)
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
            shown = inspection.shown_breaks(operator, kind=Kind.DISPUTED_WITHDRAWAL, limit=100)
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


def corrected(books: Books) -> Dispute:
    """One that failed in our books and was paid out after all: its amount was debited by an operator's order."""
    dispute = Dispute(books, FAILED, SUCCEEDED)
    dispute.end()
    assert books.balance(dispute.person) == 7_000
    return dispute


def ordered_back(books: Books) -> Dispute:
    """One that was paid out in our books and failed after all: its money came back by an operator's order."""
    dispute = Dispute(books, SUCCEEDED, FAILED)
    dispute.end()
    assert books.balance(dispute.person) == 10_000
    return dispute


@pytest.mark.parametrize("asked", [False, True], ids=["event", "answer"])
def test_a_correction_that_the_bank_sends_back_is_in_the_wallet_again_once(books: Books, asked: bool) -> None:  # noqa: FBT001 - a parameter
    with charge(books, flat=FEE):
        dispute = corrected(books)
        assert dispute.hear(REVERSED, asked=asked) is Settled.NEW
        assert books.balance(dispute.person) == 10_000, "without a fee, for the correction took none"
        for again in (REVERSED, FAILED):
            assert dispute.hear(again) is Settled.KNOWN
            assert dispute.hear(again, asked=True) is Settled.KNOWN
        assert dispute.hear(SUCCEEDED) is Settled.KNOWN, "an event from before it came back"
        assert (books.balance(dispute.person), dispute.open_breaks()) == (10_000, [])
    told = books.select(
        "SELECT detail FROM outbox WHERE type = 'WithdrawalReversed' AND wallet_id = %s", dispute.person.wallet_id.bytes
    )
    assert [json.loads(row["detail"])["fee"] for row in told] == [0]
    assert books.faults() == []


@pytest.mark.parametrize("asked", [False, True], ids=["event", "answer"])
def test_a_corrected_payout_that_is_called_failed_again_is_a_dispute_that_an_operator_ends(
    books: Books,
    asked: bool,  # noqa: FBT001 - a parameter
) -> None:
    dispute = corrected(books)
    assert dispute.hear(FAILED, asked=asked) is Settled.DISPUTED
    assert dispute.hear(FAILED, asked=asked) is Settled.DISPUTED
    assert dispute.open_breaks() == [("disputed_withdrawal", 3_000, 0, False)]
    assert books.balance(dispute.person) == 7_000, "without an order nothing moves"
    dispute.order()
    assert dispute.hear(FAILED) is Settled.DISPUTED, "an event carries no order out"
    assert dispute.answers(FAILED).booked == 1
    assert books.balance(dispute.person) == 10_000
    assert (dispute.open_breaks(), dispute.resolution()) == ([], "ended")
    assert dispute.answers(FAILED) == Findings(asked=1)
    assert books.balance(dispute.person) == 10_000
    assert books.faults() == []


def test_an_old_event_that_says_failed_has_the_provider_asked_whose_answer_ends_it(books: Books) -> None:
    dispute = corrected(books)
    assert dispute.hear(FAILED) is Settled.DISPUTED
    assert dispute.asked_in_h() == 0
    assert dispute.hear(SUCCEEDED) is Settled.KNOWN
    assert dispute.open_breaks() != [], "an event ends nothing"
    assert dispute.ask() == Findings(asked=1)
    assert (dispute.open_breaks(), dispute.resolution()) == ([], "gone")
    assert books.balance(dispute.person) == 7_000
    assert books.faults() == []


def test_one_that_was_ordered_back_and_was_paid_after_all_is_a_dispute_again(books: Books) -> None:
    with charge(books, flat=FEE):
        dispute = ordered_back(books)
        assert dispute.hear(SUCCEEDED) is Settled.KNOWN, "an old event"
        assert dispute.open_breaks() == []
        assert dispute.answers(SUCCEEDED).broken == [f"{dispute.reference}: disputed"]
        assert dispute.open_breaks() == [("disputed_withdrawal", 0, 3_000, False)]
        assert books.balance(dispute.person) == 10_000
        dispute.order()
        assert dispute.answers(SUCCEEDED).booked == 1
        assert books.balance(dispute.person) == 7_000
        assert state_of(books, dispute.receipt.id)["status"] == "reversed"
        assert (dispute.open_breaks(), dispute.resolution()) == ([], "ended")
        assert dispute.answers(SUCCEEDED) == Findings(asked=1)
    assert books.faults() == []


def test_an_order_does_nothing_about_a_contradiction_that_it_was_not_given_for(books: Books) -> None:
    dispute = Dispute(books, SUCCEEDED, FAILED)
    dispute.hear()
    dispute.order()
    assert dispute.hear(REVERSED) is Settled.NEW, "the bank has sent it back"
    assert dispute.answers(SUCCEEDED).booked == 0, "the answer to a question from before that"
    assert books.balance(dispute.person) == 10_000
    assert dispute.open_breaks() == [("disputed_withdrawal", 0, 3_000, False)]
    assert dispute.answers(REVERSED) == Findings(asked=1)
    assert (dispute.open_breaks(), dispute.resolution()) == ([], "gone")
    assert books.faults() == []


def test_what_an_order_waits_for_outlives_what_the_bank_does_meanwhile(books: Books) -> None:
    dispute = corrected(books)
    dispute.hear(FAILED)
    dispute.order()
    assert dispute.hear(REVERSED) is Settled.NEW
    assert (books.balance(dispute.person), dispute.open_breaks()) == (10_000, [])
    assert dispute.answers(FAILED) == Findings(asked=1)
    assert books.balance(dispute.person) == 10_000
    assert books.faults() == []


@pytest.mark.parametrize("first", [corrected, ordered_back])
def test_a_third_turn_is_shown_and_is_not_an_orders_to_end(books: Books, first: Callable[[Books], Dispute]) -> None:
    dispute = first(books)
    there, back = (FAILED, SUCCEEDED) if first is corrected else (SUCCEEDED, FAILED)
    dispute.end(there)
    balance = books.balance(dispute.person)
    assert dispute.hear(back, asked=True) is Settled.DISPUTED
    with pytest.raises(Refused, match="not_found"):
        dispute.order()
    assert dispute.hear(back, asked=True) is Settled.DISPUTED
    assert len(dispute.open_breaks()) == 1
    assert books.balance(dispute.person) == balance
    assert books.faults() == []


@pytest.mark.parametrize("first", [corrected, ordered_back])
def test_whatever_has_ended_a_dispute_the_provider_is_asked_daily_for_a_week_more(
    books: Books, first: Callable[[Books], Dispute]
) -> None:
    dispute = first(books)
    old = "UPDATE withdrawals SET created_at = created_at - INTERVAL 90 DAY WHERE id = %s"
    books.write(old, dispute.receipt.id.bytes)
    assert dispute.asked_in_h() == 24
    days = 0
    while dispute.asked_in_h() is not None:
        books.write(
            "UPDATE withdrawals SET ended_at = ended_at - INTERVAL 1 DAY WHERE id = %s", dispute.receipt.id.bytes
        )
        assert dispute.answers(dispute.news) == Findings(asked=1)
        days += 1
    assert days == 6
    books.write(
        "UPDATE withdrawals SET created_at = created_at + INTERVAL 90 DAY WHERE id = %s", dispute.receipt.id.bytes
    )


def test_a_dispute_that_the_provider_takes_back_has_it_asked_for_a_week_more(books: Books) -> None:
    dispute = Dispute(books, FAILED, SUCCEEDED)
    dispute.hear()
    assert dispute.answers(FAILED) == Findings(asked=1)
    assert (dispute.resolution(), dispute.asked_in_h()) == ("gone", 24)
    assert dispute.answers(FAILED) == Findings(asked=1)
    assert dispute.asked_in_h() == 24


@pytest.mark.parametrize("first", [corrected, ordered_back])
@pytest.mark.parametrize("news", [SUCCEEDED, FAILED, REVERSED])
@pytest.mark.parametrize("asked", [False, True], ids=["event", "answer"])
@pytest.mark.parametrize("turns", [1, 2])
def test_the_kernel_weighs_what_it_hears_as_the_pure_rule_does(
    books: Books,
    first: Callable[[Books], Dispute],
    news: PayoutStatus,
    asked: bool,  # noqa: FBT001 - a parameter
    turns: int,
) -> None:
    dispute = first(books)
    if turns > 1:
        dispute.end(FAILED if first is corrected else SUCCEEDED)
    status = WithdrawalStatus(state_of(books, dispute.receipt.id)["status"])
    standing = Standing(status, corrected=turns > 1 or first is corrected, returned=turns > 1 or first is ordered_back)
    told = {Verdict.COMES_BACK: Settled.NEW, Verdict.DISPUTED: Settled.DISPUTED}
    assert books.balance(dispute.person) == (7_000 if standing.is_paid else 10_000)
    verdict = weigh(standing, news, asked=asked)
    assert dispute.hear(news, asked=asked) is told.get(verdict, Settled.KNOWN)
    is_paid = standing.is_paid and verdict is not Verdict.COMES_BACK
    assert books.balance(dispute.person) == (7_000 if is_paid else 10_000)
    assert bool(dispute.open_breaks()) is (verdict is Verdict.DISPUTED)


@pytest.mark.parametrize("news", [REVERSED, FAILED])
def test_twenty_who_hear_it_at_once_after_a_correction_give_the_money_back_once(
    books: Books, news: PayoutStatus
) -> None:
    dispute = corrected(books)
    if news is FAILED:
        dispute.hear(FAILED)
        dispute.order()
    answers = together([lambda: dispute.hear(news, asked=True)] * 20)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert answers.count(Settled.NEW) == 1, answers
    assert (books.balance(dispute.person), dispute.open_breaks()) == (10_000, [])
    assert books.faults() == []


def test_a_commit_whose_answer_is_lost_is_no_second_return_and_no_duplicate(books: Books) -> None:
    dispute = corrected(books)
    transaction_id, told = wiring.new_id(), payout(dispute.receipt, REVERSED)
    with closing(books.as_role("gateway")) as database:
        for _ in range(2):
            settled = withdrawals.hear_dispute(
                database,
                told,
                withdrawal_id=dispute.receipt.id,
                subject=dispute.reference,
                break_id=wiring.new_id(),
                transaction_id=transaction_id,
                asked=False,
            )
            assert settled is Settled.NEW
    assert books.balance(dispute.person) == 10_000


def test_news_that_does_not_agree_takes_no_correction_back(books: Books) -> None:
    dispute = corrected(books)
    with closing(books.as_role("gateway")) as database:
        for lie in ({"amount": 3_001}, {"currency": "USD"}, {"payout_id": "pout_another"}):
            told = payout(dispute.receipt, REVERSED, **lie)
            assert book_payout(database, wiring.new_id, told, asked=True) is Settled.MISMATCH
    assert books.balance(dispute.person) == 7_000


def test_a_correction_that_comes_back_opens_a_closed_wallet_again(books: Books) -> None:
    dispute = Dispute(books, FAILED, SUCCEEDED)
    withdraw_all, _ = withdraw(books, dispute.person, 7_000)
    tell(books, withdraw_all, SUCCEEDED)
    books.write("UPDATE wallets SET status = 'closing' WHERE id = %s", dispute.person.wallet_id.bytes)
    dispute.end()
    standing = "SELECT status, balance FROM wallets WHERE id = %s"
    assert books.select(standing, dispute.person.wallet_id.bytes) == [{"status": "closed", "balance": 0}]
    assert dispute.hear(REVERSED) is Settled.NEW
    assert books.select(standing, dispute.person.wallet_id.bytes) == [{"status": "closing", "balance": 3_000}]
    assert books.faults() == []


def test_who_dies_between_the_two_questions_to_the_kernel_leaves_the_money_to_be_given_back(books: Books) -> None:
    dispute = corrected(books)
    assert tell(books, dispute.receipt, REVERSED) is Settled.DISPUTED, "and here it died"
    assert books.balance(dispute.person) == 7_000
    assert dispute.hear(REVERSED) is Settled.NEW
    assert books.balance(dispute.person) == 10_000
