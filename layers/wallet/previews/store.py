"""What a debit would meet, through a procedure that reads the caller's own and locks nothing."""

from uuid import UUID

from wallet.confirmations.model import ConfirmationRules
from wallet.ledger.limits import Limits
from wallet.ledger.payees import PayeeName
from wallet.ledger.wallets import WalletStatus
from wallet.previews.model import Standing
from wallet.storage.database import Database, Row
from wallet.storage.rows import time_if_any, time_of


def find_standing(
    database: Database, *, user_id: UUID, amount: int, payee: PayeeName | None = None, vpa: str | None = None
) -> Standing | None:
    """What a payment of `amount` to `payee`, or a withdrawal to `vpa`, would meet now; None without a wallet."""
    rows = database.read(
        "CALL preview_debit(%s, %s, %s, %s, %s)",
        user_id.bytes,
        amount,
        payee.wallet_id.bytes if payee is not None and payee.wallet_id is not None else None,
        payee.phone if payee is not None else None,
        vpa,
    )
    return _standing(rows[0]) if rows else None


def _standing(row: Row) -> Standing:
    return Standing(
        now=time_of(row["now"]),
        status=WalletStatus(row["status"]),
        is_own=bool(row["is_own"]),
        available=row["available"],
        fee=row["fee"],
        limits=Limits(
            tier=row["tier"],
            max_payment=row["max_payment"],
            max_debit_day=row["max_debit_day"],
            max_debit_month=row["max_debit_month"],
            person_to_person=bool(row["person_to_person"]),
            withdrawals=bool(row["withdrawals"]),
        ),
        debited_today=row["debited_today"],
        debited_this_month=row["debited_this_month"],
        rules=ConfirmationRules(
            above=row["above"],
            day_above=row["day_above"],
            new_payee_above=row["new_payee_above"],
            new_vpa=bool(row["new_vpa"]),
            new_vpa_wait_s=row["new_vpa_wait_s"] or 0,  # a tier may have no rules at all
        ),
        unconfirmed_today=row["unconfirmed_today"],
        is_known=bool(row["is_known"]),
        known_from=time_if_any(row["known_from"]),
        paused_until=time_if_any(row["paused_until"]),
    )
