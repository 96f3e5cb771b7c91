"""How much of the money that a gateway has is explained by our books: what the published objective is measured by."""

from collections.abc import Iterable
from dataclasses import dataclass

from wallet.ledger.attempts import ObservedPayment
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
        """The explained share, rounded down: 999,900 is 99.99 %. All of nothing is explained."""
        return self.explained * _MILLION // self.value if self.value else _MILLION


def explained(database: Database, payments: Iterable[ObservedPayment]) -> Explained:
    """Measures payments, as one gateway lists them.

    What counts is every payment whose money has arrived there. It is explained if it is in the ledger with its amount
    and currency, whether it was credited or lies in suspense with a reason: the schema knows no third way, nor a
    payment that is in the ledger twice. An open break explains nothing.
    """
    arrived = {payment.payment_id: payment for payment in payments if payment.has_arrived and payment.amount > 0}
    if not arrived:
        return Explained(0, 0, ())
    [gateway] = {payment.gateway for payment in arrived.values()}
    booked = booked_payments(database, arrived, gateway=gateway)
    unexplained = [
        payment
        for name, payment in arrived.items()
        if name not in booked or (booked[name].amount, booked[name].currency) != (payment.amount, payment.currency)
    ]
    value = sum(payment.amount for payment in arrived.values())
    missing = sum(payment.amount for payment in unexplained)
    return Explained(value, value - missing, tuple(sorted(payment.payment_id for payment in unexplained)))
