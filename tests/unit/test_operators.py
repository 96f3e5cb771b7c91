"""Who an operator is, by the ARN that IAM tells, and what each role commands."""

import re

import pytest

from tests.unit.calls import ROOT
from wallet.edge.commands import COMMANDS, commands_of
from wallet.operators.model import MAX_PERSON, NEED_TWO_PEOPLE, ROLE_OF, Role, person_of

ACCOUNT = "123456789012"
IAM, STS = f"arn:aws:iam::{ACCOUNT}", f"arn:aws:sts::{ACCOUNT}"
SSO = f"{STS}:assumed-role/AWSReservedSSO_Money_0123456789abcdef"
ROLES = ("wallet-operators", "Wallet-Support")

MEERA = f"{ACCOUNT}/meera"

PEOPLE = {
    f"{IAM}:user/meera": MEERA,
    # names of users, roles and sessions are one in any case
    f"{IAM}:user/Meera": MEERA,
    f"{IAM}:user/staff/in/Pune/meera": MEERA,
    f"{IAM.replace('arn:aws:', 'arn:aws-us-gov:')}:user/meera": MEERA,
    f"{STS}:assumed-role/wallet-operators/meera": MEERA,
    f"{STS}:assumed-role/wallet-operators/MEERA": MEERA,
    f"{STS}:assumed-role/WALLET-SUPPORT/meera": MEERA,
    f"{IAM}:user/ravi": f"{ACCOUNT}/ravi",
    f"{IAM}:user/m+e,e.r=a@x_-": f"{ACCOUNT}/m+e,e.r=a@x_-",
    # one person by two permission sets, and never an IAM user's namesake
    f"{SSO}/meera@example.com": "meera@example.com",
    f"{STS}:assumed-role/AWSReservedSSO_Look_fedcba9876543210/Meera@example.com": "meera@example.com",
    f"{SSO}/meera": "meera",
    f"{IAM}:user/{'m' * 51}": f"{ACCOUNT}/{'m' * 51}",
    f"{SSO}/{'m' * 64}": "m" * 64,
}

NOBODY = (
    None,
    "",
    "meera",
    MEERA,
    f"{IAM}:root",
    f"{IAM}:user/",
    f"{IAM}:user/meera/",
    f"{IAM}:user/mee ra",
    f"{IAM}:user/meera\n",
    f"{IAM}:user/म\u0940रा",
    f"{IAM}:user//meera\u0000",
    f"{IAM}:group/meera",
    f"{IAM}:role/wallet-operators",
    f"{IAM}:role/AWSReservedSSO_Money_0123456789abcdef",
    f"{IAM}:assumed-role/wallet-operators/meera",
    f"{STS}:user/meera",
    f"{STS}:federated-user/meera",
    f"{STS}:assumed-role/wallet-operators",
    f"{STS}:assumed-role/wallet-operators/",
    f"{STS}:assumed-role/wallet-operators/mee/ra",
    f"{STS}:assumed-role/path/wallet-operators/meera",
    # a function, a service, a role that nobody has listed
    f"{STS}:assumed-role/wallet-PayFunctionRole-1A2B3C/wallet-PayFunction-4D5E6F",
    f"{STS}:assumed-role/AWSServiceRoleForSupport/meera",
    f"{STS}:assumed-role/wallet-operators-too/meera",
    # nearly Identity Center's
    f"{STS}:assumed-role/AWSReservedSSO_Money/meera",
    f"{STS}:assumed-role/AWSReservedSSO_Money_0123456789ABCDEF/meera",
    f"{STS}:assumed-role/AWSReservedSSO__0123456789abcdef/meera",
    f"{STS}:assumed-role/xAWSReservedSSO_Money_0123456789abcdef/meera",
    # another account's
    "arn:aws:iam::210987654321:user/meera",
    "arn:aws:sts::210987654321:assumed-role/AWSReservedSSO_Money_0123456789abcdef/meera",
    "arn:aws:iam:::user/meera",
    f"arn:aws:iam:eu-west-1:{ACCOUNT}:user/meera",
    f"arn:evil:iam::{ACCOUNT}:user/meera",
    f"x{IAM}:user/meera",
    # no room in the journal: cut short, two would be one
    f"{IAM}:user/{'m' * 52}",
    f"{STS}:assumed-role/wallet-operators/{'m' * 52}",
)


@pytest.mark.parametrize(("arn", "person"), PEOPLE.items())
def test_a_person_is_who_the_arn_names_whatever_roles_they_come_by(arn: str, person: str) -> None:
    assert person_of(arn, account=ACCOUNT, session_roles=ROLES) == person
    assert len(person) <= MAX_PERSON


@pytest.mark.parametrize("arn", NOBODY)
def test_whatever_else_signs_is_nobody(arn: str | None) -> None:
    assert person_of(arn, account=ACCOUNT, session_roles=ROLES) is None


@pytest.mark.parametrize("roles", [(), ("",), ("support",)])
def test_a_role_that_is_not_listed_names_nobody(roles: tuple[str, ...]) -> None:
    assert person_of(f"{STS}:assumed-role/wallet-operators/meera", account=ACCOUNT, session_roles=roles) is None


@pytest.mark.parametrize("account", ["", "12345678901", "210987654321"])
def test_an_account_that_is_not_the_apis_own_has_no_people(account: str) -> None:
    assert person_of(f"{IAM}:user/meera", account=account, session_roles=ROLES) is None


def test_every_command_is_one_roles() -> None:
    assert set(ROLE_OF) | {"approve", "cancel"} == set(COMMANDS)
    assert set(ROLE_OF.values()) == set(Role)
    of_roles = [name for role in Role for name in commands_of(role) if name not in ("approve", "cancel")]
    assert sorted(of_roles) == sorted(ROLE_OF)


def test_who_may_only_look_decides_nothing() -> None:
    assert {"approve", "cancel"} & set(commands_of(Role.LOOK)) == set()
    for role in (Role.SUPPORT, Role.MONEY, Role.ADMIN):
        assert {"approve", "cancel"} <= set(commands_of(role))


def test_money_tiers_and_phones_take_two_people() -> None:
    assert {name for name, role in ROLE_OF.items() if role is Role.MONEY} <= NEED_TWO_PEOPLE
    assert {"set_tier", "free_phone", "change_phone"} <= NEED_TWO_PEOPLE


def test_the_kernel_has_the_same_list() -> None:
    text = (ROOT / "schema" / "procedures" / "operators" / "end_command.sql").read_text()
    (listed,) = re.findall(r"p_command IN \(([^)]*)\)", text)[:1]
    assert set(re.findall(r"'([a-z_]+)'", listed)) == NEED_TWO_PEOPLE
