"""The other doors that move money."""

from functools import partial
from urllib.parse import quote
from uuid import UUID

from tests.faults.crash.keyed import Keyed
from tests.faults.crash.world import LONG_S, Json, Situation, World, told
from tests.integration import razorpay_simulator as razorpay
from tests.integration import razorpayx_simulator as razorpayx
from tests.integration.test_bulk import opened, payments_of, rows
from tests.integration.test_operator_commands import journal, status, wallet_id
from tests.integration.test_withdrawals_kernel import events_of
from tests.support.books import captured
from tests.support.cold import Run
from tests.support.confirmations import required, tier_with
from tests.support.disputes import TopUp, booked, tell, then
from tests.support.disputes import row as dispute_row
from tests.support.functions import api_event
from tests.support.moves import pay, place
from tests.support.operators import RAVIS_ARN, order, signed
from tests.support.payouts import withdraw
from wallet import wiring
from wallet.ledger import ids
from wallet.operators.model import NEED_TWO_PEOPLE
from wallet.storage import bulk, settlement


class GivingBack(Keyed):
    """30 of 60 paise that were paid, by their payee."""

    def __init__(self, world: World) -> None:
        books = world.books
        self.payer, payee = books.person(money=1_000), books.person()
        payment = pay(books, self.payer, payee, 60)[0].transaction_id
        super().__init__(world, "refund", payee, resource="/payments/{id}/refunds", body={"amount": 30}, status=201)
        self.event = self.request("/payments/{id}/refunds", {"amount": 30}, path={"id": ids.show(ids.PAYMENT, payment)})

    def done(self) -> bool:
        wallets = self.world.wallets(self.payer, self.actor)
        assert wallets in ([(940, 0), (60, 0)], [(970, 0), (30, 0)])
        return wallets == [(970, 0), (30, 0)]

    def check(self, body: Json) -> None:
        assert self.done()
        assert (body["amount"], body["refunded"]) == (30, 30)


class Confirming(Situation):
    """The code of a confirmation, which its owner shows again when no answer comes; then the payment goes through."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.payer, self.payee = world.books.person(money=1_000), world.books.person()
        world.books.set_tier(self.payer, tier_with(world.books, above=0))
        self.claim = self.payer.claim()
        asked = required(partial(pay, world.books, self.payer, self.payee, 60, claim=self.claim))
        path = {"id": ids.show(ids.CONFIRMATION, asked.id)}
        about: Json = {"path": path, "caller": self.payer.user_id}
        sent = world.answer("confirmations", api_event("POST", "/confirmations/{id}/code", **about))
        assert sent["statusCode"] == 202, sent
        phone = quote(self.payer.phone)
        _, messages = razorpay.call(world.simulator, "GET", f"/simulator/messages?phone={phone}")
        code = messages["data"][-1]["text"][:6]
        self.event = api_event("POST", "/confirmations/{id}", body={"code": code}, **about)

    def after_death(self, _run: Run, /) -> None:
        assert self.world.answer("confirmations", self.event)["statusCode"] == 204
        pay(self.world.books, self.payer, self.payee, 60, claim=self.claim)
        assert self.world.wallets(self.payer, self.payee) == [(940, 0), (60, 0)]
        assert self.world.answer("confirmations", self.event)["statusCode"] == 409


class Promising(Keyed):
    """A hold of 60 of 1,000 paise."""

    def __init__(self, world: World) -> None:
        payer, payee = world.books.person(money=1_000), world.books.person()
        body = {"to": {"phone": payee.phone}, "amount": 60}
        super().__init__(world, "hold", payer, resource="/holds", body=body, status=201)

    def done(self) -> bool:
        (state,) = self.world.wallets(self.actor)
        assert state in ((1_000, 0), (1_000, 60))
        return state == (1_000, 60)

    def check(self, body: Json) -> None:
        assert self.done()
        (hold,) = self.world.books.select(
            "SELECT LOWER(HEX(id)) AS id FROM holds WHERE payer_wallet_id = %s", self.actor.wallet_id.bytes
        )
        told_id = ids.read(ids.HOLD, body["id"])
        assert told_id is not None
        assert told_id.hex == hold["id"]


class Taking(Keyed):
    """All of a hold of 60 paise, by its payee."""

    resource, after = "/holds/{id}/capture", (940, 0)

    def __init__(self, world: World) -> None:
        books = world.books
        self.payer, payee = books.person(money=1_000), books.person()
        hold = place(books, self.payer, payee, 60).id
        super().__init__(world, "capture", payee, resource=self.resource, body={}, status=200)
        self.event = self.request(self.resource, {}, path={"id": ids.show(ids.HOLD, hold)})

    def done(self) -> bool:
        (state,) = self.world.wallets(self.payer)
        assert state in ((1_000, 60), self.after)
        return state == self.after

    def check(self, body: Json) -> None:
        assert self.done()
        assert body["captured"] == self.world.books.balance(self.actor) == 1_000 - self.after[0]


class LettingGo(Taking):
    """A hold of 60 paise that its payee lets go."""

    resource, after = "/holds/{id}/release", (1_000, 0)


class TakingOut(Keyed):
    """A withdrawal of 600 of 1,000 paise; then its end, when the clock has asked about it, and how often it is paid."""

    vpa, after, made = "asha@okbank", ("succeeded", 400, 0), 1

    def __init__(self, world: World) -> None:
        world.books.nothing_is_due()
        person = world.books.person(money=1_000)
        body = {"amount": 600, "vpa": self.vpa}
        super().__init__(world, "withdraw", person, resource="/withdrawals", body=body, status=202)

    def done(self) -> bool:
        (state,) = self.world.wallets(self.actor)
        assert state in ((1_000, 0), (1_000, 600)), "nothing leaves before its provider has said so"
        return self._row() is not None

    def check(self, body: Json) -> None:
        row = self._row()
        assert row is not None
        assert body["id"] == ids.show(ids.WITHDRAWAL, UUID(bytes=row["id"]))

    def after_death(self, run: Run, /) -> None:
        super().after_death(run)
        self.world.until_nobody_is_at_work(run)  # or the dead process's claim puts off what is made due here
        for _ in range(2):  # who is asked for a payout says that it is under way
            self.world.books.write(
                "UPDATE withdrawals SET next_check_at = UTC_TIMESTAMP(6) WHERE wallet_id = %s AND status = 'pending'",
                self.actor.wallet_id.bytes,
            )
            following = self.world.doors["reconcile"].run({}, timeout_s=LONG_S)
            assert following.error is None, following.error
        row = self._row()
        assert row is not None
        balance, held = self.world.books.balance(self.actor), self.world.books.held(self.actor)
        assert (row["status"], balance, held) == self.after
        shown = ids.show(ids.WITHDRAWAL, UUID(bytes=row["id"]))
        assert len(razorpayx.payouts_of(self.world.simulator, shown)) == self.made

    def _row(self) -> Json | None:
        found = self.world.books.select(
            "SELECT id, status FROM withdrawals WHERE wallet_id = %s", self.actor.wallet_id.bytes
        )
        assert len(found) <= 1
        return found[0] if found else None


class TakingOutToNowhere(TakingOut):
    """A withdrawal to an address that its provider doesn't take."""

    vpa, after, made = "asha_rao@okbank", ("failed", 1_000, 0), 0


