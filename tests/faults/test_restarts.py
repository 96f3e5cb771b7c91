"""A stack that has money in it is ended, restarted, killed and deployed otherwise: it is the same stack each time.

One story in the order of the tests, on a stack of its own, by the commands that a person types.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
import pytest

from local import stack
from local.__main__ import main
from local.aws import Emulator
from local.database import PrivateServer
from local.invocation import session
from local.state import ROOT, State
from tests.support.client import PASSWORD, Api, Json, Person, new_key, until_answered, wait_until
from tests.support.confirming import confirm, required
from tests.support.leftovers import RESTARTED, stack_to_ourselves

#: `python -m local`, also where these tests run in the background and are not to hear of a Ctrl-C.
_COMMAND = """
import signal, sys
from local.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
sys.exit(main(sys.argv[1:]))
"""
_START_S, _RUN_S, _END_S = 300, 600, 120


@dataclass(slots=True)
class Restarted:
    """The stack, and what must never be another: filled in when it was up for the first time."""

    state: State
    identity: dict[str, Any] = field(default_factory=dict)
    asha: Person | None = None
    key: str = field(default_factory=new_key)
    paid: Json = field(default_factory=dict)

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """One of the commands, in a session of its own, as in a terminal."""
        command = [sys.executable, "-c", _COMMAND, *arguments, "--state", str(self.state.folder)]
        self.state.folder.mkdir(parents=True, exist_ok=True)
        with self.said.open("w") as said:
            return subprocess.Popen(
                command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT, text=True, start_new_session=True
            )

    @property
    def said(self) -> Path:
        """What the last command has printed."""
        return self.state.folder / "said.txt"

    def do(self, *arguments: str) -> str:
        """One of the commands, which must succeed; what it printed."""
        done = self.begin(*arguments).wait(timeout=_RUN_S)
        assert done == 0, self.said.read_text()
        return self.said.read_text()

    def api(self) -> Api:
        return Api(stack.read(self.state))

    def kill(self) -> None:
        """SIGKILL for every process of the stack, at once."""
        daemons = [self.state.daemon("ministack"), self.state.daemon("gateway"), self._server().daemon]
        for pid in filter(None, [daemon.pid() for daemon in daemons]):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        wait_until(lambda: all(daemon.pid() is None for daemon in daemons))

    def _server(self) -> PrivateServer:
        return PrivateServer(self.state.folder / "mysql")

    def require_the_same_stack_and_good_books(self) -> None:
        """The same keys, bucket, chain and ledger, a payment that is still answered for, and a passing audit."""
        assert self.asha is not None
        content = stack.read(self.state)
        assert {name: content[name] for name in self.identity["named"]} == self.identity["named"]
        assert (_public_key(content), _token_secret(content)) == self.identity["secrets"]
        assert _checkpoint(content, 1) == self.identity["first_checkpoint"]
        api, credentials = Api(content), {"phone": self.asha.phone, "password": PASSWORD}
        logged_in = until_answered(lambda: api.call("POST", "/login", credentials))  # the last one's time may be over
        asha = Person(api, self.asha.user_id, self.asha.wallet_id, self.asha.phone, logged_in.body)
        again = asha.post("/payments", self.paid["asked"], key=self.key)
        assert (again.status, again.body) == (201, self.paid["answer"])
        assert main(["audit", "--state", str(self.state.folder)]) == 0


@pytest.fixture(scope="module")
def restarted(request: pytest.FixtureRequest) -> Iterator[Restarted]:
    with stack_to_ourselves(RESTARTED) as state:
        stack.down(state)
        shutil.rmtree(state.folder, ignore_errors=True)
        restarted = Restarted(state)
        try:
            yield restarted
        finally:
            stack.down(state)
        if request.session.testsfailed == 0:  # else its logs are what there is to read
            shutil.rmtree(state.folder)


def _public_key(content: Json) -> bytes:
    kms = session().client("kms", endpoint_url=content["aws_endpoint_url"])
    key: bytes = kms.get_public_key(KeyId=content["checkpoint_key"])["PublicKey"]
    return key


def _token_secret(content: Json) -> str:
    secrets = session().client("secretsmanager", endpoint_url=content["aws_endpoint_url"])
    text: str = secrets.get_secret_value(SecretId=content["token_secret"])["SecretString"]
    return text


def _checkpoint(content: Json, number: int) -> tuple[object, ...]:
    s3 = session().client("s3", endpoint_url=content["aws_endpoint_url"])
    found = s3.get_object(Bucket=content["checkpoint_bucket"], Key=f"checkpoints/{number:012}.json")
    return found["Body"].read(), found["VersionId"], found["ObjectLockMode"], found["ObjectLockRetainUntilDate"]


def _run_and_end(restarted: Restarted, with_signal: signal.Signals) -> str:
    """`make run`: ends by the signal when the walk is done."""
    running = restarted.begin("run")
    wait_until(lambda: "Ctrl-C ends it." in restarted.said.read_text() or running.poll() is not None, within_s=_RUN_S)
    assert running.poll() is None, restarted.said.read_text()
    if not restarted.identity:
        _remember(restarted)
    else:
        restarted.require_the_same_stack_and_good_books()
    running.send_signal(with_signal)
    assert running.wait(timeout=_END_S) == 0, restarted.said.read_text()
    assert "does not run" in "".join(stack.status(restarted.state).values())
    assert not stack.is_up(restarted.state)
    return restarted.said.read_text()


def _remember(restarted: Restarted) -> None:
    content = stack.read(restarted.state)
    api = Api(content)
    asha, shop = api.person(money=50_000), api.person()
    asked = {"to": {"wallet_id": shop.wallet_id}, "amount": 1_000}
    answer = asha.post("/payments", asked, key=restarted.key)
    assert answer.status == 201, answer.text
    restarted.asha, restarted.paid = asha, {"asked": asked, "answer": answer.body}
    names = ("checkpoint_bucket", "checkpoint_key", "functions", "token_secret", "idempotency_table", "account_id")
    restarted.identity = {
        "named": {name: content[name] for name in names},
        "secrets": (_public_key(content), _token_secret(content)),
        "first_checkpoint": _checkpoint(content, 1),
    }


def _let_the_bulk_worker_run(api: Api) -> None:
    """Now, instead of within a minute: it is the clock's, which names it nowhere."""
    functions = session().client("lambda", endpoint_url=api.stack["aws_endpoint_url"])
    found = functions.get_paginator("list_functions").paginate()
    names = [one["FunctionName"] for page in found for one in page["Functions"]]
    [worker] = [name for name in names if "BulkWorker" in name]
    functions.invoke(FunctionName=worker, InvocationType="Event")


