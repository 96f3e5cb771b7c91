"""Logging in: counted first, the same for everybody who fails, and a new refresh token each time."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.unit.calls import CALLER
from wallet.identity import login as logins
from wallet.identity import passwords
from wallet.identity.login import LoginRules
from wallet.identity.phones import SignInPhone, read_sign_in
from wallet.identity.register import scope_of
from wallet.identity.tokens import SigningKey, refresh_token_hash, verify
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import Answer

KEY = SigningKey("v1", "s" * 64)
RULES = LoginRules(
    access_token_s=900,
    refresh_token_s=3_600,
    password_cost=4,
    attempts_per_phone=10,
    attempts_per_address=100,
    window_s=900,
)
PHONE, PASSWORD = "+919876543210", "correct horse"
STORED = passwords.hash_password(PASSWORD, cost=4)


class Database:
    """Remembers what it was asked, knows one user, and refuses what it is told to."""

    def __init__(self, *, refuses: Refused | None = None, user: bool = True, phone: str | None = None) -> None:
        """`phone` is the one that the user has; without it they have every one."""
        self.refuses = refuses
        self.user = user
        self.phone = phone
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def call(self, procedure: str, *arguments: object) -> Answer:
        self.calls.append((procedure, arguments))
        if self.refuses is not None:
            raise self.refuses
        return Answer("done", result={"user_id": CALLER.hex})

    def read(self, _: str, *arguments: object) -> list[dict[str, Any]]:
        self.calls.append(("SELECT", arguments))
        known = self.user and self.phone in (None, arguments[0])
        return [{"id": CALLER.bytes, "password_hash": STORED}] if known else []

    def asked(self) -> list[str]:
        return [procedure for procedure, _ in self.calls]


def log_in(
    database: Database,
    *,
    phone: str | SignInPhone = PHONE,
    password: str = PASSWORD,
    address: str = "203.0.113.9",
) -> Any:
    return logins.login(
        database,  # type: ignore[arg-type]  # a database by duck
        lambda: UUID(int=7),
        KEY,
        RULES,
        phone=SignInPhone(phone, None) if isinstance(phone, str) else phone,
        password=password,
        address=address,
        now=int(time.time()),
    )


def refused(work: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value


def refusal(work: Callable[[], object]) -> Refusal:
    return refused(work).refusal


def test_who_knows_the_password_gets_a_session() -> None:
    session = log_in(Database())
    assert verify(session.access_token, {KEY.id: KEY}, now=time.time()).user_id == CALLER
    assert session.expires_in_s == 900
    assert session.refresh_token.startswith("rt_")


def test_an_attempt_is_counted_before_the_password_is_looked_at() -> None:
    database = Database()
    log_in(database)
    assert database.asked() == ["count_login_attempt", "SELECT", "forgive_login_attempts", "start_refresh_family"]


def test_who_has_tried_too_often_is_not_even_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "check_password", lambda *_, **__: pytest.fail("the password was checked"))
    database = Database(refuses=Refused(Refusal.TOO_MANY_ATTEMPTS, retry_after_s=5))
    assert refusal(lambda: log_in(database)) is Refusal.TOO_MANY_ATTEMPTS
    assert database.asked() == ["count_login_attempt"]


@pytest.mark.parametrize("user", [True, False])
def test_an_unknown_phone_and_a_wrong_password_take_the_same_way(
    monkeypatch: pytest.MonkeyPatch, *, user: bool
) -> None:
    checked: list[int] = []

    def check(password: str, stored: bytes | None, *, cost: int) -> bool:
        checked.append(cost)
        return passwords.check_password(password, stored, cost=cost)

    monkeypatch.setattr(logins, "check_password", check)
    database = Database(user=user)
    assert refusal(lambda: log_in(database, password="wrong horse")) is Refusal.INVALID_CREDENTIALS
    assert database.asked() == ["count_login_attempt", "SELECT"]
    assert checked == [RULES.password_cost]


def test_the_right_password_of_nobody_is_wrong() -> None:
    assert refusal(lambda: log_in(Database(user=False))) is Refusal.INVALID_CREDENTIALS


def written(text: str) -> SignInPhone:
    phone = read_sign_in(text, region="IN")
    assert phone is not None
    return phone


@pytest.mark.parametrize("stored", ["+919876543210", "+9109876543210"])
def test_who_was_registered_with_a_trunk_zero_still_gets_in(stored: str) -> None:
    """Before numbers were read by their country's plan, it was another number."""
    database = Database(phone=stored)
    session = log_in(database, phone=written("+91 (0) 98765-43210"))
    assert verify(session.access_token, {KEY.id: KEY}, now=time.time()).user_id == CALLER


