"""The audit by itself: what it has no time for is never passed, and the next one goes on there."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.database import PrivateServer
from tests.support.evidence import Ledger, as_root
from tests.support.moves import pay
from tests.support.own_database import own_books
from tests.support.sessions import kill
from tests.support.signing import Folder, Key
from wallet import wiring
from wallet.ledger.audits import AuditReport, Outcome
from wallet.ledger.signatures import read_public_key
from wallet.movements.audit import Audit
from wallet.movements.verify_seals import SealAudit
from wallet.storage.audits import note_audit
from wallet.storage.checks.every import every_check
from wallet.storage.checks.sealing import timely_checks
from wallet.storage.database import Database, DatabaseBrokenError, DatabaseTooSlowError, DatabaseUnavailableError


@pytest.fixture(scope="module")
def ledger(server: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Five checkpoints, of one payment each."""
    with own_books(server, "audited") as books:
        scratch = tmp_path_factory.mktemp("evidence")
        made = Ledger(books, Folder(scratch), Key(2048), scratch)
        asha, bela = books.person(money=50_000), books.person()
        for _ in range(5):
            pay(books, asha, bela, 100)
            made.seal()
        yield made


def looked(ledger: Ledger, *, begin: int, checkpoints: int) -> tuple[AuditReport, list[int]]:
    """A look at the seals with time for so many checkpoints; what it looked at."""
    seen: list[int] = []

    class Watching(Folder):
        def read(self, name: str) -> tuple[bytes, int] | None:
            seen.append(int(name[-17:-5]))
            return super().read(name)

    report = AuditReport()
    kept = Watching(ledger.folder.path)
    audit = SealAudit(ledger.books.as_role("auditor"), kept, read_public_key(ledger.key.der), lambda _: begin - 1)
    audit.run(report, time_left_s=lambda: checkpoints - len(seen))
    return report, seen


def test_the_newest_comes_first_then_it_goes_on_from_anywhere_and_around(ledger: Ledger) -> None:
    report, seen = looked(ledger, begin=1, checkpoints=3)
    assert (seen, report.next_number, report.outcome) == ([5, 1, 2], 3, Outcome.UNFINISHED)
    report, seen = looked(ledger, begin=3, checkpoints=4)
    assert (seen, report.next_number, report.outcome) == ([5, 3, 4, 1], 2, Outcome.UNFINISHED)
    report, seen = looked(ledger, begin=2, checkpoints=5)
    assert (sorted(seen), report.outcome, report.verified) == ([1, 2, 3, 4, 5], Outcome.PASSED, 5)


def test_an_audit_without_time_passes_nothing(ledger: Ledger) -> None:
    report = ledger.audit(ledger.books.as_role("auditor"), seconds=0)
    assert {result.outcome for result in report.results} == {Outcome.UNFINISHED}
    assert report.outcome is Outcome.UNFINISHED


def test_what_a_run_has_no_time_for_is_something_else_each_time_and_told_in_the_same_order(ledger: Ledger) -> None:
    def with_time_for_two(begin: int) -> tuple[list[str], list[int]]:
        times = iter((100, 60, 60))  # half of the first is the seals', and behind these it is over
        report = AuditReport()
        key = read_public_key(ledger.key.der)
        audit = Audit(ledger.books.as_role("auditor"), ledger.folder, key, lambda limit: begin % limit)
        audit.run(report, time_left_s=lambda: next(times, 0))
        passed = [number for number, result in enumerate(report.results) if result.outcome is Outcome.PASSED]
        return [result.code for result in report.results], passed

    codes, asked = with_time_for_two(0)
    assert asked == [0, 1]
    assert with_time_for_two(7) == (codes, [7, 8])
    count = len(every_check(events_kept_days=1) + timely_checks(patience_minutes=1, late_minutes=1))
    assert with_time_for_two(count - 1) == (codes, [0, count - 1])


def test_what_breaks_is_broken_though_there_was_no_time_for_the_rest(ledger: Ledger) -> None:
    with as_root(ledger) as database:
        database.read("UPDATE wallets SET balance = balance + 1 LIMIT 1")
        report = ledger.audit(database, seconds=600)
        report.results[-1].is_finished = False
    assert report.outcome is Outcome.BROKEN


