"""A client as it should be: the same key, with back-off, until an answer comes or its patience ends."""

import random
import threading
import time
from dataclasses import dataclass, field
from functools import partial

import urllib3

from tests.faults.books_of_world import hex_of
from tests.faults.effects import mark_of_key, operators_scope
from tests.faults.history import History, Json, Operation, Try
from tests.faults.people import Society, User
from tests.faults.world import World
from tests.support.client import PASSWORD, Answer
from tests.support.proofs import ask_for_code, newest_code
from wallet.identity.accounts.model import scope_of

#: Who asks; Ravi approves. As IAM names them in the emulator's account.
OPERATOR = "000000000000/meera"
#: Where the books keep no words of an operation.
BY_KEY = "by key"

# Seconds, and how many have them. Some clients give up an answer long before it comes: theirs are the requests that
# meet themselves.
_TIMEOUTS = {0.3: 5, 3.0: 10, 15.0: 35, 31.0: 50}
_PATIENCES = (2.0, 15.0, 40.0)
_PAUSE_FIRST, _PAUSE_LONGEST = 0.1, 2.0


@dataclass(slots=True)
class Client:
    """One of those who call. `dice` are its own, from the seed."""

    world: World
    history: History
    society: Society
    dice: random.Random
    started: float
    #: Set when the harm is over: nobody waits any longer than for the answer at hand.
    closing: threading.Event = field(default_factory=threading.Event)

    def persist(
        self,
        operation: Operation,
        method: str,
        path: str,
        body: object = None,
        *,
        user: User | None = None,
        raw: bytes | None = None,
        patience_s: float | None = None,
    ) -> Json | None:
        """Tries until there is an answer or no patience left; what the answer says if it was carried out."""
        if operation.key is not None:
            operation.repeat = partial(
                self.persist, operation, method, path, body, user=user, raw=raw, patience_s=_PATIENCES[-1]
            )
        ends = time.monotonic() + (patience_s or self.dice.choice(_PATIENCES))
        pause = _PAUSE_FIRST
        while True:
            one, wish_s = self._try(operation, method, path, body, user=user, raw=raw)
            operation.tries.append(one)
            if one.is_done:
                told: Json = one.body
                return told
            if one.is_refused or self._gives_up(ends):
                return None
            if one.status == 401 and user is not None:
                self.log_in_again(user)
            time.sleep(self.dice.uniform(pause / 2, pause) if wish_s is None else min(wish_s, _PAUSE_LONGEST))
            pause = min(2 * pause, _PAUSE_LONGEST)

    def _gives_up(self, ends: float) -> bool:
        return self.closing.is_set() or time.monotonic() > ends

    def _try(
        self, operation: Operation, method: str, path: str, body: object, *, user: User | None, raw: bytes | None
    ) -> tuple[Try, float | None]:
        """One request; and how long its answer wishes us to wait."""
        began = time.monotonic()
        try:
            answer = self.world.api.call(
                method,
                path,
                body,
                raw=raw,
                token=user.access if user else None,
                key=operation.key,
                headers={"Content-Type": "text/csv"} if raw is not None else None,
                patience_s=self.dice.choices(list(_TIMEOUTS), list(_TIMEOUTS.values()))[0],
            )
        except urllib3.exceptions.HTTPError:
            return Try(began - self.started, time.monotonic() - began, None), None
        one = Try(
            began - self.started,
            time.monotonic() - began,
            answer.status,
            answer.code,
            answer.body if 200 <= answer.status < 300 else None,
            "idempotency-replayed" in answer.headers,
        )
        return one, _wish(answer)

    def begin(
        self, kind: str, user: User | None, asked: Json, *, mark: str | None = None, key: str | None = None
    ) -> Operation:
        """A new operation of a user, or of the operator; marked by its number unless told, or by its key (`BY_KEY`)."""
        number = self.society.next_number()
        actor, key = user.user if user else operators_scope(OPERATOR), key or f"key-{number}"
        mark = mark_of_key(actor, key) if mark == BY_KEY else mark or f"op{number}"
        return self.history.begin(Operation(kind, actor, mark, asked, key))

    def command(self, command: str, user: User, **more: object) -> None:
        """An operator's command about a user's wallet."""
        operation = self.begin("operator", None, {"wallet": user.wallet, "command": command})
        self.order(operation, {"command": command, "wallet_id": user.wallet_id, **more})

    def order(self, operation: Operation, command: Json, patience_s: float = 15.0) -> Json | None:
        """An operator's command, invoked until it is answered; its result if it was carried out."""
        operation.repeat = partial(self.order, operation, command, patience_s)
        ends = time.monotonic() + patience_s
        told = {"reason": operation.mark, "key": operation.key, **command}
        while True:
            began = time.monotonic()
            status, answer = self.world.command(told)
            took = time.monotonic() - began
            if status == 200:
                one = Try(began - self.started, took, 200, None, answer["result"], answer["replayed"])
            else:
                one = Try(began - self.started, took, status, answer.get("code"))
            operation.tries.append(one)
            if one.is_done:
                result: Json = one.body
                return result
            if one.is_refused or self._gives_up(ends):
                return None
            time.sleep(0.2)

    def register(self, kind: str, patience_s: float = 30) -> User | None:
        """Somebody new, logged in; None if that did not come about."""
        number = self.society.next_number()
        phone = f"+9196{number:08}"
        proof = self._prove(phone, patience_s)
        if proof is None:
            return None
        operation = Operation("register", scope_of(proof).hex, phone, {"kind": kind}, f"key-{number}")
        told = {
            "phone_proof": proof,
            "phone": phone,
            "name": f"Person {number}",
            "password": PASSWORD,
            "kind": kind,
        }
        body = self.persist(self.history.begin(operation), "POST", "/register", told, patience_s=patience_s)
        if body is None:
            return None
        user_id, wallet_id = body["user"]["id"], body["wallet"]["id"]
        user = User(phone, kind, user_id, wallet_id, hex_of(user_id), hex_of(wallet_id))
        self.log_in(user)
        self.society.users.append(user)
        return user

    def _prove(self, phone: str, patience_s: float) -> str | None:
        """A proof of a phone; whatever goes wrong on the way, another code is asked for."""
        ends = time.monotonic() + patience_s
        while not self._gives_up(ends):
            try:
                sent = ask_for_code(self.world.api, phone)
                if sent.status == 202:
                    told = {"code": newest_code(self.world.api, phone)}
                    shown = self.world.api.call("POST", f"/phone-proofs/{sent.body['id']}", told)
                    if shown.status == 200:
                        return str(shown.body["phone_proof"])
            except (urllib3.exceptions.HTTPError, IndexError):
                pass
            time.sleep(_PAUSE_FIRST)
        return None

    def log_in(self, user: User) -> None:
        """A new session; the old one is left alone."""
        told = {"phone": user.phone, "password": PASSWORD}
        self._session(user, Operation("login", user.user, user.phone, {}), "/login", told)

    def log_in_again(self, user: User) -> None:
        """By the refresh token if it still works, by password if not; one at a time for each user."""
        with user.lock:
            before, token = user.access, {"refresh_token": user.refresh}
            if user.refresh:
                self._session(user, Operation("refresh", user.user, user.phone, {}), "/token", token)
            if user.access == before:
                self.log_in(user)

    def _session(self, user: User, operation: Operation, path: str, told: Json) -> None:
        body = self.persist(self.history.begin(operation), "POST", path, told, patience_s=10)
        if body is not None:
            user.access, user.refresh = body["access_token"], body["refresh_token"]


def _wish(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after")
    return float(text) if text is not None and text.isdecimal() else None


def as_csv(rows: list[tuple[str, int, str]]) -> bytes:
    """A file of payments: to, amount, reference."""
    lines = ["to,amount,description,reference", *(f"{to},{amount},,{reference}" for to, amount, reference in rows)]
    return ("\n".join(lines) + "\n").encode()
