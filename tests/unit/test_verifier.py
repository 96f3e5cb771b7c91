"""The stranger's verifier against ours: two readings of one format, and what each alteration is called."""

import ast
import base64
import copy
import hashlib
import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.calls import ROOT
from tests.unit.made_evidence import KEY, US, Evidence, content, line_of, salt, unsealed, verified
from verifier import verify
from wallet.ledger import checkpoints, seals
from wallet.ledger.seals import POSTING_COLUMNS, TRANSACTION_COLUMNS, Content

texts = st.none() | st.text(max_size=20) | st.sampled_from(["चाय", '"\\', "\u2028", "😀", "\x00"])
numbers = st.integers(-(2**63), 2**63 - 1)
hexes = st.none() | st.binary(min_size=16, max_size=16).map(bytes.hex)
values: st.SearchStrategy[Any] = texts | numbers | hexes


@pytest.fixture(params=[(1, 1, 1), (2, 2, 2), (1, 2, 1), (2, 1, 2)], ids=lambda forms: "".join(map(str, forms)))
def evidence(tmp_path: Path, request: pytest.FixtureRequest) -> Evidence:
    """Batches of both forms: as a history was sealed before there was a second one, since then, and over the change."""
    return Evidence(tmp_path, 3, 4, 2, forms=request.param)


# ----------------------------------------------------------------------------------------- two readings of one format


@st.composite
def contents(draw: st.DrawFn) -> Content:
    transaction: dict[str, Any] = {column: draw(values) for column in TRANSACTION_COLUMNS}
    postings = [
        {**{column: draw(values) for column in POSTING_COLUMNS}, "line": line}
        for line in range(1, draw(st.integers(0, 4)) + 1)
    ]
    return Content(transaction, tuple(postings))


@settings(max_examples=200, deadline=None)
@given(contents(), st.binary(min_size=16, max_size=16), st.sampled_from([1, 2]))
def test_both_make_the_same_leaf_of_whatever_a_column_may_hold(made: Content, secret: bytes, form: int) -> None:
    through_a_file: Any = json.loads(json.dumps(line_of(made)))
    theirs = verify.leaf_of(through_a_file["transaction"], through_a_file["postings"], secret, form)
    assert seals.leaf_of(made, secret, form=form) == theirs


@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(min_size=32, max_size=32), max_size=5))
def test_both_make_the_same_chain(before: bytes, leaves: list[bytes]) -> None:
    theirs = before
    for leaf in leaves:
        theirs = verify.link(theirs, leaf)
    assert seals.chain(before, leaves) == theirs


@given(st.recursive(values, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))
def test_both_write_the_same_json(value: object) -> None:
    assert seals.canonical(value) == verify.canonical(value)


# --------------------------------------------------------------------------------------------------- an export


def test_a_ledger_as_it_was_signed_is_verified(evidence: Evidence) -> None:
    assert evidence.verify() == []


def test_what_came_behind_the_last_checkpoint_is_no_break(evidence: Evidence) -> None:
    behind = content(10)
    [seal] = seals.make_seals([behind], [salt(10)], first=10)
    line = {"position": 10, "transaction_id": seal.transaction_id, "salt": salt(10).hex(), "leaf": seal.leaf.hex()}
    line["form"] = seal.form
    assert evidence.verify([*evidence.lines, {**line, **line_of(behind)}, unsealed(11)]) == []
    broken = evidence.verify([*evidence.lines, {**line, **line_of(content(10, amount=7))}])
    assert [told.partition(": ")[2].partition(":")[0] for told in broken] == ["altered"]


@pytest.mark.parametrize("column", [column for column in TRANSACTION_COLUMNS if column != "id"])
@pytest.mark.parametrize("position", [1, 5, 9])
def test_an_altered_column_is_named(evidence: Evidence, column: str, position: int) -> None:
    lines = copy.deepcopy(evidence.lines)
    lines[position - 1]["transaction"][column] = "x"
    [told] = evidence.verify(lines)
    assert told.startswith(f"transaction {position:032x} at position {position}: altered")


def test_all_that_is_altered_is_named_up_to_a_number(evidence: Evidence) -> None:
    lines = copy.deepcopy(evidence.lines)
    for line in (lines[1], lines[7]):
        line["postings"][0]["amount"] += 1
    assert [told.split()[1] for told in evidence.verify(lines)] == [f"{2:032x}", f"{8:032x}"]


