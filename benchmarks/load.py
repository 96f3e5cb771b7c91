"""A burst of ten times what the running stack does (`make up`): what it answers, how fast, and what the database sees.

    PYTHONPATH=.:layers:schema .venv/bin/python benchmarks/load.py [STATE]

With the limits that the tests give it: a concurrency of 4 for the function, and for the route what was measured.
"""

import json
import sys
from pathlib import Path

from tests.support.client import Api
from tests.support.load import Crowd, connections, limits, measure, offer, percentile, statuses

CONCURRENCY = 4
TIMES = 10
SECONDS = 10


def main() -> None:
    """Prints a line for each thing measured."""
    state = Path(sys.argv[1] if len(sys.argv) > 1 else ".local")
    api = Api(json.loads((state / "stack.json").read_text()))
    crowd = Crowd(api, pairs=8)
    measure(crowd, callers=CONCURRENCY, seconds=2)
    before = measure(crowd, callers=CONCURRENCY, seconds=SECONDS)
    print(f"before: {before.a_second:.0f} payments/s by {CONCURRENCY} callers, median {before.median_s * 1000:.0f} ms")
    with connections(api) as at_most, limits(api, concurrency=CONCURRENCY, a_second=max(1, round(before.a_second))):
        outcomes = offer(crowd, a_second=TIMES * before.a_second, seconds=SECONDS, callers=24 * CONCURRENCY)
    print(f"burst:  {len(outcomes)} asked for at {TIMES * before.a_second:.0f}/s, at most {at_most()} connections")
    for status, count in sorted(statuses(outcomes).items()):
        of = [outcome for outcome in outcomes if outcome.answer.status == status]
        median_ms, p95_ms = (percentile(of, part) * 1000 for part in (0.5, 0.95))
        print(f"        {status}: {count}, median {median_ms:.0f} ms, p95 {p95_ms:.0f} ms")
    after = measure(crowd, callers=CONCURRENCY, seconds=SECONDS)
    print(f"after:  {after.a_second:.0f} payments/s, median {after.median_s * 1000:.0f} ms")


if __name__ == "__main__":
    main()
