"""Proofs: what each party can show to a stranger, what of the other side it is not given, and when there is none."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.made_evidence import ASHA, BELA, KEY, LEDGER, US, Evidence, line_of, salt, verified
from verifier import verify
from wallet.ledger import seals
from wallet.ledger.checkpoints import Checkpoint
from wallet.ledger.proofs import UnprovableError, make_proof
from wallet.ledger.seals import Seal


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    return Evidence(tmp_path, 3, 4, 2)


@pytest.mark.parametrize(
    ("account", "theirs"), [(ASHA, [0]), (BELA, [1]), (US, [])], ids=["the payer", "the payee", "nobody in it"]
)
@pytest.mark.parametrize("position", range(2, 10))
def test_a_stranger_finds_in_a_proof_the_place_of_the_transaction_and_the_partys_lines(
    evidence: Evidence, position: int, account: str, theirs: list[int]
) -> None:
    found = verified(evidence.proof(position, account))
    number = 1 if position < 4 else 2 if position < 8 else 3
    sealed_at = evidence.made[number - 1][0].sealed_at
    transaction = evidence.contents[position - 1].transaction
    postings = line_of(evidence.contents[position - 1])["postings"]
    assert found.breaks == []
    place = f"is at position {position}, under checkpoint {number} of {sealed_at} of ledger {LEDGER}"
    assert found.lines == [
        f"transaction {position:032x} of {transaction['created_at']} {place}",
        *(f"  {verify.canonical(postings[line]).decode()}" for line in theirs),
    ]


def test_the_first_transaction_of_all_is_proved_from_the_beginning_of_the_chain(evidence: Evidence) -> None:
    proof = evidence.proof(1, ASHA)
    assert verified(proof).breaks == []
    assert proof["before"] == seals.BEGINNING.hex()


def test_of_the_other_side_a_proof_has_one_hash_and_nothing_to_find_it_by(evidence: Evidence) -> None:
    proof = evidence.proof(5, BELA)
    debit, credit = evidence.contents[4].postings
    assert proof["transaction"] == evidence.contents[4].transaction
    assert proof["lines"] == [
        {"hash": seals.posting_hash(debit, seals.line_salt(salt(5), 1)).hex()},
        {"posting": credit, "salt": seals.line_salt(salt(5), 2).hex()},
    ]
    text = json.dumps(proof)
    assert ASHA not in text
    assert seals.line_salt(salt(5), 1).hex() not in text
    assert salt(5).hex() not in text, "whoever has it has the salts of all lines"


def test_a_proof_names_no_other_transaction(evidence: Evidence) -> None:
    text = json.dumps(evidence.proof(5))
    assert not any(seal.transaction_id in text for _, made in evidence.made for seal in made if seal.position != 5)


def prove(evidence: Evidence, checkpoint: Checkpoint, seals_of_it: list[Seal]) -> None:
    """Asks for a proof of the transaction at position 5, by what the database says now of the second checkpoint."""
    signed, _ = evidence.made[1]
    make_proof(
        evidence.contents[4],
        seals_of_it,
        checkpoint,
        account_id=BELA,
        position=5,
        digest=signed.digest,
        signature=KEY.sign(signed.digest),
    )


def test_nothing_is_proved_under_a_statement_that_is_not_the_one_that_was_signed(evidence: Evidence) -> None:
    checkpoint, made = evidence.made[1]
    with pytest.raises(UnprovableError):
        prove(evidence, replace(checkpoint, sealed_at="2026-11-22T06:33:00.000000Z"), made)


@pytest.mark.parametrize("position", [4, 5, 7])
def test_nothing_is_proved_from_seals_that_are_not_those_that_were_signed(evidence: Evidence, position: int) -> None:
    checkpoint, made = evidence.made[1]
    forged = [replace(seal, leaf=bytes(32)) if seal.position == position else seal for seal in made]
    with pytest.raises(UnprovableError):
        prove(evidence, checkpoint, forged)
