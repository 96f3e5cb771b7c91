"""A random mixture of everything that the API does, by many people at once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.faults.books_of_world import hex_of
from tests.faults.client import BY_KEY, Client, as_csv
from tests.faults.history import Json, Operation
from tests.faults.people import User, one_of

_BULK_ROWS = 6
#: What the person with the UPI app does, and how often.
_PLAYS = {
    "captured": 60,
    "captured_without_webhook": 12,
    "failed_then_captured": 8,
    "captured_twice": 6,
    "amount_mismatch": 5,
    "failed": 5,
    "auto_refunded": 4,
}
#: Addresses that decide what becomes of a payout (`local/gateway/payouts.py`).
_PAYEES = {"asha": 60, "failure": 15, "reversed": 15, "pending": 10}


class Caller(threading.Thread):
    """One at a time, as its dice say, until it is told to stop."""

    def __init__(self, client: Client, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._ends = stop
        self._dice = client.dice
        self._society = client.society
        #: What went wrong with the caller itself: a fault of the suite.
        self.failure: Exception | None = None

    def run(self) -> None:
        """Never an exception to the outside: the suite looks at `failure`."""
        names, weights = zip(*_DOINGS.items(), strict=True)
        try:
            while not self._ends.is_set():
                (name,) = self._dice.choices(names, weights)
                getattr(self, name)()
                time.sleep(self._dice.uniform(0, 0.1))
        except Exception as error:  # noqa: BLE001 - told by the suite
            self.failure = error
            self._ends.set()  # what is left of the run would show nothing

    def first_money(self, user: User) -> None:
        """Enough to go on with, paid and credited as quickly as can be."""
        body = self._ask_for_money(user)
        if body is not None:
            self._client.world.tell_gateway(f"orders/{body['gateway_order_id']}/pay", {"outcome": "captured"})

    # --- money in

    def top_up(self) -> None:
        """Asks for money and, mostly, pays it with the UPI app; the gateway's news travel as they like."""
        body = self._ask_for_money(self._somebody())
        if body is not None and self._dice.random() < 0.9:
            self.play(body["gateway_order_id"])

    def _ask_for_money(self, user: User) -> Json | None:
        amount = self._society.next_amount(self._dice)
        operation = self._client.begin("top_up", user, {"wallet": user.wallet, "amount": amount}, mark=str(amount))
        body = self._client.persist(operation, "POST", "/top-ups", {"amount": amount}, user=user)
        if body is not None:
            self._society.top_ups.append({"user": user, **body})
        return body

    def play(self, order_id: str) -> None:
        """The person with the UPI app."""
        (outcome,) = self._dice.choices(list(_PLAYS), list(_PLAYS.values()))
        told = {
            "outcome": outcome,
            "duplicates": self._dice.choice((0, 0, 1, 3)),
            "delay_s": self._dice.choice((0, 0, 0.5, 4)),
            "out_of_order": self._dice.random() < 0.4,
        }
        self._client.world.tell_gateway(f"orders/{order_id}/pay", told)
        self._note(f"at the gateway: {outcome}")

    # --- money across

    def pay(self) -> None:
        """By phone, wallet or QR code; at times twice at once, again, or with another body under the same key."""
        payer, payee = self._two()
        to, amount = self._named(payee), self._dice.randint(1, 20_000)
        asked = {"payer": payer.wallet, "payee": payee.wallet, "amount": amount}
        operation = self._client.begin("pay", payer, asked)
        told = {"to": to, "amount": amount, "reference": operation.mark}

        def ask() -> Json | None:
            return self._client.persist(operation, "POST", "/payments", told, user=payer)

        body = self._perhaps_twice(ask)
        if self._dice.random() < 0.1:
            self._twist(operation, payer, to, amount + 1)
        if body is not None:
            self._society.payments.append({"payer": payer, "payee": payee, "id": body["id"], "amount": amount})

    def _twist(self, first: Operation, payer: User, to: Json, amount: int) -> None:
        """The same key for another payment: it may take effect if the first one never did, and else must not."""
        other = self._client.begin("pay", payer, {**first.asked, "amount": amount}, key=first.key)
        told = {"to": to, "amount": amount, "reference": other.mark}
        self._client.persist(other, "POST", "/payments", told, user=payer, patience_s=2)

    def refund(self) -> None:
        """Whole, or a part, by whoever was paid."""
        payment = one_of(self._dice, self._society.payments)
        if payment is None:
            return
        amount = self._dice.choice((None, self._dice.randint(1, payment["amount"])))
        asked = {"payment": hex_of(payment["id"]), "payee": payment["payee"].wallet, "amount": amount}
        operation = self._client.begin("refund", payment["payee"], asked)
        told = {"reason": operation.mark} | ({"amount": amount} if amount else {})
        path = f"/payments/{payment['id']}/refunds"
        self._perhaps_twice(lambda: self._client.persist(operation, "POST", path, told, user=payment["payee"]))

    def hold(self) -> None:
        """Some end soon by themselves."""
        payer, payee = self._two()
        amount, expires_in = self._dice.randint(1, 20_000), self._dice.choice((2, 60, 3_600))
        asked = {"payer": payer.wallet, "payee": payee.wallet, "amount": amount}
        operation = self._client.begin("hold", payer, asked)
        told = {"to": self._named(payee), "amount": amount, "expires_in": expires_in, "description": operation.mark}
        body = self._perhaps_twice(lambda: self._client.persist(operation, "POST", "/holds", told, user=payer))
        if body is not None:
            self._society.holds.append({"payer": payer, "payee": payee, "id": body["id"], "amount": amount})

    def capture(self) -> None:
        """In parts, or all of it."""
        hold = one_of(self._dice, self._society.holds)
        if hold is None:
            return
        amount = self._dice.choice((None, self._dice.randint(1, hold["amount"])))
        final = self._dice.random() < 0.4
        asked = {"hold": hex_of(hold["id"]), "amount": amount}
        operation = self._client.begin("capture", hold["payee"], asked, mark=BY_KEY)
        told = {"final": final} | ({"amount": amount} if amount else {})
        path = f"/holds/{hold['id']}/capture"
        self._perhaps_twice(lambda: self._client.persist(operation, "POST", path, told, user=hold["payee"]))

    def release(self) -> None:
        """By the payee, or by a payer who is too early or not."""
        hold = one_of(self._dice, self._society.holds)
        if hold is None:
            return
        who = self._dice.choice((hold["payee"], hold["payee"], hold["payer"]))
        operation = self._client.begin("release", who, {"hold": hex_of(hold["id"])}, mark=BY_KEY)
        self._client.persist(operation, "POST", f"/holds/{hold['id']}/release", {}, user=who)

    def bulk(self) -> None:
        """A small file."""
        payer, _ = self._two()
        others = [user for user in self._society.people() if user is not payer]
        operation = self._client.begin("bulk", payer, {"payer": payer.user})
        rows = [
            (self._dice.choice((who.phone, who.wallet_id)), self._dice.randint(1, 3_000), f"{operation.mark}.{line}")
            for line, who in enumerate(self._dice.choices(others, k=self._dice.randint(1, _BULK_ROWS)))
        ]
        operation.asked["rows"] = [[amount, reference] for _, amount, reference in rows]
        body = self._client.persist(operation, "POST", "/bulk-payments", user=payer, raw=as_csv(rows))
        if body is not None:
            self._society.files.append({"user": payer, "id": body["id"]})

    def bulk_retry(self) -> None:
        """The refused rows of a file once more."""
        file = one_of(self._dice, self._society.files)
        if file is not None:
            operation = self._client.begin("bulk_retry", file["user"], {"file": hex_of(file["id"])})
            path = f"/bulk-payments/{file['id']}/retry"
            self._client.persist(operation, "POST", path, {}, user=file["user"])

    # --- money out

    def withdraw(self) -> None:
        """To an address that decides what becomes of it."""
        user, amount = self._somebody(), self._dice.randint(100, 20_000)
        (payee,) = self._dice.choices(list(_PAYEES), list(_PAYEES.values()))
        number = self._society.next_number()
        vpa = f"{payee}@bank{number}"
        operation = self._client.begin("withdraw", user, {"wallet": user.wallet, "amount": amount}, mark=vpa)
        body = self._perhaps_twice(
            lambda: self._client.persist(operation, "POST", "/withdrawals", {"amount": amount, "vpa": vpa}, user=user)
        )
        if body is not None:
            self._society.withdrawals.append({"user": user, "id": body["id"]})

    # --- looking

    def look(self) -> None:
        """At one's balance."""
        self._read("/wallet", self._somebody(), kind="balance")

    def read(self) -> None:
        """Anything else that can be read."""
        user = self._somebody()
        paths = [("/wallet/transactions?limit=5", user), ("/wallet/qr", user)]
        for things, place in (
            (self._society.withdrawals, "withdrawals"),
            (self._society.top_ups, "top-ups"),
            (self._society.files, "bulk-payments"),
        ):
            thing = one_of(self._dice, things)
            if thing is not None:
                paths.append((f"/{place}/{thing['id']}", thing["user"]))
        for things, place in ((self._society.payments, "payments"), (self._society.holds, "holds")):
            thing = one_of(self._dice, things)
            if thing is not None:
                paths.append((f"/{place}/{thing['id']}", thing["payer"]))
        self._read(*self._dice.choice(paths))

    def _read(self, path: str, user: User, kind: str = "read") -> None:
        operation = self._client.history.begin(Operation(kind, user.user, path, {}))
        self._client.persist(operation, "GET", path, user=user, patience_s=5)

    # --- people

    def newcomer(self) -> None:
        """Somebody registers, under harm like everybody else."""
        self._client.register("personal")

    def session(self) -> None:
        """Somebody's session is renewed."""
        self._client.log_in_again(self._somebody())

    # --- operators

    def freeze(self) -> None:
        """One wallet at a time, and not for long."""
        if len(self._society.frozen) > 1:
            self._client.command("unfreeze", self._society.frozen.popleft())
        else:
            user = self._dice.choice(self._society.people("personal"))
            self._society.frozen.append(user)
            self._client.command("freeze", user)

    def warm(self) -> None:
        """A merchant becomes hot, hotter, or ends being hot."""
        self._client.command(
            "set_slots", self._dice.choice(self._society.people("merchant")), slots=self._dice.randint(1, 8)
        )

    def send_back(self) -> None:
        """A part of a top-up, or of money in suspense, to where it came from."""
        if self._dice.random() < 0.5:
            user = self._somebody()
            _, shown = self._client.world.command({"command": "show_wallet", "wallet_id": user.wallet_id})
            found = shown.get("result", {}).get("top_ups", [])
        else:
            found = self._suspense()
        money = [one for one in found if one["left"] > 0]
        if not money:
            return
        chosen = self._dice.choice(money)
        amount = self._dice.choice((None, self._dice.randint(100, max(100, chosen["left"]))))
        asked = {"transaction": hex_of(chosen["transaction_id"]), "amount": amount}
        operation = self._client.begin("refund_to_source", None, asked)
        command = {"command": "refund_to_source", "transaction_id": chosen["transaction_id"]}
        self._client.order(operation, command | ({"amount": amount} if amount else {}))

    def credit_suspense(self) -> None:
        """Money in suspense, or a part of it, to whom it came for, or to somebody."""
        money = [one for one in self._suspense() if one["left"] > 0]
        if not money:
            return
        chosen, somebody = self._dice.choice(money), self._somebody()
        amount = self._dice.choice((None, self._dice.randint(1, chosen["left"])))
        wallet_id = self._dice.choice((chosen.get("wallet_id"), somebody.wallet_id)) or somebody.wallet_id
        asked = {"transaction": hex_of(chosen["transaction_id"]), "wallet": hex_of(wallet_id), "amount": amount}
        operation = self._client.begin("credit_from_suspense", None, asked)
        command = {
            "command": "credit_from_suspense",
            "transaction_id": chosen["transaction_id"],
            "wallet_id": wallet_id,
            "over_limits": True,
        }
        self._client.order(operation, command | ({"amount": amount} if amount else {}))

    def _suspense(self) -> list[Json]:
        """What waits for an operator, as the product tells it."""
        _, waiting = self._client.world.command({"command": "pending"})
        found: list[Json] = waiting.get("result", {}).get("suspense", [])
        return found

    # --- what they share

    def _perhaps_twice(self, ask: Callable[[], Json | None]) -> Json | None:
        """At times two at once, at times once more behind the answer: the same key, the same words."""
        dice = self._dice.random()
        twin = threading.Thread(target=ask, daemon=True)
        if dice < 0.08:
            twin.start()
        body = ask()
        if dice < 0.08:
            twin.join()
        elif dice < 0.16:
            ask()
        return body

    def _somebody(self) -> User:
        return self._dice.choice(self._society.people())

    def _two(self) -> tuple[User, User]:
        """Who pays whom: half of all payments are to the few merchants, which are hot for it."""
        payer = self._somebody()
        kind = self._dice.choice(("merchant", ""))
        return payer, self._dice.choice([user for user in self._society.people(kind) if user is not payer])

    def _named(self, payee: User) -> Json:
        return self._dice.choice(
            ({"wallet_id": payee.wallet_id}, {"phone": payee.phone}, {"qr": f"wallet:{payee.wallet_id}"})
        )

    def _note(self, what: str) -> None:
        self._client.history.begin(Operation(what, "", "", {}))


#: How often each is done; the names are those of methods.
_DOINGS = {
    "top_up": 16,
    "pay": 26,
    "refund": 8,
    "hold": 9,
    "capture": 8,
    "release": 4,
    "bulk": 3,
    "bulk_retry": 1,
    "withdraw": 8,
    "look": 6,
    "read": 6,
    "newcomer": 1,
    "session": 1,
    "freeze": 2,
    "warm": 1,
    "send_back": 4,
    "credit_suspense": 3,
}


def everything_once(client: Client) -> None:
    """In calm: everybody pays a little in, and everything is done once, so that harm meets what already runs."""
    caller = Caller(client, threading.Event())
    with ThreadPoolExecutor(max_workers=3) as pool:
        list(pool.map(caller.first_money, client.society.people()))
    for name in _DOINGS:
        getattr(caller, name)()
