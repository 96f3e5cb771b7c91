"""The operator's commands: invoked directly, by whom IAM allows to, and reached by no route."""

from typing import Any

from wallet import wiring
from wallet.edge.commands import answer
from wallet.edge.responses import Json


def handler(event: dict[str, Any], _context: object) -> Json:
    """One command."""
    return answer(event, wiring.database, wiring.new_id, region=wiring.region())
