"""GET /payments/preview, GET /withdrawals/preview: the caller's own numbers, nothing of a payee, and nothing moves."""

import json
from functools import partial
from typing import Any

import pytest

from tests.integration.conftest import Functions
from tests.integration.test_statements import reads
from tests.support.books import Books, Person, new_phone, unique
from tests.support.confirmations import Confirming, required, set_rules, tier_with
from tests.support.functions import Function, api_event
from tests.support.moves import connection, pay
from tests.support.payouts import VPA, charge, withdraw
from wallet import wiring
from wallet.edge.qr import wallet_code
from wallet.ledger import ids
from wallet.ledger.payees import PayeeName
from wallet.previews.model import Preview
from wallet.previews.service import preview_payment

DAY_S = 86_400


@pytest.fixture
def door(functions: Functions) -> Function:
    return functions.make("preview")


def ask(door: Function, person: Person, route: str, **query: str) -> tuple[int, dict[str, Any]]:
    answer = door.invoke(api_event("GET", f"/{route}/preview", query=query, caller=person.user_id))
    return answer["statusCode"], json.loads(answer["body"])


def id_of(person: Person) -> str:
    return ids.show(ids.WALLET, person.wallet_id)


def limited(books: Books, **limits: int) -> str:
    """A tier with limits and a rule for payees who are new."""
    tier = unique("t")[:16]
    books.tier(tier, {"2021-01-01": limits})
    set_rules(books, tier, "2021-01-01", new_payee_above=100)
    return tier


# -------------------------------------------------------------------------------------------------- what it says


def test_a_payment_is_previewed_by_whatever_names_its_payee(books: Books, door: Function) -> None:
    payer, payee = books.person(money=1_000), books.person()
    books.set_tier(payer, limited(books, max_payment=700, max_debit_day=800))
    pay(books, payer, payee, 100)
    for to in (id_of(payee), payee.phone, payee.phone.removeprefix("+91"), wallet_code(payee.wallet_id)):
        status, told = ask(door, payer, "payments", to=to, amount="150")
        day = told["limits"][1].pop("renews_at")
        assert day.endswith("T18:30:00.000Z"), "midnight in India"
        assert (status, told) == (
            200,
            {
                "fee": 0,
                "total": 150,
                "available_after": 750,
                "limits": [
                    {"code": "max_payment", "left": 700, "renews_at": None},
                    {"code": "max_debit_day", "left": 700},
                ],
                "confirmation": True,
            },
        )
    assert ask(door, payer, "payments", to=id_of(payee), amount="901")[1]["available_after"] == -1


def test_a_withdrawal_is_previewed_with_its_fee_on_top_and_its_wait(books: Books, door: Function) -> None:
    asha = books.person(tier=tier_with(books, new_vpa=1, new_vpa_wait_s=DAY_S), money=1_000)
    with charge(books, basis_points=100, flat=2):
        status, told = ask(door, asha, "withdrawals", vpa="Asha.Rao@OkBank", amount="500")
        assert told.pop("waits_until")
        assert (status, told) == (
            200,
            {"fee": 7, "total": 507, "available_after": 493, "limits": [], "confirmation": True},
        )
        claim = asha.claim()
        Confirming(books, asha).confirm(required(partial(withdraw, books, asha, 500, claim=claim)).id)
        receipt, _ = withdraw(books, asha, 500, claim=claim)
        _, told = ask(door, asha, "withdrawals", vpa=VPA, amount="100")
    assert receipt.waits_until is not None
    assert told["waits_until"][:19] == receipt.waits_until.isoformat()[:19], "the address is as new as it was"
    assert (told["available_after"], told["confirmation"]) == (390, True)


def test_a_merchants_fee_is_theirs_and_does_not_show(books: Books, door: Function) -> None:
    payer, shop = books.person(money=1_000), books.person(tier="merchant", kind="merchant")
    with books.fee("payment", basis_points=200):
        assert ask(door, payer, "payments", to=id_of(shop), amount="500")[1]["fee"] == 0


