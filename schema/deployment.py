"""The function that a deployment invokes: it brings the schema up to date before any new code answers.

CloudFormation sends it what is to become of the resource `Schema`, on which every other function of the template
depends, and waits for what it puts to a URL. A migration that fails fails the deployment there: the functions haven't
been touched, and what had been deployed before goes on answering. Invoked by a person, with any other event, it does
the same and answers as functions do.

Nothing of ours is imported before it is needed: a release that can't even be imported is told as a failure too, and not
waited for.
"""

import json
import os
import time
import traceback
import urllib.request
from typing import Any

_REASON_LENGTH = 800
_TRIES = 4


def handler(event: dict[str, Any], _context: object) -> dict[str, list[str]]:
    """A request of CloudFormation's, or an invocation by hand, whose failure is an exception."""
    if "ResponseURL" not in event:
        return {"applied": _run()}
    try:
        applied = _run() if _is_for_us(event) else []
    except Exception as error:  # noqa: BLE001 - it is told, whatever it is
        traceback.print_exc()
        _answer(event, "FAILED", f"{type(error).__name__}: {error}"[:_REASON_LENGTH])
        return {"applied": []}
    _answer(event, "SUCCESS", "")
    return {"applied": applied}


def _is_for_us(event: dict[str, Any]) -> bool:
    """Whether a release is to be made ready for which is this one.

    Another build is asked for when a deployment is taken back, perhaps as the migrations of this very code have failed:
    the schema stays as it is, and serves the code of the release before. Nor is there anything to do when the resource
    goes: the books stay.
    """
    build: object = event.get("ResourceProperties", {}).get("Build")
    return event["RequestType"] != "Delete" and build == os.environ.get("BUILD")


def _run() -> list[str]:
    import migrate  # noqa: PLC0415 - see above

    return migrate.run()


def _answer(event: dict[str, Any], status: str, reason: str) -> None:
    answer = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": event.get("PhysicalResourceId", "schema"),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(  # noqa: S310 - CloudFormation's own URL
        event["ResponseURL"],
        data=json.dumps(answer).encode(),
        headers={"Content-Type": ""},  # which the URL is signed for
        method="PUT",
    )
    for attempt in range(1, _TRIES + 1):
        try:
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - as above
        except OSError:
            if attempt == _TRIES:
                raise
            time.sleep(attempt)
        else:
            return
