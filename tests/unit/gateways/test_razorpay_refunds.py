"""Refunds by the adapter, against a scripted transport: one for each reference, however many answers are lost."""

import pytest

from tests.unit.gateways.scripted import Fields, Script, answer, listed, lost, payment, refund, refused, script
from wallet.gateways.http import Answer
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError
from wallet.ledger.refunds import ObservedRefund, RefundStatus

REFERENCE = "rfd_01k2umbrella0000000000000a"
PAYMENT = "pay_Umbrella000001"
OURS: Fields = {"receipt": REFERENCE, "notes": {"reference": REFERENCE}}


def ask(talk: Script) -> ObservedRefund:
    return talk.gateway().refund(
        payment_id=PAYMENT, order_id=None, reference=REFERENCE, amount_minor=25_000, currency="INR"
    )


def find(talk: Script, reference: str = REFERENCE) -> ObservedRefund | None:
    return talk.gateway().find_refund(payment_id=PAYMENT, order_id=None, reference=reference)


def posts(talk: Script) -> int:
    return [sent.method for sent in talk.sent].count("POST")


class TestAskingForARefund:
    def test_it_looks_first_and_then_asks_with_our_reference_as_the_key(self) -> None:
        talk = script(listed(), answer(refund(**OURS)))
        made = ask(talk)
        assert (made.refund_id, made.reference, made.status) == ("rfnd_Umbrella00001", REFERENCE, RefundStatus.PENDING)
        looked, asked = talk.sent
        assert (looked.method, looked.path) == ("GET", f"/v1/payments/{PAYMENT}/refunds?count=100&skip=0")
        assert (asked.method, asked.path) == ("POST", f"/v1/payments/{PAYMENT}/refund")
        assert asked.headers == {"X-Refund-Idempotency": REFERENCE}
        assert asked.body == {
            "amount": 25_000,
            "speed": "normal",
            "receipt": REFERENCE,
            "notes": {"reference": REFERENCE},
        }

    def test_a_refund_that_is_there_is_not_asked_for_again(self) -> None:
        talk = script(listed(refund(), refund(id="rfnd_2", **OURS)))
        assert ask(talk).refund_id == "rfnd_2"
        assert posts(talk) == 0

    @pytest.mark.parametrize("trouble", [lost(), answer(b"", 500), answer(b"<html>", 502), answer(b"nul")])
    def test_a_lost_answer_is_asked_for_again_under_the_same_key(
        self, trouble: Answer | GatewayUnavailableError
    ) -> None:
        talk = script(listed(), trouble, answer(refund(**OURS)))
        assert ask(talk).reference == REFERENCE
        assert {sent.headers.get("X-Refund-Idempotency") for sent in talk.sent[1:]} == {REFERENCE}
        assert talk.sent[1].body == talk.sent[2].body

    @pytest.mark.parametrize(
        "sentence",
        [
            "Another request with the same idempotency key is still in progress.",
            "Different request with the same idempotency key has already been processed.",
        ],
    )
    def test_a_key_that_is_in_use_is_an_unknown_outcome_and_no_refusal(self, sentence: str) -> None:
        conflict = answer({"error": {"code": "BAD_REQUEST_ERROR", "description": sentence, "reason": "NA"}}, 409)
        with pytest.raises(GatewayUnavailableError):
            ask(script(listed(), conflict))

    def test_a_refusal_is_a_refusal(self) -> None:
        talk = script(listed(), refused("The payment has been fully refunded already", reason="payment_refunded"))
        with pytest.raises(GatewayRejectedError) as caught:
            ask(talk)
        assert caught.value.reason == "payment_refunded"

    def test_nothing_is_asked_for_while_nobody_can_say_whether_it_is_there(self) -> None:
        talk = script(lost(), lost(), lost())
        with pytest.raises(GatewayUnavailableError):
            ask(talk)
        assert posts(talk) == 0

    def test_an_answer_that_leaves_the_currency_empty_means_the_payments(self) -> None:
        assert ask(script(listed(), answer(refund(currency="", **OURS)))).currency == "INR"

    @pytest.mark.parametrize(
        "broken", [{"amount": 1.0}, {"id": None}, {"payment_id": 7}, {"status": None}, {"currency": "rupee"}]
    )
    def test_a_field_of_another_type_is_an_unknown_outcome(self, broken: Fields) -> None:
        talk = script(listed(), *[answer(refund(**OURS) | broken)] * 3)
        with pytest.raises(GatewayUnavailableError, match="malformed"):
            ask(talk)


class TestFindingARefund:
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("pending", RefundStatus.PENDING),
            ("processed", RefundStatus.SUCCEEDED),
            ("failed", RefundStatus.FAILED),
            ("new_word", RefundStatus.UNKNOWN),
        ],
    )
    def test_its_state_is_told_in_our_words(self, word: str, status: RefundStatus) -> None:
        found = find(script(listed(refund(status=word, **OURS))))
        assert found is not None
        assert (found.status, found.amount, found.payment_id) == (status, 25_000, PAYMENT)

    def test_nothing_is_none(self) -> None:
        assert find(script(listed(refund(), refund(receipt="Receipt No. 31")))) is None

    def test_one_that_somebody_else_began_is_found_by_its_own_id(self) -> None:
        found = find(script(listed(refund(id="rfnd_1"), refund(id="rfnd_2"))), "rfnd_2")
        assert found is not None
        assert (found.refund_id, found.reference) == ("rfnd_2", None)

    def test_it_is_found_behind_a_hundred_others(self) -> None:
        others = [refund(id=f"rfnd_{number}") for number in range(100)]
        talk = script(listed(*others), listed(refund(id="rfnd_mine", **OURS)))
        found = find(talk)
        assert found is not None
        assert found.refund_id == "rfnd_mine"
        assert talk.sent[1].path.endswith("/refunds?count=100&skip=100")

    @pytest.mark.parametrize("silence", ["", None])
    def test_one_that_leaves_its_currency_empty_has_that_of_its_payment(self, silence: str | None) -> None:
        talk = script(listed(refund(currency=silence, **OURS), refund(id="rfnd_2")), answer(payment(currency="USD")))
        told = talk.gateway().refunds_of(payment_id=PAYMENT, order_id=None)
        assert sorted(one.currency for one in told) == ["INR", "USD"]
        assert talk.sent[1].path == f"/v1/payments/{PAYMENT}"

    def test_of_two_with_one_reference_the_older_is_the_one(self) -> None:
        older, newer = refund(id="rfnd_b", created_at=5, **OURS), refund(id="rfnd_a", created_at=6, **OURS)
        found = find(script(listed(newer, older)))
        assert found is not None
        assert found.refund_id == "rfnd_b"

    def test_a_payment_id_cannot_leave_its_place_in_the_path(self) -> None:
        talk = script(listed())
        talk.gateway().find_refund(payment_id="../orders?x=#", order_id=None, reference=REFERENCE)
        assert talk.sent[0].path.startswith("/v1/payments/..%2Forders%3Fx%3D%23/refunds?")
