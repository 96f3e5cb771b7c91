"""Withdrawals that nobody was asked to pay yet: a freeze pauses them, and their owner may cancel them.

Whether somebody may have been asked is written down before anybody is; the provider's "not found" never stands for it.
"""

import os
import signal
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pymysql.cursors import DictCursor

from local.gateway.server import Simulator
from tests.integration import razorpayx_simulator as razorpayx
from tests.integration.conftest import Functions
from tests.integration.test_functions_under_faults import told, until_it_works
from tests.integration.test_operator_commands import done, refused, wallet_id
from tests.integration.test_withdrawals_kernel import (
    debited,
    events_of,
    losing_the_next_answer,
    refusal_of,
    through,
    transactions_of,
)
from tests.integration.test_withdrawals_under_faults import make_due, reconciler, run, withdrawal_event
from tests.support.books import Books, Person, unique
from tests.support.confirmations import tier_with
from tests.support.crowd import together
from tests.support.functions import Function, FunctionDiedError, api_event
from tests.support.moves import refusals_in
from tests.support.operators import order
from tests.support.payouts import (
    VPA,
    cancelled,
    charge,
    claimed,
    held,
    make_older,
    payout,
    state_of,
    tell,
    withdraw,
)
from tests.support.proxy import Proxy
from tests.support.sign_in import signed_in_anew
from tests.support.waiting import behind, behind_wallet, nothing
from wallet import wiring
from wallet.ledger import ids
from wallet.ledger.receipts import WithdrawalReceipt
from wallet.ledger.refusals import Refusal
from wallet.ledger.withdrawals import PayoutStatus, WithdrawalStatus
from wallet.storage import operators, withdrawals
from wallet.storage.operators import Instruction
from wallet.storage.withdrawals import PayoutClaim

LOCK_WITHDRAWAL = "SELECT id FROM withdrawals WHERE id = %s FOR UPDATE"


@pytest.fixture(autouse=True)
def _alone(books: Books) -> None:
    """Nothing of another test is due."""
    books.nothing_is_due()


@pytest.fixture
def operator(functions: Functions) -> Function:
    return functions.operators()


def checked(books: Books, receipt: WithdrawalReceipt, checks: int = 0) -> Any:
    """What the reconciler is told that wants to ask about it; None: it may not."""
    with closing(books.as_role("gateway")) as database:
        return withdrawals.claim_check(database, receipt.id, checks, first_check_s=60)


def commanded(books: Books, command: Callable[..., Any], person: Person, **more: Any) -> Any:
    """What an operator's command comes to."""
    with closing(books.as_role("operator")) as database:
        instruction = Instruction("meera@example.com", "the bank asked", person.claim())
        return command(database, instruction, action_id=wiring.new_id(), wallet_id=person.wallet_id, **more)[0]


def turning(person: Person, status: str) -> Callable[[DictCursor], object]:
    return lambda cursor: cursor.execute(
        "UPDATE wallets SET status = %s WHERE id = %s", (status, person.wallet_id.bytes)
    )


def payouts(simulator: Simulator, receipt: WithdrawalReceipt) -> int:
    return len(razorpayx.payouts_of(simulator, ids.show(ids.WITHDRAWAL, receipt.id)))


# --------------------------------------------------------------------------------------------- asking, once


def test_nobody_was_asked_to_pay_a_new_withdrawal_and_one_of_many_may_ask(books: Books) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    assert (state_of(books, receipt.id)["asked"], state_of(books, receipt.id)["asked_at"]) == (0, None)
    answers = together([partial(claimed, books, receipt) for _ in range(8)])
    assert sorted(answers) == [PayoutClaim.ALLOWED, *[PayoutClaim.TAKEN] * 7]  # type: ignore[type-var]  # no exception
    row = state_of(books, receipt.id)
    assert row["asked"] == 1
    assert row["asked_at"] >= row["created_at"]


def test_who_asks_about_it_may_have_asked_for_it(books: Books) -> None:
    receipt, _ = withdraw(books, books.person(money=1_000), 600, first_check_s=0)
    due = checked(books, receipt)
    assert due.may_send
    assert state_of(books, receipt.id)["asked"] == 1
    assert claimed(books, receipt) is PayoutClaim.TAKEN


def test_whoever_may_have_been_asked_stays_so(books: Books) -> None:
    receipt, _ = withdraw(books, books.person(money=1_000), 600)
    claimed(books, receipt)
    with pytest.raises(Exception, match="stays asked"):
        books.write("UPDATE withdrawals SET asked = FALSE WHERE id = %s", receipt.id.bytes)


