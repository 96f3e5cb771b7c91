"""Every refusal of the contract, got over HTTP from a deployed wallet: one way to each, and none left out."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pymysql
import pytest
from botocore.credentials import Credentials

from local.operators import send
from tests.e2e.test_problems import signature
from tests.support.authenticator import Authenticator
from tests.support.books import new_landline
from tests.support.client import PASSWORD, Answer, Api, Json, Person, answer_of, new_key, new_phone
from tests.support.confirming import ABOVE, person_in, required, send_code
from tests.support.crowd import together
from tests.support.problems import problem
from tests.support.proofs import ask_for_code, leave_for_days, newest_code
from wallet.edge.statuses import REFUSALS
from wallet.ledger.refusals import Refusal

Provoke = Callable[["World"], Answer]
WAYS: dict[Refusal, Provoke] = {}

#: Takes no part in money: an id of the right form that nothing has.
NOBODY = "0" * 26


@dataclass(frozen=True, slots=True)
class World:
    """The deployed wallet, and its database as the owner sees it."""

    api: Api
    select: Any

    def locked(self, person: Person) -> "pymysql.Connection[Any]":
        """A connection that holds the lock of somebody's wallet until it is closed."""
        mysql = self.api.stack["mysql"]
        connection = pymysql.connect(
            host=mysql["host"],
            port=mysql["port"],
            user=mysql["user"],
            password=mysql["password"],
            database=mysql["database"],
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT w.id FROM wallets w JOIN users u ON u.id = w.user_id WHERE u.phone = %s", (person.phone,)
            )
            cursor.execute("SELECT id FROM wallets WHERE id = %s FOR UPDATE", cursor.fetchone())
        return connection


def way_to(refusal: Refusal) -> Callable[[Provoke], Provoke]:
    """Marks what provokes a refusal."""

    def mark(provoke: Provoke) -> Provoke:
        assert refusal not in WAYS
        WAYS[refusal] = provoke
        return provoke

    return mark


@pytest.mark.parametrize("refusal", list(Refusal))
def test_it_is_told_over_http(refusal: Refusal, api: Api, select: Any) -> None:
    problem(WAYS[refusal](World(api, select)), REFUSALS[refusal].status, refusal.value)


def to(person: Person, amount: int, **more: object) -> Json:
    """The body of a payment or a hold."""
    return {"to": {"wallet_id": person.wallet_id}, "amount": amount, **more}


def placed(world: World, **more: object) -> tuple[Person, Person, str]:
    """A payer, a payee and a hold of 500 between them."""
    asha, hotel = world.api.person(money=1_000), world.api.person(kind="merchant")
    answer = asha.post("/holds", to(hotel, 500, **more))
    assert answer.status == 201, answer.text
    return asha, hotel, answer.body["id"]


@way_to(Refusal.NOT_FOUND)
def _(world: World) -> Answer:
    return world.api.person().get(f"/payments/pay_{NOBODY}")


@way_to(Refusal.MISSING_TOKEN)
def _(world: World) -> Answer:
    return world.api.call("GET", "/wallet")


@way_to(Refusal.INVALID_TOKEN)
def _(world: World) -> Answer:
    return world.api.call("GET", "/wallet", token="not.a.token")


@way_to(Refusal.IDEMPOTENCY_KEY_REQUIRED)
def _(world: World) -> Answer:
    return world.api.call("POST", "/payments", {}, token=world.api.person().token)


@way_to(Refusal.IDEMPOTENCY_KEY_INVALID)
def _(world: World) -> Answer:
    return world.api.person().post("/payments", {}, key="a key")


@way_to(Refusal.REQUEST_TOO_LARGE)
def _(world: World) -> Answer:
    return world.api.person().post("/payments", {"description": "x" * 20_000})


@way_to(Refusal.UNSUPPORTED_MEDIA_TYPE)
def _(world: World) -> Answer:
    asha = world.api.person()
    return world.api.call(
        "POST", "/payments", raw=b"<x/>", token=asha.token, key=new_key(), headers={"Content-Type": "application/xml"}
    )


@way_to(Refusal.MALFORMED_BODY)
def _(world: World) -> Answer:
    return world.api.call("POST", "/payments", raw=b"{", token=world.api.person().token, key=new_key())


@way_to(Refusal.INVALID_REQUEST)
def _(world: World) -> Answer:
    return world.api.person().post("/payments", {"amount": 1.5})


@way_to(Refusal.UNKNOWN_GATEWAY)
def _(world: World) -> Answer:
    return world.api.call("POST", "/webhooks/nobody", {})


