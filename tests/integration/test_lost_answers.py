"""The network between a function and its database: one round trip, and what happens when it breaks."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.support.books import Books, Person
from tests.support.crowd import together
from tests.support.proxy import Proxy
from tests.support.sessions import kill
from tests.support.statements_sent import statements_of
from tests.support.verbs import Day
from wallet import wiring
from wallet.ledger.receipts import Balance, PaymentReceipt
from wallet.storage.database import Credentials, Database, DatabaseUnavailableError, Server
from wallet.storage.payments import post_payment


@pytest.fixture
def proxy(books: Books) -> Iterator[Proxy]:
    with Proxy((books.server.host, books.server.port)) as started:
        yield started


@pytest.fixture
def database(books: Books, proxy: Proxy) -> Iterator[Database]:
    """The paying function's connection, through the proxy; opened, so that only its use is looked at."""
    database = _through(proxy, books)
    database.read("SELECT 1 AS one")
    yield database
    database.close()


def pay(database: Database, payer: Person, payee: Person, claim_key: str | None = None) -> tuple[PaymentReceipt, bool]:
    return post_payment(
        database,
        payer.claim(claim_key),
        transaction_id=wiring.new_id(),
        payee_wallet_id=None,
        payee_phone=payee.phone,
        amount=60,
        description="तीन चाय",
        reference=None,
    )


