"""Notices of debits: what people read, where it goes, and that it goes once."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber
from moto import mock_aws

from local.deploy import sms_registration
from tests.unit.calls import ROOT, Context
from tests.unit.events import noted, outbox_event, wallet
from wallet.channels.daily_cap import DailyCap
from wallet.channels.event_bridge import EventBridgeBus
from wallet.channels.port import ChannelUnavailableError, Entry, Place
from wallet.channels.sns import Registration, SmsNotices, TopicNotices
from wallet.confirmations.model import ConfirmationKind
from wallet.edge.once_per_event import OncePerEvent
from wallet.identity.phone_proofs.model import Purpose
from wallet.ledger.events import CATALOGUE, told
from wallet.ledger.notices import (
    ALERT_TEXTS,
    ALERTS,
    CONFIRMATION_TEXTS,
    DEBIT_TEXTS,
    DEBITS,
    MAX_IN_GAP,
    TEXTS,
    Alert,
    Debit,
    NobodyIsToldError,
    Notice,
    Recipient,
    Sender,
    alert_notice,
    code_notice,
    confirmation_notice,
    debit_notice,
    pause_notice,
    read_event,
    registered_text,
    rupees,
)
from wallet.ledger.periods import INDIA

PHONE = "+919876543210"
REGION = "ap-south-1"


SENDER = Sender("1800 000 000", "")


def recipient(name: str | None = "Bela Rao", kind: str = "personal") -> Recipient:
    return Recipient(wallet(9), PHONE, phone_is_proved=True, other_name=name, other_kind=kind)


def debit_of(event_type: str, detail: dict[str, Any]) -> Debit:
    debit = read_event(event_type, detail)
    assert isinstance(debit, Debit)
    return debit


def alert_of(event_type: str, **data: object) -> Alert:
    alert = read_event(event_type, told(outbox_event(event_type, detail=noted(event_type, **data))))
    assert isinstance(alert, Alert)
    return alert


def whole_notice(event_type: str, other: Recipient, sender: Sender = SENDER) -> Notice:
    debit = debit_of(event_type, told(outbox_event(event_type)))
    return debit_notice(debit, other, sender, available=94_000)


def notice(event_type: str, other: Recipient) -> str:
    return whole_notice(event_type, other).text


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
    assert "(fee Rs 10.02)" in notice("WithdrawalSucceeded", recipient(None))
    assert "fee" not in notice("PaymentCompleted", recipient())
    assert "fee" not in notice("HoldCaptured", recipient())


@pytest.mark.parametrize("event_type", sorted(DEBITS))
def test_no_notice_has_a_phone_or_an_id(event_type: str) -> None:
    text = notice(event_type, recipient())
    assert PHONE[-4:] not in text
    assert "_" not in text
    assert "{" not in text


@pytest.mark.parametrize("event_type", sorted(set(CATALOGUE) - DEBITS - ALERTS))
def test_an_event_that_takes_nothing_is_no_notice(event_type: str) -> None:
    with pytest.raises(NobodyIsToldError):
        read_event(event_type, told(outbox_event(event_type)))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0.00"),
        (5, "0.05"),
        (99_999, "999.99"),
        (100_000, "1,000.00"),
        (12_345_678, "1,23,456.78"),
        (100_000_000_00, "10,00,00,000.00"),
        (1_000_000_05, "10,00,000.05"),
        (2**53 - 1, "9,00,71,99,25,47,409.91"),
    ],
)
def test_rupees_are_grouped_as_in_india(amount: int, text: str) -> None:
    assert rupees(amount) == text


# ------------------------------------------------------------------------------- texts that are registered

BRANDED = Sender("1800 000 000", "Wallet")


def as_pattern(registered: str) -> str:
    """A registered text as the operators hold a message against it: any 1 to 30 characters in each gap."""
    return re.escape(registered).replace(re.escape("{#var#}"), rf".{{1,{MAX_IN_GAP}}}")


NAMES = ["Bela Rao", "B", "x" * 100, "चाय की दुकान " * 8, "क्षत्रिय" * 12, "a " * 50 + "b", "Chai & Co"]


@pytest.mark.parametrize("kind", ["personal", "merchant"])
@pytest.mark.parametrize("name", [*NAMES, None])
@pytest.mark.parametrize("event_type", sorted(DEBITS))
def test_what_is_sent_is_the_registered_text_with_short_gaps(event_type: str, name: str | None, kind: str) -> None:
    sent = whole_notice(event_type, recipient(name, kind), BRANDED)
    assert re.fullmatch(as_pattern(registered_text(sent.template, BRANDED)), sent.text), sent.text
    assert sent.text.endswith("Not you? 1800 000 000 - Wallet")
    assert not re.search(r"  |[<>{}]", sent.text)


def test_the_largest_sum_fits_into_its_gap() -> None:
    assert len(rupees(2**63 - 1)) <= MAX_IN_GAP


def test_a_long_name_is_cut_between_letters() -> None:
    text = notice("PaymentCompleted", recipient("क्षि" * 25, "merchant"))
    shown = text.partition(" paid to ")[2].partition(" from your wallet")[0]
    assert shown == "क्षि" * (MAX_IN_GAP // len("क्षि"))


@pytest.mark.parametrize("template", TEXTS)
def test_a_registered_text_says_who_sends_it_and_is_mostly_fixed(template: str) -> None:
    """At least six tenths of a text are fixed words, as operators ask for, whatever is short in its gaps."""
    text = registered_text(template, BRANDED)
    assert text.endswith("1800 000 000 - Wallet")
    gaps = text.count("{#var#}")
    fixed = len(text.replace("{#var#}", ""))
    assert 1 <= gaps <= 6
    assert fixed >= 60
    assert not re.search(r"[{}]", text.replace("{#var#}", ""))


def test_every_text_has_its_template_and_the_document_has_every_text() -> None:
    sent = {whole_notice(event_type, recipient()).template for event_type in DEBITS} | {
        pause_notice(SENDER, notices=50).template
    }
    assert sent == set(DEBIT_TEXTS)
    document = (ROOT / "docs/events.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| `SmsTemplate\w+` \| (.+) \|$", document, re.MULTILINE))
    wanted = {name: registered_text(name, Sender("CONTACT", "BRAND")) for name in (*DEBIT_TEXTS, *ALERT_TEXTS)}
    codes = ("code", *CONFIRMATION_TEXTS)
    assert rows == wanted | {name: registered_text(name, Sender("", "BRAND")) for name in codes}
    assert set(TEXTS) == {*DEBIT_TEXTS, *ALERT_TEXTS, *codes}


@pytest.mark.parametrize("purpose", Purpose)
def test_a_code_says_what_it_is_for_in_the_words_that_are_registered(purpose: Purpose) -> None:
    sender = Sender("", "Wallet")
    told = code_notice("012345", purpose.value, sender, minutes=10, site="")
    assert told.template == "code"
    assert told.text.startswith("012345 is your code to ")
    assert told.text.endswith("Good for 10 minutes. - Wallet")
    assert re.fullmatch(as_pattern(registered_text("code", sender)), told.text)


def test_each_purpose_of_a_code_has_words_of_its_own() -> None:
    texts = {code_notice("012345", purpose.value, BRANDED, minutes=10, site="").text for purpose in Purpose}
    assert len(texts) == len(Purpose)


def test_a_code_ends_as_browsers_read_it_and_names_the_one_site_that_may_fill_it_in() -> None:
    told = code_notice("012345", "sign_in", BRANDED, minutes=10, site="wallet.example")
    assert told.text.splitlines()[-2:] == ["", "@wallet.example #012345"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (ConfirmationKind.PAYMENT, "012345 is your code to pay Rs 5,000.00 to Asha Rao from your wallet."),
        (ConfirmationKind.HOLD, "012345 is your code to hold Rs 5,000.00 in your wallet for Asha Rao."),
        (ConfirmationKind.WITHDRAWAL, "012345 is your code to withdraw Rs 5,000.00 from your wallet to Asha Rao."),
        (ConfirmationKind.NEW_PASSKEY, "012345 is your code to add a passkey to your wallet."),
        (ConfirmationKind.LOST_PASSKEY, "012345 is your code to remove a passkey from your wallet."),
        (ConfirmationKind.NEW_NAME, "012345 is your code to change the name on your wallet to Asha Rao."),
        (ConfirmationKind.NEW_PHONE, "012345 is your code to move your wallet to the phone that ends in Asha Rao."),
        (
            ConfirmationKind.BULK_PAYMENT,
            "012345 is your code to pay Rs 5,000.00 in all from your wallet by a file of payments.",
        ),
    ],
)
def test_a_code_that_confirms_names_amount_and_payee(kind: ConfirmationKind, said: str) -> None:
    sender = Sender("", "Wallet")
    told = confirmation_notice("012345", kind.value, sender, amount=500_000, payee="Asha Rao", site="wallet.example")
    text, last = told.text.split("\n\n")
    assert text == f"{said} Tell it to nobody: we never ask for it. - Wallet"
    assert last == "@wallet.example #012345"
    assert re.fullmatch(as_pattern(registered_text(told.template, sender)), text)


def test_each_kind_of_money_out_has_a_text_for_its_code() -> None:
    assert {f"confirm_{kind.value}" for kind in ConfirmationKind} == set(CONFIRMATION_TEXTS)


@pytest.mark.parametrize(
    ("payee", "shown"),
    [
        ("asha.rao@okbank", "asha.rao@okbank"),
        (f"{'a' * 40}@longbankname", f"{'a' * 12}..aaa@longbankname"),
        ("a" * 60, "a" * MAX_IN_GAP),
    ],
)
def test_of_a_long_address_its_beginning_and_its_bank_are_shown(payee: str, shown: str) -> None:
    told = confirmation_notice("012345", "withdrawal", BRANDED, amount=1, payee=payee, site="")
    assert f"to {shown}. Tell it" in told.text


def test_the_last_notice_of_a_day_says_that_it_was() -> None:
    paused = pause_notice(BRANDED, notices=50)
    assert "told of 50 debits" in paused.text
    assert re.fullmatch(as_pattern(registered_text("paused", BRANDED)), paused.text)


@pytest.mark.parametrize("kind", ["personal", "merchant"])
def test_who_is_no_approved_merchant_is_named_by_initials(kind: str) -> None:
    """`merchant` is an operator's word by then, not theirs."""
    shown = "State Bank" if kind == "merchant" else "S*** B***"
    assert f"paid to {shown} from" in notice("PaymentCompleted", recipient("State Bank", kind))


