"""What an account is to its owner, and what a password must not be."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wallet.identity import passwords
from wallet.identity.sessions.model import SignInRules
from wallet.ledger.refusals import Refusal, Refused


@dataclass(frozen=True, slots=True)
class Account:
    """Who somebody is who has signed in; `passkeys` is how many they have."""

    id: UUID
    phone: str
    name: str
    email: str | None
    kind: str
    tier: str
    created_at: datetime
    passkeys: int


@dataclass(frozen=True, slots=True)
class ResetRules:
    """Who was not here for `seen_within_days` is sent to an operator, as a number may have another owner by then.

    `sign_ins` counts resets, and has a hash's cost.
    """

    sign_ins: SignInRules
    seen_within_days: int


def scope_of(phone_proof: str) -> UUID:
    """Whose idempotency keys a registration's are: nobody is signed in yet, so a key belongs to who has this proof.

    Not to the phone: its next owner would meet the keys of the one before.
    """
    return UUID(bytes=hashlib.sha256(b"register:" + phone_proof.encode()).digest()[:16])


def check_new_password(password: str, *, field: str, context: Iterable[str]) -> None:
    """Raises `Refused` (`invalid_request`) for a password that is easy to guess; `context` as in `passwords.refuse`."""
    reason = passwords.refuse(password, context)
    if reason is not None:
        raise Refused(Refusal.INVALID_REQUEST, fields=((field, reason),))
