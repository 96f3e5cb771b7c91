"""Accounts: a wallet, or one of ours."""

from dataclasses import dataclass
from uuid import UUID

SUSPENSE_CODE = "suspense"
FEES_CODE = "fees"
UNCLAIMED_CODE = "unclaimed"


@dataclass(frozen=True, slots=True)
class Account:
    """Where postings add up. A wallet's account has the wallet's id; ours are named by their code."""

    code: str

    @classmethod
    def of_wallet(cls, wallet_id: UUID) -> "Account":
        """What a person has: a liability of ours, which a credit makes larger."""
        return cls(f"wallet:{wallet_id.hex}")

    @classmethod
    def of_gateway(cls, gateway: str) -> "Account":
        """Money that a gateway holds for us: an asset, which a debit makes larger."""
        return cls(f"gateway:{gateway}")


SUSPENSE = Account(SUSPENSE_CODE)
FEES = Account(FEES_CODE)
#: What is kept for the owners of closed wallets: a liability of ours.
UNCLAIMED = Account(UNCLAIMED_CODE)
