"""Runs on a schedule: how long one may still take, and what it raises when something needs a person."""

from typing import Protocol


class Invocation(Protocol):
    """What Lambda says about a run."""

    def get_remaining_time_in_millis(self) -> int:
        """How long it may still take."""
        ...


class UnhealthyRunError(Exception):
    """Something that was due could not be done or understood: the alarm counts it, and the log says what."""


def time_left_s(context: Invocation, *, reserve_s: float = 15) -> float:
    """Seconds until a run should begin nothing more; `reserve_s` is kept back for what is under way."""
    return context.get_remaining_time_in_millis() / 1000 - reserve_s
