"""Whoever is root in the database can alter anything there: the audit and the verifier say which transaction it was.

Both look at the same ledger, sealed and signed before. The audit reads the database; the verifier reads an export of
it, in a process of its own, as a stranger would.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.database import PrivateServer
from tests.support.evidence import Inside, Ledger, as_root
from tests.support.moves import capture, pay, place, refund
from tests.support.own_database import own_books
from tests.support.signing import Folder, Key
from wallet import wiring
from wallet.ledger import checkpoints
from wallet.ledger.audits import Outcome
from wallet.ledger.seals import POSTING_COLUMNS, TRANSACTION_COLUMNS, canonical, leaf_of
from wallet.movements import audit, verify_seals
from wallet.storage import sealed
from wallet.storage.checks import money
from wallet.storage.checks.check import Check
from wallet.storage.database import Database

# ruff: noqa: S608 - every statement below is made of this file's own words


@pytest.fixture(scope="module", params=[(2, 1, 2), (1, 2, 1)], ids=lambda forms: "".join(map(str, forms)))
def ledger(
    server: PrivateServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Ledger]:
    """Three checkpoints of what people do, and no trigger any more.

    What is altered is most often under the second one: of either form, between two of the other form.
    """
    forms = request.param
    with own_books(server, f"tampered_{forms[0]}") as books:
        scratch = tmp_path_factory.mktemp("evidence")
        made = Ledger(books, Folder(scratch), Key(2048), scratch)
        asha, bela, shop = books.person(money=50_000), books.person(), books.person(kind="merchant", tier="merchant")
        made.seal(form=forms[0])
        with books.fee("payment", basis_points=100):
            paid = pay(books, asha, shop, 6_000, description="चाय", reference="r-1")[0]
        refund(books, shop, paid.transaction_id, 1_000)
        capture(books, shop, place(books, asha, shop, 500).id, 400)
        made.seal(form=forms[1])
        for amount in (100, 200, 300):
            pay(books, asha, bela, amount)
        made.seal(form=forms[2])
        for trigger in books.select(
            "SELECT trigger_name AS name FROM information_schema.triggers"
            " WHERE trigger_schema = DATABASE() AND action_timing = 'BEFORE'"
        ):
            books.write(f"DROP TRIGGER {trigger['name']}")
        for check in books.select(_CHECKS_OF_THE_LEDGER):
            books.write(f"ALTER TABLE {check['tab']} DROP CONSTRAINT {check['name']}")
        yield made


_CHECKS_OF_THE_LEDGER = """
SELECT table_name AS tab, constraint_name AS name FROM information_schema.table_constraints
WHERE constraint_schema = DATABASE() AND constraint_type = 'CHECK'
  AND table_name IN ('transactions', 'postings', 'seals', 'checkpoints')
