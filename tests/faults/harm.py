"""Everything that is done to the stack, by name; counted as it is done."""

import random
import threading
import time
from collections import Counter

import pymysql

from tests.faults import aws_wire, hostile_webhooks
from tests.faults.aws_wire import Trouble
from tests.faults.database_wire import Cut
from tests.faults.history import History
from tests.faults.hostile_sessions import deadlock, hold_locks
from tests.faults.people import Society, one_of
from tests.faults.plan import Step
from tests.faults.processes import kill
from tests.faults.world import World

_MONEY = ("PayFunction", "TopUpFunction", "WebhookFunction", "HoldFunction", "CaptureFunction", "RefundFunction")
_MORE = ("WithdrawFunction", "BulkFunction", "RelayFunction", "OperatorFunction", "BulkWorkerFunction")
#: What runs by itself, and moves money.
CLOCKWORK = ("ReconcileFunction", "ExpireHoldsFunction", "BulkWorkerFunction")
# seconds; longer than any harm lasts on a machine that has much else to do
_END_S = 300


class Harm:
    """Carries out a plan, each step in a thread of its own; `end` undoes what can be undone."""

    def __init__(self, world: World, society: Society, history: History) -> None:
        self._world = world
        self._society = society
        self._history = history
        self._threads: list[threading.Thread] = []
        self._done: Counter[str] = Counter()
        self._alone = threading.Lock()
        #: What went wrong with the harm itself: faults of the suite.
        self.failures: list[str] = []

    @property
    def done(self) -> Counter[str]:
        """The table of harm: what, how often."""
        return self._done + self._world.database_wire.struck + self._world.aws_wire.struck

    def run(self, steps: list[Step], began: float, stop: threading.Event) -> None:
        """Does what is planned when it is planned; returns when all of it was begun."""
        for step in steps:
            if stop.wait(max(0.0, began + step.at_s - time.monotonic())):
                return
            thread = threading.Thread(target=self._do, args=(step,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        """No more harm, and nothing left of it but its consequences."""
        for thread in self._threads:
            thread.join(_END_S)
            if thread.is_alive():
                self.failures.append(f"{thread.name} does not end")
        self._world.database_wire.disarm()
        self._world.aws_wire.disarm()
        self._fault("none")
        self._world.functions_clock.set(0)
        self._world.database_clock.set(0)
        self._done += self._world.count_locks()

    def _do(self, step: Step) -> None:
        threading.current_thread().name = step.kind
        try:
            getattr(self, step.kind)(random.Random(step.seed))
        except pymysql.MySQLError:
            # our own sessions suffer as everybody's do, when the server is killed
            self._done[f"(cut short by other harm: {step.kind})"] += 1
        except Exception as error:  # noqa: BLE001 - told at the end
            self.failures.append(f"{step.kind}: {type(error).__name__}: {error}")

    # --- processes

    def kill_functions(self, dice: random.Random) -> None:
        """Those of one function, at times of all."""
        name = "" if dice.random() < 0.05 else dice.choice(_MONEY + _MORE)
        self._done["functions: processes killed"] += kill(self._world.workers(name))

    def kill_clock_run(self, dice: random.Random) -> None:
        """A run of the clock, begun and killed at work."""
        function = dice.choice(CLOCKWORK)
        self._world.invoke(function, wait=False)
        time.sleep(dice.uniform(0.05, 1.5))
        killed = kill(self._world.workers(function))
        self._done["clock: runs killed at work"] += killed

    def kill_database(self, dice: random.Random) -> None:
        """The server, with everything that it had not written."""
        with self._alone:
            time.sleep(dice.uniform(0, 0.5))
            self._done += self._world.count_locks()
            self._world.kill_database()
        self._done["database: server killed and restarted"] += 1

    def clock_runs(self, dice: random.Random) -> None:
        """No harm by itself: what the clock does comes in between, sooner than its schedule says."""
        self._world.invoke(dice.choice(CLOCKWORK), wait=False)
        self._done["(clock: runs begun in between)"] += 1

    # --- the wire to the database

    def cut_before_sent(self, dice: random.Random) -> None:
        self._world.database_wire.arm(Cut.BEFORE_SENT, dice.randint(1, 6))

    def cut_behind_sent(self, dice: random.Random) -> None:
        self._world.database_wire.arm(Cut.BEHIND_SENT, dice.randint(1, 6))

    def lose_answer(self, dice: random.Random) -> None:
        self._world.database_wire.arm(Cut.ANSWER_LOST, dice.randint(1, 6))

    def cut_all(self, _dice: random.Random) -> None:
        self._done["database: all connections cut at once"] += 1
        self._world.database_wire.cut_all()

    def refuse_connections(self, dice: random.Random) -> None:
        wire = self._world.database_wire
        wire.refuses = True
        wire.cut_all()
        time.sleep(dice.uniform(0.3, 2))
        wire.refuses = False

    # --- the wire to AWS

    def dynamodb_fails(self, dice: random.Random) -> None:
        self._aws(aws_wire.DYNAMODB, Trouble.FAILS, dice)

    def dynamodb_throttles(self, dice: random.Random) -> None:
        self._aws(aws_wire.DYNAMODB, Trouble.THROTTLED, dice)

    def dynamodb_slow(self, dice: random.Random) -> None:
        self._aws(aws_wire.DYNAMODB, Trouble.SLOW, dice)

    def dynamodb_loses_records(self, dice: random.Random) -> None:
        self._aws(aws_wire.DYNAMODB, Trouble.LOSES_RECORD, dice)

    def dynamodb_loses_answers(self, dice: random.Random) -> None:
        self._aws(aws_wire.DYNAMODB, Trouble.LOSES_ANSWER, dice)

    def dynamodb_forgets(self, dice: random.Random) -> None:
        """Records that were kept are gone, the most of them old, some of requests at work."""
        self._done["DynamoDB: records deleted"] += self._world.forget_keys(dice, share=0.5)

    def events_fail(self, dice: random.Random) -> None:
        self._aws(aws_wire.EVENTS, Trouble.FAILS, dice)

    def events_lose_answers(self, dice: random.Random) -> None:
        self._aws(aws_wire.EVENTS, Trouble.LOSES_ANSWER, dice)

    def secrets_fail(self, dice: random.Random) -> None:
        self._aws(aws_wire.SECRETS, Trouble.FAILS, dice)

    def _aws(self, service: str, trouble: Trouble, dice: random.Random) -> None:
        self._world.aws_wire.arm(service, trouble, dice.randint(2, 8))

    # --- the gateway

    def gateway_down(self, dice: random.Random) -> None:
        self._gateway(dice, "down", "gateway: answers 503 for a while")

    def gateway_slow(self, dice: random.Random) -> None:
        self._gateway(dice, "slow", "gateway: too slow for a while, and does the work")

    def gateway_loses_answers(self, dice: random.Random) -> None:
        self._gateway(dice, "drop_answer", "gateway: does the work and loses every answer for a while")

    def gateway_throttles(self, dice: random.Random) -> None:
        self._gateway(dice, "rate_limited", "gateway: answers 429 for a while")

    def _gateway(self, dice: random.Random, mode: str, told: str) -> None:
        self._fault(mode, dice.choice((None, "POST", "GET")))
        self._done[told] += 1
        time.sleep(dice.uniform(1, 4))
        self._fault("none")

    def _fault(self, mode: str, method: str | None = None) -> None:
        body = {"mode": mode} | ({"method": method} if method else {})
        self._world.tell_gateway("faults", body)

    def webhook_forged(self, dice: random.Random) -> None:
        self._webhook("forged", dice)

    def webhook_truncated(self, dice: random.Random) -> None:
        self._webhook("truncated", dice)

    def webhook_cut_and_signed(self, dice: random.Random) -> None:
        self._webhook("cut_and_signed", dice)

    def webhook_of_unknown_order(self, dice: random.Random) -> None:
        self._webhook("unknown_order", dice)

    def webhook_of_wrong_amount(self, dice: random.Random) -> None:
        self._webhook("wrong_amount", dice)

    def webhook_of_wrong_currency(self, dice: random.Random) -> None:
        self._webhook("wrong_currency", dice)

    def _webhook(self, kind: str, dice: random.Random) -> None:
        top_up = one_of(dice, self._society.top_ups)
        if top_up is not None:
            hostile_webhooks.send(self._world, self._history, kind, top_up, dice)
            self._done[f"webhook: {kind.replace('_', ' ')}"] += 1

    def refund_at_the_dashboard(self, dice: random.Random) -> None:
        """Somebody sends a part of a payment back, and tells us by a webhook only."""
        top_up = one_of(dice, self._society.top_ups)
        if top_up is None:
            return
        store = self._world.gateway_book
        payments = [one for one in store.payments_of(top_up["gateway_order_id"]) if one.captured]
        store.close()
        for payment in payments[:1]:
            left = payment.amount - payment.amount_refunded
            if left > 0:
                self._world.tell_gateway(f"payments/{payment.id}/refund", {"amount": dice.randint(1, left)})
                self._done["(gateway: refunds begun at the dashboard)"] += 1

    def payouts_end(self, dice: random.Random) -> None:
        """Those that wait at the bank come to an end, of whatever kind."""
        self._done["(gateway: waiting payouts ended)"] += self._world.end_payouts(dice)

    # --- hostile sessions, wrong clocks

    def lock_rows(self, dice: random.Random) -> None:
        """A wallet's row, for longer than anybody waits for a lock."""
        user = dice.choice(self._society.people())
        hold_locks(self._world.connect, user.wallet, dice.uniform(3.5, 7))
        self._done["database: a wallet locked by a hostile session for seconds"] += 1

    def deadlock(self, dice: random.Random) -> None:
        """A session that takes everybody's wallet, all in the wrong order."""
        wallets = sorted((user.wallet for user in self._society.people()), reverse=True)
        deadlock(self._world.connect, wallets, dice.uniform(0.05, 0.2))
        self._done["database: wallets locked in the wrong order by a hostile session"] += 1

    def database_clock(self, dice: random.Random) -> None:
        """Minutes ahead or behind, for some seconds."""
        with self._alone:
            self._world.database_clock.set(dice.choice((-1, 1)) * dice.randint(60, 300))
            self._done["clock: the database's off by minutes"] += 1
            time.sleep(dice.uniform(1, 3))
            self._world.database_clock.set(0)

    def functions_clock(self, dice: random.Random) -> None:
        """Minutes ahead or behind, for some seconds, in every second process."""
        self._world.functions_clock.set(dice.choice((-1, 1)) * dice.randint(60, 300))
        self._done["clock: half of the functions' off by minutes"] += 1
        time.sleep(dice.uniform(2, 6))
        self._world.functions_clock.set(0)
