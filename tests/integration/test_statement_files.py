"""The function that makes monthly statements: its link opens as it is, and a long month fits its time and memory."""

import json
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from local.database import PrivateServer
from local.gateway.server import Simulator
from tests.integration.conftest import Functions
from tests.support.books import Books, Person, beside
from tests.support.cloud import BUCKET, Cloud
from tests.support.functions import Function, api_event
from tests.support.pen import GATEWAY_ACCOUNT, Pen
from tests.unit import template as templates
from wallet import wiring
from wallet.ledger.periods import Month


def this_month() -> str:
    """As they are asked for."""
    return str(Month.of(datetime.now(UTC)))


DEPLOYED = templates.functions(templates.load())["StatementFunction"]


def asked(function: Function, person: Person, month: str, *, timeout_s: float = 10) -> Any:
    event = api_event(
        "GET", "/wallet/statements/{month}", path={"month": month}, caller=person.user_id, headers={"Accept": "*/*"}
    )
    return function.invoke(event, timeout_s=timeout_s)


def link(answer: Any) -> str:
    assert answer["statusCode"] == 200, answer["body"]
    url: str = json_of(answer)["url"]
    return url


def json_of(answer: Any) -> Any:
    return json.loads(answer["body"])


def fetched(url: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request("GET", url, timeout=20.0, retries=False)


def test_a_link_opens_the_statement_as_it_is(books: Books, functions: Functions) -> None:
    person = books.person(money=12_345)
    answer = asked(functions.make("statement"), person, this_month())
    told = json_of(answer)
    assert set(told) == {"month", "complete", "url", "expires_at"}
    assert (told["month"], told["complete"]) == (this_month(), False)
    valid = datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=280) < valid <= timedelta(seconds=300)
    file = fetched(link(answer))
    assert file.status == 200
    assert file.headers["Content-Type"] == "text/html; charset=utf-8"
    text = file.data.decode()
    assert "123.45" in text
    assert person.phone[1:] not in text


def test_a_link_opens_for_five_minutes_and_says_so(books: Books, functions: Functions) -> None:
    url = link(asked(functions.make("statement"), books.person(), this_month()))
    assert "X-Amz-Expires=300" in url
    assert "X-Amz-Signature=" in url


def test_no_file_is_where_another_could_be_guessed(books: Books, functions: Functions) -> None:
    function = functions.make("statement")
    asha, bela = books.person(), books.person()
    paths = [urlsplit(link(asked(function, person, this_month()))).path for person in (asha, asha, bela)]
    assert len(set(paths)) == 3
    folders = [path.split("/")[2:4] for path in paths]
    assert folders[0][0] == folders[1][0] != folders[2][0]
    assert all(len(word) >= 32 for _, word in folders)


@pytest.mark.parametrize(("month", "status"), [("2026-13", 422), ("latest", 422), ("2099-12", 422), ("2000-01", 404)])
def test_a_month_that_can_not_be_told_is_refused(books: Books, functions: Functions, month: str, status: int) -> None:
    answer = asked(functions.make("statement"), books.person(), month)
    assert answer["statusCode"] == status
    assert answer["headers"]["Content-Type"] == "application/problem+json"


def test_without_a_place_for_files_the_caller_is_told_to_come_again(books: Books, functions: Functions) -> None:
    answer = asked(functions.make("statement", STATEMENT_BUCKET="not-there"), books.person(), this_month())
    assert (answer["statusCode"], json_of(answer)["code"]) == (503, "try_again")
    assert "not-there" not in answer["body"]


def test_what_is_put_is_for_nobody_else(books: Books, functions: Functions, cloud: Cloud) -> None:
    link(asked(functions.make("statement"), books.person(), this_month()))
    stored = cloud.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    about = cloud.client("s3").head_object(Bucket=BUCKET, Key=stored[0]["Key"])
    assert about["CacheControl"] == "private, no-store"
    assert stored[0]["Key"].startswith("wal_")


def test_the_longest_month_fits_the_functions_time_and_memory(
    server: PrivateServer, cloud: Cloud, simulator: Simulator, tmp_path: Path
) -> None:
    """20,000 entries of a wallet with 16 slots, the most that a file is made of."""
    with beside(server, "long_month") as books:
        books.migrate()
        shop = long_month(books)
        functions = Functions(books, cloud, simulator, tmp_path)
        function = functions.make("statement")
        asked(function, shop, "2026-09")  # a cold start is another matter
        began, used_s = time.monotonic(), cpu_s(function)
        answer = asked(function, shop, "2026-10", timeout_s=DEPLOYED["Timeout"])
        took_s, used_s = time.monotonic() - began, cpu_s(function) - used_s
        status = Path(f"/proc/{function.pid}/status").read_text(encoding="ascii")
        text = fetched(link(answer)).data.decode()
        functions.end()
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert text.count('<tr><td class="when">') == 20_000
    assert used_s < DEPLOYED["Timeout"] / 2
    assert took_s < DEPLOYED["Timeout"]  # with what it waits for, which a busy machine makes longer
    assert peak_kb < DEPLOYED["MemorySize"] * 1024 / 2


def cpu_s(function: Function) -> float:
    """What its process has used of the processors until now."""
    told = Path(f"/proc/{function.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, told[11:13])) / os.sysconf("SC_CLK_TCK")  # its own code's, and the system's for it


def long_month(books: Books) -> Person:
    pen = Pen(books)
    asha, shop = pen.wallet(), pen.wallet(slots=16, name="Chai Point", kind="merchant")
    begins = Month(date(2026, 10, 1)).begins_at
    pen.post("top_up", GATEWAY_ACCOUNT, asha, 10**9, begins, gateway="razorpay", gateway_payment_id=wiring.new_id().hex)
    for number in range(1, 20_001):
        at = begins + timedelta(seconds=2 * number)
        pen.post(
            "payment",
            asha,
            shop,
            100 + number,
            at,
            credit_slot=number % 16,
            description=f"Order no. {number}, masala chai",
        )
    pen.flush()
    return shop.person
