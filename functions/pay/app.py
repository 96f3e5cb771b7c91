"""POST /payments, GET /payments/{id}: money from one wallet to another."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery, PaymentBody
from wallet.edge.etags import revalidated
from wallet.edge.idempotency import per_key
from wallet.edge.requests import Request
from wallet.edge.responses import Json, Response
from wallet.ledger import ids
from wallet.movements.pay import pay, show_payment
from wallet.storage.claims import Claim


def post_payment(request: Request) -> Response:
    """Pays, once per key."""

    def work(claim: Claim, asked: PaymentBody) -> tuple[Json, bool]:
        receipt, replayed = pay(
            wiring.database(),
            wiring.new_id,
            claim=claim,
            payee=asked.to.payee(),
            amount=asked.amount,
            description=asked.description,
            reference=asked.reference,
        )
        return shapes.payment_receipt(receipt), replayed

    return per_key(wiring.once, request, PaymentBody, work, status=201)


def get_payment(request: Request) -> Response:
    """A payment that the caller made or received."""
    caller = request.caller()
    request.parameters(NoQuery)
    payment = show_payment(wiring.database(), payment_id=request.id_in_path(ids.PAYMENT), actor_id=caller)
    return revalidated(request, shapes.payment(payment))


handler = wiring.phone_api_handler({"POST /payments": post_payment, "GET /payments/{id}": get_payment})