class CallingBack(Keyed):
    """A withdrawal of 600 of 1,000 paise that nobody was asked to pay, and that its owner cancels."""

    resource = "/withdrawals/{id}/cancel"

    def __init__(self, world: World) -> None:
        person = world.books.person(money=1_000)
        self.receipt, _ = withdraw(world.books, person, 600)
        super().__init__(world, "withdraw", person, resource=self.resource, body={}, status=200)
        self.event = self.request(self.resource, {}, path={"id": ids.show(ids.WITHDRAWAL, self.receipt.id)})

    def done(self) -> bool:
        (state,) = self.world.wallets(self.actor)
        assert state in ((1_000, 600), (1_000, 0))
        return state == (1_000, 0)

    def check(self, body: Json) -> None:
        assert self.done()
        assert (body["status"], body["reason"]) == ("failed", "cancelled")
        assert events_of(self.world.books, self.receipt) == ["WithdrawalRequested", "WithdrawalFailed"]


class PayingAFile(Situation):
    """Two rows of 100 paise; the next worker takes them up when the dead one's lease is over."""

    timeout_s = LONG_S

    def __init__(self, world: World) -> None:
        self.world, self.event = world, {}
        money = world.books.as_role("money")
        while bulk.claim_bulk_payment(money, lease_s=3600) is not None:
            pass
        money.close()
        self.payer, self.payee = world.books.person(money=1_000), world.books.person()
        opened(world.books, self.payer, rows(self.payee, 2))

    def after_death(self, run: Run, /) -> None:
        self.world.until_nobody_is_at_work(run)  # or the dead one's claim is made behind the end of its lease
        self.world.books.write(
            "UPDATE bulk_payments SET leased_until = UTC_TIMESTAMP(6) WHERE user_id = %s AND status = 'running'",
            self.payer.user_id.bytes,
        )
        self.world.answer("bulk_worker", {})
        assert payments_of(self.world.books, self.payer) == 2
        assert (self.world.books.balance(self.payer), self.world.books.balance(self.payee)) == (800, 200)
        (file,) = self.world.books.select(
            "SELECT status FROM bulk_payments WHERE user_id = %s", self.payer.user_id.bytes
        )
        assert file["status"] == "finished"


