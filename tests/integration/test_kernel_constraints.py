"""What the tables refuse whoever writes: each rule alone, by a row that breaks it and no other."""

# ruff: noqa: E501, S608 - statements, made of constants
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest

from tests.support.books import Books
from tests.support.moves import capture, pay, place
from tests.support.payouts import withdraw

_NOW = "UTC_TIMESTAMP(6)"
_TRANSACTION = "INSERT INTO transactions (id, type, amount, currency, created_at{names}) VALUES (@new, {kind}, {amount}, 'INR', UTC_TIMESTAMP(6){values})"


def transaction(kind: str, amount: int = 1, **columns: str) -> str:
    names, values = "".join(f", {name}" for name in columns), "".join(f", {value}" for value in columns.values())
    return _TRANSACTION.format(kind=f"'{kind}'", amount=amount, names=names, values=values)


def gateway_payment(surcharge: int = 0, **columns: str) -> str:
    names, values = "".join(f", {name}" for name in columns), "".join(f", {value}" for value in columns.values())
    return (
        "INSERT INTO gateway_payments (gateway, gateway_payment_id, transaction_id, surcharge, created_at"
        f"{names}) VALUES ('razorpay', 'pay_new', @payment, {surcharge}, {_NOW}{values})"
    )


def posting(amount: int, entry_no: object = 1_000, balance_after: object = 1, side: str = "credit") -> str:
    return (
        "INSERT INTO postings"
        " (transaction_id, line, account_id, slot, type, side, amount, entry_no, balance_after, created_at)"
        f" VALUES (@payment, 9, @payer, 0, 'payment', '{side}', {amount}, {entry_no}, {balance_after}, {_NOW})"
    )


