"""What a payer learns of a payee: nothing, over and over, whatever the payee's wallet is; and so often, and no more."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.support.books import Books, Person, new_phone, unique
from tests.support.crowd import together
from tests.support.moves import (
    capture,
    clock_at,
    connection,
    made_anew,
    pay,
    place,
    refusal_of,
    refusals_in,
    release,
)
from tests.support.statements_sent import statements_of
from tests.support.waiting import LOCK_WALLET, holding
from wallet import wiring
from wallet.ledger.bulk import BulkRow, RowResult
from wallet.ledger.payees import LOOKUPS, LOOKUPS_OF_MERCHANTS, PayeeName
from wallet.ledger.refusals import Refusal, Refused
from wallet.movements import bulk as movement
from wallet.movements.bulk import BulkRun, BulkWorker
from wallet.storage import bulk, holds
from wallet.storage.payments import find_payment

_NOON = datetime(2030, 6, 10, 6, 30, tzinfo=UTC)
_HOUR = timedelta(hours=1)

Ask = Callable[[Books, Person, PayeeName, int], object]


def paying(books: Books, payer: Person, payee: PayeeName, amount: int) -> object:
    return pay(books, payer, None, amount, payee_wallet_id=payee.wallet_id, payee_phone=payee.phone)


def placing(books: Books, payer: Person, payee: PayeeName, amount: int) -> object:
    return holds.place_hold(
        connection(books, "money"),
        payer.claim(),
        hold_id=wiring.new_id(),
        payee_wallet_id=payee.wallet_id,
        payee_phone=payee.phone,
        amount=amount,
        valid_s=3_600,
        description=None,
    )


both_ways = pytest.mark.parametrize("ask", [paying, placing])


@dataclass(frozen=True, slots=True)
class Payees:
    """One payee of each private state, and the wallets of none."""

    there: Person
    by_state: dict[str, Person]

    @classmethod
    def of(cls, books: Books) -> "Payees":
        capped, loaded = unique("t")[:16], unique("t")[:16]
        books.tier(capped, {"2021-01-01": {"max_balance": 100}})
        books.tier(loaded, {"2021-01-01": {"max_load_month": 100}})
        states = {
            "frozen": books.person(),
            "closing": books.person(),
            "closed": books.person(),
            "full": books.person(money=100),
            "limited": books.person(money=100),
        }
        for status in ("frozen", "closing", "closed"):
            books.turn(states[status], status)
        books.set_tier(states["full"], capped)
        books.set_tier(states["limited"], loaded)
        return cls(books.person(), states)

    def names(self) -> dict[str, PayeeName]:
        """Each by wallet and by phone, and two whom nobody has."""
        names = {
            f"{state} by {way}": name
            for state, person in {"there": self.there, **self.by_state}.items()
            for way, name in (
                ("wallet", PayeeName(person.wallet_id, None)),
                ("phone", PayeeName(None, person.phone)),
            )
        }
        return {
            **names,
            "nobody's wallet": PayeeName(wiring.new_id(), None),
            "nobody's phone": PayeeName(None, new_phone()),
        }


@pytest.fixture(scope="module")
def payees(books: Books) -> Payees:
    return Payees.of(books)


def told(work: Callable[[], object]) -> tuple[str, object, object, object]:
    """All that a refusal says."""
    with pytest.raises(Refused) as caught:
        work()
    refused = caught.value
    return refused.refusal.value, refused.detail, refused.retry_after_s, refused.fields


def test_whatever_keeps_a_payee_from_being_paid_has_one_answer(books: Books, payees: Payees) -> None:
    payer = books.person(money=1_000)
    answers = {
        name: told(partial(paying, books, payer, payee, 2))
        for name, payee in payees.names().items()
        if not name.startswith("there")
    }
    assert set(answers.values()) == {("payee_unavailable", None, None, ())}, answers
    assert books.balance(payer) == 1_000
    assert books.faults() == []


@pytest.mark.parametrize("order", ["payer first", "payee first"])
@both_ways
def test_who_is_refused_for_their_own_sake_is_told_that_whoever_the_payee_is(
    books: Books, payees: Payees, ask: Ask, order: str
) -> None:
    code, merchants_only = unique("t")[:16], unique("t")[:16]
    books.tier(code, {"2021-01-01": {"max_payment": 100}})
    books.tier(merchants_only, {"2021-01-01": {"person_to_person": False}})
    empty, held, frozen, limited, shopper = (books.person(money=money) for money in (0, 500, 500, 500, 500))
    known = payees if order == "payee first" else Payees.of(books)
    place(books, held, books.person(), 500)
    books.turn(frozen, "frozen")
    books.set_tier(limited, code)
    books.set_tier(shopper, merchants_only)
    for payer, amount, refusal in (
        (empty, 1, "insufficient_funds"),
        (held, 1, "insufficient_funds"),
        (frozen, 1, "wallet_frozen"),
        (frozen, 501, "wallet_frozen"),
        (limited, 101, "wallet_limit_exceeded"),
        (shopper, 2, "wallet_limit_exceeded"),
    ):
        answers = {name: told(partial(ask, books, payer, payee, amount))[0] for name, payee in known.names().items()}
        assert set(answers.values()) == {refusal}, answers
    assert (
        books.select(
            "SELECT used FROM quota_usage WHERE subject IN (%s, %s, %s, %s)",
            *[person.user_id.bytes for person in (empty, frozen, limited, shopper)],
        )
        == []
    ), "they were told nothing that counts"


@both_ways
def test_who_is_refused_for_their_own_sake_does_not_even_wait_for_the_payee(books: Books, ask: Ask) -> None:
    """Nor is it told by the time that it takes: the payee's wallet is neither locked nor read."""
    first, payer, last = (books.person() for _ in range(3))
    frozen = books.person(money=100)
    books.turn(frozen, "frozen")
    for payee in (first, last):
        with holding(books, LOCK_WALLET, payee.wallet_id.bytes):
            for name in (PayeeName(payee.wallet_id, None), PayeeName(None, payee.phone)):
                assert refusal_of(partial(ask, books, payer, name, 1)) is Refusal.INSUFFICIENT_FUNDS
                assert refusal_of(partial(ask, books, frozen, name, 1)) is Refusal.WALLET_FROZEN


