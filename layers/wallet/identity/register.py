"""Registering: a user, their wallet and its account, in one commit."""

import hashlib
from collections.abc import Callable
from uuid import UUID

from wallet.ledger.receipts import Registration
from wallet.storage import users
from wallet.storage.claims import Claim
from wallet.storage.database import Database
from wallet.storage.users import NewUser


def scope_of(phone: str, former: int) -> UUID:
    """Whose idempotency keys these are: nobody is signed in yet, so a key belongs to the phone that registers.

    `former` is how many accounts with this phone have ended: their keys are not the next owner's.
    """
    owner = phone if former == 0 else f"{phone}:{former}"
    return UUID(bytes=hashlib.sha256(b"register:" + owner.encode("ascii")).digest()[:16])


def register(
    database: Database, new_id: Callable[[], UUID], user: NewUser, *, claim: Claim | None
) -> tuple[Registration, bool]:
    """Registers; True if this key had done so before. Raises `Refused` (`phone_taken`)."""
    return users.register_user(database, user, user_id=new_id(), wallet_id=new_id(), claim=claim)
