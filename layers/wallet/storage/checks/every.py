"""All checks, in the order in which they are told: money first."""

from wallet.storage.checks import disputes, events, limits, money, movements, origins, outside, promises, sealing
from wallet.storage.checks.check import Check


def every_check(*, events_kept_days: int) -> tuple[Check, ...]:
    """Every check there is; `events_kept_days` is how long delivered events are kept."""
    return (
        *money.CHECKS,
        *promises.CHECKS,
        *origins.CHECKS,
        *outside.CHECKS,
        *disputes.CHECKS,
        *movements.CHECKS,
        *limits.CHECKS,
        *sealing.CHECKS,
        *events.checks(kept_days=events_kept_days),
    )
