"""The checks that every other test trusts can fail: each finds what it is there to find."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.database import PrivateServer
from tests.support.books import CHECKS, Books
from tests.support.moves import capture, pay, place, refund
from tests.support.own_database import own_books
from tests.support.pen import BESIDE

if TYPE_CHECKING:
    import pymysql

# ruff: noqa: S608 - every statement below is made of this file's own words

_POSTING = (
    "INSERT INTO postings"
    " (transaction_id, line, account_id, slot, type, side, amount, entry_no, balance_after, created_at)"
    " VALUES ({transaction}, {line}, {account}, {slot}, '{type}', '{side}', {amount}, {entry_no}, {after}, {at})"
)
_NOW = "UTC_TIMESTAMP(6) + INTERVAL 1 DAY"


def posting(**changes: Any) -> str:
    given = {
        "transaction": "@payment",
        "line": 9,
        "account": "@payer",
        "slot": 0,
        "type": "payment",
        "side": "credit",
        "amount": 1,
        "entry_no": "(SELECT entries + 1 FROM wallets WHERE id = @payer)",
        "after": "(SELECT balance + 1 FROM wallets WHERE id = @payer)",
        "at": _NOW,
    }
    return _POSTING.format(**given | changes)


def orphan(**changes: Any) -> str:
    """A posting of no transaction."""
    return posting(transaction="@bad", **changes)


def row(table: str, **columns: Any) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(map(str, columns.values()))})"


def gateway_payment(transaction_id: str, **columns: Any) -> str:
    given = {"gateway": "'razorpay'", "gateway_payment_id": "'pay_of_nobody'", "answer": "'x'", "surcharge": 0}
    given |= {"answer_digest": "REPEAT('d', 32)", "created_at": _NOW}
    return row("gateway_payments", transaction_id=transaction_id, **given | columns)


def beside(kind: str, transaction_id: str, **columns: Any) -> tuple[str, ...]:
    """What a transaction has beside its row, of what is given here."""
    if "gateway_payment_id" in columns:
        return (gateway_payment(transaction_id, **columns),)
    more = {"type": columns.pop("type", f"'{kind}'")} if "withdrawal_id" in columns else {}
    return tuple(
        row(BESIDE[name], transaction_id=transaction_id, **{name: value}, **more) for name, value in columns.items()
    )


def transaction(kind: str, *, amount: int = 1, named: str = "", **columns: Any) -> tuple[str, ...]:
    """A transaction without postings, under an id of its own or one that is known."""
    transaction_id = named or f"X'{uuid4().hex}'"
    own = {name: columns.pop(name) for name in ("actor_id", "cause_id") if name in columns}
    fixed = {"type": f"'{kind}'", "amount": amount, "currency": "'INR'", "created_at": _NOW}
    return row("transactions", id=transaction_id, **fixed, **own), *beside(kind, transaction_id, **columns)


def entry(kind: str, debit: str, credit: str, **columns: Any) -> tuple[str, ...]:
    """A whole transaction as the kernel would never write it, with an id that is known."""
    rest = {"line": 1, "entry_no": "NULL", "after": "NULL", "transaction": "@bad"}
    return (
        *transaction(kind, named="@bad", **columns),
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
        f" created_at, checks) SELECT @bad, '{origin}', transaction_id, gateway, gateway_payment_id, {amount}, 'INR',"
        f" '{status}', {_NOW}, 0 FROM gateway_payments WHERE suspense_reason IS NULL LIMIT 1"
    )


def withdrawal(status: str, *, fee: int = 0) -> str:
    return (
        "INSERT INTO withdrawals (id, wallet_id, provider, vpa, amount, fee, currency, status, created_at, checks)"
        f" VALUES (@bad, @payer, 'razorpayx', 'a@b', 1, {fee}, 'INR', '{status}', {_NOW}, 0)"
    )


def bulk_payment(rows: int) -> str:
    return (
        "INSERT INTO bulk_payments"
        " (id, user_id, row_count, total, currency, status, created_at, finished_at, leased_until)"
        f" SELECT @bad, user_id, {rows}, 5, 'INR', 'finished', {_NOW}, {_NOW}, {_NOW} FROM wallets WHERE id = @payer"
    )


_PAID_ROW = (
    "INSERT INTO bulk_payment_rows"
    " (bulk_payment_id, line, payee_wallet_id, amount, status, transaction_id, ended_at)"
    f" VALUES (@bad, 2, @payee, 5, 'paid', @payment, {_NOW})"
)


def dispute(status: str, *, reserved: int = 0, ended: bool = False, amount: int = 5, changes: int = 1) -> str:
    """Of a top-up of the payer's. As the history that `history` writes has it, but for what is said here."""
    return (
        "INSERT INTO payment_disputes (id, gateway, gateway_dispute_id, gateway_payment_id, transaction_id, wallet_id,"
        " amount, currency, phase, status, gateway_status, told_at, reserved, changes, created_at, ended_at)"
        f" SELECT @bad, gateway, 'disp_bad', gateway_payment_id, transaction_id, @payer, {amount}, 'INR', 'chargeback',"
        f" '{status}', '{status}', '2026-11-01', {reserved}, {changes}, {_NOW}, {_NOW if ended else 'NULL'}"
        " FROM gateway_payments WHERE suspense_reason IS NULL LIMIT 1"
    )


