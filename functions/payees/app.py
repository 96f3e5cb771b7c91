"""GET /payees: who somebody would pay, before they do."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import PayeeRef
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger.refusals import Refusal
from wallet.payees.store import look_up_payee


@route("GET /payees", query=PayeeRef, refuses=(Refusal.TOO_MANY_LOOKUPS, Refusal.PAYEE_NOT_FOUND))
def get_payee(request: Request) -> Response["shapes.answers.Payee"]:
    """The one who has the wallet, the phone or the QR code that is named."""
    caller = request.caller()
    asked = request.parameters(PayeeRef)
    payee = look_up_payee(
        wiring.database(),
        wiring.lookup_quotas(),
        caller_id=caller,
        address=request.address,
        payee=asked.named(),
    )
    return Response(200, shapes.payee(payee))


handler = wiring.counting_api_handler(get_payee)
