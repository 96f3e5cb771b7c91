"""The command: `python -m local.gateway --port 8080 --state .local/gateway --key-id … --account-id …`.

The two secrets come from the environment, as other users of a machine can read its command lines:
GATEWAY_KEY_SECRET, and GATEWAY_WEBHOOK_SECRET with `--webhook-url`. Options of these names override them.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from local.gateway.server import PAYOUT_ACCOUNT, Settings, Simulator
from local.gateway.webhooks import Patience


def main(arguments: list[str]) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.key_secret:
        parser.error("the API's secret is missing: GATEWAY_KEY_SECRET")
    if given.webhook_url and not given.webhook_secret:
        parser.error("the webhook's secret is missing: GATEWAY_WEBHOOK_SECRET")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    simulator = Simulator(
        Settings(
            state=_state_file(given.state),
            host=given.host,
            port=given.port,
            key_id=given.key_id,
            key_secret=given.key_secret,
            account_id=given.account_id,
            payout_account=given.payout_account,
            webhook_url=given.webhook_url,
            webhook_secret=given.webhook_secret,
            patience=Patience(first=given.retry_first, longest=given.retry_longest, altogether=given.retry_for),
        )
    ).start()
    sys.stdout.write(f"gateway simulator: {simulator.url}\n")
    sys.stdout.flush()
    ended.wait()
    simulator.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local.gateway", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one, which is printed")
    parser.add_argument("--state", type=Path, required=True, help="a SQLite file, or a folder to keep it in")
    parser.add_argument("--key-id", required=True)
    parser.add_argument("--key-secret", default=os.environ.get("GATEWAY_KEY_SECRET"))
    parser.add_argument("--webhook-url", help="may also be set later, by PUT /simulator/webhook")
    parser.add_argument("--webhook-secret", default=os.environ.get("GATEWAY_WEBHOOK_SECRET"))
    parser.add_argument("--account-id", required=True)
    parser.add_argument("--payout-account", default=PAYOUT_ACCOUNT, help="the number of the account that pays out")
    seconds = "seconds"
    parser.add_argument("--retry-first", type=float, default=1.0, metavar=seconds, help="before the first retry")
    parser.add_argument("--retry-longest", type=float, default=60.0, metavar=seconds, help="between two tries")
    parser.add_argument("--retry-for", type=float, default=86_400.0, metavar=seconds, help="until giving up")
    return parser


def _state_file(state: Path) -> Path:
    return state if state.suffix in (".sqlite3", ".sqlite", ".db") else state / "gateway.sqlite3"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
