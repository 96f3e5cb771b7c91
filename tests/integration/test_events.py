"""Events out of real books: every movement tells of itself as documented, and what is told arrives, in order."""

import json
import os
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from moto.sns.models import sns_backends

from tests.integration.conftest import Functions
from tests.support import disputes
from tests.support.books import Books, Person, captured, new_phone, unique
from tests.support.cloud import REGION, Cloud
from tests.support.confirmations import WRONG, Confirming, required, tier_with
from tests.support.crowd import together
from tests.support.event_schemas import payload_schema, schema_of
from tests.support.functions import FunctionDiedError
from tests.support.moves import connection, refusal_of
from tests.support.operators import asked
from tests.support.owners import Owner
from tests.support.passkeys import Device
from tests.support.payouts import payout, tell, withdraw
from tests.support.proofs import proof_of
from tests.support.proxy import Proxy
from tests.support.sign_in import PASSWORD_HASH, generation, sign_in
from wallet import wiring
from wallet.channels.port import ChannelUnavailableError, Entry
from wallet.identity.accounts import store as accounts
from wallet.identity.phone_proofs.model import Purpose, proof_hash
from wallet.identity.sessions.model import Principal
from wallet.ledger import ids
from wallet.ledger.events import CATALOGUE
from wallet.ledger.notices import TEXTS
from wallet.ledger.refunds import ObservedRefund, RefundStatus
from wallet.ledger.withdrawals import ObservedPayout, PayoutStatus
from wallet.movements.payouts import book_payout
from wallet.movements.relay import MERCHANT_SOURCE, SOURCE, Deliveries, Relay
from wallet.storage import holds, operators, outbox, payments, settlement, source_refunds, withdrawals
from wallet.storage.database import Database, DatabaseBrokenError, DatabaseUnavailableError
from wallet.storage.operators import Instruction
from wallet.storage.rows import uuid_of

# ------------------------------------------------------------------------------- every movement there is


def pay(database: Database, payer: Person, payee: Person, amount: int = 100) -> UUID:
    receipt, _ = payments.post_payment(
        database,
        payer.claim(),
        transaction_id=wiring.new_id(),
        payee_wallet_id=payee.wallet_id,
        payee_phone=None,
        amount=amount,
        description="for ₹",
        reference=None,
    )
    return receipt.transaction_id


def hold(database: Database, payer: Person, payee: Person, *, valid_s: int = 600) -> UUID:
    receipt, _ = holds.place_hold(
        database,
        payer.claim(),
        hold_id=wiring.new_id(),
        payee_wallet_id=payee.wallet_id,
        payee_phone=None,
        amount=300,
        valid_s=valid_s,
        description=None,
    )
    return receipt.id


def holds_and_payments(books: Books, payer: Person, shop: Person) -> None:
    money, clock = books.as_role("money"), books.as_role("clock")
    payment_id = pay(money, payer, shop)
    payments.refund_payment(
        money, shop.claim(), transaction_id=wiring.new_id(), payment_id=payment_id, amount=40, reason="cold"
    )
    for amount, final in ((100, False), (None, True)):
        hold_id = hold(money, payer, shop)
        holds.capture_hold(
            money, shop.claim(), transaction_id=wiring.new_id(), hold_id=hold_id, amount=amount, final=final
        )
        if not final:
            holds.release_hold(money, shop.claim(), hold_id=hold_id)
    short = hold(money, payer, shop, valid_s=1)
    time.sleep(1.1)
    assert holds.expire_hold(clock, short)
    money.close()
    clock.close()


def withdrawals_of(books: Books, person: Person) -> None:
    asking, gateway = books.as_role("withdrawals"), books.as_role("gateway")

    def settle(withdrawal_id: UUID, payout_id: str, status: PayoutStatus) -> None:
        payout = ObservedPayout("razorpayx", payout_id, None, 500, "INR", status, "a_reason")
        withdrawals.settle_withdrawal(gateway, payout, withdrawal_id=withdrawal_id, transaction_id=wiring.new_id())

    for ways in ([PayoutStatus.SUCCEEDED, PayoutStatus.REVERSED], [PayoutStatus.FAILED]):
        receipt, _ = withdrawals.open_withdrawal(
            asking,
            person.claim(),
            withdrawal_id=wiring.new_id(),
            provider="razorpayx",
            vpa="asha@okbank",
            amount=500,
            first_check_s=600,
        )
        payout_id = unique("pout_")
        for status in ways:
            settle(receipt.id, payout_id, status)
    asking.close()
    gateway.close()