def test_killed_before_it_was_ever_up_it_begins_anew_and_says_so(restarted: Restarted) -> None:
    starting = restarted.begin("up")
    deploying = Emulator(restarted.state, 0).folder / "deploying"
    wait_until(lambda: deploying.exists() or starting.poll() is not None, within_s=_START_S)
    assert starting.poll() is None, restarted.said.read_text()
    os.killpg(starting.pid, signal.SIGKILL)
    assert starting.wait() == -signal.SIGKILL
    restarted.kill()
    assert "begun anew: an earlier start was ended before it was done" in _run_and_end(restarted, signal.SIGINT)


def test_run_again_after_ctrl_c_it_has_the_same_keys_bucket_chain_and_ledger(restarted: Restarted) -> None:
    said = _run_and_end(restarted, signal.SIGHUP)  # as when its terminal is closed
    assert "begun anew" not in said
    assert said.count("nothing changed") == 3  # neither built nor deployed, and so nothing to save


def test_deployed_for_another_gateway_it_has_the_same_keys_bucket_chain_and_ledger(restarted: Restarted) -> None:
    restarted.do("up", "--gateway", "cashfree")
    restarted.require_the_same_stack_and_good_books()
    assert restarted.api().person(money=700).balance() == 700  # which came by the other gateway


