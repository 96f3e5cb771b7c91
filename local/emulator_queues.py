"""What MiniStack's SQS lacks: StartMessageMoveTask, by which an operator has sent again what was given up.

AWS moves messages in the background, at the pace that it is told; here it is done when the answer comes.
"""

import time
from typing import Any

from ministack.core.concurrency import esm_wake
from ministack.core.responses import new_uuid
from ministack.services import sqs

Message = dict[str, Any]


def start_message_move_task(request: dict[str, Any], _queue_url: str) -> dict[str, str]:
    """Moves what waits in `SourceArn` to `DestinationArn`, or each to the queue that it was given up by.

    As on AWS a message is a new one there, counted from none, and without a destination stays where nobody knows whence
    it came.
    """
    with sqs._queues_lock:  # noqa: SLF001 - here and below: there is no other seam
        source = _queue(request.get("SourceArn", ""))
        now = time.time()
        waiting = [message for message in source["messages"] if message["visible_at"] <= now]
        for message in waiting:
            arn = request.get("DestinationArn") or message.get("sys", {}).get("DeadLetterQueueSourceArn")
            if arn:
                _queue(arn)["messages"].append(_anew(message, now))
                source["messages"].remove(message)
    esm_wake.set()
    return {"TaskHandle": new_uuid()}


def _queue(arn: str) -> dict[str, Any]:
    found: dict[str, Any] | None = sqs._queue_by_arn(arn)  # noqa: SLF001
    if found is None:
        raise sqs._Err("ResourceNotFoundException", f"There is no queue {arn}.", 404)  # noqa: SLF001
    return found


def _anew(message: Message, now: float) -> Message:
    system = {name: value for name, value in message.get("sys", {}).items() if name != "DeadLetterQueueSourceArn"}
    return {
        **message,
        "id": new_uuid(),
        "receipt_handle": None,
        "receive_count": 0,
        "first_receive_at": None,
        "sent_at": now,
        "visible_at": now,
        "sys": {**system, "SentTimestamp": str(int(now * 1000))},
    }
