"""The statement: newest first, page by page, while money moves."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
import urllib3

from tests.support.client import Api, Json, Person

PAYMENTS = 25


@pytest.fixture(scope="module")
def story(api: Api) -> tuple[Person, Person, list[Json]]:
    """Asha, who was given 100,000 and paid Bela 1, 2, 3 …, Bela, and the receipts in that order."""
    asha, bela = api.person(money=100_000), api.person(name="Bela Devi", kind="merchant")
    receipts = []
    for number in range(1, PAYMENTS + 1):
        answer = asha.pay(bela, number, description=f"payment {number}", reference=f"bill-{number}")
        assert answer.status == 201, answer.text
        receipts.append(answer.body)
    return asha, bela, receipts


def page(person: Person, **query: object) -> Json:
    """A page of their statement; `since` and `until` are the parameters from and to."""
    names = {"since": "from", "until": "to"}
    told = "&".join(f"{names.get(name, name)}={value}" for name, value in query.items())
    answer = person.get(f"/wallet/transactions?{told}" if told else "/wallet/transactions")
    assert answer.status == 200, answer.text
    body: Json = answer.body
    assert body.keys() == {"data", "next_cursor"}
    return body


def pages(person: Person, between: Callable[[], object] = lambda: None, **query: object) -> list[Json]:
    """All entries, by way of the cursors; `between` happens between two pages."""
    entries: list[Json] = []
    told = page(person, **query)
    while True:
        entries += told["data"]
        if told["next_cursor"] is None:
            return entries
        between()
        told = page(person, **query, cursor=told["next_cursor"])


def amounts(entries: list[Json]) -> list[int]:
    return [entry["amount"] for entry in entries]


def test_a_new_wallet_has_an_empty_statement(api: Api) -> None:
    assert page(api.person()) == {"data": [], "next_cursor": None}


def test_the_newest_come_first_and_20_a_page(story: tuple[Person, Person, list[Json]]) -> None:
    asha, _, _ = story
    first = page(asha)
    assert amounts(first["data"]) == list(range(PAYMENTS, PAYMENTS - 20, -1))
    second = page(asha, cursor=first["next_cursor"])
    assert amounts(second["data"]) == [*range(PAYMENTS - 20, 0, -1), 100_000]
    assert second["next_cursor"] is None
    times = [entry["created_at"] for entry in first["data"] + second["data"]]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("limit", [1, 7, 25, 26, 27, 100])
def test_pages_of_any_size_are_the_whole_statement(story: tuple[Person, Person, list[Json]], limit: int) -> None:
    asha, _, _ = story
    assert len(page(asha, limit=limit)["data"]) == min(limit, PAYMENTS + 1)
    entries = pages(asha, limit=limit)
    assert amounts(entries) == [*range(PAYMENTS, 0, -1), 100_000]
    assert len({entry["id"] for entry in entries}) == PAYMENTS + 1


def test_an_entry_has_the_fields_of_the_contract(story: tuple[Person, Person, list[Json]]) -> None:
    asha, bela, receipts = story
    last = receipts[-1]
    common = {
        "id": last["transaction_id"],
        "type": "payment",
        "amount": PAYMENTS,
        "description": f"payment {PAYMENTS}",
        "reference": f"bill-{PAYMENTS}",
        "rrn": None,
        "utr": None,
        "created_at": last["created_at"],
    }
    moved = PAYMENTS * (PAYMENTS + 1) // 2
    assert page(asha, limit=1)["data"] == [
        common
        | {
            "direction": "debit",
            "balance_after": 100_000 - moved,
            "counterparty": {"wallet_id": bela.wallet_id, "name": "Bela Devi"},
        }
    ]
    assert page(bela, limit=1)["data"] == [
        common
        | {
            "direction": "credit",
            "balance_after": moved,
            "counterparty": {"wallet_id": asha.wallet_id, "name": "Asha Rao"},
        }
    ]


def test_a_top_up_comes_from_the_gateway(story: tuple[Person, Person, list[Json]]) -> None:
    asha, _, _ = story
    entry = pages(asha)[-1]
    assert entry["id"].startswith("txn_")
    assert re.fullmatch("[0-9]{12}", entry.pop("rrn"))
    assert entry | {"id": "", "created_at": ""} == {
        "id": "",
        "type": "top_up",
        "direction": "credit",
        "amount": 100_000,
        "balance_after": 100_000,
        "counterparty": {"gateway": "razorpay"},
        "description": None,
        "reference": None,
        "utr": None,
        "created_at": "",
    }


def test_every_balance_follows_from_the_one_before(story: tuple[Person, Person, list[Json]]) -> None:
    for person in story[:2]:
        balance = 0
        for entry in reversed(pages(person, limit=6)):
            balance += entry["amount"] if entry["direction"] == "credit" else -entry["amount"]
            assert entry["balance_after"] == balance
        assert person.balance() == balance


def test_entries_that_arrive_between_two_pages_move_nothing(api: Api) -> None:
    asha, bela = api.person(money=1_000), api.person(money=1_000)
    for number in range(1, 8):
        assert asha.pay(bela, number).status == 201
    before = pages(asha, limit=100)

    def both_ways() -> None:
        assert asha.pay(bela, 10).status == 201
        assert bela.pay(asha, 20).status == 201

    assert pages(asha, between=both_ways, limit=3) == before
    after = pages(asha, limit=3)
    assert after[-len(before) :] == before
    assert amounts(after)[: -len(before)] == [20, 10, 20, 10]


def test_a_type_filters(story: tuple[Person, Person, list[Json]]) -> None:
    asha, bela, _ = story
    assert amounts(pages(asha, type="top_up")) == [100_000]
    assert amounts(pages(asha, type="payment", limit=9)) == list(range(PAYMENTS, 0, -1))
    assert pages(bela, type="top_up") == []
    for other in ("refund", "hold_capture", "withdrawal", "withdrawal_return", "refund_to_source", "fee", "adjustment"):
        assert page(asha, type=other) == {"data": [], "next_cursor": None}


def later(time: str, **by: float) -> str:
    """Another time, as callers write it."""
    moved = datetime.fromisoformat(time) + timedelta(**by)
    return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_from_is_the_first_that_is_shown_and_to_the_first_that_is_not(story: tuple[Person, Person, list[Json]]) -> None:
    asha, _, receipts = story
    fifth, tenth = receipts[4]["created_at"], receipts[9]["created_at"]
    assert amounts(pages(asha, since=fifth)) == list(range(PAYMENTS, 4, -1))
    assert amounts(pages(asha, until=fifth)) == [4, 3, 2, 1, 100_000]
    assert amounts(pages(asha, since=fifth, until=tenth)) == [9, 8, 7, 6, 5]
    assert amounts(pages(asha, since=fifth, until=tenth, limit=2)) == [9, 8, 7, 6, 5]
    assert amounts(pages(asha, until=fifth, type="top_up")) == [100_000]
    assert pages(asha, since=tenth, until=fifth) == []
    assert pages(asha, since=later(receipts[-1]["created_at"], seconds=1)) == []
    assert pages(asha, until=later(fifth, days=-1)) == []


def test_times_may_be_written_in_any_zone(story: tuple[Person, Person, list[Json]]) -> None:
    asha, _, receipts = story
    fifth = datetime.fromisoformat(receipts[4]["created_at"])
    in_india = (fifth + timedelta(hours=5, minutes=30)).replace(tzinfo=None).isoformat(timespec="milliseconds")
    assert amounts(pages(asha, since=f"{in_india}%2B05:30")) == list(range(PAYMENTS, 4, -1))
    assert amounts(pages(asha, until=f"{in_india}%2B05:30")) == [4, 3, 2, 1, 100_000]


def test_anothers_cursor_shows_nothing_of_theirs(story: tuple[Person, Person, list[Json]]) -> None:
    asha, bela, _ = story
    cursor = page(asha, limit=3)["next_cursor"]
    theirs = {entry["id"] for entry in pages(bela)}
    with_hers = page(bela, cursor=cursor)["data"]
    assert with_hers
    assert {entry["id"] for entry in with_hers} <= theirs
    assert {entry["counterparty"]["wallet_id"] for entry in with_hers} == {asha.wallet_id}


def test_a_cursor_of_nobodys_making_shows_no_more_than_there_is(story: tuple[Person, Person, list[Json]]) -> None:
    asha, _, _ = story
    assert amounts(page(asha, cursor="e1")["data"]) == [100_000]
    for cursor in (f"e{PAYMENTS + 2}", "e999999999999999999", "e5.0", "e5" + ".1" * 15):
        answer = asha.get(f"/wallet/transactions?cursor={cursor}")
        assert (answer.status, answer.code) == (422, "invalid_request")
        assert [fault["field"] for fault in answer.body["errors"]] == ["cursor"]


@pytest.mark.parametrize(
    "cursor", ["e", "e0", "e0.0", "e-1", "1", "e1.", "e01", "e1" + ".1" * 16, "e" + "9" * 19, "e1%27--", "e%00"]
)
def test_what_is_no_cursor_is_refused(story: tuple[Person, Person, list[Json]], cursor: str) -> None:
    answer = story[0].get(f"/wallet/transactions?cursor={cursor}")
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [fault["field"] for fault in answer.body["errors"]] == ["cursor"]


# ------------------------------------------------------------------------------------------------------ CSV


def test_the_same_page_comes_as_csv(story: tuple[Person, Person, list[Json]]) -> None:
    asha, bela, _ = story
    rows: list[dict[str, str]] = []
    query = "limit=10&type=payment"
    while query:
        answer = asha.api.call("GET", f"/wallet/transactions?{query}", token=asha.token, headers={"Accept": "text/csv"})
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        rows += csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""))
        link = re.fullmatch(r'<\?(.+)>; rel="next"', answer.headers.get("link", ""))
        query = link[1] if link else ""
    as_json = pages(asha, type="payment")
    assert len(rows) == len(as_json) == PAYMENTS
    for row, entry in zip(rows, as_json, strict=True):
        other = entry.pop("counterparty")
        assert row.pop("counterparty_wallet_id") == other["wallet_id"] == bela.wallet_id
        assert row.pop("counterparty") == other["name"]
        day = datetime.fromisoformat(row["created_at"]).astimezone(timezone(timedelta(hours=5, minutes=30))).date()
        assert row.pop("date_in_india") == day.isoformat()
        assert row == {name: "" if value is None else str(value) for name, value in entry.items()}


def test_a_formula_in_a_description_is_text_in_csv_and_itself_in_json(api: Api) -> None:
    asha, bela = api.person(money=100), api.person()
    evil = '=HYPERLINK("http://evil.example";"pay")'
    assert asha.pay(bela, 1, description=evil).status == 201
    answer = api.call("GET", "/wallet/transactions", token=bela.token, headers={"Accept": "text/csv"})
    [row] = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""))
    assert row["description"] == f"'{evil}"
    assert page(bela)["data"][0]["description"] == evil


def test_who_asks_for_another_type_gets_json(story: tuple[Person, Person, list[Json]]) -> None:
    for accept in ("application/xml", "*/*", "text/html, text/csv;q=0"):
        answer = story[0].api.call("GET", "/wallet/transactions", token=story[0].token, headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json"


# --------------------------------------------------------------------------------------------- past balances


def at(person: Person, time: str) -> Json:
    answer = person.get(f"/wallet?at={time}")
    assert answer.status == 200, answer.text
    body: Json = answer.body
    return body


def test_a_past_balance_is_the_one_behind_the_last_entry_of_the_time(story: tuple[Person, Person, list[Json]]) -> None:
    asha, bela, _ = story
    for person in (asha, bela):
        entries = pages(person)
        for entry in entries[::5]:
            told = at(person, entry["created_at"])
            assert told["balance"] == {"total": entry["balance_after"], "held": 0, "available": entry["balance_after"]}
            assert told["as_of"] == entry["created_at"]
        assert at(person, "2020-01-01T00:00:00Z")["balance"]["total"] == 0


def test_a_past_wallet_is_todays_but_for_its_balance(story: tuple[Person, Person, list[Json]]) -> None:
    now = story[0].get("/wallet").body
    then = at(story[0], "2026-01-01T00:00:00%2B05:30")
    assert {**then, "balance": 0, "as_of": 0} == {**now, "balance": 0, "as_of": 0}


@pytest.mark.parametrize("time", ["2099-01-01T00:00:00Z", "yesterday", "2026-01-01", "", "9999-12-31T23:59:59Z"])
def test_a_time_to_come_or_none_at_all_is_refused(story: tuple[Person, Person, list[Json]], time: str) -> None:
    answer = story[0].get(f"/wallet?at={time}")
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [fault["field"] for fault in answer.body["errors"]] == ["at"]


def test_a_wallet_shows_its_limits_and_what_is_used_of_them(api: Api) -> None:
    asha, bela = api.person(money=5_000), api.person()
    assert asha.pay(bela, 1_200).status == 201
    limits = asha.get("/wallet").body["limits"]
    assert set(limits) == {
        "tier",
        "max_balance",
        "max_top_up",
        "max_payment",
        "max_load_month",
        "max_load_year",
        "max_debit_day",
        "max_debit_month",
        "person_to_person",
        "withdrawals",
        "used",
    }
    assert limits["used"] == {
        "debited_today": 1_200,
        "debited_this_month": 1_200,
        "loaded_this_month": 5_000,
        "loaded_this_year": 5_000,
    }


# ---------------------------------------------------------------------------------------- monthly statements


def month_of(time: str) -> str:
    return f"{datetime.fromisoformat(time) + timedelta(hours=5, minutes=30):%Y-%m}"


def test_a_month_comes_as_a_file_by_a_link_that_needs_no_token(story: tuple[Person, Person, list[Json]]) -> None:
    asha, _, receipts = story
    answer = asha.get(f"/wallet/statements/{month_of(receipts[-1]['created_at'])}")
    assert answer.status == 200, answer.text
    assert set(answer.body) == {"month", "complete", "url", "expires_at"}
    file = urllib3.request("GET", answer.body["url"], timeout=20.0)
    assert file.status == 200
    assert file.headers["content-type"] == "text/html; charset=utf-8"
    text = file.data.decode()
    assert text.count('<tr><td class="when">') == PAYMENTS + 1
    assert "Asha Rao" in text
    assert "Payment to Bela D." in text  # nobody has approved her shop, so she is named as a person is
    assert asha.phone[1:] not in text
    assert "₹ 996.75" in text  # 1,000 rupees less 1 + 2 + … + 25 paise


def test_a_link_that_was_tampered_with_opens_nothing(story: tuple[Person, Person, list[Json]]) -> None:
    asha, _, receipts = story
    url = asha.get(f"/wallet/statements/{month_of(receipts[-1]['created_at'])}").body["url"]
    other = url.split("?")[0].replace("wallet-statement", "wallet-statements")
    assert urllib3.request("GET", other, timeout=20.0).status in (403, 404)


@pytest.mark.parametrize(
    ("month", "status", "code"),
    [
        ("2026-13", 422, "invalid_request"),
        ("x", 422, "invalid_request"),
        ("2099-01", 422, "invalid_request"),
        ("2001-01", 404, "not_found"),
    ],
)
def test_a_month_that_there_is_not_is_refused(
    story: tuple[Person, Person, list[Json]], month: str, status: int, code: str
) -> None:
    answer = story[0].get(f"/wallet/statements/{month}")
    assert (answer.status, answer.code) == (status, code)


def test_a_statement_is_for_its_owner_alone(api: Api) -> None:
    answer = api.call("GET", "/wallet/statements/2026-11")
    assert (answer.status, answer.code) == (401, "missing_token")
