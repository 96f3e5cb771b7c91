"""POST /webhooks/{gateway}: what a gateway tells us. Nobody signs in here: the signature over the body is the proof."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.events import read_event
from wallet.edge.logs import logger
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger.refusals import Refusal
from wallet.movements.settle import EventOutcome, receive

_REFUSES = (Refusal.UNKNOWN_GATEWAY, Refusal.INVALID_SIGNATURE, Refusal.MALFORMED_EVENT, Refusal.REQUEST_TOO_LARGE)


@route("POST /webhooks/{gateway}", is_open=True, refuses=_REFUSES)
def post_event(request: Request) -> Response["shapes.answers.EventAnswer"]:
    """Verifies, keeps, then acts. Anything but 200 makes the gateway send it again."""
    gateway = request.path.get("gateway", "")
    event = read_event(request, gateway, wiring.webhook_reader)
    outcome = receive(wiring.database(), wiring.new_id, event, gateway=gateway, body=request.body)
    if outcome is EventOutcome.STUCK:
        logger().warning("stuck", gateway=gateway, event=event.name)
    return Response(200, shapes.event(outcome.told))


handler = wiring.api_handler(post_event)
