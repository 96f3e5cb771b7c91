"""The reconciler's function: what one run spends its time on."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.calls import door
from wallet import wiring
from wallet.movements import rounds
from wallet.storage.breaks import Figures


class Clock:
    """An invocation whose time goes by only when somebody spends it."""

    def __init__(self) -> None:
        self.left_ms = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


def test_an_endless_backlog_of_one_kind_leaves_time_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"reconcile": 0, "reconcile_refunds": 0, "reconcile_withdrawals": 0, "walk_payments": 0}
    clock, module = Clock(), door("reconcile")

    def backlog(name: str) -> Callable[..., None]:
        def ask(*_: object, time_left_s: Callable[[], float], **__: object) -> None:
            while time_left_s() > 0:
                clock.left_ms -= 300
                asked[name] += 1

        return ask

    for name in asked:
        monkeypatch.setattr(rounds, name, backlog(name))
    for name in ("finish_leftovers", "attach_disputes", "tidy_breaks", "sweep_identity", "sweep_quotas"):
        monkeypatch.setattr(rounds, name, nothing)
    _wire(monkeypatch, module)
    module.handler({}, clock)
    assert min(asked.values()) >= 29, asked
    assert 14_000 < clock.left_ms <= 15_000, "all but the reserve was used"


def test_the_daily_schedule_reads_reports_and_asks_about_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    module, read = door("reconcile"), []
    monkeypatch.setattr(module, "frequent_round", None)
    monkeypatch.setattr(
        module,
        "daily_round",
        lambda *_, settled_within_days, time_left_s: read.append((settled_within_days, time_left_s())),
    )
    _wire(monkeypatch, module)
    told = module.handler({"task": "settlements"}, Clock())
    assert read == [(5, 45.0)]
    assert (told["oldest_break_s"], told["suspense_minor"], told["webhook_silence_s"]) == (7, 9, 0)
    assert told["disputes_due"] == 3


def _wire(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    """An environment with nothing behind it."""
    for name in ("database", "payout_provider"):
        monkeypatch.setattr(wiring, name, nothing)
    for name in ("gateway", "listing_gateway"):
        monkeypatch.setattr(wiring, name, lambda: SimpleNamespace(name="razorpay"))
    monkeypatch.setattr(wiring, "first_check_s", lambda: 300)
    monkeypatch.setattr(wiring, "settled_within_days", lambda: 5)
    monkeypatch.setattr(wiring, "dispute_notice_h", lambda: 48)
    told = {("razorpay", 48): Figures(1, 7, 9, 8, 0, 3)}
    monkeypatch.setattr(module, "figures", lambda *_, gateway, dispute_notice_h: told.get((gateway, dispute_notice_h)))


def nothing(*_: Any) -> None:
    """What is not of interest here."""
