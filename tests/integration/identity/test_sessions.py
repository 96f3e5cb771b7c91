"""Sessions: what ends one stops its money at that commit, and a refresh token that is copied is worth nothing."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.books import Books, Person, unique
from tests.support.crowd import together
from tests.support.moves import connection, pay, place, refusal_of
from tests.support.sign_in import LIFETIMES, SignedIn, generation, sign_in
from tests.support.verbs import Day
from wallet import wiring
from wallet.identity.sessions import store
from wallet.identity.sessions.model import Principal, SessionKind, token_hash
from wallet.ledger.bulk import BulkRow, RowStatus
from wallet.ledger.payees import PayeeName
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import bulk, holds, top_ups, withdrawals
from wallet.storage.claims import Claim

if TYPE_CHECKING:
    from wallet.storage.database import Database

OUT = {"provider": "razorpayx", "vpa": "asha@okbank", "amount": 1_000, "first_check_s": 60}


def end(books: Books, session: SignedIn) -> None:
    store.end_session_of_token(connection(books, "identity"), token_hash(session.secret))


def renewed(
    books: Books,
    secret: str,
    following: str | None,
    *,
    kind: SessionKind = SessionKind.TOKENS,
    at: datetime | None = None,
) -> Principal:
    database = connection(books, "identity") if at is None else books.as_role("identity", at=at)
    return store.renew_session(
        database,
        token_hash=token_hash(secret),
        next_token_hash=None if following is None else token_hash(following),
        kind=kind,
        idle_s=LIFETIMES.idle_s,
    )


def new_secret() -> str:
    return f"rt_{secrets.token_urlsafe(32)}"


@pytest.fixture(scope="module")
def day(books: Books) -> Day:
    return Day(books)


class Verbs:
    """Everything that somebody may ask for, made possible: each under a claim of the sessions' generation then."""

    def __init__(self, books: Books, day: Day) -> None:
        rows = [BulkRow(2, PayeeName(wallet_id=day.merchant.wallet_id, phone=None), 100, None, None)]
        payer = self.in_session(books, day.payer)
        file_id, withdrawal_id = wiring.new_id(), wiring.new_id()
        money = connection(books, "money")
        bulk.open_bulk_payment(money, payer(), bulk_payment_id=file_id, rows=rows)
        withdrawals.open_withdrawal(connection(books, "withdrawals"), payer(), withdrawal_id=withdrawal_id, **OUT)  # type: ignore[arg-type]  # several types
        self.asked: dict[str, Callable[[Database], object]] = {
            **day.verbs(),
            "withdraw": partial(withdrawals.open_withdrawal, claim=payer(), withdrawal_id=wiring.new_id(), **OUT),  # type: ignore[arg-type]  # as above
            "cancel a withdrawal": partial(withdrawals.cancel_withdrawal, claim=payer(), withdrawal_id=withdrawal_id),
            "top up": partial(
                top_ups.open_top_up,
                claim=payer(),
                attempt_id=wiring.new_id(),
                gateway="razorpay",
                amount=1_000,
                valid_s=3_600,
                first_check_s=60,
            ),
            "send a file": partial(bulk.open_bulk_payment, claim=payer(), bulk_payment_id=wiring.new_id(), rows=rows),
            "retry a file": partial(bulk.retry_bulk_payment, claim=payer(), bulk_payment_id=file_id),
        }

    @staticmethod
    def in_session(books: Books, person: Person) -> Callable[[], Claim]:
        now = generation(books, person.user_id)
        return lambda: replace(person.claim(), generation=now)


def asking(books: Books, verb: str) -> "Database":
    """The connection of the database user that a verb is asked for by."""
    return connection(books, "withdrawals" if "withdraw" in verb else "money")


