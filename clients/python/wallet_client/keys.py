"""Idempotency keys."""

import uuid


def new_key() -> str:
    """A key for one intention. Write it down with the order before you send anything: after a crash it is what you ask
    with again.
    """
    return str(uuid.uuid4())
