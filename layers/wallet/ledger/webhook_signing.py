"""What merchants' webhooks are signed with: a key for each merchant, made from one secret of ours.

The signature is over a text that travels inside the body as a string. EventBridge delivers the body, and may write its
JSON anew; a string in it stays what it was, byte for byte.
"""

import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

from wallet.ledger import ids


def merchant_key(secret: str, wallet_id: UUID) -> str:
    """The key of one merchant's webhooks, 64 hexadecimal digits; nobody who has it can make another's."""
    about = f"webhook {ids.show(ids.WALLET, wallet_id)}"
    return hmac.new(secret.encode(), about.encode(), hashlib.sha256).hexdigest()


def sign(payload: str, *, secrets: Sequence[str], wallet_id: UUID) -> list[str]:
    """HMAC-SHA256 of `payload` in UTF-8, in hexadecimal, under the merchant's key of each live secret, newest first.

    The key is used as the text that the merchant was given, not as the bytes that its digits stand for.
    """
    keys = [merchant_key(secret, wallet_id) for secret in secrets]
    return [hmac.new(key.encode(), payload.encode(), hashlib.sha256).hexdigest() for key in keys]
