"""GET /wallet, GET /wallet/qr: what one has, and how to be paid."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery, WalletQuery
from wallet.edge.etags import revalidated
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.movements.show import show_wallet


@route("GET /wallet", query=WalletQuery)
def get_wallet(request: Request) -> Response["shapes.answers.Wallet | None"]:
    """The caller's wallet as it stands, or as it was."""
    user_id = request.caller()
    query = request.parameters(WalletQuery)
    wallet = shapes.wallet(show_wallet(wiring.database(), user_id=user_id, at=query.at))
    # what was, is asked for once
    return revalidated(request, wallet, apart_from=("as_of",)) if query.at is None else Response(200, wallet)


@route("GET /wallet/qr")
def get_qr(request: Request) -> Response["shapes.answers.WalletCode"]:
    """The code that others scan to pay the caller's wallet."""
    user_id = request.caller()
    request.parameters(NoQuery)
    return Response(200, shapes.wallet_code(show_wallet(wiring.database(), user_id=user_id, at=None)))


handler = wiring.api_handler(get_wallet, get_qr)
