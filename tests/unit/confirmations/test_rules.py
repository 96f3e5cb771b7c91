"""What of people's money out is confirmed, as a deployment says it."""

import pytest

from tests.unit import template as templates
from wallet.confirmations.model import ConfirmationRules

PARAMETER = templates.load()["Parameters"]["ConfirmationRules"]


def test_as_it_stands_every_payment_and_withdrawal_is_confirmed_and_what_is_new_waits_a_day() -> None:
    rules = ConfirmationRules.read(PARAMETER["Default"])
    assert rules == ConfirmationRules(above=0, new_vpa_wait_s=86_400, reset_wait_s=86_400)


@pytest.mark.parametrize(
    ("setting", "rules"),
    [
        ("none", ConfirmationRules()),
        ("by_tier", None),
        ("above=500000,new_vpa=1", ConfirmationRules(above=500_000, new_vpa=True)),
        (
            "day_above=2000000,new_payee_above=100000,new_vpa=0",
            ConfirmationRules(day_above=2_000_000, new_payee_above=100_000),
        ),
    ],
)
def test_a_setting_is_read(setting: str, rules: ConfirmationRules | None) -> None:
    assert ConfirmationRules.read(setting) == rules


@pytest.mark.parametrize(
    "setting",
    ["", "above", "above=", "above=-1", "above=1.5", "above=1,above=2", "below=1", "above=1, new_vpa=1", "new_vpa=2"],
)
def test_what_is_no_rule_is_refused_by_name(setting: str) -> None:
    with pytest.raises(ValueError, match=r"rule|new_vpa"):
        ConfirmationRules.read(setting)
