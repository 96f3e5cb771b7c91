"""Holds, through the kernel."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from wallet.ledger.holds import HoldStatus
from wallet.ledger.receipts import Balance, CaptureReceipt, Hold, HoldReceipt, Party, PartySide
from wallet.storage.claims import Claim
from wallet.storage.database import Database, Row
from wallet.storage.lists import ListRequest, Page, id_bytes
from wallet.storage.rows import time_of, uuid_of


def place_hold(
    database: Database,
    claim: Claim,
    *,
    hold_id: UUID,
    payee_wallet_id: UUID | None,
    payee_phone: str | None,
    amount: int,
    valid_s: int,
    description: str | None,
) -> tuple[HoldReceipt, bool]:
    """Promises `amount` to the payee for `valid_s` seconds; True if the key had done so before. Raises `Refused`.

    A repetition's receipt is made anew: the hold as it was placed.
    """
    answer = database.call(
        "place_hold",
        *claim.signed_in(),
        hold_id.bytes,
        payee_wallet_id.bytes if payee_wallet_id else None,
        payee_phone,
        amount,
        valid_s,
        description,
    )
    told = answer.result
    balance = Balance(told["balance"], told["held"]) if answer.outcome == "done" else None
    receipt = HoldReceipt(**_fields(told), payer_balance=balance)
    return receipt, receipt.id != hold_id


def capture_hold(
    database: Database, claim: Claim, *, transaction_id: UUID, hold_id: UUID, amount: int | None, final: bool
) -> tuple[CaptureReceipt, bool]:
    """Pays `amount` (None: what is left) out of a hold, and frees the rest if `final`; True if replayed.

    Raises `Refused`: only the payee may. A repetition's receipt is made anew: the hold as it was right behind it.
    """
    answer = database.call("capture_hold", *claim.signed_in(), transaction_id.bytes, hold_id.bytes, amount, final)
    told = answer.result
    if answer.outcome == "replayed":
        told = database.read(_CAPTURE, told["transaction_id"])[0]
    receipt = CaptureReceipt(**_fields(told), transaction_id=uuid_of(told["transaction_id"]))
    return receipt, receipt.transaction_id != transaction_id


# What never changes of a hold, with the names that both sides have now.
_LASTING = """h.id AS hold_id, h.amount, h.currency, h.description, h.created_at, h.expires_at,
       payer.id AS payer_wallet_id, payer_user.name AS payer_name,
       payee.id AS payee_wallet_id, payee_user.name AS payee_name"""
_SIDES = """
JOIN wallets payer ON payer.id = h.payer_wallet_id
JOIN wallets payee ON payee.id = h.payee_wallet_id
JOIN users payer_user ON payer_user.id = payer.user_id
JOIN users payee_user ON payee_user.id = payee.user_id
"""
# ruff: noqa: S608 - every query is made of the constants here

# Captures of one hold debit one wallet, whose entries have no two of one time; a hold ends at the time of its last one.
_CAPTURE = f"""
SELECT t.id AS transaction_id, {_LASTING},
       IF(h.status = 'captured' AND h.ended_at <= t.created_at, 'captured', 'placed') AS status,
       (SELECT CAST(SUM(x.amount) AS SIGNED) FROM hold_captures o JOIN transactions x ON x.id = o.transaction_id
        WHERE o.hold_id = h.id AND x.created_at <= t.created_at) AS captured
FROM hold_captures c JOIN transactions t ON t.id = c.transaction_id JOIN holds h ON h.id = c.hold_id {_SIDES}
WHERE c.transaction_id = %s
"""


def release_hold(database: Database, claim: Claim, *, hold_id: UUID) -> tuple[Hold, bool]:
    """Frees what is left of a hold; True if the key had done so before. Raises `Refused`."""
    answer = database.call("release_hold", *claim.signed_in(), hold_id.bytes)
    return Hold(**_fields(answer.result)), answer.outcome == "replayed"


# A hold whose time has passed is expired, whether or not the sweep has been.
_FIND = f"""
SELECT {_LASTING}, h.captured,
       IF(h.status = 'placed' AND h.expires_at <= UTC_TIMESTAMP(6), 'expired', h.status) AS status
FROM holds h {_SIDES}
WHERE h.id = %s AND %s IN (payer.user_id, payee.user_id)
"""


def find_hold(database: Database, *, hold_id: UUID, actor_id: UUID) -> Hold | None:
    """A hold that the actor placed, or that is for them."""
    rows = database.read(_FIND, hold_id.bytes, actor_id.bytes)
    return Hold(**_fields(rows[0])) if rows else None


def list_holds(database: Database, *, actor_id: UUID, side: PartySide | None, asked: ListRequest) -> Page[Hold]:
    """Those that the actor placed, those for them, or both, the newest first; by a key that which it moved last."""
    side_name = side.value if side is not None else None
    arguments = (actor_id.bytes, side_name, id_bytes(asked.before), asked.status, asked.key, asked.limit + 1)
    rows = database.read("CALL list_holds(%s, %s, %s, %s, %s, %s)", *arguments)
    found = [Hold(**_fields(row)) for row in rows]
    return found[: asked.limit], found[asked.limit - 1].id if len(found) > asked.limit else None


_DUE = """
SELECT id FROM holds WHERE status = 'placed' AND expires_at <= UTC_TIMESTAMP(6) ORDER BY expires_at LIMIT %s
"""


def due_holds(database: Database, *, limit: int) -> list[UUID]:
    """Placed holds whose time has passed, the longest due first."""
    return [uuid_of(row["id"]) for row in database.read(_DUE, limit)]


def expire_hold(database: Database, hold_id: UUID) -> bool:
    """Ends a hold whose time has passed; False if it had ended before."""
    return database.call("expire_hold", hold_id.bytes).outcome == "done"


class _Fields(TypedDict):
    id: UUID
    status: HoldStatus
    amount: int
    captured: int
    currency: str
    payer: Party
    payee: Party
    description: str | None
    created_at: datetime
    expires_at: datetime


def _fields(told: Row) -> _Fields:
    return {
        "id": uuid_of(told["hold_id"]),
        "status": HoldStatus(told["status"]),
        "amount": told["amount"],
        "captured": told["captured"],
        "currency": told["currency"],
        "payer": Party(uuid_of(told["payer_wallet_id"]), told["payer_name"]),
        "payee": Party(uuid_of(told["payee_wallet_id"]), told["payee_name"]),
        "description": told["description"],
        "created_at": time_of(told["created_at"]),
        "expires_at": time_of(told["expires_at"]),
    }
