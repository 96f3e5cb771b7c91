"""Who is named to others as a merchant, and who is sent messages: whom an operator knows, nobody by their own word."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pymysql
import pytest

from tests.integration.conftest import Functions
from tests.integration.test_kernel_source_refunds import pay
from tests.integration.test_operator_commands import done, refused, wallet_id
from tests.support.books import ROLES, Books, Person, new_phone
from tests.support.crowd import together
from tests.support.functions import Function, api_event
from tests.support.operators import order
from wallet.edge.statement_file import statement_file
from wallet.ledger.names import shorten
from wallet.ledger.periods import Month
from wallet.movements.statement import monthly_statement
from wallet.storage.database import Database
from wallet.storage.recipients import find_recipient
from wallet.storage.wallets import find_wallet

Json = dict[str, Any]


@pytest.fixture
def operator(functions: Functions) -> Function:
    return functions.operators()


@pytest.fixture(scope="module")
def reader(books: Books) -> Database:
    return books.as_role("reader")


@pytest.fixture
def shop(books: Books) -> Person:
    return books.person(kind="merchant")


def name_of(books: Books, person: Person) -> str:
    return str(books.select("SELECT name FROM users WHERE id = %s", person.user_id.bytes)[0]["name"])


def journal(books: Books, person: Person) -> list[str]:
    rows = books.select(
        "SELECT command FROM operator_actions WHERE wallet_id = %s ORDER BY created_at", person.wallet_id.bytes
    )
    return [str(row["command"]) for row in rows]


def seen_by_a_payer(books: Books, reader: Database, shop: Person) -> tuple[str, str]:
    """What a payer's notice and a payer's statement call the shop."""
    payer = books.person(money=1_000)
    pay(books, payer, shop, 100)
    told = find_recipient(reader, wallet_id=payer.wallet_id, other_wallet_id=shop.wallet_id)
    assert told is not None
    statement = monthly_statement(reader, user_id=payer.user_id, month=Month.of(datetime.now(UTC)))
    (entry,) = [entry for entry in statement.entries if entry.type == "payment"]
    assert statement_file(statement)
    return told.other_kind, shorten(entry.counterparty.name, kind=entry.counterparty.kind)


def test_who_calls_themselves_a_merchant_is_a_person_to_others_until_an_operator_approves_them(
    books: Books, operator: Function, reader: Database, shop: Person
) -> None:
    assert seen_by_a_payer(books, reader, shop) == ("personal", "Asha R.")
    own = find_wallet(reader, user_id=shop.user_id)
    assert own is not None
    assert (own.kind, own.approved) == ("merchant", False)

    result = done(operator, order("approve_merchant", wallet_id=wallet_id(shop)))
    assert result == {"wallet_id": wallet_id(shop), "approved": True, "name": "Asha Rao", "name_before": "Asha Rao"}
    assert seen_by_a_payer(books, reader, shop) == ("merchant", "Asha Rao")
    own = find_wallet(reader, user_id=shop.user_id)
    assert own is not None
    assert (own.kind, own.approved) == ("merchant", True)

    assert done(operator, order("revoke_merchant", wallet_id=wallet_id(shop)))["approved"] is False
    assert seen_by_a_payer(books, reader, shop) == ("personal", "Asha R.")
    assert journal(books, shop) == ["approve_merchant", "revoke_merchant"]


def test_an_approval_gives_a_name_and_its_end_the_registered_one_back(
    books: Books, operator: Function, shop: Person
) -> None:
    told = done(operator, order("approve_merchant", wallet_id=wallet_id(shop), name="Chai & Co"))
    assert (told["name"], told["name_before"]) == ("Chai & Co", "Asha Rao")
    told = done(operator, order("approve_merchant", wallet_id=wallet_id(shop), name="Chai & Sons"))
    assert (told["name"], told["name_before"]) == ("Chai & Sons", "Chai & Co")
    assert name_of(books, shop) == "Chai & Sons"
    told = done(operator, order("revoke_merchant", wallet_id=wallet_id(shop)))
    assert (told["name"], told["name_before"]) == ("Asha Rao", "Chai & Sons")
    assert name_of(books, shop) == "Asha Rao"


def test_an_order_repeated_is_one_order(books: Books, operator: Function, shop: Person) -> None:
    approve = order("approve_merchant", wallet_id=wallet_id(shop), name="Chai & Co")
    revoke = order("revoke_merchant", wallet_id=wallet_id(shop))
    first = operator.invoke(approve)
    done(operator, revoke)
    again = operator.invoke(approve)
    assert (again["replayed"], again["result"]) == (True, first["result"])
    assert name_of(books, shop) == "Asha Rao", "nothing is done again"
    assert refused(operator, approve | {"name": "Another"}) == "idempotency_key_reused"
    assert journal(books, shop) == ["approve_merchant", "revoke_merchant"]


def test_who_registered_as_a_person_is_not_approved(books: Books, operator: Function) -> None:
    person = books.person()
    answer = operator.invoke(order("approve_merchant", wallet_id=wallet_id(person), name="State Bank"))
    assert (answer["status"], answer["code"]) == ("refused", "invalid_request")
    assert "registered as a person" in answer["errors"][0]["message"]
    assert name_of(books, person) == "Asha Rao"
    assert journal(books, person) == []


def test_who_is_not_approved_stays_so(books: Books, operator: Function, shop: Person) -> None:
    told = done(operator, order("revoke_merchant", wallet_id=wallet_id(shop)))
    assert (told["name"], told["name_before"]) == ("Asha Rao", "Asha Rao")


@pytest.mark.parametrize("command", ["approve_merchant", "revoke_merchant", "set_phone_proved"])
def test_a_wallet_that_is_closed_or_nobodys_is_not_found(books: Books, operator: Function, command: str) -> None:
    gone = books.person(kind="merchant")
    done(operator, order("close", wallet_id=wallet_id(gone)))
    for wallet in (wallet_id(gone), wallet_id(gone)[:-4] + "0000"):
        assert refused(operator, order(command, wallet_id=wallet)) == "not_found"


@pytest.mark.parametrize("name", ["", "x" * 101, "\u202eoC & iahC", 7])
def test_an_approved_name_is_a_name(operator: Function, shop: Person, name: object) -> None:
    answer = operator.invoke(order("approve_merchant", wallet_id=wallet_id(shop), name=name))
    assert (answer["status"], answer["code"]) == ("refused", "invalid_request")


def test_an_approved_name_may_have_words_that_nobody_else_may(operator: Function, shop: Person) -> None:
    told = done(operator, order("approve_merchant", wallet_id=wallet_id(shop), name="State Bank Support"))
    assert told["name"] == "State Bank Support"


def test_approving_and_revoking_at_once_leave_one_of_both(books: Books, functions: Functions, shop: Person) -> None:
    operators = [functions.operators() for _ in range(2)]
    for _ in range(5):
        commands = [
            order("approve_merchant", wallet_id=wallet_id(shop), name="Chai & Co"),
            order("revoke_merchant", wallet_id=wallet_id(shop)),
        ]
        together(
            [
                lambda one=one, command=command: done(one, command)  # type: ignore[misc]  # bound early
                for one, command in zip(operators, commands, strict=True)
            ]
        )
        approved = books.select("SELECT 1 FROM merchant_approvals WHERE user_id = %s", shop.user_id.bytes)
        assert name_of(books, shop) == ("Chai & Co" if approved else "Asha Rao")


def test_no_limit_and_no_fee_hangs_on_an_approval(books: Books, operator: Function, shop: Person) -> None:
    before = books.select("SELECT tier, spread FROM wallets WHERE id = %s", shop.wallet_id.bytes)
    done(operator, order("approve_merchant", wallet_id=wallet_id(shop)))
    assert books.select("SELECT tier, spread FROM wallets WHERE id = %s", shop.wallet_id.bytes) == before


def test_get_wallet_says_whether_one_is_approved(
    books: Books, operator: Function, functions: Functions, shop: Person
) -> None:
    balance = functions.make("balance")
    asked = api_event("GET", "/wallet", caller=shop.user_id)
    assert '"approved":false' in balance.invoke(asked)["body"]
    done(operator, order("approve_merchant", wallet_id=wallet_id(shop)))
    assert '"approved":true' in balance.invoke(asked)["body"]
    assert done(operator, {"command": "show_wallet", "wallet_id": wallet_id(shop)})["approved"] is True


# -------------------------------------------------------------------------------------------------- phones


def is_proved(reader: Database, person: Person) -> bool:
    told = find_recipient(reader, wallet_id=person.wallet_id, other_wallet_id=None)
    assert told is not None
    return told.phone_is_proved


def test_a_phone_is_proved_by_an_operator_and_for_that_phone_alone(
    books: Books, operator: Function, reader: Database
) -> None:
    person = books.person()
    # as those have it who registered before phones were proved
    books.write("DELETE FROM proved_phones WHERE user_id = %s", person.user_id.bytes)
    assert not is_proved(reader, person)
    assert done(operator, order("set_phone_proved", wallet_id=wallet_id(person)))["proved"] is True
    assert is_proved(reader, person)
    assert done(operator, {"command": "show_wallet", "wallet_id": wallet_id(person)})["phone_proved"] is True

    books.write("UPDATE users SET phone = %s WHERE id = %s", new_phone(), person.user_id.bytes)
    assert not is_proved(reader, person), "another phone is another's until somebody has looked"


def test_a_phone_that_is_proved_is_taken_back(books: Books, operator: Function, reader: Database) -> None:
    person = books.person()
    for proved in (True, True, False, False):
        assert done(operator, order("set_phone_proved", wallet_id=wallet_id(person), proved=proved))["proved"] is proved
        assert is_proved(reader, person) is proved
    assert journal(books, person) == ["set_phone_proved"] * 4


@pytest.mark.parametrize(
    "statement", ["INSERT INTO proved_phones SELECT id, phone, NOW() FROM users", "DELETE FROM merchant_approvals"]
)
@pytest.mark.parametrize("role", ["reader", "operator", "money", "withdrawals", "identity", "gateway", "clock"])
def test_no_function_writes_who_is_known(books: Books, role: str, statement: str) -> None:
    with (
        closing(books.connect(role)) as connection,
        connection.cursor() as cursor,
        pytest.raises(pymysql.MySQLError, match="denied"),
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("role", sorted({*ROLES} - {"operator"}))
@pytest.mark.parametrize("procedure", ["approve_merchant", "revoke_merchant", "set_phone_proved", "lock_owner"])
def test_nobody_but_an_operator_says_who_is_known(books: Books, role: str, procedure: str) -> None:
    with (
        closing(books.connect(role)) as connection,
        connection.cursor() as cursor,
        pytest.raises(pymysql.MySQLError, match="denied"),
    ):
        cursor.execute(f"CALL {procedure}()")
