"""One of each verb of the kernel, made possible: to be asked for on any connection, and again in the same words."""

from collections.abc import Callable
from functools import partial

from tests.support.books import Books
from tests.support.moves import pay, place
from wallet import wiring
from wallet.storage import holds, payments
from wallet.storage.database import Database

#: Answers what it did, and whether its key had done so before.
Verb = Callable[[Database], tuple[object, bool]]


class Day:
    """A payer and a merchant whose wallet is hot, with money. Each round of verbs comes to `PAYER` and `HELD`."""

    #: What one round, with what it needs beforehand, does to the payer's balance and to what of it is held.
    PAYER = -1_000 - 1_000 + 1_000 + 300 - 300
    HELD = 700

    def __init__(self, books: Books) -> None:
        self.books = books
        self.payer = books.person(money=1_000_000)
        self.merchant = books.person(kind="merchant", tier="merchant", money=1_000_000)
        books.spread(self.merchant, 8)

    def verbs(self) -> dict[str, Verb]:
        """A round of them: to pay, to be paid by the hot wallet, to refund, and each step of a hold."""
        payment_id = pay(self.books, self.payer, self.merchant, 1_000)[0].transaction_id
        first, second = (place(self.books, self.payer, self.merchant, 700).id for _ in range(2))
        payers, merchants = self.payer.claim, self.merchant.claim
        paying = {"payee_phone": None, "amount": 1_000, "description": "चाय", "reference": None}
        return {
            "pay": partial(
                payments.post_payment,
                claim=payers(),
                transaction_id=wiring.new_id(),
                payee_wallet_id=self.merchant.wallet_id,
                **paying,  # type: ignore[arg-type]  # of several types
            ),
            "pay out": partial(
                payments.post_payment,
                claim=merchants(),
                transaction_id=wiring.new_id(),
                payee_wallet_id=self.payer.wallet_id,
                **paying,  # type: ignore[arg-type]  # of several types
            ),
            "refund": partial(
                payments.refund_payment,
                claim=merchants(),
                transaction_id=wiring.new_id(),
                payment_id=payment_id,
                amount=300,
                reason=None,
            ),
            "place": partial(
                holds.place_hold,
                claim=payers(),
                hold_id=wiring.new_id(),
                payee_wallet_id=self.merchant.wallet_id,
                payee_phone=None,
                amount=700,
                valid_s=3_600,
                description=None,
            ),
            "capture": partial(
                holds.capture_hold,
                claim=merchants(),
                transaction_id=wiring.new_id(),
                hold_id=first,
                amount=300,
                final=True,
            ),
            "release": partial(holds.release_hold, claim=merchants(), hold_id=second),
        }
