"""Rules that change on a day: a new rule is a new one beside the old, so that the past can still be explained."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

Rule = TypeVar("Rule")


def in_force(rules: Sequence[tuple[datetime, Rule]], now: datetime) -> Rule | None:
    """The rule that began last, of those that have begun by `now`; None before the first."""
    begun = [(since, number) for number, (since, _) in enumerate(rules) if since <= now]
    return rules[max(begun)[1]][1] if begun else None
