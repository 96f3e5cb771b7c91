"""The gateway's own list of payments against the ledger: found money is booked, once, and differences are breaks."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.gateway.server import Simulator, running
from tests.integration import razorpay_simulator as razorpay
from tests.integration.conftest import Functions
from tests.support.books import GATEWAY, Books, Person, captured, unique
from tests.support.crowd import together
from tests.support.functions import FunctionDiedError
from tests.support.proxy import Proxy
from wallet import wiring
from wallet.gateways.http import Deadline
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError, PaymentPage
from wallet.gateways.razorpay import client as razorpay_client
from wallet.gateways.razorpay.client import RazorpayGateway
from wallet.ledger.attempts import ObservedPayment
from wallet.ledger.refunds import ObservedRefund, RefundStatus
from wallet.movements import walk_payments as walking
from wallet.movements.reconcile import Findings
from wallet.movements.refund_to_source import book_refund
from wallet.movements.settle import book
from wallet.movements.top_up import TopUpRules, open_top_up
from wallet.movements.walk_payments import Comparer, walk_payments
from wallet.storage import breaks, inspection, settlement
from wallet.storage.database import DatabaseBrokenError
from wallet.storage.explained import explained


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A gateway of the test's own."""
    with running(razorpay.settings(tmp_path)) as simulator:
        yield simulator


@dataclass
class Place:
    """Our books and their gateway."""

    books: Books
    simulator: Simulator

    def __post_init__(self) -> None:
        self.gateway = razorpay.adapter(self.simulator)

    def order(self, person: Person, amount: int = 50_000) -> str:
        """An attempt of theirs with its order at the gateway."""
        rules = TopUpRules(valid_s=3600, first_check_s=3600, upi_intent=False)
        with closing(self.books.as_role("money")) as money:
            top_up, _ = open_top_up(money, self.gateway, wiring.new_id, rules, claim=person.claim(), amount=amount)
        assert top_up.gateway_order_id is not None
        return top_up.gateway_order_id

    def foreign_order(self, amount: int = 50_000) -> str:
        """An order that somebody else made with the same account."""
        return razorpay.foreign_order(self.simulator, amount)

    def play(self, order_id: str, outcome: str = "captured_without_webhook") -> list[str]:
        """The person with the UPI app; the ids of the payments."""
        return [payment["id"] for payment in razorpay.play(self.simulator, order_id, outcome)["payments"]]

    def walk(
        self, *, at: datetime | None = None, gateway: RazorpayGateway | None = None, time_left_s: float = 60.0
    ) -> Findings:
        """One run of both walks."""
        findings = Findings()
        with closing(self.books.as_role("gateway")) as database:
            comparer = Comparer(database, gateway or self.gateway, wiring.new_id, findings)
            moment = at or datetime.now(UTC) + timedelta(seconds=1)
            walk_payments(comparer, first_check_s=1, now=lambda: moment, time_left_s=lambda: time_left_s)
        return findings

    def hear(self, order_id: str) -> None:
        """The webhooks of an order's payments, which were late."""
        with closing(self.books.as_role("gateway")) as database:
            for payment in self.gateway.payments_of(order_id):
                book(database, wiring.new_id, payment)

    def gateway_with(self, **changes: Any) -> "OddGateway":
        """The same gateway, where something is odd."""
        odd = OddGateway.over_http(
            base_url=self.simulator.url, key_id=razorpay.KEY_ID, key_secret=razorpay.KEY_SECRET, limits=razorpay.PATIENT
        )
        for name, value in changes.items():
            assert hasattr(odd, name)
            setattr(odd, name, value)
        return odd

    def booked(self, payment_id: str) -> list[tuple[str, str | None, int]]:
        """How a payment stands in the ledger."""
        return [
            (row["type"], row["suspense_reason"], row["amount"])
            for row in self.books.select(
                "SELECT t.type, g.suspense_reason, t.amount FROM gateway_payments g"
                " JOIN transactions t ON t.id = g.transaction_id WHERE g.gateway_payment_id = %s",
                payment_id,
            )
        ]

    def open_breaks(self) -> dict[tuple[str, str], tuple[int | None, int | None]]:
        """What is open, with both amounts."""
        with closing(self.books.as_role("operator")) as operator:
            shown = inspection.shown_breaks(
                operator, kind=None, limit=1_000_000
            )  # what other tests have left is open, too
        return {(one.kind, one.subject): (one.our_amount, one.their_amount) for one in shown}

    def done_until(self, walk: str = "payments") -> datetime:
        """How far a walk has come."""
        with closing(self.books.as_role("gateway")) as database:
            done = breaks.walked_until(database, gateway=GATEWAY, walk=walk, farthest=datetime(2000, 1, 1, tzinfo=UTC))
        assert done is not None
        return done