def instruction(person: Person) -> Instruction:
    return Instruction(operator="ops", reason="a test", claim=person.claim())


def refunds_to_source(books: Books, person: Person) -> None:
    operator, gateway = books.as_role("operator"), books.as_role("gateway")
    top_up = books.select(
        "SELECT g.transaction_id AS id, g.gateway_payment_id FROM gateway_payments g"
        " JOIN postings p ON p.transaction_id = g.transaction_id WHERE p.account_id = %s AND p.type = 'top_up'",
        person.wallet_id.bytes,
    )[0]
    for status in (RefundStatus.FAILED, RefundStatus.SUCCEEDED):
        opened, _ = operators.refund_to_source(
            operator,
            asked(operator, "refund_to_source", instruction(person)),
            refund_id=wiring.new_id(),
            transaction_id=uuid_of(top_up["id"]),
            amount=200,
        )
        said = ObservedRefund(
            gateway="razorpay",
            refund_id=unique("rfnd_"),
            reference=None,
            payment_id=top_up["gateway_payment_id"],
            amount=200,
            currency="INR",
            status=status,
            reason="a_reason" if status is RefundStatus.FAILED else None,
        )
        source_refunds.settle_refund(gateway, opened.refund_id, said, transaction_id=wiring.new_id())
    operator.close()
    gateway.close()


def suspense_of(books: Books, person: Person) -> None:
    gateway, operator, suspended = books.as_role("gateway"), books.as_role("operator"), wiring.new_id()
    settlement.settle_payment(gateway, captured(books.order(person, 500), 400), transaction_id=suspended)
    operators.credit_from_suspense(
        operator,
        asked(operator, "credit_from_suspense", instruction(person)),
        transaction_id=wiring.new_id(),
        suspended_id=suspended,
        wallet_id=None,
        amount=None,
        over_limits=False,
    )
    gateway.close()
    operator.close()


def disputes_of(books: Books, person: Person) -> None:
    """A withdrawal that had failed, and was paid out after all."""
    receipt, _ = withdraw(books, person, 500)
    tell(books, receipt, PayoutStatus.FAILED)
    paid_after_all = payout(receipt, PayoutStatus.SUCCEEDED)
    gateway, operator = books.as_role("gateway"), books.as_role("operator")
    book_payout(gateway, wiring.new_id, paid_after_all)
    ordered = asked(operator, "end_dispute", instruction(person))
    operators.end_dispute(operator, ordered, action_id=wiring.new_id(), withdrawal_id=receipt.id)
    book_payout(gateway, wiring.new_id, paid_after_all, asked=True)
    gateway.close()
    operator.close()


def chargebacks_of(books: Books, person: Person) -> None:
    """A top-up that its payer's bank asked back, and that an operator ended."""
    dispute = disputes.TopUp(books, person, 500).disputed()
    disputes.tell(books, dispute)
    disputes.end(books, dispute, "lost_borne")


def operators_on(books: Books, person: Person) -> None:
    operator = books.as_role("operator")
    about = {"wallet_id": person.wallet_id}
    ordered = asked(operator, "set_tier", instruction(person))
    operators.set_tier(operator, ordered, action_id=wiring.new_id(), tier="small", **about)
    operators.freeze(operator, instruction(person), action_id=wiring.new_id(), **about)
    operators.unfreeze(operator, instruction(person), action_id=wiring.new_id(), **about)
    operators.close(operator, instruction(person), action_id=wiring.new_id(), most=10, **about)
    operator.close()


def unclaimed_of(books: Books, owner: Person) -> None:
    """What was left of a wallet as it was closed, given to the wallet that its owner has now."""
    friend, closed = books.person(money=100), books.person()
    money, operator, kept = books.as_role("money"), books.as_role("operator"), wiring.new_id()
    pay(money, friend, closed, amount=50)
    about = {"wallet_id": closed.wallet_id}
    operators.close(operator, instruction(closed), action_id=wiring.new_id(), most=10, **about)
    ordered = asked(operator, "write_off", instruction(closed))
    operators.write_off(operator, ordered, transaction_id=kept, amount=None, **about)
    operators.credit_from_unclaimed(
        operator,
        asked(operator, "credit_from_unclaimed", instruction(owner)),
        transaction_id=wiring.new_id(),
        unclaimed_id=kept,
        wallet_id=owner.wallet_id,
        amount=None,
        over_limits=False,
    )
    money.close()
    operator.close()


