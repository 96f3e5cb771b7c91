"""The webhook's door: the signature over the very bytes, and a 401 for whatever else is called one."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.unit.calls import Event, call, door, event
from tests.unit.conftest import LogLines
from wallet import wiring
from wallet.edge.events import MAX_EVENT
from wallet.gateways.razorpay.webhook import RazorpayWebhook
from wallet.movements.settle import EventOutcome
from wallet.storage.database import DatabaseUnavailableError

NEWEST, PREVIOUS = "newest-secret", "previous-secret"
BODY = json.dumps(
    {"entity": "event", "account_id": "acc_1", "event": "payout.settled", "contains": [], "payload": {}, "name": "आशा"},
    ensure_ascii=False,
)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(gateway_name: str, *, fresh: bool) -> RazorpayWebhook | None:
        return RazorpayWebhook([NEWEST, PREVIOUS], account_id="acc_1") if gateway_name == "razorpay" else None

    monkeypatch.setattr(wiring, "webhook_reader", find)
    monkeypatch.setattr(wiring, "database", lambda: None)


def signed(body: str, secret: str = NEWEST) -> str:
    return hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()


def webhook(body: str = BODY, signature: str | None = None, *, encoded: bool = False) -> Event:
    return event(
        "POST /webhooks/{gateway}",
        path={"gateway": "razorpay"},
        headers={
            "X-Razorpay-Signature": signed(body) if signature is None else signature,
            "Content-Type": "application/json",
        },
        body=base64.b64encode(body.encode()).decode() if encoded else body,
        encoded=encoded,
    )


def send(
    told: Event, monkeypatch: pytest.MonkeyPatch, outcome: object = EventOutcome.PROCESSED
) -> tuple[int, Any, list[bytes]]:
    """The status, the answer, and the bytes that were handed on to be kept."""
    kept: list[bytes] = []

    def receive(*_: object, body: bytes, **__: object) -> object:
        kept.append(body)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    module = door("webhook")
    monkeypatch.setattr(module, "receive", receive)
    answer, body = call(module.handler, told)
    return answer["statusCode"], body, kept


@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize("secret", [NEWEST, PREVIOUS])
def test_the_bytes_as_they_came_are_verified_and_kept(
    monkeypatch: pytest.MonkeyPatch, secret: str, *, encoded: bool
) -> None:
    told = webhook(signature=signed(BODY, secret), encoded=encoded)
    assert send(told, monkeypatch) == (200, {"status": "processed"}, [BODY.encode()])


@pytest.mark.parametrize("outcome", EventOutcome)
def test_what_it_came_to_is_told(monkeypatch: pytest.MonkeyPatch, outcome: EventOutcome) -> None:
    status, body, _ = send(webhook(), monkeypatch, outcome)
    assert (status, body) == (200, {"status": outcome.told})


@pytest.mark.parametrize("outcome", EventOutcome)
def test_what_people_must_look_at_is_a_line_that_the_alarm_sees(
    monkeypatch: pytest.MonkeyPatch, log_lines: LogLines, outcome: EventOutcome
) -> None:
    send(webhook(), monkeypatch, outcome)
    stuck = [line for line in log_lines() if line["message"] == "stuck"]
    assert bool(stuck) is (outcome is EventOutcome.STUCK)


@pytest.mark.parametrize(
    "signature",
    ["", "x", "0" * 64, signed(BODY, "other"), signed(BODY + " "), signed(BODY).upper(), "é" * 64, signed(BODY) + "0"],
)
def test_any_other_signature_is_a_401_and_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, signature: str) -> None:
    status, body, kept = send(webhook(signature=signature), monkeypatch)
    assert (status, body["code"], kept) == (401, "invalid_signature", [])


def test_no_signature_is_a_401(monkeypatch: pytest.MonkeyPatch) -> None:
    told = webhook()
    told["headers"] = told["multiValueHeaders"] = None
    status, body, kept = send(told, monkeypatch)
    assert (status, body["code"], kept) == (401, "invalid_signature", [])


@pytest.mark.parametrize(
    "body", ["", "[]", "null", "{", "{}", "x", '{"event": 1}', "[" * 100_000, '{"a": ' + "9" * 5_000 + "}"]
)
def test_what_is_signed_and_no_event_is_malformed(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    status, answer, kept = send(webhook(body), monkeypatch)
    assert (status, answer["code"], kept) == (400, "malformed_event", [])


def test_an_event_is_not_read_to_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    status, answer, kept = send(webhook(" " * (MAX_EVENT + 1)), monkeypatch)
    assert (status, answer["code"], kept) == (413, "request_too_large", [])


def test_another_gateway_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    status, answer, kept = send(webhook() | {"pathParameters": {"gateway": "cashfree"}}, monkeypatch)
    assert (status, answer["code"], kept) == (404, "unknown_gateway", [])


def test_while_the_database_is_down_the_gateway_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    status, answer, _ = send(webhook(), monkeypatch, DatabaseUnavailableError("error 2003"))
    assert (status, answer["code"]) == (503, "try_again")


def test_a_secret_that_was_added_since_we_looked_is_found_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_gateway: str, *, fresh: bool) -> RazorpayWebhook:
        return RazorpayWebhook(["added today"] if fresh else [PREVIOUS], account_id="acc_1")

    monkeypatch.setattr(wiring, "webhook_reader", find)
    status, _, kept = send(webhook(signature=signed(BODY, "added today")), monkeypatch)
    assert (status, kept) == (200, [BODY.encode()])


def test_neither_the_event_nor_its_signature_is_logged(monkeypatch: pytest.MonkeyPatch, log_lines: LogLines) -> None:
    send(webhook(), monkeypatch)
    send(webhook(signature="0" * 64), monkeypatch)
    written = json.dumps(log_lines(), ensure_ascii=False)
    assert "आशा" not in written
    assert signed(BODY) not in written
