"""What callers get: our values in the words of the contract."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, cast
from uuid import UUID

from wallet.confirmations.model import CodeToSend
from wallet.edge import qr
from wallet.edge.responses import limit_left
from wallet.identity.accounts.model import Account
from wallet.identity.phone_proofs.model import PhoneProof, SentCode
from wallet.identity.sessions.model import OpenSession, Session
from wallet.ledger import ids, vpa
from wallet.ledger.attempts import AttemptStatus
from wallet.ledger.bulk import BulkPayment, BulkReceipt, BulkRetry, RowResult, RowStatus, Tally
from wallet.ledger.receipts import (
    Balance,
    CaptureReceipt,
    Hold,
    HoldReceipt,
    Party,
    Payment,
    PaymentReceipt,
    RefundReceipt,
    Registration,
    TopUp,
    TopUpEvent,
    TopUpState,
    WalletState,
    Withdrawal,
    WithdrawalReceipt,
)
from wallet.ledger.statements import Belonging, Holder, MonthlyStatement, Outside, Span, StatementEntry, StatementPage
from wallet.ledger.times import show_time
from wallet.ledger.withdrawals import WithdrawalStatus
from wallet.passkeys.model import AddedPasskey, Passkey
from wallet.payees.model import Payee
from wallet.payment_requests.model import PaymentRequest, ReceivedPayment
from wallet.previews.model import Preview
from wallet.storage.lists import Page

if TYPE_CHECKING:
    from wallet.edge import answers as answers  # noqa: PLC0414 - doors name them by way of this module


def wallet_id(value: UUID) -> str:
    """`wal_…`."""
    return ids.show(ids.WALLET, value)


def balance(value: Balance) -> "answers.Balance":
    """Total, held and available."""
    return {"total": value.total, "held": value.held, "available": value.available}


def party(value: Party) -> "answers.Party":
    """One side of a payment, named as a request names a payee."""
    return {"wallet_id": wallet_id(value.wallet_id), "name": value.name}


def payee(value: Payee) -> "answers.Payee":
    """The answer of GET /payees."""
    return {"wallet_id": wallet_id(value.wallet_id), "name": value.name, "kind": value.kind}


def preview(value: Preview) -> "answers.Preview":
    """The answer of GET /payments/preview and GET /withdrawals/preview; what would not wait has no such time."""
    shown: answers.Preview = {
        "fee": value.fee,
        "total": value.total,
        "available_after": value.available_after,
        "limits": [limit_left(one) for one in value.limits],
        "confirmation": value.confirmation,
    }
    if value.paused_until is not None:
        shown["confirmation_paused_until"] = show_time(value.paused_until)
    if value.waits_until is not None:
        shown["waits_until"] = show_time(value.waits_until)
    return shown


def registration(value: Registration) -> "answers.Registration":
    """The answer of POST /register."""
    return {
        "user": {
            "id": ids.show(ids.USER, value.user_id),
            "phone": value.phone,
            "name": value.name,
            "kind": value.kind,
            "created_at": show_time(value.created_at),
        },
        "wallet": {
            "id": wallet_id(value.wallet_id),
            "currency": value.currency,
            "balance": balance(Balance(total=0, held=0)),
        },
    }


def access(value: Session) -> "answers.Access":
    """The answer of POST /session and POST /session/token: the cookie is no part of it."""
    return {"access_token": value.access_token, "token_type": "Bearer", "expires_in": value.expires_in_s}


def session(value: Session) -> "answers.Tokens":
    """The answer of POST /login and POST /token."""
    return {**access(value), "refresh_token": value.secret}


def sessions(value: Iterable[OpenSession], *, current: UUID) -> "answers.Sessions":
    """The answer of GET /sessions."""
    return {
        "data": [
            {
                "id": ids.show(ids.SESSION, one.id),
                "device": one.device,
                "created_at": show_time(one.created_at),
                "last_used_at": show_time(one.last_used_at),
                "current": one.id == current,
            }
            for one in value
        ]
    }


def sent_code(value: SentCode) -> "answers.SentCode":
    """The answer of POST /phone-proofs."""
    return {
        "id": ids.show(ids.PHONE_PROOF, value.id),
        "expires_at": show_time(value.expires_at),
        "resend_after_s": value.resend_after_s,
    }


def phone_proof(value: PhoneProof) -> "answers.PhoneProof":
    """The answer of POST /phone-proofs/{id}."""
    return {"phone_proof": value.proof, "expires_at": show_time(value.expires_at)}


def passkey_proof(value: PhoneProof) -> "answers.PasskeyProof":
    """The answer of POST /passkey-proofs."""
    return {"proof": value.proof, "expires_at": show_time(value.expires_at)}


def confirmation_code(value: CodeToSend) -> "answers.ConfirmationCode":
    """The answer of POST /confirmations/{id}/code."""
    return {"expires_at": show_time(value.expires_at), "resend_after_s": value.resend_after_s}


def passkeys(values: Iterable[Passkey]) -> "answers.Passkeys":
    """The answer of GET /passkeys."""
    return {
        "data": [
            {
                **new_passkey(one),
                "usable_from": show_time(one.usable_from),
                "last_used_at": show_time(one.last_used_at) if one.last_used_at else None,
            }
            for one in values
        ]
    }


def new_passkey(value: AddedPasskey | Passkey) -> "answers.NewPasskey":
    """The answer of POST /passkeys."""
    return {"id": ids.show(ids.PASSKEY, value.id), "name": value.name, "created_at": show_time(value.created_at)}


def unfreezing(at: datetime) -> "answers.Unfreezing":
    """The answer of POST /me/unfreeze."""
    return {"unfreezes_at": show_time(at)}


def account(value: Account) -> "answers.Account":
    """The answer of GET /me."""
    return {
        "id": ids.show(ids.USER, value.id),
        "phone": value.phone,
        "name": value.name,
        "email": value.email,
        "kind": value.kind,
        "tier": value.tier,
        "passkeys": value.passkeys,
        "created_at": show_time(value.created_at),
    }


def wallet(value: WalletState) -> "answers.Wallet":
    """The answer of GET /wallet. A limit that is null is none."""
    return {
        "id": wallet_id(value.id),
        "currency": value.currency,
        "balance": balance(value.balance),
        "kind": value.kind,
        "approved": value.approved,
        "status": value.status,
        "unfreezes_at": show_time(value.unfreezes_at) if value.unfreezes_at else None,
        "limits": _limits(value),
        "as_of": show_time(value.as_of),
    }


def _limits(value: WalletState) -> "answers.Limits":
    limits, used = value.limits, value.used
    return {
        "tier": limits.tier,
        "max_balance": limits.max_balance,
        "max_top_up": limits.max_top_up,
        "max_payment": limits.max_payment,
        "max_load_month": limits.max_load_month,
        "max_load_year": limits.max_load_year,
        "max_debit_day": limits.max_debit_day,
        "max_debit_month": limits.max_debit_month,
        "person_to_person": limits.person_to_person,
        "withdrawals": limits.withdrawals,
        "used": {
            "debited_today": used.debited_today,
            "debited_this_month": used.debited_this_month,
            "loaded_this_month": used.loaded_this_month,
            "loaded_this_year": used.loaded_this_year,
        },
    }


def wallet_code(value: WalletState) -> "answers.WalletCode":
    """The answer of GET /wallet/qr: `code` is what a payer's app sends as `to.qr`."""
    code = qr.wallet_code(value.id)
    return {"code": code, "svg": qr.svg(code)}


