"""What a movement costs the database in statements, those of its procedures and triggers included: it doesn't creep."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.support.books import Books, Person
from tests.support.moves import capture, connection, pay, place, refund
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
    assert cost_of(books, lambda: way(books, payer, paid)) <= most


@pytest.mark.parametrize(
    ("payee", "most"),
    [
        pytest.param(Books.person, 13, id="by a person"),
        pytest.param(_merchant, 13, id="by a merchant"),
        pytest.param(_hot, 18, id="by a hot merchant"),
    ],
)
def test_a_refund_is_so_many_statements(books: Books, payee: Callable[[Books], Person], most: int) -> None:
    payer, paid = books.person(money=1_000), payee(books)
    payment_id = pay(books, payer, paid, 100)[0].transaction_id
    assert cost_of(books, lambda: refund(books, paid, payment_id, 1)) <= most


@pytest.mark.parametrize(
    ("payee", "most"),
    [
        pytest.param(Books.person, 16, id="by a person"),
        pytest.param(_merchant, 16, id="by a merchant"),
        pytest.param(_hot, 19, id="by a hot merchant"),
    ],
)
def test_a_capture_is_so_many_statements(books: Books, payee: Callable[[Books], Person], most: int) -> None:
    payer, paid = books.person(money=1_000), payee(books)
    hold_id = place(books, payer, paid, 100).id
    assert cost_of(books, lambda: capture(books, paid, hold_id, 1)) <= most


def cost_of(books: Books, work: Callable[[], object]) -> int:
    """The statements of a movement at the most, as it is done again and again; without the CALL of it."""
    work()
    costs = [statements_of(connection(books, "money"), work) for _ in range(8)]
    call = Counter({"round trips": 1, "call_procedure": 1})
    return max((cost - call).total() for cost in costs)
