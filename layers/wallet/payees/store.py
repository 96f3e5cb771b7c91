"""Looking a payee up, through the procedure that counts it."""

import hashlib
from uuid import UUID

from wallet.ledger.payees import PayeeName
from wallet.payees.model import LookupQuotas, Payee
from wallet.storage.database import Database
from wallet.storage.rows import uuid_of


def look_up_payee(
    database: Database, quotas: LookupQuotas, *, caller_id: UUID, address: str, payee: PayeeName
) -> Payee:
    """Who has that wallet, or that phone, in one round trip.

    It is counted for the caller and for their address before anybody is looked for: a thousand at once are a thousand.
    Raises `Refused` (`payee_not_found`, `too_many_lookups`). If the answer is lost it may count twice.
    """
    found = database.call(
        "look_up_payee",
        caller_id.bytes,
        # as long as an id, and still no two the same by chance
        hashlib.sha256(f"address:{address}".encode()).digest()[:16],
        quotas.per_hour,
        quotas.per_day,
        quotas.per_address,
        payee.wallet_id.bytes if payee.wallet_id else None,
        payee.phone,
    ).result
    return Payee(uuid_of(found["wallet_id"]), found["name"], found["kind"])
