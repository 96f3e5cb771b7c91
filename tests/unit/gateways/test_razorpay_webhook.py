"""The webhook reader: who may be believed, and what a body may do to us (nothing)."""

import hashlib
import hmac
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.gateways.scripted import Fields, order, payment, refund
from wallet.gateways.port import GatewayEvent, MalformedEventError, SignatureMismatchError, WebhookReader
from wallet.gateways.razorpay.webhook import RazorpayWebhook, event_of
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.refunds import RefundStatus

REFERENCE = "rfd_01k2umbrella0000000000000a"
NEWEST, PREVIOUS = "newest-secret-of-ours", "previous-secret-of-ours"
ACCOUNT = "acc_Umbrella000001"


def event(name: str = "payment.captured", **entities: object) -> Fields:
    return {
        "entity": "event",
        "account_id": ACCOUNT,
        "event": name,
        "contains": list(entities),
        "payload": {entity: {"entity": fields} for entity, fields in entities.items()},
        "created_at": 1_795_000_200,
    }


def razorpay(secrets: list[str]) -> RazorpayWebhook:
    """Make a reader for our account."""
    return RazorpayWebhook(secrets, account_id=ACCOUNT)


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def signature(body: bytes, secret: str = NEWEST) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def read(body: bytes, *, secret: str = NEWEST) -> GatewayEvent:
    """Read a body that is signed as it should be."""
    headers = {"X-Razorpay-Signature": signature(body, secret), "X-Razorpay-Event-Id": "Ev3ntUmbrella0"}
    return razorpay([NEWEST, PREVIOUS]).read(body, headers)


def read_signed(body: bytes, given_signature: object) -> GatewayEvent:
    headers: dict[str, str] = {"X-Razorpay-Signature": given_signature}  # type: ignore[dict-item] # what a proxy may hand us
    return razorpay([NEWEST, PREVIOUS]).read(body, headers)


