"""Sending the code of a confirmation to its owner's phone, and taking it back."""

import secrets
from uuid import UUID

from wallet.channels.port import ChannelUnavailableError
from wallet.confirmations import store
from wallet.confirmations.model import CodeLimits, CodeQuotas, CodeToSend
from wallet.identity.phone_proofs.model import DIGITS, CodeSender, code_hash, code_of
from wallet.identity.sessions.model import Principal
from wallet.ledger.notices import confirmation_notice
from wallet.storage.database import Database


def send_code(
    database: Database, sender: CodeSender, limits: CodeLimits, *, caller: Principal, confirmation_id: UUID
) -> CodeToSend:
    """Sends a code to the caller's phone, with what it is for in the text.

    Raises `Refused` (`not_found`, `confirmation_ended`, `confirmation_paused`, `too_many_codes`), and
    ChannelUnavailableError: then it counts for nothing.
    """
    code = code_of(secrets.randbelow(10**DIGITS))
    hashed, quotas = code_hash(sender.key, confirmation_id, code), CodeQuotas.of(caller)
    sent = store.ask_for_code(
        database, limits, caller=caller, confirmation_id=confirmation_id, code_hash=hashed, quotas=quotas
    )
    notice = confirmation_notice(
        code, sent.kind.value, sender.sender, amount=sent.amount, payee=sent.payee, site=sender.site
    )
    try:
        sender.messages.send(notice.text, template=notice.template, phone=sent.phone, attributes={})
    except ChannelUnavailableError:
        store.forget_code(database, confirmation_id=confirmation_id, code_hash=hashed, quotas=quotas)
        raise
    return sent


def confirm_by_code(database: Database, *, key: str, caller: Principal, confirmation_id: UUID, code: str) -> None:
    """Grants the confirmation for the code that was sent.

    Raises `Refused` (`not_found`, `confirmation_ended`, `confirmation_paused`, `invalid_code`).
    """
    store.confirm_by_code(
        database,
        caller=caller,
        confirmation_id=confirmation_id,
        code_hash=code_hash(key, confirmation_id, code),
    )
