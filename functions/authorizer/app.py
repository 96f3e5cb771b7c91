"""The authorizer of the API: the only reader of access tokens."""

import time
from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.identity.tokens import key_id, verify
from wallet.ledger import ids
from wallet.ledger.refusals import Refused


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Says who it is, or denies: API Gateway makes 401 of that. If the secret can't be read, it fails, which is 503."""
    token = str(event.get("authorizationToken", "")).partition(" ")[2].strip()
    try:
        access = verify(token, wiring.verifying_keys(key_id(token)), now=time.time())
    except Refused as refused:
        logger().info("denied", code=refused.refusal.value)
        return _policy(event, "nobody", "Deny", {})
    user_id = ids.show(ids.USER, access.principal.user_id)
    told = {
        "user_id": user_id,
        "session_id": ids.show(ids.SESSION, access.principal.session_id),
        "generation": access.principal.generation,
        "good_from": access.good_from,
        "expires_at": access.expires_at,
    }
    return _policy(event, user_id, "Allow", told)


def _policy(event: dict[str, Any], principal: str, effect: str, context: dict[str, Any]) -> dict[str, Any]:
    """For every route of this stage: API Gateway remembers it by token, and the next call may be to another one."""
    api, stage = str(event["methodArn"]).split("/")[:2]
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api}/{stage}/*"}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }
