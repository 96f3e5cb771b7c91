"""SQS, as where webhooks wait: a queue for each merchant, with another one behind it for those that were given up."""

import functools
import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wallet.channels.port import ChannelUnavailableError
from wallet.channels.said import said

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQueues:
    """Queues by their ARN. The address of each is asked for once, its dead-letter queue each time, as it may change."""

    def __init__(self, client: "SQSClient") -> None:
        self._client = client
        self._url_of = functools.cache(self._ask_for_url)

    def hide(self, queue_arn: str, receipt: str, *, seconds: int) -> None:
        """Has a message that was received come again so many seconds from now."""
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url_of(queue_arn), ReceiptHandle=receipt, VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error

    def give_up(self, queue_arn: str, body: str) -> None:
        """Puts a message into the queue's dead-letter queue, before its last attempt."""
        try:
            url = self._url_of(queue_arn)
            told = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
            dead_letters: str = json.loads(told["RedrivePolicy"])["deadLetterTargetArn"]
            self._client.send_message(QueueUrl=self._url_of(dead_letters), MessageBody=body)
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error

    def _ask_for_url(self, queue_arn: str) -> str:
        return self._client.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]


def _unavailable(error: BotoCoreError | ClientError) -> ChannelUnavailableError:
    return ChannelUnavailableError(f"SQS did not do it: {said(error)}")
