"""Alerts: who signs in on another device is read about on the phone, whatever the client calls itself."""

from tests.support.addresses import coming_from
from tests.support.client import PASSWORD, Api, until_answered, wait_until
from tests.support.proofs import messages_to

PHONE_OF_A_THIEF = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile"
)
# a relay looks each second, and its next run begins within a minute
ARRIVES_S = 120


def test_a_sign_in_on_a_new_device_is_read_on_the_phone_once(api: Api) -> None:
    person = api.person()

    def alerts() -> list[str]:
        return [one["text"] for one in messages_to(api, person.phone) if " is your code to " not in one["text"]]

    shown = {"phone": person.phone, "password": PASSWORD}
    headers = coming_from(person.address) | {"User-Agent": PHONE_OF_A_THIEF}
    for _ in range(2):
        answer = until_answered(lambda: api.call("POST", "/login", shown, headers=headers))
        assert answer.status == 200, answer.text
    again = api.call("POST", "/me/freeze", {}, token=answer.body["access_token"])
    assert again.status == 204, again.text
    wait_until(lambda: len(alerts()) == 2, within_s=ARRIVES_S)
    signed_in, frozen = sorted(alerts())
    assert signed_in.startswith("New sign-in to your wallet on ")
    assert signed_in.endswith("on a device that calls itself Linux Android 14 Pixel 8. Not you? 1800 000 000 - Wallet")
    assert frozen.startswith("Your wallet was frozen on ")
