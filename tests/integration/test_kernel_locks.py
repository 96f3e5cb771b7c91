"""What the kernel's locks are for, each shown by those who wait for it: no luck is needed for two to meet."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from pymysql.cursors import DictCursor

from tests.support.books import GATEWAY, Books, Person, captured, unique
from tests.support.confirmations import tier_with
from tests.support.moves import capture, connection, pay, place, refund, refusals_in, release, settle
from tests.support.operators import asked
from tests.support.payouts import make_older, tell, withdraw
from tests.support.waiting import LOCK_WALLET, behind, behind_wallet, is_free, nothing
from wallet import wiring
from wallet.ledger.attempts import SuspenseReason
from wallet.ledger.refusals import Refusal
from wallet.ledger.withdrawals import PayoutStatus
from wallet.storage import operators, top_ups, withdrawals
from wallet.storage.claims import Claim
from wallet.storage.operators import Instruction
from wallet.storage.payments import refund_payment

LOCK_ATTEMPT = "SELECT id FROM payment_attempts WHERE gateway = %s AND gateway_order_id = %s FOR UPDATE"
LOCK_HOLD = "SELECT id FROM holds WHERE id = %s FOR UPDATE"
LOCK_WITHDRAWAL = "SELECT id FROM withdrawals WHERE id = %s FOR UPDATE"


def turning(person: Person, status: str) -> Callable[[DictCursor], object]:
    return lambda cursor: cursor.execute(
        "UPDATE wallets SET status = %s WHERE id = %s", (status, person.wallet_id.bytes)
    )


@pytest.mark.parametrize("frozen", ["payer", "payee"])
def test_who_waits_to_pay_sees_the_freeze_that_they_waited_for(books: Books, frozen: str) -> None:
    payer, payee = books.person(money=100), books.person()
    told = Refusal.WALLET_FROZEN if frozen == "payer" else Refusal.PAYEE_UNAVAILABLE
    turned = {"payer": payer, "payee": payee}[frozen]
    answers = behind_wallet(books, turned, [partial(pay, books, payer, payee, 60)], turning(turned, "frozen"))
    assert refusals_in(answers) == [told]
    assert books.balance(payer) == 100


def test_two_who_waited_for_the_same_100_spend_it_once(books: Books) -> None:
    payer, payees = books.person(money=100), [books.person(), books.person()]
    answers = behind_wallet(books, payer, [partial(pay, books, payer, payee, 60) for payee in payees], nothing)
    assert refusals_in(answers) == [Refusal.INSUFFICIENT_FUNDS]
    assert books.balance(payer) == 40
    assert books.faults() == []


def test_who_waits_to_pay_can_not_spend_what_is_promised_meanwhile(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    tasks = [partial(move, books, payer, payee, 600) for move in (place, pay)]
    assert refusals_in(behind_wallet(books, payer, tasks, nothing)) == [Refusal.INSUFFICIENT_FUNDS]
    assert (books.balance(payer), books.held(payer)) == (1_000, 600)


def test_two_who_waited_for_the_last_of_a_payees_cap_get_one_in(books: Books) -> None:
    payers, payee = [books.person(money=60_000) for _ in range(2)], books.person(tier="small", money=950_000)
    before = books.balance(payee)
    answers = behind_wallet(books, payee, [partial(pay, books, payer, payee, 50_000) for payer in payers], nothing)
    assert refusals_in(answers) == [Refusal.PAYEE_UNAVAILABLE]
    assert books.balance(payee) == before + 50_000


@pytest.mark.parametrize("move", [pay, place])
def test_two_who_waited_for_the_last_of_a_payers_month_get_one_out(books: Books, move: Callable[..., object]) -> None:
    books.tier("thrifty", {"2021-01-01": {"max_debit_month": 50_000}})
    payer, shop = books.person(tier="thrifty", money=100_000), books.person(kind="merchant", tier="merchant")
    answers = behind_wallet(books, payer, [partial(move, books, payer, shop, 30_000)] * 2, nothing)
    assert refusals_in(answers) == [Refusal.WALLET_LIMIT_EXCEEDED]
    assert books.balance(payer) - books.held(payer) == 70_000


@pytest.mark.parametrize(("payee", "amount"), [("merchant", 1_000_001), ("personal", 100)])
@pytest.mark.parametrize("move", [pay, place])
def test_who_waits_to_pay_is_held_to_the_tier_that_they_waited_for(
    books: Books, move: Callable[..., object], payee: str, amount: int
) -> None:
    """Before the lock it was one without a limit of what is paid at once, and that may pay people."""
    payer, paid = books.person(money=2_000_000), books.person(kind=payee, tier="merchant")

    def demote(cursor: DictCursor) -> None:
        cursor.execute("UPDATE wallets SET tier = 'small' WHERE id = %s", (payer.wallet_id.bytes,))

    answers = behind_wallet(books, payer, [partial(move, books, payer, paid, amount)], demote)
    assert refusals_in(answers) == [Refusal.WALLET_LIMIT_EXCEEDED]
    assert (books.balance(payer), books.held(payer)) == (2_000_000, 0)


def test_who_waits_to_pay_somebody_is_held_to_the_payees_tier_that_they_waited_for(books: Books) -> None:
    books.tier("empty", {"2021-01-01": {"max_balance": 50}})
    payer, payee = books.person(money=100), books.person()

    def demote(cursor: DictCursor) -> None:
        cursor.execute("UPDATE wallets SET tier = 'empty' WHERE id = %s", (payee.wallet_id.bytes,))

    answers = behind_wallet(books, payee, [partial(pay, books, payer, payee, 60)], demote)
    assert refusals_in(answers) == [Refusal.PAYEE_UNAVAILABLE]


def test_who_waits_for_a_slot_of_a_merchant_who_is_capped_meanwhile_pays_into_the_wallet_itself(books: Books) -> None:
    """No slot knows what is in the others."""
    books.tier("kiosk", {"2021-01-01": {"max_balance": 100}}, for_merchants=True)
    payers = [books.person(money=100) for _ in range(6)]
    merchant = books.person(kind="merchant", tier="merchant")
    books.spread(merchant, 16)

    def demote(cursor: DictCursor) -> None:
        cursor.execute("UPDATE wallets SET tier = 'kiosk' WHERE id = %s", (merchant.wallet_id.bytes,))

    answers = behind(
        books,
        [partial(pay, books, payer, merchant, 60) for payer in payers],
        demote,
        "SELECT w.id FROM wallets w JOIN wallet_slots s ON s.wallet_id = w.id WHERE w.id = %s FOR UPDATE",
        merchant.wallet_id.bytes,
    )
    assert refusals_in(answers) == [Refusal.PAYEE_UNAVAILABLE] * 5
    assert books.select("SELECT balance FROM wallets WHERE id = %s", merchant.wallet_id.bytes) == [{"balance": 60}]


def test_who_waits_for_a_slot_of_a_merchant_who_becomes_a_person_to_the_limits_loads_the_wallet_itself(
    books: Books,
) -> None:
    books.tier("hawker", {"2021-01-01": {"max_load_month": 100}})
    payers = [books.person(money=100) for _ in range(6)]
    merchant = books.person(kind="merchant", tier="merchant")
    books.spread(merchant, 16)

    def demote(cursor: DictCursor) -> None:
        cursor.execute("UPDATE wallets SET tier = 'hawker' WHERE id = %s", (merchant.wallet_id.bytes,))

    answers = behind(
        books,
        [partial(pay, books, payer, merchant, 60) for payer in payers],
        demote,
        "SELECT w.id FROM wallets w JOIN wallet_slots s ON s.wallet_id = w.id WHERE w.id = %s FOR UPDATE",
        merchant.wallet_id.bytes,
    )
    assert refusals_in(answers) == [Refusal.PAYEE_UNAVAILABLE] * 5
    loaded = books.select("SELECT loaded_month FROM wallets WHERE id = %s", merchant.wallet_id.bytes)
    assert loaded == [{"loaded_month": 60}]


def test_who_waits_to_pay_ends_the_hold_that_was_placed_and_has_lapsed_meanwhile(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()

    def place_one_that_lapses(cursor: DictCursor) -> None:
        hold, sides = wiring.new_id().bytes, (payer.wallet_id.bytes, payee.wallet_id.bytes)
        cursor.execute(
            "INSERT INTO holds (id, payer_wallet_id, payee_wallet_id, amount, captured, currency, status, created_at,"
            " expires_at) VALUES (%s, %s, %s, 600, 0, 'INR', 'placed', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
            (hold, *sides),
        )
        cursor.execute("CALL set_aside(%s, 600, 'hold', %s, UTC_TIMESTAMP(6))", (sides[0], hold))
        cursor.execute("CALL record_debit_usage(%s, 600, UTC_TIMESTAMP(6), FALSE)", (sides[0],))
        cursor.execute(
            "INSERT INTO outbox (wallet_id, other_wallet_id, type, hold_id, created_at)"
            " VALUES (%s, %s, 'HoldPlaced', %s, UTC_TIMESTAMP(6))",
            (*sides, hold),
        )

    answers = behind_wallet(books, payer, [partial(pay, books, payer, payee, 600)], place_one_that_lapses)
    assert refusals_in(answers) == []
    assert (books.balance(payer), books.held(payer)) == (400, 0)


def test_who_waits_to_pay_does_so_at_the_time_at_which_the_wait_is_over(books: Books) -> None:
    """Or a month's statement that was read meanwhile would miss it."""
    payer, merchant = books.person(money=100), books.person(kind="merchant", tier="merchant")
    over: list[Any] = []

    def note(cursor: DictCursor) -> None:
        cursor.execute("SELECT UTC_TIMESTAMP(6) AS now")
        over.extend(cursor.fetchall())

    [answer] = behind_wallet(books, merchant, [partial(pay, books, payer, merchant, 60)], note)
    assert answer[0].created_at.replace(tzinfo=None) >= over[0]["now"]


