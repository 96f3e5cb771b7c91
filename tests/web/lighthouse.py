"""`make lighthouse`: measures the site of the stack that is up, and writes docs/site-performance.md.

Lighthouse is not among the requirements: it is fetched when this is run, into the stack's folder.
"""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from local import stack
from local.state import ROOT, State
from tests.support.client import PASSWORD, Api
from tests.web.conftest import chromium_program

_LIGHTHOUSE: Final = "lighthouse@13.5.0"
_CATEGORIES: Final = ("performance", "accessibility", "best-practices", "seo")
_RUNS: Final = 3
_TIMES: Final = {"first-contentful-paint": "first paint", "interactive": "usable"}


def measure(state: State, url: str, cookie: str) -> dict[str, Any]:
    """What Lighthouse says of a page on its slow phone."""
    folder = state.folder / "lighthouse"
    folder.mkdir(exist_ok=True)
    node = Path(sys.executable).parent
    environment = {"PATH": f"{node}:/usr/bin:/bin", "HOME": str(folder), "CHROME_PATH": chromium_program() or ""}
    if not (folder / "node_modules" / ".bin" / "lighthouse").exists():
        subprocess.run([node / "npm", "install", "--no-audit", "--no-fund", _LIGHTHOUSE], cwd=folder, check=True)
    (folder / "headers.json").write_text(json.dumps({"Cookie": cookie} if cookie else {}))
    subprocess.run(
        [
            *("node_modules/.bin/lighthouse", url, "--quiet", "--output=json", "--output-path=told.json"),
            *("--extra-headers=headers.json", "--chrome-flags=--headless=new --no-sandbox --disable-gpu"),
        ],
        cwd=folder,
        env=environment,
        check=True,
    )
    told: dict[str, Any] = json.loads((folder / "told.json").read_text())
    return told


def signed_in(api: Api) -> str:
    """The cookie of somebody with money."""
    shown = {"phone": api.person(money=50_000).phone, "password": PASSWORD}
    answer = api.pool.request("POST", f"{api.stack['api_url']}/session", json=shown, headers={"X-Wallet": "1"})
    return answer.headers["Set-Cookie"].partition(";")[0]


def sizes(built: Path) -> list[tuple[str, int, int]]:
    """Of each script and style: its name without the hash, bytes, and bytes as they are sent."""
    files = sorted(built.glob("assets/*.*"))
    named = [(re.sub(r"-.{8}(?=\.\w+$)", "", file.name), file.read_bytes()) for file in files]
    return [(name, len(content), len(gzip.compress(content, 6))) for name, content in named]


def first_load(built: Path) -> list[str]:
    """The scripts and styles that the page itself asks for, by their names without the hash."""
    named = re.findall(r'"/assets/([^"]+?)-[^"]{8}([.](?:js|css))"', (built / "index.html").read_text())
    return [f"`{name}{ending}`" for name, ending in named]


def main() -> None:
    """Three pages, of each the middle one of three runs."""
    state = State(ROOT / ".local")
    api = Api(stack.read(state))
    rows, told = [], {}
    for name, path in (("sign in", "sign-in"), ("home", ""), ("pay", "pay")):
        cookies = ["" if path == "sign-in" else signed_in(api) for _ in range(_RUNS)]
        runs = [measure(state, f"{api.stack['web_url']}/{path}", cookie) for cookie in cookies]
        told = sorted(runs, key=lambda run: float(run["audits"]["interactive"]["numericValue"]))[_RUNS // 2]
        scores = [f"{round(told['categories'][one]['score'] * 100)}" for one in _CATEGORIES]
        times = [f"{told['audits'][one]['numericValue'] / 1000:.1f} s" for one in _TIMES]
        rows.append(f"| {name} | " + " | ".join((*scores, *times)) + " |")
    lines = [
        "# Performance of the site",
        "",
        f"Written by `make lighthouse` ({_LIGHTHOUSE.replace('@', ' ')}: a slow phone on a slow network, as it",
        "plays them) in front of the stack of a developer's machine. What is sent is compressed as CloudFront does",
        "it. Of each page the middle one of three runs; the phone's processor is four times slower than that",
        f"machine's, which has {told['environment']['benchmarkIndex']:.0f} by Lighthouse's benchmark.",
        "",
        "| page | " + " | ".join(_CATEGORIES) + " | " + " | ".join(_TIMES.values()) + " |",
        "|---|" + "---|" * (len(_CATEGORIES) + len(_TIMES)),
        *rows,
    ]
    lines += ["", "| file | bytes | sent |", "|---|---|---|"]
    lines += [f"| {name} | {raw:,} | {sent:,} |" for name, raw, sent in sizes(state.build / "site")]
    lines += [
        "",
        f"The first load is {', '.join(first_load(state.build / 'site'))}, and `hi.js` for who reads Hindi; the rest",
        "comes when it is wanted. `tests/web/test_first_load.py` holds it to 60,000 bytes.",
        "",
    ]
    (ROOT / "docs" / "site-performance.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
