"""Events that really arrive: on the bus, at a merchant's server with a signature, on a person's phone."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import jsonschema
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from local.deploy import sms_registration
from local.merchant_webhooks import connect
from tests.support.addresses import coming_from
from tests.support.client import PASSWORD, Api, Json, Person, until_answered, wait_until
from tests.support.event_schemas import payload_schema, schema_of
from tests.support.merchant_server import MerchantServer
from tests.support.proofs import messages_to
from wallet.merchant_webhooks.model import PAUSES_S

REGION = "ap-south-1"
PHONE_OF_A_THIEF = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile"
)
# the schedule's first run comes a minute after a deployment, and the emulator looks every ten seconds
ARRIVES_S = 240


def client(api: Api, service: Any) -> Any:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    return session.client(service, endpoint_url=api.stack["aws_endpoint_url"])


@dataclass
class Bus:
    """The bus as a system of ours hears it: a rule, and a queue behind it."""

    sqs: Any
    queue: str
    heard: dict[str, Json] = field(default_factory=dict)

    def of(self, wallet_id: str) -> list[Json]:
        """Events of one wallet, in the order in which they first came: each comes at least once."""
        while found := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", []):
            for message in found:
                event = json.loads(message["Body"])
                self.heard.setdefault(event["detail"]["id"], event)
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return [
            one
            for one in self.heard.values()
            if wallet_id in (one["detail"]["wallet_id"], one["detail"]["other_wallet_id"])
        ]


@pytest.fixture(scope="module")
def bus(api: Api) -> Bus:
    sqs, events, name = client(api, "sqs"), client(api, "events"), api.stack["event_bus"]
    queue = sqs.create_queue(QueueName="what-happens")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="everything", EventBusName=name, EventPattern=json.dumps({"source": ["wallet"]}))
    events.put_targets(Rule="everything", EventBusName=name, Targets=[{"Id": "queue", "Arn": arn}])
    return Bus(sqs, queue)


@pytest.fixture(scope="module")
def merchant_server() -> Iterator[MerchantServer]:
    """A server that fails whatever it is sent once."""
    with MerchantServer(lambda times: 500 if times == 1 else 204) as server:
        yield server


def order(api: Api, command: str, **more: object) -> None:
    """An operator's command, carried out."""
    assert api.ordered(command, **more)["status"] == "done"


@dataclass(frozen=True)
class Story:
    """Asha, who paid a shop and got a part of it back."""

    asha: Person
    shop: Person
    payment: Json


@pytest.fixture(scope="module")
def story(api: Api, bus: Bus, merchant_server: MerchantServer) -> Story:
    asha, shop = api.person(name="Asha Rao"), api.person(name="Chai & Co", kind="merchant")
    order(api, "approve_merchant", wallet_id=shop.wallet_id)
    merchant_server.secret = connect(api.stack, shop.wallet_id, merchant_server.url).secret
    asha.top_up(50_000)
    paid = asha.pay(shop, 6_000, reference="table 4")
    assert paid.status == 201, paid.text
    refund = shop.post(f"/payments/{paid.body['id']}/refunds", {"amount": 1_000})
    assert refund.status == 201, refund.text
    wait_until(lambda: len(bus.of(asha.wallet_id)) >= 3, within_s=ARRIVES_S)
    return Story(asha, shop, paid.body)


def test_what_happened_is_on_the_bus_as_documented_and_its_order_is_that_of_its_sequence(
    bus: Bus, story: Story
) -> None:
    heard = sorted(bus.of(story.asha.wallet_id), key=lambda one: int(one["detail"]["sequence"]))
    assert [one["detail-type"] for one in heard] == ["TopUpSucceeded", "PaymentCompleted", "PaymentRefunded"]
    for one in heard:
        jsonschema.validate(one["detail"], schema_of(one["detail-type"]), jsonschema.Draft202012Validator)
    paid = heard[1]["detail"]
    assert paid["data"]["payment_id"] == story.payment["id"]
    assert (paid["wallet_id"], paid["other_wallet_id"]) == (story.asha.wallet_id, story.shop.wallet_id)
    assert (paid["data"]["amount"], paid["data"]["reference"]) == (6_000, "table 4")


def test_the_merchant_is_sent_signed_webhooks_anew_until_they_are_taken(
    story: Story, merchant_server: MerchantServer
) -> None:
    types = ("PaymentCompleted", "PaymentRefunded")
    wait_until(lambda: all(len(merchant_server.of(one)) >= 2 for one in types), within_s=ARRIVES_S)
    assert {one.event["type"] for one in merchant_server.arrivals if one.event} == set(types)
    for event_type in types:
        first, second = merchant_server.of(event_type)[:2]
        assert (first.id, first.body) == (second.id, second.body)
        pause_s = int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"])
        assert pause_s >= PAUSES_S[0]
        assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
        jsonschema.validate(second.event, payload_schema(event_type), jsonschema.Draft202012Validator)
    paid = merchant_server.of("PaymentCompleted")[0].event
    assert paid is not None
    assert paid["data"]["payment_id"] == story.payment["id"]
    assert paid["wallet_id"] == story.shop.wallet_id
    everything = b"".join(one.body for one in merchant_server.arrivals).decode()
    assert story.asha.phone not in everything
    assert "balance" not in everything


def test_a_merchants_server_refuses_another_body_and_another_merchants_secret(
    story: Story, merchant_server: MerchantServer
) -> None:
    wait_until(lambda: bool(merchant_server.of("PaymentCompleted")), within_s=ARRIVES_S)
    told = merchant_server.of("PaymentCompleted")[0]
    right = Webhook(merchant_server.secret)
    now = int(time.time())
    again = dict(told.headers) | {"webhook-timestamp": str(now)}
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        right.verify(told.body, again)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        right.verify(told.body.replace(b"6000", b"9000"), dict(told.headers))
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook("whsec_" + "A" * 64).verify(told.body, dict(told.headers))


