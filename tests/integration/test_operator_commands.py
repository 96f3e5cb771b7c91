"""The operator's function: what each command does, once under its key, and what the journal says afterwards."""

from contextlib import closing
from typing import Any
from uuid import UUID

import pytest

from local.gateway.server import Simulator
from tests.integration import razorpay_simulator as razorpay
from tests.integration.conftest import Functions
from tests.integration.test_functions_under_faults import captured_body, told, top_up_event, webhook_event
from tests.integration.test_kernel_source_refunds import Entry, hear, held, instruction, over_the_cap, pay
from tests.support import disputes
from tests.support.books import Books, Person, captured, unique
from tests.support.crowd import together
from tests.support.functions import Function, api_event
from tests.support.operators import MEERA, RAVI, RAVIS_ARN, OperatorFunction, order, signed
from tests.support.payouts import payout, tell, withdraw
from tests.support.sign_in import signed_in_anew
from wallet import wiring
from wallet.edge import commands
from wallet.edge.requests import read_request
from wallet.ledger import ids
from wallet.ledger.breaks import Break, Kind
from wallet.ledger.events import told as public_event
from wallet.ledger.refunds import RefundStatus
from wallet.ledger.refusals import Refused
from wallet.ledger.withdrawals import PayoutStatus
from wallet.movements.payouts import book_payout
from wallet.operators.model import Role
from wallet.storage import breaks, holds, operators, settlement

Json = dict[str, Any]


@pytest.fixture
def operator(functions: Functions) -> OperatorFunction:
    return functions.operators()


def wallet_id(person: Person) -> str:
    return ids.show(ids.WALLET, person.wallet_id)


def transaction_id(entry: Entry) -> str:
    return ids.show(ids.TRANSACTION, entry.id)


def done(operator: Function, command: Json) -> Json:
    answer = operator.invoke(command)
    assert answer["status"] == "done", answer
    result: Json = answer["result"]
    return result


def refused(operator: Function, command: Json) -> str:
    answer = operator.invoke(command)
    assert answer["status"] == "refused", answer
    code: str = answer["code"]
    return code


#: What of an entry of each list of what waits is its id: a page begins behind it.
LISTS = {
    "breaks": "break_id",
    "disputes": "dispute_id",
    "withdrawals": "withdrawal_id",
    "suspense": "transaction_id",
    "refunds": "refund_id",
    "uncovered": "refund_id",
    "closing": None,
    "stuck": "gateway_event_id",
}


def own_id(name: str, one: Any) -> str:
    field = LISTS[name]
    told: str = one if field is None else one[field]
    return told


def waiting(operator: Function, name: str) -> list[Any]:
    """All that waits in one of the lists, page by page."""
    found: list[Any] = []
    page = done(operator, {"command": "pending", "only": name})[name]
    while page:
        found += page
        page = done(operator, {"command": "pending", "only": name, "after": own_id(name, page[-1])})[name]
    return found


def status(books: Books, person: Person) -> str:
    rows = books.select("SELECT status FROM wallets WHERE id = %s", person.wallet_id.bytes)
    return str(rows[0]["status"])


def events(books: Books, person: Person) -> list[str]:
    rows = books.select("SELECT type FROM outbox WHERE wallet_id = %s ORDER BY position", person.wallet_id.bytes)
    return [row["type"] for row in rows if row["type"].startswith(("Wallet", "Tier"))]


def journal(books: Books, person: Person) -> list[tuple[str, str, str]]:
    return [
        (row["command"], row["operator"], row["reason"])
        for row in books.select(
            "SELECT command, operator, reason FROM operator_actions WHERE wallet_id = %s ORDER BY created_at",
            person.wallet_id.bytes,
        )
    ]


