"""GET /wallet/transactions, GET /wallet/transactions/{id}: how a wallet came to what is in it."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery, StatementQuery
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.edge.tables import statement_table, wants_csv
from wallet.ledger import ids
from wallet.movements.show import show_entries, show_entry
from wallet.storage.statements import read_page


@route("GET /wallet/transactions", query=StatementQuery, media=("text/csv",))
def get_transactions(request: Request) -> Response["shapes.answers.Statement"] | Response[str]:
    """The caller's statement, newest first, a page at a time: JSON, or CSV for who asks for that."""
    user_id = request.caller()
    query = request.parameters(StatementQuery)
    span = show_entries(wiring.database(), user_id=user_id, since=query.since, until=query.until, upto=query.cursor)
    page = read_page(wiring.database(), span, transaction_type=query.type, limit=query.limit)
    if wants_csv(request):
        return statement_table(request, page)
    return Response(200, shapes.statement(page))


@route("GET /wallet/transactions/{id}")
def get_transaction(request: Request) -> Response["shapes.answers.WholeEntry"]:
    """One entry of the caller's, with what it belongs to."""
    user_id = request.caller()
    request.parameters(NoQuery)
    entry, belongs_to = show_entry(
        wiring.database(), user_id=user_id, transaction_id=request.id_in_path(ids.TRANSACTION)
    )
    return Response(200, shapes.entry(entry, belongs_to))


handler = wiring.api_handler(get_transactions, get_transaction)
