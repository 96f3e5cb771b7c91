"""POST /bulk-payments, POST /bulk-payments/{id}/retry: many payments from one wallet, by a file."""

import hashlib

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import EmptyBody
from wallet.edge.bulk_files import read_file
from wallet.edge.idempotency import claim_of, per_key
from wallet.edge.logs import logger
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import CONFIRMED, route
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal
from wallet.movements import bulk
from wallet.storage.claims import Claim

_REFUSES = (Refusal.TOO_MANY_BULK_PAYMENTS, Refusal.WALLET_FROZEN, Refusal.INSUFFICIENT_FUNDS, *CONFIRMED)


@route("POST /bulk-payments", status=202, key="required", takes="text/csv", refuses=_REFUSES)
def post_file(request: Request) -> Response["shapes.answers.BulkReceipt"]:
    """Takes a file in, once per key, and has a worker pay it."""
    caller, key = request.principal(), request.idempotency_key()
    rows = read_file(request)
    told = {"sha256": hashlib.sha256(request.body).hexdigest()}
    claim = claim_of(request, actor_id=caller.user_id, key=key, asked=told, generation=caller.generation)

    def work() -> tuple["shapes.answers.BulkReceipt", bool]:
        receipt, replayed = bulk.open_bulk_payment(wiring.database(), wiring.new_id, claim=claim, rows=rows)
        _start_worker()
        return shapes.bulk_receipt(receipt), replayed

    return wiring.once().answer(request, claim, work, status=202)


@route("POST /bulk-payments/{id}/retry", asks=EmptyBody, status=202, key="required", refuses=_REFUSES)
def post_retry(request: Request) -> Response["shapes.answers.BulkRetry"]:
    """Has the refused rows of a file tried again, once per key."""

    def work(claim: Claim, _asked: EmptyBody) -> tuple["shapes.answers.BulkRetry", bool]:
        bulk_payment_id = request.id_in_path(ids.BULK_PAYMENT)
        retry, replayed = bulk.retry_bulk_payment(wiring.database(), claim=claim, bulk_payment_id=bulk_payment_id)
        _start_worker()
        return shapes.bulk_retry(retry), replayed

    return per_key(wiring.once, request, EmptyBody, work, status=202, body_optional=True)


def _start_worker() -> None:
    if not wiring.start_bulk_worker():
        logger().warning("the bulk worker was not started; its schedule will")


handler = wiring.phone_api_handler(post_file, post_retry)
