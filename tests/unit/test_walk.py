"""The walk along the money path is a client like any other: it comes back, under the same key, when it is told to."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from local import walk
from local.walk import StrayedError, Walker


class Pool:
    """Gives answers one after the other, the last for good; keeps what it was asked."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[object, ...]] = []

    def request(self, method: str, url: str, *, body: bytes, headers: dict[str, str], **_: object) -> Any:
        self.asked.append((method, url, body, headers))
        status, told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return SimpleNamespace(status=status, data=json.dumps(told), json=lambda: told, headers={})


@pytest.fixture(autouse=True)
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on when somebody sleeps, and else stands still."""
    now = [0.0]
    monkeypatch.setattr(
        walk, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=lambda s: now.append(now.pop() + s))
    )


def pay(pool: Pool) -> Any:
    return Walker("http://wallet", "http://gateway", pool).call("POST", "/payments", {"amount": 1}, key="k", expect=201)  # type: ignore[arg-type]


def test_it_asks_the_same_again_when_it_is_told_to(capsys: pytest.CaptureFixture[str]) -> None:
    busy, in_use = (503, {"code": "try_again"}), (409, {"code": "idempotency_key_in_use"})
    pool = Pool(busy, in_use, (201, {"id": "pay_1"}))
    assert pay(pool) == {"id": "pay_1"}
    assert len(pool.asked) == 3
    assert all(asked == pool.asked[0] for asked in pool.asked)
    assert "try_again" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "least", "most"), [((503, {"code": "try_again"}), 10, 200), ((500, {}), 1, 1)])
def test_what_stays_wrong_leads_it_astray(answer: tuple[int, object], least: int, most: int) -> None:
    pool = Pool(answer)
    with pytest.raises(StrayedError, match=f"answered {answer[0]}, not 201"):
        pay(pool)
    assert least <= len(pool.asked) <= most
