"""GET /problems/{code}: what a problem's `type` leads to, for people who followed it."""

from wallet import wiring
from wallet.edge.bodies import NoQuery
from wallet.edge.problem_pages import page_of
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger.refusals import Refusal, Refused


@route("GET /problems/{code}", is_open=True, media=("text/html",))
def get_problem(request: Request) -> Response[str]:
    """What happened and what to do next, as a page."""
    request.parameters(NoQuery)
    page = page_of(request.path.get("code", ""))
    if page is None:
        raise Refused(Refusal.NOT_FOUND, "There is no such problem.")
    return Response(200, page, {"Content-Type": "text/html; charset=utf-8"})


handler = wiring.api_handler(get_problem)
