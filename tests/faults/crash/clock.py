"""What the clock's function finds when it asks the gateways; the next run finds what this one left."""

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.faults.crash.world import LONG_S, Json, Situation, World
from tests.integration import razorpay_simulator as razorpay
from tests.integration import razorpayx_simulator as razorpayx
from tests.integration.test_functions_under_faults import captured_body
from tests.integration.test_kernel_source_refunds import instruction
from tests.support.books import GATEWAY, captured, unique
from tests.support.cold import Run
from tests.support.disputes import tell
from tests.support.operators import asked
from tests.support.payouts import PROVIDER, claimed, make_older, state_of
from wallet import wiring
from wallet.ledger import ids
from wallet.ledger.breaks import Break, Kind
from wallet.ledger.disputes import DisputePhase, DisputeStatus, ObservedDispute
from wallet.ledger.receipts import WithdrawalReceipt
from wallet.storage import breaks, operators, settlement, withdrawals


class Due(Situation):
    """Something that it is time to ask about."""

    timeout_s = LONG_S
    #: How many runs it takes from the beginning to its end.
    runs = 1

    def __init__(self, world: World) -> None:
        self.world = world
        self.make()

    def make(self) -> None:
        """Makes it, due."""
        raise NotImplementedError

    def check(self) -> None:
        """That it came to its end, once."""
        raise NotImplementedError

    def after_death(self, run: Run, /) -> None:
        self.world.until_nobody_is_at_work(run)
        for _ in range(self.runs):
            self.time_goes_by()
            self.run()
        self.check()

    def run(self) -> None:
        """The clock's next run; nothing of it is for people."""
        following = self.world.doors["reconcile"].run(self.event, timeout_s=LONG_S)
        assert following.error is None, following.error

    def last_question(self, attempt_id: UUID) -> None:
        """The days of an attempt are over: it is asked about once more, credited or not."""
        self.world.books.write(
            "UPDATE payment_attempts SET expires_at = UTC_TIMESTAMP(6), next_check_at = UTC_TIMESTAMP(6) WHERE id = %s",
            attempt_id.bytes,
        )
        self.run()

    def time_goes_by(self) -> None:
        """Whatever is to be asked about again some time is due now, and whatever was kept an hour ago is old."""
        for asked_about in ("payment_attempts", "withdrawals", "source_refunds"):
            self.world.books.write(
                f"UPDATE {asked_about} SET next_check_at = UTC_TIMESTAMP(6)"  # noqa: S608 - our own words
                " WHERE next_check_at < UTC_TIMESTAMP(6) + INTERVAL 12 HOUR"
            )


class Nothing(Due):
    """Nothing is due."""

    def make(self) -> None:
        """Nothing."""

    def check(self) -> None:
        """Nothing came of it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt to top up stands when the clock asks: what the person did, and what our row knows."""

    outcome: str | None = "captured_without_webhook"
    attached: bool = True
    is_over: bool = False


class Asked(Due):
    """A top-up of 500 paise; then `status`, with so much in the wallet and in suspense."""

    attempt, status, credited, suspended = Attempt(), "succeeded", 500, 0
    #: How often its history says so.
    times = 1

    def make(self) -> None:
        self.person = self.world.books.person()
        self.attempt_id, self.order_id = self.world.attempt(
            self.person,
            500,
            valid_s=0 if self.attempt.is_over else 3600,
            first_check_s=0,
            attached=self.attempt.attached,
        )
        if self.attempt.outcome is not None:
            self.world.pays(self.order_id, self.attempt.outcome)

    def check(self) -> None:
        (row,) = self.world.books.select(
            "SELECT a.status, a.gateway_order_id, a.next_check_at < UTC_TIMESTAMP(6) AS due,"
            " (SELECT COUNT(*) FROM payment_attempt_events e WHERE e.attempt_id = a.id AND e.status = %s) AS times"
            " FROM payment_attempts a WHERE a.id = %s",
            self.status,
            self.attempt_id.bytes,
        )
        assert (row["status"], row["gateway_order_id"], row["times"]) == (self.status, self.order_id, self.times)
        assert not row["due"]
        assert self.world.books.balance(self.person) == self.credited
        assert self._suspended() == self.suspended

    def _suspended(self) -> int:
        _, there = razorpay.call(self.world.simulator, "GET", f"/v1/orders/{self.order_id}/payments")
        booked = [entry for payment in there["items"] for entry in self.world.booked(payment["id"])]
        return sum(entry["amount"] for entry in booked if entry["suspense_reason"])


class Captured(Asked):
    """Paid, and no webhook came."""


class Lost(Asked):
    """Paid, and our row never heard of its order."""

    attempt = Attempt(attached=False)


