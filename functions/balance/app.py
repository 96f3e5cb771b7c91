"""GET /wallet, GET /wallet/transactions, GET /wallet/qr: what one has, how it came to that, and how to be paid."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery, StatementQuery, WalletQuery
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.tables import statement_table, wants_csv
from wallet.movements.show import show_entries, show_wallet
from wallet.storage.statements import read_page


def get_wallet(request: Request) -> Response:
    """The caller's wallet as it stands, or as it was."""
    user_id = request.caller()
    query = request.parameters(WalletQuery)
    return Response(200, shapes.wallet(show_wallet(wiring.database(), user_id=user_id, at=query.at)))


def get_transactions(request: Request) -> Response:
    """The caller's statement, newest first, a page at a time: JSON, or CSV for who asks for that."""
    user_id = request.caller()
    query = request.parameters(StatementQuery)
    span = show_entries(wiring.database(), user_id=user_id, since=query.since, until=query.until, upto=query.cursor)
    page = read_page(wiring.database(), span, transaction_type=query.type, limit=query.limit)
    if wants_csv(request):
        return statement_table(request, page)
    return Response(200, shapes.statement(page))


def get_qr(request: Request) -> Response:
    """The code that others scan to pay the caller's wallet."""
    user_id = request.caller()
    request.parameters(NoQuery)
    return Response(200, shapes.wallet_code(show_wallet(wiring.database(), user_id=user_id, at=None)))


handler = wiring.api_handler(
    {"GET /wallet": get_wallet, "GET /wallet/transactions": get_transactions, "GET /wallet/qr": get_qr}
)
