"""The adapter's recipes against a scripted transport: no socket, and no second passes."""

import pytest

from tests.unit.gateways.scripted import Script, answer, listed, lost, order, payment, refused, script
from wallet.gateways.http import Answer
from wallet.gateways.port import Gateway, GatewayOrder, GatewayRejectedError, GatewayUnavailableError
from wallet.gateways.razorpay.wire import credentials
from wallet.ledger.attempts import PaymentStatus

THE_ORDER = GatewayOrder("order_Umbrella000001", "top_1", 25_000, "INR")
CONTACT = "+919000000000"
INTENT = {
    "razorpay_payment_id": "pay_Umbrella000001",
    "link": "upi://pay?pa=a@b&pn=Umbrella%20Shop&am=250.00",
}


def create(script: Script) -> GatewayOrder:
    return script.gateway().create_order(receipt="top_1", amount_minor=25_000, currency="INR", contact=CONTACT)


def methods(script: Script) -> list[str]:
    return [sent.method for sent in script.sent]


def test_the_adapter_is_a_gateway() -> None:
    gateway: Gateway = script().gateway()
    assert gateway.name == "razorpay"
    assert gateway.checkout(order_id="order_1", session=None) == {"key_id": "rzp_test_script", "order_id": "order_1"}


class TestCreatingAnOrder:
    def test_it_asks_once_for_a_unique_receipt_and_automatic_capture(self) -> None:
        talk = script(answer(order()))
        assert create(talk) == THE_ORDER
        assert talk.sent[0].path == "/v1/orders"
        assert talk.sent[0].body == {
            "amount": 25_000,
            "currency": "INR",
            "receipt": "top_1",
            "unique_receipt": True,
            "payment": {"capture": "automatic"},
        }

    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_any_2xx_is_a_success(self, status: int) -> None:
        assert create(script(answer(order(), status))) == THE_ORDER

    def test_unknown_fields_and_notes_that_are_an_object_are_passed_over(self) -> None:
        assert create(script(answer(order(notes={"a": "b"}, checkout={"new": [1.5]})))) == THE_ORDER

    @pytest.mark.parametrize("trouble", [lost(), answer(b"", 500), answer(b"<html>", 502), answer(b"", 504)])
    def test_a_lost_answer_is_looked_for_by_the_receipt(self, trouble: Answer | GatewayUnavailableError) -> None:
        talk = script(trouble, listed(order()))
        assert create(talk) == THE_ORDER
        assert methods(talk) == ["POST", "GET"]
        assert talk.sent[1].path == "/v1/orders?receipt=top_1&count=100"

    def test_an_answer_that_cannot_be_read_is_as_good_as_lost(self) -> None:
        assert create(script(answer(b'{"id": "order_1"'), listed(order()))) == THE_ORDER

    def test_a_receipt_that_is_taken_leads_to_its_order(self) -> None:
        talk = script(refused("Order receipt should be unique."), listed(order()))
        assert create(talk) == THE_ORDER

    def test_an_order_that_is_not_there_is_asked_for_once_more(self) -> None:
        talk = script(lost(), listed(), answer(order()))
        assert create(talk) == THE_ORDER
        assert methods(talk) == ["POST", "GET", "POST"]

    def test_a_second_answer_that_is_lost_is_looked_for_too(self) -> None:
        assert create(script(lost(), listed(), lost(), listed(order()))) == THE_ORDER

    def test_it_is_never_asked_for_a_third_time(self) -> None:
        talk = script(lost(), listed(), lost(), listed())
        with pytest.raises(GatewayUnavailableError):
            create(talk)
        assert methods(talk).count("POST") == 2

    def test_it_is_not_asked_for_again_while_nobody_can_say_whether_it_is_there(self) -> None:
        talk = script(lost(), lost(), lost(), lost())
        with pytest.raises(GatewayUnavailableError):
            create(talk)
        assert methods(talk) == ["POST", "GET", "GET", "GET"]

    @pytest.mark.parametrize("found", [order(amount=30_000), order(currency="USD")])
    def test_an_order_of_another_amount_is_refused_not_used(self, found: dict[str, object]) -> None:
        with pytest.raises(GatewayRejectedError, match="order_mismatch"):
            create(script(lost(), listed(found)))

    def test_an_answer_that_shows_another_amount_is_refused_too(self) -> None:
        with pytest.raises(GatewayRejectedError, match="order_mismatch"):
            create(script(answer(order(amount=30_000))))

    def test_of_two_orders_with_one_receipt_the_oldest_is_taken(self) -> None:
        younger = order(id="order_younger", created_at=1_795_000_009)
        assert create(script(lost(), listed(younger, order()))) == THE_ORDER

    def test_orders_of_another_receipt_are_not_ours_whatever_the_filter_did(self) -> None:
        talk = script(lost(), listed(order(receipt="top_2"), order(receipt=None)), answer(order()))
        assert create(talk) == THE_ORDER

    def test_a_refusal_keeps_what_the_gateway_said(self) -> None:
        said = refused("The amount is wrong, said +919876543210", field="amount", reason="NA", source="business")
        with pytest.raises(GatewayRejectedError) as caught:
            create(script(said))
        error = caught.value
        assert (error.http_status, error.code, error.field) == (400, "BAD_REQUEST_ERROR", "amount")
        assert error.reason is None
        assert error.description == "The amount is wrong, said +919876543210"
        assert "+91" not in str(error)

    @pytest.mark.parametrize("body", [b"", b"<html>Forbidden</html>", b"[]", b'{"error": "no"}', b"\xff\xfe"])
    def test_a_refusal_without_the_documented_body_is_still_a_refusal(self, body: bytes) -> None:
        with pytest.raises(GatewayRejectedError) as caught:
            create(script(answer(body, 403)))
        assert (caught.value.http_status, caught.value.code, caught.value.reason) == (403, None, None)

    def test_a_redirect_is_not_an_answer(self) -> None:
        with pytest.raises(GatewayUnavailableError):
            create(script(answer(b"", 302), answer(b"", 302), answer(b"", 302), answer(b"", 302)))

    @pytest.mark.parametrize("amount", [250.0, "25000", True, 0, -1, None, 2**53])
    def test_an_amount_that_is_not_whole_and_positive_never_leaves_the_house(self, amount: int) -> None:
        talk = script()
        with pytest.raises(ValueError, match="amount"):
            talk.gateway().create_order(receipt="top_1", amount_minor=amount, currency="INR", contact=CONTACT)
        assert talk.sent == []

    @pytest.mark.parametrize("receipt", ["", "x" * 41, "top\n1", "टॉप"])
    def test_a_receipt_that_the_gateway_would_cut_never_leaves_the_house(self, receipt: str) -> None:
        with pytest.raises(ValueError, match="receipt"):
            script().gateway().create_order(receipt=receipt, amount_minor=100, currency="INR", contact=CONTACT)


