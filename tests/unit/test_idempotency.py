"""The first line of defence, before a DynamoDB that lives in this process."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from moto import mock_aws

from tests.unit.calls import CALLER, Context, request
from wallet.edge.idempotency import Once, claim_of
from wallet.edge.responses import Json, Response
from wallet.edge.statuses import TryAgainError
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.claims import Claim
from wallet.storage.database import DatabaseUnavailableError

TABLE = "wallet-idempotency"
PREFIX = "wallet.pay.v1"
OTHER = UUID(int=CALLER.int + 1)


class Table:
    """An idempotency table, calls of which can be made to fail."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("dynamodb", region_name="ap-south-1")
        self.client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )

    def records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.scan(TableName=TABLE)["Items"]
        return found

    def breaks(self, operation: str) -> Callable[[], None]:
        """From now on an operation isn't answered; gives what mends it."""

        def fail(**_: object) -> None:
            raise ConnectTimeoutError(endpoint_url="https://dynamodb.invalid")

        name = f"before-call.dynamodb.{operation}"
        self.client.meta.events.register(name, fail)
        return lambda: self.client.meta.events.unregister(name, fail)


@pytest.fixture
def table() -> Iterator[Table]:
    with mock_aws():
        yield Table()


@pytest.fixture
def once(table: Table) -> Once:
    return Once(TABLE, table.client, lambda _: True, prefix=PREFIX)


class Work:
    """Pays, as far as anybody outside can tell: each run gives another answer."""

    def __init__(self, *, replayed: bool = False, raises: Exception | None = None) -> None:
        self.runs = 0
        self.replayed = replayed
        self.raises = raises

    def __call__(self) -> tuple[Json, bool]:
        self.runs += 1
        if self.raises is not None:
            raise self.raises
        return {"id": f"pay_{self.runs}", "amount": 2**53 - 1, "name": "आशा", "none": None}, self.replayed


def claim(*, key: str = "k-1", actor: UUID = CALLER, asked: Json | None = None, route: str = "POST /payments") -> Claim:
    return claim_of(request(route=route), actor_id=actor, key=key, asked=asked or {"amount": 100})


def answer(once: Once, work: Work, claimed: Claim | None = None, context: Context | None = None) -> Response[Any]:
    return once.answer(request(context=context or Context()), claimed or claim(), work, status=201)


def refusal(work: Callable[[], object]) -> Refusal:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.refusal


def test_the_first_request_runs(once: Once) -> None:
    work = Work()
    told = answer(once, work)
    assert (work.runs, told.status, told.body) == (
        1,
        201,
        {"id": "pay_1", "amount": 2**53 - 1, "name": "आशा", "none": None},
    )
    assert told.headers == {}


def test_a_repetition_has_the_same_answer_and_says_so(once: Once) -> None:
    work = Work()
    first, second = answer(once, work), answer(once, work)
    assert work.runs == 1
    assert (second.status, second.body) == (first.status, first.body)
    assert second.headers == {"Idempotency-Replayed": "true"}


def test_a_repetition_that_only_the_database_knows_says_so_too(once: Once) -> None:
    assert answer(once, Work(replayed=True)).headers == {"Idempotency-Replayed": "true"}


def test_another_process_gives_the_same_answer(once: Once, table: Table) -> None:
    first = answer(once, Work())
    work = Work()
    assert answer(Once(TABLE, table.client, lambda _: True, prefix=PREFIX), work).body == first.body
    assert work.runs == 0


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"asked": {"amount": 101}}, id="another body"),
        pytest.param({"asked": {"amount": 100, "description": "x"}}, id="a longer body"),
        pytest.param({"route": "POST /top-ups"}, id="another route"),
    ],
)
def test_a_key_with_another_request_is_reused(once: Once, other: dict[str, Any]) -> None:
    answer(once, Work())
    work = Work()
    assert refusal(lambda: answer(once, work, claim(**other))) is Refusal.IDEMPOTENCY_KEY_REUSED
    assert work.runs == 0


@pytest.mark.parametrize("other", [{"actor": OTHER}, {"key": "k-2"}, {"key": "K-1"}])
def test_another_callers_key_or_another_key_is_another_key(once: Once, other: dict[str, Any]) -> None:
    answer(once, Work())
    work = Work()
    assert answer(once, work, claim(**other)).headers == {}
    assert work.runs == 1


def test_the_order_of_fields_is_no_other_request() -> None:
    assert claim(asked={"a": 1, "b": 2}) == claim(asked={"b": 2, "a": 1})


