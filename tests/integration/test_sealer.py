"""The sealer over a real database, KMS and S3: everything is sealed and kept once, whoever dies, fails or meddles."""

import base64
import hashlib
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.database import PrivateServer
from local.state import State
from tests.integration.conftest import Functions
from tests.support.books import Books, Person
from tests.support.crowd import together
from tests.support.functions import Function, FunctionDiedError, api_event
from tests.support.own_database import own_books
from tests.support.proxy import Proxy
from tests.support.signing import Key
from tests.support.vault import Vault, text_of
from wallet import wiring
from wallet.channels.kms import KmsSigner
from wallet.channels.locked_bucket import LockedBucket
from wallet.ledger.checkpoints import balances_after, make_checkpoint
from wallet.ledger.seals import FORM_1, TRANSACTION_COLUMNS, Content, canonical, make_seals
from wallet.movements import seal as movement
from wallet.movements.seal import Sealer, Sealing
from wallet.storage import payments, seals
from wallet.storage.rows import exact_time
from wallet.storage.seals import lag

#: Lambda's, as the template has it.
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Place:
    """A ledger whose chain begins here, the bucket for it, and who pays whom."""

    books: Books
    vault: Vault
    bucket: str
    payer: Person
    payee: Person

    def pay(self, times: int = 1) -> None:
        """Payments of a paisa."""
        with closing(self.books.as_role("money")) as money:
            for _ in range(times):
                payments.post_payment(
                    money,
                    self.payer.claim(),
                    transaction_id=wiring.new_id(),
                    payee_wallet_id=self.payee.wallet_id,
                    payee_phone=None,
                    amount=1,
                    description="चाय",
                    reference=None,
                )

    def seal(
        self, *, time_left_s: Callable[[], float] = lambda: 60, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> Sealing:
        """A run in this process."""
        sealing = Sealing()
        with closing(self.books.as_role("sealer")) as database:
            signer = KmsSigner(self.vault.client("kms"), self.vault.key)
            archive = LockedBucket(self.vault.client("s3"), self.bucket, "")
            Sealer(database, signer, archive, wiring.new_salt, now).run(sealing, time_left_s=time_left_s)
        return sealing

    def function(self, functions: Functions, *, url: str | None = None) -> Function:
        """The deployed sealer, in a process of its own."""
        settings = self.vault.settings(self.bucket, url=url)
        return functions.make("seal", DATABASE_NAME=self.books.server.database, **settings)

    def count(self, table: str) -> int:
        rows = self.books.select(f"SELECT COUNT(*) AS n FROM {table}")
        return int(rows[0]["n"])

    def everything_is_kept(self) -> bool:
        """Whether the bucket alone tells of every transaction, in the order and with the leaves of the database."""
        rows = self.books.select("SELECT transaction_id, leaf FROM seals ORDER BY position")
        assert self.vault.entries(self.bucket) == [[row["transaction_id"].hex(), row["leaf"].hex()] for row in rows]
        unpublished = self.books.select("SELECT number FROM checkpoints WHERE published_at IS NULL")
        return unpublished == [] and self.count("unsealed") == 0


@pytest.fixture(scope="module")
def vault(books: Books, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    known = books.credentials["sealer"]
    secrets = {"db/sealer": {"username": known.username, "password": known.password}}
    with Vault(State(tmp_path_factory.mktemp("vault")), secrets) as started:
        yield started


@pytest.fixture(scope="module")
def own(server: PrivateServer) -> Iterator[Books]:
    with own_books(server, "sealer") as books:
        yield books


@pytest.fixture
def place(own: Books, vault: Vault) -> Place:
    payer, payee = own.person(money=100_000), own.person()
    owner = own.owner()
    owner.read("SET foreign_key_checks = 0")
    for table in ("unsealed", "seals", "checkpoints", "postings", "transactions"):
        owner.read(f"TRUNCATE TABLE {table}")
    owner.close()
    return Place(own, vault, vault.new_bucket(), payer, payee)


def test_a_run_seals_what_there_is_and_keeps_it(place: Place, functions: Functions) -> None:
    place.pay(5)
    sealer = place.function(functions)
    sealer.invoke({}, timeout_s=_TIMEOUT_S)
    assert place.everything_is_kept()
    assert place.count("seals") == 5
    sealer.invoke({}, timeout_s=_TIMEOUT_S)
    assert place.count("checkpoints") == 1, "a run that finds nothing leaves nothing"
    place.pay(2)
    sealer.invoke({}, timeout_s=_TIMEOUT_S)
    assert place.everything_is_kept()
    assert [told["statement"]["last"] for told in vault_objects(place)] == [5, 7]


def vault_objects(place: Place) -> list[dict[str, Any]]:
    return place.vault.objects(place.bucket)


def test_a_leaf_can_be_found_from_the_row_and_the_salt_alone(place: Place) -> None:
    """By hand, from what an export has: the hash that is kept is of what is in the ledger."""
    place.pay()
    place.seal()
    ((transaction_id, leaf),) = place.vault.entries(place.bucket)
    row = place.books.select(
        "SELECT t.*, g.gateway, g.gateway_payment_id, g.attempt_id, g.suspense_reason, h.hold_id, d.withdrawal_id,"
        " r.source_refund_id FROM transactions t"
        " LEFT JOIN gateway_payments g ON g.transaction_id = t.id"
        " LEFT JOIN hold_captures h ON h.transaction_id = t.id"
        " LEFT JOIN withdrawal_bookings d ON d.transaction_id = t.id"
        " LEFT JOIN source_refund_bookings r ON r.transaction_id = t.id WHERE t.id = %s",
        bytes.fromhex(transaction_id),
    )[0]
    lines = place.books.select(
        "SELECT * FROM postings WHERE transaction_id = %s ORDER BY line", bytes.fromhex(transaction_id)
    )
    salt = place.books.select("SELECT salt FROM seals")[0]["salt"]

    def plain(name: str, value: object) -> object:
        if name == "created_at":
            return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}"
        return value.hex() if isinstance(value, bytes) else value

    def hashed(what: bytes, number: int, found: dict[str, object], shown: set[str]) -> bytes:
        salts = hashlib.sha256(b"wallet salt 2\n" + salt + bytes([number])).digest()
        told = {name: plain(name, value) for name, value in found.items() if name != "transaction_id"}
        rest = text_of({name: value for name, value in told.items() if name not in shown})
        hidden = hashlib.sha256(b"wallet " + what + b" hidden 2\n" + salts[16:] + rest).digest()
        text = text_of({name: told[name] for name in shown})
        return hashlib.sha256(b"wallet " + what + b" 2\n" + salts[:16] + hidden + text).digest()

    parts = [hashed(b"transaction", 0, row, {"id", "type", "currency", "created_at"})]
    parts += [hashed(b"posting", line["line"], line, {"line", "account_id", "side", "amount"}) for line in lines]
    assert len(parts) == 3
    assert leaf == hashlib.sha256(b"wallet leaf 2\n" + b"".join(parts)).hexdigest()


def test_a_full_batch_is_followed_by_the_next_and_a_full_one_by_none(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(movement, "BATCH", 4)
    place.pay(9)
    assert place.seal().sealed == 9
    place.pay(4)
    assert place.seal().sealed == 4
    assert [told["statement"]["last"] for told in vault_objects(place)] == [4, 8, 9, 13]
    assert place.everything_is_kept()


def test_a_run_ends_when_its_time_does_and_the_next_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movement, "BATCH", 2)
    place.pay(6)
    sealing = place.seal(time_left_s=_once())
    assert (sealing.sealed, sealing.published) == (2, 0)
    assert place.seal(time_left_s=lambda: 0).sealed == 0
    sealing = place.seal()
    assert (sealing.sealed, sealing.published) == (4, 3)
    assert place.everything_is_kept()


def test_a_release_that_is_taken_back_seals_behind_the_new_form_and_the_next_publishes_all_of_it(place: Place) -> None:
    """The code of the release before knows form 1 alone and calls `append_checkpoint`."""
    place.pay(2)
    place.seal()
    place.pay(3)
    with closing(place.books.as_role("sealer")) as database:
        head, waiting = seals.head(database), seals.waiting(database, limit=100)
        made = make_seals(waiting.contents, [wiring.new_salt() for _ in waiting.contents], first=3, form=FORM_1)
        checkpoint = make_checkpoint(
            made,
            ledger=head.ledger,
            number=2,
            chain_before=head.chain,
            previous=head.digest,
            sealed_at=exact_time(datetime.now(UTC).replace(tzinfo=None)),
            balances=balances_after(head.balances, waiting.contents, waiting.codes),
        )
        database.call(
            "append_checkpoint",
            2,
            3,
            head.chain,
            checkpoint.chain,
            canonical(checkpoint.balances).decode(),
            checkpoint.digest,
            datetime.fromisoformat(checkpoint.sealed_at).replace(tzinfo=None),
            b"".join(bytes.fromhex(seal.transaction_id) + seal.salt + seal.leaf for seal in made),
        )
    place.pay(1)
    sealing = place.seal()
    assert (sealing.is_healthy, sealing.sealed, sealing.published) == (True, 1, 2)
    assert place.everything_is_kept()
    rows = place.books.select("SELECT form FROM seals ORDER BY position")
    assert [row["form"] for row in rows] == [2, 2, 1, 1, 1, 2]
    formats = [told["statement"]["format"][-1] for told in vault_objects(place)]
    assert formats == ["2", "1", "2"]


# ------------------------------------------------------------------------------------------ a crash at each step

#: What a request or an answer on its way looks like, and whether what it asks for has been done by then.
_STEPS = {
    "before it is signed": (b"TrentService.Sign", False),
    "when it is signed": (b"TrentService.Sign", True),
    "before it is put": (b"PUT /", False),
    "when it is put": (b"PUT /", True),
}


def killed_at(place: Place, functions: Functions, marker: bytes, *, behind: bool) -> None:
    """A sealer that is killed when its request of this kind is on its way, or when the answer is."""
    with Proxy(place.vault.address) as proxy:
        sealer = place.function(functions, url=f"http://{proxy.host}:{proxy.port}")
        pid, asked = sealer.pid, threading.Event()

        def judge(from_client: bool, chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            if from_client and marker in chunk:
                asked.set()
            # what S3 says to a body that is announced first is not its answer yet
            if asked.is_set() and from_client is not behind and b"100 Continue" not in chunk:
                os.kill(pid, signal.SIGKILL)
                return False
            return True

        proxy.judge = judge
        with pytest.raises(FunctionDiedError):
            sealer.invoke({}, timeout_s=_TIMEOUT_S)


@pytest.mark.parametrize("step", _STEPS)
def test_a_sealer_that_is_killed_is_followed_by_one_that_ends_its_work(
    place: Place, functions: Functions, step: str
) -> None:
    marker, behind = _STEPS[step]
    place.pay(3)
    killed_at(place, functions, marker, behind=behind)
    assert place.count("seals") == 3, "the batch was committed before anything was asked of the outside"
    assert place.count("checkpoints WHERE published_at IS NULL") == 1
    is_put = bool(place.vault.client("s3").list_objects_v2(Bucket=place.bucket)["KeyCount"])
    assert is_put is (step == "when it is put")
    place.pay(2)
    place.function(functions).invoke({}, timeout_s=_TIMEOUT_S)
    assert place.everything_is_kept()
    assert [told["statement"]["last"] for told in vault_objects(place)] == [3, 5]


@pytest.mark.parametrize("procedure", ["append_sealed", "note_checkpoint_published"])
def test_a_sealer_that_is_killed_in_the_database_is_followed_by_one_that_ends_its_work(
    place: Place, functions: Functions, procedure: str
) -> None:
    """It dies while its call waits for a lock, so that nobody hears what becomes of the call."""
    place.pay(3)
    if procedure == "note_checkpoint_published":
        assert place.seal(time_left_s=_once()).published == 0
    locked = {"append_sealed": "unsealed", "note_checkpoint_published": "checkpoints"}[procedure]
    with _locked(place, locked):
        sealer = place.function(functions)
        pid = sealer.pid
        waiting = threading.Thread(target=lambda: _died(sealer))
        waiting.start()
        _until(lambda: _is_asking(place))
        os.kill(pid, signal.SIGKILL)
        waiting.join()
    _until(lambda: not _is_asking(place))
    place.function(functions).invoke({}, timeout_s=_TIMEOUT_S)
    assert place.everything_is_kept()
    assert place.count("seals") == 3


@contextmanager
def _locked(place: Place, table: str) -> Iterator[None]:
    """Within it, every row of a table is locked."""
    connection = place.books.connect()
    try:
        connection.begin()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table} FOR UPDATE")
        yield
    finally:
        connection.rollback()
        connection.close()


def _once() -> Callable[[], float]:
    """Time to append one batch, and none to publish it."""
    looks = iter([10.0, 10.0, 0.0])
    return lambda: next(looks, 0.0)


def _died(sealer: Function) -> None:
    with pytest.raises(FunctionDiedError):
        sealer.invoke({}, timeout_s=_TIMEOUT_S)


def _is_asking(place: Place) -> bool:
    """Whether anybody else is inside a statement on this database: one that waits, as the others take no time.

    Who is inside a procedure is shown there as its owner.
    """
    rows = place.books.select(
        "SELECT id FROM information_schema.processlist"
        " WHERE db = DATABASE() AND command = 'Query' AND id <> CONNECTION_ID()"
    )
    return rows != []


def _until(is_so: Callable[[], bool], *, patience_s: float = 60) -> None:
    ends = threading.Event()
    for _ in range(int(patience_s / 0.02)):
        if is_so():
            return
        ends.wait(0.02)
    raise AssertionError("it never came to that")


# -------------------------------------------------------------------------------------------- many at once


def test_sealers_at_once_and_payers_leave_one_chain_without_a_gap(
    place: Place, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    paying = threading.Event()

    def pays() -> None:
        place.pay(40)

    def seals() -> None:
        while not paying.is_set():
            assert place.seal().is_healthy

    def everybody_pays() -> None:
        assert together([pays, pays, pays]) == [None] * 3
        paying.set()

    monkeypatch.setattr(movement, "BATCH", 7)
    assert together([everybody_pays, seals, seals]) == [None] * 3
    sealers = [place.function(functions) for _ in range(2)]
    place.pay(3)
    together([lambda one=one: one.invoke({}, timeout_s=_TIMEOUT_S) for one in sealers])  # type: ignore[misc]
    assert place.everything_is_kept()
    assert place.count("seals") == 123


# ------------------------------------------------------------------------------------------- what is down


def test_without_its_key_it_seals_on_and_keeps_all_of_it_when_the_key_is_back(
    place: Place, functions: Functions
) -> None:
    kms = place.vault.client("kms")
    kms.disable_key(KeyId=place.vault.key)
    try:
        sealer = place.function(functions)
        for _ in range(2):
            place.pay(2)
            with pytest.raises(FunctionDiedError, match="UnhealthyRunError"):
                sealer.invoke({}, timeout_s=_TIMEOUT_S)
    finally:
        kms.enable_key(KeyId=place.vault.key)
    assert "KMS did not sign: DisabledException" in sealer.logged()
    assert (place.count("unsealed"), place.count("checkpoints WHERE published_at IS NULL")) == (0, 2)
    sealer.invoke({}, timeout_s=_TIMEOUT_S)
    assert place.everything_is_kept()


@pytest.mark.parametrize("marker", [b"TrentService.Sign", b"PUT /"])
def test_what_can_not_be_reached_holds_up_no_seal(place: Place, functions: Functions, marker: bytes) -> None:
    place.pay(2)
    with Proxy(place.vault.address) as proxy:
        proxy.judge = lambda from_client, chunk: not (from_client and marker in chunk)
        sealer = place.function(functions, url=f"http://{proxy.host}:{proxy.port}")
        with pytest.raises(FunctionDiedError, match="UnhealthyRunError"):
            sealer.invoke({}, timeout_s=_TIMEOUT_S)
    assert (place.count("unsealed"), place.count("seals")) == (0, 2)
    assert place.seal().published == 1
    assert place.everything_is_kept()


def test_the_key_is_open_to_everybody_and_while_nobody_reaches_it_they_are_told_to_try_again(
    place: Place, functions: Functions
) -> None:
    kms, event = place.vault.client("kms"), api_event("GET", "/proof-key")
    settings = place.vault.settings(place.bucket)
    door = functions.make("proof", **settings | {"CHECKPOINT_SIGNER": place.vault.key[:-12] + "0" * 12})
    answer = door.invoke(event)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (503, "try_again")
    assert answer["headers"]["Cache-Control"] == "no-store"
    answer = functions.make("proof", **settings).invoke(event)
    der = kms.get_public_key(KeyId=place.vault.key)["PublicKey"]
    assert answer["statusCode"] == 200
    [told] = json.loads(answer["body"])["keys"]
    assert base64.b64decode(told["public_key"]) == der
    assert told["sha256"] == hashlib.sha256(der).hexdigest()


# ------------------------------------------------------------------------------------- who meddles is named


def test_another_object_where_a_checkpoint_belongs_is_told_and_not_replaced(place: Place, functions: Functions) -> None:
    """An intruder with the sealer's rights, or a database that was set back behind what was published."""
    place.pay(2)
    s3 = place.vault.client("s3")
    s3.put_object(Bucket=place.bucket, Key="checkpoints/000000000001.json", Body=b"{}")
    sealer = place.function(functions)
    with pytest.raises(FunctionDiedError, match="UnhealthyRunError"):
        sealer.invoke({}, timeout_s=_TIMEOUT_S)
    (told,) = [json.loads(line) for line in sealer.logged().splitlines() if '"contradiction"' in line]
    assert told["contradictions"] == ["checkpoint 1: something else is kept under its name"]
    place.pay(1)
    sealing = place.seal()
    assert (sealing.sealed, sealing.published) == (1, 0), "it seals on, and publishes nothing behind a gap"
    versions = s3.list_object_versions(Bucket=place.bucket)["Versions"]
    assert [version["Key"] for version in versions] == ["checkpoints/000000000001.json"]
    assert s3.get_object(Bucket=place.bucket, Key=versions[0]["Key"])["Body"].read() == b"{}"


def test_seals_that_were_changed_before_they_were_signed_are_told_and_not_signed(place: Place) -> None:
    place.pay(2)
    place.seal(time_left_s=_once())
    place.books.write("DROP TRIGGER seals_are_not_changed")
    try:
        place.books.write("UPDATE seals SET leaf = REVERSE(leaf) WHERE position = 2")
    finally:
        place.books.write("DELETE FROM schema_migrations WHERE version = '0016'")
        place.books.migrate()
    sealing = place.seal()
    assert sealing.contradictions == ["checkpoint 1 is not what was appended"]
    assert sealing.published == 0
    assert place.vault.client("s3").list_objects_v2(Bucket=place.bucket)["KeyCount"] == 0


def test_one_that_is_gone_before_its_seal_is_named_and_the_others_are_sealed(
    place: Place, functions: Functions
) -> None:
    place.pay(2)
    place.books.write("INSERT INTO unsealed VALUES (%s)", b"\1" * 16)
    sealer = place.function(functions)
    with pytest.raises(FunctionDiedError, match="UnhealthyRunError"):
        sealer.invoke({}, timeout_s=_TIMEOUT_S)
    (told,) = [json.loads(line) for line in sealer.logged().splitlines() if '"contradiction"' in line]
    assert told["missing"] == ["01" * 16]
    assert (place.count("seals"), place.count("unsealed")) == (2, 1)


# ------------------------------------------------------------------- what the database's root puts before the sealer


@contextmanager
def _without(place: Place, *triggers: str) -> Iterator[None]:
    """Within it, the database's root has dropped these triggers of the seals' migration."""
    for trigger in triggers:
        place.books.write(f"DROP TRIGGER {trigger}")
    try:
        yield
    finally:
        place.books.write("DELETE FROM schema_migrations WHERE version = '0016'")
        place.books.migrate()


def _kept_numbers(place: Place) -> list[int]:
    return [int(str(told["statement"]["number"])) for told in vault_objects(place)]


def test_a_checkpoint_far_ahead_of_what_never_was_is_not_signed(place: Place) -> None:
    """Root writes a seal and a checkpoint, and reads the signature from where the sealer notes it."""
    place.pay(2)
    place.seal()
    forged = "ab" * 16
    made = make_seals([Content({**dict.fromkeys(TRANSACTION_COLUMNS), "id": forged}, ())], [b"x" * 16], first=10**9)
    ledger = str(place.books.select("SELECT HEX(id) AS id FROM ledger_identity")[0]["id"]).lower()
    checkpoint = make_checkpoint(
        made,
        ledger=ledger,
        number=10**9,
        chain_before=bytes(32),
        previous=bytes(32),
        sealed_at="2026-11-22T00:00:00.000000Z",
        balances={},
    )
    place.books.write(
        "INSERT INTO checkpoints VALUES (%s, %s, %s, %s, %s, '{}', %s, '2026-11-22', NULL, NULL)",
        *(checkpoint.number, checkpoint.first, checkpoint.last, checkpoint.chain_before),
        *(checkpoint.chain, checkpoint.digest),
    )
    place.books.write("INSERT INTO seals VALUES (%s, UNHEX(%s), %s, %s, 2)", 10**9, forged, b"x" * 16, made[0].leaf)
    sealing = place.seal()
    [told] = sealing.contradictions
    assert told.startswith("checkpoint 1000000000 can't be signed: checkpoint 999999999, which it must follow from")
    assert place.count("checkpoints WHERE signature IS NOT NULL") == 1
    assert _kept_numbers(place) == [1]


def test_what_follows_from_an_altered_row_is_not_signed_and_is_sealed_anew_when_that_is_put_right(place: Place) -> None:
    """Root alters the last balances for a minute, so that the next statement would be false for ever."""
    place.pay(2)
    place.seal()
    [row] = place.books.select("SELECT balances FROM checkpoints")
    with _without(place, "checkpoints_are_published_once"):
        place.books.write("""UPDATE checkpoints SET balances = '{"INR":{"wallets":7,"us":-7}}'""")
        place.pay(1)
        sealing = place.seal()
        place.books.write("UPDATE checkpoints SET balances = %s WHERE number = 1", row["balances"])
    told = "checkpoint 2 is not signed: its balances do not follow from the one before it and its transactions"
    assert sealing.contradictions == [told]
    assert place.seal().contradictions == [told], "it is said until a person has looked"
    assert _kept_numbers(place) == [1]
    # docs/operations.md: what was appended on it and is kept nowhere is taken back, and sealed again
    with _without(place, "seals_are_kept", "checkpoints_are_kept"):
        for statement in (
            "INSERT INTO unsealed SELECT transaction_id FROM seals WHERE position > 2",
            "DELETE FROM seals WHERE position > 2",
            "DELETE FROM checkpoints WHERE number > 1",
        ):
            place.books.write(statement)
    assert place.seal().is_healthy
    assert place.everything_is_kept()


# ruff: noqa: S608 - of constants
_THIRD = "id = (SELECT transaction_id FROM seals WHERE position = 3)"
_BETWEEN = {
    "a salt": ("UPDATE seals SET salt = REVERSE(salt) WHERE position = 3", "is not as it was sealed"),
    # with it the hash of the balances is salted
    "the last salt": ("UPDATE seals SET salt = REVERSE(salt) WHERE position = 4", "is not what was appended"),
    "a transaction": ("UPDATE transactions SET description = 'x' WHERE " + _THIRD, "is not as it was sealed"),
    "its postings": ("DELETE FROM postings WHERE transaction_" + _THIRD, "is not as it was sealed"),
    "what is no JSON": ("UPDATE checkpoints SET balances = 'x' WHERE number = 2", "can't be read"),
    "what are no balances": ("UPDATE checkpoints SET balances = '[]' WHERE number = 2", "can't be read"),
    "the digest before": (
        "UPDATE checkpoints SET digest = REVERSE(digest) WHERE number = 1",
        "is not what was appended",
    ),
}


@pytest.mark.parametrize("what", _BETWEEN)
def test_what_was_altered_between_seal_and_signature_is_not_signed(place: Place, what: str) -> None:
    change, told = _BETWEEN[what]
    place.pay(2)
    place.seal()
    place.pay(2)
    place.seal(time_left_s=_once())
    triggers = ("seals_are_not_changed", "checkpoints_are_published_once")
    kept = ("transactions_are_not_changed", "postings_are_kept")
    for trigger in kept:
        place.books.write(f"DROP TRIGGER {trigger}")
    try:
        with _without(place, *triggers):
            place.books.write(change)
    finally:
        place.books.write("DELETE FROM schema_migrations WHERE version = '0009'")
        place.books.migrate()
    sealing = place.seal()
    assert sealing.published == 0
    assert told in sealing.contradictions[0]
    place.pay(1)
    assert place.seal().sealed == (0 if told == "can't be read" else 1), "it seals on, if it knows behind what"
    assert _kept_numbers(place) == [1]


@pytest.mark.parametrize("form", [1, 7])
@pytest.mark.parametrize("position", [3, 4])
def test_a_form_that_was_altered_before_the_signature_is_not_signed_and_holds_up_no_seal(
    place: Place, form: int, position: int
) -> None:
    place.pay(2)
    place.seal()
    place.pay(2)
    place.seal(time_left_s=_once())
    with _without(place, "seals_are_not_changed"):
        place.books.write("UPDATE seals SET form = %s WHERE position = %s", form, position)
    place.pay(1)
    for sealed in (1, 0):
        sealing = place.seal()
        assert (sealing.sealed, sealing.published, len(sealing.contradictions)) == (sealed, 0, 1)
    assert _kept_numbers(place) == [1]


def _signed_by_another(place: Place, content: dict[str, Any]) -> bytes:
    content["signature"] = base64.b64encode(Key(3072).sign(b"x" * 32)).decode()
    return json.dumps(content).encode()


@pytest.mark.parametrize("kind", ["nothing", "no checkpoint", "another key's", "another number"])
def test_nothing_is_signed_that_follows_from_what_is_not_kept_or_not_signed(place: Place, kind: str) -> None:
    place.pay(2)
    place.seal()
    s3, name = place.vault.client("s3"), "checkpoints/000000000001.json"
    content = s3.get_object(Bucket=place.bucket, Key=name)["Body"].read()
    place = replace(place, bucket=place.vault.new_bucket())
    other = {
        "no checkpoint": b"{}",
        "another key's": _signed_by_another(place, json.loads(content)),
        "another number": content.replace(b'"number":1', b'"number":2'),
    }
    if kind in other:
        s3.put_object(Bucket=place.bucket, Key=name, Body=other[kind])
    place.pay(1)
    sealing = place.seal()
    assert (sealing.sealed, sealing.published) == (1, 0)
    [told] = sealing.contradictions
    assert told.startswith("checkpoint 2 can't be signed: checkpoint 1, which it must follow from,")
    assert place.count("checkpoints WHERE signature IS NULL") == 1


@pytest.mark.parametrize("minutes", [-60, 10])
def test_a_statement_that_is_dated_as_no_sealer_dates_it_is_not_signed(place: Place, minutes: int) -> None:
    """Root can date what it appends; not before what was signed, and not after the sealer's own time."""
    place.pay(1)
    place.seal()
    place.pay(1)
    place.seal(time_left_s=_once(), now=lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    sealing = place.seal()
    assert sealing.contradictions == ["checkpoint 2 is not signed: it is dated before the one before it, or after now"]


def test_what_is_signed_is_dated_by_the_sealers_clock_and_not_by_the_databases(place: Place) -> None:
    place.pay(1)
    moment = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
    place.seal(now=lambda: moment)
    assert [told["statement"]["sealed_at"] for told in vault_objects(place)] == ["2026-11-22T06:30:00.000000Z"]


# ------------------------------------------------------------------------------ what waits, and what should have waited


def test_a_transaction_that_is_kept_from_its_seal_rings_each_minute_and_the_others_are_sealed(
    place: Place, functions: Functions
) -> None:
    """Root takes the row away, or drops the trigger that writes it."""
    place.pay(2)
    [hidden] = place.books.select("SELECT HEX(MIN(transaction_id)) AS id FROM unsealed")
    place.books.write("DELETE FROM unsealed WHERE transaction_id = UNHEX(%s)", hidden["id"])
    for _ in range(2):
        sealing = place.seal()
        assert (sealing.unlisted, sealing.contradictions) == ({hidden["id"].lower()}, [])
    assert (place.count("seals"), place.count("checkpoints WHERE signature IS NOT NULL")) == (1, 1)
    sealer = place.function(functions)
    with pytest.raises(FunctionDiedError, match="UnhealthyRunError"):
        sealer.invoke({}, timeout_s=_TIMEOUT_S)
    (told,) = [json.loads(line) for line in sealer.logged().splitlines() if '"contradiction"' in line]
    assert told["unlisted"] == [hidden["id"].lower()]


def test_what_is_sealed_late_is_told_when_it_is_sealed(place: Place) -> None:
    """An outage of the sealer, or root has put back what it had hidden: who knows which is asked."""
    place.pay(2)
    assert place.seal(now=lambda: datetime.now(UTC) + timedelta(minutes=14)).late == []
    place.pay(1)
    late = place.seal(now=lambda: datetime.now(UTC) + timedelta(minutes=16))
    [row] = place.books.select("SELECT HEX(transaction_id) AS id FROM seals WHERE position = 3")
    assert late.late == [f"transaction {row['id'].lower()}"]
    assert late.is_healthy
    place.pay(1)
    place.seal(time_left_s=_once(), now=lambda: datetime.now(UTC) + timedelta(minutes=16))
    assert place.seal(now=lambda: datetime.now(UTC) + timedelta(minutes=32)).late == ["checkpoint 3"]


def test_what_is_gone_or_sealed_already_starves_nothing_and_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(movement, "BATCH", 4)
    place.pay(1)
    place.seal()
    place.books.write("INSERT INTO unsealed SELECT transaction_id FROM seals")
    [sealed] = place.books.select("SELECT HEX(transaction_id) AS id FROM unsealed")
    for number in range(1, 9):
        place.books.write("INSERT INTO unsealed VALUES (%s)", bytes(15) + bytes([number]))
    place.pay(5)
    sealing = place.seal()
    assert (sealing.sealed, sealing.published, sealing.contradictions) == (5, 2, [])
    assert sealing.twice == {sealed["id"].lower()}
    assert sealing.missing == {f"{number:032x}" for number in range(1, 9)}
    assert not sealing.is_healthy
    place.pay(1)
    with closing(place.books.as_role("sealer", at=datetime.now(UTC) + timedelta(hours=1))) as later:
        assert lag(later).unsealed_s >= 3_500, "of the oldest that is there"
