"""The chain in the database: what waits for a seal, and how a batch is appended: whole, once, in its place."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import migrate
from local.database import PrivateServer
from tests.support.books import Books, Person
from tests.support.crowd import together
from tests.support.own_database import own_books
from wallet import wiring
from wallet.ledger import seals as hashing
from wallet.ledger.checkpoints import Checkpoint, balances_after, entries_of, make_checkpoint
from wallet.ledger.seals import BEGINNING, Seal
from wallet.storage import payments, seals
from wallet.storage.database import Database, DatabaseBrokenError
from wallet.storage.rows import exact_time
from wallet.storage.seals import Unpublished

if TYPE_CHECKING:
    from pymysql.cursors import DictCursor


@pytest.fixture(scope="module")
def own(server: PrivateServer) -> Iterator[Books]:
    """A database of their own for the tests here."""
    with own_books(server, "seals") as books:
        yield books


@pytest.fixture
def ledger(own: Books) -> Books:
    """A ledger whose chain begins with this test."""
    for table in ("unsealed", "seals", "checkpoints"):
        own.write(f"TRUNCATE TABLE {table}")
    return own


@pytest.fixture
def sealer(ledger: Books) -> Iterator[Database]:
    """The sealer's connection."""
    with closing(ledger.as_role("sealer")) as database:
        yield database


def pay(books: Books, payer: Person, payee: Person, times: int = 1) -> list[str]:
    """Payments; their ids."""
    with closing(books.as_role("money")) as money:
        return [
            payments.post_payment(
                money,
                payer.claim(),
                transaction_id=wiring.new_id(),
                payee_wallet_id=payee.wallet_id,
                payee_phone=None,
                amount=1,
                description="चाय ☕",
                reference=None,
            )[0].transaction_id.hex
            for _ in range(times)
        ]


def batch(database: Database, *, limit: int = 1000) -> tuple[Checkpoint, list[Seal]]:
    """What a sealer would append now."""
    head, waiting = seals.head(database), seals.waiting(database, limit=limit)
    made = hashing.make_seals(
        waiting.contents, [secrets.token_bytes(16) for _ in waiting.contents], first=head.position + 1
    )
    checkpoint = make_checkpoint(
        made,
        ledger=head.ledger,
        number=head.number + 1,
        chain_before=head.chain,
        previous=head.digest,
        sealed_at=exact_time(datetime.now(UTC).replace(tzinfo=None)),
        balances=balances_after(head.balances, waiting.contents, waiting.codes),
    )
    return checkpoint, made


def unsealed(books: Books) -> set[str]:
    return {row["transaction_id"].hex() for row in books.select("SELECT transaction_id FROM unsealed")}


def test_every_transaction_waits_for_its_seal_from_its_commit_on(ledger: Books, sealer: Database) -> None:
    payer, payee = ledger.person(money=1000), ledger.person()
    paid = pay(ledger, payer, payee, 3)
    assert unsealed(ledger) >= set(paid)
    assert len(unsealed(ledger)) == len(paid) + 1, "and the top-up before them"
    found = seals.waiting(sealer, limit=100)
    assert [content.transaction["id"] for content in found.contents][1:] == paid
    assert seals.strays(sealer, limit=9) == seals.Strays((), ())


def test_what_is_sealed_is_every_column_there_is(ledger: Books) -> None:
    """A migration that adds a column must say what becomes of its seal.

    Beside a transaction lies what only some types have: sealed but for what a gateway's payment was believed on, and
    for what the transaction itself says.
    """

    def columns(table: str) -> set[str]:
        rows = ledger.select(
            "SELECT column_name AS name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name = %s",
            table,
        )
        return {row["name"] for row in rows}

    beside = {"hold_captures", "withdrawal_bookings", "source_refund_bookings", "gateway_payments"}
    sealed = columns("transactions").union(*(columns(table) - {"transaction_id"} for table in beside))
    evidence = {"event_id", "answer", "answer_digest", "surcharge"}
    assert sealed - evidence == set(hashing.TRANSACTION_COLUMNS)
    assert columns("postings") == {*hashing.POSTING_COLUMNS, "transaction_id"}


