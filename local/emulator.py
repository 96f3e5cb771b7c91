"""MiniStack, with some things changed: it ends when told to, calls of a function wait for one of a few processes,
reserved concurrency holds, with the answer that API Gateway gives when there is no place, and connections stay open.

Lambda has a machine for each concurrent call; MiniStack starts a process for each, all on this one machine,
where 200 cold starts at once take minutes and all its memory. Here each function gets LOCAL_PROCESSES of them
and further calls queue, which no caller can tell from a slow network. None of our functions waits for another,
so none can wait for itself.

Reserved concurrency counts the calls that wait, too, and is of a function and all its versions; MiniStack forgets it
where a version is invoked by its alias, as all of ours are. What Lambda refuses is an integration failure to API
Gateway, with the gateway response of that name; MiniStack would hand on Lambda's own 429.

A connection is closed by whoever called. MiniStack would close it after 75 seconds at rest, or a thousand requests:
what was just being sent on it would have no answer, and a test that counts answers one too few.

What it keeps on the disk, how it unpacks layers, what its queues lack: `emulator_state`, `emulator_layers`,
`emulator_queues`.
"""

import functools
import os
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypercorn.config import Config
from ministack import app
from ministack.core import lambda_runtime
from ministack.services import apigateway_v1, lambda_svc, s3, secretsmanager, sqs

from local import emulator_layers, emulator_queues, emulator_state

Execution = Callable[[dict[str, Any], dict[str, Any], str], dict[str, Any]]
Invocation = Callable[..., Awaitable[tuple[dict[str, Any] | None, str | None]]]
Reserved = Callable[[dict[str, Any], dict[str, Any]], int | None]
Integration = Callable[..., Awaitable[object]]

_OPEN_S = 3_600


class _ThrottledError(Exception):
    """Lambda has refused a call."""


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


def of_all_versions(reserved: Reserved) -> Reserved:
    """`reserved`, of the function whose version it is."""

    @functools.wraps(reserved)
    def of_the_function(version: dict[str, Any], config: dict[str, Any]) -> int | None:
        function = lambda_svc._functions.get(config.get("FunctionName"))  # noqa: SLF001 - as below
        return reserved(function or version, config)

    return of_the_function


def saying_when_throttled(invoke: Invocation) -> Invocation:
    """`invoke`, but a call that Lambda refuses is raised as such."""

    @functools.wraps(invoke)
    async def invoke_or_raise(*arguments: object, **named: object) -> tuple[dict[str, Any] | None, str | None]:
        result, error = await invoke(*arguments, **named)
        if result is not None and result.get("throttle"):
            raise _ThrottledError
        return result, error

    return invoke_or_raise


def failing_when_throttled(integrate: Integration) -> Integration:
    """`integrate`, but a call that Lambda refuses is an integration failure."""

    @functools.wraps(integrate)
    async def integrate_or_fail(*arguments: object, **named: object) -> object:
        try:
            return await integrate(*arguments, **named)
        except _ThrottledError:
            return apigateway_v1._gw_error("INTEGRATION_FAILURE", "Internal server error")  # noqa: SLF001 - as below

    return integrate_or_fail


def open_for(seconds: int) -> property:
    """A setting that stays, whoever sets it."""
    return property(lambda _: seconds, lambda _, __: None)


if __name__ == "__main__":
    Config.keep_alive_timeout = open_for(_OPEN_S)  # type: ignore[assignment]  # main() would set it
    Config.keep_alive_max_requests = sys.maxsize
    lambda_svc._execute_function_warm = queued(  # noqa: SLF001 - the one seam there is
        lambda_svc._execute_function_warm,  # noqa: SLF001
        int(os.environ["LOCAL_PROCESSES"]),
    )
    lambda_svc._reserved_concurrency = of_all_versions(lambda_svc._reserved_concurrency)  # noqa: SLF001 - as above
    apigateway_v1._call_lambda_raw = saying_when_throttled(apigateway_v1._call_lambda_raw)  # noqa: SLF001 - as above
    apigateway_v1._invoke_lambda_proxy_v1 = failing_when_throttled(  # noqa: SLF001 - as above
        apigateway_v1._invoke_lambda_proxy_v1  # noqa: SLF001 - as above
    )
    lambda_runtime.zipfile = emulator_layers.SHARING
    folder = Path(os.environ["EMULATOR_FOLDER"])
    app.save_all = functools.partial(emulator_state.save_all, folder)
    secretsmanager.handle_request = emulator_state.keeping_secrets(folder, secretsmanager.handle_request)
    s3._key_history_meta = emulator_state.with_locks(s3._key_history_meta)  # noqa: SLF001 - as above
    s3._put_object_retention = emulator_state.keeping(s3._put_object_retention)  # noqa: SLF001
    s3._put_object_legal_hold = emulator_state.keeping(s3._put_object_legal_hold)  # noqa: SLF001
    emulator_state.restore_locks()
    sqs._HANDLERS["StartMessageMoveTask"] = emulator_queues.start_message_move_task  # noqa: SLF001 - as above
    services = app._build_persistence_save_dict  # noqa: SLF001 - as above
    signal.signal(signal.SIGUSR1, lambda *_: emulator_state.save_all_now(folder, services()))
    try:
        app.main()
    finally:
        # its state is saved by now; calls under way would be waited for, and the relay's takes a minute
        lambda_runtime.reset()
