"""Making, verifying and removing passkeys, confirming with one, and getting in with one where codes don't come.

What verifies signatures is imported where one is verified: nobody else waits for cryptography.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from wallet.identity.phone_proofs.model import PasskeyPurpose, PhoneProof, new_proof, proof_hash
from wallet.identity.sessions.model import Principal, subject_hash
from wallet.ledger.refusals import Refusal, Refused
from wallet.passkeys import store
from wallet.passkeys.model import (
    AddedPasskey,
    MadePasskey,
    NewPasskey,
    Passkey,
    ProofRules,
    RelyingParty,
    confirmation_challenge,
    is_challenge,
    is_proof_challenge,
    new_challenge,
    proof_challenge,
    request_hash,
)
from wallet.storage.database import Database

if TYPE_CHECKING:
    from webauthn.helpers.structs import AuthenticationCredential

Json = dict[str, Any]

# what the libraries meet in what somebody has made up, where they expect what an authenticator makes
_MALFORMED = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
_MAX_ID, _MAX_KEY = 1_023, 1_024  # bytes, as WebAuthn and our table have them

_NO_FIT = "What the passkey answered doesn't fit what it was asked."


def creation_options(database: Database, party: RelyingParty, *, caller: Principal, nonce: bytes, now: int) -> Json:
    """What a browser makes a new passkey by (PublicKeyCredentialCreationOptions, as JSON)."""
    from webauthn import generate_registration_options, options_to_json  # noqa: PLC0415 - see above
    from webauthn.helpers.structs import (  # noqa: PLC0415 - see above
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    owner = store.find_owner(database, caller.user_id)
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=caller.user_id.bytes,
        user_name=owner.phone,
        user_display_name=owner.name,
        challenge=new_challenge(party.key, caller.user_id, nonce=nonce, now=now),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(one.credential_id) for one in store.list_passkeys(database, caller.user_id)
        ],
    )
    told: Json = json.loads(options_to_json(options))
    return told


def add_passkey(
    database: Database,
    new_id: Callable[[], UUID],
    party: RelyingParty,
    *,
    caller: Principal,
    made: MadePasskey,
    now: int,
) -> AddedPasskey:
    """Adds the passkey that a browser has made; again it is the same.

    Raises `Refused` (`invalid_code` for one that we didn't ask for, `confirmation_required`, `too_many_passkeys`, …).
    """
    passkey = _verified(party, caller, made, now)
    return store.add_passkey(
        database,
        caller,
        passkey,
        passkey_id=new_id(),
        request_hash=request_hash(b"add a passkey", passkey.credential_id, passkey.public_key, made.name.encode()),
    )


def _verified(party: RelyingParty, caller: Principal, made: MadePasskey, now: int) -> NewPasskey:
    from webauthn import verify_registration_response  # noqa: PLC0415 - see above
    from webauthn.helpers import (  # noqa: PLC0415 - see above
        decode_credential_public_key,
        decoded_public_key_to_cryptography,
        parse_client_data_json,
        parse_registration_credential_json,
    )
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 - see above

    try:
        told = parse_registration_credential_json(dict(made.credential))
        client = parse_client_data_json(told.response.client_data_json)
        if client.cross_origin or not is_challenge(party.key, caller.user_id, client.challenge, now=now):
            raise Refused(Refusal.INVALID_CODE, _NO_FIT)
        verified = verify_registration_response(
            credential=told,
            expected_challenge=client.challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
        # that it can verify, before it is relied on
        decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key))
    except (WebAuthnException, *_MALFORMED) as error:
        raise Refused(Refusal.INVALID_CODE, _NO_FIT) from error
    if len(verified.credential_id) > _MAX_ID or len(verified.credential_public_key) > _MAX_KEY:
        raise Refused(Refusal.INVALID_CODE, _NO_FIT)
    return NewPasskey(verified.credential_id, verified.credential_public_key, verified.sign_count, made.name)


def remove_passkey(database: Database, new_id: Callable[[], UUID], *, caller: Principal, passkey_id: UUID) -> None:
    """Removes one of the caller's; raises `Refused` (`not_found`, `confirmation_required`, `confirmation_paused`)."""
    store.remove_passkey(
        database,
        caller,
        passkey_id=passkey_id,
        request_id=new_id(),
        request_hash=request_hash(b"remove a passkey", passkey_id.bytes),
    )


def request_options(database: Database, party: RelyingParty, *, caller: Principal, confirmation_id: UUID) -> Json:
    """What a browser has a passkey sign by (PublicKeyCredentialRequestOptions, as JSON).

    The challenge is of all that the confirmation is bound to. Raises `Refused` (`not_found` for who has no passkey).
    """
    binding = store.find_binding(database, caller, confirmation_id)
    challenge = confirmation_challenge(party.key, confirmation_id, binding)
    return _request_options(party, challenge, _passkeys(database, caller))


def confirm_by_passkey(
    database: Database,
    party: RelyingParty,
    *,
    caller: Principal,
    confirmation_id: UUID,
    answer: Mapping[str, object],
) -> None:
    """Grants a confirmation for what one of the caller's passkeys has signed.

    Raises `Refused` (`invalid_code`, `not_found`, `confirmation_ended`, `confirmation_paused`).
    """
    binding = store.find_binding(database, caller, confirmation_id)
    passkeys = {one.credential_id: one for one in _passkeys(database, caller)}
    signed = _Signed.of(answer)
    passkey = passkeys.get(signed.credential_id)
    if passkey is None:
        raise Refused(Refusal.INVALID_CODE, _NO_FIT)
    store.confirm_by_passkey(
        database,
        caller,
        confirmation_id=confirmation_id,
        passkey_id=passkey.id,
        sign_count=signed.verify(
            party, passkey.public_key, challenge=confirmation_challenge(party.key, confirmation_id, binding)
        ),
    )


def proof_options(party: RelyingParty, *, purpose: PasskeyPurpose, nonce: bytes, now: int) -> Json:
    """What a browser has whichever passkey of this site sign (PublicKeyCredentialRequestOptions, as JSON).

    It names no credential, so it tells nobody who has one.
    """
    return _request_options(party, proof_challenge(party.key, purpose, nonce=nonce, now=now), [])


def prove_by_passkey(
    database: Database,
    party: RelyingParty,
    rules: ProofRules,
    *,
    purpose: PasskeyPurpose,
    answer: Mapping[str, object],
    address: str,
    now: int,
) -> PhoneProof:
    """A proof of the phone of whose passkey has signed, as a code becomes one.

    Raises `Refused` (`invalid_code`, `too_many_attempts`).
    """
    signed = _Signed.of(answer)
    if not is_proof_challenge(party.key, purpose, signed.challenge, now=now):
        raise Refused(Refusal.INVALID_CODE, _NO_FIT)
    passkey = store.find_passkey(
        database, signed.credential_id, from_hash=subject_hash("passkeys from", address), rules=rules
    )
    sign_count = signed.verify(party, passkey.public_key, challenge=signed.challenge)
    if signed.user_handle not in (None, passkey.user_id.bytes):
        raise Refused(Refusal.INVALID_CODE, _NO_FIT)
    proof = new_proof()
    expires_at = store.prove_by_passkey(
        database,
        passkey_id=passkey.id,
        sign_count=sign_count,
        purpose=purpose,
        proof_id=UUID(bytes=request_hash(b"a proof by a passkey", signed.challenge)[:16]),
        proof_hash=proof_hash(proof),
        rules=rules,
    )
    return PhoneProof(proof, expires_at)


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a browser says that a passkey has signed, taken apart and not yet verified."""

    credential: "AuthenticationCredential"
    challenge: bytes

    @classmethod
    def of(cls, answer: Mapping[str, object]) -> Self:
        from webauthn.helpers import (  # noqa: PLC0415 - see above
            parse_authentication_credential_json,
            parse_client_data_json,
        )
        from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 - see above

        try:
            credential = parse_authentication_credential_json(dict(answer))
            client = parse_client_data_json(credential.response.client_data_json)
        except (WebAuthnException, *_MALFORMED) as error:
            raise Refused(Refusal.INVALID_CODE, _NO_FIT) from error
        if client.cross_origin or len(credential.raw_id) > _MAX_ID:
            raise Refused(Refusal.INVALID_CODE, _NO_FIT)
        return cls(credential, client.challenge)

    @property
    def credential_id(self) -> bytes:
        return self.credential.raw_id

    @property
    def user_handle(self) -> bytes | None:
        return self.credential.response.user_handle

    def verify(self, party: RelyingParty, public_key: bytes, *, challenge: bytes) -> int:
        """How often its authenticator has signed, where it counts; raises `Refused` (`invalid_code`)."""
        from webauthn import verify_authentication_response  # noqa: PLC0415 - see above
        from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 - see above

        try:
            verified = verify_authentication_response(
                credential=self.credential,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                credential_public_key=public_key,
                credential_current_sign_count=0,  # it is compared where it is kept, under the lock
                require_user_verification=True,
            )
        except (WebAuthnException, *_MALFORMED) as error:
            raise Refused(Refusal.INVALID_CODE, _NO_FIT) from error
        return verified.new_sign_count


def _request_options(party: RelyingParty, challenge: bytes, passkeys: Iterable[Passkey]) -> Json:
    from webauthn import generate_authentication_options, options_to_json  # noqa: PLC0415 - see above
    from webauthn.helpers.structs import (  # noqa: PLC0415 - see above
        PublicKeyCredentialDescriptor,
        UserVerificationRequirement,
    )

    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(one.credential_id) for one in passkeys],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    told: Json = json.loads(options_to_json(options))
    return told


def _passkeys(database: Database, caller: Principal) -> list[Passkey]:
    found = [one for one in store.list_passkeys(database, caller.user_id) if one.is_usable]
    if not found:
        raise Refused(Refusal.NOT_FOUND, "You have no passkey that confirms yet.")
    return found
