"""A file of 10,000 payments, from its text to its last row: `make bench`.

A private server with durable commits and one worker over TLS, as the function is; no API Gateway and no DynamoDB. All
rows queue on the payer's wallet, so that more workers would not be faster.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.kept import keep
from local.database import PrivateServer
from tests.support.books import Books
from tests.unit.calls import request
from wallet import wiring
from wallet.edge.bulk_files import COLUMNS, read_file
from wallet.ledger.bulk import MAX_ROWS
from wallet.movements.bulk import BulkRun, BulkWorker, open_bulk_payment

_PAYEES = 500
_AMOUNT = 100


def main() -> None:
    """Prints how long it takes to read a file, to take it in and to pay it, then whether the books are right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=MAX_ROWS)
    parser.add_argument("--keep", action="store_true", help="for `make performance`")
    given = parser.parse_args()
    rows_wanted: int = given.rows
    with tempfile.TemporaryDirectory() as folder, PrivateServer(Path(folder)) as server:
        print(f"{server.program.flavour} {server.program.version}: a bulk payment of {rows_wanted} rows")
        books = Books(server)
        books.migrate()
        payees = [books.person() for _ in range(_PAYEES)]
        # people may pay a hundred an hour by phone
        payer = books.person(kind="merchant", tier="merchant", money=rows_wanted * _AMOUNT)
        lines = (f"{payees[n % _PAYEES].phone},{_AMOUNT},Salary for May,staff-{n}" for n in range(rows_wanted))
        file = "\n".join([",".join(COLUMNS), *lines]).encode()
        database = books.as_role("money")
        database.read("SELECT 1 AS one")

        began = time.monotonic()
        rows = read_file(request(file, headers={"content-type": "text/csv"}))
        print(f"  read and checked {len(file) / 1e6:12.1f} MB {time.monotonic() - began:8.2f} s")
        began = time.monotonic()
        open_bulk_payment(database, wiring.new_id, claim=payer.claim(), rows=rows)
        print(f"  taken in, one commit             {time.monotonic() - began:8.2f} s")
        began, run = time.monotonic(), BulkRun()
        BulkWorker(database, wiring.new_id, time_left_s=lambda: 3600.0).work(run)
        took = time.monotonic() - began
        print(f"  paid {run.paid}, refused {run.refused:<16} {took:8.2f} s {run.paid / took:8.0f}/s")
        faults = books.faults()
        print("  the books are right" if not faults else f"  THE BOOKS ARE WRONG: {faults}")
        if given.keep:
            keep(server.program, "bulk", {"rows": rows_wanted, "seconds": took})


if __name__ == "__main__":
    main()
