"""A merchant's webhook on the stack of this machine: their own stack beside it, as an operator deploys one on AWS."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.deploy import STACK, why_it_failed
from local.invocation import session
from local.processes import LocalStackError
from local.state import ROOT
from local.template import Template, read

_DEPLOY_S = 120
_LOOK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Webhook:
    """What a merchant's stack says of itself: the secret as the merchant gets it, and where messages wait."""

    secret: str
    secret_arn: str
    pending_arn: str
    undelivered_arn: str


def template() -> Template:
    """infrastructure/merchant_webhook.yaml, for whom plain HTTP will do: here the function sends anywhere.

    The emulator takes a number from a parameter for a text, and its mapping fails: here the number is in its place.
    """
    content = read(ROOT / "infrastructure/merchant_webhook.yaml")
    content["Parameters"]["Url"]["AllowedPattern"] = "https?://[!-~]+"
    at_once = content["Parameters"]["AtOnce"]["Default"]
    content["Resources"]["Mapping"]["Properties"]["ScalingConfig"] = {"MaximumConcurrency": at_once}
    return content


def connect(stack: Mapping[str, Any], wallet_id: str, url: str) -> Webhook:
    """Has a running stack (`stack.json`) send a merchant's webhooks to an address, or to another one than so far."""
    client = session().client("cloudformation", endpoint_url=stack["aws_endpoint_url"])
    name = f"{STACK}-webhook-{wallet_id.replace('_', '-')}"
    told: dict[str, Any] = {
        "StackName": name,
        "TemplateBody": json.dumps(template()),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in {"WalletStack": STACK, "WalletId": wallet_id, "Url": url}.items()
        ],
    }
    try:
        try:
            client.create_stack(**told)
        except client.exceptions.AlreadyExistsException:
            client.update_stack(**told)
    except client.exceptions.ClientError as error:
        if "No updates are to be performed" not in str(error):  # it is as it is to be
            raise LocalStackError(f"the webhook can't be set up: {error}") from error
    deadline = time.monotonic() + _DEPLOY_S
    while (made := client.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"].endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise LocalStackError(f"the webhook's stack is {made['StackStatus']} after {_DEPLOY_S} s")
        time.sleep(_LOOK_AGAIN_S)
    if made["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise LocalStackError(f"the webhook's stack failed ({made['StackStatus']}):\n{why_it_failed(client, name)}")
    outputs = {item["OutputKey"]: item["OutputValue"] for item in made["Outputs"]}
    secrets = session().client("secretsmanager", endpoint_url=stack["aws_endpoint_url"])
    text = secrets.get_secret_value(SecretId=outputs["SigningSecretArn"])["SecretString"]
    return Webhook(f"whsec_{text}", outputs["SigningSecretArn"], outputs["PendingArn"], outputs["UndeliveredArn"])