def test_a_payment_is_one_round_trip_to_the_database(books: Books, proxy: Proxy, database: Database) -> None:
    payer, payee = books.person(money=1_000), books.person()
    turns: list[bool] = []

    def count(from_client: bool, _chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
        if not turns or turns[-1] != from_client:
            turns.append(from_client)
        return True

    proxy.judge = count
    pay(database, payer, payee)
    assert turns == [True, False], "one question, one answer"


def test_a_payment_is_one_statement_of_the_client(books: Books, database: Database) -> None:
    payer, payee = books.person(money=1_000), books.person()
    cost = statements_of(database, lambda: pay(database, payer, payee))
    assert cost["round trips"] == 1, "the CALL; what it runs inside is none of the client's"


def test_a_question_that_is_lost_on_its_way_is_asked_again(books: Books, proxy: Proxy, database: Database) -> None:
    payer, payee = books.person(money=1_000), books.person()
    proxy.judge = CutOnce(from_client=True)
    receipt, replayed = pay(database, payer, payee)
    assert not replayed
    assert receipt.payer_balance == Balance(total=940, held=0)
    assert books.balance(payer) == 940


def test_an_answer_that_is_lost_on_its_way_is_found_by_its_key(books: Books, proxy: Proxy, database: Database) -> None:
    payer, payee = books.person(money=1_000), books.person()
    proxy.judge = CutOnce(from_client=False)
    receipt, replayed = pay(database, payer, payee)
    assert not replayed, "to the caller it is the first answer"
    assert (receipt.amount, receipt.payer_balance) == (60, None), "which is made anew"
    assert books.balance(payer) == 940


@pytest.mark.parametrize("lost_when", [True, False], ids=["the question", "the answer"])
@pytest.mark.parametrize("verb", ["pay out", "refund", "place", "capture", "release"])
def test_whatever_is_lost_of_a_verb_it_is_done_once_and_answered_as_if_nothing_had_been(
    books: Books, proxy: Proxy, database: Database, verb: str, *, lost_when: bool
) -> None:
    day = Day(books)
    asked = day.verbs()
    for name, other in asked.items():
        if name != verb:
            other(database)
    before = (books.balance(day.payer), books.held(day.payer))
    assert before != (1_000_000 + Day.PAYER, Day.HELD)
    proxy.judge = CutOnce(from_client=lost_when)
    _, replayed = asked[verb](database)
    # (a release makes nothing whose id would tell that the answer is its own)
    assert replayed is (verb == "release" and not lost_when), "to the caller it is the first answer"
    assert (books.balance(day.payer), books.held(day.payer)) == (1_000_000 + Day.PAYER, Day.HELD)
    assert books.faults() == []


def test_answers_lost_to_many_at_once_move_each_payment_once(books: Books, proxy: Proxy) -> None:
    people = [books.person(money=1_000) for _ in range(8)]
    payee = books.person()
    server = Server(proxy.host, proxy.port, books.server.database, books.server.ca_pem)
    chunks = iter(range(10**9))
    proxy.judge = lambda from_client, _chunk: from_client or next(chunks) % 23 != 22

    def session(payer: Person) -> None:
        database = Database(server, books.credentials_of("money"))
        for turn in range(5):
            pay(database, payer, payee, f"turn-{turn}-{payer.user_id.hex[:8]}")
        database.close()

    together([lambda payer=payer: session(payer) for payer in people])  # type: ignore[misc]  # bound early
    proxy.judge = lambda _from_client, _chunk: True
    for payer in people:  # what clients do when they saw an outage: the same keys once more
        session(payer)
    assert [books.balance(payer) for payer in people] == [700] * 8
    assert books.balance(payee) == 8 * 300
    assert books.faults() == []


class CutOnce:
    """Cuts one chunk of one direction, the first or so many behind it: from the client (a question) or to it."""

    def __init__(self, *, from_client: bool, after: int = 0) -> None:
        self._from_client = from_client
        self._before = after
        self._lock = threading.Lock()
        self.done = False

    def __call__(self, from_client: bool, _chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
        with self._lock:
            if self.done or from_client is not self._from_client:
                return True
            self.done = self._before == 0
            self._before -= 1
            return not self.done


def test_a_session_that_the_server_killed_is_replaced(books: Books, database: Database) -> None:
    payer, payee = books.person(money=1_000), books.person()
    session = database.read("SELECT CONNECTION_ID() AS id")[0]["id"]
    with closing(books.owner()) as killer:
        kill(killer, session)
    receipt, _ = pay(database, payer, payee)
    assert receipt.amount == 60
    assert books.balance(payer) == 940


class StrangersRecord:
    """Puts a TLS record that is another session's in front of the first chunk of one kind, and of that alone."""

    RECORD = b"\x17\x03\x03\x01\x20" + bytes(0x120)

    def __init__(self, belongs: Callable[[bytes], bool]) -> None:
        self._belongs = belongs
        self.done = False

    def __call__(self, from_client: bool, chunk: bytes) -> bool | bytes:  # noqa: FBT001 - a judge's signature
        if self.done or from_client or not self._belongs(chunk):
            return True
        self.done = True
        return self.RECORD + chunk


def _is_tls(chunk: bytes) -> bool:
    return chunk.startswith(b"\x16\x03")


def _is_greeting(chunk: bytes) -> bool:
    return not _is_tls(chunk)


@pytest.mark.parametrize("belongs", [_is_greeting, _is_tls], ids=["before the greeting", "in the handshake"])
def test_what_a_killed_session_still_writes_to_a_connection_that_is_being_opened_is_never_taken_for_an_answer(
    books: Books, proxy: Proxy, belongs: Callable[[bytes], bool]
) -> None:
    """MySQL closes a killed session's socket under the thread that has it; the next connection gets its number."""
    payer, payee = books.person(money=1_000), books.person()
    proxy.judge = stranger = StrangersRecord(belongs)
    database = _through(proxy, books)
    receipt, replayed = pay(database, payer, payee)
    database.close()
    assert stranger.done
    assert (receipt.payer_balance, replayed) == (Balance(total=940, held=0), False)
    assert books.balance(payer) == 940


@pytest.mark.parametrize("chunk", range(1, 7))
def test_a_connection_that_breaks_while_it_is_opened_is_opened_again(books: Books, proxy: Proxy, chunk: int) -> None:
    """The greeting, the handshake, the password, two settings, the answer: six chunks or, with tickets apart, seven."""
    payer, payee = books.person(money=1_000), books.person()
    proxy.judge = cut = CutOnce(from_client=False, after=chunk - 1)
    database = _through(proxy, books)
    pay(database, payer, payee)
    database.close()
    assert cut.done
    assert books.balance(payer) == 940


@pytest.mark.parametrize("chunk", [1, 2], ids=["the greeting", "the handshake"])
def test_a_snapshot_is_opened_with_the_same_patience(books: Books, proxy: Proxy, chunk: int) -> None:
    proxy.judge = cut = CutOnce(from_client=False, after=chunk - 1)
    with _through(proxy, books).snapshot() as reader:
        assert reader.read("SELECT 1 AS one") == [{"one": 1}]
    assert cut.done


def _through(proxy: Proxy, books: Books) -> Database:
    return Database(
        Server(proxy.host, proxy.port, books.server.database, books.server.ca_pem), books.credentials_of("money")
    )


def test_a_database_that_is_down_is_unavailable_and_the_key_works_afterwards(
    books: Books, proxy: Proxy, database: Database
) -> None:
    payer, payee = books.person(money=1_000), books.person()
    proxy.judge = lambda _from_client, _chunk: False
    with pytest.raises(DatabaseUnavailableError):
        pay(database, payer, payee, "the-key-of-a-bad-day")
    proxy.judge = lambda _from_client, _chunk: True
    receipt, _ = pay(database, payer, payee, "the-key-of-a-bad-day")
    assert receipt.payer_balance == Balance(total=940, held=0)


def test_a_password_that_was_changed_is_asked_for_again(books: Books) -> None:
    asked: list[bool] = []
    wrong = Credentials("wallet_money", "yesterday's password")

    def credentials(*, fresh: bool) -> Credentials:
        asked.append(fresh)
        return books.credentials["money"] if fresh else wrong

    database = Database(books.server, credentials)
    assert database.read("SELECT 1 AS one") == [{"one": 1}]
    assert asked == [False, True]
    database.close()


def test_a_server_whose_certificate_is_somebody_elses_is_not_talked_to(books: Books) -> None:
    stranger = Server(books.server.host, books.server.port, books.server.database, "")
    database = Database(stranger, books.credentials_of("money"))
    with pytest.raises(DatabaseUnavailableError) as caught:
        database.read("SELECT 1")
    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value.__cause__)


def test_a_connection_without_tls_is_refused_by_the_server(books: Books) -> None:
    import pymysql  # noqa: PLC0415 - what the product never does

    with pytest.raises(pymysql.MySQLError):
        pymysql.connect(
            host=books.server.host,
            port=books.server.port,
            user="wallet_money",
            password="password-of-money",
            ssl_disabled=True,
        )
