"""Accounts in the database, through the procedures of identity."""

from datetime import datetime
from uuid import UUID

from wallet.identity.accounts.model import Account
from wallet.identity.sessions.model import Principal
from wallet.storage.database import Database
from wallet.storage.rows import time_of, uuid_of


def find_account(database: Database, user_id: UUID) -> tuple[Account, bytes] | None:
    """An account whose phone is still its own, and the bcrypt hash of its password."""
    query = (
        "SELECT u.id, u.phone, u.name, u.email, u.kind, u.created_at, u.password_hash, w.tier,"
        " (SELECT COUNT(*) FROM passkeys p WHERE p.user_id = u.id) AS passkeys"
        " FROM users u JOIN wallets w ON w.user_id = u.id WHERE u.id = %s AND u.phone IS NOT NULL"
    )
    for row in database.read(query, user_id.bytes):
        account = Account(
            uuid_of(row["id"]),
            row["phone"],
            row["name"],
            row["email"],
            row["kind"],
            row["tier"],
            time_of(row["created_at"]),
            row["passkeys"],
        )
        return account, row["password_hash"]
    return None


def change_password(database: Database, asking: Principal, *, password_hash: bytes, new_password_hash: bytes) -> None:
    """Replaces the password that was looked at, and ends every other session. Raises `Refused`."""
    database.call(
        "change_password",
        asking.user_id.bytes,
        asking.generation,
        asking.session_id.bytes,
        password_hash,
        new_password_hash,
    )


def change_own_name(
    database: Database,
    asking: Principal,
    *,
    change_id: UUID,
    request_hash: bytes,
    name: str | None,
    email: str | None,
) -> None:
    """Another name or e-mail address ('' is none); None leaves it.

    Raises `Refused` (`operator_needed`, `name_changed_lately`, `confirmation_required`, `confirmation_paused`).
    """
    database.call(
        "change_own_name",
        asking.user_id.bytes,
        asking.generation,
        request_hash,
        change_id.bytes,
        name,
        email,
    )


def change_own_phone(
    database: Database,
    asking: Principal,
    *,
    request_id: UUID,
    change_id: UUID,
    request_hash: bytes,
    proof_hash: bytes,
    password_hash: bytes,
) -> None:
    """The phone that is proved, for the account; every other session ends. `change_id` is the proof's own.

    Raises `Refused` (`invalid_proof`, `invalid_credentials`, `phone_taken`, `confirmation_required`, …).
    """
    database.call(
        "change_own_phone",
        asking.user_id.bytes,
        asking.generation,
        asking.session_id.bytes,
        request_hash,
        request_id.bytes,
        change_id.bytes,
        proof_hash,
        password_hash,
    )


def reset_password(
    database: Database,
    *,
    reset_id: UUID,
    proof_hash: bytes,
    password_hash: bytes,
    seen_within_days: int,
    passkey_proof_hash: bytes | None = None,
) -> None:
    """Replaces the password of whoever has the phone that is proved, and ends every session. Raises `Refused`."""
    database.call("reset_password", reset_id.bytes, proof_hash, passkey_proof_hash, password_hash, seen_within_days)


def freeze_own_wallet(database: Database, asking: Principal) -> None:
    """Freezes the caller's wallet, and ends every other session of theirs. Raises `Refused`."""
    database.call("freeze_own_wallet", asking.user_id.bytes, asking.generation, asking.session_id.bytes)


def unfreeze_own_wallet(
    database: Database, asking: Principal, *, request_id: UUID, proof_hash: bytes, wait_s: int
) -> datetime:
    """When the freeze will end, for a proof of the phone. Raises `Refused` (`invalid_proof`, `not_found`)."""
    answer = database.call(
        "unfreeze_own_wallet", asking.user_id.bytes, asking.generation, request_id.bytes, proof_hash, wait_s
    )
    return time_of(answer.result["unfreeze_at"])


def end_due_freezes(database: Database) -> int:
    """Ends the freezes whose time has come; how many."""
    due = database.read("SELECT wallet_id FROM own_freezes WHERE unfreeze_at <= UTC_TIMESTAMP(6) LIMIT 1000")
    for row in due:
        database.call("end_own_freeze", row["wallet_id"])
    return len(due)