def test_a_frozen_wallet_neither_pays_nor_is_paid_and_takes_its_owners_money_and_refunds(
    books: Books, operator: Function
) -> None:
    person, shop = books.person(money=1_000), books.person(money=1_000)
    assert done(operator, order("freeze", wallet_id=wallet_id(person)))["status"] == "frozen"
    person = signed_in_anew(books, person)
    for payer, payee, code in ((person, shop, "wallet_frozen"), (shop, person, "payee_unavailable")):
        with pytest.raises(Refused, match=code):
            pay(books, payer, payee, 100)
    gateway = books.as_role("gateway")
    rows = books.select("SELECT gateway_order_id FROM payment_attempts WHERE wallet_id = %s", person.wallet_id.bytes)
    assert rows
    done(operator, order("unfreeze", wallet_id=wallet_id(person)))
    order_id = books.order(person, 500)
    done(operator, order("freeze", wallet_id=wallet_id(person)))
    settled = settlement.settle_payment(gateway, captured(order_id, 500), transaction_id=wiring.new_id())
    assert settled.suspense is None
    assert books.balance(person) == 1_500
    assert events(books, person) == ["WalletFrozen", "WalletUnfrozen", "WalletFrozen"]
    assert [line[0] for line in journal(books, person)] == ["freeze", "unfreeze", "freeze"]


def test_a_payment_is_refunded_into_a_frozen_wallet(books: Books, operator: Function, functions: Functions) -> None:
    person, shop = books.person(money=1_000), books.person()
    payment = pay(books, person, shop, 400)
    done(operator, order("freeze", wallet_id=wallet_id(person)))
    event = api_event(
        "POST",
        "/payments/{id}/refunds",
        path={"id": ids.show(ids.PAYMENT, payment)},
        body={},
        headers={"Idempotency-Key": unique("key-")},
        caller=shop.user_id,
    )
    assert functions.make("refund").invoke(event)["statusCode"] == 201
    assert books.balance(person) == 1_000


def test_the_same_order_again_does_nothing_and_answers_the_same(books: Books, operator: Function) -> None:
    person = books.person()
    command = order("freeze", wallet_id=wallet_id(person))
    first, again = operator.invoke(command), operator.invoke(command)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["result"] == again["result"]
    assert journal(books, person) == [("freeze", MEERA, "the owner asked")]


def test_20_orders_at_once_under_one_key_are_one(books: Books, functions: Functions) -> None:
    person = books.person(money=1_000)
    many = [functions.operators() for _ in range(4)]
    command = order("close", wallet_id=wallet_id(person))
    answers = together([lambda turn=turn: many[turn % 4].invoke(command) for turn in range(20)])  # type: ignore[misc]  # bound early
    assert {answer["status"] for answer in answers if isinstance(answer, dict)} == {"done"}
    assert len(journal(books, person)) == 1
    assert held(books, person) == 1_000
    assert books.faults() == []


def test_another_order_under_the_same_key_is_refused(books: Books, operator: OperatorFunction) -> None:
    person = books.person()
    command = order("freeze", wallet_id=wallet_id(person))
    done(operator, command)
    assert refused(operator, {**command, "command": "unfreeze"}) == "idempotency_key_reused"
    assert refused(operator, {**command, "reason": "another"}) == "idempotency_key_reused"
    assert operator.send(command, arn=RAVIS_ARN)["replayed"] is False, "another's key"


def test_a_tier_is_set_and_its_limits_are_in_force_at_once(books: Books, operator: Function) -> None:
    person, shop = books.person(money=2_000_000), books.person(tier="merchant", kind="merchant")
    result = done(operator, order("set_tier", wallet_id=wallet_id(person), tier="small"))
    assert (result["tier"], result["status"]) == ("small", "active")
    with pytest.raises(Refused, match="wallet_limit_exceeded"):
        pay(books, person, shop, 1_000_001)
    assert events(books, person) == ["TierChanged"]
    assert refused(operator, order("set_tier", wallet_id=wallet_id(person), tier="golden")) == "invalid_request"


@pytest.mark.parametrize("tier", ["golden", "Small", "", "a_name_that_is_too_long_for_any", "klein\u00f6"])
def test_an_unknown_tier_is_told_those_that_there_are(books: Books, operator: Function, tier: str) -> None:
    person = books.person()
    answer = operator.invoke(order("set_tier", wallet_id=wallet_id(person), tier=tier))
    assert (answer["status"], answer["code"]) == ("refused", "invalid_request")
    [error] = answer["errors"]
    assert error["field"] == "tier"
    known = [row["code"] for row in books.select("SELECT code FROM tiers ORDER BY code")]
    assert error["message"] == f"There is no such tier; there are: {', '.join(known)}."
    assert {"small", "full", "merchant"} <= set(known)
    assert events(books, person) == []


