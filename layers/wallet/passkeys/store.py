"""Passkeys in the database, through procedures that want a confirmation for each that comes or goes."""

from datetime import datetime
from uuid import UUID

from wallet.identity.phone_proofs.model import PasskeyPurpose
from wallet.identity.sessions.model import Principal
from wallet.passkeys.model import AddedPasskey, FoundPasskey, NewPasskey, Owner, Passkey, ProofRules
from wallet.storage.database import Database
from wallet.storage.rows import time_of, uuid_of


def list_passkeys(database: Database, user_id: UUID) -> list[Passkey]:
    """Somebody's passkeys, the newest first."""
    return [
        Passkey(
            id=uuid_of(row["id"]),
            credential_id=bytes(row["credential_id"]),
            public_key=bytes(row["public_key"]),
            sign_count=row["sign_count"],
            name=row["name"],
            created_at=time_of(row["created_at"]),
            usable_from=time_of(row["usable_from"]),
            is_usable=bool(row["is_usable"]),
            last_used_at=time_of(row["last_used_at"]) if row["last_used_at"] is not None else None,
        )
        for row in database.read("CALL list_passkeys(%s)", user_id.bytes)
    ]


def find_owner(database: Database, user_id: UUID) -> Owner:
    """Whose passkeys these are."""
    (row,) = database.read("CALL find_passkey_owner(%s)", user_id.bytes)
    return Owner(row["phone"], row["name"])


def add_passkey(
    database: Database, caller: Principal, passkey: NewPasskey, *, passkey_id: UUID, request_hash: bytes
) -> AddedPasskey:
    """Adds a passkey; again it is the same.

    Raises `Refused` (`confirmation_required`, `confirmation_paused`, `too_many_passkeys`).
    """
    added = database.call(
        "add_passkey",
        caller.user_id.bytes,
        caller.generation,
        request_hash,
        passkey_id.bytes,
        passkey.credential_id,
        passkey.public_key,
        passkey.sign_count,
        passkey.name,
    ).result
    return AddedPasskey(uuid_of(added["passkey_id"]), added["name"], time_of(added["created_at"]))


def remove_passkey(
    database: Database, caller: Principal, *, passkey_id: UUID, request_id: UUID, request_hash: bytes
) -> None:
    """Removes a passkey; raises `Refused` (`not_found`, `confirmation_required`, `confirmation_paused`)."""
    database.call(
        "remove_passkey",
        caller.user_id.bytes,
        caller.generation,
        request_hash,
        request_id.bytes,
        passkey_id.bytes,
    )


def find_binding(database: Database, caller: Principal, confirmation_id: UUID) -> str:
    """All that a confirmation is bound to, as one text.

    Raises `Refused` (`not_found`, `confirmation_ended`, `confirmation_paused`).
    """
    found: str = database.call(
        "find_confirmation", caller.user_id.bytes, caller.generation, confirmation_id.bytes
    ).result["binding"]
    return found


def confirm_by_passkey(
    database: Database,
    caller: Principal,
    *,
    confirmation_id: UUID,
    passkey_id: UUID,
    sign_count: int,
) -> None:
    """Grants a confirmation for a signature that was verified; raises `Refused` (`invalid_code`, …)."""
    database.call(
        "confirm_by_passkey",
        caller.user_id.bytes,
        caller.generation,
        confirmation_id.bytes,
        passkey_id.bytes,
        sign_count,
    )


def find_passkey(database: Database, credential_id: bytes, *, from_hash: bytes, rules: ProofRules) -> FoundPasskey:
    """The passkey of a credential, for somebody who has not signed in.

    Raises `Refused` (`invalid_code` for one that is unknown, or can't be used yet, `too_many_attempts`).
    """
    found = database.call("find_passkey", credential_id, from_hash, rules.per_address, rules.window_s).result
    return FoundPasskey(UUID(found["id"]), UUID(found["user_id"]), bytes.fromhex(found["public_key"]))


def prove_by_passkey(
    database: Database,
    *,
    passkey_id: UUID,
    sign_count: int,
    purpose: PasskeyPurpose,
    proof_id: UUID,
    proof_hash: bytes,
    rules: ProofRules,
) -> datetime:
    """Until when the proof is good that a signature became, which was verified.

    Raises `Refused` (`invalid_code` for a signature that was shown before, `too_many_attempts`).
    """
    proved = database.call(
        "prove_by_passkey",
        passkey_id.bytes,
        sign_count,
        purpose.value,
        proof_id.bytes,
        proof_hash,
        rules.proof_valid_s,
        rules.per_passkey_day,
    ).result
    return time_of(proved["expires_at"])
