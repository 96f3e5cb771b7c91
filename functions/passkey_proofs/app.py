"""POST /passkey-proofs/options, POST /passkey-proofs: a passkey lets in whom no code reaches."""

import time

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import PasskeyProofBody, ProofOptionsBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger.refusals import Refusal
from wallet.passkeys.service import proof_options, prove_by_passkey

_PROVES = (Refusal.NOT_FOUND, Refusal.TOO_MANY_ATTEMPTS, Refusal.INVALID_CODE)


@route("POST /passkey-proofs/options", asks=ProofOptionsBody, is_open=True, refuses=(Refusal.NOT_FOUND,))
def post_options(request: Request) -> Response["shapes.answers.PublicKeyOptions"]:
    """What a browser has a passkey sign; the same whoever asks."""
    asked, now = request.json(ProofOptionsBody), int(time.time())
    party, nonce = wiring.relying_party(), wiring.new_nonce()
    return Response(200, proof_options(party, purpose=asked.purpose, nonce=nonce, now=now))


@route("POST /passkey-proofs", asks=PasskeyProofBody, is_open=True, refuses=_PROVES)
def post_proof(request: Request) -> Response["shapes.answers.PasskeyProof"]:
    """Takes what it has signed for a proof."""
    asked, now = request.json(PasskeyProofBody), int(time.time())
    proof = prove_by_passkey(
        wiring.database(),
        wiring.relying_party(),
        wiring.passkey_proof_rules(),
        purpose=asked.purpose,
        answer=asked.passkey,
        address=request.address,
        now=now,
    )
    return Response(200, shapes.passkey_proof(proof))


handler = wiring.address_api_handler(post_options, post_proof)
