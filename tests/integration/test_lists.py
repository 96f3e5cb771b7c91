"""One's own top-ups, holds and payments as lists: found again behind a lost answer, a closed tab or a lost phone."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.integration.conftest import Functions
from tests.integration.test_functions_under_faults import told
from tests.integration.test_statements import reads
from tests.support.books import GATEWAY, Books, Person, captured, unique
from tests.support.functions import Function, api_event
from tests.support.moves import capture, clock_at, connection, pay, place, refund, release, settle
from wallet import wiring
from wallet.ledger import ids
from wallet.ledger.attempts import AttemptStatus
from wallet.ledger.holds import HoldStatus
from wallet.ledger.receipts import Hold, PartySide, TopUpState
from wallet.movements.show import show_entries
from wallet.storage import holds, payments, top_ups
from wallet.storage import lists as stored_lists
from wallet.storage.lists import ListRequest

pytestmark = pytest.mark.usefixtures("ids_in_order")

PAYER, PAYEE = PartySide.PAYER, PartySide.PAYEE


@pytest.fixture
def lists(functions: Functions) -> Function:
    return functions.make("lists")


def page(lists: Function, person: Person, resource: str, **query: str) -> dict[str, Any]:
    body: dict[str, Any] = told(lists.invoke(api_event("GET", resource, caller=person.user_id, query=query)))
    return body


def shown_ids(body: dict[str, Any]) -> list[str]:
    return [one["id"] for one in body["data"]]


def all_pages(lists: Function, person: Person, resource: str, **query: str) -> list[str]:
    """The ids of all pages, one after the other."""
    found: list[str] = []
    more: dict[str, str] = {}
    while True:
        body = page(lists, person, resource, **query, **more)
        found += shown_ids(body)
        if body["next_cursor"] is None:
            return found
        more = {"cursor": body["next_cursor"]}


# ------------------------------------------------------------------------------------------------------------ top-ups


def open_attempt(books: Books, person: Person, amount: int = 500, *, key: str | None = None) -> UUID:
    """An attempt whose order is not made yet."""
    top_up, _, _ = top_ups.open_top_up(
        connection(books, "money"),
        person.claim(key),
        attempt_id=wiring.new_id(),
        gateway=GATEWAY,
        amount=amount,
        valid_s=3_600,
        first_check_s=3_600,
    )
    return top_up.id


def listed(books: Books, person: Person, **asked: Any) -> list[TopUpState]:
    request = ListRequest(**{"limit": 100, **asked})
    return top_ups.list_top_ups(connection(books, "reader"), actor_id=person.user_id, asked=request)[0]


def test_one_sees_ones_own_top_ups_newest_first_and_nobody_elses(books: Books) -> None:
    asha, other = books.person(), books.person()
    made = [open_attempt(books, asha) for _ in range(3)]
    open_attempt(books, other)
    assert [one.top_up.id for one in listed(books, asha)] == made[::-1]
    assert listed(books, books.person()) == []


def test_each_top_up_is_listed_as_it_is_shown_alone_without_how_to_pay_and_what_happened(books: Books) -> None:
    asha = books.person(money=500)
    open_attempt(books, asha)
    for state in listed(books, asha):
        with closing(books.as_role("money")) as database:
            alone = top_ups.find_top_up(database, attempt_id=state.top_up.id, actor_id=asha.user_id)
        assert alone is not None
        assert (state.top_up, state.status, state.rrn) == (alone.top_up, alone.status, alone.rrn)


def test_a_top_up_whose_order_is_not_made_is_pending(books: Books, lists: Function) -> None:
    asha = books.person(money=500)
    waiting = ids.show(ids.TOP_UP, open_attempt(books, asha))
    pending, succeeded = (page(lists, asha, "/top-ups", status=status) for status in ("pending", "succeeded"))
    assert shown_ids(pending) == [waiting]
    assert [one["status"] for one in succeeded["data"]] == ["succeeded"]
    assert page(lists, asha, "/top-ups", status="failed")["data"] == []
    assert [one.status for one in listed(books, asha)] == [AttemptStatus.CREATED, AttemptStatus.SUCCEEDED]


def test_a_key_finds_the_top_up_that_was_opened_under_it(books: Books, lists: Function) -> None:
    asha, other, key = books.person(money=900), books.person(), unique("key-")
    mine = open_attempt(books, asha, key=key)
    open_attempt(books, asha)
    assert shown_ids(page(lists, asha, "/top-ups", key=key)) == [ids.show(ids.TOP_UP, mine)]
    assert page(lists, other, "/top-ups", key=key)["data"] == []
    paying = unique("key-")
    pay(books, asha, other, 100, claim=asha.claim(paying))
    assert page(lists, asha, "/top-ups", key=paying)["data"] == []


def test_pages_of_top_ups_follow_one_another_whatever_arrives_meanwhile(books: Books, lists: Function) -> None:
    asha = books.person()
    made = [ids.show(ids.TOP_UP, open_attempt(books, asha)) for _ in range(5)]
    first = page(lists, asha, "/top-ups", limit="2")
    open_attempt(books, asha)
    second = page(lists, asha, "/top-ups", limit="3", cursor=first["next_cursor"])
    assert shown_ids(first) + shown_ids(second) == made[::-1]
    assert second["next_cursor"] is None


def test_a_page_of_a_long_list_of_top_ups_costs_no_more_than_its_rows(books: Books) -> None:
    asha, other = books.person(), books.person()
    for person in [asha, other] * 45:
        open_attempt(books, person)
    reader = connection(books, "reader")
    before = reads(reader)
    assert len(listed(books, asha, limit=5)) == 5
    assert reads(reader) - before < 60


def test_those_of_one_status_are_found_page_by_page_and_a_page_looks_at_so_many(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha = books.person()
    for number in range(9):
        attempt = open_attempt(books, asha)
        if number in (0, 4, 5):
            books.write("UPDATE payment_attempts SET status = 'failed' WHERE id = %s", attempt.bytes)
    failed = [one.id for one in listed(books, asha) if one.status is AttemptStatus.FAILED]
    assert len(failed) == 3
    monkeypatch.setattr(stored_lists, "_AT_ONCE", 2)
    monkeypatch.setattr(stored_lists, "_READS", 2)
    reader = connection(books, "reader")
    for limit in (1, 2, 20):
        pages: list[list[UUID]] = []
        before: UUID | None = None
        while not pages or before is not None:
            request = ListRequest(before, "failed", None, limit)
            found, before = top_ups.list_top_ups(reader, actor_id=asha.user_id, asked=request)
            pages.append([one.id for one in found])
        assert [one for page_ in pages for one in page_] == failed
        assert max(map(len, pages)) <= limit


# -------------------------------------------------------------------------------------------------------------- holds


def held(books: Books, person: Person, *, side: PartySide | None = None, **asked: Any) -> list[Hold]:
    request = ListRequest(**{"limit": 100, **asked})
    return holds.list_holds(connection(books, "reader"), actor_id=person.user_id, side=side, asked=request)[0]


def ids_of(found: list[Hold]) -> list[UUID]:
    return [one.id for one in found]


def overdue(books: Books, payer: Person, payee: Person) -> UUID:
    """A hold whose time is over, and that no sweep has seen."""
    with clock_at(books, datetime.now(UTC) - timedelta(hours=2)):
        return place(books, payer, payee, 10).id


def test_both_sides_see_a_hold_and_nobody_else(books: Books) -> None:
    asha, shop, other = books.person(money=900), books.person(money=900), books.person()
    given, got = place(books, asha, shop, 10).id, place(books, shop, asha, 20).id
    assert ids_of(held(books, asha)) == [got, given]
    assert (ids_of(held(books, asha, side=PAYER)), ids_of(held(books, asha, side=PAYEE))) == ([given], [got])
    assert (ids_of(held(books, shop, side=PAYER)), ids_of(held(books, shop, side=PAYEE))) == ([got], [given])
    assert held(books, other) == []


def test_each_hold_is_listed_as_it_is_shown_alone(books: Books) -> None:
    asha, shop = books.person(money=900), books.person()
    taken, let_go, open_one = (place(books, asha, shop, 10).id for _ in range(3))
    capture(books, shop, taken, 4, final=True)
    release(books, shop, let_go)
    late = overdue(books, asha, shop)
    for person in (asha, shop):
        with closing(books.as_role("money")) as database:
            alone = [
                holds.find_hold(database, hold_id=one, actor_id=person.user_id)
                for one in (late, open_one, let_go, taken)
            ]
        assert held(books, person) == alone


@pytest.mark.parametrize("side", [PAYER, PAYEE, None])
def test_a_hold_whose_time_is_over_is_expired_whether_or_not_the_sweep_has_been(
    books: Books, side: PartySide | None
) -> None:
    asha, shop = books.person(money=900), books.person()
    open_one, taken = place(books, asha, shop, 10).id, place(books, asha, shop, 10).id
    capture(books, shop, taken, 10)
    late = overdue(books, asha, shop)  # the last: who moves money is rid of those that are over
    person = shop if side is PAYEE else asha
    assert ids_of(held(books, person, side=side, status=HoldStatus.EXPIRED)) == [late]
    assert ids_of(held(books, person, side=side, status=HoldStatus.PLACED)) == [open_one]
    assert ids_of(held(books, person, side=side, status=HoldStatus.CAPTURED)) == [taken]
    assert held(books, person, side=side, status=HoldStatus.RELEASED) == []
    with closing(books.as_role("clock")) as clock:
        assert holds.expire_hold(clock, late)
    assert ids_of(held(books, person, side=side, status=HoldStatus.EXPIRED)) == [late]


def test_a_key_finds_the_hold_that_it_placed_captured_or_released(books: Books, lists: Function) -> None:
    asha, shop = books.person(money=900), books.person()
    placing, taking, letting_go = (unique("key-") for _ in range(3))
    first = place(books, asha, shop, 10, claim=asha.claim(placing)).id
    second = place(books, asha, shop, 10).id
    capture(books, shop, first, 5, claim=shop.claim(taking))
    release(books, shop, second, claim=shop.claim(letting_go))
    assert shown_ids(page(lists, asha, "/holds", key=placing)) == [ids.show(ids.HOLD, first)]
    assert shown_ids(page(lists, shop, "/holds", key=taking)) == [ids.show(ids.HOLD, first)]
    assert shown_ids(page(lists, shop, "/holds", key=letting_go)) == [ids.show(ids.HOLD, second)]
    assert page(lists, shop, "/holds", key=placing)["data"] == []
    assert page(lists, asha, "/holds", key=unique("key-"))["data"] == []


def test_pages_of_holds_follow_one_another_across_statuses_and_sides(books: Books, lists: Function) -> None:
    asha, shop = books.person(money=900), books.person(money=900)
    made = []
    for number in range(6):
        payer, payee = (asha, shop) if number % 2 else (shop, asha)
        made.append(ids.show(ids.HOLD, place(books, payer, payee, 10).id))
        if number % 3 == 0:
            hold_id = ids.read(ids.HOLD, made[-1])
            assert hold_id is not None
            capture(books, payee, hold_id, 10)
    assert all_pages(lists, asha, "/holds", limit="2") == made[::-1]
    assert all_pages(lists, asha, "/holds", limit="2", side="payer") == made[::-1][::2]
    first = page(lists, shop, "/holds", limit="2")
    place(books, asha, shop, 10)
    assert shown_ids(page(lists, shop, "/holds", limit="2", cursor=first["next_cursor"])) == made[::-1][2:4]


def test_open_holds_are_found_among_many_that_have_ended_at_no_cost(books: Books) -> None:
    asha, shop = books.person(money=9_000), books.person()
    still_open = place(books, asha, shop, 1).id
    for _ in range(60):
        capture(books, shop, place(books, asha, shop, 1).id, 1)
    reader = connection(books, "reader")
    for person, side in ((asha, PAYER), (shop, PAYEE)):
        before = reads(reader)
        assert ids_of(held(books, person, side=side, status=HoldStatus.PLACED)) == [still_open]
        assert reads(reader) - before < 40


# ----------------------------------------------------------------------------------------------------------- payments


def test_payer_and_payee_see_a_payment_each_on_their_side(books: Books, lists: Function) -> None:
    asha, shop, other = books.person(money=900), books.person(money=900), books.person()
    given = ids.show(ids.PAYMENT, pay(books, asha, shop, 10)[0].transaction_id)
    got = ids.show(ids.PAYMENT, pay(books, shop, asha, 20)[0].transaction_id)
    assert shown_ids(page(lists, asha, "/payments")) == [got, given]
    assert shown_ids(page(lists, asha, "/payments", side="payer")) == [given]
    assert shown_ids(page(lists, asha, "/payments", side="payee", status="completed")) == [got]
    assert shown_ids(page(lists, shop, "/payments", side="payee")) == [given]
    assert page(lists, other, "/payments")["data"] == []


def test_a_captured_hold_is_a_payment_and_a_refund_none_and_each_says_what_was_refunded(
    books: Books, lists: Function, functions: Functions
) -> None:
    asha, shop = books.person(money=900), books.person()
    payment = pay(books, asha, shop, 100)[0].transaction_id
    taken = capture(books, shop, place(books, asha, shop, 50).id, 40, final=True).transaction_id
    refund(books, shop, payment, 30)
    show = functions.make("pay")
    alone = [
        told(show.invoke(api_event("GET", "/payments/{id}", path={"id": shown}, caller=asha.user_id)))
        for shown in (ids.show(ids.PAYMENT, taken), ids.show(ids.PAYMENT, payment))
    ]
    assert page(lists, asha, "/payments")["data"] == alone
    assert [one["refunded"] for one in alone] == [0, 30]


def test_a_key_finds_the_payment_that_it_made_and_nothing_of_what_was_no_payment(books: Books, lists: Function) -> None:
    asha, shop = books.person(money=900), books.person()
    paying, taking, placing, giving_back = (unique("key-") for _ in range(4))
    payment = pay(books, asha, shop, 10, claim=asha.claim(paying))[0].transaction_id
    hold = place(books, asha, shop, 10, claim=asha.claim(placing))
    taken = capture(books, shop, hold.id, 10, claim=shop.claim(taking)).transaction_id
    refund(books, shop, payment, 5, claim=shop.claim(giving_back))
    [found] = page(lists, asha, "/payments", key=paying)["data"]
    assert (found["id"], found["refunded"]) == (ids.show(ids.PAYMENT, payment), 5)
    assert shown_ids(page(lists, shop, "/payments", key=taking)) == [ids.show(ids.PAYMENT, taken)]
    for person, key in ((asha, placing), (shop, giving_back), (shop, paying), (asha, unique("key-"))):
        assert page(lists, person, "/payments", key=key) == {"data": [], "next_cursor": None}


def test_pages_of_payments_have_each_once_in_the_order_of_time_also_of_a_hot_wallet(
    books: Books, lists: Function
) -> None:
    payers, shop = [books.person(money=900) for _ in range(3)], books.person(kind="merchant", tier="merchant")
    books.spread(shop, 4)
    made = [pay(books, payers[number % 3], shop, 10)[0] for number in range(12)]
    refund(books, shop, made[0].transaction_id, 10)
    in_order = [ids.show(ids.PAYMENT, one.transaction_id) for one in sorted(made, key=lambda one: one.created_at)]
    assert all_pages(lists, shop, "/payments", limit="5") == in_order[::-1]
    assert all_pages(lists, shop, "/payments", limit="4", side="payee") == in_order[::-1]
    assert all_pages(lists, shop, "/payments", side="payer") == []


def test_a_page_may_be_short_where_many_of_the_other_side_stand_between_and_none_is_lost(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha, shop = books.person(money=900), books.person(money=900)
    mine = []
    for _ in range(3):
        mine.append(pay(books, asha, shop, 10)[0].transaction_id)
        for _ in range(7):
            pay(books, shop, asha, 1)
    monkeypatch.setattr(payments, "_AT_ONCE", 2)
    monkeypatch.setattr(payments, "_READS", 2)
    reader = connection(books, "reader")
    for limit in (1, 2, 20):
        span = show_entries(reader, user_id=asha.user_id, since=None, until=None)
        found, rest = payments.list_payments(reader, span, actor_id=asha.user_id, side=PAYER, limit=limit)
        pages = [[one.transaction_id for one in found]]
        while rest is not None:
            found, rest = payments.list_payments(reader, rest, actor_id=asha.user_id, side=PAYER, limit=limit)
            pages.append([one.transaction_id for one in found])
        assert [one for found in pages for one in found] == mine[::-1]
        assert pages[0] == [], "four entries were looked at, and none is theirs"
        assert max(map(len, pages)) <= limit


def test_a_page_of_payments_costs_the_same_among_however_many_of_the_other_side(books: Books) -> None:
    """Who is paid a thousand times may ask for what they paid: it is looked for among so many entries, and no more."""
    asha, shop = books.person(money=9_000), books.person(money=9_000)
    for _ in range(130):
        pay(books, asha, shop, 1)
    reader = connection(books, "reader")
    span = show_entries(reader, user_id=shop.user_id, since=None, until=None)
    before = reads(reader)
    found, rest = payments.list_payments(reader, span, actor_id=shop.user_id, side=PAYER, limit=5)
    assert (found, rest) == ([], None)
    assert reads(reader) - before < 130 * 16


# ------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("resource", ["/top-ups", "/holds", "/payments"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"cursor": "wdr_0000000000000000000000000a"}, "cursor"),
        ({"cursor": "1"}, "cursor"),
        ({"status": "created"}, "status"),
        ({"key": "two words"}, "key"),
        ({"key": "x" * 65}, "key"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(
    books: Books, lists: Function, resource: str, query: dict[str, str], field: str
) -> None:
    answer = lists.invoke(api_event("GET", resource, caller=books.person().user_id, query=query))
    assert answer["statusCode"] == 422
    assert [fault["field"] for fault in json.loads(answer["body"])["errors"]] == [field]


@pytest.mark.parametrize("more", [{"cursor": "e1"}, {"side": "payee"}, {"status": "completed"}])
def test_a_key_is_asked_for_alone(books: Books, lists: Function, more: dict[str, str]) -> None:
    query = {"key": "key-1", "limit": "5", **more}
    answer = lists.invoke(api_event("GET", "/payments", caller=books.person().user_id, query=query))
    assert (answer["statusCode"], told(answer)["errors"][0]["field"]) == (422, "query")


@pytest.mark.parametrize("resource", ["/holds", "/payments"])
def test_a_side_is_the_payer_s_or_the_payee_s(books: Books, lists: Function, resource: str) -> None:
    answer = lists.invoke(api_event("GET", resource, caller=books.person().user_id, query={"side": "debit"}))
    assert (answer["statusCode"], told(answer)["errors"]) == (
        422,
        [{"field": "side", "message": "One of: payer, payee."}],
    )


@pytest.mark.parametrize("resource", ["/top-ups", "/holds", "/payments"])
def test_a_cursor_of_somebody_elses_shows_nothing_of_theirs(books: Books, lists: Function, resource: str) -> None:
    asha, other = books.person(money=900), books.person(money=900)
    for person, payee in ((asha, other), (other, asha)):
        open_attempt(books, person)
        place(books, person, payee, 10)
        pay(books, person, payee, 10)
    theirs = page(lists, other, resource, limit="1")
    cursor = theirs["next_cursor"]
    mine = page(lists, asha, resource)
    seen = page(lists, asha, resource, cursor=cursor)
    assert {one["id"] for one in seen["data"]} <= {one["id"] for one in mine["data"]}


def test_settled_money_shows_in_no_list_of_anybody_else(books: Books, lists: Function) -> None:
    asha, other = books.person(), books.person()
    attempt = open_attempt(books, asha)
    order = unique("order_")
    top_ups.attach_order(connection(books, "money"), attempt, order_id=order)
    settle(books, captured(order, 500))
    assert [one["status"] for one in page(lists, asha, "/top-ups")["data"]] == ["succeeded"]
    for resource in ("/top-ups", "/holds", "/payments"):
        assert page(lists, other, resource)["data"] == []
