"""POST /confirmations/{id}/code, …/options, POST /confirmations/{id}: a second factor for what was refused."""

from wallet import wiring
from wallet.confirmations import service
from wallet.edge import shapes
from wallet.edge.bodies import ConfirmationBody, EmptyBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.ledger import ids
from wallet.passkeys.service import confirm_by_passkey, request_options


def post_code(request: Request) -> Response:
    """Sends a code to the caller's phone, which names what it is for."""
    caller, asked_for = request.principal(), request.id_in_path(ids.CONFIRMATION)
    request.json(EmptyBody, optional=True)
    sender, limits = wiring.confirmation_sender(), wiring.confirmation_code_limits()
    sent = service.send_code(wiring.database(), sender, limits, caller=caller, confirmation_id=asked_for)
    return Response(202, shapes.confirmation_code(sent))


def post_options(request: Request) -> Response:
    """What a browser has a passkey sign."""
    caller, asked_for = request.principal(), request.id_in_path(ids.CONFIRMATION)
    request.json(EmptyBody, optional=True)
    party = wiring.relying_party()
    return Response(200, request_options(wiring.database(), party, caller=caller, confirmation_id=asked_for))


def post_confirmation(request: Request) -> Response:
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


handler = wiring.api_handler(
    {
        "POST /confirmations/{id}/code": post_code,
        "POST /confirmations/{id}/options": post_options,
        "POST /confirmations/{id}": post_confirmation,
    }
)
