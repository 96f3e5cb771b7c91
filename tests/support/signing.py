"""A key of the tests' own, and a folder in which checkpoints are kept: what KMS and S3 are to a deployed ledger."""

from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from wallet.channels.evidence import OtherEvidenceError


class Key:
    """An RSA key, as KMS has one."""

    def __init__(self, bits: int = 3072) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    def sign(self, digest: bytes) -> bytes:
        """The signature over a SHA-256."""
        return self.private.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))

    def public_key(self) -> bytes:
        """The public half, as KMS gives it."""
        return self.der

    @property
    def der(self) -> bytes:
        """The public half."""
        return self._public(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The public half, as people hand it around."""
        return self._public(serialization.Encoding.PEM)

    def _public(self, encoding: serialization.Encoding) -> bytes:
        return self.private.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


class Folder:
    """Keeps each name once, as a bucket with a lock does; a test may alter what nobody could alter there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self, name: str, content: bytes) -> None:
        """Keeps it, unless something else is kept under the name."""
        file = self.path / name
        if file.exists() and file.read_bytes() != content:
            raise OtherEvidenceError(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def kept(self, name: str) -> bytes | None:
        """What is kept under a name."""
        file = self.path / name
        return file.read_bytes() if file.exists() else None

    def read(self, name: str) -> tuple[bytes, int] | None:
        """What is kept under a name, which was put there once."""
        file = self.path / name
        return (file.read_bytes(), 1) if file.exists() else None

    def behind(self, name: str) -> Iterator[str]:
        """The names behind this one."""
        names = sorted(str(file.relative_to(self.path)) for file in self.path.rglob("*.json*"))
        return (found for found in names if found.startswith("checkpoints/") and found > name)
