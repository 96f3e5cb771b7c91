"""Passkeys against the database: added and removed behind a confirmation, and what one signs confirms just that."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.integration.confirmations.test_granting import events_of
from tests.support.authenticator import Authenticator, encoded
from tests.support.books import Books
from tests.support.confirmations import Confirming, required, tier_with
from tests.support.crowd import together
from tests.support.moves import connection, pay, refusal_of, refusals_in
from tests.support.passkeys import ORIGIN, PARTY, Device
from wallet.ledger.refusals import Refusal
from wallet.passkeys import service, store
from wallet.passkeys.model import MadePasskey


@pytest.fixture(scope="module")
def careful(books: Books) -> str:
    return tier_with(books, above=0)


@pytest.fixture
def device(books: Books, careful: str) -> Device:
    found = Device(books, books.person(tier=careful, money=9_000))
    found.registered()
    return found


def test_a_passkey_confirms_a_payment_without_a_message(books: Books, device: Device) -> None:
    payee, claim = books.person(), device.person.claim()
    ask = partial(pay, books, device.person, payee, 600, claim=claim)
    asked = required(ask)
    assert asked.methods == ("passkey", "sms")
    device.signed(asked.id)
    device.signed(asked.id)  # the answer was lost
    ask()
    assert books.balance(payee) == 600
    (row,) = books.select("SELECT method, codes FROM confirmations WHERE id = %s", asked.id.bytes)
    assert (row["method"], row["codes"]) == ("passkey", 0)
    assert books.faults() == []


def test_one_is_added_behind_a_confirmation_and_its_owner_is_told(books: Books, careful: str) -> None:
    device = Device(books, books.person(tier=careful))
    made = device.made()
    asked = required(partial(device.add, made))
    assert store.list_passkeys(connection(books, "confirmations"), device.person.user_id) == []
    Confirming(books, device.person).confirm(asked.id)
    added = device.add(made)
    assert device.add(made) == added, "again it is the same"
    (one,) = store.list_passkeys(connection(books, "confirmations"), device.person.user_id)
    assert (one.id, one.name, one.credential_id) == (added.id, "my phone", device.authenticator.id)
    assert events_of(books, device.person) == ["PasskeyAdded"]


def test_a_code_for_one_passkey_adds_no_other(books: Books, careful: str) -> None:
    device = Device(books, books.person(tier=careful))
    Confirming(books, device.person).confirm(required(partial(device.add, device.made())).id)
    thief = replace(device, authenticator=Authenticator(ORIGIN))
    required(partial(thief.add, thief.made()))


def test_a_second_one_is_added_by_the_first(books: Books, device: Device) -> None:
    second = replace(device, authenticator=Authenticator(ORIGIN))
    made = second.made()
    device.signed(required(partial(second.add, made)).id)
    second.add(made)
    asked = required(partial(pay, books, device.person, books.person(), 600))
    allowed = {one["id"] for one in device.options(asked.id)["allowCredentials"]}
    assert allowed == {encoded(device.authenticator.id), encoded(second.authenticator.id)}
    second.signed(asked.id)


def test_one_is_removed_behind_a_confirmation_and_confirms_no_more(books: Books, careful: str) -> None:
    device = Device(books, books.person(tier=careful, money=9_000))
    added = device.registered()
    remove = partial(device.remove, added.id)
    Confirming(books, device.person).confirm(required(remove).id)
    asked = required(partial(pay, books, device.person, books.person(), 600))
    answer = device.authenticator.get(device.options(asked.id))
    remove()
    assert refusal_of(partial(device.confirm, asked.id, answer)) is Refusal.NOT_FOUND
    assert refusal_of(remove) is Refusal.NOT_FOUND
    assert required(partial(pay, books, device.person, books.person(), 600)).methods == ("sms",)
    assert events_of(books, device.person)[-1] == "PasskeyRemoved"
    device.registered()  # the same one, once more


def test_nobody_removes_anothers(books: Books, device: Device, careful: str) -> None:
    stranger = Device(books, books.person(tier=careful))
    (theirs,) = store.list_passkeys(connection(books, "confirmations"), device.person.user_id)
    assert refusal_of(partial(stranger.remove, theirs.id)) is Refusal.NOT_FOUND


def test_what_was_signed_for_one_thing_confirms_nothing_else(books: Books, device: Device) -> None:
    payee = books.person()
    first = required(partial(pay, books, device.person, payee, 600))
    second = required(partial(pay, books, device.person, payee, 600))
    answer = device.authenticator.get(device.options(first.id))
    assert refusal_of(partial(device.confirm, second.id, answer)) is Refusal.INVALID_CODE
    device.confirm(first.id, answer)


def test_a_passkey_of_somebody_else_confirms_nothing(books: Books, device: Device, careful: str) -> None:
    other = Device(books, books.person(tier=careful, money=9_000))
    other.registered()
    asked = required(partial(pay, books, device.person, books.person(), 600))
    assert refusal_of(partial(other.options, asked.id)) is Refusal.NOT_FOUND
    options = device.options(asked.id)
    options["allowCredentials"].append({"id": encoded(other.authenticator.id)})
    assert refusal_of(partial(device.confirm, asked.id, other.authenticator.get(options))) is Refusal.INVALID_CODE


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://wallet.example.evil"},
        {"origin": "http://wallet.example"},
        {"user_verified": False},
        {"cross_origin": True},
    ],
    ids=str,
)
def test_a_page_of_another_site_gets_no_signature_that_counts(
    books: Books, device: Device, careful: str, wrong: dict[str, Any]
) -> None:
    for name, value in wrong.items():
        setattr(device.authenticator, name, value)
    asked = required(partial(pay, books, device.person, books.person(), 600))
    assert refusal_of(partial(device.signed, asked.id)) is Refusal.INVALID_CODE
    fresh = Device(books, books.person(tier=careful), Authenticator(**{"origin": ORIGIN, **wrong}))
    assert refusal_of(partial(fresh.add, fresh.made())) is Refusal.INVALID_CODE


@pytest.mark.parametrize("field", ["clientDataJSON", "authenticatorData", "signature"])
def test_no_byte_of_what_was_signed_can_be_another(books: Books, device: Device, field: str) -> None:
    asked = required(partial(pay, books, device.person, books.person(), 600))
    answer = device.authenticator.get(device.options(asked.id))
    told = answer["response"][field]
    for position in (0, len(told) // 2, len(told) - 3):
        broken = told[:position] + ("A" if told[position] != "A" else "B") + told[position + 1 :]
        forged = answer | {"response": answer["response"] | {field: broken}}
        assert refusal_of(partial(device.confirm, asked.id, forged)) is Refusal.INVALID_CODE


@pytest.mark.parametrize(
    "answer",
    [{}, {"id": "x"}, {"id": 1, "rawId": [], "response": None, "type": "public-key"}, {"id": "é" * 9}],
    ids=str,
)
def test_what_is_no_answer_is_refused(books: Books, device: Device, answer: dict[str, Any]) -> None:
    asked = required(partial(pay, books, device.person, books.person(), 600))
    assert refusal_of(partial(device.confirm, asked.id, answer)) is Refusal.INVALID_CODE
    made = MadePasskey("x", answer)
    assert refusal_of(partial(device.add, made)) is Refusal.INVALID_CODE


def test_a_challenge_that_was_given_to_somebody_else_makes_no_passkey(books: Books, careful: str) -> None:
    theirs, mine = Device(books, books.person(tier=careful)), Device(books, books.person(tier=careful))
    assert refusal_of(partial(mine.add, theirs.made())) is Refusal.INVALID_CODE


def test_a_signature_of_an_authenticator_that_counts_is_good_once(books: Books, careful: str) -> None:
    device = Device(books, books.person(tier=careful, money=9_000), Authenticator(ORIGIN, counts=True))
    device.registered()
    first, second = (required(partial(pay, books, device.person, books.person(), 600)) for _ in range(2))
    answers = [device.authenticator.get(device.options(one.id)) for one in (first, second)]
    device.confirm(second.id, answers[1])
    # a copy of the authenticator, or an answer that was kept back: its count is behind
    assert refusal_of(partial(device.confirm, first.id, answers[0])) is Refusal.INVALID_CODE


def test_a_new_one_waits_as_long_as_a_reset(books: Books) -> None:
    """A code for it that was lured out of its owner would else confirm everything from that moment on."""
    device = Device(books, books.person(tier=tier_with(books, above=0, reset_wait_s=86_400), money=9_000))
    device.registered()
    asked = required(partial(pay, books, device.person, books.person(), 600))
    assert asked.methods == ("sms",)
    assert refusal_of(partial(device.options, asked.id)) is Refusal.NOT_FOUND
    books.write(
        "UPDATE passkeys SET usable_from = usable_from - INTERVAL 1 DAY WHERE user_id = %s", device.person.user_id.bytes
    )
    assert required(partial(pay, books, device.person, books.person(), 600)).methods == ("passkey", "sms")
    device.signed(asked.id)


@pytest.mark.parametrize(
    "key",
    [b"\xa0", b"\x00", b"\xa3\x01\x02\x03\x26\x20\x01", b"\xa5\x01\x02\x03\x26\x20\x01\x21\x01\x22\x01"],
    ids=bytes.hex,
)
def test_a_key_that_is_none_is_refused_before_anybody_relies_on_it(books: Books, careful: str, key: bytes) -> None:
    device = Device(books, books.person(tier=careful), Authenticator(ORIGIN, made_up_key=key))
    assert refusal_of(partial(device.add, device.made())) is Refusal.INVALID_CODE


def test_an_id_longer_than_there_are_is_refused(books: Books, careful: str) -> None:
    device = Device(books, books.person(tier=careful), Authenticator(ORIGIN, id=b"i" * 1_024))
    assert refusal_of(partial(device.add, device.made())) is Refusal.INVALID_CODE


def test_ten_are_enough(books: Books, careful: str) -> None:
    person = books.person(tier=careful)
    for _ in range(10):
        Device(books, person).registered()
    eleventh = Device(books, person)
    assert refusal_of(partial(eleventh.add, eleventh.made())) is Refusal.TOO_MANY_PASSKEYS


def test_the_same_one_at_once_is_added_once(books: Books, careful: str) -> None:
    device = Device(books, books.person(tier=careful))
    made = device.made()
    Confirming(books, device.person).confirm(required(partial(device.add, made)).id)
    added = together([partial(device.add, made)] * 8)
    assert refusals_in(added) == []
    assert len({one.id for one in added if not isinstance(one, Exception)}) == 1
    assert events_of(books, device.person) == ["PasskeyAdded"]


def test_who_makes_one_is_named_by_their_phone(books: Books, device: Device) -> None:
    options = service.creation_options(
        connection(books, "confirmations"), PARTY, caller=device.caller, nonce=b"n" * 16, now=1
    )
    assert options["user"]["name"] == device.person.phone
    assert options["rp"] == {"name": "Wallet", "id": "wallet.example"}
    assert [one["id"] for one in options["excludeCredentials"]] == [encoded(device.authenticator.id)]
    assert options["authenticatorSelection"]["userVerification"] == "required"
