"""What payments are judged by is written down once for each change of a rule, and is never another rule's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.support.books import Books, Person, unique
from tests.support.confirmations import tier_with
from tests.support.moves import capture, clock_at, pay, place, refusal_of, refusals_in
from tests.support.waiting import behind, behind_wallet, nothing
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


def lapse(books: Books, *people: Person) -> None:
    """What was written down for their tiers is no more in force, as when a rule was changed."""
    for person in people:
        books.write("UPDATE tier_limits SET max_payment = 5000 WHERE tier = %s", tier_of(books, person))


def is_in_force(books: Books, person: Person) -> bool:
    query = "SELECT valid_until > UTC_TIMESTAMP(6) AS here FROM rules_in_force WHERE tier = %s"
    [row] = books.select(query, tier_of(books, person))
    return bool(row["here"])


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
    lapse(books, payer)
    answers = behind(
        books, [partial(pay, books, payer, books.person(), 60)], nothing, ADD_LIMITS, tier_of(books, payer)
    )
    assert refusals_in(answers) == [Refusal.WALLET_LIMIT_EXCEEDED]


def test_a_rule_that_is_added_while_somebody_asks_for_the_rules_is_the_next_payments(
    books: Books, payer: Person
) -> None:
    """Who asks has locked the row and read the rules, and is about to write them down."""
    lapse(books, payer)
    tier = tier_of(books, payer)
    lock = "SELECT tier FROM rules_in_force WHERE tier = %s FOR UPDATE"
    behind(books, [partial(books.write, ADD_LIMITS, tier), partial(books.renew_rules, tier)], nothing, lock, tier)
    assert refusal_of(lambda: pay(books, payer, books.person(), 60)) is Refusal.WALLET_LIMIT_EXCEEDED


def test_a_tier_that_comes_while_a_fee_is_added_has_it(books: Books) -> None:
    code = unique("t")[:16]
    fee = "INSERT INTO fee_rates VALUES ('payment', '2022-01-01', 100, 0)"
    payer, shop = books.person(money=1_000), books.person(kind="merchant", tier="merchant")
    try:
        behind(books, [partial(books.tier, code, {"2021-01-01": {}}, for_merchants=True)], nothing, fee)
        books.set_tier(shop, code)
        pay(books, payer, shop, 1_000)
        assert books.balance(shop) == 990
    finally:
        books.write("DELETE FROM fee_rates WHERE valid_from = '2022-01-01'")


def test_a_rule_that_is_made_another_tiers_is_no_longer_the_first_ones(books: Books, payer: Person) -> None:
    tier, other = tier_of(books, payer), tier_with(books)
    books.write(ADD_LIMITS, tier)
    assert refusal_of(lambda: pay(books, payer, books.person(), 60)) is Refusal.WALLET_LIMIT_EXCEEDED
    books.write("UPDATE tier_limits SET tier = %s WHERE tier = %s AND valid_from = '2022-01-01'", other, tier)
    pay(books, payer, books.person(), 60)
    assert books.faults() == []


def test_a_tier_that_nobody_has_can_be_taken_back(books: Books) -> None:
    tier = tier_with(books)
    for table in ("tier_limits", "confirmation_rules"):
        books.write(f"DELETE FROM {table} WHERE tier = %s", tier)  # noqa: S608 - above
    books.write("DELETE FROM tiers WHERE code = %s", tier)


def test_what_is_refused_leaves_the_rules_written_down(books: Books, payer: Person) -> None:
    lapse(books, payer)
    assert refusal_of(lambda: pay(books, payer, books.person(), 1_000_000)) is Refusal.INSUFFICIENT_FUNDS
    assert is_in_force(books, payer)


@pytest.mark.parametrize("behind_the_lock", [False, True])
def test_a_capture_and_a_payment_go_by_rules_that_have_lapsed(
    books: Books, payer: Person, *, behind_the_lock: bool
) -> None:
    payee = books.person(tier=tier_with(books))
    hold = place(books, payer, payee, 60)
    tasks: list[Callable[[], object]] = [
        partial(capture, books, payee, hold.id, None),
        partial(pay, books, payer, payee, 60),
    ]
    if behind_the_lock:
        answers = behind_wallet(books, payer, tasks, lambda _: lapse(books, payer, payee))
    else:
        lapse(books, payer, payee)
        answers = [task() for task in tasks]
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert books.balance(payee) == 120
    assert books.faults() == []


def test_who_deploys_asks_for_the_rules_so_that_no_payment_has_to(books: Books, payer: Person) -> None:
    lapse(books, payer)
    assert not is_in_force(books, payer)
    books.migrate()
    assert is_in_force(books, payer)