class TestPatience:
    def test_429_was_not_carried_out_and_may_be_repeated_after_the_time_it_names(self) -> None:
        talk = script(answer(b"", 429, retry_after_s=2), answer(order()))
        assert create(talk) == THE_ORDER
        assert methods(talk) == ["POST", "POST"]
        assert 2 <= talk.time.slept[0] <= 3

    def test_a_retry_after_beyond_the_deadline_is_handed_on_without_waiting(self) -> None:
        talk = script(answer(b"", 429, retry_after_s=60))
        with pytest.raises(GatewayUnavailableError) as caught:
            create(talk)
        assert caught.value.retry_after_s == 60
        assert talk.time.slept == []

    def test_a_question_is_repeated_with_growing_jittered_pauses(self) -> None:
        talk = script(answer(b"", 503), lost(), listed(payment()))
        assert len(talk.gateway().payments_of("order_Umbrella000001")) == 1
        assert talk.time.slept == [0.1, 0.2]

    def test_the_jitter_is_full(self) -> None:
        talk = script(lost(), lost(), listed())
        talk.gateway(uniform=lambda shortest, _: shortest).payments_of("order_1")
        assert talk.time.slept == [0.0, 0.0]

    def test_a_question_is_given_up_after_three_tries(self) -> None:
        talk = script(lost(), lost(), lost())
        with pytest.raises(GatewayUnavailableError):
            talk.gateway().payments_of("order_1")
        assert len(talk.sent) == 3

    def test_no_recipe_outlasts_its_deadline(self) -> None:
        talk = script(*[lost()] * 9, seconds_lost=4.0)
        begun = talk.time.now
        with pytest.raises(GatewayUnavailableError):
            create(talk)
        assert methods(talk) == ["POST", "GET"]
        assert talk.time.now - begun <= 5.5


