"""POST /payments, GET /payments/{id}: money from one wallet to another."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery, PaymentBody
from wallet.edge.etags import revalidated
from wallet.edge.idempotency import per_key
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import MONEY_OUT, route
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal
from wallet.movements.pay import pay, show_payment
from wallet.storage.claims import Claim

_ASKED_FOR = (Refusal.NOT_FOUND, Refusal.PAYMENT_REQUEST_ENDED, Refusal.AMOUNT_DIFFERS)


@route("POST /payments", asks=PaymentBody, status=201, key="required", refuses=(*MONEY_OUT, *_ASKED_FOR))
def post_payment(request: Request) -> Response["shapes.answers.PaymentReceipt"]:
    """Pays, once per key."""

    def work(claim: Claim, asked: PaymentBody) -> tuple["shapes.answers.PaymentReceipt", bool]:
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


@route("GET /payments/{id}")
def get_payment(request: Request) -> Response["shapes.answers.Payment | None"]:
    """A payment that the caller made or received."""
    caller = request.caller()
    request.parameters(NoQuery)
    payment = show_payment(wiring.database(), payment_id=request.id_in_path(ids.PAYMENT), actor_id=caller)
    return revalidated(request, shapes.payment(payment))


handler = wiring.phone_api_handler(post_payment, get_payment)
