"""POST /top-ups, GET /top-ups/{id}: asking for money, and seeing whether it came."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery, TopUpBody
from wallet.edge.etags import revalidated
from wallet.edge.idempotency import per_key
from wallet.edge.qr import svg
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger import ids
from wallet.ledger.receipts import TopUp
from wallet.ledger.refusals import Refusal
from wallet.movements.top_up import checkout_of, open_top_up, show_top_up
from wallet.storage.claims import Claim

_REFUSES = (
    *(Refusal.WALLET_FROZEN, Refusal.TOO_MANY_OPEN_TOP_UPS, Refusal.AMOUNT_OUT_OF_RANGE, Refusal.WALLET_LIMIT_EXCEEDED),
    Refusal.GATEWAY_REFUSED,
)


@route("POST /top-ups", asks=TopUpBody, status=201, key="required", refuses=_REFUSES)
def post_top_up(request: Request) -> Response["shapes.answers.NewTopUp"]:
    """Opens an attempt: the gateway's order, and the link to pay it. Nothing is credited by this."""

    def work(claim: Claim, asked: TopUpBody) -> tuple["shapes.answers.NewTopUp", bool]:
        gateway = wiring.gateway()
        top_up, replayed = open_top_up(
            wiring.database(), gateway, wiring.new_id, wiring.top_up_rules(), claim=claim, amount=asked.amount
        )
        return shapes.top_up(top_up, checkout=checkout_of(gateway, top_up), qr_svg=_qr(top_up)), replayed

    return per_key(wiring.once, request, TopUpBody, work, status=201)


@route("GET /top-ups/{id}")
def get_top_up(request: Request) -> Response["shapes.answers.TopUp | None"]:
    """An attempt of the caller's, as it stands."""
    caller = request.caller()
    request.parameters(NoQuery)
    state = show_top_up(wiring.database(), attempt_id=request.id_in_path(ids.TOP_UP), actor_id=caller)
    checkout = checkout_of(wiring.gateway(), state.top_up)
    return revalidated(request, shapes.top_up_state(state, checkout=checkout, qr_svg=_qr(state.top_up)))


def _qr(top_up: TopUp) -> str | None:
    return svg(top_up.intent_url) if top_up.intent_url else None


handler = wiring.api_handler(post_top_up, get_top_up)
