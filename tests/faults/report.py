"""What was done, what was found: for a person, and for a document."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.faults.evidence import Violation
from tests.faults.explained import OBJECTIVE_MINUTES, OBJECTIVE_SHARE, Explained
from tests.faults.history import History

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Report:
    """One run. `failures` are of the suite itself: a run with any has shown nothing."""

    seed: int
    seconds: float
    server: str
    harm: Counter[str]
    history: History
    asked_again: int
    explained: Explained
    violations: list[Violation]
    failures: list[str]

    @property
    def is_good(self) -> bool:
        """Nothing was broken, nothing was left open, and the suite did what it says."""
        return not self.violations and not self.failures and self.explained.is_met

    def text(self) -> str:
        """All of it, as Markdown."""
        return "\n".join(
            (
                f"seed {self.seed}, {self.seconds:.0f} s of harm, {self.server}",
                "",
                *_table("harm", self.harm.items()),
                "",
                *_table("what callers did", self._callers()),
                "",
                self._explanation(),
                "",
                f"{len(self.violations)} violations",
                *(f"- {one.rule}: {one.subject}: {one.detail[:400]}" for one in self.violations[:_SHOWN]),
                *(f"- the suite itself failed: {one}" for one in self.failures),
            )
        )

    def _callers(self) -> Iterable[tuple[str, int]]:
        operations = [one for one in self.history.operations if one.tries]
        tries = Counter(_answer(one.status) for operation in operations for one in operation.tries)
        yield "operations", len(operations)
        yield "requests", sum(tries.values())
        yield "operations carried out", sum(one.must_have_happened for one in operations)
        yield "operations given up without an answer", sum(one.is_open for one in operations)
        yield "of those, asked again under the same key at the end", self.asked_again
        yield "answers from a key's record", sum(one.replayed for operation in operations for one in operation.tries)
        yield from sorted((f"answers: {name}", times) for name, times in tries.items())
        kinds = Counter(one.kind for one in operations if one.must_have_happened)
        yield from sorted((f"carried out: {kind}", times) for kind, times in kinds.items())
        yield from sorted(Counter(one.kind for one in self.history.operations if not one.tries).items())

    def _explanation(self) -> str:
        told = self.explained
        when = "never" if told.minutes is None else f"{told.minutes} minutes"
        return (
            f"Of top-ups worth {told.captured} paise that the gateway captured, {told.unexplained_at_the_last_fault}"
            f" were unexplained at the last fault, all explained after {when} (on the database's clock);"
            f" {100 * told.share:.4f} % within {OBJECTIVE_MINUTES} minutes, the objective is {100 * OBJECTIVE_SHARE} %."
        )


def _table(title: str, rows: Iterable[tuple[str, int]]) -> Iterable[str]:
    yield f"| {title} | times |"
    yield "|---|---:|"
    for name, times in sorted(rows) if title == "harm" else rows:
        yield f"| {name} | {times} |"


def _answer(status: int | None) -> str:
    return "none" if status is None else str(status)