@pytest.mark.parametrize(
    ("event_type", "nothing"), [("TopUpDisputeEnded", {"recovered": 0}), ("MoneyUnclaimed", {"reason": "refund"})]
)
def test_what_took_nothing_from_the_wallet_is_no_notice(event_type: str, nothing: dict[str, object]) -> None:
    assert read_event(event_type, told(outbox_event(event_type, detail=noted(event_type, **nothing)))) is None


def test_of_a_lost_dispute_the_owner_is_told_what_they_bore() -> None:
    event = told(outbox_event("TopUpDisputeEnded", detail=noted("TopUpDisputeEnded", amount=5_000, recovered=1_200)))
    assert debit_of("TopUpDisputeEnded", event).amount == 1_200


# ------------------------------------------------------------------------------------------------ alerts

CHROME = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari"
)


NOW = "22-11-2026 12:00"
SAID = {
    "new_device": (
        f"New sign-in to your wallet on {NOW}, on a device that calls itself Linux Android 14 Pixel 8. Not you?"
    ),
    "password_changed": f"Your wallet's password was changed on {NOW}: other devices are signed out. Not you?",
    "password_reset": f"Your wallet's password was reset by a code on {NOW}: devices are signed out. Not you?",
    "frozen_by_owner": f"Your wallet was frozen on {NOW} as you asked: nothing leaves it. Not you?",
    "unfreeze_requested": (
        f"On {NOW} you asked for the end of your wallet's freeze. It ends on 24-11-2026 00:15. Not you?"
        " Freeze it again, and tell"
    ),
    "withdrawal_address": (
        "Rs 5,000.00 goes from your wallet to a new UPI address on 24-11-2026 at 00:15 or later. Not you?"
    ),
    "confirmation_failed": (
        f"Five wrong codes were tried on your wallet on {NOW}: what they were to confirm was not done. Not you?"
    ),
    "name_changed": f"The name on your wallet was changed on {NOW}, after a confirmation. Not you?",
    "phone_changed": f"Your wallet was moved from this phone to another one on {NOW}. Not you?",
    "passkey_added": f"A passkey was added to your wallet on {NOW}: it can confirm payments. Not you?",
    "passkey_removed": f"A passkey was removed from your wallet on {NOW}: it confirms no more. Not you?",
    "frozen_by_us": f"We froze your wallet on {NOW}: nothing leaves it until we have looked. Questions?",
}


