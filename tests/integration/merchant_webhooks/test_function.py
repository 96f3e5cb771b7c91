"""The function that sends merchants' webhooks, over queues, secrets and parameters of an AWS in this process."""

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.integration.conftest import Functions
from tests.support.books import unique
from tests.support.cloud import REGION, Cloud
from tests.support.functions import Function
from tests.support.merchant_server import MerchantServer
from tests.support.proxy import Proxy
from wallet import wiring
from wallet.ledger import ids
from wallet.merchant_webhooks.model import ATTEMPTS, PAUSES_S

Json = dict[str, Any]


def new_secret() -> str:
    """As Secrets Manager has it: without the prefix."""
    return b64encode(unique("").encode().ljust(48, b"k")[:48]).decode()


@dataclass
class Merchant:
    """What infrastructure/merchant_webhook.yaml makes of a merchant's, and the queue as Lambda reads it."""

    cloud: Cloud
    server: MerchantServer
    wallet_id: str
    prefix: str
    secret: str
    pending: str
    undelivered: str

    @classmethod
    def new(cls, cloud: Cloud, server: MerchantServer) -> "Merchant":
        wallet_id, prefix, secret = ids.show(ids.WALLET, wiring.new_id()), f"{unique('w')}/webhooks/", new_secret()
        sqs = cloud.client("sqs")
        name = unique("q")
        dead = sqs.create_queue(QueueName=f"{name}-undelivered")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": ATTEMPTS})
        pending = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive})["QueueUrl"]
        cloud.client("secretsmanager").create_secret(Name=f"{prefix}{wallet_id}", SecretString=secret)
        cloud.client("ssm").put_parameter(Name=f"/{prefix}{wallet_id}", Value=server.url, Type="String")
        server.secret = secret
        return cls(cloud, server, wallet_id, prefix, secret, pending, dead)

    @property
    def settings(self) -> dict[str, str]:
        return {"WEBHOOK_PREFIX": self.prefix, "WEBHOOK_TARGETS": "any"}

    def tell(self, **changes: object) -> str:
        """Puts an event into the queue; its id."""
        event = {"id": ids.show(ids.EVENT, wiring.new_id()), "type": "WalletClosed", "wallet_id": self.wallet_id}
        text = json.dumps({**event, "data": {"note": "चाय ₹60"}, **changes}, ensure_ascii=False)
        self.cloud.client("sqs").send_message(QueueUrl=self.pending, MessageBody=text)
        return event["id"]

    def batch(self, *, attempt: int = 1) -> Json:
        """What Lambda would hand over now."""
        sqs = self.cloud.client("sqs")
        arn = sqs.get_queue_attributes(QueueUrl=self.pending, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        (message,) = sqs.receive_message(QueueUrl=self.pending, VisibilityTimeout=90)["Messages"]
        return {
            "Records": [
                {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": {"ApproximateReceiveCount": str(attempt)},
                    "eventSourceARN": arn,
                    "awsRegion": REGION,
                }
            ]
        }

    def given_up(self) -> list[str]:
        """The texts in the dead-letter queue."""
        found = self.cloud.client("sqs").receive_message(QueueUrl=self.undelivered, MaxNumberOfMessages=10)
        return [message["Body"] for message in found.get("Messages", [])]

    def is_visible(self) -> bool:
        """Whether the message could be received now."""
        told = self.cloud.client("sqs").get_queue_attributes(
            QueueUrl=self.pending, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(told["Attributes"]["ApproximateNumberOfMessages"]) > 0


@pytest.fixture
def merchant(cloud: Cloud) -> Iterator[Merchant]:
    with MerchantServer() as server:
        yield Merchant.new(cloud, server)


@pytest.fixture
def function(functions: Functions, merchant: Merchant) -> Function:
    return functions.make("merchant_webhook", **merchant.settings)


def failed(batch: Json) -> Json:
    """The answer that has its message come again."""
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in batch["Records"]]}