@pytest.mark.parametrize(
    ("meanwhile", "told"),
    [
        ("unconfirmed_day = 60", "REQUIRED"),
        ("paused_until = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR", "PAUSED"),
    ],
)
def test_who_waits_to_pay_confirms_by_what_has_left_meanwhile_and_not_in_a_pause(
    books: Books, meanwhile: str, told: str
) -> None:
    rules = {"REQUIRED": {"day_above": 100}, "PAUSED": {"above": 0}}[told]
    payer, payee = books.person(money=100, tier=tier_with(books, **rules)), books.person()
    today = "DATE(UTC_TIMESTAMP(6) + INTERVAL 330 MINUTE)"
    books.write(f"UPDATE wallets SET unconfirmed_on = {today} WHERE id = %s", payer.wallet_id.bytes)  # noqa: S608 - above

    def change(cursor: DictCursor) -> None:
        cursor.execute(f"UPDATE wallets SET {meanwhile} WHERE id = %s", (payer.wallet_id.bytes,))  # noqa: S608 - above

    answers = behind_wallet(books, payer, [partial(pay, books, payer, payee, 60)], change)
    assert refusals_in(answers) == [Refusal[f"CONFIRMATION_{told}"]]


@pytest.mark.parametrize("move", [pay, place])
def test_who_waits_to_pay_is_out_with_the_session_that_ends_meanwhile(
    books: Books, move: Callable[..., object]
) -> None:
    payer, payee = books.person(money=1_000), books.person()

    def sign_out(cursor: DictCursor) -> None:
        query = "UPDATE wallets SET session_generation = session_generation + 1 WHERE id = %s"
        cursor.execute(query, (payer.wallet_id.bytes,))

    answers = behind_wallet(books, payer, [partial(move, books, payer, payee, 100)] * 2, sign_out)
    assert refusals_in(answers) == [Refusal.INVALID_TOKEN] * 2
    assert (books.balance(payer), books.held(payer)) == (1_000, 0)


