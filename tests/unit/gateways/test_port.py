"""What a refusal says of itself: it gets into logs, and decides what follows."""

import pytest

from wallet.gateways.port import GatewayRejectedError


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
