"""SNS, for notices to people: by SMS to their phone, or to a topic with whatever listens there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wallet.channels.port import ChannelUnavailableError
from wallet.channels.said import said

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef


@dataclass(frozen=True, slots=True)
class Registration:
    """What India's operators know us by (DLT): ours, the sender that phones show, and each template's, by its name."""

    entity_id: str
    sender_id: str
    template_ids: Mapping[str, str]


class SmsNotices:
    """A text message to the person's phone."""

    goes_to_phones = True

    def __init__(self, client: "SNSClient", registration: Registration) -> None:
        self._client = client
        self._registration = registration

    def send(self, text: str, *, template: str, phone: str, attributes: Mapping[str, str]) -> None:  # noqa: ARG002 - nobody sorts an SMS
        """Hands the text to SNS for the phone. `Transactional` is SNS's word for what must arrive soon.

        To an Indian phone a message without the registered ids goes by dearer routes, or is dropped by the operator.
        """
        told = {"AWS.SNS.SMS.SMSType": "Transactional"}
        if phone.startswith("+91") and self._registration.entity_id:
            told |= {
                "AWS.SNS.SMS.SenderID": self._registration.sender_id,
                "AWS.MM.SMS.EntityId": self._registration.entity_id,
                "AWS.MM.SMS.TemplateId": self._registration.template_ids[template],
            }
        try:
            self._client.publish(PhoneNumber=phone, Message=text, MessageAttributes=_attributes(told))
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error


class TopicNotices:
    """A message on one topic. A person's mail address subscribes with a filter on their `wallet_id`."""

    goes_to_phones = False

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def send(self, text: str, *, template: str, phone: str, attributes: Mapping[str, str]) -> None:  # noqa: ARG002 - topics need none
        """Publishes the text; no phone leaves us this way."""
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject="Money left your wallet",
                Message=text,
                MessageAttributes=_attributes(attributes),
            )
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error


def _attributes(told: Mapping[str, str]) -> "dict[str, MessageAttributeValueTypeDef]":
    return {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}


def _unavailable(error: BotoCoreError | ClientError) -> ChannelUnavailableError:
    """Without the message: it may quote the phone."""
    return ChannelUnavailableError(f"SNS took nothing: {said(error)}")
