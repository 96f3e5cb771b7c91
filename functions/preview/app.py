"""GET /payments/preview, GET /withdrawals/preview: what would happen, before it is asked for. It promises nothing."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import PaymentPreviewQuery, WithdrawalPreviewQuery
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger.refusals import Refusal
from wallet.movements.withdraw import Wish
from wallet.previews.service import preview_payment, preview_withdrawal

_REFUSES = (Refusal.SELF_PAYMENT, Refusal.WALLET_FROZEN, Refusal.INVALID_VPA, Refusal.AMOUNT_OUT_OF_RANGE)


@route("GET /payments/preview", query=PaymentPreviewQuery, refuses=_REFUSES)
def get_payment_preview(request: Request) -> Response["shapes.answers.Preview"]:
    """A payment of the caller's; nothing is told of the payee, and nothing counted."""
    caller = request.caller()
    asked = request.parameters(PaymentPreviewQuery)
    preview = preview_payment(wiring.database(), user_id=caller, payee=asked.to, amount=asked.amount)
    return Response(200, shapes.preview(preview))


@route("GET /withdrawals/preview", query=WithdrawalPreviewQuery, refuses=_REFUSES)
def get_withdrawal_preview(request: Request) -> Response["shapes.answers.Preview"]:
    """A withdrawal of the caller's."""
    caller = request.caller()
    asked = request.parameters(WithdrawalPreviewQuery)
    wish = Wish.read(amount=asked.amount, vpa=asked.vpa)
    preview = preview_withdrawal(wiring.database(), user_id=caller, vpa=wish.vpa, amount=wish.amount)
    return Response(200, shapes.preview(preview))


handler = wiring.phone_api_handler(get_payment_preview, get_withdrawal_preview)
