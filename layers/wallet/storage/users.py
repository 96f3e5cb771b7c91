"""Users and their passwords, through the procedures of identity."""

from dataclasses import dataclass
from uuid import UUID

from wallet.ledger.receipts import Registration
from wallet.storage.claims import Claim
from wallet.storage.database import Database
from wallet.storage.rows import time_of, uuid_of


@dataclass(frozen=True, slots=True)
class NewUser:
    """Who registers: the phone in E.164, and the password as bcrypt left it.

    `replace`: the phone leaves the account that has it, if there is one.
    """

    phone: str
    name: str
    email: str | None
    kind: str
    password_hash: bytes
    tier: str
    replace: bool = False


def register_user(
    database: Database, user: NewUser, *, proof_hash: bytes, user_id: UUID, wallet_id: UUID, claim: Claim | None
) -> tuple[Registration, bool]:
    """A user with a wallet, in one commit; True if the key had done so before. Raises `Refused`."""
    answer = database.call(
        "register_user",
        *(claim.arguments() if claim else (user_id.bytes, None, None)),
        proof_hash,
        user_id.bytes,
        wallet_id.bytes,
        user.phone,
        user.name,
        user.email,
        user.kind,
        user.password_hash,
        user.tier,
        user.replace,
    )
    told = answer.result
    registration = Registration(
        user_id=uuid_of(told["user_id"]),
        wallet_id=uuid_of(told["wallet_id"]),
        phone=told["phone"],
        name=told["name"],
        kind=told["kind"],
        currency=told["currency"],
        created_at=time_of(told["created_at"]),
    )
    return registration, registration.user_id != user_id


def find_password(database: Database, phone: str) -> tuple[UUID, bytes] | None:
    """The user with this phone, and the bcrypt hash of their password."""
    rows = database.read("SELECT id, password_hash FROM users WHERE phone = %s", phone)
    return (uuid_of(rows[0]["id"]), rows[0]["password_hash"]) if rows else None


def rehash_password(database: Database, *, user_id: UUID, password_hash: bytes, new_password_hash: bytes) -> None:
    """The same password under another cost, if it is still the one that was looked at."""
    database.call("rehash_password", user_id.bytes, password_hash, new_password_hash)


def sweep_identity(database: Database) -> None:
    """Forgets what no login needs any more."""
    database.call("sweep_identity")
