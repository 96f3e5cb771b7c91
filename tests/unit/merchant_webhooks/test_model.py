"""Webhooks to merchants: the specification's own vectors, what an answer means, and how long is waited behind it."""

import json
import re
import string
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from tests.unit import template as templates
from tests.unit.events import outbox_event, wallet
from wallet.ledger.events import told, told_to
from wallet.merchant_webhooks.model import (
    ATTEMPTS,
    LONGEST_PAUSE_S,
    PAUSES_S,
    Endpoint,
    MalformedMessageError,
    Message,
    Outcome,
    Result,
    headers_of,
    key_of,
    outcome_of,
    pause_s,
    signature,
)

#: As the specification's repository has them for its libraries (`test_sign_function`).
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR = {"message_id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "timestamp_s": 1614265330, "body": b'{"test": 2432232314}'}
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "whsec_" + b64encode(b"another key of 32 bytes, just so").decode()

NOON = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
EVENT = outbox_event()
TEXT = json.dumps(told_to(EVENT, wallet(2), told(EVENT)), ensure_ascii=False)


def test_the_signature_is_the_one_that_the_specification_publishes() -> None:
    assert signature([key_of(SECRET)], **VECTOR) == SIGNED  # type: ignore[arg-type]  # of several types, by name


def test_while_a_secret_changes_both_sign_the_newest_first() -> None:
    both = signature([key_of(OTHER), key_of(SECRET)], **VECTOR)  # type: ignore[arg-type]  # as above
    newest, oldest = both.split(" ")
    assert oldest == SIGNED
    assert newest == signature([key_of(OTHER)], **VECTOR)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_the_specifications_library_verifies_each_of_them_over_the_bytes(secret: str) -> None:
    message = Message.read(TEXT, attempt=1)
    now_s = int(datetime.now(UTC).timestamp())
    endpoint = Endpoint("https://merchant.example/", [key_of(OTHER), key_of(SECRET)])
    headers = headers_of(message, endpoint, timestamp_s=now_s)
    assert Webhook(secret).verify(message.body, dict(headers)) == json.loads(TEXT)
    assert headers["webhook-id"] == json.loads(TEXT)["id"]


def test_what_is_sent_is_the_message_byte_for_byte() -> None:
    text = TEXT.replace(":", " :  ", 3)
    assert "₹" in text
    assert Message.read(text, attempt=3).body == text.encode()


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[]", "{}", TEXT.replace("evt_", "pay_"), TEXT.replace('"wal_', '"wal-'), '{"id": 1}'],
)
def test_a_message_that_the_relay_did_not_write_is_none(text: str) -> None:
    with pytest.raises(MalformedMessageError):
        Message.read(text, attempt=1)


# ------------------------------------------------------------------------------------------ secrets


def test_a_secret_is_read_with_its_prefix_and_without() -> None:
    assert key_of(SECRET) == key_of(SECRET.removeprefix("whsec_")) == key_of(f"{SECRET}\n")


@pytest.mark.parametrize(
    "secret",
    [
        *("", "whsec_", "whsec_tooshort", "not base64 at all, whatever it is"),
        *(b64encode(b"k" * size).decode() for size in (23, 65)),
    ],
)
def test_what_is_no_secret_by_the_specification_signs_nothing_and_is_not_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="bytes in base64") as caught:
        key_of(secret)
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize("size", [24, 64])
def test_the_shortest_and_the_longest_secret_of_the_specification_are_good(size: int) -> None:
    assert key_of(b64encode(b"k" * size).decode()) == b"k" * size


