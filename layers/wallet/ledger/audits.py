"""What an audit came to: a result for each promise, and what all of them say together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wallet.ledger.faults import Fault

#: So many faults of one promise are told; that there are more is not news.
MOST_TOLD = 20


class Outcome(StrEnum):
    """How a promise was found. What was not looked at to its end is unfinished, and never passed."""

    PASSED = "passed"
    BROKEN = "broken"
    UNFINISHED = "unfinished"


@dataclass(slots=True)
class Result:
    """One promise: its code and words, what breaks it, whether all of it was looked at, and how much (`told`).

    `notes` are no faults: what somebody should know of who judges.
    """

    code: str
    promise: str
    faults: list[Fault] = field(default_factory=list)
    is_finished: bool = True
    told: str = ""
    notes: list[Fault] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """What was found breaks it, however far the look went."""
        if self.faults:
            return Outcome.BROKEN
        return Outcome.PASSED if self.is_finished else Outcome.UNFINISHED


@dataclass(slots=True)
class AuditReport:
    """One run of the audit. `next_number` is the checkpoint that it would have looked at next."""

    results: list[Result] = field(default_factory=list)
    checkpoints: int = 0
    verified: int = 0
    next_number: int = 1

    @property
    def outcome(self) -> Outcome:
        """Broken if anything is; passed only if everything is."""
        found = {result.outcome for result in self.results}
        for outcome in (Outcome.BROKEN, Outcome.UNFINISHED):
            if outcome in found:
                return outcome
        return Outcome.PASSED if self.results else Outcome.UNFINISHED

    @property
    def unfinished(self) -> int:
        """How many promises were not looked at to the end, whatever was found."""
        return len([result for result in self.results if not result.is_finished])

    def told(self) -> Mapping[str, object]:
        """The report in plain values."""
        return {
            "outcome": self.outcome.value,
            "checkpoints": self.checkpoints,
            "verified": self.verified,
            "results": [
                {
                    "code": result.code,
                    "promise": result.promise,
                    "outcome": result.outcome.value,
                    "faults": [str(fault) for fault in result.faults],
                    "notes": [str(note) for note in result.notes],
                    "told": result.told,
                }
                for result in self.results
            ],
        }
