"""What is signed follows from what is kept and from the ledger: each way in which it may not is told by its name."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.made_evidence import US, Evidence
from wallet.ledger.checkpoints import BATCH, Checkpoint, object_key
from wallet.ledger.evidence import Published, Sealed, read_published
from wallet.ledger.following import fault_of_statement
from wallet.ledger.seals import BEGINNING, Content, Seal, chain, leaf_of

LEDGERS = "it is of another ledger than the one before it"
NAME = "it does not name the one before it as it is kept"
PLACE = "it does not begin where the one before it, as it is kept, ends"
CHAIN = "its chain does not follow from its seals"
BALANCES = "its balances do not follow from the one before it and its transactions"
SUM = "its balances do not add up to nothing"
TIME = "it is dated before the one before it, or after now"
NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)


@dataclass
class Case:
    """A checkpoint that follows, to be altered."""

    made: Checkpoint
    sealed: list[Sealed]
    before: Published | None
    codes: dict[str, str] = field(default_factory=lambda: {US: "gateway:razorpay"})
    now: datetime = NOW

    def fault(self) -> str | None:
        return fault_of_statement(self.made, self.sealed, self.before, codes=self.codes, now=self.now)

    def change(self, **changes: Any) -> None:
        self.made = replace(self.made, **changes)


def case_of(folder: Path, number: int, forms: tuple[int, ...] = ()) -> Case:
    evidence = Evidence(folder, 2, 3, 2, forms=forms)
    checkpoint, seals = evidence.made[number - 1]
    sealed = [Sealed(seal, evidence.contents[seal.position - 1]) for seal in seals]
    kept = (folder / object_key(number - 1)).read_bytes() if number > 1 else None
    return Case(checkpoint, sealed, read_published(kept) if kept else None)


@pytest.fixture(params=[(1, 1, 1), (2, 2, 2), (1, 2, 1), (2, 1, 2)], ids=lambda forms: "".join(map(str, forms)))
def second(tmp_path: Path, request: pytest.FixtureRequest) -> Case:
    """In each form, behind a checkpoint of its own and of the other one."""
    return case_of(tmp_path, 2, request.param)


@pytest.mark.parametrize("forms", [(1, 1, 1), (2, 2, 2), (1, 2, 2), (2, 1, 2)])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_follows_has_no_fault(tmp_path: Path, number: int, forms: tuple[int, ...]) -> None:
    assert case_of(tmp_path, number, forms).fault() is None


def test_a_seal_that_says_another_form_is_not_signed(second: Case) -> None:
    """Nor one whose leaf is of that form: a checkpoint is over seals of one form."""
    found = second.sealed[1]
    assert found.content is not None
    form = 3 - found.seal.form
    told = f"transaction {found.seal.transaction_id} is not as it was sealed"
    second.sealed[1] = replace(found, seal=replace(found.seal, form=form))
    assert second.fault() == told
    leaf = leaf_of(found.content, found.seal.salt, form=form)
    second.sealed[1] = replace(found, seal=replace(found.seal, form=form, leaf=leaf))
    second.change(chain=chain(second.made.chain_before, [one.seal.leaf for one in second.sealed]))
    assert second.fault() == told


def altered(case: Case, at: int, **changes: Any) -> None:
    seal, content = case.sealed[at].seal, case.sealed[at].content
    assert content is not None
    case.sealed[at] = Sealed(seal, Content({**content.transaction, **changes}, content.postings))


def without_its_last(case: Case) -> None:
    """A seal is missing, and everything else is made to fit."""
    case.sealed.pop()
    case.change(chain=chain(case.made.chain_before, [one.seal.leaf for one in case.sealed]))


def balanced(case: Case, **more: Any) -> dict[str, dict[str, Any]]:
    return {"INR": {**case.made.balances["INR"], **more}}


@pytest.mark.parametrize(
    ("fault", "spoil"),
    [
        (LEDGERS, lambda case: case.change(ledger="cd" * 16)),
        (NAME, lambda case: case.change(previous=BEGINNING)),
        (PLACE, lambda case: case.change(first=4, last=6)),
        (PLACE, lambda case: case.change(chain_before=BEGINNING)),
        (CHAIN, lambda case: case.change(chain=BEGINNING)),
        (CHAIN, without_its_last),
        (BALANCES, lambda case: case.change(balances=balanced(case, wallets=1, **{"gateway:razorpay": -1}))),
        (BALANCES, lambda case: case.change(balances=balanced(case, wallets=100.0))),
        (TIME, lambda case: case.change(sealed_at="2026-11-22T06:25:59.999999Z")),
        (TIME, lambda case: case.change(sealed_at="2026-11-22T07:05:00.000001Z")),
    ],
)
def test_what_does_not_follow_is_told(second: Case, fault: str, spoil: Callable[[Case], object]) -> None:
    spoil(second)
    assert second.fault() == fault


def test_the_first_begins_at_the_beginning_and_names_none(tmp_path: Path) -> None:
    first = case_of(tmp_path, 1)
    for changes, fault in (
        ({"previous": bytes([1]) * 32}, NAME),
        ({"first": 2, "last": 3}, PLACE),
        ({"chain_before": bytes([1]) * 32}, PLACE),
    ):
        assert replace(first, made=replace(first.made, **changes)).fault() == fault
    assert replace(first, codes={}).fault() == BALANCES
    assert replace(first, made=replace(first.made, sealed_at="1970-01-01T00:00:00.000000Z")).fault() is None


@pytest.mark.parametrize("at", [0, 2])
@pytest.mark.parametrize("amount", [99, None, object()])
def test_a_transaction_that_is_not_as_it_was_sealed_is_named(second: Case, at: int, amount: object) -> None:
    altered(second, at, amount=amount)
    transaction = second.sealed[at].seal.transaction_id
    assert second.fault() == f"transaction {transaction} is not as it was sealed"


def test_a_transaction_that_is_gone_is_named(second: Case) -> None:
    second.sealed[1] = Sealed(second.sealed[1].seal, None)
    assert second.fault() == f"transaction {second.sealed[1].seal.transaction_id} is not as it was sealed"


def test_balances_that_add_up_to_something_are_told_even_if_they_follow_from_the_one_before(second: Case) -> None:
    assert second.before is not None
    more = {**second.before.balances, "USD": {"wallets": 5}}
    second.before = replace(second.before, balances=more)
    second.change(balances={**second.made.balances, "USD": {"wallets": 5}})
    assert second.fault() == SUM


@pytest.mark.parametrize("size", [BATCH, BATCH + 1])
def test_a_checkpoint_is_over_so_many_transactions_at_most(second: Case, size: int) -> None:
    seal = second.sealed[0].seal
    second.sealed = [
        Sealed(Seal(3 + n, seal.transaction_id, seal.salt, seal.leaf, seal.form), None) for n in range(size)
    ]
    leaves = [one.seal.leaf for one in second.sealed]
    second.change(last=second.made.first + size - 1, chain=chain(second.made.chain_before, leaves))
    named = f"transaction {seal.transaction_id} is not as it was sealed"
    assert second.fault() == (CHAIN if size > BATCH else named)


@pytest.mark.parametrize("sealed_at", ["2026-11-22T06:26:00.000000Z", "2026-11-22T07:05:00.000000Z"])
def test_clocks_of_two_sealers_may_differ_by_as_much_as_a_commit_may_take(second: Case, sealed_at: str) -> None:
    second.change(sealed_at=sealed_at)
    assert second.fault() is None
    assert second.now - timedelta(minutes=60) < datetime.fromisoformat(sealed_at)
