"""POST /session, POST /session/token, DELETE /session: a browser's session, by a cookie that alone moves nothing."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import EmptyBody, LoginBody
from wallet.edge.cookies import check_own_site, cookie_of, set_cookie, take_cookie
from wallet.edge.logs import log_failed_sign_in
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.identity.sessions.model import SessionKind
from wallet.identity.sessions.service import renew, sign_in, sign_out
from wallet.ledger.refusals import Refusal

_SIGNS_IN = (Refusal.CROSS_SITE, Refusal.TOO_MANY_ATTEMPTS, Refusal.INVALID_CREDENTIALS, Refusal.INVALID_PROOF)
_RENEWS = (Refusal.CROSS_SITE, Refusal.MISSING_TOKEN, Refusal.INVALID_TOKEN)


@route("POST /session", asks=LoginBody, is_open=True, refuses=_SIGNS_IN)
def post_session(request: Request) -> Response["shapes.answers.Access"]:
    """A password for a cookie, and a first access token."""
    check_own_site(request)
    shown, issuer = request.json(LoginBody).sign_in(request), wiring.browser_token_issuer()
    session = sign_in(
        wiring.database(),
        wiring.new_id,
        issuer,
        wiring.sign_in_rules(),
        shown,
        kind=SessionKind.COOKIE,
        on_failure=log_failed_sign_in,
    )
    return Response(200, shapes.access(session), set_cookie(session.secret, valid_s=issuer.lifetimes.valid_s))


@route("POST /session/token", asks=EmptyBody, is_open=True, refuses=_RENEWS)
def post_token(request: Request) -> Response["shapes.answers.Access"]:
    """Another access token, of a few minutes; the cookie does not change."""
    check_own_site(request)
    request.json(EmptyBody, optional=True)
    cookie = cookie_of(request)
    session = renew(wiring.database(), wiring.browser_token_issuer(), cookie=cookie)
    return Response(200, shapes.access(session))


@route("DELETE /session", status=204, is_open=True, refuses=_RENEWS)
def delete_session(request: Request) -> Response[None]:
    """The end of the session, and of what the browser remembers of it."""
    check_own_site(request)
    cookie = cookie_of(request)
    sign_out(wiring.database(), secret=cookie)
    return Response(204, None, take_cookie())


handler = wiring.counting_api_handler(post_session, post_token, delete_session)
