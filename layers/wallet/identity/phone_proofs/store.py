"""Codes and proofs in the database, through the procedures of identity."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wallet.identity.phone_proofs.model import CodeRules, Purpose, SentCode
from wallet.storage.database import Database
from wallet.storage.rows import time_of


@dataclass(frozen=True, slots=True)
class CodeCounters:
    """What a code is counted under, each hashed.

    The phone, the phone from where its owner has signed in, where it is asked for, and in all.
    """

    phone: bytes
    owner: bytes
    origin: bytes
    everybody: bytes


def ask_for_code(
    database: Database,
    counters: CodeCounters,
    rules: CodeRules,
    *,
    proof_id: UUID,
    phone: str,
    purpose: Purpose,
    code_hash: bytes,
    address_hash: bytes,
) -> SentCode:
    """Counts a code before it is sent; raises `Refused` (`too_many_codes`)."""
    told = database.call(
        "ask_for_code",
        proof_id.bytes,
        phone,
        purpose.value,
        code_hash,
        counters.phone,
        counters.owner,
        address_hash,
        counters.origin,
        counters.everybody,
        rules.per_phone_day,
        rules.per_address_hour,
        rules.in_all_day,
        rules.pause_s,
        rules.valid_s,
    ).result
    return SentCode(proof_id, time_of(told["expires_at"]), int(told["resend_after_s"]))


def forget_code(database: Database, counters: CodeCounters, *, proof_id: UUID) -> None:
    """Takes a code back that could not be sent."""
    database.call("forget_code", proof_id.bytes, counters.phone, counters.owner)


def show_code(
    database: Database, *, proof_id: UUID, code_hash: bytes, proof_hash: bytes, proof_valid_s: int
) -> datetime:
    """Until when the proof is good that the code became; raises `Refused` (`not_found`, `invalid_code`)."""
    answer = database.call("show_code", proof_id.bytes, code_hash, proof_hash, proof_valid_s)
    return time_of(answer.result["expires_at"])
