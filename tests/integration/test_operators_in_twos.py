"""What takes two operators, on a real server: one asks, another approves within a day, and it is done once."""

import os
import signal
from collections import Counter
from functools import partial
from typing import Any
from uuid import UUID

import pymysql
import pytest

from tests.integration.conftest import Functions
from tests.integration.test_kernel_source_refunds import Entry
from tests.integration.test_operator_commands import done, journal, transaction_id, wallet_id
from tests.support.books import Books, Person, unique
from tests.support.crowd import together
from tests.support.functions import Function, FunctionDiedError
from tests.support.operators import (
    ACCOUNT,
    MEERA,
    MEERAS_ARN,
    RAVI,
    RAVIS_ARN,
    OperatorFunction,
    order,
    user_arn,
)
from tests.support.proxy import Proxy
from wallet import wiring
from wallet.ledger import ids
from wallet.operators.model import NEED_TWO_PEOPLE, ROLE_OF
from wallet.storage.database import DatabaseBrokenError

Json = dict[str, Any]

MEERAS_SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/wallet-operators/Meera"
ASHAS_ARN = user_arn("asha")


@pytest.fixture
def operator(functions: Functions) -> OperatorFunction:
    return functions.operators()


def wait_for(operator: OperatorFunction, command: Json) -> Json:
    """A command that waits; its request as it is shown."""
    answer = operator.send(command)
    assert (answer["status"], answer["replayed"]) == ("waiting", False), answer
    request: Json = answer["result"]
    return request


def small(person: Person) -> Json:
    return order("set_tier", wallet_id=wallet_id(person), tier="small")


def tier_of(books: Books, person: Person) -> str:
    (row,) = books.select("SELECT tier FROM wallets WHERE id = %s", person.wallet_id.bytes)
    return str(row["tier"])


def number_of(request: Json) -> UUID:
    number = ids.read(ids.REQUEST, request["request_id"])
    assert number is not None
    return number


def row_of(books: Books, request: Json) -> dict[str, Any]:
    (row,) = books.select("SELECT * FROM operator_requests WHERE id = %s", number_of(request).bytes)
    return row


def a_day_ago(books: Books, request: Json) -> str:
    """The same request, asked for a day earlier."""
    earlier = wiring.new_id()
    books.write(
        "INSERT INTO operator_requests"
        " (id, actor_id, idem_key, request_hash, asked_by, command, arguments, reason, asked_at, expires_at)"
        " SELECT %s, actor_id, %s, request_hash, asked_by, command, arguments, reason, asked_at - INTERVAL 1 DAY,"
        " expires_at - INTERVAL 1 DAY FROM operator_requests WHERE id = %s",
        earlier.bytes,
        unique("key-"),
        number_of(request).bytes,
    )
    return ids.show(ids.REQUEST, earlier)


def test_what_two_people_want_is_done_by_the_one_in_the_name_of_both(books: Books, operator: OperatorFunction) -> None:
    person = books.person()
    request = wait_for(operator, small(person))
    assert (request["asked_by"], request["role"], request["command"]) == (MEERA, "admin", "set_tier")
    assert request["arguments"] == {"wallet_id": wallet_id(person), "tier": "small"}
    assert (tier_of(books, person), journal(books, person)) == ("full", [])
    answer = operator.approve(request["request_id"], "admin")
    assert (answer["status"], answer["replayed"], answer["result"]["tier"]) == ("done", False, "small")
    assert tier_of(books, person) == "small"
    assert journal(books, person) == [("set_tier", RAVI, "the owner asked")]
    row = row_of(books, request)
    assert (row["asked_by"], row["approved_by"], row["cancelled_at"]) == (MEERA, RAVI, None)
    (action,) = books.select("SELECT operator, created_at FROM operator_actions WHERE id = %s", row["action_id"])
    assert action["operator"] == RAVI
    (shown,) = done(operator, {"command": "show_wallet", "wallet_id": wallet_id(person)})["actions"]
    assert (shown["operator"], shown["asked_by"], shown["command"]) == (RAVI, MEERA, "set_tier")
    assert books.faults() == []


