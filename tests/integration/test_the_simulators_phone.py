"""The phone at the simulator's address: its page, the lists that it shows, and who is kept out."""

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

from local.gateway import page, payouts, person
from local.gateway.server import Simulator, running
from tests.integration.razorpay_simulator import KEY_ID, KEY_SECRET, PATIENT, call, play, settings
from wallet.gateways.cashfree.client import CashfreeGateway

PHONE, OTHER_PHONE = "+919000000001", "+919000000002"
SCRIPTS = "\n".join(file.read_text() for file in sorted(page.FOLDER.glob("*.js")))


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(settings(tmp_path_factory.mktemp("gateway"))) as simulator:
        yield simulator


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(settings(tmp_path_factory.mktemp("gateway"))) as simulator:
        yield simulator


def fetch(simulator: Simulator, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request("GET", simulator.url + path, headers=headers, retries=False, timeout=60)


def text_to(simulator: Simulator, phone: str, text: str, **headers: str) -> int:
    """Send a text message as SNS would; the status."""
    told = {"Action": "Publish", "PhoneNumber": phone, "Message": text}
    answer = urllib3.request(
        "POST", f"{simulator.url}/sms/", body=urlencode(told), headers=headers, retries=False, timeout=60
    )
    return answer.status


def asked_for(simulator: Simulator, phone: str = PHONE, amount: int = 25_000) -> tuple[str, str]:
    """A top-up that waits for payment: its order's id, and the link that the wallet shows."""
    order = call(simulator, "POST", "/v1/orders", {"amount": amount, "currency": "INR"})[1]
    intent = {
        "amount": amount,
        "currency": "INR",
        "email": "asha@example.com",
        "contact": phone,
        "order_id": order["id"],
        "method": "upi",
        "upi": {"flow": "intent"},
    }
    status, begun = call(simulator, "POST", "/v1/payments/create/upi", intent)
    assert status == 200, begun
    return order["id"], begun["link"]


def listed(simulator: Simulator, **query: object) -> list[str]:
    status, told = call(simulator, "GET", f"/simulator/orders?{urlencode(query)}")
    assert status == 200, told
    return [order["id"] for order in told["data"]]


def reference_in(link: str) -> str:
    return parse_qs(urlsplit(link).query)["tr"][0]


def texts(language: str) -> dict[str, str]:
    told: dict[str, str] = json.loads((page.FOLDER / f"{language}.json").read_text())
    return told


def actions() -> dict[str, Any]:  # Any: the page's own list
    told: dict[str, Any] = json.loads((page.FOLDER / "actions.json").read_text())
    return told


# The page


def test_the_simulators_address_leads_to_the_phone(simulator: Simulator) -> None:
    for path in ("/", "/phone"):
        answer = fetch(simulator, path)
        assert (answer.status, answer.headers["Location"]) == (302, "/phone/")


def test_every_file_of_the_page_is_served_as_what_it_is(simulator: Simulator) -> None:
    types = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json"}
    served = {"": page.FOLDER / "index.html"} | {file.name: file for file in page.FOLDER.iterdir()}
    assert len(served) > len(types)
    for name, file in served.items():
        answer = fetch(simulator, f"/phone/{name}")
        assert (answer.status, answer.data) == (200, file.read_bytes()), name
        assert answer.headers["Content-Type"].partition(";")[0] == types.get(file.suffix, "image/svg+xml"), name


def test_every_file_that_the_page_names_is_there(simulator: Simulator) -> None:
    html = (page.FOLDER / "index.html").read_text()
    named = re.findall(r'(?:src|href)="([^"]+)"', html) + re.findall(r'from "\./([^"]+)"', SCRIPTS)
    assert {"main.js", "look.css", "order.js"} <= set(named)
    assert [name for name in named if fetch(simulator, f"/phone/{name}").status != 200] == []


@pytest.mark.parametrize("path", ["/", "/phone/", "/phone/main.js", "/phone/nothing"])
def test_the_page_is_under_a_strict_policy(simulator: Simulator, path: str) -> None:
    headers = fetch(simulator, path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_nothing_is_inline_in_the_page() -> None:
    html = (page.FOLDER / "index.html").read_text()
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", html) == []
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\b|document\.write", SCRIPTS) == []


@pytest.mark.parametrize(
    "name",
    [
        "../server.py",
        "..%2fserver.py",
        "%2e%2e/server.py",
        "../../../../../../etc/passwd",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "main.js/",
        "./main.js",
        "main.js%00",
        "MAIN.JS",
        "phone/",
        "nothing.js",
    ],
)
def test_nothing_but_the_pages_files_is_served(simulator: Simulator, name: str) -> None:
    # this client sends the path as it is; others resolve the dots before they send
    with closing(http.client.HTTPConnection(urlsplit(simulator.url).netloc, timeout=60)) as connection:
        connection.request("GET", f"/phone/{name}")
        assert connection.getresponse().status == 404


def test_the_page_is_only_for_looking_at(simulator: Simulator) -> None:
    answer = urllib3.request("POST", f"{simulator.url}/phone/", body=b"x", retries=False)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")


# What it can do, and in which words


def test_the_page_offers_every_outcome_that_the_person_knows_and_no_other(simulator: Simulator) -> None:
    offered = actions()["common"] + actions()["rest"]
    assert {action["outcome"] for action in offered} == set(person.OUTCOMES)
    for action in offered:
        order_id, _ = asked_for(simulator)
        for delay in action.get("delays", [0]):
            person.Play.read({"outcome": action["outcome"], "delay_s": delay})
        assert play(simulator, order_id, action["outcome"])["order_id"] == order_id


def test_the_page_offers_what_a_payout_may_become() -> None:
    assert actions()["payouts"] == {status: list(following) for status, following in payouts.NEXT.items()}


def test_the_page_speaks_two_languages_completely() -> None:
    english, hindi = texts("en"), texts("hi")
    assert english.keys() == hindi.keys()
    for name in english:
        assert all(said[name].strip() for said in (english, hindi)), name
        assert set(re.findall(r"\{\w+\}", english[name])) == set(re.findall(r"\{\w+\}", hindi[name])), name
    in_latin = {name for name, text in hindi.items() if not re.search("[\u0900-\u097f]", text)}
    assert in_latin == {"rrn", "utr"}


def test_every_sentence_that_the_page_says_is_there_and_is_said() -> None:
    literal = set(re.findall(r'"([a-z]+(?:_[a-z0-9]+)*)"', SCRIPTS))
    offered = actions()
    named = {action["name"] for action in offered["common"] + offered["rest"]}
    made = named | {f"{name}_what" for name in named}
    made |= {f"seconds_{delay}" for action in offered["common"] for delay in action.get("delays", [])}
    made |= {f"payout_to_{end}" for ends in offered["payouts"].values() for end in ends}
    made |= {f"{kind}_to_{end}" for kind in ("refund", "dispute") for end in offered[f"{kind}s"]}
    made |= {f"payout_{status}" for status in {*offered["payouts"], *payouts.NEXT["processing"]}}
    made |= {f"payment_{status}" for status in ("created", "authorized", "captured", "failed", "refunded")}
    made |= {f"refund_{status}" for status in ("pending", "processed", "failed")}
    made |= {"refund_one", "dispute_one"}
    made |= {f"dispute_{status}" for status in ("open", "under_review", "action_required", "won", "lost", "closed")}
    known = set(texts("en"))
    assert made <= known
    assert set(re.findall(r'\bt\("(\w+)"', SCRIPTS)) <= known
    assert known <= made | literal


# Messages


def test_the_inbox_has_the_newest_messages_first_of_one_phone_or_of_all(empty: Simulator) -> None:
    for phone, text in ((PHONE, "111111 is your code"), (OTHER_PHONE, "222222 is your code"), (PHONE, "Rs 5 paid")):
        assert text_to(empty, phone, text) == 200
    _, every = call(empty, "GET", "/simulator/inbox")
    assert [message["text"] for message in every["data"]] == ["Rs 5 paid", "222222 is your code", "111111 is your code"]
    assert every["phones"] == [PHONE, OTHER_PHONE]
    assert every["more"] is False
    ids = [message["id"] for message in every["data"]]
    assert ids == sorted(ids, reverse=True)
    _, mine = call(empty, "GET", f"/simulator/inbox?{urlencode({'phone': OTHER_PHONE})}")
    assert [message["phone"] for message in mine["data"]] == [OTHER_PHONE]
    assert mine["phones"] == [PHONE, OTHER_PHONE]


def test_the_inbox_says_whether_there_are_more(empty: Simulator) -> None:
    for number in range(3):
        text_to(empty, PHONE, f"message {number}")
    _, told = call(empty, "GET", "/simulator/inbox?count=2")
    assert ([message["text"] for message in told["data"]], told["more"]) == (["message 2", "message 1"], True)
    _, told = call(empty, "GET", "/simulator/inbox?count=3")
    assert (len(told["data"]), told["more"]) == (3, False)


@pytest.mark.parametrize("path", ["inbox", "orders"])
@pytest.mark.parametrize("count", ["0", "501", "-1", "1.5", "many", ""])
def test_a_count_that_is_none_is_a_422(simulator: Simulator, path: str, count: str) -> None:
    assert call(simulator, "GET", f"/simulator/{path}?{urlencode({'count': count})}")[0] == 422


# Orders


def test_an_order_waits_until_it_is_paid(empty: Simulator) -> None:
    first, _ = asked_for(empty)
    second, _ = asked_for(empty)
    assert (listed(empty), listed(empty, state="ended")) == ([second, first], [])
    play(empty, second, "failed")
    play(empty, first, "captured")
    assert (listed(empty, state="open"), listed(empty, state="ended")) == ([second], [first])


def test_orders_are_whose_phone_asked_for_them(empty: Simulator) -> None:
    mine, _ = asked_for(empty, PHONE)
    others, _ = asked_for(empty, OTHER_PHONE)
    assert listed(empty, phone=PHONE) == [mine]
    assert listed(empty, phone=OTHER_PHONE) == [others]
    assert listed(empty, phone="+919999999999") == []


def test_a_list_of_orders_says_whether_there_are_more(empty: Simulator) -> None:
    ids = [asked_for(empty)[0] for _ in range(3)]
    _, told = call(empty, "GET", "/simulator/orders?count=2")
    assert ([order["id"] for order in told["data"]], told["more"]) == (ids[:0:-1], True)
    _, told = call(empty, "GET", "/simulator/orders?count=3")
    assert (len(told["data"]), told["more"]) == (3, False)


def test_an_order_tells_what_came_of_it(simulator: Simulator) -> None:
    order_id, _ = asked_for(simulator)
    _, before = call(simulator, "GET", f"/simulator/orders/{order_id}")
    waiting = before.pop("payments")
    assert before.pop("created_at").endswith("Z")
    assert before == {
        "id": order_id,
        "gateway": "razorpay",
        "amount": 25_000,
        "currency": "INR",
        "payee": {"name": "Wallet Simulator", "vpa": "wallet.simulator@upi"},
        "phone": PHONE,
        "status": "attempted",
        "is_open": True,
        "expires_at": None,
    }
    assert [(payment["status"], payment["rrn"]) for payment in waiting] == [("created", None)]
    play(simulator, order_id, "captured")
    _, after = call(simulator, "GET", f"/simulator/orders/{order_id}")
    (payment,) = after["payments"]
    real = call(simulator, "GET", f"/v1/payments/{payment['id']}")[1]
    assert (after["status"], after["is_open"]) == ("paid", False)
    assert payment == {
        "id": waiting[0]["id"],
        "amount": 25_000,
        "amount_refunded": 0,
        "status": "captured",
        "captured": True,
        "rrn": real["acquirer_data"]["rrn"],
        "refunds": [],
        "disputes": [],
    }


def test_an_order_tells_of_refunds_and_disputes(simulator: Simulator) -> None:
    order_id, _ = asked_for(simulator)
    payment_id = play(simulator, order_id, "captured")["payments"][0]["id"]
    refund = call(simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": 5_000})[1]
    dispute = call(simulator, "POST", f"/simulator/payments/{payment_id}/dispute", {"amount": 7_000})[1]
    (payment,) = call(simulator, "GET", f"/simulator/orders/{order_id}")[1]["payments"]
    assert payment["amount_refunded"] == 5_000
    assert payment["refunds"] == [{"id": refund["id"], "amount": 5_000, "status": "processed"}]
    assert payment["disputes"] == [{"id": dispute["id"], "amount": 7_000, "status": "open"}]


def test_a_link_finds_its_order_paid_or_not(simulator: Simulator) -> None:
    order_id, link = asked_for(simulator)
    asked_for(simulator)
    assert listed(simulator, reference=reference_in(link)) == [order_id]
    play(simulator, order_id, "captured")
    assert listed(simulator, reference=reference_in(link)) == [order_id]


@pytest.mark.parametrize("reference", ["", "x", "0" * 40, "' OR 1=1 --"])
def test_a_link_of_nothing_here_finds_nothing(simulator: Simulator, reference: str) -> None:
    assert listed(simulator, reference=reference) == []


def test_an_order_of_the_other_gateway_is_shown_and_found_alike(simulator: Simulator) -> None:
    gateway = CashfreeGateway.over_http(
        base_url=f"{simulator.url}/pg", client_id=KEY_ID, client_secret=KEY_SECRET, limits=PATIENT
    )
    order = gateway.create_order(receipt="top_of_cashfree", amount_minor=12_300, currency="INR", contact=OTHER_PHONE)
    told = gateway.upi_intent(
        order_id=order.order_id, amount_minor=12_300, currency="INR", contact=OTHER_PHONE, email="bela@example.com"
    )
    assert listed(simulator, reference=reference_in(told.link)) == [order.order_id]
    _, shown = call(simulator, "GET", f"/simulator/orders/{order.order_id}")
    assert (shown["gateway"], shown["phone"], shown["amount"]) == ("cashfree", OTHER_PHONE, 12_300)
    assert shown["expires_at"] is not None


def test_an_order_whose_time_is_up_waits_no_more(empty: Simulator) -> None:
    order_id, _ = asked_for(empty)
    store = empty._store  # noqa: SLF001 - nobody but a test makes time pass
    order = store.order(order_id)
    assert order is not None
    store.keep_order(replace(order, expires_at=1))
    assert (listed(empty), listed(empty, state="ended")) == ([], [order_id])


def test_an_order_that_is_none_is_a_404_and_a_state_that_is_none_a_422(simulator: Simulator) -> None:
    assert call(simulator, "GET", "/simulator/orders/order_x")[0] == 404
    assert call(simulator, "GET", "/simulator/orders?state=odd")[0] == 422


def test_what_an_open_page_asks_again_and_again_fills_no_log(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    order_id, _ = asked_for(simulator)
    caplog.clear()
    with caplog.at_level("INFO", logger="local.gateway"):
        for path in ("inbox", "orders", f"orders/{order_id}", "deliveries", "payouts", "orders/order_x"):
            call(simulator, "GET", f"/simulator/{path}")
        play(simulator, order_id, "captured")
    assert caplog.messages == ["GET /simulator/orders/order_x 404", f"POST /simulator/orders/{order_id}/pay 200"]


# Pages of other sites


@pytest.mark.parametrize("path", ["/", "/phone/", "/phone/main.js", "/simulator/inbox", "/simulator/messages"])
def test_under_a_name_that_is_not_ours_nothing_is_shown(simulator: Simulator, path: str) -> None:
    port = urlsplit(simulator.url).port
    for host in (f"rebound.example:{port}", "rebound.example", "localhost.example", "127.0.0.1.example", "[x", ""):
        assert fetch(simulator, path, Host=host).status == 403, host
    for host in (f"localhost:{port}", f"LOCALHOST:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", f"a.localhost:{port}"):
        assert fetch(simulator, path, Host=host).status in (200, 302), host


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://localhost:1", "http://127.0.0.1"])
def test_a_page_of_another_site_does_nothing_here(simulator: Simulator, origin: str) -> None:
    order_id, _ = asked_for(simulator)
    body, path = {"outcome": "captured"}, f"/simulator/orders/{order_id}/pay"
    headers = {"Origin": origin, "Content-Type": "text/plain"}
    assert call(simulator, "POST", path, body, headers=headers)[0] == 403
    assert text_to(simulator, PHONE, "000000 is your code", Origin=origin) == 403
    assert order_id in listed(simulator)
    assert call(simulator, "POST", path, body, headers={"Origin": simulator.url})[0] == 200


def test_messages_are_taken_under_any_name(simulator: Simulator) -> None:
    """Functions in a container know this machine as another name; and they are no pages."""
    assert text_to(simulator, PHONE, "123456 is your code", Host="machine.internal") == 200
