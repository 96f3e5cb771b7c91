"""Phones that their owners have lost: found, taken from an account, and given to one, by two operators."""

from dataclasses import replace
from typing import Any

import pytest

from tests.integration.conftest import Functions
from tests.integration.test_operator_commands import done, events, refused, status, wallet_id
from tests.support.books import Books, Person, new_phone
from tests.support.confirmations import tier_with
from tests.support.functions import Function
from tests.support.moves import connection, pay, refusal_of
from tests.support.operators import order
from tests.support.sign_in import sign_in, signed_in_anew
from wallet import wiring
from wallet.identity.sessions.store import list_sessions
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal

Json = dict[str, Any]


@pytest.fixture
def operator(functions: Functions) -> Function:
    return functions.operators()


def found(operator: Function, phone: str) -> list[tuple[str, str | None, bool]]:
    answer = operator.invoke({"command": "find_phone", "phone": phone})
    if answer["status"] == "refused":
        assert answer["code"] == "not_found"
        return []
    return [(one["wallet_id"], one.get("phone"), one["is_former"]) for one in answer["result"]]


def open_sessions(books: Books, person: Person) -> int:
    return len(list_sessions(connection(books, "identity"), person.user_id))


def test_a_phone_is_found_with_all_who_had_it(books: Books, operator: Function) -> None:
    person, other, phone = books.person(), books.person(), new_phone()
    assert found(operator, person.phone) == [(wallet_id(person), person.phone, False)]
    assert found(operator, phone) == []
    done(operator, order("change_phone", wallet_id=wallet_id(person), phone=phone))
    assert found(operator, phone) == [(wallet_id(person), phone, False)]
    assert found(operator, person.phone) == [(wallet_id(person), phone, True)]
    done(operator, order("change_phone", wallet_id=wallet_id(other), phone=person.phone))
    assert found(operator, person.phone) == [
        (wallet_id(other), person.phone, False),
        (wallet_id(person), phone, True),
    ]
    (one,) = done(operator, {"command": "find_phone", "phone": phone})
    assert one["user_id"] == ids.show(ids.USER, person.user_id)  # type: ignore[index]  # as above
    assert books.faults() == []


def test_a_phone_that_is_lost_leaves_its_account_which_is_frozen_and_signed_out(
    books: Books, operator: Function
) -> None:
    person = books.person(money=500)
    sign_in(books, person)
    done(operator, order("set_phone_proved", wallet_id=wallet_id(person)))
    result = done(operator, order("free_phone", wallet_id=wallet_id(person)))
    assert result == {"wallet_id": wallet_id(person), "status": "frozen", "phone_before": person.phone}
    assert (status(books, person), open_sessions(books, person), books.balance(person)) == ("frozen", 0, 500)
    assert events(books, person) == ["WalletFrozen"]
    assert found(operator, person.phone) == [(wallet_id(person), None, True)]
    assert done(operator, {"command": "show_wallet", "wallet_id": wallet_id(person)})["phone_proved"] is False
    assert books.faults() == []
    assert refused(operator, order("unfreeze", wallet_id=wallet_id(person))) == "phone_taken", "nobody could sign in"
    done(operator, order("change_phone", wallet_id=wallet_id(books.person()), phone=person.phone))
    done(operator, order("change_phone", wallet_id=wallet_id(person), phone=new_phone()))
    done(operator, order("unfreeze", wallet_id=wallet_id(person)))
    assert status(books, person) == "active"
    assert books.faults() == []


def test_another_phone_ends_the_sessions_and_freezes_nothing(books: Books, operator: Function) -> None:
    person, phone = books.person(), new_phone()
    sign_in(books, person)
    result = done(operator, order("change_phone", wallet_id=wallet_id(person), phone=phone))
    assert (result["phone"], result["phone_before"], result["status"]) == (phone, person.phone, "active")
    assert (open_sessions(books, person), events(books, person)) == (0, [])
    sign_in(books, person)
    same = done(operator, order("change_phone", wallet_id=wallet_id(person), phone=phone))
    assert (same["phone_before"], open_sessions(books, person)) == (phone, 1), "nothing has changed"
    assert books.faults() == []


def test_somebody_elses_phone_is_not_given_away(books: Books, operator: Function) -> None:
    person, other = books.person(), books.person()
    sign_in(books, person)
    assert refused(operator, order("change_phone", wallet_id=wallet_id(person), phone=other.phone)) == "phone_taken"
    assert open_sessions(books, person) == 1
    assert found(operator, person.phone) == [(wallet_id(person), person.phone, False)]
    done(operator, order("close", wallet_id=wallet_id(other)))
    done(operator, order("change_phone", wallet_id=wallet_id(person), phone=other.phone))
    assert [one[0] for one in found(operator, other.phone)] == [wallet_id(person), wallet_id(other)]
    assert books.faults() == []


def test_behind_another_phone_nothing_is_confirmed_for_a_day(books: Books, operator: Function) -> None:
    """Whoever talks two operators into it has the phone that confirms, and the owner a day to see it."""
    payer, payee = books.person(tier=tier_with(books, above=0, reset_wait_s=86_400), money=1_000), books.person()
    done(operator, order("change_phone", wallet_id=wallet_id(payer), phone=new_phone()))
    payer = signed_in_anew(books, payer)
    assert refusal_of(lambda: pay(books, payer, payee, 1)) is Refusal.CONFIRMATION_PAUSED


@pytest.mark.parametrize("command", ["free_phone", "change_phone"])
def test_a_wallet_that_is_closed_has_no_phone_to_move(books: Books, operator: Function, command: str) -> None:
    person = books.person()
    done(operator, order("close", wallet_id=wallet_id(person)))
    more = {"phone": new_phone()} if command == "change_phone" else {}
    assert refused(operator, order(command, wallet_id=wallet_id(person), **more)) == "not_found"


def test_support_ends_every_session_of_a_wallets_owner(books: Books, operator: Function) -> None:
    person, payee = books.person(money=500), books.person()
    claim = replace(person.claim(), generation=sign_in(books, person).principal.generation)
    command = order("end_sessions", wallet_id=wallet_id(person))
    assert done(operator, command) == {"wallet_id": wallet_id(person), "status": "active"}
    assert open_sessions(books, person) == 0
    assert refusal_of(lambda: pay(books, person, payee, 100, claim=claim)) is Refusal.INVALID_TOKEN
    sign_in(books, person)
    assert operator.invoke(command)["replayed"]
    assert open_sessions(books, person) == 1
    assert refused(operator, order("end_sessions", wallet_id=ids.show(ids.WALLET, wiring.new_id()))) == "not_found"