_HISTORY = (
    "INSERT INTO payment_dispute_events (dispute_id, position, source, phase, status, amount, told_at, reserved,"
    " from_wallet, from_suspense, from_losses, is_open, created_at)"
    " SELECT id, 1, 'gateway', phase, status, amount, told_at, reserved, 0, 0, 0, TRUE, '2026-11-01'"
    " FROM payment_disputes WHERE id = @bad"
)
_BOOKING = (
    "INSERT INTO payment_dispute_bookings (transaction_id, dispute_id, end_no, part) VALUES (@bad, @bad, 1, '{}')"
)

_ATTEMPT = "(SELECT id FROM payment_attempts LIMIT 1)"

CASES: dict[str, tuple[str, ...]] = {
    "trial_balance": (posting(),),
    "transaction_balances": transaction("payment"),
    "balance_is_its_postings": ("UPDATE wallets SET balance = balance + 1 WHERE id = @payer",),
    "entries_without_gap": ("UPDATE wallets SET entries = entries + 1 WHERE id = @payer",),
    "posting_has_its_transaction": ("SET foreign_key_checks = 0", orphan()),
    "posting_has_its_row": (posting(slot=7, entry_no=1, after=1),),
    "balance_after_follows": (posting(after=7),),
    "time_runs_forward": (posting(at="'2020-01-01'"),),
    "last_time_is_last": ("UPDATE wallets SET last_entry_at = '2020-01-01' WHERE id = @payer",),
    "posting_is_of_its_transaction": (posting(),),
    "slots_are_numbered": ("UPDATE wallets SET slots = 5 WHERE id = @payer",),
    "gather_stays_within": entry("gather", "@payer", "@payee"),
    "held_is_promised": ("UPDATE wallets SET held = held + 1 WHERE id = @payer",),
    "promise_is_its_changes": (held_change("held_changes + 1", 5),),
    "held_changes_without_gap": (held_change("held_changes + 2", 5),),
    "held_after_follows": (held_change("held_changes + 1", 77),),
    "hold_is_its_captures": transaction("hold_capture", hold_id="@hold"),
    "capture_fits_its_hold": entry("hold_capture", "@payee", "@payer", hold_id="@hold"),
    "refund_goes_back": entry("refund", "@payer", "@payee", cause_id="@payment"),
    "refunds_are_covered": transaction("refund", amount=10_000, cause_id="@payment"),
    "fee_follows_its_cause": entry("fee", "@payer", "@fees", cause_id="@refund"),
    "one_fee": (*transaction("fee", cause_id="@payment"), *transaction("fee", cause_id="@payment")),
    "debits_count_once": ("UPDATE wallets SET debited_day = debited_day + 1 WHERE id = @payer",),
    "loads_count_once": ("UPDATE wallets SET loaded_year = loaded_year + 1 WHERE id = @payer",),
    "rules_are_in_force": (
        "UPDATE rules_in_force SET valid_from = '1970-01-01', valid_until = '9999-12-31', max_balance = 1 LIMIT 1",
    ),
    "movement_is_told": ("DELETE FROM outbox WHERE type = 'PaymentRefunded'",),
    "hold_is_told": ("UPDATE outbox SET type = 'HoldReleased' WHERE type = 'HoldPlaced'",),
    "source_gets_back_its_own": (source_refund("gateway", "succeeded"),),
    "source_is_promised_its_own": (source_refund("ours", "pending"),),
    "source_refund_is_booked": (source_refund("gateway", "succeeded", amount=1),),
    "source_refund_is_told": (source_refund("ours", "failed", amount=1),),
    "closed_is_empty": ("UPDATE wallets SET status = 'closed' WHERE id = @payer",),
    "key_made_something": (f"INSERT INTO idempotency_records VALUES (@payer, 'a', REPEAT('h', 32), @payer, {_NOW})",),
    "attempt_is_credited_once": (
        *transaction("top_up", gateway_payment_id="'pay_once'", attempt_id=_ATTEMPT),
        *transaction("top_up", gateway_payment_id="'pay_again'", attempt_id=_ATTEMPT),
    ),
    "sealed_or_waiting": ("DELETE FROM unsealed WHERE transaction_id = @payment",),
    "sealed_is_there": ("INSERT INTO unsealed VALUES (@bad)",),
    "positions_without_gap": ("INSERT INTO seals VALUES (7, @payment, REPEAT('s', 16), REPEAT('l', 32), 2)",),
    "request_explains": entry("payment", "@payer", "@payee"),
    "arrival_explains": transaction("top_up", gateway_payment_id="'pay_of_nobody'"),
    "arrival_has_evidence": (
        "SET foreign_key_checks = 0",
        gateway_payment("@bad", event_id="@bad", answer="NULL", answer_digest="NULL"),
    ),
    "arrival_is_of_its_time": transaction("top_up", named="@bad", gateway_payment_id="'pay_of_nobody'"),
    "movement_explains": transaction("withdrawal"),
    "reference_is_there": ("SET foreign_key_checks = 0", *transaction("fee", cause_id="@bad")),
    "owner_asked": entry("payment", "@payer", "@payee", actor_id="(SELECT user_id FROM wallets WHERE id = @payee)"),
    "correction_fits": entry("adjustment", "@payer", "@payee", cause_id="@payment"),
    "correction_is_told": entry("adjustment", "@payer", "@payee", cause_id="@payment"),
    "suspense_is_left_once": (
        *transaction("suspense", amount=5, named="@bad", gateway_payment_id="'pay_bad'", suspense_reason="'odd'"),
        *transaction("adjustment", amount=6, cause_id="@bad"),
    ),
    "dispute_is_booked": (dispute("lost", ended=True),),
    "chargeback_explains": entry("chargeback", "@payer", "@fees"),
    "chargeback_goes_out": (
        dispute("lost"),
        *entry("chargeback", "@payer", "@fees", cause_id="(SELECT transaction_id FROM payment_disputes LIMIT 1)"),
        _BOOKING.format("wallet"),
    ),
    "dispute_takes_its_own": (dispute("open", reserved=10**9),),
    "disputed_money_is_not_refunded": (
        dispute("open", amount=10_000),
        _HISTORY,
        source_refund("ours", "pending", amount=100).replace("SELECT @bad", "SELECT @payment"),
    ),
    "dispute_is_its_history": (dispute("open"),),
    "dispute_is_told": (dispute("open"),),
    "unclaimed_is_left_once": (
        *entry("adjustment", "@payer", "@unclaimed"),
        *transaction("adjustment", amount=2, cause_id="@bad"),
    ),
    "unclaimed_is_told": entry("adjustment", "@payer", "@unclaimed"),
    "who_lost_their_phone_pays_nothing": (
        "SELECT user_id INTO @owner FROM wallets WHERE id = @payer",
        "UPDATE users SET former_phone = phone, phone = NULL WHERE id = @owner",
    ),
    "return_fits": (
        withdrawal("failed"),
        *transaction("withdrawal_return", withdrawal_id="@bad", cause_id="@payment"),
    ),
    "withdrawal_is_booked": (withdrawal("succeeded"),),
    "withdrawal_goes_out": (withdrawal("succeeded"), *entry("withdrawal", "@payer", "@fees", withdrawal_id="@bad")),
    "withdrawal_has_its_fee": (withdrawal("succeeded", fee=5), *transaction("withdrawal", withdrawal_id="@bad")),
    "withdrawal_is_told": (withdrawal("pending"),),
    "bulk_row_is_its_payment": (bulk_payment(1), _PAID_ROW),
    "bulk_payment_is_whole": (bulk_payment(2), _PAID_ROW),
}


