"""What waits: withdrawals to a new VPA, and behind a reset what needs a confirmation or goes on by itself."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.integration.identity.test_accounts import reset
from tests.integration.test_bulk import opened, outcomes, retry, rows, work
from tests.integration.test_unsent_withdrawals import checked
from tests.support.books import Books
from tests.support.confirmations import Confirming, required, tier_with
from tests.support.moves import capture, clock_at, pay, place, refusal_of, release
from tests.support.payouts import cancelled, claimed, held, state_of, withdraw
from tests.support.sign_in import signed_in_anew
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import withdrawals
from wallet.storage.withdrawals import PayoutClaim

DAY_S = 86_400
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _right(books: Books) -> Iterator[None]:
    books.nothing_is_due()
    yield
    assert books.faults() == []


def later(books: Books, *tables: str) -> None:
    """A day goes by, for what waits."""
    columns = {
        "withdrawals": ("waits_until", "next_check_at"),
        "wallets": ("paused_until",),
        "known_vpas": ("known_from",),
    }
    for table in tables or columns:
        moved = ", ".join(f"{name} = {name} - INTERVAL 86401 SECOND" for name in columns[table])
        books.write(f"UPDATE {table} SET {moved}")  # noqa: S608 - ours


# ------------------------------------------------------------------------------------------------ a VPA that is new


def test_the_first_withdrawal_to_a_vpa_waits_and_its_owner_is_told(books: Books) -> None:
    person = books.person(tier=tier_with(books, new_vpa_wait_s=DAY_S), money=9_000)
    receipt, _ = withdraw(books, person, 600, first_check_s=60)
    assert receipt.waits_until == receipt.created_at + DAY
    assert held(books, person) == 600
    assert claimed(books, receipt) is PayoutClaim.PAUSED
    assert state_of(books, receipt.id)["next_check_at"].replace(tzinfo=UTC) == receipt.waits_until
    (event,) = books.select(
        "SELECT detail FROM outbox WHERE wallet_id = %s AND type = 'WithdrawalAddressAdded'", person.wallet_id.bytes
    )
    assert receipt.id.hex in event["detail"]
    later(books)
    due = checked(books, receipt)
    assert due is not None
    assert due.may_send


def test_the_owner_sees_until_when_it_waits_and_not_for_longer(books: Books) -> None:
    person = books.person(tier=tier_with(books, new_vpa_wait_s=DAY_S), money=9_000)
    receipt, _ = withdraw(books, person, 600)
    with closing(books.as_role("withdrawals")) as database:
        find = partial(withdrawals.find_withdrawal, database, withdrawal_id=receipt.id, actor_id=person.user_id)
        shown = find()
        assert shown is not None
        assert shown.waits_until == receipt.waits_until
        later(books)
        shown = find()
        assert shown is not None
        assert shown.waits_until is None


def test_a_reconciler_that_looks_too_early_looks_again_when_the_wait_is_over(books: Books) -> None:
    person = books.person(tier=tier_with(books, new_vpa_wait_s=DAY_S), money=9_000)
    receipt, _ = withdraw(books, person, 600)
    books.write("UPDATE withdrawals SET next_check_at = UTC_TIMESTAMP(6) WHERE id = %s", receipt.id.bytes)
    assert checked(books, receipt) is None
    assert state_of(books, receipt.id)["next_check_at"].replace(tzinfo=UTC) == receipt.waits_until
    assert state_of(books, receipt.id)["asked"] == 0


def test_all_withdrawals_to_a_new_vpa_wait_for_the_same_moment_and_the_next_for_none(books: Books) -> None:
    person = books.person(tier=tier_with(books, new_vpa_wait_s=DAY_S), money=9_000)
    first, _ = withdraw(books, person, 600)
    second, _ = withdraw(books, person, 600)
    assert second.waits_until == first.waits_until
    other, _ = withdraw(books, person, 600, vpa="other@okbank")
    assert other.waits_until is not None
    assert first.waits_until is not None
    assert other.waits_until > first.waits_until
    told = "SELECT 1 FROM outbox WHERE wallet_id = %s AND type = 'WithdrawalAddressAdded'"
    assert len(books.select(told, person.wallet_id.bytes)) == 3, (
        "of each that waits, or a small one would hide a large one"
    )
    later(books)
    third, _ = withdraw(books, person, 600)
    assert third.waits_until is None
    assert claimed(books, third) is PayoutClaim.ALLOWED


def test_what_its_owner_stops_is_as_new_as_before(books: Books) -> None:
    person = books.person(tier=tier_with(books, new_vpa_wait_s=DAY_S), money=9_000)
    receipt, _ = withdraw(books, person, 600)
    cancelled(books, person, receipt)
    assert held(books, person) == 0
    again, _ = withdraw(books, person, 600)
    assert again.waits_until == again.created_at + DAY


def test_what_is_stopped_when_the_wait_is_over_is_as_new_too(books: Books) -> None:
    """It may have waited longer than its address: for a reset, or in a wallet that was frozen."""
    person = books.person(tier=tier_with(books, new_vpa_wait_s=DAY_S), money=9_000)
    receipt, _ = withdraw(books, person, 600)
    later(books)
    cancelled(books, person, receipt)
    again, _ = withdraw(books, person, 600)
    assert again.waits_until == again.created_at + DAY


def test_what_was_paid_once_is_known_whatever_is_stopped(books: Books) -> None:
    person = books.person(tier=tier_with(books, new_vpa_wait_s=DAY_S), money=9_000)
    first, _ = withdraw(books, person, 600)
    later(books)
    assert claimed(books, first) is PayoutClaim.ALLOWED
    second, _ = withdraw(books, person, 600)
    cancelled(books, person, second)
    third, _ = withdraw(books, person, 600)
    assert third.waits_until is None


def test_a_vpa_that_was_used_before_there_were_rules_is_known(books: Books) -> None:
    person = books.person(money=9_000)
    withdraw(books, person, 600)
    books.set_tier(person, tier_with(books, new_vpa=1, new_vpa_wait_s=DAY_S))
    receipt, _ = withdraw(books, person, 600)
    assert receipt.waits_until is None


# ----------------------------------------------------------------------------------------------- behind a reset


def test_behind_a_reset_what_needs_a_confirmation_waits_and_the_rest_does_not(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, above=500, reset_wait_s=DAY_S), money=9_000), books.person()
    reset(books, payer)
    payer = signed_in_anew(books, payer)
    pay(books, payer, payee, 500)
    claim = payer.claim()
    ask = partial(pay, books, payer, payee, 501, claim=claim)
    with pytest.raises(Refused) as caught:
        ask()
    assert caught.value.refusal is Refusal.CONFIRMATION_PAUSED
    assert caught.value.retry_after_s is not None
    assert DAY_S - 60 < caught.value.retry_after_s <= DAY_S + 1
    assert refusal_of(partial(withdraw, books, payer, 501)) is Refusal.CONFIRMATION_PAUSED
    assert refusal_of(partial(place, books, payer, payee, 501)) is Refusal.CONFIRMATION_PAUSED
    assert refusal_of(partial(opened, books, payer, rows(payee, 6, 100))) is Refusal.CONFIRMATION_PAUSED
    later(books, "wallets")
    Confirming(books, payer).confirm(required(ask).id)
    ask()
    assert books.balance(payee) == 1_001


def test_what_was_confirmed_before_a_reset_is_not_good_behind_it(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, above=0, reset_wait_s=DAY_S), money=9_000), books.person()
    claim = payer.claim()
    asked = required(partial(pay, books, payer, payee, 600, claim=claim))
    Confirming(books, payer).confirm(asked.id)
    reset(books, payer)
    payer = signed_in_anew(books, payer)
    again = payer.claim(claim.key)
    assert refusal_of(partial(pay, books, payer, payee, 600, claim=again)) is Refusal.CONFIRMATION_PAUSED
    assert refusal_of(partial(Confirming(books, payer).ask_for_code, asked.id)) is Refusal.CONFIRMATION_PAUSED
    assert books.balance(payee) == 0


def test_holds_files_and_unsent_withdrawals_wait_behind_a_reset_and_go_on_after_it(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, reset_wait_s=DAY_S), money=9_000), books.person()
    hold = place(books, payer, payee, 600)
    held_too = place(books, payer, payee, 600)
    receipt, _ = withdraw(books, payer, 600)
    file, _ = opened(books, payer, rows(payee, 3, 100))
    reset(books, payer)
    payer = signed_in_anew(books, payer)
    assert refusal_of(partial(capture, books, payee, hold.id, None)) is Refusal.HOLD_NOT_PLACED
    assert claimed(books, receipt) is PayoutClaim.PAUSED
    books.write("UPDATE withdrawals SET next_check_at = UTC_TIMESTAMP(6) WHERE id = %s", receipt.id.bytes)
    assert checked(books, receipt) is None
    work(books)
    assert outcomes(books, payer, file.id) == ["confirmation_paused"] * 3
    assert books.balance(payee) == 0
    release(books, payee, held_too.id)  # back to its payer is no way out
    later(books)
    capture(books, payee, hold.id, None)
    assert claimed(books, receipt) is PayoutClaim.ALLOWED
    retry(books, payer, file.id)
    work(books)
    assert books.balance(payee) == 900


def test_a_reset_of_a_tier_without_a_wait_holds_nothing_up(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, above=0), money=9_000), books.person()
    reset(books, payer)
    required(partial(pay, books, signed_in_anew(books, payer), payee, 1))


def test_the_wait_is_a_day_to_the_second(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, above=0, reset_wait_s=DAY_S), money=9_000), books.person()
    reset(books, payer)
    payer = signed_in_anew(books, payer)
    (row,) = books.select("SELECT paused_until FROM wallets WHERE id = %s", payer.wallet_id.bytes)
    ends_at = row["paused_until"].replace(tzinfo=UTC)
    assert timedelta(0) <= DAY - (ends_at - datetime.now(UTC)) < timedelta(minutes=5)
    with clock_at(books, ends_at - timedelta(seconds=1)):
        assert refusal_of(partial(pay, books, payer, payee, 1)) is Refusal.CONFIRMATION_PAUSED
    with clock_at(books, ends_at):
        required(partial(pay, books, payer, payee, 1))
