"""Signing in: counted first, the same for everybody who fails, and a new refresh token each time."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.calls import CALLER, GENERATION, PRINCIPAL, SESSION
from wallet.identity import passwords
from wallet.identity.accounts.model import scope_of
from wallet.identity.phone_proofs.model import proof_hash
from wallet.identity.phones import SignInPhone, read_sign_in
from wallet.identity.sessions import service
from wallet.identity.sessions.model import (
    Lifetimes,
    Principal,
    Session,
    SessionKind,
    SignIn,
    SignInRules,
    device_of,
    first_token,
    successor,
    token_hash,
)
from wallet.identity.sessions.service import Issuer
from wallet.identity.tokens import SigningKey, verify
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import Answer

KEY = SigningKey("v1", "s" * 64)
NOW = 1_800_000_000
ISSUER = Issuer(KEY, Lifetimes(access_token_s=900, idle_s=3_600, valid_s=86_400), NOW)
RULES = SignInRules(password_cost=4, per_pair=10, per_phone=50, per_address=100, window_s=900)
PHONE, PASSWORD, ADDRESS = "+919876543210", "correct horse", "203.0.113.9"
STORED = passwords.hash_password(PASSWORD, cost=4)
SEED = b"s" * 32


class Database:
    """Remembers what it was asked, knows one user with one session, and refuses what it is told to."""

    def __init__(
        self,
        *,
        refuses: Refused | None = None,
        refused_call: str | None = None,
        user: bool = True,
        phone: str | None = None,
        stored: bytes = STORED,
    ) -> None:
        """`phone` is the one that the user has; without it they have every one.

        Every call is refused, or `refused_call` alone.
        """
        self.refuses = refuses
        self.refused_call = refused_call
        self.user = user
        self.phone = phone
        self.stored = stored
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def call(self, procedure: str, *arguments: object) -> Answer:
        self.calls.append((procedure, arguments))
        if self.refuses is not None and self.refused_call in (None, procedure):
            raise self.refuses
        told = {"user_id": CALLER.hex, "session_id": SESSION.hex, "generation": GENERATION, "phones": 4}
        told |= {"phone": 1, "address": 1}
        return Answer("done", result=told)

    def read(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        if "session_tokens" in query:
            self.calls.append(("SELECT seed", arguments))
            return [{"seed": SEED}] if self.user else []
        self.calls.append(("SELECT", arguments))
        known = self.user and self.phone in (None, arguments[0])
        return [{"id": CALLER.bytes, "password_hash": self.stored}] if known else []

    def asked(self) -> list[str]:
        return [procedure for procedure, _ in self.calls]

    def told(self, procedure: str) -> tuple[object, ...]:
        [arguments] = [arguments for called, arguments in self.calls if called == procedure]
        return arguments


def sign_in(
    database: Database,
    *,
    phone: str | SignInPhone = PHONE,
    password: str = PASSWORD,
    phone_proof: str | None = None,
    address: str = ADDRESS,
    kind: SessionKind = SessionKind.TOKENS,
    on_failure: Callable[[int], None] = lambda _: None,
) -> Session:
    shown = SignIn(
        SignInPhone(phone, None) if isinstance(phone, str) else phone, password, phone_proof, address, "a phone"
    )
    return service.sign_in(
        database,  # type: ignore[arg-type]  # a database by duck
        lambda: SESSION,
        ISSUER,
        RULES,
        shown,
        kind=kind,
        on_failure=on_failure,
    )


def refresh(database: Database) -> Session:
    return service.refresh(database, ISSUER, refresh_token="rt_old")  # type: ignore[arg-type]  # by duck


def renew(database: Database, cookie: str = "rt_cookie") -> Session:
    return service.renew(database, ISSUER, cookie=cookie)  # type: ignore[arg-type]  # by duck


def principal_of(session: Session) -> Principal:
    return verify(session.access_token, {KEY.id: KEY}, now=NOW).principal


def refused(work: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value


def refusal(work: Callable[[], object]) -> Refusal:
    return refused(work).refusal


def test_who_knows_the_password_gets_a_session() -> None:
    session = sign_in(Database())
    assert principal_of(session) == PRINCIPAL
    assert session.expires_in_s == 900
    assert session.secret.startswith("rt_")


def test_an_attempt_is_counted_before_the_password_is_looked_at() -> None:
    database = Database()
    sign_in(database)
    assert database.asked() == ["count_sign_in", "SELECT", "start_session", "forgive_sign_in"]


def test_who_has_tried_too_often_is_not_even_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "check_password", lambda *_, **__: pytest.fail("the password was checked"))
    database = Database(refuses=Refused(Refusal.TOO_MANY_ATTEMPTS, retry_after_s=5))
    assert refusal(lambda: sign_in(database)) is Refusal.TOO_MANY_ATTEMPTS
    assert database.asked() == ["count_sign_in"]


@pytest.mark.parametrize("user", [True, False])
def test_an_unknown_phone_and_a_wrong_password_take_the_same_way(
    monkeypatch: pytest.MonkeyPatch, *, user: bool
) -> None:
    checked: list[int] = []
    check_password = passwords.check_password

    def check(password: str, stored: bytes | None, *, cost: int) -> bool:
        checked.append(cost)
        return check_password(password, stored, cost=cost)

    monkeypatch.setattr(passwords, "check_password", check)
    database = Database(user=user)
    assert refusal(lambda: sign_in(database, password="wrong horse")) is Refusal.INVALID_CREDENTIALS
    assert database.asked() == ["count_sign_in", "SELECT", "note_failed_sign_in"]
    assert checked == [RULES.password_cost]


def test_the_right_password_of_nobody_is_wrong() -> None:
    assert refusal(lambda: sign_in(Database(user=False))) is Refusal.INVALID_CREDENTIALS


def test_a_password_that_was_changed_since_it_was_looked_at_is_wrong_and_not_forgiven() -> None:
    database = Database(refuses=Refused(Refusal.INVALID_CREDENTIALS), refused_call="start_session")
    assert refusal(lambda: sign_in(database)) is Refusal.INVALID_CREDENTIALS
    assert database.told("start_session")[:2] == (CALLER.bytes, STORED)
    assert "forgive_sign_in" not in database.asked()


def test_a_hash_of_another_cost_is_made_anew_and_the_session_is_of_the_new_one() -> None:
    database = Database(stored=passwords.hash_password(PASSWORD, cost=5))
    sign_in(database)
    assert database.asked() == ["count_sign_in", "SELECT", "rehash_password", "start_session", "forgive_sign_in"]
    user_id, old, new = database.told("rehash_password")
    assert (user_id, old) == (CALLER.bytes, database.stored)
    assert isinstance(new, bytes)
    assert passwords.cost_of(new) == RULES.password_cost
    assert passwords.check_password(PASSWORD, new, cost=RULES.password_cost)
    assert database.told("start_session")[1] == new


def test_a_password_that_fails_is_counted_over_all_phones_without_being_told() -> None:
    database, phones = Database(), list[int]()
    refused(lambda: sign_in(database, password="wrong horse", on_failure=phones.append))
    assert phones == [4]
    told = [argument for _, arguments in database.calls for argument in arguments]
    assert "wrong horse" not in told
    password_hash, pair_hash, window_s = database.told("note_failed_sign_in")
    assert password_hash != pair_hash
    assert window_s == RULES.window_s


def test_the_digest_that_a_failed_password_is_counted_under_is_of_sixteen_bits() -> None:
    """Whoever reads it learns next to nothing: every 65,536th password has the same one."""
    bits, counted = service._PASSWORD_BITS, set[object]()  # noqa: SLF001 - the claim is about this number
    assert bits == 16
    for number in range(600):
        database = Database(user=False)
        refused(lambda database=database, number=number: sign_in(database, password=f"wrong {number}"))  # type: ignore[misc]  # mypy takes defaults for arguments
        counted.add(database.told("note_failed_sign_in")[0])
    assert 580 <= len(counted) <= 600


def written(text: str) -> SignInPhone:
    phone = read_sign_in(text, region="IN")
    assert phone is not None
    return phone


@pytest.mark.parametrize("stored", ["+919876543210", "+9109876543210"])
def test_who_was_registered_with_a_trunk_zero_still_gets_in(stored: str) -> None:
    """Before numbers were read by their country's plan, it was another number."""
    database = Database(phone=stored)
    assert principal_of(sign_in(database, phone=written("+91 (0) 98765-43210"))).user_id == CALLER


