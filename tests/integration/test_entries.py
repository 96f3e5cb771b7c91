"""One entry of a wallet: what it belongs to, and the reference by which banks know it."""

import json
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

import pymysql
import pytest

from tests.integration.conftest import Functions
from tests.integration.test_functions_under_faults import told
from tests.support.books import Books, Person, captured, unique
from tests.support.disputes import TopUp
from tests.support.functions import Function, api_event
from tests.support.moves import capture, connection, pay, place, refund
from tests.support.payouts import charge, claimed, payout, withdraw
from wallet import wiring
from wallet.ledger import ids
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.receipts import WithdrawalReceipt
from wallet.ledger.refunds import RefundStatus
from wallet.ledger.withdrawals import PayoutStatus
from wallet.movements.payouts import book_payout
from wallet.movements.refund_to_source import book_refund
from wallet.movements.settle import book
from wallet.storage import top_ups
from wallet.storage.lists import ListRequest

RRN, UTR = "006516367819", "512345678901"
BELONGS = ("payment_id", "refund_of", "hold_id", "top_up_id", "withdrawal_id")


@pytest.fixture
def transactions(functions: Functions) -> Function:
    return functions.make("transactions")


def statement(transactions: Function, person: Person, **query: str) -> list[dict[str, Any]]:
    answer = transactions.invoke(api_event("GET", "/wallet/transactions", caller=person.user_id, query=query))
    lines: list[dict[str, Any]] = told(answer)["data"]
    return lines


def entry_of(transactions: Function, person: Person, transaction_id: str) -> tuple[int, dict[str, Any]]:
    event = api_event("GET", "/wallet/transactions/{id}", path={"id": transaction_id}, caller=person.user_id)
    answer = transactions.invoke(event)
    return answer["statusCode"], json.loads(answer["body"])


def entries(transactions: Function, person: Person) -> list[dict[str, Any]]:
    """Each line of a statement as it is shown alone; and it says what the line says."""
    shown = []
    for line in statement(transactions, person):
        status, alone = entry_of(transactions, person, line["id"])
        assert (status, {name: alone[name] for name in line}) == (200, line)
        assert set(alone) - set(line) == set(BELONGS)
        shown.append(alone)
    return shown


def belongings(entry: dict[str, Any]) -> dict[str, str]:
    """What an entry belongs to, without what it doesn't."""
    return {name: entry[name] for name in BELONGS if entry[name] is not None}


def arrives(books: Books, payment: ObservedPayment) -> None:
    """The gateway tells of a payment, and it is booked."""
    book(connection(books, "gateway"), wiring.new_id, replace(payment, told=json.dumps(payment.payment_id).encode()))


def is_paid_out(books: Books, receipt: WithdrawalReceipt, status: PayoutStatus, utr: str | None) -> None:
    book_payout(connection(books, "gateway"), wiring.new_id, replace(payout(receipt, status), utr=utr))


def shown_id(prefix: str, value: UUID) -> str:
    return ids.show(prefix, value)


# --------------------------------------------------------------------------------------------- what it belongs to


def test_a_payment_is_itself_and_its_refund_says_what_it_gives_back(books: Books, transactions: Function) -> None:
    asha, shop = books.person(money=900), books.person()
    payment = pay(books, asha, shop, 100)[0].transaction_id
    refund(books, shop, payment, 30)
    for person in (asha, shop):
        giving_back, paying = entries(transactions, person)[:2]
        assert belongings(paying) == {"payment_id": shown_id(ids.PAYMENT, payment)}
        assert belongings(giving_back) == {"refund_of": shown_id(ids.PAYMENT, payment)}


def test_a_capture_is_a_payment_and_says_of_which_hold(books: Books, transactions: Function) -> None:
    asha, shop = books.person(money=900), books.person()
    hold = place(books, asha, shop, 50)
    taken = capture(books, shop, hold.id, 40).transaction_id
    for person in (asha, shop):
        assert belongings(entries(transactions, person)[0]) == {
            "payment_id": shown_id(ids.PAYMENT, taken),
            "hold_id": shown_id(ids.HOLD, hold.id),
        }


def test_a_fee_says_of_which_payment(books: Books, transactions: Function) -> None:
    asha, shop = books.person(money=10_000), books.person(kind="merchant", tier="merchant")
    with books.fee("payment", basis_points=200):
        payment = pay(books, asha, shop, 5_000)[0].transaction_id
    shown = {line["type"]: belongings(line) for line in entries(transactions, shop)}
    of_the_payment = {"payment_id": shown_id(ids.PAYMENT, payment)}
    assert shown == {"payment": of_the_payment, "fee": of_the_payment}


