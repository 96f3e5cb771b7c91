"""Many payments by a file, over HTTP, on the deployed stack: the door starts the worker, the worker pays."""

import csv
import io
from typing import Any

import pytest

from tests.support.client import Answer, Api, Json, Person, new_key, new_phone, wait_until
from tests.support.problems import common_headers, faulty_fields, problem

HEADER = "to,amount,description,reference\r\n"
MARK = "Xq7Zk9"


def send(person: Person, file: str | bytes, *, key: str | None = None, type_: str = "text/csv") -> Answer:
    raw = file.encode() if isinstance(file, str) else file
    return person.api.call(
        "POST",
        "/bulk-payments",
        raw=raw,
        token=person.token,
        key=key or new_key(),
        headers={"Content-Type": type_},
    )


def opened(person: Person, file: str, *, key: str | None = None) -> Json:
    answer = send(person, file, key=key)
    assert answer.status == 202, answer.text
    common_headers(answer)
    told: Json = answer.body
    return told


def finished(person: Person, bulk_payment_id: str) -> Json:
    """The file when no row of it waits any more."""
    path = f"/bulk-payments/{bulk_payment_id}"
    wait_until(lambda: person.get(path).body["status"] == "finished", within_s=90)
    told: Json = person.get(path).body
    return told


def all_rows(person: Person, bulk_payment_id: str) -> list[Json]:
    """Every row's result, page by page."""
    found: list[Json] = []
    more: str | None = ""
    while more is not None:
        page = person.get(f"/bulk-payments/{bulk_payment_id}/rows?limit=120{more}")
        assert page.status == 200, page.text
        found += page.body["data"]
        cursor = page.body["next_cursor"]
        more = None if cursor is None else f"&cursor={cursor}"
    return found


def test_300_salaries_are_paid_each_once_and_told_of_row_by_row(api: Api) -> None:
    shop = api.person(money=300_000, name="Chai & Co")
    staff = [api.person() for _ in range(3)]
    # a hundred a person may pay by phone in an hour
    names = [staff[n % 3].phone if n < 100 else staff[n % 3].wallet_id for n in range(300)]
    lines = [f"{name},{1_000},वेतन मई,staff-{n}" for n, name in enumerate(names)]
    file = HEADER + "\r\n".join(lines) + "\r\n"
    key = new_key()
    told = opened(shop, file, key=key)
    assert (told["status"], told["rows"], told["total"]) == ("running", 300, 300_000)
    assert opened(shop, file, key=key) == told
    state = finished(shop, told["id"])
    assert (state["paid"], state["refused"], state["waiting"]) == (
        {"rows": 300, "amount": 300_000},
        {"rows": 0, "amount": 0},
        {"rows": 0, "amount": 0},
    )
    assert shop.balance() == 0
    assert [person.balance() for person in staff] == [100_000] * 3

    rows = all_rows(shop, told["id"])
    assert [row["line"] for row in rows] == list(range(2, 302))
    assert len({row["payment_id"] for row in rows}) == 300
    payment = staff[0].get(f"/payments/{rows[0]['payment_id']}").body
    assert (payment["amount"], payment["description"], payment["reference"]) == (1_000, "वेतन मई", "staff-0")
    entry = staff[0].get("/wallet/transactions?limit=1").body["data"][0]
    assert (entry["type"], entry["direction"], entry["counterparty"]["name"]) == ("payment", "credit", "Chai & Co")
    given_back = staff[0].post(f"/payments/{rows[0]['payment_id']}/refunds", {"amount": 400})
    assert given_back.status == 201, given_back.text
    assert shop.balance() == 400


def test_rows_without_money_are_refused_and_paid_by_a_retry(api: Api) -> None:
    payer, payee = api.person(money=1_000), api.person()
    told = opened(payer, f"{HEADER}{payee.phone},700,,\n{new_phone()},1,,\n{payee.phone},500,,\n")
    state = finished(payer, told["id"])
    assert (state["paid"]["rows"], state["refused"]["rows"]) == (1, 2)
    refused = payer.get(f"/bulk-payments/{told['id']}/rows?status=refused").body["data"]
    assert [(row["line"], row["refusal"], row["payment_id"]) for row in refused] == [
        (3, "payee_unavailable", None),
        (4, "insufficient_funds", None),
    ]
    payer.top_up(200)
    key = new_key()
    path = f"/bulk-payments/{told['id']}/retry"
    first, again = [api.call("POST", path, token=payer.token, key=key) for _ in range(2)]
    assert (first.status, first.body) == (202, {"id": told["id"], "status": "running", "retried": 2})
    assert (again.status, again.body, again.headers["idempotency-replayed"]) == (202, first.body, "true")
    assert finished(payer, told["id"])["paid"] == {"rows": 2, "amount": 1_200}
    assert (payer.balance(), payee.balance()) == (0, 1_200)


