"""Where webhooks may go: nowhere inside, whatever a name says and however it is written."""

import ipaddress
import threading
from collections.abc import Iterator, Sequence

import pytest

from wallet.merchant_webhooks.client import ForbiddenAddressError, IpAddress, NothingSentError, WebhookClient, is_public

INSIDE = [
    "0.0.0.0",  # noqa: S104 - not to bind to
    "10.0.0.1",
    "100.64.0.1",  # carriers' own, and AWS's
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",  # the metadata of EC2
    "169.254.170.2",  # and that of ECS
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",  # IPv4 in IPv6
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b:1::1",
    "100::1",
    "2001::1",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::",  # 6to4
    "fc00::1",
    "fd00:ec2::254",  # the metadata of EC2
    "fe80::1",
    "ff02::1",
]
OUTSIDE = ["8.8.8.8", "1.1.1.1", "13.234.10.10", "2600:1f18::1", "2404:6800:4009::200e", "2a00:1450::1"]


class Names:
    """A resolver that says what it is told to, and how often it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses, self.asked = addresses, 0

    def __call__(self, _host: str, _port: int) -> Sequence[IpAddress]:
        self.asked += 1
        return [ipaddress.ip_address(address) for address in self.addresses]


class Held:
    """A resolver that says nothing until the test is over."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def __call__(self, _host: str, _port: int) -> Sequence[IpAddress]:
        self.over.wait()
        return []


@pytest.fixture
def held() -> Iterator[Held]:
    names = Held()
    yield names
    names.over.set()


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_not_called(address: str) -> None:
    """Nor is a socket opened, which this test would not allow."""
    assert not is_public(ipaddress.ip_address(address))
    client = WebhookClient(resolve=Names(address))
    with pytest.raises(ForbiddenAddressError, match="address_not_public"):
        client.post("https://merchant.example/", b"{}", {})


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_of_the_internet_may_be_called(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_name_with_one_address_inside_is_not_called_at_all() -> None:
    client = WebhookClient(resolve=Names("8.8.8.8", "10.0.0.1"))
    with pytest.raises(ForbiddenAddressError, match="address_not_public"):
        client.post("https://merchant.example/", b"{}", {})


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://merchant.example/", "url_not_https"),
        ("ftp://merchant.example/", "url_not_https"),
        ("file:///etc/passwd", "url_not_https"),
        ("merchant.example", "url_not_https"),
        ("", "url_malformed"),
        ("https://", "url_malformed"),
        ("https:///path", "url_malformed"),
        ("https://user:password@merchant.example/", "url_malformed"),
        ("https://merchant.example:port/", "url_malformed"),
        ("https://merchant.example:99999/", "url_malformed"),
        ("https://[::1/", "url_malformed"),
        ("https://merchant.example/a b", "url_malformed"),
        ("https://merchant.example/\r\nHost: inside", "url_malformed"),
        ("https://merchant.example/चाय", "url_malformed"),
    ],
)
def test_what_is_no_address_of_ours_to_call_is_not_even_looked_up(url: str, reason: str) -> None:
    names = Names("8.8.8.8")
    with pytest.raises(ForbiddenAddressError, match=reason):
        WebhookClient(resolve=names).post(url, b"{}", {})
    assert names.asked == 0


def test_plain_http_is_for_a_developers_machine() -> None:
    """There it goes on to look the name up."""
    names = Names()
    with pytest.raises(NothingSentError, match="name_unknown"):
        WebhookClient(local=True, resolve=names).post("http://merchant.example/", b"{}", {})
    assert names.asked == 1


def test_a_name_that_is_not_found_in_time_is_waited_for_no_longer(held: Held) -> None:
    client = WebhookClient(resolve=held, patience_s=0.05)
    with pytest.raises(NothingSentError, match="name_timeout"):
        client.post("https://merchant.example/", b"{}", {})


@pytest.mark.parametrize("error", [OSError("no such name"), UnicodeError("label too long")])
def test_a_name_that_nobody_has_is_a_failed_attempt(error: Exception) -> None:
    def fail(_host: str, _port: int) -> Sequence[IpAddress]:
        raise error

    with pytest.raises(NothingSentError, match="name_unknown"):
        WebhookClient(resolve=fail).post("https://merchant.example/", b"{}", {})