def test_what_came_in_says_of_which_top_up_and_so_does_what_goes_back_of_it(
    books: Books, transactions: Function
) -> None:
    asha = books.person()
    top_up = TopUp(books, asha, 900)
    book_refund(connection(books, "gateway"), wiring.new_id, top_up.refunded(300, rrn=RRN))
    back, came = entries(transactions, asha)
    assert belongings(came) == belongings(back)
    assert set(belongings(came)) == {"top_up_id"}
    assert (back["type"], back["rrn"], back["utr"], came["rrn"]) == ("refund_to_source", RRN, None, None)


def test_money_out_and_back_and_its_fees_say_of_which_withdrawal(books: Books, transactions: Function) -> None:
    asha = books.person(money=90_000)
    with charge(books, flat=300):
        receipt, _ = withdraw(books, asha, 10_000)
    claimed(books, receipt)
    is_paid_out(books, receipt, PayoutStatus.REVERSED, UTR)
    shown = entries(transactions, asha)[:-1]
    assert {line["type"] for line in shown} == {"withdrawal", "withdrawal_return", "fee"}
    assert [belongings(line) for line in shown] == [{"withdrawal_id": shown_id(ids.WITHDRAWAL, receipt.id)}] * 4
    assert {line["type"]: line["utr"] for line in shown} == {
        "withdrawal": UTR,
        "withdrawal_return": UTR,
        "fee": None,
    }
    assert {line["rrn"] for line in shown} == {None}


def test_an_entry_of_a_hot_wallet_has_the_balance_that_its_statement_has(books: Books, transactions: Function) -> None:
    asha, shop = books.person(money=10_000), books.person(kind="merchant", tier="merchant")
    books.spread(shop, 4)
    for _ in range(8):
        pay(books, asha, shop, 10)
    pay(books, shop, asha, 75)  # gathers what is spread
    shown = entries(transactions, shop)
    assert [line["balance_after"] for line in shown] == [5, *range(80, 0, -10)]
    gathered = books.select(
        "SELECT transaction_id FROM postings WHERE account_id = %s AND type = 'gather'", shop.wallet_id.bytes
    )
    for row in gathered:
        status, _ = entry_of(transactions, shop, shown_id(ids.TRANSACTION, UUID(bytes=row["transaction_id"])))
        assert status == 404


@pytest.mark.parametrize("transaction_id", ["txn_0000000000000000000000000a", "pay_0000000000000000000000000a", "%27"])
def test_what_is_no_entry_is_not_found(books: Books, transactions: Function, transaction_id: str) -> None:
    status, body = entry_of(transactions, books.person(money=100), transaction_id)
    assert (status, body["code"]) == (404, "not_found")


def test_an_entry_is_shown_to_nobody_else(books: Books, transactions: Function) -> None:
    asha, shop, other = books.person(money=900), books.person(), books.person()
    pay(books, asha, shop, 100)
    [line] = statement(transactions, shop)
    assert entry_of(transactions, other, line["id"])[0] == 404
    came = statement(transactions, asha)[-1]
    assert entry_of(transactions, shop, came["id"])[0] == 404


# ---------------------------------------------------------------------------------------------- what banks know it by


def look(books: Books, person: Person) -> tuple[str, str | None]:
    """Status and RRN of somebody's one top-up, which its list says, too."""
    request = ListRequest(limit=2)
    [state], _ = top_ups.list_top_ups(connection(books, "reader"), actor_id=person.user_id, asked=request)
    with closing(books.as_role("money")) as database:
        alone = top_ups.find_top_up(database, attempt_id=state.top_up.id, actor_id=person.user_id)
    assert alone is not None
    assert alone.rrn == state.rrn
    return alone.status.value, alone.rrn


def test_the_rrn_of_what_came_in_is_shown_wherever_it_is(books: Books, transactions: Function) -> None:
    asha = books.person()
    arrives(books, replace(captured(books.order(asha, 500), 500), rrn=RRN))
    assert look(books, asha) == ("succeeded", RRN)
    [entry] = entries(transactions, asha)
    assert (entry["rrn"], entry["utr"]) == (RRN, None)
    event = api_event("GET", "/wallet/transactions", caller=asha.user_id, headers={"Accept": "text/csv"})
    header, row = transactions.invoke(event)["body"].strip("\ufeff").splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))['"rrn"'] == f'"{RRN}"', "its zeros stay"


def test_a_payment_that_failed_may_have_an_rrn_to_quote(books: Books) -> None:
    asha = books.person()
    payment = replace(captured(books.order(asha, 500), 500), status=PaymentStatus.FAILED, captured=False, reason="no")
    arrives(books, replace(payment, rrn=RRN))
    assert look(books, asha) == ("failed", RRN)


