"""The seeded suite in short: each kind of harm once, on a stack of its own. `make faults` is the long form."""

import shutil

from local import stack
from tests.faults.plan import KINDS
from tests.faults.suite import Settings, run
from tests.support.leftovers import BROKEN, stack_to_ourselves

_SECONDS, _EVERY_S = 20.0, 0.5


def test_the_wallet_holds_whatever_is_done_to_it() -> None:
    with stack_to_ourselves(BROKEN) as state:
        stack.down(state)
        shutil.rmtree(state.folder, ignore_errors=True)
        report = run(Settings(seed=20261122, seconds=_SECONDS, callers=6, people=8, every_s=_EVERY_S), state.folder)
    assert len(KINDS) < _SECONDS / _EVERY_S  # or not each kind of harm would be in the plan
    assert report.is_good, report.text()
    shutil.rmtree(state.folder)  # else its logs and history.jsonl are what there is to read
