"""How many messages of a kind were sent today, to each person and in all: counters in DynamoDB for each Indian day.

Far from every payment: who counts here sends a message. A counter is raised only as long as it is below its cap, in one
write, so no two senders share the last place.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wallet.channels.port import ChannelUnavailableError, Place
from wallet.channels.said import said

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Long after its day: a clock that is off finds the counter of its day still there.
_KEPT = timedelta(days=3)
_ALL = "all"

#: What the names of counters begin with.
COUNTERS = "notices"


class DailyCap:
    """Counters in the idempotency table, under names that no key has."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, *, kind: str, per_person: int, in_all: int) -> None:
        """Messages of different kinds use up nobody's places but their own."""
        self._kind = kind
        self._dynamodb = dynamodb
        self._table = table
        self._per_person = per_person
        self._in_all = in_all

    def take(self, person: str, *, now: datetime) -> Place:
        """Takes a place of the day for a message to a person. `now` has the zone whose days count."""
        taken = self._raise(person, now, self._per_person)
        if taken is None:
            return Place.PERSON_FULL
        if self._raise(_ALL, now, self._in_all) is None:
            self._lower(person, now)
            return Place.ALL_FULL
        return Place.LAST if taken == self._per_person else Place.FREE

    def give_back(self, person: str, *, now: datetime) -> None:
        """Frees a place that was taken, of a message that was not sent."""
        self._lower(person, now)
        self._lower(_ALL, now)

    def _raise(self, whose: str, now: datetime, cap: int) -> int | None:
        """The counter behind it, None if it is at its cap."""
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=self._key(whose, now),
                UpdateExpression="ADD sent_count :one SET expiration = :end",
                ConditionExpression="attribute_not_exists(sent_count) OR sent_count < :cap",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":cap": {"N": str(cap)},
                    ":end": {"N": str(int((now + _KEPT).timestamp()))},
                },
                ReturnValues="UPDATED_NEW",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error
        return int(answer["Attributes"]["sent_count"]["N"])

    def _key(self, whose: str, now: datetime) -> "dict[str, dict[str, str]]":
        return {"id": {"S": f"{COUNTERS}#{self._kind}#{now:%Y-%m-%d}#{whose}"}}

    def _lower(self, whose: str, now: datetime) -> None:
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=self._key(whose, now),
                UpdateExpression="ADD sent_count :one",
                ExpressionAttributeValues={":one": {"N": "-1"}},
            )
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error


def _unavailable(error: BotoCoreError | ClientError) -> ChannelUnavailableError:
    return ChannelUnavailableError(f"today's messages can't be counted: {said(error)}")