def account_of(books: Books, person: Person) -> None:
    """A device that is new, two passwords, and a freeze of one's own with its end."""
    sign_in(books, person)
    session = sign_in(books, person, device="a laptop")
    identity = books.as_role("identity")

    def now() -> Principal:
        return replace(session.principal, generation=generation(books, person.user_id))

    def proof(purpose: Purpose) -> bytes:
        return proof_hash(proof_of(identity, person.phone, purpose))

    accounts.change_password(identity, now(), password_hash=PASSWORD_HASH, new_password_hash=b"n" * 60)
    accounts.freeze_own_wallet(identity, now())
    accounts.unfreeze_own_wallet(
        identity, now(), request_id=wiring.new_id(), proof_hash=proof(Purpose.UNFREEZE), wait_s=60
    )
    accounts.reset_password(
        identity,
        reset_id=wiring.new_id(),
        proof_hash=proof(Purpose.RESET_PASSWORD),
        password_hash=b"r" * 60,
        seen_within_days=90,
    )
    identity.close()


def confirmations_of(books: Books, tier: str) -> None:
    """Codes that were guessed, a passkey that came and went, another name and another phone."""
    payer = books.person(tier=tier, money=500)
    confirming = Confirming(books, payer)
    payment = required(partial(pay, connection(books, "money"), payer, books.person()))
    confirming.ask_for_code(payment.id)
    for _ in range(5):
        refusal_of(partial(confirming.show_code, payment.id, WRONG))

    device = Device(books, books.person(tier=tier))
    remove = partial(device.remove, device.registered().id)
    Confirming(books, device.person).confirm(required(remove).id)
    remove()

    owner = Owner.new(books)
    owner.confirmed(partial(owner.rename, "Asha Iyer"))
    owner.confirmed(partial(owner.move, owner.proof(new_phone())))


def test_every_movement_tells_of_itself_as_documented(books: Books) -> None:
    before = max((event.position for event in books.outbox()), default=0)
    payer, shop = books.person(money=10_000), books.person(kind="merchant", tier="merchant")
    with books.fee("payment", basis_points=200), books.fee("withdrawal", basis_points=0, flat=5):
        holds_and_payments(books, payer, shop)
        withdrawals_of(books, payer)
    refunds_to_source(books, payer)
    suspense_of(books, payer)
    disputes_of(books, payer)
    chargebacks_of(books, books.person())
    operators_on(books, books.person())
    unclaimed_of(books, books.person())
    account_of(books, books.person())
    confirmations_of(books, tier_with(books, above=0))

    assert {event.type for event in books.outbox(behind=before)} == set(CATALOGUE)
    assert books.faults() == []  # among them: an event that is not as its schema says


def test_an_event_is_written_with_what_it_tells_of_or_not_at_all(books: Books) -> None:
    payer, shop = books.person(money=100), books.person()
    money = books.as_role("money")
    before = len(books.outbox())
    with pytest.raises(Exception, match="insufficient_funds"):
        pay(money, payer, shop, amount=101)
    assert len(books.outbox()) == before
    pay(money, payer, shop, amount=100)
    assert len(books.outbox()) == before + 1
    money.close()


# ------------------------------------------------------------------------------------------ the relay


@pytest.fixture
def quiet(books: Books) -> Books:
    """The books with nothing to be delivered from other tests, and nobody who delivers."""
    books.write("UPDATE outbox SET delivered_at = UTC_TIMESTAMP(6) WHERE delivered_at IS NULL")
    books.write("UPDATE relays SET leased_until = UTC_TIMESTAMP(6)")
    return books


@dataclass
class DicedBus:
    """A bus that refuses entries by chance, and remembers what was handed over."""

    dice: random.Random
    refuses: float = 0.0
    slow_s: float = 0.0
    taken: list[Entry] = field(default_factory=list)

    def publish(self, entries: Sequence[Entry]) -> list[bool]:
        time.sleep(self.slow_s)
        if self.dice.random() < self.refuses / 2:
            raise ChannelUnavailableError("down")
        results = [self.dice.random() >= self.refuses for _ in entries]
        self.taken += [entry for entry, result in zip(entries, results, strict=True) if result]
        return results

    def sequences(self) -> dict[str, list[int]]:
        """What arrived of each wallet, by `sequence`."""
        arrived: dict[str, set[int]] = defaultdict(set)
        for entry in self.taken:
            detail = json.loads(entry.detail)
            for side in filter(None, (detail.get("wallet_id"), detail.get("other_wallet_id"))):
                if entry.source == SOURCE:
                    arrived[side].add(detail["sequence"])
        return {side: sorted(found) for side, found in arrived.items()}