def test_when_the_answer_of_a_claim_is_lost_nobody_is_told_to_ask_and_it_is_no_longer_cancelled(books: Books) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    with (
        Proxy((books.server.host, books.server.port)) as proxy,
        closing(through(books, proxy, "withdrawals")) as database,
    ):
        losing_the_next_answer(proxy)
        assert withdrawals.claim_payout(database, receipt.id) is PayoutClaim.TAKEN
    assert refusal_of(partial(cancelled, books, person, receipt)) is Refusal.WITHDRAWAL_SENT


# --------------------------------------------------------------------------------------------- frozen


@pytest.mark.parametrize("status", ["frozen", "closing"])
def test_nobody_may_ask_for_a_payout_of_a_wallet_that_is_not_active(books: Books, status: str) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600, first_check_s=0)
    books.turn(person, status)
    assert claimed(books, receipt) is PayoutClaim.PAUSED
    assert checked(books, receipt) is None
    row = state_of(books, receipt.id)
    assert (row["status"], row["asked"], row["checks"]) == ("pending", 0, 0)
    with closing(books.as_role("gateway")) as database:
        assert withdrawals.due_withdrawals(database, limit=10) == [], "it holds up nobody meanwhile"
    assert held(books, person) == 600


@pytest.mark.parametrize("ask", [claimed, checked])
def test_who_waits_to_ask_sees_the_freeze_that_they_waited_for(
    books: Books, ask: Callable[[Books, WithdrawalReceipt], Any]
) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600, first_check_s=0)
    [answer] = behind_wallet(books, person, [partial(ask, books, receipt)], turning(person, "frozen"))
    assert answer in (PayoutClaim.PAUSED, None)
    assert state_of(books, receipt.id)["asked"] == 0


