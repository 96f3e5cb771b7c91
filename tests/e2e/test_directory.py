"""A caller who goes through phones to learn whose they are: by looking up, by paying, by promising, by files."""

from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.client import Answer, Api, Json, Person, new_key, new_phone, wait_until
from tests.support.crowd import together
from tests.support.problems import common_headers, problem
from wallet.edge.qr import wallet_code
from wallet.ledger import ids

#: By GET /payees and, by phone, by paying: what `PayeeLookupsPerHour` and the kernel allow one caller in an hour.
LOOKED_UP, PAID = 60, 100


def look(person: Person, phone: str) -> Answer:
    return person.api.call("GET", f"/payees?phone={quote(phone)}", token=person.token)


def names(answers: list[Answer]) -> int:
    return sum("Victim" in answer.text for answer in answers)


def test_who_is_to_be_paid_is_named_before_they_are(api: Api, select: Any) -> None:
    asha, bela = api.person(), api.person(name="Bela Kapoor")
    wallet_id = ids.read(ids.WALLET, bela.wallet_id)
    assert wallet_id is not None
    told = {"wallet_id": bela.wallet_id, "name": "Bela Kapoor", "kind": "personal"}
    for query in (
        f"phone={quote(bela.phone)}",
        f"phone={bela.phone.removeprefix('+91')}",
        f"wallet_id={bela.wallet_id}",
        f"qr={quote(wallet_code(wallet_id))}",
    ):
        answer = asha.get(f"/payees?{query}")
        assert (answer.status, answer.body) == (200, told)
        common_headers(answer)
    select("UPDATE wallets w JOIN users u ON u.id = w.user_id SET w.status = 'frozen' WHERE u.phone = %s", bela.phone)
    assert asha.get(f"/payees?phone={quote(bela.phone)}").body == told
    problem(asha.get(f"/payees?phone={quote(new_phone())}"), 404, "payee_not_found")
    problem(asha.get("/payees"), 422, "invalid_request")
    problem(api.call("GET", f"/payees?phone={quote(bela.phone)}"), 401, "missing_token")


def test_a_directory_is_read_by_so_many_names_an_hour_and_no_more(api: Api) -> None:
    thief, victims = api.person(money=1_000), [api.person(name="Victim Rao") for _ in range(3)]
    phones = [victim.phone for victim in victims] * 40

    looked = together([partial(look, thief, phone) for phone in phones], at_once=8)
    answers = [answer for answer in looked if isinstance(answer, Answer)]
    assert len(answers) == len(phones)
    assert names(answers) == LOOKED_UP
    assert {answer.code for answer in answers} == {None, "too_many_lookups"}
    problem(look(thief, new_phone()), 429, "too_many_lookups")

    file = "to,amount,description,reference\r\n" + "".join(f"{phone},1,,\r\n" for phone in phones)
    sent = api.call(
        "POST",
        "/bulk-payments",
        raw=file.encode(),
        token=thief.token,
        key=new_key(),
        headers={"Content-Type": "text/csv"},
    )
    path = f"/bulk-payments/{sent.body['id']}"
    wait_until(lambda: thief.get(path).body["status"] == "finished", within_s=90)
    told: Json = thief.get(path).body
    assert (told["paid"]["rows"], told["refused"]["rows"]) == (PAID, len(phones) - PAID)
    refused = thief.get(f"{path}/rows?status=refused").body["data"]
    assert {row["refusal"] for row in refused} == {"too_many_lookups"}

    for phone in (*phones[:3], new_phone()):
        for path, more in (("/payments", {}), ("/holds", {"expires_in": 1})):
            answer = thief.post(path, {"to": {"phone": phone}, "amount": 1, **more}, once=True)
            problem(answer, 429, "too_many_lookups", hidden=("Victim",))
            assert 3_000 < int(answer.headers["retry-after"]) <= 3_601
    assert thief.pay(victims[0], 1).status == 201, "whose wallet they know they may pay"


def test_holds_of_a_second_tell_of_no_more(api: Api, select: Any) -> None:
    thief, victim = api.person(money=1_000), api.person(name="Victim Rao")
    body = {"to": {"phone": victim.phone}, "amount": 1, "expires_in": 1}
    assert names([thief.post("/holds", body)]) == 1
    select("UPDATE wallets w JOIN users u ON u.id = w.user_id SET w.debits = 98 WHERE u.phone = %s", thief.phone)
    answers = [thief.post("/holds", body, once=True) for _ in range(5)]
    assert [answer.code for answer in answers] == [None, None, *["too_many_lookups"] * 3]
    assert names(answers) == 2


