"""GET /top-ups, /payments, /holds, /withdrawals: one's own, the newest first, or what a key of one's has done."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import HoldsQuery, PaymentsQuery, TopUpsQuery, WithdrawalsQuery, asked_of
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.movements.show import show_payments
from wallet.storage.holds import list_holds
from wallet.storage.top_ups import list_top_ups
from wallet.storage.withdrawals import list_withdrawals


@route("GET /top-ups", query=TopUpsQuery)
def top_ups(request: Request) -> Response["shapes.answers.TopUps"]:
    """The caller's top-ups."""
    caller, query = request.caller(), request.parameters(TopUpsQuery)
    return Response(200, shapes.top_ups(list_top_ups(wiring.database(), actor_id=caller, asked=asked_of(query))))


@route("GET /payments", query=PaymentsQuery)
def payments(request: Request) -> Response["shapes.answers.Payments"]:
    """What the caller paid, and was paid."""
    caller, query = request.caller(), request.parameters(PaymentsQuery)
    found, rest = show_payments(
        wiring.database(), user_id=caller, side=query.side, upto=query.cursor, key=query.key, limit=query.limit
    )
    return Response(200, shapes.payments(found, rest))


@route("GET /holds", query=HoldsQuery)
def holds(request: Request) -> Response["shapes.answers.Holds"]:
    """Holds that the caller placed, and those for them."""
    caller, query = request.caller(), request.parameters(HoldsQuery)
    page = list_holds(wiring.database(), actor_id=caller, side=query.side, asked=asked_of(query))
    return Response(200, shapes.holds(page))


@route("GET /withdrawals", query=WithdrawalsQuery)
def withdrawals(request: Request) -> Response["shapes.answers.Withdrawals"]:
    """The caller's withdrawals."""
    caller, query = request.caller(), request.parameters(WithdrawalsQuery)
    page = list_withdrawals(wiring.database(), actor_id=caller, asked=asked_of(query))
    return Response(200, shapes.withdrawals(page))


handler = wiring.api_handler(top_ups, payments, holds, withdrawals)