class TestTheSignature:
    def test_the_published_vector_of_the_scheme_holds(self) -> None:
        # From Razorpay's SDK tests. The text is no JSON, which shows that belief comes before reading.
        published = "b2335e3b0801106b84a7faff035df56ecffde06918c9ddd1f0fafbb37a51cc89"
        with pytest.raises(MalformedEventError):
            razorpay(["key_secret"]).read(b"fake_order_id|fake_payment_id", {"X-Razorpay-Signature": published})

    def test_our_own_vector_made_with_openssl_holds(self) -> None:
        # printf '…the body…' | openssl dgst -sha256 -hmac umbrella-secret
        made = "94313fd782ff2f2c6037381a2d4dab76da1c6e370181b8d60fdd0a011eba5ddf"
        body = b'{"event":"payment.downtime.started","payload":{}}'
        seen = razorpay(["umbrella-secret"]).read(body, {"X-Razorpay-Signature": made})
        assert seen == GatewayEvent(None, "payment.downtime.started", ())

    @pytest.mark.parametrize("secret", [NEWEST, PREVIOUS])
    def test_every_live_secret_is_believed(self, secret: str) -> None:
        assert read(compact(event(payment=payment())), secret=secret).name == "payment.captured"

    def test_a_retired_secret_is_not(self) -> None:
        with pytest.raises(SignatureMismatchError):
            read(compact(event()), secret="retired")

    @pytest.mark.parametrize("name", ["x-razorpay-signature", "X-RAZORPAY-SIGNATURE", "X-Razorpay-Signature"])
    def test_the_header_is_found_in_any_case(self, name: str) -> None:
        body = compact(event())
        assert razorpay([NEWEST]).read(body, {name: signature(body)}).name == "payment.captured"

    def test_a_header_told_twice_differently_is_no_signature(self) -> None:
        body = compact(event())
        headers = {"X-Razorpay-Signature": signature(body), "x-razorpay-signature": "0" * 64}
        with pytest.raises(SignatureMismatchError):
            razorpay([NEWEST]).read(body, headers)

    def test_no_header_is_no_signature(self) -> None:
        with pytest.raises(SignatureMismatchError):
            razorpay([NEWEST]).read(compact(event()), {})

    @pytest.mark.parametrize(
        "forged",
        [
            None,
            "",
            "0" * 64,
            "é" * 64,
            "0" * 63,
            "0" * 65,
            "\x00" * 64,
            "\ud800" * 64,
            7,
            b"0" * 64,
            ["0" * 64],
        ],
    )
    def test_a_forged_header_is_a_mismatch_and_never_a_crash(self, forged: object) -> None:
        with pytest.raises(SignatureMismatchError):
            read_signed(compact(event()), forged)

    def test_upper_case_hex_is_a_mismatch(self) -> None:
        body = compact(event())
        with pytest.raises(SignatureMismatchError):
            read_signed(body, signature(body).upper())

    @pytest.mark.parametrize("changed", [b" ", b"\n", b"\xef\xbb\xbf"])
    def test_one_byte_more_is_another_body(self, changed: bytes) -> None:
        body = compact(event())
        with pytest.raises(SignatureMismatchError):
            read_signed(body + changed, signature(body))

    def test_the_bytes_are_verified_as_they_came_not_as_we_would_write_them(self) -> None:
        spaced = json.dumps(event(payment=payment(notes={"a": "é"})), indent=2, ensure_ascii=False).encode()
        assert len(read(spaced).payments) == 1

    def test_nothing_of_a_secret_or_a_signature_is_in_the_message(self) -> None:
        with pytest.raises(SignatureMismatchError) as caught:
            read_signed(b"{}", "0" * 64)
        assert NEWEST not in str(caught.value)
        assert signature(b"{}") not in str(caught.value)

    @pytest.mark.parametrize("secrets", [[], [""], ["  ", "\n"]])
    def test_it_is_not_built_without_a_secret(self, secrets: list[str]) -> None:
        with pytest.raises(ValueError, match="believe anybody"):
            razorpay(secrets)

    def test_a_blank_secret_beside_a_real_one_opens_nothing(self) -> None:
        body = compact(event())
        with pytest.raises(SignatureMismatchError):
            razorpay([NEWEST, ""]).read(body, {"X-Razorpay-Signature": signature(body, "")})

    def test_one_text_is_not_taken_for_a_list_of_letters(self) -> None:
        with pytest.raises(TypeError):
            RazorpayWebhook(NEWEST, account_id=ACCOUNT)


