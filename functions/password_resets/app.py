"""POST /password-resets: another password for whoever proves the phone."""

from wallet import wiring
from wallet.edge.bodies import ResetBody
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.identity.accounts.service import reset_password
from wallet.ledger.refusals import Refusal

_RESETS = (Refusal.INVALID_PROOF, Refusal.OPERATOR_NEEDED)


@route("POST /password-resets", asks=ResetBody, status=204, is_open=True, refuses=_RESETS)
def post_reset(request: Request) -> Response[None]:
    """Ends every session, and leaves signing in to the new password."""
    asked = request.json(ResetBody)
    reset_password(
        wiring.database(),
        wiring.new_id,
        wiring.reset_rules(),
        phone_proof=asked.phone_proof,
        passkey_proof=asked.passkey,
        new_password=asked.new_password,
        address=request.address,
        product=wiring.product_name(),
    )
    return Response(204, None)


handler = wiring.address_api_handler(post_reset)