def waiting_in(api: Api, arn: str) -> int:
    """How many messages can be received from a queue."""
    sqs = client(api, "sqs")
    url = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(told["Attributes"]["ApproximateNumberOfMessages"])


@pytest.mark.usefixtures("story")
def test_what_a_merchant_does_not_take_is_kept_and_an_operator_has_it_sent_again(api: Api) -> None:
    """What is refused for good, and what is tried in vain: then once as the message says, once as its queue does."""
    asha, shop = api.person(name="Asha Rao", money=5_000), api.person(name="Gone & Co", kind="merchant")
    sqs = client(api, "sqs")
    with MerchantServer(lambda _: 410) as server:
        webhook = connect(api.stack, shop.wallet_id, server.url)
        server.secret = webhook.secret
        assert asha.pay(shop, 100).status == 201
        wait_until(lambda: waiting_in(api, webhook.undelivered_arn) == 1, within_s=ARRIVES_S)
        assert len(server.arrivals) == 1, "410 is not tried again"

        # ten attempts take two days; with one there is the same end
        url = sqs.get_queue_url(QueueName=webhook.pending_arn.rpartition(":")[2])["QueueUrl"]
        once = {"deadLetterTargetArn": webhook.undelivered_arn, "maxReceiveCount": 1}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(once)})
        server.answer = lambda _: 503
        assert asha.pay(shop, 200).status == 201
        wait_until(lambda: waiting_in(api, webhook.undelivered_arn) == 2, within_s=ARRIVES_S)

        server.answer = lambda _: 204
        sqs.start_message_move_task(SourceArn=webhook.undelivered_arn, DestinationArn=webhook.pending_arn)
        wait_until(lambda: len(server.arrivals) == 4, within_s=ARRIVES_S)
    attempts = [(one.id, one.event["data"]["amount"]) for one in server.arrivals if one.event]
    assert attempts[0] != attempts[1]
    assert sorted(attempts[:2]) == sorted(attempts[2:])
    assert waiting_in(api, webhook.undelivered_arn) == waiting_in(api, webhook.pending_arn) == 0


def notices_to(api: Api, person: Person) -> list[Json]:
    """The text messages that came to a phone beside the codes that its owner asked for."""
    return [one for one in messages_to(api, person.phone) if " is your code to " not in one["text"]]


def test_people_get_an_sms_for_each_debit_and_for_nothing_else(api: Api, story: Story) -> None:
    def sent(person: Person) -> set[str]:
        return {one["text"] for one in notices_to(api, person)}

    wait_until(lambda: bool(sent(story.asha)) and bool(sent(story.shop)), within_s=ARRIVES_S)
    (paid,), (refunded,) = sent(story.asha), sent(story.shop)
    assert re.fullmatch(
        r"Rs 60\.00 paid to Chai & Co from your wallet on \S+ \S+\."
        r" Available now: Rs 4[45]0\.00\. Not you\? 1800 000 000 - Wallet",
        paid,
    )
    assert refunded.startswith("Rs 10.00 refunded to A*** R*** from your wallet on ")
    ids_of_texts = sms_registration()
    for person, template in ((story.asha, "SmsTemplatePayment"), (story.shop, "SmsTemplateRefund")):
        assert notices_to(api, person)[0]["attributes"] == {
            "AWS.SNS.SMS.SMSType": "Transactional",
            "AWS.SNS.SMS.SenderID": ids_of_texts["SmsSenderId"],
            "AWS.MM.SMS.EntityId": ids_of_texts["SmsEntityId"],
            "AWS.MM.SMS.TemplateId": ids_of_texts[template],
        }


def test_a_phone_that_is_not_known_to_be_its_owners_is_sent_nothing(
    api: Api, bus: Bus, story: Story, select: Any
) -> None:
    """Such are those of before phones were proved. It is told of on the bus; another's debit behind it arrives."""
    mallory = api.person(money=5_000)
    select(
        "DELETE p FROM proved_phones p JOIN users u ON u.id = p.user_id WHERE u.phone = %s",
        mallory.phone,
    )
    assert mallory.pay(story.shop, 100).status == 201
    wait_until(
        lambda: any(one["detail-type"] == "PaymentCompleted" for one in bus.of(mallory.wallet_id)), within_s=ARRIVES_S
    )
    before = len(notices_to(api, story.asha))
    assert story.asha.pay(story.shop, 100).status == 201
    wait_until(lambda: len(notices_to(api, story.asha)) > before, within_s=ARRIVES_S)
    assert notices_to(api, mallory) == []


def test_a_sign_in_on_a_new_device_is_read_on_the_phone_once(api: Api) -> None:
    person = api.person()
    shown = {"phone": person.phone, "password": PASSWORD}
    headers = coming_from(person.address) | {"User-Agent": PHONE_OF_A_THIEF}
    for _ in range(2):
        answer = until_answered(lambda: api.call("POST", "/login", shown, headers=headers))
        assert answer.status == 200, answer.text
    frozen = api.call("POST", "/me/freeze", {}, token=answer.body["access_token"])
    assert frozen.status == 204, frozen.text
    wait_until(lambda: len(notices_to(api, person)) == 2, within_s=ARRIVES_S)
    of_freeze, of_sign_in = sorted((one["text"] for one in notices_to(api, person)), reverse=True)
    assert of_sign_in.startswith("New sign-in to your wallet on ")
    assert of_sign_in.endswith("on a device that calls itself Linux Android 14 Pixel 8. Not you? 1800 000 000 - Wallet")
    assert of_freeze.startswith("Your wallet was frozen on ")
