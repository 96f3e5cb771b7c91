"""The cookie of a browser's session, and the requests that may come with it.

A cookie is sent by the browser whoever's page asks, so what it opens is asked for in a way that no other site's page
can: with a header of our own, which the browser sends across origins only if we allowed it, and we never do, not for
the origins that may call the rest of the API either (see `cors`; draft-ietf-oauth-browser-based-apps, section
6.1.3.3). Newer browsers say themselves where a request comes from.
"""

import re

from wallet.edge.requests import Request
from wallet.ledger.refusals import Refusal, Refused

#: A browser takes the name only over HTTPS, for this very host and all of its paths, and never from a script.
NAME = "__Host-Http-wallet"

_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict"


def check_own_site(request: Request) -> None:
    """Raises `Refused` (`cross_site`) unless a page of this site asks."""
    if request.headers.get("x-wallet") != "1" or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Refused(Refusal.CROSS_SITE)


def cookie_of(request: Request) -> str:
    """The session's cookie, whatever others stand beside it; raises `Refused` (`missing_token`) without one."""
    pairs = (part.strip().partition("=") for part in re.split("[;,]", request.headers.get("cookie", "")))
    secret = next((value for name, _, value in pairs if name == NAME), "")
    if not secret:
        raise Refused(Refusal.MISSING_TOKEN)
    return secret


def set_cookie(secret: str, *, valid_s: int) -> dict[str, str]:
    """The header that gives a browser its cookie, for as long as the session may last."""
    return {"Set-Cookie": f"{NAME}={secret}; Max-Age={valid_s}; {_ATTRIBUTES}"}


def take_cookie() -> dict[str, str]:
    """The headers that take it away again, and what else the browser keeps of the site."""
    return {"Set-Cookie": f"{NAME}=; Max-Age=0; {_ATTRIBUTES}", "Clear-Site-Data": '"cache"'}
