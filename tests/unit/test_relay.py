"""The relay: at least once, whatever the bus takes and whoever dies, and nothing waits for anything else."""

import contextlib
import json
import random
import threading
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.events import Outbox, ScriptedBus, unreachable, wallet
from wallet.channels.port import CALLS_AT_ONCE, MAX_ENTRIES, Entry
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
    """Of all that was taken; in order, for calls go out several at a time."""
    return sorted(detail["sequence"] for detail in bus.details() if "other_wallet_id" in detail)


def test_what_is_noted_arrives_once() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    for number in range(25):
        outbox.note(number)
    deliveries = relay(outbox, bus)
    assert positions(bus) == list(range(1, 26))
    assert (deliveries.delivered, outbox.waiting(), deliveries.is_healthy) == (25, [], True)
    assert {(entry.source, entry.detail_type) for entry in bus.taken} == {(SOURCE, "PaymentCompleted")}


def test_calls_are_as_full_as_they_may_be() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    for number in range(10):
        outbox.note(number, 99, kinds=("personal", "merchant" if number % 2 else "personal"))
    outbox.note(1, 2, kinds=("merchant", "merchant"))
    relay(outbox, bus)
    assert sorted(bus.calls) == [8, 10]  # 9 places of six events, and one that the next event's two did not fit into
    assert outbox.waiting() == []


def test_calls_go_out_several_at_a_time() -> None:
    outbox, together = Outbox(), threading.Barrier(CALLS_AT_ONCE, timeout=30)
    for number in range(10 * CALLS_AT_ONCE):
        outbox.note(number)

    class Waiting(ScriptedBus):
        def publish(self, entries: Sequence[Entry]) -> list[bool]:
            together.wait()
            return super().publish(entries)

    relay(outbox, Waiting())
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


def test_an_event_that_was_refused_goes_out_again_and_nothing_waits_for_it() -> None:
    outbox = Outbox()
    outbox.note(1, 2)  # refused
    outbox.note(2, 1)
    outbox.note(1)
    refusing = ScriptedBus(lambda entries: [json.loads(entry.detail)["sequence"] != 1 for entry in entries])
    deliveries = relay(outbox, refusing)
    assert positions(refusing) == [2, 3]
    assert outbox.waiting() == [1]
    assert deliveries.refused > 0
    assert deliveries.is_healthy
    bus = ScriptedBus()
    relay(outbox, bus)
    assert positions(bus) == [1]


def test_an_event_that_nobody_understands_is_shown_and_nothing_waits_for_it() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    outbox.note(1, detail="{}")
    outbox.note(1)
    outbox.note(2)
    deliveries = relay(outbox, bus)
    assert positions(bus) == [2, 3]
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
    assert positions(bus) == [1, 2]
    revived = Outbox(dying.rows)
    relay(revived, bus)
    assert positions(bus) == [1, 1, 2, 2]
    assert len({detail["id"] for detail in bus.details()}) == 2


def test_a_relay_waits_while_another_has_the_lease() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    outbox.note(1)
    outbox.call("claim_relay", SOMEBODY.bytes, 30)
    assert relay(outbox, bus).delivered == 0
    assert bus.calls == []
    outbox.call("claim_relay", SOMEBODY.bytes, 0)
    assert relay(outbox, bus).delivered == 1


def test_a_relay_that_has_lost_its_lease_stops_after_the_calls_that_were_under_way() -> None:
    outbox = Outbox()
    for _ in range(200):
        outbox.note(1)

    def overtaken(entries: Sequence[Entry]) -> list[bool]:
        outbox.owner = SOMEBODY.bytes
        outbox.leased_until = outbox.clock.replace(year=2099)
        return [True] * len(entries)

    under_way = CALLS_AT_ONCE * MAX_ENTRIES
    assert relay(outbox, ScriptedBus(overtaken)).delivered == under_way
    assert outbox.waiting() == list(range(under_way + 1, 201))


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


@settings(deadline=None)
@given(st.lists(pairs, max_size=20), st.randoms(use_true_random=False), st.sets(st.integers(1, 25), max_size=2))
def test_everything_arrives_that_can_whatever_fails(told: list[Pair], dice: random.Random, broken: set[int]) -> None:
    outbox = Outbox()
    for position, (payer, payee) in enumerate(told, start=1):
        outbox.note(payer, payee, detail="{}" if position in broken else None)
    assert set(positions(played(outbox, dice))) == set(range(1, len(told) + 1)) - broken
    assert set(outbox.waiting()) == broken & set(range(1, len(told) + 1))


def test_however_many_events_nobody_understands_the_others_go_out() -> None:
    outbox, bus = Outbox(), ScriptedBus()
    for _ in range(1_200):
        outbox.note(1, detail="broken")
    outbox.note(2)
    deliveries = relay(outbox, bus)
    assert positions(bus) == [1_201]
    assert not deliveries.is_healthy
