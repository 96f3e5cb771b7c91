"""What crash points and database faults are tried on: a database, AWS, a gateway, and doors whose processes may die."""

import hashlib
import json
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from local.gateway.server import Simulator
from tests.integration import razorpay_simulator as razorpay
from tests.integration.conftest import Functions
from tests.support.books import GATEWAY, Books, Person
from tests.support.client import wait_until
from tests.support.cloud import TABLE, Cloud
from tests.support.cold import ColdFunction, Run
from wallet import wiring
from wallet.movements.top_up import receipt_of
from wallet.storage import top_ups

Json = dict[str, Any]

#: What a killed process had been given, in seconds, and so how long its key may answer 409. In production it is the 15
#: seconds of the function's time-out.
IN_PROGRESS_S = 0.3
#: What is given to a process that may live.
LONG_S = 60.0
#: How long a client asks again whom a busy machine tells to come back, and a dead process's statement may run.
_BUSY_S = 60.0


class Doors:
    """Functions by their names, each started when it is first asked for, with changes to its environment."""

    def __init__(self, functions: Functions, folder: Path, running: ExitStack, **changes: str) -> None:
        self._functions, self._folder, self._running = functions, folder, running
        # what is asked about again is due when a test says so, and not by itself; nor is any payment in the list yet
        self._changes = {"RECONCILE_AFTER_SECONDS": "86400", "WEB_ORIGIN": "https://wallet.example", **changes}
        self._known: dict[str, ColdFunction] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> ColdFunction:
        with self._lock:
            if name not in self._known:
                environment = self._functions.environment(name, **self._changes)
                cold = ColdFunction(name, environment, self._folder / f"{name}.log")
                self._known[name] = self._running.enter_context(cold)
            return self._known[name]


@dataclass(frozen=True, slots=True)
class World:
    """All of it."""

    books: Books
    cloud: Cloud
    simulator: Simulator
    doors: Doors

    def answer(self, door: str, event: Json) -> Json:
        """A whole run of a door in a process of its own; its answer."""
        run = self.doors[door].run(event, timeout_s=LONG_S)
        assert run.error is None, run.error
        answer: Json = run.answer
        return answer

    def repeated(self, door: str, event: Json) -> Json:
        """What a client does whose answer was lost just now: the same request, again while its key is in use.

        No longer than the dead process's time: whoever asks after that is answered, if the machine isn't too busy.
        """
        promised = time.time() + IN_PROGRESS_S + 0.01
        patience_ends = promised + _BUSY_S
        while True:
            asked_at = time.time()
            answer = self.answer(door, event)
            code = told(answer).get("code")
            if code == "idempotency_key_in_use":
                assert asked_at <= promised, "a dead process's record holds up its key for longer than promised"
            elif code != "try_again" or asked_at > patience_ends:
                return answer
            time.sleep(0.02)

    def forget(self, function: str, actor_id: UUID, key: str) -> None:
        """DynamoDB loses what it knew of a key, as it does by itself after a day."""
        digest = hashlib.sha256(json.dumps([str(actor_id), key]).encode()).hexdigest()
        table: Any = self.cloud.client("dynamodb")
        lost = table.delete_item(
            TableName=TABLE, Key={"id": {"S": f"wallet.{function}.v1#{digest}"}}, ReturnValues="ALL_OLD"
        )
        assert "Attributes" in lost, "it knew nothing"

    def attempt(
        self, person: Person, amount: int, *, valid_s: int = 3600, first_check_s: int = 3600, attached: bool = True
    ) -> tuple[UUID, str]:
        """An attempt of theirs, and its order at the gateway, which our row knows of if `attached`."""
        money = self.books.as_role("money")
        top_up, payer, _ = top_ups.open_top_up(
            money,
            person.claim(),
            attempt_id=wiring.new_id(),
            gateway=GATEWAY,
            amount=amount,
            valid_s=valid_s,
            first_check_s=first_check_s,
        )
        made = razorpay.adapter(self.simulator).create_order(
            receipt=receipt_of(top_up.id), amount_minor=amount, currency="INR", contact=payer.phone
        )
        if attached:
            top_ups.attach_order(money, top_up.id, order_id=made.order_id)
        money.close()
        return top_up.id, made.order_id

    def pays(self, order_id: str, outcome: str = "captured_without_webhook") -> str:
        """The person with the UPI app pays an order; the payment's id."""
        payment_id: str = razorpay.play(self.simulator, order_id, outcome)["payments"][0]["id"]
        return payment_id

    def wallets(self, *people: Person) -> list[tuple[int, int]]:
        """What is in each one's wallet and what of it is held, in paise: all of one moment, whoever is at work."""
        query = (
            "SELECT w.id, w.held, w.balance + COALESCE((SELECT SUM(s.balance) FROM wallet_slots s"
            " WHERE s.wallet_id = w.id), 0) AS balance FROM wallets w WHERE w.id IN %s"
        )
        rows = self.books.select(query, tuple(person.wallet_id.bytes for person in people))
        found = {row["id"]: (int(row["balance"]), int(row["held"])) for row in rows}
        return [found[person.wallet_id.bytes] for person in people]

    def until_nobody_is_at_work(self, run: Run) -> None:
        """The database has ended what a dead process asked for, and does nothing for anybody else.

        The dead process's sessions are gone by then. What they do is no sign: a busy server has not yet begun with what
        was sent, and shows a session that has nothing to do.
        """
        users = sorted({known.username for known in self.books.credentials.values()})
        # Counted there: the text of a statement that runs may hold an id's sixteen bytes, which are no UTF-8.
        query = (
            "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()"
            " AND (ID IN %s OR (COMMAND = 'Query' AND USER IN %s))"
        )
        sessions = run.sessions or [0]
        wait_until(lambda: not self.books.select(query, sessions, users)[0]["n"], within_s=_BUSY_S, every_s=0.01)

    def booked(self, payment_id: str) -> list[Json]:
        """The transactions that a gateway payment came to: its type, amount, and why it is in suspense."""
        return self.books.select(
            "SELECT t.type, t.amount, g.suspense_reason FROM gateway_payments g"
            " JOIN transactions t ON t.id = g.transaction_id WHERE g.gateway_payment_id = %s",
            payment_id,
        )


class Situation:
    """One fresh case of something: what the door is asked, and what must be so when a process died over it."""

    #: What the process is given, in seconds.
    timeout_s = IN_PROGRESS_S
    #: Whether a run that isn't killed ends in an error, for people to see.
    fails = False
    event: Json = {}  # noqa: RUF012 - each has its own, or none

    def after_death(self, run: Run, /) -> None:
        """Does what those do who were waiting, and looks at everything. The run has an answer if it was handed over."""
        raise NotImplementedError


def told(answer: Json) -> Json:
    """The body of an answer."""
    body: Json = json.loads(answer["body"])
    return body
