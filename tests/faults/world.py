"""The deployed stack with every wire in our hands, and what its books say."""

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import pymysql
import urllib3
from botocore.config import Config

from local import stack
from local.aws import REGION
from local.database import PrivateServer
from local.detours import Detours
from local.gateway.store import Store
from local.operators import send
from local.state import State
from tests.faults.aws_wire import AwsWire
from tests.faults.books_of_world import GatewayBook, read_gateway
from tests.faults.clocks import DatabaseClock, FunctionsClock
from tests.faults.database_wire import DatabaseWire
from tests.support.books import Books
from tests.support.client import Api

#: Hashing passwords and telling people are not what is tried here, and would take most of the machine.
_PARAMETERS = {"PasswordCost": "4", "DebitNotices": "off", "ConfirmationRules": "by_tier"}
#: Enough of each function to meet itself; each one that is killed takes a second of the machine to start anew.
_ENVIRONMENT = {"LOCAL_PROCESSES": "3"}

_COUNTED = {
    "lock_deadlocks": "(database: deadlocks, 1213, as the server counts)",
    "lock_timeouts": "(database: lock waits that ran out, 1205, as the server counts)",
}


class World:
    """A stack of our own, up for as long as the block lasts. Its data is left behind; it begins with none."""

    api: Api
    database_wire: DatabaseWire
    aws_wire: AwsWire
    server: PrivateServer
    books: Books
    database_clock: DatabaseClock

    def __init__(self, folder: Path) -> None:
        self.state = State(folder.absolute())
        self.functions_clock = FunctionsClock(self.state.folder)
        self._open = ExitStack()
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()

    def __enter__(self) -> Self:
        with self._open as opening:
            opening.callback(stack.down, self.state)
            by = Detours(self._through, self.functions_clock.environment | _ENVIRONMENT, _PARAMETERS)
            self.api = Api(stack.up(self.state, by=by))
            self.server = PrivateServer(self.state.folder / "mysql").ensure()
            self.books = Books(self.server)
            self.database_clock = DatabaseClock(self.connect, self.database_wire.cut_all)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _through(self, service: str, port: int) -> int:
        if service == "database":
            self.database_wire = self._open.enter_context(DatabaseWire(port))
            return self.database_wire.port
        self.aws_wire = self._open.enter_context(AwsWire(port))
        return self.aws_wire.port

    def connect(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """A connection of the schema's owner, straight to the server."""
        return pymysql.connect(
            host=self.server.host,
            port=self.server.port,
            user=self.server.owner_user,
            password=self.server.owner_password,
            database=self.server.database,
            ssl={"check_hostname": False},
            autocommit=True,
            connect_timeout=5,
            read_timeout=60,
        )

    @property
    def gateway_book(self) -> Store:
        """The memory of the gateway simulator; to be closed."""
        return Store(self.state.folder / "gateway" / "gateway.sqlite3")

    def read_gateway(self) -> GatewayBook:
        """Everything in the gateway simulator's memory."""
        with contextlib.closing(self.gateway_book) as store:
            return read_gateway(store)

    def workers(self, function: str = "") -> list[int]:
        """The processes of a function, by a part of its name; of all functions if there is none."""
        mark = f"{self.state.folder / 'tmp'}/ministack-lambda-"
        told = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, text=True, check=True)
        lines = [line.split(None, 1) for line in told.stdout.splitlines()]
        return [int(pid) for pid, command in lines if mark in command and function in command.split(mark, 1)[1]]

    def kill_database(self) -> None:
        """SIGKILL for the database server, which is then started again: what it had not written is gone."""
        leader = self.server.daemon.pid()
        if leader is not None:
            os.killpg(leader, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(leader, 0)
        self.server.start()

    def tell_gateway(self, path: str, body: Mapping[str, object], method: str = "POST") -> tuple[int, Any]:
        """One of the simulator's controls; its status and answer."""
        url = f"{self.api.stack['gateway_url']}/simulator/{path}"
        answer = self.api.pool.request(method, url, json=dict(body), timeout=30.0)
        return answer.status, answer.json()

    @cached_property
    def _functions(self) -> dict[str, str]:
        """Every function's name, by what the template calls it."""
        found = self._aws("lambda").get_paginator("list_functions").paginate()
        names = [function["FunctionName"] for page in found for function in page["Functions"]]
        return {name.split("-")[1]: name for name in names}

    def invoke(self, function: str, payload: Mapping[str, object] | None = None, *, wait: bool = True) -> Any:
        """Invokes a function, named as in the template. Its answer; None if it failed, or if nobody waits."""
        answer = self._aws("lambda").invoke(
            FunctionName=self._functions[function],
            InvocationType="RequestResponse" if wait else "Event",
            Payload=json.dumps(payload or {}).encode(),
        )
        said = json.loads(answer["Payload"].read() or "null")
        return None if answer.get("FunctionError") else said

    def command(self, command: Mapping[str, object]) -> tuple[int | None, dict[str, Any]]:
        """A command by Meera, which Ravi approves if it takes two people: status and body, None if no answer came."""
        try:
            answer = send(self.api.stack, json.dumps(command), operator="meera")
            if answer.json().get("status") in ("waiting", "approved"):
                asked = answer.json()["result"]
                approval = json.dumps({"command": "approve", "request": asked["request_id"]})
                answer = send(self.api.stack, approval, operator="ravi", role=asked["role"])
            return answer.status, answer.json()
        except (urllib3.exceptions.HTTPError, ValueError):
            return None, {}

    def count_locks(self) -> Counter[str]:
        """What the server has counted since it was started: deadlocks, and lock waits that ran out."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(r"SELECT name, count FROM information_schema.innodb_metrics WHERE name LIKE 'lock\_%'")
            told = dict(cursor.fetchall())
        return Counter({said: int(told[name]) for name, said in _COUNTED.items()})

    def forget_keys(self, dice: random.Random, *, share: float) -> int:
        """DynamoDB loses this share of what it kept; how many records those were."""
        client = self._aws("dynamodb")
        table = self.api.stack["idempotency_table"]
        found = client.scan(TableName=table, ProjectionExpression="id")["Items"]
        chosen = dice.sample(found, int(len(found) * share))
        for item in chosen:
            client.delete_item(TableName=table, Key={"id": item["id"]})
        return len(chosen)

    def end_payouts(self, dice: random.Random) -> int:
        """What waits at the bank comes to an end; how many payouts did."""
        store = self.gateway_book
        waiting = [payout.id for payout in store.payouts(None) if payout.status == "processing"]
        store.close()
        for payout_id in waiting:
            outcome = dice.choice(("processed", "processed", "failed", "reversed"))
            self.tell_gateway(f"payouts/{payout_id}", {"outcome": outcome, "silent": dice.random() < 0.2})
        return len(waiting)

    def _aws(self, service: str) -> Any:
        """A client of the emulator; each is made once, and used by many."""
        with self._making:
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
            return self._clients[service]

    def _new_client(self, service: str) -> Any:
        # credentials of an emulator: nothing of a person's own
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        url = self.api.stack["aws_endpoint_url"]
        return session.client(service, endpoint_url=url, config=_PATIENT)  # type: ignore[call-overload]  # by name


_PATIENT = Config(read_timeout=330, retries={"total_max_attempts": 1})
