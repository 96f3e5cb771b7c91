"""GET /wallet/statements/{month}: a month as a file, by a link that opens for a few minutes."""

from datetime import timedelta

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.edge.statement_file import MEDIA_TYPE, statement_file
from wallet.ledger.refusals import Refusal
from wallet.movements.statement import monthly_statement

VALID_S = 300


@route("GET /wallet/statements/{month}", refuses=(Refusal.NOT_FOUND,))
def get_statement(request: Request) -> Response["shapes.answers.StatementLink"]:
    """Makes the caller's statement of a month, and hands out a link to it."""
    user_id = request.caller()
    request.parameters(NoQuery)
    statement = monthly_statement(wiring.database(), user_id=user_id, month=request.month_in_path())
    owner = shapes.wallet_id(statement.holder.wallet_id)
    key = f"{owner}/{wiring.new_word()}/wallet-statement-{statement.month}.html"
    files = wiring.statement_files()
    files.put(key, statement_file(statement).encode(), media_type=MEDIA_TYPE)
    url = files.link(key, valid_s=VALID_S)
    expires_at = statement.made_at + timedelta(seconds=VALID_S)
    return Response(200, shapes.statement_link(statement, url=url, expires_at=expires_at))


handler = wiring.api_handler(get_statement)
