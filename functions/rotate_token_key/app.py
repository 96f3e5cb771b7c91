"""On a schedule: gives access tokens a new key to be signed with. It can write keys, and read none."""

from datetime import UTC, datetime
from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.identity.token_keys import rotate


def handler(_event: dict[str, Any], _context: object) -> dict[str, bool]:
    """One run. What goes wrong is raised: it is tried again, and the alarm counts it."""
    rotated = rotate(wiring.token_keys(), now=datetime.now(UTC), least_age=wiring.token_key_least_age())
    logger().info("token key rotated" if rotated else "token key kept: it is too new")
    return {"rotated": rotated}