def pays(books: Books, payer: Person, payee: Person) -> Callable[[], object]:
    return partial(pay, books, payer, payee, 60)


def captures(books: Books, payer: Person, payee: Person) -> Callable[[], object]:
    return partial(capture, books, payee, place(books, payer, payee, 60).id, None)


@pytest.mark.parametrize(
    ("way", "told"), [(pays, Refusal.PAYEE_UNAVAILABLE), (captures, Refusal.WALLET_FROZEN)], ids=["payment", "capture"]
)
def test_who_waits_for_a_slot_of_a_hot_wallet_sees_the_freeze_that_they_waited_for(
    books: Books, way: Callable[[Books, Person, Person], Callable[[], object]], told: Refusal
) -> None:
    """Payers whose wallets are locked before the merchant's, and behind it."""
    earlier = [books.person(money=100) for _ in range(3)]
    merchant = books.person(kind="merchant", tier="merchant")
    books.spread(merchant, 16)
    payers = [*earlier, *(books.person(money=100) for _ in range(3))]

    answers = behind(
        books,
        [way(books, payer, merchant) for payer in payers],
        turning(merchant, "frozen"),
        "SELECT w.id FROM wallets w JOIN wallet_slots s ON s.wallet_id = w.id WHERE w.id = %s FOR UPDATE",
        merchant.wallet_id.bytes,
    )
    assert refusals_in(answers) == [told] * 6
    assert books.balance(merchant) == 0


