"""Seals against what was signed: what each alteration is called, and which transaction is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.signing import Key
from tests.unit.made_evidence import KEY, Evidence, content
from wallet.ledger import checkpoints
from wallet.ledger.audits import AuditReport, Outcome, Result
from wallet.ledger.evidence import (
    ALTERED,
    INSERTED,
    REMOVED,
    REORDERED,
    Elsewhere,
    Sealed,
    UnreadableObjectError,
    faults_of_batch,
    floor_behind,
    is_late,
    read_published,
)
from wallet.ledger.faults import Fault
from wallet.ledger.seals import Content, Seal, make_seals
from wallet.ledger.signatures import read_public_key

PUBLIC = read_public_key(KEY.der)


@pytest.fixture(params=[(1, 1, 1), (2, 2, 2), (1, 2, 1), (2, 1, 2)], ids=lambda forms: "".join(map(str, forms)))
def evidence(tmp_path: Path, request: pytest.FixtureRequest) -> Evidence:
    """What is looked at is the second batch: in each form, among batches of its own and of the other one."""
    return Evidence(tmp_path, 3, 4, 2, forms=request.param)


def batch(evidence: Evidence, number: int = 2) -> list[Sealed]:
    return [Sealed(seal, evidence.contents[seal.position - 1]) for seal in evidence.made[number - 1][1]]


def entries(evidence: Evidence, number: int = 2) -> list[tuple[str, str]]:
    return [(seal.transaction_id, seal.leaf.hex()) for seal in evidence.made[number - 1][1]]


def faults(
    evidence: Evidence, found: list[Sealed], *, floor: str = "", everything: list[Sealed] | None = None
) -> list[tuple[str, int]]:
    """What is wrong with the second batch (positions 4 to 7), of a database that has this: what, and with which."""
    told = whole_faults(evidence, found, floor=floor, everything=everything)
    return [(fault.code, int(fault.id, 16)) for fault in told]


def whole_faults(
    evidence: Evidence, found: list[Sealed], *, floor: str = "", everything: list[Sealed] | None = None
) -> list[Fault]:
    there = {one.seal.transaction_id: one.seal.position for one in (found if everything is None else everything)}
    elsewhere = Elsewhere(
        there.get,
        lambda position: next(
            {seal.transaction_id for seal in made}
            for checkpoint, made in evidence.made
            if checkpoint.first <= position <= checkpoint.last
        ),
    )
    return list(
        faults_of_batch(entries(evidence), found, first=4, form=form_of(evidence), floor=floor, elsewhere=elsewhere)
    )


def form_of(evidence: Evidence) -> int:
    return evidence.made[1][0].form


def moved(one: Sealed, position: int) -> Sealed:
    return replace(one, seal=replace(one.seal, position=position))


def test_a_batch_as_it_was_signed_has_no_fault(evidence: Evidence) -> None:
    assert faults(evidence, batch(evidence)) == []


@pytest.mark.parametrize("position", [4, 5, 7])
def test_altered_content_salt_and_leaf_are_named(evidence: Evidence, position: int) -> None:
    whole = content(position)
    for changed in (
        Sealed(seal_of(evidence, position), content(position, amount=7)),
        Sealed(seal_of(evidence, position), Content(whole.transaction, whole.postings[:1])),
        Sealed(replace(seal_of(evidence, position), salt=b"s" * 16), whole),
        Sealed(replace(seal_of(evidence, position), leaf=b"l" * 32), whole),
        Sealed(replace(seal_of(evidence, position), form=3 - form_of(evidence)), whole),
    ):
        found = batch(evidence)
        found[position - 4] = changed
        assert faults(evidence, found) == [(ALTERED, position)]


def seal_of(evidence: Evidence, position: int) -> Seal:
    return evidence.made[1][1][position - 4]


def test_everything_that_is_altered_is_named(evidence: Evidence) -> None:
    found = [replace(one, content=content(one.seal.position, amount=7)) for one in batch(evidence)]
    assert faults(evidence, found) == [(ALTERED, position) for position in (4, 5, 6, 7)]


def test_what_has_a_seal_and_no_content_was_removed(evidence: Evidence) -> None:
    found = batch(evidence)
    found[1] = replace(found[1], content=None)
    assert faults(evidence, found) == [(REMOVED, 5)]


def test_what_has_no_seal_was_removed_wherever_the_others_stand_now(evidence: Evidence) -> None:
    found = batch(evidence)
    assert faults(evidence, found[:3]) == [(REMOVED, 7)]
    assert faults(evidence, []) == [(REMOVED, 4)]
    assert faults(evidence, [found[0], *(moved(one, one.seal.position - 1) for one in found[2:])]) == [(REMOVED, 5)]


def test_what_stands_in_between_was_inserted(evidence: Evidence) -> None:
    found = batch(evidence)
    [seal] = make_seals([content(77)], [b"s" * 16], first=5)
    shifted = [found[0], Sealed(seal, content(77)), *(moved(one, one.seal.position + 1) for one in found[1:])]
    assert faults(evidence, shifted[:4], everything=shifted) == [(INSERTED, 77)]


def test_two_that_have_changed_places_are_reordered(evidence: Evidence) -> None:
    found = batch(evidence)
    found[1], found[2] = moved(found[2], 5), moved(found[1], 6)
    assert faults(evidence, found) == [(REORDERED, 5)]
    found = batch(evidence)
    first = batch(evidence, 1)[0]
    swapped = [found[0], moved(first, 5), *found[2:]]
    assert faults(evidence, swapped, everything=[*swapped, moved(found[1], 1)]) == [(REORDERED, 5)]


def test_a_seal_that_says_another_position_is_reordered(evidence: Evidence) -> None:
    found = batch(evidence)
    found[1] = moved(found[1], 6)
    assert faults(evidence, found) == [(REORDERED, 5)]


def test_what_is_dated_before_the_floor_was_inserted_and_at_the_floor_was_not(evidence: Evidence) -> None:
    found = batch(evidence)
    assert faults(evidence, found, floor="2026-11-22T06:30:00.000005Z") == [(INSERTED, 4)]


def with_line(made: Content, line: int) -> Content:
    return Content(made.transaction, tuple({**posting, "line": line} for posting in made.postings))


Tampering = Callable[[list[Sealed]], list[Sealed]]


def unsigned(position: int) -> Sealed:
    """A transaction that nobody has signed, sealed at a position."""
    [seal] = make_seals([content(77)], [b"s" * 16], first=position)
    return Sealed(seal, content(77))


#: By what was done to the batch: what the audit says of it, and of which transaction.
TAMPERINGS: dict[str, tuple[Tampering, str, int, str]] = {
    "its amount is another": (
        lambda found: [found[0], replace(found[1], content=content(5, amount=7)), *found[2:]],
        ALTERED,
        5,
        "position 5, its columns, its postings or its salt are not what was sealed",
    ),
    "a line is none that a posting can have": (
        lambda found: [found[0], replace(found[1], content=with_line(content(5), 300)), *found[2:]],
        ALTERED,
        5,
        "position 5, its columns, its postings or its salt are not what was sealed",
    ),
    "a column can not be read": (
        lambda found: [found[0], replace(found[1], content=Content({}, ())), *found[2:]],
        ALTERED,
        5,
        "position 5, its columns, its postings or its salt are not what was sealed",
    ),
    "its leaf is another": (
        lambda found: [found[0], replace(found[1], seal=replace(found[1].seal, leaf=b"l" * 32)), *found[2:]],
        ALTERED,
        5,
        "position 5, the leaf in its seal is not the one that was signed, or not of that form",
    ),
    "its form is another": (
        lambda found: [found[0], replace(found[1], seal=replace(found[1].seal, form=9)), *found[2:]],
        ALTERED,
        5,
        "position 5, the leaf in its seal is not the one that was signed, or not of that form",
    ),
    "it is gone": (
        lambda found: [found[0], replace(found[1], content=None), *found[2:]],
        REMOVED,
        5,
        "position 5, it has a seal and is not in the ledger",
    ),
    "it is gone with its seal": (
        lambda found: found[:3],
        REMOVED,
        7,
        "position 7, it was signed and has no seal any more",
    ),
    "another one came in its place": (
        lambda found: [found[0], unsigned(5), *(moved(one, one.seal.position + 1) for one in found[1:])],
        INSERTED,
        77,
        "position 5, where another one was signed",
    ),
    "two have changed places": (
        lambda found: [found[0], moved(found[2], 5), moved(found[1], 6), found[3]],
        REORDERED,
        5,
        "position 5, where another one stands now",
    ),
    "its seal says another place": (
        lambda found: [found[0], moved(found[1], 6), *found[2:]],
        REORDERED,
        5,
        "position 5, its seal says 6",
    ),
    "it is dated too early": (
        lambda found: found,
        INSERTED,
        4,
        "position 4, it is dated before what was sealed before it",
    ),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_a_fault_says_what_was_done_to_which_transaction_and_where_it_shows(evidence: Evidence, how: str) -> None:
    tamper, code, transaction, told = TAMPERINGS[how]
    floor = "2026-11-22T06:30:00.000005Z" if how == "it is dated too early" else ""
    assert whole_faults(evidence, tamper(batch(evidence)), floor=floor) == [
        Fault(code, "transaction", f"{transaction:032x}", told)
    ]


@pytest.mark.parametrize(
    ("sealed_at", "newest", "floor"),
    [
        ("2026-11-22T06:31:00.000000Z", "2026-11-22T06:30:00.000007Z", "2026-11-22T06:25:00.000007Z"),
        ("2026-11-22T06:31:00.000000Z", "2026-11-22T09:00:00.000000Z", "2026-11-22T06:26:00.000000Z"),
        ("2026-11-22T00:01:00.000000Z", "2026-11-22T00:01:00.000000Z", "2026-11-21T23:56:00.000000Z"),
        ("2026-11-22T06:31:00.000000Z", "", ""),
    ],
)
def test_the_floor_is_five_minutes_before_what_came_last_or_was_sealed(sealed_at: str, newest: str, floor: str) -> None:
    assert floor_behind(sealed_at, newest) == floor


# ------------------------------------------------------------------------------------------------ objects


def kept(evidence: Evidence, number: int = 2) -> bytes:
    return (evidence.folder / checkpoints.object_key(number)).read_bytes()


def test_a_published_object_is_read_as_it_was_signed(evidence: Evidence) -> None:
    published = read_published(kept(evidence))
    checkpoint, _ = evidence.made[1]
    assert (published.number, published.first, published.last) == (2, 4, 7)
    assert (published.digest, published.form) == (checkpoint.digest, checkpoint.form)
    assert published.balances == checkpoint.balances
    assert list(published.entries) == entries(evidence)
    assert published.fault(2, PUBLIC) is None


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b'"sealed_at":"2026', b'"sealed_at":"2027', "its signature is not the key's"),
        (b'"entries":[["0', b'"entries":[["1', "what it lists is not what was signed"),
    ],
)
def test_an_altered_object_is_not_believed(evidence: Evidence, old: bytes, new: bytes, fault: str) -> None:
    content = kept(evidence)
    assert old in content
    assert read_published(content.replace(old, new, 1)).fault(2, PUBLIC) == fault


def test_an_object_of_another_key_or_another_number_is_not_believed(evidence: Evidence) -> None:
    published = read_published(kept(evidence))
    assert published.fault(2, read_public_key(Key(2048).der)) == "its signature is not the key's"
    assert published.fault(3, PUBLIC) == "it is another checkpoint's"


@pytest.mark.parametrize(
    "changes",
    [{"chain": b"\1" * 32}, {"chain_before": b"\1" * 32}, {"entries": b"\1" * 32}, {"last": 8}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_signed_statement_that_does_not_fit_its_list_is_not_believed(
    evidence: Evidence, changes: dict[str, Any]
) -> None:
    checkpoint, made = evidence.made[1]
    evidence.put(replace(checkpoint, **changes), made)
    assert read_published(kept(evidence)).fault(2, PUBLIC) == "what it lists is not what was signed"


@pytest.mark.parametrize("old", [b'"gateway:razorpay":-', b'"salt":"', b'"wallets":'])
def test_balances_that_are_not_those_of_the_signed_hash_are_not_believed(tmp_path: Path, old: bytes) -> None:
    evidence = Evidence(tmp_path, 3, 4, forms=(2, 2))
    content = kept(evidence)
    begin = content.index(old) + len(old)
    other = content[:begin] + (b"1" if content[begin : begin + 1] != b"1" else b"2") + content[begin + 1 :]
    assert read_published(other).fault(2, PUBLIC) == "what it lists is not what was signed"


def test_a_checkpoint_of_form_2_is_none_without_its_balances_and_one_of_a_later_form_is_not_believed(
    tmp_path: Path,
) -> None:
    told = json.loads(kept(Evidence(tmp_path, 3, 4, forms=(2, 2))))
    with pytest.raises(UnreadableObjectError):
        read_published(json.dumps({name: told[name] for name in ("statement", "entries", "signature")}).encode())
    told["statement"]["format"] = "wallet checkpoint 3"
    assert not read_published(json.dumps(told).encode()).is_whole


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"1", b"\xff", b"[" * 100_000, b'{"statement": {}, "entries": [], "signature": ""}']
)
def test_what_is_no_object_can_not_be_read(content: bytes) -> None:
    with pytest.raises(UnreadableObjectError):
        read_published(content)


def test_a_signature_with_something_between_its_letters_can_not_be_read(evidence: Evidence) -> None:
    with pytest.raises(UnreadableObjectError):
        read_published(kept(evidence).replace(b'"signature":"', b'"signature":"!', 1))


# ------------------------------------------------------------------------------------------------ reports


FAULT = Fault("altered", "transaction", "ab", "position 1")


def result(outcome: Outcome) -> Result:
    return Result("code", "promise", [FAULT] * (outcome is Outcome.BROKEN), outcome is not Outcome.UNFINISHED)


@pytest.mark.parametrize(
    ("results", "outcome"),
    [
        ((), Outcome.UNFINISHED),
        ((Outcome.PASSED,), Outcome.PASSED),
        ((Outcome.PASSED, Outcome.UNFINISHED), Outcome.UNFINISHED),
        ((Outcome.UNFINISHED, Outcome.BROKEN, Outcome.PASSED), Outcome.BROKEN),
    ],
)
def test_an_audit_is_as_bad_as_the_worst_that_it_found(results: tuple[Outcome, ...], outcome: Outcome) -> None:
    report = AuditReport([result(one) for one in results])
    assert [one.outcome for one in report.results] == list(results)
    assert report.outcome is outcome


def test_what_breaks_a_promise_breaks_it_however_far_the_look_went() -> None:
    assert Result("code", "promise", [FAULT], is_finished=False).outcome is Outcome.BROKEN


def test_a_report_is_told_in_plain_values() -> None:
    broken = result(Outcome.BROKEN)
    broken.notes.append(Fault("late", "transaction", "cd"))
    report = AuditReport([broken], checkpoints=3, verified=2)
    assert report.told() == {
        "outcome": "broken",
        "checkpoints": 3,
        "verified": 2,
        "results": [
            {
                "code": "code",
                "promise": "promise",
                "outcome": "broken",
                "faults": ["altered: transaction ab (position 1)"],
                "notes": ["late: transaction cd"],
                "told": "",
            }
        ],
    }
    assert str(Fault("altered", "transaction", "ab")) == "altered: transaction ab"


@pytest.mark.parametrize(
    ("sealed", "late"),
    [
        ("2026-11-22T06:29:00.000000Z", False),
        ("2026-11-22T06:45:00.000000Z", False),
        ("2026-11-22T06:45:00.000001Z", True),
        ("2026-11-23T06:30:00.000000Z", True),
    ],
)
def test_what_was_open_for_more_than_a_quarter_of_an_hour_is_sealed_late(sealed: str, *, late: bool) -> None:
    assert is_late("2026-11-22T06:30:00.000000Z", sealed) is late
