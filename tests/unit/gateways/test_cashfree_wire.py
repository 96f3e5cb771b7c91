"""Cashfree's words and rupees, one by one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gateways.scripted import Fields
from tests.unit.gateways.scripted_cashfree import Number, payment, refund, written
from wallet.gateways.cashfree import wire
from wallet.gateways.exact_json import DecimalNumber, json_object
from wallet.gateways.fields import MalformedWireError
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.money import MAX_AMOUNT
from wallet.ledger.refunds import RefundStatus


def read(fields: Fields) -> ObservedPayment:
    entity = json_object(written(fields))
    return wire.payment_of(entity, entity)


def paise(number: str) -> int:
    return wire.paise(json_object(f'{{"a":{number}}}'.encode()), "a")


class TestRupees:
    @pytest.mark.parametrize(
        ("number", "minor"),
        [
            ("1", 100),
            ("0", 0),
            ("1.0", 100),
            ("1.00", 100),
            ("1.5", 150),
            ("1.05", 105),
            ("0.01", 1),
            ("10.10", 1_010),
            ("1234.05", 123_405),
            ("250.000", 25_000),
            ("90071992547409.91", MAX_AMOUNT),
        ],
    )
    def test_an_amount_is_its_digits(self, number: str, minor: int) -> None:
        assert paise(number) == minor

    @pytest.mark.parametrize(
        "number",
        [
            "100.005",
            "1e2",
            "1E2",
            "1.5e1",
            "-1",
            "-0.50",
            "-0.0",
            "90071992547409.92",
            "1" * 19,
            '"1.00"',
            '"1"',
            "true",
            "null",
            "[1]",
            "{}",
        ],
    )
    def test_anything_else_is_malformed(self, number: str) -> None:
        with pytest.raises(MalformedWireError):
            paise(number)

    @given(st.integers(0, MAX_AMOUNT))
    def test_what_is_written_is_read_as_it_was(self, minor: int) -> None:
        assert paise(wire.rupees(minor).text) == minor

    @given(st.decimals(allow_nan=False, allow_infinity=False))
    def test_a_number_is_read_exactly_or_not_at_all(self, number: object) -> None:
        try:
            minor = wire.paise({"a": DecimalNumber(str(number))}, "a")
        except MalformedWireError:
            return
        assert minor == number * 100  # type: ignore[operator] # a Decimal


class TestAPayment:
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("SUCCESS", PaymentStatus.CAPTURED),
            ("NOT_ATTEMPTED", PaymentStatus.CREATED),
            ("PENDING", PaymentStatus.UNKNOWN),
            ("FAILED", PaymentStatus.FAILED),
            ("USER_DROPPED", PaymentStatus.FAILED),
            ("CANCELLED", PaymentStatus.FAILED),
            ("VOID", PaymentStatus.FAILED),
            ("SOME_NEW_WORD", PaymentStatus.UNKNOWN),
            ("success", PaymentStatus.UNKNOWN),
        ],
    )
    def test_only_success_is_money(self, word: str, status: PaymentStatus) -> None:
        seen = read(payment(payment_status=word))
        assert (seen.status, seen.captured, seen.has_arrived) == (status, word == "SUCCESS", word == "SUCCESS")

    @pytest.mark.parametrize("word", ["PENDING", "SOME_NEW_WORD"])
    def test_what_nobody_knows_may_still_arrive(self, word: str) -> None:
        assert read(payment(payment_status=word)).may_still_arrive

    def test_an_authorisation_that_is_not_captured_is_no_money(self) -> None:
        seen = read(payment(is_captured=False))
        assert (seen.status, seen.captured, seen.may_still_arrive) == (PaymentStatus.AUTHORIZED, False, True)

    @pytest.mark.parametrize(
        ("number", "text"),
        [(1_453_002_795, "1453002795"), ("1453002795", "1453002795"), (0, "0"), ("azAZ09_-", "azAZ09_-")],
    )
    def test_an_id_may_be_a_number_or_a_text(self, number: object, text: str) -> None:
        assert read(payment(cf_payment_id=number)).payment_id == text

    def test_what_the_payer_bears_is_told_beside_what_was_paid(self) -> None:
        borne = {"payment_surcharge_service_charge": Number("5.00"), "payment_surcharge_service_tax": Number("0.90")}
        seen = read(payment(payment_amount=Number("255.90"), payment_surcharge=borne))
        assert (seen.amount, seen.surcharge) == (25_590, 590)

    @pytest.mark.parametrize(
        ("told", "surcharge"),
        [
            (None, 0),
            ([], 0),
            ({}, 0),
            ("5.90", 0),
            ({"payment_surcharge_service_charge": 0, "payment_surcharge_service_tax": 0}, 0),
            ({"payment_surcharge_service_charge": 5}, 500),
            ({"payment_surcharge_service_tax": Number("0.90"), "payment_surcharge_service_charge": None}, 90),
            ({"payment_surcharge_service_charge": "5.00", "payment_surcharge_service_tax": Number("0.90")}, 0),
            ({"payment_surcharge_service_charge": Number("0.005")}, 0),
            ({"payment_surcharge_service_charge": -5}, 0),
            ({"payment_surcharge_service_charge": 10**18}, 0),
        ],
    )
    def test_a_surcharge_that_is_not_told_of_or_can_not_be_read_explains_nothing(
        self, told: object, surcharge: int
    ) -> None:
        seen = read(payment(payment_amount=Number("255.90"), payment_surcharge=told))
        assert (seen.amount, seen.surcharge) == (25_590, surcharge)

    def test_more_than_the_order_is_what_was_paid(self) -> None:
        seen = read(payment(payment_amount=Number("255.90")))
        assert (seen.amount, seen.surcharge) == (25_590, 0)

    def test_less_than_the_order_is_what_was_paid(self) -> None:
        assert read(payment(payment_amount=Number("249.99"))).amount == 24_999

    def test_another_currency_is_told_as_it_was_paid(self) -> None:
        seen = read(payment(payment_currency="USD", payment_amount=Number("3.01")))
        assert (seen.amount, seen.currency) == (301, "USD")

    @pytest.mark.parametrize("silence", [{"is_captured": None}, {}])
    def test_a_success_that_is_silent_about_its_capture_is_money(self, silence: Fields) -> None:
        told = payment(**silence)
        if not silence:
            del told["is_captured"]
        assert read(told).has_arrived

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"payment_status": "FAILED", "error_details": {"error_reason": "auth_declined"}}, "auth_declined"),
            (
                {"payment_status": "FAILED", "error_details": {"error_code": "TRANSACTION_DECLINED"}},
                "TRANSACTION_DECLINED",
            ),
            ({"payment_status": "FAILED", "error_details": {"error_reason": "a b\n\ud800"}}, "a_b__"),
            ({"payment_status": "FAILED", "error_details": None}, None),
            ({"payment_status": "FAILED", "error_details": "declined"}, None),
            ({"payment_status": "USER_DROPPED"}, "user_dropped"),
            ({}, None),
        ],
    )
    def test_a_failure_has_a_stable_word(self, changes: Fields, reason: str | None) -> None:
        assert read(payment(**changes)).reason == reason

    @pytest.mark.parametrize(
        "broken",
        [
            {"payment_amount": "250.00"},
            {"payment_amount": True},
            {"payment_amount": None},
            {"payment_currency": "inr"},
            {"order_id": "top 1"},
            {"order_id": 7},
            {"order_id": Number("1.5")},
            {"cf_payment_id": None},
            {"cf_payment_id": True},
            {"cf_payment_id": -1},
            {"cf_payment_id": Number("1.5")},
            {"cf_payment_id": "1'; --"},
            {"payment_status": None},
            {"payment_status": 200},
            {"is_captured": "true"},
            {"is_captured": 1},
        ],
    )
    def test_a_field_of_another_type_is_malformed(self, broken: Fields) -> None:
        with pytest.raises(MalformedWireError):
            read(payment(**broken))


class TestARefund:
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("PENDING", RefundStatus.PENDING),
            ("ONHOLD", RefundStatus.PENDING),
            ("SUCCESS", RefundStatus.SUCCEEDED),
            ("CANCELLED", RefundStatus.FAILED),
            ("FAILED", RefundStatus.UNKNOWN),
            ("SOME_NEW_WORD", RefundStatus.UNKNOWN),
        ],
    )
    def test_its_state_is_told_in_our_words(self, word: str, status: RefundStatus) -> None:
        assert wire.refund_of(json_object(written(refund(refund_status=word)))).status is status

    @pytest.mark.parametrize("ours", ["elsewhere_1", "rfd_1", "RFD_" + "0" * 26, None, 7])
    def test_a_refund_under_another_name_is_not_ours(self, ours: object) -> None:
        assert wire.refund_of(json_object(written(refund(refund_id=ours)))).reference is None

    def test_what_goes_back_counts_until_it_has_failed(self) -> None:
        paid = read(payment())
        states = ["SUCCESS", "PENDING", "SOME_NEW_WORD", "CANCELLED"]
        refunds = tuple(wire.refund_of(json_object(written(refund(refund_status=state)))) for state in states)
        other = wire.refund_of(json_object(written(refund(cf_payment_id="9"))))
        assert wire.with_refunds(paid, (*refunds, other)).amount_refunded == 15_000

    def test_a_payment_that_went_back_whole_is_refunded(self) -> None:
        whole = wire.refund_of(json_object(written(refund(refund_amount=Number("250.00")))))
        assert wire.with_refunds(read(payment()), (whole,)).status is PaymentStatus.REFUNDED


class TestWhoAsks:
    def test_the_pair_and_the_pinned_version_are_headers(self) -> None:
        assert wire.credentials("client", "open-sesame") == {
            "x-client-id": "client",
            "x-client-secret": "open-sesame",
            "x-api-version": "2025-01-01",
        }

    @pytest.mark.parametrize(("client_id", "secret"), [("", "s"), ("c", ""), ("c\r\nX: y", "s"), ("c", "open\nsesame")])
    def test_what_can_be_no_header_is_refused_at_once_and_not_shown(self, client_id: str, secret: str) -> None:
        with pytest.raises(ValueError, match="the gateway's client") as caught:
            wire.credentials(client_id, secret)
        assert "sesame" not in str(caught.value)

    @pytest.mark.parametrize(
        ("contact", "phone"),
        [("+919876543210", "9876543210"), ("+14155550123", "9999999999"), ("+9198765", "9999999999")],
    )
    def test_a_payer_abroad_has_no_number_of_ten_digits(self, contact: str, phone: str) -> None:
        asked = wire.order_request(receipt="top_1", amount_minor=100, currency="INR", contact=contact)
        assert asked["customer_details"] == {"customer_id": contact.removeprefix("+"), "customer_phone": phone}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("USER_DROPPED", "user_dropped"),
        ("CANCELLED", "cancelled"),
        ("VOID", "void"),
        ("FAILED", None),
        ("SUCCESS", None),
    ],
)
def test_without_a_word_for_it_a_payers_going_away_is_the_reason(status: str, reason: str | None) -> None:
    assert read(payment(payment_status=status)).reason == reason


@pytest.mark.parametrize(
    ("contact", "phone"),
    [
        ("+919876543210", "9876543210"),
        ("+449876543210", "9999999999"),
        ("+91987654321", "9999999999"),
        ("9876543210", "9999999999"),
    ],
)
def test_a_payers_phone_is_the_ten_digits_behind_indias_prefix(contact: str, phone: str) -> None:
    asked = wire.order_request(receipt="top_1", amount_minor=25_050, currency="INR", contact=contact)
    assert asked == {
        "order_id": "top_1",
        "order_amount": DecimalNumber("250.50"),
        "order_currency": "INR",
        "customer_details": {"customer_id": contact.removeprefix("+"), "customer_phone": phone},
        "order_meta": {"payment_methods": "upi"},
    }


def test_a_refund_is_asked_for_in_the_same_words_each_time() -> None:
    assert wire.refund_request(reference="rfd_1", amount_minor=1_005) == {
        "refund_id": "rfd_1",
        "refund_amount": DecimalNumber("10.05"),
        "refund_note": "Wallet top-up refund",
        "refund_speed": "STANDARD",
    }


@pytest.mark.parametrize(("status", "reason"), [("CANCELLED", "cancelled"), ("SUCCESS", None), ("FAILED", None)])
def test_a_refund_that_was_given_up_says_so(status: str, reason: str | None) -> None:
    told = wire.refund_of(json_object(written(refund(refund_status=status))))
    assert (told.gateway, told.reason) == ("cashfree", reason)


def test_a_refusal_keeps_its_words_and_its_sentence() -> None:
    error = wire.rejection_of(
        422, b'{"type": "invalid_request_error", "code": "order_amount_invalid", "message": "No."}'
    )
    assert (error.http_status, error.code, error.reason) == (422, "invalid_request_error", "order_amount_invalid")
    assert error.description == "No."


@pytest.mark.parametrize(
    ("status", "amount", "becomes"),
    [
        ("SUCCESS", "249.99", PaymentStatus.CAPTURED),
        ("SUCCESS", "250.00", PaymentStatus.REFUNDED),
        ("NOT_ATTEMPTED", "250.00", PaymentStatus.CREATED),
        ("FAILED", "250.00", PaymentStatus.FAILED),
    ],
)
def test_only_money_that_came_and_went_back_whole_is_refunded(status: str, amount: str, becomes: PaymentStatus) -> None:
    back = wire.refund_of(json_object(written(refund(refund_amount=Number(amount)))))
    assert wire.with_refunds(read(payment(payment_status=status)), (back,)).status is becomes


@pytest.mark.usefixtures("clock_in_india")
def test_an_orders_end_is_told_in_utc_wherever_we_are() -> None:
    ends = datetime(2026, 11, 27, 6, 30, tzinfo=UTC)
    asked = wire.order_request(
        receipt="top_1", amount_minor=100, currency="INR", contact="+919876543210", expires_at=ends
    )
    assert asked["order_expiry_time"] == "2026-11-27T06:30:00Z"


@pytest.mark.parametrize("name", ["PAYMENT_SUCCESS_WEBHOOK", "azAZ09_.-", "n" * 64])
def test_an_events_name_keeps_its_letters(name: str) -> None:
    assert wire.event_name_of({"type": name}) == name


@pytest.mark.parametrize("header", ["azAZ09+/=_-", "n" * 64])
def test_an_events_id_keeps_its_letters(header: str) -> None:
    assert wire.event_id_of(header) == header
