"""What an answer says about whether anything has happened, and what a run came to."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.evidence import Violation
from tests.faults.explained import Explained
from tests.faults.history import History, Operation, ToldEvent, Try
from tests.faults.report import Report


def answered(status: int | None, code: str | None = None) -> Try:
    return Try(0.0, 0.1, status, code)


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (answered(201), ["done"]),
        (answered(402, "insufficient_funds"), ["refused"]),
        (answered(409, "idempotency_key_in_use"), ["unknown"]),
        (answered(429, "too_many_requests"), []),
        (answered(401, "invalid_token"), []),
        (answered(502, "gateway_unavailable"), ["unknown"]),
        (answered(502), ["unknown"]),
        (answered(503, "try_again"), ["unknown"]),
        (answered(None), ["unknown"]),
    ],
)
def test_an_answer_says_that_it_was_done_that_it_was_not_or_nothing(one: Try, says: list[str]) -> None:
    said = {"done": one.is_done, "refused": one.is_refused, "unknown": one.is_unknown}
    assert [name for name, is_so in said.items() if is_so] == says


def operation(*tries: Try) -> Operation:
    return Operation("pay", "a", "op1", {}, "k", list(tries))


def test_what_was_refused_at_once_can_not_have_happened() -> None:
    assert not operation(answered(402, "insufficient_funds")).may_have_happened


def test_what_was_refused_behind_a_lost_answer_may_have() -> None:
    asked = operation(answered(None), answered(402, "insufficient_funds"))
    assert asked.may_have_happened
    assert not asked.must_have_happened
    assert not asked.is_open


def test_who_was_told_it_was_done_must_find_it_done() -> None:
    assert operation(answered(None), answered(201)).must_have_happened


def test_who_got_no_answer_is_open() -> None:
    assert operation().is_open
    assert operation(answered(503, "try_again")).is_open


def test_a_history_is_written_a_line_each(tmp_path: Path) -> None:
    history = History()
    history.begin(operation(answered(201))).repeat = lambda: None
    history.tell(ToldEvent("forged", "pay_1", "order_1", 1, "INR", counts=False, status=401))
    history.write(tmp_path / "history.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["pay", "forged"]
    assert lines[0]["tries"][0]["status"] == 201


GOOD = Report(
    seed=7,
    seconds=60,
    server="mysql 9.7",
    harm=Counter({"database: server killed and restarted": 3}),
    history=History(),
    asked_again=0,
    explained=Explained(100_000, 4_000, 0, 2),
    violations=[],
    failures=[],
)


def test_a_run_is_good_if_nothing_broke_and_the_suite_did_what_it_says() -> None:
    assert GOOD.is_good
    assert not replace(GOOD, violations=[Violation("done twice", "pay op1")]).is_good
    assert not replace(GOOD, failures=["caller 3: KeyError"]).is_good


def test_a_run_is_good_if_all_but_a_ten_thousandth_was_explained_in_time() -> None:
    assert replace(GOOD, explained=Explained(100_000, 50_000, 10, None)).is_good
    assert not replace(GOOD, explained=Explained(100_000, 50_000, 11, None)).is_good


def test_a_report_shows_its_seed_the_harm_and_each_violation() -> None:
    text = replace(GOOD, violations=[Violation("done twice", "pay op1")]).text()
    assert "seed 7" in text
    assert "| database: server killed and restarted | 3 |" in text
    assert "- done twice: pay op1" in text