def test_a_wallet_is_made_hot_and_cold_again(books: Books, operator: Function) -> None:
    shop = books.person(tier="merchant", kind="merchant")
    assert done(operator, order("set_slots", wallet_id=wallet_id(shop), slots=4))["slots"] == 4
    payers = [books.person(money=1_000) for _ in range(4)]
    for payer in payers * 3:
        pay(books, payer, shop, 100)
    shown = done(operator, {"command": "show_wallet", "wallet_id": wallet_id(shop)})
    assert (shown["slots"], shown["balance"]["total"]) == (4, 1_200)
    assert done(operator, order("set_slots", wallet_id=wallet_id(shop), slots=1))["slots"] == 1
    assert refused(operator, order("set_slots", wallet_id=wallet_id(shop), slots=17)) == "invalid_request"
    assert books.faults() == []


@pytest.mark.parametrize("command", ["freeze", "unfreeze", "close"])
def test_there_is_nothing_to_order_about_a_wallet_of_nobody(operator: Function, command: str) -> None:
    assert refused(operator, order(command, wallet_id=ids.show(ids.WALLET, wiring.new_id()))) == "not_found"


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        ({"command": "explode"}, ["body"]),
        ({"command": "freeze"}, ["freeze.wallet_id"]),
        ({"command": "freeze", "key": None}, ["freeze.wallet_id", "freeze.key"]),
        ({"command": "freeze", "reason": ""}, ["freeze.wallet_id", "freeze.reason"]),
        ({"command": "freeze", "operator": "ravi"}, ["freeze.wallet_id", "freeze.operator"]),
        ({"command": "freeze", "wallet_id": "usr_1"}, ["freeze.wallet_id"]),
        ({"command": "pending", "more": 1}, ["pending.more"]),
        ({"command": "pending", "only": "everything"}, ["pending.only"]),
        ({"command": "pending", "after": ids.show(ids.REFUND, UUID(int=1))}, ["pending"]),
        ({"command": "pending", "only": "suspense", "after": ids.show(ids.REFUND, UUID(int=1))}, ["pending"]),
        ({"command": "pending", "only": "stuck", "after": UUID(int=1).hex.upper()[1:]}, ["pending"]),
        ({"command": "breaks", "after": "brk_1"}, ["breaks.after"]),
        ({"command": "show_wallet"}, ["show_wallet"]),
        ({}, ["body"]),
    ],
)
def test_a_command_that_is_not_understood_says_what_is_wrong(
    operator: Function, command: Json, fields: list[str]
) -> None:
    whole = (
        command
        if command.get("command") in (None, "pending", "breaks", "show_wallet", "explode")
        else order("x") | command
    )
    answer = operator.invoke(whole)
    assert (answer["status"], answer["code"]) == ("refused", "invalid_request")
    assert {error["field"] for error in answer["errors"]} == set(fields)