@way_to(Refusal.INVALID_SIGNATURE)
def _(world: World) -> Answer:
    return world.api.call("POST", "/webhooks/razorpay", {}, headers={"X-Razorpay-Signature": "0" * 64})


@way_to(Refusal.MALFORMED_EVENT)
def _(world: World) -> Answer:
    signed = signature(world.api.stack["webhook_secret"], b"[]")
    return world.api.call("POST", "/webhooks/razorpay", raw=b"[]", headers={"X-Razorpay-Signature": signed})


@way_to(Refusal.TOO_MANY_ATTEMPTS)
def _(world: World) -> Answer:
    guess = {"phone": new_phone(), "password": "wrong"}
    answers = (world.api.call("POST", "/login", guess) for _ in range(11))
    return next(answer for answer in answers if answer.code != "invalid_credentials")


@way_to(Refusal.CROSS_SITE)
def _(world: World) -> Answer:
    return world.api.call("POST", "/session", {"phone": world.api.person().phone, "password": PASSWORD})


@way_to(Refusal.TOO_MANY_CODES)
def _(world: World) -> Answer:
    phone = new_phone()
    assert ask_for_code(world.api, phone).status == 202
    return ask_for_code(world.api, phone)


@way_to(Refusal.INVALID_CODE)
def _(world: World) -> Answer:
    phone = new_phone()
    sent = ask_for_code(world.api, phone)
    wrong = f"{(int(newest_code(world.api, phone)) + 1) % 1_000_000:06}"
    return world.api.call("POST", f"/phone-proofs/{sent.body['id']}", {"code": wrong})


@way_to(Refusal.INVALID_PROOF)
def _(world: World) -> Answer:
    asha = world.api.person()
    told = {"phone_proof": world.api.prove(asha.phone, "sign_in"), "new_password": "another password of mine"}
    return world.api.call("POST", "/password-resets", told)


@way_to(Refusal.OPERATOR_NEEDED)
def _(world: World) -> Answer:
    asha = world.api.person()
    leave_for_days(world.select, asha.phone, 91)
    told = {"phone_proof": world.api.prove(asha.phone, "reset_password"), "new_password": "another password of mine"}
    return world.api.call("POST", "/password-resets", told)


@way_to(Refusal.TOO_MANY_OPEN_TOP_UPS)
def _(world: World) -> Answer:
    asha = world.api.person()
    opened = together([lambda: asha.open_top_up(100) for _ in range(50)], at_once=4)
    assert [one for one in opened if isinstance(one, Exception)] == []
    return asha.post("/top-ups", {"amount": 100})


@way_to(Refusal.GATEWAY_REFUSED)
def _(world: World) -> Answer:
    return world.api.person(phone=new_landline()).post("/top-ups", {"amount": 100})


@way_to(Refusal.INVALID_CREDENTIALS)
def _(world: World) -> Answer:
    return world.api.call("POST", "/login", {"phone": new_phone(), "password": PASSWORD})


@way_to(Refusal.IDEMPOTENCY_KEY_REUSED)
def _(world: World) -> Answer:
    asha, bela, key = world.api.person(money=100), world.api.person(), new_key()
    assert asha.pay(bela, 1, key=key).status == 201
    return asha.pay(bela, 2, key=key)


@way_to(Refusal.IDEMPOTENCY_KEY_IN_USE)
def _(world: World) -> Answer:
    asha, bela, key = world.api.person(money=100), world.api.person(), new_key()
    connection = world.locked(asha)

    def pay() -> Answer:
        while (answer := asha.pay(bela, 1, key=key, once=True)).code == "try_again":
            pass  # it has waited for the wallet longer than it may
        return answer

    # of two with one key, one waits for the wallet; the other is the first to be answered
    with ThreadPoolExecutor(max_workers=2) as pool:
        both = [pool.submit(pay) for _ in range(2)]
        done, _ = wait(both, return_when=FIRST_COMPLETED)
        connection.close()
    return done.pop().result()


@way_to(Refusal.NOT_AN_OPERATOR)
def _(world: World) -> Answer:
    """The root of the emulator's account: the keys that everything here has which is not a person."""
    root = Credentials("test", "test")
    return answer_of(send(world.api.stack, '{"command": "pending"}', operator="", keys=root))


def asked_for(world: World, command: str, role: str) -> Json:
    """The approval of something that Meera has asked for."""
    told = {"wallet_id": world.api.person().wallet_id, "reason": "a test", "key": new_key()}
    more = {"tier": "small"} if command == "set_tier" else {}
    answer = world.api.command({"command": command, **told, **more}, role=role)
    assert answer.status == 202, answer.text
    return {"command": "approve", "request": answer.body["result"]["request_id"]}


