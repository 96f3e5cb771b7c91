"""/payment-requests: what one asks others for, by a link or a code that they open."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import EmptyBody, NoQuery, PaymentRequestBody, PaymentRequestsQuery, asked_of
from wallet.edge.etags import revalidated
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal
from wallet.payment_requests.service import ask, call_off, show
from wallet.payment_requests.store import list_payment_requests

_ASKS = (Refusal.WALLET_FROZEN, Refusal.TOO_MANY_PAYMENT_REQUESTS)


@route("POST /payment-requests", asks=PaymentRequestBody, status=201, refuses=_ASKS)
def post_payment_request(request: Request) -> Response["shapes.answers.PaymentRequest"]:
    """Writes down what the caller asks for. Nothing is pushed to anybody."""
    caller, asked = request.principal(), request.json(PaymentRequestBody)
    made = ask(wiring.database(), wiring.new_id, caller, asked.terms())
    return Response(201, shapes.payment_request(made, (), origin=wiring.web_origin))


@route("GET /payment-requests", query=PaymentRequestsQuery)
def get_payment_requests(request: Request) -> Response["shapes.answers.PaymentRequests"]:
    """The caller's own."""
    caller, query = request.caller(), request.parameters(PaymentRequestsQuery)
    page = list_payment_requests(wiring.database(), actor_id=caller, asked=asked_of(query))
    return Response(200, shapes.payment_requests(page))


@route("GET /payment-requests/{id}")
def get_payment_request(request: Request) -> Response["shapes.answers.PaymentRequest | None"]:
    """A request, to whoever was given it."""
    caller = request.caller()
    request.parameters(NoQuery)
    found, received = show(wiring.database(), request.id_in_path(ids.PAYMENT_REQUEST), reader_id=caller)
    return revalidated(request, shapes.payment_request(found, received, origin=wiring.web_origin))


@route("POST /payment-requests/{id}/cancel", asks=EmptyBody, refuses=(Refusal.PAYMENT_REQUEST_ENDED,))
def post_cancel(request: Request) -> Response["shapes.answers.PaymentRequest"]:
    """Ends one of the caller's own, unless it is paid."""
    caller, request_id = request.principal(), request.id_in_path(ids.PAYMENT_REQUEST)
    request.json(EmptyBody, optional=True)
    cancelled, received = call_off(wiring.database(), caller, request_id)
    return Response(200, shapes.payment_request(cancelled, received, origin=wiring.web_origin))


handler = wiring.api_handler(post_payment_request, get_payment_requests, get_payment_request, post_cancel)