@pytest.mark.parametrize(
    ("event_type", "data", "template"),
    [
        ("SignedInOnNewDevice", {"device": CHROME}, "new_device"),
        ("PasswordChanged", {}, "password_changed"),
        ("PasswordReset", {}, "password_reset"),
        ("WalletFrozen", {"reason": "owner"}, "frozen_by_owner"),
        ("UnfreezeRequested", {"unfreezes_at": "2026-11-23T18:45:00.123456"}, "unfreeze_requested"),
        (
            "WithdrawalAddressAdded",
            {"waits_until": "2026-11-23T18:45:00.123456", "amount": 500_000},
            "withdrawal_address",
        ),
        ("ConfirmationFailed", {"amount": 500_000}, "confirmation_failed"),
        ("NameChanged", {}, "name_changed"),
        ("PhoneChanged", {}, "phone_changed"),
        ("PasskeyAdded", {}, "passkey_added"),
        ("PasskeyRemoved", {}, "passkey_removed"),
        ("WalletFrozen", {"reason": "operator"}, "frozen_by_us"),
        ("WalletFrozen", {"reason": None}, "frozen_by_us"),
    ],
)
def test_an_alert_says_what_happened_when_in_india_and_whom_to_tell(
    event_type: str, data: dict[str, object], template: str
) -> None:
    sent = alert_notice(alert_of(event_type, **data), BRANDED)
    assert (sent.template, sent.text) == (template, f"{SAID[template]} 1800 000 000 - Wallet")
    assert len(sent.text) <= 160
    assert re.fullmatch(as_pattern(registered_text(sent.template, BRANDED)), sent.text)