def relay_until(books: Books, bus: DicedBus, done: Callable[[], bool], *, within_s: float = 300) -> Deliveries:
    """Runs relays, one after the other as the schedule does, until `done` and the outbox is empty."""
    deliveries, ends = Deliveries(), time.monotonic() + within_s
    with closing(books.as_role("clock")) as database:

        def time_left() -> float:
            if time.monotonic() > ends:
                return 0
            if not done():
                return 1
            waiting = books.select("SELECT COUNT(*) AS n FROM outbox WHERE delivered_at IS NULL")
            return int(waiting[0]["n"])

        while time_left() > 0:
            deliveries.unreachable = 0
            run = Relay(database, bus, wiring.new_id())
            run.run(deliveries, time_left_s=time_left, pause=lambda _seconds: time.sleep(0.01))
    return deliveries


def test_sorted_by_sequence_each_wallets_events_are_in_the_order_of_their_commits(quiet: Books) -> None:
    people = [quiet.person(money=10_000) for _ in range(4)]
    bus = DicedBus(random.Random(7), refuses=0.3)
    paying = threading.Event()

    def payer(number: int) -> None:
        dice = random.Random(number)
        with closing(quiet.as_role("money")) as money:
            for _ in range(25):
                one, other = dice.sample(people, 2)
                pay(money, one, other, amount=dice.randint(1, 20))

    def everybody_pays() -> None:
        together([partial(payer, number) for number in range(4)])
        paying.set()

    thread = threading.Thread(target=everybody_pays)
    thread.start()
    deliveries = relay_until(quiet, bus, paying.is_set)
    thread.join()
    assert deliveries.delivered == 100 + len(people)
    for person in people:
        (postings,) = (
            quiet.select(
                "SELECT o.position FROM postings p JOIN outbox o"
                " ON COALESCE(o.transaction_id, UNHEX(JSON_UNQUOTE(JSON_EXTRACT(o.detail, '$.transaction_id'))))"
                " = p.transaction_id WHERE p.account_id = %s ORDER BY p.entry_no",
                person.wallet_id.bytes,
            ),
        )
        arrived = bus.sequences()[ids.show(ids.WALLET, person.wallet_id)]
        assert arrived == [row["position"] for row in postings]


def test_two_relays_at_once_hand_over_everything_once(quiet: Books) -> None:
    people = [quiet.person(money=1_000) for _ in range(3)]
    with closing(quiet.as_role("money")) as money:
        for number in range(30):
            pay(money, people[number % 3], people[(number + 1) % 3], amount=1)
    bus = DicedBus(random.Random(1), slow_s=0.002)
    runs = [lambda: relay_until(quiet, bus, lambda: True) for _ in range(2)]
    found = [one.delivered for one in together(runs) if isinstance(one, Deliveries)]
    assert sum(found) == 33
    assert len(bus.taken) == 33


def test_a_lease_is_one_relays_until_it_ends_or_is_given_back(quiet: Books) -> None:
    mine, other = wiring.new_id(), wiring.new_id()
    with closing(quiet.as_role("clock")) as clock:
        assert outbox.claim_relay(clock, owner=mine, lease_s=30)
        assert not outbox.claim_relay(clock, owner=other, lease_s=30)
        assert outbox.claim_relay(clock, owner=mine, lease_s=1)
        time.sleep(1.05)
        assert outbox.claim_relay(clock, owner=other, lease_s=30)
        assert not outbox.mark_delivered(clock, [], owner=mine, lease_s=30)
        assert outbox.mark_delivered(clock, [], owner=other, lease_s=30)
        outbox.release_relay(clock, owner=mine)
        assert not outbox.claim_relay(clock, owner=mine, lease_s=30)
        outbox.release_relay(clock, owner=other)
        assert outbox.claim_relay(clock, owner=mine, lease_s=0)


