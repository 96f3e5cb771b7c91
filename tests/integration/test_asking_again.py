"""What is asked for again and again has a tag: the same while nothing has changed, and then there is no body."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.conftest import Functions
from tests.support.books import Books, Person, unique
from tests.support.functions import Function, api_event
from tests.support.moves import connection
from tests.support.proofs import proof_of
from tests.support.sign_in import generation, sign_in
from wallet import wiring
from wallet.identity.accounts.store import freeze_own_wallet, unfreeze_own_wallet
from wallet.identity.phone_proofs.model import Purpose, proof_hash
from wallet.ledger.times import show_time

Json = dict[str, Any]

AMOUNT = 30_000


def post(function: Function, resource: str, body: Json, caller: Person, *, path: dict[str, str] | None = None) -> Json:
    """What a request that moves money answers, under a new key."""
    headers = {"Idempotency-Key": unique("key-")}
    answer = function.invoke(
        api_event("POST", resource, body=body, headers=headers, path=path, caller=caller.user_id), timeout_s=30.0
    )
    assert answer["statusCode"] in (200, 201, 202), answer["body"]
    made: Json = json.loads(answer["body"])
    return made


class Asked:
    """One thing that somebody asks for again and again."""

    def __init__(self, function: Function, resource: str, caller: Person, one: str | None = None) -> None:
        self._function, self._resource, self._caller = function, resource, caller
        self._path = {"id": one} if one else None

    def get(self, tag: str | None = None, *, by: Person | None = None, **query: str) -> Json:
        headers = {"If-None-Match": tag} if tag else {}
        caller = (by or self._caller).user_id
        answer: Json = self._function.invoke(
            api_event("GET", self._resource, path=self._path, query=query, headers=headers, caller=caller)
        )
        return answer

    def tag(self) -> str:
        """The tag of what it is now, which twice asked for is the same, and saves the body."""
        whole = self.get()
        tag: str = whole["headers"]["ETag"]
        assert (whole["statusCode"], self.get()["headers"]["ETag"]) == (200, tag)
        unchanged = self.get(tag)
        assert (unchanged["statusCode"], unchanged["body"]) == (304, "")
        assert unchanged["headers"].keys() == whole["headers"].keys() - {"Content-Type"}
        assert self.get('W/"another"')["statusCode"] == 200
        return tag


def paid(functions: Functions, payer: Person, payee: Person) -> tuple[Asked, Callable[[], object]]:
    door = functions.make("pay")
    made = post(door, "/payments", {"to": {"phone": payee.phone}, "amount": 60}, payer)
    refund, path = functions.make("refund"), {"id": made["id"]}
    return Asked(door, "/payments/{id}", payer, made["id"]), lambda: post(
        refund, "/payments/{id}/refunds", {"amount": 20}, payee, path=path
    )


def held(functions: Functions, payer: Person, payee: Person) -> tuple[Asked, Callable[[], object]]:
    door = functions.make("hold")
    made = post(door, "/holds", {"to": {"phone": payee.phone}, "amount": 60}, payer)
    capture, path = functions.make("capture"), {"id": made["id"]}
    return Asked(door, "/holds/{id}", payer, made["id"]), lambda: post(
        capture, "/holds/{id}/release", {}, payee, path=path
    )


def filed(functions: Functions, payer: Person, payee: Person) -> tuple[Asked, Callable[[], object]]:
    headers = {"Idempotency-Key": unique("key-"), "Content-Type": "text/csv"}
    file = f"to,amount,description,reference\r\n{payee.phone},60,,\r\n"
    answer = functions.make("bulk").invoke(
        api_event("POST", "/bulk-payments", raw_body=file, headers=headers, caller=payer.user_id)
    )
    made = json.loads(answer["body"])
    worker = functions.make("bulk_worker")
    asked = Asked(functions.make("bulk_results"), "/bulk-payments/{id}", payer, made["id"])
    return asked, lambda: worker.invoke({}, timeout_s=60.0)


def owned(functions: Functions, payer: Person, payee: Person) -> tuple[Asked, Callable[[], object]]:
    door = functions.make("pay")
    told = {"to": {"phone": payee.phone}, "amount": 60}
    return Asked(functions.make("balance"), "/wallet", payer), lambda: post(door, "/payments", told, payer)


@pytest.mark.parametrize("of", [paid, held, filed, owned], ids=["payment", "hold", "file", "wallet"])
def test_a_tag_stays_until_something_changes(
    books: Books, functions: Functions, of: Callable[[Functions, Person, Person], tuple[Asked, Callable[[], object]]]
) -> None:
    payer, payee = books.person(money=AMOUNT), books.person(money=AMOUNT)
    asked, change = of(functions, payer, payee)
    before = asked.tag()
    change()
    assert asked.get(before)["statusCode"] == 200
    assert asked.tag() != before


def test_a_wallet_has_another_one_when_the_end_of_its_freeze_is_asked_for_and_when_that_is_called_off(
    books: Books, functions: Functions
) -> None:
    """Who asks again and again with a tag sees it, too."""
    person = books.person()
    session, identity = sign_in(books, person), connection(books, "identity")
    wallet = Asked(functions.make("balance"), "/wallet", person)
    freeze_own_wallet(identity, session.principal)
    frozen = wallet.tag()
    now = replace(session.principal, generation=generation(books, person.user_id))
    proof = proof_hash(proof_of(identity, person.phone, Purpose.UNFREEZE))
    ends_at = unfreeze_own_wallet(identity, now, request_id=wiring.new_id(), proof_hash=proof, wait_s=86_400)
    asked = wallet.get(frozen)
    assert asked["statusCode"] == 200
    assert json.loads(asked["body"])["unfreezes_at"] == show_time(ends_at)
    freeze_own_wallet(identity, now)
    off = wallet.get(asked["headers"]["ETag"])
    assert off["statusCode"] == 200
    assert json.loads(off["body"])["unfreezes_at"] is None
    assert off["headers"]["ETag"] == frozen


@pytest.mark.parametrize(
    ("name", "resource", "body"),
    [("top_up", "/top-ups", {"amount": 5_000}), ("withdraw", "/withdrawals", {"amount": 5_000, "vpa": "asha@okbank"})],
)
def test_what_the_gateway_is_waited_for_has_one_too(
    books: Books, functions: Functions, name: str, resource: str, body: Json
) -> None:
    person, door = books.person(money=AMOUNT), functions.make(name)
    asked = Asked(door, f"{resource}/{{id}}", person, post(door, resource, body, person)["id"])
    asked.tag()


@pytest.mark.parametrize("tag", ["*", None])
def test_naming_a_tag_shows_nobody_what_is_anothers(books: Books, functions: Functions, tag: str | None) -> None:
    payer, payee, other = (books.person(money=AMOUNT) for _ in range(3))
    asked, _ = paid(functions, payer, payee)
    assert asked.get(tag or asked.tag(), by=other)["statusCode"] == 404
    assert asked.get("*", by=payee)["statusCode"] == 304


def test_a_past_balance_has_none_as_it_is_asked_for_once(books: Books, functions: Functions) -> None:
    person = books.person(money=AMOUNT)
    wallet = Asked(functions.make("balance"), "/wallet", person)
    as_of = json.loads(wallet.get()["body"])["as_of"]
    answer = wallet.get("*", at=as_of)
    assert answer["statusCode"] == 200
    assert "ETag" not in answer["headers"]