def test_two_top_ups_at_the_edge_of_a_cap_one_is_credited_and_one_waits_and_goes_back(
    books: Books, operator: Function, functions: Functions, simulator: Simulator
) -> None:
    person = books.person(tier="small")
    top_up, webhooks = functions.make("top_up"), [functions.make("webhook") for _ in range(2)]
    opened = [top_up.invoke(top_up_event(person, unique("key-"), 600_000)) for _ in range(2)]
    order_ids = [told(answer)["gateway_order_id"] for answer in opened]
    plays = [razorpay.play(simulator, order_id, "captured_without_webhook") for order_id in order_ids]
    bodies = [
        captured_body(order_id, play["payments"][0]["id"], 600_000)
        for order_id, play in zip(order_ids, plays, strict=True)
    ]
    together(
        [
            lambda webhook=webhook, body=body: webhook.invoke(webhook_event(body))  # type: ignore[misc]  # bound early
            for webhook, body in zip(webhooks, bodies, strict=True)
        ]
    )
    assert books.balance(person) == 600_000

    mine = done(operator, {"command": "show_wallet", "phone": person.phone})["suspense"]
    assert [(one["reason"], one["left"], one["age_h"]) for one in mine] == [("over_balance_limit", 600_000, 0)]
    result = done(operator, order("refund_to_source", transaction_id=mine[0]["transaction_id"]))
    assert (result["amount"], result["wallet_id"]) == (600_000, wallet_id(person))

    # nothing of other tests: this gateway knows nothing of it
    books.write("UPDATE payment_attempts SET next_check_at = NULL")
    books.write("UPDATE withdrawals SET next_check_at = NULL")
    books.write("UPDATE gateway_events SET outcome = 'ignored' WHERE outcome IS NULL")
    books.write(
        "UPDATE source_refunds SET next_check_at = NULL WHERE id <> %s",
        (ids.read(ids.REFUND, result["refund_id"]) or wiring.new_id()).bytes,
    )
    functions.make("reconcile").invoke({}, timeout_s=60)
    rows = books.select(
        "SELECT r.status, a.status AS attempt FROM source_refunds r"
        " JOIN gateway_payments g ON g.transaction_id = r.transaction_id"
        " JOIN payment_attempts a ON a.id = g.attempt_id WHERE a.wallet_id = %s",
        person.wallet_id.bytes,
    )
    assert rows == [{"status": "succeeded", "attempt": "refunded"}]
    assert books.balance(person) == 600_000
    assert done(operator, {"command": "show_wallet", "wallet_id": wallet_id(person)})["suspense"] == []
    assert books.faults() == []


