"""What callers get: our values in the words of the contract."""

from datetime import UTC, datetime
from uuid import UUID

from wallet.edge.responses import Json
from wallet.identity.login import Session
from wallet.ledger import ids
from wallet.ledger.attempts import AttemptStatus
from wallet.ledger.receipts import (
    Balance,
    Party,
    Payment,
    PaymentReceipt,
    Registration,
    StatementEntry,
    TopUp,
    TopUpState,
    WalletState,
)


def time(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def wallet_id(value: UUID) -> str:
    """`wal_…`."""
    return ids.show(ids.WALLET, value)


def balance(value: Balance) -> Json:
    """Total, held and available."""
    return {"total": value.total, "held": value.held, "available": value.available}


def party(value: Party) -> Json:
    """One side of a payment, named as a request names a payee."""
    return {"wallet_id": wallet_id(value.wallet_id), "name": value.name}


def registration(value: Registration) -> Json:
    """The answer of POST /register."""
    return {
        "user": {
            "id": ids.show(ids.USER, value.user_id),
            "phone": value.phone,
            "name": value.name,
            "kind": value.kind,
            "created_at": time(value.created_at),
        },
        "wallet": {
            "id": wallet_id(value.wallet_id),
            "currency": value.currency,
            "balance": balance(Balance(total=0, held=0)),
        },
    }


def session(value: Session) -> Json:
    """The answer of POST /login and POST /token."""
    return {
        "access_token": value.access_token,
        "token_type": "Bearer",
        "expires_in": value.expires_in_s,
        "refresh_token": value.refresh_token,
    }


def wallet(value: WalletState) -> Json:
    """The answer of GET /wallet. A limit that is null is none."""
    return {
        "id": wallet_id(value.id),
        "currency": value.currency,
        "balance": balance(value.balance),
        "kind": value.kind,
        "status": value.status,
        "limits": {
            "tier": value.tier,
            "max_balance": value.max_balance,
            "max_top_up": value.max_top_up,
            "max_payment": value.max_payment,
        },
        "as_of": time(value.as_of),
    }


def statement_entry(value: StatementEntry) -> Json:
    """One line of GET /wallet/transactions."""
    other = party(value.counterparty) if value.counterparty else {"gateway": value.gateway}
    return {
        "id": ids.show(ids.TRANSACTION, value.transaction_id),
        "type": value.type,
        "direction": value.side.value,
        "amount": value.amount,
        "balance_after": value.balance_after,
        "counterparty": other,
        "description": value.description,
        "reference": value.reference,
        "created_at": time(value.created_at),
    }


def statement(entries: list[StatementEntry], *, limit: int) -> Json:
    """A page: `entries` holds one more than `limit` if there is a next one."""
    page = entries[:limit]
    return {
        "data": [statement_entry(entry) for entry in page],
        "next_cursor": f"e{page[-1].entry_no}" if len(entries) > limit else None,
    }


def payment_receipt(value: PaymentReceipt) -> Json:
    """The answer of POST /payments."""
    return {
        **_payment(value),
        "balance": balance(value.payer_balance),
    }


def payment(value: Payment) -> Json:
    """The answer of GET /payments/{id}."""
    return {**_payment(value), "refunded": value.refunded}


def _payment(value: Payment | PaymentReceipt) -> Json:
    return {
        "id": ids.show(ids.PAYMENT, value.transaction_id),
        "status": "completed",
        "amount": value.amount,
        "currency": value.currency,
        "from": party(value.payer),
        "to": party(value.payee),
        "description": value.description,
        "reference": value.reference,
        "transaction_id": ids.show(ids.TRANSACTION, value.transaction_id),
        "created_at": time(value.created_at),
    }


def top_up(value: TopUp, *, key_id: str, qr_svg: str | None) -> Json:
    """The answer of POST /top-ups; `key_id` is the public one of the gateway's checkout."""
    shape: Json = {
        "id": ids.show(ids.TOP_UP, value.id),
        "status": AttemptStatus.PENDING.value,
        "amount": value.amount,
        "currency": value.currency,
        "gateway": value.gateway,
        "gateway_order_id": value.gateway_order_id,
        "checkout": {"key_id": key_id, "order_id": value.gateway_order_id},
        "expires_at": time(value.expires_at),
    }
    if value.intent_url is not None and qr_svg is not None:
        shape["upi"] = {"intent_url": value.intent_url, "qr_svg": qr_svg}
    return shape


def top_up_state(value: TopUpState, *, key_id: str, qr_svg: str | None) -> Json:
    """The answer of GET /top-ups/{id}."""
    return {
        **top_up(value.top_up, key_id=key_id, qr_svg=qr_svg),
        "status": _status(value.status),
        "events": [
            {"at": time(event.at), "status": _status(event.status)}
            | ({"reason": event.reason} if event.reason is not None else {})
            for event in value.events
        ],
    }


def _status(status: AttemptStatus) -> str:
    """Whether the gateway has made its order yet is nothing to callers."""
    return (AttemptStatus.PENDING if status is AttemptStatus.CREATED else status).value
