"""GET /wallet/transactions/{id}/proof, GET /proof-key: that a transaction is under a checkpoint, and who signed that.

The key is open to everybody: who is shown a proof need not be a user of ours.
"""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger import ids
from wallet.ledger.proofs import Proof
from wallet.ledger.refusals import Refusal
from wallet.movements.prove import prove

# Every answer but this one says `no-store`: the key is the same for everybody, and for years.
_AN_HOUR = {"Cache-Control": "public, max-age=3600"}


@route("GET /wallet/transactions/{id}/proof", refuses=(Refusal.PROOF_NOT_READY,))
def get_proof(request: Request) -> Response[Proof]:
    """Proves a transaction to one of its parties, to be shown to anybody: their own lines, without a balance."""
    user_id = request.caller()
    request.parameters(NoQuery)
    transaction_id = request.id_in_path(ids.TRANSACTION)
    return Response(200, prove(wiring.database(), user_id=user_id, transaction_id=transaction_id))


@route("GET /proof-key", is_open=True)
def get_proof_key(request: Request) -> Response["shapes.answers.ProofKeys"]:
    """The public key that proofs are verified with."""
    request.parameters(NoQuery)
    return Response(200, shapes.proof_keys(wiring.checkpoint_signer().public_key()), _AN_HOUR)


handler = wiring.api_handler(get_proof, get_proof_key)