def counterparty(value: Holder | Outside) -> "answers.Counterparty":
    """The other side of an entry: a wallet, a gateway, a masked UPI address, or an account of ours."""
    if isinstance(value, Holder):
        return {"wallet_id": wallet_id(value.wallet_id), "name": value.name}
    if value.kind == "gateway":
        return {"gateway": value.name}
    if value.kind == "vpa":
        return {"vpa": value.name}
    return {"account": value.name}


def statement_entry(value: StatementEntry) -> "answers.Entry":
    """One line of GET /wallet/transactions. A bank's reference is null where there is none, or none is known yet."""
    return {
        "id": ids.show(ids.TRANSACTION, value.transaction_id),
        "type": value.type,
        "direction": value.side.value,
        "amount": value.amount,
        "balance_after": value.balance_after,
        "counterparty": counterparty(value.counterparty),
        "description": value.description,
        "reference": value.reference,
        "rrn": value.rrn,
        "utr": value.utr,
        "created_at": show_time(value.created_at),
    }


def entry(value: StatementEntry, belongs_to: Belonging) -> "answers.WholeEntry":
    """The answer of GET /wallet/transactions/{id}."""
    return {
        **statement_entry(value),
        "payment_id": _maybe(ids.PAYMENT, belongs_to.payment_id),
        "refund_of": _maybe(ids.PAYMENT, belongs_to.refund_of),
        "hold_id": _maybe(ids.HOLD, belongs_to.hold_id),
        "top_up_id": _maybe(ids.TOP_UP, belongs_to.top_up_id),
        "withdrawal_id": _maybe(ids.WITHDRAWAL, belongs_to.withdrawal_id),
    }


