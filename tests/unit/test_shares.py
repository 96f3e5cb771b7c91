"""How a run of tests is shared by workers."""

from pathlib import Path

import pytest

from tests.support.shares import MOST_WORKERS, TESTS, share_of, workers

UNIT = str(TESTS / "unit")
HERE = str(Path(__file__))


def test_all_tests_that_need_the_stack_go_to_one_worker() -> None:
    assert share_of("tests/e2e/test_holds.py") == share_of("tests/e2e/test_refunds.py") != share_of(HERE)


def test_the_tests_of_other_files_stay_with_their_file() -> None:
    assert share_of("tests/unit/test_shares.py") != share_of("tests/unit/test_door.py")


def test_the_crash_points_of_a_door_stay_together_and_those_of_two_doors_do_not() -> None:
    test = "tests/faults/test_crash_points.py::test_killed_at_any_point_it_is_done_once_after_all"
    assert share_of(f"{test}[pay: repeated]") == share_of(f"{test}[pay: a new payment]")
    assert share_of(f"{test}[pay: repeated]") != share_of(f"{test}[reconcile: a gateway that is down]")


@pytest.mark.parametrize(("cores", "expected"), [(1, 0), (2, 2), (3, 3), (64, MOST_WORKERS)])
def test_there_is_a_worker_for_each_core_up_to_a_limit_and_none_for_a_single_core(cores: int, expected: int) -> None:
    assert workers([UNIT], cores=cores) == expected
    assert workers([], cores=cores) == expected


@pytest.mark.parametrize("asked", [[HERE], [f"{HERE}::test_a", f"{HERE}::test_b[1::2]"], [str(TESTS / "e2e")]])
def test_what_can_not_be_shared_needs_no_worker(asked: list[str]) -> None:
    assert workers(asked, cores=8) == 0


def test_two_files_keep_two_workers_busy() -> None:
    assert workers([HERE, str(Path(UNIT) / "test_door.py")], cores=8) == 2
