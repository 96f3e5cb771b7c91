"""Events that really arrive: on the bus, at a merchant's server with a signature, on a person's phone."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import jsonschema
import pytest

from local.deploy import sms_registration
from local.state import ROOT
from tests.support.addresses import coming_from
from tests.support.client import PASSWORD, Api, Json, Person, until_answered, wait_until
from tests.support.event_schemas import schema_of
from tests.support.proofs import messages_to
from tests.unit import template as templates
from wallet.ledger import ids
from wallet.ledger.webhook_signing import merchant_key

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


@dataclass
class MerchantServer:
    """What a merchant runs: it keeps what it is sent."""

    url: str
    requests: list[tuple[dict[str, str], bytes]]


@pytest.fixture(scope="module")
def merchant_server() -> Iterator[MerchantServer]:
    requests: list[tuple[dict[str, str], bytes]] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the test looks at the requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield MerchantServer(f"http://127.0.0.1:{server.server_address[1]}/wallet", requests)
    server.shutdown()


def filled(value: Any, parameters: Json) -> Any:
    """A part of a template with its parameters' values."""
    if isinstance(value, dict):
        if set(value) == {"Ref"}:
            return parameters[value["Ref"]]
        return {key: filled(inner, parameters) for key, inner in value.items()}
    return [filled(inner, parameters) for inner in value] if isinstance(value, list) else value


def connect_merchant(api: Api, wallet_id: str, url: str) -> None:
    """infrastructure/merchant_webhook.yaml, call by call: the emulator's CloudFormation lacks two of its types."""
    events = client(api, "events")
    parameters = {"EventBusName": api.stack["event_bus"], "WalletId": wallet_id, "Url": url, "RequestsPerSecond": 50}
    stack = templates.load("infrastructure/merchant_webhook.yaml")["Resources"]
    connection = filled(stack["Connection"]["Properties"], parameters)
    made = events.create_connection(Name="merchant", **connection)
    destination = stack["Destination"]["Properties"] | {"ConnectionArn": made["ConnectionArn"]}
    made = events.create_api_destination(Name="merchant", **filled(destination, parameters))
    rule, (target,) = stack["Rule"]["Properties"], stack["Rule"]["Properties"]["Targets"]
    pattern = json.dumps(filled(rule["EventPattern"], parameters))
    events.put_rule(Name="merchant", EventBusName=api.stack["event_bus"], EventPattern=pattern)
    known = {name: target[name] for name in ("Id", "InputPath", "HttpParameters")}
    events.put_targets(
        Rule="merchant", EventBusName=api.stack["event_bus"], Targets=[known | {"Arn": made["ApiDestinationArn"]}]
    )


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
    connect_merchant(api, shop.wallet_id, merchant_server.url)
    asha.top_up(50_000)
    paid = asha.pay(shop, 6_000, reference="table 4")
    assert paid.status == 201, paid.text
    refund = shop.post(f"/payments/{paid.body['id']}/refunds", {"amount": 1_000})
    assert refund.status == 201, refund.text
    wait_until(lambda: len(bus.of(asha.wallet_id)) >= 3, within_s=ARRIVES_S)
    return Story(asha, shop, paid.body)


def test_what_happened_is_on_the_bus_in_order_and_as_documented(bus: Bus, story: Story) -> None:
    heard = bus.of(story.asha.wallet_id)
    assert [one["detail-type"] for one in heard] == ["TopUpSucceeded", "PaymentCompleted", "PaymentRefunded"]
    for one in heard:
        jsonschema.validate(one["detail"], schema_of(one["detail-type"]), jsonschema.Draft202012Validator)
    paid = heard[1]["detail"]
    assert paid["data"]["payment_id"] == story.payment["id"]
    assert (paid["wallet_id"], paid["other_wallet_id"]) == (story.asha.wallet_id, story.shop.wallet_id)
    assert (paid["data"]["amount"], paid["data"]["reference"]) == (6_000, "table 4")
    sequences = [one["detail"]["sequence"] for one in heard]
    assert sequences == sorted(sequences)


def test_the_merchant_is_sent_signed_webhooks_that_the_documents_code_reads(
    api: Api, story: Story, merchant_server: MerchantServer
) -> None:
    wait_until(
        lambda: len({headers["wallet-event"] for headers, _ in merchant_server.requests}) >= 2, within_s=ARRIVES_S
    )
    document = (ROOT / "docs" / "events.md").read_text()
    code = re.search(r"```python\n(import hashlib.+?)```", document, re.DOTALL)
    assert code is not None
    space: dict[str, Any] = {}
    exec(code[1], space)  # noqa: S102 - our own document
    secret = client(api, "secretsmanager").get_secret_value(SecretId=api.stack["webhook_signing_secret"])
    wallet_id = ids.read(ids.WALLET, story.shop.wallet_id)
    assert wallet_id is not None
    key = merchant_key(secret["SecretString"], wallet_id)

    told = {headers["wallet-event"]: space["read_webhook"](body, key) for headers, body in merchant_server.requests}
    assert set(told) == {"PaymentCompleted", "PaymentRefunded"}
    assert told["PaymentCompleted"]["data"]["payment_id"] == story.payment["id"]
    assert told["PaymentCompleted"]["wallet_id"] == story.shop.wallet_id
    assert {headers["wallet-id"] for headers, _ in merchant_server.requests} == {story.shop.wallet_id}
    everything = b"".join(body for _, body in merchant_server.requests).decode()
    assert story.asha.phone not in everything
    assert "balance" not in everything


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
