"""Settings: read late, and refused when they can't be used."""

import pytest

from wallet import wiring
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


def test_a_gateway_that_nobody_has_written_is_a_fault_of_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY", "cashfree")
    with pytest.raises(SettingError):
        wiring.gateway()


def test_ids_are_new_and_in_order_of_time() -> None:
    made = [wiring.new_id() for _ in range(200)]
    assert len(set(made)) == 200
    assert [one.int >> 80 for one in made] == sorted(one.int >> 80 for one in made)


@pytest.mark.parametrize("arns", ["", "a", "a,b,c", "a,b,c,d,e"])
def test_the_migrations_need_the_secret_of_every_role(monkeypatch: pytest.MonkeyPatch, arns: str) -> None:
    monkeypatch.setenv("DATABASE_ROLE_SECRETS", arns)
    with pytest.raises(SettingError):
        wiring.migration()
