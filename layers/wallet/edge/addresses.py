"""Whose request it is, as far as it counts how many came from there: by an address that its sender can't choose.

Behind our CloudFront distribution API Gateway sees the distribution's servers: whoever is counted by those locks out
everybody behind one of them. CloudFront says who asked it in the last but one of X-Forwarded-For (the last is its own
server, appended by API Gateway; what stands before is what the sender claims), and proves that it is ours by a secret
header. Without that proof nothing in a header is believed.
"""

import hmac
from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address

ORIGIN_HEADER = "x-origin-verify"

# What one household or one machine is given of IPv6: by single addresses it could ask 2**64 times over.
_IPV6_PREFIX = 64


def counted_address(headers: Mapping[str, str], connection: str, origin_secrets: Iterable[str]) -> str:
    """The address by which a request counts: an IPv4 address, or an IPv6 network like `2001:db8:0:1::/64`.

    `headers` by lower-case name; `connection` is the address that API Gateway was asked from; `origin_secrets` are what
    our distribution may prove itself with, none if there is no such distribution.
    """
    forwarded = headers.get("x-forwarded-for", "").split(",")
    if len(forwarded) > 1 and _is_ours(headers.get(ORIGIN_HEADER, ""), origin_secrets):
        return _counted(forwarded[-2]) or _counted(connection) or connection
    return _counted(connection) or connection


def _is_ours(told: str, origin_secrets: Iterable[str]) -> bool:
    """In a time that says nothing of the secrets."""
    proof = told.encode(errors="replace")
    known = [hmac.compare_digest(proof, secret.encode()) for secret in origin_secrets]
    return bool(told) and any(known)


def _counted(text: str) -> str | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Network((int(address), _IPV6_PREFIX), strict=False))
    return str(address)
