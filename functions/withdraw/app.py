"""POST /withdrawals, GET /withdrawals/{id}, POST /withdrawals/{id}/cancel: money from a wallet to a UPI address."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import EmptyBody, NoQuery, WithdrawalBody
from wallet.edge.etags import revalidated
from wallet.edge.idempotency import per_key
from wallet.edge.logs import log_unasked_payout
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import CONFIRMED, route
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal
from wallet.movements.withdraw import Wish, cancel_withdrawal, show_withdrawal, withdraw
from wallet.storage.claims import Claim

_REFUSES = (
    *(Refusal.WALLET_FROZEN, Refusal.INSUFFICIENT_FUNDS, Refusal.WALLET_LIMIT_EXCEEDED, Refusal.AMOUNT_OUT_OF_RANGE),
    *(Refusal.INVALID_VPA, Refusal.TOO_MANY_LOOKUPS, *CONFIRMED),
)


@route("POST /withdrawals", asks=WithdrawalBody, status=202, key="required", refuses=_REFUSES)
def post_withdrawal(request: Request) -> Response["shapes.answers.WithdrawalReceipt"]:
    """Sets the money aside, once per key, and asks for the payout; whatever that comes to, it is pending."""

    def work(claim: Claim, asked: WithdrawalBody) -> tuple["shapes.answers.WithdrawalReceipt", bool]:
        wish, check_s = Wish.read(amount=asked.amount, vpa=asked.vpa), wiring.first_check_s()
        receipt, replayed, trouble = withdraw(
            wiring.database(), wiring.payout_provider(), wiring.new_id, claim=claim, wish=wish, first_check_s=check_s
        )
        if trouble is not None:
            log_unasked_payout(ids.show(ids.WITHDRAWAL, receipt.id), trouble.reason, keys_refused=trouble.keys_refused)
        return shapes.withdrawal_receipt(receipt), replayed

    return per_key(wiring.once, request, WithdrawalBody, work, status=202, lost_runs_anew=False)  # else paid twice


@route("GET /withdrawals/{id}")
def get_withdrawal(request: Request) -> Response["shapes.answers.Withdrawal | None"]:
    """A withdrawal of the caller's, as it stands."""
    caller = request.caller()
    request.parameters(NoQuery)
    withdrawal = show_withdrawal(wiring.database(), withdrawal_id=request.id_in_path(ids.WITHDRAWAL), actor_id=caller)
    return revalidated(request, shapes.withdrawal(withdrawal))


@route("POST /withdrawals/{id}/cancel", asks=EmptyBody, key="required", refuses=(Refusal.WITHDRAWAL_SENT,))
def post_cancel(request: Request) -> Response["shapes.answers.Withdrawal"]:
    """Calls a withdrawal back that nobody was asked to pay yet, once per key."""

    def work(claim: Claim, _asked: EmptyBody) -> tuple["shapes.answers.Withdrawal", bool]:
        withdrawal, replayed = cancel_withdrawal(wiring.database(), claim, request.id_in_path(ids.WITHDRAWAL))
        return shapes.withdrawal(withdrawal), replayed

    return per_key(wiring.once, request, EmptyBody, work, status=200, body_optional=True)


handler = wiring.api_handler(post_withdrawal, get_withdrawal, post_cancel)
