"""What the functions' database users can't do, whatever the code in front of them does."""

from contextlib import closing

import pytest

import roles
from tests.support.books import ROLES, Books
from wallet.storage.database import DatabaseBrokenError, DatabaseUnavailableError

_DENIED = {1142, 1143, 1370, 1227, 1044}

_WRITES = [
    "INSERT INTO transactions (id, type, amount, currency, created_at) VALUES ('', 'payment', 1, 'INR', NOW())",
    "INSERT INTO postings SELECT id, 3, actor_id, 'credit', 1, 1, 1, created_at FROM transactions LIMIT 1",
    "INSERT INTO postings (transaction_id) VALUES ('')",
    "UPDATE wallets SET balance = balance + 1",
    "UPDATE wallets SET status = 'active'",
    "UPDATE source_refunds SET status = 'failed'",
    "DELETE FROM source_refunds",
    "DELETE FROM operator_actions",
    "UPDATE payment_disputes SET status = 'won'",
    "DELETE FROM payment_dispute_events",
    "INSERT INTO payment_dispute_bookings (transaction_id) VALUES ('')",
    "CALL apply_payment_dispute('', '', 'books', FALSE, NULL)",
    "CALL post_chargeback('', '', 'losses', 1, FALSE, UTC_TIMESTAMP(6))",
    "UPDATE reconciliation_breaks SET resolution = 'operator'",
    "DELETE FROM reconciliation_breaks",
    "INSERT INTO settlement_lines (gateway) VALUES ('razorpay')",
    "UPDATE reconciliation_walks SET done_until = UTC_TIMESTAMP(6)",
    "CALL keep_break('', '', '', '', 1, 1, 'INR', @a)",
    "CALL begin_source_refund('', 'ours', '', '', '', NULL, 1, NULL, UTC_TIMESTAMP(6))",
    "CALL open_source_refund('', '', 1, '', @a, @b, @c)",
    "UPDATE tiers SET max_balance = NULL",
    "DELETE FROM wallets",
    "UPDATE transactions SET amount = 1",
    "DELETE FROM transactions",
    "UPDATE postings SET amount = 1",
    "DELETE FROM postings",
    "REPLACE INTO postings (transaction_id) VALUES ('')",
    "INSERT INTO accounts (id) VALUES ('')",
    "DELETE FROM idempotency_records",
    "UPDATE idempotency_records SET made_id = actor_id",
    "UPDATE payment_attempts SET amount = 1",
    "DELETE FROM gateway_events",
    "UPDATE users SET phone = '+910000000000'",
    "DELETE FROM users",
    "DELETE FROM unsealed",
    "INSERT INTO seals VALUES (1, '', '', '', 2)",
    "UPDATE checkpoints SET signature = ''",
    "UPDATE ledger_identity SET id = ''",
    "TRUNCATE TABLE postings",
    "TRUNCATE TABLE transactions",
    "TRUNCATE TABLE wallets",
    "DROP TABLE postings",
    "DROP TRIGGER postings_are_kept",
    "ALTER TABLE wallets DROP CONSTRAINT wallets_balance_is_never_negative",
    "CREATE TABLE mine (id INT)",
    "CALL post_entry('', '', '', 1, UTC_TIMESTAMP(6))",
    "CALL claim_key('', '', '', @a, @b)",
    "SELECT password_hash FROM users",
    "SELECT * FROM session_tokens",
    "SELECT * FROM phone_proofs",
    "SELECT * FROM quotas",
    "UPDATE sessions SET ended_at = NULL",
    "UPDATE wallets SET session_generation = 0",
    "DELETE FROM own_freezes",
    "CALL end_sessions('', NULL, NULL, UTC_TIMESTAMP(6))",
    "CALL use_phone_proof('', 'register', '', @a)",
    "SELECT * FROM quota_usage",
    "UPDATE quota_usage SET used = 0",
    "CALL use_quota('', 'bulk_rows', 1, 1, 1, @a)",
    "CALL count_failed_lookup('', @a, @b)",
    "SELECT * FROM confirmations",
    "UPDATE confirmations SET granted_at = UTC_TIMESTAMP(6)",
    "DELETE FROM confirmation_rules",
    "SELECT * FROM passkeys",
    "INSERT INTO known_vpas VALUES ('', '', UTC_TIMESTAMP(6))",
    "CALL use_confirmation('', '', '', 0, '', '', '', '', '', 1, NULL, TRUE, '', @a, @b, @c)",
    "CALL open_confirmation('', '', '', '', '', @a, @b)",
]

# what a role may do of this list, by design
_ALLOWED = {("identity", "SELECT password_hash FROM users")}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("statement", _WRITES)
def test_no_function_can_write_the_books_or_read_secrets(books: Books, role: str, statement: str) -> None:
    if (role, statement) in _ALLOWED:
        return
    database = books.as_role(role)
    with pytest.raises((DatabaseBrokenError, DatabaseUnavailableError)) as caught:
        database.read(statement)
    cause = caught.value.__cause__
    assert cause is not None
    assert cause.args[0] in _DENIED, cause


def test_who_may_begin_a_refund_to_source_may_not_settle_one_and_the_reverse() -> None:
    begins = {"EXECUTE ON PROCEDURE refund_to_source", "EXECUTE ON PROCEDURE close_wallet"}
    settles = {"EXECUTE ON PROCEDURE settle_source_refund", "EXECUTE ON PROCEDURE note_foreign_refund"}
    for grants in roles.GRANTS.values():
        assert not (begins & set(grants) and settles & set(grants))
    assert begins <= set(roles.GRANTS["operator"])
    assert settles <= set(roles.GRANTS["gateway"])


