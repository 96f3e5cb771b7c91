"""GET /wallet, GET /wallet/transactions: what one has, and how it came to that."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery, StatementQuery
from wallet.edge.door import Door
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.movements.show import show_wallet
from wallet.storage.wallets import statement


def get_wallet(request: Request) -> Response:
    """The caller's wallet as it stands."""
    user_id = request.caller()
    request.parameters(NoQuery)
    return Response(200, shapes.wallet(show_wallet(wiring.database(), user_id=user_id)))


def get_transactions(request: Request) -> Response:
    """The caller's statement, newest first, a page at a time."""
    user_id = request.caller()
    query = request.parameters(StatementQuery)
    entries = statement(
        wiring.database(),
        user_id=user_id,
        before=query.cursor,
        since=query.since,
        until=query.until,
        transaction_type=query.type,
        limit=query.limit + 1,
    )
    return Response(200, shapes.statement(entries, limit=query.limit))


handler = Door({"GET /wallet": get_wallet, "GET /wallet/transactions": get_transactions})
