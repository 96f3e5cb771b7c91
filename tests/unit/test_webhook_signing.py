"""Merchants' webhooks: what they verify with, and that it is the documents' own code that does."""

import hashlib
import hmac
import json
import re
from typing import Any
from uuid import UUID

import pytest

from tests.unit import template as templates
from tests.unit.calls import ROOT
from tests.unit.events import wallet
from wallet.ledger import ids
from wallet.ledger.webhook_signing import merchant_key, sign

SECRET = "0123456789" * 6
PAYLOAD = '{"id":"evt_1","data":{"amount":6000,"description":"चाय ₹60"}}'
DOCUMENT = (ROOT / "docs" / "events.md").read_text()


def body(secrets: list[str], wallet_id: UUID = wallet(1), payload: str = PAYLOAD) -> bytes:  # noqa: B008 - a value
    signatures = sign(payload, secrets=secrets, wallet_id=wallet_id)
    shown = ids.show(ids.WALLET, wallet_id)
    return json.dumps({"wallet_id": shown, "payload": payload, "signatures": signatures}).encode()


def documented() -> Any:
    """The merchant's function as docs/events.md shows it."""
    found = re.search(r"```python\n(import hashlib.+?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    space: dict[str, Any] = {}
    exec(found[1], space)  # noqa: S102 - our own document
    return space["read_webhook"]


def test_the_documents_ten_lines_read_what_we_sign() -> None:
    key = merchant_key(SECRET, wallet(1))
    assert documented()(body([SECRET]), key) == json.loads(PAYLOAD)


def test_while_keys_change_both_are_good() -> None:
    both = body(["a new secret", SECRET])
    for secret in ("a new secret", SECRET):
        assert documented()(both, merchant_key(secret, wallet(1))) == json.loads(PAYLOAD)


@pytest.mark.parametrize(
    "forged",
    [
        body(["somebody else's"]),
        body([SECRET], wallet(2)),
        body([SECRET]).replace(b"6000", b"9000"),
        body([SECRET]).replace(b'"signatures": ["', b'"signatures": ["0'),
        re.sub(rb'"signatures": \[.*\]', b'"signatures": []', body([SECRET])),
    ],
)
def test_the_documents_ten_lines_refuse_a_forgery(forged: bytes) -> None:
    assert forged != body([SECRET])
    with pytest.raises(ValueError):
        documented()(forged, merchant_key(SECRET, wallet(1)))


def test_a_body_that_was_written_anew_on_its_way_still_verifies() -> None:
    rewritten = json.dumps(json.loads(body([SECRET])), indent=4, sort_keys=True, ensure_ascii=False).encode()
    assert documented()(rewritten, merchant_key(SECRET, wallet(1))) == json.loads(PAYLOAD)


def test_a_merchants_key_is_nobody_elses_and_the_signature_is_plain_hmac() -> None:
    key = merchant_key(SECRET, wallet(1))
    assert key != merchant_key(SECRET, wallet(2))
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    assert sign(PAYLOAD, secrets=[SECRET], wallet_id=wallet(1)) == [
        hmac.new(key.encode(), PAYLOAD.encode(), hashlib.sha256).hexdigest()
    ]


def test_the_documents_command_makes_the_merchants_key() -> None:
    command = re.search(r"printf '(.+)wal_…' \| openssl dgst -sha256 -hmac \"\$SECRET\"", DOCUMENT)
    assert command is not None
    about = command[1] + ids.show(ids.WALLET, wallet(1))
    assert merchant_key(SECRET, wallet(1)) == hmac.new(SECRET.encode(), about.encode(), hashlib.sha256).hexdigest()


# ------------------------------------------------------------------------------------ the merchant's stack

STACK = templates.load("infrastructure/merchant_webhook.yaml")


def test_a_merchants_rule_lets_through_their_own_copies_only() -> None:
    rule = STACK["Resources"]["Rule"]["Properties"]
    assert rule["EventPattern"] == {"source": ["wallet.merchant"], "detail": {"wallet_id": [{"Ref": "WalletId"}]}}
    assert rule["Targets"][0]["InputPath"] == "$.detail"


def test_the_stack_takes_wallets_by_their_public_id_and_addresses_that_are_encrypted() -> None:
    parameters = STACK["Parameters"]
    assert re.fullmatch(parameters["WalletId"]["AllowedPattern"], ids.show(ids.WALLET, wallet(1)))
    assert not re.fullmatch(parameters["Url"]["AllowedPattern"], "http://merchant.example/hook")


def test_what_a_merchant_does_not_take_is_kept_and_seen() -> None:
    (target,) = STACK["Resources"]["Rule"]["Properties"]["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["Undelivered", "Arn"]}}
    assert STACK["Resources"]["UndeliveredPolicy"]["Properties"]["Queues"] == [{"Ref": "Undelivered"}]
    alarm = STACK["Resources"]["UndeliveredAlarm"]["Properties"]
    assert alarm["Dimensions"][0]["Value"] == {"Fn::GetAtt": ["Undelivered", "QueueName"]}
