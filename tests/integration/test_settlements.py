"""The gateway's settlement report against the ledger: kept, compared line by line, and missed where it says nothing."""

import itertools
import secrets
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.gateway.server import Simulator
from tests.integration import razorpay_simulator as razorpay
from tests.integration.conftest import Functions
from tests.integration.test_walks import Place
from tests.integration.test_walks import place as _place
from tests.integration.test_walks import simulator as _simulator
from tests.support.books import Books
from tests.support.crowd import together
from tests.support.disputes import end, tell
from wallet import wiring
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError
from wallet.gateways.razorpay import client as razorpay_client
from wallet.ledger import ids
from wallet.ledger.disputes import DisputePhase, DisputeStatus, ObservedDispute
from wallet.ledger.periods import INDIA
from wallet.movements import settlements, walk_payments
from wallet.movements.reconcile import Findings
from wallet.movements.settlements import Reports
from wallet.movements.walk_payments import Comparer
from wallet.storage.database import DatabaseBrokenError

simulator, place = _simulator, _place

_DAY = timedelta(days=1)


@dataclass
class Desk:
    """Somebody who reads settlement reports."""

    place: Place

    def settle(self, *, days_ago: int = 1, **more: object) -> dict[str, Any]:
        """The gateway pays out what it has, and reports it on a day."""
        return razorpay.settle(self.place.simulator, days_ago=days_ago, **more)

    def read(self, *, days_on: int = 0, steps: int = 1_000) -> Findings:
        """The daily round, with time for so many steps."""
        left = iter(range(steps, -1, -1))
        findings = Findings()
        with closing(self.place.books.as_role("gateway")) as database:
            comparer = Comparer(database, self.place.gateway, wiring.new_id, findings)
            Reports(comparer, settled_within_days=5).read(datetime.now(UTC) + days_on * _DAY, lambda: next(left))
        return findings

    def paid(self, amount: int = 50_000) -> str:
        """A payment that is in the books."""
        [payment_id] = self.place.play(self.place.order(self.place.books.person(), amount))
        self.place.walk()
        return payment_id

    def lines(self) -> dict[str, dict[str, Any]]:
        """What is kept of the reports."""
        return {row["entity_id"]: row for row in self.place.books.select("SELECT * FROM settlement_lines")}

    def done_until(self) -> datetime:
        return self.place.done_until("settlements")


@pytest.fixture
def desk(place: Place) -> Desk:
    place.books.write("DELETE FROM settlement_lines")
    return Desk(place)


def test_what_is_settled_as_it_is_booked_is_kept_with_fee_tax_and_utr_and_is_no_break(desk: Desk) -> None:
    payment_id = desk.paid()
    settlement = desk.settle()
    assert desk.read() == Findings()
    line = desk.lines()[payment_id]
    assert (line["amount"], line["fee"], line["tax"], line["credit"]) == (50_000, 1_180, 180, 48_820)
    assert (line["settlement_id"], line["utr"]) == (settlement["settlement_id"], settlement["settlement_utr"])
    assert line["settled_at"] is not None
    assert desk.read(days_on=30) == Findings(), "nor is it later"
    assert desk.place.open_breaks() == {}


def test_what_is_settled_of_a_payment_whose_payer_bore_the_fee_is_what_was_booked(desk: Desk) -> None:
    person = desk.place.books.person()
    [payment_id] = desk.place.play(desk.place.order(person), "captured_with_surcharge")
    desk.settle()
    assert desk.read().found == 1
    line = desk.lines()[payment_id]
    assert (line["amount"], line["fee"], line["tax"], line["credit"]) == (51_180, 1_180, 180, 50_000)
    assert desk.place.booked(payment_id) == [("top_up", None, 50_000)]
    assert desk.place.open_breaks() == {}


