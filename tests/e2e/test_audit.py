"""The audit of the deployed stack, as `make audit` runs it, and a proof as a party gets it over HTTP."""

import base64
import hashlib
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
from tests.support.receipts import built_page, whole_numbers
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
    for person, other in ((asha, bela), (bela, asha)):
        proof = tmp_path / "proof.json"
        proof.write_text(json.dumps(sealed(api, person, paid)))
        assert verifier("proof", proof, key).returncode == 0
        assert verifier("proof", proof, key, "--other", other.wallet_id).returncode == 0
        assert verifier("proof", proof, key, "--other", person.wallet_id).returncode == 1
    problem(proof_of(api.person(), paid), 404, "not_found")
    problem(proof_of(asha, "txn_0"), 404, "not_found")


def test_what_is_shown_to_a_third_person_has_no_balance_and_is_checked_by_the_open_key(
    api: Api, tmp_path: Path
) -> None:
    asha, bela = api.person(money=5_000), api.person()
    paid = asha.pay(bela, 1_234, description="a secret").body["transaction_id"]
    proof = sealed(api, asha, paid)
    assert proof["format"] == "wallet proof 2"
    wallet_id, other_id = (ids.read(ids.WALLET, one.wallet_id) for one in (asha, bela))
    assert wallet_id is not None
    assert other_id is not None
    [own] = [line["shown"] for line in proof["lines"] if "shown" in line]
    assert own == {"line": own["line"], "account_id": wallet_id.hex, "side": "debit", "amount": 1_234}
    text = json.dumps(proof)
    for hidden in ("balance_after", "a secret", other_id.hex, "gateway:", "wallets"):
        assert hidden not in text
    assert 3_766 not in whole_numbers(proof), "what she has left"

    answer = api.call("GET", "/proof-key")
    assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=3600")
    [told] = answer.body["keys"]
    key = base64.b64decode(told["public_key"])
    assert told["sha256"] == hashlib.sha256(key).hexdigest()
    (tmp_path / "key.der").write_bytes(key)
    (tmp_path / "proof.json").write_text(text)
    found = verifier("proof", tmp_path / "proof.json", tmp_path / "key.der")
    assert (found.returncode, told["sha256"] in found.stdout) == (0, True)
    (tmp_path / "proof.json").write_text(text.replace('"amount": 1234', '"amount": 9999'))
    assert verifier("proof", tmp_path / "proof.json", tmp_path / "key.der").returncode == 1
    page = built_page(tmp_path / "page")
    [verdict] = page.verdicts([text.encode()], [key], other=bela.wallet_id)
    assert (verdict["is"], verdict["other"], verdict["shown"]) == ("proven", True, [paid, asha.wallet_id])