class OddGateway(RazorpayGateway):
    """Razorpay, but for some payments, by their ids."""

    odd: dict[str, dict[str, object]] = {}  # noqa: RUF012 - set by tests: fields that are told otherwise
    refunds_fail: Mapping[str, Exception] = {}
    fails: Mapping[str, Exception] = {}
    asked: list[str] = []  # noqa: RUF012 - which were, by themselves

    def _get(self, path: str, deadline: Deadline) -> Mapping[str, object]:
        answer = dict(super()._get(path, deadline))
        items: Any = answer.get("items", [])
        for item in items:
            item.update(self.odd.get(item.get("id") or item.get("entity_id"), {}))
        return answer | self.odd.get(str(answer.get("id")), {})

    def payment(self, payment_id: str) -> ObservedPayment | None:
        self.asked.append(payment_id)
        if payment_id in self.fails:
            raise self.fails[payment_id]
        return super().payment(payment_id)

    def refunds_of(self, *, payment_id: str, order_id: str | None) -> tuple[ObservedRefund, ...]:
        if payment_id in self.refunds_fail:
            raise self.refunds_fail[payment_id]
        return super().refunds_of(payment_id=payment_id, order_id=order_id)


@pytest.fixture
def place(books: Books, simulator: Simulator) -> Place:
    books.nothing_is_due()
    return Place(books, simulator)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(razorpay_client, "_LARGEST_PAGE", 3)


def test_money_whose_webhook_was_lost_is_credited_from_the_list_and_only_once(place: Place) -> None:
    person = place.books.person()
    [payment_id] = place.play(place.order(person))
    assert place.walk().found == 1
    assert place.booked(payment_id) == [("top_up", None, 50_000)]
    assert place.books.balance(person) == 50_000
    again = place.walk()
    assert (again.found, again.broke, again.broken) == (0, 0, [])
    assert place.open_breaks() == {}
    assert place.books.faults() == []


def test_money_that_comes_after_the_attempt_has_expired_is_credited(place: Place) -> None:
    person = place.books.person()
    order_id = place.order(person)
    place.books.write(
        "UPDATE payment_attempts SET status = 'expired', next_check_at = NULL WHERE gateway_order_id = %s", order_id
    )
    place.play(order_id)
    assert place.walk().found == 1
    assert place.books.balance(person) == 50_000


def test_of_a_double_capture_one_is_credited_and_one_lies_in_suspense_with_its_reason(place: Place) -> None:
    person = place.books.person()
    first, second = place.play(place.order(person), "captured_twice")
    assert place.walk().found == 2
    assert sorted([*place.booked(first), *place.booked(second)], key=str) == [
        ("suspense", "order_already_paid", 50_000),
        ("top_up", None, 50_000),
    ]
    assert place.books.balance(person) == 50_000


def test_a_wrong_amount_and_money_of_nobody_go_to_suspense_with_their_reasons(place: Place) -> None:
    person = place.books.person()
    [wrong] = place.play(place.order(person), "amount_mismatch")
    [foreign] = place.play(place.foreign_order())
    place.walk()
    assert place.booked(wrong) == [("suspense", "amount_mismatch", 50_100)]
    assert place.booked(foreign) == [("suspense", "unknown_order", 50_000)]
    assert place.books.balance(person) == 0
    assert place.open_breaks() == {}, "what is in suspense with its reason is explained"


def test_what_was_never_captured_is_left_alone(place: Place) -> None:
    person = place.books.person()
    order_id = place.order(person)
    for outcome in ("failed", "pending", "auto_refunded"):
        place.play(order_id, outcome)
    assert place.walk().found == 0
    assert place.books.balance(person) == 0
    assert place.open_breaks() == {}


