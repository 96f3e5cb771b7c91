"""Each gateway that the wallet speaks to, as a test sees it: its adapter, and the simulator in its protocol."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import urllib3

from local.gateway.server import Simulator
from tests.integration import razorpay_simulator as sim
from wallet.gateways.cashfree.client import CashfreeGateway
from wallet.gateways.cashfree.webhook import CashfreeWebhook
from wallet.gateways.http import Limits
from wallet.gateways.port import Gateway, WebhookReader
from wallet.gateways.razorpay.client import RazorpayGateway
from wallet.gateways.razorpay.webhook import RazorpayWebhook

CONTACT = "+919000000000"


class Spoken(Protocol):
    """One gateway."""

    @property
    def name(self) -> str: ...

    @property
    def orders(self) -> str:
        """The path of its orders, for faults."""
        ...

    @property
    def webhook_secret(self) -> str: ...

    @property
    def refusal_code(self) -> str:
        """The code of a refusal for a wrong key."""
        ...

    def environment(self, simulator: Simulator) -> dict[str, str]:
        """What a function is told that differs from what `functions.make` tells it."""
        ...

    def gateway(
        self, url: str, *, limits: Limits = sim.PATIENT, key_id: str = sim.KEY_ID, secret: str = sim.KEY_SECRET
    ) -> Gateway: ...

    def reader(self, *secrets: str) -> WebhookReader: ...

    def count_orders(self, simulator: Simulator, receipt: str) -> int:
        """How many orders the gateway has of a receipt."""
        ...

    def refund_elsewhere(self, simulator: Simulator, order_id: str, payment_id: str, amount_minor: int) -> None:
        """Give money back as another client of the same account does."""
        ...


@dataclass(frozen=True)
class SpokenRazorpay:
    name: str = "razorpay"
    orders: str = "/v1/orders"
    webhook_secret: str = sim.WEBHOOK_SECRET
    refusal_code: str = "BAD_REQUEST_ERROR"

    def environment(self, simulator: Simulator) -> dict[str, str]:
        return {"GATEWAY": self.name, "GATEWAY_BASE_URL": simulator.url}

    def gateway(
        self, url: str, *, limits: Limits = sim.PATIENT, key_id: str = sim.KEY_ID, secret: str = sim.KEY_SECRET
    ) -> Gateway:
        return RazorpayGateway.over_http(base_url=url, key_id=key_id, key_secret=secret, limits=limits)

    def reader(self, *secrets: str) -> WebhookReader:
        return RazorpayWebhook(secrets, account_id=sim.ACCOUNT)

    def count_orders(self, simulator: Simulator, receipt: str) -> int:
        _, listed = sim.call(simulator, "GET", f"/v1/orders?receipt={receipt}&count=100")
        return int(listed["count"])

    def refund_elsewhere(
        self,
        simulator: Simulator,
        order_id: str,  # noqa: ARG002 - Razorpay refunds payments
        payment_id: str,
        amount_minor: int,
    ) -> None:
        path = f"/v1/payments/{payment_id}/refund"
        assert sim.call(simulator, "POST", path, {"amount": amount_minor})[0] == 200


@dataclass(frozen=True)
class SpokenCashfree:
    name: str = "cashfree"
    orders: str = "/pg/orders"
    webhook_secret: str = sim.KEY_SECRET
    refusal_code: str = "authentication_error"

    def environment(self, simulator: Simulator) -> dict[str, str]:
        return {
            "GATEWAY": self.name,
            "GATEWAY_BASE_URL": f"{simulator.url}/pg",
            # the API's secret is what webhooks are signed with
            "GATEWAY_SECRET": "cashfree",
            "WEBHOOK_SECRET": "cashfree",
        }

    def gateway(
        self, url: str, *, limits: Limits = sim.PATIENT, key_id: str = sim.KEY_ID, secret: str = sim.KEY_SECRET
    ) -> Gateway:
        return CashfreeGateway.over_http(base_url=f"{url}/pg", client_id=key_id, client_secret=secret, limits=limits)

    def reader(self, *secrets: str) -> WebhookReader:
        return CashfreeWebhook(secrets)

    def count_orders(self, simulator: Simulator, receipt: str) -> int:
        return int(cashfree_call(simulator, "GET", f"/pg/orders/{receipt}")[0] == 200)

    def refund_elsewhere(self, simulator: Simulator, order_id: str, payment_id: str, amount_minor: int) -> None:
        rupees = amount_minor // 100
        body = {"refund_id": f"elsewhere_{payment_id}_{rupees}", "refund_amount": rupees, "refund_note": "elsewhere"}
        assert cashfree_call(simulator, "POST", f"/pg/orders/{order_id}/refunds", body)[0] == 200


SPOKEN: tuple[Spoken, ...] = (SpokenRazorpay(), SpokenCashfree())


def cashfree_call(
    simulator: Simulator, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Call the simulator as any client of Cashfree's would; return the status and the JSON."""
    credentials = {"x-client-id": sim.KEY_ID, "x-client-secret": sim.KEY_SECRET, "x-api-version": "2025-01-01"}
    response = urllib3.request(
        method,
        simulator.url + path,
        body=body if isinstance(body, bytes) or body is None else json.dumps(body).encode(),
        headers={**credentials, **(headers or {})},
        retries=False,
        timeout=60,
    )
    return response.status, response.json()


def aim(simulator: Simulator, spoken: Spoken, url: str) -> None:
    """Point a gateway's webhooks at an address."""
    told = {"url": url, "secret": spoken.webhook_secret, "channel": spoken.name}
    assert sim.call(simulator, "PUT", "/simulator/webhook", told)[0] == 200
