"""Proofs: what each party can show to a stranger, what of the other side it is not given, and when there is none."""

import copy
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.support.receipts import whole_numbers
from tests.unit.made_evidence import ASHA, BELA, KEY, LEDGER, US, Evidence, salt, verified
from verifier import verify
from wallet.ledger import ids, seals
from wallet.ledger.checkpoints import Checkpoint, make_checkpoint
from wallet.ledger.proofs import UnprovableError, make_proof
from wallet.ledger.seals import Content, Seal


@pytest.fixture(params=[(1, 1, 1), (2, 2, 2), (1, 2, 1)], ids=lambda forms: "".join(map(str, forms)))
def evidence(tmp_path: Path, request: pytest.FixtureRequest) -> Evidence:
    return Evidence(tmp_path, 3, 4, 2, forms=request.param)


@pytest.fixture
def second(tmp_path: Path) -> Evidence:
    """Sealed in form 2."""
    return Evidence(tmp_path, 3, 4, 2, forms=(2, 2, 2))


def shown_of(evidence: Evidence, position: int, line: int) -> dict[str, Any]:
    """What a proof shows of a line, by the form of its seal."""
    posting = dict(evidence.contents[position - 1].postings[line])
    if form_at(evidence, position) == 1:
        return posting
    return {column: posting[column] for column in ("line", "account_id", "side", "amount")}


def form_at(evidence: Evidence, position: int) -> int:
    return next(seal.form for _, made in evidence.made for seal in made if seal.position == position)


@pytest.mark.parametrize(("account", "theirs"), [(ASHA, 0), (BELA, 1)], ids=["the payer", "the payee"])
@pytest.mark.parametrize("position", range(2, 10))
def test_a_stranger_finds_in_a_proof_the_place_of_the_transaction_and_the_partys_line(
    evidence: Evidence, position: int, account: str, theirs: int
) -> None:
    found = verified(evidence.proof(position, account))
    number = 1 if position < 4 else 2 if position < 8 else 3
    sealed_at = evidence.made[number - 1][0].sealed_at
    transaction = evidence.contents[position - 1].transaction
    assert found.breaks == []
    place = f"is at position {position}, under checkpoint {number} of {sealed_at} of ledger {LEDGER}"
    told = {"type": "payment", "currency": "INR", **shown_of(evidence, position, theirs)}
    assert found.lines == [
        f"transaction {position:032x} of {transaction['created_at']} {place}",
        f"  {verify.canonical(told).decode()}",
        verify.UNPROVEN,
    ]


def test_the_first_transaction_of_all_is_proved_from_the_beginning_of_the_chain(evidence: Evidence) -> None:
    proof = evidence.proof(1, ASHA)
    assert verified(proof).breaks == []
    assert proof["before"] == seals.BEGINNING.hex()


def test_what_shows_nobodys_line_proves_nothing(evidence: Evidence) -> None:
    with pytest.raises(verify.UnreadableError, match="it shows no line"):
        verified(evidence.proof(5, US))


def test_of_the_other_side_a_proof_of_form_1_has_one_hash_and_nothing_to_find_it_by(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path, 3, 4, 2, forms=(1, 1, 1))
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


@pytest.mark.parametrize("account", [ASHA, BELA])
def test_a_proof_of_form_2_tells_of_one_posting_and_of_nobodys_balance(second: Evidence, account: str) -> None:
    proof = second.proof(5, account)
    content = second.contents[4]
    own, other = content.postings if account == ASHA else reversed(content.postings)
    opened = seals.open_transaction(content.transaction, salt(5))
    shown = {name: content.transaction[name] for name in ("id", "type", "currency", "created_at")}
    assert proof["transaction"] == {"shown": shown, "salt": opened.salt.hex(), "hidden": opened.hidden.hex()}
    lines = {told["shown"]["line"]: told for told in proof["lines"] if "shown" in told}
    assert lines.keys() == {own["line"]}
    assert lines[int(str(own["line"]))]["shown"] == shown_of(second, 5, int(str(own["line"])) - 1)
    text = json.dumps(proof)
    assert str(other["account_id"]) not in text
    for posting in content.postings:
        for column in ("balance_after", "entry_no"):
            assert f'"{column}"' not in text
            assert posting[column] not in whole_numbers(proof)
    assert salt(5).hex() not in text, "whoever has it has the salts of all parts"
    assert "gateway:razorpay" not in text, "nor of our balances"


def test_what_is_hidden_can_not_be_found_by_trying(second: Evidence) -> None:
    """Whoever has the proof knows everything that is hidden but the balance, say, and the salt of what is hidden."""
    proof = second.proof(5, BELA)
    posting = second.contents[4].postings[1]
    hidden = {name: value for name, value in posting.items() if name not in seals.POSTING_SHOWN}
    known = [bytes.fromhex(told["salt"]) for told in (*proof["lines"], proof["transaction"])]
    for guess in (*known, b"", bytes(16)):
        told = hashlib.sha256(b"wallet posting hidden 2\n" + guess + seals.canonical(hidden)).hexdigest()
        assert told != proof["lines"][1]["hidden"]


def test_whoever_knows_the_other_sides_wallet_sees_that_it_is_that_one_and_no_other(second: Evidence) -> None:
    for account, other in ((ASHA, BELA), (BELA, ASHA)):
        proof = second.proof(5, account)
        for told in (other, ids.show(ids.WALLET, UUID(other))):
            assert verified(proof, other=told).breaks == []
            assert f"the other side is wallet {told}" in verified(proof, other=told).lines
        for wrong in (account, US, "0" * 32, "wal_" + "0" * 26):
            assert verified(proof, other=wrong).breaks
        for name in ("salt", "hidden", "hash"):
            forged = copy.deepcopy(proof)
            [line] = [told for told in forged["lines"] if "hash" in told]
            line[name] = "0" * len(line[name])
            assert verified(forged, other=other).breaks, f"{name} is altered"
        [line] = [told for told in proof["lines"] if "hash" in told]
        del line["salt"], line["hidden"]
        assert verified(proof).breaks == []
        assert verified(proof, other=other).breaks, "who passes it on may leave that out: then it can't be seen"


def test_of_more_than_two_lines_the_others_are_hashes_alone(second: Evidence) -> None:
    """What they are like doesn't follow from the one that is shown."""
    content = second.contents[4]
    third = {**content.postings[1], "line": 3, "amount": 1}
    made = seals.make_seals([Content(content.transaction, (*content.postings, third))], [salt(5)], first=1)
    checkpoint = make_checkpoint(
        made,
        ledger=LEDGER,
        number=1,
        chain_before=seals.BEGINNING,
        previous=seals.BEGINNING,
        sealed_at="2026-11-22T06:33:00.000000Z",
        balances={},
    )
    proof = make_proof(
        Content(content.transaction, (*content.postings, third)),
        made,
        checkpoint,
        account_id=ASHA,
        position=1,
        digest=checkpoint.digest,
        signature=KEY.sign(checkpoint.digest),
    )
    assert [sorted(line) for line in json.loads(json.dumps(proof["lines"]))] == [
        ["hidden", "salt", "shown"],
        ["hash"],
        ["hash"],
    ]
    assert verified(json.loads(json.dumps(proof))).breaks == []


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