def test_what_was_delivered_long_ago_is_forgotten_and_nothing_else(quiet: Books) -> None:
    person = quiet.person()
    for created, delivered in (("2020-01-01", "2020-01-02"), ("2020-01-01", "2099-01-01"), ("2020-01-01", None)):
        quiet.write(
            "INSERT INTO outbox (wallet_id, type, detail, created_at, delivered_at)"
            " VALUES (%s, 'WalletFrozen', '{}', %s, %s)",
            person.wallet_id.bytes,
            created,
            delivered,
        )
    with closing(quiet.as_role("clock")) as clock:
        outbox.sweep_events(clock, kept_days=30, limit=100)
    left = quiet.select("SELECT delivered_at FROM outbox WHERE wallet_id = %s", person.wallet_id.bytes)
    assert [row["delivered_at"] and row["delivered_at"].year for row in left] == [2099, None]


def test_what_is_written_down_is_what_was_delivered_and_nothing_between(quiet: Books) -> None:
    person = quiet.person()
    quiet.write("UPDATE outbox SET delivered_at = UTC_TIMESTAMP(6) WHERE delivered_at IS NULL")
    for _ in range(7):
        quiet.write(
            "INSERT INTO outbox (wallet_id, type, detail, created_at) VALUES (%s, 'WalletFrozen', '{}', NOW())",
            person.wallet_id.bytes,
        )
    with closing(quiet.as_role("clock")) as clock:
        waiting = [pending.event.position for pending in outbox.pending_events(clock, limit=100)]
        outbox.mark_delivered(clock, [waiting[at] for at in (4, 0, 1, 6)], owner=wiring.new_id(), lease_s=0)
        left = [pending.event.position for pending in outbox.pending_events(clock, limit=100)]
    assert left == [waiting[at] for at in (2, 3, 5)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outbox SET delivered_at = NULL",
        "DELETE FROM outbox",
        "INSERT INTO outbox (wallet_id, type, detail, created_at) VALUES ('', 'x', '{}', NOW())",
        "UPDATE relays SET owner = ''",
        "CALL note_event('', NULL, 'x', '{}', NOW())",
        "SELECT phone FROM users",
        "SELECT balance FROM wallets",
    ],
)
def test_the_relays_user_reads_what_it_delivers_and_writes_nothing(books: Books, statement: str) -> None:
    with (
        closing(books.as_role("clock")) as database,
        pytest.raises((DatabaseBrokenError, DatabaseUnavailableError)) as caught,
    ):
        database.read(statement)
    cause = caught.value.__cause__
    assert cause is not None
    assert cause.args[0] in {1142, 1143, 1370}


# -------------------------------------------------------- the functions, over an EventBridge and an SNS


