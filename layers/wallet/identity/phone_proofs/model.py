"""Codes and the proofs that they become. The database has neither, only what can't be turned back into them."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Literal
from uuid import UUID

if TYPE_CHECKING:  # every door reads this file for its bodies, and none of them sends a code
    from wallet.channels.port import Notices
    from wallet.ledger.notices import Sender

DIGITS = 6


class Purpose(StrEnum):
    """What a phone is proved for; a proof is good for nothing else."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a word of the contract
    UNFREEZE = "unfreeze"
    CHANGE_PHONE = "change_phone"


#: What a passkey proves a phone for: to be let in though others guess, or beside the code of a reset.
PasskeyPurpose = Literal[Purpose.SIGN_IN, Purpose.RESET_PASSWORD]


@dataclass(frozen=True, slots=True)
class CodeRules:
    """How long a code and its proof are good, in seconds; how many codes there are, in a day or an hour.

    `pause_s` is before a phone's second code of a day, and doubles with each. `regions` are the countries that codes
    are sent to (ISO 3166): numbers elsewhere are what senders of costly messages to themselves use.
    """

    valid_s: int
    proof_valid_s: int
    per_phone_day: int
    per_address_hour: int
    in_all_day: int
    pause_s: int
    regions: frozenset[str]


@dataclass(frozen=True, slots=True)
class CodeSender:
    """What codes go by, whom they are from, the site that may fill them in (`wallet.example`, '' for none), the key."""

    messages: "Notices"
    sender: "Sender"
    site: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code that is on its way: its proof's id, until when it is good, and from when another may be asked for."""

    id: UUID
    expires_at: datetime
    resend_after_s: int


@dataclass(frozen=True, slots=True)
class PhoneProof:
    """What a code became: good once, for its phone and its purpose."""

    proof: str
    expires_at: datetime


def code_of(number: int) -> str:
    """A code of a random number below a million."""
    return f"{number:0{DIGITS}}"


def code_hash(key: str, proof_id: UUID, code: str) -> bytes:
    """What is stored of a code: without the key a million guesses would find it."""
    return hmac.digest(key.encode(), proof_id.bytes + code.encode(), "sha256")


def new_proof() -> str:
    """The secret that a code, or a passkey's signature, becomes."""
    return f"pp_{secrets.token_urlsafe(32)}"


def proof_hash(proof: str) -> bytes:
    """What is stored of a proof, which is random enough."""
    return hashlib.sha256(proof.encode()).digest()