@both_ways
def test_who_has_enough_once_lapsed_holds_and_slots_are_counted_may_pay(books: Books, ask: Ask) -> None:
    payer, payee = books.person(money=1_000), books.person()
    with clock_at(books, _NOON):
        place(books, payer, payee, 1_000, valid_s=60)
        assert refusal_of(partial(ask, books, payer, PayeeName(payee.wallet_id, None), 1)) is Refusal.INSUFFICIENT_FUNDS
    with clock_at(books, _NOON + timedelta(seconds=60)):
        ask(books, payer, PayeeName(payee.wallet_id, None), 1_000)
    shop, sources = books.person(kind="merchant", tier="merchant"), books.person(money=1_000)
    books.spread(shop, 4)
    for _ in range(20):
        pay(books, sources, shop, 50)
    assert refusal_of(partial(ask, books, shop, PayeeName(payee.wallet_id, None), 1_001)) is Refusal.INSUFFICIENT_FUNDS
    ask(books, shop, PayeeName(payee.wallet_id, None), 1_000)
    assert books.faults() == []


@pytest.mark.parametrize("limit", ["max_debit_day", "max_debit_month"])
@both_ways
def test_what_a_lapsed_hold_held_counts_for_no_limit_although_nobody_has_swept_it(
    books: Books, ask: Ask, limit: str
) -> None:
    tier = unique("t")[:16]
    books.tier(tier, {"2021-01-01": {limit: 500}})
    payer, payee = books.person(money=1_000), books.person()
    books.set_tier(payer, tier)
    name = PayeeName(payee.wallet_id, None)
    with clock_at(books, _NOON):
        place(books, payer, payee, 300, valid_s=60)
        assert refusal_of(partial(ask, books, payer, name, 201)) is Refusal.WALLET_LIMIT_EXCEEDED
    with clock_at(books, _NOON + timedelta(seconds=60)):
        assert refusal_of(partial(ask, books, payer, name, 501)) is Refusal.WALLET_LIMIT_EXCEEDED
        ask(books, payer, name, 500)
    assert books.faults() == []


def test_a_hold_is_placed_whatever_its_payee_could_take_and_the_payee_hears_it_at_the_capture(
    books: Books, payees: Payees
) -> None:
    """23 holds once told a balance to the paisa, free of charge."""
    payer = books.person(money=12_000_000)
    heard = {
        "there": None,
        "frozen": Refusal.WALLET_FROZEN,
        "closing": Refusal.WALLET_FROZEN,
        "full": Refusal.WALLET_LIMIT_EXCEEDED,
        "limited": Refusal.WALLET_LIMIT_EXCEEDED,
    }
    for state, person in {"there": payees.there, **payees.by_state}.items():
        for amount in (1, 2, 100, 1_000_000):
            for name in (PayeeName(person.wallet_id, None), PayeeName(None, person.phone)):
                if state == "closed":
                    assert told(partial(placing, books, payer, name, amount))[0] == "payee_unavailable"
                else:
                    placing(books, payer, name, amount)
        if state != "closed":
            hold = place(books, payer, person, 101)
            if heard[state] is None:
                capture(books, person, hold.id, None)
            else:
                assert refusal_of(partial(capture, books, person, hold.id, None)) is heard[state]
            if state == "there":
                continue
            release(books, person, hold.id)
    nobody = told(partial(placing, books, payer, PayeeName(None, new_phone()), 1))
    assert nobody == told(partial(placing, books, payer, PayeeName(wiring.new_id(), None), 1))
    assert nobody[0] == "payee_unavailable"
    assert books.faults() == []


