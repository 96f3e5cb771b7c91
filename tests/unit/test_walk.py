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

    def request(self, method: str, url: str, *, headers: dict[str, str], body: bytes = b"", **_: object) -> Any:
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


ASHA = {"phone": "+919876543210", "token": "t"}
ASKED = (403, {"code": "confirmation_required", "confirmation": {"id": "cnf_1"}})
CONFIRMED = [
    (202, {}),
    (200, {"data": [{"text": "123456 is your code to pay."}, {"text": "Rs 60 were paid."}]}),
    (204, {}),
]


def withdraw(pool: Pool) -> int:
    return walk._withdraw(Walker("http://wallet", "http://gateway", pool), ASHA)  # type: ignore[arg-type]  # noqa: SLF001


def test_what_must_be_confirmed_is_confirmed_by_the_code_and_sent_again() -> None:
    pool = Pool(ASKED, *CONFIRMED, (202, {"id": "wdr_1"}), (200, {"status": "succeeded"}))
    assert withdraw(pool) == 10_000
    first, code, _, shown, again, *_ = pool.asked
    assert first == again
    assert (str(code[1]), shown[1]) == ("http://wallet/confirmations/cnf_1/code", "http://wallet/confirmations/cnf_1")
    assert json.loads(shown[2]) == {"code": "123456"}  # type: ignore[arg-type]


def test_what_need_not_be_confirmed_is_sent_once() -> None:
    pool = Pool((202, {"id": "wdr_1"}), (200, {"status": "succeeded"}))
    assert withdraw(pool) == 10_000
    assert [asked[0] for asked in pool.asked].count("POST") == 1


def test_what_waits_is_called_back() -> None:
    pool = Pool((202, {"id": "wdr_1", "waits_until": "2031-01-01T00:00:00.000Z"}), (200, {"status": "failed"}))
    assert withdraw(pool) == 0
    assert pool.asked[-1][1] == "http://wallet/withdrawals/wdr_1/cancel"


def test_another_403_leads_it_astray() -> None:
    with pytest.raises(StrayedError, match="answered 403, not 202"):
        withdraw(Pool((403, {"code": "wallet_frozen"})))


def test_a_problem_is_shown_with_an_address_that_can_be_opened(capsys: pytest.CaptureFixture[str]) -> None:
    refused = (402, {"type": "./../../problems/insufficient_funds", "code": "insufficient_funds"})
    walker = Walker("http://emulator/api/v1", "http://gateway", Pool(refused), web_url="http://localhost:8000")  # type: ignore[arg-type]
    told = walker.call("POST", "/payments", {"amount": 1}, key="k", expect=402)
    assert told["type"] == "./../../problems/insufficient_funds"
    printed = capsys.readouterr().out
    assert '"http://localhost:8000/v1/problems/insufficient_funds"' in printed
    assert ".." not in printed