class TestTheEvent:
    def test_the_reader_is_a_webhook_reader(self) -> None:
        reader: WebhookReader = razorpay([NEWEST])
        assert reader is not None

    def test_a_capture_is_read_whole(self) -> None:
        assert read(compact(event(payment=payment()))) == GatewayEvent(
            event_id="Ev3ntUmbrella0",
            name="payment.captured",
            payments=(
                ObservedPayment(
                    gateway="razorpay",
                    payment_id="pay_Umbrella000001",
                    order_id="order_Umbrella000001",
                    amount=25_000,
                    currency="INR",
                    status=PaymentStatus.CAPTURED,
                    captured=True,
                    amount_refunded=0,
                    reason=None,
                    rrn="006516367819",
                ),
            ),
        )

    def test_a_kept_event_is_read_again_as_it_was_but_for_the_headers_id(self) -> None:
        body = compact(event(payment=payment()))
        assert event_of(body, account_id=ACCOUNT) == replace(read(body), event_id=None)

    def test_order_paid_tells_the_same_payment(self) -> None:
        paid = read(compact(event("order.paid", payment=payment(), order=order(status="paid"))))
        assert paid.payments == read(compact(event(payment=payment()))).payments

    def test_a_failure_keeps_the_gateways_reason(self) -> None:
        failed = payment(status="failed", captured=False, error_reason="insufficient_funds", error_code="GATEWAY_ERROR")
        (seen,) = read(compact(event("payment.failed", payment=failed))).payments
        assert (seen.status, seen.captured, seen.reason) == (
            PaymentStatus.FAILED,
            False,
            "insufficient_funds",
        )

    @pytest.mark.parametrize("nothing", ["NA", "", None])
    def test_without_a_reason_the_code_has_to_do(self, nothing: str | None) -> None:
        failed = payment(status="failed", captured=False, error_reason=nothing, error_code="GATEWAY_ERROR")
        (seen,) = read(compact(event("payment.failed", payment=failed))).payments
        assert seen.reason == "GATEWAY_ERROR"

    def test_a_reason_fits_every_column_and_log(self) -> None:
        failed = payment(status="failed", captured=False, error_reason="टूटा\n\ud800" + "x" * 500)
        (seen,) = read(compact(event("payment.failed", payment=failed))).payments
        assert seen.reason is not None
        assert len(seen.reason) == 64
        assert seen.reason.isascii()

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("pending", RefundStatus.PENDING),
            ("processed", RefundStatus.SUCCEEDED),
            ("failed", RefundStatus.FAILED),
            ("on_its_way_to_the_moon", RefundStatus.UNKNOWN),
        ],
    )
    def test_a_refund_is_told_with_its_payment_and_is_no_payment_itself(self, word: str, status: RefundStatus) -> None:
        back = payment(amount_refunded=5_000, refund_status="partial")
        told = refund(amount=5_000, status=word, receipt=REFERENCE)
        seen = read(compact(event("refund.processed", refund=told, payment=back)))
        assert seen.payments == ()
        (one,) = seen.refunds
        assert (one.refund_id, one.reference, one.amount, one.status) == (told["id"], REFERENCE, 5_000, status)
        assert one.payment is not None
        assert (one.payment.payment_id, one.payment.amount_refunded) == (one.payment_id, 5_000)

    @pytest.mark.parametrize(
        ("changes", "reference"),
        [
            ({"receipt": REFERENCE}, REFERENCE),
            ({"receipt": None, "notes": {"reference": REFERENCE}}, REFERENCE),
            ({"receipt": "Receipt No. 31", "notes": {"reference": REFERENCE}}, REFERENCE),
            ({"receipt": "Receipt No. 31", "notes": {"comment": REFERENCE}}, None),
            ({"receipt": REFERENCE + "x"}, None),
            ({"receipt": 7, "notes": []}, None),
        ],
    )
    def test_our_reference_is_the_receipt_or_the_note_that_says_it_again(
        self, changes: Fields, reference: str | None
    ) -> None:
        (seen,) = read(compact(event("refund.created", refund=refund(**changes)))).refunds
        assert (seen.reference, seen.payment) == (reference, None)

    def test_a_refund_beside_another_payment_is_malformed(self) -> None:
        told = event("refund.created", refund=refund(payment_id="pay_Another"), payment=payment())
        with pytest.raises(MalformedEventError):
            read(compact(told))

    def test_an_auto_refund_says_that_its_payment_was_never_captured(self) -> None:
        late = payment(status="refunded", captured=False, amount_refunded=25_000)
        (seen,) = read(compact(event("refund.processed", refund=refund(status="processed"), payment=late))).refunds
        assert seen.payment is not None
        assert not seen.payment.captured

    @pytest.mark.parametrize(
        "told",
        [
            event("payment.downtime.started", **{"payment.downtime": {"id": "down_1"}}),
            event("refund.speed_changed", refund=refund()) | {"payload": {"created_at": 1}},
            event("settlement.processed", settlement={"id": "setl_1"}),
            {"event": "account.updated"},
            event("token.confirmed", payment=payment(amount=0, order_id=None)),
        ],
    )
    def test_an_event_without_money_has_no_payments_and_no_refunds(self, told: Fields) -> None:
        seen = read(compact(told))
        assert (seen.payments, seen.refunds) == ((), ())

    @pytest.mark.parametrize("header", ["", "a b", "é", "x" * 65, "'; --"])
    def test_an_unusual_event_id_counts_as_none(self, header: str) -> None:
        body = compact(event())
        headers = {"X-Razorpay-Signature": signature(body), "X-Razorpay-Event-Id": header}
        assert razorpay([NEWEST]).read(body, headers).event_id is None


