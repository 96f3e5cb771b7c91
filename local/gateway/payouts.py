"""Payouts to UPI addresses: what RazorpayX does, and what a person makes it do.

An address decides by itself what becomes of its payouts: `failure@…` fails, `reversed@…` is paid and sent back,
`pending@…` waits to be ended by command; every other one is paid at once.
"""

import json
import re
import secrets
import time
from dataclasses import dataclass

from local.gateway import fields
from local.gateway.failures import ApiError, unknown_id
from local.gateway.shapes import Json, Payout, collection, new_id
from local.gateway.store import Store
from local.gateway.webhooks import Outbox, PayoutEvent

KEY_HEADER = "x-payout-idempotency"

_KEY = re.compile(r"[A-Za-z0-9 _-]{4,36}")
_VPA = re.compile(r"[A-Za-z0-9.-]+@[A-Za-z0-9.-]+")
_NAME = re.compile(r"[A-Za-z0-9 ’_/().-]{2,49}[A-Za-z0-9.]")
_NARRATION = re.compile(r"[A-Za-z0-9 ]{1,30}")
_PURPOSES = ("refund", "cashback", "payout", "salary", "utility bill", "vendor bill")
_REFERENCE_MAX = 40
_BALANCE = "payout_balance"
_FIRST_BALANCE = 10**12

#: What a payout may become; `failed` is called `reversed` when the bank has had the money and has returned it.
NEXT = {
    "queued": ("processing", "cancelled"),
    "processing": ("processed", "failed", "reversed", "rejected", "cancelled"),
    "processed": ("reversed",),
    "failed": ("reversed",),
}
_DETAILS = {
    "queued": ("business", "low_balance", "There is too little money in the account"),
    "processing": ("beneficiary_bank", "beneficiary_bank_confirmation_pending", "The bank has not confirmed it yet"),
    "processed": ("beneficiary_bank", "payout_processed", "The money has been credited"),
    "failed": ("beneficiary_bank", "bank_account_closed", "The account is closed"),
    "reversed": ("beneficiary_bank", "beneficiary_bank_offline", "The bank could not be reached"),
    "rejected": ("business", "rejected", "Somebody has rejected it"),
    "cancelled": ("business", "cancelled", "Somebody has cancelled it"),
}
_EVENTS = {"processing": "payout.initiated", "cancelled": "payout.updated"}
_STORIES = {"failure": ("failed",), "reversed": ("processed", "reversed"), "pending": ()}
_DUPLICATES_MAX = 100


class NoSuchPayoutError(Exception):
    """404."""


class UnplayablePayoutError(Exception):
    """422: the request has a field or a value that isn't known here."""


class EndedPayoutError(Exception):
    """409: a payout that stands where it stands can't become that."""


@dataclass(frozen=True)
class End:
    """What is to become of a payout, and how the events about it travel."""

    outcome: str
    duplicates: int = 0
    silent: bool = False

    @classmethod
    def read(cls, body: Json) -> "End":
        """Read a request's body; UnplayablePayoutError names the first field that is wrong."""
        for name in body:
            if name not in ("outcome", "duplicates", "silent"):
                raise UnplayablePayoutError(f"unknown field: {name}")
        outcome, duplicates, silent = body.get("outcome"), body.get("duplicates", 0), body.get("silent", False)
        if not isinstance(outcome, str) or outcome not in _DETAILS:
            raise UnplayablePayoutError(f"outcome must be one of {', '.join(_DETAILS)}")
        if type(duplicates) is not int or not 0 <= duplicates <= _DUPLICATES_MAX:
            raise UnplayablePayoutError(f"duplicates must be a whole number from 0 to {_DUPLICATES_MAX}")
        if not isinstance(silent, bool):
            raise UnplayablePayoutError("silent must be true or false")
        return cls(outcome, duplicates, silent)


