"""KMS and S3 as the sealer meets them, and an eye that knows only what is published.

They are MiniStack's, whose KMS signs a digest as AWS does.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import boto3
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from local.aws import REGION, Emulator
from local.state import State


def text_of(value: object) -> bytes:
    """JSON as it is hashed and signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Vault:
    """The services for one test session; `bucket` makes a place for one chain."""

    def __init__(self, state: State, secrets: Mapping[str, object]) -> None:
        self._emulator = Emulator(state, state.port("ministack"))
        self._secrets = secrets
        self._buckets = 0

    def __enter__(self) -> Self:
        self._emulator.ensure()
        manager: Any = self.client("secretsmanager")
        for name, value in self._secrets.items():
            manager.create_secret(Name=name, SecretString=json.dumps(value))
        self.key: str = self.client("kms").create_key(KeySpec="RSA_3072", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._emulator.stop()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self._emulator.port

    def client(self, service: Any) -> Any:
        """A client of it."""
        session = boto3.Session("test", "test", region_name=REGION)
        return session.client(service, endpoint_url=self._emulator.url)

    def new_bucket(self) -> str:
        """A bucket as the template has it."""
        self._buckets += 1
        name = f"checkpoints-{self._buckets}"
        s3 = self.client("s3")
        s3.create_bucket(
            Bucket=name,
            ObjectLockEnabledForBucket=True,
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        retention = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
        lock = {"ObjectLockEnabled": "Enabled", "Rule": retention}
        s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock)
        return name

    def settings(self, bucket: str, *, url: str | None = None) -> dict[str, str]:
        """What a sealer needs to find it, by way of `url` if one is given."""
        return {
            "AWS_ENDPOINT_URL": url or self._emulator.url,
            "DATABASE_SECRET": "db/sealer",
            "CHECKPOINT_BUCKET": bucket,
            "CHECKPOINT_PREFIX": "",
            "CHECKPOINT_SIGNER": self.key,
        }

    def objects(self, bucket: str) -> list[dict[str, Any]]:
        """What is in a bucket, by name; fails if any name has a second version, or one is not locked."""
        s3 = self.client("s3")
        told = s3.list_object_versions(Bucket=bucket)
        assert not told.get("DeleteMarkers")
        names = [version["Key"] for version in told.get("Versions", [])]
        assert len(names) == len(set(names)), "an object was put twice"
        found = []
        for name in sorted(names):
            answer = s3.get_object(Bucket=bucket, Key=name)
            assert answer["ObjectLockMode"] == "COMPLIANCE"
            content = answer["Body"].read()
            assert content == text_of(json.loads(content))
            found.append(json.loads(content))
        assert names
        assert sorted(names) == [f"checkpoints/{number:012}.json" for number in range(1, len(names) + 1)]
        return found

    def entries(self, bucket: str) -> list[list[str]]:
        """The chain as the objects alone tell it: every [transaction, leaf], after checking each signature and link."""
        key = load_der_public_key(self.client("kms").get_public_key(KeyId=self.key)["PublicKey"])
        assert isinstance(key, rsa.RSAPublicKey)
        entries: list[list[str]] = []
        chain, previous = bytes(32), "0" * 64
        for number, told in enumerate(self.objects(bucket), 1):
            statement = told["statement"]
            signature = base64.b64decode(told["signature"])
            key.verify(signature, text_of(statement), padding.PKCS1v15(), hashes.SHA256())
            assert (statement["number"], statement["previous"]) == (number, previous)
            assert (statement["first"], statement["chain_before"]) == (len(entries) + 1, chain.hex())
            entries += told["entries"]
            for _, leaf in told["entries"]:
                chain = hashlib.sha256(b"wallet chain 1\n" + chain + bytes.fromhex(leaf)).digest()
            assert (statement["last"], statement["chain"]) == (len(entries), chain.hex())
            assert statement["entries"] == hashlib.sha256(text_of(told["entries"])).hexdigest()
            balances = statement["balances"]
            if statement["format"] == "wallet checkpoint 2":
                salt, balances = bytes.fromhex(told["opening"]["salt"]), told["opening"]["balances"]
                opened = hashlib.sha256(b"wallet balances 2\n" + salt + text_of(balances))
                assert statement["balances"] == opened.hexdigest()
            assert [sum(accounts.values()) for accounts in balances.values()] == [0]
            previous = hashlib.sha256(text_of(statement)).hexdigest()
        return entries
