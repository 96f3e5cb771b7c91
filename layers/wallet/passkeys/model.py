"""A passkey, the site that it is for, and what it is given to sign: never the same twice, and never for two things."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID

from wallet.identity.phone_proofs.model import PasskeyPurpose
from wallet.ledger.refusals import Refusal, Refused

_NONCE_SIZE, _TIME_SIZE = 16, 8
# as the parameter WebOrigin has it: browsers say an origin without a slash at its end, and it is compared as a text
_ORIGIN = re.compile(r"https://[a-z0-9.-]+|http://localhost(:[0-9]+)?")
#: How long somebody may take to make a passkey, with the code that confirms it, in seconds.
CHALLENGE_VALID_S = 1_800
#: How long to let one sign, in seconds.
PROOF_CHALLENGE_VALID_S = 300


@dataclass(frozen=True, slots=True)
class ProofRules:
    """How many passkeys are looked for from an address within `window_s`, what one proves a day, and for how long."""

    per_address: int
    window_s: int
    per_passkey_day: int
    proof_valid_s: int


@dataclass(frozen=True, slots=True)
class Passkey:
    """What we know of a key pair: its authenticator's id for it, the public half (COSE), and how often it has signed.

    `sign_count` is 0 for good where an authenticator doesn't count, as most that are synchronised don't. It confirms
    from `usable_from` on.
    """

    id: UUID
    credential_id: bytes
    public_key: bytes
    sign_count: int
    name: str
    created_at: datetime
    usable_from: datetime
    is_usable: bool
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class FoundPasskey:
    """What verifies a signature of somebody who has not signed in, and whose it would be."""

    id: UUID
    user_id: UUID
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Owner:
    """How an account is named where somebody chooses among passkeys."""

    phone: str
    name: str


@dataclass(frozen=True, slots=True)
class MadePasskey:
    """What a browser says that it has made (a PublicKeyCredential, as JSON), and what its owner calls it."""

    name: str
    credential: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AddedPasskey:
    """One that was added."""

    id: UUID
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """One that was just made, verified."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    name: str


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The site whose passkeys these are: `origin` is the browser's word for it, `id` its host, `name` for people.

    With `key` it makes challenges that nobody else can.
    """

    id: str
    origin: str
    name: str
    key: str = field(repr=False)

    @classmethod
    def of(cls, origin: str, *, name: str, key: str) -> Self:
        """That of a site like https://wallet.example; raises `Refused` if there is none, or that is no origin."""
        host = urlsplit(origin).hostname
        if host is None or not _ORIGIN.fullmatch(origin):
            raise Refused(Refusal.NOT_FOUND, "There is no site here that passkeys could be for.")
        return cls(host, origin, name, key)


def new_challenge(key: str, user_id: UUID, *, nonce: bytes, now: int) -> bytes:
    """What a new passkey of somebody's signs. It says itself until when it is good, so nobody has to remember it.

    `nonce` is 16 random bytes, `now` in seconds since 1970.
    """
    return _timed(key, b"a new passkey", user_id.bytes, nonce, now + CHALLENGE_VALID_S)


def is_challenge(key: str, user_id: UUID, challenge: bytes, *, now: int) -> bool:
    """Whether this is a challenge that we gave to this very person, and not too long ago."""
    return _is_timed(key, b"a new passkey", user_id.bytes, challenge, now)


def proof_challenge(key: str, purpose: PasskeyPurpose, *, nonce: bytes, now: int) -> bytes:
    """What a passkey signs of whoever has not signed in: good for one purpose, and as long as it says."""
    return _timed(key, b"a proof", purpose.encode(), nonce, now + PROOF_CHALLENGE_VALID_S)


def is_proof_challenge(key: str, purpose: PasskeyPurpose, challenge: bytes, *, now: int) -> bool:
    """Whether we gave this for this purpose, and not too long ago."""
    return _is_timed(key, b"a proof", purpose.encode(), challenge, now)


def confirmation_challenge(key: str, confirmation_id: UUID, binding: str) -> bytes:
    """What a passkey signs to confirm: of the confirmation's id, and of all that it is bound to."""
    return _seal(key, b"a confirmation", confirmation_id.bytes + binding.encode())


def request_hash(*parts: bytes) -> bytes:
    """What somebody asks for, as a confirmation is bound to it."""
    return hashlib.sha256(b"".join(len(part).to_bytes(4) + part for part in parts)).digest()


def _timed(key: str, use: bytes, bound: bytes, nonce: bytes, until: int) -> bytes:
    told = nonce + until.to_bytes(_TIME_SIZE)
    return told + _seal(key, use, bound + told)


def _is_timed(key: str, use: bytes, bound: bytes, challenge: bytes, now: int) -> bool:
    told, seal = challenge[: _NONCE_SIZE + _TIME_SIZE], challenge[_NONCE_SIZE + _TIME_SIZE :]
    return hmac.compare_digest(seal, _seal(key, use, bound + told)) and now < int.from_bytes(told[_NONCE_SIZE:])


def _seal(key: str, purpose: bytes, told: bytes) -> bytes:
    return hmac.digest(key.encode(), b"\0".join((b"passkeys", purpose, told)), "sha256")