class Payouts:
    """One account, and what is paid from it. Each method is one atomic block."""

    def __init__(self, store: Store, outbox: Outbox, *, account_number: str) -> None:
        """Take the memory, where events go, and the account."""
        self._store = store
        self._outbox = outbox
        self._account_number = account_number

    def create(self, body: Json, key: str | None) -> Json:
        """`POST /v1/payouts`, the composite form: contact, fund account and payout in one."""
        if key is None or not _KEY.fullmatch(key):
            raise ApiError("Idempotency key is missing or malformed", field="X-Payout-Idempotency", reason="null")
        request = json.dumps(body, sort_keys=True)
        with self._store.block():
            known = self._store.rows("SELECT * FROM payout_keys WHERE key = ?", key)
            if known and known[0]["request"] != request:
                raise ApiError("Different request body sent for the same Idempotency Header.", reason="null")
            if known:
                return self._payout(known[0]["payout_id"]).as_json()
            payout = self._read(body)
            waits = fields.flag(body, "queue_if_low_balance")
            self._store.rows("INSERT INTO payout_keys VALUES (?, ?, ?)", key, request, payout.id)
            answer = self._begin(payout, waits=waits)
        self._outbox.wake()
        return answer

    def find(self, query: dict[str, str]) -> Json:
        """`GET /v1/payouts`, newest first."""
        count, skip = fields.page(query)
        if query.get("account_number") != self._account_number:
            raise ApiError("The account number is not one of yours", field="account_number")
        found = self._store.payouts(query.get("reference_id"))
        found.reverse()
        return collection(payout.as_json() for payout in found[skip : skip + count])

    def get(self, payout_id: str) -> Json:
        """`GET /v1/payouts/{id}`."""
        return self._payout(payout_id).as_json()

    def end(self, name: str, end: End) -> Json:
        """Play the bank, or a person at the dashboard, with the payout of this id or reference."""
        with self._store.block():
            found = self._store.payout(name) or next(iter(self._store.payouts(name)), None)
            if found is None:
                raise NoSuchPayoutError(name)
            if end.outcome not in NEXT.get(found.status, ()):
                raise EndedPayoutError(name)
            event = self._become(found, end.outcome)
            self._outbox.add([] if end.silent else [event], duplicates=end.duplicates)
        self._outbox.wake()
        return found.as_json()

    def balance(self) -> Json:
        """Tell what is in the account, and every payout from it."""
        payouts = self._store.payouts(None)
        return {"balance": self._left(), "payouts": [payout.as_json() for payout in payouts]}

    def set_balance(self, body: Json) -> Json:
        """Put this much into the account; what was queued and is covered now is paid."""
        amount = body.get("amount")
        if set(body) != {"amount"} or type(amount) is not int or amount < 0:
            raise UnplayablePayoutError("amount must be a whole number of paise")
        with self._store.block():
            self._store.keep_setting(_BALANCE, str(amount))
            for payout in self._store.payouts(None):
                if payout.status == "queued" and payout.amount <= self._left():
                    self._outbox.add([self._become(payout, "processing"), *self._go_on(payout)])
        self._outbox.wake()
        return {"balance": self._left()}

    def _begin(self, payout: Payout, *, waits: bool) -> Json:
        """Pay, or queue; the answer is of the moment before anything more happens."""
        if payout.amount > self._left():
            payout.status = "created"
            events = [self._become(payout, "queued" if waits else "failed")]
            answer = payout.as_json()
        else:
            events = [self._become(payout, "processing")]
            answer = payout.as_json()
            events += self._go_on(payout)
        self._outbox.add(events)
        return answer

    def _go_on(self, payout: Payout) -> list[PayoutEvent]:
        story = _STORIES.get(payout.vpa.partition("@")[0].lower(), ("processed",))
        return [self._become(payout, status) for status in story]

    def _become(self, payout: Payout, status: str) -> PayoutEvent:
        """Move it on, and the money with it."""
        has_left = payout.status in ("processing", "processed")
        if status == "processing":
            self._store.keep_setting(_BALANCE, str(self._left() - payout.amount))
        elif has_left and status != "processed":
            self._store.keep_setting(_BALANCE, str(self._left() + payout.amount))
        payout.status = status
        payout.utr = f"{secrets.randbelow(10**12):012d}" if status == "processed" else payout.utr
        source, reason, description = _DETAILS[status]
        payout.details = {"description": description, "source": source, "reason": reason}
        self._store.keep_payout(payout)
        return PayoutEvent(_EVENTS.get(status, f"payout.{status}"), payout)

    def _left(self) -> int:
        return int(self._store.setting(_BALANCE) or _FIRST_BALANCE)

    def _payout(self, payout_id: str) -> Payout:
        payout = self._store.payout(payout_id)
        if payout is None:
            raise unknown_id()
        return payout

    def _read(self, body: Json) -> Payout:
        known = ("account_number", "amount", "currency", "mode", "purpose", "fund_account", "queue_if_low_balance")
        fields.only(body, *known, "reference_id", "narration", "notes")
        if body.get("account_number") != self._account_number:
            raise ApiError("The account number is not one of yours", field="account_number")
        if body.get("mode") != "UPI":
            raise ApiError("Only UPI is offered here", field="mode")
        if body.get("purpose") not in _PURPOSES:
            raise ApiError("The purpose is not known", field="purpose")
        vpa, name = _fund_account(body.get("fund_account"))
        narration = fields.optional_text(body, "narration", longest=30)
        if narration is not None and not _NARRATION.fullmatch(narration):
            raise ApiError("A narration has letters, digits and blanks", field="narration")
        return Payout(
            id=new_id("pout_"),
            account_number=self._account_number,
            fund_account_id=new_id("fa_"),
            contact_id=new_id("cont_"),
            vpa=vpa,
            name=name,
            amount=fields.amount(body),
            currency=fields.currency(body),
            purpose=str(body["purpose"]),
            narration=narration,
            reference_id=fields.optional_text(body, "reference_id", longest=_REFERENCE_MAX),
            created_at=int(time.time()),
            notes=fields.notes(body),
        )


def _fund_account(value: object) -> tuple[str, str]:
    account = _object(value)
    vpa, name = _object(account.get("vpa")).get("address"), _object(account.get("contact")).get("name")
    if account.get("account_type") != "vpa":
        raise ApiError("Only UPI addresses are offered here", field="fund_account.account_type")
    if not isinstance(vpa, str) or not 3 <= len(vpa) <= 100 or not _VPA.fullmatch(vpa):
        raise ApiError("The address is not a UPI address", field="fund_account.vpa.address")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ApiError("The name has 3 to 50 plain characters", field="fund_account.contact.name")
    return vpa, name


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
