"""A burst of ten times what the stack can do: refused early and in so many words, and afterwards all is as before.

The limits are the template's: `MoneyConcurrency` for the function and `ApiRateLimit` for the route, with the numbers of
this machine, which are measured first.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.client import Api
from tests.support.crowd import together
from tests.support.load import (
    AMOUNT,
    CONNECTIONS,
    PAYS,
    Crowd,
    Outcome,
    Pace,
    connections,
    limits,
    measure,
    offer,
    percentile,
    statuses,
)

_CONCURRENCY = 4
_TIMES = 10
_BURST_S = 3.0
# What a payment gateway waits for its webhook. A refusal needs no function and no database; what is measured here is
# this machine, with all the callers on it too.
_EARLY_S = 5.0
# The last is for who is alone with a key, too: DynamoDB's client asks again if it waits too long for its answer, and
# finds its own record.
_COME_BACK = {429: "too_many_requests", 503: "try_again", 409: "idempotency_key_in_use"}


@dataclass(frozen=True)
class Burst:
    """What was measured before, what was asked for at ten times that, and what the database saw of it."""

    crowd: Crowd
    before: Pace
    balances: dict[str, int]
    left: dict[str, int]
    connections_before: int
    connections_at_most: int
    outcomes: list[Outcome]

    @property
    def refused(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.answer.status != 201]


@pytest.fixture(scope="module")
def burst(api: Api, select: Any) -> Burst:
    crowd = Crowd(api, pairs=3)
    measure(crowd, callers=_CONCURRENCY, seconds=1)  # until everything is warm
    before = measure(crowd, callers=_CONCURRENCY, seconds=2)
    balances = {payer.wallet_id: payer.balance() for payer in crowd.payers}
    with connections(api) as at_most, limits(api, concurrency=_CONCURRENCY, a_second=round(before.a_second)):
        connected = _connected(select)
        outcomes = offer(crowd, a_second=_TIMES * before.a_second, seconds=_BURST_S, callers=12 * _CONCURRENCY)
        highest = at_most()
    left = {payer.wallet_id: payer.balance() for payer in crowd.payers}
    return Burst(crowd, before, balances, left, connected, highest, outcomes)


def _connected(select: Any) -> int:
    [row] = select(CONNECTIONS, PAYS)
    return int(row["connections"])


def test_a_burst_is_answered_by_success_or_by_a_refusal_that_says_when_to_come_back(burst: Burst) -> None:
    found = statuses(burst.outcomes)
    assert set(found) <= {201, *_COME_BACK}, found
    assert found[201] > 0, found
    # what there was no place for was not taken in
    assert len(burst.refused) > found[201], found
    for outcome in burst.refused:
        assert int(outcome.answer.headers["retry-after"]) >= 1
        assert outcome.answer.code == _COME_BACK[outcome.answer.status]


def test_a_refusal_comes_early(burst: Burst) -> None:
    served = [outcome for outcome in burst.outcomes if outcome.answer.status == 201]
    assert percentile(burst.refused, 0.95) < _EARLY_S
    assert percentile(burst.refused, 0.5) < percentile(served, 0.5)


def test_a_burst_takes_no_more_connections_than_were_set_aside_for_it(burst: Burst) -> None:
    assert burst.connections_at_most <= burst.connections_before + _CONCURRENCY


def test_every_success_of_a_burst_is_in_the_ledger_and_nothing_else_is(burst: Burst, select: Any) -> None:
    told = {outcome.answer.body["transaction_id"] for outcome in burst.outcomes if outcome.answer.status == 201}
    assert len(told) == statuses(burst.outcomes)[201]
    paid = {payer.wallet_id: 0 for payer in burst.crowd.payers}
    for outcome in burst.outcomes:
        paid[outcome.payer.wallet_id] += AMOUNT if outcome.answer.status == 201 else 0
    assert {wallet_id: balance - burst.left[wallet_id] for wallet_id, balance in burst.balances.items()} == paid


def test_what_a_function_has_no_place_for_is_503_and_moves_nothing(api: Api, burst: Burst) -> None:
    """Lambda refuses at once what is above the reserved concurrency; API Gateway calls that an integration failure."""
    payer = burst.crowd.payers[0]
    balance = payer.balance()
    with limits(api, concurrency=1, a_second=10_000):
        answers = together([lambda: burst.crowd.pay(0, once=True)] * 16)
    outcomes = [answer for answer in answers if isinstance(answer, Outcome)]
    assert len(outcomes) == 16, answers
    found = statuses(outcomes)
    assert set(found) == {201, 503}, found
    for outcome in outcomes:
        if outcome.answer.status == 503:
            assert (outcome.answer.code, outcome.answer.headers["retry-after"]) == ("try_again", "2")
    assert payer.balance() == balance - found[201] * AMOUNT


def test_who_was_refused_in_a_burst_and_comes_back_with_the_same_key_is_served_at_once(api: Api, burst: Burst) -> None:
    """Also beside the limits: they are the burst's no longer. No key is left as one that somebody works at."""
    for outcome in burst.refused[:: max(1, len(burst.refused) // 20)]:
        again = Crowd.again(outcome.payer, outcome.payee, outcome.key)
        assert again.answer.status == 201, again.answer.text
        assert "idempotency-replayed" not in again.answer.headers


def test_behind_a_burst_the_stack_is_as_fast_as_before_it(api: Api, burst: Burst, select: Any) -> None:
    paces = []
    # the machine is others' too: one good look is enough, and a stack that is clogged never has one
    for _ in range(30):
        paces.append(measure(burst.crowd, callers=_CONCURRENCY - 1, seconds=1.5))
        if paces[-1].a_second > 0.6 * burst.before.a_second and paces[-1].median_s < 2 * burst.before.median_s:
            break
    else:
        raise AssertionError(f"{burst.before} before, and behind it {paces}")
    assert _connected(select) <= burst.connections_before + _CONCURRENCY
