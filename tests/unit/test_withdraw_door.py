"""The door of withdrawals: what it takes for an address, and what it shows of one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.calls import call, door, event, signed_in
from tests.unit.conftest import LogLines
from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import WithdrawalBody
from wallet.ledger import ids
from wallet.ledger.receipts import Balance, Withdrawal, WithdrawalReceipt
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.withdrawals import WithdrawalStatus
from wallet.movements.withdraw import Trouble, Wish

AT = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
ID = wiring.new_id()


def receipt() -> WithdrawalReceipt:
    return WithdrawalReceipt(ID, 3_000, 250, "INR", "asha.rao@okbank", "Asha Rao", Balance(10_000, 3_250), AT)


def withdrawal(status: WithdrawalStatus, reason: str | None = None) -> Withdrawal:
    return Withdrawal(ID, status, 3_000, 250, "INR", "asha.rao@okbank", reason, AT)


def test_the_answer_says_what_is_set_aside_and_shows_neither_address_nor_name() -> None:
    assert shapes.withdrawal_receipt(receipt()) == {
        "id": ids.show(ids.WITHDRAWAL, ID),
        "status": "pending",
        "amount": 3_000,
        "fee": 250,
        "currency": "INR",
        "vpa": "as***@okbank",
        "created_at": "2026-11-22T06:30:00.000Z",
        "balance": {"total": 10_000, "held": 3_250, "available": 6_750},
    }


@pytest.mark.parametrize("status", WithdrawalStatus)
def test_a_withdrawal_is_shown_as_it_stands_with_a_reason_where_there_is_one(status: WithdrawalStatus) -> None:
    shown = shapes.withdrawal(withdrawal(status))
    assert shown["status"] == status.value
    assert shown["vpa"] == "as***@okbank"
    assert shown.keys() & {"reason", "balance"} == set()
    assert shapes.withdrawal(withdrawal(status, "bank_account_closed"))["reason"] == "bank_account_closed"


def test_an_address_is_one_request_however_it_is_written() -> None:
    asked = [WithdrawalBody(amount=100, vpa=text) for text in ("asha@okbank", "Asha@OKBank")]
    assert asked[0] == asked[1]


def test_what_is_no_address_has_a_refusal_of_its_own() -> None:
    assert Wish.read(amount=100, vpa="Asha@OKBank") == Wish(100, "asha@okbank")
    with pytest.raises(Refused) as caught:
        Wish.read(amount=100, vpa=WithdrawalBody(amount=100, vpa="asha rao").vpa)
    assert caught.value.refusal is Refusal.INVALID_VPA
    assert "asha rao" not in str(caught.value)


@pytest.mark.parametrize("keys_refused", [False, True])
def test_a_payout_that_could_not_be_asked_for_is_a_warning_and_the_answer_is_202_all_the_same(
    monkeypatch: pytest.MonkeyPatch, log_lines: LogLines, *, keys_refused: bool
) -> None:
    class Once:
        """Runs the work, as the real one does of a new key."""

        def answer(self, _request: Any, _claim: Any, work: Any, *, status: int, lost_runs_anew: bool) -> Any:
            assert not lost_runs_anew
            return module.Response(status, work()[0])

    module = door("withdraw")
    monkeypatch.setattr(wiring, "once", Once)
    for name in ("database", "payout_provider"):
        monkeypatch.setattr(wiring, name, lambda: None)
    monkeypatch.setattr(wiring, "first_check_s", lambda: 300)
    trouble = Trouble("POST /v1/payouts: status 503", keys_refused)
    monkeypatch.setattr(module, "withdraw", lambda *_, **__: (receipt(), False, trouble))
    told = event(
        "POST /withdrawals",
        body={"amount": 3_000, "vpa": "asha.rao@okbank"},
        headers={"Idempotency-Key": "w-1"},
        authorizer=signed_in(),
    )
    answer, body = call(module.handler, told)
    assert (answer["statusCode"], body["status"]) == (202, "pending")
    lines = log_lines()
    assert [line["level"] for line in lines if line["message"] == "keys_refused"] == ["ERROR"] * keys_refused
    (line,) = [line for line in lines if line["message"] == "payout not asked for"]
    assert (line["level"], line["withdrawal_id"]) == ("WARNING", body["id"])
    assert line["reason"] == "POST /v1/payouts: status 503"
