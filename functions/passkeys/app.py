"""GET /passkeys, POST /passkeys/options, POST /passkeys, DELETE /passkeys/{id}: what confirms without a message."""

import time

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import EmptyBody, NoQuery, PasskeyBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.ledger import ids
from wallet.passkeys.model import MadePasskey
from wallet.passkeys.service import add_passkey, creation_options, remove_passkey
from wallet.passkeys.store import list_passkeys


def get_passkeys(request: Request) -> Response:
    """The caller's passkeys."""
    caller = request.principal()
    request.parameters(NoQuery)
    return Response(200, shapes.passkeys(list_passkeys(wiring.database(), caller.user_id)))


def post_options(request: Request) -> Response:
    """What a browser makes a passkey by."""
    caller, now = request.principal(), int(time.time())
    request.json(EmptyBody, optional=True)
    party, nonce = wiring.relying_party(), wiring.new_nonce()
    return Response(200, creation_options(wiring.database(), party, caller=caller, nonce=nonce, now=now))


def post_passkey(request: Request) -> Response:
    """A passkey that a browser has made, behind a confirmation."""
    caller, asked, now = request.principal(), request.json(PasskeyBody), int(time.time())
    party, made = wiring.relying_party(), MadePasskey(asked.name, asked.credential)
    passkey = add_passkey(wiring.database(), wiring.new_id, party, caller=caller, made=made, now=now)
    return Response(201, shapes.new_passkey(passkey))


def delete_passkey(request: Request) -> Response:
    """Removes one, behind a confirmation."""
    caller = request.principal()
    request.parameters(NoQuery)
    remove_passkey(wiring.database(), wiring.new_id, caller=caller, passkey_id=request.id_in_path(ids.PASSKEY))
    return Response(204, None)


_MADE = {"POST /passkeys/options": post_options, "POST /passkeys": post_passkey}
handler = wiring.api_handler({"GET /passkeys": get_passkeys, **_MADE, "DELETE /passkeys/{id}": delete_passkey})
