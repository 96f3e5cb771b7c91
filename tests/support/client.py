"""The API over HTTP, as any client calls it, and the people who do."""

import itertools
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import urllib3

from local.invocation import invoke
from local.operators import send
from tests.support import contract
from tests.support.addresses import coming_from, new_address
from tests.support.proofs import proof_put_into, prove

Json = dict[str, Any]

PASSWORD = "correct horse battery staple"
_PATIENCE_S = 40
_BUSY_S = 90
_COME_BACK = ("try_again", "gateway_unavailable", "idempotency_key_in_use")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str

    @property
    def code(self) -> str | None:
        """The code of a problem document, None for anything else."""
        is_problem = self.headers.get("content-type") == "application/problem+json"
        return self.body.get("code") if is_problem and isinstance(self.body, dict) else None

    @property
    def says_come_back(self) -> bool:
        """Whether the same request under the same key may get more: something is busy, or API Gateway got no answer."""
        return self.code in _COME_BACK or (self.code is None and self.status >= 500)


def answer_of(response: urllib3.BaseHTTPResponse) -> Answer:
    """What came back, whether it is JSON or not."""
    text = response.data.decode("utf-8", "replace")
    try:
        content = json.loads(text) if text else None
    except ValueError:
        content = None
    lower = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, lower, content, text)


def documented(method: str, path: str, answer: Answer) -> Answer:
    """The answer, if it is one that the API's document has."""
    faults = contract.faults_of(method, path, answer.status, answer.headers, answer.body)
    assert not faults, f"{method} {path}: {answer.status} {faults}: {answer.text[:500]}"
    return answer


@dataclass(slots=True)
class Api:
    """A running wallet. Safe to be used by many threads."""

    stack: Json
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=64, retries=False))

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        token: str | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        patience_s: float = 90.0,
    ) -> Answer:
        """One request; `raw` is sent as it is, `body` as JSON."""
        sent = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        told = {"Content-Type": "application/json"} if sent is not None else {}
        if token is not None:
            told["Authorization"] = f"Bearer {token}"
        if key is not None:
            told["Idempotency-Key"] = key
        told |= dict(headers or {})
        url = self.stack["api_url"] + path
        response = self.pool.request(method, url, body=sent, headers=told, timeout=patience_s)
        return documented(method, path, answer_of(response))

    def person(
        self, *, money: int = 0, kind: str = "personal", name: str = "Asha Rao", phone: str | None = None
    ) -> "Person":
        """Somebody new, logged in, with some money in minor units that came by UPI."""
        phone, key, address = phone or new_phone(), new_key(), new_address()
        proof = proof_put_into(self.stack["mysql"], phone)
        told = {"phone_proof": proof, "phone": phone, "name": name, "password": PASSWORD, "kind": kind}
        registered = until_answered(lambda: self.call("POST", "/register", told, key=key, headers=coming_from(address)))
        assert registered.status == 201, registered.text
        shown, headers = {"phone": phone, "password": PASSWORD}, coming_from(address)
        session = until_answered(lambda: self.call("POST", "/login", shown, headers=headers))
        assert session.status == 200, session.text
        body = registered.body
        person = Person(self, body["user"]["id"], body["wallet"]["id"], phone, session.body, address)
        if money:
            person.top_up(money)
        return person

    def prove(self, phone: str, purpose: str = "register", *, address: str | None = None) -> str:
        """A proof of a phone, by the code that came to it; from an address of its own, if none is told."""
        return prove(self, phone, purpose, address=address or new_address(), until=until_answered)

    def command(self, command: Mapping[str, object], *, operator: str = "meera", role: str | None = None) -> Answer:
        """An operator's command, signed as on AWS; it goes where it belongs unless a role is told."""
        answer = answer_of(send(self.stack, json.dumps(command), operator=operator, role=role))
        return documented("POST", "/operator/look/commands", answer)  # by each role the same

    def ordered(self, command: str, **more: object) -> Json:
        """A command of Meera's that is carried out, which Ravi approves if it takes two people; what it came to."""
        told = {"command": command, "reason": "the owner asked", "key": new_key()} | more
        answer = self.command(told)
        if answer.body["status"] in ("waiting", "approved"):
            asked = answer.body["result"]
            approval = {"command": "approve", "request": asked["request_id"]}
            answer = self.command(approval, operator="ravi", role=asked["role"])
        assert answer.status == 200, answer.text
        body: Json = answer.body
        return body

    def let_the_clock_run(self, function: str = "reconcile") -> Json:
        """Runs now what otherwise runs on its schedule."""
        return invoke(self.stack, function, "{}")

    def gateway_is_quiet(self, order_id: str | None = None) -> bool:
        """Whether the gateway has no webhook left to send, or to send again; of one order, or of all that there are."""
        url = f"{self.stack['gateway_url']}/simulator/deliveries"
        asked = {} if order_id is None else {"order_id": order_id}
        answer = self.pool.request("GET", url, fields=asked, timeout=30.0)
        return all(webhook["status"] not in {"waiting", "sending"} for webhook in answer.json()["deliveries"])

    def play(self, order_id: str, outcome: str, **more: object) -> Json:
        """The person with the UPI app."""
        url = f"{self.stack['gateway_url']}/simulator/orders/{order_id}/pay"
        answer = self.pool.request("POST", url, json={"outcome": outcome, **more}, timeout=30.0)
        assert answer.status == 200, answer.data
        told: Json = answer.json()
        return told


