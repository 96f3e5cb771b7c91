"""The judge is judged: a world where all is well, and every way to spoil it, each found under its name."""

import copy
from collections.abc import Callable

import pytest

from tests.faults.books_of_world import GatewayBook, Ledger, Row, hex_of, shown
from tests.faults.effects import mark_of_key, operators_scope
from tests.faults.evidence import Evidence
from tests.faults.history import History, Json, Operation, ToldEvent, Try
from tests.faults.model import violations

OPERATOR = operators_scope("000000000000/meera")
ASHA, BELA = "a" * 32, "b" * 32
ASHAS, BELAS = "c" * 32, "d" * 32
GATEWAY_ACCOUNT, PAYOUT_ACCOUNT, SUSPENSE = "e1" * 16, "e2" * 16, "e3" * 16


def number(digits: str) -> str:
    """An id as in the ledger."""
    return digits.rjust(32, "0")


def done(body: Json, status: int = 201) -> Try:
    return Try(0.0, 0.1, status, None, body)


def refused(code: str, status: int = 402) -> Try:
    return Try(0.0, 0.1, status, code)


LOST = Try(0.0, 0.1, None)


def operation(kind: str, actor: str, mark: str, asked: Json, key: str | None, *tries: Try) -> Operation:
    return Operation(kind, actor, mark, asked, key, list(tries))


def transaction(digits: str, kind: str, debited: str, credited: str, amount: int, **more: object) -> Row:
    empty = dict.fromkeys(
        (
            "actor_id",
            "description",
            "reference",
            "attempt_id",
            "gateway",
            "gateway_payment_id",
            "suspense_reason",
            "cause_id",
            "hold_id",
            "withdrawal_id",
            "source_refund_id",
        )
    )
    both = {"debited": debited, "credited": credited, "amount": amount, "currency": "INR"}
    return {"id": number(digits), "type": kind, **empty, **both, **more}


def key_of(actor: str, key: str, made_id: str) -> Row:
    return {"actor_id": actor, "idem_key": key, "made_id": made_id}


def payment(payment_id: str, order_id: str, amount: int, **more: object) -> Row:
    seen = {"captured": True, "amount_refunded": 0, "currency": "INR", "status": "captured"}
    return {"id": payment_id, "order_id": order_id, "amount": amount, **seen, **more}


