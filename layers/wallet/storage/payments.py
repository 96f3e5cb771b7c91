"""Payments, through the kernel."""

import json
from collections.abc import Sequence
from uuid import UUID

from wallet.ledger import ids
from wallet.ledger.receipts import Balance, Party, PartySide, Payment, PaymentReceipt, RefundReceipt
from wallet.ledger.statements import Span, StatementEntry
from wallet.ledger.transactions import Side
from wallet.storage.claims import Claim
from wallet.storage.database import Answer, Database, Row
from wallet.storage.rows import time_of, uuid_of
from wallet.storage.statements import read_entries


def post_payment(
    database: Database,
    claim: Claim,
    *,
    transaction_id: UUID,
    payee_wallet_id: UUID | None,
    payee_phone: str | None,
    amount: int,
    description: str | None,
    reference: str | None,
) -> tuple[PaymentReceipt, bool]:
    """Moves `amount` to the payee, who is named by wallet or by phone; True if the key had done so before.

    Raises `Refused`. A repetition inside this call (the answer was lost on the way) is no replay to the caller, but its
    receipt is made anew like that of one.
    """
    answer = database.call(
        "post_payment",
        *claim.signed_in(),
        transaction_id.bytes,
        payee_wallet_id.bytes if payee_wallet_id else None,
        payee_phone,
        amount,
        description,
        reference,
    )
    return _receipt(database, claim, answer), _is_replay(answer, transaction_id)


def pay_payment_request(
    database: Database,
    claim: Claim,
    *,
    transaction_id: UUID,
    payment_request_id: UUID,
    amount: int,
    description: str | None,
) -> tuple[PaymentReceipt, bool]:
    """Pays what somebody has asked for; True if the key had done so before. Its reference is the request's id.

    Raises `Refused`, of what is the request's before all that is the payer's.
    """
    answer = database.call(
        "pay_payment_request",
        *claim.signed_in(),
        transaction_id.bytes,
        payment_request_id.bytes,
        amount,
        description,
        ids.show(ids.PAYMENT_REQUEST, payment_request_id),
    )
    return _receipt(database, claim, answer), _is_replay(answer, transaction_id)


def _is_replay(answer: Answer, transaction_id: UUID) -> bool:
    return uuid_of(answer.result["transaction_id"]) != transaction_id


def _receipt(database: Database, claim: Claim, answer: Answer) -> PaymentReceipt:
    """What the payer is told: by the commit itself, or of a key that had paid before, by the ledger."""
    told = answer.result
    if answer.outcome == "replayed":
        told = database.read(_FIND, told["transaction_id"], claim.actor_id.bytes)[0]
    return PaymentReceipt(
        transaction_id=uuid_of(told["transaction_id"]),
        amount=told["amount"],
        currency=told["currency"],
        payer=Party(uuid_of(told["payer_wallet_id"]), told["payer_name"]),
        payee=Party(uuid_of(told["payee_wallet_id"]), told["payee_name"]),
        description=told["description"],
        reference=told["reference"],
        refunded=0,
        created_at=time_of(told["created_at"]),
        payer_balance=Balance(told["balance"], told["held"]) if answer.outcome == "done" else None,
    )


def refund_payment(
    database: Database,
    claim: Claim,
    *,
    transaction_id: UUID,
    payment_id: UUID,
    amount: int | None,
    reason: str | None,
) -> tuple[RefundReceipt, bool]:
    """Moves `amount` (None: what is left) of a payment back to its payer; True if the key had done so before.

    Raises `Refused`: only the payee may, and never more than the payment in sum. A repetition's receipt is made anew.
    """
    answer = database.call(
        "refund_payment",
        *claim.signed_in(),
        transaction_id.bytes,
        payment_id.bytes,
        amount,
        reason,
    )
    told = answer.result
    if answer.outcome == "replayed":
        told = database.read(_REFUND, told["transaction_id"])[0]
    receipt = RefundReceipt(
        transaction_id=uuid_of(told["transaction_id"]),
        payment_id=uuid_of(told["payment_id"]),
        amount=told["amount"],
        currency=told["currency"],
        reason=told["reason"],
        refunded=told["refunded"],
        payee_balance=Balance(told["balance"], told["held"]) if answer.outcome == "done" else None,
        created_at=time_of(told["created_at"]),
    )
    return receipt, receipt.transaction_id != transaction_id