def test_every_alert_has_its_text() -> None:
    sent = {alert_notice(alert_of(event_type), SENDER).template for event_type in ALERTS}
    assert sent | {alert_of("WalletFrozen", reason="owner").template} == set(ALERT_TEXTS)


def test_a_freeze_of_before_freezes_had_a_reason_is_ours() -> None:
    event = told(outbox_event("WalletFrozen"))
    del event["data"]["reason"]
    assert alert_template(event) == "frozen_by_us"


def alert_template(event: dict[str, Any]) -> str:
    alert = read_event("WalletFrozen", event)
    assert isinstance(alert, Alert)
    return alert.template


@pytest.mark.parametrize(
    ("told_of_itself", "shown"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605", "iPhone CPU iPhone OS 17 5 1 li"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36", "Windows NT 10 0 Win64 x64"),
        ("Wallet/3.2 (Android 14; Pixel 8)", "Wallet 3 2 Android 14 Pixel 8"),
        ("python-urllib3/2.5.0", "python urllib3 2 5 0"),
        ("", "unknown"),
        ("://..", "unknown"),
        ("+91 98765 43210", "unknown"),
        ("9-8.7/6 5_4", "9 8 7 6 5 4"),
        ("sent in error, call 1800 123 4567", "sent in error call"),
        ("https://evil.example/x?y=1", "https evil example x y 1"),
        ("x" * 200, "x" * MAX_IN_GAP),
        ("Not you? {date}", "Not you date"),
    ],
)
def test_a_device_is_shown_as_far_as_no_address_and_no_number_comes_of_it(told_of_itself: str, shown: str) -> None:
    """Whoever signs in chooses it: it must neither be a message of theirs nor have the operators drop ours."""
    sent = alert_notice(alert_of("SignedInOnNewDevice", device=told_of_itself), BRANDED)
    assert f"calls itself {shown}. Not you? 1800 000 000" in sent.text
    assert re.fullmatch(as_pattern(registered_text("new_device", BRANDED)), sent.text)


