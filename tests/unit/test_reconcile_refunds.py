"""Refunds to source whose gateway says a word that we don't know: waited out, then shown to people."""

from dataclasses import replace
from uuid import UUID

import pytest

from wallet.ledger.refunds import ObservedRefund, RefundStatus
from wallet.movements.reconcile import Findings
from wallet.movements.reconcile_refunds import reconcile_refunds
from wallet.storage import source_refunds
from wallet.storage.source_refunds import Claimed, OpenRefund

_REFUND = OpenRefund(
    id=UUID(int=1),
    ours=True,
    payment_id="p1",
    gateway_order_id="o1",
    gateway_refund_id="r1",
    amount=500,
    currency="INR",
    checks=0,
)


class Puzzling:
    """A gateway that has every refund, in a state of its own."""

    name = "cashfree"

    def find_refund(self, *, payment_id: str, order_id: str | None, reference: str) -> ObservedRefund:  # noqa: ARG002 - the port's
        return ObservedRefund("cashfree", "r1", reference, payment_id, 500, "INR", RefundStatus.UNKNOWN)


@pytest.mark.parametrize(("checks", "shown"), [(0, 0), (11, 0), (12, 1), (40, 1)])
def test_an_unknown_word_is_waited_out_and_then_for_people(
    monkeypatch: pytest.MonkeyPatch, checks: int, shown: int
) -> None:
    waiting = [[replace(_REFUND, checks=checks)], []]
    monkeypatch.setattr(source_refunds, "due_refunds", lambda *_, **__: waiting.pop(0))
    monkeypatch.setattr(source_refunds, "claim_check", lambda *_, **__: Claimed.DONE)
    findings = Findings()
    reconcile_refunds(
        None,  # type: ignore[arg-type]  # nothing is to be booked
        Puzzling(),  # type: ignore[arg-type]  # a Gateway by duck
        UUID,
        findings,
        first_check_s=300,
        time_left_s=lambda: 1.0,
    )
    assert (findings.asked, len(findings.broken), findings.booked) == (1, shown, 0)
