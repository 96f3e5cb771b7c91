"""GET /me, PATCH /me, POST /me/phone, POST /me/password: an account in its owner's hands."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import MeBody, NewPhoneBody, NoQuery, PasswordBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.identity.accounts.service import change_account, change_password, change_phone, show_account


def get_me(request: Request) -> Response:
    """The caller's account."""
    caller = request.principal()
    request.parameters(NoQuery)
    return Response(200, shapes.account(show_account(wiring.database(), caller)))


def patch_me(request: Request) -> Response:
    """Another name, behind a confirmation, or e-mail address."""
    caller, asked = request.principal(), request.json(MeBody)
    account = change_account(wiring.database(), wiring.new_id, caller, name=asked.name, email=asked.new_email)
    return Response(200, shapes.account(account))


def post_phone(request: Request) -> Response:
    """Another phone, for who proves it, shows the password, and confirms by the one before."""
    caller, asked = request.principal(), request.json(NewPhoneBody)
    database, rules = wiring.database(), wiring.sign_in_rules()
    shown = {"phone_proof": asked.phone_proof, "password": asked.password, "address": request.address}
    return Response(200, shapes.account(change_phone(database, wiring.new_id, caller, rules, **shown)))


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


_OWN = {"PATCH /me": patch_me, "POST /me/phone": post_phone}
handler = wiring.address_api_handler({"GET /me": get_me, **_OWN, "POST /me/password": post_password})
