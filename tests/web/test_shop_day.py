"""A shop's day on its counter: read whole once, then only what is new, whatever comes late or is lost."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Request, Route

from tests.support.client import Api, new_key, wait_until
from tests.web.book import STATEMENT, Book
from tests.web.conftest import Visit
from tests.web.visitor import NOBODY_ANSWERS, Visitor

#: Half past eleven in the evening in India, on the 29th.
_EVENING = datetime(2026, 11, 29, 18, 0, tzinfo=UTC)


def questions(visitor: Visitor) -> list[dict[str, str]]:
    """Every question for a day's entries that the browser asks from now on; the home page asks for no day's."""
    asked: list[dict[str, str]] = []

    def note(request: Request) -> None:
        if STATEMENT.match(request.url) and "from=" in request.url:
            asked.append(dict(parse_qsl(urlsplit(request.url).query)))

    visitor.page.on("request", note)
    return asked


def look_again(visitor: Visitor) -> None:
    """What happens every fifteen seconds, now. It may happen by itself besides, as often as the test is slow."""
    visitor.page.evaluate("dispatchEvent(new Event('online'))")


def test_a_day_of_several_pages_is_read_once_and_then_only_what_is_new(api: Api, visit: Visit) -> None:
    # the day of an hour ago: whatever the time is, it began before what is paid now, and has not ended for the browser
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)

    def answered_an_hour_ago(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "date": format_datetime(an_hour_ago, usegmt=True)})

    shop, payer = api.person(kind="merchant", name="Chai Point"), api.person(money=50_000)
    rows = "".join(f"{shop.wallet_id},100,,\r\n" for _ in range(120))
    told = api.call(
        "POST",
        "/bulk-payments",
        raw=f"to,amount,description,reference\r\n{rows}".encode(),
        token=payer.token,
        key=new_key(),
        headers={"Content-Type": "text/csv"},
    )
    assert told.status == 202, told.text
    wait_until(lambda: shop.balance() == 12_000, within_s=90)
    seller = visit()
    seller.page.clock.set_fixed_time(an_hour_ago)
    seller.context.route(STATEMENT, answered_an_hour_ago)
    asked = questions(seller)
    seller.comes_as(shop, "shop")
    seller.sees("120 payments")
    seller.sees_sum("₹120.00")
    paid = payer.pay(shop, 2_500)
    assert paid.status == 201
    look_again(seller)
    seller.sees("121 payments")
    seller.sees_sum("₹145.00")
    assert shop.post(f"/payments/{paid.body['id']}/refunds", {"amount": 500}).status == 201
    look_again(seller)
    seller.sees_sum("₹140.00")
    seller.sees("121 payments")
    first, second, *later = asked
    assert ("cursor" in first, "cursor" in second) == (False, True)
    # the payments of the minute before the newest are asked for again, on one page for there are few, and no others
    assert len(later) >= 2
    assert all(look["from"] > first["from"] for look in later)


@pytest.fixture
def counter(api: Api, visit: Visit) -> tuple[Visitor, Book]:
    """A shop's browser, in another time zone than its shop, on an evening with 250 payments."""
    seller, book = visit(timezone_id="America/New_York"), Book()
    for number in range(250):
        book.adds(_EVENING - timedelta(minutes=250 - number))
    seller.context.route(STATEMENT, book.answer)
    seller.page.clock.set_fixed_time(_EVENING)
    seller.comes_as(api.person(kind="merchant", name="Chai Point"))
    return seller, book


def test_what_is_booked_at_once_is_counted_though_the_earlier_is_seen_later(counter: tuple[Visitor, Book]) -> None:
    seller, book = counter
    seller.open("shop")
    seller.sees("250 payments")
    book.adds(_EVENING)
    look_again(seller)
    seller.sees("251 payments")
    book.adds(_EVENING)  # at the same time as one that is known
    book.adds(_EVENING - timedelta(seconds=20))  # by another of a hot wallet's parts, committed later
    look_again(seller)
    seller.sees("253 payments")
    seller.sees_sum("₹253.00")
    assert len({row.get_attribute("href") for row in seller.page.locator("a.row").all()}) == 50, "the newest of them"


def test_what_was_lost_on_the_way_is_neither_missing_nor_counted_twice(counter: tuple[Visitor, Book]) -> None:
    seller, book = counter
    asked = questions(seller)
    book.loses = lambda query: query.get("cursor") == "250.200"
    seller.open("shop")
    seller.sees(NOBODY_ANSWERS)
    seller.press("Try again")
    seller.waits_for(lambda: len(asked) > 3)
    seller.sees(NOBODY_ANSWERS)
    book.adds(_EVENING)
    book.loses = lambda _: False
    look_again(seller)
    seller.sees("251 payments")
    tries = [look.get("cursor") for look in asked if look["from"] == asked[0]["from"]]
    assert tries == [None, "250.100", *["250.200"] * (len(tries) - 2)], "the page that was lost, and none before it"
    book.loses = lambda _: True
    book.adds(_EVENING)
    look_again(seller)
    seller.sees(re.compile("^Nobody answers: this is how it stood at "))
    seller.sees("251 payments")
    book.loses = lambda _: False
    look_again(seller)
    seller.sees("252 payments")
    seller.sees_sum("₹252.00")


def test_the_day_changes_at_midnight_in_india(counter: tuple[Visitor, Book]) -> None:
    seller, book = counter
    seller.open("shop")
    seller.sees("250 payments")
    assert next(one["from"] for one in book.asked if one["limit"] == "100") == "2026-11-28T18:30:00.000Z"
    midnight = _EVENING + timedelta(minutes=30)
    book.adds(midnight - timedelta(seconds=1))
    book.adds(midnight, 700)
    book.adds(midnight + timedelta(seconds=1), 200, direction="debit", type_="refund")  # of a payment of the day before
    seller.page.clock.set_fixed_time(midnight + timedelta(seconds=10))
    look_again(seller)
    seller.sees("1 payment")
    seller.sees_sum("₹5.00")
    seller.sees_nothing_of("250 payments")


@pytest.mark.parametrize("device", [timedelta(days=-1), timedelta(hours=9)], ids=["a day behind", "ahead"])
def test_the_day_is_the_apis_and_not_that_of_a_device_whose_clock_is_wrong(
    counter: tuple[Visitor, Book], device: timedelta
) -> None:
    seller, book = counter
    book.clock = _EVENING
    book.adds(_EVENING - timedelta(days=1))  # of the day before
    seller.page.clock.set_fixed_time(_EVENING + device)
    seller.open("shop")
    seller.sees("250 payments")
    midnight = _EVENING + timedelta(minutes=30)
    book.adds(midnight)
    book.clock = midnight
    look_again(seller)
    seller.sees("1 payment")