@way_to(Refusal.SAME_PERSON)
def _(world: World) -> Answer:
    return world.api.command(asked_for(world, "set_tier", "admin"), role="admin")


@way_to(Refusal.REQUEST_ENDED)
def _(world: World) -> Answer:
    approval = asked_for(world, "set_tier", "admin")
    assert world.api.command({**approval, "command": "cancel"}, role="admin").status == 200
    return world.api.command(approval, operator="ravi", role="admin")


@way_to(Refusal.NOTHING_TO_WRITE_OFF)
def _(world: World) -> Answer:
    return world.api.command(asked_for(world, "write_off", "money"), operator="ravi", role="money")


@way_to(Refusal.PHONE_TAKEN)
def _(world: World) -> Answer:
    phone = world.api.person().phone
    told = {
        "phone_proof": world.api.prove(phone),
        "phone": phone,
        "name": "Bela",
        "password": PASSWORD,
    }
    return world.api.call("POST", "/register", told)


@way_to(Refusal.INVALID_VPA)
def _(world: World) -> Answer:
    return world.api.person(money=1_000).post("/withdrawals", {"amount": 500, "vpa": "asha"})


@way_to(Refusal.SELF_PAYMENT)
def _(world: World) -> Answer:
    asha = world.api.person(money=100)
    return asha.pay(asha, 1)


@way_to(Refusal.PAYEE_UNAVAILABLE)
def _(world: World) -> Answer:
    return world.api.person(money=100).post("/payments", {"to": {"phone": new_phone()}, "amount": 1})


@way_to(Refusal.PAYEE_NOT_FOUND)
def _(world: World) -> Answer:
    return world.api.person().get(f"/payees?phone={quote(new_phone())}")


@way_to(Refusal.TOO_MANY_LOOKUPS)
def _(world: World) -> Answer:
    asha, bela = world.api.person(money=100), world.api.person()
    assert asha.post("/holds", {"to": {"phone": new_phone()}, "amount": 1}).code == "payee_unavailable"
    world.select(
        "UPDATE quota_usage q JOIN users u ON u.id = q.subject SET q.used = q.allowed WHERE u.phone = %s",
        asha.phone,
    )
    answer = asha.pay(bela, 1)
    assert 0 < int(answer.headers["retry-after"]) <= 3_601
    return answer


def payment_request(world: World, amount: int) -> str:
    """A payment request of somebody's."""
    made = world.api.person().post("/payment-requests", {"amount": amount}, once=True)
    assert made.status == 201, made.text
    shown: str = made.body["id"]
    return shown


@way_to(Refusal.PAYMENT_REQUEST_ENDED)
def _(world: World) -> Answer:
    asha, shown = world.api.person(money=1_000), payment_request(world, 100)
    asked = {"to": {"payment_request": shown}, "amount": 100}
    assert asha.post("/payments", asked).status == 201
    return asha.post("/payments", asked)


@way_to(Refusal.AMOUNT_DIFFERS)
def _(world: World) -> Answer:
    asked = {"to": {"payment_request": payment_request(world, 100)}, "amount": 99}
    return world.api.person(money=1_000).post("/payments", asked)


@way_to(Refusal.TOO_MANY_PAYMENT_REQUESTS)
def _(world: World) -> Answer:
    asha = world.api.person()
    assert asha.post("/payment-requests", {}, once=True).status == 201
    world.select(
        "UPDATE quota_usage q JOIN wallets w ON w.user_id = q.subject JOIN users u ON u.id = w.user_id"
        " SET q.used = q.allowed WHERE u.phone = %s AND q.quota = 'payment_requests'",
        asha.phone,
    )
    return asha.post("/payment-requests", {}, once=True)


@way_to(Refusal.TOO_MANY_BULK_PAYMENTS)
def _(world: World) -> Answer:
    asha = world.api.person()
    file = f"to,amount,description,reference\r\n{new_phone()},1,,\r\n".encode()

    def send() -> Answer:
        return world.api.call(
            "POST", "/bulk-payments", raw=file, token=asha.token, key=new_key(), headers={"Content-Type": "text/csv"}
        )

    assert send().status == 202
    world.select(
        "UPDATE quota_usage q JOIN users u ON u.id = q.subject SET q.used = q.allowed WHERE u.phone = %s",
        asha.phone,
    )
    answer = send()
    assert 3_600 < int(answer.headers["retry-after"]) <= 86_401
    return answer


@way_to(Refusal.PROOF_NOT_READY)
def _(world: World) -> Answer:
    asha, bela = world.api.person(money=100), world.api.person()
    for _ in range(5):  # the sealer may come by at any moment, but hardly after each payment
        paid = asha.pay(bela, 1).body["transaction_id"]
        answer: Answer = asha.get(f"/wallet/transactions/{paid}/proof")
        if answer.status != 200:
            break
    return answer