def test_killed_with_money_under_way_it_loses_none(restarted: Restarted) -> None:
    api = restarted.api()
    shop, worker = api.person(money=90_000), api.person()
    top_up = worker.open_top_up(5_000)
    out, out_key = {"amount": 10_000, "vpa": "shop@okbank"}, new_key()
    confirm(shop, required(shop.post("/withdrawals", out, key=out_key)))  # as the local stack wants it
    withdrawal = shop.post("/withdrawals", out, key=out_key)
    assert withdrawal.status == 202
    key, asked = new_key(), {"to": {"wallet_id": worker.wallet_id}, "amount": 2_000}
    paid = shop.post("/payments", asked, key=key)
    assert paid.status == 201
    rows = "to,amount,description,reference\r\n" + f"{worker.wallet_id},10,,\r\n" * 400
    sent = api.call("POST", "/bulk-payments", raw=rows.encode(), token=shop.token, key=new_key(),
                    headers={"Content-Type": "text/csv"})  # fmt: skip
    assert sent.status == 202, sent.text
    api.play(top_up["gateway_order_id"], "captured")
    restarted.kill()
    restarted.do("up", "--gateway", "cashfree")
    again = shop.post("/payments", asked, key=key)
    # the table of keys is gone with the emulator: it is told by the ledger, which doesn't keep the balance behind it
    kept = {name: value for name, value in paid.body.items() if name != "balance"}
    assert (again.status, again.body) == (201, kept)
    _let_the_bulk_worker_run(api)
    path = f"/bulk-payments/{sent.body['id']}"
    wait_until(lambda: shop.get(path).body["status"] == "finished", within_s=180)
    assert shop.get(path).body["paid"] == {"rows": 400, "amount": 4_000}
    wait_until(lambda: worker.top_up_state(top_up["id"])["status"] == "succeeded", within_s=180)
    path = f"/withdrawals/{withdrawal.body['id']}"
    wait_until(lambda: shop.get(path).body["status"] == "succeeded", within_s=180)
    assert (shop.balance(), worker.balance()) == (90_000 - 10_000 - 2_000 - 4_000, 5_000 + 2_000 + 4_000)
    restarted.require_the_same_stack_and_good_books()


def test_what_belongs_together_and_does_not_any_more_is_said_before_anything_is_changed(restarted: Restarted) -> None:
    restarted.do("down")
    aside = restarted.state.folder / "aside"
    for part, lost in (("ministack", "AWS emulator's state that"), ("mysql", "the database was lost")):
        folder = restarted.state.folder / part
        folder.rename(aside)
        assert restarted.begin("up", "--gateway", "cashfree").wait(timeout=_START_S) == 1
        said = restarted.said.read_text()
        assert (lost in said, "make reset" in said, str(folder) in said) == (True, True, True)
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
    restarted.do("up", "--gateway", "cashfree")
    restarted.require_the_same_stack_and_good_books()


def test_other_rules_of_what_is_confirmed_are_in_force_ten_minutes_after_the_next_start(restarted: Restarted) -> None:
    """Until then code of the release before may answer, which would not know how to ask."""
    said = restarted.do("up", "--gateway", "cashfree", "--rules", "above=100000")
    assert "What is confirmed: above=100000" in said
    mysql = restarted.api().stack["mysql"]
    account = {name: mysql[name] for name in ("host", "port", "user", "password", "database")}
    with pymysql.connect(**account) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT above, new_vpa, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), valid_from) FROM confirmation_rules"
            " WHERE tier = 'full' ORDER BY valid_from DESC LIMIT 1"
        )
        (row,) = cursor.fetchall()
    assert row[:2] == (100_000, 0)
    assert 300 < row[2] <= 600
