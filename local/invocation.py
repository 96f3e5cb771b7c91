"""What of the stack of this machine no route leads to: functions, by an invocation, and the bucket of checkpoints."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import boto3

from local.aws import REGION
from local.processes import LocalStackError


def invoke(stack: Mapping[str, Any], function: str, payload: str) -> dict[str, Any]:
    """Invokes a function of a running stack (`stack.json`) with JSON; its answer.

    `aws lambda invoke --function-name … --payload …` does the same on AWS.
    """
    client = _session().client("lambda", endpoint_url=stack["aws_endpoint_url"])
    answer = client.invoke(FunctionName=stack["functions"][function], Payload=payload.encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise LocalStackError(f"the function failed: {said.get('errorMessage', said)}")
    return said


def newest_checkpoint(stack: Mapping[str, Any]) -> tuple[str, dict[str, Any], datetime]:
    """The last checkpoint that a running stack keeps: its name, what it says, and until when it is locked."""
    client = _session().client("s3", endpoint_url=stack["aws_endpoint_url"])
    bucket = stack["checkpoint_bucket"]
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    name = max(found["Key"] for page in pages for found in page.get("Contents", []))
    kept = client.get_object(Bucket=bucket, Key=name)
    return name, json.loads(kept["Body"].read()), kept["ObjectLockRetainUntilDate"]


def _session() -> boto3.Session:
    # or a person's own profile would get into this
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106 - an emulator's
