"""A password changes for who shows the old one: an access token alone, which a thief may have, is not enough."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.calls import CALLER
from wallet.identity.accounts import service
from wallet.identity.passwords import hash_password
from wallet.identity.sessions.model import Principal, SignInRules
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import Answer

COST = 4
OLD, NEW = "correct horse battery", "staple battery horse"
STORED = hash_password(OLD, cost=COST)
RULES = SignInRules(password_cost=COST, per_pair=10, per_phone=100, per_address=100, window_s=900)


class Database:
    """One account, and what is asked of it."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def call(self, procedure: str, *_arguments: object) -> Answer:
        self.called.append(procedure)
        return Answer("done", result={"phone": True, "address": True})

    def read(self, _query: str, *_arguments: object) -> list[dict[str, Any]]:
        at = datetime(2026, 11, 22, tzinfo=UTC)
        told = {
            "phone": "+919876543210",
            "name": "Asha Rao",
            "email": None,
            "kind": "personal",
            "tier": "small",
            "passkeys": 0,
        }
        return [{**told, "id": CALLER.bytes, "created_at": at, "password_hash": STORED}]


def change(database: Any, *, old: str) -> None:
    service.change_password(
        database,
        Principal(CALLER, CALLER, 1),
        RULES,
        old_password=old,
        new_password=NEW,
        address="203.0.113.9",
        product="Wallet",
    )


@pytest.mark.parametrize(
    "old",
    ["", NEW, OLD.upper(), OLD + " ", STORED.decode()],
    ids=["none", "the new", "in capitals", "a blank more", "its hash"],
)
def test_who_does_not_know_the_old_password_sets_no_new_one(old: str) -> None:
    database = Database()
    with pytest.raises(Refused) as caught:
        change(database, old=old)
    assert caught.value.refusal is Refusal.INVALID_CREDENTIALS
    # counted before it was looked at, and not forgiven
    assert database.called == ["count_sign_in"]


def test_who_knows_it_does() -> None:
    database = Database()
    change(database, old=OLD)
    assert database.called == ["count_sign_in", "forgive_sign_in", "change_password"]
