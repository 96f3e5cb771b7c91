"""Which answers are a yes, and what is said of the others."""

import pytest

from tests.unit.gateways.scripted import Script, answer, script
from wallet.gateways.exact_json import json_object
from wallet.gateways.exchange import Exchange
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError


def exchange(replies: Script, *, pause: float | None = None) -> Exchange:
    return Exchange(
        replies,
        lambda status, _: GatewayRejectedError(http_status=status),
        clock=replies.time.clock,
        sleep=replies.time.sleep,
        uniform=lambda _, longest: longest if pause is None else pause,
    )


def post(replies: Script, *, seconds: float = 5.0) -> object:
    asked = exchange(replies)
    return asked.post("/v1/orders?receipt=top_1", {"a": 1}, asked.deadline(seconds), json_object)


def get(replies: Script, *, seconds: float = 5.0) -> object:
    asked = exchange(replies)
    return asked.get("/v1/orders?receipt=top_1", asked.deadline(seconds), json_object)


@pytest.mark.parametrize("status", [200, 201, 299])
def test_two_hundreds_are_a_yes(status: int) -> None:
    assert post(script(answer({"a": 1}, status))) == {"a": 1}


@pytest.mark.parametrize("status", [100, 199, 300, 301, 399, 408, 500, 503])
def test_of_what_is_neither_yes_nor_no_nobody_knows_and_the_request_is_named_without_its_query(status: int) -> None:
    with pytest.raises(GatewayUnavailableError, match=rf"^POST /v1/orders: status {status}$"):
        post(script(answer({"a": 1}, status)))


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 499])
def test_four_hundreds_are_a_no(status: int) -> None:
    with pytest.raises(GatewayRejectedError):
        post(script(answer({}, status)))


def test_a_yes_that_can_not_be_read_says_of_which_request_and_why() -> None:
    with pytest.raises(GatewayUnavailableError, match=r"^POST /v1/orders: malformed answer \(not a JSON object\)$"):
        post(script(answer(b"[]")))


def test_whoever_is_throttled_comes_again_after_the_time_that_was_asked_for_and_a_pause() -> None:
    replies = script(answer({}, 429, 2), answer({}, 429), answer({"a": 1}))
    assert post(replies, seconds=60) == {"a": 1}
    assert replies.time.slept == [2.1, 0.2]


def test_there_are_three_tries_and_the_last_error_is_told() -> None:
    replies = script(*(answer({}, status) for status in (500, 502, 503)))
    with pytest.raises(GatewayUnavailableError, match="status 503"):
        get(replies)
    assert replies.time.slept == [0.1, 0.2]


@pytest.mark.parametrize(("seconds", "tries"), [(0.1, 1), (0.11, 2)])
def test_nobody_waits_for_a_try_that_would_come_too_late(seconds: float, tries: int) -> None:
    replies = script(answer({}, 500), answer({"a": 1}))
    if tries == 1:
        with pytest.raises(GatewayUnavailableError):
            get(replies, seconds=seconds)
    else:
        assert get(replies, seconds=seconds) == {"a": 1}
    assert len(replies.sent) == tries


def test_a_pause_that_lasts_as_long_as_the_time_that_is_left_is_not_begun() -> None:
    replies = script(answer({}, 500), answer({"a": 1}))
    asked = exchange(replies, pause=0.5)
    with pytest.raises(GatewayUnavailableError, match="status 500"):
        asked.get("/v1/orders", asked.deadline(0.5), json_object)
    assert replies.time.slept == []
