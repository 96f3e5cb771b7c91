"""GET /bulk-payments/{id}, GET /bulk-payments/{id}/rows: what became of a file."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import BulkRowsQuery, NoQuery
from wallet.edge.bulk_files import show_rows
from wallet.edge.etags import revalidated
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger import ids
from wallet.movements.bulk import show_bulk_payment, show_results


@route("GET /bulk-payments/{id}")
def get_bulk_payment(request: Request) -> Response["shapes.answers.BulkPayment | None"]:
    """A file of the caller's as it stands."""
    caller = request.caller()
    request.parameters(NoQuery)
    bulk_payment_id = request.id_in_path(ids.BULK_PAYMENT)
    found = show_bulk_payment(wiring.database(), bulk_payment_id=bulk_payment_id, actor_id=caller)
    return revalidated(request, shapes.bulk_payment(found))


@route("GET /bulk-payments/{id}/rows", query=BulkRowsQuery, media=("text/csv",))
def get_rows(request: Request) -> Response["shapes.answers.BulkRows"] | Response[str]:
    """What became of the rows of a file of the caller's, in its order, a page at a time."""
    caller = request.caller()
    query = request.parameters(BulkRowsQuery)
    results, has_more = show_results(
        wiring.database(),
        bulk_payment_id=request.id_in_path(ids.BULK_PAYMENT),
        actor_id=caller,
        after=query.cursor or 0,
        limit=query.limit,
        status=query.status,
    )
    return show_rows(request, results, has_more=has_more)


handler = wiring.api_handler(get_bulk_payment, get_rows)
