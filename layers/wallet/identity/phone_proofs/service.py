"""Sending a code to a phone, and taking it back as a proof."""

import secrets
from collections.abc import Callable
from uuid import UUID

from wallet.channels.port import ChannelUnavailableError
from wallet.identity import phones
from wallet.identity.phone_proofs import store
from wallet.identity.phone_proofs.model import (
    DIGITS,
    CodeRules,
    CodeSender,
    PhoneProof,
    Purpose,
    SentCode,
    code_hash,
    code_of,
    new_proof,
    proof_hash,
)
from wallet.identity.phone_proofs.store import CodeCounters
from wallet.identity.sessions.model import address_hash, subject_hash
from wallet.ledger.notices import code_notice
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import Database


def send_code(
    database: Database,
    new_id: Callable[[], UUID],
    sender: CodeSender,
    rules: CodeRules,
    *,
    phone: str,
    purpose: Purpose,
    address: str,
) -> SentCode:
    """Sends a code, to whoever has the phone and whether or not they are registered: it looks the same from here.

    Raises `Refused` (`too_many_codes`, `invalid_request` for a country that none are sent to), ChannelUnavailableError.
    """
    if phones.region_of(phone) not in rules.regions:
        raise Refused(Refusal.INVALID_REQUEST, fields=(("phone", "Codes are not sent to numbers of this country."),))
    proof_id, code = new_id(), code_of(secrets.randbelow(10**DIGITS))
    counters = CodeCounters(
        phone=subject_hash("codes to", phone),
        owner=subject_hash("codes to the owner of", phone),
        origin=subject_hash("codes from", address),
        everybody=subject_hash("codes", "in all"),
    )
    sent = store.ask_for_code(
        database,
        counters,
        rules,
        proof_id=proof_id,
        phone=phone,
        purpose=purpose,
        code_hash=code_hash(sender.key, proof_id, code),
        address_hash=address_hash(address),
    )
    notice = code_notice(code, purpose.value, sender.sender, minutes=rules.valid_s // 60, site=sender.site)
    try:
        sender.messages.send(notice.text, template=notice.template, phone=phone, attributes={})
    except ChannelUnavailableError:
        store.forget_code(database, counters, proof_id=proof_id)
        raise
    return sent


def show_code(database: Database, rules: CodeRules, *, key: str, proof_id: UUID, code: str) -> PhoneProof:
    """A proof for a code; raises `Refused` (`invalid_code`, `not_found`)."""
    proof = new_proof()
    expires_at = store.show_code(
        database,
        proof_id=proof_id,
        code_hash=code_hash(key, proof_id, code),
        proof_hash=proof_hash(proof),
        proof_valid_s=rules.proof_valid_s,
    )
    return PhoneProof(proof, expires_at)
