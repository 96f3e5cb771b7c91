"""What a preview says, over all that it may look at; that the kernel then does so is held in tests/integration."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wallet.confirmations.model import ConfirmationRules
from wallet.edge import shapes
from wallet.ledger.limits import BrokenLimit, LimitCode, Limits
from wallet.ledger.wallets import WalletStatus
from wallet.previews.model import Standing, preview_payment, preview_withdrawal

#: Midday in India, in the middle of a month.
NOON = datetime(2031, 5, 15, 6, 30, tzinfo=UTC)
MIDNIGHT, MONTH_END = datetime(2031, 5, 15, 18, 30, tzinfo=UTC), datetime(2031, 5, 31, 18, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)

NOBODY_ASKS = Standing(
    now=NOON,
    status=WalletStatus.ACTIVE,
    is_own=False,
    available=1_000,
    fee=0,
    limits=Limits("free"),
    debited_today=300,
    debited_this_month=800,
    rules=ConfirmationRules(),
    unconfirmed_today=200,
    is_known=False,
    known_from=None,
    paused_until=None,
)


def asking(**rules: int) -> Standing:
    """The same where these rules are in force."""
    return replace(NOBODY_ASKS, rules=ConfirmationRules(**rules))  # type: ignore[arg-type]  # new_vpa is 0 or 1


def test_a_payment_costs_its_amount_and_a_withdrawal_its_fee_on_top() -> None:
    paid = preview_payment(NOBODY_ASKS, 400)
    assert (paid.fee, paid.total, paid.available_after) == (0, 400, 600)
    out = preview_withdrawal(replace(NOBODY_ASKS, fee=7), 400)
    assert (out.fee, out.total, out.available_after) == (7, 407, 593)


def test_what_would_be_refused_for_want_of_funds_is_below_nothing() -> None:
    assert preview_payment(NOBODY_ASKS, 1_000).available_after == 0
    assert preview_payment(NOBODY_ASKS, 1_001).available_after == -1


def test_each_limit_is_told_in_one_order_as_it_is_before_it() -> None:
    limits = Limits("tight", max_payment=500, max_debit_day=900, max_debit_month=2_000, max_balance=9, max_load_year=9)
    standing = replace(NOBODY_ASKS, limits=replace(limits, person_to_person=False, withdrawals=False))
    all_three = (
        BrokenLimit(LimitCode.MAX_PAYMENT, 500, None),
        BrokenLimit(LimitCode.MAX_DEBIT_DAY, 600, MIDNIGHT),
        BrokenLimit(LimitCode.MAX_DEBIT_MONTH, 1_200, MONTH_END),
    )
    forbidden = BrokenLimit(LimitCode.PERSON_TO_PERSON, 0, None)
    assert preview_payment(standing, 1).limits == (*all_three, forbidden)
    forbidden = BrokenLimit(LimitCode.WITHDRAWALS, 0, None)
    assert preview_withdrawal(standing, 100).limits == (*all_three, forbidden)


def test_where_there_is_no_limit_none_is_told() -> None:
    assert preview_payment(NOBODY_ASKS, 1).limits == preview_withdrawal(NOBODY_ASKS, 100).limits == ()


def test_of_a_limit_that_was_lowered_below_what_was_used_nothing_is_left() -> None:
    standing = replace(NOBODY_ASKS, limits=Limits("low", max_debit_day=100))
    assert [one.left for one in preview_payment(standing, 1).limits] == [0]


@pytest.mark.parametrize(
    ("rules", "amount", "payment", "withdrawal"),
    [
        ({}, 10**9, False, False),
        ({"above": 400}, 400, False, False),
        ({"above": 400}, 401, True, True),
        ({"above": 0}, 1, True, True),
        ({"day_above": 600}, 400, False, False),
        ({"day_above": 600}, 401, True, True),
        ({"new_payee_above": 400}, 400, False, False),
        ({"new_payee_above": 400}, 401, True, False),
        ({"new_vpa": 1}, 100, False, True),
    ],
    ids=str,
)
def test_each_rule_asks_from_its_edge_on(
    rules: dict[str, int],
    amount: int,
    payment: bool,  # noqa: FBT001 - a table
    withdrawal: bool,  # noqa: FBT001 - a table
) -> None:
    assert preview_payment(asking(**rules), amount).confirmation is payment
    assert preview_withdrawal(asking(**rules), amount).confirmation is withdrawal


def test_who_is_known_is_asked_about_by_no_rule_for_what_is_new() -> None:
    standing = replace(asking(new_payee_above=0, new_vpa=1), is_known=True, known_from=NOON)
    assert not preview_payment(standing, 500).confirmation
    assert not preview_withdrawal(standing, 500).confirmation
    assert preview_withdrawal(replace(standing, known_from=NOON + HOUR), 500).confirmation, "it is known in an hour"


def test_what_would_wait_says_until_when() -> None:
    new = asking(new_vpa_wait_s=3_600)
    assert preview_withdrawal(new, 100).waits_until == NOON + HOUR
    waiting = replace(new, known_from=NOON + HOUR / 2)
    assert preview_withdrawal(waiting, 100).waits_until == NOON + HOUR / 2, "a wait that has begun stays"
    assert preview_withdrawal(replace(waiting, paused_until=NOON + 3 * HOUR), 100).waits_until == NOON + 3 * HOUR
    assert preview_withdrawal(replace(waiting, known_from=NOON), 100).waits_until is None
    assert preview_payment(replace(new, paused_until=NOON + HOUR), 100).waits_until is None


def test_in_a_pause_it_says_from_when_on_it_can_be_confirmed_and_nothing_of_a_wait_that_begins_then() -> None:
    paused = replace(asking(above=400, new_vpa_wait_s=3_600), paused_until=NOON + 2 * HOUR)
    for small in (preview_payment(paused, 400), preview_withdrawal(paused, 400)):
        assert (small.confirmation, small.paused_until) == (False, None)
    for large in (preview_payment(paused, 401), preview_withdrawal(paused, 401)):
        assert (large.confirmation, large.paused_until, large.waits_until) == (True, NOON + 2 * HOUR, None)


def test_the_answer_has_a_time_only_of_what_waits() -> None:
    told = shapes.preview(preview_payment(asking(above=0), 400))
    assert told == {"fee": 0, "total": 400, "available_after": 600, "limits": [], "confirmation": True}
    waiting = asking(above=400, new_vpa_wait_s=3_600)
    assert shapes.preview(preview_withdrawal(waiting, 400))["waits_until"] == "2031-05-15T07:30:00.000Z"
    paused = shapes.preview(preview_payment(replace(waiting, paused_until=NOON + HOUR), 401))
    assert paused["confirmation_paused_until"] == "2031-05-15T07:30:00.000Z"
    limited = replace(NOBODY_ASKS, limits=Limits("low", max_debit_day=500, max_payment=400))
    assert shapes.preview(preview_payment(limited, 1))["limits"] == [
        {"code": "max_payment", "left": 400, "renews_at": None},
        {"code": "max_debit_day", "left": 200, "renews_at": "2031-05-15T18:30:00.000Z"},
    ]
