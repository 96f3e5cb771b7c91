"""The checks that every other test trusts can fail: each finds what it is there to find."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.books import FAULTS, Books
from tests.support.moves import capture, pay, place, refund
from wallet.storage.database import connect

if TYPE_CHECKING:
    import pymysql

# ruff: noqa: S608 - every statement below is made of this file's own words

_POSTING = (
    "INSERT INTO postings (transaction_id, line, account_id, slot, side, amount, entry_no, balance_after, created_at)"
    " VALUES ({transaction}, {line}, {account}, {slot}, '{side}', {amount}, {entry_no}, {after}, {at})"
)
_NOW = "UTC_TIMESTAMP(6) + INTERVAL 1 DAY"


def posting(**changes: Any) -> str:
    given = {
        "transaction": "@payment",
        "line": 9,
        "account": "@payer",
        "slot": 0,
        "side": "credit",
        "amount": 1,
        "entry_no": "(SELECT entries + 1 FROM wallets WHERE id = @payer)",
        "after": "(SELECT balance + 1 FROM wallets WHERE id = @payer)",
        "at": _NOW,
    }
    return _POSTING.format(**given | changes)


def transaction(kind: str, *, amount: int = 1, **columns: Any) -> str:
    names = "".join(f", {name}" for name in columns)
    values = "".join(f", {value}" for value in columns.values())
    return (
        f"INSERT INTO transactions (id, type, amount, currency, created_at{names})"
        f" VALUES (UNHEX(REPLACE(UUID(), '-', '')), '{kind}', {amount}, 'INR', {_NOW}{values})"
    )


def entry(kind: str, debit: str, credit: str, **columns: Any) -> tuple[str, ...]:
    """A whole transaction as the kernel would never write it, with an id that is known."""
    rest = {"line": 1, "entry_no": "NULL", "after": "NULL", "transaction": "@bad"}
    return (
        transaction(kind, **columns).replace("UNHEX(REPLACE(UUID(), '-', ''))", "@bad"),
        posting(account=debit, side="debit", **rest),
        posting(account=credit, side="credit", **rest | {"line": 2}),
    )


def held_change(number: str, after: int) -> str:
    return (
        "INSERT INTO held_changes (wallet_id, change_no, amount, held_after, cause, cause_id, created_at)"
        f" SELECT id, {number}, 5, {after}, 'hold', @hold, {_NOW} FROM wallets WHERE id = @payer"
    )


def source_refund(origin: str, status: str, *, amount: int = 10**9) -> str:
    return (
        "INSERT INTO source_refunds (id, origin, transaction_id, gateway, gateway_payment_id, amount, currency, status,"
        f" created_at, checks) SELECT @bad, '{origin}', id, gateway, gateway_payment_id, {amount}, 'INR', '{status}',"
        f" {_NOW}, 0 FROM transactions WHERE type = 'top_up' LIMIT 1"
    )


CASES: dict[str, tuple[str, ...]] = {
    "debits and credits differ": (posting(),),
    "a transaction does not balance": (transaction("payment"),),
    "a balance is not the sum of its postings": ("UPDATE wallets SET balance = balance + 1 WHERE id = @payer",),
    "a row's entries have a gap": ("UPDATE wallets SET entries = entries + 1 WHERE id = @payer",),
    "a posting is of a row that is not there": (posting(slot=7, entry_no=1, after=1),),
    "a balance_after does not follow from the one before": (posting(after=7),),
    "the time of a row stands still or runs backwards": (posting(at="'2020-01-01'"),),
    "a row's last time is before its last entry": (
        "UPDATE wallets SET last_entry_at = '2020-01-01' WHERE id = @payer",
    ),
    "a posting's type is not its transaction's": (posting(),),
    "a wallet's slots are not numbered from 1": ("UPDATE wallets SET slots = 5 WHERE id = @payer",),
    "a gather is not within one wallet": entry("gather", "@payer", "@payee"),
    "what is held is not what is promised": ("UPDATE wallets SET held = held + 1 WHERE id = @payer",),
    "a promise is not what its changes add up to": (held_change("held_changes + 1", 5),),
    "the changes of what is held have a gap": (held_change("held_changes + 2", 5),),
    "a held_after does not follow from the one before": (held_change("held_changes + 1", 77),),
    "a hold's captures are not what was captured": (transaction("hold_capture", hold_id="@hold"),),
    "a capture is not from the hold's payer to its payee": entry("hold_capture", "@payee", "@payer", hold_id="@hold"),
    "a refund is not from the payee back to the payer": entry("refund", "@payer", "@payee", cause_id="@payment"),
    "refunds are more than the payment": (transaction("refund", amount=10_000, cause_id="@payment"),),
    "a fee does not follow its cause": entry("fee", "@payer", "@fees", cause_id="@refund"),
    "a movement has two fees": (transaction("fee", cause_id="@payment"), transaction("fee", cause_id="@payment")),
    "a debit does not count, or counts twice": ("UPDATE wallets SET debited_day = debited_day + 1 WHERE id = @payer",),
    "a load does not count, or counts twice": ("UPDATE wallets SET loaded_year = loaded_year + 1 WHERE id = @payer",),
    "a movement is not told of once": ("DELETE FROM outbox WHERE type = 'PaymentRefunded'",),
    "a hold is not told of once": ("UPDATE outbox SET type = 'HoldReleased' WHERE type = 'HoldPlaced'",),
    "more went back to a source than came from it": (source_refund("gateway", "succeeded"),),
    "more of ours is on its way to a source than came from it": (source_refund("ours", "pending"),),
    "a refund to source is not in the ledger as it ended": (source_refund("gateway", "succeeded", amount=1),),
    "a refund to source is not told of as it stands": (source_refund("ours", "failed", amount=1),),
    "a closed wallet has something in it": ("UPDATE wallets SET status = 'closed' WHERE id = @payer",),
    "a key has no result": (f"INSERT INTO idempotency_records VALUES (@payer, 'a', REPEAT('h', 32), NULL, {_NOW})",),
    "an attempt was credited twice": (
        transaction("top_up", attempt_id="(SELECT id FROM payment_attempts LIMIT 1)"),
        transaction("top_up", attempt_id="(SELECT id FROM payment_attempts LIMIT 1)"),
    ),
}


@pytest.fixture(scope="module")
def owner(books: Books) -> Iterator["pymysql.Connection[Any]"]:
    """The schema's owner, with the ids of a payment, its refund and a hold at hand."""
    payer, payee = books.person(money=10_000), books.person(kind="merchant", tier="merchant")
    payment = pay(books, payer, payee, 1_000)[0].transaction_id
    given_back = refund(books, payee, payment, 100).transaction_id
    hold = place(books, payer, payee, 500).id
    capture(books, payee, hold, 100)
    known = {"payer": payer.wallet_id, "payee": payee.wallet_id, "payment": payment, "refund": given_back, "hold": hold}
    connection = connect(books.server, books.owner_credentials)
    with connection.cursor() as cursor:
        for name, value in known.items():
            cursor.execute(f"SET @{name} = %s", (value.bytes,))
        cursor.execute("SET @bad = UNHEX('00000000000070008000000000000bad')")
        cursor.execute("SELECT id INTO @fees FROM accounts WHERE code = 'fees'")
    yield connection
    connection.close()


@pytest.mark.parametrize("name", CASES)
def test_each_fault_is_found(owner: "pymysql.Connection[Any]", name: str) -> None:
    owner.begin()
    try:
        with owner.cursor() as cursor:
            cursor.execute(FAULTS[name])
            assert not cursor.fetchall(), "it was there before"
            for statement in CASES[name]:
                cursor.execute(statement)
            cursor.execute(FAULTS[name])
            assert cursor.fetchall()
    finally:
        owner.rollback()
