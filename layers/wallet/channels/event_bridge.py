"""EventBridge, as the bus that we publish on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wallet.channels.port import ChannelUnavailableError, Entry
from wallet.channels.said import said

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
            raise ChannelUnavailableError(f"EventBridge took nothing: {said(error)}") from error
        results = [result.get("ErrorCode") is None for result in answer["Entries"]]
        if len(results) != len(entries):
            raise ChannelUnavailableError("EventBridge answered about other entries than it was asked to take")
        return results
