"""GET /sessions, DELETE /sessions, DELETE /sessions/{id}: where somebody is signed in, and the end of that."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.identity.sessions.store import end_own_sessions, list_sessions
from wallet.ledger import ids


@route("GET /sessions")
def get_sessions(request: Request) -> Response["shapes.answers.Sessions"]:
    """The caller's sessions that go on."""
    caller = request.principal()
    request.parameters(NoQuery)
    open_sessions = list_sessions(wiring.database(), caller.user_id)
    return Response(200, shapes.sessions(open_sessions, current=caller.session_id))


@route("DELETE /sessions/{id}", status=204)
def delete_session(request: Request) -> Response[None]:
    """The end of one of the caller's sessions."""
    caller, session_id = request.principal(), request.id_in_path(ids.SESSION)
    end_own_sessions(wiring.database(), caller, session_id)
    return Response(204, None)


@route("DELETE /sessions", status=204)
def delete_sessions(request: Request) -> Response[None]:
    """The end of all of the caller's sessions but this one."""
    caller = request.principal()
    end_own_sessions(wiring.database(), caller, None)
    return Response(204, None)


handler = wiring.api_handler(get_sessions, delete_session, delete_sessions)
