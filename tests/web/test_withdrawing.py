"""The form of a withdrawal: what would be refused is said while it is filled in."""

from tests.support.client import Api
from tests.web.conftest import Visit
from tests.web.visitor import Visitor


def fault_of(visitor: Visitor, label: str) -> str | None:
    """What is said at a field, which whoever hears the field hears with it."""
    field = visitor.page.get_by_label(label, exact=True)
    said: str | None = (
        field.evaluate("""(field) => field.getAttribute("aria-invalid") && field.getAttribute("aria-describedby")
        .split(" ").map((id) => document.getElementById(id)).find((one) => one.matches(".bad"))?.textContent""")
    )
    return said


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


def test_what_the_api_knows_to_be_no_upi_address_is_said_at_the_field(api: Api, visit: Visit) -> None:
    asha = visit()
    asha.comes_as(api.person(money=50_000), "withdraw")
    asha.types("UPI address", "asha@1bank")  # a handle begins with a letter
    asha.types("Amount in rupees", "12.34")
    asha.sees(_NO_ADDRESS)
    assert fault_of(asha, "UPI address") == _NO_ADDRESS


def test_a_look_ahead_says_what_the_withdrawal_would_be_refused_for(api: Api, visit: Visit) -> None:
    asha = visit()
    asha.comes_as(api.person(money=50_000), "withdraw")
    asha.types("UPI address", "asha@okbank")
    asha.types("Amount in rupees", "0.50")
    asha.sees("That is more or less than can be paid at once.")
