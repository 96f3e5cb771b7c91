"""What alarms look at: ages and sums as they are, and nothing where there is nothing."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.database import PrivateServer
from tests.support.books import GATEWAY, Books, captured, unique
from tests.support.disputes import TopUp, end, tell, then
from tests.support.own_database import own_books
from wallet import wiring
from wallet.ledger.breaks import Break, Kind
from wallet.storage import breaks, settlement
from wallet.storage.breaks import Figures

_A_TESTS_PATIENCE_S = 120


@pytest.fixture
def fresh(server: PrivateServer) -> Iterator[Books]:
    """Books in which nothing has happened."""
    with own_books(server, "figures") as fresh:
        yield fresh


def figures(books: Books) -> Figures:
    with closing(books.as_role("gateway")) as database:
        return breaks.figures(database, gateway=GATEWAY, dispute_notice_h=48)


def older(seconds: int, hours: int) -> bool:
    """Whether something is so many hours old, as far as a slow test can tell."""
    return hours * 3600 <= seconds < hours * 3600 + _A_TESTS_PATIENCE_S


def heard(books: Books, *, hours_ago: int) -> None:
    """A webhook of the gateway's."""
    event_id = wiring.new_id()
    books.write(
        "INSERT INTO gateway_events (id, gateway, digest, name, body, received_at, outcome)"
        " VALUES (%s, %s, %s, 'payment.captured', '', UTC_TIMESTAMP(6) - INTERVAL %s HOUR, 'processed')",
        event_id.bytes,
        GATEWAY,
        event_id.bytes * 2,
        hours_ago,
    )


def test_nothing_is_nothing(fresh: Books) -> None:
    assert figures(fresh) == Figures(0, 0, 0, 0, 0, 0)


def test_the_oldest_break_that_is_open_has_an_age_and_one_that_is_resolved_has_none(fresh: Books) -> None:
    with closing(fresh.as_role("gateway")) as database:
        for number in (1, 2):
            found = Break(Kind.UNKNOWN_PAYMENT, f"pay_{number}", 500, None, "INR")
            breaks.note_break(database, found, gateway=GATEWAY, break_id=wiring.new_id())
        fresh.write(
            "UPDATE reconciliation_breaks SET open_since = open_since - INTERVAL 5 HOUR WHERE subject = 'pay_1'"
        )
        assert figures(fresh).open_breaks == 2
        assert older(figures(fresh).oldest_break_s, 5)
        breaks.clear_break(database, Kind.UNKNOWN_PAYMENT, gateway=GATEWAY, subject="pay_1")
        assert figures(fresh).open_breaks == 1
        assert older(figures(fresh).oldest_break_s, 0)


def test_a_break_that_an_operator_has_resolved_is_open_again_when_its_currency_is_another(fresh: Books) -> None:
    with closing(fresh.as_role("gateway")) as database:
        found = Break(Kind.PAYMENT_DIFFERS, "pay_1", 500, 600, "INR")
        breaks.note_break(database, found, gateway=GATEWAY, break_id=wiring.new_id())
        fresh.write(
            "UPDATE reconciliation_breaks SET resolved_at = UTC_TIMESTAMP(6), resolution = 'operator',"
            " resolved_by = 'meera', reason = 'asked'"
        )
        assert not breaks.note_break(database, found, gateway=GATEWAY, break_id=wiring.new_id())
        assert figures(fresh).open_breaks == 0
        other = replace(found, currency="USD")
        assert breaks.note_break(database, other, gateway=GATEWAY, break_id=wiring.new_id())
        assert figures(fresh).open_breaks == 1


def test_money_in_suspense_of_another_currency_is_seen_by_its_age_and_is_no_rupees(fresh: Books) -> None:
    with closing(fresh.as_role("gateway")) as database:
        for currency, amount in (("INR", 700), ("USD", 300)):
            arrived = captured(unique("order_"), amount, currency=currency)
            settlement.settle_payment(database, arrived, transaction_id=wiring.new_id())
    assert figures(fresh).suspense_minor == 700


def test_money_in_suspense_is_summed_without_what_went_back_or_was_credited(fresh: Books) -> None:
    with closing(fresh.as_role("gateway")) as database:
        for amount in (700, 300):
            arrived = captured(unique("order_"), amount)
            settlement.settle_payment(database, arrived, transaction_id=wiring.new_id())
    assert figures(fresh).suspense_minor == 1_000
    fresh.write(
        "INSERT INTO source_refunds (id, origin, transaction_id, gateway, gateway_payment_id, amount, currency, status,"
        " created_at, checks) SELECT t.id, 'ours', t.id, g.gateway, g.gateway_payment_id, 300, 'INR', 'pending',"
        " UTC_TIMESTAMP(6), 0 FROM gateway_payments g JOIN transactions t ON t.id = g.transaction_id"
        " WHERE t.amount = 300"
    )
    assert figures(fresh).suspense_minor == 700
    assert older(figures(fresh).oldest_suspense_s, 0)


def test_webhooks_are_silent_only_while_somebody_might_pay(fresh: Books) -> None:
    heard(fresh, hours_ago=9)
    assert figures(fresh).webhook_silence_s == 0, "nobody has asked for anything"
    order_id = fresh.order(fresh.person(), 500, valid_s=5 * 24 * 3600)
    assert older(figures(fresh).webhook_silence_s, 0), "since somebody has"
    fresh.write(
        "UPDATE payment_attempts SET created_at = created_at - INTERVAL 7 HOUR WHERE gateway_order_id = %s", order_id
    )
    assert older(figures(fresh).webhook_silence_s, 7)
    heard(fresh, hours_ago=2)
    assert older(figures(fresh).webhook_silence_s, 2)
    with closing(fresh.as_role("gateway")) as database:
        settlement.settle_payment(database, captured(order_id, 500), transaction_id=wiring.new_id())
    assert figures(fresh).webhook_silence_s == 0, "it is paid"


def test_a_dispute_that_waits_for_our_answer_is_due_when_its_deadline_is_near(fresh: Books) -> None:
    top_up = TopUp(fresh, fresh.person(), 1_000)
    now = datetime.now(UTC)
    near, far = now + timedelta(hours=47), now + timedelta(hours=49)
    disputes = {name: top_up.disputed(100, respond_by=at) for name, at in (("near", near), ("far", far))}
    over, silent = top_up.disputed(100, respond_by=now - timedelta(days=1)), top_up.disputed(100, respond_by=None)
    tell(fresh, *disputes.values(), over, silent)
    assert figures(fresh).disputes_due == 2
    tell(fresh, then(over, "under_review"), then(disputes["near"], "action_required"))
    assert figures(fresh).disputes_due == 1, "the bank has our answer to one of them"
    end(fresh, disputes["near"], "lost_borne")
    assert figures(fresh).disputes_due == 0
