"""EventBridge, as the bus that we publish on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wallet.channels.port import ChannelUnavailableError, Entry

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class EventBridgeBus:
    """One event bus, by its name or ARN."""

    def __init__(self, client: "EventBridgeClient", bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, entries: Sequence[Entry]) -> list[bool]:
        """Puts the entries in one call; a single one may be refused (throttled) while others are taken."""
        told = [
            {
                "EventBusName": self._bus,
                "Source": entry.source,
                "DetailType": entry.detail_type,
                "Detail": entry.detail,
            }
            for entry in entries
        ]
        try:
            answer = self._client.put_events(Entries=told)  # type: ignore[arg-type]  # a TypedDict by its members
        except (BotoCoreError, ClientError) as error:
            raise ChannelUnavailableError(f"EventBridge took nothing: {_said(error)}") from error
        results = [result.get("ErrorCode") is None for result in answer["Entries"]]
        if len(results) != len(entries):
            raise ChannelUnavailableError("EventBridge answered about other entries than it was asked to take")
        return results


def _said(error: BotoCoreError | ClientError) -> str:
    """The code of an answer, or the kind of trouble on the way: never the entries, which a message may quote."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code"))
    return type(error).__name__
