"""POST /login, /token, /logout: a session of tokens for somebody who knows a password, or has a refresh token."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import LoginBody, TokenBody
from wallet.edge.logs import log_failed_sign_in
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.identity.sessions.model import SessionKind
from wallet.identity.sessions.service import refresh, sign_in, sign_out
from wallet.ledger.refusals import Refusal

_SIGNS_IN = (Refusal.TOO_MANY_ATTEMPTS, Refusal.INVALID_CREDENTIALS, Refusal.INVALID_PROOF)


@route("POST /login", asks=LoginBody, is_open=True, refuses=_SIGNS_IN)
def post_login(request: Request) -> Response["shapes.answers.Tokens"]:
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


@route("POST /token", asks=TokenBody, is_open=True, refuses=(Refusal.INVALID_TOKEN,))
def post_token(request: Request) -> Response["shapes.answers.Tokens"]:
    """A refresh token for its successor and an access token."""
    asked = request.json(TokenBody)
    session = refresh(wiring.database(), wiring.token_issuer(), refresh_token=asked.refresh_token)
    return Response(200, shapes.session(session))


@route("POST /logout", asks=TokenBody, status=204, is_open=True)
def post_logout(request: Request) -> Response[None]:
    """The end of a session."""
    asked = request.json(TokenBody)
    sign_out(wiring.database(), secret=asked.refresh_token)
    return Response(204, None)


handler = wiring.counting_api_handler(post_login, post_token, post_logout)
