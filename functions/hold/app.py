"""POST /holds, GET /holds/{id}: money that is promised."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import HoldBody, NoQuery
from wallet.edge.etags import revalidated
from wallet.edge.idempotency import per_key
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import MONEY_OUT, route
from wallet.ledger import ids
from wallet.movements.hold import place_hold, show_hold
from wallet.storage.claims import Claim


@route("POST /holds", asks=HoldBody, status=201, key="required", refuses=MONEY_OUT)
def post_hold(request: Request) -> Response["shapes.answers.HoldReceipt"]:
    """Promises money to somebody, once per key."""

    def work(claim: Claim, asked: HoldBody) -> tuple["shapes.answers.HoldReceipt", bool]:
        receipt, replayed = place_hold(
            wiring.database(),
            wiring.new_id,
            claim=claim,
            payee=asked.to.named(),
            amount=asked.amount,
            valid_s=asked.expires_in,
            description=asked.description,
        )
        return shapes.hold_receipt(receipt), replayed

    return per_key(wiring.once, request, HoldBody, work, status=201)


@route("GET /holds/{id}")
def get_hold(request: Request) -> Response["shapes.answers.Hold | None"]:
    """A hold that the caller placed, or that is for them."""
    caller = request.caller()
    request.parameters(NoQuery)
    hold = show_hold(wiring.database(), hold_id=request.id_in_path(ids.HOLD), actor_id=caller)
    return revalidated(request, shapes.hold(hold))


handler = wiring.phone_api_handler(post_hold, get_hold)
