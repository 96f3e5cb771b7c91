"""A phone is one wallet, whichever function is told it and however; and who was registered with it before gets in."""

import json
from typing import Any

import pytest

from tests.integration.conftest import Functions
from tests.support.books import Books, new_phone, unique
from tests.support.functions import Function, api_event
from tests.support.moves import connection
from tests.support.proofs import proof_of
from wallet import wiring
from wallet.identity.passwords import hash_password
from wallet.identity.phone_proofs.model import proof_hash
from wallet.storage import users
from wallet.storage.users import NewUser

PASSWORD = "correct horse"


def registering(phone: str, proof: str = "pp_none") -> Any:
    body = {"phone_proof": proof, "phone": phone, "name": "Asha Rao", "password": PASSWORD}
    return api_event("POST", "/register", body=body)


def signing_in(phone: str, password: str = PASSWORD) -> Any:
    return api_event("POST", "/login", body={"phone": phone, "password": password})


def answered(function: Function, event: Any) -> tuple[int, Any]:
    answer = function.invoke(event)
    return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture(scope="module")
def written() -> list[str]:
    """One number in many hands."""
    phone = new_phone()
    ten = phone[3:]
    return [
        f"+91 (0) {ten[:5]}-{ten[5:]}",
        f"\u202a+91\u00a0{ten}\u202c",
        f"0091 {ten}",
        f"tel:{phone}",
        f"{ten[:5]} {ten[5:]}",
        f"0{ten}",
        phone,
    ]


def test_register_login_pay_and_hold_know_one_number_by_all_its_spellings(
    books: Books, functions: Functions, written: list[str]
) -> None:
    register, login = functions.make("register"), functions.make("login")
    pay, hold = functions.make("pay"), functions.make("hold")
    identity = connection(books, "identity")
    status, body = answered(register, registering(written[0], proof_of(identity, written[-1])))
    assert (status, body["user"]["phone"]) == (201, written[-1])
    payer = books.person(money=1_000)
    proof = proof_of(identity, written[-1])
    for phone in written:
        assert answered(register, registering(phone, proof))[1]["code"] == "phone_taken"
        assert answered(login, signing_in(phone))[0] == 200
        for function, path in ((pay, "/payments"), (hold, "/holds")):
            event = api_event(
                "POST",
                path,
                body={"to": {"phone": phone}, "amount": 10},
                headers={"Idempotency-Key": unique("key-")},
                caller=payer.user_id,
            )
            status, told = answered(function, event)
            assert (status, told["to"]["wallet_id"]) == (201, body["wallet"]["id"])
    assert books.balance(payer) == 1_000 - 10 * len(written)
    assert books.faults() == []


@pytest.mark.parametrize("phone", ["+91 98765", "+910000000000", "14155552671"])
def test_what_no_country_has_is_no_number_to_any_function(books: Books, functions: Functions, phone: str) -> None:
    payer = books.person(money=100)
    events = {
        "register": registering(phone),
        "login": signing_in(phone),
        **{
            name: api_event(
                "POST",
                path,
                body={"to": {"phone": phone}, "amount": 10},
                headers={"Idempotency-Key": unique("key-")},
                caller=payer.user_id,
            )
            for name, path in (("pay", "/payments"), ("hold", "/holds"))
        },
    }
    for name, event in events.items():
        status, told = answered(functions.make(name), event)
        assert (status, told["code"]) == (422, "invalid_request"), name
        assert told["errors"][0]["field"].endswith("phone")


@pytest.mark.parametrize("short", [True, False], ids=["a number that no country has", "a trunk zero that was kept"])
def test_who_was_registered_before_numbers_had_plans_still_gets_in(
    books: Books, functions: Functions, *, short: bool
) -> None:
    number = new_phone()
    stored = f"+91{number[-5:]}" if short else f"+910{number[3:]}"
    user = NewUser(
        phone=stored,
        name="Asha Rao",
        email=None,
        kind="personal",
        password_hash=hash_password(PASSWORD, cost=4),
        tier="full",
    )
    identity = connection(books, "identity")
    proof = proof_hash(proof_of(identity, stored))
    new_id = wiring.new_id
    users.register_user(identity, user, proof_hash=proof, user_id=new_id(), wallet_id=new_id(), claim=None)
    login = functions.make("login")
    assert answered(login, signing_in(stored))[0] == 200
    assert answered(login, signing_in(stored, "wrong horse"))[0] == (422 if short else 401)
    if not short:  # whose number it is by now is somebody else, with a password of theirs
        told = registering(number, proof_of(identity, number))
        told["body"] = told["body"].replace(PASSWORD, "battery staple")
        assert answered(functions.make("register"), told)[0] == 201
        assert answered(login, signing_in(number, "battery staple"))[0] == 200
        assert answered(login, signing_in(stored))[0] == 200
        assert answered(login, signing_in(number))[0] == 401