class Ears:
    """A queue that hears everything on a bus of its own, and the topic for notices."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        name = unique("bus-")
        self._sqs, events, sns = (cloud.client(service) for service in ("sqs", "events", "sns"))
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        self._notices = self._sqs.create_queue(QueueName=f"{name}-notices")["QueueUrl"]
        events.create_event_bus(Name=name)
        events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": [{"prefix": "wallet"}]}))
        events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "q", "Arn": self._arn(self._queue)}])
        self.topic = sns.create_topic(Name=name)["TopicArn"]
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self._arn(self._notices))
        self.settings = {"EVENT_BUS": name, "DATABASE_SECRET": "db/clock"}

    def _arn(self, url: str) -> str:
        told = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn: str = told["Attributes"]["QueueArn"]
        return arn

    def heard(self) -> list[dict[str, Any]]:
        """What came on the bus since the last time."""
        return self._drained(self._queue)

    def notices(self) -> list[dict[str, Any]]:
        """What came through the topic since the last time."""
        return self._drained(self._notices)

    def _drained(self, url: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while messages := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture
def ears(cloud: Cloud) -> Ears:
    return Ears(cloud)


def test_the_relay_hands_over_a_payment_and_the_merchants_copy(quiet: Books, functions: Functions, ears: Ears) -> None:
    payer, shop = quiet.person(money=100), quiet.person(kind="merchant", tier="merchant")
    with closing(quiet.as_role("money")) as money:
        payment_id = pay(money, payer, shop)
    relay_everything(quiet, functions, ears)
    heard = ears.heard()
    assert [(one["source"], one["detail-type"]) for one in heard] == [
        (SOURCE, "TopUpSucceeded"),
        (SOURCE, "PaymentCompleted"),
        (MERCHANT_SOURCE, "PaymentCompleted"),
    ]
    own, copy = heard[1]["detail"], heard[2]["detail"]
    assert own["data"]["payment_id"] == ids.show(ids.PAYMENT, payment_id)
    jsonschema.validate(own, schema_of("PaymentCompleted"), jsonschema.Draft202012Validator)
    jsonschema.validate(copy, payload_schema("PaymentCompleted"), jsonschema.Draft202012Validator)
    assert copy["wallet_id"] == ids.show(ids.WALLET, shop.wallet_id)
    assert payer.phone not in json.dumps(heard)
    functions.make("relay", **ears.settings).invoke({}, timeout_s=9)
    assert ears.heard() == []


def relay_everything(books: Books, functions: Functions, ears: Ears) -> None:
    """Runs relays as the schedule does until nothing waits; each stops when it has 8 s left, here after one."""
    relay = functions.make("relay", **ears.settings)
    for _ in range(20):
        relay.invoke({}, timeout_s=9)
        if books.select("SELECT COUNT(*) AS n FROM outbox WHERE delivered_at IS NULL")[0]["n"] == 0:
            return
    raise AssertionError("something waits, however often a relay runs")


def kill_it(functions: Functions, cloud: Cloud, ears: Ears, *, at_the_answer: bool) -> None:
    """A relay that is killed when it asks the bus, before it is heard or before it hears that it was."""
    host, _, port = cloud.url.removeprefix("http://").partition(":")
    with Proxy((host, int(port))) as proxy:
        url = f"http://{proxy.host}:{proxy.port}"
        relay = functions.make("relay", **ears.settings, **cloud.environment(url=url))
        pid, asked = relay.pid, threading.Event()

        def judge(from_client: bool, chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            if from_client and b"AWSEvents.PutEvents" in chunk:
                asked.set()
            if asked.is_set() and from_client is not at_the_answer:
                os.kill(pid, signal.SIGKILL)
                return False
            return True

        proxy.judge = judge
        with pytest.raises(FunctionDiedError):
            relay.invoke({}, timeout_s=60)


@pytest.mark.parametrize("at_the_answer", [True, False])
def test_a_relay_that_is_killed_while_it_hands_over_loses_nothing_and_may_repeat(
    quiet: Books,
    functions: Functions,
    cloud: Cloud,
    ears: Ears,
    at_the_answer: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    payer, payee = quiet.person(money=100), quiet.person()
    with closing(quiet.as_role("money")) as money:
        pay(money, payer, payee)
    kill_it(functions, cloud, ears, at_the_answer=at_the_answer)
    first = ears.heard()
    quiet.write("UPDATE relays SET leased_until = UTC_TIMESTAMP(6)")  # instead of waiting for its end
    relay_everything(quiet, functions, ears)
    again = ears.heard()
    both = ["TopUpSucceeded", "PaymentCompleted"]
    assert [one["detail-type"] for one in first] == (both if at_the_answer else [])
    assert [one["detail-type"] for one in again] == both
    assert {one["detail"]["id"] for one in first} <= {one["detail"]["id"] for one in again}


def test_a_relay_without_a_bus_fails_and_everything_waits(
    quiet: Books, functions: Functions, cloud: Cloud, ears: Ears
) -> None:
    quiet.person(money=100)
    host, _, port = cloud.url.removeprefix("http://").partition(":")
    with Proxy((host, int(port))) as proxy:
        url = f"http://{proxy.host}:{proxy.port}"
        proxy.judge = lambda from_client, chunk: not (from_client and b"AWSEvents.PutEvents" in chunk)
        relay = functions.make("relay", **ears.settings, **cloud.environment(url=url))
        with pytest.raises(FunctionDiedError, match="UnhealthyRunError"):
            relay.invoke({}, timeout_s=60)
    relay_everything(quiet, functions, ears)
    assert [one["detail-type"] for one in ears.heard()] == ["TopUpSucceeded"]


TEMPLATE_IDS = {name: f"1107{number:015}" for number, name in enumerate(TEXTS)}


def notice_settings(to: str, **changes: str) -> dict[str, str]:
    return {
        "DATABASE_SECRET": "db/reader",
        "NOTICES_TO": to,
        "NOTICE_CONTACT": "1800 000 000",
        "NOTICE_BRAND": "Wallet",
        "SMS_ENTITY_ID": "1101000000000000001",
        "SMS_SENDER_ID": "WALLET",
        "SMS_TEMPLATE_IDS": ",".join(f"{name}={number}" for name, number in TEMPLATE_IDS.items()),
        "SMS_PER_PERSON": "50",
        "SMS_PER_DAY": "1000000",
        "ALERTS_PER_PERSON": "10",
        "ALERTS_PER_DAY": "1000000",
        "AWS_ENDPOINT_URL_SNS": "",  # the cloud's, where a test can come between
        **changes,
    }


def prove_phone(books: Books, person: Person) -> None:
    """As an operator does."""
    books.write(
        "INSERT INTO proved_phones SELECT id, phone, UTC_TIMESTAMP(6) FROM users WHERE id = %s", person.user_id.bytes
    )


def approve(books: Books, person: Person) -> None:
    """As an operator does."""
    books.write(
        "INSERT INTO merchant_approvals SELECT id, name, UTC_TIMESTAMP(6) FROM users WHERE id = %s",
        person.user_id.bytes,
    )


def texts_to(person: Person) -> list[str]:
    """What was sent to a phone."""
    sent = sns_backends["123456789012"][REGION].sms_messages.values()
    return [message for phone, message in sent if phone == person.phone]


@dataclass(frozen=True)
class Told:
    """A payment on the bus."""

    payer: Person
    event: dict[str, Any]


@pytest.fixture
def paid(quiet: Books, functions: Functions, ears: Ears) -> Told:
    """Somebody pays 1.00, and the event is there."""
    payer, shop = quiet.person(money=100_000), quiet.person(kind="merchant", tier="merchant")
    approve(quiet, shop)
    with closing(quiet.as_role("money")) as money:
        pay(money, payer, shop)
        hold(money, payer, shop)
    relay_everything(quiet, functions, ears)
    return Told(payer, next(one for one in ears.heard() if one["detail-type"] == "PaymentCompleted"))


def test_a_debit_is_told_once_through_the_topic_with_what_is_available_now(
    functions: Functions, ears: Ears, paid: Told
) -> None:
    notify = functions.make("notify", **notice_settings(ears.topic))
    for _ in range(3):
        notify.invoke(paid.event)
    (notice,) = ears.notices()
    assert notice["Message"].startswith("Rs 1.00 paid to Asha Rao from your wallet on ")
    assert notice["Message"].endswith("Available now: Rs 996.00. Not you? 1800 000 000 - Wallet")
    about = {name: value["Value"] for name, value in notice["MessageAttributes"].items()}
    assert about["wallet_id"] == ids.show(ids.WALLET, paid.payer.wallet_id)
    assert paid.payer.phone not in json.dumps(notice)


def test_a_debit_is_told_by_sms_to_its_owner(functions: Functions, paid: Told) -> None:
    function = functions.make("notify", **notice_settings("sms"))
    function.invoke(paid.event)
    (text,) = texts_to(paid.payer)
    assert text.startswith("Rs 1.00 paid to Asha Rao from your wallet on ")
    assert paid.payer.phone not in function.logged()


def again(event: dict[str, Any]) -> dict[str, Any]:
    """The same debit once more, as another event."""
    return event | {"detail": event["detail"] | {"id": unique("evt_")}}


def test_nobody_is_sent_an_sms_whose_phone_is_only_what_somebody_said(
    books: Books, functions: Functions, paid: Told
) -> None:
    """Whoever registers with a stranger's phone has them sent nothing, however often they pay."""
    books.write("DELETE FROM proved_phones WHERE user_id = %s", paid.payer.user_id.bytes)
    function = functions.make("notify", **notice_settings("sms"))
    for event in (paid.event, again(paid.event)):
        function.invoke(event)
    assert texts_to(paid.payer) == []
    assert function.logged().count("phone_not_proved") == 2
    prove_phone(books, paid.payer)
    function.invoke(paid.event)
    assert texts_to(paid.payer) == [], "an old debit is not told when the phone is proved"
    function.invoke(again(paid.event))
    assert len(texts_to(paid.payer)) == 1


