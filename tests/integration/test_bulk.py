"""Bulk payments through the kernel and its worker, on a real server: each row pays once, whatever happens under way."""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import pymysql
import pytest

from tests.support.books import ROLES, Books, Person, new_phone, unique
from tests.support.client import wait_until
from tests.support.crowd import together
from tests.support.moves import refusals_in
from tests.support.proxy import Proxy
from tests.support.sessions import PAYING
from wallet import wiring
from wallet.ledger.bulk import BulkPayment, BulkReceipt, BulkRow, RowResult, RowStatus, Tally
from wallet.ledger.payees import PayeeName
from wallet.ledger.refusals import Refusal, Refused
from wallet.movements import bulk as movement
from wallet.movements.bulk import BulkRun, BulkWorker
from wallet.movements.pay import refund, show_payment
from wallet.storage import bulk
from wallet.storage.claims import Claim
from wallet.storage.database import Database, DatabaseBrokenError, DatabaseUnavailableError, Server

PAID, REFUSED, WAITING = RowStatus.PAID, RowStatus.REFUSED, RowStatus.WAITING


@pytest.fixture(autouse=True)
def nothing_else_waits(books: Books) -> None:
    """A worker takes whatever waits in this database: only what the test itself has opened may."""
    database = books.as_role("money")
    while (other := bulk.claim_bulk_payment(database, lease_s=3600)) is not None:
        assert other
    database.close()


def row(line: int, payee: Person | str, amount: int, **more: str | None) -> BulkRow:
    name = PayeeName(None, payee) if isinstance(payee, str) else PayeeName(payee.wallet_id, None)
    return BulkRow(line, name, amount, more.get("description"), more.get("reference"))


def rows(payee: Person, count: int, amount: int = 100) -> list[BulkRow]:
    return [row(line, payee, amount) for line in range(2, count + 2)]


def opened(
    books: Books, payer: Person, wanted: Sequence[BulkRow], claim: Claim | None = None
) -> tuple[BulkReceipt, bool]:
    database = books.as_role("money")
    try:
        return movement.open_bulk_payment(database, wiring.new_id, claim=claim or payer.claim(), rows=wanted)
    finally:
        database.close()


def work(books: Books, *, database: Database | None = None, rows_of_time: int = 10**9) -> BulkRun:
    """One run of a worker, with time for so many rows."""
    connection, run = database or books.as_role("money"), BulkRun()
    worker = BulkWorker(connection, wiring.new_id, time_left_s=lambda: rows_of_time - run.paid - run.refused)
    try:
        worker.work(run)
    finally:
        connection.close()
    return run


def retry(books: Books, payer: Person, bulk_payment_id: UUID, claim: Claim | None = None) -> tuple[int, bool]:
    database = books.as_role("money")
    try:
        told, replayed = movement.retry_bulk_payment(
            database, claim=claim or payer.claim(), bulk_payment_id=bulk_payment_id
        )
        return told.retried, replayed
    finally:
        database.close()


def state(books: Books, payer: Person, bulk_payment_id: UUID) -> BulkPayment:
    database = books.as_role("reader")
    try:
        return movement.show_bulk_payment(database, bulk_payment_id=bulk_payment_id, actor_id=payer.user_id)
    finally:
        database.close()


def results(books: Books, payer: Person, bulk_payment_id: UUID, **changes: Any) -> list[RowResult]:
    asked: dict[str, Any] = {"after": 0, "limit": 1000, "status": None} | changes
    database = books.as_role("reader")
    try:
        found, _ = movement.show_results(database, bulk_payment_id=bulk_payment_id, actor_id=payer.user_id, **asked)
        return found
    finally:
        database.close()


def outcomes(books: Books, payer: Person, bulk_payment_id: UUID) -> list[str]:
    return [found.refusal or found.status.value for found in results(books, payer, bulk_payment_id)]


def payments_of(books: Books, payer: Person) -> int:
    """How many payments the ledger knows of this payer."""
    return int(books.select("SELECT COUNT(*) AS n FROM transactions WHERE actor_id = %s", payer.user_id.bytes)[0]["n"])


def refusal_of(call: Callable[[], object]) -> Refusal:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.refusal


