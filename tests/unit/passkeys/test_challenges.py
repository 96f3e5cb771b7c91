"""What a passkey is given to sign: bound to one person, one thing, and a time."""

from uuid import UUID

import pytest

from wallet.identity.phone_proofs.model import Purpose
from wallet.ledger.refusals import Refused
from wallet.passkeys.model import (
    CHALLENGE_VALID_S,
    PROOF_CHALLENGE_VALID_S,
    RelyingParty,
    confirmation_challenge,
    is_challenge,
    is_proof_challenge,
    new_challenge,
    proof_challenge,
)

ASHA, BELA = UUID(int=1), UUID(int=2)
NOW, NONCE = 1_800_000_000, b"n" * 16


def test_a_challenge_is_ours_for_the_one_who_was_given_it_as_long_as_it_is_good() -> None:
    challenge = new_challenge("key", ASHA, nonce=NONCE, now=NOW)
    assert is_challenge("key", ASHA, challenge, now=NOW)
    assert is_challenge("key", ASHA, challenge, now=NOW + CHALLENGE_VALID_S - 1)
    assert not is_challenge("key", ASHA, challenge, now=NOW + CHALLENGE_VALID_S)
    assert not is_challenge("key", BELA, challenge, now=NOW)
    assert not is_challenge("another key", ASHA, challenge, now=NOW)


def test_nobody_prolongs_a_challenge() -> None:
    challenge = bytearray(new_challenge("key", ASHA, nonce=NONCE, now=NOW))
    for position in range(len(challenge)):
        challenge[position] ^= 1
        assert not is_challenge("key", ASHA, bytes(challenge), now=NOW)
        challenge[position] ^= 1


@pytest.mark.parametrize("challenge", [b"", b"x", b"x" * 24, b"x" * 56])
def test_what_is_none_is_none(challenge: bytes) -> None:
    assert not is_challenge("key", ASHA, challenge, now=0)


def test_what_confirms_one_thing_is_no_challenge_for_another() -> None:
    challenges = {
        confirmation_challenge("key", confirmation, binding)
        for confirmation in (ASHA, BELA)
        for binding in ("payee:600", "payee:601", "another:600")
    }
    assert len(challenges) == 6
    assert not any(is_challenge("key", ASHA, challenge, now=0) for challenge in challenges)


def test_what_is_signed_to_get_in_is_good_for_one_purpose_and_five_minutes() -> None:
    challenge = proof_challenge("key", Purpose.SIGN_IN, nonce=NONCE, now=NOW)
    assert is_proof_challenge("key", Purpose.SIGN_IN, challenge, now=NOW + PROOF_CHALLENGE_VALID_S - 1)
    assert not is_proof_challenge("key", Purpose.SIGN_IN, challenge, now=NOW + PROOF_CHALLENGE_VALID_S)
    assert not is_proof_challenge("key", Purpose.RESET_PASSWORD, challenge, now=NOW)
    assert not is_proof_challenge("another key", Purpose.SIGN_IN, challenge, now=NOW)
    # neither is it one of the others, nor are those this
    assert not is_challenge("key", ASHA, challenge, now=NOW)
    others = (new_challenge("key", ASHA, nonce=NONCE, now=NOW), confirmation_challenge("key", ASHA, "payee:600"))
    assert not any(is_proof_challenge("key", Purpose.SIGN_IN, other, now=0) for other in others)


def test_passkeys_are_of_the_host_whatever_the_port() -> None:
    party = RelyingParty.of("http://localhost:8080", name="Wallet", key="key")
    assert (party.id, party.origin) == ("localhost", "http://localhost:8080")
    assert "key" not in repr(party)


def test_without_a_site_there_are_none() -> None:
    with pytest.raises(Refused, match="not_found"):
        RelyingParty.of("", name="Wallet", key="key")
