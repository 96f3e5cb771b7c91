"""GET /passkeys, POST /passkeys/options, POST /passkeys, DELETE /passkeys/{id}: what confirms without a message."""

import time

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import EmptyBody, NoQuery, PasskeyBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import CONFIRMED, route
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal
from wallet.passkeys.model import MadePasskey
from wallet.passkeys.service import add_passkey, creation_options, remove_passkey
from wallet.passkeys.store import list_passkeys

_ADDS = (Refusal.NOT_FOUND, Refusal.INVALID_CODE, Refusal.TOO_MANY_PASSKEYS, *CONFIRMED)


@route("GET /passkeys")
def get_passkeys(request: Request) -> Response["shapes.answers.Passkeys"]:
    """The caller's passkeys."""
    caller = request.principal()
    request.parameters(NoQuery)
    return Response(200, shapes.passkeys(list_passkeys(wiring.database(), caller.user_id)))


@route("POST /passkeys/options", asks=EmptyBody, refuses=_ADDS)
def post_options(request: Request) -> Response["shapes.answers.PublicKeyOptions"]:
    """What a browser makes a passkey by."""
    caller, now = request.principal(), int(time.time())
    request.json(EmptyBody, optional=True)
    party, nonce = wiring.relying_party(), wiring.new_nonce()
    return Response(200, creation_options(wiring.database(), party, caller=caller, nonce=nonce, now=now))


@route("POST /passkeys", asks=PasskeyBody, status=201, refuses=_ADDS)
def post_passkey(request: Request) -> Response["shapes.answers.NewPasskey"]:
    """A passkey that a browser has made, behind a confirmation."""
    caller, asked, now = request.principal(), request.json(PasskeyBody), int(time.time())
    party, made = wiring.relying_party(), MadePasskey(asked.name, asked.credential)
    passkey = add_passkey(wiring.database(), wiring.new_id, party, caller=caller, made=made, now=now)
    return Response(201, shapes.new_passkey(passkey))


@route("DELETE /passkeys/{id}", status=204, refuses=CONFIRMED)
def delete_passkey(request: Request) -> Response[None]:
    """Removes one, behind a confirmation."""
    caller = request.principal()
    request.parameters(NoQuery)
    remove_passkey(wiring.database(), wiring.new_id, caller=caller, passkey_id=request.id_in_path(ids.PASSKEY))
    return Response(204, None)


handler = wiring.api_handler(get_passkeys, post_options, post_passkey, delete_passkey)