@pytest.mark.parametrize("status", ["frozen", "closing"])
def test_whatever_a_payers_wallet_is_its_payee_hears_one_thing_of_a_hold(books: Books, status: str) -> None:
    payer, payee = books.person(money=1_000), books.person()
    ended, kept = place(books, payer, payee, 100), place(books, payer, payee, 100)
    release(books, payee, ended.id)
    books.turn(payer, status)
    for amount in (None, 1, 101):
        answers = {told(partial(capture, books, payee, hold.id, amount)) for hold in (ended, kept)}
        assert answers == {("hold_not_placed", None, None, ())}
    books.turn(payer, "active")
    capture(books, payee, kept.id, None)


def test_a_payee_who_is_told_to_nobody_is_nobody_to_who_may_pay_merchants_only(books: Books, payees: Payees) -> None:
    """Or a wallet that may not pay people would learn, uncounted, who is registered."""
    tier = unique("t")[:16]
    books.tier(tier, {"2021-01-01": {"person_to_person": False}})
    payer, shop, shut = (books.person(money=500), *(books.person(kind="merchant", tier="merchant") for _ in range(2)))
    books.set_tier(payer, tier)
    books.turn(shut, "frozen")
    assert {told(partial(paying, books, payer, name, 1))[0] for name in payees.names().values()} == {
        "wallet_limit_exceeded"
    }
    paying(books, payer, PayeeName(shop.wallet_id, None), 1)
    assert told(partial(paying, books, payer, PayeeName(shut.wallet_id, None), 1))[0] == "payee_unavailable"


# ------------------------------------------------------------------------------------------------------ how often


def lookups(books: Books, person: Person) -> tuple[int, int] | None:
    query = "SELECT used, allowed FROM quota_usage WHERE subject = %s AND quota = 'unavailable_payees'"
    rows = books.select(query, person.user_id.bytes)
    return (rows[0]["used"], rows[0]["allowed"]) if rows else None


def test_after_so_many_payees_who_can_not_be_paid_none_is_looked_for_until_the_hour_is_over(books: Books) -> None:
    payees = Payees.of(books)
    payer, known = books.person(money=1_000), PayeeName(payees.there.wallet_id, None)
    paid = payer.claim()
    with clock_at(books, _NOON):
        first, _ = pay(books, payer, payees.there, 10, claim=paid)
        for number in range(LOOKUPS):
            ask: Any = paying if number % 2 else placing
            assert told(partial(ask, books, payer, PayeeName(None, new_phone()), 1))[0] == "payee_unavailable"
    assert lookups(books, payer) == (LOOKUPS, LOOKUPS)
    with clock_at(books, _NOON + _HOUR / 2):
        for refuse in (paying, placing):
            answers = {told(partial(refuse, books, payer, name, 1))[:3:2] for name in payees.names().values()}
            assert answers == {("too_many_lookups", 1_801)}, "whether or not they can be paid"
            assert told(partial(refuse, books, payer, PayeeName(payer.wallet_id, None), 1))[0] == "self_payment"
            assert told(partial(refuse, books, payer, known, 1_001))[0] == "insufficient_funds"
        again, replayed = pay(books, payer, payees.there, 10, claim=paid)
        assert (again, replayed) == (made_anew(first), True), "what was paid is answered as ever"
        assert find_payment(connection(books, "money"), payment_id=first.transaction_id, actor_id=payer.user_id)
        other = books.person(money=100)
        paying(books, other, known, 1)
    with clock_at(books, _NOON + _HOUR):
        paying(books, payer, known, 1)
        assert told(partial(paying, books, payer, PayeeName(None, new_phone()), 1))[0] == "payee_unavailable"
    assert lookups(books, payer) == (1, LOOKUPS), "another hour has begun"


def test_of_many_at_once_on_as_many_connections_as_many_are_told_as_may_be(books: Books) -> None:
    payer = books.person(money=1_000)
    tasks = [partial(paying, books, payer, PayeeName(None, new_phone()), 1) for _ in range(LOOKUPS + 40)]
    refusals = Counter(refusals_in(together(tasks, at_once=16)))
    assert refusals == {Refusal.PAYEE_UNAVAILABLE: LOOKUPS, Refusal.TOO_MANY_LOOKUPS: 40}
    assert books.balance(payer) == 1_000


def test_an_approved_merchant_who_pays_by_files_is_told_of_as_many_as_a_file_has(books: Books) -> None:
    said, approved = (books.person(kind="merchant", tier=tier, money=100) for tier in ("full", "merchant"))
    for payer, allowed in ((said, LOOKUPS), (approved, LOOKUPS_OF_MERCHANTS)):
        assert told(partial(paying, books, payer, PayeeName(None, new_phone()), 1))[0] == "payee_unavailable"
        assert lookups(books, payer) == (1, allowed)


