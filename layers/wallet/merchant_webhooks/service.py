"""One attempt of one webhook: signed now, sent once, and its message then done with, or back in its queue for later."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from wallet.channels.port import ChannelUnavailableError, Queues
from wallet.merchant_webhooks.client import Answer, NoAnswerError, NothingSentError
from wallet.merchant_webhooks.model import (
    Endpoint,
    EndpointUnavailableError,
    MalformedMessageError,
    Message,
    Outcome,
    Result,
    headers_of,
    outcome_of,
    pause_s,
)


class Sender(Protocol):
    """What sends a request."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """See `client.WebhookClient`."""
        ...


@dataclass(frozen=True, slots=True)
class Received:
    """A message as SQS hands it over, for the `attempt`th time."""

    queue_arn: str
    receipt: str
    attempt: int
    text: str


@dataclass(frozen=True, slots=True)
class Handled:
    """What came of a message. One that isn't `is_done` is still in its queue, for `next_in_s` seconds if that is known.

    `message` is None if it could not be read.
    """

    message: Message | None
    outcome: Outcome
    is_done: bool
    next_in_s: int | None = None


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What webhooks are delivered with.

    `endpoint` finds a wallet's by its public id, and raises EndpointUnavailableError; `below` gives a number from 0 on
    and below its argument, for pauses that differ.
    """

    endpoint: Callable[[str], Endpoint]
    sender: Sender
    queues: Queues
    now: Callable[[], datetime]
    below: Callable[[int], int]

    def handle(self, received: Received) -> Handled:
        """Makes the attempt that is due, and says what it came to; it raises for nothing that others do or fail to."""
        try:
            message = Message.read(received.text, attempt=received.attempt)
        except MalformedMessageError as error:
            return self._give_up(received, None, Outcome(Result.GONE, str(error)))
        outcome = self._attempt(message)
        if outcome.result is Result.DELIVERED:
            return Handled(message, outcome, is_done=True)
        if outcome.result is Result.GONE:
            return self._give_up(received, message, outcome)
        return self._put_back(received, message, outcome)

    def _attempt(self, message: Message) -> Outcome:
        try:
            endpoint = self.endpoint(message.wallet_id)
            headers = headers_of(message, endpoint, timestamp_s=int(self.now().timestamp()))
            answer = self.sender.post(endpoint.url, message.body, headers)
        except (EndpointUnavailableError, NothingSentError, NoAnswerError) as error:
            return Outcome(Result.FAILED, str(error))
        return outcome_of(answer.status, answer.retry_after, now=self.now())

    def _give_up(self, received: Received, message: Message | None, outcome: Outcome) -> Handled:
        """Puts it among the undelivered ones: killed before it is done with, it is there twice."""
        try:
            self.queues.give_up(received.queue_arn, received.text)
        except ChannelUnavailableError:
            return Handled(message, outcome, is_done=False)
        return Handled(message, outcome, is_done=True)

    def _put_back(self, received: Received, message: Message, outcome: Outcome) -> Handled:
        """Hides it until the next attempt; if that fails, it comes when the queue's own time is over."""
        pause = pause_s(message.attempt, outcome.retry_after_s, below=self.below)
        try:
            self.queues.hide(received.queue_arn, received.receipt, seconds=pause)
        except ChannelUnavailableError:
            return Handled(message, outcome, is_done=False)
        return Handled(message, outcome, is_done=False, next_in_s=pause)
