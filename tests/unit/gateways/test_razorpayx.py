"""The payout adapter without a socket: what it asks, what it believes, and what it takes for a no."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gateways.scripted import Fields, Script, answer, listed, lost, refused, script
from wallet.gateways.fields import MalformedWireError
from wallet.gateways.port import (
    GatewayRejectedError,
    GatewayUnavailableError,
    MalformedEventError,
    SignatureMismatchError,
)
from wallet.gateways.razorpayx import wire
from wallet.gateways.razorpayx.client import RazorpayXPayouts
from wallet.gateways.razorpayx.webhook import RazorpayXWebhook, event_of
from wallet.ledger.withdrawals import ObservedPayout, PayoutStatus

REFERENCE = "wdr_06f4k8m2t9x1z3b5c7d9e1f3g5"
SECRET = "a secret of payouts"


def payout(**changes: object) -> Fields:
    known: Fields = {
        "id": "pout_Umbrella000001",
        "entity": "payout",
        "fund_account_id": "fa_Umbrella0000001",
        "amount": 25_000,
        "currency": "INR",
        "notes": [],
        "fees": 0,
        "tax": 0,
        "status": "processing",
        "purpose": "payout",
        "utr": None,
        "mode": "UPI",
        "reference_id": REFERENCE,
        "narration": "Wallet withdrawal",
        "status_details": None,
        "created_at": 1_795_000_000,
    }
    return known | changes


def provider(replies: Script) -> RazorpayXPayouts:
    return RazorpayXPayouts(replies, account_number="7878", clock=replies.time.clock, sleep=replies.time.sleep)


def send(replies: Script, **changes: Any) -> ObservedPayout:
    asked: dict[str, Any] = {
        "reference": REFERENCE,
        "amount_minor": 25_000,
        "currency": "INR",
        "vpa": "asha@okbank",
        "name": "Asha Rao",
    }
    return provider(replies).send(**(asked | changes))


# --------------------------------------------------------------------------------------------- asking


def test_one_request_asks_for_contact_account_and_payout_under_our_reference_as_its_key() -> None:
    replies = script(answer(payout()))
    assert send(replies).payout_id == "pout_Umbrella000001"
    (sent,) = replies.sent
    assert (sent.method, sent.path, sent.headers) == ("POST", "/v1/payouts", {"X-Payout-Idempotency": REFERENCE})
    assert sent.body == {
        "account_number": "7878",
        "amount": 25_000,
        "currency": "INR",
        "mode": "UPI",
        "purpose": "payout",
        "fund_account": {
            "account_type": "vpa",
            "vpa": {"address": "asha@okbank"},
            "contact": {"name": "Asha Rao", "type": "customer"},
        },
        "queue_if_low_balance": True,
        "reference_id": REFERENCE,
        "narration": "Wallet withdrawal",
    }


def test_the_reference_is_a_key_that_the_provider_takes() -> None:
    assert 4 <= len(REFERENCE) <= 36
    assert REFERENCE.replace("_", "").isalnum()


def test_a_repetition_is_the_same_bytes() -> None:
    first, second = script(answer(payout())), script(answer(payout()))
    send(first)
    send(second)
    assert json.dumps(first.sent[0].body) == json.dumps(second.sent[0].body)


def test_a_lost_answer_is_nobody_knows_and_is_not_asked_again_in_here() -> None:
    replies = script(lost())
    with pytest.raises(GatewayUnavailableError):
        send(replies)
    assert len(replies.sent) == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_in_trouble_is_nobody_knows(status: int) -> None:
    with pytest.raises(GatewayUnavailableError):
        send(script(answer({"error": {"code": "SERVER_ERROR"}}, status)))


@pytest.mark.parametrize(
    "changes",
    [{"amount": 25_001}, {"currency": "USD"}, {"reference_id": "wdr_another"}, {"reference_id": None}],
    ids=str,
)
def test_another_payout_than_was_asked_for_is_nobody_knows(changes: dict[str, object]) -> None:
    with pytest.raises(GatewayUnavailableError):
        send(script(answer(payout(**changes))))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "pout_/../1"},
        {"amount": "25000"},
        {"amount": 25_000.0},
        {"amount": True},
        {"currency": "inr"},
        {"status": None},
        {"reference_id": 7},
    ],
    ids=str,
)
def test_an_answer_of_another_form_is_nobody_knows(changes: dict[str, object]) -> None:
    with pytest.raises(GatewayUnavailableError):
        send(script(answer(payout(**changes))))


# --------------------------------------------------------------------------------------------- a no


@pytest.mark.parametrize(
    "more",
    [
        {"field": "fund_account.vpa.address", "reason": "input_validation_failed"},
        {"field": "amount"},
        {"reason": "beneficiary_vpa_invalid"},
        {"reason": "input_validation_failed"},
    ],
    ids=str,
)
def test_what_blames_the_payout_is_a_no_once_there_is_no_such_payout(more: dict[str, object]) -> None:
    replies = script(refused("It can't be paid", **more), listed())
    with pytest.raises(GatewayRejectedError):
        send(replies)
    assert replies.sent[1].path.startswith("/v1/payouts?account_number=7878&reference_id=wdr_")


def test_what_blames_a_payout_that_is_there_all_the_same_is_no_no() -> None:
    replies = script(refused("It can't be paid", field="amount"), listed(payout(status="processed")))
    assert send(replies).status is PayoutStatus.SUCCEEDED


def test_a_no_that_can_not_be_confirmed_is_nobody_knows() -> None:
    replies = script(refused("It can't be paid", field="amount"), lost(), lost(), lost())
    with pytest.raises(GatewayUnavailableError):
        send(replies)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (refused("Different request body sent for the same Idempotency Header."), "another body"),
        (refused("Idempotency key is missing", field="X-Payout-Idempotency"), "our key"),
        (refused("The account number is wrong", field="account_number", reason="input_validation_failed"), "ours"),
        (refused("Transactions from this IP are not allowed."), "our address"),
        (answer({"error": {"code": "BAD_REQUEST_ERROR", "field": "amount"}}, 401), "our keys"),
        (answer({"error": {"code": "BAD_REQUEST_ERROR", "field": "amount"}}, 403), "our rights"),
        (answer({"error": {"code": "BAD_REQUEST_ERROR", "field": "amount"}}, 404), "our address of it"),
        (answer({"error": {"code": "BAD_REQUEST_ERROR", "field": "amount"}}, 409), "it is being made"),
        (answer(b"<html>", 400), "no reason at all"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_says_nothing_about_an_earlier_request_is_nobody_knows(reply: Any, why: str) -> None:
    replies = script(reply)
    with pytest.raises(GatewayUnavailableError):
        send(replies)


def test_no_message_shows_an_address_a_name_or_an_account() -> None:
    replies = script(refused("asha@okbank of Asha Rao can't be paid from 7878"))
    with pytest.raises(GatewayUnavailableError) as caught:
        send(replies)
    assert not [secret for secret in ("asha", "Asha", "7878") if secret in str(caught.value)]


# --------------------------------------------------------------------------------------------- finding


def test_of_many_payouts_the_one_of_exactly_this_reference_is_found() -> None:
    others = payout(reference_id=REFERENCE + "x"), payout(reference_id=None), payout(reference_id="bill 7")
    replies = script(listed(*others, payout(id="pout_Ours")))
    found = provider(replies).find(reference=REFERENCE)
    assert found is not None
    assert found.payout_id == "pout_Ours"


@pytest.mark.parametrize(
    "body", [{}, {"items": {}}, {"items": [None]}, {"items": [{"reference_id": REFERENCE}]}], ids=str
)
def test_a_list_of_another_form_is_nobody_knows(body: Fields) -> None:
    with pytest.raises(GatewayUnavailableError):
        provider(script(answer(body))).find(reference=REFERENCE)


def test_of_two_payouts_of_one_reference_the_older_is_found() -> None:
    replies = script(listed(payout(id="pout_B", created_at=20), payout(id="pout_A", created_at=10)))
    found = provider(replies).find(reference=REFERENCE)
    assert found is not None
    assert found.payout_id == "pout_A"


def test_no_payout_is_none() -> None:
    assert provider(script(listed())).find(reference=REFERENCE) is None


# --------------------------------------------------------------------------------------------- the words


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", PayoutStatus.PENDING),
        ("queued", PayoutStatus.PENDING),
        ("scheduled", PayoutStatus.PENDING),
        ("processing", PayoutStatus.PENDING),
        ("processed", PayoutStatus.SUCCEEDED),
        ("failed", PayoutStatus.FAILED),
        ("rejected", PayoutStatus.FAILED),
        ("cancelled", PayoutStatus.FAILED),
        ("reversed", PayoutStatus.REVERSED),
        ("PROCESSED", PayoutStatus.UNKNOWN),
        ("something_new", PayoutStatus.UNKNOWN),
    ],
)
def test_each_of_its_words_has_one_meaning_and_a_new_one_is_never_final(word: str, status: PayoutStatus) -> None:
    assert wire.payout_of(payout(status=word)).status is status


@pytest.mark.parametrize("nothing", [None, [], {}, "later", 7, {"reason": []}], ids=repr)
def test_details_that_say_nothing_are_none(nothing: object) -> None:
    assert wire.payout_of(payout(status_details=nothing)).reason is None


def test_a_reason_is_one_short_word_whatever_is_sent() -> None:
    details = {"reason": "beneficiary bank\n\x1b[31m" + "x" * 100, "description": "Asha Rao's account is closed"}
    reason = wire.payout_of(payout(status_details=details)).reason
    assert reason is not None
    assert len(reason) <= 64
    assert reason.isascii()
    assert reason.isprintable()
    assert "Asha" not in reason
    assert wire.payout_of(payout(status_details={"reason": "null"})).reason is None


@given(st.text(max_size=120))
def test_any_name_becomes_one_that_a_contact_may_have(name: str) -> None:
    plain = wire.contact_name(name)
    assert 3 <= len(plain) <= 50
    assert all((sign.isascii() and (sign.isalnum() or sign in " -_/().")) or sign == "’" for sign in plain)
    assert plain[-1].isalnum() or plain[-1] == "."
    assert wire.contact_name(plain) == plain


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(payout(), json_values)))
def test_any_entity_is_read_or_refused_and_never_anything_else(entity: dict[str, object]) -> None:
    try:
        read = wire.payout_of(payout() | entity)
    except MalformedWireError:
        return
    assert read.provider == "razorpayx"
    assert read.amount >= 0


# --------------------------------------------------------------------------------------------- webhooks


def event(**changes: object) -> bytes:
    told: Fields = {
        "entity": "event",
        "account_id": "acc_Sim1",
        "event": "payout.processed",
        "contains": ["payout"],
        "payload": {"payout": {"entity": payout(status="processed")}},
        "created_at": 1_795_000_100,
    }
    return json.dumps(told | changes).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Razorpay-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def test_an_event_that_is_signed_with_a_live_secret_is_read() -> None:
    body = event()
    for secrets in ([SECRET], ["a newer one", SECRET]):
        told = RazorpayXWebhook(secrets).read(body, signed(body))
        assert (told.name, told.payments, told.refunds) == ("payout.processed", (), ())
        assert told.payouts == (wire.payout_of(payout(status="processed")),)


@pytest.mark.parametrize(
    "headers", [{}, signed(event(), "another"), signed(event() + b" ")], ids=["none", "other", "bytes"]
)
def test_an_event_that_is_not_is_not(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureMismatchError):
        RazorpayXWebhook([SECRET]).read(event(), headers)


def test_what_tells_of_no_payout_has_none() -> None:
    downtime = {"payout.downtime": {"entity": {"id": "poutdown_1", "method": ["IMPS"]}}}
    assert event_of(event(event="payout.downtime.started", payload=downtime)).payouts == ()
    assert event_of(event(payload=None)).payouts == ()


FOREIGN: Fields = {"reference_id": "Bill 7", "amount": "25000", "status": [], "currency": None}


@pytest.mark.parametrize(
    "changes",
    [
        {"payload": []},
        {"payload": {}},
        {"event": "payout.downtime.started", "payload": {"payout.downtime": []}},
        {"event": "transaction.created", "payload": {"transaction": {"entity": {"id": "txn_1", "source": []}}}},
        {"event": "transaction.created", "payload": {"transaction": [], "payout": []}},
        {"event": "fund_account.validation.completed", "payload": {"fund_account.validation": []}},
        {"event": "payout_link.issued", "payload": {"payout": {"entity": {"status": "issued"}}}},
        {"event": "Something New!", "payload": 7},
        {"event": "x" * 300},
        {"payload": {"payout": {"entity": payout() | FOREIGN}}},
        {"payload": {"payout": {"entity": payout() | FOREIGN | {"reference_id": []}}}},
        {"payload": {"payout": {"entity": payout() | FOREIGN | {"reference_id": "wdr_1"}}}},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_what_is_no_payout_of_ours_may_have_any_form(changes: Fields) -> None:
    # refused, it would come back for a day, and then no event of ours would come any more
    told = event_of(event(**changes))
    assert told.payouts == ()
    assert 0 < len(told.name) <= 64


def test_what_php_writes_for_an_empty_object_says_nothing() -> None:
    entity = payout(status="processed", status_details=[], notes=[], error=[])
    (read,) = event_of(event(payload={"payout": {"entity": entity}})).payouts
    assert (read.status, read.reason) == (PayoutStatus.SUCCEEDED, None)


def test_a_payout_of_somebody_elses_making_is_read_whatever_its_reference() -> None:
    entity = payout(reference_id="Bill 7 of Bela & Sons")
    (read,) = event_of(event(payload={"payout": {"entity": entity}})).payouts
    assert read.reference == "Bill 7 of Bela & Sons"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        event(event=None),
        event(event=""),
        event(event=["payout.processed"]),
        event(payload=7),
        event(payload={"payout": []}),
        event(payload={"payout": {}}),
        event(payload={"payout": {"entity": payout(amount="25000")}}),
        event(payload={"payout": {"entity": payout(id=None)}}),
        event()[:-1] + b', "event": "payout.failed"}',
    ],
    ids=[
        "nothing",
        "a list",
        "no name",
        "empty",
        "a list of names",
        "no object",
        "empty",
        "no entity",
        "text for money",
        "no id",
        "a key twice",
    ],
)
def test_what_can_not_be_read_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEventError):
        event_of(body)


def test_an_event_keeps_the_id_of_its_header() -> None:
    body = event()
    headers = {
        "X-Razorpay-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        "X-Razorpay-Event-Id": "Ev3ntOfPayouts",
    }
    assert RazorpayXWebhook([SECRET]).read(body, headers).event_id == "Ev3ntOfPayouts"


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Asha Rao", "Asha Rao"),
        ("Ram", "Ram"),
        ("Al", "Wallet holder"),
        ("आशा", "Wallet holder"),
        ("Jos\u00e9 \u0905 Rao", "Jos Rao"),
        ("Rao & Sons-", "Rao Sons"),
        ("-Asha", "-Asha"),
        ("Xavier X", "Xavier X"),
        ("n" * 51, "n" * 50),
        ("Anna (", "Anna"),
    ],
)
def test_a_contacts_name_is_what_the_provider_can_write_of_it(name: str, plain: str) -> None:
    assert wire.contact_name(name) == plain


def rejected(status: int = 400, **told: str | None) -> GatewayRejectedError:
    return GatewayRejectedError(http_status=status, **told)


@pytest.mark.parametrize(
    "reason",
    ["input_validation_failed", "beneficiary_vpa_invalid", "invalid_beneficiary", "transaction_limit_exceeded"],
)
@pytest.mark.parametrize("status", [400, 422])
def test_these_reasons_blame_the_payout(reason: str, status: int) -> None:
    assert wire.is_about_the_payout(rejected(status, reason=reason))


@pytest.mark.parametrize(
    "error",
    [
        rejected(),
        rejected(reason="server_error"),
        rejected(401, reason="input_validation_failed"),
        rejected(404, field="vpa"),
        rejected(423, field="vpa"),
        rejected(field="account_number"),
        rejected(field="X-Payout-Idempotency"),
        rejected(field="vpa", description="Different request body for the same Idempotency Key"),
        rejected(reason="input_validation_failed", description="an IDEMPOTENCY key in use"),
    ],
    ids=str,
)
def test_nothing_else_says_what_became_of_an_earlier_request(error: GatewayRejectedError) -> None:
    assert not wire.is_about_the_payout(error)


def test_a_field_of_the_payout_blames_the_payout() -> None:
    assert wire.is_about_the_payout(rejected(field="vpa", description=None))


def test_a_payout_names_its_provider() -> None:
    assert wire.payout_of(payout()).provider == "razorpayx"
    assert wire.payout_of(payout(reference_id=None)).reference is None
