"""The operators' routes, one for each role: who signs them is known to IAM, and allowed by it."""

from wallet import wiring
from wallet.edge.commands import Desk
from wallet.edge.routes import Route
from wallet.ledger.refusals import Refusal
from wallet.operators.model import Role

_REFUSES = (
    *(Refusal.NOT_FOUND, Refusal.PAYEE_NOT_FOUND, Refusal.NOT_AN_OPERATOR, Refusal.SAME_PERSON, Refusal.REQUEST_ENDED),
    *(Refusal.IDEMPOTENCY_KEY_REUSED, Refusal.IDEMPOTENCY_KEY_IN_USE, Refusal.PHONE_TAKEN, Refusal.WALLET_FROZEN),
    *(Refusal.WALLET_LIMIT_EXCEEDED, Refusal.INSUFFICIENT_FUNDS, Refusal.AMOUNT_OUT_OF_RANGE),
    *(Refusal.REFUND_EXCEEDS_PAYMENT, Refusal.WITHDRAWAL_SENT, Refusal.NOTHING_TO_WRITE_OFF),
)


def _route(role: Role) -> Route:
    desk = Desk(role, wiring.database, wiring.new_id, wiring.operator_session_roles)
    return Route(f"POST /operator/{role}/commands", desk, is_open=True, refuses=_REFUSES)


handler = wiring.phone_api_handler(*map(_route, Role))
