"""A passkey proves its owner's phone where no code comes: once for each signature, for what it was signed for."""

import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from tests.integration.conftest import Functions
from tests.integration.identity.test_sign_ins import attempt
from tests.support.authenticator import Authenticator
from tests.support.books import Books, unique
from tests.support.confirmations import tier_with
from tests.support.crowd import together
from tests.support.functions import api_event
from tests.support.moves import connection, refusal_of, refusals_in
from tests.support.passkeys import PARTY, Device
from tests.support.proofs import proof_of
from wallet import wiring
from wallet.identity.accounts import store as accounts
from wallet.identity.phone_proofs.model import PasskeyPurpose, PhoneProof, Purpose, proof_hash
from wallet.identity.sessions.model import SignInRules
from wallet.ledger.refusals import Refusal
from wallet.passkeys import service
from wallet.passkeys.model import ProofRules

RULES = ProofRules(per_address=30, window_s=900, per_passkey_day=10, proof_valid_s=900)
NO_GUESSES = SignInRules(password_cost=4, per_pair=0, per_phone=0, per_address=0, window_s=900)
SIGN_IN: PasskeyPurpose = Purpose.SIGN_IN
RESET: PasskeyPurpose = Purpose.RESET_PASSWORD


@dataclass
class Outside:
    """Somebody who is not signed in, with an authenticator before them."""

    books: Books
    authenticator: Authenticator
    address: str = field(default_factory=lambda: unique("address-"))
    rules: ProofRules = RULES

    def signed(self, purpose: PasskeyPurpose = SIGN_IN, *, at: int | None = None) -> dict[str, Any]:
        now = int(time.time()) if at is None else at
        options = service.proof_options(PARTY, purpose=purpose, nonce=wiring.new_nonce(), now=now)
        assert options.get("allowCredentials", []) == [], "it tells nobody who has one"
        return self.authenticator.get(options)

    def show(self, answer: dict[str, Any], purpose: PasskeyPurpose = SIGN_IN) -> PhoneProof:
        return service.prove_by_passkey(
            connection(self.books, "identity"),
            PARTY,
            self.rules,
            purpose=purpose,
            answer=answer,
            address=self.address,
            now=int(time.time()),
        )

    def proof(self, purpose: PasskeyPurpose = SIGN_IN) -> str:
        return self.show(self.signed(purpose), purpose).proof


@pytest.fixture(scope="module")
def careful(books: Books) -> str:
    return tier_with(books, above=0)


@pytest.fixture
def device(books: Books, careful: str) -> Device:
    found = Device(books, books.person(tier=careful))
    found.registered()
    return found


@pytest.fixture
def outside(books: Books, device: Device) -> Outside:
    return Outside(books, device.authenticator)


def sign_in(books: Books, phone: str, proof: str | None = None) -> None:
    """One attempt from an address that nobody was at, when others have used all attempts up."""
    attempt(connection(books, "identity"), phone, unique("address:"), NO_GUESSES, proof)()


def code_proof(books: Books, device: Device) -> str:
    return proof_of(connection(books, "identity"), device.person.phone, Purpose.RESET_PASSWORD)


def reset(books: Books, proof: str, passkey: str | None = None) -> None:
    accounts.reset_password(
        connection(books, "identity"),
        reset_id=wiring.new_id(),
        proof_hash=proof_hash(proof),
        password_hash=b"r" * 60,
        seen_within_days=90,
        passkey_proof_hash=proof_hash(passkey) if passkey is not None else None,
    )


def leave_for_days(books: Books, device: Device, days: int) -> None:
    query = "UPDATE users SET signed_in_at = UTC_TIMESTAMP(6) - INTERVAL %s DAY WHERE id = %s"
    books.write(query, days, device.person.user_id.bytes)


