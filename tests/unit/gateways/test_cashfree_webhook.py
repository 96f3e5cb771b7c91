"""The webhook reader: who may be believed, and what a body may do to us (nothing)."""

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.gateways.scripted import Fields
from tests.unit.gateways.scripted_cashfree import Number, payment, refund, written
from wallet.gateways.cashfree.webhook import CashfreeWebhook, event_of
from wallet.gateways.port import GatewayEvent, MalformedEventError, SignatureMismatchError, WebhookReader
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.refunds import RefundStatus

NEWEST, PREVIOUS = "newest-secret-of-ours", "previous-secret-of-ours"
STAMP = "1795000200123"
SUCCESS, FAILED, DROPPED = "PAYMENT_SUCCESS_WEBHOOK", "PAYMENT_FAILED_WEBHOOK", "PAYMENT_USER_DROPPED_WEBHOOK"
REFUNDED, AUTO_REFUNDED = "REFUND_STATUS_WEBHOOK", "AUTO_REFUND_STATUS_WEBHOOK"


def event(name: str = SUCCESS, **data: object) -> Fields:
    return {"data": data, "event_time": "2026-11-18T20:10:00+05:30", "type": name}


def paid(name: str = SUCCESS, error: object = None, **changes: object) -> Fields:
    """An event of a payment, whose order stands beside it."""
    whole = payment(**changes)
    order = {field: whole.pop(field) for field in ("order_id", "order_amount", "order_currency")}
    for only_in_answers in ("is_captured", "error_details", "entity"):
        whole.pop(only_in_answers)
    told = event(name, order=order, payment=whole, customer_details={"customer_phone": "9876543210"})
    return told if error is None else event(name, order=order, payment=whole, error_details=error)


def signature(body: bytes, secret: str = NEWEST, stamp: str = STAMP) -> str:
    return base64.b64encode(hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()).decode()


def read(body: bytes, *, secret: str = NEWEST, **headers: str) -> GatewayEvent:
    """Read a body that is signed as it should be."""
    told = {"x-webhook-signature": signature(body, secret), "x-webhook-timestamp": STAMP, "x-idempotency-key": "n9+/="}
    return CashfreeWebhook([NEWEST, PREVIOUS]).read(body, told | headers)


def read_signed(body: bytes, given_signature: object, stamp: object = STAMP) -> GatewayEvent:
    headers: dict[str, str] = {"x-webhook-signature": given_signature, "x-webhook-timestamp": stamp}  # type: ignore[dict-item] # what a proxy may hand us
    return CashfreeWebhook([NEWEST, PREVIOUS]).read(body, headers)


class TestTheSignature:
    def test_our_own_vector_made_with_openssl_holds(self) -> None:
        # printf '%s%s' 1795000200123 '…the body…' | openssl dgst -sha256 -hmac umbrella-secret -binary | base64
        body = b'{"data":{"test_object":{"test_key":"test_value"}},"type":"WEBHOOK"}'
        made = "6SMnvZ5aaYTj0wKZTKYk5hpVLUxjTOU4WOUw+KZURhg="
        headers = {"X-Webhook-Signature": made, "X-Webhook-Timestamp": STAMP}
        assert CashfreeWebhook(["umbrella-secret"]).read(body, headers) == GatewayEvent(None, "WEBHOOK")

    @pytest.mark.parametrize("secret", [NEWEST, PREVIOUS])
    def test_every_live_secret_is_believed(self, secret: str) -> None:
        assert read(written(paid()), secret=secret).name == SUCCESS

    def test_a_retired_secret_is_not(self) -> None:
        with pytest.raises(SignatureMismatchError):
            read(written(paid()), secret="retired")

    def test_the_bytes_are_verified_as_they_came_not_as_we_would_write_them(self) -> None:
        spaced = written(paid()).replace(b",", b" ,\n ")
        assert read(spaced).payments == read(written(paid())).payments

    @pytest.mark.parametrize(
        "stamp",
        [
            None,
            "",
            "1795000200124",
            " 1795000200123",
            "1795000200123\n",
            "x" * 13,
            "1" * 17,
            "\uff11" * 13,
            7,
        ],
    )
    def test_another_time_stamp_or_none_is_a_mismatch(self, stamp: object) -> None:
        body = written(paid())
        with pytest.raises(SignatureMismatchError):
            read_signed(body, signature(body), stamp)

    def test_digits_can_not_wander_between_the_time_stamp_and_the_body(self) -> None:
        body = written(paid())
        with pytest.raises(MalformedEventError):
            read_signed(STAMP[-1:].encode() + body, signature(body), STAMP[:-1])
        with pytest.raises(SignatureMismatchError):
            read_signed(body[1:], signature(body), STAMP + body[:1].decode())

    def test_an_old_event_is_believed_as_retries_come_late(self) -> None:
        body = written(paid())
        old = "1500000000000"
        assert read_signed(body, signature(body, stamp=old), old).name == SUCCESS

    @pytest.mark.parametrize("forged", [None, "", "0" * 44, "é" * 44, "\ud800", 7, b"0" * 44, ["0" * 44]])
    def test_a_forged_header_is_a_mismatch_and_never_a_crash(self, forged: object) -> None:
        with pytest.raises(SignatureMismatchError):
            read_signed(written(paid()), forged)

    def test_the_signature_of_the_body_alone_is_a_mismatch(self) -> None:
        body = written(paid())
        with pytest.raises(SignatureMismatchError):
            read_signed(body, signature(body, stamp=""))

    def test_a_header_told_twice_differently_is_no_signature(self) -> None:
        body = written(paid())
        with pytest.raises(SignatureMismatchError):
            read(body, **{"X-Webhook-Signature": "0" * 44})

    @pytest.mark.parametrize("secrets", [[], [""], ["  ", "\n"]])
    def test_it_is_not_built_without_a_secret(self, secrets: list[str]) -> None:
        with pytest.raises(ValueError, match="believe anybody"):
            CashfreeWebhook(secrets)


