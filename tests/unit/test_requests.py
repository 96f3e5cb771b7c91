"""Requests: whatever arrives is read, or refused by a stable code that shows nothing of it."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.calls import CALLER, PRINCIPAL, SESSION, Context, call, event, refusal_of, request, signed_in
from wallet.edge.bodies import (
    CodeBody,
    LoginBody,
    NoQuery,
    PasswordBody,
    PayeeRef,
    PaymentBody,
    ProofBody,
    RegisterBody,
    ResetBody,
    StatementQuery,
    TokenBody,
    TopUpBody,
)
from wallet.edge.door import Door
from wallet.edge.requests import MAX_BODY, Request, read_request
from wallet.edge.responses import Response
from wallet.edge.routes import Route
from wallet.identity.phone_proofs.model import Purpose
from wallet.ledger import ids
from wallet.ledger.payees import PayeeName
from wallet.ledger.refusals import Refusal, Refused

MARK = "hunter2hunter2"


def refusal(work: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value


def amount_of(text: str) -> int:
    return request(text.encode()).json(TopUpBody).amount


# --------------------------------------------------------------------------------- what API Gateway hands over


def test_an_event_is_read_as_api_gateway_sends_it() -> None:
    told = event(
        "GET /payments/{id}",
        headers={"IDEMPOTENCY-Key": "k-1", "content-TYPE": "application/json"},
        path={"id": "pay_x"},
        query={"limit": ["5"]},
        authorizer=signed_in(),
        body='{"é": 1}',
    )
    read = read_request(told, Context())
    assert read.route == "GET /payments/{id}"
    assert read.path == {"id": "pay_x"}
    assert read.query == {"limit": ["5"]}
    assert read.headers["content-type"] == "application/json"
    assert read.idempotency_key() == "k-1"
    assert read.address == "203.0.113.9"
    assert read.body == '{"é": 1}'.encode()


@pytest.mark.parametrize("name", ["Idempotency-Key", "idempotency-key", "IDEMPOTENCY-KEY", "idempotency-Key"])
def test_a_headers_case_is_nothing(name: str) -> None:
    assert read_request(event(headers={name: "k"}), Context()).idempotency_key() == "k"


def test_a_body_in_base64_is_the_same_body() -> None:
    body = '{"amount": 100}'
    encoded = base64.b64encode(body.encode()).decode()
    assert read_request(event(body=encoded, encoded=True), Context()).body == body.encode()


@pytest.mark.parametrize("missing", [None, ""])
def test_a_body_that_is_missing_is_empty(missing: str | None) -> None:
    assert read_request(event(body=missing), Context()).body == b""


@pytest.mark.parametrize("text", ["a", "====", "eyJh!!!!", "é", "eyJh\n", "\ud800"])
def test_what_is_no_base64_is_a_malformed_body(text: str) -> None:
    assert refusal(lambda: read_request(event(body=text, encoded=True), Context())).refusal is Refusal.MALFORMED_BODY


def test_half_a_surrogate_pair_is_no_utf_8() -> None:
    assert refusal(lambda: read_request(event(body="\ud800"), Context())).refusal is Refusal.MALFORMED_BODY


@pytest.mark.parametrize(
    "missing",
    [
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "requestContext",
        "body",
        "isBase64Encoded",
        "stageVariables",
    ],
)
@pytest.mark.parametrize("absent", [True, False])
def test_any_part_of_an_event_may_be_missing(missing: str, *, absent: bool) -> None:
    told = event(headers={}, query={"a": ["b"]}, path={"id": "x"}, body="{}")
    if absent:
        del told[missing]
    else:
        told[missing] = None
    assert read_request(told, Context()).route == "POST /payments"


def test_without_a_request_context_nobody_is_asking() -> None:
    told = event()
    del told["requestContext"]
    assert refusal(read_request(told, Context()).caller).refusal is Refusal.MISSING_TOKEN


# ---------------------------------------------------------------------------------------------- who is asking


def test_the_caller_is_who_the_authorizer_says() -> None:
    assert request(authorizer=signed_in()).caller() == CALLER
    assert request(authorizer=signed_in()).principal() == PRINCIPAL


@pytest.mark.parametrize(
    "authorizer",
    [
        {},
        {"user_id": None},
        {"user_id": ""},
        {"user_id": "usr_"},
        {"user_id": ids.show(ids.WALLET, CALLER)},
        {"user_id": str(CALLER)},
        {"user_id": ["x"]},
        {"user_id": 7},
        {"principalId": ids.show(ids.USER, CALLER)},
    ],
)
def test_a_request_that_no_authorizer_has_seen_is_nobodys(authorizer: dict[str, Any]) -> None:
    told = {"expires_at": str(int(time.time()) + 60)} | authorizer
    assert refusal(request(authorizer=told).caller).refusal is Refusal.MISSING_TOKEN


@pytest.mark.parametrize("expires_at", ["0", "-1", "1700000000", None, "", "soon", "nan", {}, "1700000000.9"])
def test_a_token_that_has_ended_since_is_refused(expires_at: object) -> None:
    told = signed_in() | {"expires_at": expires_at}
    assert refusal(request(authorizer=told).caller).refusal is Refusal.INVALID_TOKEN


@pytest.mark.parametrize("good_from", ["9999999999", None, "", "soon", "nan", "inf", {}])
def test_a_token_that_is_not_good_yet_is_refused_whatever_is_remembered_of_it(good_from: object) -> None:
    told = signed_in() | {"good_from": good_from}
    assert refusal(request(authorizer=told).caller).refusal is Refusal.INVALID_TOKEN


@pytest.mark.parametrize("missing", ["session_id", "generation", "good_from", "expires_at"])
def test_the_word_of_an_authorizer_that_says_less_is_not_taken(missing: str) -> None:
    """That of the release before, which API Gateway may remember, named no session: its tokens are refused once."""
    told = signed_in()
    del told[missing]
    assert refusal(request(authorizer=told).caller).refusal is Refusal.INVALID_TOKEN


@pytest.mark.parametrize("session_id", [None, "", "ses_", 7, [], str(SESSION), ids.show(ids.USER, SESSION)])
def test_who_is_in_no_session_is_refused(session_id: object) -> None:
    told = signed_in() | {"session_id": session_id}
    assert refusal(request(authorizer=told).caller).refusal is Refusal.INVALID_TOKEN


@pytest.mark.parametrize("generation", [None, "", "-1", "1.0", "+1", "three", [], "None", " 3"])
def test_what_is_no_generation_is_refused(generation: object) -> None:
    told = signed_in() | {"generation": generation}
    assert refusal(request(authorizer=told).caller).refusal is Refusal.INVALID_TOKEN


@pytest.mark.parametrize(("now", "good"), [(999.9, False), (1_000.0, True), (1_499.9, True), (1_500.0, False)])
def test_a_token_is_good_from_its_first_second_to_right_before_its_end(
    monkeypatch: pytest.MonkeyPatch, now: float, *, good: bool
) -> None:
    told = signed_in() | {"good_from": "1000", "expires_at": "1500"}
    monkeypatch.setattr("wallet.edge.requests.time.time", lambda: now)
    if good:
        assert request(authorizer=told).caller() == CALLER
    else:
        assert refusal(request(authorizer=told).caller).refusal is Refusal.INVALID_TOKEN


# ------------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize("key", ["k", "k" * 64, "3f1d9c52-5f0b-4c3e-9d57-0d9b8a4e6c11", "!~", '"quoted"'])
def test_a_key_is_1_to_64_visible_characters(key: str) -> None:
    assert request(headers={"idempotency-key": key}).idempotency_key() == key


@pytest.mark.parametrize(
    "key", ["", "k" * 65, " ", "a b", "k ", " k", "k\n", "k\t", "\x7f", "é", "鍵", "k\x00", "\ud800"]
)
def test_anything_else_is_no_key(key: str) -> None:
    told = request(headers={"idempotency-key": key})
    assert refusal(told.idempotency_key).refusal is Refusal.IDEMPOTENCY_KEY_INVALID
    assert refusal(told.optional_idempotency_key).refusal is Refusal.IDEMPOTENCY_KEY_INVALID


def test_a_missing_key_is_required_only_where_it_is() -> None:
    assert refusal(request().idempotency_key).refusal is Refusal.IDEMPOTENCY_KEY_REQUIRED
    assert request().optional_idempotency_key() is None


# ---------------------------------------------------------------------------------------------------- amounts


@pytest.mark.parametrize("amount", [1, 100, 2**53 - 1])
def test_an_amount_is_a_whole_number_of_minor_units(amount: int) -> None:
    assert amount_of(f'{{"amount": {amount}}}') == amount


@pytest.mark.parametrize(
    "amount",
    [
        "0",
        "-0",
        "-1",
        "-100",
        "9007199254740992",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "100000000000000000000",
        "1.0",
        "0.5",
        "1e3",
        "1E2",
        "-0.0",
        "1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "true",
        "false",
        "null",
        '"100"',
        '""',
        "[100]",
        '{"value": 100}',
    ],
)
def test_nothing_else_is_an_amount(amount: str) -> None:
    told = refusal(lambda: amount_of(f'{{"amount": {amount}}}'))
    assert told.refusal is Refusal.INVALID_REQUEST
    assert [name for name, _ in told.fields] == ["amount"]


@pytest.mark.parametrize("amount", ["9" * 5_000, "-" + "9" * 5_000, "0x10", "010", "+1", "1_000", "१००", ".5", "1."])
def test_what_json_does_not_know_as_a_number_is_a_malformed_body(amount: str) -> None:
    assert refusal(lambda: amount_of(f'{{"amount": {amount}}}')).refusal is Refusal.MALFORMED_BODY


@given(st.integers(-(2**70), 2**70))
def test_every_integer_is_an_amount_or_refused(amount: int) -> None:
    text = f'{{"amount": {amount}}}'
    if 1 <= amount <= 2**53 - 1:
        assert amount_of(text) == amount
    else:
        assert refusal_of(lambda: amount_of(text)) is Refusal.INVALID_REQUEST


# ----------------------------------------------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" ", id="blank"),
        pytest.param(b"amount=100", id="a form"),
        pytest.param(b"{", id="unfinished"),
        pytest.param(b'{"amount": 100}}', id="a bracket too many"),
        pytest.param(b'{"amount": 100} {"amount": 100}', id="two objects"),
        pytest.param(b"{'amount': 100}", id="single quotes"),
        pytest.param(b'{"amount": 100,}', id="a comma too many"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b'{"amount": "\xc3\x28"}', id="broken UTF-8"),
        pytest.param(b'{"amount": "\xed\xa0\x80"}', id="a surrogate in UTF-8"),
        pytest.param(b'{"amount": "\\ud800"}', id="half a surrogate pair"),
        pytest.param(b'{"\\ud800": 1, "amount": 100}', id="half a pair as a name"),
        pytest.param(b'\xef\xbb\xbf{"amount": 100}', id="a byte order mark"),
        pytest.param('{"amount": 100, "x": "\ufffd"}'.encode(), id="what API Gateway makes of broken UTF-8"),
        pytest.param('{"amount": 100}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b"[" * 16_000, id="deep lists"),
        pytest.param(b'{"amount":' * 1_500, id="deep objects"),
        pytest.param(b"[" * 5_000 + b"]" * 5_000, id="deep and closed"),
        pytest.param(b'{"amount": 100, "amount": 100}', id="a field twice, alike"),
        pytest.param(b'{"amount": 100, "amount": 999}', id="a field twice, differently"),
        pytest.param(b'{"amount": 100, "\\u0061mount": 999}', id="a field twice, once in disguise"),
        pytest.param(b'{"amount": 100 // rupees\n}', id="a comment"),
        pytest.param(b'\x00{"amount": 100}', id="a NUL"),
    ],
)
def test_what_is_no_json_or_not_one_is_a_malformed_body(body: bytes) -> None:
    assert refusal(lambda: request(body).json(TopUpBody)).refusal is Refusal.MALFORMED_BODY


def test_a_hundred_thousand_brackets_are_too_large() -> None:
    assert refusal(lambda: request(b"[" * 100_000).json(TopUpBody)).refusal is Refusal.REQUEST_TOO_LARGE


def test_a_hundred_thousand_brackets_are_malformed_where_there_is_room() -> None:
    told = refusal(lambda: request(b"[" * 100_000).json(TopUpBody, max_bytes=1_000_000))
    assert told.refusal is Refusal.MALFORMED_BODY


def test_a_field_told_twice_inside_a_payee_is_found_too() -> None:
    body = b'{"to": {"phone": "+919876543210", "phone": "+919876543211"}, "amount": 100}'
    assert refusal(lambda: request(body).json(PaymentBody)).refusal is Refusal.MALFORMED_BODY


@pytest.mark.parametrize("body", ["[]", '[{"amount": 100}]', "null", "true", "100", '"amount"', "{}"])
def test_json_that_is_no_such_object_is_an_invalid_request(body: str) -> None:
    assert refusal(lambda: request(body.encode()).json(TopUpBody)).refusal is Refusal.INVALID_REQUEST


@pytest.mark.parametrize(
    "name", ["currency", "wallet_id", "Amount", "amount ", "__proto__", "", "\x00", "amount\u200b"]
)
def test_an_unknown_field_is_refused_by_name(name: str) -> None:
    body = json.dumps({"amount": 100, name: 1}).encode()
    told = refusal(lambda: request(body).json(TopUpBody))
    assert told.refusal is Refusal.INVALID_REQUEST
    assert [field for field, _ in told.fields] == [name or "body"]


def test_of_very_many_faults_few_are_told_and_shortly() -> None:
    body = json.dumps({f"{number:04}{'x' * 100}": 1 for number in range(100)}).encode()
    told = refusal(lambda: request(body).json(TopUpBody))
    assert len(told.fields) == 20
    assert max(len(name) for name, _ in told.fields) == 64


def test_a_body_of_the_largest_size_is_read() -> None:
    body = b'{"amount": 100}'
    assert request(body + b" " * (MAX_BODY - len(body))).json(TopUpBody).amount == 100
    assert (
        refusal(lambda: request(body + b" " * (MAX_BODY - len(body) + 1)).json(TopUpBody)).refusal
        is Refusal.REQUEST_TOO_LARGE
    )


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json ;charset=UTF-8"],
)
def test_json_is_what_is_spoken(content_type: str) -> None:
    assert request(b'{"amount": 1}', headers={"content-type": content_type}).json(TopUpBody).amount == 1


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "application/json\n",
        "text/json",
        "é",
    ],
)
def test_nothing_else_is_spoken(content_type: str) -> None:
    told = request(b'{"amount": 1}', headers={"content-type": content_type})
    assert refusal(lambda: told.json(TopUpBody)).refusal is Refusal.UNSUPPORTED_MEDIA_TYPE


def test_who_says_nothing_of_the_content_speaks_json() -> None:
    assert request(b'{"amount": 1}', headers={}).json(TopUpBody).amount == 1


@pytest.mark.parametrize("query", [{"dry_run": ["1"]}, {"amount": ["1"]}, {"": [""]}])
def test_a_route_with_a_body_takes_no_parameters(query: dict[str, list[str]]) -> None:
    told = refusal(lambda: request(b'{"amount": 1}', query=query).json(TopUpBody))
    assert told.refusal is Refusal.INVALID_REQUEST
    assert [name for name, _ in told.fields] == list(query)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(
    ["to", "amount", "description", "reference", "phone", "wallet_id", "name", "password", "email"]
)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(json_values, st.dictionaries(fields, json_values)),
    st.sampled_from([TopUpBody, PaymentBody, RegisterBody]),
)
def test_any_json_is_read_or_refused(value: object, model: type[TopUpBody]) -> None:
    refused = refusal_of(lambda: request(json.dumps(value).encode()).json(model))
    assert refused in (None, Refusal.INVALID_REQUEST, Refusal.MALFORMED_BODY, Refusal.REQUEST_TOO_LARGE)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert refusal(lambda: request(body).json(TopUpBody)).refusal in (Refusal.INVALID_REQUEST, Refusal.MALFORMED_BODY)


# ----------------------------------------------------------------------------------------- query and path


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"at": ["2026-11-22T06:30:00Z"]}, "at"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"limit": ["1", "1"]}, "limit"),
        ({"limit": []}, "limit"),
        ({"limit": ["0"]}, "limit"),
        ({"limit": ["101"]}, "limit"),
        ({"limit": ["-1"]}, "limit"),
        ({"limit": ["1.0"]}, "limit"),
        ({"limit": ["1e1"]}, "limit"),
        ({"limit": [" 5"]}, "limit"),
        ({"limit": [""]}, "limit"),
        ({"limit": ["५"]}, "limit"),
        ({"limit": ["9" * 5_000]}, "limit"),
        ({"limit": [None]}, "limit"),
        ({"type": ["suspense"]}, "type"),
        ({"type": [""]}, "type"),
        ({"type": ["payment' OR '1'='1"]}, "type"),
        ({"cursor": [""]}, "cursor"),
        ({"cursor": ["e"]}, "cursor"),
        ({"cursor": ["e0"]}, "cursor"),
        ({"cursor": ["e0.0"]}, "cursor"),
        ({"cursor": ["e01"]}, "cursor"),
        ({"cursor": ["e1."]}, "cursor"),
        ({"cursor": ["e.1"]}, "cursor"),
        ({"cursor": ["e1.-1"]}, "cursor"),
        ({"cursor": ["e1..1"]}, "cursor"),
        ({"cursor": ["e1.1\n"]}, "cursor"),
        ({"cursor": ["e1" + ".1" * 16]}, "cursor"),
        ({"cursor": ["e1.0x1"]}, "cursor"),
        ({"cursor": ["5"]}, "cursor"),
        ({"cursor": ["e-5"]}, "cursor"),
        ({"cursor": ["ee5"]}, "cursor"),
        ({"cursor": ["e5 "]}, "cursor"),
        ({"cursor": ["e५"]}, "cursor"),
        ({"cursor": ["e" + "9" * 19]}, "cursor"),
        ({"since": ["2026-11-22T06:30:00Z"]}, "since"),
        ({"from": [""]}, "from"),
        ({"from": ["yesterday"]}, "from"),
        ({"from": ["1795000200"]}, "from"),
        ({"from": ["2026-11-22"]}, "from"),
        ({"from": ["2026-11-22T06:30:00"]}, "from"),
        ({"from": ["2026-11-22 06:30:00Z"]}, "from"),
        ({"from": ["2026-11-22T06:30:00 05:30"]}, "from"),
        ({"from": ["20261122T063000Z"]}, "from"),
        ({"from": ["2026-W47-7T06:30:00Z"]}, "from"),
        ({"from": ["2026-11-22T06:30:00,5Z"]}, "from"),
        ({"from": ["2026-13-22T06:30:00Z"]}, "from"),
        ({"from": ["2026-02-30T06:30:00Z"]}, "from"),
        ({"from": ["2026-11-22T24:00:01Z"]}, "from"),
        ({"from": ["2026-11-22T06:30:60Z"]}, "from"),
        ({"from": ["2026-11-22T06:30:00+24:00"]}, "from"),
        ({"from": ["0000-01-01T00:00:00Z"]}, "from"),
        ({"from": ["0001-01-01T00:00:00+05:30"]}, "from"),
        ({"to": ["9999-12-31T23:59:59-05:30"]}, "to"),
        ({"to": ["२०२६-11-22T06:30:00Z"]}, "to"),
        ({"to": ["2026-11-22T06:30:00Z\n"]}, "to"),
    ],
)
def test_a_parameter_that_can_not_be_is_refused_by_name(query: dict[str, list[str]], field: str) -> None:
    told = refusal(lambda: request(query=query).parameters(StatementQuery))
    assert told.refusal is Refusal.INVALID_REQUEST
    assert [name for name, _ in told.fields] == [field]


def test_without_parameters_a_statement_has_twenty_lines() -> None:
    asked = request().parameters(StatementQuery)
    assert (asked.limit, asked.cursor, asked.since, asked.until, asked.type) == (20, None, None, None, None)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-22T06:30:00Z", "2026-11-22T06:30:00+00:00"),
        ("2026-11-22T06:30:00.123Z", "2026-11-22T06:30:00.123000+00:00"),
        ("2026-11-22T06:30:00.123456789Z", "2026-11-22T06:30:00.123456+00:00"),
        ("2026-11-22T12:00:00+05:30", "2026-11-22T06:30:00+00:00"),
        ("2026-11-21T23:30:00-07:00", "2026-11-22T06:30:00+00:00"),
    ],
)
def test_a_time_is_read_to_utc(text: str, utc: str) -> None:
    read = request(query={"from": [text]}).parameters(StatementQuery).since
    assert read is not None
    assert read.isoformat() == utc


@pytest.mark.parametrize(
    ("limit", "cursor", "upto"),
    [
        ("1", "e1", (1,)),
        ("100", "e999999999999999999", (999_999_999_999_999_999,)),
        ("020", "e0.7.0", (0, 7, 0)),
        ("20", "e1" + ".2" * 15, (1, *[2] * 15)),
    ],
)
def test_a_page_is_asked_for_by_limit_and_cursor(limit: str, cursor: str, upto: tuple[int, ...]) -> None:
    asked = request(query={"limit": [limit], "cursor": [cursor]}).parameters(StatementQuery)
    assert (asked.limit, asked.cursor) == (int(limit), upto)


@pytest.mark.parametrize("text", ["2026-10", "2000-01", "2099-12"])
def test_a_month_is_read_from_the_path(text: str) -> None:
    assert str(request(path={"month": text}).month_in_path()) == text


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-1", "2026-13", "2026-00", "26-10", "1999-12", "2100-01", "2026-10-01", " 2026-10", "२०२६-10"],
)
def test_a_path_that_names_no_month_is_refused_by_name(text: str) -> None:
    told = refusal(lambda: request(path={"month": text}).month_in_path())
    assert told.refusal is Refusal.INVALID_REQUEST
    assert [name for name, _ in told.fields] == ["month"]


def test_a_route_without_parameters_takes_none() -> None:
    assert refusal(lambda: request(query={"x": ["1"]}).parameters(NoQuery)).refusal is Refusal.INVALID_REQUEST


def test_a_payee_is_looked_up_by_one_name_of_three() -> None:
    for phone in ("+919876543210", "98765 43210", " 919876543210"):  # of the last one an address has made its + a blank
        asked = request(query={"phone": [phone]}, region="IN").parameters(PayeeRef)
        assert asked.named() == PayeeName(None, "+919876543210")
    wallet_id = ids.show(ids.WALLET, CALLER)
    for query in ({"wallet_id": [wallet_id]}, {"qr": [f"wallet:{wallet_id}"]}):
        assert request(query=query).parameters(PayeeRef).named() == PayeeName(CALLER, None)


@pytest.mark.parametrize("query", [{}, {"phone": ["+919876543210"], "qr": ["wallet:" + ids.show(ids.WALLET, CALLER)]}])
def test_a_query_that_names_no_payee_or_two_is_at_fault_as_a_whole(query: dict[str, list[str]]) -> None:
    told = refusal(lambda: request(query=query).parameters(PayeeRef))
    assert told.fields == (("query", "Name the payee by exactly one of: wallet_id, phone, qr."),)


@given(st.dictionaries(st.sampled_from(["phone", "wallet_id", "qr", "x"]), st.lists(st.text(), max_size=2)))
def test_any_query_for_a_payee_is_read_or_refused(query: dict[str, list[str]]) -> None:
    assert refusal_of(lambda: request(query=query).parameters(PayeeRef)) in (None, Refusal.INVALID_REQUEST)


@given(
    st.dictionaries(st.sampled_from(["limit", "cursor", "from", "to", "type", "x"]), st.lists(st.text(), max_size=2))
)
def test_any_query_is_read_or_refused(query: dict[str, list[str]]) -> None:
    assert refusal_of(lambda: request(query=query).parameters(StatementQuery)) in (None, Refusal.INVALID_REQUEST)


@pytest.mark.parametrize(
    "text", ["", "pay_", "wal_" + "0" * 26, "../../etc/passwd", "pay_' OR 1=1", "\ud800", "9" * 5_000]
)
def test_a_path_that_names_no_id_of_ours_is_not_found(text: str) -> None:
    told = request(path={"id": text})
    assert refusal(lambda: told.id_in_path(ids.PAYMENT)).refusal is Refusal.NOT_FOUND


def test_a_path_without_its_id_is_not_found() -> None:
    assert refusal(lambda: request().id_in_path(ids.PAYMENT)).refusal is Refusal.NOT_FOUND


# ------------------------------------------------------------------------------------------- people's data


def registered(**changes: object) -> RegisterBody:
    told = {"phone_proof": "pp_x", "phone": "+919876543210", "name": "Asha Rao", "password": "correct horse"} | changes
    return request(json.dumps(told).encode()).json(RegisterBody)


@pytest.mark.parametrize("written", ["+919876543210", "+91 (0) 98765-43210", "tel:+91-98765-43210"])
def test_a_phone_is_kept_in_one_form(written: str) -> None:
    assert registered(phone=written).phone == "+919876543210"


@pytest.mark.parametrize("phone", ["", "+91 98765", "9876543210", 919876543210, None, True, ["+919876543210"]])
def test_what_is_no_international_number_is_no_phone(phone: object) -> None:
    assert [name for name, _ in refusal(lambda: registered(phone=phone)).fields] == ["phone"]


def test_ten_digits_are_a_phone_of_the_region_that_the_door_is_told() -> None:
    body = json.dumps({"to": {"phone": "98765 43210"}, "amount": 100}).encode()
    assert request(body, region="IN").json(PaymentBody).to.phone == "+919876543210"
    assert refusal(lambda: request(body).json(PaymentBody)).refusal is Refusal.INVALID_REQUEST


@pytest.mark.parametrize("phone", ["", "9876543210", "+91987", 919876543210, None, True, ["+919876543210"]])
def test_who_logs_in_names_a_phone(phone: object) -> None:
    body = json.dumps({"phone": phone, "password": "x"}).encode()
    assert [name for name, _ in refusal(lambda: request(body).json(LoginBody)).fields] == ["phone"]


def test_a_name_is_kept_as_names_are() -> None:
    assert registered(name="  Jose\N{COMBINING ACUTE ACCENT}  Rao ").name == "José Rao"


@pytest.mark.parametrize("name", ["", "\u3164", "Razorpay Support", "kyc-update.in/verify", 7, None])
def test_what_nobody_is_called_is_no_name(name: object) -> None:
    assert [field for field, _ in refusal(lambda: registered(name=name)).fields] == ["name"]


@pytest.mark.parametrize("length", [8, 128])
@pytest.mark.parametrize("sign", ["x", "é", "🎉", "\x00"])
def test_a_password_has_8_to_128_characters_of_any_kind(length: int, sign: str) -> None:
    assert registered(password=sign * length).password == sign * length


@pytest.mark.parametrize("password", ["", "x" * 7, "x" * 129, 12345678, None, ["x" * 8]])
def test_other_passwords_are_refused(password: object) -> None:
    assert [name for name, _ in refusal(lambda: registered(password=password)).fields] == ["password"]


def test_a_login_takes_passwords_that_nobody_could_have_registered() -> None:
    body = json.dumps({"phone": "+919876543210", "password": "x"}).encode()
    assert request(body).json(LoginBody).password == "x"


def test_a_login_does_not_hash_a_book() -> None:
    body = json.dumps({"phone": "+919876543210", "password": "x" * 1_025}).encode()
    assert refusal(lambda: request(body).json(LoginBody)).refusal is Refusal.INVALID_REQUEST


@pytest.mark.parametrize("email", ["asha@example.com", "a.b+c@sub.example.in", "आशा@उदाहरण.भारत", None])
def test_an_email_is_optional(email: str | None) -> None:
    assert registered(email=email).email == email


@pytest.mark.parametrize(
    "email",
    [
        "",
        "asha",
        "asha@",
        "@example.com",
        "asha@example",
        "a b@example.com",
        "asha@example.com\n",
        "asha@exa\x00mple.com",
        "asha@\u202eexample.com",
        "a@b@example.com",
        "x" * 250 + "@example.com",
        7,
    ],
)
def test_what_is_no_address_is_no_email(email: object) -> None:
    assert [name for name, _ in refusal(lambda: registered(email=email)).fields] == ["email"]


@pytest.mark.parametrize("kind", ["admin", "", "Personal", None, 1])
def test_there_are_two_kinds_of_people(kind: object) -> None:
    assert [name for name, _ in refusal(lambda: registered(kind=kind)).fields] == ["kind"]


@pytest.mark.parametrize("proof", ["", "x" * 201, None, 7, True, ["pp_x"]])
def test_nobody_registers_without_a_proof_of_the_phone(proof: object) -> None:
    assert [name for name, _ in refusal(lambda: registered(phone_proof=proof)).fields] == ["phone_proof"]


@pytest.mark.parametrize("replace", ["true", 1, None, "yes"])
def test_a_phone_is_taken_from_its_owner_for_a_plain_yes_alone(replace: object) -> None:
    assert [name for name, _ in refusal(lambda: registered(replace=replace)).fields] == ["replace"]
    assert registered().replace is False
    assert registered(replace=True).replace is True


@pytest.mark.parametrize("purpose", ["", "REGISTER", "login", "sign_in ", None, 7, ["register"]])
def test_a_code_is_for_one_of_the_purposes_there_are(purpose: object) -> None:
    body = json.dumps({"phone": "+919876543210", "purpose": purpose}).encode()
    assert [name for name, _ in refusal(lambda: request(body).json(CodeBody)).fields] == ["purpose"]
    for known in Purpose:
        told = json.dumps({"phone": "+919876543210", "purpose": known.value}).encode()
        assert request(told).json(CodeBody).purpose is known


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "12345a", " 123456", "123456\n", "१२३४५६", 123456, None, ["123456"]]
)
def test_a_code_is_six_digits(code: object) -> None:
    body = json.dumps({"code": code}).encode()
    assert [name for name, _ in refusal(lambda: request(body).json(ProofBody)).fields] == ["code"]


@pytest.mark.parametrize("password", ["", "x" * 7, "x" * 129, 12345678, None])
def test_a_password_that_is_changed_or_reset_is_of_the_form_of_others(password: object) -> None:
    changed = json.dumps({"old_password": "x", "new_password": password}).encode()
    assert [name for name, _ in refusal(lambda: request(changed).json(PasswordBody)).fields] == ["new_password"]
    reset = json.dumps({"phone_proof": "pp_x", "new_password": password}).encode()
    assert [name for name, _ in refusal(lambda: request(reset).json(ResetBody)).fields] == ["new_password"]


def test_a_sign_in_is_read_with_from_where_and_on_what() -> None:
    body = json.dumps({"phone": "+919876543210", "password": "x", "phone_proof": "pp_x"}).encode()
    asked = request(body, headers={"content-type": "application/json", "user-agent": "an app\u202e 1.0"})
    shown = asked.json(LoginBody).sign_in(asked)
    assert (shown.phone.number, shown.password, shown.phone_proof) == ("+919876543210", "x", "pp_x")
    assert (shown.address, shown.device) == ("203.0.113.9", "an app 1.0")


@pytest.mark.parametrize("field", ["tier", "balance", "id", "status", "password_hash"])
def test_nobody_registers_more_than_they_are_asked_for(field: str) -> None:
    assert [name for name, _ in refusal(lambda: registered(**{field: "full"})).fields] == [field]


WALLET = ids.show(ids.WALLET, CALLER)


@pytest.mark.parametrize(
    ("to", "field"),
    [
        ({}, "to"),
        (None, "to"),
        (WALLET, "to"),
        ([], "to"),
        ({"wallet_id": None}, "to"),
        ({"wallet_id": WALLET, "phone": "+919876543210"}, "to"),
        ({"wallet_id": ids.show(ids.USER, CALLER)}, "to.wallet_id"),
        ({"wallet_id": str(CALLER)}, "to.wallet_id"),
        ({"wallet_id": "wal_"}, "to.wallet_id"),
        ({"wallet_id": 7}, "to.wallet_id"),
        ({"wallet_id": True}, "to.wallet_id"),
        ({"wallet_id": [1]}, "to.wallet_id"),
        ({"phone": "9876543210"}, "to.phone"),
        ({"phone": 919876543210}, "to.phone"),
        ({"wallet_id": WALLET, "user_id": "x"}, "to.user_id"),
    ],
)
def test_a_payee_is_a_wallet_or_a_phone(to: object, field: str) -> None:
    body = json.dumps({"to": to, "amount": 100}).encode()
    assert [name for name, _ in refusal(lambda: request(body).json(PaymentBody)).fields] == [field]


def paid(**changes: object) -> PaymentBody:
    told = {"to": {"wallet_id": WALLET}, "amount": 100} | changes
    return request(json.dumps(told).encode()).json(PaymentBody)


def test_a_payee_named_by_wallet_is_read_as_its_id() -> None:
    assert paid().to.wallet_id == CALLER


@pytest.mark.parametrize("text", ["Lunch 🍛", "धन्यवाद", "'; DROP TABLE wallets; --", "x" * 200, "", None])
def test_a_description_is_any_text(text: str | None) -> None:
    assert paid(description=text).description == text


@pytest.mark.parametrize("text", ["x" * 201, "a\x00b", "a\nb", "a\x1b[31m", "\x85", 7, [], True])
def test_control_characters_are_no_text(text: object) -> None:
    assert [name for name, _ in refusal(lambda: paid(description=text)).fields] == ["description"]


@pytest.mark.parametrize("text", ["x" * 65, "a\x00b", 7])
def test_a_reference_is_a_short_text(text: object) -> None:
    assert [name for name, _ in refusal(lambda: paid(reference=text)).fields] == ["reference"]


@pytest.mark.parametrize("token", ["", "x" * 201, 7, None])
def test_a_refresh_token_is_a_short_text(token: object) -> None:
    body = json.dumps({"refresh_token": token}).encode()
    assert refusal(lambda: request(body).json(TokenBody)).refusal is Refusal.INVALID_REQUEST


# ----------------------------------------------------------------------------- nothing of it in the answer


def show(model: Any) -> Door:
    def post(asked: Request) -> Response[Any]:
        asked.json(model)
        raise AssertionError("this should have been refused")

    return Door(Route("POST /payments", post))


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (RegisterBody, {"phone_proof": "pp_x", "phone": MARK, "name": "Asha", "password": "long enough"}),
        (
            RegisterBody,
            {"phone_proof": "pp_x", "phone": "+919876543210", "name": f"{MARK};", "password": "long enough"},
        ),
        (RegisterBody, {"phone_proof": "pp_x", "phone": "+919876543210", "name": "Asha", "password": MARK * 20}),
        (RegisterBody, {"phone_proof": "pp_x", "phone": "+919876543210", "name": "Asha", "password": [MARK]}),
        (
            RegisterBody,
            {"phone_proof": "pp_x", "phone": "+919876543210", "name": "Asha", "password": "long enough", "email": MARK},
        ),
        (
            RegisterBody,
            {"phone_proof": "pp_x", "phone": "+919876543210", "name": "Asha", "password": "long enough", "kind": MARK},
        ),
        (LoginBody, {"phone": "+919876543210", "password": {"value": MARK}}),
        (TokenBody, {"refresh_token": MARK * 100}),
        (PaymentBody, {"to": {"wallet_id": MARK}, "amount": 1}),
        (PaymentBody, {"to": {"phone": MARK}, "amount": 1}),
        (PaymentBody, {"to": MARK, "amount": 1}),
        (PaymentBody, {"to": {"wallet_id": WALLET}, "amount": MARK}),
        (PaymentBody, {"to": {"wallet_id": WALLET}, "amount": 1, "description": f"\x00{MARK}"}),
        (TopUpBody, {"amount": 1, "unknown": MARK}),
        (TopUpBody, [MARK]),
    ],
)
def test_a_refusal_never_shows_what_was_sent(model: object, body: object, capfd: pytest.CaptureFixture[str]) -> None:
    answer, problem = call(show(model), event(body=body))
    assert problem["status"] in (400, 422)
    assert MARK not in json.dumps(answer)
    captured = capfd.readouterr()
    assert MARK not in captured.out + captured.err


@pytest.mark.parametrize("body", [MARK, f'{{"amount": {MARK}', f'{{"amount": 1, "amount": "{MARK}"}}', f"\ud800{MARK}"])
def test_nor_does_it_show_what_could_not_be_read(body: str) -> None:
    answer, problem = call(show(TopUpBody), event(body=body))
    assert problem["status"] in (400, 422)
    assert MARK not in json.dumps(answer)
