"""A walk along the money path, each request and answer printed, and the ledger behind it.

Register, top up by UPI, look up, pay, refund, hold and capture, withdraw, look.

What it does is what the README tells and what the end-to-end tests check: only over HTTP, as any client would.
"""

import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlencode

import pymysql
import urllib3
from pymysql.cursors import DictCursor

from local.invocation import invoke, newest_checkpoint

_WAIT_S = 30
# what a client is told when the same request may get more, and for how long it asks
_COME_BACK = ("try_again", "idempotency_key_in_use", "gateway_unavailable")
_BUSY_S = 90
_RUPEE = 100
_INDIA = timezone(timedelta(hours=5, minutes=30))

_CODE = re.compile(r"([0-9]{6}) is your code")
_HIDDEN = ("password", "access_token", "refresh_token", "phone_proof", "qr_svg")

Json = dict[str, Any]


class StrayedError(Exception):
    """An answer that the walk did not expect."""


@dataclass(slots=True)
class Walker:
    """Calls the API and the person's UPI app, and prints what is said."""

    api_url: str
    gateway_url: str
    pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)
    #: Where people read what a problem means: its own `type` leads there from the request, which nobody opens.
    web_url: str = ""

    def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        token: str = "",
        key: str = "",
        expect: int,
        or_confirmation: bool = False,
    ) -> Json:
        """One request to the API, and its answer: the expected one or, if it may, that a confirmation is wanted."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if key:
            headers["Idempotency-Key"] = key
        return self._exchange(
            method, self.api_url, path, body, headers=headers, expect=expect, or_confirmation=or_confirmation
        )

    def ask(self, path: str, token: str) -> Json:
        """One request that is not worth printing."""
        headers = {"Authorization": f"Bearer {token}"}
        told: Json = self.pool.request("GET", self.api_url + path, headers=headers, timeout=60.0).json()
        return told

    def fetch(self, url: str) -> int:
        """What a link leads to: how many bytes."""
        answer = self.pool.request("GET", url, timeout=60.0, retries=False)
        if answer.status != 200:
            raise StrayedError(f"the link answered {answer.status}")
        return len(answer.data)

    def play(self, order_id: str, outcome: str) -> Json:
        """The person with the UPI app, at the gateway's."""
        path = f"/simulator/orders/{order_id}/pay"
        return self._exchange("POST", self.gateway_url, path, {"outcome": outcome}, headers={}, expect=200)

    def newest_code(self, phone: str) -> str:
        """The code that came to the person's phone last; a notice may have come behind it."""
        path = f"/simulator/messages?{urlencode({'phone': phone})}"
        told = self._exchange("GET", self.gateway_url, path, None, headers={}, expect=200)
        codes = [found[1] for one in told["data"] if (found := _CODE.match(one["text"]))]
        if not codes:
            raise StrayedError(f"no code has come to {phone}")
        return codes[-1]

    def _exchange(
        self,
        method: str,
        base: str,
        path: str,
        body: Json | None,
        *,
        headers: Mapping[str, str],
        expect: int,
        or_confirmation: bool = False,
    ) -> Json:
        shown = " ".join(f"{name}: {headers[name]}" for name in ("Idempotency-Key",) if name in headers)
        print(f"\n> {method} {path}  {shown}".rstrip())
        if body is not None:
            print(f"  {_text(body)}")
        sent = None if body is None else json.dumps(body).encode()
        ends = time.monotonic() + _BUSY_S
        while True:
            answer = self.pool.request(
                method, base + path, body=sent, headers=dict(headers), timeout=60.0, retries=False
            )
            told: Json = answer.json() if answer.data else {}
            if told.get("code") not in _COME_BACK or expect == answer.status or time.monotonic() > ends:
                break
            print(f"< {answer.status} {told['code']}: the same again, as any client does, on a machine that is busy")
            time.sleep(0.5)
        replayed = "  Idempotency-Replayed: true" if answer.headers.get("Idempotency-Replayed") else ""
        print(f"< {answer.status}{replayed}")
        if answer.data:
            print(f"  {_text(self._readable(told))}")
        if answer.status != expect and not (or_confirmation and "confirmation" in told):
            raise StrayedError(f"{method} {path} answered {answer.status}, not {expect}")
        return told

    def _readable(self, told: Json) -> Json:
        name = str(told.get("type", "")).rpartition("/problems/")[2]
        return {**told, "type": f"{self.web_url}/v1/problems/{name}"} if self.web_url and "code" in told else told


