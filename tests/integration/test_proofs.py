"""Proofs: each party of a transaction can show that it is under a signed checkpoint, and sees nothing of the other."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from local.database import PrivateServer
from tests.support.books import Person
from tests.support.evidence import Ledger, as_root
from tests.support.moves import pay
from tests.support.own_database import own_books
from tests.support.signing import Folder, Key
from wallet.ledger.proofs import Proof, UnprovableError
from wallet.ledger.refusals import Refusal, Refused
from wallet.movements.prove import prove
from wallet.movements.seal import Sealer, Sealing
from wallet.storage.database import Database


@pytest.fixture(scope="module")
def ledger(server: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger of this file's own."""
    with own_books(server, "proved") as books:
        scratch = tmp_path_factory.mktemp("evidence")
        yield Ledger(books, Folder(scratch), Key(2048), scratch)


def payment(ledger: Ledger) -> tuple[Person, Person, UUID]:
    """Somebody pays somebody, between two other payments of the same moment."""
    asha, bela = ledger.books.person(money=50_000), ledger.books.person()
    pay(ledger.books, asha, bela, 10)
    paid = pay(ledger.books, asha, bela, 100, description="चाय")[0].transaction_id
    pay(ledger.books, asha, bela, 20)
    return asha, bela, paid


def proof_for(ledger: Ledger, person: Person, transaction_id: UUID, database: Database | None = None) -> Proof:
    return prove(database or ledger.books.as_role("reader"), user_id=person.user_id, transaction_id=transaction_id)


def refusal(ledger: Ledger, person: Person, transaction_id: UUID) -> Refusal:
    with pytest.raises(Refused) as refused:
        proof_for(ledger, person, transaction_id)
    return refused.value.refusal


def test_each_party_can_prove_it_to_a_stranger(ledger: Ledger, tmp_path: Path) -> None:
    asha, bela, paid = payment(ledger)
    ledger.seal()
    for person in (asha, bela):
        path = tmp_path / "proof.json"
        path.write_text(json.dumps(proof_for(ledger, person, paid)))
        found = ledger.verify_proof(path)
        assert (found.returncode, found.stderr) == (0, "")
        assert f"transaction {paid.hex}" in found.stdout
        assert person.wallet_id.hex in found.stdout


def test_a_proof_shows_nothing_of_the_other_party(ledger: Ledger) -> None:
    asha, bela, paid = payment(ledger)
    ledger.seal()
    text = json.dumps(proof_for(ledger, bela, paid))
    assert bela.wallet_id.hex in text
    assert asha.wallet_id.hex not in text
    [row] = ledger.books.select("SELECT salt FROM seals WHERE transaction_id = %s", paid.bytes)
    assert row["salt"].hex() not in text


def test_who_has_no_part_in_it_is_told_that_there_is_nothing(ledger: Ledger) -> None:
    _, _, paid = payment(ledger)
    somebody = ledger.books.person()
    assert refusal(ledger, somebody, paid) is Refusal.NOT_FOUND
    ledger.seal()
    assert refusal(ledger, somebody, paid) is Refusal.NOT_FOUND
    assert refusal(ledger, somebody, UUID(int=1)) is Refusal.NOT_FOUND


class _Deaf:
    """A key that nobody reaches."""

    def sign(self, _digest: bytes) -> bytes:
        from wallet.channels.evidence import EvidenceUnavailableError  # noqa: PLC0415

        raise EvidenceUnavailableError("down")

    def public_key(self) -> bytes:
        from wallet.channels.evidence import EvidenceUnavailableError  # noqa: PLC0415

        raise EvidenceUnavailableError("down")


def test_until_it_is_sealed_and_published_there_is_no_proof_yet(ledger: Ledger) -> None:
    asha, _, paid = payment(ledger)
    assert refusal(ledger, asha, paid) is Refusal.PROOF_NOT_READY
    sealer = Sealer(ledger.books.as_role("sealer"), _Deaf(), ledger.folder, lambda: os.urandom(16))
    sealer.run(Sealing(), time_left_s=lambda: 60)
    assert ledger.books.select("SELECT 1 FROM seals WHERE transaction_id = %s", paid.bytes)
    assert refusal(ledger, asha, paid) is Refusal.PROOF_NOT_READY
    Sealer(ledger.books.as_role("sealer"), ledger.key, ledger.folder, lambda: os.urandom(16)).run(
        Sealing(), time_left_s=lambda: 60
    )
    assert proof_for(ledger, asha, paid)


def test_what_was_altered_behind_its_seal_can_not_be_proved(ledger: Ledger, tmp_path: Path) -> None:
    asha, _, paid = payment(ledger)
    ledger.seal()
    for trigger in ("seals_are_not_changed", "transactions_are_not_changed"):
        ledger.books.write(f"DROP TRIGGER IF EXISTS {trigger}")
    with as_root(ledger) as database:
        database.read("UPDATE transactions SET amount = amount + 1 WHERE id = %s", paid.bytes)
        path = tmp_path / "proof.json"
        path.write_text(json.dumps(proof_for(ledger, asha, paid, database)))
        assert ledger.verify_proof(path).returncode == 1
        database.read("UPDATE seals SET leaf = REVERSE(leaf) WHERE transaction_id = %s", paid.bytes)
        with pytest.raises(UnprovableError):
            proof_for(ledger, asha, paid, database)