@pytest.fixture(scope="module")
def own(server: PrivateServer) -> Iterator[Books]:
    with own_books(server, "faulty") as books:
        yield books


@pytest.fixture(scope="module")
def owner(own: Books) -> Iterator["pymysql.Connection[Any]"]:
    """The schema's owner, with the ids of a payment, its refund and a hold at hand."""
    books = own
    payer, payee = books.person(money=10_000), books.person(kind="merchant", tier="merchant")
    payment = pay(books, payer, payee, 1_000)[0].transaction_id
    given_back = refund(books, payee, payment, 100).transaction_id
    hold = place(books, payer, payee, 500).id
    capture(books, payee, hold, 100)
    known = {"payer": payer.wallet_id, "payee": payee.wallet_id, "payment": payment, "refund": given_back, "hold": hold}
    connection = books.connect()
    with connection.cursor() as cursor:
        for name, value in known.items():
            cursor.execute(f"SET @{name} = %s", (value.bytes,))
        cursor.execute("SET @bad = UNHEX('00000000000070008000000000000bad')")
        cursor.execute("SELECT id INTO @fees FROM accounts WHERE code = 'fees'")
        cursor.execute("SELECT id INTO @unclaimed FROM accounts WHERE code = 'unclaimed'")
    yield connection
    connection.close()