@pytest.mark.parametrize("stored", [None, "+919876543210", "+9109876543210", "+910000"])
def test_a_number_of_two_spellings_takes_as_long_whoever_is_registered(
    monkeypatch: pytest.MonkeyPatch, stored: str | None
) -> None:
    checked: list[bytes | None] = []
    monkeypatch.setattr(passwords, "check_password", lambda _, kept, **__: checked.append(kept))
    database = Database(user=stored is not None, phone=stored)
    assert refusal(lambda: sign_in(database, phone=written("+91 (0) 98765-43210"))) is Refusal.INVALID_CREDENTIALS
    assert len(checked) == 2
    assert database.asked() == ["count_sign_in", "SELECT", "SELECT", "note_failed_sign_in"]


def test_spellings_of_a_number_are_counted_as_one() -> None:
    asked = [Database(), Database()]
    sign_in(asked[0], phone=written("+91 (0) 98765-43210"))
    sign_in(asked[1], phone=written("98765 43210"))
    assert asked[0].calls[0] == asked[1].calls[0]


def test_what_is_no_number_is_refused_as_such_but_for_who_is_registered_with_it() -> None:
    database = Database(phone="+9198765")
    assert sign_in(database, phone=written("+91 98765")).expires_in_s == 900
    wrong, nobody = (
        refused(lambda password=password, user=user: sign_in(user, phone=written("+91 98765"), password=password))  # type: ignore[misc]  # mypy takes defaults for arguments
        for password, user in (("wrong horse", database), (PASSWORD, Database(user=False)))
    )
    assert wrong.refusal is nobody.refusal is Refusal.INVALID_REQUEST
    assert wrong.fields == nobody.fields != ()