def counted(books: Books) -> dict[str, Any]:
    """How much there is of what a verb would leave behind."""
    tables = ("transactions", "holds", "held_changes", "withdrawals", "payment_attempts", "bulk_payments", "outbox")
    told = {table: books.select(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"] for table in tables}  # noqa: S608 - ours
    return told | {"keys": books.select("SELECT COUNT(*) AS n FROM idempotency_records")[0]["n"]}


def test_whoever_asks_in_a_session_that_has_ended_gets_nothing_done(books: Books) -> None:
    day = Day(books)
    verbs = Verbs(books, day).asked
    assert len(verbs) == 11
    for person in (day.payer, day.merchant):
        end(books, sign_in(books, person))
    before = counted(books)
    for name, verb in verbs.items():
        assert refusal_of(partial(verb, asking(books, name))) is Refusal.INVALID_TOKEN, name
    assert counted(books) == before
    assert books.faults() == []


def test_the_same_requests_in_a_session_that_goes_on_are_carried_out(books: Books) -> None:
    """What would be refused above for another reason would prove nothing."""
    day = Day(books)
    for name, verb in Verbs(books, day).asked.items():
        verb(asking(books, name))
    assert books.faults() == []


@pytest.mark.parametrize("slots", [1, 8])
def test_behind_the_answer_to_a_logout_no_payment_commits(books: Books, slots: int) -> None:
    """Payers who wait for the wallet's lock meanwhile are told that their session has ended."""
    payer = books.person(kind="merchant", tier="merchant", money=1_000_000)
    books.spread(payer, slots)
    payee = books.person()
    session, ended = sign_in(books, payer), threading.Event()
    claim = replace(payer.claim(), generation=session.principal.generation)

    def keep_paying() -> int:
        """How many were paid that began behind the answer."""
        late = 0
        for _ in range(12):
            began_behind = ended.is_set()
            try:
                pay(books, payer, payee, 10, claim=replace(claim, key=unique("key-")))
                late += began_behind
            except Refused as refused:
                assert refused.refusal is Refusal.INVALID_TOKEN  # noqa: PT017 - of many, some
        return late

    def log_out() -> int:
        end(books, session)
        ended.set()
        return int(
            books.select("SELECT COUNT(*) AS n FROM transactions WHERE actor_id = %s", payer.user_id.bytes)[0]["n"]
        )

    *late, paid_by_then = together([keep_paying] * 6 + [log_out])
    assert late == [0] * 6
    paid = books.select("SELECT COUNT(*) AS n FROM transactions WHERE actor_id = %s", payer.user_id.bytes)[0]["n"]
    assert paid == paid_by_then
    assert books.faults() == []


def test_a_capture_into_a_slot_of_a_hot_wallet_stops_with_its_session(books: Books, day: Day) -> None:
    """The lock of one slot is all that it has of the wallet that asks; who ends a session takes them all."""
    placed = [place(books, day.payer, day.merchant, 100).id for _ in range(24)]
    session = sign_in(books, day.merchant)
    claim = replace(day.merchant.claim(), generation=session.principal.generation)

    def capture(hold_id: Any) -> str:
        try:
            holds.capture_hold(
                connection(books, "money"),
                replace(claim, key=unique("key-")),
                transaction_id=wiring.new_id(),
                hold_id=hold_id,
                amount=None,
                final=True,
            )
        except Refused as refused:
            return refused.refusal.value
        return "done"

    captures: list[Callable[[], Any]] = [partial(capture, hold_id) for hold_id in placed]

    def log_out() -> int:
        end(books, session)
        query = "SELECT COUNT(*) AS n FROM transactions WHERE type = 'hold_capture' AND actor_id = %s"
        return int(books.select(query, day.merchant.user_id.bytes)[0]["n"])

    answers = together([*captures[:12], log_out, *captures[12:]], at_once=8)
    by_then = answers.pop(12)
    assert set(answers) <= {"done", "invalid_token"}
    assert answers.count("done") == by_then
    assert books.faults() == []


def test_the_owners_other_sessions_go_on_with_a_new_token(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    phone, laptop = sign_in(books, payer), sign_in(books, payer)
    end(books, phone)
    old = replace(payer.claim(), generation=laptop.principal.generation)
    assert refusal_of(lambda: pay(books, payer, payee, 10, claim=old)) is Refusal.INVALID_TOKEN
    refreshed = renewed(books, laptop.secret, new_secret())
    assert refreshed.generation == laptop.principal.generation + 1
    pay(books, payer, payee, 10, claim=replace(old, generation=refreshed.generation))


def test_what_was_asked_for_before_goes_on(books: Books) -> None:
    """A hold that was placed is captured, a file's rows are paid, a withdrawal is sent."""
    payer, payee = books.person(money=10_000), books.person()
    session = sign_in(books, payer)
    now = session.principal.generation

    def claim() -> Claim:
        return replace(payer.claim(), generation=now)

    money = connection(books, "money")
    hold_id = place(books, payer, payee, 100, claim=claim()).id
    file_id, withdrawal_id = wiring.new_id(), wiring.new_id()
    rows = [BulkRow(2, PayeeName(wallet_id=payee.wallet_id, phone=None), 100, None, None)]
    bulk.open_bulk_payment(money, claim(), bulk_payment_id=file_id, rows=rows)
    out = connection(books, "withdrawals")
    withdrawals.open_withdrawal(out, claim(), withdrawal_id=withdrawal_id, **OUT)  # type: ignore[arg-type]  # several types
    end(books, session)
    holds.capture_hold(money, payee.claim(), transaction_id=wiring.new_id(), hold_id=hold_id, amount=None, final=True)
    assert bulk.pay_bulk_row(money, file_id, 2, transaction_id=wiring.new_id()) == (RowStatus.PAID, 0)
    assert withdrawals.claim_payout(out, withdrawal_id) is withdrawals.PayoutClaim.ALLOWED
    assert books.balance(payee) == 200


# ----------------------------------------------------------------------------------------- refresh tokens


def test_a_refresh_that_is_repeated_gets_the_very_same_successor(books: Books) -> None:
    session, following = sign_in(books, books.person()), new_secret()
    principals = together([lambda: renewed(books, session.secret, following)] * 8)
    assert {type(one) for one in principals} == {Principal}
    assert len(set(principals)) == 1
    assert renewed(books, following, new_secret()).session_id == session.principal.session_id


@pytest.mark.parametrize("late", ["31 seconds later", "its successor used"])
def test_a_refresh_token_that_was_copied_ends_the_session(books: Books, late: str) -> None:
    payer = books.person(money=100)
    session, following = sign_in(books, payer), new_secret()
    thief = sign_in(books, payer)
    renewed(books, session.secret, following)
    at = datetime.now(UTC) + timedelta(seconds=31) if late == "31 seconds later" else None
    if at is None:
        renewed(books, following, new_secret())
    before = generation(books, payer.user_id)
    assert refusal_of(lambda: renewed(books, session.secret, following, at=at)) is Refusal.INVALID_TOKEN
    assert refusal_of(lambda: renewed(books, following, new_secret())) is Refusal.INVALID_TOKEN
    assert generation(books, payer.user_id) == before + 1
    assert renewed(books, thief.secret, new_secret()).user_id == payer.user_id


@pytest.mark.parametrize("kind", list(SessionKind))
def test_a_session_ends_by_itself_unused_and_in_any_case(books: Books, kind: SessionKind) -> None:
    person, began = books.person(), datetime.now(UTC)
    following: list[str | None] = [new_secret() if kind is SessionKind.TOKENS else None for _ in range(40)]
    session = sign_in(books, person, kind=kind, at=began)
    idle = timedelta(seconds=LIFETIMES.idle_s)
    assert (
        refusal_of(lambda: renewed(books, session.secret, following[0], kind=kind, at=began + idle))
        is Refusal.INVALID_TOKEN
    )
    session, now, secret, renewals = sign_in(books, person, kind=kind, at=began), began, "", 0
    secret = session.secret
    while now + idle < began + timedelta(seconds=LIFETIMES.valid_s):
        now += idle - timedelta(seconds=1)
        renewed(books, secret, following[renewals], kind=kind, at=now)
        secret, renewals = following[renewals] or secret, renewals + 1
    assert renewals > 20
    late = began + timedelta(seconds=LIFETIMES.valid_s)
    assert refusal_of(lambda: renewed(books, secret, following[renewals], kind=kind, at=late)) is Refusal.INVALID_TOKEN


def test_a_cookie_is_no_refresh_token_and_the_other_way_round(books: Books) -> None:
    person = books.person()
    cookie, tokens = sign_in(books, person, kind=SessionKind.COOKIE), sign_in(books, person)
    assert refusal_of(lambda: renewed(books, cookie.secret, new_secret())) is Refusal.INVALID_TOKEN
    assert refusal_of(lambda: renewed(books, tokens.secret, None, kind=SessionKind.COOKIE)) is Refusal.INVALID_TOKEN
    for _ in range(2):
        assert renewed(books, cookie.secret, None, kind=SessionKind.COOKIE).session_id == cookie.principal.session_id
    renewed(books, tokens.secret, new_secret())


# ----------------------------------------------------------------------------------------- one's own list


def test_one_ends_one_or_all_others_and_nobody_elses(books: Books) -> None:
    identity = connection(books, "identity")
    person, other = books.person(), sign_in(books, books.person())
    here, there, elsewhere = (sign_in(books, person, device=device) for device in ("here", "there", "elsewhere"))
    listed = store.list_sessions(identity, person.user_id)
    assert {one.device for one in listed} == {"here", "there", "elsewhere"}
    assert (
        refusal_of(lambda: store.end_own_sessions(identity, here.principal, other.principal.session_id))
        is Refusal.NOT_FOUND
    )
    store.end_own_sessions(identity, here.principal, there.principal.session_id)
    store.end_own_sessions(identity, here.principal, there.principal.session_id)  # again, as the answer was lost
    asking = replace(here.principal, generation=generation(books, person.user_id))
    assert {one.device for one in store.list_sessions(identity, person.user_id)} == {"here", "elsewhere"}
    assert refusal_of(lambda: store.end_own_sessions(identity, elsewhere.principal, None)) is Refusal.INVALID_TOKEN
    for _ in range(2):
        store.end_own_sessions(identity, asking, None)
    assert refusal_of(lambda: store.end_own_sessions(identity, elsewhere.principal, None)) is Refusal.INVALID_TOKEN
    assert [one.device for one in store.list_sessions(identity, person.user_id)] == ["here"]
    assert refusal_of(lambda: renewed(books, elsewhere.secret, new_secret())) is Refusal.INVALID_TOKEN
    renewed(books, here.secret, new_secret())
    assert len(store.list_sessions(identity, other.principal.user_id)) == 1


def test_a_session_begins_with_the_password_that_is_stored_then(books: Books) -> None:
    """It may have been changed since it was looked at: then it was shown by somebody who should not come in."""
    person = books.person()
    assert refusal_of(lambda: sign_in(books, person, password_hash=b"y" * 60)) is Refusal.INVALID_CREDENTIALS
    assert store.list_sessions(connection(books, "identity"), person.user_id) == []


def test_old_sessions_are_forgotten_a_month_behind_their_end(books: Books) -> None:
    person = books.person()
    old = datetime.now(UTC) - timedelta(days=32)
    session = sign_in(books, person, at=old)
    recent = sign_in(books, person, at=old + timedelta(days=2))
    books.as_role("gateway").call("sweep_identity")
    kept = books.select("SELECT id FROM sessions WHERE user_id = %s", person.user_id.bytes)
    assert [row["id"] for row in kept] == [recent.principal.session_id.bytes]
    assert books.select("SELECT 1 FROM session_tokens WHERE token_hash = %s", token_hash(session.secret)) == []


def test_ending_sessions_while_people_pay_deadlocks_nobody(books: Books) -> None:
    payer, payee = books.person(money=100_000), books.person(money=100_000)

    def sign_out_and_in() -> None:
        for _ in range(10):
            end(books, sign_in(books, payer))

    def keep_paying(one: Person, another: Person) -> None:
        for _ in range(20):
            claim = replace(one.claim(), generation=generation(books, one.user_id))
            try:
                pay(books, one, another, 10, claim=claim)
            except Refused as refused:
                assert refused.refusal is Refusal.INVALID_TOKEN  # noqa: PT017 - of many, some

    answers = together(
        [sign_out_and_in] * 3 + [lambda: keep_paying(payer, payee)] * 3 + [lambda: keep_paying(payee, payer)] * 3
    )
    assert [one for one in answers if one is not None] == []
    assert books.faults() == []


def test_a_file_that_is_taken_in_while_its_sender_signs_out_is_not(books: Books) -> None:
    """Its rows are written before the wallet is looked at again, behind the lock that the logout has."""
    payer, payee = books.person(money=10_000), books.person()
    session = sign_in(books, payer)
    rows = [BulkRow(line, PayeeName(wallet_id=payee.wallet_id, phone=None), 1, None, None) for line in range(2, 3_002)]
    claim = replace(payer.claim(), generation=session.principal.generation)

    def send() -> str:
        try:
            bulk.open_bulk_payment(connection(books, "money"), claim, bulk_payment_id=wiring.new_id(), rows=rows)
        except Refused as refused:
            return refused.refusal.value
        return "done"

    def log_out() -> str:
        end(books, session)
        sent = books.select("SELECT 1 FROM bulk_payments WHERE user_id = %s", payer.user_id.bytes)
        return "done" if sent else "invalid_token"

    sent, as_it_was_at_the_logout = together([send, log_out])
    assert sent == as_it_was_at_the_logout


def test_fifty_sessions_are_open_at_most_and_none_hides_behind_others(books: Books) -> None:
    person, began = books.person(), datetime.now(UTC) - timedelta(minutes=30)
    sessions = [sign_in(books, person, at=began + timedelta(seconds=number)) for number in range(53)]
    listed = {one.id for one in store.list_sessions(connection(books, "identity"), person.user_id)}
    assert listed == {session.principal.session_id for session in sessions[3:]}


def test_where_a_thief_was_signed_in_is_none_of_the_owners_places(books: Books) -> None:
    """Their codes and guesses would count as the owner's."""
    person = books.person()
    home = sign_in(books, person, address_hash=b"h" * 32)
    sign_in(books, person, address_hash=b"t" * 32)
    end(books, sign_in(books, person, address_hash=b"o" * 32))
    asking = replace(home.principal, generation=generation(books, person.user_id))
    store.end_own_sessions(connection(books, "identity"), asking, None)
    known = books.select("SELECT address_hash FROM sessions WHERE user_id = %s", person.user_id.bytes)
    assert [row["address_hash"] for row in known if any(row["address_hash"])] == [b"h" * 32]
