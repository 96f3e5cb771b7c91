"""What is to be done, and when, by the seed alone: the same seed is the same plan.

What comes of it is not the same each time: processes, threads and packets meet as they like.
"""

import random
from dataclasses import dataclass

#: Nothing breaks before people have registered and paid a little in; nor in the last seconds, when callers stop.
_CALM_S = 1.0

#: Every kind of harm, and how often it is done beside the others. `harm.py` has a method for each.
KINDS = {
    "kill_functions": 26,
    "kill_clock_run": 10,
    "kill_database": 5,
    "cut_before_sent": 8,
    "cut_behind_sent": 8,
    "lose_answer": 8,
    "cut_all": 4,
    "refuse_connections": 2,
    "dynamodb_fails": 3,
    "dynamodb_throttles": 2,
    "dynamodb_slow": 3,
    "dynamodb_loses_records": 4,
    "dynamodb_loses_answers": 3,
    "dynamodb_forgets": 3,
    "events_fail": 2,
    "events_lose_answers": 2,
    "secrets_fail": 1,
    "gateway_down": 3,
    "gateway_slow": 3,
    "gateway_loses_answers": 5,
    "gateway_throttles": 2,
    "webhook_forged": 3,
    "webhook_truncated": 3,
    "webhook_cut_and_signed": 2,
    "webhook_of_unknown_order": 3,
    "webhook_of_wrong_amount": 3,
    "webhook_of_wrong_currency": 3,
    "lock_rows": 5,
    "deadlock": 6,
    "database_clock": 3,
    "functions_clock": 3,
    "refund_at_the_dashboard": 3,
    "payouts_end": 4,
    "clock_runs": 6,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One harm: when, in seconds since the callers began, which, and the seed of its own dice."""

    at_s: float
    kind: str
    seed: int


def plan(seed: int, seconds: float, *, every_s: float = 1.5) -> list[Step]:
    """About one harm in `every_s` seconds; each kind at least once if there is time for it."""
    dice = random.Random(f"plan {seed}")
    count = max(1, int((seconds - 2 * _CALM_S) / every_s))
    first = list(KINDS)
    dice.shuffle(first)
    more = dice.choices(list(KINDS), list(KINDS.values()), k=max(0, count - len(first)))
    times = sorted(dice.uniform(_CALM_S, seconds - _CALM_S) for _ in range(count))
    kinds = (first + more)[:count]
    dice.shuffle(kinds)
    return [Step(at, kind, dice.randrange(2**32)) for at, kind in zip(times, kinds, strict=True)]
