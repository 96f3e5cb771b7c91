"""The reconciler's two rounds: the one of every few minutes, and the one of every day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wallet.gateways.port import Gateway, GatewayEvent, ListingGateway, PayoutProvider
from wallet.movements.payment_disputes import attach_disputes
from wallet.movements.reconcile import Findings, finish_leftovers, reconcile
from wallet.movements.reconcile_refunds import reconcile_refunds
from wallet.movements.reconcile_withdrawals import reconcile_withdrawals
from wallet.movements.settlements import Reports
from wallet.movements.walk_payments import Comparer, walk_payments
from wallet.storage.breaks import tidy_breaks
from wallet.storage.database import Database
from wallet.storage.quotas import sweep_quotas
from wallet.storage.users import sweep_identity


@dataclass(frozen=True, slots=True)
class Tools:
    """What a round works with. `listing` is the gateway once more, if it gives lists; `parse` reads a kept event."""

    database: Database
    gateway: Gateway
    listing: ListingGateway | None
    provider: PayoutProvider
    new_id: Callable[[], UUID]
    parse: Callable[[str, bytes], GatewayEvent]
    now: Callable[[], datetime]

    def comparer(self, listing: ListingGateway, findings: Findings) -> Comparer:
        """What holds the gateway's payments against the ledger."""
        return Comparer(self.database, listing, self.new_id, findings)


def frequent_round(tools: Tools, findings: Findings, *, first_check_s: int, time_left_s: Callable[[], float]) -> None:
    """Everything that is due. Each part has its share of the time: a backlog of one kind starves no other."""
    database, gateway, new_id = tools.database, tools.gateway, tools.new_id
    whole_s = time_left_s()

    def until(share: float) -> Callable[[], float]:
        """What is left until so much of the time is over."""
        return lambda: time_left_s() - whole_s * (1 - share)

    reconcile(database, gateway, new_id, findings, first_check_s=first_check_s, time_left_s=until(0.4))
    reconcile_refunds(database, gateway, new_id, findings, first_check_s=first_check_s, time_left_s=until(0.6))
    reconcile_withdrawals(
        database, tools.provider, new_id, findings, first_check_s=first_check_s, time_left_s=until(0.8)
    )
    if tools.listing is not None:
        comparer = tools.comparer(tools.listing, findings)
        walk_payments(comparer, first_check_s=first_check_s, now=tools.now, time_left_s=until(1))
    finish_leftovers(database, new_id, tools.parse, findings)
    attach_disputes(database, new_id)
    tidy_breaks(database)
    sweep_identity(database)
    sweep_quotas(database)


def daily_round(
    tools: Tools, findings: Findings, *, settled_within_days: int, time_left_s: Callable[[], float]
) -> None:
    """The settlement reports, as long as there is time."""
    if tools.listing is not None:
        Reports(tools.comparer(tools.listing, findings), settled_within_days).read(tools.now(), time_left_s)