@pytest.mark.parametrize("stored", [None, "+919876543210", "+9109876543210", "+910000"])
def test_a_number_of_two_spellings_takes_as_long_whoever_is_registered(
    monkeypatch: pytest.MonkeyPatch, stored: str | None
) -> None:
    checked: list[bytes | None] = []
    monkeypatch.setattr(logins, "check_password", lambda _, kept, **__: checked.append(kept))
    database = Database(user=stored is not None, phone=stored)
    assert refusal(lambda: log_in(database, phone=written("+91 (0) 98765-43210"))) is Refusal.INVALID_CREDENTIALS
    assert len(checked) == 2
    assert database.asked() == ["count_login_attempt", "SELECT", "SELECT"]


def test_spellings_of_a_number_are_counted_as_one() -> None:
    asked = [Database(), Database()]
    log_in(asked[0], phone=written("+91 (0) 98765-43210"))
    log_in(asked[1], phone=written("98765 43210"))
    assert asked[0].calls[0] == asked[1].calls[0]


def test_what_is_no_number_is_refused_as_such_but_for_who_is_registered_with_it() -> None:
    database = Database(phone="+9198765")
    assert log_in(database, phone=written("+91 98765")).expires_in_s == 900
    wrong, nobody = (
        refused(lambda password=password, user=user: log_in(user, phone=written("+91 98765"), password=password))  # type: ignore[misc]  # mypy takes defaults for arguments
        for password, user in (("wrong horse", database), (PASSWORD, Database(user=False)))
    )
    assert wrong.refusal is nobody.refusal is Refusal.INVALID_REQUEST
    assert wrong.fields == nobody.fields != ()


def test_the_database_is_told_neither_phone_nor_address_nor_token() -> None:
    database = Database()
    session = log_in(database)
    told = [argument for procedure, arguments in database.calls if procedure != "SELECT" for argument in arguments]
    assert not {PHONE, "203.0.113.9", session.refresh_token} & {
        argument for argument in told if isinstance(argument, str)
    }
    assert refresh_token_hash(session.refresh_token) in told


def test_a_phone_and_an_address_are_counted_apart() -> None:
    database = Database()
    log_in(database, address=PHONE)
    phone, address = database.calls[0][1][:2]
    assert phone != address


def test_a_refresh_token_is_changed_for_another() -> None:
    database = Database()
    session = logins.refresh(database, KEY, RULES, refresh_token="rt_old", now=int(time.time()))  # type: ignore[arg-type]  # by duck
    [(procedure, (old, new, valid_s))] = database.calls
    assert procedure == "rotate_refresh_token"
    assert old == refresh_token_hash("rt_old")
    assert new == refresh_token_hash(session.refresh_token) != old
    assert valid_s == RULES.refresh_token_s
    assert verify(session.access_token, {KEY.id: KEY}, now=time.time()).user_id == CALLER


def test_a_refresh_token_that_was_used_gets_nothing() -> None:
    database = Database(refuses=Refused(Refusal.INVALID_TOKEN))
    work = lambda: logins.refresh(database, KEY, RULES, refresh_token="rt_old", now=0)  # type: ignore[arg-type]  # noqa: E731 - by duck, and once
    assert refusal(work) is Refusal.INVALID_TOKEN


def test_logging_out_ends_the_family() -> None:
    database = Database()
    logins.logout(database, refresh_token="rt_old")  # type: ignore[arg-type]  # by duck
    assert database.calls == [("revoke_refresh_family", (refresh_token_hash("rt_old"),))]


def test_a_registrations_keys_belong_to_its_phone() -> None:
    assert scope_of(PHONE, 0) == scope_of(PHONE, 0) != scope_of("+919876543211", 0)


def test_keys_of_a_phones_former_owner_are_not_the_next_ones() -> None:
    assert len({scope_of(PHONE, former) for former in range(3)}) == 3