def test_a_settled_payment_that_nobody_told_us_of_is_booked_by_the_report(desk: Desk) -> None:
    person = desk.place.books.person()
    [payment_id] = desk.place.play(desk.place.order(person))
    desk.settle()
    assert desk.read().found == 1
    assert desk.place.booked(payment_id) == [("top_up", None, 50_000)]
    assert desk.place.books.balance(person) == 50_000
    assert desk.place.open_breaks() == {}


def test_a_settled_refund_that_nobody_told_us_of_is_booked_by_the_report(desk: Desk) -> None:
    payment_id = desk.paid()
    razorpay.call(desk.place.simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": 20_000})
    desk.settle()
    assert desk.read().booked == 1
    assert sorted(line["type"] for line in desk.lines().values()) == ["payment", "refund"]
    assert desk.place.open_breaks() == {}
    assert desk.place.books.faults() == []


def test_a_line_with_another_amount_is_a_break_until_the_report_is_put_right(desk: Desk) -> None:
    payment_id = desk.paid()
    desk.settle(amounts={payment_id: 49_000})
    assert desk.read().broke == 1
    assert desk.place.open_breaks() == {("line_differs", payment_id): (50_000, 49_000)}
    assert desk.read().broke == 0, "it is the same one"
    line = razorpay.call(desk.place.simulator, "GET", _report(days_ago=1))[1]["items"][0]
    store = desk.place.simulator._store  # noqa: SLF001 - the gateway corrects its report, which no real one lets us do
    store.keep_settled(payment_id, _day(days_ago=1), {**line, "amount": 50_000})
    assert desk.read().mended == 1
    assert desk.place.open_breaks() == {}


def test_an_adjustment_is_a_break_for_a_person_and_stays_resolved_once_one_has_said_why(desk: Desk) -> None:
    desk.settle(adjustment=1_012)
    desk.read()
    [(kind, subject)] = desk.place.open_breaks()
    assert (kind, desk.place.open_breaks()[kind, subject]) == ("unexplained_line", (None, -1_012))
    desk.place.books.write(
        "UPDATE reconciliation_breaks SET resolved_at = UTC_TIMESTAMP(6), resolution = 'operator',"
        " resolved_by = 'meera', reason = 'a chargeback, ticket 12' WHERE subject = %s",
        subject,
    )
    assert desk.read().broke == 0
    assert desk.place.open_breaks() == {}


def test_what_is_not_settled_in_time_is_a_break_until_a_later_report_has_it(desk: Desk) -> None:
    late, settled = desk.paid(), desk.paid(30_000)
    desk.settle(leave_out=[late])
    assert desk.read(days_on=4).broke == 0, "the gateway still has its time"
    assert desk.read(days_on=6).broke == 1
    assert desk.place.open_breaks() == {("not_settled", late): (50_000, None)}
    desk.settle(days_ago=-6)
    assert desk.read(days_on=8).mended == 1
    assert desk.place.open_breaks() == {}
    assert settled in desk.lines()


def test_a_refund_that_is_in_no_report_is_a_break_too(desk: Desk) -> None:
    payment_id = desk.paid()
    _, refund = razorpay.call(desk.place.simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": 900})
    desk.place.walk()
    desk.settle(leave_out=[refund["id"]])
    desk.read(days_on=7)
    assert desk.place.open_breaks() == {("not_settled", refund["id"]): (900, None)}


def test_a_settled_payment_that_the_gateway_does_not_know_itself_is_a_break(desk: Desk) -> None:
    desk.paid()
    desk.settle()
    line = razorpay.call(desk.place.simulator, "GET", _report(days_ago=1))[1]["items"][0]
    store = desk.place.simulator._store  # noqa: SLF001 - as above
    store.keep_settled("pay_ofNobody0001", _day(days_ago=1), {**line, "entity_id": "pay_ofNobody0001"})
    desk.read()
    assert desk.place.open_breaks() == {("unbooked_line", "pay_ofNobody0001"): (None, 50_000)}


def test_a_gateway_that_goes_down_in_the_report_costs_nothing_but_a_day(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(razorpay_client, "_LARGEST_REPORT_PAGE", 2)
    for _ in range(4):
        desk.paid()
    desk.settle()
    before = desk.done_until()
    # the reports of two days before are empty; of the third one page is answered
    razorpay.fault(desk.place.simulator, "down", path="/v1/settlements", method="GET", after=3)
    findings = desk.read(days_on=2)
    assert findings.unreachable == 1
    assert desk.done_until() <= before + 2 * _DAY
    razorpay.fault(desk.place.simulator, "none")
    assert desk.read(days_on=2).is_healthy
    assert len(desk.lines()) == 4
    assert desk.done_until() > before


def test_the_newest_report_comes_before_those_that_are_read_again(desk: Desk) -> None:
    payment_id = desk.paid()
    desk.settle(days_ago=0)
    before = desk.done_until()
    assert desk.read(days_on=1, steps=1) == Findings()
    assert desk.lines().keys() == {payment_id}
    assert before < desk.done_until()


def test_what_waits_is_not_looked_for_before_the_reports_have_been_read(desk: Desk) -> None:
    payment_id = desk.paid()
    desk.settle(days_ago=-5)
    assert desk.read(days_on=6, steps=3) == Findings()
    assert desk.place.open_breaks() == {}
    assert desk.lines() == {}
    assert desk.read(days_on=6) == Findings()
    assert desk.lines().keys() == {payment_id}


def test_many_who_read_at_once_keep_each_line_once_and_open_each_break_once(desk: Desk) -> None:
    for _ in range(3):
        desk.paid()
    desk.settle(adjustment=500)
    answers = together([desk.read] * 6)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert sum(answer.broke for answer in answers if isinstance(answer, Findings)) == 1
    assert len(desk.lines()) == 4
    assert len(desk.place.open_breaks()) == 1


def test_a_settled_payment_that_can_not_be_asked_about_is_a_break_and_the_reports_go_on(desk: Desk) -> None:
    never = desk.paid(700)
    [bad] = desk.place.play(desk.place.order(desk.place.books.person()))
    [good] = desk.place.play(desk.place.order(desk.place.books.person()))
    desk.settle(leave_out=[never])
    well, before = desk.place.gateway, desk.done_until()
    desk.place.gateway = desk.place.gateway_with(fails={bad: GatewayUnavailableError("status 500")})
    findings = desk.read()
    assert (findings.unreachable, findings.found, findings.broken) == (0, 1, [f"{bad}: status 500"])
    assert desk.place.open_breaks() == {
        ("unreadable_payment", bad): (None, None),
        ("unbooked_line", bad): (None, 50_000),
    }
    desk.read(days_on=7)
    assert desk.done_until() > before + 5 * _DAY
    assert ("not_settled", never) in desk.place.open_breaks(), "what waits is looked for all the same"
    desk.place.gateway = well
    desk.place.walk()
    desk.read(days_on=7)
    assert desk.place.open_breaks().keys() == {("not_settled", never)}
    assert (len(desk.place.booked(bad)), len(desk.place.booked(good))) == (1, 1)


def test_a_line_that_can_not_be_read_is_a_break_until_it_can(desk: Desk) -> None:
    bad, good = desk.paid(), desk.paid(30_000)
    desk.settle()
    well = desk.place.gateway
    desk.place.gateway = desk.place.gateway_with(odd={bad: {"fee": None}})
    findings = desk.read()
    assert (len(findings.broken), findings.broke, bad in findings.broken[0]) == (1, 1, True)
    assert desk.place.open_breaks() == {("unreadable_line", bad): (None, None)}
    assert desk.lines().keys() == {good}
    desk.place.walk(at=datetime.now(UTC) + timedelta(hours=3))
    assert desk.read().broke == 0
    assert desk.place.open_breaks() == {("unreadable_line", bad): (None, None)}, "the payment itself is well"
    desk.place.gateway = well
    assert desk.read().mended == 1
    assert desk.place.open_breaks() == {}


def test_a_line_that_can_not_be_read_stays_a_break_when_its_payment_counts_as_not_settled(desk: Desk) -> None:
    bad = desk.paid()
    desk.settle()
    desk.place.gateway = desk.place.gateway_with(odd={bad: {"fee": None}})
    desk.read()
    desk.read(days_on=7)
    assert desk.place.open_breaks() == {("unreadable_line", bad): (None, None), ("not_settled", bad): (50_000, None)}


def test_what_is_in_no_report_keeps_no_place_of_what_can_be_looked_at(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlements, "_LOOKED_AT_AGAIN", 1)
    never = desk.paid()
    desk.read(days_on=6)
    order = desk.place.order(desk.place.books.person())
    [late] = desk.place.play(order)
    desk.settle(days_ago=-5, leave_out=[never])
    well = desk.place.gateway
    desk.place.gateway = desk.place.gateway_with(fails={late: GatewayRejectedError(http_status=400)})
    desk.read(days_on=6)
    assert desk.place.open_breaks().keys() == {
        ("not_settled", never),
        ("unbooked_line", late),
        ("unreadable_payment", late),
    }
    desk.place.gateway = well
    desk.place.hear(order)
    assert desk.read(days_on=20).mended == 1
    assert ("unbooked_line", late) not in desk.place.open_breaks()


def test_a_settled_refund_that_the_kernel_breaks_over_ends_no_round(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_id = desk.paid()
    _, refund = razorpay.call(desk.place.simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": 900})
    desk.settle()

    def broken(*_: object) -> None:
        raise DatabaseBrokenError("CALL settle_source_refund: error 1644")

    before = desk.done_until()
    with monkeypatch.context() as patched:
        patched.setattr(walk_payments, "book_refund", broken)
        findings = desk.read()
    assert set(findings.broken) == {f"{payment_id}: CALL settle_source_refund: error 1644"}
    assert ("unbooked_line", refund["id"]) in desk.place.open_breaks()
    assert desk.done_until() >= before
    assert desk.read().booked == 1
    assert desk.place.open_breaks() == {}


def test_the_function_reads_the_reports_when_its_daily_schedule_says_so(
    desk: Desk, functions: Functions, books: Books, simulator: Simulator
) -> None:
    person = books.person()
    desk.place.play(desk.place.order(person))
    desk.settle(adjustment=700)
    function = functions.make("reconcile", GATEWAY_BASE_URL=simulator.url, PAYOUT_BASE_URL=simulator.url)
    told = function.invoke({"task": "settlements"}, timeout_s=60)
    assert (told["found"], told["broke"], told["open_breaks"]) == (1, 1, 1)
    assert books.balance(person) == 50_000


def test_the_report_of_the_simulator_is_as_documented(desk: Desk, tmp_path: Path) -> None:
    assert tmp_path
    payment_id = desk.paid()
    desk.settle(adjustment=100)
    items = razorpay.call(desk.place.simulator, "GET", _report(days_ago=1) + "&count=1&skip=0")[1]["items"]
    assert [item["entity_id"] for item in items] == [payment_id]
    assert {"debit", "credit", "fee", "tax", "settled", "settlement_id", "settlement_utr", "order_id"} <= set(items[0])
    assert razorpay.call(desk.place.simulator, "GET", "/v1/settlements/recon/combined?year=2026&month=13")[0] == 400
    assert razorpay.call(desk.place.simulator, "GET", "/v1/settlements/recon/combined?year=26&month=11")[0] == 400
    month = razorpay.call(desk.place.simulator, "GET", _report(days_ago=1).partition("&day=")[0] + "&count=1000")[1]
    assert month["count"] == 2


def _day(*, days_ago: int) -> str:
    return f"{datetime.now(INDIA) - days_ago * _DAY:%Y-%m-%d}"


def _report(*, days_ago: int) -> str:
    year, month, day = _day(days_ago=days_ago).split("-")
    return f"/v1/settlements/recon/combined?year={year}&month={month}&day={day}"


def test_what_a_lost_dispute_takes_is_explained_when_it_is_booked(desk: Desk) -> None:
    dispute = Disputed(desk)
    dispute.becomes("lost")
    desk.settle()
    assert desk.read().broke == 0, "it is an open break of its own kind already"
    [line] = [one for one in desk.lines().values() if one["type"] == "adjustment"]
    assert (line["dispute_id"], line["debit"]) == (dispute.id, 50_000)
    end(desk.place.books, dispute.observed, "lost_recovered")
    assert desk.read(days_on=30) == Findings()
    assert desk.place.open_breaks() == {}


def test_what_is_taken_at_the_onset_is_explained_by_the_open_dispute_and_given_back_when_it_is_won(desk: Desk) -> None:
    dispute = Disputed(desk, at_onset=True)
    desk.settle()
    assert desk.read().broke == 0
    dispute.becomes("won")
    assert desk.read().broke == 1
    assert desk.place.open_breaks() == {("line_differs", dispute.id): (0, 50_000)}, "it is not given back yet"
    desk.settle()
    assert desk.read().mended == 1
    assert desk.place.open_breaks() == {}


def test_a_deduction_for_a_dispute_that_nobody_told_us_of_is_a_break_until_somebody_does(desk: Desk) -> None:
    dispute = Disputed(desk, told=False)
    dispute.becomes("lost")
    desk.settle()
    assert desk.read().broke == 1
    [(kind, _)] = desk.place.open_breaks()
    assert kind == "unexplained_line"
    dispute.tell()
    assert desk.read().mended == 1
    assert {kind for kind, _ in desk.place.open_breaks()} == {"payment_dispute"}


@pytest.mark.parametrize("days", [0, 3])
def test_a_loss_that_is_booked_and_that_no_report_takes_is_not_settled(desk: Desk, days: int) -> None:
    """Also one that an operator's client has given an id of days ago."""
    dispute = Disputed(desk)
    at = int((time.time() - days * 86_400) * 1_000)
    action_id = ids.uuid7(unix_ms=at, entropy=secrets.token_bytes(10))
    end(desk.place.books, dispute.observed, "lost_borne", action_id=action_id)
    desk.settle()
    desk.place.books.write(
        "UPDATE reconciliation_walks SET done_until = UTC_TIMESTAMP(6) - INTERVAL 1 DAY WHERE walk = 'unsettled'"
    )
    desk.read(days_on=6)  # what other tests have left is late, too
    assert desk.place.open_breaks()["not_settled", dispute.id] == (50_000, None)
    desk.read(days_on=7)
    assert ("not_settled", dispute.id) in desk.place.open_breaks(), "still not"
    dispute.becomes("lost")
    desk.settle(days_ago=-5)  # reports of the days before that have been read
    desk.read(days_on=7)
    assert [subject for _, subject in desk.place.open_breaks() if subject == dispute.id] == []


class Disputed:
    """A payment that is in the books, and its payer's bank that wants it back."""

    def __init__(self, desk: Desk, *, told: bool = True, **body: object) -> None:
        self._desk, self._moments = desk, itertools.count(1)
        self.payment_id = desk.paid()
        path = f"/simulator/payments/{self.payment_id}/dispute"
        status, begun = razorpay.call(desk.place.simulator, "POST", path, body)
        assert status == 200, begun
        self.id, self._told, self._is = begun["id"], told, "open"
        if told:
            self.tell()

    @property
    def observed(self) -> ObservedDispute:
        """As the gateway tells of it now."""
        return ObservedDispute(
            "razorpay",
            self.id,
            self.payment_id,
            50_000,
            "INR",
            DisputePhase.CHARGEBACK,
            DisputeStatus(self._is),
            datetime.now(UTC) + timedelta(seconds=next(self._moments)),
        )

    def becomes(self, status: str) -> None:
        path = f"/simulator/disputes/{self.id}"
        assert razorpay.call(self._desk.place.simulator, "POST", path, {"status": status})[0] == 200
        self._is = status
        if self._told:
            self.tell()

    def tell(self) -> None:
        tell(self._desk.place.books, self.observed)
