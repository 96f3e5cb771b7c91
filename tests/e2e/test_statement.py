"""The statement: newest first, page by page, while money moves."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

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
    assert entry | {"id": "", "created_at": ""} == {
        "id": "",
        "type": "top_up",
        "direction": "credit",
        "amount": 100_000,
        "balance_after": 100_000,
        "counterparty": {"gateway": "razorpay"},
        "description": None,
        "reference": None,
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


def test_a_cursor_behind_the_last_entry_is_an_empty_page(story: tuple[Person, Person, list[Json]]) -> None:
    asha, _, _ = story
    assert page(asha, cursor="e1") == {"data": [], "next_cursor": None}
    assert amounts(page(asha, cursor="e999999999", limit=1)["data"]) == [PAYMENTS]
