"""GET /payees: who somebody would pay, before they do."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import Payee
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.payees.store import look_up_payee


def get_payee(request: Request) -> Response:
    """The one who has the wallet, the phone or the QR code that is named."""
    caller = request.caller()
    asked = request.parameters(Payee)
    payee = look_up_payee(
        wiring.database(),
        wiring.lookup_quotas(),
        caller_id=caller,
        address=request.address,
        payee=asked.named(),
    )
    return Response(200, shapes.payee(payee))


handler = wiring.counting_api_handler({"GET /payees": get_payee})