class TestThePaymentsOfAnOrder:
    def test_all_attempts_are_told_side_by_side(self) -> None:
        failed = payment(
            id="pay_1",
            status="failed",
            captured=False,
            error_code="BAD_REQUEST_ERROR",
            error_reason="incorrect_pin",
        )
        talk = script(listed(failed, payment(amount_refunded=100)))
        first, second = talk.gateway().payments_of("order_Umbrella000001")
        assert (first.status, first.captured, first.reason) == (PaymentStatus.FAILED, False, "incorrect_pin")
        assert (second.status, second.captured, second.amount) == (PaymentStatus.CAPTURED, True, 25_000)
        assert (second.amount_refunded, second.currency, second.reason) == (100, "INR", None)
        assert talk.sent[0].path == "/v1/orders/order_Umbrella000001/payments"

    def test_a_new_status_is_unknown_not_an_error(self) -> None:
        talk = script(listed(payment(status="pending_cod", captured=False)))
        (only,) = talk.gateway().payments_of("order_Umbrella000001")
        assert only.status is PaymentStatus.UNKNOWN

    def test_an_order_id_cannot_leave_its_place_in_the_path(self) -> None:
        talk = script(listed())
        talk.gateway().payments_of("../payments/pay_1?x=#")
        assert talk.sent[0].path == "/v1/orders/..%2Fpayments%2Fpay_1%3Fx%3D%23/payments"

    def test_a_full_page_makes_it_ask_for_the_rest(self) -> None:
        many = [payment(id=f"pay_{number}", status="failed", captured=False) for number in range(13)]
        talk = script(listed(*many[:10]), listed(*many[10:]))
        assert len(talk.gateway().payments_of("order_Umbrella000001")) == 13
        assert talk.sent[1].path.endswith("/payments?count=100&skip=10")

    def test_an_endpoint_that_ignores_paging_ends_the_asking(self) -> None:
        many = [payment(id=f"pay_{number}") for number in range(10)]
        talk = script(listed(*many), listed(*many))
        assert len(talk.gateway().payments_of("order_Umbrella000001")) == 10

    def test_an_endpoint_that_refuses_paging_has_told_everything(self) -> None:
        many = [payment(id=f"pay_{number}") for number in range(10)]
        talk = script(listed(*many), refused("count is not wanted"))
        assert len(talk.gateway().payments_of("order_Umbrella000001")) == 10

    def test_a_payment_of_another_order_spoils_the_answer(self) -> None:
        with pytest.raises(GatewayUnavailableError, match="malformed"):
            script(listed(payment(order_id="order_other"))).gateway().payments_of("order_Umbrella000001")

    def test_a_refusal_of_the_first_page_is_a_refusal(self) -> None:
        with pytest.raises(GatewayRejectedError):
            script(refused("no such order")).gateway().payments_of("order_1")

    @pytest.mark.parametrize(
        "broken",
        [
            {"amount": 25_000.0},
            {"amount": "25000"},
            {"amount": True},
            {"amount": None},
            {"amount": -1},
            {"amount": 2**53},
            {"amount_refunded": 1.0},
            {"captured": 1},
            {"captured": None},
            {"currency": "inr"},
            {"currency": 356},
            {"id": "pay_1'; --"},
            {"id": None},
            {"order_id": 7},
            {"status": None},
        ],
    )
    def test_a_field_of_another_type_is_a_malformed_answer(self, broken: dict[str, object]) -> None:
        with pytest.raises(GatewayUnavailableError, match="malformed"):
            script(listed(payment(**broken))).gateway().payments_of("order_Umbrella000001")

    @pytest.mark.parametrize("body", [[], {}, {"items": {}}, {"items": [1]}, b"", b"nul", b'{"items":[],"items":[]}'])
    def test_an_answer_that_is_no_collection_is_malformed_and_not_asked_for_again(self, body: object) -> None:
        talk = script(*[answer(body)] * 3)
        with pytest.raises(GatewayUnavailableError, match="malformed"):
            talk.gateway().payments_of("order_1")


