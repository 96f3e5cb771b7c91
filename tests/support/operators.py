"""Operators at work: commands as API Gateway hands them over, signed by people, and two of them where it takes two."""

import itertools
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.support.functions import TIMEOUT_S, Function, FunctionDiedError, api_event
from wallet import wiring
from wallet.operators import store
from wallet.operators.model import ROLE_OF
from wallet.storage.database import Database
from wallet.storage.operators import Instruction

Json = dict[str, Any]

ACCOUNT = "123456789012"
MEERA, RAVI = (f"{ACCOUNT}/{name}" for name in ("meera", "ravi"))

_keys = itertools.count(1)


def user_arn(name: str) -> str:
    """The ARN of an IAM user."""
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


MEERAS_ARN, RAVIS_ARN = user_arn("meera"), user_arn("ravi")


def order(command: str, **more: object) -> Json:
    """A command that changes something."""
    key = f"order-{next(_keys):06}{secrets.token_hex(5)}"
    return {"command": command, "reason": "the owner asked", "key": key, **more}


def signed(command: Mapping[str, object], *, role: str | None = None, arn: str | None = MEERAS_ARN) -> Json:
    """A command as API Gateway hands it over: to the role that it belongs to, if none is told, and signed by Meera."""
    path = role or ROLE_OF.get(str(command.get("command")), "look")
    event = api_event("POST", f"/operator/{path}/commands", body=command)
    event["requestContext"] |= {"accountId": ACCOUNT}
    event["requestContext"]["identity"] |= {"userArn": arn}
    return event


def answer_of(response: Json) -> Json:
    """What a command came to: `status`, and `replayed` with `result`, or `refused` with what the problem says."""
    body: Json = json.loads(response["body"])
    if response["statusCode"] >= 500:
        raise FunctionDiedError(body["code"])
    return body | {"status": "refused"} if response["statusCode"] >= 400 else body


class OperatorFunction(Function):
    """The operators' function, and two people before it."""

    def send(
        self, command: Mapping[str, object], *, role: str | None = None, arn: str | None = user_arn("meera")
    ) -> Json:
        """A command by whom `arn` names, Meera if nobody; what it came to."""
        return answer_of(super().invoke(signed(command, role=role, arn=arn)))

    def approve(self, request_id: str, role: str, *, arn: str | None = RAVIS_ARN) -> Json:
        """An approval by whom `arn` names, Ravi if nobody; what it came to."""
        return self.send({"command": "approve", "request": request_id}, role=role, arn=arn)

    def invoke(self, event: Json, *, timeout_s: float = TIMEOUT_S) -> Any:  # noqa: ARG002 - as of other functions
        """A command by Meera, which Ravi approves if it takes two people; what it came to in the end."""
        answer = self.send(event)
        if answer["status"] not in ("waiting", "approved"):
            return answer
        return self.approve(answer["result"]["request_id"], answer["result"]["role"])


def asked(database: Database, command: str, instruction: Instruction) -> Instruction:
    """An instruction that Ravi has asked for, so that its operator can approve it: for the kernel's own procedures."""
    by_ravi = replace(instruction, operator=RAVI)
    store.ask(database, by_ravi, request_id=wiring.new_id(), command=command, arguments={})
    return instruction