def walk(stack: Mapping[str, Any]) -> int:
    """Walks, then prints the ledger; 0 if everything was as expected and the books balance."""
    try:
        _path(Walker(stack["api_url"], stack["gateway_url"], web_url=stack["web_url"]))
    except StrayedError as strayed:
        print(f"\nThe walk went astray: {strayed}")
        return 1
    if not _ledger(stack["mysql"]):
        return 1
    _seal(stack)
    return 0


def _path(walker: Walker) -> None:
    _title("Two people prove their phones, register, and each gets a wallet")
    asha = _person(walker, "Asha Rao", "personal")
    shop = _person(walker, "चाय की दुकान", "merchant")

    _title("Asha adds 500 rupees by UPI: the gateway makes an order, her app pays it")
    top_up = walker.call("POST", "/top-ups", {"amount": 500 * _RUPEE}, token=asha["token"], key=_key(), expect=201)
    print(f"  (the QR code of that link: {len(top_up['upi']['qr_svg'])} characters of SVG)")
    walker.play(top_up["gateway_order_id"], "captured")

    _title("The gateway's signed webhook credits the wallet; nobody believes the client")
    _wait_for(walker, asha["token"], f"/top-ups/{top_up['id']}")

    _title("Asha looks at who has that phone, before she pays")
    walker.call("GET", f"/payees?phone={quote(shop['phone'])}", token=asha["token"], expect=200)

    _title("Asha pays the shop 60 rupees; the same request again moves nothing")
    payment = {"to": {"phone": shop["phone"]}, "amount": 60 * _RUPEE, "description": "चाय और समोसा"}
    key = _key()
    paid = _confirmed(walker, asha, "/payments", payment, key=key, expect=201)
    again = walker.call("POST", "/payments", payment, token=asha["token"], key=key, expect=201)
    if again != paid:
        raise StrayedError("the repetition got another answer")

    _title("What she has not got she can't pay")
    too_much = payment | {"amount": 10_000 * _RUPEE}
    walker.call("POST", "/payments", too_much, token=asha["token"], key=_key(), expect=402)

    _title("The samosas were cold: the shop gives 20 rupees back, and can't give back more than it got")
    refunds = f"/payments/{paid['id']}/refunds"
    cold = {"amount": 20 * _RUPEE, "reason": "cold samosas"}
    walker.call("POST", refunds, cold, token=shop["token"], key=_key(), expect=201)
    walker.call("POST", refunds, {"amount": 41 * _RUPEE}, token=shop["token"], key=_key(), expect=409)

    _title("She orders a cake: 200 rupees are held, no longer hers to spend, and still in her wallet")
    order = {"to": {"phone": shop["phone"]}, "amount": 200 * _RUPEE, "description": "a cake", "expires_in": 3600}
    hold = _confirmed(walker, asha, "/holds", order, key=_key(), expect=201)
    walker.call("GET", "/wallet", token=asha["token"], expect=200)

    _title("It weighs less than ordered: the shop captures 150, and the rest is free again")
    capture = {"amount": 150 * _RUPEE}
    walker.call("POST", f"/holds/{hold['id']}/capture", capture, token=shop["token"], key=_key(), expect=200)

    withdrawn = _withdraw(walker, asha)
    _stolen(walker, asha, payment)

    _title("Both look at their wallets, and she at her statement")
    wallet = walker.call("GET", "/wallet", token=asha["token"], expect=200)
    walker.call("GET", "/wallet/transactions?limit=10", token=asha["token"], expect=200)
    sold = walker.call("GET", "/wallet", token=shop["token"], expect=200)
    totals = (wallet["balance"]["total"], sold["balance"]["total"])
    if totals != (310 * _RUPEE - withdrawn, 190 * _RUPEE):
        raise StrayedError(f"the balances are {totals}")
    month = datetime.now(_INDIA).strftime("%Y-%m")
    statement = walker.call("GET", f"/wallet/statements/{month}", token=asha["token"], expect=200)
    print(f"  {walker.fetch(statement['url'])} bytes of statement behind that link")


