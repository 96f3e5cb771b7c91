"""Who an operator is, by the word of IAM, and what each role commands.

People are compared, never ARNs: one person may come as an IAM user, through two roles, or by two permission sets.
"""

import re
from collections.abc import Collection
from enum import StrEnum

#: The most characters that a person's name in the journal has.
MAX_PERSON = 64

_ARN = re.compile(r"arn:aws[a-z-]*:(?P<service>iam|sts)::(?P<account>[0-9]{12}):(?P<resource>.+)", re.DOTALL)
_NAME = r"[\w+=,.@-]{1,64}"
_USER = re.compile(rf"user/(?:[!-.0-~]+/)*(?P<name>{_NAME})", re.ASCII)
_SESSION = re.compile(rf"assumed-role/(?P<role>{_NAME})/(?P<name>{_NAME})", re.ASCII)
# Identity Center's own roles, whose sessions it names by the user who signed in
_IDENTITY_CENTER_ROLE = re.compile(r"AWSReservedSSO_[\w+=,.@-]+_[0-9a-f]{16}", re.ASCII)


class Role(StrEnum):
    """What an IAM policy allows somebody to invoke: the `{role}` of `POST /operator/{role}/commands`."""

    LOOK = "look"
    SUPPORT = "support"
    MONEY = "money"
    ADMIN = "admin"


ROLE_OF = {
    "pending": Role.LOOK,
    "breaks": Role.LOOK,
    "debts": Role.LOOK,
    "show_wallet": Role.LOOK,
    "show_payment_dispute": Role.LOOK,
    "unclaimed": Role.LOOK,
    "requests": Role.LOOK,
    "find_phone": Role.SUPPORT,
    "set_phone_proved": Role.SUPPORT,
    "freeze": Role.SUPPORT,
    "cancel_withdrawal": Role.SUPPORT,
    "end_sessions": Role.SUPPORT,
    "free_phone": Role.SUPPORT,
    "change_phone": Role.SUPPORT,
    "refund_to_source": Role.MONEY,
    "credit_from_suspense": Role.MONEY,
    "credit_from_unclaimed": Role.MONEY,
    "write_off": Role.MONEY,
    "resolve_break": Role.MONEY,
    "resolve_payment_dispute": Role.MONEY,
    "end_dispute": Role.MONEY,
    "set_tier": Role.ADMIN,
    "unfreeze": Role.ADMIN,
    "close": Role.ADMIN,
    "set_slots": Role.ADMIN,
    "approve_merchant": Role.ADMIN,
    "revoke_merchant": Role.ADMIN,
}
"""Each command's one role. `approve` and `cancel` are of the role of the request that they are about."""

#: What one person asks for and another approves; the kernel's `end_command` has the same list.
NEED_TWO_PEOPLE = frozenset(
    {name for name, role in ROLE_OF.items() if role is Role.MONEY} | {"set_tier", "free_phone", "change_phone"}
)


def person_of(user_arn: str | None, *, account: str, session_roles: Collection[str]) -> str | None:
    """The person behind the ARN of a caller, or None if it names none.

    An IAM user is `<account>/<name>`. So is the session of a role of `session_roles`, whose trust policies let an IAM
    user take the role under their own name alone. A session of Identity Center is the name of who signed in, which no
    IAM user's person can be, for want of a slash. Nobody else is a person: not root, no service and no function, no
    federated user, no other role, and nobody of another account. Cases are one to IAM, so all is in lower case.
    """
    arn = _ARN.fullmatch(user_arn or "")
    if arn is None or arn["account"] != account:
        return None
    if arn["service"] == "iam":
        user = _USER.fullmatch(arn["resource"])
        return _short(f"{account}/{user['name']}") if user else None
    session = _SESSION.fullmatch(arn["resource"])
    if session is None:
        return None
    if _IDENTITY_CENTER_ROLE.fullmatch(session["role"]):
        return _short(session["name"])
    if session["role"].lower() in {role.lower() for role in session_roles}:
        return _short(f"{account}/{session['name']}")
    return None


def _short(person: str) -> str | None:
    """None if the journal has no room for the name: cut short it could be two people's."""
    return person.lower() if len(person) <= MAX_PERSON else None
