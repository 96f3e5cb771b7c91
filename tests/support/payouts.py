"""Withdrawals, as tests ask for them and as a payout provider tells of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.support.books import Books, Person, unique
from wallet import wiring
from wallet.ledger import ids
from wallet.ledger.receipts import Withdrawal, WithdrawalReceipt
from wallet.ledger.withdrawals import ObservedPayout, PayoutStatus
from wallet.storage import withdrawals
from wallet.storage.claims import Claim
from wallet.storage.withdrawals import PayoutClaim, Settled

PROVIDER = "razorpayx"
VPA = "asha.rao@okbank"


def withdraw(
    books: Books,
    person: Person,
    amount: int,
    *,
    claim: Claim | None = None,
    first_check_s: int = 3600,
    vpa: str = VPA,
) -> tuple[WithdrawalReceipt, bool]:
    """Money set aside for a payout that nobody has asked for yet."""
    database = books.as_role("withdrawals")
    try:
        return withdrawals.open_withdrawal(
            database,
            claim or person.claim(),
            withdrawal_id=wiring.new_id(),
            provider=PROVIDER,
            vpa=vpa,
            amount=amount,
            first_check_s=first_check_s,
        )
    finally:
        database.close()


def claimed(books: Books, receipt: WithdrawalReceipt) -> PayoutClaim:
    """What whoever wants to ask for its payout for the first time is told."""
    database = books.as_role("withdrawals")
    try:
        return withdrawals.claim_payout(database, receipt.id)
    finally:
        database.close()


def cancelled(
    books: Books, person: Person, receipt: WithdrawalReceipt, *, claim: Claim | None = None
) -> tuple[Withdrawal, bool]:
    """A withdrawal that somebody has cancelled, and whether the key had done so before."""
    database = books.as_role("withdrawals")
    try:
        return withdrawals.cancel_withdrawal(database, claim or person.claim(), withdrawal_id=receipt.id)
    finally:
        database.close()


def payout(receipt: WithdrawalReceipt, status: PayoutStatus, **changes: Any) -> ObservedPayout:
    """The payout of a withdrawal, as its provider would tell of it."""
    told: dict[str, Any] = {
        "provider": PROVIDER,
        "payout_id": f"pout_{receipt.id.hex[-14:]}",
        "reference": ids.show(ids.WITHDRAWAL, receipt.id),
        "amount": receipt.amount,
        "currency": receipt.currency,
        "status": status,
        "reason": None if status is PayoutStatus.SUCCEEDED else "beneficiary_bank_offline",
    }
    return ObservedPayout(**(told | changes))


def tell(books: Books, receipt: WithdrawalReceipt, status: PayoutStatus, **changes: Any) -> Settled:
    """The provider's news, booked."""
    database = books.as_role("gateway")
    try:
        return withdrawals.settle_withdrawal(
            database, payout(receipt, status, **changes), withdrawal_id=receipt.id, transaction_id=wiring.new_id()
        )
    finally:
        database.close()


def state_of(books: Books, withdrawal_id: UUID) -> dict[str, Any]:
    """The row of a withdrawal."""
    return books.select("SELECT * FROM withdrawals WHERE id = %s", withdrawal_id.bytes)[0]


def held(books: Books, person: Person) -> int:
    """What the wallet holds, in minor units."""
    return int(books.select("SELECT held FROM wallets WHERE id = %s", person.wallet_id.bytes)[0]["held"])


def provider_account(books: Books) -> int:
    """What we have at the provider, as a sum of postings: withdrawals make it smaller."""
    rows = books.select(
        "SELECT COALESCE(SUM(CASE WHEN p.side = 'debit' THEN p.amount ELSE -p.amount END), 0) AS sum"
        " FROM postings p JOIN accounts a ON a.id = p.account_id WHERE a.code = 'payout:razorpayx'"
    )
    return int(rows[0]["sum"])


@contextmanager
def charge(books: Books, *, basis_points: int = 0, flat: int = 0) -> Iterator[None]:
    """From now on, and for as long as this is open, withdrawals cost something; afterwards what they did before."""
    now = books.select("SELECT UTC_TIMESTAMP(6) AS now")[0]["now"]
    with books.fee("withdrawal", basis_points=basis_points, flat=flat, since=str(now)):
        yield


_INDIA = timedelta(hours=5, minutes=30)


def make_older(books: Books, receipt: WithdrawalReceipt, by: timedelta) -> None:
    """Time goes by: the withdrawal was wanted, asked for and ended so much earlier, counted then, and is due."""
    row = state_of(books, receipt.id)
    before, after = row["created_at"] + _INDIA, row["created_at"] - by + _INDIA
    books.write(
        "UPDATE withdrawals SET created_at = %s, asked_at = %s, ended_at = %s, next_check_at = UTC_TIMESTAMP(6)"
        " WHERE id = %s",
        row["created_at"] - by,
        row["asked_at"] and row["asked_at"] - by,
        row["ended_at"] and row["ended_at"] - by,
        receipt.id.bytes,
    )
    if row["status"] in ("pending", "succeeded"):
        books.write(
            "UPDATE wallets SET debited_day = debited_day - IF(usage_day = %s AND usage_day <> %s, %s, 0),"
            " debited_month = debited_month - IF(usage_month = %s AND usage_month <> %s, %s, 0) WHERE id = %s",
            *(before.date(), after.date(), receipt.amount),
            *(before.date().replace(day=1), after.date().replace(day=1), receipt.amount),
            row["wallet_id"],
        )


def person_with_tier(books: Books, **limits: int | bool | None) -> Person:
    """Somebody whose tier has these limits and no other."""
    code = unique("t")[:16]
    books.write("INSERT INTO tiers (code) VALUES (%s)", code)
    told: dict[str, int | bool | None] = {"person_to_person": True, "withdrawals": True, **limits}
    names = ", ".join(told)
    values = ", ".join(["%s"] * len(told))
    books.write(
        f"INSERT INTO tier_limits (tier, valid_from, {names}) VALUES (%s, '2020-01-01', {values})",  # noqa: S608 - names
        code,
        *told.values(),
    )
    return books.person(tier=code)
