"""/payment-requests: what one asks others for, by a link or a code that they open."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import EmptyBody, NoQuery, PaymentRequestBody, PaymentRequestsQuery, asked_of
from wallet.edge.etags import revalidated
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.ledger import ids
from wallet.payment_requests.service import ask, call_off, show
from wallet.payment_requests.store import list_payment_requests


def post_payment_request(request: Request) -> Response:
    """Writes down what the caller asks for. Nothing is pushed to anybody."""
    caller, asked = request.principal(), request.json(PaymentRequestBody)
    made = ask(wiring.database(), wiring.new_id, caller, asked.terms())
    return Response(201, shapes.payment_request(made, (), origin=wiring.web_origin))


def get_payment_requests(request: Request) -> Response:
    """The caller's own."""
    caller, query = request.caller(), request.parameters(PaymentRequestsQuery)
    page = list_payment_requests(wiring.database(), actor_id=caller, asked=asked_of(query))
    return Response(200, shapes.payment_requests(page))


def get_payment_request(request: Request) -> Response:
    """A request, to whoever was given it."""
    caller = request.caller()
    request.parameters(NoQuery)
    found, received = show(wiring.database(), request.id_in_path(ids.PAYMENT_REQUEST), reader_id=caller)
    return revalidated(request, shapes.payment_request(found, received, origin=wiring.web_origin))


def post_cancel(request: Request) -> Response:
    """Ends one of the caller's own, unless it is paid."""
    caller, request_id = request.principal(), request.id_in_path(ids.PAYMENT_REQUEST)
    request.json(EmptyBody, optional=True)
    cancelled, received = call_off(wiring.database(), caller, request_id)
    return Response(200, shapes.payment_request(cancelled, received, origin=wiring.web_origin))


_ALL = {"POST /payment-requests": post_payment_request, "GET /payment-requests": get_payment_requests}
_ONE = {"GET /payment-requests/{id}": get_payment_request, "POST /payment-requests/{id}/cancel": post_cancel}
handler = wiring.api_handler({**_ALL, **_ONE})
