"""Requests under an idempotency key, whose caller asks again in the same words when no answer comes."""

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import UUID

from tests.faults.crash.world import Json, Situation, World, told
from tests.integration import razorpay_simulator as razorpay
from tests.support.books import Person, new_landline, unique
from tests.support.cold import Run
from tests.support.confirmations import Confirming, tier_with
from tests.support.functions import api_event
from wallet import wiring
from wallet.identity.sessions.model import Principal
from wallet.ledger import ids
from wallet.payment_requests.model import Terms
from wallet.payment_requests.service import ask


class Keyed(Situation):
    """A request; `status` is what its caller is told in the end."""

    #: What the first answer alone has: the database doesn't keep it.
    first_only: frozenset[str] = frozenset()

    def __init__(self, world: World, door: str, actor: Person, *, resource: str, body: Json, status: int) -> None:
        self.world, self.door, self.actor, self.status = world, door, actor, status
        self.key = unique("key-")
        self.event = self.request(resource, body)

    def request(self, resource: str, body: Json, **more: Any) -> Json:
        """A request of the actor's under the key."""
        return api_event(
            "POST", resource, body=body, headers={"Idempotency-Key": self.key}, caller=self.actor.user_id, **more
        )

    def done(self) -> bool:
        """Whether the database says that it has been done."""
        raise NotImplementedError

    def check(self, body: Json) -> None:
        """That it was done once, and that its caller is told what the database says."""
        raise NotImplementedError

    def kept(self, body: Json) -> Json:
        """What of an answer is told again by the database."""
        return {name: value for name, value in body.items() if name not in self.first_only}

    def after_death(self, run: Run, /) -> None:
        was_done = self.done()
        answer = self.world.repeated(self.door, self.event)
        assert answer["statusCode"] == self.status, answer
        is_replay = answer["headers"].get("Idempotency-Replayed") == "true"
        assert not was_done or self.status >= 400 or is_replay
        assert is_replay or self.status >= 400 or self.first_only <= set(told(answer))
        if run.answer is not None:
            assert self.kept(told(run.answer)) == self.kept(told(answer)) or self.status >= 400
        self.check(told(answer))
        if self.status < 400 and run.died_at is None:  # what they who are answered get, they get again
            again = self.world.answer(self.door, self.event)
            assert (again["statusCode"], again["body"]) == (self.status, answer["body"])
            assert again["headers"]["Idempotency-Replayed"] == "true"
            self.check(told(again))


class Paying(Keyed):
    """60 paise from somebody who has 1,000."""

    first_only = frozenset({"balance"})

    def __init__(self, world: World, *, amount: int = 60, status: int = 201) -> None:
        payer, self.payee = world.books.person(money=1_000), world.books.person()
        body = {"to": {"phone": self.payee.phone}, "amount": amount}
        super().__init__(world, "pay", payer, resource="/payments", body=body, status=status)

    def done(self) -> bool:
        wallets = self.world.wallets(self.actor, self.payee)
        assert wallets in ([(1_000, 0), (0, 0)], [(940, 0), (60, 0)])
        return wallets == [(940, 0), (60, 0)]

    def check(self, body: Json) -> None:
        assert self.done()
        assert body == self.kept(body) or body["balance"] == {"total": 940, "held": 0, "available": 940}
        (debit,) = self.world.books.select(
            "SELECT p.transaction_id FROM postings p WHERE p.account_id = %s AND p.side = 'debit'",
            self.actor.wallet_id.bytes,
        )
        assert body["transaction_id"] == ids.show(ids.TRANSACTION, UUID(bytes=debit["transaction_id"]))


class PayingTooMuch(Paying):
    """More than there is: refused, and the key is as good as new."""

    def __init__(self, world: World) -> None:
        super().__init__(world, amount=5_000, status=402)

    def check(self, body: Json) -> None:
        assert body["code"] == "insufficient_funds"
        assert not self.done()
        self.world.books.top_up(self.actor, 5_000)
        answer = self.world.repeated(self.door, self.event)
        assert (answer["statusCode"], told(answer)["balance"]["total"]) == (201, 1_000)


