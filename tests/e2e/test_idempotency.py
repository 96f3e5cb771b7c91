"""Each row of the contract's table on idempotency, over HTTP."""

import pytest

from tests.support.client import PASSWORD, Answer, Api, new_key, new_phone
from tests.support.crowd import together


@pytest.mark.parametrize("path", ["/payments", "/top-ups"])
def test_without_a_key_nothing_moves(api: Api, path: str) -> None:
    asha = api.person()
    answer = api.call("POST", path, {"amount": 100}, token=asha.token)
    assert (answer.status, answer.code) == (400, "idempotency_key_required")


def test_the_same_request_again_gets_the_same_bytes_and_moves_nothing(api: Api) -> None:
    asha, bela = api.person(money=1_000), api.person()
    key = new_key()
    first, again = asha.pay(bela, 60, key=key), asha.pay(bela, 60, key=key)
    assert (first.status, again.status) == (201, 201)
    assert first.text == again.text
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert asha.balance() == 940


def test_the_same_top_up_again_gets_the_same_bytes_even_when_it_has_been_paid(api: Api) -> None:
    asha = api.person()
    key = new_key()
    first = asha.post("/top-ups", {"amount": 10_000}, key=key)
    api.play(first.body["gateway_order_id"], "captured")
    again = asha.post("/top-ups", {"amount": 10_000}, key=key)
    assert (again.status, again.text) == (201, first.text)
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(("path", "body"), [("/payments", {"amount": 61}), ("/top-ups", {"amount": 60_000})])
def test_the_same_key_for_another_request_or_route_is_refused(api: Api, path: str, body: dict[str, object]) -> None:
    asha, bela = api.person(money=1_000), api.person()
    key = new_key()
    assert asha.pay(bela, 60, key=key).status == 201
    if path == "/payments":
        body = body | {"to": {"wallet_id": bela.wallet_id}}
    answer = asha.post(path, body, key=key)
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert asha.balance() == 940


def test_the_same_key_of_another_person_is_another_key(api: Api) -> None:
    asha, bela = api.person(money=1_000), api.person(money=1_000)
    key = new_key()
    assert asha.pay(bela, 60, key=key).status == 201
    answer = bela.pay(asha, 60, key=key)
    assert answer.status == 201
    assert "idempotency-replayed" not in answer.headers


def test_a_refusal_does_not_burn_the_key(api: Api) -> None:
    asha, bela = api.person(), api.person()
    key = new_key()
    refused = asha.pay(bela, 60, key=key)
    assert (refused.status, refused.code) == (402, "insufficient_funds")
    asha.top_up(1_000)
    assert asha.pay(bela, 60, key=key).status == 201


def test_an_invalid_body_does_not_burn_the_key(api: Api) -> None:
    asha, bela = api.person(money=1_000), api.person()
    key = new_key()
    assert asha.post("/payments", {"to": {"wallet_id": bela.wallet_id}, "amount": "60"}, key=key).status == 422
    assert asha.pay(bela, 60, key=key).status == 201


def test_16_at_once_with_one_key_move_money_once_and_get_one_answer(api: Api) -> None:
    asha, bela = api.person(money=1_000), api.person()
    key = new_key()
    answers = together([lambda: asha.pay(bela, 60, key=key) for _ in range(16)])
    assert {answer.status for answer in answers if isinstance(answer, Answer)} == {201}, answers
    assert len({answer.text for answer in answers if isinstance(answer, Answer)}) == 1
    assert (asha.balance(), bela.balance()) == (940, 60)


def test_of_two_at_once_the_second_is_told_that_the_first_still_runs_or_gets_its_answer(api: Api) -> None:
    asha, bela = api.person(money=1_000), api.person()
    key = new_key()
    answers = [
        answer
        for answer in together([lambda: asha.pay(bela, 60, key=key, once=True) for _ in range(4)])
        if isinstance(answer, Answer)
    ]
    assert len(answers) == 4
    for answer in answers:
        assert answer.status == 201 or (answer.status, answer.code) == (409, "idempotency_key_in_use")
        if answer.status == 409:
            assert int(answer.headers["retry-after"]) >= 1
    assert asha.balance() == 940


def test_8_at_once_with_one_key_open_one_top_up_with_one_order(api: Api) -> None:
    asha = api.person()
    key = new_key()
    answers = together([lambda: asha.post("/top-ups", {"amount": 10_000}, key=key) for _ in range(8)])
    assert len({answer.text for answer in answers if isinstance(answer, Answer)}) == 1, answers


def test_a_registration_may_be_repeated_under_its_key(api: Api) -> None:
    phone, key = new_phone(), new_key()
    told = {"phone_proof": api.prove(phone), "phone": phone, "name": "Asha Rao", "password": PASSWORD}
    first, again = (api.call("POST", "/register", told, key=key) for _ in range(2))
    assert (first.status, again.status, again.text) == (201, 201, first.text)
    assert again.headers["idempotency-replayed"] == "true"
    without = api.call("POST", "/register", told)
    assert (without.status, without.code) == (401, "invalid_proof")
    with_another = api.call("POST", "/register", told | {"phone_proof": api.prove(phone)})
    assert (with_another.status, with_another.code) == (409, "phone_taken")
    other = api.call("POST", "/register", told | {"password": PASSWORD + "!"}, key=key)
    assert (other.status, other.code) == (422, "idempotency_key_reused")


def test_keys_are_each_persons_own_also_for_reading_them_back(api: Api) -> None:
    asha, bela, eve = (api.person(money=1_000) for _ in range(3))
    key = new_key()
    paid = asha.pay(bela, 60, key=key)
    stolen = eve.pay(bela, 60, key=key)
    assert stolen.body["id"] != paid.body["id"]
