"""What holds answers to the API's document: it finds each way in which one is not what is documented."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.contract import faults_of, operation_of

HEADERS = {"content-type": "application/json", "x-request-id": "1", "cache-control": "no-store", "etag": 'W/"1"'}
WALLET_ID = "wal_01m8nx6xdsejrv08hra9w2kpg4"
PAYEE = {"wallet_id": WALLET_ID, "name": "Asha", "kind": "personal"}
PROBLEM = {"type": "x", "title": "x", "status": 404, "detail": "x", "code": "payee_not_found", "request_id": "1"}
PROBLEM_HEADERS = {"content-type": "application/problem+json", "x-request-id": "1"}


def payee(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> list[str]:
    told = {name: value for name, value in HEADERS.items() if name != "etag"} | dict(headers or {})
    return faults_of("GET", "/payees?phone=%2B919876543210", status, told, body)


def test_what_is_documented_has_no_fault() -> None:
    assert payee(PAYEE) == []
    assert faults_of("GET", "/payees", 404, PROBLEM_HEADERS, PROBLEM) == []


@pytest.mark.parametrize(
    "body",
    [
        PAYEE | {"balance": 5},
        {name: value for name, value in PAYEE.items() if name != "kind"},
        PAYEE | {"kind": "robot"},
        PAYEE | {"wallet_id": "usr_01m8nx6xdsejrv08hra9w2kpg4"},
        PAYEE | {"name": None},
        [],
    ],
)
def test_a_body_of_another_form_is_a_fault(body: Any) -> None:
    assert payee(body)


def test_so_is_an_undocumented_status_code_header_or_type() -> None:
    assert payee(PAYEE, status=201) == ["status 201"]
    assert faults_of("GET", "/payees", 404, PROBLEM_HEADERS, PROBLEM | {"code": "wallet_frozen"})
    assert payee(PAYEE, headers={"etag": "1"}) == ["header etag"]
    assert payee(PAYEE, headers={"content-type": "text/html"}) == ["type text/html"]


def test_an_exact_path_comes_before_one_with_an_id() -> None:
    preview, payment = operation_of("GET", "/payments/preview?to=x"), operation_of("GET", "/payments/pay_1")
    assert preview is not None
    assert payment is not None
    assert preview["operationId"] != payment["operationId"]
    assert operation_of("PUT", "/payments") is None
    assert operation_of("GET", "/nothing/here") is None
