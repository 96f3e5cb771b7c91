"""The monthly statement as a file: every entry on a numbered sheet, sums that add up, nothing that runs."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.calls import CALLER
from wallet.edge.statement_file import rupees, statement_file
from wallet.ledger.periods import Month
from wallet.ledger.statements import Holder, MonthlyStatement, Outside, StatementBrokenError, StatementEntry
from wallet.ledger.transactions import Side

OCTOBER = Month(date(2026, 10, 1))
MADE_AT = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
OWNER = Holder(UUID(int=1), "Asha Rao", "personal")
BELA = Holder(UUID(int=2), "Bela Devi", "personal")


def month(*entries: StatementEntry, opening: int = 0, until: datetime | None = None) -> MonthlyStatement:
    """October of somebody who paid and was paid as the entries say."""
    chained, balance = [], opening
    for number, entry in enumerate(entries, start=1):
        balance += entry.signed
        chained.append(replace(entry, entry_no=number, balance_after=balance))
    return MonthlyStatement(
        month=OCTOBER,
        holder=OWNER,
        phone="+919876543210",
        currency="INR",
        opening=opening,
        closing=balance,
        entries=tuple(chained),
        until=until or OCTOBER.ends_at,
        made_at=MADE_AT,
    )


def entry(amount: int, side: Side = Side.CREDIT, **changes: object) -> StatementEntry:
    plain = StatementEntry(
        0, 1, CALLER, "payment", side, amount, 0, BELA, None, None, OCTOBER.begins_at + timedelta(hours=1)
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields by name


class Reader(HTMLParser):
    """What a person sees of a file, by sheet, and what is in it beside text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sheets: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src") or name.startswith("on")]
        if tag == "section":
            self.sheets.append("")

    def handle_data(self, data: str) -> None:
        if self.sheets:
            self.sheets[-1] += f" {data}"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0, "0.00"),
        (5, "0.05"),
        (100, "1.00"),
        (99_999, "999.99"),
        (100_000, "1,000.00"),
        (12_345_678, "1,23,456.78"),
        (1_234_567_890, "1,23,45,678.90"),
        (2**53 - 1, "9,00,71,99,25,47,409.91"),
    ],
)
def test_rupees_are_grouped_as_in_india(amount: int, shown: str) -> None:
    assert rupees(amount) == shown


@given(st.integers(0, 2**63))
def test_rupees_say_the_amount_to_the_paisa(amount: int) -> None:
    assert int(rupees(amount).replace(",", "").replace(".", "")) == amount


def test_a_statement_says_whose_it_is_of_when_and_what_it_comes_to() -> None:
    told = Reader(statement_file(month(entry(50_000), entry(12_345, Side.DEBIT), opening=1_000))).sheets[0]
    for text in (
        "Asha Rao",
        "October 2026",
        "01 Oct 2026 to 31 Oct 2026",
        "₹ 10.00",
        "₹ 500.00",
        "₹ 123.45",
        "₹ 386.55",
        "Made 22 Nov 2026 12:00 IST",
        "Page 1 of 1",
        "Opening balance",
        "Closing balance",
    ):
        assert text in told


def test_a_phone_is_shown_by_its_end_and_a_stranger_by_initials() -> None:
    text = statement_file(month(entry(5, description="lunch")))
    assert "9876543210" not in text
    assert "••210" in text
    assert "Payment from Bela D." in text
    assert "Bela Devi" not in text


def test_a_month_that_is_not_over_says_so() -> None:
    text = statement_file(month(entry(5), until=datetime(2026, 10, 20, 6, 30, tzinfo=UTC)))
    assert "not over yet: up to 20 Oct 2026 12:00 IST" in text
    assert "Balance so far" in text
    assert "Closing balance" not in text


def test_an_empty_month_is_a_statement_too() -> None:
    [sheet] = Reader(statement_file(month(opening=700))).sheets
    assert "Page 1 of 1" in sheet
    assert sheet.count("7.00") >= 3


