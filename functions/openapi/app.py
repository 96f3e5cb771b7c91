"""GET /openapi.json: what the API says of itself."""

from pathlib import Path

from wallet import wiring
from wallet.edge.bodies import NoQuery
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route

_DOCUMENT = Path(__file__).with_name("openapi.json")


@route("GET /openapi.json", is_open=True, media=("application/json",))
def get_document(request: Request) -> Response[str]:
    """Every route, with what it takes, answers and refuses."""
    request.parameters(NoQuery)
    return Response(200, _DOCUMENT.read_text(encoding="utf-8"))


handler = wiring.api_handler(get_document)