@pytest.mark.parametrize("way", [pays, captures])
def test_who_pays_a_hot_wallet_locks_one_slot_of_it(
    books: Books, way: Callable[[Books, Person, Person], Callable[[], object]]
) -> None:
    merchant = books.person(kind="merchant", tier="merchant")
    books.spread(merchant, 16)
    payer, free = books.person(money=100), list[bool]()
    others = "SELECT slot FROM wallet_slots WHERE wallet_id = %s AND slot <> 1 FOR UPDATE"

    def look(_: DictCursor) -> None:
        free.append(is_free(books, "SELECT id FROM wallets WHERE id = %s FOR UPDATE", merchant.wallet_id.bytes))
        free.append(is_free(books, others.replace("<> 1", "= 1"), merchant.wallet_id.bytes))
        free.extend(is_free(books, others.replace("<> 1", f"= {slot}"), merchant.wallet_id.bytes) for slot in (2, 15))

    assert refusals_in(behind_wallet(books, payer, [way(books, payer, merchant)], look)) == []
    assert free == [True, False, True, True]


def test_a_gather_comes_after_whatever_its_slot_took_meanwhile(books: Books) -> None:
    payer, merchant, supplier = (
        books.person(money=1_000),
        books.person(kind="merchant", tier="merchant"),
        books.person(),
    )
    books.spread(merchant, 2)
    while not _in_slot(books, merchant):
        pay(books, payer, merchant, 10)
    slot = "SELECT slot FROM wallet_slots WHERE wallet_id = %s FOR UPDATE"

    took: list[Any] = []

    def later(cursor: DictCursor) -> None:
        cursor.execute(
            "UPDATE wallet_slots SET last_entry_at = UTC_TIMESTAMP(6) + INTERVAL 1 SECOND WHERE wallet_id = %s",
            (merchant.wallet_id.bytes,),
        )
        cursor.execute("SELECT last_entry_at FROM wallet_slots WHERE wallet_id = %s", (merchant.wallet_id.bytes,))
        took.extend(cursor.fetchall())

    everything = books.balance(merchant)
    [paid] = behind(books, [partial(pay, books, merchant, supplier, everything)], later, slot, merchant.wallet_id.bytes)
    assert not isinstance(paid, Exception), paid
    [gathered] = books.select(
        "SELECT created_at FROM postings WHERE account_id = %s AND type = 'gather' AND slot = 1",
        merchant.wallet_id.bytes,
    )
    assert gathered["created_at"] > took[0]["last_entry_at"]


def _in_slot(books: Books, merchant: Person) -> int:
    rows = books.select("SELECT balance FROM wallet_slots WHERE wallet_id = %s", merchant.wallet_id.bytes)
    return int(rows[0]["balance"])


