"""A shop's day on its counter: read whole once, then only what is new, whatever comes late or is lost."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route

from tests.support.client import Api, new_key, wait_until
from tests.web.book import STATEMENT, Book
from tests.web.conftest import Visit
from tests.web.visitor import Visitor

#: Half past eleven in the evening in India, on the 29th.
_EVENING = datetime(2026, 11, 29, 18, 0, tzinfo=UTC)


def questions(visitor: Visitor) -> list[str]:
    """Every question for entries that the page asks from now on."""
    asked: list[str] = []
    visitor.page.on("request", lambda one: asked.append(one.url) if STATEMENT.match(one.url) else None)
    return asked


def look_again(visitor: Visitor) -> None:
    """What happens every fifteen seconds, now."""
    visitor.page.evaluate("dispatchEvent(new Event('online'))")


def test_a_day_of_several_pages_is_read_once_and_then_only_what_is_new(api: Api, visit: Visit) -> None:
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
    asked = questions(seller)
    seller.comes_as(shop, "shop")
    seller.sees("120 payments")
    seller.sees("₹120.00")
    assert len(asked) == 2
    paid = payer.pay(shop, 2_500)
    assert paid.status == 201
    look_again(seller)
    seller.sees("121 payments")
    seller.sees("₹145.00")
    assert shop.post(f"/payments/{paid.body['id']}/refunds", {"amount": 500}).status == 201
    look_again(seller)
    seller.sees("₹140.00")
    seller.sees("121 payments")
    first_look, *later = [parse_qs(urlsplit(url).query) for url in asked[1:]]
    assert "cursor" in first_look
    # the payments of the minute before the newest are asked for again, and no others
    assert all(look["from"] > first_look["from"] for look in later)
    assert len([look for look in later if "cursor" not in look]) == 2


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
    seller.sees("₹253.00")
    assert len({row.get_attribute("href") for row in seller.page.locator("a.row").all()}) == 50, "the newest of them"


def test_what_was_lost_on_the_way_is_neither_missing_nor_counted_twice(counter: tuple[Visitor, Book]) -> None:
    seller, book = counter
    seller.open("")
    seller.sees("Latest")
    book.asked.clear()

    def lose_the_third(route: Route) -> None:
        if len(book.asked) == 2:
            book.lost_ones = 1
        book.answer(route)

    seller.context.unroute(STATEMENT)
    seller.context.route(STATEMENT, lose_the_third)
    seller.open("shop")
    seller.sees("Nobody answers.")
    book.adds(_EVENING)
    seller.press("Try again")
    seller.sees("250 payments")
    assert len(book.asked) == 4, "the page that was lost, and none before it"
    look_again(seller)
    seller.sees("251 payments")
    book.lost_ones = 1
    book.adds(_EVENING)
    look_again(seller)
    seller.sees("this is how it stood at")
    seller.sees("251 payments")
    look_again(seller)
    seller.sees("252 payments")
    seller.sees("₹252.00")


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
    seller.sees(re.compile("^1 payment$"))
    seller.sees("₹5.00")
    seller.sees_nothing_of("250 payments")