def test_nobody_but_the_operator_orders_anything_about_a_wallet() -> None:
    orders = {
        "set_tier",
        "freeze_wallet",
        "unfreeze_wallet",
        "end_sessions_of_owner",
        "close_wallet",
        "set_slots",
        "refund_to_source",
    }
    orders |= {"credit_from_suspense", "resolve_break", "end_dispute", "cancel_withdrawal_for_owner"}
    executes = {f"EXECUTE ON PROCEDURE {procedure}" for procedure in orders}
    assert {role for role, grants in roles.GRANTS.items() if executes & set(grants)} == {"operator"}


def test_nobody_but_the_sealer_appends_to_the_chain() -> None:
    appends = {
        f"EXECUTE ON PROCEDURE {name}" for name in ("append_checkpoint", "append_sealed", "note_checkpoint_published")
    }
    assert {role for role, grants in roles.GRANTS.items() if appends & set(grants)} == {"sealer"}


def test_no_role_is_granted_anything_but_select_and_execute() -> None:
    verbs = {grant.split()[0] for grants in roles.GRANTS.values() for grant in grants}
    assert verbs == {"SELECT", "EXECUTE"}


@pytest.mark.parametrize("role", ["reader", "withdrawals", "directory", "confirmations"])
def test_who_reads_by_procedures_reads_no_table(role: str) -> None:
    assert not [grant for grant in roles.GRANTS[role] if not grant.startswith("EXECUTE ON PROCEDURE ")]


def test_the_reading_functions_user_executes_nothing_that_writes(books: Books) -> None:
    rows = books.select("SELECT ROUTINE_NAME AS name, SQL_DATA_ACCESS AS access FROM information_schema.ROUTINES")
    access = {row["name"]: row["access"] for row in rows}
    executed = [grant.removeprefix("EXECUTE ON PROCEDURE ") for grant in roles.GRANTS["reader"]]
    assert {access[procedure] for procedure in executed} == {"READS SQL DATA"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transactions SET amount = amount",
        "DELETE FROM transactions",
        "UPDATE postings SET amount = amount",
        "DELETE FROM postings",
        "UPDATE accounts SET code = code",
        "DELETE FROM accounts",
        "DELETE FROM idempotency_records",
        "UPDATE idempotency_records SET request_hash = REVERSE(request_hash)",
        "DELETE FROM payment_attempts",
        "UPDATE payment_attempts SET amount = amount + 1",
        "DELETE FROM payment_attempt_events",
        "UPDATE gateway_events SET body = ''",
        "DELETE FROM gateway_events",
        "UPDATE gateway_payments SET surcharge = surcharge",
        "DELETE FROM gateway_payments",
    ],
)
def test_even_the_owner_can_not_change_the_past(books: Books, statement: str) -> None:
    person = books.person(money=100)
    books.write(
        "INSERT INTO gateway_events (id, gateway, digest, name, body, received_at)"
        " VALUES (%s, 'razorpay', %s, 'x', 'x', UTC_TIMESTAMP(6))",
        person.user_id.bytes,
        person.user_id.bytes * 2,
    )
    with pytest.raises(Exception, match=r"only grows|kept|written once|does not change|as it came"):
        books.write(statement)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("hold_captures", "REPEAT('t', 16), REPEAT('h', 16)"),
        ("withdrawal_bookings", "REPEAT('w', 16), 'withdrawal', REPEAT('t', 16)"),
        ("source_refund_bookings", "REPEAT('r', 16), REPEAT('t', 16)"),
    ],
)
@pytest.mark.parametrize("change", ["UPDATE {} SET transaction_id = transaction_id", "DELETE FROM {}"])
def test_even_the_owner_can_not_change_what_stands_beside_a_transaction(
    books: Books, table: str, row: str, change: str
) -> None:
    with closing(books.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        connection.begin()
        cursor.execute(f"INSERT INTO {table} VALUES ({row})")  # noqa: S608 - constants
        with pytest.raises(Exception, match="only grows"):
            cursor.execute(change.format(table))
        connection.rollback()


def test_even_the_owner_can_not_make_a_balance_negative(books: Books) -> None:
    person = books.person()
    with pytest.raises(Exception, match=r"wallets_(balance_is_never_negative|held_is_covered)"):
        books.write("UPDATE wallets SET balance = -1 WHERE id = %s", person.wallet_id.bytes)


def test_transactions_can_not_be_truncated(books: Books) -> None:
    with pytest.raises(Exception, match="foreign key"):
        books.write("TRUNCATE TABLE transactions")


def test_who_settles_pays_nothing_and_who_pays_settles_nothing(books: Books) -> None:
    pays = {"post_payment", "refund_payment", "place_hold", "capture_hold", "request_withdrawal", "pay_bulk_row"}
    pays |= {"claim_payout", "cancel_withdrawal"}
    settles = {"settle_payment", "settle_gateway_payment", "settle_withdrawal", "settle_source_refund"}
    settles |= {"note_foreign_refund"}
    for role in ROLES:
        rows = books.select(f"SHOW GRANTS FOR 'wallet_{role}'@'%%'")  # the server's word, not ours
        granted = " ".join(str(next(iter(row.values()))) for row in rows)
        may = {name for name in pays | settles if f"`{name}`" in granted}
        assert not (may & pays and may & settles), role
