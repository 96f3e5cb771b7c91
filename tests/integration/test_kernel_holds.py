"""Holds through the kernel, on a real server, by many at once and at the very moment when they end."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import pytest

from tests.support.books import Books, Person
from tests.support.crowd import together
from tests.support.moves import (
    capture,
    clock_at,
    connection,
    deadlocks,
    expire,
    pay,
    place,
    refund,
    refusal_of,
    refusals_in,
    release,
)
from wallet.ledger.holds import HoldStatus
from wallet.ledger.limits import BrokenLimit, LimitCode
from wallet.ledger.receipts import Balance, Hold
from wallet.ledger.refusals import Refusal, Refused
from wallet.movements.hold import expire_holds
from wallet.storage.wallets import find_wallet

Result = TypeVar("Result")


def status_of(books: Books, hold_id: UUID) -> tuple[str, int]:
    row = books.select("SELECT status, captured FROM holds WHERE id = %s", hold_id.bytes)[0]
    return row["status"], row["captured"]


def shown(books: Books, person: Person) -> Balance:
    found = find_wallet(connection(books, "reader"), user_id=person.user_id)
    assert found is not None
    return found.balance


def lapsed(books: Books, hold: Hold, call: Callable[[], Result]) -> Result:
    """What comes of a call at the moment when a hold's time has passed."""
    with clock_at(books, hold.expires_at):
        return call()


def test_six_holds_of_1000_on_a_balance_of_5000_are_five(books: Books) -> None:
    payer, payees = books.person(money=5_000), [books.person() for _ in range(6)]
    answers = together([partial(place, books, payer, payee, 1_000) for payee in payees])
    assert refusals_in(answers) == [Refusal.INSUFFICIENT_FUNDS]
    assert shown(books, payer) == Balance(total=5_000, held=5_000)
    assert books.faults() == []


def test_holds_and_payments_at_once_never_spend_what_is_not_there(books: Books) -> None:
    payer, payee = books.person(money=5_000), books.person()
    tasks: list[Any] = [lambda: place(books, payer, payee, 100) for _ in range(50)]
    tasks += [lambda: pay(books, payer, payee, 100) for _ in range(50)]
    random.Random(5).shuffle(tasks)
    answers = together(tasks, at_once=16)
    assert refusals_in(answers) == [Refusal.INSUFFICIENT_FUNDS] * 50
    assert shown(books, payer).available == 0
    assert books.faults() == []


