"""One's own withdrawals, as a list: found by who was told of one that is not theirs, or has lost an answer."""

import json
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.integration.conftest import Functions
from tests.integration.identity.test_accounts import reset
from tests.integration.test_functions_under_faults import told
from tests.integration.test_statements import reads
from tests.integration.test_withdrawals_under_faults import withdrawal_event, withdrawal_of
from tests.support.books import Books, Person, unique
from tests.support.confirmations import tier_with
from tests.support.functions import Function, api_event
from tests.support.moves import connection, pay
from tests.support.payouts import cancelled, claimed, held, state_of, withdraw
from tests.support.sign_in import signed_in_anew
from wallet.ledger import ids
from wallet.ledger.receipts import Withdrawal, WithdrawalReceipt
from wallet.ledger.withdrawals import WithdrawalStatus
from wallet.storage import inspection, withdrawals
from wallet.storage.lists import ListRequest
from wallet.storage.rows import time_of

pytestmark = pytest.mark.usefixtures("ids_in_order")

DAY_S = 86_400


def found(
    books: Books,
    person: Person,
    *,
    before: UUID | None = None,
    status: WithdrawalStatus | None = None,
    key: str | None = None,
    limit: int = 100,
) -> list[Withdrawal]:
    asked = ListRequest(before, status, key, limit)
    return withdrawals.list_withdrawals(connection(books, "reader"), actor_id=person.user_id, asked=asked)[0]


def ids_of(listed: list[Withdrawal]) -> list[UUID]:
    return [one.id for one in listed]


def alone(books: Books, receipt: WithdrawalReceipt, person: Person) -> Withdrawal | None:
    with closing(books.as_role("withdrawals")) as database:
        return withdrawals.find_withdrawal(database, withdrawal_id=receipt.id, actor_id=person.user_id)


@pytest.fixture
def lists(functions: Functions) -> Function:
    return functions.make("lists")


def page(lists: Function, person: Person, **query: str) -> dict[str, Any]:
    body: dict[str, Any] = told(lists.invoke(api_event("GET", "/withdrawals", caller=person.user_id, query=query)))
    return body


def test_one_sees_ones_own_newest_first_and_nobody_elses(books: Books) -> None:
    asha, other = books.person(money=9_000), books.person(money=9_000)
    made = [withdraw(books, asha, 100 + number)[0] for number in range(3)]
    withdraw(books, other, 100)
    assert ids_of(found(books, asha)) == [one.id for one in reversed(made)]
    assert found(books, books.person()) == []


def test_each_is_listed_as_it_is_shown_alone(books: Books) -> None:
    asha = books.person(money=9_000)
    stopped, sent, waiting = (withdraw(books, asha, 100)[0] for _ in range(3))
    cancelled(books, asha, stopped)
    claimed(books, sent)
    assert found(books, asha) == [alone(books, one, asha) for one in (waiting, sent, stopped)]


def test_a_status_leaves_the_others_out(books: Books) -> None:
    asha = books.person(money=9_000)
    stopped, waiting = (withdraw(books, asha, 100)[0] for _ in range(2))
    cancelled(books, asha, stopped)
    assert ids_of(found(books, asha, status=WithdrawalStatus.PENDING)) == [waiting.id]
    assert ids_of(found(books, asha, status=WithdrawalStatus.FAILED)) == [stopped.id]
    assert found(books, asha, status=WithdrawalStatus.SUCCEEDED) == []


def test_pages_follow_one_another_whatever_arrives_meanwhile(books: Books, lists: Function) -> None:
    asha = books.person(money=9_000)
    made = [ids.show(ids.WITHDRAWAL, withdraw(books, asha, 100)[0].id) for _ in range(5)]
    first = page(lists, asha, limit="2")
    withdraw(books, asha, 100)
    second = page(lists, asha, limit="2", cursor=first["next_cursor"])
    third = page(lists, asha, limit="2", cursor=second["next_cursor"])
    shown = [one["id"] for one in (*first["data"], *second["data"], *third["data"])]
    assert shown == made[::-1]
    assert third["next_cursor"] is None


def test_a_key_finds_what_was_asked_for_under_it_and_a_lost_answer_is_none(books: Books, lists: Function) -> None:
    asha, other, key = books.person(money=9_000), books.person(money=9_000), unique("key-")
    receipt, _ = withdraw(books, asha, 100, claim=asha.claim(key))
    withdraw(books, asha, 200)
    [mine] = page(lists, asha, key=key)["data"]
    assert mine["id"] == ids.show(ids.WITHDRAWAL, receipt.id)
    assert page(lists, other, key=key)["data"] == []
    assert page(lists, asha, key=unique("key-"))["data"] == []


def test_a_key_of_something_else_finds_no_withdrawal(books: Books) -> None:
    asha, bela, key, cancelling = books.person(money=9_000), books.person(), unique("key-"), unique("key-")
    pay(books, asha, bela, 100, claim=asha.claim(key))
    assert found(books, asha, key=key) == []
    receipt, _ = withdraw(books, asha, 100)
    cancelled(books, asha, receipt, claim=asha.claim(cancelling))
    assert ids_of(found(books, asha, key=cancelling)) == [receipt.id], "it says how that one stands"


