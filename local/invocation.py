"""Functions of the stack of this machine that no route leads to: called as on AWS, by an invocation."""

import json
from collections.abc import Mapping
from typing import Any

import boto3

from local.aws import REGION
from local.processes import LocalStackError


def invoke(stack: Mapping[str, Any], function: str, payload: str) -> dict[str, Any]:
    """Invokes a function of a running stack (`stack.json`) with JSON; its answer.

    `aws lambda invoke --function-name … --payload …` does the same on AWS.
    """
    # or a person's own profile would get into this
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106 - an emulator's
    client = session.client("lambda", endpoint_url=stack["aws_endpoint_url"])
    answer = client.invoke(FunctionName=stack["functions"][function], Payload=payload.encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise LocalStackError(f"the function failed: {said.get('errorMessage', said)}")
    return said
