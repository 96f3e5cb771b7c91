"""The file of a bulk payment: CSV (RFC 4180), read with suspicion; and what became of its rows.

A file is taken as a whole or not at all: every row is checked before anything is kept of any.
"""

import csv
import io
from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from wallet.edge.bodies import BulkRowBody
from wallet.edge.requests import MAX_FAULTS, Request
from wallet.edge.responses import Response
from wallet.edge.shapes import bulk_row
from wallet.edge.tables import table, wants_csv
from wallet.edge.validation import Fault, faults_of
from wallet.ledger.bulk import MAX_ROWS, BulkRow, RowResult
from wallet.ledger.money import MAX_AMOUNT
from wallet.ledger.refusals import Refusal, Refused

#: The largest file, in bytes: as many rows as it may have, of 200 bytes each.
MAX_FILE = MAX_ROWS * 200

#: What the first line of a file says, and in which order the cells of every other one stand.
COLUMNS = ("to", "amount", "description", "reference")
_RESULT_COLUMNS = ("line", *COLUMNS, "status", "refusal", "payment_id", "ended_at")


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
        for line, cells in _lines(text):
            _read_row(line, cells, rows, faults, region=request.region)
            if len(faults) >= MAX_FAULTS:
                break
    except _FileError as error:
        faults.append(error.fault)
    if not faults and not rows:
        faults.append(("rows", "A file has at least one row."))
    if sum(row.amount for row in rows) > MAX_AMOUNT:
        faults.append(("amount", f"The amounts of a file come to {MAX_AMOUNT} at most."))
    if faults:
        raise Refused(Refusal.INVALID_REQUEST, fields=tuple(faults[:MAX_FAULTS]))
    return rows


def show_rows(request: Request, results: Sequence[RowResult], *, has_more: bool) -> Response:
    """A page of GET /bulk-payments/{id}/rows: JSON, or CSV for who asks for that."""
    rows = [bulk_row(result) for result in results]
    following = f"l{results[-1].row.line}" if has_more else None
    if wants_csv(request):
        return table(request, _RESULT_COLUMNS, rows, following=following)
    return Response(200, {"data": rows, "next_cursor": following})


def _read_row(line: int, cells: list[str], rows: list[BulkRow], faults: list[Fault], *, region: str) -> None:
    """Appends what a line says, or what is wrong with it."""
    if len(cells) != len(COLUMNS):
        faults.append((f"lines.{line}", f"A row has {len(COLUMNS)} cells: {', '.join(COLUMNS)}."))
        return
    try:
        told = BulkRowBody.model_validate(dict(zip(COLUMNS, cells, strict=True)), context={"region": region})
    except ValidationError as error:
        faults += [(f"lines.{line}.{column}", message) for column, message in faults_of(error, BulkRowBody)]
    else:
        rows.append(BulkRow(line, told.to, told.amount, told.description, told.reference))


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Every line but the first and empty ones, with its number; raises _FileError."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line, rows = 1, 0
    try:
        if next(reader, None) != list(COLUMNS):
            raise _FileError("lines.1", f"The first line is {','.join(COLUMNS)}.")
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                rows += 1
                if rows > MAX_ROWS:
                    raise _FileError("rows", f"A file has at most {MAX_ROWS} rows.")
                yield line, cells
            line = reader.line_num + 1
    except csv.Error:  # its text shows what stood there
        raise _FileError(f"lines.{line}", "This is no CSV (RFC 4180).") from None