class TestClosing:
    def test_the_balance_goes_back_over_the_newest_top_ups_and_the_wallet_closes_with_the_last_of_it(
        self, books: Books, operator: Function
    ) -> None:
        person, shop = books.person(), books.person()
        entries = [Entry(books, person, amount) for amount in (500, 300, 200)]
        pay(books, person, shop, 350)
        result = done(operator, order("close", wallet_id=wallet_id(person)))
        assert result == {
            "wallet_id": wallet_id(person),
            "status": "closing",
            "opened": 3,
            "on_its_way": 650,
            "held_for_others": 0,
            "returnable": 0,
            "below_minimum": 0,
            "from_suspense": 0,
            "without_a_source": 0,
        }
        asked = books.select(
            "SELECT transaction_id, id, amount FROM source_refunds WHERE wallet_id = %s", person.wallet_id.bytes
        )
        by_entry = {row["transaction_id"]: (row["id"], row["amount"]) for row in asked}
        assert [by_entry[entry.id.bytes][1] for entry in entries] == [150, 300, 200]
        for entry in entries:
            refund_id, amount = by_entry[entry.id.bytes]
            assert status(books, person) == "closing"
            hear(
                books,
                entry.told(RefundStatus.SUCCEEDED, amount, reference=UUID(bytes=refund_id), refund_id=unique("rfnd_")),
            )
        assert (status(books, person), books.balance(person)) == ("closed", 0)
        assert events(books, person) == ["WalletFrozen", "WalletClosed"]
        assert done(operator, order("close", wallet_id=wallet_id(person)))["status"] == "closed"
        assert refused(operator, order("unfreeze", wallet_id=wallet_id(person))) == "not_found"
        assert books.faults() == []

    def test_an_empty_wallet_closes_at_once(self, books: Books, operator: Function) -> None:
        person = books.person()
        assert done(operator, order("close", wallet_id=wallet_id(person)))["status"] == "closed"
        assert events(books, person) == ["WalletFrozen", "WalletClosed"]

    def test_what_came_from_no_source_is_told_and_stays(self, books: Books, operator: Function) -> None:
        person, friend = books.person(), books.person(money=1_000)
        Entry(books, person, 500)
        pay(books, friend, person, 800)
        result = done(operator, order("close", wallet_id=wallet_id(person)))
        assert (result["status"], result["on_its_way"], result["without_a_source"]) == ("closing", 500, 800)
        assert done(operator, order("unfreeze", wallet_id=wallet_id(person)))["status"] == "active"

    def test_what_is_held_for_others_is_left_to_them(self, books: Books, operator: Function) -> None:
        person = books.person()
        Entry(books, person, 1_000)
        holds.place_hold(
            books.as_role("money"),
            person.claim(),
            hold_id=wiring.new_id(),
            payee_wallet_id=books.person().wallet_id,
            payee_phone=None,
            amount=400,
            valid_s=600,
            description=None,
        )
        result = done(operator, order("close", wallet_id=wallet_id(person)))
        assert (result["on_its_way"], result["held_for_others"], result["status"]) == (600, 400, "closing")

    def test_run_again_it_goes_on_and_turns_to_older_top_ups_when_one_fails(
        self, books: Books, operator: Function
    ) -> None:
        person, shop = books.person(), books.person()
        old, new = Entry(books, person, 600), Entry(books, person, 500)
        pay(books, person, shop, 600)
        done(operator, order("close", wallet_id=wallet_id(person)))
        rows = books.select("SELECT id FROM source_refunds WHERE wallet_id = %s", person.wallet_id.bytes)
        hear(
            books,
            new.told(RefundStatus.FAILED, 500, reference=UUID(bytes=rows[0]["id"]), refund_id=unique("rfnd_")),
        )
        assert held(books, person) == 0
        assert done(operator, order("close", wallet_id=wallet_id(person)))["on_its_way"] == 500
        rows = books.select(
            "SELECT transaction_id FROM source_refunds WHERE wallet_id = %s AND status = 'pending'",
            person.wallet_id.bytes,
        )
        assert rows == [{"transaction_id": old.id.bytes}]

    def test_a_wallet_with_slots_is_gathered_first(self, books: Books, operator: Function) -> None:
        shop = books.person(tier="merchant", kind="merchant")
        entry = Entry(books, shop, 2_000)
        done(operator, order("set_slots", wallet_id=wallet_id(shop), slots=4))
        payer = books.person(money=10_000)
        for _ in range(12):
            pay(books, payer, shop, 100)
        result = done(operator, order("close", wallet_id=wallet_id(shop)))
        assert (result["on_its_way"], result["without_a_source"]) == (2_000, 1_200)
        assert books.balance(shop) == 3_200, "all of it is in the wallet's own row"
        assert entry.person is shop
        assert books.faults() == []

    def test_payments_and_a_closing_at_once_leave_nothing_uncounted(self, books: Books, functions: Functions) -> None:
        person, shop = books.person(), books.person()
        Entry(books, person, 10_000)
        operator = functions.operators()
        tasks: list[Any] = [lambda: pay(books, person, shop, 100) for _ in range(20)]
        tasks.insert(5, lambda: operator.invoke(order("close", wallet_id=wallet_id(person))))
        answers = together(tasks, at_once=8)
        assert {answer.refusal.value for answer in answers if isinstance(answer, Refused)} <= {"wallet_frozen"}
        assert not [one for one in answers if isinstance(one, Exception) and not isinstance(one, Refused)]
        assert held(books, person) == books.balance(person)
        assert books.faults() == []


def stuck_event(books: Books) -> UUID:
    """A gateway's event that cannot be acted on, and the break that it makes."""
    event_id = wiring.new_id()
    books.write(
        "INSERT INTO gateway_events (id, gateway, digest, name, body, received_at, outcome)"
        " VALUES (%s, 'razorpay', %s, 'refund.failed', '', UTC_TIMESTAMP(6), 'stuck')",
        event_id.bytes,
        event_id.bytes * 2,
    )
    with closing(books.as_role("gateway")) as gateway:
        breaks.tidy_breaks(gateway)
    return event_id