def test_1000_captures_of_the_whole_hold_at_once_take_it_once(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    hold_id = place(books, payer, payee, 700).id
    answers = together([lambda: capture(books, payee, hold_id, None) for _ in range(1_000)], at_once=32)
    assert refusals_in(answers) == [Refusal.HOLD_NOT_PLACED] * 999
    assert (books.balance(payer), books.held(payer), books.balance(payee)) == (300, 0, 700)
    assert books.faults() == []


def test_1000_captures_of_parts_at_once_take_the_hold_once_in_sum(books: Books) -> None:
    payer, payee = books.person(money=10_000), books.person(kind="merchant", tier="merchant")
    books.spread(payee, 8)
    hold_id = place(books, payer, payee, 3_000).id
    dice = random.Random(3)
    parts = [dice.randint(1, 20) for _ in range(1_000)]
    answers = together([partial(capture, books, payee, hold_id, part) for part in parts], at_once=32)
    assert set(refusals_in(answers)) <= {Refusal.CAPTURE_EXCEEDS_HOLD, Refusal.HOLD_NOT_PLACED}
    taken = books.balance(payee)
    assert 3_000 - 20 < taken <= 3_000
    assert status_of(books, hold_id) == ("captured" if taken == 3_000 else "placed", taken)
    assert (books.balance(payer), books.held(payer)) == (10_000 - taken, 3_000 - taken)
    assert books.faults() == []


def test_16_at_once_with_one_key_capture_once_and_get_one_answer(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    hold_id, claim = place(books, payer, payee, 700).id, payee.claim()
    answers = together([lambda: capture(books, payee, hold_id, 100, claim=claim) for _ in range(16)])
    assert refusals_in(answers) == []
    assert len({answer.transaction_id for answer in answers if not isinstance(answer, Exception)}) == 1
    assert status_of(books, hold_id) == ("placed", 100)


def test_capture_release_and_the_sweep_at_once_end_a_hold_in_one_way(books: Books) -> None:
    payer, payee = books.person(money=100_000), books.person()
    for turn in range(15):
        hold = place(books, payer, payee, 700)
        tasks: list[Any] = [partial(capture, books, payee, hold.id, None), partial(release, books, payee, hold.id)]
        if turn % 3 == 0:
            tasks.append(partial(lapsed, books, hold, partial(expire, books, hold.id)))
        refusals_in(together(tasks * 2))
        assert status_of(books, hold.id)[0] != "placed"
    assert books.held(payer) == 0
    assert books.faults() == []


def test_two_who_hold_for_each_other_at_once_never_deadlock(books: Books) -> None:
    asha, bela = books.person(money=100_000), books.person(money=100_000)
    before = deadlocks(books)
    pairs = [(asha, bela), (bela, asha)] * 100
    tasks = [partial(place, books, payer, payee, 10) for payer, payee in pairs]
    placed = together(tasks, at_once=16)
    assert refusals_in(placed) == []
    ends: list[Any] = []
    for number, (hold, (_, payee)) in enumerate(zip(placed, pairs, strict=True)):
        assert not isinstance(hold, Exception)
        ends.append(
            partial(capture, books, payee, hold.id, 5) if number % 3 else partial(release, books, payee, hold.id)
        )
    assert refusals_in(together(ends, at_once=16)) == []
    assert deadlocks(books) == before
    assert books.total(asha, bela) == 200_000
    assert books.faults() == []


def test_holds_for_one_merchant_at_once_do_not_wait_for_the_merchants_wallet(books: Books) -> None:
    payers, merchant = [books.person(money=1_000) for _ in range(4)], books.person(kind="merchant", tier="merchant")
    owner = books.owner()
    owner.read("SET autocommit = 0")
    owner.read("SELECT id FROM wallets WHERE id = %s FOR UPDATE", merchant.wallet_id.bytes)  # somebody debits it
    try:
        answers = together([partial(place, books, payer, merchant, 10) for payer in payers])
    finally:
        owner.read("ROLLBACK")
        owner.close()
    assert refusals_in(answers) == []


@pytest.mark.parametrize(("microseconds", "is_open"), [(-1, True), (0, False), (1, False)])
def test_a_hold_ends_at_its_very_moment_although_nobody_has_swept(
    books: Books, microseconds: int, *, is_open: bool
) -> None:
    payer, payee = books.person(money=1_000), books.person()
    hold = place(books, payer, payee, 700, valid_s=60)
    with clock_at(books, hold.expires_at + timedelta(microseconds=microseconds)):
        assert shown(books, payer).available == (300 if is_open else 1_000)
        if is_open:
            capture(books, payee, hold.id, None)
            assert status_of(books, hold.id) == ("captured", 700)
        else:
            assert refusal_of(lambda: capture(books, payee, hold.id, None)) is Refusal.HOLD_NOT_PLACED
            assert status_of(books, hold.id) == ("placed", 0), "the sweep has not come"


def test_what_an_unswept_hold_held_can_be_spent_and_the_spending_ends_it(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    hold = place(books, payer, payee, 700)
    receipt, _ = lapsed(books, hold, lambda: pay(books, payer, payee, 1_000))
    assert receipt.payer_balance == Balance(total=0, held=0)
    assert status_of(books, hold.id) == ("expired", 0)
    assert not lapsed(books, hold, lambda: expire(books, hold.id)), "the sweep comes too late to do anything"
    assert books.faults() == []


def test_a_receipt_never_shows_a_lapsed_hold_as_held(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    hold = place(books, payer, payee, 700)
    receipt, _ = lapsed(books, hold, lambda: pay(books, payer, payee, 100))  # there is enough without it
    assert receipt.payer_balance == Balance(total=900, held=0)


def test_the_sweep_ends_what_has_lapsed_and_nothing_else(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    over, going_on = place(books, payer, payee, 300, valid_s=60), place(books, payer, payee, 200)
    lapsed(books, over, lambda: expire_holds(connection(books, "clock"), time_left_s=lambda: 10))
    assert status_of(books, over.id) == ("expired", 0)
    assert status_of(books, going_on.id) == ("placed", 0)
    assert books.held(payer) == 200
    assert books.faults() == []


def test_a_hold_that_the_kernel_breaks_over_holds_up_no_other(books: Books) -> None:
    odd, payer, payee = books.person(money=1_000), books.person(money=1_000), books.person()
    first, second = place(books, odd, payee, 300, valid_s=1), place(books, payer, payee, 200, valid_s=1)
    books.write("UPDATE wallets SET held = 0 WHERE id = %s", odd.wallet_id.bytes)  # so what is to be freed isn't there
    time.sleep(1.1)  # a clock that stands still would end with the connection that the kernel broke over
    sweep = expire_holds(connection(books, "clock"), time_left_s=lambda: 10)
    assert list(sweep.broken) == [first.id]
    assert (status_of(books, first.id), status_of(books, second.id)) == (("placed", 0), ("expired", 0))
    books.write("UPDATE wallets SET held = 300 WHERE id = %s", odd.wallet_id.bytes)
    assert expire(books, first.id)
    assert books.faults() == []


def test_a_payer_has_1000_holds_at_most(books: Books) -> None:
    payer, payee = books.person(money=2_000), books.person()
    last = [place(books, payer, payee, 1) for _ in range(1_000)][-1]
    with pytest.raises(Refused) as caught:
        place(books, payer, payee, 1)
    assert caught.value.refusal is Refusal.WALLET_LIMIT_EXCEEDED
    assert caught.value.limit == BrokenLimit(LimitCode.MAX_PLACED_HOLDS, 0, None)
    release(books, payee, last.id)
    assert place(books, payer, payee, 1).payer_balance == Balance(total=2_000, held=1_000)


def test_a_hold_that_has_not_lapsed_is_not_swept(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    hold = place(books, payer, payee, 300)
    assert not expire(books, hold.id)
    assert status_of(books, hold.id) == ("placed", 0)


def test_two_sweeps_at_once_end_each_hold_once(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    over = [place(books, payer, payee, 10) for _ in range(5)]
    tasks = [partial(lapsed, books, over[-1], partial(expire, books, hold.id)) for hold in over * 4]
    assert together(tasks).count(True) == 5
    assert books.held(payer) == 0
    assert books.faults() == []


def test_parts_are_captured_until_the_rest_is_let_go(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    hold_id = place(books, payer, payee, 700).id
    first = capture(books, payee, hold_id, 200)
    second = capture(books, payee, hold_id, 300)
    assert [(one.status, one.captured) for one in (first, second)] == [
        (HoldStatus.PLACED, 200),
        (HoldStatus.PLACED, 500),
    ]
    assert refusal_of(lambda: capture(books, payee, hold_id, 201)) is Refusal.CAPTURE_EXCEEDS_HOLD
    assert release(books, payee, hold_id).status is HoldStatus.RELEASED
    assert (books.balance(payer), books.held(payer), books.balance(payee)) == (500, 0, 500)
    assert books.faults() == []


def test_a_final_capture_frees_the_rest(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    hold_id = place(books, payer, payee, 700).id
    assert capture(books, payee, hold_id, 200, final=True).status is HoldStatus.CAPTURED
    assert shown(books, payer) == Balance(total=800, held=0)
    assert refusal_of(lambda: capture(books, payee, hold_id, 1)) is Refusal.HOLD_NOT_PLACED


def test_a_payee_lets_a_hold_go_at_any_time_and_a_payer_only_once_it_has_lapsed(books: Books) -> None:
    payer, payee, other = books.person(money=1_000), books.person(), books.person()
    hold = place(books, payer, payee, 700)
    assert refusal_of(lambda: release(books, payer, hold.id)) is Refusal.HOLD_NOT_DUE
    assert refusal_of(lambda: release(books, other, hold.id)) is Refusal.NOT_FOUND
    assert refusal_of(lambda: capture(books, payer, hold.id, 1)) is Refusal.NOT_FOUND
    assert lapsed(books, hold, lambda: release(books, payer, hold.id)).status is HoldStatus.EXPIRED
    assert release(books, payee, hold.id).status is HoldStatus.EXPIRED, "it is what they want"
    assert books.faults() == []


@pytest.mark.parametrize("frozen", ["payer", "payee"])
def test_nothing_is_captured_from_or_to_a_frozen_wallet_and_a_hold_can_be_let_go(books: Books, frozen: str) -> None:
    people = {"payer": books.person(money=1_000), "payee": books.person()}
    hold_id = place(books, people["payer"], people["payee"], 700).id
    books.turn(people[frozen], "frozen")
    refused = {"payer": Refusal.HOLD_NOT_PLACED, "payee": Refusal.WALLET_FROZEN}[frozen]
    assert refusal_of(lambda: capture(books, people["payee"], hold_id, 1)) is refused
    if frozen == "payer":
        assert refusal_of(lambda: place(books, people["payer"], people["payee"], 1)) is Refusal.WALLET_FROZEN
    release(books, people["payee"], hold_id)
    assert books.held(people["payer"]) == 0


def test_a_hold_of_a_hot_wallet_gathers_what_it_promises(books: Books) -> None:
    payer, merchant = books.person(money=10_000), books.person(kind="merchant", tier="merchant")
    books.spread(merchant, 8)
    for _ in range(40):
        pay(books, payer, merchant, 100)
    hold_id = place(books, merchant, payer, 4_000).id
    assert shown(books, merchant) == Balance(total=4_000, held=4_000)
    taken = capture(books, payer, hold_id, None)
    refund(books, payer, taken.transaction_id, 1_000)
    assert (books.balance(payer), books.balance(merchant)) == (9_000, 1_000)
    assert books.faults() == []


def test_who_pays_while_a_lapsed_hold_is_swept_has_the_money_before_and_behind_it(books: Books) -> None:
    shop = books.person(kind="merchant", tier="merchant")
    payers = [books.person(money=1_000) for _ in range(60)]
    held = [place(books, payer, shop, 1_000, valid_s=1) for payer in payers]
    time.sleep(1.1)
    for payer, hold in zip(payers, held, strict=True):
        tasks: list[Any] = [partial(expire, books, hold.id), partial(pay, books, payer, shop, 1)]
        answers = together(tasks)
        assert refusals_in([one for one in answers if isinstance(one, Exception)]) == []
    assert books.faults() == []
