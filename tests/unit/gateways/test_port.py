"""What a refusal says of itself: it gets into logs, and decides what follows."""

import pytest

from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError, refuses_our_keys


def test_a_refusal_names_its_status_its_code_its_reason_and_its_field() -> None:
    refused = GatewayRejectedError(
        http_status=400, code="BAD_REQUEST", reason="invalid", description="said +919876543210", field="vpa"
    )
    assert str(refused) == "the gateway refused with status 400 code=BAD_REQUEST reason=invalid field=vpa"


def test_a_refusal_without_words_is_told_by_its_status() -> None:
    assert str(GatewayRejectedError(http_status=401)) == "the gateway refused with status 401"


@pytest.mark.parametrize("status", range(400, 408))
def test_only_refused_keys_are_about_us(status: int) -> None:
    assert GatewayRejectedError(http_status=status).is_about_us is (status in (401, 403))


@pytest.mark.parametrize("status", [200, *range(400, 430)])
def test_what_blames_the_request_is_for_good_and_nothing_else_is(status: int) -> None:
    assert GatewayRejectedError(http_status=status).is_for_good is (status in (200, 400, 422))


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"reason": "invalid_contact", "code": "BAD_REQUEST_ERROR"}, "invalid_contact"),
        ({"code": "BAD_REQUEST_ERROR"}, "BAD_REQUEST_ERROR"),
        ({"description": "Asha Rao's phone"}, "rejected"),
    ],
)
def test_a_refusal_has_one_word(told: dict[str, str], word: str) -> None:
    assert GatewayRejectedError(http_status=400, **told).word == word


def test_refused_keys_are_known_from_whatever_follows_from_them() -> None:
    refused = GatewayRejectedError(http_status=401)
    unavailable = GatewayUnavailableError("POST /v1/payouts")
    unavailable.__cause__ = refused
    assert refuses_our_keys(refused)
    assert refuses_our_keys(unavailable)
    assert not refuses_our_keys(GatewayRejectedError(http_status=400))
    assert not refuses_our_keys(GatewayUnavailableError("down"))
    assert not refuses_our_keys(None)


@pytest.mark.parametrize(
    ("status", "description", "none"),
    [
        (404, None, True),
        (405, None, False),
        (400, "The ID provided Does Not Exist", True),
        (400, "the order does not exist", False),
        (400, "the id is malformed", False),
        (400, None, False),
        (403, "The id provided does not exist", False),
    ],
)
def test_who_says_that_there_is_nothing_of_this_id(status: int, description: str | None, *, none: bool) -> None:
    assert GatewayRejectedError(http_status=status, description=description).knows_none is none
