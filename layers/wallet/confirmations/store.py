"""Confirmations in the database, through procedures that grant them; only the commit of the money uses one up."""

from uuid import UUID

from wallet.confirmations.model import CodeLimits, CodeQuotas, CodeToSend, ConfirmationKind
from wallet.identity.sessions.model import Principal
from wallet.storage.database import Database
from wallet.storage.rows import time_of


def ask_for_code(
    database: Database,
    limits: CodeLimits,
    *,
    caller: Principal,
    confirmation_id: UUID,
    code_hash: bytes,
    quotas: CodeQuotas,
) -> CodeToSend:
    """Counts a code before it is sent, and keeps its hash.

    Raises `Refused` (`not_found`, `confirmation_ended`, `confirmation_paused`, `too_many_codes`).
    """
    sent = database.call(
        "ask_for_confirmation_code",
        caller.user_id.bytes,
        caller.generation,
        confirmation_id.bytes,
        code_hash,
        quotas.session,
        quotas.user,
        limits.per_day,
        limits.pause_s,
    ).result
    return CodeToSend(
        phone=sent["phone"],
        kind=ConfirmationKind(sent["kind"]),
        amount=sent["amount"],
        payee=sent["vpa"] or sent["payee_name"] or "",
        expires_at=time_of(sent["expires_at"]),
        resend_after_s=int(sent["resend_after_s"]),
    )


def forget_code(database: Database, *, confirmation_id: UUID, code_hash: bytes, quotas: CodeQuotas) -> None:
    """Takes a code back that could not be sent."""
    database.call("forget_confirmation_code", confirmation_id.bytes, code_hash, quotas.session, quotas.user)


def confirm_by_code(
    database: Database,
    *,
    caller: Principal,
    confirmation_id: UUID,
    code_hash: bytes,
) -> None:
    """Grants a confirmation for the code that was sent; again it changes nothing.

    Raises `Refused` (`not_found`, `confirmation_ended`, `confirmation_paused`, `invalid_code`).
    """
    database.call(
        "confirm_by_code",
        caller.user_id.bytes,
        caller.generation,
        confirmation_id.bytes,
        code_hash,
    )
