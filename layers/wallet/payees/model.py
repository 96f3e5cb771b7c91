"""A payee as they are named to others, and how often somebody may ask."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Payee:
    """Who has a wallet, by the name that they registered with; `kind` is `merchant` for an approved one."""

    wallet_id: UUID
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class LookupQuotas:
    """How many payees may be looked up: by one caller in an hour and in a day, from one address in an hour."""

    per_hour: int
    per_day: int
    per_address: int
