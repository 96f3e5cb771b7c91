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
from wallet.identity.accounts.model import Account
from wallet.identity.phone_proofs.model import PhoneProof, SentCode
from wallet.identity.sessions.model import OpenSession, Session
from wallet.ledger import ids
from wallet.ledger.attempts import AttemptStatus
from wallet.ledger.limits import Limits
from wallet.ledger.receipts import (
    Balance,
    Party,
    Payment,
    PaymentReceipt,
    Registration,
    TopUp,
    TopUpEvent,
    TopUpState,
    Usage,
    WalletState,
)
from wallet.ledger.statements import Holder, Outside, Span, StatementEntry, StatementPage, Stretch
from wallet.ledger.times import show_time
from wallet.ledger.transactions import Side
from wallet.payees.model import Payee

AT = datetime(2026, 11, 22, 6, 30, 0, 123_456, tzinfo=UTC)
WALLET, OTHER = UUID(int=1), UUID(int=2)
PAYER, PAYEE = Party(WALLET, "Asha"), Party(OTHER, "आशा")
SHOP = Holder(OTHER, "Chai Point", "merchant")
ENTRY = StatementEntry(0, 3, CALLER, "payment", Side.DEBIT, 100, 400, SHOP, None, None, AT)
PAGE = StatementPage((ENTRY,), None)
LIMITS = Limits("small", 1_000_000, None, 1_000_000, 1_000_000, 12_000_000, None, 1_000_000, False, False)  # noqa: FBT003 - in the order of the fields
STATE = WalletState(WALLET, "personal", "INR", "active", Balance(5, 0), LIMITS, Usage(1, 2, 3, 4), AT)
CHECKOUT: dict[str, str | None] = {"key_id": "rzp_test_1", "order_id": "order_1"}
TOP_UP = TopUp(CALLER, 50_000, "INR", "razorpay", "order_1", None, "upi://pay?pa=x@y&am=500.00", AT, AT, is_over=False)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (AT, "2026-11-22T06:30:00.123Z"),
        (AT.replace(microsecond=0), "2026-11-22T06:30:00.000Z"),
        (AT.astimezone(timezone(timedelta(hours=5, minutes=30))), "2026-11-22T06:30:00.123Z"),
    ],
)
def test_a_time_is_rfc_3339_in_utc(at: datetime, text: str) -> None:
    assert show_time(at) == text


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


def test_a_browsers_session_tells_no_secret_but_the_access_token() -> None:
    """The cookie is for the browser, which no script of the page reads."""
    told = shapes.access(Session("a.b.c", 300, "rt_x"))
    assert told == {"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 300}


def test_sessions_say_which_one_asks() -> None:
    told = shapes.sessions([OpenSession(WALLET, "a phone", AT, AT), OpenSession(OTHER, "", AT, AT)], current=OTHER)
    assert told == {
        "data": [
            {
                "id": ids.show(ids.SESSION, id_),
                "device": device,
                "created_at": show_time(AT),
                "last_used_at": show_time(AT),
                "current": current,
            }
            for id_, device, current in ((WALLET, "a phone", False), (OTHER, "", True))
        ]
    }


def test_a_code_that_was_sent_is_not_shown() -> None:
    assert shapes.sent_code(SentCode(WALLET, AT, 30)) == {
        "id": ids.show(ids.PHONE_PROOF, WALLET),
        "expires_at": show_time(AT),
        "resend_after_s": 30,
    }


def test_a_proof_is_the_contracts() -> None:
    assert shapes.phone_proof(PhoneProof("pp_x", AT)) == {"phone_proof": "pp_x", "expires_at": show_time(AT)}


def test_an_account_is_the_contracts() -> None:
    told = shapes.account(Account(CALLER, "+919876543210", "Asha", None, "personal", "full", AT, 2))
    assert told == {
        "id": ids.show(ids.USER, CALLER),
        "phone": "+919876543210",
        "name": "Asha",
        "email": None,
        "kind": "personal",
        "tier": "full",
        "passkeys": 2,
        "created_at": show_time(AT),
    }


def test_a_freeze_that_will_end_says_when() -> None:
    assert shapes.unfreezing(AT) == {"unfreezes_at": show_time(AT)}


def test_a_payee_is_a_wallet_a_name_and_a_kind() -> None:
    told = shapes.payee(Payee(CALLER, "चाय की दुकान", "merchant"))
    assert told == {"wallet_id": shapes.wallet_id(CALLER), "name": "चाय की दुकान", "kind": "merchant"}


def test_a_wallet_has_the_contracts_fields() -> None:
    told = shapes.wallet(STATE)
    assert set(told) == {"id", "currency", "balance", "kind", "approved", "status", "unfreezes_at", "limits", "as_of"}
    assert told["unfreezes_at"] is None
    assert shapes.wallet(replace(STATE, status="frozen", unfreezes_at=AT))["unfreezes_at"] == show_time(AT)


def test_a_wallet_shows_every_limit_and_what_is_used_of_it() -> None:
    assert shapes.wallet(STATE)["limits"] == {
        "tier": "small",
        "max_balance": 1_000_000,
        "max_top_up": None,
        "max_payment": 1_000_000,
        "max_load_month": 1_000_000,
        "max_load_year": 12_000_000,
        "max_debit_day": None,
        "max_debit_month": 1_000_000,
        "person_to_person": False,
        "withdrawals": False,
        "used": {"debited_today": 1, "debited_this_month": 2, "loaded_this_month": 3, "loaded_this_year": 4},
    }


def test_a_payment_has_the_contracts_fields() -> None:
    receipt = PaymentReceipt(CALLER, 100, "INR", PAYER, PAYEE, None, None, 0, AT, Balance(400, 0))
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
        "rrn",
        "utr",
        "created_at",
    }


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (SHOP, {"wallet_id": shapes.wallet_id(OTHER), "name": "Chai Point"}),
        (Outside("gateway", "razorpay"), {"gateway": "razorpay"}),
        (Outside("vpa", "as***@okbank"), {"vpa": "as***@okbank"}),
        (Outside("account", "fees"), {"account": "fees"}),
    ],
)
def test_the_other_side_of_an_entry_is_named_by_what_it_is(other: Holder | Outside, told: dict[str, str]) -> None:
    assert shapes.statement_entry(replace(ENTRY, counterparty=other))["counterparty"] == told