def _without(lines: list[dict[str, Any]], position: int) -> list[dict[str, Any]]:
    rest = [line for line in lines if line["position"] != position]
    return [{**line, "position": number} for number, line in enumerate(rest, start=1)]


@pytest.mark.parametrize("position", [1, 4, 9])
def test_a_removed_transaction_is_named(evidence: Evidence, position: int) -> None:
    for lines in (_without(evidence.lines, position), [x for x in evidence.lines if x["position"] != position]):
        assert evidence.verify(lines)[0].startswith(f"transaction {position:032x} at position {position}: removed")


def test_a_removed_tail_is_named(evidence: Evidence) -> None:
    assert evidence.verify(evidence.lines[:7])[0].startswith(f"transaction {8:032x} at position 8: removed")
    assert evidence.verify([])[0].startswith(f"transaction {1:032x} at position 1: removed")


def test_an_inserted_transaction_is_named(evidence: Evidence) -> None:
    new = {**evidence.lines[4], **line_of(content(77)), "transaction_id": f"{77:032x}"}
    lines = [*evidence.lines[:4], new, *evidence.lines[4:]]
    lines = [{**line, "position": number} for number, line in enumerate(lines, start=1)]
    assert evidence.verify(lines)[0].startswith(f"transaction {77:032x} at position 5: inserted")


def test_reordered_transactions_are_named(evidence: Evidence) -> None:
    lines = copy.deepcopy(evidence.lines)
    lines[1], lines[7] = {**lines[7], "position": 2}, {**lines[1], "position": 8}
    assert evidence.verify(lines)[0].startswith(f"transaction {2:032x} at position 2: reordered")


def test_what_waits_and_is_dated_too_early_was_inserted(evidence: Evidence) -> None:
    late = unsealed(77, at="2026-11-22T06:26:00")
    assert evidence.verify([*evidence.lines, late]) == []  # a slow commit
    early = unsealed(78, at="2026-11-22T06:20:00")
    assert evidence.verify([*evidence.lines, early])[0].startswith(f"transaction {78:032x}: inserted")


def test_what_has_no_seal_and_does_not_wait_was_inserted(evidence: Evidence) -> None:
    hidden = {**unsealed(77), "waiting": False}
    assert evidence.verify([*evidence.lines, hidden])[0].startswith(f"transaction {77:032x}: inserted")


def test_postings_of_no_transaction_were_inserted(evidence: Evidence) -> None:
    for waits in (True, False):
        orphan = {**unsealed(77), "transaction": None, "waiting": waits}
        assert evidence.verify([*evidence.lines, orphan])[0].startswith(f"transaction {77:032x}: inserted")


def test_another_account_of_ours_shows_in_the_balances(evidence: Evidence) -> None:
    assert "balances" in evidence.verify(accounts={US: "gateway:cashfree"})[0]


def _signed_anew(evidence: Evidence, *wrong: int, make: Any) -> None:
    """Writes every checkpoint again, those that are `wrong` with other balances, all of them signed and linked."""
    previous = seals.BEGINNING
    for number, (checkpoint, made) in enumerate(evidence.made, start=1):
        balances = make(checkpoint.balances) if number in wrong else checkpoint.balances
        again = replace(checkpoint, previous=previous, balances=balances)
        evidence.put(again, made)
        previous = again.digest


def test_what_is_altered_behind_a_false_statement_is_named_all_the_same(evidence: Evidence) -> None:
    """Somebody had false balances signed, which nobody can take back, to be unwatched from there on."""
    _signed_anew(evidence, 2, make=lambda _: {"INR": {"gateway:razorpay": -7, "wallets": 7}})
    assert evidence.verify() == ["checkpoint 2: its balances are not those of the ledger"], "told once"
    lines = copy.deepcopy(evidence.lines)
    lines[8]["transaction"]["description"] = "x"
    told = evidence.verify(lines)
    assert told[0] == "checkpoint 2: its balances are not those of the ledger"
    assert told[1].startswith(f"transaction {9:032x} at position 9: altered")


def test_what_is_equal_to_a_whole_number_and_none_is_refused(evidence: Evidence) -> None:
    floats = {"INR": {"gateway:razorpay": -100.0, "wallets": 100.0}}
    _signed_anew(evidence, 3, make=lambda _: floats)
    assert evidence.verify()[0] == "checkpoint 3: a number in it is not whole"
    proof = evidence.proof(9)
    proof["statement"]["last"] = 9.0
    proof["signature"] = base64.b64encode(
        KEY.sign(hashlib.sha256(verify.canonical(proof["statement"])).digest())
    ).decode()
    with pytest.raises(verify.UnreadableError, match="a number in the checkpoint's statement is not whole"):
        verified(proof)


