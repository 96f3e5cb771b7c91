"""Settlements of top-ups by a gateway's webhooks, beside payments, in books that have grown: `make bench`.

A private server with durable commits, and callers in processes of their own over TLS as the functions are. A settlement
is what the webhook's function does with `payment.captured` of a top-up that was opened before: the signature over the
bytes as they came, the event kept, the bank's reference, the money booked, the event finished, by the service and the
adapter that the function calls, as its own database user. Left out are API Gateway, Lambda, reading its event and
writing its answer, logs and the memory of the secret. That top-ups are opened, and events written, isn't measured.

The books are filled to each of the sizes, with a top-up that a webhook has settled for every three payments. There
payments among random wallets and settlements take turns, and medians of the rounds are compared. Ends with status 1
below what `AT_LEAST` and `STEADY` promise, or if the books are wrong.
"""

import argparse
import hashlib
import hmac
import math
import random
import secrets
import sys
import tempfile
import time
from collections import deque
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.callers import Callers, Load, ours
from benchmarks.filling import AMOUNT, Filling
from benchmarks.kept import keep
from benchmarks.payments import RANDOM, Measured
from local.database import PrivateServer
from local.gateway.shapes import Payment, new_id
from local.gateway.webhooks import Event
from tests.support.books import GATEWAY, Books
from tests.unit.calls import request
from wallet import wiring
from wallet.edge.events import read_event
from wallet.edge.requests import Request
from wallet.gateways.razorpay.webhook import RazorpayWebhook
from wallet.movements.settle import EventOutcome, receive
from wallet.storage.database import Credentials, Database, Server

_MONEY = 10_000_000
#: Of the payments' rate.
AT_LEAST = 0.4
#: Of their own rate in the smallest books, in the largest.
STEADY = 0.8
_ACCOUNT = "acc_Benchmark00001"
#: Two are live after a rotation.
_SECRETS = ("the-secret-of-now", "the-secret-before-it")
#: How many top-ups each wallet has open at a time, on average; it may have 50.
_OPEN = 30
#: Settlements a second that work is laid out for until there is a rate.
_FIRST_RATE = 1000.0