def test_a_person_is_told_so_many_times_a_day_and_that_it_was_the_last(functions: Functions, paid: Told) -> None:
    function = functions.make("notify", **notice_settings("sms", SMS_PER_PERSON="2"))
    for event in (paid.event, paid.event, again(paid.event), again(paid.event), again(paid.event)):
        function.invoke(event)
    first, second, last = texts_to(paid.payer)
    assert first == second
    assert last.startswith("Today you were told of 2 debits")
    assert function.logged().count("cap_per_person") == 2


def test_all_together_are_told_so_many_times_a_day(functions: Functions, paid: Told) -> None:
    function = functions.make("notify", **notice_settings("sms", SMS_PER_DAY="1"))
    function.invoke(paid.event)
    function.invoke(again(paid.event))
    assert len(texts_to(paid.payer)) <= 1
    assert "cap_in_all" in function.logged()


def test_a_text_without_a_registered_template_is_not_sent(functions: Functions, paid: Told) -> None:
    known = ",".join(f"{name}=1" for name in TEMPLATE_IDS if name != "refund")
    function = functions.make("notify", **notice_settings("sms", SMS_TEMPLATE_IDS=known))
    with pytest.raises(FunctionDiedError, match="no id of refund"):
        function.invoke(paid.event)
    assert texts_to(paid.payer) == []