def test_there_is_a_next_page_exactly_if_something_is_left() -> None:
    rest = Span(WALLET, (Stretch(0, 0, 2), Stretch(1, 0, 7)), AT)
    assert shapes.statement(PAGE)["next_cursor"] is None
    assert shapes.statement(replace(PAGE, rest=rest))["next_cursor"] == "e2.7"
    assert StatementQuery.model_validate({"cursor": "e2.7"}).cursor == (2, 7)


def test_a_top_up_has_the_contracts_fields() -> None:
    told = shapes.top_up(TOP_UP, checkout=CHECKOUT, qr_svg="<svg/>")
    assert set(told) == {
        "id",
        "status",
        "amount",
        "currency",
        "gateway",
        "gateway_order_id",
        "checkout",
        "upi",
        "created_at",
        "expires_at",
    }
    assert told["checkout"] == {"key_id": "rzp_test_1", "order_id": "order_1"}
    assert told["upi"] == {"intent_url": TOP_UP.intent_url, "qr_svg": "<svg/>"}


def test_without_a_link_there_is_nothing_of_upi() -> None:
    assert "upi" not in shapes.top_up(replace(TOP_UP, intent_url=None), checkout=CHECKOUT, qr_svg=None)


@pytest.mark.parametrize("status", AttemptStatus)
def test_a_top_up_is_shown_in_the_contracts_words(status: AttemptStatus) -> None:
    state = TopUpState(TOP_UP, status, None, (TopUpEvent(status, None, AT), TopUpEvent(status, "payment_failed", AT)))
    told = shapes.top_up_state(state, checkout=CHECKOUT, qr_svg=None)
    assert told["status"] in {"pending", "succeeded", "failed", "expired", "refunded"}
    assert [set(step) for step in told["events"]] == [{"at", "status"}, {"at", "status", "reason"}]


def test_every_shape_is_json() -> None:
    state = TopUpState(TOP_UP, AttemptStatus.CREATED, "012345678901", (TopUpEvent(AttemptStatus.PENDING, None, AT),))
    assert json.dumps([shapes.top_up_state(state, checkout=CHECKOUT, qr_svg=None), shapes.statement(PAGE)])


def test_a_link_becomes_a_picture() -> None:
    picture = svg("upi://pay?pa=wallet@bank&am=500.00&cu=INR")
    assert picture.startswith("<svg")
    assert "script" not in picture
