"""A function killed at every point of its work: nothing moves twice, nothing is lost, nothing is stuck.

docs/crash-points.md lists the points. With CRASH_POINTS=write (`make crash-points`) it is written instead of compared.
With CRASH_POINTS=all, as CI has it, every case is tried; without, one or two of each door.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import roles
from tests.faults.crash import table
from tests.faults.crash.cases import CASES, Case
from tests.faults.crash.world import World

_AT_ONCE = 4
_WRITES = os.environ.get("CRASH_POINTS") == "write"
_ALL = os.environ.get("CRASH_POINTS") in ("all", "write")
_SHORT = {str(table.first_of(case.door)) for case in CASES} | {"reconcile: a captured payment"}


def points_of(world: World, case: Case) -> list[str]:
    """Every point that a process meets which lives through the case; and all is well then, too."""
    situation = case.begin(world)
    run = world.doors[case.door].run(situation.event, timeout_s=situation.timeout_s, records=True)
    assert (run.error is not None) == situation.fails, run.error
    situation.after_death(run)
    return run.met


class Listed:
    """What was met in this session, case by case."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._whole: dict[str, list[str]] = {}
        self.own: dict[str, list[str]] = {}

    def points(self, case: Case) -> list[str]:
        """A case's own points."""
        if str(case) not in self.own:
            first = self._met(table.first_of(case.door))
            self.own[str(case)] = table.own(case, self._met(case), first)
        return self.own[str(case)]

    def _met(self, case: Case) -> list[str]:
        if str(case) not in self._whole:
            self._whole[str(case)] = points_of(self._world, case)
        return self._whole[str(case)]


@pytest.fixture(scope="module")
def listed(world: World) -> Iterator[Listed]:
    """The points, found as they are asked for; written down at the end if that is wanted."""
    found = Listed(world)
    yield found
    if _WRITES:
        for case in CASES:
            found.points(case)
        table.PAGE.write_text(table.render(found.own))


@pytest.mark.parametrize("case", [case for case in CASES if _ALL or str(case) in _SHORT], ids=str)
def test_killed_at_any_point_it_is_done_once_after_all(world: World, listed: Listed, case: Case) -> None:
    points = listed.points(case)
    assert points
    assert _WRITES or set(points) == table.read()[str(case)], "make crash-points lists what there is now"

    def die(point: str) -> None:
        situation = case.begin(world)
        run = world.doors[case.door].run(situation.event, timeout_s=situation.timeout_s, kill_at=point)
        assert run.died_at == point, f"{case}: not killed at {point}"
        situation.after_death(run)

    with ThreadPoolExecutor(1 if case.alone else _AT_ONCE) as pool:
        failures = [
            AssertionError(f"{case}: killed at {point}: {failure!r}")
            for point, failure in zip(points, pool.map(lambda point: _failure(die, point), points), strict=True)
            if failure is not None
        ]
    if failures:
        raise ExceptionGroup("killed", failures)
    assert world.books.faults() == []


def _failure(task: Callable[[str], None], point: str) -> Exception | None:
    """What a task fails of; the others are tried all the same."""
    try:
        task(point)
    except Exception as error:  # noqa: BLE001 - told of together
        return error
    return None


def test_every_case_that_is_listed_is_tried() -> None:
    assert _WRITES or set(table.read()) == {str(case) for case in CASES}


@pytest.mark.parametrize("role", ["money", "withdrawals", "gateway"])
def test_whatever_the_doors_may_call_is_among_their_points(role: str) -> None:
    may_call = {
        grant.removeprefix("EXECUTE ON PROCEDURE ")
        for grant in roles.GRANTS[role]
        if grant.startswith("EXECUTE ON PROCEDURE ")
    }
    points = {point for of_case in table.read().values() for point in of_case}
    called = {point.partition(":")[0].removeprefix("CALL ") for point in points if point.startswith("CALL ")}
    assert may_call - called == set(_NOT_AMONG_THEM[role])


#: What is missing, and why.
_NOT_AMONG_THEM = {
    "money": {
        "open_bulk_payment": "takes a file in; nothing moves",
        "retry_bulk_payment": "puts refused rows back among those that wait; nothing moves",
    },
    "withdrawals": {"find_withdrawal": "reads a withdrawal; nothing moves"},
    "gateway": {"settle_payment": "called by code of the last release, on the new schema"},
}
