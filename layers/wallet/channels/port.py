"""What the wallet asks of the outside that listens to it: Protocols, their values and their errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

#: The most entries that one call takes (PutEvents).
MAX_ENTRIES = 10
#: So many calls are under way at a time: one is some 15 ms of waiting and 2 of work.
CALLS_AT_ONCE = 16


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

    @property
    def goes_to_phones(self) -> bool:
        """Whether it reaches whoever has the phone: then that must be known to be the person, and there is a cap."""
        ...

    def send(self, text: str, *, template: str, phone: str, attributes: Mapping[str, str]) -> None:
        """Hands over a text for the person with this E.164 phone; `template` names the text that was registered.

        `attributes` are for whoever sorts them. Raises ChannelUnavailableError.
        """
        ...


class Place(Enum):
    """A place among the messages of a day: there is one, there is the person's last one, or why there is none."""

    FREE = "free"
    LAST = "last"
    PERSON_FULL = "cap_per_person"
    ALL_FULL = "cap_in_all"


class Cap(Protocol):
    """How many messages there may be in a day."""

    def take(self, person: str, *, now: datetime) -> Place:
        """Takes a place for a message to a person. Raises ChannelUnavailableError."""
        ...

    def give_back(self, person: str, *, now: datetime) -> None:
        """Frees a place whose message was not sent. Raises ChannelUnavailableError."""
        ...


class Queues(Protocol):
    """Queues whose messages come again until they are done with, each with another one for what was given up."""

    def hide(self, queue_arn: str, receipt: str, *, seconds: int) -> None:
        """Has a message that was received come again so many seconds from now. Raises ChannelUnavailableError."""
        ...

    def give_up(self, queue_arn: str, body: str) -> None:
        """Puts a message among those that were given up. Raises ChannelUnavailableError."""
        ...