@pytest.mark.parametrize("arn", [MEERAS_ARN, user_arn("team/MEERA"), MEERAS_SESSION])
def test_one_person_is_not_two_whatever_roles_they_come_by(books: Books, operator: OperatorFunction, arn: str) -> None:
    entry = Entry(books, books.person(), 1_000)
    command = order("refund_to_source", transaction_id=transaction_id(entry), amount=400)
    request = wait_for(operator, command)
    assert operator.approve(request["request_id"], "money", arn=arn)["code"] == "same_person"
    assert (books.held(entry.person), journal(books, entry.person)) == (0, [])
    assert operator.approve(request["request_id"], "money")["status"] == "done"
    assert operator.approve(request["request_id"], "money", arn=arn)["code"] == "same_person", "nor afterwards"
    assert books.held(entry.person) == 400


def test_the_kernel_carries_out_nothing_of_two_people_that_nobody_asked_for(books: Books) -> None:
    """Whatever a function of ours forgets."""
    for command in ROLE_OF:
        call = "CALL end_command('done', '{}', %s, %s, %s, %s, 'alone', %s, NULL, NULL)"
        arguments = (wiring.new_id().bytes, unique("key-"), wiring.new_id().bytes, MEERA, command)
        if command in NEED_TWO_PEOPLE:
            with pytest.raises(DatabaseBrokenError, match="1644"):
                books.select(call, *arguments)
        else:
            assert books.select(call, *arguments)[0]["outcome"] == "done"


def test_a_request_can_be_made_one_persons_by_no_statement(books: Books, operator: OperatorFunction) -> None:
    request = wait_for(operator, small(books.person()))
    approve = (
        "UPDATE operator_requests SET approved_by = %s, approved_at = UTC_TIMESTAMP(6), action_id = id WHERE id = %s"
    )
    with pytest.raises(pymysql.MySQLError, match="operator_requests_take_two_people"):
        books.write(approve, MEERA.upper(), number_of(request).bytes)
    for statement in (
        "UPDATE operator_requests SET asked_by = 'x' WHERE id = %s",
        "UPDATE operator_requests SET arguments = '{}' WHERE id = %s",
        "UPDATE operator_requests SET expires_at = expires_at + INTERVAL 1 DAY WHERE id = %s",
    ):
        with pytest.raises(pymysql.MySQLError, match="stays what was asked"):
            books.write(statement, number_of(request).bytes)
    with pytest.raises(pymysql.MySQLError, match="are kept"):
        books.write("DELETE FROM operator_requests WHERE id = %s", number_of(request).bytes)
    assert operator.approve(request["request_id"], "admin")["status"] == "done"
    with pytest.raises(pymysql.MySQLError, match="ends once"):
        books.write(
            "UPDATE operator_requests SET cancelled_at = UTC_TIMESTAMP(6) WHERE id = %s", number_of(request).bytes
        )


def test_an_approval_whose_answer_was_lost_has_the_same_answer_and_nobody_elses(
    books: Books, operator: OperatorFunction
) -> None:
    entry = Entry(books, books.person(), 1_000)
    request = wait_for(operator, order("refund_to_source", transaction_id=transaction_id(entry), amount=400))
    first = operator.approve(request["request_id"], "money")
    again = operator.approve(request["request_id"], "money")
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["result"] == again["result"]
    assert operator.approve(request["request_id"], "money", arn=ASHAS_ARN)["code"] == "request_ended"
    assert books.held(entry.person) == 400


def test_who_asks_again_under_their_key_has_the_same_request(books: Books, operator: OperatorFunction) -> None:
    person = books.person()
    command = small(person)
    request = wait_for(operator, command)
    again = operator.send(command)
    assert (again["status"], again["replayed"], again["result"]) == ("waiting", True, request)
    assert operator.send({**command, "tier": "merchant"})["code"] == "idempotency_key_reused"
    assert operator.send(command, arn=RAVIS_ARN)["result"]["request_id"] != request["request_id"], "another's key"
    operator.approve(request["request_id"], "admin")
    later = operator.send(command)
    assert (later["status"], later["replayed"], later["result"]["approved_by"]) == ("approved", True, RAVI)


