"""Confirming over HTTP: people whose tier has rules, and the code that comes to their phone."""

from functools import partial
from typing import Any

from tests.support.client import Answer, Api, Json, Person, until_answered
from tests.support.problems import problem
from tests.support.proofs import newest_code

#: In paise: above it the tier `careful` wants a confirmation, and for each new VPA. In `waiting` a new VPA waits a day.
ABOVE = 500_000
_RULES = {"careful": (ABOVE, True, 0), "waiting": (None, False, 86_400)}

#: The site that passkeys are for.


def person_in(api: Api, select: Any, tier: str = "careful", *, money: int = 2_000_000) -> Person:
    """Somebody with money, in one of these tiers."""
    select("INSERT IGNORE INTO tiers (code, for_merchants) VALUES (%s, FALSE)", tier)
    limits = "INSERT IGNORE INTO tier_limits (tier, valid_from, person_to_person, withdrawals)"
    select(f"{limits} VALUES (%s, '2021-01-01', TRUE, TRUE)", tier)
    rules = "INSERT IGNORE INTO confirmation_rules (tier, valid_from, above, new_vpa, new_vpa_wait_s)"
    select(f"{rules} VALUES (%s, '2021-01-01', %s, %s, %s)", tier, *_RULES[tier])
    found = api.person(money=money)
    select("UPDATE wallets w JOIN users u ON u.id = w.user_id SET w.tier = %s WHERE u.phone = %s", tier, found.phone)
    return found


def required(answer: Answer) -> Json:
    """What must be confirmed first."""
    problem(answer, 403, "confirmation_required")
    told: Json = answer.body["confirmation"]
    assert set(told) == {"id", "methods", "expires_at"}
    assert told["methods"][-1] == "sms"
    return told


def send_code(person: Person, confirmation: Json) -> Answer:
    """A code to their phone."""
    path = f"/confirmations/{confirmation['id']}/code"
    return until_answered(partial(person.api.call, "POST", path, token=person.token))


def show_code(person: Person, confirmation: Json, code: str) -> Answer:
    """The code that they say came."""
    path = f"/confirmations/{confirmation['id']}"
    return until_answered(partial(person.api.call, "POST", path, {"code": code}, token=person.token))


def confirm(person: Person, confirmation: Json) -> None:
    """All of it."""
    sent = send_code(person, confirmation)
    assert sent.status == 202, sent.text
    assert set(sent.body) == {"expires_at", "resend_after_s"}
    assert show_code(person, confirmation, newest_code(person.api, person.phone)).status == 204