def test_a_row_is_paid_by_rules_that_have_lapsed_and_not_refused_for_it(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    opened(books, payer, rows(payee, 3))
    books.write("UPDATE rules_in_force SET valid_until = '1970-01-01'")
    work(books)
    assert books.balance(payee) == 300


def test_a_file_that_was_taken_in_waits_and_nothing_has_moved(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    receipt, replayed = opened(books, payer, rows(payee, 3, amount=100))
    assert not replayed
    assert (receipt.rows, receipt.total) == (3, 300)
    told = state(books, payer, receipt.id)
    assert (told.status, told.rows, told.total, told.finished_at) == ("running", 3, 300, None)
    assert told.tallies == {WAITING: Tally(3, 300), PAID: Tally(0, 0), REFUSED: Tally(0, 0)}
    assert books.balance(payer) == 1_000


def test_a_worker_pays_every_row_once_and_finishes_the_file(books: Books) -> None:
    payer, asha, bela = books.person(money=1_000), books.person(), books.person()
    receipt, _ = opened(books, payer, [row(2, asha, 100), row(3, bela.phone, 200), row(5, asha, 50)])
    assert work(books) == BulkRun(paid=3)
    told = state(books, payer, receipt.id)
    assert (told.status, told.tallies[PAID]) == ("finished", Tally(3, 350))
    assert told.finished_at is not None
    assert [books.balance(person) for person in (payer, asha, bela)] == [650, 150, 200]
    assert payments_of(books, payer) == 3
    assert work(books) == BulkRun(), "there is nothing left to be done"
    assert books.faults() == []


def test_a_rows_payment_is_a_payment_like_any_other(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    receipt, _ = opened(books, payer, [row(2, payee, 300, description="वेतन ☕", reference="May-7")])
    work(books)
    [result] = results(books, payer, receipt.id)
    assert result.transaction_id is not None
    database = books.as_role("money")
    for person in (payer, payee):
        payment = show_payment(database, payment_id=result.transaction_id, actor_id=person.user_id)
        assert (payment.amount, payment.description, payment.reference) == (300, "वेतन ☕", "May-7")
    given_back, _ = refund(
        database,
        wiring.new_id,
        claim=payee.claim(),
        payment_id=result.transaction_id,
        amount=100,
        reason=None,
    )
    database.close()
    assert given_back.refunded == 100
    told = books.select("SELECT type FROM outbox WHERE wallet_id = %s", payer.wallet_id.bytes)
    assert [event["type"] for event in told].count("PaymentCompleted") == 1
    assert (books.balance(payer), books.balance(payee)) == (800, 200)


def test_what_a_row_says_is_kept_to_the_letter(books: Books) -> None:
    payer, payee = books.person(), books.person()
    wanted = [
        row(2, payee, 1, description="🎉" * 200, reference="ॐ" * 64),
        row(3, payee.phone, 2**53 - 10, description="\"; DROP TABLE \\ ' %s", reference="null"),
        row(10_001, payee, 3, description=" "),
    ]
    receipt, _ = opened(books, payer, wanted)
    assert [result.row for result in results(books, payer, receipt.id)] == wanted


def test_a_key_takes_one_file_in_however_often_it_is_sent(books: Books) -> None:
    payer, payee = books.person(money=2_000), books.person()
    claim = payer.claim()
    answers = together([lambda: opened(books, payer, rows(payee, 20), claim) for _ in range(8)])
    receipts = [answer[0] for answer in answers if isinstance(answer, tuple)]
    assert len(receipts) == 8, answers
    assert len(set(receipts)) == 1
    assert [answer[1] for answer in answers if isinstance(answer, tuple)].count(False) == 1
    assert work(books) == BulkRun(paid=20)


def test_a_key_with_another_file_is_refused(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    claim = payer.claim(asked="one file")
    opened(books, payer, rows(payee, 1), claim)
    other = payer.claim(claim.key, asked="another")
    assert refusal_of(lambda: opened(books, payer, rows(payee, 2), other)) is Refusal.IDEMPOTENCY_KEY_REUSED


def test_somebody_without_a_wallet_opens_nothing(books: Books) -> None:
    payee = books.person()
    nobody = Person(wiring.new_id(), wiring.new_id(), new_phone())
    assert refusal_of(lambda: opened(books, nobody, rows(payee, 1))) is Refusal.INVALID_TOKEN


def test_a_row_that_can_not_be_paid_says_why_and_holds_up_no_other(books: Books) -> None:
    payer, payee, frozen, small = books.person(money=1_000), books.person(), books.person(), books.person(tier="small")
    books.turn(frozen, "frozen")
    receipt, _ = opened(
        books,
        payer,
        [
            row(2, payee, 100),
            row(3, new_phone(), 1),
            row(4, payer, 1),
            row(5, frozen, 1),
            row(6, payee, 901),
            row(7, payee, 900),
            row(8, small, 1),
        ],
    )
    assert work(books) == BulkRun(paid=2, refused=5)
    assert outcomes(books, payer, receipt.id) == [
        "paid",
        "payee_unavailable",
        "self_payment",
        "payee_unavailable",
        "insufficient_funds",
        "paid",
        "insufficient_funds",
    ]
    assert (books.balance(payer), books.balance(payee)) == (0, 1_000)
    assert payments_of(books, payer) == 2
    assert books.faults() == []


def test_out_of_money_half_way_a_retry_pays_the_rest_and_nothing_twice(books: Books) -> None:
    payer, payee = books.person(money=500), books.person()
    receipt, _ = opened(books, payer, rows(payee, 10))
    assert work(books) == BulkRun(paid=5, refused=5)
    books.top_up(payer, 300)
    assert retry(books, payer, receipt.id) == (5, False)
    assert state(books, payer, receipt.id).status == "running"
    assert work(books) == BulkRun(paid=3, refused=2)
    told = state(books, payer, receipt.id)
    assert (told.status, told.tallies[PAID], told.tallies[REFUSED]) == ("finished", Tally(8, 800), Tally(2, 200))
    assert (books.balance(payer), books.balance(payee), payments_of(books, payer)) == (0, 800, 8)


def test_a_retry_that_is_repeated_tries_once(books: Books) -> None:
    payer, payee = books.person(money=100), books.person()
    receipt, _ = opened(books, payer, rows(payee, 3))
    work(books)
    claim = payer.claim()
    assert retry(books, payer, receipt.id, claim) == (2, False)
    work(books)
    assert retry(books, payer, receipt.id, claim) == (2, True)
    assert state(books, payer, receipt.id).status == "finished", "the repetition has put nothing back"


def test_of_many_retries_at_once_one_puts_the_rows_back(books: Books) -> None:
    payer, payee = books.person(money=100), books.person()
    receipt, _ = opened(books, payer, rows(payee, 5))
    work(books)
    answers = together([lambda: retry(books, payer, receipt.id) for _ in range(8)])
    assert sorted(answer[0] for answer in answers if isinstance(answer, tuple)) == [0] * 7 + [4]


def test_a_retry_of_a_file_without_refused_rows_changes_nothing(books: Books) -> None:
    payer, payee = books.person(money=100), books.person()
    receipt, _ = opened(books, payer, rows(payee, 1))
    work(books)
    before = state(books, payer, receipt.id)
    assert retry(books, payer, receipt.id) == (0, False)
    assert state(books, payer, receipt.id) == before


def test_a_payer_frozen_half_way_pays_no_further_row_until_a_retry(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    receipt, _ = opened(books, payer, rows(payee, 10))
    assert work(books, rows_of_time=4) == BulkRun(paid=4)
    books.turn(payer, "frozen")
    assert work(books) == BulkRun(refused=6)
    assert Counter(outcomes(books, payer, receipt.id)) == {"paid": 4, "wallet_frozen": 6}
    books.turn(payer, "active")
    retry(books, payer, receipt.id)
    assert work(books) == BulkRun(paid=6)
    assert (books.balance(payer), payments_of(books, payer)) == (0, 10)


def test_a_worker_without_time_leaves_the_rest_to_the_next(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    receipt, _ = opened(books, payer, rows(payee, 10))
    paid = [work(books, rows_of_time=3).paid for _ in range(4)]
    assert paid == [3, 3, 3, 1]
    assert state(books, payer, receipt.id).status == "finished"
    assert payments_of(books, payer) == 10


def test_many_callers_at_each_row_at_once_pay_it_once(books: Books) -> None:
    payer, payee = books.person(money=2_600), books.person()
    receipt, _ = opened(books, payer, rows(payee, 25))
    dice = random.Random(7)

    def session() -> list[RowStatus]:
        database = books.as_role("money")
        lines = dice.sample(range(2, 27), 25)
        told = [bulk.pay_bulk_row(database, receipt.id, line, transaction_id=wiring.new_id())[0] for line in lines]
        database.close()
        return told

    answers = together([session for _ in range(8)])
    assert answers == [[PAID] * 25] * 8
    assert (books.balance(payer), books.balance(payee), payments_of(books, payer)) == (100, 2_500, 25)
    assert books.faults() == []


def test_workers_at_once_share_files_and_no_two_have_files_of_one_payer(books: Books) -> None:
    payee = books.person()
    payers = [books.person(money=1_000) for _ in range(3)]
    for payer in payers:
        opened(books, payer, rows(payee, 5))
        opened(books, payer, rows(payee, 5))
    claimed = together([lambda: bulk.claim_bulk_payment(books.as_role("money"), lease_s=60) for _ in range(6)])
    taken = [one for one in claimed if isinstance(one, UUID)]
    assert len(taken) == len(set(taken)) == 3
    owners = books.select(
        "SELECT DISTINCT user_id FROM bulk_payments WHERE id IN (%s, %s, %s)", *[i.bytes for i in taken]
    )
    assert len(owners) == 3
    database = books.as_role("money")
    for one in taken:
        bulk.continue_bulk_payment(database, one, lease_s=0)
    database.close()
    runs = [run for run in together([lambda: work(books) for _ in range(4)]) if isinstance(run, BulkRun)]
    assert sum(run.paid for run in runs) + work(books).paid == 30
    assert [books.balance(payer) for payer in payers] == [0] * 3
    assert books.faults() == []


def test_the_file_of_a_worker_that_died_is_another_ones_when_its_lease_is_over(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    receipt, _ = opened(books, payer, rows(payee, 5))
    database = books.as_role("money")
    assert bulk.claim_bulk_payment(database, lease_s=60) == receipt.id
    bulk.pay_bulk_row(database, receipt.id, 2, transaction_id=wiring.new_id())
    database.close()
    assert work(books) == BulkRun(), "its lease still runs"
    books.write("UPDATE bulk_payments SET leased_until = UTC_TIMESTAMP(6) WHERE id = %s", receipt.id.bytes)
    assert work(books) == BulkRun(paid=4)
    assert payments_of(books, payer) == 5


@pytest.fixture
def proxy(books: Books) -> Iterator[Proxy]:
    with Proxy((books.server.host, books.server.port)) as started:
        yield started


def test_questions_and_answers_that_are_lost_anywhere_pay_no_row_twice_and_leave_none_out(
    books: Books, proxy: Proxy
) -> None:
    payer, payee = books.person(money=5_000), books.person()
    receipt, _ = opened(books, payer, rows(payee, 40))
    server = Server(proxy.host, proxy.port, books.server.database, books.server.ca_pem)
    dice = random.Random(11)
    proxy.judge = lambda _from_client, _chunk: dice.random() > 0.05
    for _ in range(60):
        together([lambda: work(books, database=Database(server, books.credentials_of("money")))])
        if state(books, payer, receipt.id).status == "finished":
            break
        books.write("UPDATE bulk_payments SET leased_until = UTC_TIMESTAMP(6) WHERE id = %s", receipt.id.bytes)
    assert state(books, payer, receipt.id).tallies[PAID] == Tally(40, 4_000)
    assert (books.balance(payer), payments_of(books, payer)) == (1_000, 40)
    assert books.faults() == []


def test_a_session_that_is_killed_within_a_row_has_paid_it_or_not_begun_it(books: Books) -> None:
    payer, payee = books.person(money=20_000), books.person()
    receipt, _ = opened(books, payer, rows(payee, 200))
    database = books.as_role("money")
    first = database.read("SELECT CONNECTION_ID() AS id")[0]["id"]
    killed: set[int] = set()
    over = threading.Event()
    # opened before the first KILL, as what opens behind one may be broken; an error leaves it open
    killer = books.connect().cursor()

    def pay() -> None:
        try:
            # what opens behind a KILL may find MySQL silent: then the run ends, and the next one goes on
            with contextlib.suppress(DatabaseUnavailableError):
                work(books, database=database)
        finally:
            over.set()

    def paying() -> set[int]:
        killer.execute(PAYING)
        return {session["id"] for session in killer.fetchall() if session["id"] >= first}

    def kill() -> None:
        while not over.is_set() and len(killed) < 20:
            for session in paying():
                with contextlib.suppress(pymysql.MySQLError):  # it has just gone by itself
                    killer.execute("KILL %s", (session,))
                    killed.add(session)

    assert together([pay, kill]) == [None, None]
    wait_until(lambda: not paying())  # until then one may still take the file, and a new one be broken
    killer.execute("UPDATE bulk_payments SET leased_until = UTC_TIMESTAMP(6) WHERE id = %s", (receipt.id.bytes,))
    killer.connection.close()
    work(books)
    assert killed
    assert state(books, payer, receipt.id).tallies[PAID] == Tally(200, 20_000)
    assert (books.balance(payer), payments_of(books, payer)) == (0, 200)
    assert books.faults() == []


def test_a_row_that_the_kernel_breaks_over_waits_for_a_person_and_holds_up_no_other(books: Books) -> None:
    payer, payee, odd = books.person(money=1_000), books.person(), books.person()
    books.write("INSERT IGNORE INTO tiers (code) VALUES ('without_limits')")
    books.set_tier(odd, "without_limits")
    receipt, _ = opened(books, payer, [row(2, payee, 10), row(3, odd, 10), row(4, payee, 10)])
    run = work(books)
    assert (run.paid, run.refused, len(run.broken)) == (2, 0, 1)
    assert "line 3" in run.broken[0]
    told = state(books, payer, receipt.id)
    assert (told.status, told.tallies[WAITING]) == ("running", Tally(1, 10))
    assert work(books) == BulkRun(), "nobody takes it up again at once"
    books.set_tier(odd, "full")
    books.write("UPDATE bulk_payments SET leased_until = UTC_TIMESTAMP(6) WHERE id = %s", receipt.id.bytes)
    assert work(books) == BulkRun(paid=1)
    assert state(books, payer, receipt.id).status == "finished"


@pytest.mark.parametrize("broken", [1, 10])
def test_a_file_that_can_never_be_finished_holds_up_no_other(books: Books, broken: int) -> None:
    payer, payee, odd, other = books.person(money=5_000), books.person(), books.person(), books.person(money=5_000)
    books.write("INSERT IGNORE INTO tiers (code) VALUES ('without_limits')")
    books.set_tier(odd, "without_limits")
    opened(books, payer, rows(odd, broken))
    behind = [(payer, opened(books, payer, rows(payee, 1))[0]), (other, opened(books, other, rows(payee, 1))[0])]
    for _ in range(3):
        work(books)
        books.write("UPDATE bulk_payments SET leased_until = LEAST(leased_until, UTC_TIMESTAMP(6))")  # a minute later
    assert [state(books, owner, receipt.id).status for owner, receipt in behind] == ["finished", "finished"]
    books.set_tier(odd, "full")
    assert work(books).paid == broken


def test_a_refused_row_leaves_the_slots_of_a_hot_payer_as_they_were(books: Books) -> None:
    shop, guest = books.person(kind="merchant", tier="merchant"), books.person(money=2_000)
    books.spread(shop, 4)
    fed, _ = opened(books, guest, rows(shop, 20))
    work(books)
    assert state(books, guest, fed.id).tallies[PAID] == Tally(20, 2_000)
    before = books.select("SELECT balance FROM wallet_slots WHERE wallet_id = %s ORDER BY slot", shop.wallet_id.bytes)
    receipt, _ = opened(books, shop, [row(2, guest, 2_100)])
    work(books)
    assert outcomes(books, shop, receipt.id) == ["insufficient_funds"]
    after = books.select("SELECT balance FROM wallet_slots WHERE wallet_id = %s ORDER BY slot", shop.wallet_id.bytes)
    assert after == before
    books.top_up(shop, 100)
    retry(books, shop, receipt.id)
    assert work(books) == BulkRun(paid=1)
    assert (books.balance(shop), books.balance(guest)) == (0, 2_100)
    assert books.faults() == []


# --------------------------------------------------------------------------------------------------- what files cost


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines that a worker tries to pay, one by one."""
    lines: list[int] = []
    pay_bulk_row = bulk.pay_bulk_row

    def counted(database: Database, bulk_payment_id: UUID, line: int, *, transaction_id: UUID) -> tuple[RowStatus, int]:
        lines.append(line)
        return pay_bulk_row(database, bulk_payment_id, line, transaction_id=transaction_id)

    monkeypatch.setattr(bulk, "pay_bulk_row", counted)
    return lines


@pytest.mark.parametrize("order", ["falling", "rising", "level"])
def test_a_file_that_nothing_can_pay_costs_the_payment_of_a_row(books: Books, tried: list[int], order: str) -> None:
    payer, payee = books.person(), books.person()
    amounts = {"falling": range(1_000, 0, -1), "rising": range(1, 1_001), "level": [5] * 1_000}[order]
    receipt, _ = opened(books, payer, [row(line, payee, amount) for line, amount in enumerate(amounts, 2)])
    assert work(books) == BulkRun(refused=1_000)
    assert tried == [2]
    assert set(outcomes(books, payer, receipt.id)) == {"insufficient_funds"}
    assert state(books, payer, receipt.id).status == "finished"
    books.top_up(payer, 100)
    assert retry(books, payer, receipt.id) == (1_000, False)
    assert work(books).paid > 0, "a retry pays what can be paid now"


def test_rows_that_are_covered_are_paid_behind_those_that_are_not(books: Books, tried: list[int]) -> None:
    payer, payee = books.person(money=100), books.person()
    amounts = (60, 50, 70, 30, 41, 10, 1, 9)
    receipt, _ = opened(books, payer, [row(line, payee, amount) for line, amount in enumerate(amounts, 2)])
    work(books)
    assert outcomes(books, payer, receipt.id) == [
        "paid",
        *["insufficient_funds"] * 2,
        "paid",
        "insufficient_funds",
        "paid",
        "insufficient_funds",
        "insufficient_funds",
    ]
    assert tried == [2, 3, 5, 7, 8]
    assert (books.balance(payer), books.balance(payee)) == (0, 100)


def test_what_a_lapsed_hold_held_and_what_lies_in_slots_covers_a_row(books: Books, tried: list[int]) -> None:
    shop, payee, guest = books.person(kind="merchant", tier="merchant"), books.person(), books.person(money=600)
    books.spread(shop, 4)
    fed, _ = opened(books, guest, rows(shop, 6))
    work(books)
    assert state(books, guest, fed.id).tallies[PAID] == Tally(6, 600)
    tried.clear()
    receipt, _ = opened(books, shop, [row(2, payee, 601), row(3, payee, 600), row(4, payee, 700)])
    work(books)
    assert outcomes(books, shop, receipt.id) == ["insufficient_funds", "paid", "insufficient_funds"]
    assert tried == [2, 3]


@pytest.mark.parametrize(
    ("limit", "amounts", "tried_lines"),
    [("max_payment", (51, 60, 50, 70), [2, 4]), ("max_debit_day", (51, 40, 20, 10, 11), [2, 3, 4, 5])],
)
def test_a_limit_refuses_all_that_it_would_refuse_now(
    books: Books, tried: list[int], limit: str, amounts: tuple[int, ...], tried_lines: list[int]
) -> None:
    tier = unique("t")[:16]
    books.tier(tier, {"2021-01-01": {limit: 50}})
    payer, payee = books.person(money=1_000), books.person()
    books.set_tier(payer, tier)
    receipt, _ = opened(books, payer, [row(line, payee, amount) for line, amount in enumerate(amounts, 2)])
    work(books)
    assert tried == tried_lines
    assert outcomes(books, payer, receipt.id) == [
        "paid" if amount in (50, 40, 10) else "wallet_limit_exceeded" for amount in amounts
    ]


def test_who_may_pay_merchants_only_pays_those_of_a_file(books: Books) -> None:
    tier = unique("t")[:16]
    books.tier(tier, {"2021-01-01": {"person_to_person": False}})
    payer, payee, shop = books.person(money=100), books.person(), books.person(kind="merchant", tier="merchant")
    books.set_tier(payer, tier)
    receipt, _ = opened(books, payer, [row(2, payee, 1), row(3, new_phone(), 1), row(4, shop, 1), row(5, payee, 1)])
    work(books)
    limit = "wallet_limit_exceeded"
    assert outcomes(books, payer, receipt.id) == [limit, limit, "paid", limit]


def test_a_frozen_payer_and_one_who_is_told_of_nobody_more_are_tried_once(books: Books, tried: list[int]) -> None:
    payer, payee = books.person(money=1_000), books.person()
    receipt, _ = opened(books, payer, [row(2, payee, 1), *[row(line, payee.phone, 1) for line in range(3, 100)]])
    books.turn(payer, "frozen")
    assert work(books) == BulkRun(refused=98)
    assert tried == [2]
    books.turn(payer, "active")
    tried.clear()
    retry(books, payer, receipt.id)
    books.write(
        "UPDATE wallets SET debits = 100, debits_until = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR WHERE id = %s",
        payer.wallet_id.bytes,
    )
    assert work(books) == BulkRun(paid=1, refused=97), "who is named by wallet is paid"
    assert tried == [2, 3]
    assert Counter(outcomes(books, payer, receipt.id)) == {"paid": 1, "too_many_lookups": 97}


def test_a_worker_that_dies_before_it_has_refused_the_others_leaves_them_waiting(books: Books) -> None:
    payer, payee = books.person(), books.person()
    receipt, _ = opened(books, payer, rows(payee, 5))
    with contextlib.closing(books.connect()) as connection, connection.cursor() as cursor:
        connection.begin()
        cursor.execute("SELECT id FROM bulk_payments WHERE id = %s FOR UPDATE", (receipt.id.bytes,))
        database = books.as_role("money")
        with contextlib.closing(books.connect()) as other:
            session = database.read("SELECT CONNECTION_ID() AS id")[0]["id"]
            first = threading.Thread(
                target=lambda: together(
                    [lambda: bulk.pay_bulk_row(database, receipt.id, 2, transaction_id=wiring.new_id())]
                )
            )
            first.start()
            wait_until(lambda: outcomes(books, payer, receipt.id)[0] == "insufficient_funds")
            other.cursor().execute("KILL %s", (session,))
        connection.rollback()
        first.join()
    assert outcomes(books, payer, receipt.id) == ["insufficient_funds", *["waiting"] * 4]
    books.top_up(payer, 400)
    assert work(books) == BulkRun(paid=4)


def test_a_payer_has_five_files_under_way_however_many_are_sent_at_once(books: Books) -> None:
    payer, payee, other = books.person(money=1_000), books.person(), books.person(money=100)
    answers = together([lambda: opened(books, payer, rows(payee, 1)) for _ in range(12)])
    assert Counter(refusals_in(answers)) == {Refusal.TOO_MANY_BULK_PAYMENTS: 7}
    opened(books, other, rows(payee, 1))
    with pytest.raises(Refused) as caught:
        opened(books, payer, rows(payee, 1))
    assert caught.value.retry_after_s in (60, 61)
    assert work(books) == BulkRun(paid=6)
    opened(books, payer, rows(payee, 1))


def test_a_retry_takes_a_place_among_the_five_unless_its_file_has_one(books: Books) -> None:
    payer, payee = books.person(), books.person()
    ended, _ = opened(books, payer, rows(payee, 2))
    work(books)
    under_way = [opened(books, payer, rows(payee, 2))[0] for _ in range(5)]
    key = payer.claim()
    assert refusal_of(lambda: retry(books, payer, ended.id, key)) is Refusal.TOO_MANY_BULK_PAYMENTS
    assert retry(books, payer, under_way[0].id) == (0, False)
    work(books)
    assert retry(books, payer, ended.id, key) == (2, False), "a refusal has not used the key up"


def test_a_payer_has_so_many_rows_a_day_taken_in_or_tried_again(books: Books) -> None:
    payer, shop, payee = books.person(), books.person(kind="merchant", tier="merchant"), books.person()
    kept, _ = opened(books, payer, rows(payee, 10))
    work(books)
    opened(books, shop, rows(payee, 10))

    def use(person: Person, used: int) -> None:
        books.write(
            "UPDATE quota_usage SET used = %s WHERE subject = %s AND quota = 'bulk_rows'", used, person.user_id.bytes
        )

    use(payer, 99_980)
    assert retry(books, payer, kept.id) == (10, False)
    claim = payer.claim()
    assert refusal_of(lambda: opened(books, payer, rows(payee, 11), claim)) is Refusal.TOO_MANY_BULK_PAYMENTS
    opened(books, payer, rows(payee, 10))
    assert refusal_of(lambda: retry(books, payer, kept.id)) is Refusal.TOO_MANY_BULK_PAYMENTS, "of none is one"
    books.write(
        "UPDATE quota_usage SET window_ends_at = UTC_TIMESTAMP(6) WHERE subject = %s AND quota = 'bulk_rows'",
        payer.user_id.bytes,
    )
    opened(books, payer, rows(payee, 11), claim)
    use(shop, 999_990)
    opened(books, shop, rows(payee, 10))
    assert refusal_of(lambda: opened(books, shop, rows(payee, 1))) is Refusal.TOO_MANY_BULK_PAYMENTS


def test_results_come_in_pages_by_line_and_by_status(books: Books) -> None:
    payer, payee = books.person(money=300), books.person()
    receipt, _ = opened(books, payer, rows(payee, 5))
    work(books)
    lines = [result.row.line for result in results(books, payer, receipt.id, limit=2, after=3)]
    assert lines == [4, 5]
    assert [result.row.line for result in results(books, payer, receipt.id, status=REFUSED)] == [5, 6]
    assert results(books, payer, receipt.id, status=WAITING) == []


def test_a_file_is_its_owners_alone(books: Books) -> None:
    payer, payee = books.person(), books.person()
    receipt, _ = opened(books, payer, rows(payee, 1))
    assert refusal_of(lambda: state(books, payee, receipt.id)) is Refusal.NOT_FOUND
    assert refusal_of(lambda: results(books, payee, receipt.id)) is Refusal.NOT_FOUND
    assert refusal_of(lambda: retry(books, payee, receipt.id)) is Refusal.NOT_FOUND
    assert refusal_of(lambda: retry(books, payer, wiring.new_id())) is Refusal.NOT_FOUND


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bulk_payment_rows SET transaction_id = NULL, status = 'waiting', ended_at = NULL WHERE status = 'paid'",
        "UPDATE bulk_payment_rows SET amount = amount + 1 WHERE status = 'refused'",
        "DELETE FROM bulk_payment_rows",
    ],
)
def test_even_the_owner_of_the_schema_can_not_have_a_row_paid_again(books: Books, statement: str) -> None:
    payer, payee = books.person(money=100), books.person()
    opened(books, payer, rows(payee, 2))
    work(books)
    with pytest.raises(Exception, match=r"does not change|are kept"):
        books.write(statement)


def test_a_row_can_not_be_called_paid_without_a_payment(books: Books) -> None:
    payer, payee = books.person(), books.person()
    receipt, _ = opened(books, payer, rows(payee, 1))
    with pytest.raises(Exception, match="bulk_payment_rows_paid_by_a_transaction"):
        books.write(
            "UPDATE bulk_payment_rows SET status = 'paid', ended_at = UTC_TIMESTAMP(6) WHERE bulk_payment_id = %s",
            receipt.id.bytes,
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bulk_payment_rows SET status = 'waiting'",
        "DELETE FROM bulk_payments",
        "INSERT INTO bulk_payment_rows (bulk_payment_id) VALUES ('')",
        "CALL pay('', NULL, '', NULL, '+910000000000', 1, NULL, NULL, @outcome, @result)",
    ],
)
@pytest.mark.parametrize("role", ROLES)
def test_no_function_writes_a_file_or_pays_past_its_procedures(books: Books, role: str, statement: str) -> None:
    database = books.as_role(role)
    with pytest.raises((DatabaseBrokenError, DatabaseUnavailableError)) as caught:
        database.read(statement)
    cause = caught.value.__cause__
    assert cause is not None
    assert cause.args[0] in (1142, 1370), "denied, and not wrong"
