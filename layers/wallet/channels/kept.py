"""Reading the evidence: what is kept in a bucket under a name, and the public half of the key that signed it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from wallet.channels.said import said

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

_MISSING = frozenset({"NoSuchKey", "404", "NoSuchVersion"})


class KeptUnavailableError(Exception):
    """What is kept can't be looked at now: nothing is known about it."""


class Kept(Protocol):
    """What is kept, by name. Of several versions under one name the first counts, and the others are told."""

    def read(self, name: str) -> tuple[bytes, int] | None:
        """What was kept first under a name, and how often something was done to that name; None if nothing is kept.

        Raises KeptUnavailableError.
        """
        ...

    def behind(self, name: str) -> Iterator[str]:
        """Every name behind this one, in their order. Raises KeptUnavailableError."""
        ...


class KeptInBucket:
    """A bucket with versions: who may put and delete can still hide what is locked, by a version or a marker before it.

    So the oldest version is read, and everything that came after it is counted.
    """

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        """`prefix` is what all names begin with there, and nowhere else."""
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def read(self, name: str) -> tuple[bytes, int] | None:
        """The oldest version, and how many versions and markers there are."""
        try:
            key = self._prefix + name
            versions, markers = self._history(key)
            if not versions:
                return None
            answer = self._client.get_object(Bucket=self._bucket, Key=key, VersionId=versions[-1])
            return answer["Body"].read(), len(versions) + markers
        except (BotoCoreError, ClientError) as error:
            if said(error) in _MISSING:
                return None
            raise KeptUnavailableError(f"S3 did not show {name}: {said(error)}") from error

    def behind(self, name: str) -> Iterator[str]:
        """The names of the objects behind another one, beside which they are."""
        after = self._prefix + name
        prefix = after.rpartition("/")[0] + "/"
        pages = self._client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, StartAfter=after):
                for found in page.get("Contents", []):
                    yield found["Key"].removeprefix(self._prefix)
        except (BotoCoreError, ClientError) as error:
            raise KeptUnavailableError(f"S3 did not list {prefix}: {said(error)}") from error

    def _history(self, key: str) -> tuple[list[str], int]:
        """The ids of an object's versions, the newest first as S3 has them, and how often it was marked as deleted."""
        versions, markers = [], 0
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key):
            versions += [version["VersionId"] for version in page.get("Versions", []) if version["Key"] == key]
            markers += len([marker for marker in page.get("DeleteMarkers", []) if marker["Key"] == key])
        return versions, markers


def public_key_of(client: "KMSClient", key: str) -> bytes:
    """The public half of a KMS key, as DER. Raises KeptUnavailableError."""
    try:
        return client.get_public_key(KeyId=key)["PublicKey"]
    except (BotoCoreError, ClientError) as error:
        raise KeptUnavailableError(f"KMS did not show the public key: {said(error)}") from error
