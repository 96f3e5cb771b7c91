"""Notices of debits: what people read, where it goes, and that it goes once."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber
from moto import mock_aws

from tests.unit.calls import Context
from tests.unit.events import outbox_event, wallet
from wallet.channels.event_bridge import EventBridgeBus
from wallet.channels.port import ChannelUnavailableError, Entry
from wallet.channels.sns import SmsNotices, TopicNotices
from wallet.edge.once_per_event import OncePerEvent
from wallet.ledger.events import CATALOGUE, told
from wallet.ledger.notices import DEBITS, NotADebitError, Recipient, debit_notice, debit_of, rupees

PHONE = "+919876543210"
REGION = "ap-south-1"


def recipient(name: str | None = "Bela Rao", kind: str | None = "personal") -> Recipient:
    return Recipient(wallet(9), PHONE, name, kind)


def notice(event_type: str, other: Recipient) -> str:
    debit = debit_of(event_type, told(outbox_event(event_type)))
    return debit_notice(debit, other, available=94_000, report_to="1800 000 000")


def test_a_payment_names_the_sum_the_other_side_the_balance_and_where_to_report() -> None:
    text = notice("PaymentCompleted", recipient())
    assert text == (
        "Rs 10.04 paid to B*** R*** from your wallet on 22-11-2026 12:00."
        " Available now: Rs 940.00. Not you? 1800 000 000"
    )
    assert len(text) <= 160


def test_a_shop_is_named_in_full() -> None:
    assert "paid to Chai & Co from" in notice("PaymentCompleted", recipient("Chai & Co", "merchant"))


def test_a_withdrawal_shows_its_fee_and_a_payment_not_the_payees() -> None:
    assert "(fee Rs 10.02)" in notice("WithdrawalSucceeded", recipient(None, None))
    assert "fee" not in notice("PaymentCompleted", recipient())
    assert "fee" not in notice("HoldCaptured", recipient())


@pytest.mark.parametrize("event_type", sorted(DEBITS))
def test_no_notice_has_a_phone_or_an_id(event_type: str) -> None:
    text = notice(event_type, recipient())
    assert PHONE[-4:] not in text
    assert "_" not in text
    assert "{" not in text


@pytest.mark.parametrize("event_type", sorted(set(CATALOGUE) - DEBITS))
def test_an_event_that_takes_nothing_is_no_notice(event_type: str) -> None:
    with pytest.raises(NotADebitError):
        debit_of(event_type, told(outbox_event(event_type)))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "Rs 0.00"),
        (5, "Rs 0.05"),
        (99_999, "Rs 999.99"),
        (100_000, "Rs 1,000.00"),
        (12_345_678, "Rs 1,23,456.78"),
        (100_000_000_00, "Rs 10,00,00,000.00"),
        (1_000_000_05, "Rs 10,00,000.05"),
        (2**53 - 1, "Rs 9,00,71,99,25,47,409.91"),
    ],
)
def test_rupees_are_grouped_as_in_india(amount: int, text: str) -> None:
    assert rupees(amount) == text


# -------------------------------------------------------------------------------------------- channels


def client(service: Any) -> Any:
    return boto3.Session("test", "test", region_name=REGION).client(service)


def test_an_sms_goes_to_the_phone_and_nothing_else_along_with_it() -> None:
    sns = client("sns")
    with Stubber(sns) as stub:
        stub.add_response(
            "publish",
            {"MessageId": "1"},
            {
                "PhoneNumber": PHONE,
                "Message": "text",
                "MessageAttributes": {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}},
            },
        )
        SmsNotices(sns).send("text", phone=PHONE, attributes={"wallet_id": "wal_1"})
        stub.assert_no_pending_responses()


def test_a_topic_gets_the_text_and_whose_it_is_but_no_phone() -> None:
    sns = client("sns")
    arn = "arn:aws:sns:ap-south-1:000000000000:notices"
    with Stubber(sns) as stub:
        stub.add_response(
            "publish",
            {"MessageId": "1"},
            {
                "TopicArn": arn,
                "Subject": "Money left your wallet",
                "Message": "text",
                "MessageAttributes": {"wallet_id": {"DataType": "String", "StringValue": "wal_1"}},
            },
        )
        TopicNotices(sns, arn).send("text", phone=PHONE, attributes={"wallet_id": "wal_1"})
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("channel", [SmsNotices, lambda sns: TopicNotices(sns, "arn:aws:sns:x:000000000000:y")])
def test_sns_in_trouble_is_said_without_the_phone(channel: Any) -> None:
    sns = client("sns")
    with Stubber(sns) as stub:
        stub.add_client_error("publish", "Throttling", f"too much for {PHONE}")
        with pytest.raises(ChannelUnavailableError, match="Throttling") as caught:
            channel(sns).send("text", phone=PHONE, attributes={})
    assert PHONE not in str(caught.value)


ENTRIES = [Entry("wallet", "PaymentCompleted", json.dumps({"n": number})) for number in range(3)]


def test_the_bus_says_of_each_entry_whether_it_was_taken() -> None:
    events = client("events")
    with Stubber(events) as stub:
        stub.add_response(
            "put_events",
            {
                "FailedEntryCount": 1,
                "Entries": [
                    {"EventId": "1"},
                    {"ErrorCode": "ThrottlingException", "ErrorMessage": "x"},
                    {"EventId": "3"},
                ],
            },
            {
                "Entries": [
                    {
                        "EventBusName": "bus",
                        "Source": "wallet",
                        "DetailType": "PaymentCompleted",
                        "Detail": f'{{"n": {number}}}',
                    }
                    for number in range(3)
                ]
            },
        )
        assert EventBridgeBus(events, "bus").publish(ENTRIES) == [True, False, True]


def test_a_bus_that_is_not_reached_or_answers_nonsense_took_nothing() -> None:
    events = client("events")

    def fail(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://events.invalid")

    events.meta.events.register("before-call.events.PutEvents", fail)
    with pytest.raises(ChannelUnavailableError, match="ConnectTimeoutError"):
        EventBridgeBus(events, "bus").publish(ENTRIES)
    events.meta.events.unregister("before-call.events.PutEvents", fail)
    with Stubber(events) as stub:
        stub.add_client_error("put_events", "InternalException")
        with pytest.raises(ChannelUnavailableError, match="InternalException"):
            EventBridgeBus(events, "bus").publish(ENTRIES)
        stub.add_response("put_events", {"FailedEntryCount": 0, "Entries": []})
        with pytest.raises(ChannelUnavailableError):
            EventBridgeBus(events, "bus").publish(ENTRIES)


# ------------------------------------------------------------------------------------------------ once


@pytest.fixture
def once() -> Iterator[OncePerEvent]:
    with mock_aws():
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName="t",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        yield OncePerEvent("t", dynamodb, prefix="test.v1")


def test_an_event_is_acted_on_once_and_another_one_too(once: OncePerEvent) -> None:
    done: list[int] = []
    ran = [once.run(event, Context(), lambda: done.append(1)) for event in ("evt_1", "evt_1", "evt_2")]
    assert ran == [True, False, True]
    assert len(done) == 2


def test_what_failed_is_done_when_the_event_comes_again(once: OncePerEvent) -> None:
    def fail() -> None:
        raise ChannelUnavailableError("down")

    with pytest.raises(ChannelUnavailableError):
        once.run("evt_1", Context(), fail)
    assert once.run("evt_1", Context(), lambda: None)


def test_while_one_run_is_under_way_another_is_told_to_come_again(once: OncePerEvent) -> None:
    def again() -> None:
        once.run("evt_1", Context(), lambda: None)

    with pytest.raises(IdempotencyAlreadyInProgressError):
        once.run("evt_1", Context(), again)


def test_a_debit_is_read_whole() -> None:
    event = told(outbox_event("WithdrawalSucceeded"))
    debit = debit_of("WithdrawalSucceeded", event)
    assert debit.event_id == event["id"]
    assert debit.type == "WithdrawalSucceeded"
    assert (debit.wallet_id, debit.other_wallet_id) == (wallet(1), wallet(2))
    assert (debit.amount, debit.fee) == (event["data"]["amount"], event["data"]["fee"])
    assert debit.at.isoformat() == "2026-11-22T06:30:00+00:00"


def test_a_debit_to_no_wallet_names_none() -> None:
    event = told(outbox_event("WithdrawalSucceeded", other_wallet_id=None))
    assert debit_of("WithdrawalSucceeded", event).other_wallet_id is None


def test_somebody_without_a_name_is_somebody() -> None:
    assert "paid to somebody from" in notice("PaymentCompleted", recipient(None, "merchant"))


@pytest.mark.parametrize(
    ("event_type", "words"),
    [
        ("PaymentCompleted", " paid to Chai & Co from your wallet on "),
        ("HoldCaptured", " of what you had promised was taken by Chai & Co from your wallet on "),
        ("PaymentRefunded", " refunded to Chai & Co from your wallet on "),
        ("WithdrawalSucceeded", " withdrawn from your wallet (fee Rs "),
        (
            "WithdrawalCorrected",
            " of a withdrawal that was paid out after all was taken from your wallet on ",
        ),
        ("RefundToSourceSucceeded", " of yours was sent back to where it came from on "),
    ],
)
def test_each_debit_has_its_words(event_type: str, words: str) -> None:
    text = notice(event_type, recipient("Chai & Co", "merchant"))
    assert text.startswith("Rs ")
    assert words in text
