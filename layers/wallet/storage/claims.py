"""A caller's idempotency key, as the kernel takes it."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Claim:
    """Who, which key (1 to 64 visible ASCII characters), and the SHA-256 of what is asked for under it."""

    actor_id: UUID
    key: str
    request_hash: bytes

    def arguments(self) -> tuple[bytes, bytes, bytes]:
        """The first three arguments of every procedure that takes a key."""
        return self.actor_id.bytes, self.key.encode("ascii"), self.request_hash
