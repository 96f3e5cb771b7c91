"""The form of a withdrawal: what would be refused is said while it is filled in."""

import re
from urllib.parse import quote

from tests.support.client import PASSWORD, Api
from tests.web.conftest import Visit
from tests.web.visitor import REQUEST_LOST, UNKNOWN, Visitor


def fault_of(visitor: Visitor, label: str) -> str | None:
    """What is said at a field, which whoever hears the field hears with it."""
    field = visitor.page.get_by_label(label, exact=True)
    said: str | None = (
        field.evaluate("""(field) => field.getAttribute("aria-invalid") && field.getAttribute("aria-describedby")
        .split(" ").map((id) => document.getElementById(id)).find((one) => one.matches(".bad"))?.textContent""")
    )
    return said


_OPEN = re.compile("^An earlier try from this browser was never answered, and nothing of it has been booked so far[.]")
_NO_ADDRESS = "That is no UPI address. It looks like name@bank."


def test_what_is_no_upi_address_is_said_at_the_field_as_soon_as_it_is_left(api: Api, visit: Visit) -> None:
    asha = visit()
    asha.comes_as(api.person(money=50_000), "withdraw")
    asha.types("UPI address", "nonsense")
    assert fault_of(asha, "UPI address") is None, "somebody is still typing"
    asha.types("Amount in rupees", "12.34")
    asha.sees(_NO_ADDRESS)
    assert fault_of(asha, "UPI address") == _NO_ADDRESS
    asha.types("UPI address", "asha@okbank")
    asha.sees("₹12.34")
    asha.sees_nothing_of(_NO_ADDRESS)


def test_an_address_is_one_here_where_it_is_one_to_the_api(api: Api, visit: Visit) -> None:
    payer = api.person(money=50_000)
    asha = visit()
    asha.comes_as(payer, "withdraw")
    asha.types("Amount in rupees", "12.34")
    for address in ("asha@1bank", "a@okbank", "as ha@okbank", "asha@ok-bank", "ashá@okbank", "x" * 94 + "@okbank"):
        asha.types("UPI address", address)
        asha.types("Amount in rupees", "12.34")
        asha.sees(_NO_ADDRESS)
        assert payer.get(f"/withdrawals/preview?amount=1234&vpa={quote(address)}").code == "invalid_vpa", address
    asha.types("UPI address", "x" * 93 + "@OkBank")
    asha.sees("₹12.34")
    asha.sees_nothing_of(_NO_ADDRESS)


def test_a_look_ahead_says_what_the_withdrawal_would_be_refused_for(api: Api, visit: Visit) -> None:
    asha = visit()
    asha.comes_as(api.person(money=50_000), "withdraw")
    asha.types("UPI address", "asha@okbank")
    asha.types("Amount in rupees", "0.50")
    asha.sees("That is more or less than can be paid at once.")


def test_a_freeze_while_nobody_knows_what_came_of_it_does_not_end_that(api: Api, visit: Visit) -> None:
    payer = api.person(money=50_000)
    asha = visit()
    asha.comes_as(payer, "withdraw")
    asha.types("UPI address", "asha@okbank")
    asha.types("Amount in rupees", "12.34")
    with asha.network_cut("/withdrawals", REQUEST_LOST) as keys:
        asha.press("Send ₹12.34")
        asha.sees(UNKNOWN)
    api.ordered("freeze", wallet_id=payer.wallet_id)
    asha.press("Ask again")
    asha.sees("Your session has ended. Sign in to go on where you were.")
    asha.types("Phone number", payer.phone)
    asha.types("Password", PASSWORD)
    asha.press("Sign in")
    asha.press("Ask again")
    asha.sees(re.compile("^Your wallet is frozen"))
    asha.sees(_OPEN)
    asha.open("withdraw")
    asha.sees(re.compile("^The wallet is frozen"))
    asha.sees(_OPEN)
    assert list(asha.storage().values()) == keys, "the first one may still arrive"
    asha.left_open.append(("withdrawal", payer))
