"""Logging in, staying so, and logging out."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from wallet.identity import tokens
from wallet.identity.passwords import check_password
from wallet.identity.phones import NO_PHONE, SignInPhone
from wallet.identity.tokens import SigningKey
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import users
from wallet.storage.database import Database


@dataclass(frozen=True, slots=True)
class LoginRules:
    """Times in seconds; `password_cost` is bcrypt's; the limits are attempts within `window_s`."""

    access_token_s: int
    refresh_token_s: int
    password_cost: int
    attempts_per_phone: int
    attempts_per_address: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Session:
    """What somebody who got it right is given; `expires_in_s` is the access token's."""

    access_token: str
    expires_in_s: int
    refresh_token: str


def login(
    database: Database,
    new_id: Callable[[], UUID],
    key: SigningKey,
    rules: LoginRules,
    *,
    phone: SignInPhone,
    password: str,
    address: str,
    now: int,
) -> Session:
    """Checks a password. An unknown phone and a wrong password look the same, and take as long.

    What is no number is refused as such, unless somebody is registered with it and this is their password.

    The attempt is counted before the password is looked at: a thousand at once are a thousand. Raises `Refused`.
    """
    subjects = {"phone_hash": _subject("phone", phone.spellings[0]), "address_hash": _subject("address", address)}
    users.count_login_attempt(
        database,
        **subjects,
        phone_limit=rules.attempts_per_phone,
        address_limit=rules.attempts_per_address,
        window_s=rules.window_s,
    )
    user_id = _whose(database, phone, password, cost=rules.password_cost)
    if user_id is None:
        if phone.number is None:
            raise Refused(Refusal.INVALID_REQUEST, fields=(("phone", NO_PHONE),))
        raise Refused(Refusal.INVALID_CREDENTIALS)
    users.forgive_login_attempts(database, **subjects)
    refresh_token = tokens.new_refresh_token()
    users.start_refresh_family(
        database,
        user_id=user_id,
        family_id=new_id(),
        token_hash=tokens.refresh_token_hash(refresh_token),
        valid_s=rules.refresh_token_s,
    )
    return _session(user_id, key, rules, refresh_token, now)


def refresh(database: Database, key: SigningKey, rules: LoginRules, *, refresh_token: str, now: int) -> Session:
    """Another access token for a refresh token, which is used up. Raises `Refused` (`invalid_token`)."""
    next_token = tokens.new_refresh_token()
    user_id = users.rotate_refresh_token(
        database,
        token_hash=tokens.refresh_token_hash(refresh_token),
        next_token_hash=tokens.refresh_token_hash(next_token),
        valid_s=rules.refresh_token_s,
    )
    return _session(user_id, key, rules, next_token, now)


def logout(database: Database, *, refresh_token: str) -> None:
    """Ends the login that a refresh token belongs to; access tokens already given live to their end."""
    users.revoke_refresh_family(database, token_hash=tokens.refresh_token_hash(refresh_token))


def _whose(database: Database, phone: SignInPhone, password: str, *, cost: int) -> UUID | None:
    """Who has this phone and this password. Every spelling is looked at, whichever is right: it takes as long."""
    right = []
    for spelling in phone.spellings:
        user_id, stored = users.find_password(database, spelling) or (None, None)
        if check_password(password, stored, cost=cost) and user_id is not None:
            right.append(user_id)
    return right[0] if right else None


def _session(user_id: UUID, key: SigningKey, rules: LoginRules, refresh_token: str, now: int) -> Session:
    access_token = tokens.sign(user_id, key, now=now, valid_s=rules.access_token_s)
    return Session(access_token, rules.access_token_s, refresh_token)


def _subject(kind: str, value: str) -> bytes:
    return hashlib.sha256(f"{kind}:{value}".encode()).digest()
