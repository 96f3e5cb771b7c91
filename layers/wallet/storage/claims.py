"""A caller's idempotency key, as the kernel takes it."""

from dataclasses import dataclass
from uuid import UUID

from wallet.storage.database import Database


@dataclass(frozen=True, slots=True)
class Claim:
    """Who, which key (1 to 64 visible ASCII characters), and the SHA-256 of what is asked for under it.

    `generation` is that of the sessions in one of which it is asked for, None where nobody has signed in.
    """

    actor_id: UUID
    key: str
    request_hash: bytes
    generation: int | None = None

    def arguments(self) -> tuple[bytes, bytes, bytes]:
        """The first three arguments of every procedure that takes a key."""
        return self.actor_id.bytes, self.key.encode("ascii"), self.request_hash

    def signed_in(self) -> tuple[bytes, bytes, bytes, int]:
        """The first four of those that act for somebody who has signed in."""
        if self.generation is None:
            raise ValueError("nobody has signed in")
        return (*self.arguments(), self.generation)


def is_known(database: Database, claim: Claim) -> bool:
    """Whether something was done under this key, as far as this database goes back."""
    actor_id, key, _ = claim.arguments()
    return bool(database.read("CALL find_idempotency_key(%s, %s)", actor_id, key))