def test_a_payment_that_is_made_counts_nothing_and_asks_nothing_more(books: Books) -> None:
    """Tables that one payment looks into or writes, counted by the server: as many as before there was a quota."""
    payer, payee = books.person(money=1_000), books.person()
    pay(books, payer, payee, 1)
    cost = statements_of(connection(books, "money"), lambda: pay(books, payer, payee, 1))
    assert cost["select"] > 0
    assert cost["select"] + cost["insert"] + cost["update"] <= 16, "as many as before"
    assert lookups(books, payer) is None


@both_ways
def test_the_code_of_the_release_before_is_given_refusals_that_it_knows(books: Books, ask: Ask) -> None:
    """It runs on the new schema while it is being replaced. What has a new name says so in the result."""
    payer = books.person(money=1_000)
    procedure = "post_payment" if ask is paying else "place_hold"
    arguments = (wiring.new_id().bytes, None, new_phone(), 1, *((None, None) if ask is paying else (60, None)))
    query = f"CALL {procedure}(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
    for word, code in (("payee_not_found", "payee_unavailable"), ("too_many_attempts", "too_many_lookups")):
        [row] = connection(books, "money").read(query, *payer.claim().signed_in(), *arguments)
        assert row["outcome"] == word
        assert f'"{code}"' in row["result"]
        books.write("UPDATE quota_usage SET used = allowed WHERE subject = %s", payer.user_id.bytes)


# ------------------------------------------------------------------------------------------------------ by a file


def paid_by_file(books: Books, payer: Person, wanted: list[tuple[PayeeName, int]]) -> list[RowResult]:
    """What became of each row, in the order of the file."""
    database = books.as_role("money")
    while bulk.claim_bulk_payment(database, lease_s=3_600) is not None:
        pass  # what others have left
    rows = [BulkRow(line, payee, amount, None, None) for line, (payee, amount) in enumerate(wanted, 2)]
    receipt, _ = movement.open_bulk_payment(database, wiring.new_id, claim=payer.claim(), rows=rows)
    BulkWorker(database, wiring.new_id, time_left_s=lambda: 60).work(BulkRun())
    database.close()
    reader = books.as_role("reader")
    found = bulk.row_results(
        reader, bulk_payment_id=receipt.id, actor_id=payer.user_id, after=0, limit=10_000, status=None
    )
    reader.close()
    return found


def test_a_file_tells_no_more_of_its_payees_than_payments_do(books: Books, payees: Payees) -> None:
    payer, names = books.person(money=1_000), payees.names()
    found = paid_by_file(books, payer, [(name, 2) for name in names.values()])
    refused = {name: row.refusal for name, row in zip(names, found, strict=True)}
    assert {refusal for name, refusal in refused.items() if "there" not in name} == {"payee_unavailable"}, refused
    assert [refused["there by wallet"], refused["there by phone"]] == [None, None]
    empty = books.person()
    assert {row.refusal for row in paid_by_file(books, empty, [(name, 1) for name in names.values()])} == {
        "insufficient_funds"
    }
    assert lookups(books, empty) is None


def test_the_rows_of_a_file_count_like_payments_and_behind_the_last_nobody_is_looked_for(
    books: Books, payees: Payees
) -> None:
    payer, known = books.person(money=1_000), PayeeName(payees.there.wallet_id, None)
    assert told(partial(paying, books, payer, PayeeName(None, new_phone()), 1))[0] == "payee_unavailable"
    wanted = [(known, 1), *[(PayeeName(None, new_phone()), 1) for _ in range(LOOKUPS - 1)], (known, 1)]
    found = paid_by_file(books, payer, wanted)
    assert [row.refusal for row in found] == [None, *["payee_unavailable"] * (LOOKUPS - 1), "too_many_lookups"]
    assert told(partial(paying, books, payer, known, 1))[0] == "too_many_lookups"
    assert books.faults() == []


def test_a_row_that_is_paid_was_paid_at_the_time_of_its_payment(books: Books) -> None:
    """Although the payer's own time is ahead of a clock that was set back."""
    payer, payee = books.person(money=1_000), books.person()
    with clock_at(books, datetime.now(UTC) + _HOUR):
        ahead, _ = pay(books, payer, payee, 1)
    [row] = paid_by_file(books, payer, [(PayeeName(payee.wallet_id, None), 1)])
    assert row.transaction_id is not None
    payment = find_payment(connection(books, "money"), payment_id=row.transaction_id, actor_id=payer.user_id)
    assert payment is not None
    assert row.ended_at == payment.created_at > ahead.created_at