# -------------------------------------------------------------------------------------------- channels


def client(service: Any) -> Any:
    return boto3.Session("test", "test", region_name=REGION).client(service)


REGISTRATION = Registration("1101", "WALLET", {"payment": "1107", "refund": "1108"})


def attributes(**told: str) -> dict[str, dict[str, str]]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}


@pytest.mark.parametrize(
    ("phone", "ids"),
    [
        (
            "+919876543210",
            {"AWS.SNS.SMS.SenderID": "WALLET", "AWS.MM.SMS.EntityId": "1101", "AWS.MM.SMS.TemplateId": "1107"},
        ),
        ("+447700900123", {}),
    ],
)
def test_an_sms_goes_to_the_phone_with_the_ids_of_its_text_if_that_is_indian(phone: str, ids: dict[str, str]) -> None:
    sns = client("sns")
    with Stubber(sns) as stub:
        stub.add_response(
            "publish",
            {"MessageId": "1"},
            {
                "PhoneNumber": phone,
                "Message": "text",
                "MessageAttributes": attributes(**{"AWS.SNS.SMS.SMSType": "Transactional"}, **ids),
            },
        )
        SmsNotices(sns, REGISTRATION).send("text", template="payment", phone=phone, attributes={"wallet_id": "wal_1"})
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
        TopicNotices(sns, arn).send("text", template="payment", phone=PHONE, attributes={"wallet_id": "wal_1"})
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    "channel",
    [lambda sns: SmsNotices(sns, REGISTRATION), lambda sns: TopicNotices(sns, "arn:aws:sns:x:000000000000:y")],
)
def test_sns_in_trouble_is_said_without_the_phone(channel: Any) -> None:
    sns = client("sns")
    with Stubber(sns) as stub:
        stub.add_client_error("publish", "Throttling", f"too much for {PHONE}")
        with pytest.raises(ChannelUnavailableError, match="Throttling") as caught:
            channel(sns).send("text", template="payment", phone=PHONE, attributes={})
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


# ------------------------------------------------------------------------------------------- the day's cap

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=INDIA)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        table = client("dynamodb")
        table.create_table(
            TableName="t",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        yield table


def test_a_person_has_so_many_a_day_and_the_last_one_is_known(dynamodb: Any) -> None:
    cap = DailyCap(dynamodb, "t", kind="debits", per_person=3, in_all=100)
    assert [cap.take("usr_1", now=NOON) for _ in range(5)] == [
        Place.FREE,
        Place.FREE,
        Place.LAST,
        Place.PERSON_FULL,
        Place.PERSON_FULL,
    ]
    assert cap.take("usr_2", now=NOON) is Place.FREE, "another's are their own"
    assert cap.take("usr_1", now=NOON + timedelta(days=1)) is Place.FREE, "tomorrow is new"


def test_all_together_have_so_many_a_day(dynamodb: Any) -> None:
    cap = DailyCap(dynamodb, "t", kind="debits", per_person=3, in_all=4)
    taken = [cap.take(f"usr_{number}", now=NOON) for number in range(6)]
    assert taken == [Place.FREE] * 4 + [Place.ALL_FULL] * 2
    wider = DailyCap(dynamodb, "t", kind="debits", per_person=1, in_all=5)
    assert wider.take("usr_5", now=NOON) is Place.LAST, "who found no place has not used one up"


def test_a_place_that_is_given_back_is_there_again(dynamodb: Any) -> None:
    cap = DailyCap(dynamodb, "t", kind="debits", per_person=1, in_all=1)
    assert cap.take("usr_1", now=NOON) is Place.LAST
    cap.give_back("usr_1", now=NOON)
    assert cap.take("usr_1", now=NOON) is Place.LAST
    assert cap.take("usr_2", now=NOON) is Place.ALL_FULL


def test_a_place_is_taken_in_one_write_that_holds_the_cap() -> None:
    """So many at once can't share the last place: DynamoDB decides on one item after the other."""
    dynamodb = client("dynamodb")
    written: list[dict[str, Any]] = []
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.UpdateItem", lambda params, **_: written.append(params)
    )
    with Stubber(dynamodb) as stub:
        for count in ("1", "1"):
            stub.add_response("update_item", {"Attributes": {"sent_count": {"N": count}}})
        assert DailyCap(dynamodb, "t", kind="debits", per_person=5, in_all=100).take("usr_1", now=NOON) is Place.FREE
        stub.assert_no_pending_responses()
    for params, cap in zip(written, ("5", "100"), strict=True):
        assert params["ConditionExpression"] == "attribute_not_exists(sent_count) OR sent_count < :cap"
        assert params["UpdateExpression"].startswith("ADD sent_count :one")
        assert params["ExpressionAttributeValues"][":cap"] == {"N": cap}