def test_who_has_a_passkey_is_let_in_whatever_others_guess(books: Books, device: Device, outside: Outside) -> None:
    phone = device.person.phone
    assert refusal_of(partial(sign_in, books, phone)) is Refusal.TOO_MANY_ATTEMPTS
    sign_in(books, phone, proof=outside.proof())
    (one,) = books.select("SELECT last_used_at FROM passkeys WHERE user_id = %s", device.person.user_id.bytes)
    assert one["last_used_at"] is not None


def test_one_signature_becomes_one_proof(outside: Outside) -> None:
    answer = outside.signed()
    outside.show(answer)
    assert refusal_of(partial(outside.show, answer)) is Refusal.INVALID_CODE


def test_of_sixteen_who_show_one_signature_at_once_one_has_a_proof(outside: Outside) -> None:
    answer = outside.signed()
    shown = together([partial(outside.show, answer)] * 16)
    assert refusals_in(shown) == [Refusal.INVALID_CODE] * 15


def test_what_was_signed_for_one_purpose_proves_nothing_for_the_other(outside: Outside) -> None:
    assert refusal_of(partial(outside.show, outside.signed(SIGN_IN), RESET)) is Refusal.INVALID_CODE
    assert refusal_of(partial(outside.show, outside.signed(RESET), SIGN_IN)) is Refusal.INVALID_CODE


def test_a_challenge_is_good_for_five_minutes(outside: Outside) -> None:
    assert refusal_of(partial(outside.show, outside.signed(at=int(time.time()) - 301))) is Refusal.INVALID_CODE
    outside.show(outside.signed(at=int(time.time()) - 200))


def test_what_confirms_a_payment_lets_nobody_in(books: Books, device: Device, outside: Outside) -> None:
    options = service.creation_options(
        connection(books, "confirmations"), PARTY, caller=device.caller, nonce=b"n" * 16, now=int(time.time())
    )
    answer = device.authenticator.get({"challenge": options["challenge"]})
    assert refusal_of(partial(outside.show, answer)) is Refusal.INVALID_CODE


def test_a_passkey_that_nobody_has_added_proves_nothing(outside: Outside) -> None:
    stranger = replace(outside, authenticator=Authenticator(PARTY.origin))
    assert refusal_of(stranger.proof) is Refusal.INVALID_CODE
    copied = replace(outside, authenticator=Authenticator(PARTY.origin, id=outside.authenticator.id))
    assert refusal_of(copied.proof) is Refusal.INVALID_CODE, "its id is no secret, its key is one"


def test_nobody_gets_in_as_somebody_else_with_a_passkey_of_their_own(
    books: Books, device: Device, outside: Outside, careful: str
) -> None:
    other = Device(books, books.person(tier=careful))
    other.registered()
    theirs = replace(outside, authenticator=other.authenticator)
    proof = theirs.proof()
    refused = refusal_of(partial(sign_in, books, device.person.phone, proof=proof))
    assert refused is Refusal.INVALID_PROOF
    other.authenticator.user_handle = device.person.user_id.bytes
    assert refusal_of(theirs.proof) is Refusal.INVALID_CODE


@pytest.mark.parametrize(
    "wrong",
    [{"origin": "https://wallet.example.evil"}, {"user_verified": False}, {"cross_origin": True}],
    ids=str,
)
def test_a_page_of_another_site_gets_no_signature_that_counts(outside: Outside, wrong: dict[str, Any]) -> None:
    for name, value in wrong.items():
        setattr(outside.authenticator, name, value)
    assert refusal_of(outside.proof) is Refusal.INVALID_CODE


def test_a_new_passkey_lets_nobody_in_before_it_confirms(books: Books) -> None:
    device = Device(books, books.person(tier=tier_with(books, above=0, reset_wait_s=86_400)))
    device.registered()
    assert refusal_of(Outside(books, device.authenticator).proof) is Refusal.INVALID_CODE


def test_a_signature_of_an_authenticator_that_counts_is_good_once(books: Books, careful: str) -> None:
    device = Device(books, books.person(tier=careful), Authenticator(PARTY.origin, counts=True))
    device.registered()
    outside = Outside(books, device.authenticator)
    first, second = outside.signed(), outside.signed()
    outside.show(second)
    assert refusal_of(partial(outside.show, first)) is Refusal.INVALID_CODE


