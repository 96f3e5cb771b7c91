"""RazorpayX's JSON turned into our values, and ours into its.

https://razorpay.com/docs/api/x/payout-composite/entity, …/x/payouts/states-life-cycle and
…/errors/x/payout-status-details.
"""

import re
from collections.abc import Mapping

from wallet.gateways.fields import CURRENCY, bank_reference, matching, minor_units, optional_object, text, word
from wallet.gateways.port import GatewayRejectedError
from wallet.ledger import ids
from wallet.ledger.withdrawals import ObservedPayout, PayoutStatus

RAZORPAYX = "razorpayx"

_ID = re.compile(r"[A-Za-z0-9_]{1,64}")

#: `processing` may last for three working days: the bank has taken the money and nobody knows yet whether it arrived.
#: `rejected` and `cancelled` are a person's word at the dashboard, before any money has moved.
_STATUS = {
    "pending": PayoutStatus.PENDING,
    "queued": PayoutStatus.PENDING,
    "scheduled": PayoutStatus.PENDING,
    "processing": PayoutStatus.PENDING,
    "processed": PayoutStatus.SUCCEEDED,
    "failed": PayoutStatus.FAILED,
    "rejected": PayoutStatus.FAILED,
    "cancelled": PayoutStatus.FAILED,
    "reversed": PayoutStatus.REVERSED,
}

#: A contact's name: these characters, 3 to 50 of them, the last one a letter, a digit or a full stop.
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9 ’_/().-]+")
_NAME_MIN, _NAME_MAX = 3, 50
_NAMELESS = "Wallet holder"


def is_ours(entity: Mapping[str, object]) -> bool:
    """Whether a payout is a withdrawal: one that was made at the dashboard names something else, or nothing."""
    reference = entity.get("reference_id")
    return isinstance(reference, str) and ids.read(ids.WITHDRAWAL, reference) is not None


def payout_of(entity: Mapping[str, object]) -> ObservedPayout:
    """Read a payout entity. A status that is new to us is `unknown`, not an error."""
    return ObservedPayout(
        provider=RAZORPAYX,
        payout_id=matching(entity, "id", _ID),
        # whatever it is: one that was made at the dashboard is none of ours, and its event no less readable
        reference=None if entity.get("reference_id") is None else text(entity, "reference_id"),
        amount=minor_units(entity, "amount"),
        currency=matching(entity, "currency", CURRENCY),
        status=_STATUS.get(text(entity, "status"), PayoutStatus.UNKNOWN),
        reason=_reason(entity),
        utr=bank_reference(entity.get("utr")),
    )


def payout_request(
    *, account_number: str, reference: str, amount_minor: int, currency: str, vpa: str, name: str
) -> dict[str, object]:
    """Write a composite payout: contact, fund account and payout in one request.

    It must be the same for ever: under one idempotency key another body is refused.
    """
    return {
        "account_number": account_number,
        "amount": amount_minor,
        "currency": currency,
        "mode": "UPI",
        "purpose": "payout",
        "fund_account": {
            "account_type": "vpa",
            "vpa": {"address": vpa},
            "contact": {"name": contact_name(name), "type": "customer"},
        },
        # with too little of ours there, it waits for us: the person has asked once and needn't ask again
        "queue_if_low_balance": True,
        "reference_id": reference,
        "narration": "Wallet withdrawal",
    }


def contact_name(name: str) -> str:
    """Write a name with the characters that a contact may have; of a name in another script nothing is left."""
    plain = " ".join(_NOT_IN_A_NAME.sub(" ", name).split())[:_NAME_MAX].rstrip(" ’_/()-")
    return plain if len(plain) >= _NAME_MIN else _NAMELESS


def is_about_the_payout(error: GatewayRejectedError) -> bool:
    """Whether a rejection blames what was asked for, so that it surely was not carried out, then or before.

    Anything else (our keys, our address, a key in use, a body that differs from the first one's) says nothing about
    what an earlier request with this key did. https://razorpay.com/docs/errors/x
    """
    if error.http_status not in (400, 422) or error.field in _OURS or "idempoten" in (error.description or "").lower():
        return False
    return error.field is not None or error.reason in _ABOUT_THE_PAYOUT


_OURS = frozenset({"account_number", "X-Payout-Idempotency"})
_ABOUT_THE_PAYOUT = frozenset(
    {"input_validation_failed", "beneficiary_vpa_invalid", "invalid_beneficiary", "transaction_limit_exceeded"}
)


def _reason(entity: Mapping[str, object]) -> str | None:
    """The stable word of `status_details`; descriptions are for people and may name one."""
    return word(optional_object(entity, "status_details").get("reason"))