class PaidTwice(Asked):
    """Paid twice: the second payment goes to suspense.

    If a run dies between the two, the attempt has succeeded, and the second one is found by its webhook or by the last
    question.
    """

    attempt, suspended, times = Attempt("captured_twice"), 500, 2

    def check(self) -> None:
        self.last_question(self.attempt_id)
        super().check()


class Expired(Asked):
    """Nobody paid, and its time is over."""

    attempt, status, credited = Attempt(None, is_over=True), "expired", 0


class Failed(Asked):
    """The payment failed, and its time is over."""

    attempt, status, credited = Attempt("failed", is_over=True), "failed", 0


class RefundedElsewhere(Asked):
    """Paid, and partly refunded at the gateway's dashboard, and we have heard of neither."""

    status, credited = "refunded", 0

    def make(self) -> None:
        super().make()
        _, there = razorpay.call(self.world.simulator, "GET", f"/v1/orders/{self.order_id}/payments")
        self.payment_id = there["items"][0]["id"]
        path = f"/simulator/payments/{self.payment_id}/refund"
        assert razorpay.call(self.world.simulator, "POST", path, {"amount": 200})[0] == 200

    def check(self) -> None:
        (entry,) = self.world.booked(self.payment_id)
        assert (entry["amount"], entry["suspense_reason"]) == (500, "already_refunded")
        refunds = self.world.books.select(
            "SELECT status, amount FROM source_refunds WHERE gateway_payment_id = %s", self.payment_id
        )
        assert refunds == [{"status": "succeeded", "amount": 200}]
        assert self.world.books.balance(self.person) == 0


class SentBack(Due):
    """A top-up of 500 paise of which 200 are to go back to their source; then so much is in the wallet."""

    amount, left, status, made = 200, 300, "succeeded", 1

    def make(self) -> None:
        books = self.world.books
        self.person = books.person()
        self.attempt_id, self.order_id = self.world.attempt(self.person, 500)
        self.payment_id = self.world.pays(self.order_id)
        gateway, operator = books.as_role("gateway"), books.as_role("operator")
        entry = wiring.new_id()
        settlement.settle_payment(
            gateway, captured(self.order_id, 500, payment_id=self.payment_id), transaction_id=entry
        )
        operators.refund_to_source(
            operator,
            asked(operator, "refund_to_source", instruction()),
            refund_id=wiring.new_id(),
            transaction_id=entry,
            amount=self.amount,
        )
        gateway.close()
        operator.close()

    def check(self) -> None:
        (refund,) = self.world.books.select(
            "SELECT status FROM source_refunds WHERE gateway_payment_id = %s AND origin = 'ours'", self.payment_id
        )
        assert refund["status"] == self.status
        assert (self.world.books.balance(self.person), self.world.books.held(self.person)) == (self.left, 0)
        _, there = razorpay.call(self.world.simulator, "GET", f"/v1/payments/{self.payment_id}/refunds")
        assert len([one for one in there["items"] if one["status"] != "failed"]) == self.made


class SentBackByAnother(SentBack):
    """All of it was given back at the gateway's dashboard before us: ours is refused there, and theirs is booked.

    If a run dies between the two, ours has ended, and theirs is found by its webhook or by the last question.
    """

    amount, left, status = 500, 0, "failed"

    def make(self) -> None:
        super().make()
        path = f"/simulator/payments/{self.payment_id}/refund"
        assert razorpay.call(self.world.simulator, "POST", path, {})[0] == 200

    def check(self) -> None:
        self.last_question(self.attempt_id)
        super().check()


class SentBackWhileDisputed(SentBack):
    """Its payer's bank wants all of it back before the gateway was asked for the refund: then nobody asks for that."""

    left, status, made = 500, "failed", 0

    def make(self) -> None:
        super().make()
        self.dispute = ObservedDispute(
            GATEWAY,
            unique("disp_"),
            self.payment_id,
            500,
            "INR",
            DisputePhase.CHARGEBACK,
            DisputeStatus.OPEN,
            datetime.now(UTC),
        )
        tell(self.world.books, self.dispute)

    def check(self) -> None:
        assert self.world.books.held(self.person) == 500, "all of it by the dispute"
        tell(self.world.books, replace(self.dispute, status=DisputeStatus.WON, told_at=datetime.now(UTC)))
        super().check()


class DisputedEarly(Due):
    """A dispute of a payment that came into the books after it."""

    def make(self) -> None:
        self.person = self.world.books.person()
        _, order_id = self.world.attempt(self.person, 500, first_check_s=100_000)
        payment_id = self.world.pays(order_id)
        dispute = ObservedDispute(
            GATEWAY,
            unique("disp_"),
            payment_id,
            300,
            "INR",
            DisputePhase.CHARGEBACK,
            DisputeStatus.OPEN,
            datetime.now(UTC),
        )
        tell(self.world.books, dispute)
        with closing(self.world.books.as_role("gateway")) as gateway:
            arrived = captured(order_id, 500, payment_id=payment_id)
            settlement.settle_payment(gateway, arrived, transaction_id=wiring.new_id())

    def check(self) -> None:
        assert (self.world.books.balance(self.person), self.world.books.held(self.person)) == (500, 300)