class PayingOtherwise(Paying):
    """Another payment under a key that has paid."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        world.answer(self.door, self.event)
        other = json.loads(self.event["body"]) | {"amount": 61}
        self.event, self.status = self.event | {"body": json.dumps(other)}, 422

    def check(self, body: Json) -> None:
        assert body["code"] == "idempotency_key_reused"
        assert self.done()


class ShowingAPayment(Paying):
    """Looking at a payment: nothing moves, whatever dies."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.paid = told(world.answer(self.door, self.event))
        self.event = api_event("GET", "/payments/{id}", path={"id": self.paid["id"]}, caller=self.actor.user_id)

    def after_death(self, _run: Run, /) -> None:
        body = told(self.world.answer(self.door, self.event))
        assert (body["id"], body["amount"], body["refunded"]) == (self.paid["id"], 60, 0)
        assert self.done()


class PayingUnconfirmed(Paying):
    """A payment that wants a confirmation: the key is as good as new, and once it is confirmed it pays."""

    def __init__(self, world: World) -> None:
        super().__init__(world, status=403)
        world.books.set_tier(self.actor, tier_with(world.books, above=0))

    def check(self, body: Json) -> None:
        assert body["code"] == "confirmation_required"
        assert not self.done()
        confirmation_id = ids.read(ids.CONFIRMATION, body["confirmation"]["id"])
        assert confirmation_id is not None
        Confirming(self.world.books, self.actor).confirm(confirmation_id)
        answer = self.world.repeated(self.door, self.event)
        assert (answer["statusCode"], self.done()) == (201, True)


class PayingConfirmed(Paying):
    """One that is confirmed: it pays, and its confirmation is used up for just that."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        world.books.set_tier(self.actor, tier_with(world.books, above=0))
        asked = told(world.answer(self.door, self.event))["confirmation"]
        confirmation_id = ids.read(ids.CONFIRMATION, asked["id"])
        assert confirmation_id is not None
        self.confirmation_id = confirmation_id
        Confirming(world.books, self.actor).confirm(confirmation_id)

    def done(self) -> bool:
        # One statement: the dead process's call may be at work, and of two the first would see what was before its
        # commit and the second what is behind it.
        (row,) = self.world.books.select(
            "SELECT c.used_for IS NOT NULL AS is_used, w.balance = 940 AS is_paid FROM confirmations c, wallets w"
            " WHERE c.id = %s AND w.id = %s",
            self.confirmation_id.bytes,
            self.actor.wallet_id.bytes,
        )
        assert row["is_used"] == row["is_paid"], "money and confirmation are one commit"
        return super().done()

    def check(self, body: Json) -> None:
        super().check(body)
        (row,) = self.world.books.select("SELECT used_for FROM confirmations WHERE id = %s", self.confirmation_id.bytes)
        assert body["transaction_id"] == ids.show(ids.TRANSACTION, UUID(bytes=row["used_for"]))


class PayingWhatIsAskedFor(Paying):
    """A payment request over 60 paise: it is paid once, in the commit of the money."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        maker = Principal(self.payee.user_id, wiring.new_id(), self.payee.generation)
        with closing(world.books.as_role("directory")) as directory:
            request = ask(directory, wiring.new_id, maker, Terms(60, None, 3_600))
        self.payment_request_id = request.id
        shown = ids.show(ids.PAYMENT_REQUEST, request.id)
        self.event = self.request("/payments", {"to": {"payment_request": shown}, "amount": 60})

    def done(self) -> bool:
        # one statement, as above
        (row,) = self.world.books.select(
            "SELECT s.status = 'paid' AS is_over, w.balance = 940 AS is_paid FROM payment_request_states s, wallets w"
            " WHERE s.id = %s AND w.id = %s",
            self.payment_request_id.bytes,
            self.actor.wallet_id.bytes,
        )
        assert row["is_over"] == row["is_paid"], "money and request are one commit"
        return super().done()

    def check(self, body: Json) -> None:
        super().check(body)
        assert body["reference"] == ids.show(ids.PAYMENT_REQUEST, self.payment_request_id)