def all_is_well() -> Evidence:
    """Two people, and one of everything that they can do."""
    history = History()
    history.operations = [
        operation("register", "+911", "+911", {}, None, done({"user": {"id": shown("usr", ASHA)}})),
        operation("register", "+912", "+912", {}, None, LOST),
        operation(
            "top_up",
            ASHA,
            "9001",
            {"wallet": ASHAS, "amount": 9001},
            "k1",
            LOST,
            done({"id": shown("top", number("1"))}),
        ),
        operation(
            "pay",
            ASHA,
            "op2",
            {"payer": ASHAS, "payee": BELAS, "amount": 500},
            "k2",
            done({"transaction_id": shown("txn", number("2"))}),
            done({"transaction_id": shown("txn", number("2"))}),
        ),
        operation("pay", ASHA, "op3", {"payer": ASHAS, "payee": BELAS, "amount": 501}, "k2", refused("reused", 422)),
        operation(
            "pay", ASHA, "op4", {"payer": ASHAS, "payee": BELAS, "amount": 99}, "k4", refused("insufficient_funds")
        ),
        operation("pay", ASHA, "op5", {"payer": ASHAS, "payee": BELAS, "amount": 7}, "k5", LOST),
        operation(
            "refund",
            BELA,
            "op6",
            {"payment": number("2"), "payee": BELAS, "amount": None},
            "k6",
            done({"transaction_id": shown("txn", number("6"))}),
        ),
        operation(
            "hold",
            ASHA,
            "op7",
            {"payer": ASHAS, "payee": BELAS, "amount": 300},
            "k7",
            done({"id": shown("hld", number("7")), "balance": {"total": 9001, "held": 300, "available": 8701}}),
            done({"id": shown("hld", number("7"))}),
        ),
        operation(
            "capture",
            BELA,
            mark_of_key(BELA, "k8"),
            {"hold": number("7"), "amount": 100},
            "k8",
            done({"transaction_id": shown("txn", number("8"))}, 200),
        ),
        operation(
            "release",
            BELA,
            mark_of_key(BELA, "k9"),
            {"hold": number("7")},
            "k9",
            done({"id": shown("hld", number("7"))}),
        ),
        operation(
            "withdraw",
            ASHA,
            "asha@bank10",
            {"wallet": ASHAS, "amount": 200},
            "k10",
            done({"id": shown("wdr", number("10"))}, 202),
        ),
        operation(
            "withdraw",
            ASHA,
            "reversed@bank11",
            {"wallet": ASHAS, "amount": 50},
            "k11",
            LOST,
            refused("wallet_frozen", 409),
        ),
        operation(
            "bulk",
            ASHA,
            "op12",
            {"payer": ASHA, "rows": [[10, "op12.0"], [11, "op12.1"]]},
            "k12",
            done({"id": shown("blk", number("12"))}, 202),
        ),
        operation(
            "refund_to_source",
            OPERATOR,
            "op13",
            {"transaction": number("1001"), "amount": 40},
            "k13",
            done({"refund_id": shown("rfd", number("13"))}, 200),
        ),
        operation(
            "credit_from_suspense",
            OPERATOR,
            "op16",
            {"transaction": number("2001"), "wallet": BELAS, "amount": None},
            "k16",
            done({"transaction_id": shown("txn", number("16"))}, 200),
        ),
        operation("operator", OPERATOR, "op14", {"wallet": BELAS, "command": "freeze"}, "k14", done({}, 200)),
        operation(
            "balance", ASHA, "/wallet", {}, None, done({"balance": {"total": 9, "held": 4, "available": 5}}, 200)
        ),
        operation("last_look", BELA, "op15", {"wallet": BELAS}, "k15", done({"balance": {"total": 9111}}, 200)),
    ]
    history.told_events = [
        ToldEvent("forged", "pay_forged", "order_1", 9001, "INR", counts=False, status=401),
        ToldEvent("wrong_amount", "pay_wrong", "order_1", 9000, "INR", counts=True, status=200),
        ToldEvent("wrong_currency", "pay_usd", "order_1", 9001, "USD", counts=True, status=None),
    ]
    gateway = GatewayBook(
        orders=[{"id": "order_1"}],
        payments=[
            payment("pay_1", "order_1", 9001, amount_refunded=40),
            payment("pay_2", "order_1", 9001),
            payment("pay_3", "order_1", 9001, captured=False, status="failed"),
        ],
        refunds=[
            {
                "id": "rfnd_1",
                "payment_id": "pay_1",
                "amount": 40,
                "status": "processed",
                "receipt": shown("rfd", number("13")),
            },
            {"id": "rfnd_2", "payment_id": "pay_3", "amount": 9001, "status": "processed", "receipt": None},
        ],
        payouts=[
            {"reference_id": shown("wdr", number("10")), "amount": 200, "status": "processed"},
            {"reference_id": shown("wdr", number("11")), "amount": 50, "status": "reversed"},
        ],
    )
    return Evidence(history, _ledger(), gateway)


