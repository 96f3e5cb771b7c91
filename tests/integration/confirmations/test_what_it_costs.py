"""What confirmations cost whoever need not confirm: nothing."""

from collections import Counter

import pytest

from tests.support.books import Books
from tests.support.confirmations import tier_with
from tests.support.moves import connection, pay
from tests.support.statements_sent import statements_of


def cost(books: Books, tier: str, amount: int) -> Counter[str]:
    """Of one payment in a tier: the statements that the server ran, and the round trips."""
    payer, payee = books.person(tier=tier, money=10_000), books.person()
    money = connection(books, "money")
    pay(books, payer, payee, amount)  # its rows of the day are there, and what the connection keeps
    return statements_of(money, lambda: pay(books, payer, payee, amount))


@pytest.mark.parametrize(
    "rules", [{"above": 500}, {"above": 500, "new_payee_above": 400, "reset_wait_s": 86_400}], ids=str
)
def test_a_payment_within_its_bounds_costs_no_statement_and_no_round_trip_more(
    books: Books, rules: dict[str, int]
) -> None:
    without = cost(books, tier_with(books), 300)
    assert cost(books, tier_with(books, **rules), 300) == without
    assert without["round trips"] == 1
    assert without["select"] > 0
    assert without["insert"] > 0


def test_a_sum_of_the_day_costs_none_either(books: Books) -> None:
    """It is a column of the row that a payment locks and writes anyway."""
    without = cost(books, tier_with(books), 300)
    assert cost(books, tier_with(books, day_above=5_000), 300) == without
