"""The payout adapter over real HTTP, against a server that speaks RazorpayX's protocol."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.gateway.server import Simulator, running
from tests.integration import razorpay_simulator as razorpay
from tests.integration import razorpayx_simulator as razorpayx
from tests.support.crowd import together
from wallet import wiring
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError
from wallet.gateways.razorpayx.client import RazorpayXPayouts
from wallet.gateways.razorpayx.webhook import RazorpayXWebhook
from wallet.ledger import ids
from wallet.ledger.withdrawals import ObservedPayout, PayoutStatus


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with running(replace(razorpay.settings(tmp_path))) as started:
        yield started


def new_reference() -> str:
    return ids.show(ids.WITHDRAWAL, wiring.new_id())


def send(provider: RazorpayXPayouts, reference: str, **changes: Any) -> ObservedPayout:
    asked: dict[str, Any] = {
        "reference": reference,
        "amount_minor": 25_000,
        "currency": "INR",
        "vpa": "pending@okbank",
        "name": "Asha Rao",
    }
    return provider.send(**(asked | changes))


def test_a_payout_is_made_and_found_by_its_reference(simulator: Simulator) -> None:
    provider, reference = razorpayx.adapter(simulator), new_reference()
    before = razorpayx.balance(simulator)
    payout = send(provider, reference)
    assert (payout.reference, payout.amount, payout.currency) == (reference, 25_000, "INR")
    assert payout.status is PayoutStatus.PENDING
    assert provider.find(reference=reference) == payout
    assert provider.find(reference=new_reference()) is None
    assert razorpayx.balance(simulator) == before - 25_000


def test_asking_again_under_the_same_reference_pays_once(simulator: Simulator) -> None:
    provider, reference = razorpayx.adapter(simulator), new_reference()
    answers = together([lambda: send(provider, reference)] * 8)
    assert len({answer.payout_id for answer in answers if isinstance(answer, ObservedPayout)}) == 1, answers
    assert len(razorpayx.payouts_of(simulator, reference)) == 1


def test_a_payout_whose_answer_was_lost_is_found_and_not_paid_again(simulator: Simulator) -> None:
    provider, reference = razorpayx.adapter(simulator), new_reference()
    razorpay.fault(simulator, "drop_answer", path="/v1/payouts", method="POST", times=1)
    with pytest.raises(GatewayUnavailableError):
        send(provider, reference)
    found = provider.find(reference=reference)
    assert found is not None
    assert send(provider, reference) == found
    assert len(razorpayx.payouts_of(simulator, reference)) == 1


def test_a_payout_whose_answer_came_too_late_is_paid_once(simulator: Simulator) -> None:
    provider, reference = razorpayx.adapter(simulator), new_reference()
    razorpay.fault(simulator, "slow", path="/v1/payouts", method="POST", times=1, seconds=2.5)
    with pytest.raises(GatewayUnavailableError):
        send(razorpayx.adapter(simulator, razorpay.SHORT), reference)
    send(provider, reference)
    razorpay.wait_until(lambda: len(razorpayx.payouts_of(simulator, reference)) == 1)
    assert send(provider, reference).reference == reference
    assert len(razorpayx.payouts_of(simulator, reference)) == 1


@pytest.mark.parametrize("mode", ["down", "rate_limited"])
def test_a_provider_in_trouble_says_neither_yes_nor_no(simulator: Simulator, mode: str) -> None:
    razorpay.fault(simulator, mode)
    provider, reference = razorpayx.adapter(simulator), new_reference()
    with pytest.raises(GatewayUnavailableError):
        send(provider, reference)
    with pytest.raises(GatewayUnavailableError):
        provider.find(reference=reference)


def test_a_provider_that_is_not_there_says_neither_yes_nor_no(simulator: Simulator) -> None:
    provider = razorpayx.adapter(simulator)
    simulator.stop()
    with pytest.raises(GatewayUnavailableError):
        send(provider, new_reference())


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"vpa": "asha_rao@okbank"}, "fund_account.vpa.address"),
        ({"amount_minor": 99}, "amount"),
        ({"currency": "USD"}, "currency"),
    ],
    ids=str,
)
def test_what_the_provider_will_not_pay_is_rejected_by_name(
    simulator: Simulator, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(GatewayRejectedError) as caught:
        send(razorpayx.adapter(simulator), new_reference(), **wrong)
    assert (caught.value.reason, caught.value.field) == ("input_validation_failed", field)
    assert "asha_rao" not in str(caught.value)


def test_a_rejection_of_ours_is_no_rejection_of_the_payout(simulator: Simulator) -> None:
    def made(key_secret: str, account_number: str) -> RazorpayXPayouts:
        return RazorpayXPayouts.over_http(
            base_url=simulator.url,
            key_id=razorpay.KEY_ID,
            key_secret=key_secret,
            account_number=account_number,
            limits=razorpay.PATIENT,
        )

    wrong_key = made("another", razorpayx.ACCOUNT_NUMBER)
    wrong_account = made(razorpay.KEY_SECRET, "1")
    for provider in (wrong_key, wrong_account):
        with pytest.raises(GatewayUnavailableError):
            send(provider, new_reference())


def test_a_key_under_which_something_else_was_asked_says_nothing_about_the_payout(simulator: Simulator) -> None:
    provider, reference = razorpayx.adapter(simulator), new_reference()
    send(provider, reference)
    with pytest.raises(GatewayUnavailableError):
        send(provider, reference, amount_minor=26_000)
    assert len(razorpayx.payouts_of(simulator, reference)) == 1


@pytest.mark.parametrize("name", ["आशा राव", "A", "Dr. Asha Rao-Menon & Sons, (Pvt) Ltd.", "x" * 100, "Asha /"])
def test_whoever_it_is_has_a_name_that_the_provider_takes(simulator: Simulator, name: str) -> None:
    assert send(razorpayx.adapter(simulator), new_reference(), name=name).status is PayoutStatus.PENDING


def test_a_payout_waits_while_there_is_too_little_in_our_account(simulator: Simulator) -> None:
    provider, reference = razorpayx.adapter(simulator), new_reference()
    razorpayx.set_balance(simulator, 24_999)
    payout = send(provider, reference, vpa="asha@okbank")
    assert (payout.status, payout.reason) == (PayoutStatus.PENDING, "low_balance")
    razorpayx.set_balance(simulator, 30_000)
    found = provider.find(reference=reference)
    assert found is not None
    assert found.status is PayoutStatus.SUCCEEDED
    assert razorpayx.balance(simulator) == 5_000


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("processed", PayoutStatus.SUCCEEDED),
        ("failed", PayoutStatus.FAILED),
        ("rejected", PayoutStatus.FAILED),
        ("cancelled", PayoutStatus.FAILED),
        ("reversed", PayoutStatus.REVERSED),
    ],
)
def test_what_became_of_a_payout_is_seen_by_asking(simulator: Simulator, outcome: str, status: PayoutStatus) -> None:
    provider, reference = razorpayx.adapter(simulator), new_reference()
    send(provider, reference)
    razorpayx.end(simulator, reference, outcome)
    found = provider.find(reference=reference)
    assert found is not None
    assert found.status is status


def test_what_became_of_a_payout_is_told_by_webhooks_that_the_reader_believes(simulator: Simulator) -> None:
    reader = RazorpayXWebhook([razorpayx.WEBHOOK_SECRET])
    with razorpay.receiving() as payments, razorpay.receiving() as payouts:
        razorpay.aim(simulator, payments)
        told = {"url": payouts.url, "secret": razorpayx.WEBHOOK_SECRET, "channel": "razorpayx"}
        assert razorpay.call(simulator, "PUT", "/simulator/webhook", told)[0] == 200
        reference = new_reference()
        send(razorpayx.adapter(simulator), reference, vpa="reversed@okbank")
        payouts.wait_for(3)
        events = [reader.read(body, headers) for body, headers in payouts.received]
        assert payments.received == []
    assert {event.name for event in events} == {"payout.initiated", "payout.processed", "payout.reversed"}
    assert {payout.reference for event in events for payout in event.payouts} == {reference}
    assert {payout.status for event in events for payout in event.payouts} == {
        PayoutStatus.PENDING,
        PayoutStatus.SUCCEEDED,
        PayoutStatus.REVERSED,
    }
