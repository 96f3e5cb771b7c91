"""POST /holds/{id}/capture, POST /holds/{id}/release: taking what was promised, or letting it go."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import CaptureBody, EmptyBody
from wallet.edge.idempotency import per_key
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal
from wallet.movements.hold import capture_hold, release_hold
from wallet.storage.claims import Claim

_LETS_GO = (Refusal.HOLD_NOT_PLACED, Refusal.HOLD_NOT_DUE)
_TAKES = (*_LETS_GO, Refusal.CAPTURE_EXCEEDS_HOLD, Refusal.WALLET_FROZEN, Refusal.WALLET_LIMIT_EXCEEDED)


@route("POST /holds/{id}/capture", asks=CaptureBody, key="required", refuses=_TAKES)
def post_capture(request: Request) -> Response["shapes.answers.Capture"]:
    """Takes what was promised to the caller, or a part of it, once per key."""

    def work(claim: Claim, asked: CaptureBody) -> tuple["shapes.answers.Capture", bool]:
        receipt, replayed = capture_hold(
            wiring.database(),
            wiring.new_id,
            claim=claim,
            hold_id=request.id_in_path(ids.HOLD),
            amount=asked.amount,
            final=asked.final,
        )
        return shapes.capture(receipt), replayed

    return per_key(wiring.once, request, CaptureBody, work, status=200, body_optional=True)


@route("POST /holds/{id}/release", asks=EmptyBody, key="required", refuses=_LETS_GO)
def post_release(request: Request) -> Response["shapes.answers.Hold"]:
    """Lets a hold go."""

    def work(claim: Claim, _asked: EmptyBody) -> tuple["shapes.answers.Hold", bool]:
        hold, replayed = release_hold(wiring.database(), claim=claim, hold_id=request.id_in_path(ids.HOLD))
        return shapes.hold(hold), replayed

    return per_key(wiring.once, request, EmptyBody, work, status=200, body_optional=True)


handler = wiring.api_handler(post_capture, post_release)