def test_a_key_that_did_something_asks_for_nothing_else(books: Books, operator: OperatorFunction) -> None:
    person = books.person()
    unfreeze = order("unfreeze", wallet_id=wallet_id(person))
    done(operator, unfreeze)
    assert operator.send(small(person) | {"key": unfreeze["key"]})["code"] == "idempotency_key_reused"
    command = small(person)
    request = wait_for(operator, command)
    done(operator, order("unfreeze", wallet_id=wallet_id(person)) | {"key": command["key"]})
    assert operator.approve(request["request_id"], "admin")["code"] == "idempotency_key_reused"
    assert tier_of(books, person) == "full"


def test_a_request_is_over_after_a_day(books: Books, operator: OperatorFunction) -> None:
    person = books.person()
    before = wait_for(operator, small(books.person()))
    request = wait_for(operator, small(person))
    old = a_day_ago(books, request)
    assert operator.approve(old, "admin")["code"] == "request_ended"
    assert operator.send({"command": "cancel", "request": old}, role="admin")["code"] == "request_ended"
    assert (tier_of(books, person), journal(books, person)) == ("full", [])
    listed = operator.invoke({"command": "requests", "after": before["request_id"]})["result"]
    assert listed == [request]


def test_who_asked_may_cancel_and_nobody_else(books: Books, operator: OperatorFunction) -> None:
    person = books.person()
    request = wait_for(operator, small(person))
    cancel = {"command": "cancel", "request": request["request_id"]}
    assert operator.send(cancel, role="admin", arn=RAVIS_ARN)["code"] == "not_found"
    first = operator.send(cancel, role="admin", arn=MEERAS_SESSION)
    assert (first["status"], first["replayed"]) == ("cancelled", False)
    assert operator.send(cancel, role="admin")["replayed"]
    assert operator.approve(request["request_id"], "admin")["code"] == "request_ended"
    assert (tier_of(books, person), journal(books, person)) == ("full", [])


def test_another_role_neither_approves_nor_cancels_it(books: Books, operator: OperatorFunction) -> None:
    request = wait_for(operator, small(books.person()))
    for role in ("money", "support"):
        assert operator.approve(request["request_id"], role)["code"] == "not_found"
        cancel = {"command": "cancel", "request": request["request_id"]}
        assert operator.send(cancel, role=role)["code"] == "not_found"
    assert operator.send({"command": "approve", "request": request["request_id"]}, role="look")["code"] == (
        "invalid_request"
    )


def test_what_is_refused_when_it_is_carried_out_waits_on(books: Books, operator: OperatorFunction) -> None:
    person, nobody = books.person(), ids.show(ids.WALLET, wiring.new_id())
    request = wait_for(operator, order("set_tier", wallet_id=nobody, tier="small"))
    assert operator.approve(request["request_id"], "admin")["code"] == "not_found"
    assert row_of(books, request)["approved_at"] is None
    golden = wait_for(operator, order("set_tier", wallet_id=wallet_id(person), tier="golden"))
    assert operator.approve(golden["request_id"], "admin")["code"] == "invalid_request"
    assert row_of(books, golden)["approved_at"] is None


def test_eight_approvals_at_once_by_two_people_do_it_once(books: Books, functions: Functions) -> None:
    desks = [functions.operators() for _ in range(4)]
    for _ in range(5):
        entry = Entry(books, books.person(), 1_000)
        request = wait_for(desks[0], order("refund_to_source", transaction_id=transaction_id(entry), amount=300))
        own_id, arns = request["request_id"], [RAVIS_ARN, ASHAS_ARN] * 4
        tasks = [partial(desks[turn % 4].approve, own_id, "money", arn=arn) for turn, arn in enumerate(arns)]
        answers = together(tasks)
        told = [one for one in answers if isinstance(one, dict)]
        assert len(told) == 8, answers
        winner = row_of(books, request)["approved_by"]
        said = Counter(one.get("code", one["status"]) for one in told)
        assert said == {"done": 4, "request_ended": 4}
        assert sum(not one["replayed"] for one in told if one["status"] == "done") == 1
        assert [line[:2] for line in journal(books, entry.person)] == [("refund_to_source", winner)]
        assert books.held(entry.person) == 300
    assert books.faults() == []


