"""What the wallet asks of the outside that listens to it: two Protocols, their values and their errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

#: The most entries that one call takes (PutEvents).
MAX_ENTRIES = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One message for the bus: who says it, what happened, and the JSON text that says more."""

    source: str
    detail_type: str
    detail: str


class ChannelUnavailableError(Exception):
    """Nobody was reached, or took nothing: whether a message went out is not known. Sending it again is right."""


class Bus(Protocol):
    """An event bus."""

    def publish(self, entries: Sequence[Entry]) -> list[bool]:
        """Hands over at most `MAX_ENTRIES`, and says of each, in their order, whether it was taken.

        Raises ChannelUnavailableError when the whole call failed.
        """
        ...


class Notices(Protocol):
    """Where a notice for one person goes."""

    def send(self, text: str, *, phone: str, attributes: Mapping[str, str]) -> None:
        """Hands over a text for the person with this E.164 phone; `attributes` are for whoever sorts them.

        Raises ChannelUnavailableError.
        """
        ...