class SentOut(Due):
    """A withdrawal of 600 of 1,000 paise that its provider has not heard of; then its end, and how often it is paid."""

    vpa, after, made = "asha@okbank", ("succeeded", 400, 0), 1
    runs = 2  # who is asked for a payout says that it is under way

    def make(self) -> None:
        self.person = self.world.books.person(money=1_000)
        database = self.world.books.as_role("withdrawals")
        self.receipt, _ = withdrawals.open_withdrawal(
            database,
            self.person.claim(),
            withdrawal_id=wiring.new_id(),
            provider=PROVIDER,
            vpa=self.vpa,
            amount=600,
            first_check_s=0,
        )
        database.close()

    def check(self) -> None:
        books = self.world.books
        state = state_of(books, self.receipt.id)
        assert (state["status"], books.balance(self.person), books.held(self.person)) == self.after
        there = razorpayx.payouts_of(self.world.simulator, shown(self.receipt))
        assert len(there) == self.made
        assert not there or state["provider_payout_id"] == there[0]["id"]


class SentOutBefore(SentOut):
    """Its provider has paid it, and the answer was lost."""

    def make(self) -> None:
        super().make()
        razorpayx.adapter(self.world.simulator).send(
            reference=shown(self.receipt), amount_minor=600, currency="INR", vpa=self.vpa, name="Asha Rao"
        )


class SentOutLongAgo(SentOutBefore):
    """It is in the books as paid, and its provider is asked whether it stayed so."""

    def make(self) -> None:
        super().make()
        self.run()
        self.world.books.write(
            "UPDATE withdrawals SET next_check_at = UTC_TIMESTAMP(6) WHERE id = %s", self.receipt.id.bytes
        )


class SettlementReports(Due):
    """The day's reports of settlements."""

    event: Json = {"task": "settlements"}  # noqa: RUF012 - as above

    def make(self) -> None:
        """The gateway makes them."""

    def check(self) -> None:
        (walk,) = self.world.books.select(
            "SELECT done_until >= UTC_TIMESTAMP(6) - INTERVAL 2 DAY AS done FROM reconciliation_walks"
            " WHERE walk = 'settlements'"
        )
        assert walk["done"]


class Foreign(Due):
    """Money for an order that none of our attempts made: only the gateway's own books tell of it."""

    def make(self) -> None:
        self.payment_id = self.world.pays(razorpay.foreign_order(self.world.simulator, 500))

    def check(self) -> None:
        assert self.world.booked(self.payment_id) == [
            {"type": "suspense", "amount": 500, "suspense_reason": "unknown_order"}
        ]
        assert not self.world.books.select(
            "SELECT kind FROM reconciliation_breaks WHERE subject = %s AND resolved_at IS NULL", self.payment_id
        )


class Listed(Foreign):
    """It is in the gateway's list of payments, which is walked some hours behind."""

    def make(self) -> None:
        super().make()
        begun = datetime.now(UTC) - timedelta(hours=5)
        self.world.books.write(
            "REPLACE INTO reconciliation_walks VALUES (%s, 'payments', %s)",
            GATEWAY,
            (begun - timedelta(minutes=1)).replace(tzinfo=None),
        )
        razorpay.begun_at(self.world.simulator, self.payment_id, begun)


class Mended(Due):
    """A payment that the gateway did not know when it was asked, and knows now: the break is no longer there."""

    def make(self) -> None:
        books = self.world.books
        self.person = books.person()
        _, order_id = self.world.attempt(self.person, 500)
        self.payment_id = self.world.pays(order_id)
        with closing(books.as_role("gateway")) as gateway:
            arrived = captured(order_id, 500, payment_id=self.payment_id)
            settlement.settle_payment(gateway, arrived, transaction_id=wiring.new_id())
            found = Break(Kind.UNKNOWN_PAYMENT, self.payment_id, 500, None, "INR")
            breaks.note_break(gateway, found, gateway=GATEWAY, break_id=wiring.new_id())

    def check(self) -> None:
        (row,) = self.world.books.select(
            "SELECT resolution FROM reconciliation_breaks WHERE subject = %s", self.payment_id
        )
        assert row["resolution"] == "gone"
        assert self.world.books.balance(self.person) == 500