def _ledger() -> Ledger:
    suspended = {"type": "suspense", "gateway": "razorpay"}
    ledger = Ledger(
        users=[{"id": ASHA, "phone": "+911"}, {"id": BELA, "phone": "+912"}],
        transactions=[
            transaction(
                "1001",
                "top_up",
                GATEWAY_ACCOUNT,
                ASHAS,
                9001,
                attempt_id=number("1"),
                gateway="razorpay",
                gateway_payment_id="pay_1",
            ),
            transaction("2", "payment", ASHAS, BELAS, 500, reference="op2"),
            transaction("6", "refund", BELAS, ASHAS, 500, description="op6", cause_id=number("2")),
            transaction("8", "hold_capture", ASHAS, BELAS, 100, hold_id=number("7"), description="op7"),
            transaction("1010", "withdrawal", ASHAS, PAYOUT_ACCOUNT, 200, withdrawal_id=number("10")),
            transaction("1011", "withdrawal", ASHAS, PAYOUT_ACCOUNT, 50, withdrawal_id=number("11")),
            transaction("1012", "withdrawal_return", PAYOUT_ACCOUNT, ASHAS, 50, withdrawal_id=number("11")),
            transaction("1013", "refund_to_source", ASHAS, GATEWAY_ACCOUNT, 40, source_refund_id=number("13")),
            transaction("16", "adjustment", SUSPENSE, BELAS, 9001, cause_id=number("2001")),
            transaction("1014", "payment", ASHAS, BELAS, 10, reference="op12.0"),
        ],
        holds=[
            {
                "id": number("7"),
                "payer_wallet_id": ASHAS,
                "payee_wallet_id": BELAS,
                "amount": 300,
                "captured": 100,
                "status": "released",
                "description": "op7",
                "late": 0,
            }
        ],
        attempts=[
            {
                "id": number("1"),
                "wallet_id": ASHAS,
                "amount": 9001,
                "status": "succeeded",
                "gateway_order_id": "order_1",
                "late": 0,
            }
        ],
        withdrawals=[
            {"id": number("10"), "wallet_id": ASHAS, "vpa": "asha@bank10", "amount": 200, "status": "succeeded"},
            {"id": number("11"), "wallet_id": ASHAS, "vpa": "reversed@bank11", "amount": 50, "status": "reversed"},
        ],
        source_refunds=[
            {
                "id": number("13"),
                "origin": "ours",
                "transaction_id": number("1001"),
                "wallet_id": ASHAS,
                "gateway_payment_id": "pay_1",
                "gateway_refund_id": "rfnd_1",
                "amount": 40,
                "status": "succeeded",
            }
        ],
        bulk_payments=[{"id": number("12"), "user_id": ASHA, "row_count": 2, "total": 21, "status": "finished"}],
        bulk_rows=[
            _row(2, 10, "op12.0", "paid", number("1014")),
            _row(3, 11, "op12.1", "refused", None),
        ],
        keys=[
            key_of(ASHA, "k1", number("1")),
            key_of(ASHA, "k2", number("2")),
            key_of(BELA, "k6", number("6")),
            key_of(ASHA, "k7", number("7")),
            key_of(BELA, "k8", number("8")),
            key_of(BELA, "k9", number("7")),
            key_of(ASHA, "k10", number("10")),
            key_of(ASHA, "k11", number("11")),
            key_of(ASHA, "k12", number("12")),
            key_of(OPERATOR, "k13", number("13")),
            key_of(OPERATOR, "k14", number("14")),
            key_of(OPERATOR, "k16", number("16")),
        ],
        actions=[
            {"id": number("13"), "command": "refund_to_source", "wallet_id": ASHAS, "reason": "op13"},
            {"id": number("16"), "command": "credit_from_suspense", "wallet_id": BELAS, "reason": "op16"},
            {"id": number("14"), "command": "freeze", "wallet_id": BELAS, "reason": "op14"},
        ],
    )
    for digits, payment_id, amount, currency, reason in (
        ("2001", "pay_2", 9001, "INR", "order_already_paid"),
        ("2002", "pay_wrong", 9000, "INR", "amount_mismatch"),
        ("2003", "pay_usd", 9001, "USD", "currency_mismatch"),
    ):
        row = transaction(digits, "suspense", GATEWAY_ACCOUNT, SUSPENSE, amount)
        more = {"gateway_payment_id": payment_id, "currency": currency, "suspense_reason": reason}
        ledger.transactions.append(row | suspended | more)
    ledger.wallets = [
        {
            "id": ASHAS,
            "user_id": ASHA,
            "status": "active",
            "held": 0,
            "balance": 9001 - 500 + 500 - 100 - 200 - 40 - 10,
        },
        {"id": BELAS, "user_id": BELA, "status": "frozen", "held": 0, "balance": 500 - 500 + 100 + 10 + 9001},
    ]
    return ledger


