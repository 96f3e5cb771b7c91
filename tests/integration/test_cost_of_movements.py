"""What a movement costs the database in statements, those of its procedures and triggers included: it doesn't creep."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.support.books import Books, Person
from tests.support.moves import connection, pay
from tests.support.statements_sent import statements_of


def _merchant(books: Books) -> Person:
    return books.person(kind="merchant", tier="merchant")


def _hot(books: Books) -> Person:
    shop = _merchant(books)
    books.spread(shop, 16)
    return shop


def _by_wallet(books: Books, payer: Person, payee: Person) -> None:
    pay(books, payer, payee, 1)


def _by_phone(books: Books, payer: Person, payee: Person) -> None:
    pay(books, payer, None, 1, payee_phone=payee.phone)


@pytest.mark.parametrize(
    ("payee", "way", "most"),
    [
        pytest.param(Books.person, _by_wallet, 13, id="a person"),
        pytest.param(Books.person, _by_phone, 14, id="a person, by phone"),
        pytest.param(_merchant, _by_wallet, 13, id="a merchant"),
        pytest.param(_hot, _by_wallet, 16, id="a hot merchant"),
    ],
)
def test_a_payment_is_so_many_statements(
    books: Books, payee: Callable[[Books], Person], way: Callable[[Books, Person, Person], None], most: int
) -> None:
    payer, paid = books.person(money=1_000), payee(books)
    way(books, payer, paid)
    costs = [statements_of(connection(books, "money"), lambda: way(books, payer, paid)) for _ in range(8)]
    call = Counter({"round trips": 1, "call_procedure": 1})
    assert max((cost - call).total() for cost in costs) <= most, costs
