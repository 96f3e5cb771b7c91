"""What Schemathesis loads, in its own environment: routes with an id get real ones as often as made-up ones.

A made-up id is answered 404, and nothing behind it is ever reached.
"""

import itertools
import json
import os
import re
from typing import Any

import schemathesis

#: By the path an id of the caller's, and the payee's wallet; from whoever started this.
_IDS: dict[str, str] = json.loads(os.environ["FUZZ_IDS"])
_turns = itertools.cycle((True, False))
_FORM = re.compile(r"^[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}$")


@schemathesis.hook  # type: ignore[untyped-decorator]  # it is not in this environment
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Half of the well-formed ids are exchanged, every second: what is asked about, and who is paid."""
    del context, kwargs
    known = _IDS.get(case.operation.path)
    if known is not None and _is_exchanged((case.path_parameters or {}).get("id")):
        case.path_parameters["id"] = known
    payee = case.body.get("to") if isinstance(case.body, dict) else None
    if isinstance(payee, dict) and _is_exchanged(payee.get("wallet_id")):
        payee["wallet_id"] = _IDS["payee"]


def _is_exchanged(made_up: Any) -> bool:
    return isinstance(made_up, str) and bool(_FORM.match(made_up)) and next(_turns)