def test_in_a_pause_it_says_from_when_on_it_can_be_confirmed(books: Books, door: Function) -> None:
    payer, payee = books.person(tier=tier_with(books, above=500), money=1_000), books.person()
    books.write("UPDATE wallets SET paused_until = '2037-01-01' WHERE id = %s", payer.wallet_id.bytes)
    _, told = ask(door, payer, "payments", to=id_of(payee), amount="501")
    assert (told["confirmation"], told["confirmation_paused_until"]) == (True, "2037-01-01T00:00:00.000Z")
    _, told = ask(door, payer, "payments", to=id_of(payee), amount="500")
    assert told["confirmation"] is False
    assert "confirmation_paused_until" not in told
    _, told = ask(door, payer, "withdrawals", vpa=VPA, amount="500")
    assert told["waits_until"] == "2037-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("route", "query", "field"),
    [
        ("payments", {"amount": "100"}, "to"),
        ("payments", {"to": "+919876543210"}, "amount"),
        ("payments", {"to": "112", "amount": "100"}, "to"),
        ("payments", {"to": "wal_1", "amount": "100"}, "to"),
        ("payments", {"to": "wallet:https://example.com", "amount": "100"}, "to"),
        ("payments", {"to": "+919876543210", "amount": "0"}, "amount"),
        ("payments", {"to": "+919876543210", "amount": "1.5"}, "amount"),
        ("payments", {"to": "+919876543210", "amount": "9007199254740992"}, "amount"),
        ("payments", {"to": "+919876543210", "amount": "100", "description": "tea"}, "description"),
        ("withdrawals", {"amount": "100"}, "vpa"),
        ("withdrawals", {"vpa": VPA, "amount": "-1"}, "amount"),
        ("withdrawals", {"vpa": VPA, "amount": "100", "to": "+919876543210"}, "to"),
    ],
)
def test_what_is_asked_otherwise_is_told_what_is_wanted(
    books: Books, door: Function, route: str, query: dict[str, str], field: str
) -> None:
    status, told = ask(door, books.person(), route, **query)
    assert (status, told["code"]) == (422, "invalid_request")
    assert [fault["field"] for fault in told["errors"]] == [field]


def test_what_no_number_shows_is_refused_as_the_movement_is(books: Books, door: Function) -> None:
    asha, bela = books.person(money=1_000), books.person()
    for own in (id_of(asha), asha.phone, wallet_code(asha.wallet_id)):
        assert ask(door, asha, "payments", to=own, amount="100")[1]["code"] == "self_payment"
    assert ask(door, asha, "withdrawals", vpa="asha", amount="100")[1]["code"] == "invalid_vpa"
    assert ask(door, asha, "withdrawals", vpa=VPA, amount="99")[1]["code"] == "amount_out_of_range"
    books.turn(asha, "frozen")
    assert ask(door, asha, "payments", to=id_of(bela), amount="100")[1]["code"] == "wallet_frozen"
    assert ask(door, asha, "withdrawals", vpa=VPA, amount="99")[1]["code"] == "wallet_frozen"
    nobody = Person(wiring.new_id(), wiring.new_id(), new_phone())
    assert ask(door, nobody, "payments", to=id_of(bela), amount="100")[1]["code"] == "invalid_token"


# ---------------------------------------------------------------------------------------------- of others, nothing


def _payees(books: Books) -> dict[str, PayeeName]:
    """Everybody whom a payer could name, by wallet and by phone."""
    tiny = unique("t")[:16]
    books.tier(tiny, {"2021-01-01": {"max_balance": 1}})
    nobody = Person(wiring.new_id(), wiring.new_id(), new_phone())
    people = {
        "nobody": nobody,
        "a person": books.person(),
        "a merchant": books.person(tier="merchant", kind="merchant"),
        "full": books.person(tier=tiny),
    }
    for status in ("frozen", "closing", "closed"):
        books.turn(person := books.person(), status)
        people[status] = person
    return {
        f"{state} by {by}": name
        for state, person in people.items()
        for by, name in (("wallet", PayeeName(person.wallet_id, None)), ("phone", PayeeName(None, person.phone)))
    }


