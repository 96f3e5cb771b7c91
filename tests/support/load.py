"""Load on a running stack: callers that wait for their answers, and a burst that does not."""

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pymysql

from local.aws import REGION
from tests.support.client import Answer, Api, Person, new_key
from tests.support.crowd import together

AMOUNT = 1
#: How many connections a user of the database has; and the one that pays.
CONNECTIONS = "SELECT COUNT(*) AS connections FROM information_schema.processlist WHERE user = %s"
PAYS = "wallet_money"
_SAMPLED_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """One payment that was asked for: by whom, under which key, what came back, after how many seconds."""

    payer: Person
    payee: Person
    key: str
    answer: Answer
    took_s: float


@dataclass(frozen=True, slots=True)
class Pace:
    """What callers who wait for each answer got: payments a second, and the median of the seconds that each took."""

    a_second: float
    median_s: float


class Crowd:
    """People with money who pay one another, one paisa each time."""

    def __init__(self, api: Api, *, pairs: int) -> None:
        made = together([lambda: (api.person(money=1_000_000), api.person())] * pairs)
        self._pairs = [pair for pair in made if not isinstance(pair, Exception)]
        assert len(self._pairs) == pairs, made

    @property
    def payers(self) -> list[Person]:
        """Those who pay."""
        return [payer for payer, _ in self._pairs]

    def pay(self, number: int, *, once: bool = False) -> Outcome:
        """A payment under a key of its own; with `once` it is the first answer that counts, also a refusal."""
        payer, payee = self._pairs[number % len(self._pairs)]
        return self.again(payer, payee, new_key(), once=once)

    @staticmethod
    def again(payer: Person, payee: Person, key: str, *, once: bool = False) -> Outcome:
        """A payment under this key."""
        began = time.monotonic()
        answer = payer.pay(payee, AMOUNT, key=key, once=once)
        return Outcome(payer, payee, key, answer, time.monotonic() - began)


def measure(crowd: Crowd, *, callers: int, seconds: float) -> Pace:
    """What so many callers get who each wait for an answer before they ask again; none is refused for good."""
    ends = time.monotonic() + seconds

    def call(first: int) -> list[Outcome]:
        made = []
        while time.monotonic() < ends:
            made.append(crowd.pay(first))
        return made

    began = time.monotonic()
    with ThreadPoolExecutor(callers) as pool:
        outcomes = [outcome for made in pool.map(call, range(callers)) for outcome in made]
    took = time.monotonic() - began
    assert {outcome.answer.status for outcome in outcomes} == {201}, statuses(outcomes)
    return Pace(len(outcomes) / took, statistics.median(outcome.took_s for outcome in outcomes))


def offer(crowd: Crowd, *, a_second: float, seconds: float, callers: int) -> list[Outcome]:
    """Asks at a steady rate, whatever the answers; late by as much as so many callers can't keep up."""
    count, began = round(a_second * seconds), time.monotonic()

    def call(number: int) -> Outcome:
        time.sleep(max(0.0, began + number / a_second - time.monotonic()))
        return crowd.pay(number, once=True)

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(call, range(count)))


def statuses(outcomes: Sequence[Outcome]) -> Counter[int]:
    """How many of each."""
    return Counter(outcome.answer.status for outcome in outcomes)


def percentile(outcomes: Sequence[Outcome], part: float) -> float:
    """The seconds that this part of them took at most."""
    took = sorted(outcome.took_s for outcome in outcomes)
    return took[min(len(took) - 1, int(len(took) * part))]


@contextmanager
def connections(api: Api) -> Iterator[Callable[[], int]]:
    """Within it, the most connections that payments had at once is looked for."""
    mysql = api.stack["mysql"]
    highest, over = [0], threading.Event()

    def watch() -> None:
        with (
            pymysql.connect(
                host=mysql["host"],
                port=mysql["port"],
                user=mysql["user"],
                password=mysql["password"],
                autocommit=True,
            ) as connection,
            connection.cursor() as cursor,
        ):
            while not over.wait(_SAMPLED_EVERY_S):
                cursor.execute(CONNECTIONS, (PAYS,))
                highest[0] = max(highest[0], cursor.fetchall()[0][0])

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: highest[0]
    finally:
        over.set()
        thread.join()


@contextmanager
def limits(api: Api, *, concurrency: int, a_second: int) -> Iterator[None]:
    """Gives `POST /payments` the limits that the template gives it by MoneyConcurrency and ApiRateLimit."""
    functions, gateway = _client(api, "lambda"), _client(api, "apigateway")
    pay = api.stack["functions"]["pay"]
    stage = {"restApiId": api.stack["api_url"].split("/")[-2], "stageName": "v1"}
    route = "/~1payments/POST/throttling"

    def throttle(rate: float, burst: int) -> None:
        changes = {f"{route}/rateLimit": rate, f"{route}/burstLimit": burst}
        operations = [{"op": "replace", "path": path, "value": str(value)} for path, value in changes.items()]
        gateway.update_stage(**stage, patchOperations=operations)

    usual = gateway.get_stage(**stage)["methodSettings"]["*/*"]
    functions.put_function_concurrency(FunctionName=pay, ReservedConcurrentExecutions=concurrency)
    throttle(a_second, a_second)
    try:
        yield
    finally:
        functions.delete_function_concurrency(FunctionName=pay)
        throttle(usual["throttlingRateLimit"], usual["throttlingBurstLimit"])


def _client(api: Api, service: Any) -> Any:
    session = boto3.Session("test", "test", region_name=REGION)
    return session.client(service, endpoint_url=api.stack["aws_endpoint_url"])
