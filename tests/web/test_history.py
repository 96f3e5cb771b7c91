"""History: India's days wherever one reads it, and a table of all of it for a spreadsheet."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.support.client import Api
from tests.web.book import STATEMENT, Book
from tests.web.conftest import Visit
from tests.web.visitor import FRAMES, NOBODY_ANSWERS, Visitor

_NOON = datetime(2026, 11, 30, 6, 30, tzinfo=UTC)
_NEW_YORK = "America/New_York"


def choose_days(visitor: Visitor, first: str, last: str) -> dict[str, str]:
    """What the API is asked for when somebody has chosen these days."""
    visitor.page.get_by_label("From", exact=True).fill(first)
    with visitor.page.expect_request(lambda one: STATEMENT.match(one.url) is not None and "to=" in one.url) as asked:
        visitor.page.get_by_label("To", exact=True).fill(last)
    return {name: values[0] for name, values in parse_qs(urlsplit(asked.value.url).query).items()}


@pytest.mark.parametrize("zone", ["Asia/Kolkata", _NEW_YORK, "Pacific/Kiritimati"])
def test_days_are_those_of_india_wherever_somebody_is(api: Api, visit: Visit, zone: str) -> None:
    payer = api.person(money=50_000)
    (added,) = payer.get("/wallet/transactions").body["data"]
    india = datetime.fromisoformat(added["created_at"]).astimezone(UTC) + timedelta(hours=5, minutes=30)
    today, yesterday = india.date().isoformat(), (india - timedelta(days=1)).date().isoformat()
    asha = visit(timezone_id=zone)
    asha.comes_as(payer, "history")
    asha.sees("There is nothing older.")
    asked = choose_days(asha, today, today)
    assert (asked["from"], asked["to"]) == (f"{yesterday}T18:30:00.000Z", f"{today}T18:30:00.000Z")
    asha.sees("+₹500.00")
    choose_days(asha, yesterday, yesterday)
    asha.sees("Nothing fits.")
    asha.sees_nothing_of("+₹500.00")


def test_days_in_the_wrong_order_are_said_to_be(api: Api, visit: Visit) -> None:
    asha = visit()
    asha.comes_as(api.person(money=50_000), "history")
    asha.sees("+₹500.00")
    asha.page.get_by_label("To", exact=True).fill("2026-01-05")
    asha.page.get_by_label("From", exact=True).fill("2026-01-06")
    asha.sees("The last day is before the first one.")
    asha.sees_nothing_of("Nobody answers")


def table(visitor: Visitor) -> list[dict[str, str]]:
    """The table that is ready, as a spreadsheet reads it."""
    with visitor.page.expect_download() as downloading:
        visitor.press("Save the table")
    raw = downloading.value.path().read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def test_a_table_has_rupees_and_no_formula(api: Api, visit: Visit) -> None:
    payer, payee = api.person(money=50_000), api.person(name="Bela Das")
    texts = (
        '=HYPERLINK("http://x.example","a")',
        "+1",
        "-1",
        "@SUM(1)",
        " =1",
        "\N{FULLWIDTH EQUALS SIGN}1",
        'he said "no", twice',
    )
    for number, text in enumerate(texts):
        assert payer.pay(payee, 1_205 + number, description=text).status == 201
    asha = visit()
    asha.comes_as(payer, "history")
    asha.sees("There is nothing older.")
    asha.press("Make the table")
    asha.sees("The table is ready: 8 transactions.")
    *paid, added = table(asha)
    assert [row["description"] for row in reversed(paid)] == [f"'{text}" for text in texts[:-1]] + [texts[-1]]
    assert [row["amount_rupees"] for row in reversed(paid)] == [f"12.0{5 + number}" for number in range(5)] + [
        "12.10",
        "12.11",
    ]
    assert (added["type"], added["amount_rupees"], added["balance_after_rupees"]) == ("top_up", "500.00", "500.00")
    assert (paid[0]["counterparty"], paid[0]["counterparty_wallet_id"]) == ("Bela Das", payee.wallet_id)
    # nothing but the unit is another than in the API's own table
    own = api.call("GET", "/wallet/transactions?limit=100", token=payer.token, headers={"Accept": "text/csv"})
    theirs = list(csv.DictReader(io.StringIO(own.text.removeprefix("\ufeff"), newline="")))
    for mine, its in zip([*paid, added], theirs, strict=True):
        assert {
            name.removesuffix("_rupees"): value.replace(".", "") if name.endswith("_rupees") else value
            for name, value in mine.items()
        } == its


@pytest.fixture
def long_history(api: Api, visit: Visit) -> tuple[Visitor, Book]:
    """Somebody with 10,050 entries."""
    asha, book = visit(), Book()
    for number in range(10_050):
        book.adds(_NOON - timedelta(minutes=number))
    asha.context.route(STATEMENT, book.answer)
    asha.comes_as(api.person(), "history")
    asha.sees("Show older ones")
    return asha, book


def test_a_table_has_no_end_before_the_history_has(long_history: tuple[Visitor, Book]) -> None:
    asha, book = long_history
    book.loses = lambda query: query.get("cursor") == "10050.5900"
    asha.press("Make the table")
    asha.sees(NOBODY_ANSWERS)
    asha.sees("5900 read so far")
    book.loses = lambda _: False
    book.adds(_NOON + timedelta(minutes=1))  # behind the first page, of which the others are
    asha.page.locator("section", has_text="As a table").get_by_role("button", name="Try again").click()
    asha.sees("The table is ready: 10050 transactions.")
    assert len({row["id"] for row in table(asha)}) == 10_050


def test_a_table_that_takes_too_long_is_stopped(long_history: tuple[Visitor, Book]) -> None:
    asha, book = long_history
    late: list[Route] = []

    def keep_one_waiting(route: Route) -> None:
        if late == [] and "cursor=10050.300" in route.request.url:
            late.append(route)
        else:
            book.answer(route)

    asha.context.unroute(STATEMENT)
    asha.context.route(STATEMENT, keep_one_waiting)
    asha.press("Make the table")
    asha.sees("300 read so far")
    asha.press("Stop")
    asha.sees_nothing_of("read so far")
    book.asked.clear()
    book.answer(late[0])
    # another table is read whole, and nothing is asked for but that: what was stopped has ended with its answer
    asha.press("Make the table")
    asha.sees("The table is ready: 10050 transactions.")
    cursors = [query.get("cursor") for query in book.asked]
    assert cursors == ["10050.300", None, *(f"10050.{number}" for number in range(100, 10_050, 100))]


def test_a_months_link_that_is_over_is_not_offered_any_more(api: Api, visit: Visit) -> None:
    asha = visit()
    asha.page.clock.install()
    asha.comes_as(api.person(money=50_000), "history")
    file = asha.page.get_by_role("button", name=re.compile("^Get the file"))
    file.click()
    asha.sees("The month so far is ready. Its link is yours alone and ends soon.")
    expect(file).to_have_count(0)
    asha.page.evaluate(FRAMES)  # its end is counted from when it has been drawn
    asha.page.clock.fast_forward(271_000)
    expect(file).to_be_visible()
    asha.sees_nothing_of("Its link is yours alone and ends soon.")


def test_whoever_has_no_entries_yet_is_told_what_to_do(api: Api, visit: Visit) -> None:
    asha = visit()
    asha.comes_as(api.person(), "history")
    asha.sees("Nothing has happened yet. Add money, or receive some.")
    asha.sees_nothing_of("Make the table")