@way_to(Refusal.HOLD_NOT_PLACED)
def _(world: World) -> Answer:
    _, hotel, hold = placed(world)
    assert hotel.post(f"/holds/{hold}/capture", {}).status == 200
    return hotel.post(f"/holds/{hold}/capture", {})


@way_to(Refusal.HOLD_NOT_DUE)
def _(world: World) -> Answer:
    asha, _, hold = placed(world)
    return asha.post(f"/holds/{hold}/release", {})


@way_to(Refusal.CAPTURE_EXCEEDS_HOLD)
def _(world: World) -> Answer:
    _, hotel, hold = placed(world)
    return hotel.post(f"/holds/{hold}/capture", {"amount": 501})


@way_to(Refusal.WITHDRAWAL_SENT)
def _(world: World) -> Answer:
    asha = world.api.person(money=1_000)
    answer = asha.post("/withdrawals", {"amount": 500, "vpa": "pending@okbank"})
    assert answer.status == 202, answer.text
    return asha.post(f"/withdrawals/{answer.body['id']}/cancel", {})


@way_to(Refusal.WALLET_FROZEN)
def _(world: World) -> Answer:
    asha, bela = world.api.person(money=100), world.api.person()
    world.select(
        "UPDATE wallets w JOIN users u ON u.id = w.user_id SET w.status = 'frozen' WHERE u.phone = %s", asha.phone
    )
    return asha.pay(bela, 1)


@way_to(Refusal.CONFIRMATION_REQUIRED)
def _(world: World) -> Answer:
    return person_in(world.api, world.select).pay(world.api.person(), ABOVE + 1)


@way_to(Refusal.CONFIRMATION_PAUSED)
def _(world: World) -> Answer:
    asha = person_in(world.api, world.select)
    world.select(
        "UPDATE wallets w JOIN users u ON u.id = w.user_id SET w.paused_until = UTC_TIMESTAMP(6) + INTERVAL 1 DAY"
        " WHERE u.phone = %s",
        asha.phone,
    )
    return asha.pay(world.api.person(), ABOVE + 1)


@way_to(Refusal.CONFIRMATION_ENDED)
def _(world: World) -> Answer:
    asha = person_in(world.api, world.select)
    confirmation = required(asha.pay(world.api.person(), ABOVE + 1))
    world.select(
        "UPDATE confirmations c JOIN users u ON u.id = c.user_id SET c.expires_at = UTC_TIMESTAMP(6)"
        " WHERE u.phone = %s",
        asha.phone,
    )
    return send_code(asha, confirmation)


@way_to(Refusal.TOO_MANY_PASSKEYS)
def _(world: World) -> Answer:
    asha, authenticator = world.api.person(), Authenticator(world.api.stack["web_url"])
    for number in range(10):
        world.select(
            "INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, name, created_at, usable_from)"
            " SELECT UNHEX(REPLACE(UUID(), '-', '')), id, CONCAT(phone, %s), '', 0, 'one', NOW(6), NOW(6)"
            " FROM users WHERE phone = %s",
            number,
            asha.phone,
        )
    options = world.api.call("POST", "/passkeys/options", token=asha.token)
    told = {"name": "one more", "credential": authenticator.create(options.body)}
    return world.api.call("POST", "/passkeys", told, token=asha.token)


@way_to(Refusal.NAME_CHANGED_LATELY)
def _(world: World) -> Answer:
    asha = world.api.person()
    world.select(
        "INSERT INTO former_names (user_id, name, ended_at) SELECT id, 'Asha', UTC_TIMESTAMP(6) FROM users"
        " WHERE phone = %s",
        asha.phone,
    )
    return world.api.call("PATCH", "/me", {"name": "Asha Iyer"}, token=asha.token)


@way_to(Refusal.AMOUNT_OUT_OF_RANGE)
def _(world: World) -> Answer:
    return world.api.person().post("/top-ups", {"amount": 99})


@way_to(Refusal.REFUND_EXCEEDS_PAYMENT)
def _(world: World) -> Answer:
    asha, shop = world.api.person(money=100), world.api.person(kind="merchant")
    paid = asha.pay(shop, 100).body["id"]
    return shop.post(f"/payments/{paid}/refunds", {"amount": 101})


@way_to(Refusal.INSUFFICIENT_FUNDS)
def _(world: World) -> Answer:
    return world.api.person().pay(world.api.person(), 1)


@way_to(Refusal.WALLET_LIMIT_EXCEEDED)
def _(world: World) -> Answer:
    return world.api.person(money=1_000).post("/top-ups", {"amount": 20_000_000})