def test_content_is_read_as_the_format_wants_it(ledger: Books, sealer: Database) -> None:
    payer, payee = ledger.person(money=1000), ledger.person()
    (paid,) = pay(ledger, payer, payee)
    content = seals.waiting(sealer, limit=100).contents[-1]
    row = ledger.select("SELECT * FROM transactions WHERE id = %s", bytes.fromhex(paid))[0]
    assert content.transaction == {
        **dict.fromkeys(hashing.TRANSACTION_COLUMNS),
        "id": paid,
        "type": "payment",
        "amount": 1,
        "currency": "INR",
        "actor_id": payer.user_id.hex,
        "description": "चाय ☕",
        "created_at": row["created_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    assert [
        (line["line"], line["account_id"], line["side"], line["amount"], line["balance_after"], line["entry_no"])
        for line in content.postings
    ] == [(1, payer.wallet_id.hex, "debit", 1, 999, 2), (2, payee.wallet_id.hex, "credit", 1, 1, 1)]


def test_a_time_without_a_fraction_is_written_in_full(ledger: Books, sealer: Database) -> None:
    """Python leaves `.000000` out of a time unless it is told; one transaction in a million would be another."""
    payer, payee = ledger.person(money=1000), ledger.person()
    with closing(ledger.as_role("money", at=datetime(2037, 1, 1, 12, tzinfo=UTC))) as money:
        payments.post_payment(
            money,
            payer.claim(),
            transaction_id=wiring.new_id(),
            payee_wallet_id=payee.wallet_id,
            payee_phone=None,
            amount=1,
            description=None,
            reference=None,
        )
    last = seals.waiting(sealer, limit=100).contents[-1]
    assert last.transaction["created_at"] == "2037-01-01T12:00:00.000000Z"


def test_a_batch_is_appended_whole_and_waits_no_longer(ledger: Books, sealer: Database) -> None:
    payer, payee = ledger.person(money=1000), ledger.person()
    pay(ledger, payer, payee, 4)
    checkpoint, made = batch(sealer)
    assert seals.append(sealer, checkpoint, made)
    assert unsealed(ledger) == set()
    assert seals.read_seals(sealer, first=1, last=99) == made
    head = seals.head(sealer)
    assert (head.number, head.position, head.chain, head.digest) == (1, 5, checkpoint.chain, checkpoint.digest)
    assert head.balances == {"INR": {"gateway:razorpay": -1000, "wallets": 1000}}
    assert seals.oldest_unpublished(sealer) == Unpublished(checkpoint, entries_of(made), checkpoint.digest)

    pay(ledger, payer, payee, 2)
    second, more = batch(sealer)
    assert seals.append(sealer, second, more)
    assert (second.first, second.chain_before, second.previous) == (6, checkpoint.chain, checkpoint.digest)
    assert seals.oldest_unpublished(sealer) == Unpublished(checkpoint, entries_of(made), checkpoint.digest)
    seals.note_published(sealer, 1, signature=b"signed")
    assert seals.oldest_unpublished(sealer) == Unpublished(second, entries_of(more), second.digest)


def test_a_checkpoint_read_back_is_the_one_that_was_appended(ledger: Books, sealer: Database) -> None:
    """A crash between the commit and the signature: whoever comes next signs the same bytes."""
    pay(ledger, ledger.person(money=1000), ledger.person())
    checkpoint, made = batch(sealer)
    seals.append(sealer, checkpoint, made)
    known = seals.oldest_unpublished(sealer)
    assert known is not None
    assert known.checkpoint.digest == known.digest == checkpoint.digest
    stored = ledger.select("SELECT digest FROM checkpoints")[0]["digest"]
    assert stored == hashlib.sha256(hashing.canonical(known.checkpoint.statement())).digest()


def test_the_same_batch_once_more_is_done_and_changes_nothing(ledger: Books, sealer: Database) -> None:
    """The answer of the first was lost."""
    pay(ledger, ledger.person(money=1000), ledger.person())
    checkpoint, made = batch(sealer)
    assert seals.append(sealer, checkpoint, made)
    assert seals.append(sealer, checkpoint, made)
    assert len(ledger.select("SELECT * FROM seals")) == 2


def test_of_two_sealers_at_once_one_appends_and_the_other_writes_nothing(ledger: Books) -> None:
    payer, payee = ledger.person(money=1000), ledger.person()
    for _ in range(5):
        pay(ledger, payer, payee, 20)
        with closing(ledger.as_role("sealer")) as one, closing(ledger.as_role("sealer")) as other:
            batches = [(one, *batch(one)), (other, *batch(other))]
            answers = together([lambda told=told: seals.append(*told) for told in batches])  # type: ignore[misc]
            assert sorted(answers, key=str) == [False, True]
    assert unsealed(ledger) == set()
    rows = ledger.select("SELECT position FROM seals ORDER BY position")
    assert [row["position"] for row in rows] == list(range(1, 102))


def test_a_batch_that_does_not_follow_is_refused(ledger: Books, sealer: Database) -> None:
    pay(ledger, ledger.person(money=1000), ledger.person())
    checkpoint, made = batch(sealer)
    wrong = [
        replace(checkpoint, number=2),
        replace(checkpoint, first=2, last=3),
        replace(checkpoint, chain_before=b"x" * 32),
    ]
    for one in wrong:
        with pytest.raises(DatabaseBrokenError):
            seals.append(sealer, one, made)
    assert ledger.select("SELECT * FROM checkpoints") == ledger.select("SELECT * FROM seals") == []
    assert seals.append(sealer, checkpoint, made)
    pay(ledger, ledger.person(money=1000), ledger.person())
    second, more = batch(sealer)
    for one in (replace(second, first=4, last=5), replace(second, chain_before=BEGINNING), replace(second, number=3)):
        with pytest.raises(DatabaseBrokenError):
            seals.append(sealer, one, more)
    assert seals.append(sealer, second, more)


def test_only_what_waits_can_be_sealed_and_only_once(ledger: Books, sealer: Database) -> None:
    """The sealer's own user can't put a transaction into the chain that there isn't, or one twice."""
    pay(ledger, ledger.person(money=1000), ledger.person())
    checkpoint, made = batch(sealer)
    invented = [replace(made[0], transaction_id="f" * 32), *made[1:]]
    with pytest.raises(DatabaseBrokenError):
        seals.append(sealer, checkpoint, invented)
    twice = [made[0], replace(made[0], position=2)]
    with pytest.raises(DatabaseBrokenError):
        seals.append(sealer, checkpoint, twice)
    assert ledger.select("SELECT * FROM seals") == []
    assert len(unsealed(ledger)) == 2


def test_transactions_that_commit_out_of_their_order_are_all_sealed(ledger: Books, sealer: Database) -> None:
    """The older id becomes visible after a younger one has its seal."""
    person = ledger.person(money=1000)
    other = ledger.person()
    connection = ledger.connect()
    connection.begin()
    late = wiring.new_id()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO transactions (id, type, amount, currency, created_at)"
            " VALUES (%s, 'adjustment', 1, 'INR', UTC_TIMESTAMP(6))",
            (late.bytes,),
        )
    (younger,) = pay(ledger, person, other)
    first, made = batch(sealer)
    assert seals.append(sealer, first, made)
    assert made[-1].transaction_id == younger
    assert late.hex not in unsealed(ledger)

    connection.commit()
    connection.close()
    assert unsealed(ledger) == {late.hex}
    second, more = batch(sealer)
    assert seals.append(sealer, second, more)
    assert [seal.transaction_id for seal in more] == [late.hex]