def _withdraw(walker: Walker, asha: Json) -> int:
    """What has left by then: nothing, where an address that is new waits."""
    _title("She withdraws 100 rupees to a UPI address that is new, confirmed by a code that names amount and address")
    out = {"amount": 100 * _RUPEE, "vpa": "asha.rao@okbank"}
    withdrawal = _confirmed(walker, asha, "/withdrawals", out, key=_key(), expect=202)
    path = f"/withdrawals/{withdrawal['id']}"
    if "waits_until" in withdrawal:
        _title("As the address is new it waits, and she changes her mind")
        walker.call("POST", f"{path}/cancel", {}, token=asha["token"], key=_key(), expect=200)
        return 0
    _title("It is held at once, and gone when the bank says so")
    _wait_for(walker, asha["token"], path)
    return 100 * _RUPEE


def _confirmed(walker: Walker, person: Json, path: str, body: Json, *, key: str, expect: int) -> Json:
    """The answer to a request that takes money out, which is confirmed if the rules want that, and then sent again."""
    told = walker.call("POST", path, body, token=person["token"], key=key, expect=expect, or_confirmation=True)
    if "confirmation" in told:
        _confirm(walker, person, told["confirmation"]["id"])
        told = walker.call("POST", path, body, token=person["token"], key=key, expect=expect)
    return told


def _confirm(walker: Walker, person: Json, confirmation_id: str) -> None:
    """Confirms what was refused without it, by the code that came to the person's phone."""
    confirmation = f"/confirmations/{confirmation_id}"
    walker.call("POST", f"{confirmation}/code", token=person["token"], expect=202)
    walker.call("POST", confirmation, {"code": walker.newest_code(person["phone"])}, token=person["token"], expect=204)


def _stolen(walker: Walker, asha: Json, payment: Json) -> None:
    _title(
        "Her phone is stolen: she ends its session from the laptop; the thief pays and refreshes no more, and she does"
    )
    stolen = _sign_in(walker, asha["phone"], asha["password"])
    listed = walker.call("GET", "/sessions", token=asha["token"], expect=200)["data"]
    (there,) = [one for one in listed if not one["current"]]
    walker.call("DELETE", f"/sessions/{there['id']}", token=asha["token"], expect=204)
    walker.call("POST", "/payments", payment, token=stolen["access_token"], key=_key(), expect=401)
    walker.call("POST", "/token", {"refresh_token": stolen["refresh_token"]}, expect=401)
    asha["token"] = walker.call("POST", "/token", {"refresh_token": asha["refresh_token"]}, expect=200)["access_token"]


def _person(walker: Walker, name: str, kind: str) -> Json:
    phone = f"+9198{secrets.randbelow(10**8):08}"
    password = secrets.token_urlsafe(12)
    told = {"phone": phone, "name": name, "password": password, "kind": kind}
    told["phone_proof"] = _prove(walker, phone, "register")
    walker.call("POST", "/register", told, key=_key(), expect=201)
    session = _sign_in(walker, phone, password)
    tokens = {"token": session["access_token"], "refresh_token": session["refresh_token"]}
    return {"phone": phone, "password": password, **tokens}