def test_a_day_is_indias_and_its_counters_end_by_themselves(dynamodb: Any) -> None:
    cap = DailyCap(dynamodb, "t", kind="debits", per_person=1, in_all=100)
    before_midnight = datetime(2026, 11, 29, 18, 29, tzinfo=UTC).astimezone(INDIA)
    assert cap.take("usr_1", now=before_midnight) is Place.LAST
    assert cap.take("usr_1", now=before_midnight + timedelta(minutes=2)) is Place.LAST
    for item in dynamodb.scan(TableName="t")["Items"]:
        assert item["id"]["S"].startswith(("notices#debits#2026-11-29#", "notices#debits#2026-11-30#"))
        assert int(item["expiration"]["N"]) >= (before_midnight + timedelta(days=2)).timestamp()
        assert PHONE[1:] not in json.dumps(item)


def test_alerts_and_notices_use_up_none_of_each_others_places(dynamodb: Any) -> None:
    notices, alerts = (DailyCap(dynamodb, "t", kind=kind, per_person=1, in_all=1) for kind in ("debits", "alerts"))
    assert notices.take("usr_1", now=NOON) is Place.LAST
    assert alerts.take("usr_1", now=NOON) is Place.LAST
    alerts.give_back("usr_1", now=NOON)
    assert notices.take("usr_1", now=NOON) is Place.PERSON_FULL


def test_a_table_that_can_not_be_reached_is_an_outage(dynamodb: Any) -> None:
    cap = DailyCap(dynamodb, "another", kind="debits", per_person=1, in_all=1)
    for work in (cap.take, cap.give_back):
        with pytest.raises(ChannelUnavailableError, match="ResourceNotFoundException"):
            work("usr_1", now=NOON)


# ------------------------------------------------------------------------------------------------ once


@pytest.fixture
def once(dynamodb: Any) -> OncePerEvent:
    return OncePerEvent("t", dynamodb, prefix="test.v1")


def test_an_event_is_acted_on_once_and_another_one_too(once: OncePerEvent, dynamodb: Any) -> None:
    done: list[int] = []
    ran = [once.run(event, Context(), lambda: done.append(1)) for event in ("evt_1", "evt_1", "evt_2")]
    assert ran == [True, False, True]
    assert len(done) == 2
    assert {item["id"]["S"].partition("#")[0] for item in dynamodb.scan(TableName="t")["Items"]} == {"test.v1"}


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
        ("TopUpDisputeEnded", " of a top-up that its payer's bank took back was taken from your wallet on "),
        ("MoneyUnclaimed", " that was left in your wallet as it was closed was set aside for you on "),
    ],
)
def test_each_debit_has_its_words(event_type: str, words: str) -> None:
    text = notice(event_type, recipient("Chai & Co", "merchant"))
    assert text.startswith("Rs ")
    assert words in text


def test_the_local_stack_has_an_id_for_each_text() -> None:
    registered = sms_registration()
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    told = re.findall(r"SMS_TEMPLATE_IDS: !Sub (?:>-\n\s+)?(\S+)\n", template)
    assert len(told) == 3
    pairs = dict(pair.split("=") for pair in ",".join(told).split(","))
    assert set(pairs) == set(TEXTS)
    assert {value[2:-1] for value in pairs.values()} == {name for name in registered if name.startswith("SmsTemplate")}