def test_of_an_approval_and_a_cancelling_at_once_one_counts(books: Books, functions: Functions) -> None:
    asking, approving = functions.operators(), functions.operators()
    for _ in range(8):
        person = books.person()
        request = wait_for(asking, small(person))
        cancel = {"command": "cancel", "request": request["request_id"]}
        answers = together(
            [
                lambda: asking.send(cancel, role="admin"),  # noqa: B023 - done within the turn
                lambda: approving.approve(request["request_id"], "admin"),  # noqa: B023 - as above
            ]
        )
        cancelled, approved = (one["status"] for one in answers if isinstance(one, dict))
        assert (cancelled, approved) in {("cancelled", "refused"), ("refused", "done")}
        assert tier_of(books, person) == ("small" if approved == "done" else "full")


@pytest.mark.parametrize("behind_the_commit", [True, False])
def test_an_approver_who_is_killed_approves_again_and_it_is_done_once(
    books: Books, functions: Functions, *, behind_the_commit: bool
) -> None:
    entry = Entry(books, books.person(), 1_000)
    request = wait_for(
        functions.operators(), order("refund_to_source", transaction_id=transaction_id(entry), amount=300)
    )
    with Proxy((books.server.host, books.server.port)) as proxy:
        operator = functions.operators(DATABASE_HOST=proxy.host, DATABASE_PORT=str(proxy.port))
        operator.send({"command": "approve", "request": ids.show(ids.REQUEST, wiring.new_id())}, role="money")
        pid, asked = operator.pid, list[int]()

        def kill(from_client: bool, chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            if from_client:  # the request is looked for, then it is carried out
                asked.append(len(chunk))
            if len(asked) == 2 and from_client is not behind_the_commit:
                os.kill(pid, signal.SIGKILL)
                return False
            return True

        proxy.judge = kill
        with pytest.raises(FunctionDiedError):
            operator.approve(request["request_id"], "money")
    assert books.held(entry.person) == (300 if behind_the_commit else 0)
    again = functions.operators().approve(request["request_id"], "money")
    assert (again["status"], again["replayed"], again["result"]["amount"]) == ("done", behind_the_commit, 300)
    assert books.held(entry.person) == 300
    assert [line[:2] for line in journal(books, entry.person)] == [("refund_to_source", RAVI)]
    assert books.faults() == []


@pytest.mark.parametrize(
    "arn",
    [
        None,
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:sts::{ACCOUNT}:federated-user/meera",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/wallet-OperatorFunctionRole/wallet-OperatorFunction",
        "arn:aws:iam::210987654321:user/meera",
    ],
)
@pytest.mark.parametrize("command", [{"command": "pending"}, {"command": "freeze"}, {}])
def test_who_is_nobody_to_iam_commands_nothing_and_learns_nothing(
    operator: OperatorFunction, arn: str | None, command: Json
) -> None:
    assert operator.send(command, arn=arn)["code"] == "not_an_operator"


def test_who_an_operator_is_can_not_be_typed(books: Books, operator: OperatorFunction) -> None:
    answer = operator.send({**order("freeze", wallet_id=wallet_id(books.person())), "operator": RAVI})
    assert [error["field"] for error in answer["errors"]] == ["freeze.operator"]


def test_an_event_that_is_no_request_is_answered_as_one_of_no_route(operator: OperatorFunction) -> None:
    """What an invocation types is no event of API Gateway's; one that looks like it is for IAM to forbid."""
    answer = Function.invoke(operator, {"command": "pending", "operator": RAVI})
    assert answer["statusCode"] == 404


def test_a_command_of_another_role_is_unknown_in_this_one(books: Books, operator: OperatorFunction) -> None:
    person = books.person()
    for command, role in (
        (order("freeze", wallet_id=wallet_id(person)), "look"),
        (small(person), "money"),
        (order("unfreeze", wallet_id=wallet_id(person)), "support"),
        ({"command": "pending"}, "money"),
    ):
        answer = operator.send(command, role=role)
        assert answer["code"] == "invalid_request"
        assert answer["errors"][0]["message"].startswith("command is one of: ")
    assert journal(books, person) == []
