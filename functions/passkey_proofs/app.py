"""POST /passkey-proofs/options, POST /passkey-proofs: a passkey lets in whom no code reaches."""

import time

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import PasskeyProofBody, ProofOptionsBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.passkeys.service import proof_options, prove_by_passkey


def post_options(request: Request) -> Response:
    """What a browser has a passkey sign; the same whoever asks."""
    asked, now = request.json(ProofOptionsBody), int(time.time())
    party, nonce = wiring.relying_party(), wiring.new_nonce()
    return Response(200, proof_options(party, purpose=asked.purpose, nonce=nonce, now=now))


def post_proof(request: Request) -> Response:
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


handler = wiring.address_api_handler({"POST /passkey-proofs/options": post_options, "POST /passkey-proofs": post_proof})
