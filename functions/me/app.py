"""GET /me, POST /me/password, /me/freeze, /me/unfreeze: an account in its owner's hands."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import EmptyBody, NoQuery, PasswordBody, UnfreezeBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.identity.accounts.service import change_password, freeze, show_account, unfreeze


def get_me(request: Request) -> Response:
    """The caller's account."""
    caller = request.principal()
    request.parameters(NoQuery)
    return Response(200, shapes.account(show_account(wiring.database(), caller)))


def post_password(request: Request) -> Response:
    """Another password, for who shows the old one."""
    caller, asked = request.principal(), request.json(PasswordBody)
    change_password(
        wiring.database(),
        caller,
        wiring.sign_in_rules(),
        old_password=asked.old_password,
        new_password=asked.new_password,
        address=request.address,
        product=wiring.product_name(),
    )
    return Response(204, None)


def post_freeze(request: Request) -> Response:
    """From now on nothing leaves the caller's wallet."""
    caller = request.principal()
    request.json(EmptyBody, optional=True)
    freeze(wiring.database(), caller)
    return Response(204, None)


def post_unfreeze(request: Request) -> Response:
    """The end of one's own freeze, a day later."""
    caller, asked = request.principal(), request.json(UnfreezeBody)
    wait_s = wiring.number("UNFREEZE_WAIT_SECONDS")
    at = unfreeze(wiring.database(), wiring.new_id, caller, phone_proof=asked.phone_proof, wait_s=wait_s)
    return Response(202, shapes.unfreezing(at))


_FREEZE = {"POST /me/freeze": post_freeze, "POST /me/unfreeze": post_unfreeze}
handler = wiring.address_api_handler({"GET /me": get_me, "POST /me/password": post_password, **_FREEZE})
