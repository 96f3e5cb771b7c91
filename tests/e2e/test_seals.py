"""What was paid over HTTP is in a signed checkpoint, in the bucket that the template made."""

import base64
import hashlib
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from local.aws import REGION
from local.invocation import newest_checkpoint
from tests.support.client import Api, wait_until
from tests.support.vault import text_of
from wallet.ledger import ids


def client(api: Api, service: Any) -> Any:
    session = boto3.Session("test", "test", region_name=REGION)
    return session.client(service, endpoint_url=api.stack["aws_endpoint_url"])


def test_every_transaction_is_sealed_signed_and_kept(api: Api, select: Any) -> None:
    asha, shop = api.person(money=10_000), api.person(kind="merchant")
    paid = asha.pay(shop, 600).body["transaction_id"]
    transaction_id = ids.read(ids.TRANSACTION, paid)
    assert transaction_id is not None

    def is_published() -> bool:  # by this run of the sealer, or by the schedule's
        api.let_the_clock_run("seal")
        found = select(
            "SELECT c.published_at FROM seals s JOIN checkpoints c"
            " ON s.position BETWEEN c.first_position AND c.last_position WHERE s.transaction_id = %s",
            transaction_id.bytes,
        )
        return bool(found) and found[0]["published_at"] is not None

    wait_until(is_published)
    (sealed,) = select("SELECT position, leaf FROM seals WHERE transaction_id = %s", transaction_id.bytes)
    assert not select("SELECT * FROM unsealed WHERE transaction_id = %s", transaction_id.bytes)
    (under,) = select(
        "SELECT number, published_at FROM checkpoints WHERE %s BETWEEN first_position AND last_position",
        sealed["position"],
    )
    assert under["published_at"] is not None

    kept = client(api, "s3").get_object(
        Bucket=api.stack["checkpoint_bucket"], Key=f"checkpoints/{under['number']:012}.json"
    )
    assert kept["ObjectLockMode"] == "GOVERNANCE"
    text = kept["Body"].read().decode()
    assert f'["{transaction_id.hex}","{sealed["leaf"].hex()}"]' in text


def test_the_newest_checkpoint_is_signed_by_the_templates_key(api: Api, select: Any) -> None:
    api.person(money=10_000)
    api.let_the_clock_run("seal")
    _, told, _ = newest_checkpoint(api.stack)
    key = load_der_public_key(client(api, "kms").get_public_key(KeyId=api.stack["checkpoint_key"])["PublicKey"])
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(base64.b64decode(told["signature"]), text_of(told["statement"]), padding.PKCS1v15(), hashes.SHA256())
    assert told["statement"]["entries"] == hashlib.sha256(text_of(told["entries"])).hexdigest()
    assert told["statement"]["ledger"] == select("SELECT id FROM ledger_identity")[0]["id"].hex()


def test_a_checkpoint_is_not_taken_away(api: Api) -> None:
    api.person(money=10_000)
    api.let_the_clock_run("seal")
    name, _, _ = newest_checkpoint(api.stack)
    s3, bucket = client(api, "s3"), api.stack["checkpoint_bucket"]
    (version,) = s3.list_object_versions(Bucket=bucket, Prefix=name)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key=name, VersionId=version["VersionId"])
