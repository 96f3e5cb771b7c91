"""The relay: at least once, each wallet's in order, whatever the bus takes and whoever dies."""

import contextlib
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.events import Outbox, ScriptedBus, unreachable, wallet
from wallet.channels.port import MAX_ENTRIES, Entry
from wallet.ledger import ids
from wallet.ledger.events import CATALOGUE
from wallet.movements.relay import MERCHANT_SOURCE, SOURCE, Deliveries, Relay

ME, SOMEBODY = UUID(int=1), UUID(int=2)


def relay(outbox: Outbox, bus: ScriptedBus, *, owner: UUID = ME, turns: int = 40) -> Deliveries:
    """One run of so many looks at the clock; pauses take no time."""
    deliveries, left = Deliveries(), iter(range(turns, -1, -1))
    run = Relay(outbox, bus, owner)  # type: ignore[arg-type]  # a Database by duck
    run.run(deliveries, time_left_s=lambda: next(left, 0), pause=lambda _seconds: None)
    return deliveries


def positions(bus: ScriptedBus) -> list[int]:
    return [detail["sequence"] for detail in bus.details() if "other_wallet_id" in detail]


def test_what_is_noted_arrives_once_and_in_order() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    for number in range(25):
        outbox.note(number)
    deliveries = relay(outbox, bus)
    assert positions(bus) == list(range(1, 26))
    assert (deliveries.delivered, outbox.waiting(), deliveries.is_healthy) == (25, [], True)
    assert {(entry.source, entry.detail_type) for entry in bus.taken} == {(SOURCE, "PaymentCompleted")}


def test_no_call_has_more_than_the_bus_takes_nor_two_events_of_one_wallet() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    for number in range(30):
        outbox.note(1 + number % 3, 10 + number % 2, kinds=("merchant", "merchant"))
    relay(outbox, bus, turns=200)
    assert max(bus.calls) <= MAX_ENTRIES
    sent = iter(bus.taken)
    for size in bus.calls:
        entries = [next(sent) for _ in range(size)]
        told = [json.loads(entry.detail) for entry in entries if entry.source == SOURCE]
        wallets = [detail[side] for detail in told for side in ("wallet_id", "other_wallet_id")]
        assert len(wallets) == len(set(wallets))
    assert outbox.waiting() == []


def test_what_is_of_somebodys_account_is_on_our_bus_and_in_no_merchants_webhook() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    for event_type in CATALOGUE:
        outbox.note(1, kinds=("merchant", "personal"), event_type=event_type)
    relay(outbox, bus)
    assert {entry.detail_type for entry in bus.taken if entry.source == SOURCE} == set(CATALOGUE)
    told = {entry.detail_type for entry in bus.taken if entry.source == MERCHANT_SOURCE}
    alerts = {"SignedInOnNewDevice", "PasswordChanged", "PasswordReset", "UnfreezeRequested"}
    personal = alerts | {"WithdrawalAddressAdded", "ConfirmationFailed", "NameChanged", "PhoneChanged"}
    personal |= {"PasskeyAdded", "PasskeyRemoved"}
    assert set(CATALOGUE) - told == personal


def test_payments_into_a_hot_wallet_need_not_wait_for_each_other() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    for number in range(10):
        outbox.note(number, 99, hot=True)
    relay(outbox, bus)
    assert bus.calls == [10]


def test_an_event_that_was_refused_holds_up_its_wallets_and_nobody_else() -> None:
    outbox = Outbox()
    outbox.note(1, 2)  # refused
    outbox.note(2, 3)  # waits for it
    outbox.note(3)  # waits for the one that waits
    outbox.note(4, 5)
    refusing = ScriptedBus(lambda entries: [json.loads(entry.detail)["sequence"] != 1 for entry in entries])
    deliveries = relay(outbox, refusing)
    assert positions(refusing) == [4]
    assert outbox.waiting() == [1, 2, 3]
    assert deliveries.refused > 0
    assert deliveries.is_healthy
    bus = ScriptedBus()
    relay(outbox, bus)
    assert positions(bus) == [1, 2, 3]