def test_one_that_was_taken_out_before_its_seal_is_named(ledger: Books, sealer: Database) -> None:
    payer, payee = ledger.person(money=1000), ledger.person()
    gone = "0" * 32  # it waits, and is not in the ledger
    ledger.write("INSERT INTO unsealed VALUES (%s)", bytes(16))
    (kept,) = pay(ledger, payer, payee)
    waiting = seals.waiting(sealer, limit=100)
    assert seals.strays(sealer, limit=9) == seals.Strays(missing=(gone,), sealed=())
    assert waiting.contents[-1].transaction["id"] == kept


def test_a_payment_commits_while_a_sealers_block_is_open_and_the_reverse(ledger: Books) -> None:
    """No lock of one is waited for by the other: with no patience for any wait, both still get through."""
    payer, payee = ledger.person(money=1000), ledger.person()
    pay(ledger, payer, payee, 50)
    sealing = ledger.connect()
    with closing(ledger.as_role("sealer")) as database:
        checkpoint, made = batch(database)
    try:
        sealing.begin()
        with sealing.cursor() as cursor:  # the statements of the procedure, its commit left out
            _append_without_commit(cursor, checkpoint, made)
        with closing(ledger.as_role("money")) as money:
            money.read("SET innodb_lock_wait_timeout = 1")
            for _ in range(20):
                payments.post_payment(
                    money,
                    payer.claim(),
                    transaction_id=wiring.new_id(),
                    payee_wallet_id=payee.wallet_id,
                    payee_phone=None,
                    amount=1,
                    description=None,
                    reference=None,
                )
    finally:
        sealing.rollback()
        sealing.close()

    paying = ledger.connect()
    try:
        paying.begin()
        with paying.cursor() as cursor:
            cursor.execute("SELECT id FROM wallets WHERE id = %s FOR UPDATE", (payer.wallet_id.bytes,))
            cursor.execute(
                "INSERT INTO transactions (id, type, amount, currency, created_at)"
                " VALUES (%s, 'adjustment', 1, 'INR', UTC_TIMESTAMP(6))",
                (wiring.new_id().bytes,),
            )
            # as a refund to source does, while it looks how much of a payment may still go back
            cursor.execute("SELECT id FROM transactions WHERE type = 'payment' FOR UPDATE")
        with closing(ledger.as_role("sealer")) as database:
            database.read("SET innodb_lock_wait_timeout = 1")
            checkpoint, made = batch(database)
            assert len(made) == 71
            assert seals.append(database, checkpoint, made)
    finally:
        paying.rollback()
        paying.close()