def _row(line: int, amount: int, reference: str, status: str, transaction_id: str | None) -> Row:
    file = {"bulk_payment_id": number("12"), "refusal": None if status == "paid" else "insufficient_funds"}
    told = {"line": line, "amount": amount, "reference": reference, "status": status}
    return file | told | {"transaction_id": transaction_id}


def of(rows: list[Row], digits: str) -> Row:
    """The row of an id."""
    return next(row for row in rows if row["id"] == number(digits))


def remove(rows: list[Row], digits: str) -> None:
    rows.remove(of(rows, digits))


def asked(evidence: Evidence, mark: str) -> Operation:
    return next(one for one in evidence.history.operations if one.mark == mark)


def again(rows: list[Row], digits: str, **changes: object) -> None:
    """A second row like one that is there."""
    rows.append({**copy.deepcopy(of(rows, digits)), "id": number("9999"), **changes})


def _told(evidence: Evidence, mark: str) -> Json:
    body: Json = asked(evidence, mark).tries[0].body["balance"]
    return body


def _believed(evidence: Evidence) -> None:
    evidence.history.told_events[0] = ToldEvent(
        "forged", "pay_forged", "order_1", 9001, "INR", counts=False, status=200
    )


Spoil = Callable[[Evidence], object]

#: What is broken, and how. One rule may be broken in several ways.
SPOILT: list[tuple[str, Spoil]] = [
    ("told done, not in the books", lambda e: remove(e.ledger.transactions, "2")),
    ("told done, not in the books", lambda e: remove(e.ledger.holds, "7")),
    ("told done, not in the books", lambda e: remove(e.ledger.attempts, "1")),
    ("told done, not in the books", lambda e: remove(e.ledger.withdrawals, "10")),
    ("told done, not in the books", lambda e: e.ledger.bulk_payments.clear()),
    ("told done, not in the books", lambda e: e.ledger.source_refunds.clear()),
    ("told done, not in the books", lambda e: remove(e.ledger.actions, "14")),
    ("told done, not in the books", lambda e: e.ledger.users.pop(0)),
    ("told done, not in the books", lambda e: remove(e.ledger.transactions, "8")),
    ("other in the books than was asked", lambda e: of(e.ledger.transactions, "2").update(amount=499)),
    ("other in the books than was asked", lambda e: of(e.ledger.transactions, "2").update(credited="f" * 32)),
    ("other in the books than was asked", lambda e: of(e.ledger.transactions, "6").update(cause_id=number("8"))),
    ("other in the books than was asked", lambda e: of(e.ledger.transactions, "8").update(amount=101)),
    ("other in the books than was asked", lambda e: of(e.ledger.holds, "7").update(payee_wallet_id=ASHAS)),
    ("other in the books than was asked", lambda e: of(e.ledger.withdrawals, "10").update(amount=201)),
    ("other in the books than was asked", lambda e: of(e.ledger.attempts, "1").update(wallet_id=BELAS)),
    ("other in the books than was asked", lambda e: e.ledger.bulk_rows[1].update(amount=12)),
    ("other in the books than was asked", lambda e: e.ledger.source_refunds[0].update(amount=41)),
    ("other in the books than was asked", lambda e: of(e.ledger.actions, "14").update(wallet_id=ASHAS)),
    ("other in the books than was told", lambda e: of(e.ledger.transactions, "2").update(id=number("9998"))),
    ("done twice", lambda e: again(e.ledger.transactions, "2")),
    ("done twice", lambda e: again(e.ledger.holds, "7")),
    ("done twice", lambda e: again(e.ledger.attempts, "1")),
    ("done twice", lambda e: again(e.ledger.withdrawals, "10")),
    ("one key did two things", lambda e: again(e.ledger.transactions, "2", reference="op3", amount=501)),
    ("refused, yet in the books", lambda e: again(e.ledger.transactions, "2", reference="op4", amount=99)),
    ("in the books, asked for by nobody", lambda e: again(e.ledger.transactions, "2", reference="op77")),
    ("in the books, asked for by nobody", lambda e: again(e.ledger.transactions, "8")),
    ("in the books, asked for by nobody", lambda e: again(e.ledger.holds, "7", description=None)),
    ("in the books, asked for by nobody", lambda e: again(e.ledger.attempts, "1", amount=12345)),
    ("in the books, asked for by nobody", lambda e: again(e.ledger.withdrawals, "10", vpa="x@y")),
    ("in the books, asked for by nobody", lambda e: again(e.ledger.bulk_payments, "12")),
    ("in the books, asked for by nobody", lambda e: again(e.ledger.source_refunds, "13")),
    ("in the books, asked for by nobody", lambda e: again(e.ledger.actions, "14", reason="nothing")),
    ("in the books, asked for by nobody", lambda e: e.ledger.users.append({"id": number("3"), "phone": "+913"})),
    ("a key that nobody sent", lambda e: e.ledger.keys.append(key_of(ASHA, "k99", number("99")))),
    ("a key that nobody sent", lambda e: e.ledger.keys.append(key_of(ASHA, "k4", number("99")))),
    (
        "one key, two answers",
        lambda e: asked(e, "op7").tries.append(done({"id": shown("hld", number("8"))})),
    ),
    (
        "one key, two answers",
        lambda e: asked(e, "op2").tries.append(done({"transaction_id": shown("txn", number("3"))})),
    ),
    ("an accident", lambda e: asked(e, "op5").tries.append(Try(0.0, 0.1, 500, "internal_error"))),
    ("a balance told that can't be", lambda e: _told(e, "/wallet").update(available=6)),
    ("a balance told that can't be", lambda e: _told(e, "/wallet").update(total=-1, available=-5)),
    ("told released, not in the books", lambda e: of(e.ledger.holds, "7").update(status="placed")),
    ("released, asked for by nobody", lambda e: e.history.operations.remove(asked(e, mark_of_key(BELA, "k9")))),
    ("captured, not booked", lambda e: remove(e.ledger.transactions, "1001")),
    ("captured, not booked", lambda e: remove(e.ledger.transactions, "2002")),
    ("booked twice", lambda e: again(e.ledger.transactions, "1001")),
    ("booked, never captured", lambda e: again(e.ledger.transactions, "1001", gateway_payment_id="pay_3")),
    ("booked, never captured", lambda e: again(e.ledger.transactions, "1001", gateway_payment_id="pay_forged")),
    ("booked with another amount", lambda e: of(e.ledger.transactions, "1001").update(amount=9002)),
    (
        "in suspense for no reason",
        lambda e: of(e.ledger.transactions, "2001").update(suspense_reason="amount_mismatch"),
    ),
    ("in suspense for no reason", lambda e: of(e.ledger.transactions, "2003").update(suspense_reason="unknown_order")),
    ("credited, though it does not agree", lambda e: of(e.ledger.transactions, "1001").update(credited=BELAS)),
    ("credited, though it does not agree", lambda e: of(e.ledger.transactions, "2002").update(type="top_up")),
    ("told done, not in the books", lambda e: remove(e.ledger.transactions, "16")),
    ("other in the books than was asked", lambda e: of(e.ledger.transactions, "16").update(cause_id=number("2002"))),
    ("other in the books than was asked", lambda e: of(e.ledger.transactions, "16").update(credited=ASHAS)),
    ("in the books, asked for by nobody", lambda e: again(e.ledger.transactions, "16")),
    ("more left than came", lambda e: of(e.ledger.transactions, "16").update(amount=9002)),
    ("more left than came", lambda e: e.ledger.source_refunds[0].update(transaction_id=number("2001"))),
    ("a false webhook was believed", _believed),
    ("paid out twice", lambda e: e.gateway.payouts.append(e.gateway.payouts[0])),
    ("a withdrawal disagrees with its payout", lambda e: e.gateway.payouts[0].update(status="failed")),
    ("a withdrawal disagrees with its payout", lambda e: e.gateway.payouts[0].update(amount=199)),
    ("a withdrawal disagrees with its payout", lambda e: e.gateway.payouts.pop(0)),
    (
        "paid out, asked for by nobody",
        lambda e: e.gateway.payouts.append({"reference_id": "wdr_x", "status": "failed"}),
    ),
    ("a withdrawal is not booked as it stands", lambda e: remove(e.ledger.transactions, "1012")),
    ("a withdrawal is not booked as it stands", lambda e: again(e.ledger.transactions, "1010")),
    ("sent back, not in the books", lambda e: e.ledger.source_refunds.clear()),
    ("a refund disagrees with the gateway", lambda e: e.gateway.refunds[0].update(status="failed")),
    ("a refund that the gateway does not know", lambda e: e.gateway.refunds.pop(0)),
    ("a refund that the gateway does not know", lambda e: e.ledger.source_refunds[0].update(gateway_refund_id=None)),
    ("sent back twice", lambda e: e.gateway.refunds.append({**e.gateway.refunds[0], "id": "rfnd_9"})),
    ("a balance is not its postings", lambda e: e.ledger.wallets[0].update(balance=1)),
    ("a balance is not its postings", lambda e: of(e.ledger.transactions, "1013").update(amount=39)),
    ("a transaction has one side", lambda e: of(e.ledger.transactions, "1013").update(credited=None)),
    ("a balance is negative", lambda e: e.ledger.wallets[1].update(held=9112)),
    ("a balance told is not in the books", lambda e: _told(e, "op15").update(total=110)),
    ("a balance told is not in the books", lambda e: asked(e, "op15").tries.clear()),
    ("a transaction of an unknown type", lambda e: of(e.ledger.transactions, "1013").update(type="gift")),
    ("a refund to source is not booked as it stands", lambda e: remove(e.ledger.transactions, "1013")),
    (
        "a refund to source is not booked as it stands",
        lambda e: again(e.ledger.transactions, "1013", source_refund_id="x"),
    ),
    ("the books are wrong", lambda e: e.ledger.faults.append("debits and credits differ")),
    ("stuck", lambda e: of(e.ledger.attempts, "1").update(status="pending")),
    ("stuck", lambda e: of(e.ledger.holds, "7").update(status="placed", late=1)),
    ("stuck", lambda e: of(e.ledger.withdrawals, "10").update(status="pending")),
    ("stuck", lambda e: e.ledger.source_refunds[0].update(status="pending")),
    ("stuck", lambda e: e.ledger.bulk_payments[0].update(status="running")),
    ("stuck", lambda e: e.ledger.bulk_rows[1].update(status="waiting")),
    ("stuck", lambda e: e.ledger.events.append({"id": number("5"), "outcome": None, "body": "{}"})),
    ("stuck", lambda e: e.ledger.undelivered.append({"position": 1, "type": "HoldPlaced"})),
]


def test_a_world_where_all_is_well_breaks_no_rule() -> None:
    assert violations(all_is_well()) == []


@pytest.mark.parametrize(("rule", "spoil"), SPOILT, ids=[f"{at} {rule}" for at, (rule, _) in enumerate(SPOILT)])
def test_what_is_spoilt_is_found_under_its_name(rule: str, spoil: Spoil) -> None:
    evidence = all_is_well()
    spoil(evidence)
    assert rule in {violation.rule for violation in violations(evidence)}


def test_a_lost_answer_may_have_been_carried_out_or_not() -> None:
    evidence = all_is_well()
    again(evidence.ledger.transactions, "2", reference="op5", amount=7, id=number("50"))
    evidence.ledger.wallets[0]["balance"] -= 7
    evidence.ledger.wallets[1]["balance"] += 7
    asked(evidence, "op15").tries[0].body["balance"]["total"] += 7
    evidence.ledger.keys.append(key_of(ASHA, "k5", number("50")))
    assert violations(evidence) == []


def test_a_public_id_is_the_ledgers_id() -> None:
    assert hex_of(shown("txn", number("1f"))) == number("1f")
