"""The deployed audit over a real database, KMS and S3: what it answers, what it logs, and when it fails."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.database import PrivateServer
from local.state import ROOT, State
from tests.integration.conftest import Functions
from tests.support.books import Books
from tests.support.functions import Function, FunctionDiedError
from tests.support.moves import pay
from tests.support.own_database import own_books
from tests.support.vault import Vault
from wallet.ledger.checkpoints import object_key

_TIMEOUT_S = 120


@pytest.fixture(scope="module")
def vault(books: Books, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    secrets = {
        f"db/{role}": {"username": books.credentials[role].username, "password": books.credentials[role].password}
        for role in ("sealer", "auditor")
    }
    with Vault(State(tmp_path_factory.mktemp("vault")), secrets) as started:
        yield started


@pytest.fixture(scope="module")
def own(server: PrivateServer) -> Iterator[Books]:
    with own_books(server, "audit_function") as books:
        yield books


class Place:
    """A sealed ledger, and the functions that look after it."""

    def __init__(self, books: Books, vault: Vault, functions: Functions) -> None:
        self.books, self.vault, self.functions = books, vault, functions
        self.bucket = vault.new_bucket()
        asha, bela = books.person(money=10_000), books.person()
        for table in ("unsealed", "seals", "checkpoints"):
            books.write(f"TRUNCATE TABLE {table}")
        books.write("INSERT INTO unsealed SELECT id FROM transactions")
        pay(books, asha, bela, 100)
        self.make("seal").invoke({}, timeout_s=60)

    def make(self, name: str, **changes: str) -> Function:
        role = {"seal": "sealer", "audit": "auditor"}[name]
        settings = {**self.vault.settings(self.bucket), "DATABASE_SECRET": f"db/{role}", **changes}
        return self.functions.make(name, DATABASE_NAME=self.books.server.database, **settings)

    def report(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.make("audit").invoke({"command": "report"}, timeout_s=_TIMEOUT_S)
        return answer

    def faults(self) -> list[str]:
        """What breaks anything."""
        return [fault for result in self.report()["results"] for fault in result["faults"]]


@pytest.fixture
def place(own: Books, vault: Vault, functions: Functions) -> Place:
    return Place(own, vault, functions)


def test_a_healthy_ledger_passes_and_that_is_on_record(place: Place) -> None:
    audit = place.make("audit")
    answer = audit.invoke({}, timeout_s=_TIMEOUT_S)
    assert answer["outcome"] == "passed", answer
    assert (answer["checkpoints"], answer["verified"]) == (1, 1)
    rows = place.books.select("SELECT outcome, checkpoints, verified FROM audits ORDER BY ended_at DESC LIMIT 1")
    assert rows == [{"outcome": "passed", "checkpoints": 1, "verified": 1}]


def test_a_break_is_an_error_of_the_run_and_its_log_names_the_transaction(place: Place) -> None:
    place.books.write("DROP TRIGGER IF EXISTS transactions_are_not_changed")
    [row] = place.books.select("SELECT transaction_id FROM seals ORDER BY position DESC LIMIT 1")
    victim: bytes = row["transaction_id"]
    place.books.write("UPDATE transactions SET reference = 'x' WHERE id = %s", victim)
    try:
        audit = place.make("audit")
        with pytest.raises(FunctionDiedError, match="UnhealthyRunError"):
            audit.invoke({}, timeout_s=_TIMEOUT_S)
        lines = [json.loads(line) for line in audit.logged().splitlines() if line.startswith("{")]
        [told] = [line for line in lines if line["message"] == "audit"]
        assert (told["code"], told["outcome"]) == ("as_sealed", "broken")
        assert f"altered: transaction {victim.hex()}" in told["faults"][0]
        assert any(f"altered: transaction {victim.hex()}" in fault for fault in place.faults())
        rows = place.books.select("SELECT outcome, faults FROM audits ORDER BY ended_at DESC LIMIT 1")
        assert rows[0]["outcome"] == "broken"
        assert victim.hex() in rows[0]["faults"]
    finally:
        place.books.write("UPDATE transactions SET reference = NULL WHERE id = %s", victim)


def test_a_second_version_of_a_checkpoint_is_told_and_not_believed(place: Place) -> None:
    s3 = place.vault.client("s3")
    content = s3.get_object(Bucket=place.bucket, Key=object_key(1))["Body"].read()
    s3.put_object(Bucket=place.bucket, Key=object_key(1), Body=content.replace(b'"number":1', b'"number":7'))
    assert place.faults() == ["checkpoint: checkpoint 1 (something was done 1 times to what is kept)"]


def test_a_checkpoint_that_is_hidden_by_a_marker_is_seen_all_the_same(place: Place) -> None:
    place.vault.client("s3").delete_object(Bucket=place.bucket, Key=object_key(1))
    assert place.faults() == ["checkpoint: checkpoint 1 (something was done 1 times to what is kept)"]


def test_an_empty_bucket_is_a_break(place: Place) -> None:
    place.bucket = place.vault.new_bucket()
    assert place.faults() == ["checkpoint: checkpoint 1 (it was published and is not kept any more)"]


def test_a_ledger_that_was_set_back_behind_what_was_published_goes_on_under_another_prefix(place: Place) -> None:
    """What is still true of the old checkpoints is taken along, byte for byte."""
    s3 = place.vault.client("s3")
    s3.put_object(Bucket=place.bucket, Key=object_key(2), Body=b"of transactions that a restore has lost")
    pay(place.books, place.books.person(money=10_000), place.books.person(), 100)
    with pytest.raises(FunctionDiedError, match="UnhealthyRunError"):
        place.make("seal").invoke({}, timeout_s=60)
    assert any("published_soon" in fault or "checkpoint 2" in fault for fault in place.faults())

    again = {"CHECKPOINT_PREFIX": "restored-1/"}
    kept = s3.get_object(Bucket=place.bucket, Key=object_key(1))["Body"].read()
    s3.put_object(Bucket=place.bucket, Key="restored-1/" + object_key(1), Body=kept, IfNoneMatch="*")
    place.make("seal", **again).invoke({}, timeout_s=60)
    answer = place.make("audit", **again).invoke({}, timeout_s=_TIMEOUT_S)
    assert (answer["outcome"], answer["checkpoints"], answer["verified"]) == ("passed", 2, 2)
    found = s3.list_objects_v2(Bucket=place.bucket, Prefix="restored-1/")["Contents"]
    assert [one["Key"] for one in found] == ["restored-1/" + object_key(1), "restored-1/" + object_key(2)]
    assert any("checkpoint 2" in fault for fault in place.faults()), "the old ones are no longer this ledger's"


@pytest.mark.parametrize("setting", ["CHECKPOINT_BUCKET", "CHECKPOINT_SIGNER"])
def test_an_audit_that_can_not_look_fails(place: Place, setting: str) -> None:
    changed = {"CHECKPOINT_BUCKET": "no-such-bucket", "CHECKPOINT_SIGNER": place.vault.key[:-12] + "0" * 12}
    audit = place.make("audit", **{setting: changed[setting]})
    before = place.books.select("SELECT COUNT(*) AS n FROM audits")
    with pytest.raises(FunctionDiedError, match="KeptUnavailableError"):
        audit.invoke({}, timeout_s=_TIMEOUT_S)
    assert place.books.select("SELECT COUNT(*) AS n FROM audits") == before


def test_a_deployed_ledger_is_exported_with_the_auditors_settings_and_can_be_verified(
    place: Place, tmp_path: Path
) -> None:
    environment = {"PATH": os.environ["PATH"], **place.make("audit").environment}
    exported = subprocess.run(
        [sys.executable, "-m", "local", "export", "--deployed", "--folder", tmp_path],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert exported.returncode == 0, exported.stderr
    kms = place.vault.client("kms")
    (tmp_path / "key.der").write_bytes(kms.get_public_key(KeyId=place.vault.key)["PublicKey"])
    content = place.vault.client("s3").get_object(Bucket=place.bucket, Key=object_key(1))["Body"].read()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / object_key(1)).write_bytes(content)
    told = (tmp_path / "ledger.jsonl", tmp_path / "checkpoints", tmp_path / "key.der")
    program = ROOT / "verifier" / "verify.py"
    verified = subprocess.run([sys.executable, "-I", program, *told], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stdout.splitlines()[-1]) == (0, "verified")
