"""POST /payments/{id}/refunds: money back to who paid."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import RefundBody
from wallet.edge.idempotency import per_key
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal
from wallet.movements.pay import refund
from wallet.storage.claims import Claim

_REFUSES = (
    *(Refusal.REFUND_EXCEEDS_PAYMENT, Refusal.INSUFFICIENT_FUNDS, Refusal.WALLET_FROZEN, Refusal.WALLET_LIMIT_EXCEEDED),
)


@route("POST /payments/{id}/refunds", asks=RefundBody, status=201, key="required", refuses=_REFUSES)
def post_refund(request: Request) -> Response["shapes.answers.Refund"]:
    """Gives a payment that the caller received back, in whole or in part, once per key."""

    def work(claim: Claim, asked: RefundBody) -> tuple["shapes.answers.Refund", bool]:
        receipt, replayed = refund(
            wiring.database(),
            wiring.new_id,
            claim=claim,
            payment_id=request.id_in_path(ids.PAYMENT),
            amount=asked.amount,
            reason=asked.reason,
        )
        return shapes.refund(receipt), replayed

    return per_key(wiring.once, request, RefundBody, work, status=201, body_optional=True)


handler = wiring.api_handler(post_refund)
