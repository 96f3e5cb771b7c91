"""What a preview says is what the kernel then does: the same people, moments and amounts, previewed and then asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.books import Books, Person, set_clock, unique
from tests.support.confirmations import Confirming, set_rules
from tests.support.moves import clock_at, connection, pay, place
from tests.support.payouts import PROVIDER
from wallet import wiring
from wallet.ledger.limits import BrokenLimit, LimitCode
from wallet.ledger.payees import PayeeName
from wallet.ledger.receipts import PaymentReceipt, WithdrawalReceipt
from wallet.ledger.refusals import Refusal, Refused
from wallet.previews.model import Preview
from wallet.previews.service import preview_payment, preview_withdrawal
from wallet.storage.claims import Claim
from wallet.storage.withdrawals import open_withdrawal

#: Half an hour before a day and a month end in India, so that periods are crossed again and again.
_BEGIN = datetime(2031, 5, 31, 18, 0, tzinfo=UTC)
_NEW_RULES = "2031-06-02"
#: Midday in India, in the middle of a month.
_NOON = datetime(2031, 5, 15, 6, 30, tzinfo=UTC)
_MONEY = 3_000
#: A wait is counted from the moment of the commit, which may be microseconds ahead of the clock.
_A_SECOND = timedelta(seconds=1)
_ROLES = ("money", "withdrawals", "reader", "confirmations")

_LIMITS: tuple[dict[str, int], ...] = (
    {},
    {"max_payment": 400},
    {"max_debit_day": 500, "max_debit_month": 900},
    {"max_payment": 400, "max_debit_day": 400, "max_debit_month": 400},
    {"max_payment": 300, "max_debit_month": 1_200, "person_to_person": False, "withdrawals": False},
    {"max_debit_day": 150, "person_to_person": False},
    {"withdrawals": False},
)
_RULES: tuple[dict[str, int], ...] = (
    {},
    {"above": 300},
    {"day_above": 600, "new_vpa": 1},
    {"above": 400, "new_payee_above": 100, "new_vpa_wait_s": 3_600},
    {"above": 0, "new_vpa": 1, "new_vpa_wait_s": 86_400},
    {"new_payee_above": 0, "new_vpa": 1, "new_vpa_wait_s": 3_600},
)

amounts = st.one_of(st.integers(1, 700), st.sampled_from([99, 100, 101, 150, 151, 300, 301, 400, 401, 500, 600, 5_000]))
bases = st.fixed_dictionaries({"limits": st.sampled_from(_LIMITS), "rules": st.sampled_from(_RULES)})


@dataclass(frozen=True)
class Pay:
    payee: int
    amount: int
    confirms: bool


@dataclass(frozen=True)
class Withdraw:
    vpa: int
    amount: int
    confirms: bool


@dataclass(frozen=True)
class Place:
    amount: int
    valid_s: int


@dataclass(frozen=True)
class Receive:
    amount: int


@dataclass(frozen=True)
class Wait:
    seconds: int


@dataclass(frozen=True)
class Pause:
    seconds: int


@dataclass(frozen=True)
class Turn:
    status: str


_PERSON, _MERCHANT, _NOBODY, _SELF = range(4)
_VPAS = ("asha@okbank", "bela@okbank")
_payees = st.sampled_from([_PERSON, _MERCHANT] * 4 + [_NOBODY, _SELF])
commands = st.lists(
    st.one_of(
        st.builds(Pay, payee=_payees, amount=amounts, confirms=st.booleans()),
        st.builds(Pay, payee=_payees, amount=amounts, confirms=st.just(value=True)),
        st.builds(Withdraw, vpa=st.integers(0, 1), amount=amounts, confirms=st.booleans()),
        st.builds(Withdraw, vpa=st.integers(0, 1), amount=amounts, confirms=st.just(value=True)),
        st.builds(Place, amount=st.integers(1, 300), valid_s=st.sampled_from([60, 86_400])),
        st.builds(Receive, amount=st.integers(1, 500)),
        st.builds(Wait, seconds=st.sampled_from([1, 120, 3_600, 86_400, 31 * 86_400])),
        st.builds(Pause, seconds=st.sampled_from([0, 100, 7_200])),
        st.builds(Turn, status=st.sampled_from(["active", "active", "frozen"])),
    ),
    min_size=15,
    max_size=40,
)

Answered = TypeVar("Answered")


class Walk:
    """Somebody whose every movement is previewed first, at a moment that is ours to say."""

    def __init__(self, books: Books, before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]) -> None:
        self.books, self.now = books, _BEGIN
        free, tier = unique("f")[:16], unique("t")[:16]
        books.tier(free, {"2021-01-01": {}})
        books.tier(tier, {"2021-01-01": before["limits"], _NEW_RULES: after["limits"]})
        set_rules(books, tier, "2021-01-01", **before["rules"])
        set_rules(books, tier, _NEW_RULES, **after["rules"])
        self.payer = books.person(tier=free, money=_MONEY)
        self.funder = books.person(tier=free, money=100_000)
        books.set_tier(self.payer, tier)
        books.spread(self.payer, 2)
        nobody = Person(wiring.new_id(), wiring.new_id(), "+919000000000")
        merchant = books.person(tier="merchant", kind="merchant")
        self.payees = {_PERSON: books.person(tier=free), _MERCHANT: merchant, _NOBODY: nobody, _SELF: self.payer}
        self.met: set[str] = set()

    def do(self, command: object) -> None:
        """One step."""
        match command:
            case Pay():
                self._pay(command)
            case Withdraw():
                self._withdraw(command)
            case Place(amount, valid_s):
                _answer(lambda: place(self.books, self.payer, self.payees[_PERSON], amount, valid_s=valid_s))
            case Receive(amount):
                _answer(lambda: pay(self.books, self.funder, self.payer, amount))
            case Wait(seconds):
                self.now += timedelta(seconds=seconds)
                for role in _ROLES:
                    set_clock(connection(self.books, role), self.now)
            case Pause(seconds):
                until = (self.now + timedelta(seconds=seconds)).replace(tzinfo=None)
                wallet_id = self.payer.wallet_id.bytes
                self.books.write("UPDATE wallets SET paused_until = %s WHERE id = %s", until, wallet_id)
            case Turn(status):
                self.books.turn(self.payer, status)

    def _pay(self, command: Pay) -> None:
        payee, amount, claim = self.payees[command.payee], command.amount, self.payer.claim()
        told = _answer(
            lambda: preview_payment(
                connection(self.books, "reader"),
                user_id=self.payer.user_id,
                payee=PayeeName(payee.wallet_id, None),
                amount=amount,
            )
        )
        is_merchant, is_there = command.payee == _MERCHANT, command.payee != _NOBODY

        def ask() -> PaymentReceipt:
            return pay(self.books, self.payer, payee, amount, claim=claim)[0]

        answer = self._held_together(told, ask, amount, command, to_merchant=is_merchant, is_there=is_there)
        answer = self._confirmed(answer, ask, confirms=command.confirms)
        if isinstance(answer, PaymentReceipt):
            assert isinstance(told, Preview)
            assert (told.fee, told.total) == (0, amount)
            assert answer.payer_balance is not None
            assert answer.payer_balance.available == told.available_after, command

    def _withdraw(self, command: Withdraw) -> None:
        vpa, amount, claim = _VPAS[command.vpa], command.amount, self.payer.claim()
        told = _answer(
            lambda: preview_withdrawal(
                connection(self.books, "reader"), user_id=self.payer.user_id, vpa=vpa, amount=amount
            )
        )

        def ask() -> WithdrawalReceipt:
            return _withdrawal(self.books, claim, vpa, amount)

        answer = self._held_together(told, ask, amount, command)
        answer = self._confirmed(answer, ask, confirms=command.confirms)
        if isinstance(answer, WithdrawalReceipt):
            assert isinstance(told, Preview)
            assert (told.fee, told.total) == (answer.fee, amount + answer.fee), command
            assert answer.balance is not None
            assert answer.balance.available == told.available_after, command
            if told.waits_until is None or answer.waits_until is None:
                assert told.waits_until == answer.waits_until, command
            else:
                assert abs(told.waits_until - answer.waits_until) < _A_SECOND, command
                self.met.add("waits")

    def _held_together(
        self,
        told: "Preview | Refused",
        ask: "Callable[[], Answered]",
        amount: int,
        command: object,
        *,
        to_merchant: bool = False,
        is_there: bool = True,
    ) -> "Answered | Refused":
        """The kernel's first answer, which is what the preview came to."""
        answer = _answer(ask)
        refusal = answer.refusal if isinstance(answer, Refused) else None
        self.met.add(str(refusal))
        if isinstance(told, Refused):
            assert refusal is told.refusal, command
            return answer
        forbidding = (LimitCode.PERSON_TO_PERSON, LimitCode.WITHDRAWALS)
        sums = [one for one in told.limits if one.left < amount and one.code not in forbidding]
        forbidden = [] if to_merchant else [one for one in told.limits if one.code in forbidding]
        if told.available_after < 0:
            assert refusal is Refusal.INSUFFICIENT_FUNDS, command
        elif sums or forbidden:
            assert refusal is Refusal.WALLET_LIMIT_EXCEEDED, command
            assert isinstance(answer, Refused)
            self._names(answer.limit, sums or forbidden, command)
        elif not is_there:
            assert refusal is Refusal.PAYEE_UNAVAILABLE, command
        elif told.paused_until is not None:
            assert told.confirmation
            assert refusal is Refusal.CONFIRMATION_PAUSED, command
        else:
            assert refusal is (Refusal.CONFIRMATION_REQUIRED if told.confirmation else None), command
        return answer

    def _names(self, limit: BrokenLimit | None, broken: list[BrokenLimit], command: object) -> None:
        """The limit that is told is the preview's, value for value; of several one of which the least is left."""
        assert limit in broken, command
        assert limit is not None
        assert limit.left == min(one.left for one in broken), command
        self.met.add(limit.code.value)

    def _confirmed(
        self, answer: "Answered | Refused", ask: "Callable[[], Answered]", *, confirms: bool
    ) -> "Answered | Refused":
        """The answer once it is confirmed, if it wants that and its owner does."""
        if not confirms or not isinstance(answer, Refused) or answer.confirmation is None:
            return answer
        Confirming(self.books, self.payer).confirm(answer.confirmation.id)
        return ask()


