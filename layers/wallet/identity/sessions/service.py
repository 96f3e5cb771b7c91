"""Signing in, staying so, and signing out."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from wallet.identity import passwords, tokens
from wallet.identity.phone_proofs.model import proof_hash
from wallet.identity.phones import NO_PHONE
from wallet.identity.sessions import store
from wallet.identity.sessions.model import (
    Lifetimes,
    Principal,
    Session,
    SessionKind,
    SignIn,
    SignInRules,
    address_hash,
    first_token,
    subject_hash,
    successor,
    token_hash,
)
from wallet.identity.sessions.store import NewSession, SignInCounters
from wallet.identity.tokens import SigningKey
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import users
from wallet.storage.database import Database

# Of so few bits that they say nothing about a password, and enough to see one that is tried on many phones.
_PASSWORD_BITS = 16


@dataclass(frozen=True, slots=True)
class Issuer:
    """What access tokens are signed with, how long things last, and what the clock shows (seconds since 1970)."""

    key: SigningKey
    lifetimes: Lifetimes
    now: int


def sign_in(
    database: Database,
    new_id: Callable[[], UUID],
    issuer: Issuer,
    rules: SignInRules,
    shown: SignIn,
    *,
    kind: SessionKind,
    on_failure: Callable[[int], None],
) -> Session:
    """Checks a password. An unknown phone and a wrong password look the same, and take as long.

    The attempt is counted before the password is looked at: a thousand at once are a thousand. `on_failure` is told on
    how many phones this password has failed. What is no number is refused as such, unless somebody is registered with
    it and this is their password. Raises `Refused`.
    """
    phone = shown.phone.spellings[0]
    counters = SignInCounters(
        pair=subject_hash("sign-in", f"{phone} from {shown.address}"),
        phone=subject_hash("sign-in", phone),
        address=address_hash(shown.address),
    )
    proof = None if shown.phone_proof is None else proof_hash(shown.phone_proof)
    counted = store.count_sign_in(database, counters, rules, phone=phone, proof_hash=proof)
    found = _find_owner(database, shown, cost=rules.password_cost)
    if found is None:
        bits = hashlib.sha256(b"failed:" + shown.password.encode()).digest()[: _PASSWORD_BITS // 8].hex()
        on_failure(
            store.note_failed_sign_in(
                database,
                password_hash=subject_hash("failed", bits),
                pair_hash=subject_hash("failed", f"{bits} for {phone}"),
                window_s=rules.window_s,
            )
        )
        if shown.phone.number is None:
            raise Refused(Refusal.INVALID_REQUEST, fields=(("phone", NO_PHONE),))
        raise Refused(Refusal.INVALID_CREDENTIALS)
    user_id, stored = found
    if passwords.cost_of(stored) != rules.password_cost:
        rehashed = passwords.hash_password(shown.password, cost=rules.password_cost)
        users.rehash_password(database, user_id=user_id, password_hash=stored, new_password_hash=rehashed)
        stored = rehashed
    secret = first_token(secrets.token_bytes(32))
    session = NewSession(
        new_id(),
        kind,
        shown.device,
        address_hash(shown.address),
        token_hash(secret),
        secrets.token_bytes(32),
        issuer.lifetimes,
    )
    principal = store.start_session(database, session, user_id=user_id, password_hash=stored, proof_hash=proof)
    store.forgive_sign_in(database, counted)
    return _session(principal, issuer, secret)


def refresh(database: Database, issuer: Issuer, *, refresh_token: str) -> Session:
    """Another access token for a refresh token, which is used up. Raises `Refused` (`invalid_token`)."""
    seed = store.find_seed(database, token_hash(refresh_token))
    if seed is None:
        raise Refused(Refusal.INVALID_TOKEN)
    next_token = successor(refresh_token, seed)
    principal = store.renew_session(
        database,
        token_hash=token_hash(refresh_token),
        next_token_hash=token_hash(next_token),
        kind=SessionKind.TOKENS,
        idle_s=issuer.lifetimes.idle_s,
    )
    return _session(principal, issuer, next_token)


def renew(database: Database, issuer: Issuer, *, cookie: str) -> Session:
    """Another access token for a browser's cookie, which stays. Raises `Refused` (`invalid_token`)."""
    principal = store.renew_session(
        database,
        token_hash=token_hash(cookie),
        next_token_hash=None,
        kind=SessionKind.COOKIE,
        idle_s=issuer.lifetimes.idle_s,
    )
    return _session(principal, issuer, cookie)


def sign_out(database: Database, *, secret: str) -> None:
    """Ends the session of a refresh token or a cookie: from then on its access tokens move no money."""
    store.end_session_of_token(database, token_hash(secret))


def _find_owner(database: Database, shown: SignIn, *, cost: int) -> tuple[UUID, bytes] | None:
    """Who has this phone and this password, and its hash. Every spelling is looked at: it takes as long."""
    right = []
    for spelling in shown.phone.spellings:
        user_id, stored = users.find_password(database, spelling) or (None, None)
        is_right = passwords.check_password(shown.password, stored, cost=cost)
        if is_right and user_id is not None and stored is not None:
            right.append((user_id, stored))
    return right[0] if right else None


def _session(principal: Principal, issuer: Issuer, secret: str) -> Session:
    valid_s = issuer.lifetimes.access_token_s
    return Session(tokens.sign(principal, issuer.key, now=issuer.now, valid_s=valid_s), valid_s, secret)
