"""The audit of the deployed stack, as `make audit` runs it, and a proof as a party gets it over HTTP."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.__main__ import main
from local.aws import REGION
from local.state import ROOT
from tests.support.client import Answer, Api, pointed_at, wait_until
from tests.support.problems import problem
from wallet.ledger import ids

_TRIGGER = (
    "CREATE TRIGGER transactions_are_not_changed BEFORE UPDATE ON transactions FOR EACH ROW"
    " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows'"
)


def command(*arguments: str) -> int:
    named = pointed_at()
    state = Path(named).parent if named is not None else ROOT / ".local" / "test"
    return main([*arguments, "--state", str(state)])


def proof_of(person: Any, transaction: str) -> Answer:
    answer: Answer = person.get(f"/wallet/transactions/{transaction}/proof")
    return answer


def sealed(api: Api, person: Any, transaction: str) -> Any:
    """The proof of a transaction, which is there when the sealer has run: this one, or the schedule's."""

    def is_there() -> bool:
        api.let_the_clock_run("seal")
        return proof_of(person, transaction).status == 200

    wait_until(is_there)
    return proof_of(person, transaction).body


def verifier(*arguments: object) -> "subprocess.CompletedProcess[str]":
    program = str(ROOT / "verifier" / "verify.py")
    return subprocess.run(
        [sys.executable, "-I", program, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@contextmanager
def rewritten(select: Any, transaction: str) -> Iterator[None]:
    """Within it a byte of a transaction is another one, as the database's owner can have it."""
    key = ids.read(ids.TRANSACTION, transaction)
    assert key is not None
    select("DROP TRIGGER transactions_are_not_changed")
    try:
        select("UPDATE transactions SET description = 'tea' WHERE id = %s", key.bytes)
        yield
    finally:
        select("UPDATE transactions SET description = 'sea' WHERE id = %s", key.bytes)
        select(_TRIGGER)


def test_the_audit_passes_and_names_the_transaction_that_its_owner_altered(
    api: Api, select: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asha, bela = api.person(money=5_000), api.person()
    paid = asha.pay(bela, 100, description="sea").body["transaction_id"]
    key = ids.read(ids.TRANSACTION, paid)
    assert key is not None
    sealed(api, asha, paid)
    assert command("audit") == 0, capsys.readouterr().out
    capsys.readouterr()
    with rewritten(select, paid):
        assert command("audit") == 1
        told = capsys.readouterr().out
        assert f"altered: transaction {key.hex}" in told
        assert "✗ every sealed transaction is as it was sealed" in told
        assert command("export", "--folder", str(tmp_path / "export")) == 0
    assert verify_export(tmp_path / "export").returncode == 1
    assert command("audit") == 0
    assert command("export", "--folder", str(tmp_path / "export")) == 0
    found = verify_export(tmp_path / "export")
    assert (found.returncode, found.stdout.splitlines()[-1]) == (0, "verified")


def verify_export(folder: Path) -> "subprocess.CompletedProcess[str]":
    return verifier(folder / "ledger.jsonl", folder / "checkpoints", folder / "public-key.der")


def test_both_parties_get_a_proof_that_a_stranger_can_verify_and_nobody_else_does(api: Api, tmp_path: Path) -> None:
    asha, bela = api.person(money=5_000), api.person()
    paid = asha.pay(bela, 100).body["transaction_id"]
    session = boto3.Session("test", "test", region_name=REGION)
    kms = session.client("kms", endpoint_url=api.stack["aws_endpoint_url"])
    key = tmp_path / "key.der"
    key.write_bytes(kms.get_public_key(KeyId=api.stack["checkpoint_key"])["PublicKey"])
    for person in (asha, bela):
        proof = tmp_path / "proof.json"
        proof.write_text(json.dumps(sealed(api, person, paid)))
        assert verifier("proof", proof, key).returncode == 0
    problem(proof_of(api.person(), paid), 404, "not_found")
    problem(proof_of(asha, "txn_0"), 404, "not_found")
