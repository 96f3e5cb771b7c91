"""The payout side of the gateway simulator, as tests drive it."""

from typing import Any

from local.gateway.server import PAYOUT_ACCOUNT, Simulator
from tests.integration import razorpay_simulator as razorpay
from wallet.gateways.http import Limits
from wallet.gateways.razorpayx.client import RazorpayXPayouts

WEBHOOK_SECRET = "sim-payout-secret"
ACCOUNT_NUMBER = PAYOUT_ACCOUNT


def adapter(simulator: Simulator, limits: Limits = razorpay.PATIENT) -> RazorpayXPayouts:
    """Make the real adapter, pointed at the simulator."""
    return RazorpayXPayouts.over_http(
        base_url=simulator.url,
        key_id=razorpay.KEY_ID,
        key_secret=razorpay.KEY_SECRET,
        account_number=ACCOUNT_NUMBER,
        limits=limits,
    )


def payouts_of(simulator: Simulator, reference: str) -> list[dict[str, Any]]:
    """Every payout that was ever made under a reference."""
    _, told = razorpay.call(simulator, "GET", "/simulator/payouts")
    return [payout for payout in told["payouts"] if payout["reference_id"] == reference]


def balance(simulator: Simulator) -> int:
    """What is left at the provider, in minor units."""
    _, told = razorpay.call(simulator, "GET", "/simulator/payouts")
    left: int = told["balance"]
    return left


def set_balance(simulator: Simulator, amount: int) -> None:
    """Put this much into the account at the provider."""
    status, _ = razorpay.call(simulator, "PUT", "/simulator/payouts/balance", {"amount": amount})
    assert status == 200


def end(simulator: Simulator, name: str, outcome: str, **more: object) -> None:
    """Let the bank, or a person at the dashboard, decide about the payout of an id or a reference."""
    status, told = razorpay.call(simulator, "POST", f"/simulator/payouts/{name}", {"outcome": outcome, **more})
    assert status == 200, told
