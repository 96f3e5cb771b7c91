"""Settings: read late, and refused when they can't be used."""

import base64
import hashlib
import hmac

import pytest

from wallet import wiring
from wallet.aws import Secret, SecretVersion
from wallet.gateways.port import MalformedEventError
from wallet.wiring import SettingError


@pytest.mark.parametrize("value", [None, ""])
def test_a_setting_must_be_there(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("DEFAULT_TIER", raising=False)
    if value is not None:
        monkeypatch.setenv("DEFAULT_TIER", value)
    with pytest.raises(SettingError, match="DEFAULT_TIER is not set"):
        wiring.setting("DEFAULT_TIER")


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "1e3", "ten", " 5", "0x10", "²"])
def test_a_number_is_whole_and_positive(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PASSWORD_COST", value)
    with pytest.raises(SettingError) as caught:
        wiring.number("PASSWORD_COST")
    assert value not in str(caught.value)


def test_a_setting_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("4", "12"):
        monkeypatch.setenv("PASSWORD_COST", value)
        assert wiring.number("PASSWORD_COST") == int(value)


@pytest.mark.parametrize("name", ["", "paypal", "Razorpay", "cashfree "])
def test_a_gateway_that_nobody_has_written_is_a_fault_of_the_deployment(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("GATEWAY", name)
    with pytest.raises(SettingError):
        wiring.gateway()
    with pytest.raises(SettingError):
        wiring.webhook_reader(name, fresh=False)
    with pytest.raises(SettingError):
        wiring.kept_event(name, b"{}")


class Told(Secret):
    """A secret that needs no Secrets Manager: what it says now, and what it said before."""

    def __init__(self, *texts: str) -> None:
        super().__init__("arn")
        self._texts = dict(zip(("AWSCURRENT", "AWSPREVIOUS"), texts, strict=False))

    def _fetch(self, stage: str) -> SecretVersion | None:
        return SecretVersion(stage, self._texts[stage]) if stage in self._texts else None


@pytest.mark.parametrize(
    ("name", "keys", "address"),
    [
        ("razorpay", '{"key_id": "k", "key_secret": "s"}', "https://api.razorpay.com"),
        ("cashfree", '{"client_id": "c", "client_secret": "s"}', "https://api.cashfree.com/pg"),
    ],
)
def test_the_gateway_is_the_one_that_is_named_and_answers_for_real_money_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, name: str, keys: str, address: str
) -> None:
    monkeypatch.setenv("GATEWAY", name)
    monkeypatch.setenv("GATEWAY_BASE_URL", "")
    monkeypatch.setattr(wiring, "_gateway_secret", lambda: Told(keys))
    assert wiring.gateway().name == name
    assert wiring.gateway() is wiring.gateway(), "its connections are kept"
    assert wiring._GATEWAY_ADDRESSES[name] == address  # noqa: SLF001 - where real money goes is worth a line


def test_cashfrees_webhooks_are_read_with_the_secret_of_now_and_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY", "cashfree")
    monkeypatch.setattr(wiring, "_webhook_secret", lambda: Told('{"client_secret": "new"}', '{"client_secret": "old"}'))
    reader = wiring.webhook_reader("cashfree", fresh=False)
    assert reader is not None
    body, stamp = b'{"type":"WEBHOOK"}', "1795000200123"
    for secret in ("new", "old"):
        made = base64.b64encode(hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()).decode()
        headers = {"x-webhook-signature": made, "x-webhook-timestamp": stamp}
        assert reader.read(body, headers).name == "WEBHOOK"
    assert wiring.webhook_reader("razorpay", fresh=False) is None


def test_a_kept_event_is_read_as_its_gateway_wrote_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY", "cashfree")
    assert wiring.kept_event("cashfree", b'{"type":"WEBHOOK"}').name == "WEBHOOK"
    with pytest.raises(MalformedEventError):
        wiring.kept_event("razorpay", b'{"event":"payment.captured"}')


def test_ids_are_new_and_in_order_of_time() -> None:
    made = [wiring.new_id() for _ in range(200)]
    assert len(set(made)) == 200
    assert [one.int >> 80 for one in made] == sorted(one.int >> 80 for one in made)


@pytest.mark.parametrize("arns", ["", "a", "a,b,c", "a,b,c,d,e"])
def test_the_migrations_need_the_secret_of_every_role(monkeypatch: pytest.MonkeyPatch, arns: str) -> None:
    monkeypatch.setenv("DATABASE_ROLE_SECRETS", arns)
    with pytest.raises(SettingError):
        wiring.migration()
