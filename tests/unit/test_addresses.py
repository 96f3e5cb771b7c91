"""Who a request counts for: whose address its sender can't choose. Events are as AWS makes them, not the emulator."""

from typing import NoReturn

import pytest

from tests.unit.calls import Context, event
from tests.unit.test_wiring import Told
from wallet import wiring
from wallet.edge.addresses import counted_address
from wallet.edge.requests import read_request

NOW, BEFORE = "n" * 48, "b" * 48
EDGE = "130.176.1.9"  # one of CloudFront's
VIEWER = "198.51.100.7"


def counted(connection: str = EDGE, *, forwarded: str | None = None, proof: str | None = NOW) -> str:
    headers = {"x-forwarded-for": forwarded, "x-origin-verify": proof}
    told = {name: value for name, value in headers.items() if value is not None}
    return counted_address(told, connection, (NOW, BEFORE))


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        pytest.param(f"{VIEWER}, {EDGE}", VIEWER, id="who asked CloudFront"),
        pytest.param(f"{VIEWER},{EDGE}", VIEWER, id="without a blank"),
        pytest.param(f"10.0.0.1, {VIEWER}, {EDGE}", VIEWER, id="and claims to be another"),
        pytest.param(f"{EDGE}, {EDGE}, {VIEWER}, {EDGE}", VIEWER, id="and claims that often"),
        pytest.param(f"garbage, , {VIEWER}, {EDGE}", VIEWER, id="or claims anything"),
        pytest.param(f"2001:db8:1:2:3:4:5:6, {EDGE}", "2001:db8:1:2::/64", id="by IPv6"),
        pytest.param(f"::ffff:{VIEWER}, {EDGE}", VIEWER, id="IPv4 in IPv6's clothes"),
        pytest.param(f"garbage, {EDGE}", EDGE, id="what is no address"),
        pytest.param(f", {EDGE}", EDGE, id="nothing"),
        pytest.param(f"{VIEWER}:443, {EDGE}", EDGE, id="with a port"),
        pytest.param(f"198.51.100.07, {EDGE}", EDGE, id="in another notation"),
        pytest.param(VIEWER, EDGE, id="API Gateway has appended nobody"),
        pytest.param("", EDGE, id="an empty header"),
        pytest.param(None, EDGE, id="no header"),
    ],
)
def test_what_our_own_distribution_says_is_believed(forwarded: str | None, address: str) -> None:
    assert counted(forwarded=forwarded) == address


@pytest.mark.parametrize("proof", [None, "", "x", NOW[:-1], NOW + "n", NOW.upper(), f"{NOW}, {NOW}", "é", "\ud800"])
def test_what_anybody_else_says_is_not(proof: str | None) -> None:
    assert counted(VIEWER, forwarded=f"10.0.0.1, {VIEWER}", proof=proof) == VIEWER


def test_while_the_secret_is_rotated_both_are_good() -> None:
    assert [counted(forwarded=f"{VIEWER}, {EDGE}", proof=proof) for proof in (NOW, BEFORE)] == [VIEWER, VIEWER]


@pytest.mark.parametrize("proof", ["", NOW, "None"])
def test_without_a_secret_nothing_is_believed(proof: str) -> None:
    headers = {"x-forwarded-for": f"10.0.0.1, {VIEWER}", "x-origin-verify": proof}
    assert counted_address(headers, VIEWER, ()) == VIEWER


@pytest.mark.parametrize(
    ("connection", "address"),
    [
        (VIEWER, VIEWER),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::6", "2001:db8:1:2::/64"),
        (f"::ffff:{VIEWER}", VIEWER),
        (f"::FFFF:{VIEWER}", VIEWER),
        ("2001:db8:1:3::6", "2001:db8:1:3::/64"),
        ("test-invoke-source-ip", "test-invoke-source-ip"),
        ("", ""),
    ],
)
def test_whoever_asks_directly_counts_by_the_connection(connection: str, address: str) -> None:
    assert counted(connection, proof=None) == address


def test_a_request_is_read_with_the_address_that_it_counts_by() -> None:
    through = {"X-Forwarded-For": f"10.0.0.1, {VIEWER}, {EDGE}", "X-Origin-Verify": NOW}
    told = event(headers=through)
    told["requestContext"]["identity"]["sourceIp"] = EDGE
    assert read_request(told, Context(), origin_secrets=lambda: [NOW]).address == VIEWER
    assert read_request(told, Context()).address == EDGE


def test_a_header_that_is_sent_twice_is_read_as_one() -> None:
    told = event(headers={"X-Origin-Verify": NOW})
    told["multiValueHeaders"]["X-Forwarded-For"] = ["10.0.0.1", f"{VIEWER}, {EDGE}"]
    assert read_request(told, Context(), origin_secrets=lambda: [NOW]).address == VIEWER


def test_who_claims_nothing_makes_nobody_look_for_the_secret() -> None:
    def asked() -> NoReturn:
        raise AssertionError

    assert read_request(event(headers={}), Context(), origin_secrets=asked).address == "203.0.113.9"


def test_the_secret_is_a_setting_that_may_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORIGIN_SECRET", raising=False)
    assert wiring.origin_secrets() == []
    monkeypatch.setenv("ORIGIN_SECRET", "arn")
    monkeypatch.setattr(wiring, "_origin_secret", lambda _arn: Told(NOW, BEFORE))
    assert wiring.origin_secrets() == [NOW, BEFORE]
