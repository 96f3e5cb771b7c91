"""The file of a bulk payment: what is one, what is none and where it is wrong, and nothing of it in the answer."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.calls import CALLER, Event, call, door, event, request, signed_in
from tests.unit.conftest import LogLines
from wallet import aws, wiring
from wallet.edge.bulk_files import MAX_FILE, RESULT_COLUMNS, read_file, show_rows
from wallet.edge.requests import Request
from wallet.ledger import ids
from wallet.ledger.bulk import MAX_ROWS, BulkRow, RowResult, RowStatus
from wallet.ledger.money import MAX_AMOUNT
from wallet.ledger.payees import PayeeName
from wallet.ledger.refusals import Refusal, Refused

WALLET = ids.show(ids.WALLET, CALLER)
PHONE = "+919876543210"
HEADER = "to,amount,description,reference\n"
MARK = "Xq7Zk9"


def csv_request(file: str | bytes, **headers: str) -> Request:
    body = file.encode() if isinstance(file, str) else file
    return request(body, headers={"content-type": "text/csv"} | headers)


def read(file: str) -> list[BulkRow]:
    return read_file(csv_request(file))


def refused(asked: Request) -> Refused:
    with pytest.raises(Refused) as caught:
        read_file(asked)
    return caught.value


def faults(file: str) -> list[str]:
    """Where a file is at fault."""
    told = refused(csv_request(file))
    assert told.refusal is Refusal.INVALID_REQUEST
    assert all(message for _, message in told.fields)
    return [field for field, _ in told.fields]


def test_a_row_is_a_payee_an_amount_and_two_texts() -> None:
    assert read(f"{HEADER}{PHONE},12500,वेतन ☕,May-7\n{WALLET},1,,\n") == [
        BulkRow(2, PayeeName(None, PHONE), 12_500, "वेतन ☕", "May-7"),
        BulkRow(3, PayeeName(CALLER, None), 1, None, None),
    ]


@pytest.mark.parametrize(
    "file",
    [
        f"{HEADER}{PHONE},1,a,b",
        f"{HEADER}{PHONE},1,a,b\n",
        f"{HEADER}{PHONE},1,a,b\r\n".replace("\n", "\r\n").replace("\r\r", "\r"),
        f"\ufeff{HEADER}{PHONE},1,a,b\n",
        f'"to","amount","description","reference"\n"{PHONE}","1","a","b"\n',
        f"{HEADER}+91 98765-43210,1,a,b\n",
        f"{HEADER}+91 (0) 98765-43210,1,a,b\n",
    ],
    ids=["no last line end", "LF", "CRLF", "byte order mark", "quotes everywhere", "as people write it", "trunk zero"],
)
def test_what_spreadsheets_write_is_read_alike(file: str) -> None:
    assert read(file) == [BulkRow(2, PayeeName(None, PHONE), 1, "a", "b")]


def test_quoted_cells_may_hold_commas_and_quotes() -> None:
    [row] = read(f'{HEADER}{PHONE},1,"rent, ""May"" and June","=1+1"\n')
    assert (row.description, row.reference) == ('rent, "May" and June', "=1+1")


def test_empty_lines_are_no_rows_and_keep_the_numbers_of_the_others() -> None:
    assert [row.line for row in read(f"{HEADER}\n{PHONE},1,,\n\r\n\n{PHONE},2,,\n\n")] == [3, 6]


@pytest.mark.parametrize("type_", ["text/csv", "text/csv; charset=utf-8", "TEXT/CSV;header=present"])
def test_a_file_says_that_it_is_csv(type_: str) -> None:
    assert len(read_file(csv_request(f"{HEADER}{PHONE},1,,\n", **{"content-type": type_}))) == 1


@pytest.mark.parametrize("type_", ["application/json", "text/plain", "text/csvx", "", "application/x-csv"])
def test_another_type_is_unsupported_and_the_answer_says_which_is_not(type_: str) -> None:
    told = refused(csv_request(f"{HEADER}{PHONE},1,,\n", **{"content-type": type_}))
    assert (told.refusal, told.detail) == (Refusal.UNSUPPORTED_MEDIA_TYPE, "Send text/csv.")


def test_a_file_without_a_type_is_none() -> None:
    told = refused(request(f"{HEADER}{PHONE},1,,\n".encode(), headers={}))
    assert told.refusal is Refusal.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize("body", [b"\xff\xfe", HEADER.encode() + b"\x80,1,,", (HEADER + "\ufffd,1,,").encode()])
def test_what_is_no_utf_8_can_not_be_read(body: bytes) -> None:
    assert refused(csv_request(body)).refusal is Refusal.MALFORMED_BODY


def test_a_file_comes_without_parameters() -> None:
    asked = request(HEADER.encode(), headers={"content-type": "text/csv"}, query={"dry_run": ["1"]})
    assert [field for field, _ in refused(asked).fields] == ["dry_run"]


def test_a_file_of_two_megabytes_is_read_and_a_byte_more_is_not() -> None:
    row = f"{PHONE},1,,\n"
    assert len(read(HEADER + row + "\n" * (MAX_FILE - len(HEADER) - len(row)))) == 1
    assert refused(csv_request("x" * (MAX_FILE + 1))).refusal is Refusal.REQUEST_TOO_LARGE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "to,amount",
        "to,amount,reference,description",
        "To,Amount,Description,Reference",
        "to;amount;description;reference",
        "to\tamount\tdescription\treference",
        "to,amount,description,reference,currency",
        f"{PHONE},1,,",
    ],
)
def test_the_first_line_names_the_four_columns(header: str) -> None:
    assert faults(f"{header}\n{PHONE},1,,\n") == ["lines.1"]


def test_a_file_has_a_row() -> None:
    assert faults(HEADER) == faults(HEADER + "\n\n") == ["rows"]


def test_a_file_has_ten_thousand_rows_and_no_more() -> None:
    assert len(read(HEADER + f"{PHONE},1,,\n" * MAX_ROWS)) == MAX_ROWS
    assert faults(HEADER + f"{PHONE},1,,\n" * (MAX_ROWS + 1)) == ["rows"]


@pytest.mark.parametrize("cells", [f"{PHONE},1,", f"{PHONE},1,a,b,c", f"{PHONE};1;;", ",x", "x"])
def test_a_row_has_four_cells(cells: str) -> None:
    assert faults(f"{HEADER}{PHONE},1,,\n{cells}\n") == ["lines.3"]


@pytest.mark.parametrize("cells", ["", ",", ",,", ",,,", ",,,,,", '""', '"",""', " ", " , ,\t,\u00a0", '"\n",,,'])
def test_rows_of_nothing_but_commas_and_blanks_are_none(cells: str) -> None:
    file = f"{HEADER}{cells}\n{PHONE},1,,\n{cells}\n{PHONE},2,,\n{cells}"
    assert [row.amount for row in read(file)] == [1, 2]
    assert read(file)[0].line == 3 + cells.count("\n"), "they count as lines"
    assert faults(f"{HEADER}{cells}\n") == ["rows"]


def test_ten_thousand_rows_may_have_any_number_of_empty_ones_between_them() -> None:
    assert len(read(HEADER + f"{PHONE},1,,\n,,,\n" * MAX_ROWS)) == MAX_ROWS


@pytest.mark.parametrize(
    "amount",
    [
        "",
        "0",
        "-1",
        "+1",
        "01",
        "1.0",
        "1.5",
        "1e3",
        "1E3",
        "1,000",
        "1_000",
        " 1",
        "1 ",
        "0x10",
        "१२",
        "²",
        "one",
        "NaN",
        "true",
        "₹100",
        "=1+1",
        str(MAX_AMOUNT + 1),
        "9" * 5_000,
    ],
)
def test_an_amount_is_digits_and_nothing_else(amount: str) -> None:
    assert faults(f'{HEADER}{PHONE},"{amount}",,\n') == ["lines.2.amount"]


def test_the_largest_amount_is_an_amount() -> None:
    assert read(f"{HEADER}{PHONE},{MAX_AMOUNT},,\n")[0].amount == MAX_AMOUNT


def test_what_a_file_comes_to_is_a_number_that_every_caller_can_read() -> None:
    assert faults(f"{HEADER}{PHONE},{MAX_AMOUNT},,\n{PHONE},1,,\n") == ["amount"]


@pytest.mark.parametrize(
    "to",
    [
        "",
        "9876543210",
        "919876543210",
        "9.19877E+11",
        "+91987",
        "wal_",
        str(CALLER),
        ids.show(ids.USER, CALLER),
        WALLET.upper(),
        f" {WALLET}",
        f"{PHONE}\x00",
        "asha@okbank",
        "=cmd|' /C calc'!A0",
        "'; DROP TABLE wallets; --",
        PHONE + " " * 100,
    ],
)
def test_a_payee_is_a_wallet_or_an_international_phone(to: str) -> None:
    assert faults(f'{HEADER}"{to}",1,,\n') == ["lines.2.to"]


@pytest.mark.parametrize("to", ["9876543210", "919876543210", "09876543210"])
def test_ten_digits_are_a_phone_where_they_are_said_to_be_and_a_spreadsheet_may_drop_the_plus(to: str) -> None:
    asked = csv_request(f"{HEADER}{to},1,,\n")
    assert [row.payee.phone for row in read_file(replace(asked, region="IN"))] == [PHONE]
    assert [field for field, _ in refused(asked).fields] == ["lines.2.to"]


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\x00b", "\x1b[31m", "\u202egnp", "x" * 201])
def test_a_description_is_one_line_of_plain_text(text: str) -> None:
    assert faults(f'{HEADER}{PHONE},1,"{text}",\n') == ["lines.2.description"]


def test_a_reference_is_short() -> None:
    assert faults(f"{HEADER}{PHONE},1,,{'x' * 65}\n") == ["lines.2.reference"]


def test_a_row_behind_one_of_several_lines_is_known_by_its_own() -> None:
    assert faults(f'{HEADER}{PHONE},1,"a\n\nb",\n{PHONE},x,,\n') == ["lines.2.description", "lines.5.amount"]


@pytest.mark.parametrize("line", ['"', f'{PHONE},1,"a', f'{PHONE},1,"a"b,c', f"{PHONE},1,{'x' * 140_000},"])
def test_what_is_no_csv_is_told_by_its_line(line: str) -> None:
    assert faults(f"{HEADER}{PHONE},1,,\n{line}\n{PHONE},1,,\n") == ["lines.3"]


def test_every_fault_of_a_row_is_named_and_of_a_file_the_first_twenty() -> None:
    assert faults(f"{HEADER}x,y,{'z' * 201},{'z' * 65}\n") == [
        "lines.2.to",
        "lines.2.amount",
        "lines.2.description",
        "lines.2.reference",
    ]
    assert faults(HEADER + "x,y,,\n" * 5_000) == [
        f"lines.{line}.{column}" for line in range(2, 12) for column in ("to", "amount")
    ]


def test_faults_of_rows_come_before_those_of_the_file() -> None:
    assert faults(f"{HEADER}{PHONE},{MAX_AMOUNT},,\n{PHONE},{MAX_AMOUNT},,\nx,1,,\n")[0] == "lines.4.to"


# ------------------------------------------------------------------------------------ results, sent again


def result(status: RowStatus, row: BulkRow, **changes: object) -> RowResult:
    ended = datetime(2026, 10, 31, 18, 30, tzinfo=UTC)
    plain = {
        RowStatus.WAITING: RowResult(row, status, None, None, None),
        RowStatus.PAID: RowResult(row, status, None, CALLER, ended),
        RowStatus.REFUSED: RowResult(row, status, "insufficient_funds", None, ended),
    }[status]
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields by name


def exported(*results: RowResult) -> str:
    answer = show_rows(request(headers={"accept": "text/csv"}), results, has_more=False)
    assert isinstance(answer.body, str)
    return answer.body


texts = st.one_of(
    st.none(), st.text("'=+-@ a1,\"वे\u00a0", min_size=1, max_size=12), st.sampled_from(["=1+1", "'=1+1", " @x"])
)
payees = st.sampled_from([PayeeName(None, PHONE), PayeeName(CALLER, None)])
bulk_rows = st.builds(BulkRow, st.just(0), payees, st.integers(1, 10**9), texts, texts)


@given(st.lists(bulk_rows, min_size=1, max_size=5))
def test_what_was_refused_is_asked_for_again_as_it_was(rows: list[BulkRow]) -> None:
    """Exported, opened, saved and sent: no guard has become text, and nothing else has changed."""
    rows = [replace(row, line=line) for line, row in enumerate(rows, start=2)]
    assert read(exported(*(result(RowStatus.REFUSED, row) for row in rows))) == rows


ROW = BulkRow(2, PayeeName(None, PHONE), 100, "=HYPERLINK(1)", "r-1")


def test_a_file_of_results_pays_nothing_twice() -> None:
    """What is paid, or is about to be, is no row of the file that is sent again."""
    told = [result(status, ROW) for status in (RowStatus.PAID, RowStatus.REFUSED, RowStatus.WAITING)]
    assert read(exported(*told)) == [replace(ROW, line=3)]
    assert faults(exported(told[0], told[2])) == ["rows"]


def test_what_has_a_payment_is_paid_whatever_its_status_says() -> None:
    assert faults(exported(result(RowStatus.REFUSED, ROW, transaction_id=CALLER))) == ["rows"]


def test_a_row_that_was_added_to_a_file_of_results_is_a_row() -> None:
    file = exported(result(RowStatus.PAID, ROW)) + f",{PHONE},7,,,,,,,\r\n"
    assert [row.amount for row in read(file)] == [7]


def test_a_status_that_nobody_gave_is_a_fault() -> None:
    file = exported(result(RowStatus.REFUSED, ROW)).replace('"refused"', '"Paid"')
    assert faults(file) == ["lines.2.status"]


def test_results_say_which_day_it_was_in_india() -> None:
    rows = list(csv.DictReader(io.StringIO(exported(result(RowStatus.PAID, ROW), result(RowStatus.WAITING, ROW))[1:])))
    assert tuple(rows[0]) == RESULT_COLUMNS
    assert [(row["ended_at"], row["date_in_india"]) for row in rows] == [
        ("2026-10-31T18:30:00.000Z", "2026-11-01"),
        ("", ""),
    ]


@pytest.mark.parametrize(
    ("cell", "text"), [("'=1+1", "=1+1"), ("=1+1", "=1+1"), ("''=1+1", "'=1+1"), ("'tis", "'tis"), ("'-5", "-5")]
)
def test_a_guard_is_no_part_of_a_text_in_any_file(cell: str, text: str) -> None:
    [row] = read(f"{HEADER}{PHONE},1,{cell},{cell}\n")
    assert (row.description, row.reference) == (text, text)


# ------------------------------------------------------------------------------------------- at the door


def file_event(file: str, headers: Mapping[str, str] | None = None) -> Event:
    told = {"Content-Type": "text/csv", "Idempotency-Key": "may-salaries"} if headers is None else headers
    return event("POST /bulk-payments", body=file, headers=told, authorizer=signed_in())


@pytest.mark.parametrize(
    "file",
    [
        f"{MARK},1,,\n",
        f"{HEADER}{MARK},1,,\n",
        f"{HEADER}{PHONE},{MARK},,\n",
        f'{HEADER}{PHONE},1,"{MARK}\x00",\n',
        f"{HEADER}{PHONE},1,,{MARK * 20}\n",
        f'{HEADER}{PHONE},1,"{MARK}',
        f"{HEADER}{MARK}\n",
        f"\ud800{MARK}",
    ],
)
def test_a_refused_file_shows_nothing_of_itself(file: str, log_lines: LogLines) -> None:
    answer, problem = call(door("bulk").handler, file_event(file))
    assert problem["status"] in (400, 422)
    assert len(log_lines()) == 1
    assert MARK not in json.dumps([answer, log_lines()])


def test_a_file_needs_a_key() -> None:
    _, problem = call(door("bulk").handler, file_event(HEADER, {"Content-Type": "text/csv"}))
    assert problem["code"] == "idempotency_key_required"


def test_a_worker_that_can_not_be_started_is_a_line_in_the_log_and_no_more(
    monkeypatch: pytest.MonkeyPatch, log_lines: LogLines
) -> None:
    monkeypatch.setattr(wiring, "setting", lambda _name: "worker")
    monkeypatch.setattr(aws, "invoke_soon", lambda _function: False)
    door("bulk")._start_worker()  # noqa: SLF001 - what the door does behind the commit
    assert [line["level"] for line in log_lines()] == ["WARNING"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": ["0"]}, "limit"),
        ({"limit": ["1001"]}, "limit"),
        ({"limit": ["1e3"]}, "limit"),
        ({"cursor": ["2"]}, "cursor"),
        ({"cursor": ["l0"]}, "cursor"),
        ({"cursor": ["l" + "9" * 10]}, "cursor"),
        ({"cursor": ["e5"]}, "cursor"),
        ({"status": ["PAID"]}, "status"),
        ({"status": [""]}, "status"),
        ({"status": ["paid", "paid"]}, "status"),
        ({"type": ["payment"]}, "type"),
    ],
)
def test_rows_are_asked_for_by_limit_cursor_and_status(query: dict[str, list[str]], field: str) -> None:
    told = event(
        "GET /bulk-payments/{id}/rows",
        path={"id": ids.show(ids.BULK_PAYMENT, CALLER)},
        query=query,
        authorizer=signed_in(),
    )
    _, problem = call(door("bulk_results").handler, told)
    assert [fault["field"] for fault in problem["errors"]] == [field]
