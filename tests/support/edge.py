"""The function at CloudFront's edge, by itself: run by the Node of this environment, as the template has it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from local.state import ROOT
from local.template import read

_RUN: Final = """
const { code, uris } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const handler = new Function(code + "; return handler;")();
const ask = (uri) => handler({ request: { method: "GET", uri, headers: {}, querystring: {}, cookies: {} } });
process.stdout.write(JSON.stringify(uris.map(ask)));
"""


def code(listed: str) -> str:
    """What is deployed with this list of the site's addresses."""
    properties = read(ROOT / "template.yaml")["Resources"]["SiteNotFound"]["Properties"]
    text: str = properties["FunctionCode"]["Fn::Sub"]
    return text.replace("${SiteAddresses}", listed)


def answers(*uris: str, listed: str) -> list[dict[str, Any]]:
    """What it makes of requests for these: the request, to be handed on, or an answer."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("node")), "-e", _RUN],
        input=json.dumps({"code": code(listed), "uris": uris}),
        capture_output=True,
        text=True,
        check=True,
    )
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told
