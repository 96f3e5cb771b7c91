from tests.support.client import Api, new_phone
from tests.web.conftest import Visit
from tests.web.visitor import Shape


def test_somebody_opens_a_wallet_and_adds_money(api: Api, visit: Visit, shape: Shape) -> None:
    asha = visit(shape)
    asha.registers(new_phone(), "Asha Rao")
    asha.sees("You can spend")
    print(asha.storage())
    asha.press("Add money")
    asha.types("Amount in rupees", "500")
    asha.press("Continue to UPI")
    asha.is_at("top-up")
    asha.sees("Waiting for your payment")
    print(asha.storage(), asha.page.url)