def main() -> int:
    """For each size how full the tables are and a line for each of the two; then the check that the books are right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--books", type=int, nargs="+", default=[40_000, 300_000], help="payments in them")
    parser.add_argument("--at-least", type=float, default=AT_LEAST, help="of the payments' rate")
    parser.add_argument("--keep", action="store_true", help="for `make performance`")
    given = parser.parse_args()
    kept: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder, PrivateServer(Path(folder)) as server:
        program = server.program
        print(
            f"{program.flavour} {program.version}: payments and settlements a second,"
            f" the median of {given.rounds} rounds of {given.callers} callers",
            flush=True,
        )
        books = Books(server)
        books.migrate()
        people = [books.person(money=_MONEY) for _ in range(given.people)]
        filling = Filling(books, people, body_of("THE_ORDER", "THE_PAYMENT", "THE_RRN"))
        ids = [(person.user_id.bytes, person.wallet_id.bytes) for person in people]
        half = len(ids) // 2
        load = Load(RANDOM, ours, books.server, books.owner_credentials, ids[:half], ids[half:])
        settle = partial(settle_as_told, books.server, books.credentials["gateway"])
        with Callers(given.callers) as payers, Callers(given.callers, settle) as callers:
            settlers = Settlers(callers, given.callers, filling, at_most=_OPEN * given.people)
            found, passed = list[tuple[Measured, Measured]](), True
            for size in sorted(given.books):
                filling.grow(size)
                rows = ", ".join(f"{name} {number:,}" for name, number in filling.counted().items())
                print(f"  {size:,} payments in the books; rows: {rows}", flush=True)
                succeeded = _succeeded(books) - settlers.settled
                payments, settlements = measure(payers, load, settlers, rounds=given.rounds, seconds=given.seconds)
                print(f"     {payments}, payments\n     {settlements}, settlements")
                found.append((payments, settlements))
                kept.append({"books": size, "payments": payments.rate, "settled": settlements.rate})
                share = settlements.rate / payments.rate
                passed &= judge(share >= given.at_least, f"{share:.2f} of the payments (at least {given.at_least:.2f})")
                uncounted = _succeeded(books) - settlers.settled - succeeded
                passed &= judge(uncounted == 0, f"as many top-ups have succeeded as were counted, and {uncounted} more")
        if len(found) > 1:
            of_payments, of_settlements = (
                last.rate / first.rate for first, last in zip(found[0], found[-1], strict=True)
            )
            told = f"{of_settlements:.2f} of their rate in the smallest books (at least {STEADY:.2f})"
            passed &= judge(
                of_settlements >= STEADY, f"in the largest books {told}; payments {of_payments:.2f} of theirs"
            )
        faults = books.faults()
        print("  the books are right" if not faults else f"  THE BOOKS ARE WRONG: {faults}")
        if given.keep:
            keep(program, "webhooks", kept)
    return 0 if passed and not faults else 1


def judge(passes: bool, told: str) -> bool:  # noqa: FBT001 - what is judged
    """Prints what is judged, and is it."""
    print(f"     {'pass' if passes else 'FAIL'}: {told}", flush=True)
    return passes


def _succeeded(books: Books) -> int:
    return int(books.select("SELECT COUNT(*) AS n FROM payment_attempts WHERE status = 'succeeded'")[0]["n"])


def body_of(order_id: str, payment_id: str, rrn: str) -> bytes:
    """The body of a webhook that tells of a captured payment by UPI, as the gateway writes it."""
    payment = Payment(
        payment_id,
        order_id,
        AMOUNT,
        "INR",
        int(time.time()),
        "asha.rao@example.com",
        "+919876543210",
        status="captured",
        captured=True,
        vpa="asha.rao@okbank",
        rrn=rrn,
        upi_transaction_id=secrets.token_hex(16).upper(),
        order_amount=AMOUNT,
    )
    return Event("payment.captured", payment).body(_ACCOUNT)


class Settlers:
    """Callers who settle (`settle_as_told`), and the top-ups that they are given to settle.

    There are never more than `at_most` open, or wallets would have too many. `settled`: how many they have settled.
    """

    def __init__(self, callers: Callers, number: int, filling: Filling, *, at_most: int) -> None:
        self._callers = callers
        self._number = number
        self._filling = filling
        self._at_most = at_most
        self._rate = _FIRST_RATE
        self._open = 0
        self.settled = 0

    def settle(self, seconds: float) -> tuple[float, list[float]]:
        """Settles for so long; how many a second, and the seconds that each took.

        There is work for twice the last rate. Should a caller run out of it all the same, its rate is of the time that
        it had some.
        """
        wanted = min(math.ceil(2 * self._rate * seconds), self._at_most) - self._open
        orders = self._filling.orders(max(0, wanted))
        random.shuffle(orders)
        self._callers.each([orders[caller :: self._number] for caller in range(self._number)])
        answers: list[tuple[float, list[float]]] = self._callers.each([seconds] * self._number)
        took = [second for _, of_one in answers for second in of_one]
        self._rate = sum(len(of_one) / elapsed for elapsed, of_one in answers)
        self._open += len(orders) - len(took)
        self.settled += len(took)
        return self._rate, took


def measure(
    payers: Callers, load: Load, settlers: Settlers, *, rounds: int, seconds: float
) -> tuple[Measured, Measured]:
    """Payments and settlements in turn, round by round; before that each once, so that caches are warm."""
    payers.pay(load, min(1.0, seconds))
    settlers.settle(min(1.0, seconds))
    payments, settlements = Measured(), Measured()
    for number in range(rounds):
        for measured in (payments, settlements) if number % 2 else (settlements, payments):
            if measured is payments:
                took = payers.pay(load, seconds)
                rate = len(took) / seconds
            else:
                rate, took = settlers.settle(seconds)
            measured.rates.append(rate)
            measured.took.extend(took)
    payments.took.sort()
    settlements.took.sort()
    return payments, settlements


def settle_as_told(server: Server, credentials: Credentials, told: Connection) -> None:
    """A caller's process. Told orders, it has their events ready; told seconds, it settles for so long."""
    database = Database(server, lambda *, fresh: credentials)  # noqa: ARG005 - they never change
    database.read("SELECT 1 AS one")
    events: deque[Request] = deque()
    told.send("ready")
    while (order := told.recv()) is not None:
        if isinstance(order, list):
            events.extend(_event_of(order_id) for order_id in order)
            told.send(len(events))
            continue
        took: list[float] = []
        began = now = time.monotonic()
        while events and now < began + order:
            _settle(database, events.popleft())
            ended = time.monotonic()
            took.append(ended - now)
            now = ended
        told.send((now - began, took))
    database.close()


def _event_of(order_id: str) -> Request:
    """The webhook of a payment of this order, signed, as the door reads it."""
    body = body_of(order_id, new_id("pay_"), f"{secrets.randbelow(10**12):012}")
    headers = {
        "content-type": "application/json",
        "user-agent": "Razorpay-Webhook/v1",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-proto": "https",
        "x-razorpay-event-id": new_id(),
        "x-razorpay-signature": hmac.new(_SECRETS[0].encode(), body, hashlib.sha256).hexdigest(),
    }
    return request(body, route="POST /webhooks/{gateway}", path={"gateway": GATEWAY}, headers=headers)


def _reader(gateway_name: str, *, fresh: bool) -> RazorpayWebhook:  # noqa: ARG001 - there is one, and it stays
    """Made anew for each event, as the function does."""
    return RazorpayWebhook(_SECRETS, account_id=_ACCOUNT)


def _settle(database: Database, told: Request) -> None:
    """What the function does with a request."""
    event = read_event(told, GATEWAY, _reader)
    outcome = receive(database, wiring.new_id, event, gateway=GATEWAY, body=told.body)
    if outcome is not EventOutcome.PROCESSED:
        raise RuntimeError(f"an event was not processed but {outcome.value}")


if __name__ == "__main__":
    sys.exit(main())
