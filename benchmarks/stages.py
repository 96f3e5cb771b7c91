"""Where a payment's processor time goes in the server: `make bench`.

The payment's procedure is cut short at one point after the other, and each time the server's own processor time is
counted for payments that end there. What one stage takes is what it has more than the one before. Linux only: it reads
/proc. The figures are as noisy as the machine.
"""

import argparse
import os
import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.callers import Callers, Load
from benchmarks.payments import loads
from local.database import PrivateServer
from local.state import ROOT
from tests.support.books import Books

_PROCEDURE = ROOT / "schema" / "procedures" / "payments" / "make_payment.sql"
_IN_LOOP, _IN_IF, _OUTSIDE = "LEAVE judging; END LOOP;\nEND", "END IF;\nEND", "END"
#: Each stage with the text that begins the next one, and how the procedure ends if it ends there.
STAGES = (
    ("the call, the key, the commit and the answer", "    DECLARE v_status", _OUTSIDE),
    ("the procedure's variables", "    SET p_payee_id = p_payee_wallet_id;", _OUTSIDE),
    ("the read of all that decides", "        IF v_tier_to_renew IS NOT NULL", _IN_LOOP),
    ("judging, without a lock", "        -- Credits of a hot wallet are spread", _IN_LOOP),
    ("the read under the locks", "        IF v_slot > 0 THEN\n            IF p_payee_id > p_payer_id", _IN_LOOP),
    ("what follows it: lapsed holds, confirmation", "        -- The servers assign from left", _IN_IF),
    ("both wallets", "        IF v_is_hold THEN\n", _IN_IF),
    ("the transaction", "            IF v_slot > 0 THEN\n                UPDATE wallet_slots", f"END IF; {_IN_IF}"),
    (
        "both postings",
        "            INSERT INTO outbox (wallet_id, other_wallet_id, type, transaction_id",
        f"END IF; {_IN_IF}",
    ),
    ("the event", "        SET p_outcome = 'done';\n", _IN_IF),
)
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def cut(text: str, begins_the_next: str, end: str) -> str:
    """The procedure with nothing from there on."""
    head, found, _ = text.partition(begins_the_next)
    if not found:
        raise ValueError(f"the payment's procedure has no {begins_the_next.strip()!r}")
    return f"{head}SET p_outcome = 'done'; {end}"


def main() -> None:
    """A line for each stage: its own microseconds, and all up to there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.5, help="of a round; each stage has two")
    parser.add_argument("--callers", type=int, default=6)
    parser.add_argument("--people", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PrivateServer(Path(folder)) as server:
        print(f"{server.program.flavour} {server.program.version}: processor time of a payment, in microseconds")
        books = Books(server)
        books.migrate()
        (floor, ours), _ = loads(books, given.people)
        with Callers(books.server, books.owner_credentials, given.callers) as callers:

            def cost(load: Load) -> float:
                callers.pay(load, min(0.5, given.seconds))
                return min(_cost(server, callers, load, given.seconds) for _ in range(2))

            print(f"  {cost(floor):6.0f} in all: the floor", flush=True)
            whole, before = _PROCEDURE.read_text(encoding="utf-8"), 0.0
            for name, begins_the_next, end in STAGES:
                with closing(books.connect()) as connection, connection.cursor() as cursor:
                    cursor.execute("DROP PROCEDURE make_payment")
                    cursor.execute(cut(whole, begins_the_next, end))
                taken = cost(ours)
                print(f"  {taken:6.0f} in all, {taken - before:5.0f} of it: {name}", flush=True)
                before = taken


def _cost(server: PrivateServer, callers: Callers, load: Load, seconds: float) -> float:
    began = _processor_s(server)
    made = len(callers.pay(load, seconds))
    return (_processor_s(server) - began) / max(made, 1) * 1e6


def _processor_s(server: PrivateServer) -> float:
    fields = Path(f"/proc/{server.daemon.pid()}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


if __name__ == "__main__":
    main()
