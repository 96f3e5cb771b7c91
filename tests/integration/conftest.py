"""Functions in processes of their own, over a real database, moto's AWS and the gateway simulator."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from local.gateway.server import Simulator
from tests.integration import razorpay_simulator as razorpay
from tests.integration import razorpayx_simulator as razorpayx
from tests.support.books import Books
from tests.support.cloud import BUCKET, TABLE, Cloud
from tests.support.functions import Function
from tests.support.operators import OperatorFunction
from wallet import wiring
from wallet.ledger.periods import day_of

_ROLE = {
    "register": "identity",
    "login": "identity",
    "balance": "reader",
    "transactions": "reader",
    "payment_requests": "directory",
    "lists": "reader",
    "preview": "reader",
    "statement": "reader",
    "payees": "directory",
    "confirmations": "confirmations",
    "top_up": "money",
    "pay": "money",
    "refund": "money",
    "hold": "money",
    "capture": "money",
    "expire_holds": "clock",
    "withdraw": "withdrawals",
    "session": "identity",
    "me": "identity",
    "own_freeze": "identity",
    "sessions": "identity",
    "phone_proofs": "identity",
    "passkey_proofs": "identity",
    "password_resets": "identity",
    "bulk": "money",
    "bulk_results": "reader",
    "proof": "reader",
    "bulk_worker": "money",
    "webhook": "gateway",
    "reconcile": "gateway",
    "operator": "operator",
    "seal": "sealer",
}


@pytest.fixture(autouse=True, scope="module")
def nothing_is_due(books: Books) -> None:
    """Each file begins without what the ones before it left to be asked about."""
    books.nothing_is_due()


@pytest.fixture(autouse=True)
def the_day_goes_on() -> None:
    """No test begins in the last minute of an Indian day, with which months end, too: it would count in two of them."""
    while day_of(datetime.now(UTC)) != day_of(datetime.now(UTC) + timedelta(minutes=1)):
        time.sleep(1)


class Functions:
    """Makes functions with the environment that the template gives them, with changes where a test wants trouble."""

    def __init__(self, books: Books, cloud: Cloud, simulator: Simulator, logs: Path) -> None:
        self._books, self._cloud, self._simulator, self._logs = books, cloud, simulator, logs
        self._made: list[Function] = []

    def environment(self, name: str, **changes: str) -> dict[str, str]:
        """The environment of a function."""
        return {
            **self._cloud.environment(),
            "LOG_LEVEL": "INFO",
            "POWERTOOLS_SERVICE_NAME": "wallet",
            "DATABASE_HOST": self._books.server.host,
            "DATABASE_PORT": str(self._books.server.port),
            "DATABASE_NAME": self._books.server.database,
            "DATABASE_CA": self._books.server.ca_pem,
            "DATABASE_SECRET": f"db/{_ROLE.get(name, 'none')}",
            "IDEMPOTENCY_TABLE": TABLE,
            "IDEMPOTENCY_PREFIX": f"wallet.{name}.v1",
            "STATEMENT_BUCKET": BUCKET,
            "GATEWAY": "razorpay",
            "GATEWAY_ACCOUNT_ID": razorpay.ACCOUNT,
            "GATEWAY_BASE_URL": self._simulator.url,
            "GATEWAY_SECRET": "gateway",
            "WEBHOOK_SECRET": "webhook",
            "PAYOUT_BASE_URL": self._simulator.url,
            "PAYOUT_SECRET": "payout",
            "PAYOUT_ACCOUNT_NUMBER": razorpayx.ACCOUNT_NUMBER,
            "PAYOUT_WEBHOOK_SECRET": "payout-webhook",
            "TOKEN_SECRET": "token",
            "UPI_INTENT": "on",
            "TOP_UP_VALID_SECONDS": "432000",
            "RECONCILE_AFTER_SECONDS": "1",
            "SETTLED_WITHIN_DAYS": "5",
            "DISPUTE_NOTICE_HOURS": "48",
            "ACCESS_TOKEN_SECONDS": "900",
            "REFRESH_TOKEN_SECONDS": "2592000",
            "PASSWORD_COST": "4",
            "SESSION_SECONDS": "7776000",
            "BROWSER_TOKEN_SECONDS": "300",
            "BROWSER_IDLE_SECONDS": "1800",
            "BROWSER_SESSION_SECONDS": "43200",
            "SIGN_INS_PER_PHONE_AND_ADDRESS": "5",
            "SIGN_INS_PER_PHONE": "1000",
            "SIGN_INS_PER_ADDRESS": "1000",
            "SIGN_IN_WINDOW_SECONDS": "900",
            "CODES_PER_PHONE": "10",
            "CODES_PER_ADDRESS": "1000000",
            "CODES_PER_DAY": "1000000",
            "CODE_PAUSE_SECONDS": "30",
            "CODE_REGIONS": "IN",
            "CONFIRMATION_CODES_PER_DAY": "20",
            "WEB_ORIGIN_PARAMETER": "/wallet/web-origin",
            "UNFREEZE_WAIT_SECONDS": "86400",
            "RESET_SEEN_WITHIN_DAYS": "90",
            "NOTICE_BRAND": "Wallet",
            "CODE_SECRET": "code",
            "SMS_TEMPLATE_IDS": "code=1",
            "AWS_ENDPOINT_URL_SNS": f"{self._simulator.url}/sms/",
            "PAYEE_LOOKUPS_PER_HOUR": "60",
            "PAYEE_LOOKUPS_PER_DAY": "300",
            "PAYEE_LOOKUPS_PER_ADDRESS": "600",
            "DEFAULT_TIER": "full",
            "DEFAULT_REGION": "IN",
            "BULK_WORKER": "a-function-that-is-not-there",
            "OPERATOR_ROLES": "wallet-operators",
            **changes,
        }

    def make(self, name: str, **changes: str) -> Function:
        """A function of its own, cold."""
        function = Function(name, self.environment(name, **changes), self._logs / f"{name}-{len(self._made)}.log")
        self._made.append(function)
        return function

    def operators(self, **changes: str) -> OperatorFunction:
        """The operators' function, cold, and two people before it."""
        log = self._logs / f"operator-{len(self._made)}.log"
        function = OperatorFunction("operator", self.environment("operator", **changes), log)
        self._made.append(function)
        return function

    def end(self) -> str:
        """Kills them all; everything that they logged."""
        for function in self._made:
            function.kill()
        return "\n".join(function.logged() for function in self._made)


@pytest.fixture
def functions(books: Books, cloud: Cloud, simulator: Simulator, tmp_path: Path) -> Iterator[Functions]:
    """Functions for one test."""
    made = Functions(books, cloud, simulator, tmp_path)
    yield made
    made.end()


@pytest.fixture
def ids_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of one millisecond are in no order: within this each has a millisecond of its own."""
    make = wiring.new_id

    def make_later() -> UUID:
        time.sleep(0.001)
        return make()

    monkeypatch.setattr(wiring, "new_id", make_later)