def test_a_cursor_of_somebody_elses_shows_nothing_of_theirs(books: Books) -> None:
    asha, other = books.person(money=9_000), books.person(money=9_000)
    mine, _ = withdraw(books, asha, 100)
    theirs, _ = withdraw(books, other, 100)
    assert ids_of(found(books, asha, before=theirs.id)) == [mine.id]


def test_a_page_of_a_long_list_costs_no_more_than_its_rows(books: Books) -> None:
    """Rows and index entries that the server reads, counted by itself: nothing is sorted, nobody else's is read."""
    asha, other = books.person(money=9_000), books.person(money=9_000)
    for person in [asha, other] * 60:
        withdraw(books, person, 100)
    reader = connection(books, "reader")
    before = reads(reader)
    assert len(found(books, asha, limit=5)) == 5
    assert reads(reader) - before < 60


# ---------------------------------------------------------------------------------------- until when it waits


def waits(books: Books, receipt: WithdrawalReceipt, person: Person) -> set[Any]:
    """What each of those who are told says of the wait."""
    one = alone(books, receipt, person)
    [listed] = [one for one in found(books, person) if one.id == receipt.id]
    with closing(books.as_role("operator")) as database:
        view = inspection.find_wallet(database, wallet_id=person.wallet_id, phone=None)
        assert view is not None
        [seen] = [one for one in view.withdrawals if one.withdrawal_id == receipt.id]
        pending = inspection.waiting_withdrawals(database, after=UUID(int=receipt.id.int - 1), limit=1)
    assert pending == (seen,)
    assert one is not None
    return {one.waits_until, listed.waits_until, seen.waits_until}


def test_everybody_is_told_the_same_of_a_new_address(books: Books) -> None:
    asha = books.person(tier=tier_with(books, new_vpa_wait_s=DAY_S), money=9_000)
    receipt, _ = withdraw(books, asha, 600)
    assert waits(books, receipt, asha) == {receipt.created_at + timedelta(seconds=DAY_S)}


@pytest.mark.parametrize("new_vpa_wait_s", [0, 60, 2 * DAY_S], ids="the address waits {} s".format)
def test_behind_a_reset_the_answer_says_until_when_and_the_later_wait_counts(books: Books, new_vpa_wait_s: int) -> None:
    asha = books.person(tier=tier_with(books, new_vpa_wait_s=new_vpa_wait_s, reset_wait_s=DAY_S), money=9_000)
    before, _ = withdraw(books, asha, 500)
    reset(books, asha)
    asha = signed_in_anew(books, asha)
    receipt, _ = withdraw(books, asha, 600)
    (row,) = books.select("SELECT paused_until FROM wallets WHERE id = %s", asha.wallet_id.bytes)
    address = books.select("SELECT known_from FROM known_vpas WHERE wallet_id = %s", asha.wallet_id.bytes)
    until = max(row["paused_until"], address[0]["known_from"])
    assert receipt.waits_until is not None
    assert receipt.waits_until.replace(tzinfo=None) == until
    for one in (before, receipt):
        assert waits(books, one, asha) == {receipt.waits_until}
    told_ = "SELECT detail FROM outbox WHERE type = 'WithdrawalAddressAdded' AND wallet_id = %s ORDER BY position"
    *_, event = [json.loads(row["detail"]) for row in books.select(told_, asha.wallet_id.bytes)]
    named = before if new_vpa_wait_s == 0 else receipt  # the message names the later one, too
    assert UUID(hex=event["withdrawal_id"]) == named.id
    assert named is before or time_of(event["waits_until"]) == receipt.waits_until


def test_what_was_sent_or_waits_for_a_freeze_to_end_waits_for_no_time(books: Books) -> None:
    asha = books.person(tier=tier_with(books, reset_wait_s=DAY_S), money=9_000)
    sent, frozen = (withdraw(books, asha, 600)[0] for _ in range(2))
    claimed(books, sent)
    books.turn(asha, "frozen")
    assert waits(books, frozen, asha) == {None}
    reset(books, asha)
    assert waits(books, sent, asha) == {None}


def test_behind_a_reset_nobody_is_asked_and_nothing_looks_like_a_fault(books: Books, functions: Functions) -> None:
    asha = books.person(tier=tier_with(books, reset_wait_s=DAY_S), money=9_000)
    reset(books, asha)
    door = functions.make("withdraw")
    answer = door.invoke(withdrawal_event(signed_in_anew(books, asha), unique("key-"), vpa="asha@okbank"))
    assert answer["statusCode"] == 202, answer
    assert told(answer)["waits_until"] > told(answer)["created_at"]
    row = state_of(books, withdrawal_of(answer))
    assert (row["asked"], row["provider_payout_id"]) == (0, None)
    assert "payout not asked for" not in door.logged()
    assert held(books, asha) == 600
    assert books.faults() == []