class TestAnEventThatIsNotAboutOurMoney:
    @pytest.mark.parametrize("name", ["subscription.charged", "invoice.paid", "payment.dispute.created"])
    def test_its_payment_may_have_any_form(self, name: str) -> None:
        # refusing it would make Razorpay switch off the webhook that our money is told by
        told = read(compact(event(name, payment=payment(captured="1"))))
        assert (told.name, told.payments, told.refunds) == (name, (), ())

    @pytest.mark.parametrize(
        "told",
        [
            event() | {"payload": []},
            event("refund.processed") | {"payload": []},
            event("refund.speed_changed", refund=[]),
            event("refund.arn_updated", refund={"id": 7}),
            event("payment.downtime.started") | {"payload": {"payment.downtime": []}},
            event("settlement.processed", settlement=[]) | {"payload": []},
            event("account.updated") | {"payload": 7, "account_id": []},
            event("payment.captured", payment={"amount": "a lot"}) | {"account_id": "acc_Another"},
            event("payment captured", payment={}),
            event("x" * 65, payment={}),
            event("कुछ नया"),
        ],
        ids=lambda told: ascii(told["event"])[:30].replace("\\", "/"),  # as below
    )
    def test_what_we_do_not_need_of_it_may_be_malformed(self, told: Fields) -> None:
        seen = read(compact(told))
        assert (seen.payments, seen.refunds) == ((), ())

    @pytest.mark.parametrize(
        ("name", "stored"),
        [("payment captured", "payment_captured"), ("é" * 300, "_" * 64), ("A-B.c", "A-B.c"), ("x" * 64, "x" * 64)],
    )
    def test_a_name_that_is_new_to_us_becomes_one_that_any_column_and_log_takes(self, name: str, stored: str) -> None:
        assert read(compact(event(name))).name == stored

    def test_php_writes_the_empty_objects_of_a_payment_as_lists(self) -> None:
        told = payment(notes=[], acquirer_data=[], upi=[], error_details=[], card=[])
        (known,) = read(compact(event(payment=payment()))).payments
        assert read(compact(event(payment=told))).payments == (replace(known, rrn=None),)

    @pytest.mark.parametrize("beside", [{}, [], {"captured": "1"}, payment(amount="1")])
    def test_a_refund_is_read_whatever_the_payment_beside_it_looks_like(self, beside: object) -> None:
        (seen,) = read(compact(event("refund.processed", refund=refund(), payment=beside))).refunds
        assert seen.payment is None


@pytest.mark.parametrize("number", [b"9" * 20, b"9" * 5_000, b"0." + b"1" * 70, b"-1e" + b"9" * 70])
def test_a_number_that_nobody_needs_may_be_as_long_as_it_likes(number: bytes) -> None:
    known = compact(event())
    assert read(b'{"x":{"y":[' + number + b"]}," + known.removeprefix(b"{")) == read(known)


