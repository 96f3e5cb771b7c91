"""What a refusal says of itself: it gets into logs."""

from wallet.gateways.port import GatewayRejectedError


def test_a_refusal_names_its_status_its_code_its_reason_and_its_field() -> None:
    refused = GatewayRejectedError(
        http_status=400, code="BAD_REQUEST", reason="invalid", description="said +919876543210", field="vpa"
    )
    assert str(refused) == "the gateway refused with status 400 code=BAD_REQUEST reason=invalid field=vpa"


def test_a_refusal_without_words_is_told_by_its_status() -> None:
    assert str(GatewayRejectedError(http_status=401)) == "the gateway refused with status 401"
