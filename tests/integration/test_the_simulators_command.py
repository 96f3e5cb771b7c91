"""`python -m local.gateway`, as the local stack runs it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from tests.integration.razorpay_simulator import KEY_ID, KEY_SECRET

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = ["--port", "0", "--key-id", KEY_ID, "--account-id", "acc_Sim1"]


@contextmanager
def command(state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run it until it says where it listens; kill it at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local.gateway", "--state", str(state), *ARGUMENTS],
        cwd=ROOT,
        env=os.environ | {"GATEWAY_KEY_SECRET": KEY_SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().removeprefix("gateway simulator: ").strip()
        finally:
            process.kill()


def orders(url: str, *, new: bool = False) -> int:
    """Count the orders, after making one if asked to."""
    headers = urllib3.make_headers(basic_auth=f"{KEY_ID}:{KEY_SECRET}")
    if new:
        order = {"amount": 100, "currency": "INR", "receipt": "a-receipt-of-ours"}
        assert urllib3.request("POST", f"{url}/v1/orders", json=order, headers=headers).status == 200
    count = urllib3.request("GET", f"{url}/v1/orders?receipt=a-receipt-of-ours", headers=headers).json()["count"]
    assert isinstance(count, int)
    return count


def test_it_ends_quietly_when_asked_to_and_logs_neither_secrets_nor_receipts(tmp_path: Path) -> None:
    with command(tmp_path) as (process, url):
        orders(url, new=True)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "POST /v1/orders 200" in log
    assert KEY_SECRET not in log
    assert "a-receipt-of-ours" not in log


def test_what_it_has_answered_survives_a_kill(tmp_path: Path) -> None:
    with command(tmp_path) as (process, url):
        assert orders(url, new=True) == 1
        process.kill()
    with command(tmp_path) as (_, url):
        assert orders(url) == 1


def test_it_does_not_start_without_its_secret(tmp_path: Path) -> None:
    without = {name: value for name, value in os.environ.items() if name != "GATEWAY_KEY_SECRET"}
    ended = subprocess.run(
        [sys.executable, "-m", "local.gateway", "--state", str(tmp_path), *ARGUMENTS],
        cwd=ROOT,
        env=without,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "GATEWAY_KEY_SECRET" in ended.stderr
