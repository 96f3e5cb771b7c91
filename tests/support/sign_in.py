"""Sessions of people who live in the database alone, through the store of sessions."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tests.support.books import Books, Person
from tests.support.moves import connection
from wallet import wiring
from wallet.identity.sessions import store
from wallet.identity.sessions.model import Lifetimes, Principal, SessionKind, first_token, token_hash
from wallet.identity.sessions.store import NewSession

#: The hash that `Books.person` registers with.
PASSWORD_HASH = b"x" * 60
LIFETIMES = Lifetimes(access_token_s=900, idle_s=3_600, valid_s=86_400)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody in a session: who they are to the procedures, and the secret that the session goes on with."""

    principal: Principal
    secret: str


def sign_in(
    books: Books,
    person: Person,
    *,
    kind: SessionKind = SessionKind.TOKENS,
    device: str = "a phone",
    password_hash: bytes = PASSWORD_HASH,
    address_hash: bytes = b"a" * 32,
    lifetimes: Lifetimes = LIFETIMES,
    at: datetime | None = None,
) -> SignedIn:
    """A new session of theirs."""
    secret = first_token(secrets.token_bytes(32))
    session = NewSession(
        wiring.new_id(), kind, device, address_hash, token_hash(secret), secrets.token_bytes(32), lifetimes
    )
    database = connection(books, "identity") if at is None else books.as_role("identity", at=at)
    principal = store.start_session(
        database, session, user_id=person.user_id, password_hash=password_hash, proof_hash=None
    )
    return SignedIn(principal, secret)


def generation(books: Books, user_id: UUID) -> int:
    """What every procedure that acts for somebody compares."""
    rows = books.select("SELECT session_generation AS generation FROM wallets WHERE user_id = %s", user_id.bytes)
    return int(rows[0]["generation"])


def signed_in_anew(books: Books, person: Person) -> Person:
    """They, in a session of now."""
    return replace(person, generation=generation(books, person.user_id))