def test_what_is_on_record_of_audits_steers_none(ledger: Ledger) -> None:
    """Who writes to the database could else have each one begin behind what was altered, and end before it."""
    with as_root(ledger) as database:
        seen: set[int] = set()
        for _ in range(200):
            database.read("INSERT INTO audits VALUES (RANDOM_BYTES(16), 'unfinished', 5, 2, 4, '[]', UTC_TIMESTAMP(6))")
            key, times = read_public_key(ledger.key.der), iter([1.0, 1.0])
            audit = SealAudit(database, _Watching(ledger.folder.path, seen), key, wiring.random_below)
            audit.run(AuditReport(), time_left_s=lambda times=times: next(times, 0.0))  # type: ignore[misc]
            if seen == {1, 2, 3, 4, 5}:
                break
    assert seen == {1, 2, 3, 4, 5}


class _Watching(Folder):
    """Remembers which checkpoints were read."""

    def __init__(self, path: Path, seen: set[int]) -> None:
        super().__init__(path)
        self.seen = seen

    def read(self, name: str) -> tuple[bytes, int] | None:
        """As the folder has it."""
        self.seen.add(int(name[-17:-5]))
        return super().read(name)


def test_what_an_audit_came_to_is_on_record_once(ledger: Ledger) -> None:
    auditor = ledger.books.as_role("auditor")
    report, _ = looked(ledger, begin=1, checkpoints=3)
    audit_id = wiring.new_id()
    note_audit(auditor, audit_id, report)
    note_audit(auditor, audit_id, report)  # the answer was lost
    rows = ledger.books.select(
        "SELECT outcome, checkpoints, verified, next_number, faults FROM audits WHERE id = %s", audit_id.bytes
    )
    assert rows == [{"outcome": "unfinished", "checkpoints": 5, "verified": 3, "next_number": 3, "faults": "[]"}]
    whole = ledger.audit(auditor)
    assert (whole.outcome, whole.verified, whole.next_number) == (Outcome.PASSED, 5, 1)


def test_what_an_audit_found_can_not_be_changed_and_a_pass_not_be_made_up(ledger: Ledger) -> None:
    report, _ = looked(ledger, begin=1, checkpoints=3)
    note_audit(ledger.books.as_role("auditor"), wiring.new_id(), report)
    for statement in ("UPDATE audits SET outcome = 'passed'", "DELETE FROM audits"):
        with pytest.raises(Exception, match="what an audit found stays"):
            ledger.books.write(statement)
    with pytest.raises(DatabaseBrokenError):
        ledger.books.as_role("auditor").call("note_audit", wiring.new_id().bytes, "passed", 5, 3, 1, "[]")


def test_a_question_that_takes_too_long_is_ended_by_the_server_and_the_next_one_is_answered(ledger: Ledger) -> None:
    auditor = ledger.books.as_role("auditor")
    tables = ", ".join(f"information_schema.columns c{n}" for n in range(4))
    endless = f"SELECT COUNT(*) AS n FROM {tables}"  # noqa: S608 - of constants
    with pytest.raises(DatabaseTooSlowError):
        auditor.read_within(1, endless)
    assert auditor.read_within(1, "SELECT 1 AS one") == [{"one": 1}]
    assert auditor.read_within(1, "SELECT SLEEP(0) AS slept, %s AS given", "%s") == [{"slept": 0, "given": "%s"}]


def test_the_time_that_one_question_has_is_not_the_next_ones(ledger: Ledger) -> None:
    auditor = ledger.books.as_role("auditor")
    auditor.read_within(1, "SELECT 1 AS one")
    # a sleep that is cut off says 1 on MySQL, and is an error on MariaDB
    assert auditor.read("SELECT SLEEP(1.5) AS cut_off") == [{"cut_off": 0}]


def test_a_snapshot_is_one_moment_however_long_it_is_read(ledger: Ledger) -> None:
    database = ledger.books.owner()
    with database.snapshot() as reader:
        before = reader.read("SELECT COUNT(*) AS n FROM users")
        ledger.books.person()
        assert reader.read("SELECT COUNT(*) AS n FROM users") == before
    assert database.read("SELECT COUNT(*) AS n FROM users") != before


