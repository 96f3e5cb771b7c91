"""A Lambda runtime in miniature: serves events from stdin, one at a time, as Lambda does.

Answers go to a descriptor of their own; stdout and stderr are the function's log.
"""

import json
import os
import runpy
import sys
import time
import uuid


class Context:
    """What a handler is told about its invocation."""

    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:function"

    def __init__(self, timeout_s: float) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self._ends_at = time.monotonic() + timeout_s

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends_at - time.monotonic()) * 1000))


def serve(app: str, answers_fd: int) -> None:
    """Serves the handler of a function's `app.py` until stdin ends."""
    handler = runpy.run_path(app)["handler"]
    with os.fdopen(answers_fd, "w") as answers:
        for line in sys.stdin:
            told = json.loads(line)
            try:
                answer = {"answer": handler(told["event"], Context(told["timeout_s"]))}
            except Exception as error:  # noqa: BLE001 - as Lambda reports it
                answer = {"error": f"{type(error).__name__}: {error}"}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