def _prove(walker: Walker, phone: str, purpose: str) -> str:
    """A proof of the phone, by the code that came to it."""
    sent = walker.call("POST", "/phone-proofs", {"phone": phone, "purpose": purpose}, expect=202)
    code = walker.newest_code(phone)
    proof: str = walker.call("POST", f"/phone-proofs/{sent['id']}", {"code": code}, expect=200)["phone_proof"]
    return proof


def _sign_in(walker: Walker, phone: str, password: str) -> Json:
    return walker.call("POST", "/login", {"phone": phone, "password": password}, expect=200)


def _wait_for(walker: Walker, token: str, path: str) -> None:
    """The webhook comes by itself; a client asks now and then."""
    ends = time.monotonic() + _WAIT_S
    while walker.ask(path, token)["status"] != "succeeded":
        if time.monotonic() > ends:
            raise StrayedError(f"{path} has not succeeded within {_WAIT_S} s")
        time.sleep(0.2)
    walker.call("GET", path, token=token, expect=200)


def _ledger(mysql: Mapping[str, Any]) -> bool:
    """Prints every account with its sums; whether debits equal credits in each currency."""
    _title("The ledger: every account, as the database's owner sees it")
    connection = pymysql.connect(
        host=mysql["host"],
        port=mysql["port"],
        user=mysql["user"],
        password=mysql["password"],
        database=mysql["database"],
        cursorclass=DictCursor,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT code, kind, currency, debits, credits FROM trial_balance ORDER BY kind, code")
        rows = list(cursor.fetchall())
        cursor.execute(
            "SELECT (SELECT COALESCE(SUM(balance), 0) FROM wallets)"
            " + (SELECT COALESCE(SUM(balance), 0) FROM wallet_slots) AS owed"
        )
        owed = int(cursor.fetchall()[0]["owed"])
    _show([row for row in rows if row["kind"] != "wallet"], "ours")
    wallets = [row for row in rows if row["kind"] == "wallet"]
    _show(wallets[-4:], f"{len(wallets)} wallets, the last of them")
    off = {
        currency: sum(row["debits"] - row["credits"] for row in rows if row["currency"] == currency)
        for currency in {row["currency"] for row in rows}
    }
    in_wallets = sum(row["credits"] - row["debits"] for row in wallets)
    balanced = not any(off.values()) and in_wallets == owed
    print(f"\n  wallets hold {owed} paise, and their postings say {in_wallets}")
    print(f"  debits less credits: {off or 0}: the books {'balance' if balanced else 'DO NOT BALANCE'}")
    print("  make audit looks at every promise about them, and at what is signed and kept elsewhere")
    return balanced


def _seal(stack: Mapping[str, Any]) -> None:
    """Runs the sealer now, and prints the last checkpoint that is kept."""
    _title("Sealed: a chain of hashes over all of it, signed, where nobody can change it")
    invoke(stack, "seal", "{}")
    name, checkpoint, locked_until = newest_checkpoint(stack)
    statement, until = checkpoint["statement"], f"{locked_until:%Y-%m-%d %H:%M}"
    print(f"  {name}: transactions {statement['first']} to {statement['last']}, locked until {until}")
    print(f"  chain {statement['chain']}, signed {checkpoint['signature'][:24]}…")


def _show(rows: list[Any], title: str) -> None:
    print(f"\n  {title:<40} {'debits':>14} {'credits':>14}")
    for row in rows:
        print(f"  {row['code'] + ' ' + row['currency']:<44} {row['debits']:>10} {row['credits']:>14}")


def _title(text: str) -> None:
    print(f"\n── {text} " + "─" * max(0, 100 - len(text)))


def _text(value: Json) -> str:
    """One line of JSON; what would fill the screen or is a secret is cut."""
    return json.dumps(_cut(value), ensure_ascii=False)


def _cut(value: object) -> object:
    if isinstance(value, dict):
        return {name: "…" if name in _HIDDEN else _cut(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cut(inner) for inner in value]
    return value


def _key() -> str:
    return f"walk-{secrets.token_hex(8)}"
