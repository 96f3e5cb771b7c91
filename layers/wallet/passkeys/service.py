"""Making, verifying and removing passkeys, and confirming with one.

What verifies signatures is imported where one is verified: nobody else waits for cryptography.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from wallet.identity.sessions.model import Principal
from wallet.ledger.refusals import Refusal, Refused
from wallet.passkeys import store
from wallet.passkeys.model import (
    AddedPasskey,
    MadePasskey,
    NewPasskey,
    Passkey,
    RelyingParty,
    confirmation_challenge,
    is_challenge,
    new_challenge,
    request_hash,
)
from wallet.storage.database import Database

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
    from webauthn import generate_authentication_options, options_to_json  # noqa: PLC0415 - see above
    from webauthn.helpers.structs import (  # noqa: PLC0415 - see above
        PublicKeyCredentialDescriptor,
        UserVerificationRequirement,
    )

    binding = store.find_binding(database, caller, confirmation_id)
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=confirmation_challenge(party.key, confirmation_id, binding),
        allow_credentials=[PublicKeyCredentialDescriptor(one.credential_id) for one in _passkeys(database, caller)],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    told: Json = json.loads(options_to_json(options))
    return told


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
    from webauthn import verify_authentication_response  # noqa: PLC0415 - see above
    from webauthn.helpers import (  # noqa: PLC0415 - see above
        parse_authentication_credential_json,
        parse_client_data_json,
    )
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 - see above

    binding = store.find_binding(database, caller, confirmation_id)
    passkeys = {one.credential_id: one for one in _passkeys(database, caller)}
    try:
        told = parse_authentication_credential_json(dict(answer))
        passkey = passkeys.get(told.raw_id)
        if passkey is None or parse_client_data_json(told.response.client_data_json).cross_origin:
            raise Refused(Refusal.INVALID_CODE, _NO_FIT)
        verified = verify_authentication_response(
            credential=told,
            expected_challenge=confirmation_challenge(party.key, confirmation_id, binding),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # it is compared where it is kept, under the lock
            require_user_verification=True,
        )
    except (WebAuthnException, *_MALFORMED) as error:
        raise Refused(Refusal.INVALID_CODE, _NO_FIT) from error
    store.confirm_by_passkey(
        database,
        caller,
        confirmation_id=confirmation_id,
        passkey_id=passkey.id,
        sign_count=verified.new_sign_count,
    )


def _passkeys(database: Database, caller: Principal) -> list[Passkey]:
    found = [one for one in store.list_passkeys(database, caller.user_id) if one.is_usable]
    if not found:
        raise Refused(Refusal.NOT_FOUND, "You have no passkey that confirms yet.")
    return found