def test_the_database_is_told_neither_address_nor_password_nor_token_nor_proof() -> None:
    """The phone it has: it asks whether its owner has ever signed in from there."""
    database = Database()
    session = sign_in(database, phone_proof="pp_proof")
    told = [argument for procedure, arguments in database.calls if procedure != "SELECT" for argument in arguments]
    assert not {ADDRESS, PASSWORD, session.secret, "pp_proof"} & {
        argument for argument in told if isinstance(argument, str)
    }
    assert token_hash(session.secret) in told
    assert proof_hash("pp_proof") in told


def test_a_phone_an_address_and_both_together_are_counted_apart() -> None:
    database = Database()
    sign_in(database, address=PHONE)
    assert len(set(database.told("count_sign_in")[2:5])) == 3


def test_what_a_sign_in_was_counted_under_is_what_is_forgiven() -> None:
    database = Database()
    sign_in(database)
    assert database.told("count_sign_in")[2:5] == database.told("forgive_sign_in")


def test_a_proof_of_the_phone_is_shown_to_the_counter_and_used_up_by_the_session() -> None:
    database = Database()
    sign_in(database, phone_proof="pp_proof")
    assert database.told("count_sign_in")[:2] == (PHONE, proof_hash("pp_proof"))
    assert database.told("start_session")[2] == proof_hash("pp_proof")


def test_without_a_proof_there_is_none() -> None:
    database = Database()
    sign_in(database)
    assert database.told("count_sign_in")[1] is None
    assert database.told("start_session")[2] is None


@pytest.mark.parametrize("kind", SessionKind)
def test_a_session_has_its_kind_its_device_and_its_lifetimes(kind: SessionKind) -> None:
    database = Database()
    session = sign_in(database, kind=kind)
    _, _, _, session_id, told_kind, device, _, hashed, seed, idle_s, valid_s = database.told("start_session")
    assert (session_id, told_kind, device) == (SESSION.bytes, kind.value, "a phone")
    assert hashed == token_hash(session.secret)
    assert isinstance(seed, bytes)
    assert len(seed) == 32
    assert (idle_s, valid_s) == (3_600, 86_400)


