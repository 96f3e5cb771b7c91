"""What a client does when a busy stack tells it to come back: it asks again, under the same key."""

import time
from collections.abc import Callable

from tests.support.client import Answer, new_key

_PATIENCE_S = 90
_COME_BACK = ("try_again", "idempotency_key_in_use")


def until_answered(ask: Callable[[], Answer]) -> Answer:
    """The answer when it is no longer one that says to come back; the last one if it always is."""
    ends = time.monotonic() + _PATIENCE_S
    while (answer := ask()).code in _COME_BACK and time.monotonic() < ends:
        time.sleep(0.1)
    return answer


def under_one_key(ask: Callable[[str], Answer]) -> Answer:
    """As `until_answered`, with a new key that stays the same."""
    key = new_key()
    return until_answered(lambda: ask(key))
