"""Every case whose points are listed, by door."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.crash import clock, keyed, others, webhooks
from tests.faults.crash.world import Situation, World


@dataclass(frozen=True, slots=True)
class Case:
    """What a door is asked; `begin` makes a fresh one.

    `alone`: nothing else may be tried at the same time. `is_minor`: the door is none of the four whose every point is
    listed, so that what it has in common with them (secrets, the connection) is left out.
    """

    door: str
    name: str
    begin: Callable[[World], Situation]
    alone: bool = False
    is_minor: bool = False

    def __str__(self) -> str:
        return f"{self.door}: {self.name}"

    def shares(self, point: str) -> bool:
        """Whether this, if the first case has it too, is there for the same reason."""
        return self.door == "reconcile" or point.startswith(("Secrets Manager", "MySQL connection", "SET "))


def _minor(door: str, name: str, begin: Callable[[World], Situation], *, alone: bool = False) -> Case:
    return Case(door, name, begin, alone, is_minor=True)


CASES = (
    Case("pay", "a new payment", keyed.Paying),
    Case("pay", "repeated", keyed.repeated(keyed.Paying)),
    Case("pay", "repeated when DynamoDB has forgotten it", keyed.repeated_late(keyed.Paying)),
    Case("pay", "too little money", keyed.PayingTooMuch),
    Case("pay", "another payment under its key", keyed.PayingOtherwise),
    Case("pay", "one that wants a confirmation", keyed.PayingUnconfirmed),
    Case("pay", "one that is confirmed", keyed.PayingConfirmed),
    Case("pay", "what is asked for", keyed.PayingWhatIsAskedFor),
    Case("pay", "a payment looked at", keyed.ShowingAPayment),
    Case("top_up", "a new top-up", keyed.AskingForMoney),
    Case("top_up", "repeated", keyed.repeated(keyed.AskingForMoney)),
    Case("top_up", "repeated when DynamoDB has forgotten it", keyed.repeated_late(keyed.AskingForMoney)),
    Case("top_up", "more than allowed", keyed.AskingForTooMuch),
    Case("top_up", "a gateway that is down", keyed.AskingADeadGateway, alone=True),
    Case("top_up", "a phone that the gateway refuses", keyed.AskingUnderAPhoneThatIsRefused),
    Case("top_up", "a top-up looked at", keyed.ShowingATopUp),
    Case("webhook", "captured, for an open order", webhooks.Paid),
    Case("webhook", "captured, for an unknown order", webhooks.paid(known=False)),
    Case("webhook", "captured, of another amount", webhooks.paid(told_amount=499)),
    Case("webhook", "a payment told of again", webhooks.PaidTwiceTold),
    Case("webhook", "failed", webhooks.Failed),
    Case("webhook", "refunded at the gateway", webhooks.Refunded),
    Case("webhook", "disputed by the payer's bank", webhooks.Disputed),
    Case("webhook", "paid out", webhooks.paid_out("processed", ("succeeded", 400, 0))),
    Case("webhook", "not paid out", webhooks.paid_out("failed", ("failed", 1_000, 0))),
    Case("webhook", "a payout begun", webhooks.PaidOutInitiated),
    Case("webhook", "another amount paid out", webhooks.PaidOutOtherwise),
    Case("webhook", "paid out, and then not", webhooks.PaidOutAndFailed),
    Case("webhook", "forged", webhooks.Forged),
    *(Case("reconcile", name, clock.only(kind), alone=True) for name, kind in clock.KINDS.items()),
    _minor("refund", "a part of a payment", others.GivingBack),
    _minor("confirmations", "a code shown", others.Confirming),
    _minor("hold", "a new hold", others.Promising),
    _minor("capture", "all of a hold", others.Taking),
    _minor("capture", "a hold let go", others.LettingGo),
    _minor("withdraw", "a new withdrawal", others.TakingOut, alone=True),
    _minor("withdraw", "to an address that is refused", others.TakingOutToNowhere, alone=True),
    _minor("withdraw", "a withdrawal cancelled", others.CallingBack),
    _minor("bulk_worker", "a file of two rows", others.PayingAFile, alone=True),
    _minor("operator", "a tier asked for", others.Asking),
    _minor("operator", "a refund to source approved", others.SendingBack),
    _minor("operator", "a wallet frozen", others.Freezing),
    _minor("operator", "a withdrawal cancelled", others.Stopping),
    _minor("operator", "the end of a payment's dispute approved", others.EndingADispute),
)
