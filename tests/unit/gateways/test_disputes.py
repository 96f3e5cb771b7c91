"""Disputes (chargebacks) as each gateway tells of them: an end is believed only where everything says it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.gateways.scripted_cashfree import Number, written
from tests.unit.gateways.test_razorpay_webhook import ACCOUNT, compact, event
from wallet.gateways.cashfree import webhook as cashfree
from wallet.gateways.port import MalformedEventError
from wallet.gateways.razorpay import webhook as razorpay
from wallet.ledger.disputes import DisputePhase, DisputeStatus, ObservedDispute

TOLD = datetime.fromtimestamp(1_795_000_200, UTC)
DEADLINE = datetime.fromtimestamp(1_795_300_000, UTC)


def entity(**changes: object) -> dict[str, object]:
    return {
        "id": "disp_Umbrella000001",
        "entity": "dispute",
        "payment_id": "pay_Umbrella000001",
        "amount": 50_000,
        "currency": "INR",
        "amount_deducted": 0,
        "reason_code": "goods_or_services_not_received_or_partially_received",
        "respond_by": 1_795_300_000,
        "status": "open",
        "phase": "chargeback",
        "created_at": 1_795_000_100,
        "evidence": None,
    } | changes


def of_razorpay(name: str = "created", *, account: str = ACCOUNT, **changes: object) -> tuple[ObservedDispute, ...]:
    told = event(f"payment.dispute.{name}", dispute=entity(**changes)) | {"account_id": account}
    read = razorpay.event_of(compact(told), account_id=ACCOUNT)
    assert (read.payments, read.refunds) == ((), ()), "the payment beside it is no news"
    return read.disputes


class TestRazorpay:
    def test_a_new_dispute_is_read_with_amount_phase_and_deadline(self) -> None:
        assert of_razorpay() == (
            ObservedDispute(
                gateway="razorpay",
                dispute_id="disp_Umbrella000001",
                payment_id="pay_Umbrella000001",
                amount=50_000,
                currency="INR",
                phase=DisputePhase.CHARGEBACK,
                status=DisputeStatus.OPEN,
                told_at=TOLD,
                respond_by=DEADLINE,
                reason="goods_or_services_not_received_or_partially_received",
            ),
        )

    @pytest.mark.parametrize(
        ("name", "status", "read"),
        [
            ("created", "open", "open"),
            ("under_review", "under_review", "under_review"),
            ("action_required", "open", "action_required"),
            ("action_required", "under_review", "action_required"),
            ("won", "won", "won"),
            ("lost", "lost", "lost"),
            ("closed", "closed", "closed"),
            # the two say different things: nothing has ended
            ("created", "lost", "open"),
            ("won", "lost", "open"),
            ("lost", "open", "open"),
            ("action_required", "won", "open"),
            ("created", "new_word", "open"),
            ("new_word", "under_review", "under_review"),
        ],
    )
    def test_a_status_is_final_only_where_event_and_dispute_agree(self, name: str, status: str, read: str) -> None:
        assert of_razorpay(name, status=status)[0].status is DisputeStatus(read)

    @pytest.mark.parametrize("phase", ["fraud", "retrieval", "chargeback", "pre_arbitration", "arbitration"])
    def test_every_phase_is_known(self, phase: str) -> None:
        assert of_razorpay(phase=phase)[0].phase.value == phase

    @pytest.mark.parametrize(
        ("name", "deducted", "status", "amount"),
        [
            ("lost", 0, "lost", 50_000),
            ("lost", 20_000, "lost", 20_000),
            ("lost", 50_001, "lost", 50_000),
            ("lost", None, "lost", 50_000),
            ("lost", True, "lost", 50_000),
            ("created", 50_000, "open", 50_000),  # taken at the onset
            ("won", 50_000, "won", 50_000),
            ("closed", 20_000, "lost", 20_000),
        ],
    )
    def test_the_loss_is_what_was_deducted(self, name: str, deducted: object, status: str, amount: int) -> None:
        told = "open" if name == "created" else name
        [dispute] = of_razorpay(name, status=told, amount_deducted=deducted)
        assert (dispute.status.value, dispute.amount) == (status, amount)

    @pytest.mark.parametrize(
        ("change", "read"),
        [
            ({"respond_by": None}, {"respond_by": None}),
            ({"respond_by": "soon"}, {"respond_by": None}),
            ({"respond_by": 10**15}, {"respond_by": None}),
            ({"reason_code": None}, {"reason": None}),
            ({"phase": ["x"]}, {"phase": DisputePhase.UNKNOWN}),
            ({"phase": "second_presentment"}, {"phase": DisputePhase.UNKNOWN}),
        ],
    )
    def test_what_we_could_do_without_may_be_of_any_form(self, change: Any, read: dict[str, object]) -> None:
        [dispute] = of_razorpay(**change)
        assert {name: getattr(dispute, name) for name in read} == read

    @pytest.mark.parametrize(
        "change",
        [{"id": 1}, {"payment_id": None}, {"amount": "500"}, {"amount": 1.5}, {"currency": "rupees"}, {"status": None}],
    )
    def test_what_we_need_may_not(self, change: Any) -> None:
        with pytest.raises(MalformedEventError):
            of_razorpay(**change)

    def test_an_event_without_its_time_is_dated_by_the_dispute(self) -> None:
        told = event("payment.dispute.created", dispute=entity()) | {"created_at": None}
        [dispute] = razorpay.event_of(compact(told), account_id=ACCOUNT).disputes
        assert dispute.told_at == datetime.fromtimestamp(1_795_000_100, UTC)
        with pytest.raises(MalformedEventError):
            razorpay.event_of(
                compact(event("payment.dispute.created", dispute=entity(created_at=0)) | {"created_at": "x"}),
                account_id=ACCOUNT,
            )

    def test_disputes_of_another_account_or_of_nothing_are_left_alone(self) -> None:
        assert razorpay.event_of(compact(event("payment.dispute.won")), account_id=ACCOUNT).disputes == ()
        assert of_razorpay(account="acc_Other") == ()
        assert of_razorpay(amount=0) == ()


def of_cashfree(name: str = "DISPUTE_CREATED", **changes: object) -> tuple[ObservedDispute, ...]:
    dispute: dict[str, object] = {
        "dispute_id": "433475257",
        "dispute_type": "CHARGEBACK",
        "reason_code": "4855",
        "reason_description": "Goods or Services Not Provided",
        "dispute_amount": Number("450.50"),
        "dispute_amount_currency": "INR",
        "created_at": "2026-11-18T20:08:20+05:30",
        "updated_at": "2026-11-18T20:08:20+05:30",
        "respond_by": "2026-11-22T07:26:40+05:30",
        "dispute_status": "CHARGEBACK_CREATED",
        "cf_dispute_remarks": "Dispute is created, please take action",
    }
    order = {"order_id": "top_1", "cf_payment_id": 885_457_437, "payment_currency": "INR"}
    given = {field: value for field, value in (dispute | changes).items() if value is not None}
    data = {"dispute": given, "order_details": order}
    told = {"data": data, "event_time": "2026-11-18T20:10:00+05:30", "type": name}
    return cashfree.event_of(written(told)).disputes


class TestCashfree:
    def test_a_new_dispute_is_read_with_amount_phase_and_deadline(self) -> None:
        assert of_cashfree() == (
            ObservedDispute(
                gateway="cashfree",
                dispute_id="433475257",
                payment_id="885457437",
                amount=45_050,
                currency="INR",
                phase=DisputePhase.CHARGEBACK,
                status=DisputeStatus.OPEN,
                told_at=datetime(2026, 11, 18, 14, 40, tzinfo=UTC),
                respond_by=datetime(2026, 11, 22, 1, 56, 40, tzinfo=UTC),
                reason="4855",
            ),
        )

    @pytest.mark.parametrize(
        ("name", "status", "read"),
        [
            ("DISPUTE_UPDATED", "CHARGEBACK_DOCS_RECEIVED", "under_review"),
            ("DISPUTE_UPDATED", "DISPUTE_UNDER_REVIEW", "under_review"),
            ("DISPUTE_UPDATED", "CHARGEBACK_INSUFFICIENT_EVIDENCE", "action_required"),
            ("DISPUTE_CLOSED", "CHARGEBACK_INSUFFICIENT_EVIDENCE", "lost"),
            ("DISPUTE_CLOSED", "PRE_ARBITRATION_MERCHANT_WON", "won"),
            ("DISPUTE_UPDATED", "ARBITRATION_MERCHANT_LOST", "lost"),
            ("DISPUTE_CLOSED", "CHARGEBACK_MERCHANT_ACCEPTED", "lost"),
            ("DISPUTE_CLOSED", "DISPUTE_CLOSED", "open"),  # nobody says how
            ("DISPUTE_CLOSED", "A_NEW_WORD", "open"),
        ],
    )
    def test_a_status_is_read_by_its_ending(self, name: str, status: str, read: str) -> None:
        assert of_cashfree(name, dispute_status=status)[0].status is DisputeStatus(read)

    @pytest.mark.parametrize(
        ("kind", "phase"),
        [
            ("DISPUTE", "dispute"),
            ("RETRIEVAL", "retrieval"),
            ("PRE_ARBITRATION", "pre_arbitration"),
            ("ARBITRATION", "arbitration"),
            ("SOMETHING", "unknown"),
        ],
    )
    def test_a_type_is_a_phase(self, kind: str, phase: str) -> None:
        assert of_cashfree(dispute_type=kind)[0].phase is DisputePhase(phase)

    def test_ids_may_be_numbers_and_amounts_whole(self) -> None:
        [dispute] = of_cashfree(dispute_id=433_475_257, dispute_amount=3)
        assert (dispute.dispute_id, dispute.amount) == ("433475257", 300)

    @pytest.mark.parametrize("respond_by", [None, "", "tomorrow", 17, "0001-01-01T00:00:00+05:30"])
    def test_a_deadline_that_can_not_be_read_is_none(self, respond_by: object) -> None:
        assert of_cashfree(respond_by=respond_by)[0].respond_by is None

    def test_a_time_without_a_zone_is_indian(self) -> None:
        [dispute] = of_cashfree(respond_by="2026-11-22T07:26:40")
        assert dispute.respond_by == datetime(2026, 11, 22, 1, 56, 40, tzinfo=UTC)

    def test_the_currency_is_the_payments_where_none_is_told(self) -> None:
        assert of_cashfree(dispute_amount_currency=None)[0].currency == "INR"

    def test_nothing_is_no_dispute(self) -> None:
        assert of_cashfree(dispute_amount=0) == ()

    @pytest.mark.parametrize(
        "change", [{"dispute_id": ["x"]}, {"dispute_amount": Number("1.005")}, {"dispute_status": 7}]
    )
    def test_what_we_need_is_of_its_form(self, change: Any) -> None:
        with pytest.raises(MalformedEventError):
            of_cashfree(**change)

    def test_an_event_without_a_dispute_tells_of_none_and_one_without_its_payment_is_malformed(self) -> None:
        assert cashfree.event_of(written({"data": {}, "type": "DISPUTE_CREATED"})).disputes == ()
        with pytest.raises(MalformedEventError):
            cashfree.event_of(written({"data": {"dispute": {"dispute_id": "1"}}, "type": "DISPUTE_CREATED"}))
