"""Disputes: the payer's bank wants a payment back. Played by the controls; no merchant's API begins one."""

import time
from typing import Final

from local.gateway.events import disputed
from local.gateway.shapes import CASHFREE, Dispute, Json, new_id, new_number
from local.gateway.store import Store
from local.gateway.webhooks import Outbox

_PHASES: Final = ("fraud", "retrieval", "dispute", "chargeback", "pre_arbitration", "arbitration")
_STATUSES: Final = ("open", "under_review", "action_required", "won", "lost", "closed")
_DAYS_TO_RESPOND: Final = 3


class NoSuchDisputeError(Exception):
    """404: no such dispute, or no such payment."""


class UnplayableDisputeError(Exception):
    """422: the request has a field or a value that isn't known here, or the payment was never captured."""


class Disputes:
    """Plays the payer's bank. Each method is one atomic block."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        """Take the memory and where events go."""
        self._store = store
        self._outbox = outbox

    def begin(self, payment_id: str, body: Json) -> Json:
        """Dispute a captured payment: all of it, or an `amount`.

        `phase` (chargeback), `reason`, `respond_by` in Unix seconds (in three days); `at_onset`: the money is taken at
        once, and given back if the merchant wins.
        """
        _only(body, "amount", "phase", "reason", "respond_by", "at_onset")
        now = int(time.time())
        phase, reason = _choice(body, "phase", _PHASES, "chargeback"), body.get("reason", "goods_not_received")
        respond_by, at_onset = body.get("respond_by", now + _DAYS_TO_RESPOND * 86_400), body.get("at_onset", False)
        if not isinstance(reason, str) or type(respond_by) is not int or not isinstance(at_onset, bool):
            raise UnplayableDisputeError("reason is a text, respond_by a Unix time, at_onset true or false")
        with self._store.block():
            payment = self._store.payment(payment_id)
            if payment is None:
                raise NoSuchDisputeError(payment_id)
            amount = body.get("amount", payment.amount)
            if type(amount) is not int or amount < 1 or not payment.captured:
                raise UnplayableDisputeError("amount must be a whole number of minor units of a captured payment")
            own_id = new_number() if payment.gateway == CASHFREE else new_id("disp_")
            dispute = Dispute(
                own_id,
                payment_id,
                amount,
                payment.currency,
                now,
                phase,
                "open",
                reason,
                respond_by,
                at_onset=at_onset,
                deducted=amount if at_onset else 0,
                told_at=now,
            )
            self._store.keep_dispute(dispute)
            self._outbox.add(disputed(dispute, payment, is_new=True))
        self._outbox.wake()
        return dispute.as_json()

    def go_on(self, dispute_id: str, body: Json) -> Json:
        """Let a dispute come to another `status`, perhaps in another `phase` or about another `amount`.

        `deducted` is how much of a lost one is taken, where that is not all; `silently` tells nobody.
        """
        _only(body, "status", "phase", "amount", "deducted", "silently")
        with self._store.block():
            dispute = self._store.dispute(dispute_id)
            payment = self._store.payment(dispute.payment_id) if dispute is not None else None
            if dispute is None or payment is None:
                raise NoSuchDisputeError(dispute_id)
            dispute.status = _choice(body, "status", _STATUSES, None)
            dispute.phase = _choice(body, "phase", _PHASES, dispute.phase)
            amount = body.get("amount", dispute.amount)
            deducted = body.get("deducted", amount)
            if type(amount) is not int or amount < 1 or type(deducted) is not int or not 0 < deducted <= amount:
                raise UnplayableDisputeError("amount and deducted are whole numbers, the second no more than the first")
            dispute.amount = amount
            if dispute.status == "lost":
                dispute.deducted = deducted
            elif dispute.status in ("won", "closed") or not dispute.at_onset:
                dispute.deducted = 0
            # a second on at least: Razorpay's times have no fractions, and its news come one after the other
            dispute.told_at = max(int(time.time()), dispute.told_at + 1)
            self._store.keep_dispute(dispute)
            if not body.get("silently"):
                self._outbox.add(disputed(dispute, payment, is_new=False))
        self._outbox.wake()
        return dispute.as_json()


def _only(body: Json, *known: str) -> None:
    for name in body:
        if name not in known:
            raise UnplayableDisputeError(f"unknown field: {name}")


def _choice(body: Json, name: str, known: tuple[str, ...], usual: str | None) -> str:
    value = body.get(name, usual)
    if not isinstance(value, str) or value not in known:
        raise UnplayableDisputeError(f"{name} must be one of {', '.join(known)}")
    return value