def _append_without_commit(cursor: "DictCursor", checkpoint: Checkpoint, made: list[Seal]) -> None:
    """What `append_sealed` does, taken from its own text."""
    body = next(one.statement for one in migrate.definitions() if one.name == "append_sealed")
    assert body.count("    COMMIT;\n") == body.count("    START TRANSACTION;\n") == 1
    body = body.replace("    COMMIT;\n", "").replace("    START TRANSACTION;\n", "")
    body = body.replace("    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\n", "")
    cursor.execute(body.replace("append_sealed", "append_and_stay"))
    cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    cursor.execute("BEGIN")
    cursor.execute(
        "CALL append_and_stay(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            checkpoint.form,
            checkpoint.number,
            checkpoint.first,
            checkpoint.chain_before,
            checkpoint.chain,
            "{}",
            checkpoint.digest,
            "2026-11-22",
            b"".join(bytes.fromhex(seal.transaction_id) + seal.salt + seal.leaf for seal in made),
        ),
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE seals SET leaf = REVERSE(leaf)",
        "DELETE FROM seals",
        "UPDATE checkpoints SET chain = REVERSE(chain)",
        "UPDATE checkpoints SET balances = '{}'",
        "UPDATE checkpoints SET signature = 'other', published_at = UTC_TIMESTAMP(6)",
        "DELETE FROM checkpoints",
        "UPDATE ledger_identity SET id = REVERSE(id)",
        "DELETE FROM ledger_identity",
    ],
)
def test_even_the_owner_can_not_change_the_chain(ledger: Books, sealer: Database, statement: str) -> None:
    pay(ledger, ledger.person(money=1000), ledger.person())
    seals.append(sealer, *batch(sealer))
    seals.note_published(sealer, 1, signature=b"signed")
    with pytest.raises(Exception, match=r"made once|the same for ever"):
        ledger.write(statement)


def test_a_checkpoint_is_published_once_under_one_signature(ledger: Books, sealer: Database) -> None:
    pay(ledger, ledger.person(money=1000), ledger.person())
    seals.append(sealer, *batch(sealer))
    seals.note_published(sealer, 1, signature=b"signed")
    seals.note_published(sealer, 1, signature=b"signed")
    for number, signature in ((1, b"another"), (2, b"signed")):
        with pytest.raises(DatabaseBrokenError):
            seals.note_published(sealer, number, signature=signature)


def test_how_far_behind_sealing_is_can_be_seen(ledger: Books, sealer: Database) -> None:
    assert seals.lag(sealer) == seals.Lag(unsealed_s=0, unpublished_s=0)
    pay(ledger, ledger.person(money=1000), ledger.person())
    connection = ledger.as_role("sealer", at=datetime(2037, 1, 1, tzinfo=UTC))
    late = seals.lag(connection)
    assert late.unsealed_s > 10**8
    assert late.unpublished_s == 0
    seals.append(sealer, *batch(sealer))
    late = seals.lag(connection)
    assert late.unsealed_s == 0
    assert late.unpublished_s > 10**8
    connection.close()


def test_a_full_batch_is_appended_in_one_go(ledger: Books, sealer: Database) -> None:
    """A thousand, which is what one checkpoint takes; the one behind it waits for the next."""
    connection = ledger.connect()
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO transactions (id, type, amount, currency, created_at)"
            " VALUES (%s, 'adjustment', 1, 'INR', '2026-11-22')",
            [(wiring.new_id().bytes,) for _ in range(1001)],
        )
    connection.close()
    first, made = batch(sealer)
    assert (first.first, first.last) == (1, 1000)
    assert seals.append(sealer, first, made)
    assert len(unsealed(ledger)) == 1
    second, more = batch(sealer)
    assert (second.first, second.last) == (1001, 1001)
    assert seals.append(sealer, second, more)
