"""GET /payees: who somebody would pay; and how many people a caller is told of, by whatever way."""

import contextlib
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.integration.conftest import Functions
from tests.support.books import Books, Person, new_phone, unique
from tests.support.crowd import together
from tests.support.functions import api_event
from tests.support.moves import clock_at, connection, pay, refusals_in
from tests.support.statements_sent import statements_of
from wallet import wiring
from wallet.edge.qr import wallet_code
from wallet.ledger import ids
from wallet.ledger.payees import LOOKUPS, PayeeName
from wallet.ledger.refusals import Refusal, Refused
from wallet.payees.model import LookupQuotas, Payee
from wallet.payees.store import look_up_payee
from wallet.storage import holds
from wallet.storage.database import DatabaseBrokenError, DatabaseUnavailableError
from wallet.storage.quotas import sweep_quotas

_NOON = datetime(2031, 6, 10, 6, 30, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_QUOTAS = LookupQuotas(per_hour=4, per_day=6, per_address=1_000)


def look(
    books: Books, caller: Person, payee: PayeeName, *, quotas: LookupQuotas = _QUOTAS, address: str = "203.0.113.7"
) -> Payee:
    return look_up_payee(connection(books, "directory"), quotas, caller_id=caller.user_id, address=address, payee=payee)


def told(work: Callable[[], object]) -> tuple[Refusal, int | None]:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.refusal, caught.value.retry_after_s


def by_wallet(person: Person) -> PayeeName:
    return PayeeName(person.wallet_id, None)


def by_phone(person: Person) -> PayeeName:
    return PayeeName(None, person.phone)


@pytest.fixture
def somewhere() -> str:
    """An address that no other test asks from."""
    return unique("203.0.113.")


@pytest.mark.parametrize("named", [by_wallet, by_phone])
def test_whoever_has_a_wallet_is_found_whatever_it_is_but_closed(
    books: Books, somewhere: str, named: Callable[[Person], PayeeName]
) -> None:
    full = unique("t")[:16]
    books.tier(full, {"2021-01-01": {"max_balance": 1}})
    wide = LookupQuotas(100, 100, 100)
    caller = books.person()
    for status in ("active", "frozen", "closing"):
        person = books.person(money=100)
        books.set_tier(person, full)
        books.turn(person, status)
        found = look(books, caller, named(person), quotas=wide, address=somewhere)
        assert found == Payee(person.wallet_id, "Asha Rao", "personal")
    assert look(books, caller, named(caller), quotas=wide, address=somewhere).wallet_id == caller.wallet_id
    closed = books.person()
    books.turn(closed, "closed")
    nobody = Person(wiring.new_id(), wiring.new_id(), new_phone())
    for person in (closed, nobody):
        refusal = told(partial(look, books, caller, named(person), quotas=wide, address=somewhere))
        assert refusal == (Refusal.PAYEE_NOT_FOUND, None)


def test_a_merchant_is_who_an_operator_has_approved(books: Books, somewhere: str) -> None:
    shop, person = books.person(kind="merchant", tier="merchant"), books.person()
    caller = books.person()
    assert look(books, caller, by_phone(shop), address=somewhere).kind == "personal"
    for approved in (shop, person):
        books.write(
            "INSERT INTO merchant_approvals (user_id, registered_name, approved_at)"
            " VALUES (%s, 'Asha Rao', UTC_TIMESTAMP(6))",
            approved.user_id.bytes,
        )
    assert look(books, caller, by_phone(shop), address=somewhere).kind == "merchant"
    assert look(books, caller, by_phone(person), address=somewhere).kind == "personal"


def test_a_caller_is_told_of_so_many_in_an_hour_and_in_a_day_found_or_not(books: Books, somewhere: str) -> None:
    caller, other, payee = books.person(), books.person(), books.person()
    found, nobody = by_phone(payee), PayeeName(None, new_phone())
    asked = partial(look, books, caller, address=somewhere)
    with clock_at(books, _NOON):
        for name in (found, nobody, found, nobody):
            if name is found:
                asked(name)
            else:
                assert told(partial(asked, name)) == (Refusal.PAYEE_NOT_FOUND, None)
    with clock_at(books, _NOON + _HOUR / 2):
        for name in (found, nobody, by_wallet(payee)) * 3:  # they count no further
            assert told(partial(asked, name)) == (Refusal.TOO_MANY_LOOKUPS, 1_801)
        assert look(books, other, found, address=somewhere).name == "Asha Rao"
    with clock_at(books, _NOON + _HOUR):
        asked(found)
        asked(found)
        day_is_over = int((24 * _HOUR - _HOUR).total_seconds()) + 1
        assert told(partial(asked, found)) == (Refusal.TOO_MANY_LOOKUPS, day_is_over)
    with clock_at(books, _NOON + 24 * _HOUR):
        asked(found)


def test_an_address_is_told_of_so_many_whoever_asks_and_one_caller_uses_up_no_more_than_their_own(
    books: Books, somewhere: str
) -> None:
    quotas = LookupQuotas(per_hour=4, per_day=100, per_address=6)
    greedy, asha, bela, payee = (books.person() for _ in range(4))
    asked = partial(look, books, payee=by_phone(payee), quotas=quotas, address=somewhere)
    for _ in range(4):
        asked(greedy)
    for _ in range(20):
        assert told(partial(asked, greedy))[0] is Refusal.TOO_MANY_LOOKUPS
    asked(asha)
    asked(asha)
    for caller in (asha, bela):
        refusal, retry_after_s = told(partial(asked, caller))
        assert refusal is Refusal.TOO_MANY_LOOKUPS
        assert 3_590 < (retry_after_s or 0) <= 3_601
    assert look(books, bela, by_phone(payee), quotas=quotas, address=f"{somewhere}0").name == "Asha Rao"


def test_of_many_at_once_as_many_are_told_as_may_be(books: Books, somewhere: str) -> None:
    caller, payee = books.person(), books.person()
    quotas = LookupQuotas(per_hour=25, per_day=100, per_address=1_000)
    tasks = [partial(look, books, caller, by_phone(payee), quotas=quotas, address=somewhere) for _ in range(60)]
    answers = together(tasks, at_once=12)
    assert Counter(refusals_in(answers)) == {Refusal.TOO_MANY_LOOKUPS: 35}
    assert sum(isinstance(answer, Payee) for answer in answers) == 25


def test_who_is_there_and_who_is_not_take_the_server_alike(books: Books, somewhere: str) -> None:
    """The same statements, so the same time: what writes the count is what takes it."""
    caller, payee = books.person(), books.person()
    wide = LookupQuotas(100, 100, 100)

    def asked(name: PayeeName) -> None:
        with contextlib.suppress(Refused):
            look(books, caller, name, quotas=wide, address=somewhere)

    asked(by_phone(payee))
    names = (by_phone(payee), PayeeName(None, new_phone()), by_wallet(payee), PayeeName(wiring.new_id(), None))
    taken = [statements_of(connection(books, "directory"), partial(asked, name)) for name in names]
    assert taken == [taken[0]] * 4
    assert min(taken[0][kind] for kind in ("select", "insert", "commit")) > 0


def test_the_directorys_user_reads_no_table(books: Books) -> None:
    database = books.as_role("directory")
    for table in ("users", "wallets", "transactions", "quota_usage", "merchant_approvals"):
        with pytest.raises((DatabaseBrokenError, DatabaseUnavailableError)) as caught:
            database.read(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - ours
        assert caught.value.__cause__ is not None
        assert caught.value.__cause__.args[0] == 1142
    database.close()


def test_what_has_ended_is_forgotten_and_what_counts_is_not(books: Books, somewhere: str) -> None:
    caller, payee = books.person(), books.person()
    with clock_at(books, datetime.now(UTC) - 2 * _HOUR):
        look(books, caller, by_phone(payee), address=somewhere)
    sweep_quotas(connection(books, "gateway"))
    rows = books.select("SELECT quota FROM quota_usage WHERE subject = %s", caller.user_id.bytes)
    assert [row["quota"] for row in rows] == ["lookups_of_day"]


# -------------------------------------------------------------------------------------------- by paying, one by one


def paying(books: Books, payer: Person, payee: PayeeName) -> object:
    return pay(books, payer, None, 1, payee_wallet_id=payee.wallet_id, payee_phone=payee.phone)


def placing(books: Books, payer: Person, payee: PayeeName) -> object:
    return holds.place_hold(
        connection(books, "money"),
        payer.claim(),
        hold_id=wiring.new_id(),
        payee_wallet_id=payee.wallet_id,
        payee_phone=payee.phone,
        amount=1,
        valid_s=1,
        description=None,
    )


def test_who_pays_and_promises_by_phone_is_told_of_so_many_in_an_hour_and_by_wallet_of_as_many_as_they_know(
    books: Books,
) -> None:
    """A paisa each, or nothing at all: a hold of a second costs nobody anything, and its answer names its payee."""
    payer, payee = books.person(money=1_000), books.person()
    ways: list[Any] = [paying, placing]
    with clock_at(books, _NOON):
        for number in range(LOOKUPS):
            ways[number % 2](books, payer, by_phone(payee) if number % 3 else by_wallet(payee))
    with clock_at(books, _NOON + _HOUR / 2):
        for way in ways:
            for name in (by_phone(payee), PayeeName(None, new_phone())):
                refusal, retry_after_s = told(partial(way, books, payer, name))
                assert refusal is Refusal.TOO_MANY_LOOKUPS
                assert retry_after_s in (1_801, 1_802), "a wallet's own time may be a little ahead"
            way(books, payer, by_wallet(payee))
    with clock_at(books, _NOON + _HOUR + timedelta(seconds=1)):
        for way in ways:
            way(books, payer, by_phone(payee))
    assert books.faults() == []


def test_an_approved_merchant_may_pay_by_phone_more_often(books: Books) -> None:
    said, approved = (books.person(kind="merchant", tier=tier, money=100) for tier in ("full", "merchant"))
    payee = books.person()
    for payer in (said, approved):
        paying(books, payer, by_phone(payee))
        books.write("UPDATE wallets SET debits = %s WHERE id = %s", LOOKUPS, payer.wallet_id.bytes)
    assert told(partial(paying, books, said, by_phone(payee)))[0] is Refusal.TOO_MANY_LOOKUPS
    paying(books, approved, by_phone(payee))
    books.write("UPDATE wallets SET debits = 10000 WHERE id = %s", approved.wallet_id.bytes)
    assert told(partial(paying, books, approved, by_phone(payee)))[0] is Refusal.TOO_MANY_LOOKUPS


# ----------------------------------------------------------------------------------------------- through the function


def test_the_function_answers_as_the_contract_has_it(books: Books, functions: Functions) -> None:
    caller, payee = books.person(), books.person()
    function = functions.make("payees", PAYEE_LOOKUPS_PER_HOUR="5")
    wallet_id = ids.show(ids.WALLET, payee.wallet_id)

    def ask(**query: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        answer = function.invoke(api_event("GET", "/payees", query=query, caller=caller.user_id))
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]

    for query in (
        {"wallet_id": wallet_id},
        {"phone": payee.phone},
        {"phone": payee.phone.removeprefix("+91")},
        {"qr": wallet_code(payee.wallet_id)},
    ):
        status, body, _ = ask(**query)
        assert (status, body) == (200, {"wallet_id": wallet_id, "name": "Asha Rao", "kind": "personal"})
    status, body, _ = ask(phone=new_phone())
    assert (status, body["code"]) == (404, "payee_not_found")
    status, body, headers = ask(phone=payee.phone)
    assert (status, body["code"]) == (429, "too_many_lookups")
    assert 3_590 < int(headers["Retry-After"]) <= 3_601
    assert "Asha" not in json.dumps(body)


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ({}, "query"),
        ({"phone": "+919876543210", "wallet_id": ids.show(ids.WALLET, wiring.new_id())}, "query"),
        ({"phone": "112"}, "phone"),
        ({"wallet_id": "wal_1"}, "wallet_id"),
        ({"qr": "https://example.com"}, "qr"),
        ({"name": "Asha"}, "name"),
    ],
)
def test_what_names_nobody_is_refused_and_counts_nothing(
    books: Books, functions: Functions, query: dict[str, str], fault: str
) -> None:
    caller = books.person()
    answer = functions.make("payees").invoke(api_event("GET", "/payees", query=query, caller=caller.user_id))
    assert answer["statusCode"] == 422
    assert fault in [error["field"] for error in json.loads(answer["body"])["errors"]]
    assert books.select("SELECT 1 FROM quota_usage WHERE subject = %s", caller.user_id.bytes) == []