def test_an_event_that_nobody_understands_holds_up_its_wallets_and_is_shown() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    outbox.note(1, detail="{}")
    outbox.note(1)
    outbox.note(2)
    deliveries = relay(outbox, bus)
    assert positions(bus) == [3]
    assert not deliveries.is_healthy
    assert [line.partition(":")[0] for line in deliveries.broken] == ["event 1"]


def test_a_bus_that_is_down_is_asked_a_few_times_and_the_run_fails() -> None:
    outbox, bus = Outbox(), ScriptedBus(unreachable)
    outbox.note(1)
    deliveries = relay(outbox, bus)
    assert len(bus.calls) == 5
    assert not deliveries.is_healthy
    assert outbox.waiting() == [1]


def test_a_bus_that_comes_back_makes_the_run_a_good_one() -> None:
    outbox = Outbox()
    outbox.note(1)
    answers = iter([unreachable, unreachable])

    def judge(entries: Sequence[Entry]) -> list[bool]:
        return next(answers, lambda told: [True] * len(told))(entries)

    bus = ScriptedBus(judge)
    assert relay(outbox, bus).is_healthy
    assert outbox.waiting() == []


class KilledError(BaseException):
    """The function's time is over, or its host is gone."""


def test_killed_between_handing_over_and_writing_that_down_it_is_handed_over_again() -> None:
    class Dying(Outbox):
        def call(self, procedure: str, *arguments: object):  # type: ignore[no-untyped-def]  # noqa: ANN202 - as its parent
            if procedure == "mark_events_delivered":
                raise KilledError
            return super().call(procedure, *arguments)

    dying, bus = Dying(), ScriptedBus()
    dying.note(1)
    dying.note(1)
    with pytest.raises(KilledError):
        relay(dying, bus)
    assert positions(bus) == [1]
    revived = Outbox(dying.rows)
    relay(revived, bus)
    assert positions(bus) == [1, 1, 2]
    assert len({detail["id"] for detail in bus.details()}) == 2


def test_a_relay_waits_while_another_has_the_lease() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    outbox.note(1)
    outbox.call("claim_relay", SOMEBODY.bytes, 30)
    assert relay(outbox, bus).delivered == 0
    assert bus.calls == []
    outbox.call("claim_relay", SOMEBODY.bytes, 0)
    assert relay(outbox, bus).delivered == 1


def test_a_relay_that_has_lost_its_lease_stops_after_the_batch_that_was_under_way() -> None:
    outbox = Outbox()
    for _ in range(5):
        outbox.note(1)

    def overtaken(entries: Sequence[Entry]) -> list[bool]:
        outbox.owner = SOMEBODY.bytes
        outbox.leased_until = outbox.clock.replace(year=2099)
        return [True] * len(entries)

    assert relay(outbox, ScriptedBus(overtaken)).delivered == 1
    assert outbox.waiting() == [2, 3, 4, 5]


def test_a_relay_gives_its_lease_back_and_forgets_what_is_old() -> None:
    outbox = Outbox()
    relay(outbox, ScriptedBus())
    assert outbox.leased_until <= outbox.clock
    assert outbox.called[-2:] == ["sweep_events", "claim_relay"]


# ------------------------------------------------------------------------------------------ merchants


def test_a_merchant_gets_a_copy_of_what_concerns_them() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    outbox.note(1, 2, kinds=("personal", "merchant"))
    relay(outbox, bus)
    own, copy = bus.taken
    assert (own.source, copy.source, copy.detail_type) == (SOURCE, MERCHANT_SOURCE, "PaymentCompleted")
    detail = json.loads(copy.detail)
    assert (detail["wallet_id"], detail["type"]) == (ids.show(ids.WALLET, wallet(2)), "PaymentCompleted")
    assert detail["id"] == json.loads(own.detail)["id"]
    assert "other_wallet_id" not in detail


