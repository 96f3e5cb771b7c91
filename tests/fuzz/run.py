"""One run of Schemathesis over a stack: people with something to ask about, and what is held against the document."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Final

from tests.support import clients
from tests.support.addresses import new_address
from tests.support.client import Api, Person, new_key
from tests.support.openapi import DOCUMENT

#: No 5xx; status, media type, headers and body as the document has them; what it forbids is refused, and so is who has
#: no token or another's. Left out is what it does not promise: that whatever has the right form is accepted (a payment
#: of all that there is, to nobody), and what API Gateway answers to methods that there are not.
_CHECKS: Final = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,missing_required_header,ignored_auth"
)
#: These end the caller's sessions, so they come last; operators sign by IAM, and are on another path.
_ENDS_SESSIONS: Final = "^/(session|sessions|logout|me/freeze|me/password|me/phone)"
_NOT_HERE: Final = "^/operator"


def run(
    api: Api, *, seed: int, seconds: int | None = None, only: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Every route but the operators', or those whose path `only` finds; for `seconds` at most, or each case once."""
    time = [] if seconds is None else ["--max-time", str(max(1, seconds * 9 // 10))]
    if only is not None:
        return _ask(api, ["--seed", str(seed), *time, "--include-path-regex", only])
    main = _ask(api, ["--seed", str(seed), *time, "--exclude-path-regex", f"{_ENDS_SESSIONS}|{_NOT_HERE}"])
    time = [] if seconds is None else ["--max-time", str(max(1, seconds // 10))]
    last = _ask(api, ["--seed", str(seed), *time, "--include-path-regex", _ENDS_SESSIONS])
    return main if main.returncode else last


def _ask(api: Api, options: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    caller, other = api.person(money=1_000_000), api.person(money=100_000, kind="merchant", name="Chai Corner")
    command = [
        *(str(clients.ensure() / "st"), "run", str(DOCUMENT), "--url", api.stack["api_url"]),
        *("-H", f"Authorization: Bearer {caller.token}", "-H", f"X-Forwarded-For: {new_address()}"),
        *("--phases", "coverage,fuzzing", "--checks", _CHECKS, "--max-examples", "10", "--continue-on-failure"),
        *("--no-color", "--warnings", "off", *options),
    ]
    hooks = str(clients.ROOT / "tests" / "fuzz" / "hooks.py")
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": hooks, "FUZZ_IDS": json.dumps(_ids(caller, other))}
    with tempfile.TemporaryDirectory() as folder:  # it remembers what failed, and would begin with that
        return subprocess.run(command, cwd=folder, env=environment, text=True, check=False)


def _ids(caller: Person, other: Person) -> dict[str, str]:
    """Something of the caller's for each route that takes an id: a payment, a hold, a request, …"""
    payment = other.pay(caller, 1_000).body
    hold = other.post("/holds", {"to": {"wallet_id": caller.wallet_id}, "amount": 5_000}).body
    top_up = caller.open_top_up(10_000)
    request = caller.post("/payment-requests", {"amount": 100}).body
    withdrawal = caller.post("/withdrawals", {"amount": 100, "vpa": "pending@bank"}, key=new_key()).body
    entry = caller.get("/wallet/transactions").body["data"][0]
    found = {
        "payments": payment["id"],
        "holds": hold["id"],
        "top-ups": top_up["id"],
        "payment-requests": request["id"],
        "withdrawals": withdrawal.get("id", ""),
        "transactions": entry["id"],
    }
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    ends = {path: path.partition("/{id}")[0].rpartition("/")[2] for path in paths if "/{id}" in path}
    return {path: found[segment] for path, segment in ends.items() if found.get(segment)} | {"payee": other.wallet_id}