def test_whatever_secrets_manager_makes_by_the_template_is_a_secret() -> None:
    made = STACK["Resources"]["SigningSecret"]["Properties"]["GenerateSecretString"]
    signs = set(string.ascii_letters + string.digits + string.punctuation) - set(made["ExcludeCharacters"])
    assert signs == set(string.ascii_letters + string.digits + "+/")
    assert len(key_of("Az09+/zZ" * (made["PasswordLength"] // 8))) == 48


# ------------------------------------------------------------------------------------------ answers


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Result.DELIVERED),
        (204, Result.DELIVERED),
        (299, Result.DELIVERED),
        (199, Result.FAILED),
        (301, Result.FAILED),
        (308, Result.FAILED),
        (400, Result.FAILED),
        (404, Result.FAILED),
        (410, Result.GONE),
        (429, Result.FAILED),
        (500, Result.FAILED),
        (503, Result.FAILED),
    ],
)
def test_an_answer_means_what_the_specification_says(status: int, result: Result) -> None:
    assert outcome_of(status, None, now=NOON) == Outcome(result, str(status))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("9" * 50, 999_999_999),
        ("Sun, 22 Nov 2026 06:32:00 GMT", 120),
        ("Sun, 22 Nov 2026 06:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 12:02:00 +0530", 120),
        ("", None),
        (None, None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("tomorrow", None),
        ("Sun, 99 Nov 2026 06:32:00 GMT", None),
        ("Sun, 22 Nov 99999999 06:32:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(header: str | None, seconds: int | None) -> None:
    assert outcome_of(503, header, now=NOON).retry_after_s == seconds


# ------------------------------------------------------------------------------------------- pauses


def most(limit: int) -> int:
    """A die that always falls on its highest side."""
    return limit - 1


def least(_limit: int) -> int:
    """One that always falls on its lowest."""
    return 0


def test_pauses_grow_from_seconds_to_hours_over_two_days() -> None:
    pauses = [pause_s(attempt, None, below=least) for attempt in range(1, ATTEMPTS)]
    assert pauses == sorted(PAUSES_S) == list(PAUSES_S)
    assert (pauses[0], pauses[-1]) == (5, 36_000)
    assert timedelta(days=1.9) < timedelta(seconds=sum(pauses)) < timedelta(days=2)


def test_what_failed_together_comes_back_apart_by_a_tenth_at_most() -> None:
    for attempt, pause in enumerate(PAUSES_S, start=1):
        assert pause_s(attempt, None, below=most) == pause + pause // 10


def test_behind_the_last_attempt_nothing_is_waited_for() -> None:
    assert pause_s(ATTEMPTS, 3_600, below=most) == 0
    assert pause_s(ATTEMPTS + 5, None, below=most) == 0


@pytest.mark.parametrize(
    ("attempt", "retry_after_s", "pause"),
    [(1, 60, 60), (1, 0, 5), (3, 60, 1_800), (3, 3_600, 3_600), (9, 999_999_999, LONGEST_PAUSE_S)],
)
def test_retry_after_makes_a_pause_longer_and_never_shorter(attempt: int, retry_after_s: int, pause: int) -> None:
    assert pause_s(attempt, retry_after_s, below=least) == pause


def test_sqs_can_hide_a_message_for_the_longest_pause() -> None:
    """For 12 hours, counted from when the function received it."""
    function = templates.functions(templates.load())["MerchantWebhookFunction"]
    for attempt in range(1, ATTEMPTS):
        assert pause_s(attempt, 10**9, below=most) + function["Timeout"] < 12 * 3_600


# ------------------------------------------------------------------------------ the merchant's stack

STACK = templates.load("infrastructure/merchant_webhook.yaml")


def properties(name: str) -> dict[str, object]:
    """Of a resource of the merchant's stack."""
    found: dict[str, object] = STACK["Resources"][name]["Properties"]
    return found


def test_a_message_is_given_up_behind_the_last_attempt() -> None:
    assert properties("Pending")["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["Undelivered", "Arn"]},
        "maxReceiveCount": ATTEMPTS,
    }


def test_a_queue_holds_a_message_for_longer_than_all_its_attempts_take() -> None:
    longest = sum(pause_s(attempt, 10**9, below=most) for attempt in range(1, ATTEMPTS))
    for name in ("Pending", "Undelivered"):
        assert properties(name)["MessageRetentionPeriod"] == 14 * 86_400 > longest
        assert properties(name)["SqsManagedSseEnabled"] is True


def test_a_message_is_hidden_for_longer_than_its_attempt_may_take() -> None:
    timeout = templates.functions(templates.load())["MerchantWebhookFunction"]["Timeout"]
    assert properties("Pending")["VisibilityTimeout"] == 6 * timeout


def test_a_merchants_rule_lets_through_their_own_copies_only_and_their_text_is_what_is_sent() -> None:
    rule = properties("Rule")
    assert rule["EventPattern"] == {"source": ["wallet.merchant"], "detail": {"wallet_id": [{"Ref": "WalletId"}]}}
    pending = {"Id": "pending", "Arn": {"Fn::GetAtt": ["Pending", "Arn"]}, "InputPath": "$.detail"}
    assert rule["Targets"] == [pending]


def test_nobody_but_the_rule_puts_messages_into_a_merchants_queue() -> None:
    policy = properties("PendingPolicy")
    assert policy["Queues"] == [{"Ref": "Pending"}]
    (statement,) = policy["PolicyDocument"]["Statement"]  # type: ignore[index]  # a template's
    assert (statement["Principal"], statement["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}}


def test_one_slow_answer_holds_up_one_message_and_a_failure_is_no_error_of_ours() -> None:
    mapping = properties("Mapping")
    assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "AtOnce"}}
    assert STACK["Parameters"]["AtOnce"]["MinValue"] == 2, "Lambda takes no less"


def test_the_stack_takes_addresses_that_are_encrypted() -> None:
    pattern = STACK["Parameters"]["Url"]["AllowedPattern"]
    assert re.fullmatch(pattern, "https://merchant.example/hook?of=chai")
    for url in ("http://merchant.example/hook", "https://merchant.example/a b", "https://"):
        assert not re.fullmatch(pattern, url)


def test_what_is_given_up_what_fails_and_what_is_late_rings() -> None:
    def queue(name: str) -> list[dict[str, object]]:
        return [{"Name": "QueueName", "Value": {"Fn::GetAtt": [name, "QueueName"]}}]

    watched = {
        "UndeliveredAlarm": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue("Undelivered")),
        "LateAlarm": ("AWS/SQS", "ApproximateAgeOfOldestMessage", queue("Pending")),
        "FailingAlarm": ("WalletWebhooks", "attempt", [{"Name": "wallet_id", "Value": {"Ref": "WalletId"}}]),
    }
    for name, metric in watched.items():
        alarm = properties(name)
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"]) == metric
        assert alarm["AlarmActions"] == {
            "Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]
        }


def test_the_stack_names_things_as_the_function_looks_for_them() -> None:
    variables = templates.functions(templates.load())["MerchantWebhookFunction"]["Environment"]["Variables"]
    prefix = variables["WEBHOOK_PREFIX"]["Fn::Sub"].replace("${AWS::StackName}", "${WalletStack}")
    assert properties("SigningSecret")["Name"] == {"Fn::Sub": f"{prefix}${{WalletId}}"}
    assert properties("Address")["Name"] == {"Fn::Sub": f"/{prefix}${{WalletId}}"}
