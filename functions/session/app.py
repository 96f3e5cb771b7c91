"""POST /session, POST /session/token, DELETE /session: a browser's session, by a cookie that alone moves nothing."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import EmptyBody, LoginBody
from wallet.edge.cookies import check_own_site, cookie_of, set_cookie, take_cookie
from wallet.edge.logs import log_failed_sign_in
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.identity.sessions.model import SessionKind
from wallet.identity.sessions.service import renew, sign_in, sign_out


def post_session(request: Request) -> Response:
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


def post_token(request: Request) -> Response:
    """Another access token, of a few minutes; the cookie does not change."""
    check_own_site(request)
    request.json(EmptyBody, optional=True)
    cookie = cookie_of(request)
    session = renew(wiring.database(), wiring.browser_token_issuer(), cookie=cookie)
    return Response(200, shapes.access(session))


def delete_session(request: Request) -> Response:
    """The end of the session, and of what the browser remembers of it."""
    check_own_site(request)
    cookie = cookie_of(request)
    sign_out(wiring.database(), secret=cookie)
    return Response(204, None, take_cookie())


_ROUTES = {"POST /session": post_session, "POST /session/token": post_token, "DELETE /session": delete_session}
handler = wiring.counting_api_handler(_ROUTES)
