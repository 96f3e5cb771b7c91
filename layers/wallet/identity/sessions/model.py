"""What a session is, and the secrets that keep it going. Nothing here knows the database."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wallet.identity.phones import SignInPhone

_MAX_DEVICE = 200
_REFRESH_PREFIX = "rt_"


class SessionKind(StrEnum):
    """How a session goes on: by refresh tokens that are used once, or by a browser's cookie that stays."""

    TOKENS = "tokens"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, in which session, and of which generation of their sessions their access token is.

    A procedure that acts for them compares the generation with the wallet's: ending any session raises that.
    """

    user_id: UUID
    session_id: UUID
    generation: int


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """In seconds: an access token's, a session's that nobody uses, and any session's."""

    access_token_s: int
    idle_s: int
    valid_s: int


@dataclass(frozen=True, slots=True)
class SignInRules:
    """`password_cost` is bcrypt's; the others are attempts within `window_s` seconds.

    `per_pair` is by phone and address together, with growing pauses behind the first half; `per_phone` is from wherever
    its owner has never signed in.
    """

    password_cost: int
    per_pair: int
    per_phone: int
    per_address: int
    window_s: int


@dataclass(frozen=True, slots=True)
class SignIn:
    """What somebody shows who signs in, from where (`address`) and on what (`device`: what it calls itself)."""

    phone: SignInPhone
    password: str
    phone_proof: str | None
    address: str
    device: str


@dataclass(frozen=True, slots=True)
class Session:
    """What somebody who got it right is given; `secret` is the refresh token or the cookie's value."""

    access_token: str
    expires_in_s: int
    secret: str


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its owner sees it in a list."""

    id: UUID
    device: str
    created_at: datetime
    last_used_at: datetime


def subject_hash(kind: str, value: str) -> bytes:
    """What something is counted under: nobody's list of phones or addresses."""
    return hashlib.sha256(f"{kind}:{value}".encode()).digest()


def address_hash(address: str) -> bytes:
    """Where a session was started, as sessions remember it."""
    return subject_hash("address", address)


def device_of(user_agent: str) -> str:
    """What a client calls itself, for its owner to tell sessions apart: the visible ASCII that such a header is of."""
    shown = "".join(sign for sign in user_agent if " " <= sign <= "~")
    return shown[:_MAX_DEVICE].strip()


def token_hash(token: str) -> bytes:
    """What is stored of a refresh token or a cookie. It is random enough that no slow hash is needed."""
    return hashlib.sha256(token.encode()).digest()


def first_token(secret: bytes) -> str:
    """A session's first refresh token, or its cookie, of 32 random bytes."""
    return _REFRESH_PREFIX + base64.urlsafe_b64encode(secret).decode().rstrip("=")


def successor(token: str, seed: bytes) -> str:
    """The refresh token behind `token`: always the same one, for who has the token and the session's seed alone."""
    return first_token(hmac.digest(seed, token.encode(), "sha256"))