class TestAMalformedEvent:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b'"payment.captured"',
            b"{",
            b"\xff\xfe{}",
            b"\xef\xbb\xbf{}",
            compact(event()).decode().encode("utf-16"),
            b'{"event":"payment.captured","created_at":NaN}',
            b'{"event":"payment.captured","created_at":-Infinity}',
            b'{"event":"payment.captured","event":"payment.failed"}',
            b'{"event":"payment.captured","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
            b'{"event":"payment.captured","x":"\x01"}',
        ],
        # pytest doubles a backslash each time that it collects in one process, as under mutmut: then it is another test
        ids=lambda body: repr(body[:40]).replace("\\", "/"),
    )
    def test_a_body_that_is_not_one_plain_object(self, body: bytes) -> None:
        with pytest.raises(MalformedEventError):
            read(body)

    @pytest.mark.parametrize(
        "told",
        [
            {},
            event() | {"event": None},
            event() | {"event": 7},
            event() | {"event": ""},
            event() | {"account_id": 7},
            event() | {"account_id": "acc_é"},
            event() | {"payload": [1]},
            event() | {"payload": {"payment": 1}},
            event() | {"payload": {"payment": {}}},
            event() | {"payload": {"payment": []}},
            event() | {"payload": {"payment": {"entity": []}}},
            event(payment={}),
            event(payment=payment(amount=25_000.0)),
            event(payment=payment(amount=2**53)),
            event(payment=payment(captured="true")),
            event(payment=payment(id="pay_\ud800")),
            event(payment=payment(status=["captured"])),
            event("refund.processed", refund={}),
            event("refund.processed", refund=refund(amount=1.0)),
            event("refund.processed", refund=refund(status=None)),
            event("refund.processed", refund=refund(id="rfnd_'; --")),
            event("refund.processed") | {"payload": {"refund": {"entity": 1}}},
        ],
    )
    def test_a_field_of_another_type(self, told: Fields) -> None:
        with pytest.raises(MalformedEventError):
            read(compact(told))

    def test_the_message_quotes_nothing_of_the_body(self) -> None:
        with pytest.raises(MalformedEventError) as caught:
            read(b'{"contact": "+919876543210"')
        assert "98765" not in str(caught.value)

    @settings(deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["event", "payload"]), inner),
            max_leaves=12,
        ),
        st.sampled_from(["amount", "id", "status", "captured", "order_id", "error_reason", "payload", "event"]),
    )
    def test_whatever_is_signed_is_read_or_malformed_and_nothing_else(self, value: object, name: str) -> None:
        refunded = event("refund.processed", refund=refund(**{name: value}), payment=payment())
        for told in (value, event() | {name: value}, event(payment=payment(**{name: value})), refunded):
            try:
                seen = read(compact(told))
            except MalformedEventError:
                continue
            amounts = [payment.amount for payment in seen.payments] + [refund.amount for refund in seen.refunds]
            assert all(type(amount) is int and amount > 0 for amount in amounts)

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes_are_read_or_malformed_and_nothing_else(self, body: bytes) -> None:
        with pytest.raises(MalformedEventError):
            read(body)

    @settings(deadline=None)
    @given(st.binary(max_size=50), st.text(max_size=70))
    def test_any_header_is_a_mismatch_and_nothing_else(self, body: bytes, header: str) -> None:
        with pytest.raises(SignatureMismatchError):
            read_signed(body, header)


class TestTheSmallest:
    @pytest.mark.parametrize(("amount", "payments"), [(0, 0), (1, 1)])
    def test_a_payment_of_nothing_registers_a_mandate_and_is_no_money(self, amount: int, payments: int) -> None:
        assert len(read(compact(event(payment=payment(amount=amount)))).payments) == payments

    @pytest.mark.parametrize(("amount", "refunds"), [(0, 0), (1, 1)])
    def test_a_refund_of_nothing_is_none(self, amount: int, refunds: int) -> None:
        assert len(read(compact(event("refund.processed", refund=refund(amount=amount)))).refunds) == refunds

    def test_a_refund_of_another_account_is_none_of_ours(self) -> None:
        told = event("refund.processed", refund=refund(), payment=payment()) | {"account_id": "acc_Another"}
        assert read(compact(told)).refunds == ()

    def test_a_refund_counts_in_events_of_refunds_only(self) -> None:
        seen = read(compact(event("payment.captured", payment=payment(), refund=refund())))
        assert (len(seen.payments), seen.refunds) == (1, ())

    def test_a_payment_that_says_nothing_of_refunds_has_none(self) -> None:
        told = payment()
        del told["amount_refunded"]
        (seen,) = read(compact(event(payment=told))).payments
        assert seen.amount_refunded == 0

    def test_a_payment_without_an_order_names_none(self) -> None:
        (seen,) = read(compact(event(payment=payment(order_id=None)))).payments
        assert seen.order_id is None
