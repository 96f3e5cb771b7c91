"""On a schedule: seals what was written to the ledger, and has it signed and kept where nobody can change it."""

from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.edge.runs import Invocation, UnhealthyRunError, time_left_s
from wallet.movements.seal import Sealer, Sealing


def handler(_event: dict[str, Any], context: Invocation) -> None:
    """One run: until nothing waits, or its time is over."""
    sealing = Sealing()
    sealer = Sealer(wiring.database(), wiring.checkpoint_signer(), wiring.checkpoint_archive(), wiring.new_salt)
    sealer.run(sealing, time_left_s=lambda: time_left_s(context))
    if sealing.is_contradicted:
        logger().error(
            "contradiction",
            missing=sorted(sealing.missing),
            twice=sorted(sealing.twice),
            unlisted=sorted(sealing.unlisted),
            contradictions=sealing.contradictions,
        )
    if sealing.late:
        logger().warning("late", late=len(sealing.late), first=sealing.late[:20])
    logger().info(
        "sealed",
        sealed=sealing.sealed,
        published=sealing.published,
        trouble=sealing.trouble,
        unsealed_s=sealing.lag and sealing.lag.unsealed_s,
        unpublished_s=sealing.lag and sealing.lag.unpublished_s,
    )
    if not sealing.is_healthy:
        raise UnhealthyRunError("not everything is sealed and kept: see the log")
