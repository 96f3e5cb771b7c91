"""Spans: what a page has shown is not shown again, whichever slots its entries are of."""

from datetime import UTC, datetime
from uuid import UUID

from wallet.ledger.statements import Holder, Span, StatementEntry, Stretch
from wallet.ledger.transactions import Side

WALLET = UUID(int=1)
AS_OF = datetime(2026, 11, 22, tzinfo=UTC)
SPAN = Span(WALLET, (Stretch(0, 2, 10), Stretch(1, 0, 4), Stretch(2, 7, 7)), AS_OF)


def entry(slot: int, number: int, side: Side = Side.CREDIT) -> StatementEntry:
    other = Holder(UUID(int=2), "Bela", "personal")
    return StatementEntry(slot, number, UUID(int=3), "payment", side, 100, 100, other, None, None, AS_OF)


def test_a_stretch_is_as_long_as_the_entries_that_it_names() -> None:
    assert [Stretch(0, 2, 10).length, Stretch(0, 4, 4).length, Stretch(0, 0, 1).length] == [8, 0, 1]
    assert Stretch(0, 5, 3).length == 0, "there is no less than nothing"


def test_a_span_is_as_long_as_its_stretches_together() -> None:
    assert SPAN.length == 8 + 4 + 0


def test_what_is_left_behind_a_page_ends_before_its_oldest_entry_of_each_slot() -> None:
    left = SPAN.before([entry(0, 10), entry(1, 4), entry(0, 9), entry(1, 3), entry(0, 8)])
    assert left == Span(WALLET, (Stretch(0, 2, 7), Stretch(1, 0, 2), Stretch(2, 7, 7)), AS_OF)


def test_the_order_within_a_page_does_not_matter_to_what_is_left() -> None:
    page = [entry(0, 9), entry(0, 10)]
    assert SPAN.before(page) == SPAN.before(page[::-1])
    assert SPAN.before([]) == SPAN


def test_a_credit_counts_up_and_a_debit_down() -> None:
    assert [entry(0, 1, Side.CREDIT).signed, entry(0, 1, Side.DEBIT).signed] == [100, -100]
