"""Access tokens: short-lived, and read by the authorizer alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from wallet.identity.sessions.model import Principal
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal, Refused

_ALGORITHM = "HS256"
_ISSUER = "wallet"
_AUDIENCE = "wallet-api"
_MIN_SECRET = 32
# Ours have some 500; nothing longer is worth decoding.
_MAX_LENGTH = 2_048

#: How many seconds the clock that made a token may be ahead of the one that reads it. Its end has no such leeway.
CLOCK_LEEWAY_S = 10

#: How long API Gateway remembers what the authorizer has said of a token (`ReauthorizeEvery` in the template).
REMEMBERED_S = 60


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A live secret; `id` (the `kid` of what it signed) is the version of it in Secrets Manager."""

    id: str
    secret: str

    def __post_init__(self) -> None:
        if len(self.secret) < _MIN_SECRET:
            raise ValueError(f"a token secret has at least {_MIN_SECRET} characters")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a token of ours says: who asks, from when on and until when it is good (seconds since 1970)."""

    principal: Principal
    good_from: int
    expires_at: int


def sign(principal: Principal, key: SigningKey, *, now: int, valid_s: int) -> str:
    """An access token (JWT, HS256), good for `valid_s` seconds from `now`."""
    claims = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": ids.show(ids.USER, principal.user_id),
        "sid": ids.show(ids.SESSION, principal.session_id),
        "gen": principal.generation,
        "iat": now,
        "exp": now + valid_s,
    }
    return jwt.encode(claims, key.secret, algorithm=_ALGORITHM, headers={"kid": key.id})


def key_id(token: str) -> str | None:
    """Which secret a token claims to be signed with; nothing about it is believed yet."""
    if len(token) > _MAX_LENGTH or not token.isascii():
        return None
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.InvalidTokenError:
        return None
    return kid if isinstance(kid, str) else None


def verify(token: str, keys: Mapping[str, SigningKey], *, now: float) -> AccessToken:
    """Reads a token signed by one of `keys`, by the one algorithm we use; raises `Refused` (`invalid_token`).

    One that is not good yet is refused only if it will not be while that refusal is remembered. Any other is for the
    caller to compare with the clock, at each request.
    """
    key = keys.get(key_id(token) or "")
    if key is None:
        raise Refused(Refusal.INVALID_TOKEN)
    try:
        claims = jwt.decode(
            token,
            key.secret,
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            issuer=_ISSUER,
            options={
                "require": ["iss", "aud", "sub", "sid", "gen", "iat", "exp"],
                "verify_iat": False,  # PyJWT has one leeway for all times, and a clock of its own
                "verify_nbf": False,
                "verify_exp": False,
            },
        )
    except jwt.InvalidTokenError as error:
        raise Refused(Refusal.INVALID_TOKEN) from error
    user_id, session_id = ids.read(ids.USER, claims["sub"]), ids.read(ids.SESSION, str(claims["sid"]))
    numbers = [claims["gen"], claims["iat"], claims["exp"], claims.get("nbf", claims["iat"])]
    if user_id is None or session_id is None or any(type(number) is not int for number in numbers):
        raise Refused(Refusal.INVALID_TOKEN)
    generation, issued_at, expires_at, not_before = numbers
    principal = Principal(user_id, session_id, generation)
    access = AccessToken(principal, max(issued_at, not_before) - CLOCK_LEEWAY_S, expires_at)
    if access.expires_at <= now or access.good_from > now + REMEMBERED_S:
        raise Refused(Refusal.INVALID_TOKEN)
    return access
