"""MiniStack, with two things changed: it ends when told to, and calls of a function wait for one of a few processes.

Lambda has a machine for each concurrent call; MiniStack starts a process for each, all on this one machine,
where 200 cold starts at once take minutes and all its memory. Here each function gets LOCAL_PROCESSES of them
and further calls queue, which no caller can tell from a slow network. None of our functions waits for another,
so none can wait for itself.
"""

import functools
import os
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ministack.app import main
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

Execution = Callable[[dict[str, Any], dict[str, Any], str], dict[str, Any]]


def queued(execute: Execution, processes: int) -> Execution:
    """`execute`, but at most `processes` at a time for each function."""
    places: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(processes))
    opening = threading.Lock()

    @functools.wraps(execute)
    def wait_and_execute(function: dict[str, Any], event: dict[str, Any], request_id: str) -> dict[str, Any]:
        name = str((function.get("config") or function)["FunctionName"])
        with opening:
            place = places[name]
        with place:
            return execute(function, event, request_id)

    return wait_and_execute


if __name__ == "__main__":
    lambda_svc._execute_function_warm = queued(  # noqa: SLF001 - the one seam there is
        lambda_svc._execute_function_warm,  # noqa: SLF001
        int(os.environ["LOCAL_PROCESSES"]),
    )
    try:
        main()
    finally:
        # its state is saved by now; calls under way would be waited for, and the relay's takes a minute
        lambda_runtime.reset()
