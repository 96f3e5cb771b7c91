"""Addresses that callers seem to come from; the emulator believes the first of X-Forwarded-For."""

import ipaddress
import itertools
import secrets

# addresses for measurements (RFC 2544); from anywhere on, for a stack that has seen a run before
_ADDRESSES = ipaddress.ip_network("198.18.0.0/15")
_next_address = itertools.count(secrets.randbelow(_ADDRESSES.num_addresses))


def new_address() -> str:
    """One that no test has used on this stack, as one that guessed is refused for a while."""
    return str(_ADDRESSES[next(_next_address) % _ADDRESSES.num_addresses])


def coming_from(address: str) -> dict[str, str]:
    """The header that makes it so."""
    return {"X-Forwarded-For": address}
