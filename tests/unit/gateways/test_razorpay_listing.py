"""Razorpay's lists: read to their end, whatever is odd on a page, and never past a hole."""

from datetime import date

import pytest

from tests.unit.gateways.scripted import Script, answer, listed, payment, refused, script
from wallet.gateways.http import TooMuchError
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError, ListingGateway, PaymentPage
from wallet.gateways.razorpay import client
from wallet.ledger.breaks import Unreadable

LINE: dict[str, object] = {
    "entity_id": "pay_Umbrella000001",
    "type": "payment",
    "debit": 0,
    "credit": 97_100,
    "amount": 100_000,
    "currency": "INR",
    "fee": 2_900,
    "tax": 0,
    "on_hold": False,
    "settled": True,
    "created_at": 1_567_692_556,
    "settled_at": 1_568_176_960,
    "settlement_id": "setl_Umbrella00001",
    "payment_id": None,
    "settlement_utr": "1568176960vxp0rj",
    "notes": "Beam me up Scotty.",
}


@pytest.fixture(autouse=True)
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LARGEST_PAGE", 3)
    monkeypatch.setattr(client, "_LARGEST_REPORT_PAGE", 3)


def named(*numbers: int) -> list[dict[str, object]]:
    return [payment(id=f"pay_{number:014}") for number in numbers]


def read(talk: Script) -> list[PaymentPage]:
    gateway: ListingGateway = talk.gateway()
    return list(gateway.payments_between(since_s=1_593_320_020, until_s=1_624_856_020))


def ids(pages: list[PaymentPage]) -> list[int]:
    return [int(one.payment_id.removeprefix("pay_")) for page in pages for one in page.payments]


def test_a_list_is_asked_for_page_by_page_each_beginning_with_the_end_of_the_one_before() -> None:
    talk = script(listed(*named(9, 8, 7)), listed(*named(7, 6, 5)), listed(*named(5, 4)))
    assert ids(read(talk)) == [9, 8, 7, 7, 6, 5, 5, 4]
    assert [sent.path for sent in talk.sent] == [
        f"/v1/payments?from=1593320020&to=1624856020&count=3&skip={skip}" for skip in (0, 2, 4)
    ]


def test_what_came_in_meanwhile_moves_the_pages_and_nothing_is_missed() -> None:
    talk = script(listed(*named(9, 8, 7)), listed(*named(8, 7, 6)), listed(*named(6)))
    assert ids(read(talk)) == [9, 8, 7, 8, 7, 6, 6]


def test_pages_that_do_not_fit_together_are_an_unknown_outcome() -> None:
    talk = script(listed(*named(9, 8, 7)), listed(*named(6, 5, 4)))
    with pytest.raises(GatewayUnavailableError, match="shifted"):
        read(talk)


def test_a_list_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LISTED_PAGES_MAX", 3)
    talk = script(*[listed(*named(9, 9, 9)) for _ in range(4)])
    with pytest.raises(GatewayUnavailableError, match="no end"):
        read(talk)


def test_a_page_that_is_too_large_is_asked_for_again_at_half_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LARGEST_PAGE", 5)
    talk = script(listed(*named(9, 8, 7, 6, 5)), TooMuchError("too large"), listed(*named(5, 4)), listed(*named(4)))
    assert ids(read(talk)) == [9, 8, 7, 6, 5, 5, 4, 4]
    assert [sent.path.partition("&count=")[2] for sent in talk.sent] == [
        "5&skip=0",
        "5&skip=4",
        "2&skip=4",
        "2&skip=5",
    ]


def test_a_smallest_page_that_is_too_large_is_an_unknown_outcome() -> None:
    talk = script(TooMuchError("too large"), TooMuchError("too large"))
    with pytest.raises(TooMuchError):
        read(talk)
    assert [sent.path.partition("&count=")[2] for sent in talk.sent] == ["3&skip=0", "2&skip=0"]


def test_an_empty_list_has_one_empty_page() -> None:
    assert read(script(listed())) == [PaymentPage(())]


def test_an_odd_payment_is_named_and_hides_no_other() -> None:
    odd = payment(id="pay_Odd00000000001", captured="yes")
    [page] = read(script(listed(odd, *named(1))))
    assert ids([page]) == [1]
    assert page.unreadable == (Unreadable("pay_Odd00000000001", "captured is not a boolean", odd["amount"]),)  # type: ignore[arg-type]  # an int


@pytest.mark.parametrize(
    ("changes", "amount"),
    [({"amount": 700}, 700), ({"amount": "7"}, None), ({"amount": 700, "captured": False, "currency": "?"}, 0)],
)
def test_of_what_can_not_be_read_the_amount_may_be(changes: dict[str, object], amount: int | None) -> None:
    [page] = read(script(listed(payment(**{"captured": "yes", **changes}))))
    assert [one.amount for one in page.unreadable] == [amount]


def test_what_has_no_id_is_known_by_its_content() -> None:
    one, same, other = payment(id=None), payment(id=None), payment(id=7)
    [page] = read(script(listed(one, other)))
    [again] = read(script(listed(same)))
    first, second = (odd.subject for odd in page.unreadable)
    assert again.unreadable[0].subject == first != second
    assert {subject.partition("_")[0] for subject in (first, second)} == {"nameless"}
    assert len(first) <= 64


def test_a_payment_is_asked_for_by_its_id() -> None:
    talk = script(answer(payment(id="pay_1")))
    found = talk.gateway().payment("pay_1")
    assert found is not None
    assert found.payment_id == "pay_1"
    assert talk.sent[0].path == "/v1/payments/pay_1"


def test_a_payment_that_does_not_exist_is_none_and_any_other_refusal_is_one() -> None:
    assert script(refused("The id provided does not exist")).gateway().payment("pay_1") is None
    with pytest.raises(GatewayRejectedError):
        script(refused("The api key provided is invalid")).gateway().payment("pay_1")


def test_a_report_is_asked_for_by_the_day_and_its_lines_are_read() -> None:
    talk = script(listed(LINE))
    [page] = list(talk.gateway().settlement_lines(date(2022, 6, 1)))
    [line] = page.lines
    assert talk.sent[0].path == "/v1/settlements/recon/combined?year=2022&month=06&day=01&count=3&skip=0"
    assert (line.type, line.entity_id, line.amount, line.credit, line.fee) == (
        "payment",
        "pay_Umbrella000001",
        100_000,
        97_100,
        2_900,
    )
    assert (line.settlement_id, line.utr, line.settled_at) == (
        "setl_Umbrella00001",
        "1568176960vxp0rj",
        1_568_176_960,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", 1.5), ("amount", -1), ("fee", None), ("entity_id", "pay 1"), ("settled_at", "yesterday"), ("type", 7)],
)
def test_a_line_that_can_not_be_read_is_named_and_hides_no_other(field: str, value: object) -> None:
    [page] = list(script(listed({**LINE, field: value}, LINE)).gateway().settlement_lines(date(2022, 6, 1)))
    assert len(page.lines) == 1
    [odd] = page.unreadable
    assert odd.subject == LINE["entity_id"] or odd.subject.startswith("nameless_")
    assert odd.told


def test_what_is_listed_and_not_settled_yet_is_left_for_its_day() -> None:
    [page] = list(script(listed({**LINE, "settled": False})).gateway().settlement_lines(date(2022, 6, 1)))
    assert (page.lines, page.unreadable) == ((), ())
