"""The adapter's recipes against a scripted transport: no socket, and no second passes."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.unit.gateways.scripted import Fields, Script, lost, script
from tests.unit.gateways.scripted_cashfree import (
    RECEIPT,
    SESSION,
    Number,
    answer,
    gateway,
    order,
    payment,
    refund,
    refused,
    written,
)
from wallet.gateways.http import Answer
from wallet.gateways.port import Gateway, GatewayOrder, GatewayRejectedError, GatewayUnavailableError
from wallet.ledger.refunds import ObservedRefund, RefundStatus

CONTACT = "+919876543210"
THE_ORDER = GatewayOrder(RECEIPT, RECEIPT, 25_000, "INR", SESSION)
REFERENCE = "rfd_" + "0" * 25 + "7"
PAYMENT = "1453002795"
LINK = "upi://pay?pa=a@b&pn=Umbrella%20Shop&am=250.00"


def create(talk: Script) -> GatewayOrder:
    return gateway(talk).create_order(receipt=RECEIPT, amount_minor=25_000, currency="INR", contact=CONTACT)


def give_back(talk: Script, order_id: str | None = RECEIPT) -> ObservedRefund:
    return gateway(talk).refund(
        payment_id=PAYMENT, order_id=order_id, reference=REFERENCE, amount_minor=5_000, currency="INR"
    )


def asked(talk: Script) -> list[str]:
    return [f"{sent.method} {sent.path}" for sent in talk.sent]


def test_the_adapter_is_a_gateway_whose_checkout_goes_by_a_session() -> None:
    made: Gateway = gateway(script())
    assert made.name == "cashfree"
    assert made.checkout(order_id="top_1", session="s") == {"order_id": "top_1", "payment_session_id": "s"}


class TestCreatingAnOrder:
    def test_it_asks_once_under_our_id_in_rupees(self) -> None:
        talk = script(answer(order()))
        assert create(talk) == THE_ORDER
        assert asked(talk) == ["POST /orders"]
        assert talk.sent[0].body == {
            "order_id": RECEIPT,
            "order_amount": 250.0,
            "order_currency": "INR",
            "customer_details": {"customer_id": "919876543210", "customer_phone": "9876543210"},
            "order_meta": {"payment_methods": "upi"},
        }

    def test_an_order_can_not_be_paid_for_longer_than_we_ask_about_it(self) -> None:
        talk = script(answer(order()))
        gateway(talk).create_order(
            receipt=RECEIPT,
            amount_minor=25_000,
            currency="INR",
            contact=CONTACT,
            expires_at=datetime(2026, 11, 27, 6, 30, 0, 123_456, tzinfo=UTC),
        )
        body = talk.sent[0].body
        assert body is not None
        assert body["order_expiry_time"] == "2026-11-27T06:30:00Z"

    def test_every_repetition_has_the_same_key_and_another_order_has_another(self) -> None:
        talk = script(lost(), refused("order_not_found", 404), answer(order()), answer(order(order_id="top_2")))
        create(talk)
        gateway(talk).create_order(receipt="top_2", amount_minor=25_000, currency="INR", contact=CONTACT)
        first, again, other = (sent.headers["x-idempotency-key"] for sent in talk.sent if sent.method == "POST")
        assert first == again != other
        assert str(UUID(first)) == first
        assert UUID(first).version == 5

    @pytest.mark.parametrize("trouble", [lost(), answer(b"", 500), answer(b"<html>", 502), answer(b"{", 200)])
    def test_a_lost_answer_is_looked_for_by_our_id(self, trouble: Answer | GatewayUnavailableError) -> None:
        talk = script(trouble, answer(order()))
        assert create(talk) == THE_ORDER
        assert asked(talk) == ["POST /orders", f"GET /orders/{RECEIPT}"]

    @pytest.mark.parametrize(
        "known",
        [
            refused("order_already_exists", 409),
            refused("request_invalid", 422, "idempotency_error"),
            refused("idempotency_key_mismatch", 400),
        ],
    )
    def test_an_order_that_is_there_is_taken(self, known: Answer) -> None:
        assert create(script(known, answer(order()))) == THE_ORDER

    def test_an_order_that_is_not_there_is_asked_for_once_more(self) -> None:
        talk = script(lost(), refused("order_not_found", 404), answer(order()))
        assert create(talk) == THE_ORDER
        assert [sent.method for sent in talk.sent] == ["POST", "GET", "POST"]

    def test_it_is_never_asked_for_a_third_time(self) -> None:
        gone = refused("order_not_found", 404)
        talk = script(lost(), gone, lost(), gone)
        with pytest.raises(GatewayUnavailableError):
            create(talk)
        assert [sent.method for sent in talk.sent].count("POST") == 2

    def test_it_is_not_asked_for_again_while_nobody_can_say_whether_it_is_there(self) -> None:
        talk = script(lost(), lost(), lost(), lost())
        with pytest.raises(GatewayUnavailableError):
            create(talk)
        assert [sent.method for sent in talk.sent] == ["POST", "GET", "GET", "GET"]

    @pytest.mark.parametrize(
        "other",
        [{"order_amount": Number("250.01")}, {"order_amount": 251}, {"order_currency": "USD"}, {"order_id": "top_2"}],
    )
    def test_an_order_of_another_amount_is_refused_not_used(self, other: Fields) -> None:
        with pytest.raises(GatewayRejectedError, match="order_mismatch"):
            create(script(refused("order_already_exists", 409), answer(order(**other))))

    def test_429_is_waited_out_for_as_long_as_it_says(self) -> None:
        talk = script(answer(b"", 429, retry_after_s=2), answer(order()))
        assert create(talk) == THE_ORDER
        assert 2 <= talk.time.slept[0] <= 3

    def test_a_refusal_keeps_what_the_gateway_said(self) -> None:
        with pytest.raises(GatewayRejectedError) as caught:
            create(script(refused("order_amount_invalid")))
        error = caught.value
        assert (error.http_status, error.code, error.reason) == (400, "invalid_request_error", "order_amount_invalid")
        assert "+91" not in str(error)

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff", b'{"code": 7}'])
    def test_a_refusal_without_the_documented_body_is_still_a_refusal(self, body: bytes) -> None:
        with pytest.raises(GatewayRejectedError) as caught:
            create(script(answer(body, 403)))
        assert (caught.value.http_status, caught.value.code, caught.value.reason) == (403, None, None)

    @pytest.mark.parametrize("amount", [250.0, "25000", True, 0, -1, None, 2**53])
    def test_an_amount_that_is_not_whole_and_positive_never_leaves_the_house(self, amount: int) -> None:
        talk = script()
        with pytest.raises(ValueError, match="amount"):
            gateway(talk).create_order(receipt=RECEIPT, amount_minor=amount, currency="INR", contact=CONTACT)
        assert talk.sent == []

    @pytest.mark.parametrize("receipt", ["", "ab", "x" * 41, "top\n1", "top/1", "टॉप"])
    def test_a_receipt_that_can_be_no_id_there_never_leaves_the_house(self, receipt: str) -> None:
        with pytest.raises(ValueError, match="receipt"):
            gateway(script()).create_order(receipt=receipt, amount_minor=100, currency="INR", contact=CONTACT)


class TestThePaymentsOfAnOrder:
    def test_without_money_the_refunds_are_not_asked_for(self) -> None:
        talk = script(answer([payment(payment_status="FAILED"), payment(cf_payment_id="2", payment_status="PENDING")]))
        assert len(gateway(talk).payments_of(RECEIPT)) == 2
        assert asked(talk) == [f"GET /orders/{RECEIPT}/payments"]

    def test_money_is_told_with_what_went_back_of_it(self) -> None:
        talk = script(answer([payment()]), answer([refund(refund_status="SUCCESS")]))
        (only,) = gateway(talk).payments_of(RECEIPT)
        assert (only.amount, only.amount_refunded) == (25_000, 5_000)

    def test_while_the_refunds_can_not_be_had_nobody_knows(self) -> None:
        with pytest.raises(GatewayUnavailableError):
            gateway(script(answer([payment()]), lost(), lost(), lost())).payments_of(RECEIPT)

    def test_a_payment_of_another_order_spoils_the_answer(self) -> None:
        with pytest.raises(GatewayUnavailableError, match="malformed"):
            gateway(script(answer([payment(order_id="top_2")]))).payments_of(RECEIPT)

    def test_an_order_id_can_not_leave_its_place_in_the_path(self) -> None:
        talk = script(answer([]))
        gateway(talk).payments_of("../x?y=#")
        assert talk.sent[0].path == "/orders/..%2Fx%3Fy%3D%23/payments"

    @pytest.mark.parametrize("body", [{}, [1], b"", b"nul", b'[{"a":1,"a":2}]', {"items": []}])
    def test_an_answer_that_is_no_list_is_malformed(self, body: object) -> None:
        with pytest.raises(GatewayUnavailableError, match="malformed"):
            gateway(script(*[answer(body)] * 3)).payments_of(RECEIPT)


BEGUN: Fields = {
    "action": "custom",
    "cf_payment_id": 1453002795,
    "channel": "link",
    "data": {"url": None, "payload": {"default": LINK, "gpay": "tez://upi/pay?pa=a@b"}},
}


class TestAUpiIntent:
    def begin(self, talk: Script) -> tuple[str, str]:
        made = gateway(talk).upi_intent(
            order_id=RECEIPT, amount_minor=25_000, currency="INR", contact=CONTACT, email="asha@example.com"
        )
        return made.payment_id, made.link

    def test_the_orders_session_opens_it_and_the_link_comes_back_letter_for_letter(self) -> None:
        talk = script(answer(order()), answer(BEGUN))
        assert self.begin(talk) == (PAYMENT, LINK)
        assert asked(talk) == [f"GET /orders/{RECEIPT}", "POST /orders/sessions"]
        assert talk.sent[1].body == {"payment_session_id": SESSION, "payment_method": {"upi": {"channel": "link"}}}

    def test_a_lost_answer_is_asked_for_again_under_the_same_key(self) -> None:
        talk = script(answer(order()), lost(), answer(BEGUN))
        assert self.begin(talk) == (PAYMENT, LINK)
        assert talk.sent[1].headers == talk.sent[2].headers

    def test_no_link_is_made_for_another_amount(self) -> None:
        with pytest.raises(GatewayRejectedError, match="order_mismatch"):
            self.begin(script(answer(order(order_amount=251))))

    @pytest.mark.parametrize(
        "data",
        [
            None,
            {"url": "https://a", "payload": None},
            {"payload": {"default": "https://a"}},
            {"payload": {"gpay": LINK}},
            {"payload": []},
        ],
    )
    def test_without_a_link_for_every_app_there_is_none(self, data: object) -> None:
        said = answer(BEGUN | {"data": data})
        with pytest.raises(GatewayUnavailableError, match="malformed"):
            self.begin(script(answer(order()), said, said, said))


class TestARefund:
    def test_it_looks_first_sees_that_the_order_means_this_payment_and_asks_with_our_id(self) -> None:
        tried = [payment(), payment(cf_payment_id="2", payment_status="FAILED")]
        talk = script(answer([]), answer(tried), answer(refund()))
        made = give_back(talk)
        assert (made.reference, made.status, made.amount) == (REFERENCE, RefundStatus.PENDING, 5_000)
        assert asked(talk) == [
            f"GET /orders/{RECEIPT}/refunds",
            f"GET /orders/{RECEIPT}/payments",
            f"POST /orders/{RECEIPT}/refunds",
        ]
        body = talk.sent[2].body
        assert body is not None
        assert (body["refund_id"], body["refund_amount"], body["refund_speed"]) == (REFERENCE, 50.0, "STANDARD")

    def test_one_that_is_there_is_not_asked_for_again(self) -> None:
        talk = script(answer([refund(refund_id="other"), refund(refund_status="SUCCESS")]))
        assert give_back(talk).status is RefundStatus.SUCCEEDED
        assert len(talk.sent) == 1

    def test_a_lost_answer_is_asked_for_again_under_the_same_key(self) -> None:
        talk = script(answer([]), answer([payment()]), lost(), answer(b"", 503), answer(refund()))
        assert give_back(talk).reference == REFERENCE
        assert len({sent.headers["x-idempotency-key"] for sent in talk.sent if sent.method == "POST"}) == 1

    @pytest.mark.parametrize(
        "known",
        [
            refused("refund_id_already_exists"),
            refused("request_invalid", 422, "idempotency_error"),
            refused("in_progress", 409),
        ],
    )
    def test_one_that_is_known_there_already_is_an_unknown_outcome_and_no_refusal(self, known: Answer) -> None:
        with pytest.raises(GatewayUnavailableError):
            give_back(script(answer([]), answer([payment()]), known))

    @pytest.mark.parametrize(
        "captured",
        [[], [payment(cf_payment_id="2")], [payment(), payment(cf_payment_id="2")]],
        ids=["none", "another", "two"],
    )
    def test_an_order_that_does_not_mean_this_payment_alone_is_left_to_people(self, captured: list[Fields]) -> None:
        talk = script(answer([]), answer(captured))
        with pytest.raises(GatewayRejectedError, match="payment_not_selectable"):
            give_back(talk)
        assert all(sent.method == "GET" for sent in talk.sent)

    def test_money_without_an_order_is_left_to_people(self) -> None:
        talk = script()
        with pytest.raises(GatewayRejectedError, match="order_unknown"):
            give_back(talk, order_id=None)
        assert talk.sent == []

    @pytest.mark.parametrize(
        "other",
        [
            {"refund_id": "rfd_" + "0" * 26},
            {"cf_payment_id": "2"},
            {"refund_amount": Number("50.01")},
            {"refund_currency": "USD"},
        ],
    )
    def test_an_answer_about_another_refund_is_an_unknown_outcome(self, other: Fields) -> None:
        with pytest.raises(GatewayUnavailableError, match="another refund"):
            give_back(script(answer([]), answer([payment()]), answer(refund(**other))))

    def test_a_refusal_is_a_refusal(self) -> None:
        with pytest.raises(GatewayRejectedError, match="refund_amount_invalid"):
            give_back(script(answer([]), answer([payment()]), refused("refund_amount_invalid")))

    def test_one_of_somebody_else_is_found_by_its_own_id(self) -> None:
        talk = script(answer([refund(refund_id="elsewhere", cf_refund_id=77)]))
        found = gateway(talk).find_refund(payment_id=PAYMENT, order_id=RECEIPT, reference="77")
        assert found is not None
        assert (found.refund_id, found.reference) == ("77", None)

    def test_one_of_another_payment_is_not_it(self) -> None:
        talk = script(answer([refund(cf_payment_id="2")]))
        assert gateway(talk).find_refund(payment_id=PAYMENT, order_id=RECEIPT, reference=REFERENCE) is None


def test_amounts_leave_the_house_as_they_are_written() -> None:
    from wallet.gateways.cashfree import wire  # noqa: PLC0415 - for this test alone
    from wallet.gateways.exact_json import compact_json  # noqa: PLC0415

    raw = compact_json(wire.order_request(receipt="top_1", amount_minor=10, currency="INR", contact=CONTACT))
    assert b'"order_amount":0.10,' in raw
    assert written({"a": Number("0.10")}) == b'{"a":0.10}'
