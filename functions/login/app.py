"""POST /login, /token, /logout: a session of tokens for somebody who knows a password, or has a refresh token."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import LoginBody, TokenBody
from wallet.edge.logs import log_failed_sign_in
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.identity.sessions.model import SessionKind
from wallet.identity.sessions.service import refresh, sign_in, sign_out


def post_login(request: Request) -> Response:
    """A password for a session."""
    shown = request.json(LoginBody).sign_in(request)
    session = sign_in(
        wiring.database(),
        wiring.new_id,
        wiring.token_issuer(),
        wiring.sign_in_rules(),
        shown,
        kind=SessionKind.TOKENS,
        on_failure=log_failed_sign_in,
    )
    return Response(200, shapes.session(session))


def post_token(request: Request) -> Response:
    """A refresh token for its successor and an access token."""
    asked = request.json(TokenBody)
    session = refresh(wiring.database(), wiring.token_issuer(), refresh_token=asked.refresh_token)
    return Response(200, shapes.session(session))


def post_logout(request: Request) -> Response:
    """The end of a session."""
    asked = request.json(TokenBody)
    sign_out(wiring.database(), secret=asked.refresh_token)
    return Response(204, None)


_ROUTES = {"POST /login": post_login, "POST /token": post_token, "POST /logout": post_logout}
handler = wiring.counting_api_handler(_ROUTES)