def _answer(ask: "Callable[[], Answered]") -> "Answered | Refused":
    try:
        return ask()
    except Refused as refused:
        return refused


def _withdrawal(books: Books, claim: Claim, vpa: str, amount: int) -> WithdrawalReceipt:
    return open_withdrawal(
        connection(books, "withdrawals"),
        claim,
        withdrawal_id=wiring.new_id(),
        provider=PROVIDER,
        vpa=vpa,
        amount=amount,
        first_check_s=3_600,
    )[0]


@contextmanager
def _fees(books: Books) -> Iterator[None]:
    with (
        books.fee("withdrawal", basis_points=250, flat=3, since="2031-05-31 18:30:00"),
        books.fee("payment", basis_points=200, flat=1),
    ):
        yield


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(before=bases, after=bases, steps=commands)
def _walks(books: Books, met: set[str], before: object, after: object, steps: list[object]) -> None:
    with clock_at(books, _BEGIN):
        walk = Walk(books, before, after)  # type: ignore[arg-type]  # what bases makes
        for step in steps:
            walk.do(step)
    met |= walk.met


def test_whatever_a_preview_says_of_funds_limits_and_confirmation_the_kernel_does(books: Books) -> None:
    met: set[str] = set()
    with _fees(books):
        _walks(books, met)
    books.nothing_is_due()
    assert books.faults() == []
    expected = {"None", "waits", "self_payment", "wallet_frozen", "amount_out_of_range", "insufficient_funds"}
    expected |= {"wallet_limit_exceeded", "payee_unavailable", "confirmation_required", "confirmation_paused"}
    expected |= {"max_payment", "max_debit_day", "max_debit_month", "person_to_person", "withdrawals"}
    assert met == expected, "each of them was met"


