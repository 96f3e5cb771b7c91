"""The kernel does with withdrawals what the pure rules do: the same commands, the same refusals, the same wallet."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.database import PrivateServer
from tests.support.books import Books, Person, beside
from tests.support.moves import made_anew
from tests.support.payouts import charge, person_with_tier, tell, withdraw
from wallet.ledger.fees import FeeRate
from wallet.ledger.limits import Limits, Tier
from wallet.ledger.receipts import Balance, WithdrawalReceipt
from wallet.ledger.refusals import Refused
from wallet.ledger.wallets import Wallet, WalletStatus, refuse_withdrawal
from wallet.ledger.withdrawals import Booking, PayoutStatus, WithdrawalStatus, hear
from wallet.storage.withdrawals import Settled

if TYPE_CHECKING:
    from wallet.storage.claims import Claim

_MAX_PAYMENT, _MAX_DEBIT_DAY = 900, 1_500
#: Of a day in India, as UTC.
_NOON = time(6, 30)
_RATE = FeeRate(basis_points=250, flat=3)
_MONEY = 3_000


@dataclass(frozen=True)
class Ask:
    amount: int
    again: bool  # under the key of the one before


@dataclass(frozen=True)
class News:
    which: int
    status: PayoutStatus


@dataclass(frozen=True)
class Turn:
    status: WalletStatus


commands = st.lists(
    st.one_of(
        st.builds(Ask, amount=st.sampled_from([99, 100, 101, 300, 600, 900, 901, 1_500]), again=st.booleans()),
        st.builds(
            News,
            which=st.integers(0, 5),
            status=st.sampled_from([PayoutStatus.SUCCEEDED, PayoutStatus.FAILED, PayoutStatus.REVERSED]),
        ),
        st.builds(Turn, status=st.sampled_from([WalletStatus.ACTIVE, WalletStatus.ACTIVE, WalletStatus.FROZEN])),
    ),
    min_size=3,
    max_size=25,
)


class Both:
    """One wallet, as a value and as a row."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.person: Person = person_with_tier(books, max_payment=_MAX_PAYMENT, max_debit_day=_MAX_DEBIT_DAY)
        books.top_up(self.person, _MONEY)
        limits = Limits("the row's", max_payment=_MAX_PAYMENT, max_debit_day=_MAX_DEBIT_DAY)
        tier = Tier(((datetime(2020, 1, 1, tzinfo=UTC), limits),))
        self.wallet = Wallet(self.person.wallet_id, tier, balance=_MONEY)
        self.made: list[tuple[WithdrawalReceipt, WithdrawalStatus]] = []
        self.by_key: dict[str, WithdrawalReceipt] = {}
        self.last: tuple[Claim, int] | None = None

    def play(self, command: Any) -> None:
        getattr(self, f"_{type(command).__name__.lower()}")(command)

    def _ask(self, command: Ask) -> None:
        if command.again and self.last is not None:
            claim, amount = self.last
        else:
            claim, amount = self.person.claim(asked=str(command.amount)), command.amount
        known = self.by_key.get(claim.key)
        now, fee = datetime.now(UTC), _RATE.on(amount)
        expected = None if known is not None else refuse_withdrawal(self.wallet, amount, fee, now)
        self.last = (claim, amount)
        if expected is not None:
            with pytest.raises(Refused) as caught:
                withdraw(self.books, self.person, amount, claim=claim)
            assert caught.value.refusal is expected
            return
        told, replayed = withdraw(self.books, self.person, amount, claim=claim)
        assert replayed is (known is not None)
        if known is not None:
            assert told == made_anew(known)
            return
        assert told.fee == fee
        self.wallet = replace(
            self.wallet, held=self.wallet.held + amount + fee, usage=self.wallet.usage.with_debit(amount, now)
        )
        assert told.balance == Balance(self.wallet.balance, self.wallet.held)
        self.made.append((told, WithdrawalStatus.PENDING))
        self.by_key[claim.key] = told

    def _news(self, command: News) -> None:
        if command.which >= len(self.made):
            return
        receipt, status = self.made[command.which]
        step = hear(status, command.status)
        settled = tell(self.books, receipt, command.status)
        assert (settled is Settled.NEW, settled is Settled.DISPUTED) == (bool(step.bookings), step.disputed)
        self.made[command.which] = (receipt, step.status)
        for booking in step.bookings:
            self._book(booking, receipt)

    def _book(self, booking: Booking, receipt: WithdrawalReceipt) -> None:
        whole, wallet = receipt.amount + receipt.fee, self.wallet
        if booking is Booking.LEAVES:
            self.wallet = replace(wallet, balance=wallet.balance - whole, held=wallet.held - whole)
            return
        usage = wallet.usage.without_debit(receipt.amount, receipt.created_at)
        if booking is Booking.IS_FREED:
            self.wallet = replace(wallet, held=wallet.held - whole, usage=usage)
        else:
            self.wallet = replace(wallet, balance=wallet.balance + whole, usage=usage)

    def _turn(self, command: Turn) -> None:
        self.wallet = replace(self.wallet, status=command.status)
        self.books.write(
            "UPDATE wallets SET status = %s WHERE id = %s", command.status.value, self.person.wallet_id.bytes
        )

    def compare(self) -> None:
        row = self.books.select("SELECT * FROM wallets WHERE id = %s", self.person.wallet_id.bytes)[0]
        used = self.wallet.usage
        if row["debited_month"]:  # of the day and the month of its last debit
            used = used.begun(datetime.combine(row["usage_day"], _NOON, tzinfo=UTC))
        assert (row["balance"], row["held"]) == (self.wallet.balance, self.wallet.held)
        assert (row["debited_day"], row["debited_month"]) == (used.debited_day, used.debited_month)


@pytest.fixture(scope="module")
def books(server: PrivateServer) -> Iterator[Books]:
    """A database of our own: the games write far more than all other tests together."""
    with beside(server, "withdrawals") as books:
        books.migrate()
        yield books


@pytest.fixture(scope="module")
def charged(books: Books) -> Iterator[Books]:
    """Withdrawals cost something meanwhile."""
    with charge(books, basis_points=_RATE.basis_points, flat=_RATE.flat):
        yield books


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=commands)
def test_the_kernel_does_what_the_pure_rules_say(charged: Books, story: list[Any]) -> None:
    both = Both(charged)
    for command in story:
        both.play(command)
        both.compare()


def test_and_the_books_are_right_after_all_of_it(charged: Books) -> None:
    assert charged.faults() == []
