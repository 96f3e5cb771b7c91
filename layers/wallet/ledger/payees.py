"""Who is to be paid, as the payer names them."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PayeeName:
    """A wallet, by one of the two: its id, or its owner's phone (E.164)."""

    wallet_id: UUID | None
    phone: str | None
