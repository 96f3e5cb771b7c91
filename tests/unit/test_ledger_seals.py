"""Seals and checkpoints: the format, held against vectors made by hand, and what no change of it may do."""

import base64
import hashlib
import inspect
import json
import random
import re
from typing import Any

import pytest

from wallet.ledger import checkpoints, seals
from wallet.ledger.seals import BEGINNING, Content, Seal

SALT = bytes(range(16))

TRANSACTION: dict[str, Any] = {
    "id": "019302f0000070008000000000000001",
    "type": "payment",
    "amount": 6000,
    "currency": "INR",
    "actor_id": "019302f0000070008000000000000002",
    "description": "चाय",
    "reference": None,
    "attempt_id": None,
    "gateway": None,
    "gateway_payment_id": None,
    "suspense_reason": None,
    "cause_id": None,
    "hold_id": None,
    "withdrawal_id": None,
    "source_refund_id": None,
    "created_at": "2026-11-22T06:30:00.000000Z",
}


def posting(line: int, side: str, account: str, balance_after: int | None, amount: int = 6000) -> dict[str, Any]:
    return {
        "line": line,
        "account_id": account * 32,
        "slot": 0,
        "type": "payment",
        "side": side,
        "amount": amount,
        "entry_no": None if balance_after is None else 7,
        "balance_after": balance_after,
        "created_at": "2026-11-22T06:30:00.000000Z",
    }


CONTENT = Content(TRANSACTION, (posting(1, "debit", "a", 44000), posting(2, "credit", "b", 6000)))

# Written out by hand, as the format says: not by the code that is tested.
TRANSACTION_TEXT = (
    rb'{"actor_id":"019302f0000070008000000000000002","amount":6000,"attempt_id":null,"cause_id":null,'
    rb'"created_at":"2026-11-22T06:30:00.000000Z","currency":"INR","description":"\u091a\u093e\u092f","gateway":null,'
    rb'"gateway_payment_id":null,"hold_id":null,"id":"019302f0000070008000000000000001","reference":null,'
    rb'"source_refund_id":null,"suspense_reason":null,"type":"payment","withdrawal_id":null}'
)
DEBIT_TEXT = (
    b'{"account_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","amount":6000,"balance_after":44000,'
    b'"created_at":"2026-11-22T06:30:00.000000Z","entry_no":7,"line":1,"side":"debit","slot":0,"type":"payment"}'
)
CREDIT_TEXT = (
    b'{"account_id":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","amount":6000,"balance_after":6000,'
    b'"created_at":"2026-11-22T06:30:00.000000Z","entry_no":7,"line":2,"side":"credit","slot":0,"type":"payment"}'
)


