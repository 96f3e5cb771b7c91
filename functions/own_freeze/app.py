"""POST /me/freeze, POST /me/unfreeze: a wallet that its owner freezes."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import EmptyBody, UnfreezeBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.identity.accounts.service import freeze, unfreeze
from wallet.ledger.refusals import Refusal

_FROZEN = (Refusal.WALLET_FROZEN,)
_UNFREEZES = (*_FROZEN, Refusal.INVALID_PROOF, Refusal.NOT_FOUND)


@route("POST /me/freeze", asks=EmptyBody, status=204, refuses=_FROZEN)
def post_freeze(request: Request) -> Response[None]:
    """From now on nothing leaves the caller's wallet."""
    caller = request.principal()
    request.json(EmptyBody, optional=True)
    freeze(wiring.database(), caller)
    return Response(204, None)


@route("POST /me/unfreeze", asks=UnfreezeBody, status=202, refuses=_UNFREEZES)
def post_unfreeze(request: Request) -> Response["shapes.answers.Unfreezing"]:
    """The end of one's own freeze, a day later."""
    caller, asked = request.principal(), request.json(UnfreezeBody)
    wait_s = wiring.number("UNFREEZE_WAIT_SECONDS")
    at = unfreeze(wiring.database(), wiring.new_id, caller, phone_proof=asked.phone_proof, wait_s=wait_s)
    return Response(202, shapes.unfreezing(at))


handler = wiring.api_handler(post_freeze, post_unfreeze)
