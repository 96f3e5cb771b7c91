"""The operators' routes, one for each role: who signs them is known to IAM, and allowed by it."""

from wallet import wiring
from wallet.edge.commands import Desk
from wallet.edge.routes import Route
from wallet.ledger.refusals import Refusal
from wallet.operators.model import Role

_SIGNED = (Refusal.NOT_AN_OPERATOR, Refusal.SAME_PERSON, Refusal.REQUEST_ENDED, Refusal.NOTHING_TO_WRITE_OFF)


def _route(role: Role) -> Route:
    desk = Desk(role, wiring.database, wiring.new_id, wiring.operator_session_roles)
    return Route(f"POST /operator/{role}/commands", desk, is_open=True, refuses=_SIGNED)


handler = wiring.phone_api_handler(*map(_route, Role))
