"""On messages in a merchant's queue: sends each as a signed webhook; what was not taken comes again later."""

from typing import Any

from wallet import wiring
from wallet.edge.logs import as_metric, logger
from wallet.merchant_webhooks.model import Result
from wallet.merchant_webhooks.service import Handled, Received


def handler(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """One batch. Lambda deletes what isn't named in the answer."""
    failed = [record["messageId"] for record in event["Records"] if not _handle(record).is_done]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _handle(record: dict[str, Any]) -> Handled:
    attempt = int(record["attributes"]["ApproximateReceiveCount"])
    handled = wiring.webhook_deliveries().handle(
        Received(record["eventSourceARN"], record["receiptHandle"], attempt, record["body"])
    )
    message, has_failed = handled.message, handled.outcome.result is Result.FAILED
    logger().info(
        f"webhook {handled.outcome.result.value}",
        webhook_id=message and message.id,
        wallet_id=message and message.wallet_id,
        attempt=attempt,
        reason=handled.outcome.reason,
        next_in_s=handled.next_in_s,
        **(as_metric("attempt", by="wallet_id", namespace="WalletWebhooks") if has_failed else {}),
    )
    return handled