def test_a_refund_at_the_dashboard_that_nobody_told_us_of_is_booked_from_the_list(place: Place) -> None:
    person = place.books.person()
    [payment_id] = place.play(place.order(person))
    place.walk()
    razorpay.call(place.simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": 20_000})
    assert place.walk().booked == 1
    assert place.books.balance(person) == 30_000
    assert place.open_breaks() == {}
    assert place.books.faults() == []


def test_a_payment_whose_payer_bore_the_fee_is_credited_as_asked_for_and_is_no_break(place: Place) -> None:
    person = place.books.person()
    [payment_id] = place.play(place.order(person), "captured_with_surcharge")
    assert place.walk().found == 1
    assert place.booked(payment_id) == [("top_up", None, 50_000)]
    assert place.books.balance(person) == 50_000
    razorpay.call(place.simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": 50_000})
    findings = place.walk()
    assert (findings.broke, findings.broken) == (0, [])
    assert place.books.balance(person) == 0, "what was credited went back; the fee is the gateway's to keep"
    assert place.open_breaks() == {}
    assert place.books.faults() == []


def test_a_refund_that_gives_the_gateways_fee_back_as_well_is_for_people(place: Place) -> None:
    person = place.books.person()
    [payment_id] = place.play(place.order(person), "captured_with_surcharge")
    place.walk()
    razorpay.call(place.simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": 51_180})
    place.walk()
    assert place.open_breaks() == {("refunded_differs", payment_id): (0, 51_180)}
    assert place.books.balance(person) == 50_000


def test_money_that_was_refunded_before_we_heard_of_it_is_never_credited(place: Place) -> None:
    person = place.books.person()
    [payment_id] = place.play(place.order(person))
    razorpay.call(place.simulator, "POST", f"/simulator/payments/{payment_id}/refund", {})
    place.walk()
    assert place.booked(payment_id) == [("suspense", "already_refunded", 50_000)]
    assert place.books.balance(person) == 0
    assert place.open_breaks() == {}
    assert place.books.faults() == []


def test_a_payment_that_the_gateway_does_not_know_is_a_break_with_our_amount(place: Place) -> None:
    person = place.books.person()
    made_up = captured(place.books.order(person, 700), 700)
    with closing(place.books.as_role("gateway")) as database:
        settlement.settle_payment(database, made_up, transaction_id=wiring.new_id())
    assert place.walk().broke == 1
    assert place.open_breaks() == {("unknown_payment", made_up.payment_id): (700, None)}
    again = place.walk()
    assert (again.broke, again.mended) == (0, 0), "it is still there, and not new"


def test_a_payment_with_another_amount_there_is_a_break_with_both(place: Place) -> None:
    [payment_id] = place.play(place.foreign_order(50_000))
    lie = captured(None, 49_000, payment_id=payment_id)
    with closing(place.books.as_role("gateway")) as database:
        settlement.settle_payment(database, lie, transaction_id=wiring.new_id())
    place.walk()
    assert place.open_breaks() == {("payment_differs", payment_id): (49_000, 50_000)}


def test_a_break_that_is_no_longer_there_resolves_itself_and_one_that_comes_again_is_open_again(place: Place) -> None:
    person = place.books.person()
    [payment_id] = place.play(place.order(person))
    place.walk()
    ahead = ObservedRefund(
        GATEWAY, unique("rfnd_"), None, payment_id, 20_000, "INR", RefundStatus.SUCCEEDED, payment=None
    )
    with closing(place.books.as_role("gateway")) as database:
        book_refund(database, wiring.new_id, ahead)  # which the gateway knows nothing of
    assert place.walk().broke == 1
    assert place.open_breaks() == {("refunded_differs", payment_id): (20_000, 0)}
    _, told = razorpay.call(place.simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": 20_000})
    assert told["status"] == "processed"
    assert place.walk(at=datetime.now(UTC) + timedelta(hours=3)).mended == 1, "though no list is read of it any more"
    row = place.books.select("SELECT * FROM reconciliation_breaks WHERE subject = %s", payment_id)[0]
    assert (row["resolution"], row["resolved_at"] is None) == ("gone", False)
    with closing(place.books.as_role("gateway")) as database:
        book_refund(
            database,
            wiring.new_id,
            ObservedRefund(
                GATEWAY, unique("rfnd_"), None, payment_id, 100, "INR", RefundStatus.SUCCEEDED, payment=None
            ),
        )
        comparer = Comparer(database, place.gateway, wiring.new_id, Findings())
        comparer.ask_about([payment_id])
    again = place.books.select("SELECT * FROM reconciliation_breaks WHERE subject = %s", payment_id)[0]
    assert again["resolved_at"] is None
    assert again["first_seen_at"] == row["first_seen_at"]
    assert again["open_since"] > row["resolved_at"]


@pytest.mark.usefixtures("small_pages")
def test_a_gateway_that_goes_down_in_the_middle_of_a_list_costs_nothing_but_time(place: Place) -> None:
    people = [place.books.person() for _ in range(8)]
    for person in people:
        place.play(place.order(person))
    before = place.done_until()
    razorpay.fault(place.simulator, "down", path="/v1/payments", method="GET", after=2)
    findings = place.walk()
    assert findings.unreachable == 1
    assert "GET /v1/payments" in findings.unreached[0]
    assert not findings.is_healthy
    assert place.done_until() == before, "what was not read to its end is not called read"
    razorpay.fault(place.simulator, "none")
    assert findings.found + place.walk().found == 8
    assert {place.books.balance(person) for person in people} == {50_000}
    assert place.done_until() > before


@pytest.mark.usefixtures("small_pages")
def test_pages_that_shift_while_they_are_read_hide_no_payment(place: Place) -> None:
    people = [place.books.person() for _ in range(10)]
    orders = [place.order(person) for person in people]
    for order_id in orders[:7]:
        place.play(order_id)
    late = iter(orders[7:])

    class Shifting(RazorpayGateway):
        """A gateway where somebody pays between two pages."""

        def payments_between(self, *, since_s: int, until_s: int) -> Iterator[PaymentPage]:
            for page in super().payments_between(since_s=since_s, until_s=until_s + 60):
                yield page
                for order_id in list(late)[:1]:
                    place.play(order_id)

    shifting = Shifting.over_http(
        base_url=place.simulator.url, key_id=razorpay.KEY_ID, key_secret=razorpay.KEY_SECRET, limits=razorpay.PATIENT
    )
    place.walk(gateway=shifting)
    assert {place.books.balance(person) for person in people[:7]} == {50_000}
    for order_id in late:
        place.play(order_id)
    place.walk()
    assert place.books.total(*people) == 50_000 * (8)


def test_eight_that_walk_at_once_book_each_payment_once(place: Place) -> None:
    people = [place.books.person() for _ in range(12)]
    for person in people:
        place.play(place.order(person))
    walkers: list[Callable[[], Findings]] = [place.walk] * 8
    found = together(walkers)
    assert [one for one in found if isinstance(one, Exception)] == []
    assert sum(one.found for one in found if isinstance(one, Findings)) == 12
    assert {place.books.balance(person) for person in people} == {50_000}
    assert place.books.faults() == []


def test_a_run_that_dies_anywhere_is_made_up_for_by_the_next(place: Place) -> None:
    class Dies(BaseException):
        """As a SIGKILL: nothing is tidied up."""

    people = [place.books.person() for _ in range(3)]
    for person in people:
        place.play(place.order(person))
    for step in range(1, 40):
        steps = iter(range(step))

        class Dying(Comparer):
            """Dies at its nth word with the database."""

        with closing(place.books.as_role("gateway")) as database:
            ask = database._ask  # noqa: SLF001 - the one place where every word passes

            def counted(*asked: Any, steps: Iterator[int] = steps, ask: Callable[..., Any] = ask) -> Any:
                if next(steps, None) is None:
                    raise Dies
                return ask(*asked)

            database._ask = counted  # type: ignore[method-assign,assignment]  # noqa: SLF001 - as above
            comparer = Dying(database, place.gateway, wiring.new_id, Findings())
            moment = datetime.now(UTC) + timedelta(seconds=1)
            try:
                walk_payments(comparer, first_check_s=1, now=lambda at=moment: at, time_left_s=lambda: 60.0)  # type: ignore[misc]  # bound early
            except Dies:
                continue
            break
    else:
        pytest.fail("it never came to its end")
    assert step > 5
    assert {place.books.balance(person) for person in people} == {50_000}
    assert place.open_breaks() == {}
    assert place.books.faults() == []


def test_a_payment_that_is_captured_days_after_it_was_begun_is_found_by_the_later_walk(place: Place) -> None:
    person = place.books.person()
    order_id, start = place.order(person), datetime.now(UTC)
    place.play(order_id, "failed")
    place.walk(at=start + timedelta(hours=2))
    waiting = place.gateway.payments_of(order_id)[0].payment_id
    # the same payment is captured after all: not a new one
    razorpay.call(place.simulator, "POST", f"/simulator/orders/{order_id}/pay", {"outcome": "failed"})
    place.play(order_id)
    assert place.walk(at=start + timedelta(hours=4)).found == 0, "the first walk has passed it"
    assert place.walk(at=start + timedelta(days=6, hours=3)).found == 1
    assert place.books.balance(person) == 50_000
    assert waiting


def test_the_function_walks_and_tells_the_figures(place: Place, functions: Functions) -> None:
    person = place.books.person()
    [foreign] = place.play(place.foreign_order(3_300))
    place.play(place.order(person))
    told = functions.make(
        "reconcile", GATEWAY_BASE_URL=place.simulator.url, PAYOUT_BASE_URL=place.simulator.url
    ).invoke({}, timeout_s=60)
    assert told["found"] == 2
    assert (told["open_breaks"], told["oldest_break_s"]) == (0, 0)
    assert told["suspense_minor"] >= 3_300
    assert place.booked(foreign) == [("suspense", "unknown_order", 3_300)]
    assert place.books.balance(person) == 50_000


def test_a_function_that_is_killed_in_the_list_leaves_the_next_nothing_but_the_rest(
    place: Place, functions: Functions
) -> None:
    people = [place.books.person() for _ in range(4)]
    for person in people:
        place.play(place.order(person))
    address, url = urlsplit(place.simulator.url), place.simulator.url
    with Proxy((address.hostname or "", address.port or 0)) as proxy:
        dying = functions.make("reconcile", GATEWAY_BASE_URL=f"http://{proxy.host}:{proxy.port}", PAYOUT_BASE_URL=url)
        pid = dying.pid

        def kill_at_the_list(from_client: bool, chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            if from_client and chunk.startswith(b"GET /v1/payments?"):
                os.kill(pid, signal.SIGKILL)
                return False
            return True

        proxy.judge = kill_at_the_list
        with pytest.raises(FunctionDiedError, match=r"^reconcile$"):  # by its name alone: it said nothing
            dying.invoke({}, timeout_s=60)
    survivor = functions.make("reconcile", GATEWAY_BASE_URL=url, PAYOUT_BASE_URL=url)
    assert survivor.invoke({}, timeout_s=60)["found"] == 4
    assert {place.books.balance(person) for person in people} == {50_000}


def test_what_is_explained_is_measured_payment_by_payment(place: Place) -> None:
    person = place.books.person()
    [ours] = place.play(place.order(person))
    [foreign] = place.play(place.foreign_order(30_000))
    [missing] = place.play(place.foreign_order(20_000))

    def there() -> list[ObservedPayment]:
        pages = place.gateway.payments_between(since_s=0 + 946_684_800, until_s=4_000_000_000)
        return [payment for page in pages for payment in page.payments]

    with closing(place.books.as_role("gateway")) as database:
        comparer = Comparer(database, place.gateway, wiring.new_id, Findings())
        comparer.compare([payment for payment in there() if payment.payment_id != missing])
        told = explained(database, there())
        assert (told.value, told.explained, told.unexplained) == (100_000, 80_000, (missing,))
        assert told.per_million == 800_000
        comparer.compare(there())
        assert explained(database, there()).per_million == 1_000_000
        assert explained(database, []).per_million == 1_000_000
    assert {ours, foreign}


UNREADABLE: dict[str, object] = {"captured": "1"}


def test_a_booked_payment_that_can_not_be_read_any_more_is_a_break_and_holds_up_no_walk(place: Place) -> None:
    order = place.order(place.books.person())
    [bad] = place.play(order)
    place.hear(order)
    odd, start, before = place.gateway_with(odd={bad: UNREADABLE}), datetime.now(UTC), place.done_until()
    for days in (0, 1, 7, 8):
        findings = place.walk(at=start + timedelta(days=days, seconds=1), gateway=odd)
        assert findings.unreachable == 0
        assert bad in str(findings.broken)
        assert "captured is not a boolean" in str(findings.broken)
        assert place.open_breaks() == {("unreadable_payment", bad): (None, None)}
    assert place.done_until() - before > timedelta(days=7)
    assert place.done_until("late payments") - before > timedelta(days=1)
    assert place.walk(at=start + timedelta(days=8, minutes=1)).mended == 1, "it can be read"
    assert place.open_breaks() == {}


def test_captured_money_that_can_not_be_read_is_a_break_and_unexplained_until_it_can(place: Place) -> None:
    [bad] = place.play(place.foreign_order(77_000))
    [good] = place.play(place.foreign_order(33_000))
    odd = place.gateway_with(odd={bad: UNREADABLE})
    place.walk(gateway=odd)
    assert place.open_breaks() == {("unreadable_payment", bad): (None, None)}
    [page] = odd.payments_between(since_s=946_684_800, until_s=4_000_000_000)
    with closing(place.books.as_role("gateway")) as database:
        told = explained(database, page.payments, page.unreadable)
        assert (told.value, told.explained, told.unexplained) == (110_000, 33_000, (bad,))
        odd.odd[bad] = {"amount": "?"}
        [page] = odd.payments_between(since_s=946_684_800, until_s=4_000_000_000)
        told = explained(database, page.payments, page.unreadable)
        assert (told.value, told.explained, told.unexplained) == (33_000, 33_000, (bad,))
        assert told.per_million == 999_999, "what has no amount is not explained for that"
        odd.odd[bad] = {"captured": False, "amount": "?"}
        [page] = odd.payments_between(since_s=946_684_800, until_s=4_000_000_000)
        assert explained(database, page.payments, page.unreadable).per_million == 1_000_000, "no money has arrived"
    assert place.walk(at=datetime.now(UTC) + timedelta(hours=3)).mended == 1, "though no list is read of it any more"
    assert place.booked(bad) == [("suspense", "unknown_order", 77_000)]
    assert len(place.booked(good)) == 1
    assert place.open_breaks() == {}


def test_a_payment_without_an_id_is_a_break_that_stays_until_a_person_has_looked(place: Place) -> None:
    [bad] = place.play(place.foreign_order())
    odd = place.gateway_with(odd={bad: {"id": None}})
    place.walk(gateway=odd)
    [(kind, subject)] = place.open_breaks()
    assert (kind, subject.partition("_")[0]) == ("unreadable_payment", "nameless")
    assert place.walk(at=datetime.now(UTC) + timedelta(hours=4)).mended == 0, "there is none of that name"
    assert place.open_breaks().keys() == {(kind, subject)}


def test_captured_money_under_a_status_that_we_do_not_know_is_a_break_and_unexplained(place: Place) -> None:
    [new] = place.play(place.foreign_order(20_000))
    odd = place.gateway_with(odd={new: {"status": "settling"}})
    place.walk(gateway=odd)
    assert place.open_breaks() == {("unreadable_payment", new): (None, 20_000)}
    [page] = odd.payments_between(since_s=946_684_800, until_s=4_000_000_000)
    with closing(place.books.as_role("gateway")) as database:
        told = explained(database, page.payments, page.unreadable)
    assert (told.value, told.explained, told.unexplained) == (20_000, 0, (new,))
    assert (place.walk().mended, place.open_breaks()) == (1, {})


@pytest.mark.parametrize(
    "error",
    [GatewayUnavailableError("status 500"), GatewayRejectedError(http_status=400, reason="odd")],
    ids=["fails", "rejected"],
)
def test_a_payment_whose_refunds_can_not_be_asked_for_is_a_break_and_hides_nothing_older(
    place: Place, error: Exception
) -> None:
    alice = place.books.person()
    [lost] = place.play(place.order(alice))
    [bad] = place.play(place.order(place.books.person()))
    razorpay.call(place.simulator, "POST", f"/simulator/payments/{bad}/refund", {"amount": 10_000})
    before = place.done_until()
    findings = place.walk(gateway=place.gateway_with(refunds_fail={bad: error}))
    assert (findings.unreachable, findings.unreached) == (0, [])
    assert f"{bad}: {error}" in findings.broken
    assert place.booked(lost) == [("top_up", None, 50_000)]
    assert place.books.balance(alice) == 50_000
    assert place.done_until() > before
    assert place.open_breaks() == {("unreadable_payment", bad): (None, None), ("refunded_differs", bad): (0, 10_000)}
    again = place.walk()
    assert (again.booked, again.mended, again.broken) == (1, 2, [])
    assert place.open_breaks() == {}
    assert place.books.faults() == []


def test_a_refund_that_the_kernel_breaks_over_is_told_of_and_holds_up_nobody(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = place.books.person()
    [lost] = place.play(place.order(person))
    [bad] = place.play(place.order(place.books.person()))
    razorpay.call(place.simulator, "POST", f"/simulator/payments/{bad}/refund", {"amount": 10_000})

    def broken(*_: object) -> None:
        raise DatabaseBrokenError("CALL settle_source_refund: error 1644")

    with monkeypatch.context() as patched:
        patched.setattr(walking, "book_refund", broken)
        findings = place.walk()
    assert findings.broken == [f"{bad}: CALL settle_source_refund: error 1644"] * 2, "in the list, and asked about"
    assert len(place.booked(lost)) == 1
    assert place.open_breaks() == {("refunded_differs", bad): (0, 10_000)}
    assert (place.walk().booked, place.open_breaks()) == (1, {})


def test_a_gateway_that_answers_about_no_payment_is_down_and_the_next_run_goes_on_behind_those(place: Place) -> None:
    orders = [place.order(place.books.person()) for _ in range(5)]
    bad = [payment_id for order in orders for payment_id in place.play(order)]
    for payment_id in bad:
        razorpay.call(place.simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": 10_000})
    before = place.done_until()
    down = place.gateway_with(refunds_fail=dict.fromkeys(bad, GatewayUnavailableError("status 500")))
    first = place.walk(gateway=down)
    assert (first.unreachable, first.unreached, len(first.broken)) == (1, ["status 500"], 3)
    assert place.done_until() == before
    second = place.walk(gateway=down)
    assert second.unreachable == 0, "only two of them are new"
    assert place.done_until() > before
    assert {subject for _, subject in place.open_breaks()} == set(bad)
    assert place.walk().booked == 5
    assert place.open_breaks() == {}


def test_refused_keys_end_the_run_and_are_no_break(place: Place) -> None:
    [bad] = place.play(place.order(place.books.person()))
    razorpay.call(place.simulator, "POST", f"/simulator/payments/{bad}/refund", {"amount": 10_000})
    before = place.done_until()
    findings = place.walk(gateway=place.gateway_with(refunds_fail={bad: GatewayRejectedError(http_status=401)}))
    assert findings.broken == ["the list of payments: the gateway refused with status 401"]
    assert place.done_until() == before
    assert place.open_breaks() == {}


def test_a_payment_that_can_not_be_asked_about_keeps_the_breaks_that_it_had(place: Place) -> None:
    [payment_id] = place.play(place.foreign_order(50_000))
    with closing(place.books.as_role("gateway")) as database:
        lie = captured(None, 49_000, payment_id=payment_id)
        settlement.settle_payment(database, lie, transaction_id=wiring.new_id())
    place.walk()
    differs = {("payment_differs", payment_id): (49_000, 50_000)}
    assert place.open_breaks() == differs
    silent = place.gateway_with(fails={payment_id: GatewayRejectedError(http_status=400, reason="odd")})
    later = datetime.now(UTC) + timedelta(hours=3)
    assert place.walk(at=later, gateway=silent).broken == [
        f"{payment_id}: the gateway refused with status 400 reason=odd"
    ]
    assert place.open_breaks() == differs | {("unreadable_payment", payment_id): (None, None)}
    assert place.walk(at=later + timedelta(minutes=5)).mended == 1
    assert place.open_breaks() == differs


@pytest.mark.usefixtures("small_pages")
def test_a_list_that_is_too_long_for_the_time_is_left_before_the_run_is_killed(place: Place) -> None:
    for _ in range(5):
        place.play(place.order(place.books.person()))
    before, left, findings = place.done_until(), iter((2.0, 1.0, 0.0, 0.0, 0.0)), Findings()
    with closing(place.books.as_role("gateway")) as database:
        comparer = Comparer(database, place.gateway, wiring.new_id, findings)
        moment = datetime.now(UTC) + timedelta(seconds=1)
        walk_payments(comparer, first_check_s=1, now=lambda: moment, time_left_s=lambda: next(left))
    assert (findings.found, findings.is_healthy) == (3, True), "one page of it"
    assert place.done_until() == before
    assert place.walk().found == 2


def test_a_walk_that_is_far_behind_skips_nothing(place: Place) -> None:
    place.order(place.books.person())
    stretches: list[tuple[int, int]] = []

    class Empty(RazorpayGateway):
        """Has no payments, and remembers for what times it was asked."""

        def payments_between(self, *, since_s: int, until_s: int) -> Iterator[PaymentPage]:
            stretches.append((since_s, until_s))
            return iter(())

    empty = Empty.over_http(base_url=place.simulator.url, key_id="rzp_test_1", key_secret="s", limits=razorpay.PATIENT)
    now, behind = datetime.now(UTC), timedelta(days=35)
    place.books.write("DELETE FROM reconciliation_walks")
    place.books.write(
        "INSERT INTO reconciliation_walks VALUES (%s, 'payments', %s)", GATEWAY, (now - behind).replace(tzinfo=None)
    )
    place.walk(at=now, gateway=empty)
    mine = [one for one in stretches if one[0] < (now - timedelta(days=1)).timestamp()]
    assert min(since for since, _ in mine) <= (now - behind).timestamp()
    assert len(mine) >= 34 * 24, "hour by hour"
    place.books.write("DELETE FROM reconciliation_walks")


def test_how_far_the_list_is_behind_is_told_until_it_has_been_read(place: Place) -> None:
    place.books.write("DELETE FROM reconciliation_walks")
    place.order(place.books.person())
    now, hours = datetime.now(UTC), timedelta(hours=3)
    assert place.walk(at=now).list_behind_s == 0
    assert place.walk(at=now + hours, time_left_s=0).list_behind_s == 3 * 3600, "no time for it"
    down = RazorpayGateway.over_http(base_url="http://127.0.0.1:9", key_id="k", key_secret="s", limits=razorpay.PATIENT)
    assert place.walk(at=now + hours, gateway=down).list_behind_s == 3 * 3600
    assert place.walk(at=now + hours).list_behind_s == 0
    place.books.write("DELETE FROM reconciliation_walks WHERE walk = 'payments'")
    assert place.walk(at=now + timedelta(days=8), time_left_s=0).list_behind_s >= 8 * 86_400, "since the first attempt"
    assert place.walk(at=now + timedelta(days=8)).list_behind_s == 0
    place.books.write("DELETE FROM reconciliation_walks")


def test_what_can_not_be_asked_about_keeps_no_place_of_others(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "_ASKED_AGAIN", 1)
    differ = [place.play(place.foreign_order(50_000))[0] for _ in range(2)]
    with closing(place.books.as_role("gateway")) as database:
        for payment_id in differ:
            lie = captured(None, 49_000, payment_id=payment_id)
            settlement.settle_payment(database, lie, transaction_id=wiring.new_id())
    place.walk()
    assert len(place.open_breaks()) == 2
    bad, _ = differ
    asked: list[str] = []
    silent = place.gateway_with(fails={bad: GatewayRejectedError(http_status=400)}, asked=asked)
    for hours in range(3, 7):
        place.walk(at=datetime.now(UTC) + timedelta(hours=hours), gateway=silent)
    assert set(asked) == set(differ)
    assert asked[:2] == asked[2:], "they take turns"