QUERIES = {check.code: check.query for check in CHECKS}


def test_each_check_that_the_servers_own_do_not_forestall_is_shown_to_find_something() -> None:
    assert len(QUERIES) == len(CHECKS), "a code is used twice"
    assert set(CASES) == set(QUERIES) - {"never_negative"}  # both servers refuse such a row by a CHECK


@pytest.mark.parametrize("code", CASES)
def test_each_fault_is_found(owner: "pymysql.Connection[Any]", code: str) -> None:
    owner.begin()
    try:
        with owner.cursor() as cursor:
            cursor.execute(QUERIES[code])
            assert not cursor.fetchall(), "it was there before"
            for statement in CASES[code]:
                cursor.execute(statement)
            cursor.execute(QUERIES[code])
            assert cursor.fetchall()
    finally:
        as_it_was(owner)


def as_it_was(owner: "pymysql.Connection[Any]") -> None:
    """Takes back what a case did."""
    owner.rollback()
    with owner.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 1")


@pytest.mark.parametrize(
    "named",
    [
        transaction("fee", named="@bad", cause_id="@other"),
        transaction("hold_capture", named="@bad", hold_id="@other"),
        transaction("withdrawal_return", named="@bad", withdrawal_id="@other", cause_id="@payment"),
        transaction("refund_to_source", named="@bad", source_refund_id="@other", cause_id="@payment"),
        transaction("top_up", named="@bad", gateway_payment_id="'pay_bad'", attempt_id="@other"),
        (orphan(account="@other", entry_no="NULL", after="NULL"),),
        beside("hold_capture", "@bad", hold_id="@hold"),
        beside("top_up", "@bad", gateway_payment_id="'pay_bad'"),
    ],
    ids=[
        "a cause",
        "a hold",
        "a withdrawal",
        "a refund to source",
        "an attempt",
        "an account",
        "a capture's transaction",
        "a gateway payment's transaction",
    ],
)
def test_whatever_a_transaction_refers_to_and_is_not_there_names_the_transaction(
    owner: "pymysql.Connection[Any]", named: tuple[str, ...]
) -> None:
    owner.begin()
    try:
        with owner.cursor() as cursor:
            cursor.execute("SET @other = UNHEX(REPEAT('77', 16)), foreign_key_checks = 0")
            for statement in named:
                cursor.execute(statement)
            cursor.execute(QUERIES["reference_is_there"])
            assert [row["id"] for row in cursor.fetchall()] == ["00000000000070008000000000000BAD"]
    finally:
        as_it_was(owner)


_PAY = {"gateway_payment_id": "'pay_bad'"}


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("top_up", {}),
        ("top_up", _PAY | {"suspense_reason": "'odd'"}),
        ("top_up", _PAY | {"created_at": f"{_NOW} + INTERVAL 1 SECOND"}),
        ("suspense", {}),
        ("suspense", _PAY),
        ("hold_capture", {}),
        ("withdrawal", {}),
        ("withdrawal_return", {"cause_id": "@payment"}),
        ("refund_to_source", {"cause_id": "@payment"}),
        ("payment", _PAY),
        ("payment", {"hold_id": "@hold"}),
        ("payment", {"withdrawal_id": "@other", "type": "'withdrawal'"}),
        ("payment", {"source_refund_id": "@other"}),
    ],
    ids=str,
)
def test_every_transaction_has_what_its_type_has_and_nothing_else(
    owner: "pymysql.Connection[Any]", kind: str, columns: dict[str, Any]
) -> None:
    owner.begin()
    try:
        with owner.cursor() as cursor:
            cursor.execute("SET @other = UNHEX(REPEAT('77', 16)), foreign_key_checks = 0")
            for statement in transaction(kind, named="@bad", **columns):
                cursor.execute(statement)
            cursor.execute(QUERIES["movement_explains"])
            assert [found["id"] for found in cursor.fetchall()] == ["00000000000070008000000000000BAD"]
    finally:
        as_it_was(owner)


