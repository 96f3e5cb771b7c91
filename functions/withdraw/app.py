"""POST /withdrawals, GET /withdrawals/{id}: money from a wallet to a UPI address."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import NoQuery, WithdrawalBody
from wallet.edge.idempotency import per_key
from wallet.edge.logs import logger
from wallet.edge.requests import Request
from wallet.edge.responses import Json, Response
from wallet.ledger import ids
from wallet.movements.withdraw import Wish, show_withdrawal, withdraw
from wallet.storage.claims import Claim


def post_withdrawal(request: Request) -> Response:
    """Sets the money aside, once per key, and asks for the payout; whatever that comes to, it is pending."""

    def work(claim: Claim, asked: WithdrawalBody) -> tuple[Json, bool]:
        receipt, replayed, trouble = withdraw(
            wiring.database(),
            wiring.payout_provider(),
            wiring.new_id,
            claim=claim,
            wish=Wish.read(amount=asked.amount, vpa=asked.vpa),
            first_check_s=wiring.first_check_s(),
        )
        if trouble is not None:
            logger().warning("payout not asked for", withdrawal_id=ids.show(ids.WITHDRAWAL, receipt.id), reason=trouble)
        return shapes.withdrawal_receipt(receipt), replayed

    # run again it would be another payout, and the money of the first one may have left
    return per_key(wiring.once, request, WithdrawalBody, work, status=202, lost_runs_anew=False)


def get_withdrawal(request: Request) -> Response:
    """A withdrawal of the caller's, as it stands."""
    caller = request.caller()
    request.parameters(NoQuery)
    withdrawal = show_withdrawal(wiring.database(), withdrawal_id=request.id_in_path(ids.WITHDRAWAL), actor_id=caller)
    return Response(200, shapes.withdrawal(withdrawal))


handler = wiring.api_handler({"POST /withdrawals": post_withdrawal, "GET /withdrawals/{id}": get_withdrawal})
