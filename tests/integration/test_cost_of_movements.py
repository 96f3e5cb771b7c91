"""What a movement costs the database in statements, those of its procedures and triggers included: it doesn't creep."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.support.books import Books, Person, captured
from tests.support.moves import capture, connection, pay, place, refund, release
from tests.support.statements_sent import statements_of
from wallet import wiring
from wallet.storage import settlement


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


def _places(books: Books, payer: Person, payee: Person) -> Callable[[], object]:
    return lambda: place(books, payer, payee, 1)


def _releases(books: Books, payer: Person, payee: Person) -> Callable[[], object]:
    holds = [place(books, payer, payee, 1).id for _ in range(10)]
    return lambda: release(books, payee, holds.pop())


def _refunds(books: Books, payer: Person, payee: Person) -> Callable[[], object]:
    payment_id = pay(books, payer, payee, 100)[0].transaction_id
    return lambda: refund(books, payee, payment_id, 1)


def _captures(books: Books, payer: Person, payee: Person) -> Callable[[], object]:
    hold_id = place(books, payer, payee, 100).id
    return lambda: capture(books, payee, hold_id, 1)


@pytest.mark.parametrize(
    ("movement", "payee", "most"),
    [
        pytest.param(_places, Books.person, 15, id="a hold for a person"),
        pytest.param(_places, _merchant, 15, id="a hold for a merchant"),
        pytest.param(_places, _hot, 15, id="a hold for a hot merchant"),
        pytest.param(_releases, Books.person, 18, id="a hold's release"),
        pytest.param(_refunds, Books.person, 13, id="a refund by a person"),
        pytest.param(_refunds, _merchant, 13, id="a refund by a merchant"),
        pytest.param(_refunds, _hot, 18, id="a refund by a hot merchant"),
        pytest.param(_captures, Books.person, 16, id="a capture by a person"),
        pytest.param(_captures, _merchant, 16, id="a capture by a merchant"),
        pytest.param(_captures, _hot, 18, id="a capture by a hot merchant"),
    ],
)
def test_any_other_movement_is_so_many_statements(
    books: Books,
    movement: Callable[[Books, Person, Person], Callable[[], object]],
    payee: Callable[[Books], Person],
    most: int,
) -> None:
    assert cost_of(books, movement(books, books.person(money=1_000), payee(books))) <= most


@pytest.mark.parametrize(
    ("payee", "told", "most"),
    [
        pytest.param(Books.person, 100, 17, id="credited to a person"),
        pytest.param(_hot, 100, 17, id="credited to a hot merchant"),
        pytest.param(Books.person, 99, 16, id="in suspense"),
    ],
)
def test_money_that_has_arrived_is_so_many_statements(
    books: Books, payee: Callable[[Books], Person], told: int, most: int
) -> None:
    person = payee(books)
    payments = [captured(books.order(person, 100), told) for _ in range(10)]

    def settles() -> None:
        payment = payments.pop()
        settlement.settle_payment(connection(books, "gateway"), payment, transaction_id=wiring.new_id())

    assert cost_of(books, settles, role="gateway") <= most


def cost_of(books: Books, work: Callable[[], object], *, role: str = "money") -> int:
    """The statements of a movement at the most, as it is done again and again; without the CALL of it."""
    work()
    costs = [statements_of(connection(books, role), work) for _ in range(8)]
    call = Counter({"round trips": 1, "call_procedure": 1})
    return max((cost - call).total() for cost in costs)
