"""The end of a wallet: all of its money goes somewhere, and its phone to the next owner."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from pymysql.cursors import DictCursor

from tests.integration.conftest import Functions
from tests.integration.test_functions_under_faults import told
from tests.integration.test_kernel_credit_from_suspense import credit, wrong_amount
from tests.integration.test_kernel_source_refunds import Entry, hear
from tests.integration.test_operator_commands import done, status, wallet_id
from tests.integration.test_unsent_withdrawals import commanded
from tests.integration.test_withdrawals_kernel import refusal_of
from tests.support import disputes
from tests.support.books import Books, Person, new_phone, unique
from tests.support.crowd import together
from tests.support.disputes import TopUp
from tests.support.functions import api_event
from tests.support.moves import connection, pay, refund, refusals_in
from tests.support.operators import asked, order
from tests.support.payouts import tell, withdraw
from tests.support.proofs import proof_of
from tests.support.sign_in import SignedIn, sign_in
from tests.support.waiting import behind, behind_wallet, nothing
from wallet import wiring
from wallet.channels.port import Place
from wallet.identity.phone_proofs.model import proof_hash
from wallet.identity.sessions import store as sessions
from wallet.identity.sessions.model import SessionKind, token_hash
from wallet.ledger import ids
from wallet.ledger.notices import Debit, Sender
from wallet.ledger.receipts import Registration
from wallet.ledger.refunds import RefundStatus
from wallet.ledger.refusals import Refusal
from wallet.ledger.statements import Holder
from wallet.ledger.withdrawals import PayoutStatus
from wallet.movements.notify import Messenger, Untold, notify
from wallet.movements.refund_to_source import book_refund
from wallet.storage import inspection, operators, statements, users
from wallet.storage.claims import Claim
from wallet.storage.operators import Closing, Instruction, UnclaimedCredit, WriteOff
from wallet.storage.payments import find_payment
from wallet.storage.users import NewUser


class Mailed:
    """Notices, kept."""

    def __init__(self) -> None:
        self.goes_to_phones = False
        self.texts: list[str] = []

    def send(self, text: str, **_: object) -> None:
        """Keeps it."""
        self.texts.append(text)


class NoCap:
    """As many messages as anybody wants."""

    def take(self, _person: str, *, now: datetime) -> Place:  # noqa: ARG002 - as the protocol has it
        """There is one."""
        return Place.FREE

    def give_back(self, person: str, *, now: datetime) -> None:
        """Nothing was taken."""


def close(books: Books, person: Person, *, most: int = 50) -> Closing:
    closed: Closing = commanded(books, operators.close, person, most=most)
    return closed


def write_off(books: Books, person: Person, amount: int | None = None, *, claim: Claim | None = None) -> WriteOff:
    with closing(books.as_role("operator")) as database:
        instruction = Instruction("meera@example.com", "nobody's source", claim or person.claim())
        asked(database, "write_off", instruction)
        return operators.write_off(
            database, instruction, transaction_id=wiring.new_id(), wallet_id=person.wallet_id, amount=amount
        )[0]


def give(
    books: Books, unclaimed_id: UUID, to: Person, amount: int | None = None, *, over_limits: bool = False
) -> UnclaimedCredit:
    with closing(books.as_role("operator")) as database:
        return operators.credit_from_unclaimed(
            database,
            asked(database, "credit_from_unclaimed", Instruction("meera@example.com", "they claimed it", to.claim())),
            transaction_id=wiring.new_id(),
            unclaimed_id=unclaimed_id,
            wallet_id=to.wallet_id,
            amount=amount,
            over_limits=over_limits,
        )[0]


def goes_back(books: Books, entry: Entry, amount: int) -> None:
    """The pending refund of a top-up is paid out."""
    [row] = books.select(
        "SELECT id FROM source_refunds WHERE transaction_id = %s AND status = 'pending'", entry.id.bytes
    )
    hear(
        books,
        entry.told(RefundStatus.SUCCEEDED, amount, reference=UUID(bytes=row["id"]), refund_id=unique("rfnd_")),
    )


def comes_back(books: Books, top_up: TopUp) -> None:
    """The gateway does not pay the pending refund of a top-up out."""
    [pending] = books.select("SELECT id, amount FROM source_refunds WHERE transaction_id = %s", top_up.id.bytes)
    reference = ids.show(ids.REFUND, UUID(bytes=pending["id"]))
    failed = top_up.refunded(pending["amount"], RefundStatus.FAILED, reference=reference)
    with closing(books.as_role("gateway")) as gateway:
        book_refund(gateway, wiring.new_id, failed)


def few_paise(books: Books) -> Person:
    """Somebody of whose top-up all but 57 paise have gone back."""
    person = books.person()
    entry = Entry(books, person, 1_057)
    entry.refund(1_000)
    goes_back(books, entry, 1_000)
    assert books.balance(person) == 57
    return person


def kept(books: Books, person: Person) -> list[tuple[str, int, int]]:
    """What is kept as unclaimed money for the owner of a wallet."""
    rows = books.select(
        "SELECT type, amount, rest FROM unclaimed_money WHERE wallet_id = %s ORDER BY id", person.wallet_id.bytes
    )
    return [(row["type"], row["amount"], row["rest"]) for row in rows]


def events_of(books: Books, person: Person) -> list[tuple[str, dict[str, Any]]]:
    return [(event.type, json.loads(event.detail)) for event in books.outbox() if event.wallet_id == person.wallet_id]


class TestWritingOff:
    def test_paise_that_are_too_few_for_the_gateway_are_told_as_that_and_written_off(self, books: Books) -> None:
        person = few_paise(books)
        result = close(books, person)
        assert (result.status, result.below_minimum, result.without_a_source, result.opened) == ("closing", 57, 0, 0)
        written = write_off(books, person)
        assert (written.amount, written.status) == (57, "closed")
        assert books.balance(person) == 0
        assert kept(books, person) == [("adjustment", 57, 57)]
        named = {"transaction_id": written.transaction_id.hex, "amount": 57, "currency": "INR", "reason": "closed"}
        assert events_of(books, person)[-2:] == [("MoneyUnclaimed", named), ("WalletClosed", {})]
        span = statements.find_span(connection(books, "reader"), user_id=person.user_id)
        assert span is not None
        entry = statements.read_page(connection(books, "reader"), span, limit=1).entries[0]
        assert (entry.type, entry.side, entry.amount, entry.balance_after) == ("adjustment", "debit", 57, 0)
        assert (entry.counterparty.kind, entry.counterparty.name) == ("account", "unclaimed")
        assert books.faults() == []

    def test_money_that_was_credited_from_suspense_came_through_a_gateway_and_is_told_as_that(
        self, books: Books
    ) -> None:
        person, friend = books.person(), books.person(money=1_000)
        credit(books, wrong_amount(books, person).id)  # 1,000 that were asked for, and 900 out of suspense
        pay(books, friend, person, 70)
        result = close(books, person)
        assert (result.on_its_way, result.from_suspense, result.without_a_source) == (1_000, 900, 70)
        assert (result.returnable, result.below_minimum) == (0, 0)
        assert write_off(books, person).amount == 970
        assert status(books, person) == "closing", "its refund is on its way"
        assert books.faults() == []

    def test_what_the_next_step_can_send_back_is_told_and_not_written_off(self, books: Books) -> None:
        person, friend = books.person(), books.person(money=1_000)
        entries = [Entry(books, person, amount) for amount in (500, 300)]
        pay(books, friend, person, 40)
        result = close(books, person, most=1)
        assert (result.on_its_way, result.returnable, result.without_a_source) == (300, 500, 40)
        assert refusal_of(partial(write_off, books, person, 41)) is Refusal.NOTHING_TO_WRITE_OFF
        assert write_off(books, person).amount == 40
        assert refusal_of(partial(write_off, books, person)) is Refusal.NOTHING_TO_WRITE_OFF
        assert close(books, person).on_its_way == 800
        for entry in entries:
            goes_back(books, entry, entry.amount)
        assert status(books, person) == "closed"
        assert books.faults() == []

    def test_what_the_gateway_will_not_take_back_may_be_written_off(self, books: Books) -> None:
        entry = Entry(books, books.person(), 500)
        close(books, entry.person)
        [row] = books.select("SELECT id FROM source_refunds WHERE transaction_id = %s", entry.id.bytes)
        hear(
            books,
            entry.told(RefundStatus.FAILED, 500, reference=UUID(bytes=row["id"]), refund_id=unique("rfnd_")),
        )
        assert write_off(books, entry.person).status == "closed"
        assert kept(books, entry.person) == [("adjustment", 500, 500)]
        assert books.faults() == []

    @pytest.mark.parametrize("state", ["active", "frozen"])
    def test_nothing_of_a_wallet_that_is_not_being_closed_is_written_off(self, books: Books, state: str) -> None:
        person = few_paise(books)
        books.turn(person, state)
        assert refusal_of(partial(write_off, books, person)) is Refusal.NOTHING_TO_WRITE_OFF
        assert books.balance(person) == 57

    def test_nor_of_a_closed_one_or_of_one_that_there_is_not(self, books: Books) -> None:
        person = books.person()
        close(books, person)
        assert refusal_of(partial(write_off, books, person)) is Refusal.NOTHING_TO_WRITE_OFF
        nobody = Person(wiring.new_id(), wiring.new_id(), new_phone())
        assert refusal_of(partial(write_off, books, nobody)) is Refusal.NOT_FOUND

    def test_a_part_may_be_written_off_and_what_is_held_is_not(self, books: Books) -> None:
        person, friend = books.person(), books.person(money=1_000)
        pay(books, friend, person, 500)
        receipt, _ = withdraw(books, person, 200)
        books.write("UPDATE withdrawals SET asked = TRUE WHERE id = %s", receipt.id.bytes)
        close(books, person)
        assert refusal_of(partial(write_off, books, person, 301)) is Refusal.NOTHING_TO_WRITE_OFF
        assert write_off(books, person, 100).status == "closing"
        assert write_off(books, person).amount == 200
        assert (books.balance(person), status(books, person)) == (200, "closing")
        tell(books, receipt, PayoutStatus.SUCCEEDED)
        assert status(books, person) == "closed"
        assert books.faults() == []

    def test_written_off_by_many_at_once_it_is_once(self, books: Books) -> None:
        person = few_paise(books)
        close(books, person)
        answers = together([partial(write_off, books, person) for _ in range(8)])
        assert refusals_in([one for one in answers if isinstance(one, Exception)]) == [Refusal.NOTHING_TO_WRITE_OFF] * 7
        assert kept(books, person) == [("adjustment", 57, 57)]
        other, claim = few_paise(books), person.claim()
        close(books, other)
        again = together([partial(write_off, books, other, claim=claim) for _ in range(8)])
        assert len({repr(one) for one in again}) == 1, "one key is one order"
        assert kept(books, other) == [("adjustment", 57, 57)]

    def test_the_order_is_in_the_journal(self, books: Books, functions: Functions) -> None:
        person, operator = few_paise(books), functions.operators()
        done(operator, order("close", wallet_id=wallet_id(person)))
        result = done(operator, order("write_off", wallet_id=wallet_id(person)))
        assert result == {
            "transaction_id": result["transaction_id"],
            "wallet_id": wallet_id(person),
            "amount": 57,
            "status": "closed",
        }
        shown = done(operator, {"command": "show_wallet", "wallet_id": wallet_id(person)})
        assert [(one["transaction_id"], one["left"]) for one in shown["unclaimed"]] == [(result["transaction_id"], 57)]
        assert shown["actions"][0]["command"] == "write_off"
        listed: list[Any] = []
        page: Any = done(operator, {"command": "unclaimed"})
        while page:
            listed += page
            page = done(operator, {"command": "unclaimed", "after": page[-1]["transaction_id"]})
        assert result["transaction_id"] in [one["transaction_id"] for one in listed]
        next_wallet = books.person()
        given = order(
            "credit_from_unclaimed", transaction_id=result["transaction_id"], wallet_id=wallet_id(next_wallet)
        )
        assert done(operator, given)["left"] == 0
        assert books.balance(next_wallet) == 57


class TestRefundsToAClosedWallet:
    @pytest.fixture
    def paid(self, books: Books) -> tuple[Person, Person, UUID]:
        """Who has closed their wallet, a shop, and what they had paid there: 300."""
        payer, shop = books.person(money=300), books.person(kind="merchant", tier="merchant", money=100)
        payment_id = pay(books, payer, shop, 300)[0].transaction_id
        assert close(books, payer).status == "closed"
        return payer, shop, payment_id

    def test_the_shop_gives_it_back_and_it_is_kept_for_the_payer(
        self, books: Books, paid: tuple[Person, Person, UUID]
    ) -> None:
        payer, shop, payment_id = paid
        first = refund(books, shop, payment_id, 120)
        assert (first.amount, first.refunded) == (120, 120)
        rest = refund(books, shop, payment_id, None)
        assert (rest.amount, rest.refunded) == (180, 300)
        assert (books.balance(shop), books.balance(payer)) == (100, 0)
        assert kept(books, payer) == [("refund", 120, 120), ("refund", 180, 180)]
        assert refusal_of(lambda: refund(books, shop, payment_id, 1)) is Refusal.REFUND_EXCEEDS_PAYMENT
        found = find_payment(connection(books, "money"), payment_id=payment_id, actor_id=shop.user_id)
        assert found is not None
        assert found.refunded == 300
        named = [event for event in events_of(books, payer) if event[0] == "MoneyUnclaimed"]
        assert [(detail["amount"], detail["reason"]) for _, detail in named] == [(120, "refund"), (180, "refund")]
        span = statements.find_span(connection(books, "reader"), user_id=shop.user_id)
        assert span is not None
        entry = statements.read_page(connection(books, "reader"), span, limit=1).entries[0]
        assert (entry.type, entry.counterparty) == ("refund", Holder(payer.wallet_id, "Asha Rao", "personal"))
        assert status(books, payer) == "closed"
        assert books.faults() == []

    def test_by_the_function_it_is_answered_as_any_refund(
        self, books: Books, functions: Functions, paid: tuple[Person, Person, UUID]
    ) -> None:
        _, shop, payment_id = paid
        event = api_event(
            "POST",
            "/payments/{id}/refunds",
            path={"id": ids.show(ids.PAYMENT, payment_id)},
            body={},
            headers={"Idempotency-Key": unique("key-")},
            caller=shop.user_id,
        )
        door = functions.make("refund")
        first, again = door.invoke(event), door.invoke(event)
        assert (first["statusCode"], told(first)["amount"], again["body"]) == (201, 300, first["body"])
        assert books.balance(shop) == 100

    def test_of_many_refunds_at_once_no_more_is_kept_than_was_paid(
        self, books: Books, paid: tuple[Person, Person, UUID]
    ) -> None:
        payer, shop, payment_id = paid
        answers = together([partial(refund, books, shop, payment_id, 100) for _ in range(6)])
        assert (
            refusals_in([one for one in answers if isinstance(one, Exception)]) == [Refusal.REFUND_EXCEEDS_PAYMENT] * 3
        )
        assert sum(amount for _, amount, _ in kept(books, payer)) == 300
        assert books.faults() == []

    def test_who_waits_to_refund_sees_the_closing_that_they_waited_for(self, books: Books) -> None:
        payer, shop = books.person(money=300), books.person()
        payment_id = pay(books, payer, shop, 300)[0].transaction_id

        def closed(cursor: DictCursor) -> None:
            cursor.execute("UPDATE wallets SET status = 'closed' WHERE id = %s", (payer.wallet_id.bytes,))

        behind_wallet(books, payer, [partial(refund, books, shop, payment_id, None)], closed)
        assert kept(books, payer) == [("refund", 300, 300)]
        assert books.faults() == []


class TestClaiming:
    @pytest.fixture
    def unclaimed(self, books: Books) -> UUID:
        """57 paise that are kept for somebody."""
        person = few_paise(books)
        close(books, person)
        return write_off(books, person).transaction_id

    def test_its_owner_gets_it_in_parts_into_the_wallet_that_they_have_now(self, books: Books, unclaimed: UUID) -> None:
        owner = books.person()
        assert give(books, unclaimed, owner, 7).left == 50
        assert give(books, unclaimed, owner).left == 0
        assert refusal_of(partial(give, books, unclaimed, owner)) is Refusal.REFUND_EXCEEDS_PAYMENT
        assert books.balance(owner) == 57
        given = [detail["amount"] for name, detail in events_of(books, owner) if name == "UnclaimedCredited"]
        assert given == [7, 50]
        assert books.faults() == []

    def test_by_many_at_once_no_more_is_given_than_is_there(self, books: Books, unclaimed: UUID) -> None:
        owners = [books.person() for _ in range(4)]
        answers = together([partial(give, books, unclaimed, owner, 20) for owner in owners * 2])
        assert len(refusals_in([one for one in answers if isinstance(one, Exception)])) == 6
        assert books.total(*owners) == 40
        assert books.faults() == []

    def test_what_is_no_unclaimed_money_is_not_given(self, books: Books, unclaimed: UUID) -> None:
        owner = books.person()
        assert refusal_of(partial(give, books, wiring.new_id(), owner)) is Refusal.NOT_FOUND
        assert refusal_of(partial(give, books, Entry(books, owner, 500).id, owner)) is Refusal.NOT_FOUND
        assert refusal_of(partial(give, books, unclaimed, owner, 58)) is Refusal.REFUND_EXCEEDS_PAYMENT
        nobody = Person(wiring.new_id(), wiring.new_id(), new_phone())
        assert refusal_of(partial(give, books, unclaimed, nobody)) is Refusal.PAYEE_NOT_FOUND
        close(books, owner)
        assert refusal_of(partial(give, books, unclaimed, owner)) is Refusal.WALLET_FROZEN

    def test_the_limits_of_the_wallet_hold_unless_an_operator_says_otherwise(
        self, books: Books, unclaimed: UUID
    ) -> None:
        books.tier("full-up", {"2021-01-01": {"max_balance": 100}})
        owner = books.person(tier="full-up", money=100)
        assert refusal_of(partial(give, books, unclaimed, owner)) is Refusal.WALLET_LIMIT_EXCEEDED
        assert give(books, unclaimed, owner, over_limits=True).amount == 57
        assert books.faults() == []


def registered(books: Books, phone: str, *, claim: Claim | None = None, name: str = "Bela Iyer") -> Registration:
    user = NewUser(phone=phone, name=name, email=None, kind="personal", password_hash=b"y" * 60, tier="full")
    with closing(books.as_role("identity")) as database:
        proof, new_id = proof_hash(proof_of(database, phone)), wiring.new_id
        return users.register_user(database, user, proof_hash=proof, user_id=new_id(), wallet_id=new_id(), claim=claim)[
            0
        ]


def refreshed(books: Books, signed_in: SignedIn) -> UUID:
    with closing(books.as_role("identity")) as database:
        return sessions.renew_session(
            database,
            token_hash=token_hash(signed_in.secret),
            next_token_hash=wiring.new_id().bytes * 2,
            kind=SessionKind.TOKENS,
            idle_s=600,
        ).user_id


@pytest.mark.parametrize("word", ["open", "lost"])
def test_what_the_owners_bank_has_taken_back_or_asks_for_is_not_given(books: Books, word: str) -> None:
    """Else they would have it twice: from their bank, and from us."""
    old, now = books.person(), books.person()
    top_ups = [TopUp(books, old, 700), TopUp(books, old, 300)]
    close(books, old)
    for top_up in top_ups:
        comes_back(books, top_up)
    kept_for_them = write_off(books, old).transaction_id
    dispute = top_ups[0].disputed()
    disputes.tell(books, dispute)
    if word == "lost":
        disputes.end(books, dispute, "lost_recovered")
    assert refusal_of(partial(give, books, kept_for_them, now, 301)) is Refusal.REFUND_EXCEEDS_PAYMENT
    assert give(books, kept_for_them, now).amount == 300
    assert refusal_of(partial(give, books, kept_for_them, now)) is Refusal.REFUND_EXCEEDS_PAYMENT
    assert books.balance(now) == 300
    assert (books.faults(), books.broken_promises()) == ([], [])


class TestThePhone:
    def test_a_closed_wallets_phone_is_its_next_owners_and_the_old_books_keep_it(
        self, books: Books, functions: Functions
    ) -> None:
        old = few_paise(books)
        close(books, old)
        write_off(books, old)
        token = sign_in(books, old)
        fresh = registered(books, old.phone)
        assert fresh.user_id != old.user_id
        assert refusal_of(partial(refreshed, books, token)) is Refusal.INVALID_TOKEN
        assert refusal_of(partial(sign_in, books, old)) is Refusal.INVALID_CREDENTIALS
        with closing(books.as_role("identity")) as database:
            assert users.find_password(database, old.phone) == (fresh.user_id, b"y" * 60)
        pay(books, books.person(money=100), None, 60, payee_phone=old.phone)
        assert books.balance(Person(fresh.user_id, fresh.wallet_id, old.phone)) == 60
        operator = functions.operators()
        shown = done(operator, {"command": "show_wallet", "phone": old.phone})
        assert shown["wallet_id"] == ids.show(ids.WALLET, fresh.wallet_id)
        assert shown["former_wallets"] == [wallet_id(old)]
        former = done(operator, {"command": "show_wallet", "wallet_id": wallet_id(old)})
        assert (former["former_phone"], former.get("phone"), former["former_wallets"]) == (old.phone, None, [])
        with closing(books.as_role("reader")) as database:
            assert statements.find_owner(database, old.wallet_id).phone == old.phone
        assert books.faults() == []

    def test_it_changes_hands_as_often_as_wallets_are_closed(self, books: Books) -> None:
        first = books.person()
        owners = [first]
        for _ in range(3):
            close(books, owners[-1])
            fresh = registered(books, first.phone)
            owners.append(Person(fresh.user_id, fresh.wallet_id, first.phone))
        with closing(books.as_role("operator")) as database:
            shown = inspection.find_wallet(database, wallet_id=None, phone=first.phone)
        assert shown is not None
        assert shown.wallet_id == owners[-1].wallet_id
        assert shown.former_wallets == tuple(owner.wallet_id for owner in owners[:-1])
        assert books.faults() == []

    @pytest.mark.parametrize("state", ["active", "frozen", "closing"])
    def test_the_phone_of_a_wallet_that_is_not_closed_is_taken(self, books: Books, state: str) -> None:
        person = books.person(money=100)
        books.turn(person, state)
        assert refusal_of(partial(registered, books, person.phone)) is Refusal.PHONE_TAKEN
        assert refreshed(books, sign_in(books, person)) == person.user_id

    def test_of_many_who_want_it_at_once_one_gets_it(self, books: Books) -> None:
        old = books.person()
        close(books, old)
        answers = behind(
            books,
            [partial(registered, books, old.phone) for _ in range(4)],
            nothing,
            "SELECT id FROM users WHERE id = %s FOR UPDATE",
            old.user_id.bytes,
        )
        assert refusals_in([one for one in answers if isinstance(one, Exception)]) == [Refusal.PHONE_TAKEN] * 3
        rows = books.select("SELECT id FROM users WHERE phone = %s OR former_phone = %s", old.phone, old.phone)
        assert len(rows) == 2
        assert books.faults() == []

    def test_many_at_once_without_a_queue_end_somehow(self, books: Books) -> None:
        old = books.person()
        close(books, old)
        answers = together([partial(registered, books, old.phone) for _ in range(8)])
        assert refusals_in([one for one in answers if isinstance(one, Exception)]) == [Refusal.PHONE_TAKEN] * 7

    def test_who_is_logging_in_as_the_phone_goes_does_not_stay_logged_in(self, books: Books) -> None:
        old = books.person()
        close(books, old)

        def goes(cursor: DictCursor) -> None:
            cursor.execute("UPDATE users SET former_phone = phone, phone = NULL WHERE id = %s", (old.user_id.bytes,))

        [answer] = behind(
            books,
            [partial(sign_in, books, old)],
            goes,
            "SELECT id FROM users WHERE id = %s FOR UPDATE",
            old.user_id.bytes,
        )
        assert refusals_in([answer]) == [Refusal.INVALID_CREDENTIALS]
        assert books.select("SELECT id FROM sessions WHERE user_id = %s", old.user_id.bytes) == []
        registered(books, old.phone)

    def test_keys_of_the_former_owner_answer_the_next_one_nothing(self, books: Books, functions: Functions) -> None:
        phone, key, door = new_phone(), unique("key-"), functions.make("register")
        identity = connection(books, "identity")

        def ask(name: str, proof: str) -> dict[str, Any]:
            body = {"phone_proof": proof, "phone": phone, "name": name, "password": "correct horse battery"}
            return api_event("POST", "/register", body=body, headers={"Idempotency-Key": key})

        proof = proof_of(identity, phone)
        first, again = (door.invoke(ask("Asha Rao", proof)) for _ in range(2))
        assert (first["statusCode"], again["body"]) == (201, first["body"])
        user, wallet = ids.read(ids.USER, told(first)["user"]["id"]), ids.read(ids.WALLET, told(first)["wallet"]["id"])
        assert user is not None
        assert wallet is not None
        close(books, Person(user, wallet, phone))
        for name in ("Bela Iyer", "Asha Rao"):  # another request under the same key, and the very same one
            proof = proof_of(identity, phone)
            answer, repeated = (door.invoke(ask(name, proof)) for _ in range(2))
            assert (answer["statusCode"], repeated["body"]) == (201, answer["body"])
            assert repeated["headers"]["Idempotency-Replayed"] == "true"
            assert told(answer)["wallet"]["id"] != told(first)["wallet"]["id"]
            user = ids.read(ids.USER, told(answer)["user"]["id"])
            wallet = ids.read(ids.WALLET, told(answer)["wallet"]["id"])
            assert user is not None
            assert wallet is not None
            close(books, Person(user, wallet, phone))
        assert books.faults() == []

    def test_a_repetition_under_its_key_is_answered_as_before(self, books: Books) -> None:
        old = books.person()
        close(books, old)
        claim = Claim(wiring.new_id(), unique("key-"), b"h" * 32)
        fresh = registered(books, old.phone, claim=claim)
        assert registered(books, old.phone, claim=claim) == fresh

    def test_money_that_comes_back_to_a_wallet_whose_phone_is_gone_is_closed_again_and_told_to_nobody(
        self, books: Books
    ) -> None:
        old, friend = books.person(), books.person(money=1_000)
        pay(books, friend, old, 500)
        receipt, _ = withdraw(books, old, 500)
        close(books, friend)
        books.write("UPDATE withdrawals SET asked = TRUE WHERE id = %s", receipt.id.bytes)
        close(books, old)
        tell(books, receipt, PayoutStatus.SUCCEEDED)
        assert status(books, old) == "closed"
        registered(books, old.phone)
        tell(books, receipt, PayoutStatus.REVERSED)
        assert (status(books, old), books.balance(old)) == ("closing", 500)
        assert refusal_of(lambda: commanded(books, operators.unfreeze, old)) is Refusal.PHONE_TAKEN
        assert status(books, old) == "closing"
        assert close(books, old).without_a_source == 500
        assert write_off(books, old).status == "closed"
        [at] = books.select("SELECT UTC_TIMESTAMP(6) AS now")
        debit = Debit("evt_1", "WithdrawalSucceeded", old.wallet_id, None, 500, 0, at["now"] - timedelta(days=1))
        mailed = Mailed()
        messenger = Messenger(mailed, NoCap(), per_person=10, sender=Sender("+911234567890", ""))
        with closing(books.as_role("reader")) as database:
            assert notify(database, messenger, debit, now=datetime.now(UTC)) is None
            assert len(mailed.texts) == 1, "mail goes to who subscribed to the wallet, whosever the phone is"
            mailed.goes_to_phones = True
            assert notify(database, messenger, debit, now=datetime.now(UTC)) is Untold.PHONE_IS_ANOTHERS
        assert len(mailed.texts) == 1
        assert books.faults() == []
