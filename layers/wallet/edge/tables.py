"""CSV (RFC 4180) for callers who ask for it, safe to open in a spreadsheet, and readable there in every script."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import urlencode

from wallet.edge.cells import guarded
from wallet.edge.requests import Request
from wallet.edge.responses import Json, Response
from wallet.edge.shapes import next_cursor, statement_entry
from wallet.ledger.periods import INDIA
from wallet.ledger.statements import StatementPage

_COLUMNS = (
    "id",
    "type",
    "direction",
    "amount",
    "balance_after",
    "counterparty",
    "counterparty_wallet_id",
    "description",
    "reference",
    "rrn",
    "utr",
    "created_at",
    "date_in_india",
)

# Without it Excel takes UTF-8 for the local code page.
_BYTE_ORDER_MARK = "\ufeff"


def wants_csv(request: Request) -> bool:
    """Whether the caller named `text/csv` and likes it better than JSON; anything else gets JSON."""
    liked = _liked(request.headers.get("accept", ""))
    return liked.get("text/csv", 0) > liked.get("application/json", 0)


def statement_table(request: Request, page: StatementPage) -> Response[str]:
    """A page of GET /wallet/transactions."""
    rows = []
    for entry in page.entries:
        other: Json = {**statement_entry(entry)["counterparty"]}
        told: Json = {**statement_entry(entry)}
        told["counterparty"] = next(value for name, value in other.items() if name != "wallet_id")
        told["counterparty_wallet_id"] = other.get("wallet_id")
        told["date_in_india"] = date_in_india(entry.created_at)
        rows.append(told)
    return table(request, _COLUMNS, rows, following=next_cursor(page.rest))


def table(request: Request, columns: Sequence[str], rows: Iterable[Json], *, following: str | None) -> Response[str]:
    """A page as a table; a `Link` header (RFC 8288) leads to the next one, `following` being its cursor."""
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    if following is not None:
        query = {name: values[0] for name, values in request.query.items()} | {"cursor": following}
        headers["Link"] = f'<?{urlencode(query)}>; rel="next"'
    text = io.StringIO()
    text.write(_BYTE_ORDER_MARK)
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)  # quoted, a cell stays one whatever separates them
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return Response(200, text.getvalue(), headers)


def date_in_india(at: datetime) -> str:
    """The day that a moment is of in India, `2026-11-22`: months and days of statements and limits are Indian ones."""
    return at.astimezone(INDIA).date().isoformat()


def _cell(value: str | int | None) -> str | int:
    if isinstance(value, str):
        return guarded(value)
    return "" if value is None else value


def _liked(accept: str) -> dict[str, int]:
    """Media types of an Accept header with how much each is liked, in thousandths; 0 if that can't be read."""
    liked = {}
    for part in accept.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        told = [word.removeprefix("q=") for word in parameters if word.startswith("q=")]
        liked[name] = _thousandths(told[0]) if told else 1000
    return liked


def _thousandths(quality: str) -> int:
    """`0.85` is 850."""
    whole, _, decimals = quality.partition(".")
    digits = f"{whole}{decimals:0<3}"
    return min(int(digits), 1000) if digits.isascii() and digits.isdigit() and len(digits) <= 4 else 0
