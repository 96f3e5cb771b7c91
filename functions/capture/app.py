"""POST /holds/{id}/capture, POST /holds/{id}/release: taking what was promised, or letting it go."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import CaptureBody, EmptyBody
from wallet.edge.idempotency import per_key
from wallet.edge.requests import Request
from wallet.edge.responses import Json, Response
from wallet.ledger import ids
from wallet.movements.hold import capture_hold, release_hold
from wallet.storage.claims import Claim


def post_capture(request: Request) -> Response:
    """Takes what was promised to the caller, or a part of it, once per key."""

    def work(claim: Claim, asked: CaptureBody) -> tuple[Json, bool]:
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


def post_release(request: Request) -> Response:
    """Lets a hold go."""

    def work(claim: Claim, _asked: EmptyBody) -> tuple[Json, bool]:
        hold, replayed = release_hold(wiring.database(), claim=claim, hold_id=request.id_in_path(ids.HOLD))
        return shapes.hold(hold), replayed

    return per_key(wiring.once, request, EmptyBody, work, status=200, body_optional=True)


handler = wiring.api_handler({"POST /holds/{id}/capture": post_capture, "POST /holds/{id}/release": post_release})