def test_what_lapsed_holds_held_is_left_again_though_nobody_has_written_that_down(books: Books) -> None:
    """Of the day only what was promised on it, of the month all."""
    tier = unique("t")[:16]
    books.tier(tier, {"2021-01-01": {"max_debit_day": 500, "max_debit_month": 800}})
    payer, payee = books.person(money=_MONEY), books.person()
    books.set_tier(payer, tier)
    with clock_at(books, _NOON):
        place(books, payer, payee, 100, valid_s=86_400)
    with clock_at(books, _NOON + timedelta(hours=23)):
        place(books, payer, payee, 200, valid_s=60)
    with clock_at(books, _NOON + timedelta(hours=25)):
        told = preview_payment(
            connection(books, "reader"),
            user_id=payer.user_id,
            payee=PayeeName(payee.wallet_id, None),
            amount=501,
        )
        answer = _answer(lambda: pay(books, payer, payee, 501))
        assert isinstance(answer, Refused)
        assert [(one.code, one.left) for one in told.limits] == [
            (LimitCode.MAX_DEBIT_DAY, 500),
            (LimitCode.MAX_DEBIT_MONTH, 800),
        ]
        assert answer.limit == told.limits[0]
        assert told.available_after == _MONEY - 501
        pay(books, payer, payee, 500)
    assert books.faults() == []