DONE: Json = {"batchItemFailures": []}


def line_of(function: Function) -> Json:
    """What the function logged last."""
    lines = [json.loads(line) for line in function.logged().splitlines() if line.startswith("{")]
    told: Json = lines[-1]
    return told


def test_a_message_is_sent_as_it_is_and_done_with(merchant: Merchant, function: Function) -> None:
    event_id = merchant.tell()
    batch = merchant.batch()
    assert function.invoke(batch) == DONE
    (arrival,) = merchant.server.arrivals
    assert arrival.body == batch["Records"][0]["body"].encode()
    assert arrival.event is not None
    assert arrival.id == arrival.event["id"] == event_id


def test_what_fails_comes_again_when_its_pause_is_over_and_says_what_it_came_to(
    merchant: Merchant, function: Function
) -> None:
    merchant.server.answer = lambda _: 500
    event_id = merchant.tell()
    batch = merchant.batch(attempt=3)
    assert function.invoke(batch) == failed(batch)
    told = line_of(function)
    assert (told["message"], told["webhook_id"], told["wallet_id"]) == ("webhook failed", event_id, merchant.wallet_id)
    assert (told["attempt"], told["reason"]) == (3, "500")
    assert PAUSES_S[2] <= told["next_in_s"] <= 1.1 * PAUSES_S[2]
    assert not merchant.is_visible()


def test_a_failed_attempt_is_a_metric_of_its_merchant_as_cloudwatch_reads_it_from_the_log(
    merchant: Merchant, function: Function
) -> None:
    """Its embedded metric format: what an alarm in the merchant's stack looks at."""
    merchant.server.answer = lambda _: 500
    merchant.tell()
    function.invoke(merchant.batch(attempt=4))
    told = line_of(function)
    (metric,) = told["_aws"]["CloudWatchMetrics"]
    assert metric == {
        "Namespace": "WalletWebhooks",
        "Dimensions": [["wallet_id"]],
        "Metrics": [{"Name": "attempt"}],
    }
    assert (told["wallet_id"], told["attempt"]) == (merchant.wallet_id, 4)
    assert abs(told["_aws"]["Timestamp"] / 1000 - time.time()) < 60
    merchant.server.answer = lambda _: 204
    merchant.tell()
    function.invoke(merchant.batch())
    assert "_aws" not in line_of(function)


def test_the_log_has_no_address_no_body_and_no_secret(merchant: Merchant, function: Function) -> None:
    for status in (500, 204):
        merchant.server.answer = lambda _, status=status: status  # type: ignore[misc]  # bound early
        merchant.tell()
        function.invoke(merchant.batch())
    logged = function.logged()
    for secret in (merchant.server.url, "127.0.0.1", "/wallet", merchant.secret, "₹60", "\\u20b960", "v1,"):
        assert secret not in logged


def test_behind_the_last_attempt_the_queue_is_to_take_it_away_at_once(merchant: Merchant, function: Function) -> None:
    merchant.server.answer = lambda _: 500
    merchant.tell()
    batch = merchant.batch(attempt=ATTEMPTS)
    assert function.invoke(batch) == failed(batch)
    assert line_of(function)["next_in_s"] == 0
    assert merchant.is_visible()


def test_what_is_gone_is_not_tried_again_and_waits_for_an_operator(merchant: Merchant, function: Function) -> None:
    merchant.server.answer = lambda _: 410
    merchant.tell()
    batch = merchant.batch()
    assert function.invoke(batch) == DONE
    assert merchant.given_up() == [batch["Records"][0]["body"]]
    assert line_of(function)["message"] == "webhook gone"


def test_what_the_relay_did_not_write_is_sent_to_nobody_and_waits_for_an_operator(
    merchant: Merchant, function: Function
) -> None:
    merchant.tell(id="evt_of_nobody")
    batch = merchant.batch()
    assert function.invoke(batch) == DONE
    assert merchant.given_up() == [batch["Records"][0]["body"]]
    assert merchant.server.arrivals == []


