"""Each screen that moves money, with the network cut at each point: one movement, and the truth shown."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.client import Api, Person
from tests.support.proofs import newest_code
from tests.web.conftest import Visit
from tests.web.visitor import CONFIRMATION_SENT, CUTS, EARLIER, NOBODY_ANSWERS, UNKNOWN, Cut, Visitor

_AMOUNT = 1_234


@dataclass(frozen=True, slots=True)
class Scene:
    """Somebody with money, whoever it goes to, and what is counted afterwards."""

    person: Person
    other: Person
    #: What a screen is about, such as an entry.
    about: str = ""


Step = Callable[[Visitor, Scene], object]


@dataclass(frozen=True, slots=True)
class Movement:
    """A screen that moves money."""

    name: str
    screen: str
    path: str
    set_up: Callable[[Api], Scene]
    #: Fills the form in and sends it.
    begin: Step
    #: Where nobody knows what came of it, says so, and asks again.
    ask_again: Step
    #: Sees that it is done.
    done: Step
    #: In a new tab, when it was done and its answer lost: sees it.
    find: Step
    #: How often it has moved money.
    count: Callable[[Scene], int]


def two(api: Api) -> Scene:
    return Scene(api.person(money=50_000), api.person(name="Bela Das"))


# ---------------------------------------------------------------------------------------------------- paying
def begin_paying(visitor: Visitor, scene: Scene) -> None:
    visitor.fills_in(scene.other, "12.34")
    visitor.sees("Bela Das")
    visitor.press("Pay ₹12.34")


def ask_again(visitor: Visitor, _: Scene) -> None:
    visitor.sees(UNKNOWN)
    visitor.press("Ask again")


def count_payments(scene: Scene) -> int:
    received = scene.other.balance()
    assert received == _AMOUNT * len(scene.person.get("/payments").body["data"])
    return received // _AMOUNT


# ---------------------------------------------------------------------------------------------------- adding
def begin_adding(visitor: Visitor, _: Scene) -> None:
    visitor.types("Amount in rupees", "12.34")
    visitor.press("Continue to UPI")


def sees_the_code(visitor: Visitor, _: Scene) -> None:
    visitor.is_at("top-up")
    visitor.sees_sum("₹12.34")
    visitor.sees("Waiting for your payment")


def count_top_ups(scene: Scene) -> int:
    return len([one for one in scene.person.get("/top-ups").body["data"] if one["amount"] == _AMOUNT])


# ----------------------------------------------------------------------------------------------- withdrawing
def begin_withdrawing(visitor: Visitor, _: Scene) -> None:
    visitor.types("UPI address", "asha@okbank")
    visitor.types("Amount in rupees", "12.34")
    visitor.press("Send ₹12.34")


def confirm(visitor: Visitor, scene: Scene) -> None:
    visitor.sees(CONFIRMATION_SENT)
    visitor.types("Code from the message", newest_code(visitor.api, scene.person.phone))
    visitor.press(re.compile("^Confirm"))


def sees_the_withdrawal(visitor: Visitor, _: Scene) -> None:
    visitor.is_at("withdrawal")
    visitor.sees_sum("₹12.34")
    visitor.sees(re.compile("^(It is on its way|It has arrived)$"))


# ------------------------------------------------------------------------------------------------ giving back
def a_payment_received(api: Api) -> Scene:
    shop, payer = api.person(kind="merchant", name="Chai Point"), api.person(money=50_000)
    assert payer.pay(shop, 5_000).status == 201
    (entry,) = shop.get("/wallet/transactions").body["data"]
    return Scene(shop, payer, entry["id"])


def begin_giving_back(visitor: Visitor, _: Scene) -> None:
    visitor.page.get_by_text("Give money back").first.click()
    visitor.types("Amount in rupees", "12.34")
    visitor.press("Give ₹12.34 back")


def sees_what_was_given_back(visitor: Visitor, scene: Scene) -> None:
    visitor.page.get_by_text("Give money back").first.click()
    visitor.sees("Up to ₹37.66 can be given back.")
    # what they began is asked for again: it is the one that was done
    visitor.open("entry", scene.about)
    begin_giving_back(visitor, scene)
    visitor.sees("Given back: ₹12.34")


def count_refunds(scene: Scene) -> int:
    (payment,) = scene.other.get("/payments").body["data"]
    refunded: int = payment["refunded"]
    assert refunded % _AMOUNT == 0
    return refunded // _AMOUNT


# ------------------------------------------------------------------------------------------------------ holds
def a_hold(api: Api) -> Scene:
    shop, payer = api.person(kind="merchant", name="Chai Point"), api.person(money=50_000)
    answer = payer.post("/holds", {"to": {"wallet_id": shop.wallet_id}, "amount": _AMOUNT})
    assert answer.status == 201, answer.text
    return Scene(shop, payer, "")


def take_again(visitor: Visitor, _: Scene) -> None:
    visitor.sees(NOBODY_ANSWERS)
    visitor.press("Take the money")


def count_captures(scene: Scene) -> int:
    captured = scene.person.balance()
    assert captured % _AMOUNT == 0
    return captured // _AMOUNT


MOVEMENTS = (
    Movement(
        name="paying",
        screen="pay",
        path="/payments",
        set_up=two,
        begin=begin_paying,
        ask_again=ask_again,
        done=lambda visitor, _: visitor.sees("Paid"),
        find=lambda visitor, _: visitor.sees(EARLIER),
        count=count_payments,
    ),
    Movement(
        name="adding",
        screen="add",
        path="/top-ups",
        set_up=two,
        begin=begin_adding,
        ask_again=ask_again,
        done=sees_the_code,
        find=sees_the_code,
        count=count_top_ups,
    ),
    Movement(
        name="giving back",
        screen="entry",
        path="/payments/[^/]+/refunds",
        set_up=a_payment_received,
        begin=begin_giving_back,
        ask_again=ask_again,
        done=lambda visitor, _: visitor.sees("Given back: ₹12.34"),
        find=sees_what_was_given_back,
        count=count_refunds,
    ),
    Movement(
        name="taking what is held",
        screen="holds",
        path="/holds/[^/]+/capture",
        set_up=a_hold,
        begin=lambda visitor, _: visitor.press("Take the money"),
        ask_again=take_again,
        done=lambda visitor, _: visitor.sees("Paid"),
        find=lambda visitor, _: visitor.sees("Paid"),
        count=count_captures,
    ),
)


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.name)
@pytest.mark.parametrize("movement", MOVEMENTS, ids=lambda movement: movement.name)
def test_one_movement_comes_of_it_and_the_truth_is_shown(api: Api, visit: Visit, movement: Movement, cut: Cut) -> None:
    scene, visitor = movement.set_up(api), visit()
    visitor.comes_as(scene.person)
    visitor.open(movement.screen, scene.about)
    with visitor.network_cut(movement.path, cut) as keys:
        movement.begin(visitor, scene)
        visitor.waits_for(lambda: keys != [])
        assert set(visitor.storage().values()) <= {keys[0]}, "the key of what may be under way, and nothing else"
        if cut.closes_the_page:
            visitor.page.close()
    if not cut.closes_the_page:
        movement.ask_again(visitor, scene)
        movement.done(visitor, scene)
    else:
        visitor.page = visitor.context.new_page()
        visitor.open(movement.screen, scene.about)
        if cut.is_sent:
            movement.find(visitor, scene)
        else:
            movement.begin(visitor, scene)
            movement.done(visitor, scene)
    assert movement.count(scene) == 1
    assert visitor.storage() == {}, "its outcome is known"


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.name)
def test_a_withdrawal_that_is_confirmed_is_sent_once(api: Api, visit: Visit, cut: Cut) -> None:
    """The first request is refused, for it needs a confirmation; the network is cut at the second."""
    scene, visitor = two(api), visit()
    visitor.comes_as(scene.person, "withdraw")
    begin_withdrawing(visitor, scene)
    visitor.press("With a code by SMS")
    with visitor.network_cut("/withdrawals", cut) as keys:
        confirm(visitor, scene)
        visitor.waits_for(lambda: keys != [])
        if cut.closes_the_page:
            visitor.page.close()
    if not cut.closes_the_page:
        ask_again(visitor, scene)
    else:
        visitor.page = visitor.context.new_page()
        visitor.open("withdraw")
        if not cut.is_sent:
            begin_withdrawing(visitor, scene)  # which was confirmed under its key
    sees_the_withdrawal(visitor, scene)
    assert len(scene.person.get("/withdrawals").body["data"]) == 1
    assert visitor.storage() == {}, "its outcome is known"