@pytest.mark.parametrize("asked", [{"amount": 1}, {"amount": "100"}, {"amount": 100.0}, {"amount": True}])
def test_any_other_value_is_another_request(asked: Json) -> None:
    assert claim(asked=asked).request_hash != claim(asked={"amount": 100}).request_hash


def test_a_key_and_its_scope_can_not_be_shifted_into_each_other(once: Once) -> None:
    """The caller's id and the key are two parts of the record's name: no key imitates another caller's."""
    answer(once, Work(), claim(key="k"))
    work = Work()
    answer(once, work, claim(key=f'{CALLER}","k', actor=OTHER))
    assert work.runs == 1


def test_while_the_first_runs_the_second_is_told_to_wait(once: Once) -> None:
    second = Work()

    class First(Work):
        def __call__(self) -> tuple[Json, bool]:
            assert refusal(lambda: answer(once, second)) is Refusal.IDEMPOTENCY_KEY_IN_USE
            return super().__call__()

    first = First()
    assert answer(once, first).body == answer(once, second).body
    assert (first.runs, second.runs) == (1, 0)


def test_another_request_under_a_key_in_use_is_reused_whether_it_has_ended_or_not(once: Once) -> None:
    class First(Work):
        def __call__(self) -> tuple[Json, bool]:
            other = claim(asked={"amount": 7})
            assert refusal(lambda: answer(once, Work(), other)) is Refusal.IDEMPOTENCY_KEY_REUSED
            return super().__call__()

    assert answer(once, First()).status == 201


@pytest.mark.parametrize(
    "raises",
    [Refused(Refusal.INSUFFICIENT_FUNDS), ValueError("a bug"), TryAgainError("no database")],
    ids=lambda raises: type(raises).__name__,
)
def test_what_fails_is_no_answer_and_burns_no_key(once: Once, table: Table, raises: Exception) -> None:
    with pytest.raises(type(raises)) as caught:
        answer(once, Work(raises=raises))
    assert caught.value is raises
    assert table.records() == []
    work = Work()
    assert answer(once, work).headers == {}
    assert work.runs == 1


def test_after_a_refusal_another_request_may_have_the_key(once: Once) -> None:
    refusal(lambda: answer(once, Work(raises=Refused(Refusal.INSUFFICIENT_FUNDS))))
    assert answer(once, Work(), claim(asked={"amount": 7})).status == 201


def test_an_answer_is_kept_when_its_record_can_not_be_written(once: Once, table: Table) -> None:
    """The money has moved: the caller is told so, and MySQL tells who asks again."""
    table.breaks("UpdateItem")
    work = Work()
    told = answer(once, work)
    assert (work.runs, told.status, told.headers) == (1, 201, {})
    assert isinstance(told.body, dict)
    assert told.body["id"] == "pay_1"


def test_a_replay_of_the_database_is_still_one_when_its_record_can_not_be_written(once: Once, table: Table) -> None:
    table.breaks("UpdateItem")
    assert answer(once, Work(replayed=True)).headers == {"Idempotency-Replayed": "true"}


@pytest.mark.parametrize("raises", [Refused(Refusal.INSUFFICIENT_FUNDS), ValueError("a bug")])
def test_a_refusal_is_kept_when_its_record_can_not_be_deleted(once: Once, table: Table, raises: Exception) -> None:
    table.breaks("DeleteItem")
    with pytest.raises(type(raises)) as caught:
        answer(once, Work(raises=raises))
    assert caught.value is raises


def test_nothing_runs_while_the_table_can_not_be_reached(once: Once, table: Table) -> None:
    mend = table.breaks("PutItem")
    work = Work()
    with pytest.raises(TryAgainError):
        answer(once, work)
    assert work.runs == 0
    mend()
    assert answer(once, work).status == 201


def test_a_record_left_by_somebody_who_died_ends_with_their_time(once: Once) -> None:
    class Dies(Work):
        def __call__(self) -> tuple[Json, bool]:
            raise SystemExit

    with pytest.raises(SystemExit):
        answer(once, Dies(), context=Context(remaining_ms=20))
    time.sleep(0.05)
    work = Work(replayed=True)
    assert answer(once, work).headers == {"Idempotency-Replayed": "true"}
    assert work.runs == 1


def test_a_record_left_by_somebody_who_died_guards_until_then(once: Once) -> None:
    class Dies(Work):
        def __call__(self) -> tuple[Json, bool]:
            raise SystemExit

    with pytest.raises(SystemExit):
        answer(once, Dies())
    assert refusal(lambda: answer(once, Work())) is Refusal.IDEMPOTENCY_KEY_IN_USE