def test_one_that_somebody_may_have_been_asked_to_pay_is_asked_about_and_not_sent_while_frozen(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person(money=1_000)
    unknown, known = (withdraw(books, person, 300)[0] for _ in range(2))
    for receipt in (unknown, known):
        assert claimed(books, receipt) is PayoutClaim.ALLOWED
    razorpayx.adapter(simulator).send(
        reference=ids.show(ids.WITHDRAWAL, known.id), amount_minor=300, currency="INR", vpa=VPA, name="Asha Rao"
    )
    books.turn(person, "frozen")
    for receipt in (unknown, known):
        make_due(books, receipt.id)
    assert run(reconciler(functions))["booked"] == 1
    assert (payouts(simulator, unknown), payouts(simulator, known)) == (0, 1)
    assert (state_of(books, unknown.id)["status"], state_of(books, known.id)["status"]) == ("pending", "succeeded")
    assert refusal_of(partial(cancelled, books, person, unknown)) is Refusal.WITHDRAWAL_SENT
    commanded(books, operators.unfreeze, person)
    run(reconciler(functions))
    assert payouts(simulator, unknown) == 1
    assert books.faults() == []


def test_a_frozen_wallets_withdrawal_waits_and_unfreezing_sends_it(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    operator, reconcile = functions.operators(), reconciler(functions)
    done(operator, order("freeze", wallet_id=wallet_id(person)))
    make_due(books, receipt.id)
    assert run(reconcile)["asked"] == 0
    assert payouts(simulator, receipt) == 0
    make_older(books, receipt, timedelta(days=30))  # far longer than a key is good for at the provider
    assert run(reconcile)["asked"] == 0
    done(operator, order("unfreeze", wallet_id=wallet_id(person)))
    run(reconcile)
    assert payouts(simulator, receipt) == 1
    make_due(books, receipt.id)
    run(reconcile)
    assert (books.balance(person), held(books, person)) == (400, 0)
    assert books.faults() == []


def test_unfreezing_makes_due_what_had_backed_off_for_hours_and_nothing_of_others(books: Books) -> None:
    person, other = books.person(money=1_000), books.person(money=1_000)
    mine, theirs = (withdraw(books, one, 600, first_check_s=20_000)[0] for one in (person, other))
    books.turn(person, "frozen")
    commanded(books, operators.unfreeze, person)
    with closing(books.as_role("gateway")) as database:
        assert withdrawals.due_withdrawals(database, limit=10) == [(mine.id, 0)]
    assert state_of(books, theirs.id)["checks"] == 0


def test_asking_freezing_and_unfreezing_at_once_end_somehow_and_ask_once(books: Books) -> None:
    for _ in range(5):
        person = books.person(money=1_000)
        receipts = [withdraw(books, person, 100, first_check_s=0)[0] for _ in range(3)]
        tasks: list[Callable[[], Any]] = [
            *(partial(claimed, books, one) for one in receipts),
            *(partial(checked, books, one) for one in receipts),
            partial(commanded, books, operators.freeze, person),
            partial(commanded, books, operators.unfreeze, person),
        ]
        answers = together(tasks)
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        for number, receipt in enumerate(receipts):
            allowed = answers[number] is PayoutClaim.ALLOWED or answers[number + 3] is not None
            assert allowed is bool(state_of(books, receipt.id)["asked"])
    assert books.faults() == []


# --------------------------------------------------------------------------------------------- cancelled


def test_a_cancelled_withdrawal_gives_back_amount_fee_and_what_it_counted_for_the_limits(books: Books) -> None:
    person = books.person(money=10_000)
    with charge(books, basis_points=150, flat=200):
        receipt, _ = withdraw(books, person, 3_333)
    assert (held(books, person), debited(books, person)) == (3_583, (3_333, 3_333))
    told_, replayed = cancelled(books, person, receipt)
    assert not replayed
    assert (told_.id, told_.status, told_.reason) == (receipt.id, WithdrawalStatus.FAILED, "cancelled")
    assert (told_.amount, told_.fee, told_.created_at) == (3_333, 250, receipt.created_at)
    assert (books.balance(person), held(books, person), debited(books, person)) == (10_000, 0, (0, 0))
    assert transactions_of(books, receipt) == []
    assert events_of(books, receipt) == ["WithdrawalRequested", "WithdrawalFailed"]
    assert claimed(books, receipt) is PayoutClaim.TAKEN
    assert state_of(books, receipt.id)["next_check_at"] is None
    assert books.faults() == []


def test_cancelled_again_it_stays_cancelled_and_nothing_is_given_back_twice(books: Books) -> None:
    person, key = books.person(money=1_000), unique("key-")
    receipt, other = (withdraw(books, person, 300)[0] for _ in range(2))
    first, _ = cancelled(books, person, receipt, claim=person.claim(key))
    assert cancelled(books, person, receipt, claim=person.claim(key)) == (first, True)
    assert cancelled(books, person, receipt) == (first, False)
    answers = together([partial(cancelled, books, person, other) for _ in range(8)])
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert held(books, person) == 0
    assert events_of(books, other).count("WithdrawalFailed") == 1
    assert books.faults() == []


def test_a_key_that_has_cancelled_one_cancels_no_other(books: Books) -> None:
    person, key = books.person(money=1_000), unique("key-")
    receipt, other = (withdraw(books, person, 300)[0] for _ in range(2))
    cancelled(books, person, receipt, claim=person.claim(key, "one"))
    again = partial(cancelled, books, person, other, claim=person.claim(key, "another"))
    assert refusal_of(again) is Refusal.IDEMPOTENCY_KEY_REUSED
    assert held(books, person) == 300


def test_nobody_cancels_what_is_not_theirs(books: Books) -> None:
    receipt, _ = withdraw(books, books.person(money=1_000), 300)
    assert refusal_of(partial(cancelled, books, books.person(), receipt)) is Refusal.NOT_FOUND
    assert state_of(books, receipt.id)["status"] == "pending"


def _told(status: PayoutStatus) -> Callable[[Books, WithdrawalReceipt], object]:
    return lambda books, receipt: tell(books, receipt, status)


def _rejected(books: Books, receipt: WithdrawalReceipt) -> object:
    with closing(books.as_role("withdrawals")) as database:
        return withdrawals.reject_withdrawal(database, receipt.id, reason="rejected")


def _payout_known(books: Books, receipt: WithdrawalReceipt) -> object:
    with closing(books.as_role("gateway")) as database:
        return withdrawals.note_payout(database, payout(receipt, PayoutStatus.PENDING), withdrawal_id=receipt.id)


@pytest.mark.parametrize(
    "before",
    [claimed, _payout_known, _rejected, *(_told(status) for status in PayoutStatus if status.is_final)],
)
def test_what_was_sent_or_has_ended_is_not_cancelled_and_the_key_is_not_used_up(
    books: Books, before: Callable[[Books, WithdrawalReceipt], object]
) -> None:
    person, key = books.person(money=1_000), unique("key-")
    receipt, unsent = (withdraw(books, person, 300)[0] for _ in range(2))
    before(books, receipt)
    state = state_of(books, receipt.id)
    ask = partial(cancelled, books, person, claim=person.claim(key))
    assert refusal_of(partial(ask, receipt)) is Refusal.WITHDRAWAL_SENT
    assert state_of(books, receipt.id) == state
    assert ask(unsent)[0].reason == "cancelled"
    assert books.faults() == []


@pytest.mark.parametrize("status", ["frozen", "closing"])
def test_the_owner_of_a_wallet_that_is_not_active_may_cancel(books: Books, status: str) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    books.turn(person, status)
    cancelled(books, person, receipt)
    assert held(books, person) == 0


# ------------------------------------------------------------------------------- for an owner who can't get in


def stop(receipt: WithdrawalReceipt) -> dict[str, Any]:
    return order("cancel_withdrawal", withdrawal_id=ids.show(ids.WITHDRAWAL, receipt.id))


def test_an_operator_finds_and_ends_what_nobody_was_asked_to_pay(books: Books, operator: Function) -> None:
    person = books.person(tier=tier_with(books, new_vpa_wait_s=86_400), money=1_000)
    receipt, _ = withdraw(books, person, 600)
    done(operator, order("freeze", wallet_id=wallet_id(person)))
    shown = done(operator, {"command": "show_wallet", "wallet_id": wallet_id(person)})["withdrawals"]
    assert [(one["vpa"], one["amount"], one["sent"]) for one in shown] == [("as***@okbank", 600, False)]
    assert shown[0]["waits_until"] > shown[0]["created_at"]
    command = stop(receipt)
    assert done(operator, command) == {
        "withdrawal_id": shown[0]["withdrawal_id"],
        "wallet_id": wallet_id(person),
        "status": "failed",
        "reason": "cancelled",
        "amount": 600,
        "fee": 0,
    }
    assert (held(books, person), events_of(books, receipt)) == (0, ["WithdrawalRequested", "WithdrawalFailed"])
    assert done(operator, {"command": "show_wallet", "wallet_id": wallet_id(person)})["withdrawals"] == []
    commands = "SELECT command, subject_id FROM operator_actions WHERE wallet_id = %s ORDER BY created_at"
    told_ = [(one["command"], one["subject_id"]) for one in books.select(commands, person.wallet_id.bytes)]
    assert told_ == [("freeze", None), ("cancel_withdrawal", receipt.id.bytes)]
    done(operator, command)
    done(operator, stop(receipt))  # somebody else was quicker
    books.turn(person, "active")
    again, _ = withdraw(books, signed_in_anew(books, person), 600)
    assert again.waits_until == again.created_at + timedelta(days=1), "the address is as new as before"
    assert books.faults() == []


def test_an_operator_ends_nothing_that_may_be_paid(books: Books, operator: Function) -> None:
    person = books.person(money=2_000)
    sent, paid, failed = (withdraw(books, person, 600)[0] for _ in range(3))
    claimed(books, sent)
    tell(books, paid, PayoutStatus.SUCCEEDED)
    tell(books, failed, PayoutStatus.FAILED)
    for receipt in (sent, paid, failed):
        assert refused(operator, stop(receipt)) == "withdrawal_sent"
    assert refused(operator, order("cancel_withdrawal", withdrawal_id=ids.show(ids.WITHDRAWAL, wiring.new_id()))) == (
        "not_found"
    )
    assert held(books, person) == 600


def test_its_owner_an_operator_and_who_would_ask_for_it_at_once_come_to_one_end(books: Books) -> None:
    for _ in range(5):
        person = books.person(money=1_000)
        receipt, _ = withdraw(books, person, 600)
        tasks: list[Callable[[], Any]] = [
            partial(claimed, books, receipt),
            partial(cancelled, books, person, receipt),
            *[partial(commanded_about, books, receipt, person) for _ in range(2)],
        ]
        answers = together(tasks)
        was_cancelled = state_of(books, receipt.id)["status"] == "failed"
        assert was_cancelled is not bool(state_of(books, receipt.id)["asked"])
        assert refusals_in(answers) == ([] if was_cancelled else [Refusal.WITHDRAWAL_SENT] * 3)
        assert held(books, person) == (0 if was_cancelled else 600)
    assert books.faults() == []


def commanded_about(books: Books, receipt: WithdrawalReceipt, person: Person) -> object:
    with closing(books.as_role("operator")) as database:
        instruction = Instruction("meera@example.com", "the owner called", person.claim())
        return operators.cancel_withdrawal(database, instruction, action_id=wiring.new_id(), withdrawal_id=receipt.id)


# ----------------------------------------------------------------------------------------------------- races


def test_of_cancelling_and_asking_one_comes_first_and_the_other_sees_it(books: Books) -> None:
    """Each order of the two, shown by who waits for the withdrawal's lock."""
    person = books.person(money=1_000)
    for first_is_cancel in (True, False):
        receipt, _ = withdraw(books, person, 300)
        tasks: list[Callable[[], Any]] = [partial(cancelled, books, person, receipt), partial(claimed, books, receipt)]
        if not first_is_cancel:
            tasks.reverse()
        answers = behind(books, tasks, nothing, LOCK_WITHDRAWAL, receipt.id.bytes)
        asked, failed = bool(state_of(books, receipt.id)["asked"]), state_of(books, receipt.id)["status"] == "failed"
        assert asked is not failed
        assert (PayoutClaim.ALLOWED in answers) is asked
        assert refusals_in(answers) == ([Refusal.WITHDRAWAL_SENT] if asked else [])
    assert books.faults() == []


def test_cancelling_asking_and_unfreezing_at_once_give_back_or_send_never_both(books: Books) -> None:
    for _ in range(5):
        person = books.person(money=1_000)
        receipt, _ = withdraw(books, person, 600, first_check_s=0)
        books.turn(person, "frozen")
        tasks: list[Callable[[], Any]] = [
            partial(commanded, books, operators.unfreeze, person),
            partial(claimed, books, receipt),
            partial(checked, books, receipt),
            partial(cancelled, books, person, receipt),
            partial(cancelled, books, person, receipt),
        ]
        answers = together(tasks)
        row = state_of(books, receipt.id)
        was_cancelled = row["status"] == "failed"
        assert was_cancelled is not bool(row["asked"]), "two cancel it unless somebody may have been asked"
        assert held(books, person) == (0 if was_cancelled else 600)
        assert refusals_in([one for one in answers if isinstance(one, Exception)]) == (
            [] if was_cancelled else [Refusal.WITHDRAWAL_SENT] * 2
        )
    assert books.faults() == []


def test_when_the_answer_of_cancelling_is_lost_it_is_found_and_given_back_once(books: Books) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    with (
        Proxy((books.server.host, books.server.port)) as proxy,
        closing(through(books, proxy, "withdrawals")) as database,
    ):
        losing_the_next_answer(proxy)
        told_, _ = withdrawals.cancel_withdrawal(database, person.claim(), withdrawal_id=receipt.id)
    assert told_.reason == "cancelled"
    assert held(books, person) == 0
    assert events_of(books, receipt).count("WithdrawalFailed") == 1


def test_a_payout_of_a_cancelled_withdrawal_is_for_people(books: Books) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    cancelled(books, person, receipt)
    assert tell(books, receipt, PayoutStatus.SUCCEEDED) is withdrawals.Settled.DISPUTED
    assert books.balance(person) == 1_000


def test_closing_ends_what_nobody_was_asked_to_pay_and_leaves_the_rest(books: Books) -> None:
    person = books.person(money=1_000)
    sent, *unsent = (withdraw(books, person, 200)[0] for _ in range(3))
    claimed(books, sent)
    closing_ = commanded(books, operators.close, person, most=50)
    assert (closing_.on_its_way, closing_.held_for_others) == (800, 200)
    for receipt in unsent:
        row = state_of(books, receipt.id)
        assert (row["status"], row["reason"]) == ("failed", "wallet_closing")
    assert state_of(books, sent.id)["status"] == "pending"
    assert books.faults() == []


def test_closing_asking_and_cancelling_at_once_end_somehow(books: Books) -> None:
    for _ in range(5):
        person = books.person(money=1_000)
        receipts = [withdraw(books, person, 100, first_check_s=0)[0] for _ in range(4)]
        tasks: list[Callable[[], Any]] = [
            partial(commanded, books, operators.close, person, most=50),
            *(partial(claimed, books, one) for one in receipts[:2]),
            *(partial(checked, books, one) for one in receipts[1:3]),
            partial(cancelled, books, person, receipts[3]),
        ]
        assert refusals_in([one for one in together(tasks) if isinstance(one, Exception)]) in (
            [],
            [Refusal.WITHDRAWAL_SENT],
        )
        sent = [one for one in receipts if state_of(books, one.id)["asked"]]
        pending = [one for one in receipts if state_of(books, one.id)["status"] == "pending"]
        assert sent == pending
    assert books.faults() == []


# --------------------------------------------------------------------------------------------- the functions


def cancel_event(person: Person, reference: str, key: str, *, generation: int = 0) -> dict[str, Any]:
    return api_event(
        "POST",
        "/withdrawals/{id}/cancel",
        path={"id": reference},
        headers={"Idempotency-Key": key},
        caller=person.user_id,
        generation=generation,
    )


@pytest.fixture
def killed(books: Books, functions: Functions) -> tuple[Person, str]:
    """Somebody whose function died before it had claimed their withdrawal: its id, as they are told it in the end."""
    person = books.person(money=1_000)
    event = withdrawal_event(person, unique("key-"), vpa="asha@okbank")
    with Proxy((books.server.host, books.server.port)) as proxy:
        door = functions.make("withdraw", DATABASE_HOST=proxy.host, DATABASE_PORT=str(proxy.port))
        pid, row = door.pid, "SELECT 1 FROM withdrawals WHERE wallet_id = %s"

        def kill_behind_the_commit(from_client: bool, _chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            if not from_client and books.select(row, person.wallet_id.bytes):
                os.kill(pid, signal.SIGKILL)
                return False
            return True

        proxy.judge = kill_behind_the_commit
        with pytest.raises(FunctionDiedError):
            door.invoke(event, timeout_s=6)
    answer = until_it_works(functions.make("withdraw"), event)
    assert answer["headers"]["Idempotency-Replayed"] == "true"
    return person, told(answer)["id"]


def test_killed_before_it_asked_a_freeze_stops_it_and_its_owner_cancels_it(
    books: Books, functions: Functions, simulator: Simulator, killed: tuple[Person, str]
) -> None:
    person, reference = killed
    withdrawal_id = ids.read(ids.WITHDRAWAL, reference)
    assert withdrawal_id is not None
    assert state_of(books, withdrawal_id)["asked"] == 0
    operator, door = functions.operators(), functions.make("withdraw")
    done(operator, order("freeze", wallet_id=wallet_id(person)))
    make_due(books, withdrawal_id)
    run(reconciler(functions))
    assert razorpayx.payouts_of(simulator, reference) == []
    refused = door.invoke(cancel_event(person, reference, unique("key-")))
    assert (refused["statusCode"], told(refused)["code"]) == (401, "invalid_token"), "a freeze ends sessions"
    event = cancel_event(person, reference, unique("key-"), generation=1)
    first, again = door.invoke(event), door.invoke(event)
    assert (first["statusCode"], again["body"], again["headers"]["Idempotency-Replayed"]) == (
        200,
        first["body"],
        "true",
    )
    assert (told(first)["id"], told(first)["status"], told(first)["reason"]) == (reference, "failed", "cancelled")
    shown = door.invoke(api_event("GET", "/withdrawals/{id}", path={"id": reference}, caller=person.user_id))
    assert told(shown) == told(first)
    assert (books.balance(person), held(books, person)) == (1_000, 0)
    assert books.faults() == []


def test_a_withdrawal_whose_payout_was_asked_for_is_told_withdrawal_sent(books: Books, functions: Functions) -> None:
    person, door = books.person(money=1_000), functions.make("withdraw")
    reference = told(door.invoke(withdrawal_event(person, unique("key-"))))["id"]
    answer = door.invoke(cancel_event(person, reference, unique("key-")))
    assert (answer["statusCode"], told(answer)["code"]) == (409, "withdrawal_sent")
    assert held(books, person) == 600


def test_a_wallet_that_is_frozen_between_the_money_and_the_question_asks_nobody(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    """The freeze comes while the function waits for the wallet's lock, to claim the payout."""
    person = books.person(money=1_000)
    event = withdrawal_event(person, unique("key-"))
    with Proxy((books.server.host, books.server.port)) as proxy:
        door = functions.make("withdraw", DATABASE_HOST=proxy.host, DATABASE_PORT=str(proxy.port))

        def freeze_behind_the_commit(from_client: bool, _chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            row = "SELECT 1 FROM withdrawals WHERE wallet_id = %s"
            if not from_client and books.select(row, person.wallet_id.bytes):
                books.turn(person, "frozen")
            return True

        proxy.judge = freeze_behind_the_commit
        answer = door.invoke(event, timeout_s=20)
    assert (answer["statusCode"], told(answer)["status"]) == (202, "pending")
    assert razorpayx.payouts_of(simulator, told(answer)["id"]) == []
    assert "paused" in door.logged()