#: Each rule by its name, with a statement that breaks it.
CASES = {
    "wallets_held_is_covered": "UPDATE wallets SET held = balance + 1 WHERE id = @payer",
    "wallets_user_has_one": "UPDATE wallets SET user_id = (SELECT user_id FROM (SELECT * FROM wallets) w WHERE w.id = @payee)"
    " WHERE id = @payer",
    "wallets_usage_is_never_negative": "UPDATE wallets SET debited_day = -1 WHERE id = @payer",
    "wallet_slots_balance_is_never_negative": f"INSERT INTO wallet_slots VALUES (@payer, 1, -1, 1, {_NOW})",
    "holds_amount_is_positive": "INSERT INTO holds SELECT @new, payer_wallet_id, payee_wallet_id, 0, 0, currency, status,"
    " description, created_at, expires_at, ended_at FROM holds WHERE id = @hold",
    "holds_capture_is_covered": "UPDATE holds SET captured = amount + 1 WHERE id = @hold",
    "holds_end_once": "UPDATE holds SET status = 'released' WHERE id = @hold",
    "held_changes_never_negative": f"INSERT INTO held_changes VALUES (@payer, 1000, -1, -1, 'hold', @hold, {_NOW})",
    "payment_attempts_amount_is_positive": "INSERT INTO payment_attempts (id, wallet_id, gateway, amount, currency, status,"
    f" created_at, expires_at, checks) VALUES (@new, @payer, 'razorpay', 0, 'INR', 'created', {_NOW}, {_NOW}, 0)",
    "payment_attempts_order_is_unique": "INSERT INTO payment_attempts (id, wallet_id, gateway, amount, currency, status,"
    " gateway_order_id, created_at, expires_at, checks) SELECT @new, wallet_id, gateway, amount, currency, 'pending',"
    " gateway_order_id, created_at, expires_at, 0 FROM payment_attempts WHERE gateway_order_id IS NOT NULL LIMIT 1",
    "payment_attempt_events_are_told_once": "INSERT INTO payment_attempt_events SELECT attempt_id, 200, status, reason,"
    " gateway_payment_id, created_at FROM payment_attempt_events LIMIT 1",
    "withdrawals_amount_is_positive": "INSERT INTO withdrawals (id, wallet_id, provider, vpa, amount, fee, currency, status,"
    f" created_at, checks) VALUES (@new, @payer, 'razorpayx', 'a@b', 0, 0, 'INR', 'pending', {_NOW}, 0)",
    "withdrawals_payout_is_unique": "INSERT INTO withdrawals (id, wallet_id, provider, vpa, amount, fee, currency, status,"
    f" provider_payout_id, created_at, checks) SELECT UNHEX(REPEAT(n.n, 32)), @payer, 'razorpayx', 'a@b', 1, 0, 'INR',"
    f" 'pending', 'pout_same', {_NOW}, 0 FROM (SELECT 1 AS n UNION SELECT 2) n",
    "source_refunds_amount_is_positive": "INSERT INTO source_refunds (id, origin, transaction_id, gateway, amount, currency,"
    " gateway_payment_id, status, created_at, checks)"
    f" VALUES (@new, 'ours', @payment, 'razorpay', 0, 'INR', 'pay_1', 'pending', {_NOW}, 0)",
    "transactions_amount_is_positive": transaction("payment", 0),
    "gateway_payments_pk": "INSERT INTO gateway_payments SELECT gateway, gateway_payment_id, @payment, attempt_id,"
    " suspense_reason, event_id, answer, answer_digest, surcharge, created_at FROM gateway_payments LIMIT 1",
    "gateway_payments_are_booked_once": "INSERT INTO gateway_payments SELECT gateway, 'pay_new', transaction_id, attempt_id,"
    " suspense_reason, event_id, answer, answer_digest, surcharge, created_at FROM gateway_payments LIMIT 1",
    "gateway_payments_have_evidence": gateway_payment(),
    "gateway_payments_answer_has_its_digest": gateway_payment(answer="'x'"),
    "gateway_payments_surcharge_is_not_negative": gateway_payment(-1, answer="'x'", answer_digest="REPEAT('d', 32)"),
    "transactions_follow_a_cause": transaction("refund"),
    "hold_captures_pk": "INSERT INTO hold_captures SELECT * FROM hold_captures",
    "withdrawal_bookings_pk": "INSERT INTO withdrawal_bookings SELECT @withdrawal, 'withdrawal', id FROM transactions"
    " WHERE id NOT IN (SELECT transaction_id FROM withdrawal_bookings) LIMIT 2",
    "withdrawal_bookings_type_is_known": "INSERT INTO withdrawal_bookings VALUES (@withdrawal, 'payment', @payment)",
    "postings_amount_is_positive": posting(0),
    "postings_balance_is_never_negative": posting(1, balance_after=-1),
    "postings_entries_are_numbered_once": posting(1, entry_no=1),
    "postings_entry_is_whole": posting(1, entry_no="NULL"),
    "postings_side_is_known": posting(1, side="both"),
    "gateway_events_are_stored_once": "INSERT INTO gateway_events (id, gateway, digest, name, body, received_at)"
    f" SELECT UNHEX(REPEAT(n.n, 32)), 'razorpay', REPEAT('d', 32), 'x', 'x', {_NOW} FROM (SELECT 1 AS n UNION SELECT 2) n",
}


@pytest.fixture(scope="module")
def owner(books: Books) -> Iterator["pymysql.Connection[Any]"]:
    """The schema's owner, with the ids of a payment, a hold and a withdrawal at hand."""
    payer, payee = books.person(money=10_000), books.person()
    known = {"payer": payer.wallet_id, "payee": payee.wallet_id}
    known["payment"] = pay(books, payer, payee, 1_000)[0].transaction_id
    known["hold"] = place(books, payer, payee, 500).id
    known["withdrawal"] = withdraw(books, payer, 500)[0].id
    capture(books, payee, known["hold"], 100)
    connection = books.connect()
    with connection.cursor() as cursor:
        for name, value in known.items():
            cursor.execute(f"SET @{name} = %s", (value.bytes,))
        cursor.execute("SET @new = UNHEX('00000000000070008000000000000bad')")
    yield connection
    connection.close()


@pytest.mark.parametrize("rule", CASES)
def test_each_rule_of_the_tables_refuses_what_breaks_it(owner: "pymysql.Connection[Any]", rule: str) -> None:
    named = "PRIMARY" if rule.endswith("_pk") else rule
    owner.begin()
    try:
        with pytest.raises(pymysql.MySQLError, match=rf"\b{named}\b"), owner.cursor() as cursor:
            cursor.execute(CASES[rule])
    finally:
        owner.rollback()