def test_every_call_counts_with_its_own_time(once: Once, table: Table) -> None:
    """With the context of an earlier call a record would be born expired, and two would run at once."""
    answer(once, Work(), context=Context(remaining_ms=0))
    second = Work()

    class First(Work):
        def __call__(self) -> tuple[Json, bool]:
            [record] = [record for record in table.records() if record["status"]["S"] == "INPROGRESS"]
            assert int(record["in_progress_expiration"]["N"]) > (time.time() + 5) * 1000
            assert refusal(lambda: answer(once, second, claim(key="k-2"))) is Refusal.IDEMPOTENCY_KEY_IN_USE
            return super().__call__()

    answer(once, First(), claim(key="k-2"), context=Context(remaining_ms=9_000))
    assert second.runs == 0


def test_a_record_tells_neither_key_nor_caller_nor_request(once: Once, table: Table) -> None:
    answer(once, Work(), claim(key="a-key-of-mine", asked={"phone": "+919876543210"}))
    [record] = table.records()
    told = f"{record['id']['S']} {record['validation']['S']}"
    for private in ("a-key-of-mine", str(CALLER), "9876543210"):
        assert private not in told


def test_a_records_name_does_not_depend_on_where_the_code_stands(once: Once, table: Table) -> None:
    answer(once, Work())
    [record] = table.records()
    prefix, _, digest = record["id"]["S"].partition("#")
    assert prefix == PREFIX
    assert len(digest) == 64


def test_a_record_ends_after_a_day(once: Once, table: Table) -> None:
    answer(once, Work())
    [record] = table.records()
    assert abs(int(record["expiration"]["N"]) - time.time() - 24 * 3600) < 60


def test_an_answer_that_the_ledger_does_not_know_is_not_given_again_and_the_work_runs(table: Table) -> None:
    """The database was restored to a moment before the payment: to say that it was made would be a lie."""
    ledger: set[Claim] = set()
    once = Once(TABLE, table.client, ledger.__contains__, prefix=PREFIX)
    answer(once, Work())
    work = Work()
    told = answer(once, work)
    assert (work.runs, told.status, told.headers) == (1, 201, {})
    ledger.add(claim())
    again = answer(once, work)
    assert (work.runs, again.body, again.headers) == (1, told.body, {"Idempotency-Replayed": "true"})


def test_what_the_ledger_does_not_know_and_refuses_now_is_refused(table: Table) -> None:
    once = Once(TABLE, table.client, lambda _: False, prefix=PREFIX)
    answer(once, Work())
    assert refusal(lambda: answer(once, Work(raises=Refused(Refusal.INSUFFICIENT_FUNDS)))) is (
        Refusal.INSUFFICIENT_FUNDS
    )
    assert table.records() == []


def test_the_ledger_is_asked_before_an_old_answer_is_given_again_and_only_then(table: Table) -> None:
    asked: list[Claim] = []
    known = lambda claimed: not asked.append(claimed)  # type: ignore[func-returns-value]  # noqa: E731 - it notes and says yes
    once = Once(TABLE, table.client, known, prefix=PREFIX)
    answer(once, Work())
    assert asked == []
    answer(once, Work())
    assert asked == [claim()]


def test_an_old_answer_waits_while_the_ledger_can_not_be_asked(table: Table) -> None:
    def down(_: Claim) -> bool:
        raise DatabaseUnavailableError("no database")

    once = Once(TABLE, table.client, down, prefix=PREFIX)
    answer(once, Work())
    work = Work()
    with pytest.raises(DatabaseUnavailableError):
        answer(once, work)
    assert work.runs == 0
    assert len(table.records()) == 1


def test_an_answer_that_can_not_be_forgotten_is_not_given_and_nothing_runs(table: Table) -> None:
    once = Once(TABLE, table.client, lambda _: False, prefix=PREFIX)
    answer(once, Work())
    mend = table.breaks("DeleteItem")
    work = Work()
    with pytest.raises(TryAgainError):
        answer(once, work)
    assert work.runs == 0
    mend()
    assert answer(once, work).headers == {}


def test_what_may_have_left_the_house_and_the_ledger_has_lost_waits_for_people(table: Table) -> None:
    once = Once(TABLE, table.client, lambda _: False, prefix=PREFIX)
    answer(once, Work())
    work = Work()
    with pytest.raises(TryAgainError, match="somebody must look"):
        once.answer(request(context=Context()), claim(), work, status=202, lost_runs_anew=False)
    assert work.runs == 0
    assert len(table.records()) == 1
