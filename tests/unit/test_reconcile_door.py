"""The reconciler's function: what one run spends its time on."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.calls import door
from wallet import wiring


class Clock:
    """An invocation whose time goes by only when somebody spends it."""

    def __init__(self) -> None:
        self.left_ms = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


def test_an_endless_backlog_of_one_kind_leaves_time_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, asked = Clock(), {"reconcile": 0, "reconcile_refunds": 0, "reconcile_withdrawals": 0}
    module = door("reconcile")

    def backlog(name: str) -> Callable[..., None]:
        def ask(*_: object, time_left_s: Callable[[], float], **__: object) -> None:
            while time_left_s() > 0:
                clock.left_ms -= 300
                asked[name] += 1

        return ask

    for name in asked:
        monkeypatch.setattr(module, name, backlog(name))
    for name in ("finish_leftovers", "sweep_identity"):
        monkeypatch.setattr(module, name, nothing)
    for name in ("database", "gateway", "payout_provider"):
        monkeypatch.setattr(wiring, name, nothing)
    monkeypatch.setattr(wiring, "first_check_s", lambda: 300)
    module.handler({}, clock)
    assert min(asked.values()) > 30, asked
    assert 14_000 < clock.left_ms <= 15_000, "all but the reserve was used"


def nothing(*_: Any) -> None:
    """What is not of interest here."""
