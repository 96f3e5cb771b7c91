"""GET /withdrawals: what one has asked for, the newest first."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import WithdrawalsQuery
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.storage.withdrawals import list_withdrawals


def get_withdrawals(request: Request) -> Response:
    """The caller's withdrawals, a page at a time; by a key that one which was asked for under it."""
    caller = request.caller()
    query = request.parameters(WithdrawalsQuery)
    found = list_withdrawals(
        wiring.database(),
        actor_id=caller,
        before=query.cursor,
        status=query.status,
        key=query.key,
        limit=query.limit + 1,
    )
    return Response(200, shapes.withdrawals(found, query.limit))


handler = wiring.api_handler({"GET /withdrawals": get_withdrawals})
