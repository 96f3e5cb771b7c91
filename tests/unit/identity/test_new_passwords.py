"""Passwords that are chosen: not what many people use, nor little more than what everybody knows of this account."""

import pytest

from wallet.identity import passwords

CONTEXT = ("+919876543210", "Asha Rao", "Wallet")


@pytest.mark.parametrize(
    "password",
    ["password", "PASSWORD1", "12345678", "qwertyuiop", "iloveyou", "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44"],
)
def test_what_many_people_use_is_refused_in_any_letters(password: str) -> None:
    reason = passwords.refuse(password, ())
    assert reason is not None
    assert "tried first" in reason


@pytest.mark.parametrize(
    "password",
    [
        "asha rao",
        "Asha Rao 1",
        "ASHA RAO!",
        "9876543210",
        "+919876543210",
        "919876543210",
        "wallet12",
        "WalletWallet",
        "9876543210a",
        "asharao1",
        "Asha1234",
        "AshaRao99",
    ],
)
def test_the_phone_the_name_and_the_product_are_refused_with_little_beside_them(password: str) -> None:
    reason = passwords.refuse(password, CONTEXT)
    assert reason is not None
    assert "phone, the name" in reason


@pytest.mark.parametrize(
    "password",
    ["correct horse", "asha rao walks to the sea", "my wallet is brown", "98765 and other numbers", "चाय और समोसा"],
)
def test_what_is_more_than_that_is_taken(password: str) -> None:
    assert passwords.refuse(password, CONTEXT) is None


def test_a_short_name_is_in_many_passwords() -> None:
    assert passwords.refuse("correct horse om", ("Om",)) is None
    assert passwords.refuse("omomomom", ("Om",)) is None


def test_the_list_has_far_more_than_the_three_thousand_that_are_asked_for() -> None:
    """ASVS 5.0, 6.2.4: the 3,000 most used ones that are long enough for us."""
    long_enough = [one for one in passwords._common_passwords() if len(one) >= passwords.MIN_LENGTH]  # noqa: SLF001 - what it looks at
    assert len(long_enough) > 10_000


@pytest.mark.parametrize("cost", [4, 5])
def test_a_hash_says_what_it_cost(cost: int) -> None:
    assert passwords.cost_of(passwords.hash_password("correct horse", cost=cost)) == cost
