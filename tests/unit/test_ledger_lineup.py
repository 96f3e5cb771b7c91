"""The line-up: no batch has more than its places, and an event takes one for itself and one for each merchant."""

import pytest

from tests.unit.events import outbox_event, wallet
from wallet.ledger.lineup import Lineup, Pending


def pending(number: int, merchants: int = 0) -> Pending:
    """An event of a wallet of its own, with so many merchants to tell."""
    told = tuple(wallet(100 * number + one) for one in range(merchants))
    return Pending(outbox_event(position=number), told, frozenset({wallet(number)}))


def batches(lineup: Lineup, places: int) -> list[list[int]]:
    """The positions in each batch, up to the first that is empty."""
    handed_out: list[list[int]] = []
    while batch := lineup.next_batch(places):
        handed_out.append([one.event.position for one in batch])
    return handed_out


@pytest.mark.parametrize("merchants", [0, 1, 2])
def test_an_event_needs_a_place_for_itself_and_one_for_each_merchant(merchants: int) -> None:
    assert pending(1, merchants).places == 1 + merchants


def test_a_batch_is_full_when_its_places_are_taken() -> None:
    lineup = Lineup(pending(number) for number in range(1, 8))
    assert batches(lineup, 3) == [[1, 2, 3], [4, 5, 6], [7]]


def test_what_does_not_fit_waits_for_the_next_batch_and_what_fits_goes_before_it() -> None:
    lineup = Lineup([pending(1, merchants=2), pending(2, merchants=1), pending(3), pending(4)])
    assert batches(lineup, 4) == [[1, 3], [2, 4]]


def test_what_needs_more_places_than_there_are_is_never_handed_out() -> None:
    assert batches(Lineup([pending(1, merchants=2)]), 2) == []
