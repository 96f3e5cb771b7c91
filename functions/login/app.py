"""POST /login, /token, /logout: tokens for somebody who knows a password, or has a refresh token."""

import time

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import LoginBody, TokenBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.identity import login


def post_login(request: Request) -> Response:
    """A password for a session."""
    asked = request.json(LoginBody)
    session = login.login(
        wiring.database(),
        wiring.new_id,
        wiring.signing_key(),
        wiring.login_rules(),
        phone=asked.phone,
        password=asked.password,
        address=request.address,
        now=int(time.time()),
    )
    return Response(200, shapes.session(session))


def post_token(request: Request) -> Response:
    """A refresh token for a session; it is used up."""
    asked = request.json(TokenBody)
    session = login.refresh(
        wiring.database(),
        wiring.signing_key(),
        wiring.login_rules(),
        refresh_token=asked.refresh_token,
        now=int(time.time()),
    )
    return Response(200, shapes.session(session))


def post_logout(request: Request) -> Response:
    """The end of a session."""
    asked = request.json(TokenBody)
    login.logout(wiring.database(), refresh_token=asked.refresh_token)
    return Response(204, None)


handler = wiring.phone_api_handler({"POST /login": post_login, "POST /token": post_token, "POST /logout": post_logout})
