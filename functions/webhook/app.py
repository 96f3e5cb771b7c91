"""POST /webhooks/{gateway}: what a gateway tells us. Nobody signs in here: the signature over the body is the proof."""

from wallet import wiring
from wallet.edge.events import read_event
from wallet.edge.logs import logger
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.movements.settle import EventOutcome, receive


def post_event(request: Request) -> Response:
    """Verifies, keeps, then acts. Anything but 200 makes the gateway send it again."""
    gateway = request.path.get("gateway", "")
    event = read_event(request, gateway, wiring.webhook_reader)
    outcome = receive(wiring.database(), wiring.new_id, event, gateway=gateway, body=request.body)
    if outcome is EventOutcome.STUCK:
        logger().warning("stuck", gateway=gateway, event=event.name)
    return Response(200, {"status": outcome.told})


handler = wiring.api_handler({"POST /webhooks/{gateway}": post_event})
