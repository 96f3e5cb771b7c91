"""GET /wallet/transactions, GET /wallet/transactions/{id}: how a wallet came to what is in it."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery, StatementQuery
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.tables import statement_table, wants_csv
from wallet.ledger import ids
from wallet.movements.show import show_entries, show_entry
from wallet.storage.statements import read_page


def get_transactions(request: Request) -> Response:
    """The caller's statement, newest first, a page at a time: JSON, or CSV for who asks for that."""
    user_id = request.caller()
    query = request.parameters(StatementQuery)
    span = show_entries(wiring.database(), user_id=user_id, since=query.since, until=query.until, upto=query.cursor)
    page = read_page(wiring.database(), span, transaction_type=query.type, limit=query.limit)
    if wants_csv(request):
        return statement_table(request, page)
    return Response(200, shapes.statement(page))


def get_transaction(request: Request) -> Response:
    """One entry of the caller's, with what it belongs to."""
    user_id = request.caller()
    request.parameters(NoQuery)
    entry, belongs_to = show_entry(
        wiring.database(), user_id=user_id, transaction_id=request.id_in_path(ids.TRANSACTION)
    )
    return Response(200, shapes.entry(entry, belongs_to))


handler = wiring.api_handler(
    {"GET /wallet/transactions": get_transactions, "GET /wallet/transactions/{id}": get_transaction}
)
