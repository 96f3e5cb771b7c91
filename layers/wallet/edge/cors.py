"""Pages of other origins: the headers that let a browser show them our answers (CORS, as the Fetch standard has it).

They are for the origins that the deployment lists, and never with cookies: no answer allows credentials, and no
preflight allows X-Wallet, without which `/session…` refuses (see `cookies`).
"""

from collections.abc import Collection

#: What the answers of API Gateway and of WAF expose too (template.yaml).
EXPOSED = "ETag, Idempotency-Replayed, Link, Retry-After, X-Request-Id"

#: What a preflight is told, whatever route it is for: a route that takes less says so itself.
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-None-Match, Accept",
    # two hours: no browser but Firefox remembers it longer
    "Access-Control-Max-Age": "7200",
}


def cors_headers(origin: str | None, allowed: Collection[str]) -> dict[str, str]:
    """What every answer has on a request with this `Origin`; nothing where no origin is allowed.

    Origins are compared as whole texts, since a browser has one way to write each: no prefix, suffix or other case of
    an allowed one is that one, nor are two in one header.
    """
    if not allowed:
        return {}
    # for the others, too: what was answered to one origin is no answer to another
    headers = {"Vary": "Origin"}
    if origin is not None and origin in allowed:
        headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED}
    return headers