@pytest.fixture(scope="module")
def payees(api: Api, select: Any) -> dict[str, Json]:
    """How to name a payee of each private state, and nobody."""
    found: dict[str, Json] = {
        "nobody's phone": {"phone": new_phone()},
        "nobody's wallet": {"wallet_id": "wal_" + "0" * 26},
    }
    select("INSERT IGNORE INTO tiers (code, for_merchants) VALUES ('no_room', FALSE)")
    select(
        "INSERT IGNORE INTO tier_limits (tier, valid_from, max_balance, person_to_person, withdrawals)"
        " VALUES ('no_room', '2021-01-01', 1, TRUE, TRUE)"
    )
    change = "UPDATE wallets w JOIN users u ON u.id = w.user_id SET w.status = %s, w.tier = %s WHERE u.phone = %s"
    for state, status, tier in (
        ("frozen", "frozen", "full"),
        ("closing", "closing", "full"),
        ("closed", "closed", "full"),
        ("full", "active", "no_room"),
    ):
        person = api.person(name="Victim Rao")
        select(change, status, tier, person.phone)
        found[f"{state} by phone"], found[f"{state} by wallet"] = (
            {"phone": person.phone},
            {"wallet_id": person.wallet_id},
        )
    return found


def all_of_it(answer: Answer) -> tuple[Any, ...]:
    """What could tell two answers apart, but for what is of the moment and of the request."""
    headers, body = (
        {name: value for name, value in told.items() if "request" not in name and name not in ("date", "x-amz-id-2")}
        for told in (answer.headers, answer.body)
    )
    return answer.status, body, headers


def timed(ask: Callable[[], Answer]) -> float:
    """Seconds that an answer takes in the middle of five."""
    taken = []
    for _ in range(5):
        begun = perf_counter()
        ask()
        taken.append(perf_counter() - begun)
    return median(taken)


def test_a_payment_tells_nothing_of_why_its_payee_can_not_be_paid(api: Api, payees: dict[str, Json]) -> None:
    payer, empty = api.person(money=100), api.person()
    answers = {name: payer.post("/payments", {"to": to, "amount": 2}) for name, to in payees.items()}
    problem(answers["nobody's phone"], 409, "payee_unavailable")
    known = all_of_it(answers["nobody's phone"])
    assert {name: all_of_it(answer) for name, answer in answers.items()} == dict.fromkeys(payees, known)

    poor = {name: empty.post("/payments", {"to": to, "amount": 2}) for name, to in payees.items()}
    problem(poor["nobody's phone"], 402, "insufficient_funds")
    known = all_of_it(poor["nobody's phone"])
    assert {name: all_of_it(answer) for name, answer in poor.items()} == dict.fromkeys(payees, known)

    took = {
        name: timed(partial(payer.post, "/payments", {"to": to, "amount": 2}))
        for name, to in payees.items()
        if "by wallet" in name or name == "nobody's wallet"
    }
    assert max(took.values()) < 5 * min(took.values()), took


def test_a_hold_tells_only_that_nobody_is_there(api: Api, payees: dict[str, Json]) -> None:
    """Of the others it asks nothing: what keeps them from taking the money is theirs to hear, at the capture."""
    payer = api.person(money=100)
    answers = {name: payer.post("/holds", {"to": to, "amount": 2}) for name, to in payees.items()}
    none = {name: answer for name, answer in answers.items() if "nobody" in name or "closed" in name}
    assert {answer.status for name, answer in answers.items() if name not in none} == {201}
    known = all_of_it(none["nobody's phone"])
    assert known[0] == 409
    assert {name: all_of_it(answer) for name, answer in none.items()} == dict.fromkeys(none, known)


def test_a_file_tells_nothing_of_why_its_payees_can_not_be_paid(api: Api, payees: dict[str, Json]) -> None:
    payer = api.person(money=100)
    file = "to,amount,description,reference\r\n" + "".join(
        f"{next(iter(to.values()))},2,,\r\n" for to in payees.values()
    )
    sent = api.call(
        "POST",
        "/bulk-payments",
        raw=file.encode(),
        token=payer.token,
        key=new_key(),
        headers={"Content-Type": "text/csv"},
    )
    path = f"/bulk-payments/{sent.body['id']}"
    wait_until(lambda: payer.get(path).body["status"] == "finished", within_s=90)
    rows = payer.get(f"{path}/rows").body["data"]
    assert [row["refusal"] for row in rows] == ["payee_unavailable"] * len(payees)


def test_a_lookup_takes_as_long_whether_or_not_anybody_is_there(api: Api) -> None:
    caller, payee = api.person(), api.person()
    nobody = new_phone()
    took = [timed(partial(look, caller, phone)) for phone in (payee.phone, nobody, payee.phone, nobody)]
    assert max(took) < 5 * min(took), took
