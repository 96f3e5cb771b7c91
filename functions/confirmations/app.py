"""POST /confirmations/{id}/code, …/options, POST /confirmations/{id}: a second factor for what was refused."""

from wallet import wiring
from wallet.confirmations import service
from wallet.edge import shapes
from wallet.edge.bodies import ConfirmationBody, EmptyBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal
from wallet.passkeys.service import confirm_by_passkey, request_options

_ENDED = (Refusal.CONFIRMATION_ENDED,)
_SENDS = (*_ENDED, Refusal.TOO_MANY_CODES, Refusal.TOO_MANY_ATTEMPTS)
_CONFIRMS = (*_ENDED, Refusal.INVALID_CODE)


@route("POST /confirmations/{id}/code", asks=EmptyBody, status=202, refuses=_SENDS)
def post_code(request: Request) -> Response["shapes.answers.ConfirmationCode"]:
    """Sends a code to the caller's phone, which names what it is for."""
    caller, asked_for = request.principal(), request.id_in_path(ids.CONFIRMATION)
    request.json(EmptyBody, optional=True)
    sender, limits = wiring.confirmation_sender(), wiring.confirmation_code_limits()
    sent = service.send_code(wiring.database(), sender, limits, caller=caller, confirmation_id=asked_for)
    return Response(202, shapes.confirmation_code(sent))


@route("POST /confirmations/{id}/options", asks=EmptyBody, refuses=_ENDED)
def post_options(request: Request) -> Response["shapes.answers.PublicKeyOptions"]:
    """What a browser has a passkey sign."""
    caller, asked_for = request.principal(), request.id_in_path(ids.CONFIRMATION)
    request.json(EmptyBody, optional=True)
    party = wiring.relying_party()
    return Response(200, request_options(wiring.database(), party, caller=caller, confirmation_id=asked_for))


@route("POST /confirmations/{id}", asks=ConfirmationBody, status=204, refuses=_CONFIRMS)
def post_confirmation(request: Request) -> Response[None]:
    """Takes the code, or what a passkey has signed: from now on the request goes through, once."""
    caller, asked_for = request.principal(), request.id_in_path(ids.CONFIRMATION)
    shown, database = request.json(ConfirmationBody), wiring.database()
    if shown.code is not None:
        key = wiring.code_key()
        service.confirm_by_code(database, key=key, caller=caller, confirmation_id=asked_for, code=shown.code)
    elif shown.passkey is not None:
        party = wiring.relying_party()
        confirm_by_passkey(database, party, caller=caller, confirmation_id=asked_for, answer=shown.passkey)
    return Response(204, None)


handler = wiring.api_handler(post_code, post_options, post_confirmation)
