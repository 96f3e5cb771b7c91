"""Every no and every accident, as a caller sees it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.calls import REQUEST_ID, ROOT
from wallet.aws import SecretUnavailableError
from wallet.channels.evidence import EvidenceUnavailableError
from wallet.edge.responses import (
    Response,
    problem_response,
    refusal_response,
    to_api_gateway,
)
from wallet.edge.statuses import INTERNAL_ERROR, REFUSALS, TryAgainError, problem_of
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError
from wallet.ledger.limits import BrokenLimit, LimitCode
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import DatabaseBrokenError, DatabaseUnavailableError
from wallet.wiring import SettingError

BASE = "https://api.example/v1/problems/"

# The contract's: code and status.
PROMISED = {
    "not_found": 404,
    "missing_token": 401,
    "invalid_token": 401,
    "cross_site": 403,
    "not_an_operator": 403,
    "idempotency_key_required": 400,
    "idempotency_key_invalid": 400,
    "request_too_large": 413,
    "unsupported_media_type": 415,
    "malformed_body": 400,
    "invalid_request": 422,
    "unknown_gateway": 404,
    "invalid_signature": 401,
    "malformed_event": 400,
    "too_many_attempts": 429,
    "too_many_codes": 429,
    "invalid_code": 401,
    "invalid_proof": 401,
    "invalid_credentials": 401,
    "idempotency_key_reused": 422,
    "idempotency_key_in_use": 409,
    "same_person": 403,
    "request_ended": 409,
    "phone_taken": 409,
    "operator_needed": 403,
    "proof_not_ready": 409,
    "invalid_vpa": 422,
    "self_payment": 422,
    "payment_request_ended": 409,
    "amount_differs": 422,
    "hold_not_placed": 409,
    "hold_not_due": 409,
    "capture_exceeds_hold": 409,
    "withdrawal_sent": 409,
    "wallet_frozen": 409,
    "nothing_to_write_off": 409,
    "too_many_open_top_ups": 429,
    "too_many_bulk_payments": 429,
    "too_many_payment_requests": 429,
    "too_many_passkeys": 409,
    "name_changed_lately": 409,
    "amount_out_of_range": 422,
    "refund_exceeds_payment": 409,
    "insufficient_funds": 402,
    "wallet_limit_exceeded": 409,
    "too_many_lookups": 429,
    "payee_not_found": 404,
    "payee_unavailable": 409,
    "confirmation_ended": 409,
    "confirmation_paused": 403,
    "confirmation_required": 403,
    "gateway_refused": 422,
}

# The order in which requests are found wanting; where two apply, the first is given.
PRECEDENCE = list(PROMISED)


def test_every_refusal_has_the_status_that_the_contract_promises() -> None:
    assert {refusal.value: problem.status for refusal, problem in REFUSALS.items()} == PROMISED


def test_the_refusals_stand_in_order_of_precedence() -> None:
    assert [refusal.value for refusal in Refusal] == PRECEDENCE


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_is_the_callers_to_mend(refusal: Refusal) -> None:
    assert 400 <= REFUSALS[refusal].status < 500
    assert REFUSALS[refusal].code == refusal.value


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_is_a_problem_document(refusal: Refusal) -> None:
    answer = to_api_gateway(refusal_response(Refused(refusal), REQUEST_ID, base=BASE), REQUEST_ID)
    problem = json.loads(answer["body"])
    assert set(problem) == {"type", "title", "status", "detail", "code", "request_id"}
    assert problem["type"] == f"https://api.example/v1/problems/{refusal.value}"
    assert problem["status"] == answer["statusCode"] == PROMISED[refusal.value]
    assert problem["request_id"] == REQUEST_ID
    assert problem["title"]
    assert problem["detail"]
    assert answer["headers"]["Content-Type"] == "application/problem+json"


def test_the_offending_fields_are_named() -> None:
    refused = Refused(Refusal.INVALID_REQUEST, fields=(("amount", "Too small."), ("to", "Who?")))
    body = refusal_response(refused, REQUEST_ID, base=BASE).body
    assert isinstance(body, dict)
    assert body["errors"] == [{"field": "amount", "message": "Too small."}, {"field": "to", "message": "Who?"}]


def test_a_refusals_own_words_come_first() -> None:
    body = refusal_response(
        Refused(Refusal.NOT_FOUND, "There is no such payment of yours."), REQUEST_ID, base=BASE
    ).body
    assert isinstance(body, dict)
    assert body["detail"] == "There is no such payment of yours."


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (
            BrokenLimit(LimitCode.MAX_DEBIT_DAY, 250, datetime(2026, 11, 22, 18, 30, tzinfo=UTC)),
            {"code": "max_debit_day", "left": 250, "renews_at": "2026-11-22T18:30:00.000Z"},
        ),
        (
            BrokenLimit(LimitCode.PERSON_TO_PERSON, 0, None),
            {"code": "person_to_person", "left": 0, "renews_at": None},
        ),
    ],
)
def test_a_limit_says_its_name_what_is_left_of_it_and_when_it_is_new(
    limit: BrokenLimit, told: dict[str, object]
) -> None:
    body = refusal_response(Refused(Refusal.WALLET_LIMIT_EXCEEDED, limit=limit), REQUEST_ID, base=BASE).body
    assert isinstance(body, dict)
    assert body["limit"] == told


@pytest.mark.parametrize("code", LimitCode)
def test_every_limit_that_is_named_is_documented(code: LimitCode) -> None:
    rows = [
        row
        for row in (ROOT / "docs/api.md").read_text().splitlines()
        if row.startswith("| `max_") or "tier may not" in row
    ]
    assert any(f"`{code.value}`" in row.split("|")[1] for row in rows)


def test_too_many_attempts_say_when_to_come_back() -> None:
    refused = Refused(Refusal.TOO_MANY_ATTEMPTS, retry_after_s=437)
    assert refusal_response(refused, REQUEST_ID, base=BASE).headers["Retry-After"] == "437"


def test_a_key_in_use_says_when_to_come_back() -> None:
    assert (
        refusal_response(Refused(Refusal.IDEMPOTENCY_KEY_IN_USE), REQUEST_ID, base=BASE).headers["Retry-After"] == "1"
    )


@pytest.mark.parametrize("refusal", [refusal for refusal in Refusal if PROMISED[refusal.value] == 401])
def test_a_401_names_its_scheme(refusal: Refusal) -> None:
    assert refusal_response(Refused(refusal), REQUEST_ID, base=BASE).headers["WWW-Authenticate"] == "Bearer"


SECRETIVE = "Access denied for user 'wallet_money'@'10.0.0.7' to /opt/python/wallet/storage/database.py"


@pytest.mark.parametrize(
    ("accident", "status", "code"),
    [
        (DatabaseUnavailableError(SECRETIVE), 503, "try_again"),
        (SecretUnavailableError(SECRETIVE), 503, "try_again"),
        (EvidenceUnavailableError(SECRETIVE), 503, "try_again"),
        (TryAgainError(SECRETIVE), 503, "try_again"),
        (GatewayUnavailableError(SECRETIVE), 502, "gateway_unavailable"),
        (GatewayRejectedError(http_status=400, description=SECRETIVE), 502, "gateway_unavailable"),
        (DatabaseBrokenError(SECRETIVE), 500, "internal_error"),
        (SettingError(SECRETIVE), 500, "internal_error"),
        (KeyError(SECRETIVE), 500, "internal_error"),
        (RecursionError(SECRETIVE), 500, "internal_error"),
    ],
)
def test_an_accident_shows_nothing_of_its_inside(accident: Exception, status: int, code: str) -> None:
    answer = to_api_gateway(problem_response(problem_of(accident), REQUEST_ID, base=BASE), REQUEST_ID)
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["status"], problem["code"]) == (status, status, code)
    assert set(problem) == {"type", "title", "status", "detail", "code", "request_id"}
    assert SECRETIVE not in json.dumps(answer)
    assert "wallet_money" not in answer["body"]


@pytest.mark.parametrize(
    "accident", [DatabaseUnavailableError(), SecretUnavailableError(), GatewayUnavailableError("")]
)
def test_who_is_to_try_again_is_told_when(accident: Exception) -> None:
    assert int(problem_response(problem_of(accident), REQUEST_ID, base=BASE).headers["Retry-After"]) > 0


def test_an_internal_error_promises_nothing() -> None:
    assert "Retry-After" not in problem_response(INTERNAL_ERROR, REQUEST_ID, base=BASE).headers


@pytest.mark.parametrize(
    "response",
    [
        Response(200, {"id": "wal_x"}),
        Response(204, None),
        Response(201, {}, {"Idempotency-Replayed": "true"}),
        problem_response(INTERNAL_ERROR, REQUEST_ID, base=BASE),
        refusal_response(Refused(Refusal.NOT_FOUND), REQUEST_ID, base=BASE),
    ],
    ids=lambda response: str(response.status),
)
def test_every_answer_has_the_headers_of_the_contract(response: Response[Any]) -> None:
    headers = to_api_gateway(response, REQUEST_ID)["headers"]
    assert headers["X-Request-Id"] == REQUEST_ID
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_policy_of_content_allows_nothing_whatsoever() -> None:
    """What stands beside `default-src` is what that doesn't speak for."""
    told = to_api_gateway(Response(200, {}), REQUEST_ID)["headers"]["Content-Security-Policy"]
    assert {part.strip() for part in told.split(";")} == {
        f"{directive} 'none'" for directive in ("default-src", "base-uri", "form-action", "frame-ancestors")
    }


def test_an_answer_with_a_body_is_json_in_utf_8() -> None:
    answer = to_api_gateway(Response(200, {"name": "आशा"}), REQUEST_ID)
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["body"] == '{"name":"आशा"}'
    assert answer["isBase64Encoded"] is False


def test_an_answer_without_a_body_has_no_type() -> None:
    answer = to_api_gateway(Response(204, None), REQUEST_ID)
    assert answer["body"] == ""
    assert "Content-Type" not in answer["headers"]


def test_a_gateway_that_says_when_to_come_back_is_believed() -> None:
    assert problem_of(GatewayUnavailableError("busy", retry_after_s=30)).retry_after_s == 30
