"""Many people at once, over HTTP."""

import random
from collections import Counter
from collections.abc import Callable

from tests.support.client import Answer, Api, Person, new_key, wait_until
from tests.support.crowd import together


def test_200_payments_at_once_among_10_wallets_leave_the_sum_as_it_was(api: Api) -> None:
    people = [
        person
        for person in together([lambda: api.person(money=5_000) for _ in range(10)], at_once=4)
        if isinstance(person, Person)
    ]
    assert len(people) == 10
    dice = random.Random(7)

    def payment() -> Callable[[], Answer]:
        payer, payee = dice.sample(people, 2)
        amount, key = dice.randint(1, 2_500), new_key()

        def pay() -> Answer:
            answer = payer.pay(payee, amount, key=key, once=True)
            # DynamoDB's client asks twice if it waits too long for its answer, and finds its own record
            return payer.pay(payee, amount, key=key) if answer.code == "idempotency_key_in_use" else answer

        return pay

    answers = together([payment() for _ in range(200)])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    statuses = Counter(answer.status for answer in answers if isinstance(answer, Answer))
    assert set(statuses) <= {201, 402}, statuses  # nobody is sent away, as busy as it is
    assert statuses[201] > 100, statuses
    balances = [person.balance() for person in people]
    assert sum(balances) == 50_000
    assert min(balances) >= 0


def test_of_many_payments_of_60_at_once_a_wallet_of_100_makes_one(api: Api) -> None:
    asha, bela = api.person(money=100), api.person()
    answers = together([lambda: asha.pay(bela, 60)] * 10)
    statuses = sorted(answer.status for answer in answers if isinstance(answer, Answer))
    assert statuses == [201] + [402] * 9
    assert (asha.balance(), bela.balance()) == (40, 60)


def test_many_top_ups_at_once_are_all_credited(api: Api) -> None:
    asha = api.person()
    opened = together([lambda: asha.open_top_up(1_000)] * 12, at_once=6)
    orders = [one["gateway_order_id"] for one in opened if isinstance(one, dict)]
    assert len(set(orders)) == 12, opened
    together([lambda order=order: api.play(order, "captured", duplicates=1) for order in orders], at_once=6)  # type: ignore[misc]  # bound early
    wait_until(lambda: asha.balance() == 12_000)
