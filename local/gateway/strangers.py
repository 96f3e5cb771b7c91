"""Who is no visitor of this machine's own: a page of another site, in the browser of whoever has the simulator open.

Such a page can send requests here, though it can't read the answers; and under a name that it makes point to this
machine (DNS rebinding) it could read them, too: codes that confirm payments.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_ours(headers: Mapping[str, str], host: str) -> bool:
    """Whether a request is for us by `Host`: an IP address, which nobody can rebind, `localhost`, or `host` itself."""
    name = _name(headers.get("host", ""))
    if name in ("localhost", host.lower()) or name.endswith(".localhost"):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_of_another_site(headers: Mapping[str, str]) -> bool:
    """Whether a browser says, by `Origin`, that a page of another address sends this. Programs say nothing."""
    origin = headers.get("origin")
    return origin is not None and origin.lower() != f"http://{headers.get('host', '')}".lower()


def _name(authority: str) -> str:
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""