def test_a_notice_that_sns_did_not_take_uses_up_no_place(functions: Functions, cloud: Cloud, paid: Told) -> None:
    host, _, port = cloud.url.removeprefix("http://").partition(":")
    with Proxy((host, int(port))) as proxy:
        url = f"http://{proxy.host}:{proxy.port}"
        proxy.judge = lambda from_client, chunk: not (from_client and b"Action=Publish" in chunk)
        settings = notice_settings("sms", SMS_PER_PERSON="1") | cloud.environment(url=url)
        function = functions.make("notify", **settings)
        with pytest.raises(FunctionDiedError, match="ChannelUnavailableError"):
            function.invoke(paid.event)
        proxy.judge = lambda _from_client, _chunk: True
        function.invoke(paid.event)
    assert len(texts_to(paid.payer)) == 2, "the notice, and that it was the last"


def test_a_notice_that_could_not_be_sent_is_sent_when_the_event_comes_again(
    functions: Functions, cloud: Cloud, ears: Ears, paid: Told
) -> None:
    host, _, port = cloud.url.removeprefix("http://").partition(":")
    with Proxy((host, int(port))) as proxy:
        url = f"http://{proxy.host}:{proxy.port}"
        proxy.judge = lambda from_client, chunk: not (from_client and b"Action=Publish" in chunk)
        notify = functions.make("notify", **notice_settings(ears.topic), **cloud.environment(url=url))
        with pytest.raises(FunctionDiedError, match="ChannelUnavailableError"):
            notify.invoke(paid.event)
        assert ears.notices() == []
        proxy.judge = lambda _from_client, _chunk: True
        notify.invoke(paid.event)
    assert len(ears.notices()) == 1


@pytest.fixture
def alerted(quiet: Books, functions: Functions, ears: Ears) -> Told:
    """Somebody signs in on another device, and the event is there."""
    person = quiet.person()
    for device in ("a phone", "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36"):
        sign_in(quiet, person, device=device)
    relay_everything(quiet, functions, ears)
    (event,) = ears.heard()
    return Told(person, event)


def test_an_alert_goes_to_the_phone_once_whatever_debits_go_by(functions: Functions, ears: Ears, alerted: Told) -> None:
    function = functions.make("notify", **notice_settings(ears.topic))
    for _ in range(2):  # the relay died between handing over and writing that down
        function.invoke(alerted.event)
    (text,) = texts_to(alerted.payer)
    assert text.startswith("New sign-in to your wallet on ")
    assert text.endswith("on a device that calls itself Linux Android 14 Pixel 8. Not you? 1800 000 000 - Wallet")
    assert ears.notices() == []
    assert alerted.payer.phone not in function.logged()


def test_an_alert_goes_to_no_phone_that_is_not_known_to_be_the_persons(
    books: Books, functions: Functions, alerted: Told
) -> None:
    books.write("DELETE FROM proved_phones WHERE user_id = %s", alerted.payer.user_id.bytes)
    function = functions.make("notify", **notice_settings("sms"))
    function.invoke(alerted.event)
    assert texts_to(alerted.payer) == []
    assert "phone_not_proved" in function.logged()


def test_no_flood_of_one_alert_and_no_days_debits_hide_another_alert(
    books: Books, functions: Functions, paid: Told, alerted: Told
) -> None:
    person = {"wallet_id": ids.show(ids.WALLET, alerted.payer.wallet_id)}
    debit = paid.event | {"detail": paid.event["detail"] | person}
    settings = notice_settings("sms", SMS_PER_PERSON="1", ALERTS_PER_PERSON="2")
    function = functions.make("notify", **settings)
    for event in (debit, again(debit), *[again(alerted.event) for _ in range(4)]):
        function.invoke(event)
    changed = alerted.event["detail"] | {"id": unique("evt_"), "data": {}}
    function.invoke(alerted.event | {"detail-type": "PasswordChanged", "detail": changed})
    texts = texts_to(alerted.payer)
    assert [text.split(" ")[0] for text in texts] == ["Rs", "Today", "New", "New", "Your"]
    assert function.logged().count("cap_per_person") == 3
