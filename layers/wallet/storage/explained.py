"""How much of the money that a gateway has is explained by our books: what the published objective is measured by."""

from collections.abc import Iterable
from dataclasses import dataclass

from wallet.ledger.attempts import ObservedPayment
from wallet.ledger.breaks import BookedPayment, Unreadable
from wallet.storage.breaks import booked_payments
from wallet.storage.database import Database

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Explained:
    """Sums in minor units, over all currencies; `unexplained` are the payments that make the difference."""

    value: int
    explained: int
    unexplained: tuple[str, ...]

    @property
    def per_million(self) -> int:
        """The explained share, rounded down: 999,900 is 99.99 %. All of nothing is explained.

        While anything is unexplained it is less than all, also where nobody can read its amount.
        """
        share = self.explained * _MILLION // self.value if self.value else _MILLION
        return min(share, _MILLION - 1) if self.unexplained else share


def explained(
    database: Database, payments: Iterable[ObservedPayment], unreadable: Iterable[Unreadable] = ()
) -> Explained:
    """Measures payments, as one gateway lists them, and what on its list can't be read.

    What counts is every payment that was captured there. One that can be read is explained if it is in the ledger with
    its amount (and the surcharge that its payer bore) and currency, whether it was credited or lies in suspense with a
    reason: the schema knows no third way, nor a payment that is in the ledger twice. One that can't be read is not,
    unless it says itself that no money has arrived; if even its amount can't be read, it adds to no sum. An open break
    explains nothing.
    """
    captured = {payment.payment_id: payment for payment in payments if payment.captured and payment.amount > 0}
    booked: dict[str, BookedPayment] = {}
    for gateway in {payment.gateway for payment in captured.values()}:
        booked |= booked_payments(database, captured, gateway=gateway)
    missing = {
        name: payment.amount
        for name, payment in captured.items()
        if name not in booked or (booked[name].paid, booked[name].currency) != (payment.amount, payment.currency)
    }
    odd = {one.subject: one.amount or 0 for one in unreadable if one.amount != 0}
    value = sum(payment.amount for payment in captured.values()) + sum(odd.values())
    missing |= odd
    return Explained(value, value - sum(missing.values()), tuple(sorted(missing)))
