"""CSV (RFC 4180) for callers who ask for it, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from wallet.edge.requests import Request
from wallet.edge.responses import Json, Response
from wallet.edge.shapes import next_cursor, statement_entry
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
    "created_at",
)

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")

# What a spreadsheet takes for the beginning of a formula, in the widths that it knows.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the wide ones are meant


def wants_csv(request: Request) -> bool:
    """Whether the caller named `text/csv` and likes it better than JSON; anything else gets JSON."""
    liked = _liked(request.headers.get("accept", ""))
    return liked.get("text/csv", 0) > liked.get("application/json", 0)


def statement_table(request: Request, page: StatementPage) -> Response:
    """A page of GET /wallet/transactions."""
    rows = []
    for entry in page.entries:
        told = statement_entry(entry)
        other = told["counterparty"]
        told["counterparty"] = next(value for name, value in other.items() if name != "wallet_id")
        told["counterparty_wallet_id"] = other.get("wallet_id")
        rows.append(told)
    return table(request, _COLUMNS, rows, following=next_cursor(page))


def table(request: Request, columns: Sequence[str], rows: Iterable[Json], *, following: str | None) -> Response:
    """A page as a table; a `Link` header (RFC 8288) leads to the next one, `following` being its cursor."""
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    if following is not None:
        query = {name: values[0] for name, values in request.query.items()} | {"cursor": following}
        headers["Link"] = f'<?{urlencode(query)}>; rel="next"'
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)  # quoted, a cell stays one whatever separates them
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return Response(200, text.getvalue(), headers)


def _cell(value: str | int | None) -> str | int:
    """A value as a cell: text that would begin a formula is made text again. A phone comes to a number, and no harm."""
    if isinstance(value, str) and value.lstrip(" \u00a0").startswith(_FORMULA) and not _PHONE.fullmatch(value):
        return "'" + value
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