def test_a_snapshot_whose_connection_breaks_ends_with_an_error(ledger: Ledger) -> None:
    database: Database = ledger.books.owner()
    with database.snapshot() as reader, closing(ledger.books.owner()) as killer:
        connection = reader.read("SELECT CONNECTION_ID() AS id")[0]["id"]
        kill(killer, connection)
        with pytest.raises(DatabaseUnavailableError):
            reader.read("SELECT 1")


def test_what_waits_for_its_seal_for_long_is_told(ledger: Ledger) -> None:
    with as_root(ledger) as database:
        pair = database.read("SELECT transaction_id FROM seals ORDER BY position DESC LIMIT 1")
        database.read("INSERT INTO unsealed VALUES (%s)", pair[0]["transaction_id"])
        database.read("SET timestamp = UNIX_TIMESTAMP() + 1000")
        report = ledger.audit(database)
    broken = {result.code for result in report.results if result.outcome is Outcome.BROKEN}
    assert {"sealed_soon", "sealed_or_waiting"} <= broken


def test_what_waits_to_be_published_for_long_is_told(ledger: Ledger) -> None:
    with as_root(ledger) as database:
        database.read(
            "INSERT INTO checkpoints SELECT 6, last_position + 1, last_position + 1, chain, chain, balances, digest,"
            " sealed_at - INTERVAL 1 HOUR, NULL, NULL FROM checkpoints WHERE number = 5"
        )
        report = ledger.audit(database)
    told = {result.code: [fault.id for fault in result.faults] for result in report.results}
    assert told["published_soon"] == ["6"]


def test_a_floor_that_is_walked_back_in_steps_is_seen(server: PrivateServer, tmp_path: Path) -> None:
    """Each step alone is no longer than a commit may take; together they would date anything anywhere."""
    with own_books(server, "walked_back") as books:
        made = Ledger(books, Folder(tmp_path), Key(2048), tmp_path)
        books.person(money=1_000)
        made.seal()
        new = [wiring.new_id() for _ in range(3)]
        for step, transaction_id in enumerate(new, start=1):
            books.write(
                "INSERT INTO transactions (id, type, amount, currency, created_at)"
                " SELECT %s, 'gather', 1, 'INR', MAX(created_at) - INTERVAL %s SECOND"
                " FROM (SELECT * FROM transactions WHERE type = 'top_up') t",
                transaction_id.bytes,
                290 * step,
            )
            if step == len(new):
                waiting = faults_by_code(made.audit(books.as_role("auditor")))
            made.seal()
        published = faults_by_code(made.audit(books.as_role("auditor")))
        verified = made.verify(made.export(books.owner()))
    assert waiting["not_backdated"] == {new[2].hex}
    assert published["as_sealed"] == {new[1].hex, new[2].hex}, "wherever the look began"
    assert [line.split()[2] for line in verified.stdout.splitlines() if "inserted" in line] == [new[1].hex, new[2].hex]


def faults_by_code(report: AuditReport) -> dict[str, set[str]]:
    """What is at fault, by the code of what it breaks."""
    return {result.code: {fault.id for fault in result.faults} for result in report.results if result.faults}


def test_what_was_sealed_late_is_named_by_both_and_is_no_break_by_itself(server: PrivateServer, tmp_path: Path) -> None:
    """A day without a sealer, or root has hidden it for a day: both look the same, and both are to be known."""
    with own_books(server, "late") as books:
        ledger = Ledger(books, Folder(tmp_path), Key(2048), tmp_path)
        paid, _ = pay(books, books.person(money=1_000), books.person(), 100)
        ledger.seal(now=lambda: datetime.now(UTC) + timedelta(hours=19))
        report = ledger.audit(books.as_role("auditor"))
        verified = ledger.verify(ledger.export(books.owner()))
    [told] = [result for result in report.results if result.code == "sealed_in_time"]
    assert paid.transaction_id.hex in [note.id for note in told.notes]
    assert (told.outcome, report.outcome) == (Outcome.PASSED, Outcome.PASSED)
    assert (verified.returncode, verified.stdout.splitlines()[-1]) == (0, "verified")
    assert f"LATE transaction {paid.transaction_id.hex} at position" in verified.stdout