def test_results_come_as_csv_for_who_asks_for_it(api: Api) -> None:
    payer, payee = api.person(money=100), api.person()
    told = opened(payer, f"{HEADER}{payee.phone},100,=1+1,r\n")
    finished(payer, told["id"])
    answer = api.call("GET", f"/bulk-payments/{told['id']}/rows", token=payer.token, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (row["to"], row["amount"], row["description"], row["status"]) == (payee.phone, "100", "'=1+1", "paid")


def test_a_file_with_bad_rows_is_refused_whole_and_each_is_named(api: Api, select: Any) -> None:
    payer, payee = api.person(money=1_000), api.person()
    before = select("SELECT COUNT(*) AS n FROM bulk_payments")
    answer = send(payer, f"{HEADER}{payee.phone},100,,\n{MARK},100,,\n{payee.phone},1e3,,\n{payee.phone},{MARK},,\n")
    problem(answer, 422, "invalid_request", hidden=(MARK,))
    assert faulty_fields(answer) == ["lines.3.to", "lines.4.amount", "lines.5.amount"]
    assert select("SELECT COUNT(*) AS n FROM bulk_payments") == before
    assert (payer.balance(), payee.balance()) == (1_000, 0)


@pytest.mark.parametrize(
    ("file", "type_", "status", "code"),
    [
        (b"", "text/csv", 422, "invalid_request"),
        (HEADER.encode(), "text/csv", 422, "invalid_request"),
        (b'{"to": 1}', "application/json", 415, "unsupported_media_type"),
        (HEADER.encode() + b"\xff,1,,", "text/csv", 400, "malformed_body"),
        (b"x" * 2_000_001, "text/csv", 413, "request_too_large"),
        ((HEADER + "+919876543210,1,,\n" * 10_001).encode(), "text/csv", 422, "invalid_request"),
        ((HEADER + '"').encode(), "text/csv", 422, "invalid_request"),
        ((HEADER + "+919876543210,9007199254740992,,\n").encode(), "text/csv", 422, "invalid_request"),
    ],
    ids=["empty", "no row", "JSON", "no UTF-8", "too large", "too many rows", "no CSV", "more than an amount"],
)
def test_what_is_no_file_is_a_problem(api: Api, file: bytes, type_: str, status: int, code: str) -> None:
    problem(send(api.person(), file, type_=type_), status, code)


def test_a_file_needs_a_key_and_a_key_has_one_file(api: Api) -> None:
    payer = api.person()
    file = f"{HEADER}{new_phone()},1,,\n"
    without = api.call(
        "POST", "/bulk-payments", raw=file.encode(), token=payer.token, headers={"Content-Type": "text/csv"}
    )
    problem(without, 400, "idempotency_key_required")
    key = new_key()
    opened(payer, file, key=key)
    problem(send(payer, file + file.removeprefix(HEADER), key=key), 422, "idempotency_key_reused")
    problem(
        payer.post("/payments", {"to": {"phone": new_phone()}, "amount": 1}, key=key), 422, "idempotency_key_reused"
    )


def test_a_file_is_nobody_elses(api: Api) -> None:
    payer, other = api.person(), api.person()
    told = opened(payer, f"{HEADER}{other.phone},1,,\n")
    path = f"/bulk-payments/{told['id']}"
    problem(other.get(path), 404, "not_found")
    problem(other.get(f"{path}/rows"), 404, "not_found")
    problem(api.call("POST", f"{path}/retry", token=other.token, key=new_key()), 404, "not_found")
    problem(payer.get("/bulk-payments/blk_nothing"), 404, "not_found")
    problem(payer.get(f"{path}/rows?limit=1001"), 422, "invalid_request")
    problem(api.call("GET", path), 401, "missing_token")