@pytest.mark.parametrize(
    ("debit", "credit", "columns"),
    [
        ("@payer", "@unclaimed", {"cause_id": "@payment"}),
        ("@fees", "@unclaimed", {}),
        ("@unclaimed", "@payer", {}),
        ("@unclaimed", "@payer", {"cause_id": "@payment"}),
        ("@unclaimed", "@fees", {"cause_id": "@payment"}),
    ],
    ids=str,
)
def test_money_is_unclaimed_only_as_a_wallet_is_closed_and_leaves_only_to_a_wallet_and_for_its_cause(
    owner: "pymysql.Connection[Any]", debit: str, credit: str, columns: dict[str, str]
) -> None:
    owner.begin()
    try:
        with owner.cursor() as cursor:
            for statement in entry("adjustment", debit, credit, **columns):
                cursor.execute(statement)
            cursor.execute(QUERIES["correction_fits"])
            assert [row["id"] for row in cursor.fetchall()] == ["00000000000070008000000000000BAD"]
    finally:
        as_it_was(owner)


def test_a_refund_is_kept_as_unclaimed_only_if_its_payers_wallet_is_closed(owner: "pymysql.Connection[Any]") -> None:
    owner.begin()
    try:
        with owner.cursor() as cursor:
            for statement in entry("refund", "@payee", "@unclaimed", cause_id="@payment"):
                cursor.execute(statement)
            cursor.execute(QUERIES["refund_goes_back"])
            assert [row["id"] for row in cursor.fetchall()] == ["00000000000070008000000000000BAD"]
            cursor.execute("UPDATE wallets SET status = 'closed' WHERE id = @payer")
            cursor.execute(QUERIES["refund_goes_back"])
            assert not cursor.fetchall()
    finally:
        as_it_was(owner)


@pytest.mark.parametrize("kind", ["payment", "refund", "hold_capture"])
def test_money_that_another_ones_wallet_paid_names_the_transaction(owner: "pymysql.Connection[Any]", kind: str) -> None:
    """Of a capture it is the payee who asks for it."""
    columns = {"payment": {}, "refund": {"cause_id": "@payment"}, "hold_capture": {"hold_id": "@hold"}}[kind]
    right, wrong = ("@payee", "@payer") if kind == "hold_capture" else ("@payer", "@payee")
    for asks, found in ((right, []), (wrong, ["00000000000070008000000000000BAD"])):
        owner.begin()
        try:
            with owner.cursor() as cursor:
                columns["actor_id"] = f"(SELECT user_id FROM wallets WHERE id = {asks})"
                for statement in entry(kind, "@payer", "@payee", **columns):
                    cursor.execute(statement)
                cursor.execute(QUERIES["owner_asked"])
                assert [row["id"] for row in cursor.fetchall()] == found
        finally:
            as_it_was(owner)


def test_debits_equal_credits_though_nobody_knows_of_which_transaction(owner: "pymysql.Connection[Any]") -> None:
    owner.begin()
    try:
        with owner.cursor() as cursor:
            cursor.execute("SET foreign_key_checks = 0")
            cursor.execute(orphan())
            cursor.execute(QUERIES["trial_balance"])
            assert [(row["id"], int(row["off"])) for row in cursor.fetchall()] == [("none", 1)]
    finally:
        as_it_was(owner)


@pytest.mark.parametrize(
    "code", ["request_explains", "capture_fits_its_hold", "refund_goes_back", "gather_stays_within"]
)
def test_a_fault_of_a_transaction_names_it(owner: "pymysql.Connection[Any]", code: str) -> None:
    owner.begin()
    try:
        with owner.cursor() as cursor:
            for statement in CASES[code]:
                cursor.execute(statement)
            cursor.execute(QUERIES[code])
            assert {row["id"] for row in cursor.fetchall()} == {"00000000000070008000000000000BAD"}
    finally:
        owner.rollback()