def test_a_passkey_has_so_many_proofs_a_day_as_each_is_good_for_guesses(books: Books, outside: Outside) -> None:
    few = replace(outside, rules=replace(RULES, per_passkey_day=2))
    few.proof()
    few.proof()
    assert refusal_of(few.proof) is Refusal.TOO_MANY_ATTEMPTS


def test_one_address_looks_for_so_many_passkeys(outside: Outside) -> None:
    few = replace(outside, rules=replace(RULES, per_address=2), authenticator=Authenticator(PARTY.origin))
    assert [refusal_of(few.proof) for _ in range(3)] == [
        Refusal.INVALID_CODE,
        Refusal.INVALID_CODE,
        Refusal.TOO_MANY_ATTEMPTS,
    ]
    replace(outside, address=unique("address-")).proof()


def test_who_was_not_here_for_long_resets_with_a_code_and_a_passkey(
    books: Books, device: Device, outside: Outside
) -> None:
    leave_for_days(books, device, 91)
    code = code_proof(books, device)
    assert refusal_of(partial(reset, books, code)) is Refusal.OPERATOR_NEEDED
    reset(books, code, passkey=outside.proof(RESET))
    assert refusal_of(partial(reset, books, code)) is Refusal.INVALID_PROOF, "it is used up"


def test_a_passkey_alone_resets_nothing(books: Books, device: Device, outside: Outside) -> None:
    assert refusal_of(partial(reset, books, outside.proof(RESET))) is Refusal.INVALID_PROOF
    assert refusal_of(partial(reset, books, outside.proof(SIGN_IN))) is Refusal.INVALID_PROOF
    proof = outside.proof(RESET)
    assert refusal_of(partial(reset, books, proof, passkey=proof)) is Refusal.INVALID_PROOF


def test_beside_a_code_no_other_proof_counts_as_a_passkeys(
    books: Books, device: Device, outside: Outside, careful: str
) -> None:
    leave_for_days(books, device, 91)
    other = Device(books, books.person(tier=careful))
    other.registered()
    code = code_proof(books, device)
    for wrong in (
        "pp_none",
        code,
        outside.proof(SIGN_IN),
        code_proof(books, device),
        replace(outside, authenticator=other.authenticator).proof(RESET),
    ):
        assert refusal_of(partial(reset, books, code, passkey=wrong)) is Refusal.INVALID_PROOF
    reset(books, code, passkey=outside.proof(RESET))


def test_once_removed_it_proves_nothing(books: Books, device: Device, outside: Outside) -> None:
    answer = outside.signed()
    books.write("DELETE FROM passkeys WHERE user_id = %s", device.person.user_id.bytes)
    assert refusal_of(partial(outside.show, answer)) is Refusal.INVALID_CODE


def test_no_code_ever_becomes_a_proof_of_a_passkey(books: Books, device: Device, outside: Outside) -> None:
    """Its row has a code's hash only because every row has one: it has ended as it began."""
    outside.proof()
    query = "SELECT expires_at <= created_at AS has_ended FROM phone_proofs WHERE phone = %s AND purpose = 'sign_in'"
    assert books.select(query, device.person.phone) == [{"has_ended": 1}]


@pytest.mark.parametrize("origin", ["https://wallet.example/", "wallet.example", ""])
def test_an_origin_that_is_none_is_told_to_who_deploys(functions: Functions, origin: str) -> None:
    """Callers are told that there is no site here, as where there is none yet."""
    door = functions.make("passkey_proofs", WEB_ORIGIN=origin)
    answer = door.invoke(api_event("POST", "/passkey-proofs/options", body={"purpose": "sign_in"}))
    assert answer["statusCode"] == 404, answer
    assert ("the web origin is no origin" in door.logged()) is bool(origin)