class Settled(Foreign):
    """The gateway has paid it out to us: it is in yesterday's report."""

    event: Json = {"task": "settlements"}  # noqa: RUF012 - as above

    def make(self) -> None:
        razorpay.settle(self.world.simulator, days_ago=60)  # whatever other cases have left
        super().make()
        razorpay.settle(self.world.simulator, days_ago=1)

    def check(self) -> None:
        super().check()
        lines = self.world.books.select(
            "SELECT type, amount, credit FROM settlement_lines WHERE entity_id = %s", self.payment_id
        )
        assert [(line["type"], line["amount"]) for line in lines] == [("payment", 500)]


class SentOutSlowly(SentOut):
    """Its bank takes its time."""

    vpa, after = "pending@okbank", ("pending", 1_000, 600)


class SentOutNowhere(SentOut):
    """Its provider will not pay this address."""

    vpa, after, made = "asha_rao@okbank", ("failed", 1_000, 0), 0


class SentOutTooLate(SentOut):
    """It is too old to be asked for under its key."""

    after, made = ("failed", 1_000, 0), 0

    def make(self) -> None:
        super().make()
        claimed(self.world.books, self.receipt)  # somebody may have been asked, and the provider knows nothing of it
        make_older(self.world.books, self.receipt, timedelta(days=5, hours=1))


class LeftBehind(Due):
    """An event that was kept an hour ago by a webhook that died before it acted on it."""

    def make(self) -> None:
        self.person = self.world.books.person()
        _, order_id = self.world.attempt(self.person, 500, first_check_s=100_000)
        self.payment_id = self.world.pays(order_id)
        self.event_id, body = wiring.new_id(), captured_body(order_id, self.payment_id, 500).encode()
        self.world.books.write(
            "INSERT INTO gateway_events (id, gateway, digest, name, body, received_at)"
            " VALUES (%s, 'razorpay', %s, 'payment.captured', %s, UTC_TIMESTAMP(6) - INTERVAL 1 HOUR)",
            self.event_id.bytes,
            hashlib.sha256(body).digest(),
            body,
        )

    def check(self) -> None:
        (event,) = self.world.books.select("SELECT outcome FROM gateway_events WHERE id = %s", self.event_id.bytes)
        # "duplicate": the run that died had booked it, and not yet said so
        assert event["outcome"] in ("processed", "duplicate")
        assert len(self.world.booked(self.payment_id)) == 1
        assert self.world.books.balance(self.person) == 500


class NobodyThere(Due):
    """A gateway that is down, with a top-up, a refund and a withdrawal to be asked about."""

    fails, runs = True, SentOut.runs

    def __init__(self, world: World) -> None:
        razorpay.fault(world.simulator, "none")
        self.parts = [kind(world) for kind in (Captured, SentBack, SentOut)]
        super().__init__(world)

    def make(self) -> None:
        self.time_goes_by()  # what is set aside for the source is due already
        razorpay.fault(self.world.simulator, "down", path="/v1")

    def after_death(self, run: Run, /) -> None:
        razorpay.fault(self.world.simulator, "none")
        super().after_death(run)

    def check(self) -> None:
        for part in self.parts:
            part.check()


def shown(receipt: WithdrawalReceipt) -> str:
    """A withdrawal's public id, which its provider knows it by."""
    return ids.show(ids.WITHDRAWAL, receipt.id)


def only(kind: Callable[[World], Due]) -> Callable[[World], Due]:
    """The one thing that is due: a run finds whatever there is."""

    def begin(world: World) -> Due:
        world.books.nothing_is_due()
        return kind(world)

    return begin


KINDS: dict[str, Callable[[World], Due]] = {
    "nothing is due": Nothing,
    "a captured payment": Captured,
    "an order that we never heard of": Lost,
    "an order paid twice": PaidTwice,
    "a payment that somebody refunded": RefundedElsewhere,
    "a failed payment, when its time is over": Failed,
    "nobody paid, and its time is over": Expired,
    "a refund to source": SentBack,
    "a refund to source that somebody else was faster with": SentBackByAnother,
    "a refund to source of what is disputed": SentBackWhileDisputed,
    "a dispute that was told before its payment": DisputedEarly,
    "a withdrawal that was never asked for": SentOut,
    "a withdrawal that is paid": SentOutBefore,
    "a withdrawal that was paid, asked about again": SentOutLongAgo,
    "a withdrawal under way": SentOutSlowly,
    "a withdrawal that is refused": SentOutNowhere,
    "a withdrawal that is too old": SentOutTooLate,
    "an event that a dead webhook left": LeftBehind,
    "a payment that only the gateway's list tells of": Listed,
    "a break that is no longer there": Mended,
    "the settlement reports": SettlementReports,
    "a payment that only a settlement report tells of": Settled,
    "a gateway that is down": NobodyThere,
}