@dataclass(frozen=True, slots=True)
class Person:
    """A registered user with a session, whose client comes back when it is told to.

    `address` is where they seem to have signed in from.
    """

    api: Api
    user_id: str
    wallet_id: str
    phone: str
    session: Json
    address: str = "127.0.0.1"

    @property
    def token(self) -> str:
        """Their access token."""
        token: str = self.session["access_token"]
        return token

    def signed_in_again(self) -> "Person":
        """They, in another session."""
        shown, headers = {"phone": self.phone, "password": PASSWORD}, coming_from(self.address)
        session = until_answered(lambda: self.api.call("POST", "/login", shown, headers=headers))
        assert session.status == 200, session.text
        return replace(self, session=session.body)

    def get(self, path: str) -> Answer:
        """A reading request of theirs."""
        return until_answered(lambda: self.api.call("GET", path, token=self.token))

    def post(self, path: str, body: object, *, key: str | None = None, once: bool = False) -> Answer:
        """A request of theirs that may move money, under a new key if none is given.

        With `once` it is the first answer, also one that says to come back.
        """
        key = key or new_key()

        def ask() -> Answer:
            return self.api.call("POST", path, body, token=self.token, key=key)

        return ask() if once else until_answered(ask)

    def pay(
        self, payee: "Person", amount: int, *, key: str | None = None, once: bool = False, **more: object
    ) -> Answer:
        """A payment, by the payee's wallet."""
        told = {"to": {"wallet_id": payee.wallet_id}, "amount": amount, **more}
        return self.post("/payments", told, key=key, once=once)

    def open_top_up(self, amount: int, *, key: str | None = None) -> Json:
        """A top-up that nobody has paid yet."""
        answer = self.post("/top-ups", {"amount": amount}, key=key)
        assert answer.status == 201, answer.text
        told: Json = answer.body
        return told

    def top_up(self, amount: int) -> None:
        """Money by UPI; returns when it is there."""
        before = self.balance()
        opened = self.open_top_up(amount)
        self.api.play(opened["gateway_order_id"], "captured")
        wait_until(lambda: self.balance() == before + amount)

    def balance(self) -> int:
        """The wallet's total."""
        answer = self.get("/wallet")
        assert answer.status == 200, answer.text
        total: int = answer.body["balance"]["total"]
        return total

    def top_up_state(self, top_up_id: str) -> Json:
        """A top-up as it stands."""
        answer = self.get(f"/top-ups/{top_up_id}")
        assert answer.status == 200, answer.text
        told: Json = answer.body
        return told


_phones = itertools.count(secrets.randbelow(10**8))


def new_phone() -> str:
    """A phone that nobody has registered."""
    return f"+9197{next(_phones) % 10**8:08}"


def new_key() -> str:
    """An idempotency key."""
    return f"test-{secrets.token_hex(10)}"


def until_answered(ask: Callable[[], Answer]) -> Answer:
    """The first answer that doesn't say to come back, as a client gets it from a busy stack; the last if all say so."""
    ends = time.monotonic() + _BUSY_S
    while (answer := ask()).says_come_back and time.monotonic() < ends:
        time.sleep(0.1)
    return answer


def wait_until(true: Callable[[], bool], *, within_s: float = _PATIENCE_S, every_s: float = 0.1) -> None:
    """Waits for what comes by itself; fails when it does not."""
    ends = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < ends, "it never became true"
        time.sleep(every_s)


def at_the_end(person: Person, top_up_id: str, status: str) -> Json:
    """A top-up when it has come to `status`."""
    wait_until(lambda: person.top_up_state(top_up_id)["status"] == status)
    return person.top_up_state(top_up_id)


def pointed_at() -> str | None:
    """The stack that the environment names for end-to-end tests: a file like stack.json."""
    return os.environ.get("STACK")