def hashed(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def by_hand_1() -> bytes:
    """The leaf of CONTENT in form 1, from the texts above."""

    def salt(line: bytes) -> bytes:
        return hashed(b"wallet salt 1\n", SALT, line)[:16]

    head = hashed(b"wallet transaction 1\n", salt(b"\0"), TRANSACTION_TEXT)
    debit = hashed(b"wallet posting 1\n", salt(b"\1"), DEBIT_TEXT)
    credit = hashed(b"wallet posting 1\n", salt(b"\2"), CREDIT_TEXT)
    return hashed(b"wallet leaf 1\n", head, debit, credit)


# The same in the two parts of form 2: what is shown, and what is hidden.
TRANSACTION_SHOWN = (
    b'{"created_at":"2026-11-22T06:30:00.000000Z","currency":"INR","id":"019302f0000070008000000000000001",'
    b'"type":"payment"}'
)
TRANSACTION_HIDDEN = (
    rb'{"actor_id":"019302f0000070008000000000000002","amount":6000,"attempt_id":null,"cause_id":null,'
    rb'"description":"\u091a\u093e\u092f","gateway":null,"gateway_payment_id":null,"hold_id":null,"reference":null,'
    rb'"source_refund_id":null,"suspense_reason":null,"withdrawal_id":null}'
)
DEBIT_SHOWN = b'{"account_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","amount":6000,"line":1,"side":"debit"}'
DEBIT_HIDDEN = (
    b'{"balance_after":44000,"created_at":"2026-11-22T06:30:00.000000Z","entry_no":7,"slot":0,"type":"payment"}'
)
CREDIT_SHOWN = b'{"account_id":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","amount":6000,"line":2,"side":"credit"}'
CREDIT_HIDDEN = (
    b'{"balance_after":6000,"created_at":"2026-11-22T06:30:00.000000Z","entry_no":7,"slot":0,"type":"payment"}'
)


def by_hand_2() -> bytes:
    """The leaf of CONTENT in form 2, from the texts above."""

    def in_two(what: bytes, line: bytes, shown: bytes, hidden: bytes) -> bytes:
        both = hashed(b"wallet salt 2\n", SALT, line)
        salt, salt_of_hidden = both[:16], both[16:]
        return hashed(what + b" 2\n", salt, hashed(what + b" hidden 2\n", salt_of_hidden, hidden), shown)

    head = in_two(b"wallet transaction", b"\0", TRANSACTION_SHOWN, TRANSACTION_HIDDEN)
    debit = in_two(b"wallet posting", b"\1", DEBIT_SHOWN, DEBIT_HIDDEN)
    credit = in_two(b"wallet posting", b"\2", CREDIT_SHOWN, CREDIT_HIDDEN)
    return hashed(b"wallet leaf 2\n", head, debit, credit)


LEAVES = {1: by_hand_1(), 2: by_hand_2()}
in_each_form = pytest.mark.parametrize("form", LEAVES)


@in_each_form
def test_the_leaf_of_a_transaction_is_what_the_format_says(form: int) -> None:
    assert seals.leaf_of(CONTENT, SALT, form=form) == LEAVES[form]


def test_the_formats_have_not_moved() -> None:
    """Constants: whoever changes a format by mistake sees it here, and not when an auditor does."""
    assert {form: seals.leaf_of(CONTENT, SALT, form=form).hex() for form in (1, 2)} == {
        1: "db964a49b26f373ff98176027db265b5517f1d8d896fe47e2148c9e5a0a53def",
        2: "56f74dda91ce1d98ce4c3eb7ced8d01c10fa95fb7e9932e76098e2da7659238f",
    }


def test_there_are_two_forms_and_what_is_sealed_now_takes_the_second() -> None:
    assert [seal.form for seal in seals.make_seals([CONTENT], [SALT], first=1)] == [2]
    for form in (0, 3):
        with pytest.raises(ValueError, match=f"form {form}"):
            seals.leaf_of(CONTENT, SALT, form=form)


def test_the_chain_is_what_the_format_says() -> None:
    one, two = b"1" * 32, b"2" * 32
    first = hashlib.sha256(b"wallet chain 1\n" + bytes(32) + one).digest()
    assert seals.link(BEGINNING, one) == first
    assert seals.chain(BEGINNING, [one, two]) == hashlib.sha256(b"wallet chain 1\n" + first + two).digest()
    assert seals.chain(first, []) == first


@in_each_form
@pytest.mark.parametrize("column", seals.TRANSACTION_COLUMNS)
def test_every_column_of_a_transaction_is_in_its_leaf(column: str, form: int) -> None:
    other = "x" if TRANSACTION[column] != "x" else "y"
    altered = Content({**TRANSACTION, column: other}, CONTENT.postings)
    assert seals.leaf_of(altered, SALT, form=form) != LEAVES[form]


@in_each_form
@pytest.mark.parametrize("column", seals.POSTING_COLUMNS)
@pytest.mark.parametrize("which", [0, 1])
def test_every_column_of_every_posting_is_in_the_leaf(column: str, which: int, form: int) -> None:
    postings = [dict(one) for one in CONTENT.postings]
    postings[which][column] = 9 if column == "line" else "x"
    assert seals.leaf_of(Content(TRANSACTION, tuple(postings)), SALT, form=form) != LEAVES[form]


@in_each_form
def test_a_posting_that_is_added_taken_away_or_moved_is_seen(form: int) -> None:
    debit, credit = CONTENT.postings
    others = [(), (debit,), (credit,), (credit, debit), (debit, credit, posting(3, "credit", "c", 1))]
    leaves = {seals.leaf_of(Content(TRANSACTION, lines), SALT, form=form) for lines in others}
    assert len(leaves) == len(others)
    assert LEAVES[form] not in leaves


@in_each_form
def test_nothing_is_the_text_null_nor_a_number_its_digits(form: int) -> None:
    for column, value in (("description", None), ("description", "null"), ("amount", "6000")):
        assert seals.leaf_of(Content({**TRANSACTION, column: value}, CONTENT.postings), SALT, form=form) != LEAVES[form]


@in_each_form
def test_a_column_that_is_left_out_or_unknown_is_an_error(form: int) -> None:
    short = {name: value for name, value in TRANSACTION.items() if name != "hold_id"}
    with pytest.raises(ValueError, match="hold_id"):
        seals.leaf_of(Content(short, CONTENT.postings), SALT, form=form)
    with pytest.raises(ValueError, match="colour"):
        seals.leaf_of(Content(TRANSACTION, ({**CONTENT.postings[0], "colour": 1},)), SALT, form=form)


@in_each_form
@pytest.mark.parametrize("line", [None, "x"])
def test_a_posting_that_has_no_line_has_no_salt_and_so_no_leaf(line: str | None, form: int) -> None:
    with pytest.raises(ValueError, match=f"'{line}'"):
        seals.leaf_of(Content(TRANSACTION, ({**CONTENT.postings[0], "line": line},)), SALT, form=form)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_json_has_no_word_for_is_never_hashed(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        seals.canonical({"amount": value})


@in_each_form
def test_another_salt_is_another_leaf_and_each_line_has_its_own(form: int) -> None:
    assert seals.leaf_of(CONTENT, bytes(16), form=form) != LEAVES[form]
    assert len({seals.line_salt(SALT, line) for line in range(256)} | {SALT}) == 257


def test_who_has_one_line_and_hashes_of_the_others_finds_the_leaf() -> None:
    head = seals.head_hash(TRANSACTION, seals.line_salt(SALT, 0))
    own = seals.posting_hash(CONTENT.postings[0], seals.line_salt(SALT, 1))
    other = seals.posting_hash(CONTENT.postings[1], seals.line_salt(SALT, 2))
    assert seals.join(head, [own, other], form=1) == LEAVES[1]


def test_who_is_shown_a_part_of_a_line_finds_the_leaf_and_not_the_other_part() -> None:
    head = seals.opened_head_hash(seals.open_transaction(TRANSACTION, SALT))
    own, other = (seals.open_posting(posting, SALT) for posting in CONTENT.postings)
    lines = [seals.opened_posting_hash(one) for one in (own, other)]
    assert seals.join(head, lines, form=2) == LEAVES[2]
    assert own.shown == json.loads(DEBIT_SHOWN)
    assert own.hidden != hashed(b"wallet posting hidden 2\n", own.salt, DEBIT_HIDDEN), "it has another salt"


def test_no_two_parts_of_lines_have_the_same_salt_in_any_form() -> None:
    """Nor does one form's give another form's away."""
    opened = [seals.open_posting({**CONTENT.postings[0], "line": line}, SALT) for line in range(1, 256)]
    head = seals.open_transaction(TRANSACTION, SALT)
    whole = {seals.line_salt(SALT, line) for line in range(256)}
    assert len({one.salt for one in (*opened, head)} | whole | {SALT}) == 256 + 256 + 1
    assert len({one.hidden for one in opened}) == len(opened), "what is hidden is the same each time, and salted"


@pytest.mark.parametrize("column", ["amount", "actor_id", "description", "reference", "cause_id", "hold_id"])
def test_what_tells_of_more_than_one_payment_is_hidden(column: str) -> None:
    assert column not in seals.TRANSACTION_SHOWN
    assert {"balance_after", "entry_no", "slot"}.isdisjoint(seals.POSTING_SHOWN)


def test_no_text_is_hashed_as_two_things_of_one_form_or_of_two() -> None:
    """The words that begin what is hashed: none begins another, so what follows can't make up for it."""
    source = inspect.getsource(seals) + inspect.getsource(checkpoints)
    words = re.findall(r'b"(wallet [a-z ]+ [12]\\n)"', source)
    assert len(words) == len(set(words)) == 13
    assert not any(one != other and one.startswith(other) for one in words for other in words)


@in_each_form
def test_seals_are_numbered_from_their_first_position_in_the_order_given(form: int) -> None:
    other = Content({**TRANSACTION, "id": "f" * 32}, CONTENT.postings)
    made = seals.make_seals([CONTENT, other], [SALT, bytes(16)], first=41, form=form)
    assert made == [
        Seal(41, str(TRANSACTION["id"]), SALT, LEAVES[form], form),
        Seal(42, "f" * 32, bytes(16), seals.leaf_of(other, bytes(16), form=form), form),
    ]


def test_a_short_salt_or_too_few_of_them_is_an_error() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        seals.make_seals([CONTENT], [b"short"], first=1)
    with pytest.raises(ValueError, match="shorter"):
        seals.make_seals([CONTENT, CONTENT], [SALT], first=1)


# ---------------------------------------------------------------------------------------------- checkpoints


def batch(form: int = 1) -> list[Seal]:
    return [Seal(41, "a" * 32, bytes(16), b"1" * 32, form), Seal(42, "b" * 32, SALT, b"2" * 32, form)]


BATCH = batch()


def checkpoint(form: int = 1) -> checkpoints.Checkpoint:
    return checkpoints.make_checkpoint(
        batch(form),
        ledger="c" * 32,
        number=3,
        chain_before=b"3" * 32,
        previous=b"4" * 32,
        sealed_at="2026-11-22T06:31:00.000001Z",
        balances={"INR": {"wallets": 500, "gateway:razorpay": -500}},
    )


ENTRIES_TEXT = f'[["{"a" * 32}","{"31" * 32}"],["{"b" * 32}","{"32" * 32}"]]'


BALANCES_TEXT = '{"INR":{"gateway:razorpay":-500,"wallets":500}}'
SALT_OF_BALANCES = hashlib.sha256(b"wallet balances salt 2\n" + SALT).digest()[:16]


def statement_text(form: int = 1) -> str:
    chain = hashlib.sha256(b"wallet chain 1\n" + b"3" * 32 + b"1" * 32).digest()
    chain = hashlib.sha256(b"wallet chain 1\n" + chain + b"2" * 32).digest()
    balances = BALANCES_TEXT
    if form == 2:
        balances = f'"{hashed(b"wallet balances 2" + bytes([10]), SALT_OF_BALANCES, BALANCES_TEXT.encode()).hex()}"'
    return (
        f'{{"balances":{balances},'
        f'"chain":"{chain.hex()}","chain_before":"{"33" * 32}",'
        f'"entries":"{hashlib.sha256(ENTRIES_TEXT.encode()).hexdigest()}","first":41,'
        f'"format":"wallet checkpoint {form}",'
        f'"last":42,"ledger":"{"c" * 32}","number":3,"previous":"{"34" * 32}",'
        '"sealed_at":"2026-11-22T06:31:00.000001Z"}'
    )


@in_each_form
def test_the_statement_is_what_the_format_says(form: int) -> None:
    assert seals.canonical(checkpoint(form).statement()).decode() == statement_text(form)
    assert checkpoint(form).digest == hashlib.sha256(statement_text(form).encode()).digest()


def test_a_statement_of_form_2_tells_no_balance_and_what_is_published_beside_it_opens_it() -> None:
    assert "500" not in seals.canonical(checkpoint(2).statement()).decode()
    told = json.loads(checkpoints.published(checkpoint(2), checkpoints.entries_of(batch(2)), b"signed"))
    assert sorted(told) == ["entries", "opening", "signature", "statement"]
    assert told["opening"] == {"balances": json.loads(BALANCES_TEXT), "salt": SALT_OF_BALANCES.hex()}
    assert told["statement"] == json.loads(statement_text(2))


def test_what_is_under_one_checkpoint_is_of_one_form() -> None:
    with pytest.raises(ValueError, match="one form"):
        checkpoints.make_checkpoint(
            [batch(1)[0], batch(2)[1]],
            ledger="c" * 32,
            number=3,
            chain_before=bytes(32),
            previous=bytes(32),
            sealed_at="2026-11-22T06:31:00.000001Z",
            balances={},
        )


def test_what_is_published_has_the_statement_the_list_and_the_signature() -> None:
    entries = checkpoints.entries_of(BATCH)
    signed = base64.b64encode(b"signed").decode()
    assert (
        checkpoints.published(checkpoint(), entries, b"signed").decode()
        == f'{{"entries":{ENTRIES_TEXT},"signature":"{signed}","statement":{statement_text()}}}'
    )


def test_the_order_in_which_balances_were_met_does_not_show() -> None:
    other = checkpoints.make_checkpoint(
        BATCH,
        ledger="c" * 32,
        number=3,
        chain_before=b"3" * 32,
        previous=b"4" * 32,
        sealed_at="2026-11-22T06:31:00.000001Z",
        balances={"INR": {"gateway:razorpay": -500, "wallets": 500}},
    )
    assert other.digest == checkpoint().digest


def test_checkpoints_lie_in_the_order_of_their_numbers() -> None:
    numbers = random.Random(1).sample(range(1, 10**12), 100)
    assert sorted(map(checkpoints.object_key, numbers)) == [checkpoints.object_key(n) for n in sorted(numbers)]
    assert checkpoints.object_key(7) == "checkpoints/000000000007.json"


def test_balances_are_carried_on_and_wallets_counted_together() -> None:
    dollars = Content(
        {**TRANSACTION, "currency": "USD"}, (posting(1, "debit", "9", None, 3), posting(2, "credit", "8", None, 3))
    )
    before = {"INR": {"wallets": 500, "gateway:razorpay": -500}}
    top_up = Content(TRANSACTION, (posting(1, "debit", "9", None, 70), posting(2, "credit", "b", 70, 70)))
    after = checkpoints.balances_after(
        before, [CONTENT, top_up, dollars], {"9" * 32: "gateway:razorpay", "8" * 32: "suspense"}
    )
    assert after == {
        "INR": {"wallets": 570, "gateway:razorpay": -570},
        "USD": {"gateway:razorpay": -3, "suspense": 3},
    }
    assert before == {"INR": {"wallets": 500, "gateway:razorpay": -500}}
    assert all(sum(accounts.values()) == 0 for accounts in after.values())


def test_a_statement_read_back_from_its_text_has_the_same_digest() -> None:
    """Who checks a signature has only what was published."""
    told = json.loads(checkpoints.published(checkpoint(), checkpoints.entries_of(BATCH), b""))
    assert hashlib.sha256(seals.canonical(told["statement"])).digest() == checkpoint().digest
    assert checkpoints.entries_hash(told["entries"]).hex() == told["statement"]["entries"]
