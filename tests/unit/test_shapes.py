"""What callers get: exactly the contract's fields."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from tests.unit.calls import CALLER
from wallet.edge import shapes
from wallet.edge.bodies import StatementQuery
from wallet.edge.qr import svg
from wallet.identity.login import Session
from wallet.ledger.attempts import AttemptStatus
from wallet.ledger.receipts import (
    Balance,
    Party,
    Payment,
    PaymentReceipt,
    Registration,
    StatementEntry,
    TopUp,
    TopUpEvent,
    TopUpState,
    WalletState,
)
from wallet.ledger.transactions import Side

AT = datetime(2026, 11, 22, 6, 30, 0, 123_456, tzinfo=UTC)
WALLET, OTHER = UUID(int=1), UUID(int=2)
PAYER, PAYEE = Party(WALLET, "Asha"), Party(OTHER, "आशा")
ENTRY = StatementEntry(3, CALLER, "payment", Side.DEBIT, 100, 400, PAYEE, None, None, None, AT)
TOP_UP = TopUp(CALLER, 50_000, "INR", "razorpay", "order_1", "upi://pay?pa=x@y&am=500.00", AT, is_over=False)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (AT, "2026-11-22T06:30:00.123Z"),
        (AT.replace(microsecond=0), "2026-11-22T06:30:00.000Z"),
        (AT.astimezone(timezone(timedelta(hours=5, minutes=30))), "2026-11-22T06:30:00.123Z"),
    ],
)
def test_a_time_is_rfc_3339_in_utc(at: datetime, text: str) -> None:
    assert shapes.time(at) == text


def test_a_balance_says_what_of_it_may_be_spent() -> None:
    assert shapes.balance(Balance(total=500, held=120)) == {"total": 500, "held": 120, "available": 380}


def test_a_registration_is_the_contracts() -> None:
    told = shapes.registration(Registration(CALLER, WALLET, "+919876543210", "Asha", "personal", "INR", AT))
    assert set(told) == {"user", "wallet"}
    assert set(told["user"]) == {"id", "phone", "name", "kind", "created_at"}
    assert set(told["wallet"]) == {"id", "currency", "balance"}


def test_a_session_is_the_contracts() -> None:
    assert shapes.session(Session("a.b.c", 900, "rt_x")) == {
        "access_token": "a.b.c",
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": "rt_x",
    }


def test_a_wallet_has_the_contracts_fields() -> None:
    told = shapes.wallet(WalletState(WALLET, "personal", "INR", "active", Balance(5, 0), "small", 10, None, None, AT))
    assert {"id", "currency", "balance", "kind", "limits", "as_of"} <= set(told)
    assert told["limits"]["max_top_up"] is None


def test_a_payment_has_the_contracts_fields() -> None:
    receipt = PaymentReceipt(CALLER, 100, "INR", PAYER, PAYEE, None, None, Balance(400, 0), AT)
    told = shapes.payment_receipt(receipt)
    assert {"id", "status", "amount", "currency", "from", "to", "transaction_id", "balance", "created_at"} <= set(told)
    assert told["id"].removeprefix("pay_") == told["transaction_id"].removeprefix("txn_")


def test_a_payment_that_is_read_shows_nobodys_balance() -> None:
    told = shapes.payment(Payment(CALLER, 100, "INR", PAYER, PAYEE, None, None, 0, AT))
    assert "balance" not in told
    assert told["refunded"] == 0


def test_the_other_side_of_a_payment_is_no_phone_and_no_user() -> None:
    assert set(shapes.party(PAYEE)) == {"wallet_id", "name"}


def test_a_line_of_a_statement_has_the_contracts_fields() -> None:
    assert set(shapes.statement_entry(ENTRY)) == {
        "id",
        "type",
        "direction",
        "amount",
        "balance_after",
        "counterparty",
        "description",
        "reference",
        "created_at",
    }


def test_money_that_came_through_a_gateway_came_from_it() -> None:
    told = shapes.statement_entry(replace(ENTRY, counterparty=None, gateway="razorpay", type="top_up"))
    assert told["counterparty"] == {"gateway": "razorpay"}


@pytest.mark.parametrize(("found", "cursor"), [(0, None), (1, None), (2, None), (3, "e2")])
def test_there_is_a_next_page_exactly_if_there_is_more(found: int, cursor: str | None) -> None:
    entries = [replace(ENTRY, entry_no=3 - number) for number in range(found)]
    told = shapes.statement(entries, limit=2)
    assert len(told["data"]) == min(found, 2)
    assert told["next_cursor"] == cursor


def test_a_next_page_can_be_asked_for() -> None:
    cursor = shapes.statement([ENTRY, ENTRY], limit=1)["next_cursor"]
    assert StatementQuery.model_validate({"cursor": cursor}).cursor == 3


def test_a_top_up_has_the_contracts_fields() -> None:
    told = shapes.top_up(TOP_UP, key_id="rzp_test_1", qr_svg="<svg/>")
    assert set(told) == {
        "id",
        "status",
        "amount",
        "currency",
        "gateway",
        "gateway_order_id",
        "checkout",
        "upi",
        "expires_at",
    }
    assert told["checkout"] == {"key_id": "rzp_test_1", "order_id": "order_1"}
    assert told["upi"] == {"intent_url": TOP_UP.intent_url, "qr_svg": "<svg/>"}


def test_without_a_link_there_is_nothing_of_upi() -> None:
    assert "upi" not in shapes.top_up(replace(TOP_UP, intent_url=None), key_id="rzp_test_1", qr_svg=None)


@pytest.mark.parametrize("status", AttemptStatus)
def test_a_top_up_is_shown_in_the_contracts_words(status: AttemptStatus) -> None:
    state = TopUpState(TOP_UP, status, (TopUpEvent(status, None, AT), TopUpEvent(status, "payment_failed", AT)))
    told = shapes.top_up_state(state, key_id="rzp_test_1", qr_svg=None)
    assert told["status"] in {"pending", "succeeded", "failed", "expired", "refunded"}
    assert [set(step) for step in told["events"]] == [{"at", "status"}, {"at", "status", "reason"}]


def test_every_shape_is_json() -> None:
    state = TopUpState(TOP_UP, AttemptStatus.CREATED, (TopUpEvent(AttemptStatus.PENDING, None, AT),))
    assert json.dumps([shapes.top_up_state(state, key_id="k", qr_svg=None), shapes.statement([ENTRY], limit=1)])


def test_a_link_becomes_a_picture() -> None:
    picture = svg("upi://pay?pa=wallet@bank&am=500.00&cu=INR")
    assert picture.startswith("<svg")
    assert "script" not in picture
