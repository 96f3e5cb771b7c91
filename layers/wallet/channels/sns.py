"""SNS, for notices to people: by SMS to their phone, or to a topic with whatever listens there."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wallet.channels.port import ChannelUnavailableError
from wallet.channels.said import said

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef


class SmsNotices:
    """A text message to the person's phone."""

    def __init__(self, client: "SNSClient") -> None:
        self._client = client

    def send(self, text: str, *, phone: str, attributes: Mapping[str, str]) -> None:  # noqa: ARG002 - nobody sorts an SMS
        """Hands the text to SNS for the phone. `Transactional` is SNS's word for what must arrive soon."""
        kind: MessageAttributeValueTypeDef = {"DataType": "String", "StringValue": "Transactional"}
        try:
            self._client.publish(PhoneNumber=phone, Message=text, MessageAttributes={"AWS.SNS.SMS.SMSType": kind})
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error


class TopicNotices:
    """A message on one topic. A person's mail address subscribes with a filter on their `wallet_id`."""

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def send(self, text: str, *, phone: str, attributes: Mapping[str, str]) -> None:  # noqa: ARG002 - topics need none
        """Publishes the text; no phone leaves us this way."""
        told: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        try:
            self._client.publish(
                TopicArn=self._topic_arn, Subject="Money left your wallet", Message=text, MessageAttributes=told
            )
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error


def _unavailable(error: BotoCoreError | ClientError) -> ChannelUnavailableError:
    """Without the message: it may quote the phone."""
    return ChannelUnavailableError(f"SNS took nothing: {said(error)}")
