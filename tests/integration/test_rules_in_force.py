"""What payments are judged by is written down once for each change of a rule, and is never another rule's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.support.books import Books, Person, unique
from tests.support.confirmations import tier_with
from tests.support.moves import capture, clock_at, pay, place, refusal_of, refusals_in
from tests.support.waiting import behind, nothing
from wallet.ledger.refusals import Refusal

BEGINNING = datetime(2031, 1, 1, tzinfo=UTC)
ADD_LIMITS = (
    "INSERT INTO tier_limits (tier, valid_from, max_payment, person_to_person, withdrawals)"
    " VALUES (%s, '2022-01-01', 50, TRUE, TRUE)"
)
ADD_CONFIRMATIONS = "INSERT INTO confirmation_rules (tier, valid_from, above) VALUES (%s, '2022-01-01', 50)"


@pytest.fixture
def payer(books: Books) -> Person:
    """Somebody in a tier of their own, which confirms what is more than 1,000, and whose rules have been asked for."""
    payer = books.person(money=10_000, tier=tier_with(books, above=1_000))
    pay(books, payer, books.person(), 60)
    return payer


def tier_of(books: Books, person: Person) -> str:
    [row] = books.select("SELECT tier FROM wallets WHERE id = %s", person.wallet_id.bytes)
    return str(row["tier"])


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (ADD_LIMITS, Refusal.WALLET_LIMIT_EXCEEDED),
        ("UPDATE tier_limits SET max_payment = 50 WHERE tier = %s", Refusal.WALLET_LIMIT_EXCEEDED),
        (ADD_CONFIRMATIONS, Refusal.CONFIRMATION_REQUIRED),
        ("UPDATE confirmation_rules SET above = 50 WHERE tier = %s", Refusal.CONFIRMATION_REQUIRED),
    ],
    ids=["a limit added", "a limit changed", "a confirmation added", "a confirmation changed"],
)
def test_a_rule_that_is_added_or_changed_is_the_next_payments(
    books: Books, payer: Person, statement: str, told: Refusal
) -> None:
    books.write(statement, tier_of(books, payer))
    assert refusal_of(lambda: pay(books, payer, books.person(), 60)) is told
    pay(books, payer, books.person(), 50)
    assert books.faults() == []


@pytest.mark.parametrize(("table", "added"), [("tier_limits", ADD_LIMITS), ("confirmation_rules", ADD_CONFIRMATIONS)])
def test_a_rule_that_is_taken_back_is_no_payments(books: Books, payer: Person, table: str, added: str) -> None:
    books.write(added, tier_of(books, payer))
    assert refusal_of(lambda: pay(books, payer, books.person(), 60)) is not None
    books.write(f"DELETE FROM {table} WHERE tier = %s AND valid_from = '2022-01-01'", tier_of(books, payer))  # noqa: S608 - above
    pay(books, payer, books.person(), 60)
    assert books.faults() == []


def test_who_is_a_merchant_to_the_limits_changes_with_the_tier(books: Books) -> None:
    tier = unique("t")[:16]
    books.tier(tier, {"2021-01-01": {}})
    books.tier("shoppers", {"2021-01-01": {"person_to_person": False}})
    payer, shop = books.person(money=100, tier="shoppers"), books.person(kind="merchant", tier=tier)
    assert refusal_of(lambda: pay(books, payer, shop, 60)) is Refusal.WALLET_LIMIT_EXCEEDED
    books.write("UPDATE tiers SET for_merchants = TRUE WHERE code = %s", tier)
    pay(books, payer, shop, 60)


@pytest.mark.parametrize("move", [pay, place])
def test_a_fee_is_the_next_payments_and_captures_from_when_it_is_added_until_it_is_taken_back(
    books: Books, move: Callable[..., object]
) -> None:
    payer, shop = books.person(money=10_000), books.person(kind="merchant", tier="merchant")

    def taken() -> int:
        before = books.balance(shop)
        if move is pay:
            pay(books, payer, shop, 1_000)
        else:
            capture(books, shop, place(books, payer, shop, 1_000).id, None)
        return before + 1_000 - books.balance(shop)

    assert taken() == 0
    with books.fee("payment", basis_points=100):
        assert taken() == 10
        books.write("UPDATE fee_rates SET flat = 5 WHERE movement = 'payment'")
        assert taken() == 15
    assert taken() == 0


def test_a_rule_that_is_dated_is_in_force_from_its_moment_on(books: Books) -> None:
    code = unique("t")[:16]
    later = BEGINNING + timedelta(seconds=10)
    books.tier(code, {"2021-01-01": {}, f"{later:%Y-%m-%d %H:%M:%S}": {"max_payment": 50}})
    payer, payee = books.person(money=1_000, tier=code), books.person()
    last = timedelta(microseconds=1)
    with clock_at(books, BEGINNING):
        pay(books, payer, payee, 60)
    with clock_at(books, later - last):
        pay(books, payer, payee, 60)
    with clock_at(books, later):
        assert refusal_of(lambda: pay(books, payer, payee, 60)) is Refusal.WALLET_LIMIT_EXCEEDED
    with clock_at(books, later - last):  # another server's clock, a little behind
        pay(books, payer, payee, 60)


def test_who_pays_while_a_rule_is_added_is_judged_by_it_if_they_had_to_ask_for_the_rules(
    books: Books, payer: Person
) -> None:
    tier = tier_of(books, payer)
    books.write("UPDATE tier_limits SET max_payment = 5000 WHERE tier = %s", tier)  # what was written down has lapsed
    answers = behind(books, [partial(pay, books, payer, books.person(), 60)], nothing, ADD_LIMITS, tier)
    assert refusals_in(answers) == [Refusal.WALLET_LIMIT_EXCEEDED]


def test_a_rule_that_is_added_while_somebody_asks_for_the_rules_is_the_next_payments(
    books: Books, payer: Person
) -> None:
    tier = tier_of(books, payer)
    books.write("UPDATE tier_limits SET max_payment = 5000 WHERE tier = %s", tier)
    behind(books, [lambda: books.write(ADD_LIMITS, tier)], nothing, "CALL renew_rules(%s)", tier)
    assert refusal_of(lambda: pay(books, payer, books.person(), 60)) is Refusal.WALLET_LIMIT_EXCEEDED


def test_who_deploys_asks_for_the_rules_so_that_no_payment_has_to(books: Books) -> None:
    books.write("UPDATE rules_in_force SET valid_until = '1970-01-01' WHERE tier = 'full'")
    books.migrate()
    assert books.select("SELECT valid_until > UTC_TIMESTAMP(6) AS here FROM rules_in_force WHERE tier = 'full'") == [
        {"here": 1}
    ]