def test_whoever_the_payee_is_the_answer_and_what_is_read_for_it_are_the_same(books: Books) -> None:
    """Nor is a merchant told from a person to who may pay merchants alone."""
    payer = books.person(money=1_000)
    books.set_tier(payer, limited(books, max_payment=700, person_to_person=False))
    reader, told = connection(books, "reader"), {}
    _preview(books, payer, PayeeName(None, new_phone()))  # a session's first call reads the procedure, too
    for state, payee in _payees(books).items():
        before = reads(reader)
        preview = preview_payment(reader, user_id=payer.user_id, payee=payee, amount=150)
        told[state] = preview, reads(reader) - before
    assert len(told) == 14
    for by in ("wallet", "phone"):
        assert len({answer for state, answer in told.items() if state.endswith(by)}) == 1, told
    assert len({preview for preview, _ in told.values()}) == 1
    assert [one.code.value for one in preview.limits] == ["max_payment", "person_to_person"]


def test_a_wallet_that_a_payment_was_confirmed_to_is_known_and_stays_so_whatever_becomes_of_it(books: Books) -> None:
    payer, payee = _known(books)
    for status in ("frozen", "closed", "active"):  # open in the end: nothing may be left in a closed wallet
        books.turn(payee, status)
        assert not _preview(books, payer, PayeeName(payee.wallet_id, None)).confirmation
    assert _preview(books, payer, PayeeName(books.person().wallet_id, None)).confirmation


def test_a_phone_is_nobodys_that_is_known(books: Books) -> None:
    """Or phones could be counted up, free, for whose they are: a shop's that was paid by its code, or no longer."""
    payer, payee = _known(books)
    before = _preview(books, payer, PayeeName(None, payee.phone))
    assert before == _preview(books, payer, PayeeName(None, new_phone()))
    assert before.confirmation
    books.write("UPDATE users SET phone = %s WHERE id = %s", new_phone(), payee.user_id.bytes)
    assert _preview(books, payer, PayeeName(None, payee.phone)) == before


def _known(books: Books) -> tuple[Person, Person]:
    """A payer, and somebody to whom they have confirmed a payment."""
    payer, payee = books.person(tier=tier_with(books, new_payee_above=100), money=1_000), books.person()
    claim = payer.claim()
    Confirming(books, payer).confirm(required(partial(pay, books, payer, payee, 101, claim=claim)).id)
    pay(books, payer, payee, 101, claim=claim)
    pay(books, payer, payee, 101)
    return payer, payee


def _preview(books: Books, payer: Person, payee: PayeeName) -> Preview:
    return preview_payment(connection(books, "reader"), user_id=payer.user_id, payee=payee, amount=101)


# ------------------------------------------------------------------------------------------------ nothing happens


def _everything(books: Books) -> dict[str, Any]:
    """All that there is in the database, table by table, as the server sums it up."""
    tables = books.select(
        "SELECT TABLE_NAME AS name FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"
    )
    return {
        row["name"]: books.select(f"CHECKSUM TABLE {row['name']} EXTENDED")[0]["Checksum"]  # our own names
        for row in tables
    }


def test_nothing_moves_and_nothing_is_counted(books: Books, door: Function) -> None:
    payer, payee = books.person(tier=tier_with(books, above=0, new_vpa=1), money=1_000), books.person()
    before = _everything(books)
    assert len(before) > 40
    for to in (id_of(payee), payee.phone, new_phone()):
        assert ask(door, payer, "payments", to=to, amount="500")[0] == 200
    assert ask(door, payer, "withdrawals", vpa=VPA, amount="500")[0] == 200
    assert _everything(books) == before
