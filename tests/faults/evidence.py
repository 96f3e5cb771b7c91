"""All that is known at the end, and what a rule makes of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.faults.books_of_world import GatewayBook, Ledger
from tests.faults.history import History


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that is broken: which, by what, and how."""

    rule: str
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What callers did and were told, what the books say, what the gateway says."""

    history: History
    ledger: Ledger
    gateway: GatewayBook


Rule = Callable[[Evidence], Iterator[Violation]]
