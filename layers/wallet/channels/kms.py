"""KMS, as the key that signs checkpoints: nobody has it, and each use of it is on record in CloudTrail."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wallet.channels.evidence import EvidenceUnavailableError
from wallet.channels.kept import KeptUnavailableError, public_key_of
from wallet.channels.said import said

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsSigner:
    """One RSA key, by its ARN."""

    def __init__(self, client: "KMSClient", key: str) -> None:
        self._client = client
        self._key = key
        self._public: bytes | None = None

    def public_key(self) -> bytes:
        """The public half, asked for once: a key of KMS never changes."""
        if self._public is None:
            try:
                self._public = public_key_of(self._client, self._key)
            except KeptUnavailableError as error:
                raise EvidenceUnavailableError(str(error)) from error
        return self._public

    def sign(self, digest: bytes) -> bytes:
        """Has the key sign a SHA-256: a message itself may have 4 KB at most."""
        try:
            answer = self._client.sign(
                KeyId=self._key,
                Message=digest,
                MessageType="DIGEST",
                SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
            )
        except (BotoCoreError, ClientError) as error:
            raise EvidenceUnavailableError(f"KMS did not sign: {said(error)}") from error
        return answer["Signature"]
