"""Sessions in the database, through the procedures of identity."""

from dataclasses import dataclass
from uuid import UUID

from wallet.identity.sessions.model import Lifetimes, OpenSession, Principal, SessionKind, SignInRules
from wallet.storage.database import Database
from wallet.storage.rows import time_of, uuid_of


@dataclass(frozen=True, slots=True)
class SignInCounters:
    """What a sign-in is counted under, each hashed: phone and address together, the phone, the address.

    Of one that was counted None stands for what it was not counted under.
    """

    pair: bytes
    phone: bytes | None
    address: bytes | None


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be started; `token_hash` is of its first refresh token or its cookie."""

    id: UUID
    kind: SessionKind
    device: str
    address_hash: bytes
    token_hash: bytes
    seed: bytes
    lifetimes: Lifetimes


def count_sign_in(
    database: Database, counters: SignInCounters, rules: SignInRules, *, phone: str, proof_hash: bytes | None
) -> SignInCounters:
    """Counts an attempt before it is made, and what under; raises `Refused` (`too_many_attempts`, `invalid_proof`)."""
    counted = database.call(
        "count_sign_in",
        phone,
        proof_hash,
        counters.pair,
        counters.phone,
        counters.address,
        rules.per_pair,
        rules.per_phone,
        rules.per_address,
        rules.window_s,
    ).result
    return SignInCounters(
        counters.pair,
        counters.phone if counted["phone"] else None,
        counters.address if counted["address"] else None,
    )


def count_hashing(
    database: Database, *, proof_hash: bytes, address_hash: bytes, per_address: int, window_s: int
) -> None:
    """Counts what costs a hash and is no sign-in; raises `Refused` (`too_many_attempts`)."""
    database.call("count_hashing", proof_hash, address_hash, per_address, window_s)


def forgive_sign_in(database: Database, counted: SignInCounters) -> None:
    """Forgets the attempts of somebody who got it right."""
    database.call("forgive_sign_in", counted.pair, counted.phone, counted.address)


def note_failed_sign_in(database: Database, *, password_hash: bytes, pair_hash: bytes, window_s: int) -> int:
    """Counts a password that failed on one more phone, if it is one more; on how many it has."""
    return int(database.call("note_failed_sign_in", password_hash, pair_hash, window_s).result["phones"])


def start_session(
    database: Database, session: NewSession, *, user_id: UUID, password_hash: bytes, proof_hash: bytes | None
) -> Principal:
    """Starts a session if `password_hash` is still what is stored; raises `Refused` (`invalid_credentials`)."""
    answer = database.call(
        "start_session",
        user_id.bytes,
        password_hash,
        proof_hash,
        session.id.bytes,
        session.kind.value,
        session.device,
        session.address_hash,
        session.token_hash,
        session.seed,
        session.lifetimes.idle_s,
        session.lifetimes.valid_s,
    )
    return Principal(user_id, session.id, int(answer.result["generation"]))


def find_seed(database: Database, token_hash: bytes) -> bytes | None:
    """What a refresh token's successor is made with."""
    rows = database.read(
        "SELECT s.seed FROM session_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.token_hash = %s", token_hash
    )
    return rows[0]["seed"] if rows else None


def renew_session(
    database: Database, *, token_hash: bytes, next_token_hash: bytes | None, kind: SessionKind, idle_s: int
) -> Principal:
    """Goes on with a session; a refresh token is used up, a cookie has no next. Raises `Refused` (`invalid_token`)."""
    told = database.call("renew_session", token_hash, next_token_hash, kind.value, idle_s).result
    return Principal(uuid_of(told["user_id"]), uuid_of(told["session_id"]), int(told["generation"]))


def end_session_of_token(database: Database, token_hash: bytes) -> None:
    """Ends the session of a refresh token or a cookie; nothing happens if it has ended."""
    database.call("end_session_of_token", token_hash)


def end_own_sessions(database: Database, asking: Principal, session_id: UUID | None) -> None:
    """Ends one of the caller's sessions, or all but the one that asks. Raises `Refused` (`not_found`)."""
    database.call(
        "end_own_sessions",
        asking.user_id.bytes,
        asking.generation,
        asking.session_id.bytes,
        None if session_id is None else session_id.bytes,
    )


def list_sessions(database: Database, user_id: UUID) -> list[OpenSession]:
    """The sessions that go on, the last used first."""
    rows = database.read(
        "SELECT id, device, created_at, last_used_at FROM sessions WHERE user_id = %s AND ended_at IS NULL"
        " AND LEAST(idle_ends_at, ends_at) > UTC_TIMESTAMP(6) ORDER BY last_used_at DESC LIMIT 200",
        user_id.bytes,
    )
    return [
        OpenSession(uuid_of(row["id"]), row["device"], time_of(row["created_at"]), time_of(row["last_used_at"]))
        for row in rows
    ]
