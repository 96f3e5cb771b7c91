"""OPTIONS of any route: what a browser asks before it lets a page of another origin call the API."""

from wallet import wiring
from wallet.edge.cors import PREFLIGHT
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route


@route("OPTIONS /{proxy+}", status=204, is_open=True)
def options_any(_: Request) -> Response[None]:
    """What may be sent. Whose pages may send it is in the headers that every answer has."""
    return Response(204, None, PREFLIGHT)


handler = wiring.api_handler(options_any)