def _maybe(prefix: str, value: UUID | None) -> str | None:
    return None if value is None else ids.show(prefix, value)


def next_cursor(rest: Span | None) -> str | None:
    """What to ask for the next page with, None if there is none."""
    if rest is None:
        return None
    return "e" + ".".join(str(stretch.upto) for stretch in rest.stretches)  # entries still to come, by slot


def statement(value: StatementPage) -> "answers.Statement":
    """The answer of GET /wallet/transactions."""
    return {"data": [statement_entry(one) for one in value.entries], "next_cursor": next_cursor(value.rest)}


def payment(value: Payment) -> "answers.Payment":
    """The answer of GET /payments/{id}."""
    return {**_payment(value), "refunded": value.refunded}


def payments(found: Sequence[Payment], rest: Span | None) -> "answers.Payments":
    """The answer of GET /payments."""
    return {"data": [payment(one) for one in found], "next_cursor": next_cursor(rest)}


def payment_request(
    value: PaymentRequest, received: Iterable[ReceivedPayment], *, origin: Callable[[], str]
) -> "answers.PaymentRequest":
    """The answer of GET /payment-requests/{id}, and of POST: to its maker with how it is handed on.

    `origin` is asked for the site that a link opens, '' for none.
    """
    shown: answers.PaymentRequest = {
        **_payment_request(value),  # type: ignore[typeddict-item]  # not yet how it is handed on
        "payments": [_received(one) for one in received],
    }
    if value.is_own:
        code, shown["url"] = qr.payment_request_code(value.id, origin())
        shown["code"], shown["svg"] = code, qr.svg(code)
    return shown


def _payment_request(value: PaymentRequest) -> "answers.ListedPaymentRequest":
    return {
        "id": ids.show(ids.PAYMENT_REQUEST, value.id),
        "status": value.status.value,
        "amount": value.amount,
        "currency": value.currency,
        "description": value.description,
        "to": payee(value.payee),
        "created_at": show_time(value.created_at),
        "expires_at": show_time(value.expires_at),
    }


def _received(value: ReceivedPayment) -> "answers.ReceivedPayment":
    return {
        "id": ids.show(ids.PAYMENT, value.transaction_id),
        "amount": value.amount,
        "from": party(value.payer),
        "created_at": show_time(value.created_at),
    }


def payment_requests(page: Page[PaymentRequest]) -> "answers.PaymentRequests":
    """The answer of GET /payment-requests: how each is handed on, and who has paid it, is shown by itself."""
    found, last = page
    return {"data": [_payment_request(one) for one in found], "next_cursor": _maybe(ids.PAYMENT_REQUEST, last)}


def statement_link(value: MonthlyStatement, *, url: str, expires_at: datetime) -> "answers.StatementLink":
    """The answer of GET /wallet/statements/{month}; `url` opens for whoever has it until `expires_at`."""
    return {"month": str(value.month), "complete": value.is_whole, "url": url, "expires_at": show_time(expires_at)}


def payment_receipt(value: PaymentReceipt) -> "answers.PaymentReceipt":
    """The answer of POST /payments."""
    shown = _payment(value)
    if value.payer_balance is None:
        return cast("answers.PaymentReceipt", shown)
    return {**shown, "balance": balance(value.payer_balance)}


