"""Webhook signatures: HMAC-SHA256 with any of several live secrets, and the headers they come in."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence

from wallet.gateways.port import SignatureMismatchError


class LiveSecrets:
    """The secrets that a gateway may sign with now.

    Several are live after a rotation: retries of older events may be signed with the secret of their day.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        """Take the live secrets; blank ones are left out. Raises ValueError if none remains."""
        # A lone text is a sequence too, of one-letter secrets that anybody guesses.
        if isinstance(secrets, str):
            raise TypeError("the webhook's secrets are a list, not one text")
        self._keys = tuple(secret.encode() for secret in secrets if secret.strip())
        if not self._keys:
            raise ValueError("a webhook without a secret would believe anybody")

    def check(self, message: bytes, signature: object, written: Callable[[bytes], str]) -> None:
        """Raise SignatureMismatchError unless a live secret gives this signature, digests being `written` so."""
        # compare_digest raises TypeError on non-ASCII text, which would answer a forgery with a 500.
        if not isinstance(signature, str) or not signature or not signature.isascii():
            raise SignatureMismatchError("no usable signature")
        matches = False
        for key in self._keys:
            expected = written(hmac.new(key, message, hashlib.sha256).digest())
            # Every secret is tried, always: the time taken must not tell which one it was.
            matches |= hmac.compare_digest(expected, signature)
        if not matches:
            raise SignatureMismatchError("no live secret gives this signature")


def header(headers: Mapping[str, str], name: str) -> object:
    """Find a header whatever its case (`name` is lower-case); told twice, differently, it is no header at all."""
    found: list[object] = [value for key, value in headers.items() if key.lower() == name]
    return found[0] if found and all(value == found[0] for value in found) else None