def some_of_everything_that_waits(books: Books) -> dict[str, set[str]]:
    """Three that wait in every list, by their ids as operators see them."""
    made: dict[str, set[str]] = {name: set() for name in LISTS}
    for _ in range(3):
        receipt, _ = withdraw(books, books.person(money=1_000), 400)
        made["withdrawals"].add(ids.show(ids.WITHDRAWAL, receipt.id))
        dispute = disputes.TopUp(books, books.person(), 1_000).disputed()
        disputes.tell(books, dispute)
        made["disputes"].add(ids.show(ids.DISPUTE, disputes.row(books, dispute)["id"]))
        made["suspense"].add(transaction_id(over_the_cap(books)[1]))
        made["refunds"].add(ids.show(ids.REFUND, Entry(books, books.person(), 1_000).refund()))
        spent = Entry(books, books.person(), 1_000)
        pay(books, spent.person, books.person(), 900)
        hear(books, spent.told(RefundStatus.SUCCEEDED, 1_000, reference=None, refund_id=unique("rfnd_")))
        [row] = books.select("SELECT id FROM source_refunds WHERE transaction_id = %s", spent.id.bytes)
        made["uncovered"].add(ids.show(ids.REFUND, UUID(bytes=row["id"])))
        owner = Entry(books, books.person(), 1_000).person
        with closing(books.as_role("operator")) as operator:
            operators.close(operator, instruction(), action_id=wiring.new_id(), wallet_id=owner.wallet_id, most=1)
        made["closing"].add(wallet_id(owner))
        event_id = stuck_event(books)
        made["stuck"].add(event_id.hex)
        made["breaks"].add(ids.show(ids.BREAK, event_id))
    return made


class TestLooking:
    def test_a_wallet_is_shown_by_its_id_or_by_its_owners_phone(self, books: Books, operator: Function) -> None:
        person = books.person()
        entry = Entry(books, person, 1_000)
        refund = done(operator, order("refund_to_source", transaction_id=transaction_id(entry), amount=400))
        shown = done(operator, {"command": "show_wallet", "wallet_id": wallet_id(person)})
        assert shown == done(operator, {"command": "show_wallet", "phone": person.phone})
        assert shown == done(operator, {"command": "show_wallet", "phone": f"+91 (0) {person.phone[3:]}"})
        assert shown == done(operator, {"command": "show_wallet", "phone": person.phone[3:]})
        assert (shown["tier"], shown["status"]) == ("full", "active")
        assert shown["balance"] == {"total": 1_000, "held": 400, "available": 600}
        assert [(one["transaction_id"], one["left"]) for one in shown["top_ups"]] == [(transaction_id(entry), 600)]
        assert [(one["refund_id"], one["status"]) for one in shown["refunds"]] == [(refund["refund_id"], "pending")]
        assert [(one["command"], one["operator"]) for one in shown["actions"]] == [("refund_to_source", RAVI)]
        assert refused(operator, {"command": "show_wallet", "phone": "+919000000009"}) == "not_found"

    def test_what_waits_is_told_with_its_reason_and_age(self, books: Books, operator: Function) -> None:
        person, suspended = over_the_cap(books)
        shop = books.person()
        spent = Entry(books, books.person(), 1_000)
        pay(books, spent.person, shop, 900)
        hear(books, spent.told(RefundStatus.SUCCEEDED, 1_000, reference=None, refund_id=unique("rfnd_")))
        done(operator, order("close", wallet_id=wallet_id(person)))
        by_id = {one["transaction_id"]: one for one in waiting(operator, "suspense")}
        assert by_id[transaction_id(suspended)]["reason"] == "over_balance_limit"
        assert transaction_id(spent) in {one["transaction_id"] for one in waiting(operator, "uncovered")}
        assert wallet_id(person) in waiting(operator, "closing")
        assert {
            one["requested_by"] for one in waiting(operator, "refunds") if one.get("wallet_id") == wallet_id(person)
        } == {MEERA}

    def test_every_list_goes_on_behind_the_last_that_was_told_until_all_is(
        self, books: Books, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commands, "_PAGE", 2)
        made = some_of_everything_that_waits(books)

        def ask(**more: str) -> Json:
            event = signed({"command": "pending", **more})
            with closing(books.as_role("operator")) as database:
                desk = commands.Desk(Role.LOOK, lambda: database, wiring.new_id, tuple)
                told = desk(read_request(event, None)).body
            assert isinstance(told, dict)
            result: Json = told["result"]
            return result

        first = ask()
        assert list(first) == list(LISTS)
        for name in LISTS:
            page, told = ask(only=name)[name], list[str]()
            assert page == first[name], name
            while page:
                assert len(page) <= 2, name
                told += [own_id(name, one) for one in page]
                (page,) = ask(only=name, after=told[-1]).values()
            assert told == sorted(set(told)), f"{name}: each once"
            assert set(told) >= made[name], name


