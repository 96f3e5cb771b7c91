"""The plan comes from the seed, and every kind of harm is in it."""

from collections import Counter

from tests.faults.harm import Harm
from tests.faults.plan import KINDS, plan


def test_the_same_seed_is_the_same_plan() -> None:
    assert plan(7, 120) == plan(7, 120)
    assert plan(7, 120) != plan(8, 120)


def test_every_kind_of_harm_is_done_if_there_is_time_for_it() -> None:
    assert set(KINDS) == {step.kind for step in plan(1, 60, every_s=1.0)}


def test_harm_is_done_in_order_and_ends_before_the_run_does() -> None:
    steps = plan(3, 90)
    assert [step.at_s for step in steps] == sorted(step.at_s for step in steps)
    assert max(step.at_s for step in steps) < 90


def test_what_is_done_most_is_what_breaks_most() -> None:
    often = Counter(step.kind for step in plan(5, 20_000))
    assert often["kill_functions"] > often["kill_database"] > 0


def test_each_kind_of_harm_can_be_done() -> None:
    assert all(callable(getattr(Harm, kind)) for kind in KINDS)
