"""POST /phone-proofs, POST /phone-proofs/{id}: a code to a phone, and what shows that somebody has it."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import CodeBody, ProofBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.identity.phone_proofs.service import send_code, show_code
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal


@route("POST /phone-proofs", asks=CodeBody, status=202, is_open=True, refuses=(Refusal.TOO_MANY_CODES,))
def post_code(request: Request) -> Response["shapes.answers.SentCode"]:
    """Sends a code; the answer is the same whoever has the phone."""
    asked = request.json(CodeBody)
    sent = send_code(
        wiring.database(),
        wiring.new_id,
        wiring.code_sender(),
        wiring.code_rules(),
        phone=asked.phone,
        purpose=asked.purpose,
        address=request.address,
    )
    return Response(202, shapes.sent_code(sent))


@route("POST /phone-proofs/{id}", asks=ProofBody, is_open=True, refuses=(Refusal.INVALID_CODE,))
def post_proof(request: Request) -> Response["shapes.answers.PhoneProof"]:
    """Takes a code for a proof."""
    asked = request.json(ProofBody)
    proof_id = request.id_in_path(ids.PHONE_PROOF)
    rules, key = wiring.code_rules(), wiring.code_key()
    return Response(
        200, shapes.phone_proof(show_code(wiring.database(), rules, key=key, proof_id=proof_id, code=asked.code))
    )


handler = wiring.counting_api_handler(post_code, post_proof)