class Ordered(Situation):
    """An operator's command, given again under its key when no answer came; or its approval, if it takes two people."""

    ends_as = "done"

    def __init__(self, world: World) -> None:
        self.world, self.person = world, world.books.person()
        command = self.command()
        self.event = signed(command)
        if command["command"] in NEED_TWO_PEOPLE:
            request = told(world.answer("operator", self.event))["result"]
            approval = {"command": "approve", "request": request["request_id"]}
            self.event = signed(approval, role=request["role"], arn=RAVIS_ARN)

    def command(self) -> Json:
        """What is ordered."""
        raise NotImplementedError

    def check(self) -> None:
        """That it was done once."""
        raise NotImplementedError

    def after_death(self, run: Run, /) -> None:
        answer = told(self.world.answer("operator", self.event))
        assert answer["status"] == self.ends_as
        if run.answer is not None:
            assert told(run.answer)["result"] == answer["result"]
        self.check()
        again = told(self.world.answer("operator", self.event))
        assert (again["replayed"], again["result"]) == (True, answer["result"])
        self.check()


class Asking(Ordered):
    """A tier that waits for another person: asked for, once."""

    ends_as = "waiting"

    def __init__(self, world: World) -> None:
        self.world, self.person = world, world.books.person()
        self.event = signed(self.command())

    def command(self) -> Json:
        return order("set_tier", wallet_id=wallet_id(self.person), tier="small")

    def check(self) -> None:
        asked = self.world.books.select(
            "SELECT approved_by FROM operator_requests WHERE arguments LIKE %s", f"%{wallet_id(self.person)}%"
        )
        assert [row["approved_by"] for row in asked] == [None]
        assert journal(self.world.books, self.person) == []


class SendingBack(Ordered):
    """200 of 500 paise to their source: approved and set aside, once."""

    def command(self) -> Json:
        books = self.world.books
        _, order_id = self.world.attempt(self.person, 500)
        gateway, entry = books.as_role("gateway"), wiring.new_id()
        paid = captured(order_id, 500, payment_id=self.world.pays(order_id))
        settlement.settle_payment(gateway, paid, transaction_id=entry)
        gateway.close()
        return order("refund_to_source", transaction_id=ids.show(ids.TRANSACTION, entry), amount=200)

    def check(self) -> None:
        assert (self.world.books.balance(self.person), self.world.books.held(self.person)) == (500, 200)
        assert [line[0] for line in journal(self.world.books, self.person)] == ["refund_to_source"]


class Freezing(Ordered):
    """A wallet is frozen."""

    def command(self) -> Json:
        return order("freeze", wallet_id=wallet_id(self.person))

    def check(self) -> None:
        assert status(self.world.books, self.person) == "frozen"
        assert [line[0] for line in journal(self.world.books, self.person)] == ["freeze"]


class Stopping(Ordered):
    """A withdrawal of 400 paise that nobody was asked to pay ends, and its owner has the money again."""

    def command(self) -> Json:
        self.person = self.world.books.person(money=1_000)
        self.receipt, _ = withdraw(self.world.books, self.person, 400)
        return order("cancel_withdrawal", withdrawal_id=ids.show(ids.WITHDRAWAL, self.receipt.id))

    def check(self) -> None:
        assert (self.world.books.balance(self.person), self.world.books.held(self.person)) == (1_000, 0)
        assert events_of(self.world.books, self.receipt) == ["WithdrawalRequested", "WithdrawalFailed"]
        assert [line[0] for line in journal(self.world.books, self.person)] == ["cancel_withdrawal"]


class EndingADispute(Ordered):
    """A top-up of 500 paise that its payer's bank took back: it is booked, once."""

    def command(self) -> Json:
        top_up = TopUp(self.world.books, self.person, 500)
        self.dispute = top_up.disputed()
        tell(self.world.books, self.dispute, then(self.dispute, "lost"))
        own_id = dispute_row(self.world.books, self.dispute)["id"]
        return order("resolve_payment_dispute", dispute_id=ids.show(ids.DISPUTE, own_id), end="lost_recovered")

    def check(self) -> None:
        assert booked(self.world.books, self.dispute) == [("chargeback", "wallet", "gateway", 500)]
        assert (self.world.books.balance(self.person), self.world.books.held(self.person)) == (0, 0)
        assert [line[0] for line in journal(self.world.books, self.person)] == ["resolve_payment_dispute"]