class TestTheEvent:
    def test_the_reader_is_a_webhook_reader(self) -> None:
        reader: WebhookReader = CashfreeWebhook([NEWEST])
        assert reader is not None

    def test_a_success_is_read_whole(self) -> None:
        assert read(written(paid())) == GatewayEvent(
            event_id="n9+/=",
            name=SUCCESS,
            payments=(
                ObservedPayment(
                    gateway="cashfree",
                    payment_id="1453002795",
                    order_id="top_1",
                    amount=25_000,
                    currency="INR",
                    status=PaymentStatus.CAPTURED,
                    captured=True,
                    rrn="234928698581",
                ),
            ),
        )

    def test_a_kept_event_is_read_again_as_it_was_but_for_the_headers_id(self) -> None:
        body = written(paid())
        assert event_of(body) == replace(read(body), event_id=None)

    def test_a_success_that_says_pending_is_no_money(self) -> None:
        (seen,) = read(written(paid(payment_status="PENDING"))).payments
        assert not seen.has_arrived
        assert seen.may_still_arrive

    @pytest.mark.parametrize("name", [FAILED, DROPPED])
    def test_a_success_under_the_name_of_a_failure_is_believed_by_nobody(self, name: str) -> None:
        (seen,) = read(written(paid(name))).payments
        assert (seen.status, seen.captured, seen.has_arrived) == (PaymentStatus.UNKNOWN, False, False)

    def test_a_failure_keeps_the_reason_that_stands_beside_it(self) -> None:
        told = paid(FAILED, {"error_code": "X", "error_reason": "auth_declined"}, payment_status="FAILED")
        (seen,) = read(written(told)).payments
        assert (seen.status, seen.reason) == (PaymentStatus.FAILED, "auth_declined")

    def test_a_payer_who_went_away_is_a_failure_that_may_end_well(self) -> None:
        (seen,) = read(written(paid(DROPPED, payment_status="USER_DROPPED"))).payments
        assert (seen.status, seen.reason) == (PaymentStatus.FAILED, "user_dropped")

    @pytest.mark.parametrize("amount", ["250", "250.0", "250.00"])
    def test_rupees_are_read_digit_for_digit(self, amount: str) -> None:
        told = paid(order_amount=Number(amount), payment_amount=Number(amount))
        assert read(written(told)).payments[0].amount == 25_000

    def test_a_refund_of_ours_is_known_by_our_reference(self) -> None:
        told = event(REFUNDED, refund=refund(refund_status="SUCCESS", cf_payment_id=1453002795, cf_refund_id=11325632))
        (seen,) = read(written(told)).refunds
        assert (seen.refund_id, seen.payment_id, seen.amount) == ("11325632", "1453002795", 5_000)
        assert (seen.reference, seen.status) == ("rfd_" + "0" * 25 + "7", RefundStatus.SUCCEEDED)

    def test_an_automatic_refund_has_no_reference_of_ours(self) -> None:
        entity = refund(refund_status="SUCCESS", refund_type="PAYMENT_AUTO_REFUND")
        del entity["refund_id"], entity["order_id"]
        told = read(written(event(AUTO_REFUNDED, auto_refund=entity)))
        assert told.payments == ()
        assert [(one.reference, one.amount) for one in told.refunds] == [(None, 5_000)]

    def test_an_automatic_refund_of_no_payment_is_nothing_to_us(self) -> None:
        told = event(AUTO_REFUNDED, auto_refund=refund(cf_payment_id=None, refund_type="UNRECONCILED_AUTO_REFUND"))
        assert read(written(told)).refunds == ()

    @pytest.mark.parametrize(
        "told",
        [
            event("WEBHOOK", test_object={}),
            event("SETTLEMENT_SUCCESS", settlement={"settlement_id": 1}),
            event("DISPUTE_CREATED", dispute={}),
            event("PAYMENT_CHARGES_WEBHOOK", payment={"cf_payment_id": 1}),
            {"type": "SOMETHING_NEW"},
            {"type": "SOMETHING_NEW", "data": []},
            {"type": "something new", "data": 7},
            {"type": "X" * 65, "data": {"payment": []}},
            event("WEBHOOK") | {"data": []},
            event("SETTLEMENT_SUCCESS", settlement=[]),
            event("SETTLEMENT_SUCCESS") | {"data": [1]},
            paid(order_amount=0, payment_amount=0),
        ],
    )
    def test_an_event_without_money_of_ours_has_no_payments(self, told: Fields) -> None:
        seen = read(written(told))
        assert (seen.payments, seen.refunds) == ((), ())

    @pytest.mark.parametrize("empty", [None, [], {}, "none", 7])
    def test_details_of_an_error_that_say_nothing_are_none(self, empty: object) -> None:
        told = (
            paid(FAILED, empty, payment_status="FAILED") if empty is not None else paid(FAILED, payment_status="FAILED")
        )
        (seen,) = read(written(told)).payments
        assert (seen.status, seen.reason) == (PaymentStatus.FAILED, None)

    @pytest.mark.parametrize("header", ["", "a b", "é", "x" * 65, "'; --"])
    def test_an_unusual_event_id_counts_as_none(self, header: str) -> None:
        assert read(written(paid()), **{"x-idempotency-key": header}).event_id is None


