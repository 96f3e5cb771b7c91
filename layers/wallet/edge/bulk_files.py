"""The file of a bulk payment: CSV (RFC 4180), read with suspicion; and what became of its rows.

A file is taken as a whole or not at all: every row is checked before anything is kept of any. What became of the rows
is a file again, and may be sent like one: what was refused is asked for once more, what is paid or waits is left out.
"""

import csv
import io
from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from wallet.edge import shapes
from wallet.edge.bodies import BulkRowBody
from wallet.edge.cells import unguarded
from wallet.edge.requests import MAX_FAULTS, Request
from wallet.edge.responses import Json, Response
from wallet.edge.tables import date_in_india, table, wants_csv
from wallet.edge.validation import Fault, faults_of
from wallet.ledger.bulk import MAX_ROWS, BulkRow, RowResult, RowStatus
from wallet.ledger.money import MAX_AMOUNT
from wallet.ledger.refusals import Refusal, Refused

#: The largest file, in bytes: as many rows as it may have, of 200 bytes each.
MAX_FILE = MAX_ROWS * 200

#: What the first line of a file says, and in which order the cells of every other one stand.
COLUMNS = ("to", "amount", "description", "reference")
RESULT_COLUMNS = ("line", *COLUMNS, "status", "refusal", "payment_id", "ended_at", "date_in_india")

_IN_HAND = (RowStatus.PAID.value, RowStatus.WAITING.value)
_ASKED_FOR = ("", RowStatus.REFUSED.value)


class _FileError(Exception):
    """The file can't be read beyond a fault: a field and a message."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.fault = (field, message)


def read_file(request: Request) -> list[BulkRow]:
    """The rows of a file; raises `Refused` with the first faults by line and column, and shows nothing of the file."""
    text = request.text("text/csv", max_bytes=MAX_FILE)
    rows: list[BulkRow] = []
    faults: list[Fault] = []
    try:
        for line, columns, cells in _lines(text):
            _read_row(line, columns, cells, rows, faults, region=request.region)
            if len(faults) >= MAX_FAULTS:
                break
    except _FileError as error:
        faults.append(error.fault)
    if not faults and not rows:
        faults.append(("rows", "A file has at least one row that is to be paid."))
    if sum(row.amount for row in rows) > MAX_AMOUNT:
        faults.append(("amount", f"The amounts of a file come to {MAX_AMOUNT} at most."))
    if faults:
        raise Refused(Refusal.INVALID_REQUEST, fields=tuple(faults[:MAX_FAULTS]))
    return rows


def show_rows(
    request: Request, results: Sequence[RowResult], *, has_more: bool
) -> Response["shapes.answers.BulkRows"] | Response[str]:
    """A page of GET /bulk-payments/{id}/rows: JSON, or CSV for who asks for that."""
    rows = [shapes.bulk_row(result) for result in results]
    following = f"l{results[-1].row.line}" if has_more else None
    if wants_csv(request):
        days = [date_in_india(result.ended_at) if result.ended_at else None for result in results]
        lines: list[Json] = [{**row, "date_in_india": day} for row, day in zip(rows, days, strict=True)]
        return table(request, RESULT_COLUMNS, lines, following=following)
    page: shapes.answers.BulkRows = {"data": rows, "next_cursor": following}
    return Response(200, page)


def _read_row(
    line: int, columns: Sequence[str], cells: list[str], rows: list[BulkRow], faults: list[Fault], *, region: str
) -> None:
    """Appends what a line says, or what is wrong with it."""
    if len(cells) != len(columns):
        faults.append((f"lines.{line}", f"A row has {len(columns)} cells: {', '.join(columns)}."))
        return
    told = dict(zip(columns, map(unguarded, cells), strict=True))
    status = told.get("status", "")
    if status in _IN_HAND or told.get("payment_id"):
        return
    if status not in _ASKED_FOR:
        faults.append((f"lines.{line}.status", "A row's status is refused, or nothing; paid and waiting are left out."))
        return
    try:
        asked = BulkRowBody.model_validate({name: told[name] for name in COLUMNS}, context={"region": region})
    except ValidationError as error:
        faults += [(f"lines.{line}.{column}", message) for column, message in faults_of(error, BulkRowBody)]
    else:
        rows.append(BulkRow(line, asked.to, asked.amount, asked.description, asked.reference))


def _lines(text: str) -> Iterator[tuple[int, Sequence[str], list[str]]]:
    """Every line that says something but the first, with its number and what the columns are; raises _FileError."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line, rows = 1, 0
    try:
        columns = tuple(next(reader, ()))
        if columns not in (COLUMNS, RESULT_COLUMNS):
            raise _FileError("lines.1", f"The first line is {','.join(COLUMNS)}, or that of a file of results.")
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows += 1
                if rows > MAX_ROWS:
                    raise _FileError("rows", f"A file has at most {MAX_ROWS} rows.")
                yield line, columns, cells
            line = reader.line_num + 1
    except csv.Error:  # its text shows what stood there
        raise _FileError(f"lines.{line}", "This is no CSV (RFC 4180).") from None