class TestFindingAnOrder:
    def test_it_finds_the_order_of_the_receipt(self) -> None:
        assert script(listed(order())).gateway().find_order(receipt="top_1") == THE_ORDER

    def test_nothing_is_none(self) -> None:
        assert script(listed()).gateway().find_order(receipt="top_1") is None

    def test_the_receipt_is_quoted(self) -> None:
        talk = script(listed())
        talk.gateway().find_order(receipt="a b&count=1")
        assert talk.sent[0].path == "/v1/orders?receipt=a%20b%26count%3D1&count=100"


class TestAUpiIntent:
    def intent(self, talk: Script) -> tuple[str, str]:
        made = talk.gateway().upi_intent(
            order_id="order_Umbrella000001",
            amount_minor=25_000,
            currency="INR",
            contact="+919876543210",
            email="asha@example.com",
        )
        return made.payment_id, made.link

    def test_the_link_comes_back_letter_for_letter(self) -> None:
        talk = script(answer(INTENT))
        assert self.intent(talk) == ("pay_Umbrella000001", INTENT["link"])
        assert talk.sent[0].path == "/v1/payments/create/upi"
        assert talk.sent[0].body == {
            "amount": 25_000,
            "currency": "INR",
            "order_id": "order_Umbrella000001",
            "email": "asha@example.com",
            "contact": "+919876543210",
            "method": "upi",
            "upi": {"flow": "intent"},
        }

    @pytest.mark.parametrize("link", ["https://pay", "javascript:upi://pay?", "upi://pay?", "upi://pay?a=\n", None, 7])
    def test_a_link_that_is_not_for_a_upi_app_is_not_handed_on(self, link: object) -> None:
        with pytest.raises(GatewayUnavailableError, match="malformed"):
            self.intent(script(answer(INTENT | {"link": link})))

    @pytest.mark.parametrize("trouble", [lost(), answer(b"", 503)])
    def test_a_lost_answer_is_not_sent_again(self, trouble: Answer | GatewayUnavailableError) -> None:
        talk = script(trouble)
        with pytest.raises(GatewayUnavailableError):
            self.intent(talk)
        assert len(talk.sent) == 1


class TestTheKeyPair:
    def test_authorization_is_written_exactly_as_the_gateway_wants_it(self) -> None:
        assert credentials("rzp_test_umbrella", "open-sesame") == {
            "Authorization": "Basic cnpwX3Rlc3RfdW1icmVsbGE6b3Blbi1zZXNhbWU="
        }

    @pytest.mark.parametrize(
        ("key_id", "secret"),
        [("", "s"), ("k", ""), ("k:k", "s"), ("k\r\nX: y", "s"), ("k", "ß"), ("k", "open\nsesame")],
    )
    def test_one_that_cannot_be_one_is_refused_at_once_and_not_shown(self, key_id: str, secret: str) -> None:
        with pytest.raises(ValueError, match="the gateway's key") as caught:
            credentials(key_id, secret)
        assert "sesame" not in str(caught.value)
