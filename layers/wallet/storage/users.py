"""Users, their refresh tokens, and the brake on guessing, through the procedures of identity."""

from dataclasses import dataclass
from uuid import UUID

from wallet.ledger.receipts import Registration
from wallet.storage.claims import Claim
from wallet.storage.database import Database
from wallet.storage.rows import time_of, uuid_of


@dataclass(frozen=True, slots=True)
class NewUser:
    """Who registers: the phone in E.164, and the password as bcrypt left it."""

    phone: str
    name: str
    email: str | None
    kind: str
    password_hash: bytes
    tier: str


def register_user(
    database: Database, user: NewUser, *, user_id: UUID, wallet_id: UUID, claim: Claim | None
) -> tuple[Registration, bool]:
    """A user with a wallet, in one commit; True if the key had done so before. Raises `Refused`."""
    answer = database.call(
        "register_user",
        *(claim.arguments() if claim else (user_id.bytes, None, None)),
        user_id.bytes,
        wallet_id.bytes,
        user.phone,
        user.name,
        user.email,
        user.kind,
        user.password_hash,
        user.tier,
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


def count_former(database: Database, phone: str) -> int:
    """How many accounts with this phone have ended: those that have lost it, and one whose wallet is closed."""
    query = (
        "SELECT (SELECT COUNT(*) FROM users WHERE former_phone = %s)"
        " + (SELECT COUNT(*) FROM users u JOIN wallets w ON w.user_id = u.id"
        " WHERE u.phone = %s AND w.status = 'closed') AS former"
    )
    return int(database.read(query, phone, phone)[0]["former"])


def find_password(database: Database, phone: str) -> tuple[UUID, bytes] | None:
    """The user with this phone, and the bcrypt hash of their password."""
    rows = database.read("SELECT id, password_hash FROM users WHERE phone = %s", phone)
    return (uuid_of(rows[0]["id"]), rows[0]["password_hash"]) if rows else None


def count_login_attempt(
    database: Database,
    *,
    phone_hash: bytes,
    address_hash: bytes,
    phone_limit: int,
    address_limit: int,
    window_s: int,
) -> None:
    """Counts an attempt before it is made; raises `Refused` (`too_many_attempts`) if there were too many."""
    database.call("count_login_attempt", phone_hash, address_hash, phone_limit, address_limit, window_s)


def forgive_login_attempts(database: Database, *, phone_hash: bytes, address_hash: bytes) -> None:
    """Forgets the attempts of somebody who got it right."""
    database.call("forgive_login_attempts", phone_hash, address_hash)


def start_refresh_family(
    database: Database, *, user_id: UUID, family_id: UUID, token_hash: bytes, valid_s: int
) -> None:
    """The first refresh token of a login."""
    database.call("start_refresh_family", user_id.bytes, family_id.bytes, token_hash, valid_s)


def rotate_refresh_token(database: Database, *, token_hash: bytes, next_token_hash: bytes, valid_s: int) -> UUID:
    """Uses a refresh token up and puts another in its place; whose it is. Raises `Refused` (`invalid_token`)."""
    return uuid_of(database.call("rotate_refresh_token", token_hash, next_token_hash, valid_s).result["user_id"])


def revoke_refresh_family(database: Database, *, token_hash: bytes) -> None:
    """Ends a login; nothing happens if it has ended."""
    database.call("revoke_refresh_family", token_hash)


def sweep_identity(database: Database) -> None:
    """Forgets what no login needs any more."""
    database.call("sweep_identity")