def test_what_was_sealed_late_is_named_and_is_no_break(evidence: Evidence) -> None:
    """It was the sealer that was away, or somebody who kept it from the sealer: for people to know."""
    previous = seals.BEGINNING
    for number, (checkpoint, made) in enumerate(evidence.made, start=1):
        hour = "06:45:00.000001" if number < 3 else "06:45:00.000009"
        again = replace(checkpoint, previous=previous, sealed_at=f"2026-11-22T{hour}Z")
        evidence.put(again, made)
        previous = again.digest
    report = evidence.report()
    assert report.breaks == []
    written, sealed = "2026-11-22T06:30:00.000008Z", "2026-11-22T06:45:00.000009Z"
    wanted = [f"LATE transaction {8:032x} at position 8: written {written}, sealed {sealed}"]
    assert [line for line in report.lines if line.startswith("LATE")] == wanted
    assert "1 transactions were sealed later than 15 minutes after they were written" in report.lines[0]


# ------------------------------------------------------------------------------------------------- checkpoints


def test_a_missing_checkpoint_is_named(evidence: Evidence) -> None:
    (evidence.folder / checkpoints.object_key(2)).unlink()
    assert evidence.verify()[0].startswith("checkpoint 2 is missing")


@pytest.mark.parametrize(
    "name", ["format", "balances", "ledger", "number", "first", "last", "previous", "sealed_at", "entries"]
)
def test_an_altered_statement_is_named(evidence: Evidence, name: str) -> None:
    path = evidence.folder / checkpoints.object_key(2)
    told = json.loads(path.read_bytes())
    told["statement"][name] = 99 if isinstance(told["statement"][name], int) else "f" * 64
    path.write_text(json.dumps(told))
    assert evidence.verify()[0].startswith("checkpoint 2")