def _payment(value: Payment) -> "answers.AnyPayment":
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
        "created_at": show_time(value.created_at),
    }


def refund(value: RefundReceipt) -> "answers.Refund":
    """The answer of POST /payments/{id}/refunds; `refunded` is what the payment's refunds add up to."""
    shown: answers.Refund = {
        "id": ids.show(ids.REFUND, value.transaction_id),
        "payment_id": ids.show(ids.PAYMENT, value.payment_id),
        "status": "completed",
        "amount": value.amount,
        "currency": value.currency,
        "reason": value.reason,
        "refunded": value.refunded,
        "transaction_id": ids.show(ids.TRANSACTION, value.transaction_id),
        "created_at": show_time(value.created_at),
    }
    if value.payee_balance is not None:
        shown["balance"] = balance(value.payee_balance)
    return shown


def hold(value: Hold) -> "answers.Hold":
    """The answer of GET /holds/{id} and POST /holds/{id}/release."""
    return {
        "id": ids.show(ids.HOLD, value.id),
        "status": value.status.value,
        "amount": value.amount,
        "captured": value.captured,
        "currency": value.currency,
        "from": party(value.payer),
        "to": party(value.payee),
        "description": value.description,
        "created_at": show_time(value.created_at),
        "expires_at": show_time(value.expires_at),
    }


def holds(page: Page[Hold]) -> "answers.Holds":
    """The answer of GET /holds."""
    found, last = page
    return {"data": [hold(one) for one in found], "next_cursor": _maybe(ids.HOLD, last)}


def hold_receipt(value: HoldReceipt) -> "answers.HoldReceipt":
    """The answer of POST /holds."""
    shown = hold(value)
    if value.payer_balance is None:
        return cast("answers.HoldReceipt", shown)
    return {**shown, "balance": balance(value.payer_balance)}


def capture(value: CaptureReceipt) -> "answers.Capture":
    """The answer of POST /holds/{id}/capture; the payment it made can be refunded like any other."""
    return {
        **hold(value),
        "payment_id": ids.show(ids.PAYMENT, value.transaction_id),
        "transaction_id": ids.show(ids.TRANSACTION, value.transaction_id),
    }


def bulk_receipt(value: BulkReceipt) -> "answers.BulkReceipt":
    """The answer of POST /bulk-payments."""
    return {
        "id": ids.show(ids.BULK_PAYMENT, value.id),
        "status": "running",
        "rows": value.rows,
        "total": value.total,
        "currency": value.currency,
        "created_at": show_time(value.created_at),
    }


def bulk_retry(value: BulkRetry) -> "answers.BulkRetry":
    """The answer of POST /bulk-payments/{id}/retry."""
    return {"id": ids.show(ids.BULK_PAYMENT, value.id), "status": value.status, "retried": value.retried}


def bulk_payment(value: BulkPayment) -> "answers.BulkPayment":
    """The answer of GET /bulk-payments/{id}."""
    return {
        "id": ids.show(ids.BULK_PAYMENT, value.id),
        "status": value.status,
        "rows": value.rows,
        "total": value.total,
        "currency": value.currency,
        "waiting": _tally(value.tallies[RowStatus.WAITING]),
        "paid": _tally(value.tallies[RowStatus.PAID]),
        "refused": _tally(value.tallies[RowStatus.REFUSED]),
        "created_at": show_time(value.created_at),
        "finished_at": show_time(value.finished_at) if value.finished_at else None,
    }


def _tally(value: Tally) -> "answers.Tally":
    return {"rows": value.rows, "amount": value.amount}


def bulk_row(value: RowResult) -> "answers.BulkRow":
    """One row of GET /bulk-payments/{id}/rows, its payee named as in the file."""
    payee = value.row.payee
    return {
        "line": value.row.line,
        "to": wallet_id(payee.wallet_id) if payee.wallet_id else str(payee.phone),
        "amount": value.row.amount,
        "description": value.row.description,
        "reference": value.row.reference,
        "status": value.status.value,
        "refusal": value.refusal,
        "payment_id": ids.show(ids.PAYMENT, value.transaction_id) if value.transaction_id else None,
        "ended_at": show_time(value.ended_at) if value.ended_at else None,
    }