def test_two_captures_that_waited_for_one_hold_take_it_once(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    hold = place(books, payer, payee, 300)
    answers = behind_wallet(books, payer, [partial(capture, books, payee, hold.id, None) for _ in range(2)], nothing)
    assert refusals_in(answers) == [Refusal.HOLD_NOT_PLACED]
    assert books.balance(payee) == 300
    assert books.faults() == []


def test_a_capture_that_waited_behind_a_release_finds_no_hold(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    hold = place(books, payer, payee, 300)
    tasks: list[Callable[[], Any]] = [
        partial(release, books, payee, hold.id),
        partial(capture, books, payee, hold.id, None),
    ]
    answers = behind_wallet(books, payer, tasks, nothing)
    assert refusals_in(answers) == [Refusal.HOLD_NOT_PLACED]
    assert (books.balance(payee), books.held(payer)) == (0, 0)
    assert books.faults() == []


def test_two_who_waited_to_send_money_of_nobody_back_send_it_once(books: Books) -> None:
    arrived = captured(unique("order_of_nobody_"), 1_000)
    assert settle(books, arrived).suspense is SuspenseReason.UNKNOWN_ORDER
    [entry] = books.select(
        "SELECT transaction_id AS id FROM gateway_payments WHERE gateway_payment_id = %s", arrived.payment_id
    )

    def give_back() -> object:
        operator = connection(books, "operator")
        instruction = Instruction("Meera", "of nobody", Claim(wiring.new_id(), unique("key-"), b"h" * 32))
        return operators.refund_to_source(
            operator,
            asked(operator, "refund_to_source", instruction),
            refund_id=wiring.new_id(),
            transaction_id=UUID(bytes=entry["id"]),
            amount=None,
        )

    lock = "SELECT id FROM transactions WHERE id = %s FOR UPDATE"
    answers = behind(books, [give_back, give_back], nothing, lock, entry["id"])
    assert refusals_in(answers) == [Refusal.REFUND_EXCEEDS_PAYMENT]
    books.write("UPDATE source_refunds SET next_check_at = NULL")  # no gateway of other tests knows of it
    assert books.faults() == []


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_two_refunds_that_waited_for_one_payment_give_it_back_once(books: Books, isolation: str) -> None:
    payer, payee = books.person(money=1_000), books.person(money=1_000)
    paid = pay(books, payer, payee, 300)[0].transaction_id

    def give_back() -> object:
        database = books.as_role("money")
        database.read(f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}")  # the server's own may be any
        return refund_payment(
            database, payee.claim(), transaction_id=wiring.new_id(), payment_id=paid, amount=None, reason=None
        )

    answers = behind_wallet(books, payee, [give_back, give_back], nothing)
    assert refusals_in(answers) == [Refusal.REFUND_EXCEEDS_PAYMENT]
    assert books.balance(payer) == 1_000


def test_two_payments_that_waited_for_one_order_credit_it_once(books: Books) -> None:
    person = books.person()
    order_id = books.order(person, 500)
    answers = behind(
        books,
        [partial(settle, books, captured(order_id, 500)) for _ in range(2)],
        nothing,
        LOCK_ATTEMPT,
        GATEWAY,
        order_id,
    )
    assert sorted(answer.suspense or "" for answer in answers) == ["", SuspenseReason.ORDER_ALREADY_PAID]
    assert books.balance(person) == 500
    assert books.faults() == []


@pytest.mark.parametrize("news", [PayoutStatus.FAILED, PayoutStatus.SUCCEEDED])
def test_news_that_waited_twice_for_one_withdrawal_is_booked_once(books: Books, news: PayoutStatus) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 3_000)
    told = [partial(tell, books, receipt, news)] * 2
    answers = behind(books, told, nothing, LOCK_WITHDRAWAL, receipt.id.bytes)
    assert sorted(answers) == ["done", "duplicate"]
    assert books.held(person) == 0
    assert books.faults() == []


def test_of_two_who_waited_to_ask_about_one_attempt_one_asks(books: Books) -> None:
    order_id = books.order(books.person(), 500, first_check_s=0)
    open_ones = top_ups.due_attempts(connection(books, "gateway"), gateway=GATEWAY, limit=1_000)
    [due] = [one for one in open_ones if one.gateway_order_id == order_id]

    def claim() -> bool:
        return top_ups.claim_check(connection(books, "gateway"), due, first_check_s=60)

    assert sorted(behind(books, [claim, claim], nothing, LOCK_ATTEMPT, GATEWAY, order_id)) == [False, True]


def test_of_two_who_waited_to_ask_about_one_withdrawal_one_asks(books: Books) -> None:
    receipt, _ = withdraw(books, books.person(money=10_000), 3_000)
    make_older(books, receipt, timedelta(hours=1))

    def claim() -> bool:
        gateway = connection(books, "gateway")
        return withdrawals.claim_check(gateway, receipt.id, 0, first_check_s=60) is not None

    assert sorted(behind(books, [claim, claim], nothing, LOCK_WITHDRAWAL, receipt.id.bytes)) == [False, True]


def _moves(books: Books, payer: Person, payee: Person) -> dict[str, Callable[[], Any]]:
    """What takes the locks of two wallets at once."""
    paid = pay(books, payer, payee, 100)[0].transaction_id
    held = place(books, payer, payee, 100).id
    return {
        "payment": partial(pay, books, payer, payee, 100),
        "refund": partial(refund, books, payee, paid, 100),
        "capture": partial(capture, books, payee, held, 100),
    }


@pytest.mark.parametrize("payer_is_first", [True, False])
@pytest.mark.parametrize("move", ["payment", "refund", "capture"])
def test_wallets_are_locked_in_the_order_of_their_ids(books: Books, move: str, *, payer_is_first: bool) -> None:
    people = [books.person(money=1_000), books.person(money=1_000)]
    first, second = sorted(people, key=lambda person: person.wallet_id.bytes)
    payer, payee = (first, second) if payer_is_first else (second, first)
    free: list[bool] = []

    def look(_: DictCursor) -> None:
        free.append(is_free(books, LOCK_WALLET, second.wallet_id.bytes))

    [answer] = behind_wallet(books, first, [_moves(books, payer, payee)[move]], look)
    assert not isinstance(answer, Exception), answer
    assert free == [True], "who waits for the first wallet has locked the second"


@pytest.mark.parametrize("end", ["capture", "release"])
def test_a_payers_wallet_is_locked_before_the_hold(books: Books, end: str) -> None:
    payer, payee = books.person(money=1_000), books.person()
    hold = place(books, payer, payee, 100)
    tasks: dict[str, Callable[[], Any]] = {
        "capture": partial(capture, books, payee, hold.id, None),
        "release": partial(release, books, payee, hold.id),
    }
    free: list[bool] = []
    [answer] = behind_wallet(
        books, payer, [tasks[end]], lambda _: free.append(is_free(books, LOCK_HOLD, hold.id.bytes))
    )
    assert not isinstance(answer, Exception), answer
    assert free == [True]


def test_who_waits_to_settle_goes_by_the_tier_that_was_given_meanwhile(books: Books) -> None:
    person, code = books.person(), unique("t")[:16]
    books.tier(code, {"2021-01-01": {"max_balance": 400}})
    order_id = books.order(person, 500)

    def restrict(cursor: DictCursor) -> None:
        cursor.execute("UPDATE wallets SET tier = %s WHERE id = %s", (code, person.wallet_id.bytes))

    [answer] = behind_wallet(books, person, [partial(settle, books, captured(order_id, 500))], restrict)
    assert answer.suspense is SuspenseReason.OVER_BALANCE_LIMIT
    assert books.balance(person) == 0
    assert books.faults() == []


def test_an_attempt_is_locked_before_its_wallet(books: Books) -> None:
    person = books.person()
    order_id = books.order(person, 500)
    free: list[bool] = []
    [answer] = behind(
        books,
        [partial(settle, books, captured(order_id, 500))],
        lambda _: free.append(is_free(books, LOCK_WALLET, person.wallet_id.bytes)),
        LOCK_ATTEMPT,
        GATEWAY,
        order_id,
    )
    assert (answer.suspense, free) == (None, [True])