@pytest.mark.parametrize(
    ("kind", "side", "other", "words"),
    [
        ("top_up", Side.CREDIT, Outside("gateway", "razorpay"), "Top-up by UPI through razorpay"),
        ("withdrawal", Side.DEBIT, Outside("vpa", "as***@okbank"), "Withdrawal to as***@okbank"),
        ("fee", Side.DEBIT, Outside("account", "fees"), "Fee"),
        ("refund", Side.CREDIT, Holder(UUID(int=3), "Chai Point", "merchant"), "Refund from Chai Point"),
        ("hold_capture", Side.DEBIT, BELA, "Payment to Bela D."),
        ("adjustment", Side.CREDIT, Outside("account", "suspense"), "Correction"),
    ],
)
def test_every_kind_of_entry_is_told_in_words(kind: str, side: Side, other: Holder | Outside, words: str) -> None:
    text = statement_file(month(entry(5, side, type=kind, counterparty=other), opening=10))
    assert f"<bdi>{words}</bdi>" in text


@pytest.mark.parametrize(
    "evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</bdi></td></table>", "&lt;b&gt;"]
)
def test_what_a_stranger_wrote_is_text(evil: str) -> None:
    plain = Reader(statement_file(month(entry(5))))
    other = replace(BELA, name=evil, kind="merchant")
    told = Reader(statement_file(month(entry(5, description=evil, reference=evil, counterparty=other))))
    assert told.tags == plain.tags
    assert told.links == []
    assert told.sheets[0].count(evil) == 3


def test_what_a_stranger_wrote_stays_in_its_box() -> None:
    """Rows from before marks were bounded are still shown, and clip: none draws over the lines around it."""
    evil = "x" + "\u0301" * 49
    text = statement_file(month(entry(5, description=evil, counterparty=replace(BELA, name=evil, kind="merchant"))))
    [cell] = re.findall('<td class="others">(.*?)</td>', text)
    assert re.fullmatch(r"<div><bdi>[^<]*</bdi></div><div class=\"fine\"><bdi>[^<]*</bdi></div>", cell)
    assert cell.count(evil) == 2
    rules = dict(re.findall(r"^([a-z.> ]+) \{ (.*) \}$", text, re.MULTILINE))
    for box in (".others > div", "td", "dd"):
        assert "overflow: hidden" in rules[box]


def test_a_file_loads_nothing_and_may_run_nothing() -> None:
    text = statement_file(month(entry(5)))
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert "http" not in text.replace("http-equiv", "")
    assert "url(" not in text


descriptions = st.one_of(st.none(), st.text("abc अ ", min_size=1, max_size=200))


@given(st.lists(st.tuples(st.integers(1, 10**7), descriptions), max_size=150), st.integers(0, 10**9))
def test_every_entry_is_on_one_sheet_and_each_begins_where_the_last_one_ended(
    told: list[tuple[int, str | None]], opening: int
) -> None:
    statement = month(*(entry(amount, description=text) for amount, text in told), opening=opening)
    text = statement_file(statement)
    sheets = text.split('<section class="sheet">')[1:]
    for number, sheet in enumerate(sheets, start=1):
        assert f"Page {number} of {len(sheets)}" in sheet
        lines = len(re.findall(r'<tr><td class="when">', sheet))
        assert lines <= 24
    carried = [
        re.search(r"Carried forward</td><td></td><td></td><td class=\"sum\">([0-9,.]+)", sheet) for sheet in sheets[:-1]
    ]
    brought = [
        re.search(r"Brought forward</td><td></td><td></td><td class=\"sum\">([0-9,.]+)", sheet) for sheet in sheets[1:]
    ]
    assert [found[1] for found in carried if found] == [found[1] for found in brought if found]
    assert len([found for found in carried if found]) == len(sheets) - 1
    assert text.count('<tr><td class="when">') == len(told)
    assert f">{rupees(statement.closing)}<" in sheets[-1]


def test_long_texts_leave_room_for_fewer_lines_on_a_sheet() -> None:
    short = Reader(statement_file(month(*(entry(1) for _ in range(60))))).sheets
    long = Reader(statement_file(month(*(entry(1, description="m" * 200) for _ in range(60))))).sheets
    assert len(long) > len(short) > 1


def test_entries_that_do_not_lead_to_the_closing_balance_are_no_statement() -> None:
    good = month(entry(500), entry(200, Side.DEBIT))
    with pytest.raises(StatementBrokenError):
        replace(good, closing=301)
    with pytest.raises(StatementBrokenError):
        replace(good, entries=good.entries[1:])
    with pytest.raises(StatementBrokenError):
        replace(good, entries=tuple(reversed(good.entries)))
    assert (good.total_in, good.total_out) == (500, 200)