def test_while_a_secret_changes_both_verify_and_two_changes_later_the_first_does_not(
    functions: Functions, merchant: Merchant
) -> None:
    """A function that runs remembers secrets for five minutes: each of these begins."""
    manager = merchant.cloud.client("secretsmanager")
    secrets = [merchant.secret, new_secret(), new_secret()]
    for change, live in enumerate((secrets[:1], secrets[:2], secrets[1:])):
        if change:
            name = f"{merchant.prefix}{merchant.wallet_id}"
            manager.put_secret_value(SecretId=name, SecretString=f"whsec_{secrets[change]}")
        merchant.tell()
        assert functions.make("merchant_webhook", **merchant.settings).invoke(merchant.batch()) == DONE
        arrival = merchant.server.arrivals[-1]
        good = [secret for secret in secrets if verifies(secret, arrival.body, dict(arrival.headers))]
        assert good == live
        assert len(arrival.headers["webhook-signature"].split(" ")) == len(live)


def verifies(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    """Whether the specification's library finds its signature among those there are."""
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def test_what_waited_goes_to_the_address_of_now(functions: Functions, merchant: Merchant) -> None:
    merchant.tell()
    with MerchantServer() as other:
        other.secret = merchant.secret
        name = f"/{merchant.prefix}{merchant.wallet_id}"
        merchant.cloud.client("ssm").put_parameter(Name=name, Value=other.url, Type="String", Overwrite=True)
        assert functions.make("merchant_webhook", **merchant.settings).invoke(merchant.batch()) == DONE
        assert len(other.arrivals) == 1
    assert merchant.server.arrivals == []


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("GetSecretValue", "secret_unavailable"),
        ("GetParameter", "url_unavailable"),
    ],
)
def test_without_the_secret_or_the_address_nothing_is_sent_and_it_comes_again(
    functions: Functions, merchant: Merchant, what: str, reason: str
) -> None:
    merchant.tell()
    batch = merchant.batch()
    host, _, port = merchant.cloud.url.removeprefix("http://").partition(":")
    with Proxy((host, int(port))) as proxy:
        proxy.judge = lambda from_client, chunk: not (from_client and what.encode() in chunk)
        through = merchant.cloud.environment(url=f"http://{proxy.host}:{proxy.port}")
        function = functions.make("merchant_webhook", **merchant.settings, **through)
        assert function.invoke(batch) == failed(batch)
    assert line_of(function)["reason"] == reason
    assert merchant.server.arrivals == []


@pytest.mark.parametrize(
    ("status", "what"), [(500, "ChangeMessageVisibility"), (410, "SendMessage"), (410, "GetQueueAttributes")]
)
def test_a_queue_that_does_not_answer_gives_the_message_back_when_its_own_time_is_over(
    functions: Functions, merchant: Merchant, status: int, what: str
) -> None:
    merchant.server.answer = lambda _: status
    merchant.tell()
    batch = merchant.batch()
    host, _, port = merchant.cloud.url.removeprefix("http://").partition(":")
    with Proxy((host, int(port))) as proxy:
        proxy.judge = lambda from_client, chunk: not (from_client and f"AmazonSQS.{what}".encode() in chunk)
        through = merchant.cloud.environment(url=f"http://{proxy.host}:{proxy.port}")
        function = functions.make("merchant_webhook", **merchant.settings, **through)
        assert function.invoke(batch) == failed(batch)
    assert merchant.given_up() == []


def test_on_aws_nothing_inside_is_called(functions: Functions, merchant: Merchant) -> None:
    merchant.tell()
    batch = merchant.batch()
    function = functions.make("merchant_webhook", **{**merchant.settings, "WEBHOOK_TARGETS": "public"})
    assert function.invoke(batch) == failed(batch)
    assert line_of(function)["reason"] == "url_not_https"
    assert merchant.server.arrivals == []