"""


def transactions(ledger: Ledger) -> list[str]:
    """The ids of all, in the order of their seals."""
    return [
        found["id"].hex() for found in ledger.books.select("SELECT transaction_id AS id FROM seals ORDER BY position")
    ]


def found_by(ledger: Ledger, database: Database) -> tuple[list[str], str]:
    """What the audit says of the seals, and what the verifier says."""
    report = ledger.audit(database)
    verified = ledger.verify(ledger.export(Inside(database)))
    assert report.outcome is Outcome.BROKEN
    assert verified.returncode == 1, verified.stdout + verified.stderr
    results = {result.code: result for result in report.results}
    return [str(fault) for fault in results["as_sealed"].faults], verified.stdout


def test_a_healthy_ledger_passes_both(ledger: Ledger) -> None:
    report = ledger.audit(ledger.books.as_role("auditor"))
    assert [str(fault) for result in report.results for fault in result.faults] == []
    assert (report.outcome, report.checkpoints, report.verified) == (Outcome.PASSED, 3, 3)
    verified = ledger.verify(ledger.export(ledger.books.owner()))
    assert (verified.returncode, verified.stderr) == (0, "")
    assert f"{len(transactions(ledger))} transactions are under 3 signed checkpoints" in verified.stdout


# what one byte of a column may become, where its first byte can't be another
_OTHER = {
    "type": "IF({0} = 'payment', 'gather', 'payment')",
    "amount": "{0} + 1",
    "side": "IF({0} = 'debit', 'credit', 'debit')",
    "line": "{0} + 4",
    "slot": "{0} + 1",
    "entry_no": "COALESCE({0} + 1000, 1)",
    "balance_after": "COALESCE({0} + 1, 1)",
    "created_at": "{0} + INTERVAL 1 MICROSECOND",
}
_IDS = (
    "UNHEX(CONCAT(IF(LEFT(COALESCE(HEX({0}), '1'), 1) = '0', 'F', '0'),"
    " SUBSTRING(COALESCE(HEX({0}), REPEAT('0', 32)), 2)))"
)
_TEXT = "CONCAT(IF(LEFT(COALESCE({0}, ''), 1) = 'X', 'Y', 'X'), SUBSTRING(COALESCE({0}, ''), 2))"


def other(column: str) -> str:
    """Another value of a column, that differs in a byte."""
    if column in _OTHER:
        return _OTHER[column].format(column)
    return (_IDS if column.endswith("id") and column != "gateway_payment_id" else _TEXT).format(column)


_PAYMENT = "REPLACE INTO gateway_payments VALUES ({}, 'x', REPEAT('d', 32), 0, NOW())"
#: What is sealed of some transactions only, as it looks beside one of another type.
_BESIDE = {
    "gateway": _PAYMENT.format("'x', '', {0}, NULL, NULL, NULL"),
    "gateway_payment_id": _PAYMENT.format("'', 'x', {0}, NULL, NULL, NULL"),
    "attempt_id": _PAYMENT.format("'', '', {0}, {0}, NULL, NULL"),
    "suspense_reason": _PAYMENT.format("'', '', {0}, NULL, 'x', NULL"),
    "hold_id": "REPLACE INTO hold_captures VALUES ({0}, {0})",
    "withdrawal_id": "REPLACE INTO withdrawal_bookings VALUES ({0}, 'withdrawal', {0})",
    "source_refund_id": "REPLACE INTO source_refund_bookings VALUES ({0}, {0})",
}


def alteration(column: str, victim: str) -> str:
    """A statement that alters what is sealed of a payment by a column."""
    if column in _BESIDE:
        return _BESIDE[column].format(f"UNHEX('{victim}')")
    return f"UPDATE transactions SET {column} = {other(column)} WHERE id = UNHEX('{victim}')"


@pytest.mark.parametrize("column", [column for column in TRANSACTION_COLUMNS if column != "id"])
def test_a_byte_of_a_transaction_is_altered(ledger: Ledger, column: str) -> None:
    position = 5
    victim = transactions(ledger)[position - 1]
    with as_root(ledger) as database:
        database.read(alteration(column, victim))
        assert database.read("SELECT ROW_COUNT() AS n")[0]["n"] > 0
        audited, verified = found_by(ledger, database)
    assert [fault.partition(" (")[0] for fault in audited] == [f"altered: transaction {victim}"]
    assert f"BROKEN transaction {victim} at position {position}: altered" in verified


@pytest.mark.parametrize("line", [1, 2])
@pytest.mark.parametrize("column", POSTING_COLUMNS)
def test_a_byte_of_a_posting_is_altered(ledger: Ledger, column: str, line: int) -> None:
    position = 5
    victim = transactions(ledger)[position - 1]
    with as_root(ledger) as database:
        database.read(
            f"UPDATE postings SET {column} = {other(column)} WHERE transaction_id = UNHEX('{victim}') AND line = {line}"
        )
        assert database.read("SELECT ROW_COUNT() AS n")[0]["n"] == 1
        audited, verified = found_by(ledger, database)
    assert [fault.partition(" (")[0] for fault in audited] == [f"altered: transaction {victim}"]
    assert f"BROKEN transaction {victim} at position {position}: altered" in verified


@pytest.mark.parametrize("at", ["first_position", "last_position"])
def test_a_form_that_there_is_not_is_named_and_keeps_the_audit_from_nothing(ledger: Ledger, at: str) -> None:
    [row] = ledger.books.select(f"SELECT {at} AS position FROM checkpoints WHERE number = 2")
    victim, last = transactions(ledger)[row["position"] - 1], transactions(ledger)[-1]
    with as_root(ledger) as database:
        database.read("UPDATE seals SET form = 7 WHERE position = %s", row["position"])
        database.read(f"UPDATE transactions SET reference = 'x' WHERE id = UNHEX('{last}')")
        audited, verified = found_by(ledger, database)
    assert [fault.partition(" (")[0] for fault in audited] == [f"altered: transaction {one}" for one in (victim, last)]
    for one in (victim, last):
        assert f"BROKEN transaction {one} at position" in verified


def test_a_seal_that_says_another_form_is_altered(ledger: Ledger) -> None:
    victim = transactions(ledger)[4]
    with as_root(ledger) as database:
        database.read("UPDATE seals SET form = 3 - form WHERE position = 5")
        audited, verified = found_by(ledger, database)
        assert [fault.partition(" (")[0] for fault in audited] == [f"altered: transaction {victim}"]
        assert f"BROKEN transaction {victim} at position 5: altered" in verified
        reseal(database, 5)
        audited, verified = found_by(ledger, database)
    assert [fault.partition(" (")[0] for fault in audited] == [f"altered: transaction {victim}"]
    assert f"BROKEN transaction {victim} at position 5: altered" in verified


@pytest.mark.parametrize("column", ["salt", "leaf"])
def test_a_byte_of_a_seal_is_altered(ledger: Ledger, column: str) -> None:
    victim = transactions(ledger)[4]
    with as_root(ledger) as database:
        database.read(
            f"UPDATE seals SET {column} = INSERT({column}, 3, 1, IF(SUBSTRING({column}, 3, 1) = 'x', 'y', 'x'))"
            " WHERE position = 5"
        )
        audited, verified = found_by(ledger, database)
    assert [fault.partition(" (")[0] for fault in audited] == [f"altered: transaction {victim}"]
    assert f"BROKEN transaction {victim} at position 5: altered" in verified


def removed_posting(database: Database, ids: list[str]) -> tuple[str, str]:
    database.read(f"DELETE FROM postings WHERE transaction_id = UNHEX('{ids[4]}') AND line = 2")
    return "altered", ids[4]


def inserted_pair(database: Database, ids: list[str]) -> tuple[str, str]:
    for line, side in ((3, "debit"), (4, "credit")):
        database.read(
            "INSERT INTO postings (transaction_id, line, account_id, slot, type, side, amount, created_at)"
            f" SELECT transaction_id, {line}, account_id, slot, type, '{side}', 500, created_at FROM postings"
            f" WHERE transaction_id = UNHEX('{ids[6]}') AND line = {line - 2}"
        )
    return "altered", ids[6]


def removed_transaction(database: Database, ids: list[str]) -> tuple[str, str]:
    database.read(f"DELETE FROM postings WHERE transaction_id = UNHEX('{ids[3]}')")
    database.read(f"DELETE FROM transactions WHERE id = UNHEX('{ids[3]}')")
    return "removed", ids[3]


def removed_with_its_seal(database: Database, ids: list[str]) -> tuple[str, str]:
    removed_transaction(database, ids)
    database.read("DELETE FROM seals WHERE position = 4")
    return "removed", ids[3]


def removed_and_closed_up(database: Database, ids: list[str]) -> tuple[str, str]:
    removed_with_its_seal(database, ids)
    for position in range(5, len(ids) + 1):
        database.read(f"UPDATE seals SET position = {position - 1} WHERE position = {position}")
    return "removed", ids[3]


def swapped(database: Database, ids: list[str]) -> tuple[str, str]:
    for before, after in ((2, 900), (3, 2), (900, 3)):
        database.read(f"UPDATE seals SET position = {after} WHERE position = {before}")
    return "reordered", ids[1]


def swapped_across_checkpoints(database: Database, ids: list[str]) -> tuple[str, str]:
    last = len(ids)
    for before, after in ((2, 900), (last, 2), (900, last)):
        database.read(f"UPDATE seals SET position = {after} WHERE position = {before}")
    return "reordered", ids[1]


def inserted_and_moved_up(database: Database, ids: list[str]) -> tuple[str, str]:
    new = "11" * 16
    made_up(database, ids[2], new)
    for position in range(len(ids), 2, -1):
        database.read(f"UPDATE seals SET position = {position + 1} WHERE position = {position}")
    database.read(f"INSERT INTO seals SELECT 3, UNHEX('{new}'), salt, leaf, form FROM seals WHERE position = 4")
    reseal(database, 3)
    return "inserted", new


def truncated(database: Database, ids: list[str]) -> tuple[str, str]:
    """The last checkpoint and all that is under it, gone as if it had never been."""
    first = database.read("SELECT first_position AS p FROM checkpoints WHERE number = 3")[0]["p"]
    for position in range(first, len(ids) + 1):
        database.read(f"DELETE FROM postings WHERE transaction_id = UNHEX('{ids[position - 1]}')")
        database.read(f"DELETE FROM transactions WHERE id = UNHEX('{ids[position - 1]}')")
    database.read(f"DELETE FROM seals WHERE position >= {first}")
    database.read("DELETE FROM checkpoints WHERE number = 3")
    return "removed", ids[first - 1]


def rewritten(database: Database, ids: list[str]) -> tuple[str, str]:
    """An amount altered, on both sides, and its seal, and every checkpoint from there on made again."""
    database.read(f"UPDATE transactions SET amount = 60000 WHERE id = UNHEX('{ids[4]}')")
    database.read(f"UPDATE postings SET amount = 60000 WHERE transaction_id = UNHEX('{ids[4]}')")
    reseal(database, 5)
    remake_checkpoints(database)
    return "altered", ids[4]


_TAMPERINGS: list[Callable[[Database, list[str]], tuple[str, str]]] = [
    removed_posting,
    inserted_pair,
    removed_transaction,
    removed_with_its_seal,
    removed_and_closed_up,
    swapped,
    swapped_across_checkpoints,
    inserted_and_moved_up,
    truncated,
    rewritten,
]


@pytest.mark.parametrize("tamper", _TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_the_first_bad_transaction_is_named(
    ledger: Ledger, tamper: Callable[[Database, list[str]], tuple[str, str]]
) -> None:
    ids = transactions(ledger)
    with as_root(ledger) as database:
        how, victim = tamper(database, ids)
        audited, verified = found_by(ledger, database)
    assert f"{how}: transaction {victim}" in {fault.partition(" (")[0] for fault in audited}, audited
    broken = [line for line in verified.splitlines() if line.startswith("BROKEN")]
    assert broken[0].startswith(f"BROKEN transaction {victim} at position")
    assert f": {how}: " in broken[0]


def made_up(database: Database, like: str, new: str, created_at: str = "created_at") -> None:
    """A transaction with an id of its own that is like another one."""
    for table, key, columns in (
        ("transactions", "id", [column for column in TRANSACTION_COLUMNS if column not in _BESIDE]),
        ("postings", "transaction_id", POSTING_COLUMNS),
    ):
        rest = [column for column in columns if column != "id"]
        taken = [created_at if column == "created_at" else column for column in rest]
        taken = ["entry_no + 500" if column == "entry_no" else column for column in taken]
        database.read(
            f"INSERT INTO {table} ({key}, {', '.join(rest)}) SELECT UNHEX('{new}'), {', '.join(taken)}"
            f" FROM {table} WHERE {key} = UNHEX('{like}')"
        )
    database.read(f"DELETE FROM unsealed WHERE transaction_id = UNHEX('{new}')")


def reseal(database: Database, position: int) -> None:
    """Gives what stands at a position the leaf that it should have as it is now."""
    [found] = sealed.read_sealed(database, first=position, last=position)
    assert found.content is not None
    leaf = leaf_of(found.content, found.seal.salt, form=found.seal.form)
    database.read(f"UPDATE seals SET leaf = UNHEX('{leaf.hex()}') WHERE position = {position}")


def remake_checkpoints(database: Database) -> None:
    """Makes the checkpoints' rows again, as they should be for the seals as they are now; the signatures can't be."""
    for number in (1, 2, 3):
        stored = sealed.find_checkpoint(database, number)
        assert stored is not None
        row = stored.checkpoint
        found = sealed.read_sealed(database, first=row.first, last=row.last)
        made = checkpoints.make_checkpoint(
            [one.seal for one in found],
            ledger=row.ledger,
            number=number,
            chain_before=stored.before.chain,
            previous=row.previous,
            sealed_at=row.sealed_at,
            balances=checkpoints.balances_after(
                stored.before.balances or {},
                [one.content for one in found if one.content is not None],
                sealed.our_accounts(database),
            ),
        )
        database.read(
            "UPDATE checkpoints SET chain_before = %s, chain = %s, digest = %s, balances = %s WHERE number = %s",
            made.chain_before,
            made.chain,
            made.digest,
            canonical(made.balances).decode(),
            number,
        )


@pytest.mark.parametrize("waits", [True, False])
def test_a_transaction_that_is_inserted_and_backdated_is_named(ledger: Ledger, *, waits: bool) -> None:
    new = "22" * 16
    with as_root(ledger) as database:
        made_up(database, transactions(ledger)[4], new, "created_at - INTERVAL 1 DAY")
        if waits:
            database.read(f"INSERT INTO unsealed VALUES (UNHEX('{new}'))")
        report = ledger.audit(database)
        verified = ledger.verify(ledger.export(Inside(database)))
    code = "not_backdated" if waits else "sealed_or_waiting"
    assert f"{code}: transaction {new}" in {
        str(fault).partition(" (")[0] for result in report.results for fault in result.faults
    }
    assert verified.returncode == 1
    assert f"BROKEN transaction {new}: inserted" in verified.stdout


# a credit of a wallet, as root puts it in beside all that explains one
_CREDITED = (
    "UPDATE wallets SET balance = balance + 900000, entries = entries + 1, last_entry_at = UTC_TIMESTAMP(6)"
    " WHERE id = %s"
)
_CREDIT = (
    "INSERT INTO postings (transaction_id, line, account_id, slot, type, side, amount, entry_no, balance_after,"
    " created_at) SELECT %s, 2, id, 0, %s, 'credit', 900000, entries, balance, last_entry_at FROM wallets WHERE id = %s"
)


def somebodys_wallet(database: Database) -> bytes:
    wallet: bytes = database.read("SELECT id FROM wallets WHERE slots = 1 ORDER BY id LIMIT 1")[0]["id"]
    return wallet


@pytest.mark.parametrize("hides", ["nowhere", "among what waits", "behind all"])
def test_money_out_of_a_posting_of_no_transaction_is_named(ledger: Ledger, hides: str) -> None:
    new = ("ff" if hides == "behind all" else "3f") * 16
    with as_root(ledger) as database:
        wallet = somebodys_wallet(database)
        database.read(_CREDITED, wallet)
        database.read(_CREDIT, bytes.fromhex(new), "payment", wallet)
        if hides == "among what waits":
            database.read(f"INSERT INTO unsealed VALUES (UNHEX('{new}'))")
        report = ledger.audit(database)
        verified = ledger.verify(ledger.export(Inside(database)))
    broken = {result.code: [fault.id for fault in result.faults] for result in report.results if result.faults}
    assert (broken["posting_has_its_transaction"], broken["trial_balance"]) == ([new], ["none"])
    assert (verified.returncode, verified.stderr) == (1, "")
    assert f"BROKEN transaction {new}: inserted" in verified.stdout


@pytest.mark.parametrize(
    ("kind", "promises"),
    [("withdrawal_return", {"reference_is_there", "return_fits"}), ("fee", {"reference_is_there"})],
)
def test_money_that_follows_from_what_never_was_is_named(ledger: Ledger, kind: str, promises: set[str]) -> None:
    new = wiring.new_id()
    with as_root(ledger) as database:
        wallet = somebodys_wallet(database)
        database.read(_CREDITED, wallet)
        database.read(
            "INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)"
            f" SELECT %s, '{kind}', 900000, 'INR', UNHEX(REPEAT('77', 16)), last_entry_at FROM wallets WHERE id = %s",
            new.bytes,
            wallet,
        )
        if kind == "withdrawal_return":
            database.read("INSERT INTO withdrawal_bookings VALUES (%s, %s, %s)", b"f" * 16, kind, new.bytes)
        database.read(_CREDIT, new.bytes, kind, wallet)
        database.read(
            "INSERT INTO postings (transaction_id, line, account_id, slot, type, side, amount, created_at)"
            f" SELECT t.id, 1, a.id, 0, '{kind}', 'debit', 900000, t.created_at FROM transactions t"
            " JOIN accounts a ON a.code = 'payout:razorpayx' WHERE t.id = %s",
            new.bytes,
        )
        report = ledger.audit(database)
    broken = {result.code: {fault.id for fault in result.faults} for result in report.results if result.faults}
    assert broken == {promise: {new.hex} for promise in promises}


def test_an_export_is_the_same_in_pages_of_any_size(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with as_root(ledger) as database:
        for row in database.read("SELECT transaction_id FROM seals WHERE position BETWEEN 2 AND 4"):
            database.read("DELETE FROM seals WHERE transaction_id = %s", row["transaction_id"])
        whole = ledger.export(Inside(database)).read_bytes()
        assert whole.count(b'"position":null') == 3
        for size in (1, 2, 6):
            monkeypatch.setattr(sealed, "_PAGE", size)
            assert ledger.export(Inside(database)).read_bytes() == whole


def test_wallets_that_change_owners_are_named_by_what_their_owners_asked_for(ledger: Ledger) -> None:
    with as_root(ledger) as database:
        asha, bela = (
            row["user_id"]
            for row in database.read(
                "SELECT w.user_id FROM wallets w JOIN users u ON u.id = w.user_id WHERE u.kind = 'personal' LIMIT 2"
            )
        )
        for user, becomes in ((asha, bytes(16)), (bela, asha), (bytes(16), bela)):
            database.read("UPDATE wallets SET user_id = %s WHERE user_id = %s", becomes, user)
        report = ledger.audit(database)
    broken = {result.code for result in report.results if result.faults}
    assert "owner_asked" in broken


# what can't be read at all, where it keeps an audit from looking further
_UNREADABLE = {
    "balances that are no JSON": "UPDATE checkpoints SET balances = 'x' WHERE number = 3",
    "balances of another shape": "UPDATE checkpoints SET balances = '[5]'",
    "balances of nothing": "UPDATE checkpoints SET balances = '5' WHERE number = 1",
    "a detail that is no JSON": "UPDATE outbox SET transaction_id = NULL, hold_id = NULL, detail = '{x' LIMIT 1",
}


@pytest.mark.parametrize("how", _UNREADABLE)
def test_a_value_that_can_not_be_read_does_not_keep_the_audit_from_the_rest(ledger: Ledger, how: str) -> None:
    victim = transactions(ledger)[4]
    with as_root(ledger) as database:
        database.read(f"UPDATE transactions SET reference = 'x' WHERE id = UNHEX('{victim}')")
        healthy = {result.code for result in ledger.audit(database).results if result.faults}
        database.read(_UNREADABLE[how])
        assert database.read("SELECT ROW_COUNT() AS n")[0]["n"]
        report = ledger.audit(database)
    broken = {result.code: result.faults for result in report.results if result.faults}
    assert f"altered: transaction {victim}" in {str(fault).partition(" (")[0] for fault in broken["as_sealed"]}
    assert set(broken) - healthy, "what can't be read is a fault of its own"
    assert report.verified == 3


def test_a_check_that_can_not_be_asked_is_that_checks_fault(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Check(
        "asks_of_nothing", "what is not there is right", "nothing", "SELECT no_such_column AS id FROM wallets"
    )
    monkeypatch.setattr(audit, "every_check", lambda **_: (wrong, *money.CHECKS))
    report = ledger.audit(ledger.books.as_role("auditor"))
    [broken] = [result for result in report.results if result.outcome is not Outcome.PASSED]
    assert (broken.code, broken.outcome) == (wrong.code, Outcome.BROKEN)
    assert "it can't be asked" in str(broken.faults[0])
    assert {check.code for check in money.CHECKS} < {result.code for result in report.results}, "the others were asked"


def test_faults_of_rows_leave_room_for_those_of_transactions(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_seals, "MOST_TOLD", 2)
    last = transactions(ledger)[-1]
    first = transactions(ledger)[0]
    with as_root(ledger) as database:
        database.read("UPDATE checkpoints SET sealed_at = sealed_at + INTERVAL 1 MICROSECOND")
        for victim in (first, last):
            database.read(f"UPDATE transactions SET reference = 'x' WHERE id = UNHEX('{victim}')")
        results = {result.code: result for result in ledger.audit(database).results}
        assert [fault.id for fault in results["as_sealed"].faults] == [first, last]
        assert len(results["checkpoints_hold"].faults) == 2
        assert "3 of 3 checkpoints, " in results["checkpoints_hold"].told
        database.read("UPDATE transactions SET reference = 'x'")
        results = {result.code: result for result in ledger.audit(database).results}
    assert [fault.id for fault in results["as_sealed"].faults] == transactions(ledger)[:2], "the first ones are told"
    assert results["as_sealed"].told == f"3 of 3 checkpoints, {len(transactions(ledger))} faults"


# these are random: what a byte is changed to must be another one
_OTHER_BYTE = "INSERT({0}, 2, 1, IF(SUBSTRING({0}, 2, 1) = 'x', 'y', 'x'))"
_COLUMNS_OF_CHECKPOINTS = {
    "first_position": "first_position + 1",
    "last_position": "last_position - 1",
    "chain_before": _OTHER_BYTE.format("chain_before"),
    "chain": _OTHER_BYTE.format("chain"),
    "balances": "REPLACE(balances, '0', '1')",
    "digest": _OTHER_BYTE.format("digest"),
    "sealed_at": "sealed_at + INTERVAL 1 MICROSECOND",
    "signature": _OTHER_BYTE.format("signature"),
}


@pytest.mark.parametrize("column", _COLUMNS_OF_CHECKPOINTS)
def test_an_altered_row_of_a_checkpoint_is_named(ledger: Ledger, column: str) -> None:
    with as_root(ledger) as database:
        database.read(f"UPDATE checkpoints SET {column} = {_COLUMNS_OF_CHECKPOINTS[column]} WHERE number = 2")
        assert database.read("SELECT ROW_COUNT() AS n")[0]["n"] == 1
        report = ledger.audit(database)
    results = {result.code: result for result in report.results}
    assert report.outcome is Outcome.BROKEN
    assert {fault.id for fault in results["checkpoints_hold"].faults} & {"2"}


@pytest.fixture
def kept(ledger: Ledger) -> Iterator[Callable[[int], Path]]:
    """The file of a checkpoint, which is put back as it was."""
    before = {path: path.read_bytes() for path in (ledger.folder.path / "checkpoints").iterdir()}
    yield lambda number: ledger.folder.path / checkpoints.object_key(number)
    for path, content in before.items():
        path.write_bytes(content)


def altered(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"sealed_at":"2', b'"sealed_at":"3'))


def emptied(path: Path) -> None:
    path.write_bytes(b"{}")


def listed_otherwise(path: Path) -> None:
    content = path.read_bytes()
    begin = content.index(b'"entries":[["') + len(b'"entries":[["')
    path.write_bytes(content[:begin] + b"ffff" + content[begin + 4 :])


def signed_otherwise(path: Path) -> None:
    content = path.read_bytes()
    begin = content.index(b'"signature":"') + len(b'"signature":"') + 20
    path.write_bytes(content[:begin] + (b"A" if content[begin : begin + 1] != b"A" else b"B") + content[begin + 1 :])


def balanced_otherwise(path: Path) -> None:
    """In form 1 they are signed, in form 2 they stand beside their hash, which is."""
    path.write_bytes(path.read_bytes().replace(b'"wallets":', b'"wallets":1'))


@pytest.mark.parametrize(
    "tamper", [altered, balanced_otherwise, emptied, listed_otherwise, signed_otherwise, Path.unlink]
)
def test_an_altered_checkpoint_is_named(
    ledger: Ledger, kept: Callable[[int], Path], tamper: Callable[[Path], None]
) -> None:
    tamper(kept(2))
    report = ledger.audit(ledger.books.owner())
    results = {result.code: result for result in report.results}
    assert {fault.id for fault in results["checkpoints_hold"].faults} == {"2"}
    assert results["as_sealed"].faults == []
    verified = ledger.verify(ledger.export(ledger.books.owner()))
    assert verified.returncode == 1
    assert "BROKEN checkpoint 2" in verified.stdout


def test_checkpoints_of_another_key_are_not_believed(ledger: Ledger) -> None:
    forged = Ledger(ledger.books, ledger.folder, Key(2048), ledger.scratch)
    report = forged.audit(ledger.books.owner())
    results = {result.code: result for result in report.results}
    assert {fault.id for fault in results["checkpoints_hold"].faults} == {"1", "2", "3"}
    assert forged.verify(forged.export(ledger.books.owner())).returncode == 1


def test_a_truncated_tail_is_seen_past_whatever_else_was_put_into_the_bucket(ledger: Ledger) -> None:
    ids = transactions(ledger)
    decoy = ledger.folder.path / f"{checkpoints.object_key(2)}.0.json"
    decoy.write_text("{}")
    try:
        with as_root(ledger) as database:
            _, victim = truncated(database, ids)
            report = ledger.audit(database)
    finally:
        decoy.unlink()
    results = {result.code: [str(fault) for fault in result.faults] for result in report.results}
    assert any(fault.startswith(f"removed: transaction {victim}") for fault in results["as_sealed"])
    assert any("it is no checkpoint's" in fault for fault in results["checkpoints_hold"])
