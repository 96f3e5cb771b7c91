"""docs/crash-points.md: every point of every case, as a page that people read and a test holds the doors to."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from tests.faults.crash.cases import CASES, Case
from tests.support.functions import ROOT

PAGE = ROOT / "docs" / "crash-points.md"

#: The points of each case, by the case as text, in the order in which they are met.
Points = Mapping[str, list[str]]

_HEAD = """# Crash points

Every point at which the process of a door can die while it works on one request or one run, and has been made to: by
SIGKILL, from inside, exactly there. `pay`, `top_up`, `webhook` and `reconcile` are here with every case that makes them
do something else; the other doors that move money with their plain ones.

A point is named after a call: a statement for MySQL, or a request to AWS or to a gateway. *Not sent*: nothing of it has
left the process. *Sent*: all of it has, and whoever gets it may be at work. *Answer not read*: its work is done and its
answer is there. (That its answer is read is the same point as the next call's *not sent*: nothing leaves the process in
between.) A call that is made again in the same case has a number.

After each death follows what would follow: the client asks again with the same key until it is told something, the
gateway sends its event again, the clock runs once more. Then the effect is there once, the answer is what the database
says, no key was held up for longer than the dead process's time, nothing is left due or unfinished, and the books are
right.

What every case of a door begins with (secrets, the connection) stands in its first case only, and for the doors behind
the four nowhere; a case of `reconcile` has what is not in *nothing is due* (a question that is numbered there is not
listed again). But for one case the gateway's list of payments is not read yet: it is walked hours behind.

In two cases a death makes the clock find something not by asking about what is due: of an order that was paid twice the
second payment, and a refund that somebody began at the gateway before ours was refused there. Their webhooks tell of
them at once, the gateway's list does soon after, and the last question, when the days of the top-up are over.

Written by `make crash-points`. CI tries all of them on MariaDB (`CRASH_POINTS=all make test`); `make test` alone, and
CI on MySQL, one or two cases of each door. `tests/faults/test_crash_points.py` fails if a door has a point that is not
here, or if one here is not met.
"""


def own(case: Case, met: Iterable[str], first: Iterable[str]) -> list[str]:
    """The points of a case that are its own: not what it has in common with the first case of its door."""
    common = {point for point in first if case.shares(point)} if case is not first_of(case.door) else set()
    return [point for point in met if point not in common and not (case.is_minor and case.shares(point))]


def first_of(door: str) -> Case:
    """The case of a door that has everything on it."""
    return next(case for case in CASES if case.door == door)


def render(points: Points) -> str:
    """The page."""
    lines = [_HEAD]
    for door, cases in groupby(CASES, lambda case: case.door):
        lines.append(f"## {door}\n")
        for case in cases:
            lines += [f"### {case}\n", "| call | killed when |", "|---|---|"]
            calls: dict[str, list[str]] = {}
            for point in points[str(case)]:
                call, _, moment = point.rpartition(": ")
                calls.setdefault(call or point, []).extend([moment] if call else [])
            lines += [f"| {call} | {' · '.join(moments)} |" for call, moments in calls.items()]
            lines.append("")
    total = sum(len(of_case) for of_case in points.values())
    lines.append(f"{total} points in {len(points)} cases.")
    return "\n".join(lines) + "\n"


def read() -> dict[str, set[str]]:
    """The points that the page lists."""
    listed: dict[str, set[str]] = {}
    of_case: set[str] = set()
    for line in PAGE.read_text().splitlines():
        if line.startswith("### "):
            of_case = listed.setdefault(line.removeprefix("### "), set())
        elif line.startswith("| ") and not line.startswith("| call |"):
            call, moments = (cell.strip() for cell in line.strip("|").split("|"))
            of_case |= {f"{call}: {moment}" for moment in moments.split(" · ")} if moments else {call}
    return listed