class AskingForMoney(Keyed):
    """A top-up of 500 rupees."""

    def __init__(self, world: World, *, amount: int = 50_000, status: int = 201) -> None:
        person = world.books.person()
        super().__init__(world, "top_up", person, resource="/top-ups", body={"amount": amount}, status=status)

    def done(self) -> bool:
        assert self.world.books.balance(self.actor) == 0, "nobody has paid"
        rows = self._rows()
        assert len(rows) <= 1
        return bool(rows and rows[0]["intent_url"])

    def check(self, body: Json) -> None:
        assert self.done()
        (row,) = self._rows()
        shown = ids.show(ids.TOP_UP, UUID(bytes=row["id"]))
        assert (body["id"], body["amount"]) == (shown, row["amount"])
        assert body["gateway_order_id"] == body["checkout"]["order_id"] == row["gateway_order_id"]
        assert body["upi"]["intent_url"] == row["intent_url"]
        _, orders = razorpay.call(self.world.simulator, "GET", f"/v1/orders?receipt={shown}")
        assert [order["id"] for order in orders["items"]] == [row["gateway_order_id"]]

    def _rows(self) -> list[Json]:
        return self.world.books.select(
            "SELECT id, amount, gateway_order_id, intent_url FROM payment_attempts WHERE wallet_id = %s",
            self.actor.wallet_id.bytes,
        )


class AskingForTooMuch(AskingForMoney):
    """More than the tier allows."""

    def __init__(self, world: World) -> None:
        super().__init__(world, amount=10**12, status=422)

    def check(self, body: Json) -> None:
        assert body["code"] == "amount_out_of_range"
        assert self._rows() == []


class AskingADeadGateway(AskingForMoney):
    """A gateway that is down; the key works when it is back."""

    amount = 43_219

    def __init__(self, world: World) -> None:
        super().__init__(world, status=502)
        razorpay.fault(world.simulator, "down", path="/v1/orders")

    def after_death(self, run: Run, /) -> None:
        try:
            super().after_death(run)
        finally:
            razorpay.fault(self.world.simulator, "none")
        answer = self.world.repeated(self.door, self.event)
        assert answer["statusCode"] == 201
        super().check(told(answer))

    def check(self, body: Json) -> None:
        assert body["code"] == "gateway_unavailable"
        assert not self.done()


class AskingUnderAPhoneThatIsRefused(AskingForMoney):
    """The gateway calls the payer's phone no contact: the attempt ends, and the key is told so again."""

    def __init__(self, world: World) -> None:
        super().__init__(world, status=422)
        world.books.write("UPDATE users SET phone = %s WHERE id = %s", new_landline(), self.actor.user_id.bytes)

    def check(self, body: Json) -> None:
        assert body["code"] == "gateway_refused"
        rows = self.world.books.select(
            "SELECT a.status, a.expires_at <= UTC_TIMESTAMP(6) AS is_over, e.reason FROM payment_attempts a"
            " JOIN payment_attempt_events e ON e.attempt_id = a.id AND e.status = 'failed' WHERE a.wallet_id = %s",
            self.actor.wallet_id.bytes,
        )
        assert [(row["status"], row["is_over"], row["reason"]) for row in rows] == [
            ("failed", 1, "input_validation_failed")
        ]


class ShowingATopUp(AskingForMoney):
    """Looking at a top-up."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        opened = told(world.answer(self.door, self.event))
        self.event = api_event("GET", "/top-ups/{id}", path={"id": opened["id"]}, caller=self.actor.user_id)

    def after_death(self, _run: Run, /) -> None:
        body = told(self.world.answer(self.door, self.event))
        assert body["status"] == "pending"
        self.check(body)


def repeated(kind: Callable[[World], Keyed]) -> Callable[[World], Keyed]:
    """The same request, which was answered before: by DynamoDB."""

    def begin(world: World) -> Keyed:
        situation = kind(world)
        world.answer(situation.door, situation.event)
        return situation

    return begin


def repeated_late(kind: Callable[[World], Keyed]) -> Callable[[World], Keyed]:
    """The same request long afterwards, when DynamoDB has forgotten it: answered by MySQL."""

    def begin(world: World) -> Keyed:
        situation = repeated(kind)(world)
        world.forget(situation.door, situation.actor.user_id, situation.key)
        return situation

    return begin