def test_every_event_that_an_order_leaves_is_one_that_others_understand(books: Books, operator: Function) -> None:
    person = books.person()
    entry = Entry(books, person, 1_000)
    for command in ("freeze", "unfreeze", "close"):
        done(operator, order(command, wallet_id=wallet_id(person)))
    done(operator, order("set_tier", wallet_id=wallet_id(person), tier="small"))
    (refund,) = books.select("SELECT id FROM source_refunds WHERE wallet_id = %s", person.wallet_id.bytes)
    hear(books, entry.told(RefundStatus.FAILED, 1_000, reference=UUID(bytes=refund["id"]), refund_id=unique("rfnd_")))
    events = [event for event in books.outbox() if event.wallet_id == person.wallet_id]
    public = [public_event(event) for event in events]
    assert [event.type for event in events] == [
        "TopUpSucceeded",
        "WalletFrozen",
        "WalletUnfrozen",
        "WalletFrozen",
        "RefundToSourceRequested",
        "TierChanged",
        "RefundToSourceFailed",
    ]
    assert public[-1]["data"] == {
        "refund_id": ids.show(ids.REFUND, UUID(bytes=refund["id"])),
        "transaction_id": transaction_id(entry),
        "amount": 1_000,
        "currency": "INR",
        "gateway": "razorpay",
        "reason": "bank_says_no",
    }


def test_the_journal_only_grows(books: Books, operator: Function) -> None:
    done(operator, order("freeze", wallet_id=wallet_id(books.person())))
    for statement in ("UPDATE operator_actions SET reason = 'x'", "DELETE FROM operator_actions"):
        with pytest.raises(Exception, match="only grows"):
            books.write(statement)


def test_the_commands_leave_a_line_in_the_log_without_the_owners_phone(books: Books, functions: Functions) -> None:
    operator, person = functions.operators(), books.person()
    done(operator, {"command": "show_wallet", "phone": person.phone})
    done(operator, order("freeze", wallet_id=wallet_id(person)))
    assert '"command":"freeze"' in operator.logged().replace(" ", "")
    assert person.phone not in operator.logged()


def suspended(books: Books, person: Person, *, paid: int = 900) -> str:
    """Another amount than was asked for: in suspense. Its transaction."""
    gateway, suspended_id = books.as_role("gateway"), wiring.new_id()
    settlement.settle_payment(gateway, captured(books.order(person, 1_000), paid), transaction_id=suspended_id)
    gateway.close()
    return ids.show(ids.TRANSACTION, suspended_id)


def test_money_in_suspense_is_credited_by_an_order_that_is_journalled_and_answered_again(
    books: Books, operator: Function
) -> None:
    person = books.person()
    command = order("credit_from_suspense", transaction_id=suspended(books, person))
    first = operator.invoke(command)
    assert first["status"] == "done", first
    assert first["result"] | {"transaction_id": ""} == {
        "transaction_id": "",
        "suspended_id": command["transaction_id"],
        "wallet_id": wallet_id(person),
        "amount": 900,
        "left": 0,
    }
    assert first["result"]["transaction_id"].startswith("txn_")
    again = operator.invoke(command)
    assert (again["replayed"], again["result"]) == (True, first["result"])
    assert journal(books, person) == [("credit_from_suspense", RAVI, "the owner asked")]
    assert refused(operator, order("refund_to_source", transaction_id=command["transaction_id"])) == (
        "refund_exceeds_payment"
    )
    assert books.balance(person) == 900


def test_the_limits_of_a_wallet_hold_for_an_order_unless_it_says_otherwise(books: Books, operator: Function) -> None:
    _, entry = over_the_cap(books)
    command = order("credit_from_suspense", transaction_id=transaction_id(entry))
    assert refused(operator, command) == "wallet_limit_exceeded"
    assert refused(operator, {**command, "over_limits": "yes"}) == "invalid_request"
    over = order("credit_from_suspense", transaction_id=transaction_id(entry), over_limits=True)
    assert done(operator, over)["amount"] == 600_000


