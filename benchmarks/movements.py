"""What each movement costs the database: statements, and the server's processor time. `make bench`.

One caller, one movement after the other, each many times. Statements are as the server counts them for the session,
those of nested procedures and of triggers included; processor time is the whole server's meanwhile (Linux only: it
reads /proc). How many statements a movement may be is `tests/integration/test_cost_of_movements.py`'s to say.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.kept import keep
from benchmarks.stages import processor_s
from local.database import PrivateServer
from tests.support import moves
from tests.support.books import Books, Person, captured
from tests.support.payouts import PROVIDER, VPA, payout
from tests.support.statements_sent import statements_of
from wallet import wiring
from wallet.ledger.receipts import WithdrawalReceipt
from wallet.ledger.withdrawals import PayoutStatus
from wallet.storage import settlement, withdrawals

_MONEY = 10_000_000

#: A movement, ready to be done again and again.
Movement = Callable[[], object]


def movements(books: Books, times: int) -> dict[str, tuple[str, Movement]]:
    """By its name, the role whose connection it goes by and how to do it, at most so many times."""
    # nobody has more than 1,000 placed holds, and who has any is looked at longer: each movement has a payer of its own
    payer, asker, holder, capturer, releaser, shop, hot = (
        books.person(money=_MONEY, tier="merchant", kind="merchant") for _ in range(7)
    )
    books.spread(hot, 16)
    payments = [moves.pay(books, payer, shop, 10)[0].transaction_id for _ in range(times)]
    to_capture = [moves.place(books, capturer, shop, 10).id for _ in range(times)]
    to_release = [moves.place(books, releaser, shop, 10).id for _ in range(times)]
    arrived = [captured(books.order(books.person(), 100), 100) for _ in range(times)]
    asked = [_asks(books, asker) for _ in range(times)]

    def settles() -> None:
        gateway = moves.connection(books, "gateway")
        settlement.settle_payment(gateway, arrived.pop(), transaction_id=wiring.new_id())

    def is_paid_out() -> None:
        receipt = asked.pop()
        told = payout(receipt, PayoutStatus.SUCCEEDED)
        withdrawals.settle_withdrawal(
            moves.connection(books, "gateway"), told, withdrawal_id=receipt.id, transaction_id=wiring.new_id()
        )

    return {
        "payment": ("money", lambda: moves.pay(books, payer, shop, 1)),
        "payment to a hot merchant": ("money", lambda: moves.pay(books, payer, hot, 1)),
        "refund": ("money", lambda: moves.refund(books, shop, payments.pop(), 10)),
        "hold": ("money", lambda: moves.place(books, holder, shop, 1)),
        "capture": ("money", lambda: moves.capture(books, shop, to_capture.pop(), None)),
        "release": ("money", lambda: moves.release(books, shop, to_release.pop())),
        "top-up settled": ("gateway", settles),
        "withdrawal asked for": ("withdrawals", lambda: _asks(books, asker)),
        "withdrawal paid out": ("gateway", is_paid_out),
    }


def _asks(books: Books, payer: Person) -> WithdrawalReceipt:
    receipt, _ = withdrawals.open_withdrawal(
        moves.connection(books, "withdrawals"),
        payer.claim(),
        withdrawal_id=wiring.new_id(),
        provider=PROVIDER,
        vpa=VPA,
        amount=100,
        first_check_s=3_600,
    )
    return receipt


def main() -> None:
    """A line for each movement, and the check that the books are right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=500, help="each movement, at most 900")
    parser.add_argument("--keep", action="store_true", help="for `make performance`")
    given = parser.parse_args()
    measured: list[tuple[str, int, float]] = []
    with tempfile.TemporaryDirectory() as folder, PrivateServer(Path(folder)) as server:
        print(f"{server.program.flavour} {server.program.version}: statements and processor time of each movement")
        books = Books(server)
        books.migrate()
        for name, (role, movement) in movements(books, given.times + 2).items():
            movement()
            call = Counter({"round trips": 1, "call_procedure": 1})
            statements = (statements_of(moves.connection(books, role), movement) - call).total()
            began = processor_s(server)
            for _ in range(given.times):
                movement()
            took_us = (processor_s(server) - began) / given.times * 1e6
            print(f"  {name:<28} {statements:>3} statements {took_us:7.0f} µs", flush=True)
            measured.append((name, statements, took_us))
        faults = books.faults()
        print("  the books are right" if not faults else f"  THE BOOKS ARE WRONG: {faults}")
        if given.keep:
            keep(server.program, "movements", measured)


if __name__ == "__main__":
    main()
