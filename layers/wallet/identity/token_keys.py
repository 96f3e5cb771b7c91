"""The keys that access tokens are signed with: when one takes the place of another.

Two are live. The current one signs; the one before it still verifies, until the next rotation takes it away. So a
rotation that comes too soon would end tokens that are still good, and ends nothing else.
"""

import secrets
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid5

_KEY_BYTES = 48
_NEXT = UUID("6f1d2c1e-5a0b-5c38-9c0d-3f8a4f0f8b52")


class Keys(Protocol):
    """Where they are kept. Who rotates them reads none of them."""

    def state(self) -> tuple[str, datetime]:
        """The id of the current version, and when anything of it was last changed."""
        ...

    def put(self, version_id: str, text: str) -> bool:
        """Makes a version the current one, and what was current the one before, in one step.

        False if there is another version of this id: somebody was quicker.
        """
        ...


def rotate(keys: Keys, *, now: datetime, least_age: timedelta) -> bool:
    """Puts a new key in front, unless the last change is younger than `least_age`; whether it did.

    Two at once rotate once: the next version's id follows from the current one's. It is one step, so who dies in it has
    done it or not.
    """
    current, changed_at = keys.state()
    if now - changed_at < least_age:
        return False
    return keys.put(str(uuid5(_NEXT, current)), secrets.token_urlsafe(_KEY_BYTES))