def test_the_first_rrn_of_a_payment_stays_and_one_may_come_late(books: Books) -> None:
    asha = books.person()
    payment = captured(books.order(asha, 500), 500)
    arrives(books, payment)
    assert look(books, asha) == ("succeeded", None)
    for rrn in (RRN, UTR, None):
        arrives(books, replace(payment, rrn=rrn))
    assert look(books, asha) == ("succeeded", RRN)


def test_of_two_payments_of_one_order_the_credited_ones_rrn_is_shown(books: Books, transactions: Function) -> None:
    asha = books.person()
    order = books.order(asha, 500)
    arrives(books, replace(captured(order, 500), rrn=RRN))
    arrives(books, replace(captured(order, 500), rrn=UTR))
    assert look(books, asha) == ("succeeded", RRN)
    assert [line["rrn"] for line in statement(transactions, asha)] == [RRN]


def test_the_same_rrn_of_two_payments_is_no_fault(books: Books) -> None:
    for person in (books.person(), books.person()):
        arrives(books, replace(captured(books.order(person, 500), 500), rrn=RRN))
        assert look(books, person) == ("succeeded", RRN)


def test_the_utr_of_a_payout_is_shown_once_it_is_known(books: Books, functions: Functions) -> None:
    asha = books.person(money=90_000)
    receipt, _ = withdraw(books, asha, 10_000)
    claimed(books, receipt)
    door, path = functions.make("withdraw"), {"id": shown_id(ids.WITHDRAWAL, receipt.id)}
    shown = []
    for status, utr in ((PayoutStatus.PENDING, None), (PayoutStatus.SUCCEEDED, UTR), (PayoutStatus.SUCCEEDED, RRN)):
        is_paid_out(books, receipt, status, utr)
        alone = told(door.invoke(api_event("GET", "/withdrawals/{id}", path=path, caller=asha.user_id)))
        event = api_event("GET", "/withdrawals", caller=asha.user_id)
        assert told(functions.make("lists").invoke(event))["data"] == [alone]
        shown.append((alone["status"], alone["utr"]))
    assert shown == [("pending", None), ("succeeded", UTR), ("succeeded", UTR)]


def test_a_refund_that_is_told_of_again_with_its_rrn_shows_it(books: Books, transactions: Function) -> None:
    asha = books.person()
    refunded = TopUp(books, asha, 900).refunded(300, RefundStatus.SUCCEEDED)
    for rrn in (None, RRN):
        book_refund(connection(books, "gateway"), wiring.new_id, replace(refunded, rrn=rrn))
    assert entries(transactions, asha)[0]["rrn"] == RRN


def test_references_only_grow_and_only_who_speaks_with_gateways_writes_them(books: Books) -> None:
    arrives(books, replace(captured(books.order(books.person(), 500), 500), rrn=RRN))
    for statement_ in ("UPDATE bank_references SET bank_reference = '1'", "DELETE FROM bank_references"):
        with pytest.raises(pymysql.MySQLError, match="bank references only grow"):
            books.write(statement_)
    for role in set(books.credentials) - {"gateway"}:
        with (
            closing(books.connect(role)) as session,
            session.cursor() as cursor,
            pytest.raises(pymysql.MySQLError, match="denied"),
        ):
            cursor.execute("CALL record_bank_reference('payment', 'razorpay', 'pay_1', '1')")


@pytest.mark.parametrize("fault", [("loan", "1"), ("payment", ""), ("payment", "a b"), ("payment", "x" * 65)])
def test_what_is_no_reference_is_not_written_down(books: Books, fault: tuple[str, str]) -> None:
    kind, reference = fault
    with closing(books.connect("gateway")) as session, session.cursor() as cursor, pytest.raises(pymysql.MySQLError):
        cursor.execute("CALL record_bank_reference(%s, 'razorpay', %s, %s)", (kind, unique("pay_"), reference))


def test_a_month_as_a_file_names_them(books: Books, functions: Functions) -> None:
    from wallet.edge.statement_file import statement_file  # noqa: PLC0415 - a function's, not the suite's
    from wallet.ledger.periods import Month  # noqa: PLC0415
    from wallet.movements.statement import monthly_statement  # noqa: PLC0415

    asha = books.person()
    arrives(books, replace(captured(books.order(asha, 90_000), 90_000), rrn=RRN))
    receipt, _ = withdraw(books, asha, 10_000)
    claimed(books, receipt)
    is_paid_out(books, receipt, PayoutStatus.SUCCEEDED, UTR)
    reader = connection(books, "reader")
    text = statement_file(monthly_statement(reader, user_id=asha.user_id, month=Month.of(receipt.created_at)))
    assert f"RRN {RRN} · txn_" in text
    assert f"UTR {UTR} · txn_" in text