class TestAMalformedEvent:
    @pytest.mark.parametrize(
        "body",
        [b"", b"null", b"[]", b"{", b"\xff\xfe{}", b'{"type":"A","type":"B"}', b'{"type":"A","x":NaN}', b"{}"],
    )
    def test_a_body_that_is_not_one_plain_event(self, body: bytes) -> None:
        with pytest.raises(MalformedEventError):
            read(body)

    @pytest.mark.parametrize(
        "told",
        [
            event() | {"type": None},
            event() | {"type": ""},
            event() | {"data": []},
            event(REFUNDED) | {"data": []},
            event() | {"data": 7},
            event(order=[], payment=[]),
            event(),
            event(payment=payment()),
            event(order={}, payment={}),
            event(REFUNDED),
            event(REFUNDED, refund=refund(cf_refund_id=None)),
            paid(payment_amount=Number("250.005")),
            paid(payment_amount=Number("2.5e2")),
            paid(payment_amount="250.00"),
            paid(cf_payment_id=None),
            paid(payment_status=["SUCCESS"]),
        ],
    )
    def test_a_field_of_another_type(self, told: Fields) -> None:
        with pytest.raises(MalformedEventError):
            read(written(told))

    def test_the_message_quotes_nothing_of_the_body(self) -> None:
        with pytest.raises(MalformedEventError) as caught:
            read(b'{"customer_phone": "9876543210"')
        assert "98765" not in str(caught.value)

    @settings(deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["data", "type"]), inner),
            max_leaves=12,
        ),
        st.sampled_from(["payment_amount", "order_amount", "cf_payment_id", "payment_status", "order_id"]),
    )
    def test_whatever_is_signed_is_read_or_malformed_and_nothing_else(self, value: object, name: str) -> None:
        for told in (
            value,
            event() | {"data": value},
            event(order=value, payment=value),
            paid(SUCCESS, None, **{name: value}),
        ):
            try:
                seen = read(written(told))
            except MalformedEventError:
                continue
            assert all(type(one.amount) is int and one.amount > 0 for one in seen.payments)

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes_are_read_or_malformed_and_nothing_else(self, body: bytes) -> None:
        with pytest.raises(MalformedEventError):
            read(body)

    @settings(deadline=None)
    @given(st.binary(max_size=50), st.text(max_size=70), st.text(max_size=20))
    def test_any_headers_are_a_mismatch_and_nothing_else(self, body: bytes, given_signature: str, stamp: str) -> None:
        with pytest.raises(SignatureMismatchError):
            read_signed(body, given_signature, stamp)


@pytest.mark.parametrize(("amount", "refunds"), [("0.00", 0), ("0.01", 1)])
def test_a_refund_of_nothing_is_none(amount: str, refunds: int) -> None:
    told = event(REFUNDED, refund=refund(refund_amount=Number(amount)))
    assert len(read(written(told)).refunds) == refunds


@pytest.mark.parametrize(("amount", "payments"), [("0.00", 0), ("0.01", 1)])
def test_a_payment_of_nothing_is_none(amount: str, payments: int) -> None:
    assert len(read(written(paid(payment_amount=Number(amount)))).payments) == payments
