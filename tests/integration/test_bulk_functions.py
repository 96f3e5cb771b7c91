"""The functions of bulk payments, each in a process of its own: the door, the worker that may die anywhere, results."""

import base64
import csv
import io
import json
import os
import signal
from typing import Any

import pytest

from tests.integration.conftest import Functions
from tests.integration.test_bulk import payments_of
from tests.integration.test_functions_under_faults import aws_through, moto, told, until_it_works
from tests.support.books import Books, Person, new_phone, unique
from tests.support.client import wait_until
from tests.support.cloud import Cloud
from tests.support.functions import FunctionDiedError, api_event
from tests.support.proxy import Proxy
from tests.support.sessions import paying
from wallet.storage import bulk

Json = dict[str, Any]

HEADER = "to,amount,description,reference\r\n"
WORKER_S = 60.0


@pytest.fixture(autouse=True)
def nothing_else_waits(books: Books) -> None:
    """A worker takes whatever waits in this database: only what the test itself has opened may."""
    database = books.as_role("money")
    while bulk.claim_bulk_payment(database, lease_s=3600) is not None:
        pass
    database.close()


def salaries(payee: Person, count: int) -> str:
    return HEADER + "".join(f"{payee.phone},100,वेतन {number},no-{number}\r\n" for number in range(count))


def file_event(payer: Person, key: str, file: str, *, encoded: bool = False) -> Json:
    body = base64.b64encode(file.encode()).decode() if encoded else file
    headers = {"Idempotency-Key": key, "Content-Type": "text/csv; charset=utf-8"}
    return api_event("POST", "/bulk-payments", raw_body=body, base64=encoded, headers=headers, caller=payer.user_id)


def reading(payer: Person, bulk_payment_id: str, rest: str = "", **more: Any) -> Json:
    return api_event("GET", "/bulk-payments/{id}" + rest, path={"id": bulk_payment_id}, caller=payer.user_id, **more)


def retrying(payer: Person, bulk_payment_id: str, key: str) -> Json:
    headers = {"Idempotency-Key": key}
    return api_event(
        "POST", "/bulk-payments/{id}/retry", path={"id": bulk_payment_id}, headers=headers, caller=payer.user_id
    )


def take_over(books: Books, payer: Person, *, known: set[int]) -> None:
    """What a minute does: the lease of a worker that has died is over; beside its sessions there were those `known`."""
    # what it asked last may still be under way, and be a lease for another minute
    wait_until(lambda: paying(books) <= known)
    books.write("UPDATE bulk_payments SET leased_until = UTC_TIMESTAMP(6) WHERE user_id = %s", payer.user_id.bytes)


@pytest.mark.parametrize("encoded", [False, True])
def test_a_file_is_taken_in_paid_by_the_worker_and_told_of_row_by_row(
    books: Books, functions: Functions, *, encoded: bool
) -> None:
    payer, payee = books.person(money=400), books.person()
    door, worker, reader = functions.make("bulk"), functions.make("bulk_worker"), functions.make("bulk_results")
    file = f"{HEADER}{payee.phone},300,वेतन,r\n{new_phone()},1,,\n{payee.phone},200,,\n"
    answer = door.invoke(file_event(payer, unique("key-"), file, encoded=encoded))
    assert answer["statusCode"] == 202
    opened = told(answer)
    assert (opened["status"], opened["rows"], opened["total"]) == ("running", 3, 501)
    assert worker.invoke({}, timeout_s=WORKER_S) == {"paid": 1, "refused": 2, "broken": []}

    state = told(reader.invoke(reading(payer, opened["id"])))
    assert state["status"] == "finished"
    assert (state["paid"], state["refused"]["rows"]) == ({"rows": 1, "amount": 300}, 2)
    page = told(reader.invoke(reading(payer, opened["id"], "/rows", query={"limit": "2"})))
    assert [(row["line"], row["status"], row["refusal"]) for row in page["data"]] == [
        (2, "paid", None),
        (3, "refused", "payee_unavailable"),
    ]
    assert page["data"][0]["payment_id"].startswith("pay_")
    last = reader.invoke(reading(payer, opened["id"], "/rows", query={"cursor": page["next_cursor"]}))
    assert [row["refusal"] for row in told(last)["data"]] == ["insufficient_funds"]
    assert told(last)["next_cursor"] is None

    books.top_up(payer, 100)
    again = door.invoke(retrying(payer, opened["id"], unique("key-")))
    assert (again["statusCode"], told(again)) == (202, {"id": opened["id"], "status": "running", "retried": 2})
    assert worker.invoke({}, timeout_s=WORKER_S)["paid"] == 1
    assert (books.balance(payer), books.balance(payee)) == (0, 500)
    assert books.faults() == []


