"""What of the stack of this machine no route leads to: functions, by an invocation, and the bucket of checkpoints."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config

from local.aws import REGION
from local.processes import LocalStackError


def invoke(stack: Mapping[str, Any], function: str, payload: str, *, patience_s: int = 60) -> dict[str, Any]:
    """Invokes a function of a running stack (`stack.json`) with JSON; its answer, which may take `patience_s` seconds.

    `aws lambda invoke --function-name … --payload …` does the same on AWS.
    """
    # asked once: a second question would be a second run
    once = Config(read_timeout=patience_s, retries={"total_max_attempts": 1})
    client = session().client("lambda", endpoint_url=stack["aws_endpoint_url"], config=once)
    answer = client.invoke(FunctionName=stack["functions"][function], Payload=payload.encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise LocalStackError(f"the function failed: {said.get('errorMessage', said)}")
    return said


def newest_checkpoint(stack: Mapping[str, Any]) -> tuple[str, dict[str, Any], datetime]:
    """The last checkpoint that a running stack keeps: its name, what it says, and until when it is locked."""
    client = session().client("s3", endpoint_url=stack["aws_endpoint_url"])
    bucket = stack["checkpoint_bucket"]
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    name = max(found["Key"] for page in pages for found in page.get("Contents", []))
    kept = client.get_object(Bucket=bucket, Key=name)
    return name, json.loads(kept["Body"].read()), kept["ObjectLockRetainUntilDate"]


def session() -> boto3.Session:
    """The emulator's own account: or a person's profile would get into this."""
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106 - an emulator's
