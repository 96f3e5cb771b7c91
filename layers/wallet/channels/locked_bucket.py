"""S3 with Object Lock, as the place where evidence is kept."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wallet.channels.evidence import EvidenceUnavailableError, OtherEvidenceError
from wallet.channels.said import said

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Object Lock keeps every version of an object, but a second version is what a reader is then given: so there is none.
_NOBODY = "*"
_EXISTS = "PreconditionFailed"
_MISSING = "NoSuchKey"


class LockedBucket:
    """One bucket, or what in it begins with a prefix; its default retention locks what is put into it."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def keep(self, name: str, content: bytes) -> None:
        """Puts an object of this name if there is none; else looks whether it is the same."""
        try:
            if not self._put(name, content) and self._get(name) != content:
                raise OtherEvidenceError(f"the bucket has another {name}")
        except (BotoCoreError, ClientError) as error:
            raise EvidenceUnavailableError(f"S3 did not keep {name}: {said(error)}") from error

    def kept(self, name: str) -> bytes | None:
        """What is there under a name. That nothing is, S3 tells only who may list the bucket."""
        try:
            return self._get(name)
        except (BotoCoreError, ClientError) as error:
            if said(error) == _MISSING:
                return None
            raise EvidenceUnavailableError(f"S3 did not show {name}: {said(error)}") from error

    def _put(self, name: str, content: bytes) -> bool:
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + name,
                Body=content,
                ContentType="application/json",
                IfNoneMatch=_NOBODY,
                ChecksumAlgorithm="SHA256",
            )
        except ClientError as error:
            if said(error) != _EXISTS:
                raise
            return False
        return True

    def _get(self, name: str) -> bytes:
        return self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"].read()
