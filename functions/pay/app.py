"""POST /payments, GET /payments/{id}: money from one wallet to another."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery, PaymentBody
from wallet.edge.door import Door
from wallet.edge.idempotency import claim_of
from wallet.edge.requests import Request
from wallet.edge.responses import Json, Response
from wallet.ledger import ids
from wallet.movements.pay import Order, pay, show_payment


def post_payment(request: Request) -> Response:
    """Pays, once per key."""
    caller, key = request.caller(), request.idempotency_key()
    asked = request.json(PaymentBody)
    claim = claim_of(request, actor_id=caller, key=key, asked=asked.model_dump(mode="json", exclude_none=True))
    order = Order(
        payee_wallet_id=asked.to.wallet_id,
        payee_phone=asked.to.phone,
        amount=asked.amount,
        description=asked.description,
        reference=asked.reference,
    )

    def work() -> tuple[Json, bool]:
        receipt, replayed = pay(wiring.database(), wiring.new_id, claim=claim, order=order)
        return shapes.payment_receipt(receipt), replayed

    return wiring.once().answer(request, claim, work, status=201)


def get_payment(request: Request) -> Response:
    """A payment that the caller made or received."""
    caller = request.caller()
    request.parameters(NoQuery)
    payment = show_payment(wiring.database(), payment_id=request.id_in_path(ids.PAYMENT), actor_id=caller)
    return Response(200, shapes.payment(payment))


handler = Door({"POST /payments": post_payment, "GET /payments/{id}": get_payment})
