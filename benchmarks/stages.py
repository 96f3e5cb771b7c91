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
from benchmarks.kept import keep
from benchmarks.payments import OURS, RANDOM, THE_FLOOR, loads
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
    ("judging, without a lock", "        -- Credits of a hot wallet go to", _IN_LOOP),
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
    parser.add_argument("--keep", action="store_true", help="for `make performance`")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PrivateServer(Path(folder)) as server:
        print(f"{server.program.flavour} {server.program.version}: processor time of a payment, in microseconds")
        books = Books(server)
        books.migrate()
        inside = loads(books, given.people)
        floor, ours = inside[RANDOM, THE_FLOOR], inside[RANDOM, OURS]
        with Callers(given.callers) as callers:

            def cost(load: Load) -> float:
                callers.pay(load, min(0.5, given.seconds))
                return min(_cost(server, callers, load, given.seconds) for _ in range(2))

            at_least = cost(floor)
            print(f"  {at_least:6.0f} in all: the floor", flush=True)
            whole, before = _PROCEDURE.read_text(encoding="utf-8"), 0.0
            stages: list[tuple[str, float]] = []
            for name, begins_the_next, end in STAGES:
                with closing(books.connect()) as connection, connection.cursor() as cursor:
                    cursor.execute("DROP PROCEDURE make_payment")
                    cursor.execute(cut(whole, begins_the_next, end))
                taken = cost(ours)
                print(f"  {taken:6.0f} in all, {taken - before:5.0f} of it: {name}", flush=True)
                stages.append((name, taken - before))
                before = taken
        if given.keep:
            keep(server.program, "stages", {"floor": at_least, "stages": stages})


def _cost(server: PrivateServer, callers: Callers, load: Load, seconds: float) -> float:
    began = processor_s(server)
    made = len(callers.pay(load, seconds))
    return (processor_s(server) - began) / max(made, 1) * 1e6


def processor_s(server: PrivateServer) -> float:
    """How many seconds of processors a server has had since it started."""
    fields = Path(f"/proc/{server.daemon.pid()}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


if __name__ == "__main__":
    main()
