"""What the wallet asks of those who keep its evidence: a key that signs, and a place where nothing is overwritten."""

from typing import Protocol


class EvidenceUnavailableError(Exception):
    """Key or place was not reached, or said no. Whether something was kept is not known: trying again is right."""


class OtherEvidenceError(Exception):
    """Something else is kept where this belongs: one of the two is not what happened, and a person must look."""


class Signer(Protocol):
    """A key that signs, and knows what it has signed; the same digest always gets the same signature."""

    def sign(self, digest: bytes) -> bytes:
        """The signature (RSASSA-PKCS1-v1.5) over a SHA-256. Raises EvidenceUnavailableError."""
        ...

    def public_key(self) -> bytes:
        """What its signatures are verified with, as DER. Raises EvidenceUnavailableError."""
        ...


class Archive(Protocol):
    """Where evidence is kept: each name once."""

    def keep(self, name: str, content: bytes) -> None:
        """Keeps it; done, too, if the very same is kept already.

        Raises EvidenceUnavailableError, and OtherEvidenceError if something else has this name.
        """
        ...

    def kept(self, name: str) -> bytes | None:
        """What is kept under a name, None if nothing is. Raises EvidenceUnavailableError."""
        ...
