"""What one operator asks for and another approves."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from wallet.storage.claims import Claim
from wallet.storage.database import Database
from wallet.storage.operators import Instruction
from wallet.storage.rows import time_of, uuid_of

_REQUEST = """
SELECT id, actor_id, idem_key, request_hash, asked_by, command, arguments, reason, asked_at, expires_at, approved_by,
       approved_at,
       CASE WHEN approved_at IS NOT NULL THEN 'approved' WHEN cancelled_at IS NOT NULL THEN 'cancelled'
            WHEN expires_at <= UTC_TIMESTAMP(6) THEN 'expired' ELSE 'waiting' END AS status
FROM operator_requests
"""
_WAITING = f"""
{_REQUEST}
WHERE expires_at > UTC_TIMESTAMP(6) AND approved_at IS NULL AND cancelled_at IS NULL AND id > %s ORDER BY id LIMIT %s
"""
_NO_ID = bytes(16)

_BY_PHONE = """
SELECT u.id AS user_id, w.id AS wallet_id, u.name, u.kind, w.status, u.phone
FROM (SELECT id FROM users WHERE phone = %s
      UNION SELECT id FROM users WHERE former_phone = %s
      UNION SELECT user_id FROM former_phones WHERE phone = %s) known
JOIN users u ON u.id = known.id JOIN wallets w ON w.user_id = u.id
ORDER BY COALESCE(u.phone = %s, FALSE) DESC, u.id DESC
"""


@dataclass(frozen=True, slots=True)
class OperatorRequest:
    """A command that waits for another person, or did; `status` is waiting, approved, cancelled or expired.

    `arguments` is all of the command as it was sent, and `claim` what it is carried out under.
    """

    request_id: UUID
    command: str
    arguments: dict[str, Any]
    reason: str
    status: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    claim: Claim


@dataclass(frozen=True, slots=True)
class PhoneOwner:
    """Who has a phone, or had it once: `is_former`. `phone` is what they have now, None if they have none."""

    user_id: UUID
    wallet_id: UUID
    name: str
    kind: str
    status: str
    phone: str | None
    is_former: bool


def find_phone(database: Database, phone: str) -> tuple[PhoneOwner, ...]:
    """Everybody who has or had this phone: who has it first, then the latest account first."""
    return tuple(
        PhoneOwner(
            user_id=uuid_of(row["user_id"]),
            wallet_id=uuid_of(row["wallet_id"]),
            name=row["name"],
            kind=row["kind"],
            status=row["status"],
            phone=row["phone"],
            is_former=row["phone"] != phone,
        )
        for row in database.read(_BY_PHONE, phone, phone, phone, phone)
    )


def ask(
    database: Database, instruction: Instruction, *, request_id: UUID, command: str, arguments: dict[str, Any]
) -> tuple[UUID, bool]:
    """Asks for a command that takes two people: the request's id, and whether the key had asked for it before."""
    answer = database.call(
        "ask_operator",
        *instruction.claim.arguments(),
        request_id.bytes,
        instruction.operator,
        instruction.reason,
        command,
        json.dumps(arguments, sort_keys=True),
    )
    return uuid_of(answer.result["request_id"]), answer.outcome == "replayed"


def cancel(database: Database, request_id: UUID, *, operator: str) -> bool:
    """Cancels a request by who asked for it; True if it was cancelled before. Raises `Refused`."""
    return database.call("cancel_operator_request", request_id.bytes, operator).outcome == "replayed"


def find_request(database: Database, request_id: UUID) -> OperatorRequest | None:
    """A request as it stands now."""
    rows = database.read(f"{_REQUEST} WHERE id = %s", request_id.bytes)
    return _request(rows[0]) if rows else None


def waiting_requests(database: Database, *, after: UUID | None, limit: int) -> tuple[OperatorRequest, ...]:
    """What waits for another person, in the order in which it was asked for."""
    rows = database.read(_WAITING, after.bytes if after is not None else _NO_ID, limit)
    return tuple(_request(row) for row in rows)


def _request(row: dict[str, Any]) -> OperatorRequest:
    return OperatorRequest(
        request_id=uuid_of(row["id"]),
        command=row["command"],
        arguments=json.loads(row["arguments"]),
        reason=row["reason"],
        status=row["status"],
        asked_by=row["asked_by"],
        asked_at=time_of(row["asked_at"]),
        expires_at=time_of(row["expires_at"]),
        approved_by=row["approved_by"],
        approved_at=time_of(row["approved_at"]) if row["approved_at"] is not None else None,
        claim=Claim(uuid_of(row["actor_id"]), row["idem_key"].decode("ascii"), row["request_hash"]),
    )
