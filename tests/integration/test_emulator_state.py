"""What the AWS emulator has on the disk: a whole stack from the first deployment on, however it is ended."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.aws import REGION, Emulator
from local.processes import LocalStackError
from local.state import State

BUCKET, OBJECT = "checkpoints", "checkpoints/000000000001.json"


@dataclass(frozen=True, slots=True)
class Deployed:
    """An emulator with a small stack in it, and a checkpoint that was published when the deployment was done."""

    emulator: Emulator
    parts: dict[str, Any]
    checkpoint: dict[str, Any]

    def is_whole(self) -> bool:
        """Whether all of it is there, as it was."""
        return (what_it_is_made_of(self.emulator), published(self.emulator)) == (self.parts, self.checkpoint)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with started(tmp_path_factory.mktemp("emulator")) as emulator:
        parts = deploy(emulator)
        assert emulator.end_deployment()
        yield Deployed(emulator, parts, put(emulator))


@contextmanager
def started(folder: Path) -> Iterator[Emulator]:
    state = State(folder)
    emulator = Emulator(state, state.port("ministack"))
    emulator.ensure()
    try:
        yield emulator
    finally:
        emulator.stop()


def client(emulator: Emulator, service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]  # a name that isn't a literal
        service,
        endpoint_url=emulator.url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def kill(emulator: Emulator) -> None:
    """As a `kill -9` of the emulator and all of its processes; returns when it is gone."""
    daemon = emulator.state.daemon("ministack")
    pid = daemon.pid()
    assert pid is not None
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert daemon.pid() is None


def deploy(emulator: Emulator) -> dict[str, Any]:
    """What a stack is made of, as a deployment makes it; what identifies it."""
    emulator.begin_deployment()
    s3 = client(emulator, "s3")
    s3.create_bucket(
        Bucket=BUCKET,
        CreateBucketConfiguration={"LocationConstraint": REGION},
        ObjectLockEnabledForBucket=True,
    )
    s3.put_object_lock_configuration(
        Bucket=BUCKET,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
        },
    )
    client(emulator, "kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
    client(emulator, "secretsmanager").create_secret(Name="token", SecretString="never told")
    client(emulator, "secretsmanager").create_secret(Name="rotated", SecretString="old")
    return what_it_is_made_of(emulator)


def what_it_is_made_of(emulator: Emulator) -> dict[str, Any]:
    kms, secrets = client(emulator, "kms"), client(emulator, "secretsmanager")
    keys = [key["KeyId"] for key in kms.list_keys()["Keys"]]
    return {
        "buckets": [bucket["Name"] for bucket in client(emulator, "s3").list_buckets()["Buckets"]],
        "keys": {key: kms.get_public_key(KeyId=key)["PublicKey"] for key in keys},
        "secrets": {one["Name"]: secrets.get_secret_value(SecretId=one["Name"])["SecretString"] for one in
                    secrets.list_secrets()["SecretList"] if one["Name"] != "rotated"},
    }  # fmt: skip


def put(emulator: Emulator) -> dict[str, Any]:
    client(emulator, "s3").put_object(Bucket=BUCKET, Key=OBJECT, Body=b'{"number": 1}', IfNoneMatch="*")
    return published(emulator)


def published(emulator: Emulator, name: str = OBJECT) -> dict[str, Any]:
    found = client(emulator, "s3").get_object(Bucket=BUCKET, Key=name)
    return {
        "body": found["Body"].read(),
        "version": found["VersionId"],
        "locked": (found["ObjectLockMode"], found["ObjectLockRetainUntilDate"]),
    }


def test_killed_after_its_deployment_it_has_what_it_was_made_of_and_every_object_with_its_lock(
    deployed: Deployed,
) -> None:
    emulator, until = deployed.emulator, deployed.checkpoint["locked"][1].replace(year=2099)
    s3 = client(emulator, "s3")
    version = s3.put_object(Bucket=BUCKET, Key="prolonged", Body=b"{}")["VersionId"]
    s3.put_object_retention(Bucket=BUCKET, Key="prolonged", Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until})
    s3.put_object_legal_hold(Bucket=BUCKET, Key=OBJECT, LegalHold={"Status": "ON"})
    client(emulator, "secretsmanager").put_secret_value(SecretId="rotated", SecretString="new")
    kill(emulator)
    emulator.ensure()
    assert deployed.is_whole()
    rotated = client(emulator, "secretsmanager").get_secret_value(SecretId="rotated", VersionStage="AWSCURRENT")
    assert rotated["SecretString"] == "new"
    assert published(emulator, "prolonged")["locked"] == ("COMPLIANCE", until)
    assert s3.get_object_legal_hold(Bucket=BUCKET, Key=OBJECT)["LegalHold"]["Status"] == "ON"
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=BUCKET, Key="prolonged", VersionId=version)
    kms, key = client(emulator, "kms"), next(iter(deployed.parts["keys"]))
    assert kms.sign(KeyId=key, Message=b"chain", SigningAlgorithm="ECDSA_SHA_256")["Signature"]


@pytest.mark.parametrize("how", [kill, Emulator.stop])
def test_a_deployment_that_is_cut_off_later_is_undone(deployed: Deployed, how: Callable[[Emulator], None]) -> None:
    emulator = deployed.emulator
    emulator.begin_deployment()
    secrets = client(emulator, "secretsmanager")
    secrets.update_secret(SecretId="token", SecretString="of half a deployment")
    secrets.create_secret(Name="another", SecretString="of half a deployment")
    how(emulator)
    emulator.ensure()
    assert deployed.is_whole()


def test_a_deployment_that_failed_is_undone_before_the_next_one(deployed: Deployed) -> None:
    emulator = deployed.emulator
    emulator.begin_deployment()
    client(emulator, "secretsmanager").create_secret(Name="another", SecretString="of half a deployment")
    assert not emulator.serves()
    emulator.ensure()
    assert deployed.is_whole()


def test_nothing_is_saved_again_where_nothing_was_deployed(deployed: Deployed) -> None:
    pid = deployed.emulator.state.daemon("ministack").pid()
    assert not deployed.emulator.end_deployment()
    assert deployed.emulator.state.daemon("ministack").pid() == pid


def test_a_later_deployment_is_saved_while_the_emulator_runs(deployed: Deployed) -> None:
    emulator = deployed.emulator
    pid = emulator.state.daemon("ministack").pid()
    for bucket in ("later", "later-still"):
        emulator.begin_deployment()
        client(emulator, "s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        assert emulator.end_deployment()
    assert emulator.state.daemon("ministack").pid() == pid
    kill(emulator)
    emulator.ensure()
    assert {"later", "later-still"} <= set(what_it_is_made_of(emulator)["buckets"])
    emulator.begin_deployment()
    for bucket in ("later", "later-still"):
        client(emulator, "s3").delete_bucket(Bucket=bucket)
    emulator.end_deployment()
    assert deployed.is_whole()


def test_what_can_not_be_saved_whole_is_said_and_what_was_saved_before_stays(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.aws._SAVE_S", 0.0)  # until it is tried by ending it
    emulator = deployed.emulator
    emulator.begin_deployment()
    client(emulator, "secretsmanager").create_secret(Name="another", SecretString="of a deployment that isn't saved")
    # where the next state is to be written there is something that it can't replace
    in_the_way = ({"saved-1", "saved-2"} - {(emulator.folder / "saved").resolve().name}).pop()
    (emulator.folder / in_the_way).write_text("no folder")
    with pytest.raises(LocalStackError, match=r"did not save what was deployed[\s\S]*ministack\.log"):
        emulator.end_deployment()
    (emulator.folder / in_the_way).unlink()
    emulator.ensure()
    assert deployed.is_whole()


def test_ended_before_its_first_deployment_is_done_it_has_saved_nothing(tmp_path: Path) -> None:
    with started(tmp_path) as emulator:
        deploy(emulator)
        emulator.stop()
        assert not emulator.is_saved
        assert emulator.folder.exists()
        emulator.forget()
        assert not emulator.folder.exists()
