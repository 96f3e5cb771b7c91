"""GET /wallet/transactions/{id}/proof: that a line of one's statement is under a signed checkpoint."""

from wallet import wiring
from wallet.edge.bodies import NoQuery
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.ledger import ids
from wallet.movements.prove import prove


def get_proof(request: Request) -> Response:
    """Proves a transaction to one of its parties: their own lines in clear, of the others only hashes."""
    user_id = request.caller()
    request.parameters(NoQuery)
    transaction_id = request.id_in_path(ids.TRANSACTION)
    return Response(200, prove(wiring.database(), user_id=user_id, transaction_id=transaction_id))


handler = wiring.api_handler({"GET /wallet/transactions/{id}/proof": get_proof})
