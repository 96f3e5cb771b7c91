"""The audit: every promise about the books looked at, by itself and against what is kept where nobody can alter it."""

from collections.abc import Callable
from dataclasses import dataclass

from wallet.channels.kept import Kept
from wallet.ledger.audits import MOST_TOLD, AuditReport, Result
from wallet.ledger.evidence import LATE
from wallet.ledger.faults import Fault
from wallet.ledger.signatures import PublicKey
from wallet.movements.verify_seals import SealAudit
from wallet.storage.checks.check import Check, find_faults
from wallet.storage.checks.every import every_check
from wallet.storage.checks.sealing import timely_checks
from wallet.storage.database import Database, DatabaseBrokenError, DatabaseTooSlowError

# One day less than the relay keeps events that were delivered: one of the last day may be gone by now.
_EVENTS_KEPT_DAYS = 29
# Minutes: the sealer runs every minute, and has an alarm of its own before this.
_SEALED_WITHIN = 15
# Seconds that one check may take at the most: less than what all have, or a slow one could leave nothing to any other.
_PATIENCE_S = 300


@dataclass(frozen=True, slots=True)
class Audit:
    """One run. `below` gives a random number below another one: nobody may know where a look begins.

    So what a run has no time for is something else each time.
    """

    database: Database
    kept: Kept
    key: PublicKey
    below: Callable[[int], int]

    def run(self, report: AuditReport, *, time_left_s: Callable[[], float]) -> None:
        """Asks the checks, each within its time and all within half of it, then verifies the seals with the rest.

        A check that there was no time for, or not enough, is unfinished.
        """
        until = int(time_left_s()) // 2
        checks = _checks()
        first = self.below(len(checks))
        results: dict[str, Result] = {}
        for check in (*checks[first:], *checks[:first]):
            results[check.code] = self._ask(check, min(_PATIENCE_S, int(time_left_s()) - until))
        report.results += [results[check.code] for check in checks]
        SealAudit(self.database, self.kept, self.key, self.below).run(report, time_left_s=time_left_s)

    def _ask(self, check: Check, seconds: int) -> Result:
        result = Result(check.code, check.promise)
        if seconds < 1:
            result.is_finished = False
            return result
        try:
            result.faults = find_faults(_Within(self.database, seconds), check, limit=MOST_TOLD)
        except DatabaseTooSlowError:
            result.is_finished = False
            result.told = f"cut off after {seconds} seconds"
        except DatabaseBrokenError as error:
            # something is there that can't even be looked at: that is this check's fault, and the others go on
            result.faults = [Fault(check.code, "check", check.code, f"it can't be asked: {error}")]
        return result


def _checks() -> tuple[Check, ...]:
    late_minutes = LATE.seconds // 60
    return (
        *every_check(events_kept_days=_EVENTS_KEPT_DAYS),
        *timely_checks(patience_minutes=_SEALED_WITHIN, late_minutes=late_minutes),
    )


@dataclass(frozen=True, slots=True)
class _Within:
    """A database that may take so many seconds for an answer."""

    database: Database
    seconds: int

    def read(self, query: str, *arguments: object) -> list[dict[str, object]]:
        """Runs a SELECT."""
        return self.database.read_within(self.seconds, query, *arguments)