# All refunds of a payment debit one wallet, whose entries have no two of one time.
_REFUND = """
SELECT t.id AS transaction_id, t.cause_id AS payment_id, t.amount, t.currency, t.description AS reason, t.created_at,
       (SELECT CAST(SUM(r.amount) AS SIGNED) FROM transactions r FORCE INDEX (transactions_by_cause)
        WHERE r.cause_id = t.cause_id AND r.type = 'refund' AND r.created_at <= t.created_at) AS refunded
FROM transactions t WHERE t.id = %s AND t.type = 'refund'
"""

_FIND = """
SELECT t.id AS transaction_id, t.amount, t.currency, t.description, t.reference, t.created_at,
       (SELECT CAST(COALESCE(SUM(r.amount), 0) AS SIGNED) FROM transactions r FORCE INDEX (transactions_by_cause)
        WHERE r.cause_id = t.id AND r.type = 'refund') AS refunded,
       payer.id AS payer_wallet_id, payer_user.name AS payer_name,
       payee.id AS payee_wallet_id, payee_user.name AS payee_name
FROM transactions t
JOIN postings debit ON debit.transaction_id = t.id AND debit.side = 'debit'
JOIN postings credit ON credit.transaction_id = t.id AND credit.side = 'credit'
JOIN wallets payer ON payer.id = debit.account_id
JOIN wallets payee ON payee.id = credit.account_id
JOIN users payer_user ON payer_user.id = payer.user_id
JOIN users payee_user ON payee_user.id = payee.user_id
WHERE t.id = %s AND t.type IN ('payment', 'hold_capture') AND %s IN (payer.user_id, payee.user_id)
"""


def find_payment(database: Database, *, payment_id: UUID, actor_id: UUID) -> Payment | None:
    """A payment that the actor made or received."""
    rows = database.read(_FIND, payment_id.bytes, actor_id.bytes)
    return _payment(rows[0]) if rows else None


#: How many entries are read at once, and how often, for one page of payments: it may be short, and more follow.
_AT_ONCE, _READS = 100, 10
_TYPES = ("payment", "hold_capture")
_SIDES = {PartySide.PAYER: Side.DEBIT, PartySide.PAYEE: Side.CREDIT}


def list_payments(
    database: Database, span: Span, *, actor_id: UUID, side: PartySide | None, limit: int
) -> tuple[list[Payment], Span | None]:
    """The newest payments of the actor's entries in `span`, on one side or both, and where the next page begins.

    They are looked for among so many entries at most: a page may have fewer than `limit`, and others behind it.
    """
    chosen: list[UUID] = []
    rest: Span | None = span
    for _ in range(_READS):
        if rest is None or len(chosen) == limit:
            break
        entries = read_entries(database, rest, types=_TYPES, limit=_AT_ONCE + 1)
        looked_at: list[StatementEntry] = []
        for entry in entries[:_AT_ONCE]:
            if len(chosen) == limit:
                break
            looked_at.append(entry)
            if side is None or entry.side is _SIDES[side]:
                chosen.append(entry.transaction_id)
        rest = rest.before(looked_at) if len(looked_at) < len(entries) else None
    return _in_order(database, actor_id, chosen), rest


def find_payment_of_key(database: Database, *, actor_id: UUID, key: str) -> list[Payment]:
    """The payment that a key of the actor's made, if it made one."""
    return [_payment(row) for row in database.read("CALL find_payments(%s, NULL, %s)", actor_id.bytes, key)]


def _in_order(database: Database, actor_id: UUID, chosen: Sequence[UUID]) -> list[Payment]:
    asked = json.dumps([one.hex for one in chosen])
    rows = database.read("CALL find_payments(%s, %s, NULL)", actor_id.bytes, asked) if chosen else []
    found = {payment.transaction_id: payment for payment in map(_payment, rows)}
    return [found[one] for one in chosen if one in found]


def _payment(row: Row) -> Payment:
    return Payment(
        transaction_id=uuid_of(row["transaction_id"]),
        amount=row["amount"],
        currency=row["currency"],
        payer=Party(uuid_of(row["payer_wallet_id"]), row["payer_name"]),
        payee=Party(uuid_of(row["payee_wallet_id"]), row["payee_name"]),
        description=row["description"],
        reference=row["reference"],
        refunded=row["refunded"],
        created_at=time_of(row["created_at"]),
    )