def top_up(value: TopUp, *, checkout: Mapping[str, str | None], qr_svg: str | None) -> "answers.NewTopUp":
    """The answer of POST /top-ups; `checkout` is what the gateway's own checkout needs."""
    shown: answers.NewTopUp = {**_top_up(value), "checkout": dict(checkout)}  # type: ignore[typeddict-item]  # no link yet
    if value.intent_url is not None and qr_svg is not None:
        shown["upi"] = {"intent_url": value.intent_url, "qr_svg": qr_svg}
    return shown


def top_up_state(value: TopUpState, *, checkout: Mapping[str, str | None], qr_svg: str | None) -> "answers.TopUp":
    """The answer of GET /top-ups/{id}."""
    return {
        **top_up(value.top_up, checkout=checkout, qr_svg=qr_svg),
        "status": value.status.shown.value,
        "rrn": value.rrn,
        "events": [_event(event) for event in value.events],
    }


def _event(value: TopUpEvent) -> "answers.TopUpEvent":
    shown: answers.TopUpEvent = {"at": show_time(value.at), "status": value.status.shown.value}
    if value.reason is not None:
        shown["reason"] = value.reason
    return shown


def top_ups(page: Page[TopUpState]) -> "answers.TopUps":
    """The answer of GET /top-ups: how each is paid, and what happened to it, is shown by itself."""
    found, last = page
    shown: list[answers.ListedTopUp] = [
        {**_top_up(one.top_up), "status": one.status.shown.value, "rrn": one.rrn} for one in found
    ]
    return {"data": shown, "next_cursor": _maybe(ids.TOP_UP, last)}


def _top_up(value: TopUp) -> "answers.AnyTopUp":
    return {
        "id": ids.show(ids.TOP_UP, value.id),
        "status": AttemptStatus.PENDING.value,
        "amount": value.amount,
        "currency": value.currency,
        "gateway": value.gateway,
        "gateway_order_id": value.gateway_order_id,
        "created_at": show_time(value.created_at),
        "expires_at": show_time(value.expires_at),
    }


def withdrawal_receipt(value: WithdrawalReceipt) -> "answers.WithdrawalReceipt":
    """The answer of POST /withdrawals: set aside, whatever asking for the payout came to."""
    shown = _withdrawal(value, WithdrawalStatus.PENDING)
    if value.balance is None:
        return cast("answers.WithdrawalReceipt", shown)
    return {**shown, "balance": balance(value.balance)}


def withdrawal(value: Withdrawal) -> "answers.Withdrawal":
    """The answer of GET /withdrawals/{id}, and of cancelling one."""
    shown: answers.Withdrawal = {**_withdrawal(value, value.status), "utr": value.utr}  # type: ignore[typeddict-item]  # it has no reason yet
    if value.reason is not None:
        shown["reason"] = value.reason
    return shown


def withdrawals(page: Page[Withdrawal]) -> "answers.Withdrawals":
    """The answer of GET /withdrawals."""
    found, last = page
    return {"data": [withdrawal(one) for one in found], "next_cursor": _maybe(ids.WITHDRAWAL, last)}


def _withdrawal(value: Withdrawal | WithdrawalReceipt, status: WithdrawalStatus) -> "answers.AnyWithdrawal":
    shown: answers.AnyWithdrawal = {
        "id": ids.show(ids.WITHDRAWAL, value.id),
        "status": status.value,
        "amount": value.amount,
        "fee": value.fee,
        "currency": value.currency,
        "vpa": vpa.mask(value.vpa),
        "created_at": show_time(value.created_at),
    }
    if value.waits_until is not None:
        shown["waits_until"] = show_time(value.waits_until)
    return shown


def event(outcome: str) -> "answers.EventAnswer":
    """The answer of POST /webhooks/{gateway}."""
    return {"status": outcome}


def proof_keys(der: bytes) -> "answers.ProofKeys":
    """The answer of GET /proof-key: the key that signs checkpoints, as KMS gives its public half."""
    key: answers.ProofKey = {
        "algorithm": "RSASSA-PKCS1-v1_5 with SHA-256",
        "public_key": b64encode(der).decode(),
        "sha256": sha256(der).hexdigest(),
    }
    return {"keys": [key]}
