"""The operators of the stack on this machine: IAM users of its emulator, whose requests are signed as on AWS.

Their keys are good there alone, and the emulator is the one that says whose a key is, as IAM would. It verifies no
signature and no policy: whoever reaches this machine's ports may be any of them.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.aws import REGION
from local.invocation import session
from local.processes import LocalStackError
from local.state import ROOT

#: Two people, as much of what they do takes two.
PEOPLE = ("meera", "ravi")
#: The role that the stack is deployed with as one whose sessions are named by their users.
SESSION_ROLE = "wallet-operators"

_PATIENCE_S = 30


def make_people(endpoint_url: str) -> dict[str, dict[str, str]]:
    """Makes them unless they are there, each with a new key; the keys by person."""
    client = session().client("iam", endpoint_url=endpoint_url)
    made: dict[str, dict[str, str]] = {}
    for person in PEOPLE:
        try:
            client.create_user(UserName=person)
        except client.exceptions.EntityAlreadyExistsException:
            for known in client.list_access_keys(UserName=person)["AccessKeyMetadata"]:
                client.delete_access_key(UserName=person, AccessKeyId=known["AccessKeyId"])
        key = client.create_access_key(UserName=person)["AccessKey"]
        made[person] = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
    return made


def send(
    stack: Mapping[str, Any], command: str, *, operator: str, role: str | None = None, keys: Credentials | None = None
) -> urllib3.BaseHTTPResponse:
    """Sends a command, JSON, as one of them (or with other keys); the answer.

    Without a `role` it goes where the command belongs.
    """
    if keys is None:
        if operator not in stack["operators"]:
            raise LocalStackError(f"There is no OPERATOR={operator}; there are: {', '.join(stack['operators'])}.")
        own = stack["operators"][operator]
        keys = Credentials(own["access_key_id"], own["secret_access_key"])
    url = f"{stack['api_url']}/operator/{role or role_of(command)}/commands"
    request = AWSRequest("POST", url, data=command.encode(), headers={"Content-Type": "application/json"})
    SigV4Auth(keys, "execute-api", REGION).add_auth(request)
    # asked once: who is refused or gets no answer decides what to do
    return urllib3.request(
        "POST", url, body=command.encode(), headers=dict(request.headers), timeout=_PATIENCE_S, retries=False
    )


def role_of(command: str) -> str:
    """The role whose command it is."""
    sys.path.insert(0, str(ROOT / "layers"))  # which role commands what is the wallet's own business
    from wallet.operators.model import ROLE_OF  # noqa: PLC0415 - as it says

    name = json.loads(command).get("command")
    if name in ("approve", "cancel"):
        raise LocalStackError(f"ROLE={'|'.join(sorted(set(ROLE_OF.values())))} says whose request it is about.")
    return ROLE_OF.get(name, "look")  # which tells the commands that it has