@pytest.mark.parametrize(
    "changes",
    [
        {"ledger": "cd" * 16},
        {"previous": b"\1" * 32},
        {"chain_before": b"\1" * 32},
        {"chain": b"\1" * 32},
        {"first": 3},
        {"number": 7},
        {"entries": b"\1" * 32},
        {"balances": {"INR": {"wallets": 1}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_checkpoint_that_does_not_follow_is_named_though_it_is_signed(
    evidence: Evidence, changes: dict[str, Any]
) -> None:
    checkpoint, made = evidence.made[1]
    forged = replace(checkpoint, **changes)
    path = evidence.folder / checkpoints.object_key(2)
    path.write_bytes(checkpoints.published(forged, checkpoints.entries_of(made), KEY.sign(forged.digest)))
    assert evidence.verify()[0].startswith("checkpoint 2:")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"statement": 1, "entries": [], "signature": ""}', "\x00"])
def test_what_is_no_checkpoint_is_named(evidence: Evidence, text: str) -> None:
    (evidence.folder / checkpoints.object_key(3)).write_text(text)
    assert evidence.verify()[0].startswith("checkpoint 3")


@pytest.mark.parametrize(
    "text", ['{"statement": {}, "statement": {}}', "[" * 100_000], ids=["twice", "nested too deep"]
)
def test_what_two_readers_would_read_otherwise_is_no_checkpoint(evidence: Evidence, text: str) -> None:
    (evidence.folder / checkpoints.object_key(3)).write_text(text)
    assert evidence.verify()[0].startswith("checkpoint 3 can't be read")


# ------------------------------------------------------------------------------------------------------ proofs


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in _leaves(inner, (*path, name))]
    if isinstance(value, list):
        return [found for index, inner in enumerate(value) for found in _leaves(inner, (*path, index))]
    return [path]


def test_whatever_is_altered_in_a_proof_shows(evidence: Evidence) -> None:
    proof = evidence.proof(5)
    for path in _leaves(proof):
        forged: Any = copy.deepcopy(proof)
        *way, last = path
        place = forged
        for step in way:
            place = place[step]
        old = place[last]
        place[last] = old + 1 if isinstance(old, int) else ("1" if str(old)[:1] == "0" else "0") + str(old or "")[1:]
        with suppress(verify.UnreadableError):
            assert verified(forged).breaks or path in _FOR_THE_OTHER_SIDE, f"{path} may be altered"


#: By these whoever knows the other side's wallet sees that it is that one: altered, they say of no wallet that it is.
_FOR_THE_OTHER_SIDE = (("lines", 0, "salt"), ("lines", 0, "hidden"))


def test_a_proof_can_not_drop_or_add_what_is_behind_it(evidence: Evidence) -> None:
    for changed in ([], ["00" * 32], None):
        proof = evidence.proof(4)
        proof["after"] = [*proof["after"], *proof["after"]] if changed is None else changed
        assert verified(proof).breaks


# -------------------------------------------------------------------------------------------------- the command


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    """The file by itself, in another folder, without anything that is installed here."""
    return subprocess.run(
        [sys.executable, "-I", "-S", ROOT / "verifier/verify.py", *map(str, arguments)],
        cwd="/",
        env={},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_says_by_its_status_what_it_found(evidence: Evidence, tmp_path: Path) -> None:
    evidence.verify()
    key, export, folder = tmp_path / "key.pem", tmp_path / "export.jsonl", tmp_path / "checkpoints"
    key.write_bytes(KEY.pem)
    good = run(export, folder, key)
    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "verified")
    export.write_text(export.read_text().replace('"amount": 100', '"amount": 101', 1))
    bad = run(export, folder, key)
    assert (bad.returncode, bad.stdout.splitlines()[-1]) == (1, "broken")
    assert f"BROKEN transaction {1:032x} at position 1: altered" in bad.stdout
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps(evidence.proof(5)))
    assert run("proof", proof, key).returncode == 0
    proof.write_text(proof.read_text().replace('"amount": 100', '"amount": 101', 1))
    assert run("proof", proof, key).returncode == 1


@pytest.mark.parametrize(
    "text",
    ["", "[]\n", "{}\n", '{"format": "wallet export 1", "ledger": "x", "accounts": {}}\n', "x"],
    ids=["nothing", "no object", "another format", "cut off", "no JSON"],
)
def test_what_is_no_whole_export_verifies_nothing(evidence: Evidence, tmp_path: Path, text: str) -> None:
    export, key = tmp_path / "export.jsonl", tmp_path / "key.pem"
    export.write_text(text)
    key.write_bytes(KEY.pem)
    found = run(export, evidence.folder / "checkpoints", key)
    assert found.returncode != 0
    assert "verified" not in found.stdout.splitlines()


@pytest.mark.parametrize("name", ["transaction", "amount"])
def test_a_name_that_is_there_twice_verifies_nothing(evidence: Evidence, tmp_path: Path, name: str) -> None:
    evidence.verify()
    export, proof, key = tmp_path / "export.jsonl", tmp_path / "proof.json", tmp_path / "key.pem"
    key.write_bytes(KEY.pem)
    proof.write_text(json.dumps(evidence.proof(5)))
    for path, arguments in ((export, (export, tmp_path / "checkpoints")), (proof, ("proof", proof))):
        assert run(*arguments, key).returncode == 0
        path.write_text(path.read_text().replace(f'"{name}": ', f'"{name}": 1, "{name}": ', 1))
        found = run(*arguments, key)
        assert (found.returncode, "a name is there twice" in found.stderr) == (2, True)


def test_what_is_nested_too_deep_verifies_nothing(tmp_path: Path) -> None:
    proof, key = tmp_path / "proof.json", tmp_path / "key.pem"
    key.write_bytes(KEY.pem)
    for text in ("[" * 100_000, '{"format": "wallet proof 1", "statement": ' + '{"a":' * 100_000):
        proof.write_text(text)
        found = run("proof", proof, key)
        assert (found.returncode, "can't be verified" in found.stderr) == (2, True)


def test_without_a_checkpoint_or_a_key_nothing_is_verified(evidence: Evidence, tmp_path: Path) -> None:
    evidence.verify()
    empty = tmp_path / "empty"
    empty.mkdir()
    key = tmp_path / "key.pem"
    key.write_bytes(KEY.pem)
    assert run(tmp_path / "export.jsonl", empty, key).returncode == 2
    assert run(tmp_path / "export.jsonl", evidence.folder / "checkpoints", tmp_path / "none.pem").returncode == 2


def test_the_verifier_is_one_file_of_the_standard_library_alone() -> None:
    tree = ast.parse((ROOT / "verifier/verify.py").read_text())
    used = {
        (node.module or "" if isinstance(node, ast.ImportFrom) else alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert used <= sys.stdlib_module_names
    assert [path.name for path in (ROOT / "verifier").glob("*.py")] == ["verify.py"]
