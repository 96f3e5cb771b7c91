"""Reads the stack's database and the gateway's memory, whole, into plain values for the model."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pymysql.cursors import DictCursor

from local.gateway.store import Store
from wallet.ledger import ids

if TYPE_CHECKING:
    import pymysql

Row = dict[str, Any]


_TABLES = {
    "users": "SELECT id, phone FROM users",
    "wallets": (
        "SELECT w.id, w.user_id, w.status, w.held, CAST(w.balance + COALESCE((SELECT SUM(s.balance) FROM wallet_slots s"
        " WHERE s.wallet_id = w.id), 0) AS SIGNED) AS balance FROM wallets w"
    ),
    "transactions": (
        "SELECT t.id, t.type, t.amount, t.currency, t.actor_id, t.description, t.reference, g.attempt_id, g.gateway,"
        " g.gateway_payment_id, g.suspense_reason, t.cause_id, h.hold_id, w.withdrawal_id, r.source_refund_id,"
        " d.account_id AS debited, c.account_id AS credited"
        " FROM transactions t LEFT JOIN postings d ON d.transaction_id = t.id AND d.side = 'debit'"
        " LEFT JOIN postings c ON c.transaction_id = t.id AND c.side = 'credit'"
        " LEFT JOIN gateway_payments g ON g.transaction_id = t.id LEFT JOIN hold_captures h ON h.transaction_id = t.id"
        " LEFT JOIN withdrawal_bookings w ON w.transaction_id = t.id"
        " LEFT JOIN source_refund_bookings r ON r.transaction_id = t.id"
    ),
    "holds": "SELECT id, payer_wallet_id, payee_wallet_id, amount, captured, status, description,"
    " expires_at < UTC_TIMESTAMP(6) - INTERVAL {grace} SECOND AS late FROM holds",
    "attempts": "SELECT a.id, a.wallet_id, a.amount, a.status, a.gateway_order_id,"
    " a.expires_at < UTC_TIMESTAMP(6) - INTERVAL {grace} SECOND AS late FROM payment_attempts a",
    "withdrawals": "SELECT id, wallet_id, vpa, amount, status, provider_payout_id FROM withdrawals",
    "source_refunds": "SELECT id, origin, transaction_id, wallet_id, gateway_payment_id, gateway_refund_id, amount,"
    " status FROM source_refunds",
    "bulk_payments": "SELECT id, user_id, row_count, total, status FROM bulk_payments",
    "bulk_rows": "SELECT bulk_payment_id, line, amount, reference, status, refusal, transaction_id"
    " FROM bulk_payment_rows",
    "keys": "SELECT actor_id, idem_key, made_id FROM idempotency_records",
    "actions": "SELECT id, operator, command, wallet_id, subject_id, reason FROM operator_actions",
    "events": "SELECT id, gateway, name, outcome, body FROM gateway_events WHERE outcome IS NULL OR outcome = 'stuck'",
    "undelivered": "SELECT position, type FROM outbox WHERE delivered_at IS NULL",
}


@dataclass(slots=True)
class Ledger:
    """Every row that matters; ids as 32 hexadecimal digits, rows by the names of their columns."""

    users: list[Row] = field(default_factory=list)
    wallets: list[Row] = field(default_factory=list)
    transactions: list[Row] = field(default_factory=list)
    holds: list[Row] = field(default_factory=list)
    attempts: list[Row] = field(default_factory=list)
    withdrawals: list[Row] = field(default_factory=list)
    source_refunds: list[Row] = field(default_factory=list)
    bulk_payments: list[Row] = field(default_factory=list)
    bulk_rows: list[Row] = field(default_factory=list)
    keys: list[Row] = field(default_factory=list)
    actions: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    undelivered: list[Row] = field(default_factory=list)
    #: What the product's own rules find wrong (`Books.faults`).
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True)
class GatewayBook:
    """What the gateway knows, as its own documents."""

    orders: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    refunds: list[Row] = field(default_factory=list)
    payouts: list[Row] = field(default_factory=list)


def read_ledger(connection: "pymysql.Connection[Any]", *, grace_s: int, ahead_s: int = 0) -> Ledger:
    """The ledger at one moment. Late is what was due `grace_s` seconds ago, on a clock that is `ahead_s` ahead."""
    ledger = Ledger()
    with connection.cursor(DictCursor) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        for name, query in _TABLES.items():
            cursor.execute(query.replace("{grace}", str(grace_s - ahead_s)))
            setattr(ledger, name, [_plain(row) for row in cursor.fetchall()])
        cursor.execute("COMMIT")
    return ledger


def read_gateway(store: Store) -> GatewayBook:
    """Everything in the simulator's memory."""
    book = GatewayBook()
    for order in store.orders(None):
        book.orders.append(vars(order))
        for payment in store.payments_of(order.id):
            book.payments.append(vars(payment))
            book.refunds += [vars(refund) for refund in store.refunds_of(payment.id)]
    book.payouts = [vars(payout) for payout in store.payouts(None)]
    return book


def hex_of(public_id: str) -> str:
    """An id as in the ledger's rows, of one as callers get it (`pay_…`)."""
    prefix = public_id.partition("_")[0]
    found = ids.read(prefix, public_id)
    if found is None:
        raise ValueError(f"{public_id} is no id")
    return found.hex


def shown(prefix: str, row_id: str) -> str:
    """An id as the gateway knows it, of one in the ledger's rows."""
    return ids.show(prefix, UUID(hex=row_id))


def _plain(row: Row) -> Row:
    return {name: _plain_value(name, value) for name, value in row.items()}


def _plain_value(name: str, value: object) -> object:
    if not isinstance(value, bytes):
        return value
    return value.decode() if name in ("idem_key", "body") else value.hex()
