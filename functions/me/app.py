"""GET /me, PATCH /me, POST /me/phone, POST /me/password: an account in its owner's hands."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import MeBody, NewPhoneBody, NoQuery, PasswordBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import CONFIRMED, route
from wallet.identity.accounts.service import change_account, change_password, change_phone, show_account
from wallet.ledger.refusals import Refusal

_CHECKS_PASSWORD = (Refusal.TOO_MANY_ATTEMPTS, Refusal.INVALID_CREDENTIALS)
_RENAMES = (Refusal.NAME_CHANGED_LATELY, Refusal.OPERATOR_NEEDED, *CONFIRMED)
_MOVES = (*_CHECKS_PASSWORD, Refusal.INVALID_PROOF, Refusal.PHONE_TAKEN, *CONFIRMED)


@route("GET /me")
def get_me(request: Request) -> Response["shapes.answers.Account"]:
    """The caller's account."""
    caller = request.principal()
    request.parameters(NoQuery)
    return Response(200, shapes.account(show_account(wiring.database(), caller)))


@route("PATCH /me", asks=MeBody, refuses=_RENAMES)
def patch_me(request: Request) -> Response["shapes.answers.Account"]:
    """Another name, behind a confirmation, or e-mail address."""
    caller, asked = request.principal(), request.json(MeBody)
    account = change_account(wiring.database(), wiring.new_id, caller, name=asked.name, email=asked.new_email)
    return Response(200, shapes.account(account))


@route("POST /me/phone", asks=NewPhoneBody, refuses=_MOVES)
def post_phone(request: Request) -> Response["shapes.answers.Account"]:
    """Another phone, for who proves it, shows the password, and confirms by the one before."""
    caller, asked = request.principal(), request.json(NewPhoneBody)
    database, rules = wiring.database(), wiring.sign_in_rules()
    shown = {"phone_proof": asked.phone_proof, "password": asked.password, "address": request.address}
    return Response(200, shapes.account(change_phone(database, wiring.new_id, caller, rules, **shown)))


@route("POST /me/password", asks=PasswordBody, status=204, refuses=_CHECKS_PASSWORD)
def post_password(request: Request) -> Response[None]:
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


handler = wiring.address_api_handler(get_me, patch_me, post_phone, post_password)
