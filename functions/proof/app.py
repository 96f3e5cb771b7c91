"""GET /wallet/transactions/{id}/proof: that a line of one's statement is under a signed checkpoint."""

from wallet import wiring
from wallet.edge.bodies import NoQuery
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger import ids
from wallet.ledger.proofs import Proof
from wallet.ledger.refusals import Refusal
from wallet.movements.prove import prove


@route("GET /wallet/transactions/{id}/proof", refuses=(Refusal.PROOF_NOT_READY,))
def get_proof(request: Request) -> Response[Proof]:
    """Proves a transaction to one of its parties: their own lines in clear, of the others only hashes."""
    user_id = request.caller()
    request.parameters(NoQuery)
    transaction_id = request.id_in_path(ids.TRANSACTION)
    return Response(200, prove(wiring.database(), user_id=user_id, transaction_id=transaction_id))


handler = wiring.api_handler(get_proof)