def noted(books: Books, kind: Kind, subject: str) -> None:
    gateway = books.as_role("gateway")
    breaks.note_break(gateway, Break(kind, subject, 500, None, "INR"), gateway="razorpay", break_id=wiring.new_id())
    gateway.close()


def test_breaks_are_listed_with_their_age_and_resolved_with_a_reason_once(books: Books, operator: Function) -> None:
    books.nothing_is_due()
    noted(books, Kind.UNKNOWN_PAYMENT, "pay_Gone1")
    noted(books, Kind.UNEXPLAINED_LINE, "adj_1")
    books.write("UPDATE reconciliation_breaks SET open_since = open_since - INTERVAL 50 HOUR WHERE subject = 'adj_1'")
    listed = operator.invoke({"command": "breaks"})["result"]
    assert [(one["subject"], one["age_h"]) for one in listed] == [("pay_Gone1", 0), ("adj_1", 50)]
    [later] = operator.invoke({"command": "breaks", "after": listed[0]["break_id"]})["result"]
    assert later == listed[1]
    [one] = operator.invoke({"command": "breaks", "kind": "unknown_payment"})["result"]
    assert (one["our_amount"], "their_amount" in one, one["ordered"]) == (500, False, False)
    assert operator.invoke({"command": "breaks", "kind": "odd"})["code"] == "invalid_request"
    command = order("resolve_break", break_id=one["break_id"], reason="a test payment of ours, ticket 9")
    assert done(operator, command)["subject"] == "pay_Gone1"
    assert operator.invoke(command)["replayed"]
    assert refused(operator, order("resolve_break", break_id=one["break_id"])) == "not_found"
    assert refused(operator, order("resolve_break", break_id="brk_1")) == "invalid_request"
    row = books.select("SELECT resolution, resolved_by, reason FROM reconciliation_breaks WHERE subject = 'pay_Gone1'")
    assert row == [{"resolution": "operator", "resolved_by": RAVI, "reason": "a test payment of ours, ticket 9"}]
    noted(books, Kind.UNKNOWN_PAYMENT, "pay_Gone1")
    assert [one["subject"] for one in operator.invoke({"command": "breaks"})["result"]] == ["adj_1"], (
        "it stays resolved"
    )


def test_what_waits_shows_withdrawals_and_open_breaks_and_no_stuck_event_that_is_resolved(
    books: Books, operator: Function
) -> None:
    books.nothing_is_due()
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 400)
    event_id = stuck_event(books)
    shown = waiting(operator, "withdrawals")
    mine = [one for one in shown if one["withdrawal_id"] == ids.show(ids.WITHDRAWAL, receipt.id)]
    assert [(one["wallet_id"], one["amount"], one["status"]) for one in mine] == [(wallet_id(person), 400, "pending")]
    assert event_id.hex in {one["gateway_event_id"] for one in waiting(operator, "stuck")}
    [stuck] = [one for one in waiting(operator, "breaks") if one["subject"] == event_id.hex]
    done(operator, order("resolve_break", break_id=stuck["break_id"]))
    assert event_id.hex not in {one["gateway_event_id"] for one in waiting(operator, "stuck")}
    assert stuck["break_id"] not in {one["break_id"] for one in waiting(operator, "breaks")}


def test_ending_a_dispute_is_journalled_and_only_of_one_that_there_is(books: Books, operator: Function) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 400)
    tell(books, receipt, PayoutStatus.SUCCEEDED)
    command = order("end_dispute", withdrawal_id=ids.show(ids.WITHDRAWAL, receipt.id))
    assert refused(operator, command) == "not_found"
    gateway = books.as_role("gateway")
    book_payout(gateway, wiring.new_id, payout(receipt, PayoutStatus.FAILED))
    gateway.close()
    assert done(operator, command)["wallet_id"] == wallet_id(person)
    assert journal(books, person) == [("end_dispute", RAVI, "the owner asked")]
    assert books.balance(person) == 600, "the reconciler carries it out"