def test_every_session_has_a_secret_and_a_seed_of_its_own() -> None:
    databases = [Database() for _ in range(100)]
    secrets = {sign_in(database).secret for database in databases}
    assert len(secrets) == 100
    assert len({database.told("start_session")[8] for database in databases}) == 100
    assert all(secret.startswith("rt_") and len(secret) == 3 + 43 for secret in secrets)


def test_a_token_is_stored_as_its_digest() -> None:
    assert token_hash("rt_a").hex() == "66db106f2b3023e7ba0f901fafb5298109e4c84a69fea5c7067f262af1c3787a"


def test_a_refresh_token_is_changed_for_its_successor() -> None:
    database = Database()
    session = refresh(database)
    assert database.asked() == ["SELECT seed", "renew_session"]
    assert database.told("renew_session") == (
        token_hash("rt_old"),
        token_hash(session.secret),
        SessionKind.TOKENS.value,
        ISSUER.lifetimes.idle_s,
    )
    assert session.secret != "rt_old"
    assert principal_of(session) == PRINCIPAL


def test_the_successor_of_a_refresh_token_is_always_the_same_one() -> None:
    """A repetition gets what was lost, though nothing but hashes is stored."""
    assert refresh(Database()).secret == refresh(Database()).secret == successor("rt_old", SEED)


def test_nobody_has_a_successor_but_who_has_the_token_and_the_seed() -> None:
    assert len({successor(token, seed) for token in ("rt_a", "rt_b") for seed in (b"1" * 32, b"2" * 32)}) == 4


def test_successors_are_of_the_form_of_first_tokens() -> None:
    first = first_token(b"x" * 32)
    following = successor(first, SEED)
    assert len(first) == len(following) == 3 + 43
    assert first[:3] == following[:3] == "rt_"


def test_a_refresh_token_that_was_used_gets_nothing() -> None:
    database = Database(refuses=Refused(Refusal.INVALID_TOKEN))
    assert refusal(lambda: refresh(database)) is Refusal.INVALID_TOKEN


def test_an_unknown_refresh_token_gets_nothing_and_ends_nothing() -> None:
    database = Database(user=False)
    assert refusal(lambda: refresh(database)) is Refusal.INVALID_TOKEN
    assert database.asked() == ["SELECT seed"]


def test_a_cookie_is_renewed_and_stays() -> None:
    database = Database()
    session = renew(database)
    assert database.calls == [
        ("renew_session", (token_hash("rt_cookie"), None, SessionKind.COOKIE.value, ISSUER.lifetimes.idle_s))
    ]
    assert session.secret == "rt_cookie"
    assert principal_of(session) == PRINCIPAL


def test_a_cookie_whose_session_has_ended_gets_nothing() -> None:
    database = Database(refuses=Refused(Refusal.INVALID_TOKEN))
    assert refusal(lambda: renew(database)) is Refusal.INVALID_TOKEN


def test_signing_out_ends_the_session() -> None:
    database = Database()
    service.sign_out(database, secret="rt_old")  # type: ignore[arg-type]  # by duck
    assert database.calls == [("end_session_of_token", (token_hash("rt_old"),))]


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("", ""),
        ("  a phone  ", "a phone"),
        ("one\r\nline\tonly\x00", "onelineonly"),
        ("turned \u202e round", "turned  round"),
        ("x" * 10_000, "x" * 200),
        ("\U0001f4f1 an app é", "an app"),
    ],
)
def test_what_a_device_calls_itself_is_cut_and_cleaned(user_agent: str, device: str) -> None:
    assert device_of(user_agent) == device


def test_a_registrations_keys_belong_to_its_proof_and_so_to_no_next_owner() -> None:
    assert scope_of("pp_a") == scope_of("pp_a") != scope_of("pp_b")