def test_two_merchants_get_each_their_own_copy_and_a_person_gets_none() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    outbox.note(1, 2, kinds=("merchant", "merchant"))
    outbox.note(3, 4)
    relay(outbox, bus)
    copies = [json.loads(entry.detail) for entry in bus.taken if entry.source == MERCHANT_SOURCE]
    assert [copy["wallet_id"] for copy in copies] == [ids.show(ids.WALLET, wallet(number)) for number in (1, 2)]
    assert ["fee" in copy["data"] for copy in copies] == [False, True]


def test_an_event_whose_copy_was_refused_goes_out_again_as_a_whole() -> None:
    outbox = Outbox()
    outbox.note(1, 2, kinds=("personal", "merchant"))
    answers = iter([[True, False]])
    bus = ScriptedBus(lambda entries: next(answers, [True] * len(entries)))
    relay(outbox, bus)
    assert [entry.source for entry in bus.taken] == [SOURCE, SOURCE, MERCHANT_SOURCE]


# ------------------------------------------------------------------------- any order of failures

Pair = tuple[int, int | None]

pairs = st.tuples(st.integers(0, 5), st.integers(0, 5) | st.none()).filter(lambda pair: pair[0] != pair[1])


def played(outbox: Outbox, dice: random.Random) -> ScriptedBus:
    """Relay after relay over a bus that refuses single entries or kills who speaks to it; the last meets no fault."""

    def judge(entries: Sequence[Entry]) -> list[bool]:
        if dice.random() < 0.2:
            bus.taken.extend(entry for entry in entries if dice.random() < 0.5)
            raise KilledError
        return [dice.random() < 0.6 for _ in entries]

    bus = ScriptedBus(judge)
    for number in range(6):
        outbox.leased_until = outbox.clock  # of the one that died it has run out
        with contextlib.suppress(KilledError):
            relay(outbox, bus, owner=UUID(int=number), turns=15)
    bus.judge = lambda entries: [True] * len(entries)
    outbox.leased_until = outbox.clock
    relay(outbox, bus, turns=100)
    return bus


def arrivals(bus: ScriptedBus) -> dict[str, list[int]]:
    """The first arrivals of each wallet's events, in the order in which they came."""
    first: dict[str, list[int]] = defaultdict(list)
    for detail in bus.details():
        for side in filter(None, (detail["wallet_id"], detail["other_wallet_id"])):
            if detail["sequence"] not in first[side]:
                first[side].append(detail["sequence"])
    return first


def possible(told: list[Pair], broken: set[int]) -> dict[str, list[int]]:
    """What of each wallet's events can arrive: all but the broken ones and what stands behind one."""
    held_up: set[int | None] = set()
    wanted: dict[str, list[int]] = defaultdict(list)
    for position, pair in enumerate(told, start=1):
        sides = [side for side in pair if side is not None]
        if position in broken or held_up.intersection(sides):
            held_up.update(sides)
            continue
        for side in sides:
            wanted[ids.show(ids.WALLET, wallet(side))].append(position)
    return wanted


@settings(deadline=None)
@given(st.lists(pairs, max_size=20), st.randoms(use_true_random=False), st.sets(st.integers(1, 25), max_size=2))
def test_each_wallets_events_arrive_in_order_whatever_fails(
    told: list[Pair], dice: random.Random, broken: set[int]
) -> None:
    """First arrivals are in the order in which they were noted, and everything arrives that can."""
    outbox = Outbox()
    for position, (payer, payee) in enumerate(told, start=1):
        outbox.note(payer, payee, detail="{}" if position in broken else None)
    assert arrivals(played(outbox, dice)) == possible(told, broken)


def test_a_broken_event_of_a_busy_wallet_holds_up_nobody_else_however_many_wait_behind_it() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    outbox.note(1, detail="broken")
    for _ in range(1_200):
        outbox.note(1)
    outbox.note(2)
    deliveries = relay(outbox, bus)
    assert positions(bus) == [1_202]
    assert not deliveries.is_healthy
