"""RazorpayX's payouts as the wallet's PayoutProvider.

https://razorpay.com/docs/api/x/payout-composite/create/vpa, …/api/x/payout-idempotency, …/errors/x. What makes a
repetition safe is `X-Payout-Idempotency`, which is our reference. Razorpay remembers such a key for seven days only; so
the payout is looked for by its `reference_id` before it is asked for again, and whoever asks stops before that time.

A payout is asked for once in here: the reconciler repeats it minutes later, as Razorpay advises.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final, Self
from urllib.parse import quote, urlencode

from wallet.gateways.exact_json import json_object
from wallet.gateways.exchange import Exchange, malformed
from wallet.gateways.fields import MalformedWireError
from wallet.gateways.http import Deadline, HttpTransport, Limits, Transport
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError
from wallet.gateways.razorpay.wire import credentials, items_of, rejection_of
from wallet.gateways.razorpayx import wire
from wallet.ledger.withdrawals import ObservedPayout

_PAYOUTS: Final = "/v1/payouts"
_KEY_HEADER: Final = "X-Payout-Idempotency"
_LARGEST_PAGE = 100


class RazorpayXPayouts:
    """Asks RazorpayX. Safe to share between threads; holds a pool of connections and no other state."""

    def __init__(
        self,
        transport: Transport,
        *,
        account_number: str,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take a transport and the account that payouts are made from. `clock` and `sleep` are in seconds."""
        self._exchange = Exchange(transport, rejection_of, clock=clock, sleep=sleep)
        self._account_number = account_number
        self._limits = limits or Limits()

    @classmethod
    def over_http(
        cls, *, base_url: str, key_id: str, key_secret: str, account_number: str, limits: Limits | None = None
    ) -> Self:
        """Build the real thing. `base_url` is without `/v1`, such as `https://api.razorpay.com`."""
        limits = limits or Limits()
        transport = HttpTransport(base_url=base_url, headers=credentials(key_id, key_secret), limits=limits)
        return cls(transport, account_number=account_number, limits=limits)

    @property
    def name(self) -> str:
        """See PayoutProvider."""
        return wire.RAZORPAYX

    def send(self, *, reference: str, amount_minor: int, currency: str, vpa: str, name: str) -> ObservedPayout:
        """See PayoutProvider.

        Only a rejection that blames the payout itself, and after which there is no payout of this reference, is a "no".
        """
        body = wire.payout_request(
            account_number=self._account_number,
            reference=reference,
            amount_minor=amount_minor,
            currency=currency,
            vpa=vpa,
            name=name,
        )
        deadline = self._exchange.deadline(self._limits.order_seconds)
        try:
            entity = self._exchange.post(_PAYOUTS, body, deadline, json_object, headers={_KEY_HEADER: reference})
        except GatewayRejectedError as error:
            if not wire.is_about_the_payout(error):
                raise GatewayUnavailableError(f"POST {_PAYOUTS}: {error}") from error
            known = self._find(reference, deadline)
            if known is None:
                raise
            return known
        payout = _read("POST", entity)
        if (payout.reference, payout.amount, payout.currency) != (reference, amount_minor, currency):
            raise GatewayUnavailableError(f"POST {_PAYOUTS}: malformed answer (another payout than was asked for)")
        return payout

    def find(self, *, reference: str) -> ObservedPayout | None:
        """See PayoutProvider."""
        return self._find(reference, self._exchange.deadline(self._limits.question_seconds))

    def _find(self, reference: str, deadline: Deadline) -> ObservedPayout | None:
        """Return the oldest payout of exactly this reference: were the filter ignored, these would be anybody's."""
        asked = {"account_number": self._account_number, "reference_id": reference, "count": _LARGEST_PAGE}
        answer = self._exchange.get(f"{_PAYOUTS}?{urlencode(asked, quote_via=quote)}", deadline, json_object)
        try:
            entities = items_of(answer)
        except MalformedWireError as error:
            raise malformed("GET", _PAYOUTS, error) from error
        ours = [entity for entity in entities if entity.get("reference_id") == reference]
        return _read("GET", min(ours, key=_creation_time)) if ours else None


def _read(method: str, entity: Mapping[str, object]) -> ObservedPayout:
    try:
        return wire.payout_of(entity)
    except MalformedWireError as error:
        raise malformed(method, _PAYOUTS, error) from error


def _creation_time(entity: Mapping[str, object]) -> tuple[int, str]:
    created_at = entity.get("created_at")
    return (created_at if isinstance(created_at, int) else 0, str(entity.get("id")))