def test_results_are_a_file_again_for_who_asks_for_csv(books: Books, functions: Functions) -> None:
    payer, payee = books.person(money=100), books.person()
    file = f'{HEADER}{payee.phone},100,"=HYPERLINK(""x"")",r\n{payee.phone},100,,\n'
    opened = told(functions.make("bulk").invoke(file_event(payer, unique("key-"), file)))
    functions.make("bulk_worker").invoke({}, timeout_s=WORKER_S)
    reader = functions.make("bulk_results")
    asked = reading(payer, opened["id"], "/rows", headers={"Accept": "text/csv"}, query={"limit": "1"})
    answer = reader.invoke(asked)
    assert answer["headers"]["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["headers"]["Link"] == '<?limit=1&cursor=l2>; rel="next"'
    [row] = csv.DictReader(io.StringIO(answer["body"].removeprefix("\ufeff")))
    assert row["to"] == payee.phone, "a phone is no formula, and the file may be sent again"
    assert row["description"] == '\'=HYPERLINK("x")', "text that would be a formula is text"
    assert (row["line"], row["amount"], row["status"], row["refusal"]) == ("2", "100", "paid", "")


def test_results_that_are_sent_again_pay_what_was_refused_as_it_was_asked_for(
    books: Books, functions: Functions
) -> None:
    payer, payee = books.person(money=100), books.person()
    file = f"{HEADER}{payee.phone},100,,paid\n{payee.phone},60,=1+1,''=refused\n{payee.phone},50,,refused\n,,,\n"
    door, worker, reader = functions.make("bulk"), functions.make("bulk_worker"), functions.make("bulk_results")
    opened = told(door.invoke(file_event(payer, unique("key-"), file)))
    worker.invoke({}, timeout_s=WORKER_S)
    results = reader.invoke(reading(payer, opened["id"], "/rows", headers={"Accept": "text/csv"}))["body"]
    books.top_up(payer, 200)
    again = told(door.invoke(file_event(payer, unique("key-"), results)))
    assert (again["rows"], again["total"]) == (2, 110)
    assert worker.invoke({}, timeout_s=WORKER_S)["paid"] == 2
    rows = told(reader.invoke(reading(payer, again["id"], "/rows")))["data"]
    assert [(row["amount"], row["description"], row["reference"]) for row in rows] == [
        (60, "=1+1", "'=refused"),
        (50, None, "refused"),
    ]
    everything = reader.invoke(reading(payer, again["id"], "/rows", headers={"Accept": "text/csv"}))["body"]
    assert door.invoke(file_event(payer, unique("key-"), everything))["statusCode"] == 422
    assert (books.balance(payer), books.balance(payee)) == (90, 210)
    assert books.faults() == []


def test_a_file_that_is_sent_twice_is_taken_in_once(books: Books, functions: Functions) -> None:
    payer, payee = books.person(money=500), books.person()
    door, event = functions.make("bulk"), file_event(payer, unique("key-"), salaries(payee, 5))
    first, again = door.invoke(event), door.invoke(event)
    assert (first["statusCode"], again["statusCode"]) == (202, 202)
    assert told(first) == told(again)
    assert "Idempotency-Replayed" not in first["headers"]
    assert again["headers"]["Idempotency-Replayed"] == "true"
    other = file_event(payer, event["headers"]["Idempotency-Key"], salaries(payee, 4))
    assert told(door.invoke(other))["code"] == "idempotency_key_reused"
    assert functions.make("bulk_worker").invoke({}, timeout_s=WORKER_S)["paid"] == 5


def test_killed_behind_the_commit_the_door_knows_the_file_when_it_is_sent_again(
    books: Books, functions: Functions, cloud: Cloud
) -> None:
    payer, payee = books.person(money=500), books.person()
    event = file_event(payer, unique("key-"), salaries(payee, 5))
    with Proxy(moto(cloud)) as proxy:
        door = functions.make("bulk", **aws_through(cloud, proxy))
        pid = door.pid

        def kill_at_the_update(from_client: bool, chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            if from_client and b"DynamoDB_20120810.UpdateItem" in chunk:
                os.kill(pid, signal.SIGKILL)
                return False
            return True

        proxy.judge = kill_at_the_update
        with pytest.raises(FunctionDiedError):
            door.invoke(event, timeout_s=6)
    answer = until_it_works(functions.make("bulk"), event)
    assert (answer["statusCode"], answer["headers"]["Idempotency-Replayed"]) == (202, "true")
    files = books.select("SELECT id FROM bulk_payments WHERE user_id = %s", payer.user_id.bytes)
    assert len(files) == 1
    assert functions.make("bulk_worker").invoke({}, timeout_s=WORKER_S)["paid"] == 5


def test_when_the_worker_can_not_be_started_the_file_is_taken_in_and_waits_for_the_clock(
    books: Books, functions: Functions
) -> None:
    payer, payee = books.person(money=100), books.person()
    door = functions.make("bulk")
    assert door.invoke(file_event(payer, unique("key-"), salaries(payee, 1)))["statusCode"] == 202
    assert "the bulk worker was not started" in door.logged()
    assert functions.make("bulk_worker").invoke({}, timeout_s=WORKER_S)["paid"] == 1


def test_a_worker_that_is_killed_again_and_again_pays_every_row_once(books: Books, functions: Functions) -> None:
    payer, payee = books.person(money=6_000), books.person()
    functions.make("bulk").invoke(file_event(payer, unique("key-"), salaries(payee, 60)))
    with Proxy((books.server.host, books.server.port)) as proxy:
        for chunks_to_live in (9, 14, 21, 30, 40):  # some die on a question, some on an answer
            worker = functions.make("bulk_worker", DATABASE_HOST=proxy.host, DATABASE_PORT=str(proxy.port))
            pid, left = worker.pid, iter(range(chunks_to_live))
            before = paying(books)

            def kill(_from_client: bool, _chunk: bytes, pid: int = pid, left: Any = left) -> bool:  # noqa: FBT001 - a judge's
                if next(left, None) is None:
                    os.kill(pid, signal.SIGKILL)
                return True

            proxy.judge = kill
            with pytest.raises(FunctionDiedError):
                worker.invoke({}, timeout_s=WORKER_S)
            take_over(books, payer, known=before)
        proxy.judge = lambda _from_client, _chunk: True
    assert 0 < payments_of(books, payer) < 60
    functions.make("bulk_worker").invoke({}, timeout_s=WORKER_S)
    assert payments_of(books, payer) == 60
    assert (books.balance(payer), books.balance(payee)) == (0, 6_000)
    assert books.faults() == []


def test_a_worker_with_little_time_left_stops_by_itself_and_the_next_goes_on(
    books: Books, functions: Functions
) -> None:
    payer, payee = books.person(money=500), books.person()
    functions.make("bulk").invoke(file_event(payer, unique("key-"), salaries(payee, 5)))
    worker = functions.make("bulk_worker")
    assert worker.invoke({}, timeout_s=14) == {"paid": 0, "refused": 0, "broken": []}
    assert worker.invoke({}, timeout_s=WORKER_S)["paid"] == 5


def test_a_worker_without_a_database_fails_and_the_next_pays(books: Books, functions: Functions) -> None:
    payer, payee = books.person(money=500), books.person()
    functions.make("bulk").invoke(file_event(payer, unique("key-"), salaries(payee, 5)))
    with Proxy((books.server.host, books.server.port)) as proxy:
        worker = functions.make("bulk_worker", DATABASE_HOST=proxy.host, DATABASE_PORT=str(proxy.port))
        proxy.judge = lambda _from_client, _chunk: False
        with pytest.raises(FunctionDiedError, match="DatabaseUnavailableError"):
            worker.invoke({}, timeout_s=WORKER_S)
        proxy.judge = lambda _from_client, _chunk: True
        assert worker.invoke({}, timeout_s=WORKER_S)["paid"] == 5


def test_rows_that_can_not_be_understood_make_the_run_fail_and_the_log_names_them(
    books: Books, functions: Functions
) -> None:
    payer, odd = books.person(money=500), books.person()
    books.write("INSERT IGNORE INTO tiers (code) VALUES ('without_limits')")
    books.set_tier(odd, "without_limits")
    opened = told(functions.make("bulk").invoke(file_event(payer, unique("key-"), salaries(odd, 1))))
    worker = functions.make("bulk_worker")
    with pytest.raises(FunctionDiedError, match="1 rows not understood"):
        worker.invoke({}, timeout_s=WORKER_S)
    [line] = [json.loads(line) for line in worker.logged().splitlines() if "paid in bulk" in line]
    assert line["broken"][0].startswith(f"{opened['id']}, line 2: ")


def test_with_the_database_down_a_file_is_503_and_the_key_works_afterwards(books: Books, functions: Functions) -> None:
    payer, payee = books.person(money=100), books.person()
    event = file_event(payer, unique("key-"), salaries(payee, 1))
    with Proxy((books.server.host, books.server.port)) as proxy:
        door = functions.make("bulk", DATABASE_HOST=proxy.host, DATABASE_PORT=str(proxy.port))
        proxy.judge = lambda _from_client, _chunk: False
        assert told(door.invoke(event))["code"] == "try_again"
        proxy.judge = lambda _from_client, _chunk: True
        assert until_it_works(door, event)["statusCode"] == 202
    assert functions.make("bulk_worker").invoke({}, timeout_s=WORKER_S)["paid"] == 1
