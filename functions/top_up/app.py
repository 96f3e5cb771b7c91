"""POST /top-ups, GET /top-ups/{id}: asking for money, and seeing whether it came."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery, TopUpBody
from wallet.edge.door import Door
from wallet.edge.idempotency import claim_of
from wallet.edge.qr import svg
from wallet.edge.requests import Request
from wallet.edge.responses import Json, Response
from wallet.ledger import ids
from wallet.ledger.receipts import TopUp
from wallet.movements.top_up import open_top_up, show_top_up


def post_top_up(request: Request) -> Response:
    """Opens an attempt: the gateway's order, and the link to pay it. Nothing is credited by this."""
    caller, key = request.caller(), request.idempotency_key()
    asked = request.json(TopUpBody)
    claim = claim_of(request, actor_id=caller, key=key, asked=asked.model_dump(mode="json", exclude_none=True))
    gateway = wiring.gateway()

    def work() -> tuple[Json, bool]:
        top_up, replayed = open_top_up(
            wiring.database(), gateway, wiring.new_id, wiring.top_up_rules(), claim=claim, amount=asked.amount
        )
        return shapes.top_up(top_up, key_id=gateway.public_key_id, qr_svg=_qr(top_up)), replayed

    return wiring.once().answer(request, claim, work, status=201)


def get_top_up(request: Request) -> Response:
    """An attempt of the caller's, as it stands."""
    caller = request.caller()
    request.parameters(NoQuery)
    state = show_top_up(wiring.database(), attempt_id=request.id_in_path(ids.TOP_UP), actor_id=caller)
    key_id = wiring.gateway().public_key_id
    return Response(200, shapes.top_up_state(state, key_id=key_id, qr_svg=_qr(state.top_up)))


def _qr(top_up: TopUp) -> str | None:
    return svg(top_up.intent_url) if top_up.intent_url else None


handler = Door({"POST /top-ups": post_top_up, "GET /top-ups/{id}": get_top_up})
