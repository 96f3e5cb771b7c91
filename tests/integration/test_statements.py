"""Statements and past balances, against the ledger read plainly: one slot or many, while money moves."""

import itertools
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from local.database import PrivateServer
from tests.support import moves
from tests.support.books import Books, Person, beside, captured
from tests.support.moves import clock_at, connection, refusal_of
from tests.support.pen import (
    FEES_ACCOUNT,
    GATEWAY_ACCOUNT,
    PAYOUT_ACCOUNT,
    Page,
    Pen,
)
from wallet import wiring
from wallet.ledger.attempts import AttemptStatus
from wallet.ledger.limits import Limits
from wallet.ledger.payees import PayeeName
from wallet.ledger.periods import Month, day_of, month_of, year_of
from wallet.ledger.receipts import Usage
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.statements import Holder, Outside, Span, StatementEntry, StatementPage
from wallet.ledger.times import last_shown_by, show_time
from wallet.movements import statement
from wallet.movements.pay import pay
from wallet.movements.show import show_entries, show_wallet
from wallet.movements.statement import monthly_statement
from wallet.storage.database import Database
from wallet.storage.statements import find_span, read_page
from wallet.storage.top_ups import find_top_up

SLOTS = 8
_BEGAN = datetime(2026, 5, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
OCTOBER = Month(date(2026, 10, 1))


class History:
    """A merchant with many slots and a person with one, who pay each other, hold and release at random."""

    def __init__(self, books: Books, seed: int, *, movements: int) -> None:
        self.dice = random.Random(seed)
        self.pen = Pen(books)
        self.asha = self.pen.wallet()
        self.shop = self.pen.wallet(slots=SLOTS, name="Chai Point", kind="merchant")
        self.now = _BEGAN
        self.holds: list[Any] = []
        for page, name in ((self.asha, "a"), (self.shop, "s")):
            self.pen.post(
                "top_up",
                GATEWAY_ACCOUNT,
                page,
                10**9,
                self._tick(),
                gateway="razorpay",
                gateway_payment_id=f"{seed}{name}{wiring.new_id().hex}",
            )
        for _ in range(movements):
            self.dice.choice([self._pay, self._pay, self._pay, self._earn, self._hold, self._end_hold])()
        self.pen.flush()

    def _tick(self) -> datetime:
        self.now += timedelta(microseconds=self.dice.choice([1, 2, 10**3, 10**6, 10**8]))
        return self.now

    def _pay(self) -> None:
        slot = self.dice.randrange(SLOTS)
        self.pen.post("payment", self.asha, self.shop, self.dice.randrange(1, 10**5), self._tick(), credit_slot=slot)

    def _earn(self) -> None:
        amount = self.dice.randrange(1, 10**9)
        if amount > self.shop.total - self.shop.held:
            return
        self.now = self.pen.gather(self.shop, amount, self._tick()) + _TICK
        self.pen.post("payment", self.shop, self.asha, amount, self.now)

    def _hold(self) -> None:
        page, other = self.dice.choice([(self.asha, self.shop), (self.shop, self.asha)])
        amount = self.dice.randrange(1, 10**6)
        if amount > page.total - page.held:
            return
        self.now = self.pen.gather(page, page.held + amount, self._tick()) + _TICK
        self.holds.append(self.pen.hold(page, other, amount, self.now, seconds=self.dice.randrange(1, 1000)))

    def _end_hold(self) -> None:
        if not self.holds:
            return
        hold = self.holds.pop(self.dice.randrange(len(self.holds)))
        at = self._tick()
        if at >= hold.expires_at:  # the sweep is late, sometimes by hours
            self.pen.end(hold, "expired", at)
        elif self.dice.random() < 0.5:
            self.pen.end(hold, "released", at)
        else:
            self.pen.end(hold, "captured", at, captured=self.dice.randrange(1, hold.amount + 1))
        self.now = max(self.now, self.asha.last, self.shop.last)


@pytest.fixture(scope="module")
def books(server: PrivateServer) -> Iterator[Books]:
    """A database of our own: what is written here is too much for others to check again and again."""
    with beside(server, "statements") as books:
        books.migrate()
        yield books


@pytest.fixture(scope="module")
def history(books: Books) -> History:
    return History(books, 7, movements=800)


@pytest.fixture
def reader(books: Books) -> Iterator[Database]:
    database = books.as_role("reader")
    yield database
    database.close()


def ledger(books: Books, person: Person) -> list[dict[str, Any]]:
    """A wallet's postings in the order of a statement, newest first, each with the balance of all slots behind it."""
    rows = books.select(
        "SELECT p.*, t.type AS kind FROM postings p JOIN transactions t ON t.id = p.transaction_id"
        " WHERE p.account_id = %s ORDER BY p.created_at, p.transaction_id, p.line",
        person.wallet_id.bytes,
    )
    total = 0
    for row in rows:
        total += row["amount"] if row["side"] == "credit" else -row["amount"]
        row["total"] = total
    return [row for row in reversed(rows) if row["kind"] != "gather"]


def key(row: dict[str, Any]) -> tuple[object, ...]:
    return (row["transaction_id"], row["side"], row["amount"], row["total"])


def shown(entry: StatementEntry) -> tuple[object, ...]:
    return (entry.transaction_id.bytes, entry.side.value, entry.amount, entry.balance_after)


def span_of(database: Database, person: Person, **limits: Any) -> Span:
    span = find_span(database, user_id=person.user_id, **limits)
    assert span is not None
    return span


def pages(
    database: Database, person: Person, *, limit: int, kind: str | None = None, **times: Any
) -> list[StatementPage]:
    """All pages, as a caller gets them: only the counts of the last one go into the next question."""
    found = []
    upto = None
    while True:
        span = span_of(database, person, upto=upto, **times)
        found.append(read_page(database, span, transaction_type=kind, limit=limit))
        rest = found[-1].rest
        if rest is None:
            return found
        upto = [stretch.upto for stretch in rest.stretches]


def entries(database: Database, person: Person, **asked: Any) -> list[tuple[object, ...]]:
    return [shown(entry) for page in pages(database, person, **asked) for entry in page.entries]


def test_what_the_pen_writes_adds_up(books: Books, history: History) -> None:
    assert history.pen.pages
    left_out = ("_is_told:", "_explains:")  # it has no events, no keys and no attempts
    assert [fault for fault in books.faults() if not any(known in fault for known in left_out)] == []


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_pages_are_the_ledger_with_the_balance_of_all_slots(
    books: Books, history: History, reader: Database, limit: int
) -> None:
    for page in (history.asha, history.shop):
        expected = [key(row) for row in ledger(books, page.person)]
        assert entries(reader, page.person, limit=limit) == expected
        assert expected[0][-1] == page.total


@pytest.mark.parametrize("kind", ["payment", "hold_capture", "top_up", "refund"])
def test_a_type_filters_and_balances_stay_those_of_the_whole_wallet(
    books: Books, history: History, reader: Database, kind: str
) -> None:
    for page in (history.asha, history.shop):
        expected = [key(row) for row in ledger(books, page.person) if row["kind"] == kind]
        assert entries(reader, page.person, limit=30, kind=kind) == expected


def test_times_cut_out_a_part_of_the_same_statement(books: Books, history: History, reader: Database) -> None:
    dice = random.Random(1)
    for page in (history.asha, history.shop):
        rows = ledger(books, page.person)
        for _ in range(15):
            first, last = sorted(dice.choice(rows)["created_at"].replace(tzinfo=UTC) for _ in range(2))
            expected = [key(row) for row in rows if first <= row["created_at"].replace(tzinfo=UTC) < last]
            assert entries(reader, page.person, limit=50, since=first, until=last) == expected


def test_money_that_is_gathered_never_shows(books: Books, history: History, reader: Database) -> None:
    gathers = books.select(
        "SELECT COUNT(*) AS n FROM postings WHERE type = 'gather' AND account_id = %s",
        history.shop.person.wallet_id.bytes,
    )
    assert gathers[0]["n"] > 20
    read = [entry for page in pages(reader, history.shop.person, limit=100) for entry in page.entries]
    assert "gather" not in {entry.type for entry in read}
    assert len({entry.transaction_id for entry in read}) == len(read)


def test_two_entries_of_one_moment_stand_in_the_order_of_their_ids(books: Books, reader: Database) -> None:
    pen = Pen(books)
    asha, shop = pen.wallet(), pen.wallet(slots=3)
    others = [pen.wallet() for _ in range(3)]
    for page in (asha, *others):
        pen.post(
            "top_up", GATEWAY_ACCOUNT, page, 1_000, _BEGAN, gateway="razorpay", gateway_payment_id=wiring.new_id().hex
        )
    for slot, other in enumerate(others):
        pen.post("payment", other, shop, 10 + slot, _BEGAN + _TICK, credit_slot=slot)
    pen.flush()
    for kind in (None, "payment"):
        for limit in (1, 2, 3):
            found = entries(reader, shop.person, limit=limit, kind=kind)
            assert found == [key(row) for row in ledger(books, shop.person)]


def test_what_is_committed_late_with_an_earlier_time_moves_no_later_page(books: Books, reader: Database) -> None:
    pen = Pen(books)
    asha, shop = pen.wallet(), pen.wallet(slots=2)
    pen.post("top_up", GATEWAY_ACCOUNT, asha, 1_000, _BEGAN, gateway="razorpay", gateway_payment_id=wiring.new_id().hex)
    for number in range(1, 7):
        pen.post("payment", asha, shop, number, _BEGAN + timedelta(seconds=number))
    pen.flush()
    before = entries(reader, shop.person, limit=10)
    first = read_page(reader, span_of(reader, shop.person), limit=2)
    assert first.rest is not None
    late = pen.wallet()
    pen.post("top_up", GATEWAY_ACCOUNT, late, 1_000, _BEGAN, gateway="razorpay", gateway_payment_id=wiring.new_id().hex)
    pen.post("payment", late, shop, 500, _BEGAN + timedelta(seconds=2.5), credit_slot=1)
    pen.flush()
    upto = [stretch.upto for stretch in first.rest.stretches]
    for kind in (None, "payment"):
        second = read_page(reader, span_of(reader, shop.person, upto=upto), limit=10, transaction_type=kind)
        assert [shown(entry) for entry in (*first.entries, *second.entries)] == before
    assert [entry[2] for entry in entries(reader, shop.person, limit=10)] == [6, 5, 4, 3, 500, 2, 1]


def test_a_cursor_of_an_earlier_time_is_good_when_the_wallet_has_become_hot(books: Books, reader: Database) -> None:
    shop, asha = books.person(kind="merchant", tier="merchant", money=500), books.person(money=100)
    before = entries(reader, shop, limit=10)
    books.spread(shop, SLOTS)
    for _ in range(8):
        order = PayeeName(shop.wallet_id, None)
        money = books.as_role("money")
        pay(money, wiring.new_id, claim=asha.claim(), payee=order, amount=1, description=None, reference=None)
        money.close()
    assert [shown(entry) for entry in read_page(reader, span_of(reader, shop, upto=(1,)), limit=10).entries] == before


@pytest.mark.parametrize("upto", [(2,), (1, 0), (0, 1), (10**18,), (1, *[0] * 15)])
def test_a_cursor_that_no_page_can_have_said_is_refused(books: Books, reader: Database, upto: tuple[int, ...]) -> None:
    with pytest.raises(Refused) as caught:
        find_span(reader, user_id=books.person(money=500).user_id, upto=upto)
    assert [name for name, _ in caught.value.fields] == ["cursor"]


def test_pages_are_a_snapshot_while_many_pay_and_the_shop_spends(books: Books, reader: Database) -> None:
    shop = books.person(kind="merchant", tier="merchant")
    payers = [books.person(money=1_000_000) for _ in range(4)]
    books.spread(shop, SLOTS)
    enough = threading.Event()

    def spend(number: int) -> None:
        database = books.as_role("money")
        dice = random.Random(number)
        paid = 0
        for turn in itertools.count():
            if paid >= 25 and enough.is_set():
                break
            payer = shop if number == 0 else payers[number - 1]
            payee = payers[turn % 4] if number == 0 else shop
            try:
                pay(
                    database,
                    wiring.new_id,
                    claim=payer.claim(),
                    payee=PayeeName(payee.wallet_id, None),
                    amount=dice.randrange(1, 2_000),
                    description=None,
                    reference=None,
                )
                paid += 1
            except Refused as refused:
                assert refused.refusal is Refusal.INSUFFICIENT_FUNDS  # noqa: PT017 - it may have nothing yet
        database.close()

    with ThreadPoolExecutor(5) as pool:
        working = [pool.submit(spend, number) for number in range(5)]
        try:
            snapshots = [entries(reader, shop, limit=5) for _ in range(5)]
        finally:
            enough.set()
        for work in working:
            work.result()
    everything = [key(row) for row in ledger(books, shop)]
    gathers = "SELECT COUNT(*) AS n FROM postings WHERE account_id = %s AND type = 'gather'"
    assert books.select(gathers, shop.wallet_id.bytes)[0]["n"] > 0
    assert entries(reader, shop, limit=5) == everything
    for snapshot in snapshots:
        assert len(set(snapshot)) == len(snapshot)
        assert {entry[0] for entry in snapshot} <= {entry[0] for entry in everything}
        for newer, older in itertools.pairwise(snapshot):
            change = newer[2] if newer[1] == "credit" else -newer[2]  # type: ignore[operator]  # an amount
            assert newer[3] - change == older[3]  # type: ignore[operator]  # totals


# --------------------------------------------------------------------------------------- as it was


def replayed(books: Books, page: Page) -> Any:
    """`at` → (total, held), from every posting, change and hold of a wallet."""
    wallet = page.person.wallet_id.bytes
    postings = books.select("SELECT * FROM postings WHERE account_id = %s", wallet)
    changes = books.select("SELECT * FROM held_changes WHERE wallet_id = %s", wallet)
    holds = books.select("SELECT * FROM holds WHERE payer_wallet_id = %s", wallet)

    def at(time: datetime) -> tuple[int, int]:
        naive = time.replace(tzinfo=None)
        total = sum(
            row["amount"] if row["side"] == "credit" else -row["amount"]
            for row in postings
            if row["created_at"] <= naive
        )
        held = sum(row["amount"] for row in changes if row["created_at"] <= naive)
        over = sum(
            hold["amount"] - hold["captured"]
            for hold in holds
            if hold["expires_at"] <= naive and (hold["ended_at"] is None or hold["ended_at"] > naive)
        )
        return total, held - over

    return at


def test_a_past_balance_is_what_the_ledger_says_at_1000_moments(
    books: Books, history: History, reader: Database
) -> None:
    dice = random.Random(3)
    for page in (history.asha, history.shop):
        was = replayed(books, page)
        times = [row["created_at"].replace(tzinfo=UTC) for row in ledger(books, page.person)]
        ends = [hold.expires_at for hold in history.holds]
        moments = [
            dice.choice([*times, *ends])
            + dice.choice([-_TICK, timedelta(0), _TICK, timedelta(seconds=dice.randrange(5_000))])
            for _ in range(500)
        ]
        for moment in moments:
            state = show_wallet(reader, user_id=page.person.user_id, at=moment)
            assert (state.balance.total, state.balance.held) == was(last_shown_by(moment))
            assert show_time(state.as_of) == show_time(moment)


#: Late in its millisecond: what is told of it is 455 microseconds before it.
_MOMENT = datetime(2030, 6, 10, 12, 0, 0, 123_455, tzinfo=UTC)
_A_MILLISECOND = timedelta(milliseconds=1)


def told(at: datetime) -> datetime:
    """A time as a client sends back what it was told."""
    return datetime.fromisoformat(show_time(at))


def balance_at(books: Books, person: Person, at: datetime) -> tuple[int, int]:
    balance = show_wallet(connection(books, "reader"), user_id=person.user_id, at=at).balance
    return balance.total, balance.held


def test_a_balance_at_the_time_of_an_answer_of_ours_has_what_that_answer_tells(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    order = books.order(payee, 500)
    with clock_at(books, _MOMENT):
        payment, _ = moves.pay(books, payer, payee, 300)
    with clock_at(books, _MOMENT + _A_MILLISECOND):
        refund = moves.refund(books, payee, payment.transaction_id, 100)
    with clock_at(books, _MOMENT + 2 * _A_MILLISECOND):
        hold = moves.place(books, payer, payee, 400, valid_s=60)
    with clock_at(books, _MOMENT + 3 * _A_MILLISECOND):
        captured_by = moves.capture(books, payee, hold.id, 50)
    with clock_at(books, _MOMENT + 4 * _A_MILLISECOND):
        moves.settle(books, captured(order, 500))
    credited = succeeded_at(books, payee, order)
    with clock_at(books, hold.expires_at + timedelta(hours=1)):
        assert balance_at(books, payer, told(payment.created_at)) == (700, 0)
        assert balance_at(books, payee, told(payment.created_at)) == (300, 0)
        assert balance_at(books, payee, told(refund.created_at)) == (200, 0)
        assert balance_at(books, payer, told(hold.created_at)) == (800, 400)
        assert balance_at(books, payer, told(entry_of(books, captured_by.transaction_id))) == (750, 350)
        assert balance_at(books, payee, told(credited)) == (750, 0)
        assert balance_at(books, payer, told(hold.expires_at)) == (750, 0)
        assert balance_at(books, payer, told(hold.expires_at) - _A_MILLISECOND) == (750, 350)
        assert balance_at(books, payer, told(payment.created_at) - _A_MILLISECOND) == (1_000, 0)


def succeeded_at(books: Books, person: Person, order_id: str) -> datetime:
    """As GET /top-ups/{id} says it."""
    [row] = books.select("SELECT id FROM payment_attempts WHERE gateway_order_id = %s", order_id)
    state = find_top_up(connection(books, "money"), attempt_id=UUID(bytes=row["id"]), actor_id=person.user_id)
    assert state is not None
    [at] = [event.at for event in state.events if event.status is AttemptStatus.SUCCEEDED]
    return at


def entry_of(books: Books, transaction_id: UUID) -> datetime:
    [row] = books.select("SELECT created_at FROM transactions WHERE id = %s", transaction_id.bytes)
    at: datetime = row["created_at"].replace(tzinfo=UTC)
    return at


def test_a_statement_from_or_to_the_time_of_an_entry_goes_by_the_times_that_are_shown(books: Books) -> None:
    """`from` is the first time that is shown, `to` the first that is not; two of one millisecond are never parted."""
    payer, payee = books.person(money=1_000), books.person()
    first = told(_MOMENT)
    for microseconds, amount in ((-1, 1), (0, 2), (1, 3), (999, 4), (1_000, 5)):
        with clock_at(books, first + timedelta(microseconds=microseconds)):
            moves.pay(books, payer, payee, amount)

    def amounts(since: datetime | None, until: datetime | None) -> list[int]:
        database = connection(books, "reader")
        span = show_entries(database, user_id=payee.user_id, since=since, until=until)
        return [entry.amount for entry in reversed(read_page(database, span, limit=10).entries)]

    assert amounts(first, None) == [2, 3, 4, 5]
    assert amounts(None, first) == [1]
    assert amounts(first, first + _A_MILLISECOND) == [2, 3, 4]
    for microseconds in (1, 500, 999):  # nothing is shown with such a time: it lies between two that are
        between = first + timedelta(microseconds=microseconds)
        assert amounts(between, None) == [5]
        assert amounts(None, between) == [1, 2, 3, 4]


@pytest.mark.parametrize("slots", [1, 3])
def test_a_balance_at_the_time_of_an_answer_is_there_although_the_clock_was_set_back(books: Books, slots: int) -> None:
    """A wallet's own time never runs backwards: after a failover to a slower clock its entries are ahead of that."""
    payer, shop = books.person(money=1_000), books.person(kind="merchant", tier="merchant")
    books.spread(shop, slots)
    with clock_at(books, _MOMENT):
        receipts = [moves.pay(books, payer, shop, 10)[0] for _ in range(8)]
    with clock_at(books, _MOMENT - timedelta(seconds=2)):
        reader, newest = connection(books, "reader"), told(receipts[-1].created_at)
        for person, total in ((payer, 920), (shop, 80)):
            state = show_wallet(reader, user_id=person.user_id, at=newest)
            assert (state.balance.total, show_time(state.as_of)) == (total, show_time(newest))
            assert show_wallet(reader, user_id=person.user_id).as_of >= newest, "it has what that time has"
        assert (
            refusal_of(lambda: show_wallet(reader, user_id=payer.user_id, at=newest + _A_MILLISECOND))
            is Refusal.INVALID_REQUEST
        )


def test_the_millisecond_that_runs_may_be_asked_about(books: Books) -> None:
    person = books.person(money=700)
    with clock_at(books, _MOMENT):
        now = show_wallet(connection(books, "reader"), user_id=person.user_id)
        assert balance_at(books, person, told(now.as_of)) == (700, 0)
        assert balance_at(books, person, told(now.as_of) + timedelta(microseconds=999)) == (700, 0)


def test_before_the_first_entry_there_was_nothing(history: History, reader: Database) -> None:
    for year in (1970, 2000, 2026):
        state = show_wallet(reader, user_id=history.shop.person.user_id, at=datetime(year, 1, 1, tzinfo=UTC))
        assert (state.balance.total, state.balance.held) == (0, 0)


def test_a_time_to_come_is_refused(history: History, reader: Database) -> None:
    with pytest.raises(Refused) as caught:
        show_wallet(reader, user_id=history.asha.person.user_id, at=datetime.now(UTC) + timedelta(hours=1))
    assert caught.value.refusal is Refusal.INVALID_REQUEST
    assert [name for name, _ in caught.value.fields] == ["at"]


def test_now_a_hold_whose_time_is_over_holds_nothing_though_nobody_has_swept_it(books: Books, reader: Database) -> None:
    pen = Pen(books)
    asha, shop = pen.wallet(), pen.wallet()
    pen.post("top_up", GATEWAY_ACCOUNT, asha, 1_000, _BEGAN, gateway="razorpay", gateway_payment_id=wiring.new_id().hex)
    pen.hold(asha, shop, 300, _BEGAN + _TICK, seconds=60)
    pen.hold(asha, shop, 200, _BEGAN + 2 * _TICK, seconds=10**9)
    pen.flush()
    state = show_wallet(reader, user_id=asha.person.user_id)
    assert (state.balance.total, state.balance.held, state.balance.available) == (1_000, 200, 800)
    then = show_wallet(reader, user_id=asha.person.user_id, at=_BEGAN + timedelta(seconds=59))
    assert then.balance.held == 500


# ------------------------------------------------------------------------------------------ limits and usage


def test_what_was_used_in_a_period_that_is_over_counts_for_nothing(books: Books, reader: Database) -> None:
    person = books.person(money=700)
    now = datetime.now(UTC)
    everything = Usage(debited_today=1, debited_this_month=2, loaded_this_month=700, loaded_this_year=700)
    books.write(
        "UPDATE wallets SET usage_day = %s, debited_day = 1, debited_month = 2 WHERE id = %s",
        day_of(now),
        person.wallet_id.bytes,
    )
    assert show_wallet(reader, user_id=person.user_id).used == everything
    for column, begun, left in (
        ("usage_day", day_of(now), replace(everything, debited_today=0)),
        ("usage_month", month_of(now), replace(everything, debited_this_month=0, loaded_this_month=0)),
        ("usage_year", year_of(now), replace(everything, loaded_this_year=0)),
    ):
        for before in (begun - timedelta(days=1), begun):
            books.write(f"UPDATE wallets SET {column} = %s WHERE id = %s", before, person.wallet_id.bytes)  # noqa: S608 - a column of ours
            assert show_wallet(reader, user_id=person.user_id).used == (everything if before == begun else left)
    books.write("UPDATE wallets SET debited_day = 0, debited_month = 0 WHERE id = %s", person.wallet_id.bytes)


def test_the_limits_are_those_that_have_begun_last(books: Books, reader: Database) -> None:
    person = books.person()
    books.write("INSERT INTO tiers (code) VALUES ('dated')")
    for begins, cap in (("2021-01-01", 1), ("2022-01-01", 2), ("2100-01-01", 3)):
        books.write(
            "INSERT INTO tier_limits (tier, valid_from, max_debit_day, person_to_person, withdrawals)"
            " VALUES ('dated', %s, %s, FALSE, TRUE)",
            begins,
            cap,
        )
    books.set_tier(person, "dated")
    limits = show_wallet(reader, user_id=person.user_id).limits
    assert limits == Limits("dated", max_debit_day=2, person_to_person=False, withdrawals=True)


# ------------------------------------------------------------------------------------------ counterparties


def test_everybody_on_the_other_side_has_a_name(books: Books, reader: Database) -> None:
    pen = Pen(books)
    asha, bela = pen.wallet(), pen.wallet(name="Bela Devi", kind="merchant")
    at = (_BEGAN + timedelta(seconds=second) for second in itertools.count())
    paid_in = wiring.new_id().hex
    top_up = pen.post("top_up", GATEWAY_ACCOUNT, asha, 9_000, next(at), gateway="razorpay", gateway_payment_id=paid_in)
    payment = pen.post("payment", asha, bela, 100, next(at))
    pen.post("fee", bela, FEES_ACCOUNT, 2, next(at), cause_id=payment.bytes)
    pen.post("refund", bela, asha, 50, next(at), cause_id=payment.bytes)
    withdrawal = wiring.new_id().bytes
    pen.add(
        "withdrawals",
        "id, wallet_id, provider, vpa, amount, fee, currency, status, created_at, checks",
        withdrawal,
        asha.person.wallet_id.bytes,
        "razorpayx",
        "asha.rao@okbank",
        70,
        0,
        "INR",
        "reversed",
        _BEGAN,
        1,
    )
    sent = pen.post("withdrawal", asha, PAYOUT_ACCOUNT, 70, next(at), withdrawal_id=withdrawal)
    pen.post("withdrawal_return", PAYOUT_ACCOUNT, asha, 70, next(at), withdrawal_id=withdrawal, cause_id=sent.bytes)
    pen.post("refund_to_source", asha, GATEWAY_ACCOUNT, 500, next(at), cause_id=top_up.bytes)
    pen.flush()
    told = {
        entry.type: entry.counterparty for entry in read_page(reader, span_of(reader, asha.person), limit=99).entries
    }
    other = Holder(bela.person.wallet_id, "Bela Devi", "personal")  # nobody has approved her as a merchant
    assert told == {
        "top_up": Outside("gateway", "razorpay"),
        "payment": other,
        "refund": other,
        "withdrawal": Outside("vpa", "as***@okbank"),
        "withdrawal_return": Outside("vpa", "as***@okbank"),
        "refund_to_source": Outside("gateway", "razorpay"),
    }
    fee = read_page(reader, span_of(reader, bela.person), limit=1, transaction_type="fee").entries[0]
    assert fee.counterparty == Outside("account", "fees")


# --------------------------------------------------------------------------------------------- what it costs


def test_a_history_of_100000_entries_costs_no_more_than_a_short_one(books: Books) -> None:
    """Rows and index entries that the server reads for each question, counted by itself."""
    pen = Pen(books)
    asha, shop = pen.wallet(), pen.wallet(slots=SLOTS)
    pen.post(
        "top_up", GATEWAY_ACCOUNT, asha, 10**12, _BEGAN, gateway="razorpay", gateway_payment_id=wiring.new_id().hex
    )
    dice = random.Random(5)
    for second in range(1, 100_001):
        at = _BEGAN + timedelta(seconds=second)
        pen.post("payment", asha, shop, dice.randrange(1, 100), at, credit_slot=second % SLOTS)
        if second == 90:
            pen.post("fee", shop, FEES_ACCOUNT, 1, at + _TICK, cause_id=pen.last.bytes)
    pen.flush()
    database = books.as_role("reader")

    def cost(work: Any) -> int:
        before = reads(database)
        work()
        return reads(database) - before

    middle = _BEGAN + timedelta(seconds=50_000)
    for page in (asha, shop):
        user_id = page.person.user_id
        span = span_of(database, page.person)
        assert cost(lambda: show_wallet(database, user_id=user_id)) < 60  # noqa: B023 - called at once
        assert cost(lambda: show_wallet(database, user_id=user_id, at=middle)) < 100  # noqa: B023
        assert cost(lambda: find_span(database, user_id=user_id, since=middle, until=middle)) < 150  # noqa: B023
        assert cost(lambda: read_page(database, span, limit=20)) < 600  # noqa: B023
        assert cost(lambda: read_page(database, span, limit=20, transaction_type="fee")) < 100  # noqa: B023
        # of a hot wallet with a balance of each slot for each entry, which are 320 seeks and as many points to read
        assert cost(lambda: read_page(database, span, limit=20, transaction_type="payment")) < 1_300  # noqa: B023
        half = span_of(database, page.person, until=middle)
        assert cost(lambda: read_page(database, half, limit=20)) < 600  # noqa: B023
    database.close()


def reads(database: Database) -> int:
    return sum(int(row["Value"]) for row in database.read("SHOW SESSION STATUS LIKE 'Handler_read%%'"))


# ------------------------------------------------------------------------------------------ a month at once


@pytest.fixture(scope="module")
def autumn(books: Books) -> tuple[Page, Page]:
    """A person and a hot shop whose entries lie about the edges of October in India."""
    pen = Pen(books)
    asha, shop = pen.wallet(), pen.wallet(slots=3, name="Chai Point", kind="merchant")
    begins, ends = OCTOBER.begins_at, OCTOBER.ends_at
    came = begins - timedelta(days=3)
    pen.post("top_up", GATEWAY_ACCOUNT, asha, 10_000, came, gateway="razorpay", gateway_payment_id=wiring.new_id().hex)
    edges = [begins - _TICK, begins, begins + _TICK, begins + timedelta(days=9), ends - _TICK, ends, ends + _TICK]
    for number, at in enumerate(edges):
        pen.post("payment", asha, shop, 10**number if number < 3 else 7, at, credit_slot=number % 3)
    pen.flush()
    return asha, shop


def test_a_month_has_the_entries_of_its_days_in_india(autumn: tuple[Page, Page], reader: Database) -> None:
    asha, shop = autumn
    told = monthly_statement(reader, user_id=shop.person.user_id, month=OCTOBER)
    assert [entry.amount for entry in told.entries] == [10, 100, 7, 7]
    assert [entry.balance_after for entry in told.entries] == [11, 111, 118, 125]
    assert (told.opening, told.total_in, told.total_out, told.closing) == (1, 124, 0, 125)
    assert told.is_whole
    assert (told.holder.name, told.phone) == ("Chai Point", shop.person.phone)
    hers = monthly_statement(reader, user_id=asha.person.user_id, month=OCTOBER)
    assert (hers.opening, hers.total_out, hers.closing) == (9_999, 124, 9_875)


def test_months_follow_on_one_another(autumn: tuple[Page, Page], reader: Database) -> None:
    for page in autumn:
        months = [Month(date(2026, number, 1)) for number in (9, 10, 11)]
        told = [monthly_statement(reader, user_id=page.person.user_id, month=month) for month in months]
        assert [one.closing for one in told[:-1]] == [one.opening for one in told[1:]]
        assert told[0].opening == 0
        assert told[-1].closing == page.total
        assert sum(len(one.entries) for one in told) == sum(slot.entries for slot in page.slots)


def test_every_month_of_a_long_history_is_the_ledgers(books: Books, history: History, reader: Database) -> None:
    for page in (history.asha, history.shop):
        rows = list(reversed(ledger(books, page.person)))
        month = Month.of(_BEGAN)
        while month <= Month.of(history.now):
            told = monthly_statement(reader, user_id=page.person.user_id, month=month)
            expected = [key(row) for row in rows if Month.of(row["created_at"].replace(tzinfo=UTC)) == month]
            assert [shown(entry) for entry in told.entries] == expected
            month = Month.of(month.ends_at)


def test_the_month_that_runs_is_told_up_to_now(books: Books, reader: Database) -> None:
    person = books.person(money=500)
    told = monthly_statement(reader, user_id=person.user_id, month=Month.of(datetime.now(UTC)))
    assert not told.is_whole
    assert told.until == told.made_at
    assert (told.closing, len(told.entries)) == (500, 1)


def test_a_month_to_come_is_refused_and_one_before_the_wallet_is_not_there(books: Books, reader: Database) -> None:
    person = books.person()
    now = Month.of(datetime.now(UTC))
    for month, refusal in (
        (Month.of(now.ends_at), Refusal.INVALID_REQUEST),
        (Month.of(now.begins_at - _TICK), Refusal.NOT_FOUND),
    ):
        with pytest.raises(Refused) as caught:
            monthly_statement(reader, user_id=person.user_id, month=month)
        assert caught.value.refusal is refusal


def test_a_month_of_more_entries_than_make_a_file_is_refused_before_they_are_read(
    autumn: tuple[Page, Page], reader: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement, "MAX_ENTRIES", 3)
    with pytest.raises(Refused) as caught:
        monthly_statement(reader, user_id=autumn[1].person.user_id, month=OCTOBER)
    assert caught.value.refusal is Refusal.INVALID_REQUEST
    assert [name for name, _ in caught.value.fields] == ["month"]
