"""Seals and checkpoints: the format, held against vectors made by hand, and what no change of it may do."""

import base64
import hashlib
import json
import random
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


def by_hand() -> bytes:
    """The leaf of CONTENT, from the texts above."""

    def salt(line: bytes) -> bytes:
        return hashlib.sha256(b"wallet salt 1\n" + SALT + line).digest()[:16]

    head = hashlib.sha256(b"wallet transaction 1\n" + salt(b"\0") + TRANSACTION_TEXT).digest()
    debit = hashlib.sha256(b"wallet posting 1\n" + salt(b"\1") + DEBIT_TEXT).digest()
    credit = hashlib.sha256(b"wallet posting 1\n" + salt(b"\2") + CREDIT_TEXT).digest()
    return hashlib.sha256(b"wallet leaf 1\n" + head + debit + credit).digest()


def test_the_leaf_of_a_transaction_is_what_the_format_says() -> None:
    assert seals.leaf_of(CONTENT, SALT) == by_hand()


def test_the_format_has_not_moved() -> None:
    """A constant: whoever changes the format by mistake sees it here, and not when an auditor does."""
    assert seals.leaf_of(CONTENT, SALT).hex() == "db964a49b26f373ff98176027db265b5517f1d8d896fe47e2148c9e5a0a53def"


def test_the_chain_is_what_the_format_says() -> None:
    one, two = b"1" * 32, b"2" * 32
    first = hashlib.sha256(b"wallet chain 1\n" + bytes(32) + one).digest()
    assert seals.link(BEGINNING, one) == first
    assert seals.chain(BEGINNING, [one, two]) == hashlib.sha256(b"wallet chain 1\n" + first + two).digest()
    assert seals.chain(first, []) == first


@pytest.mark.parametrize("column", seals.TRANSACTION_COLUMNS)
def test_every_column_of_a_transaction_is_in_its_leaf(column: str) -> None:
    other = "x" if TRANSACTION[column] != "x" else "y"
    altered = Content({**TRANSACTION, column: other}, CONTENT.postings)
    assert seals.leaf_of(altered, SALT) != by_hand()


@pytest.mark.parametrize("column", seals.POSTING_COLUMNS)
@pytest.mark.parametrize("which", [0, 1])
def test_every_column_of_every_posting_is_in_the_leaf(column: str, which: int) -> None:
    postings = [dict(one) for one in CONTENT.postings]
    postings[which][column] = 9 if column == "line" else "x"
    assert seals.leaf_of(Content(TRANSACTION, tuple(postings)), SALT) != by_hand()


def test_a_posting_that_is_added_taken_away_or_moved_is_seen() -> None:
    debit, credit = CONTENT.postings
    others = [(), (debit,), (credit,), (credit, debit), (debit, credit, posting(3, "credit", "c", 1))]
    leaves = {seals.leaf_of(Content(TRANSACTION, lines), SALT) for lines in others}
    assert len(leaves) == len(others)
    assert by_hand() not in leaves


def test_nothing_is_the_text_null_nor_a_number_its_digits() -> None:
    for column, value in (("description", None), ("description", "null"), ("amount", "6000")):
        assert seals.leaf_of(Content({**TRANSACTION, column: value}, CONTENT.postings), SALT) != by_hand()


def test_a_column_that_is_left_out_or_unknown_is_an_error() -> None:
    short = {name: value for name, value in TRANSACTION.items() if name != "hold_id"}
    with pytest.raises(ValueError, match="hold_id"):
        seals.leaf_of(Content(short, CONTENT.postings), SALT)
    with pytest.raises(ValueError, match="colour"):
        seals.leaf_of(Content(TRANSACTION, ({**CONTENT.postings[0], "colour": 1},)), SALT)


@pytest.mark.parametrize("line", [None, "x"])
def test_a_posting_that_has_no_line_has_no_salt_and_so_no_leaf(line: str | None) -> None:
    with pytest.raises(ValueError, match=f"'{line}'"):
        seals.leaf_of(Content(TRANSACTION, ({**CONTENT.postings[0], "line": line},)), SALT)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_json_has_no_word_for_is_never_hashed(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        seals.canonical({"amount": value})


def test_another_salt_is_another_leaf_and_each_line_has_its_own() -> None:
    assert seals.leaf_of(CONTENT, bytes(16)) != by_hand()
    assert len({seals.line_salt(SALT, line) for line in range(256)} | {SALT}) == 257


def test_who_has_one_line_and_hashes_of_the_others_finds_the_leaf() -> None:
    head = seals.head_hash(TRANSACTION, seals.line_salt(SALT, 0))
    own = seals.posting_hash(CONTENT.postings[0], seals.line_salt(SALT, 1))
    other = seals.posting_hash(CONTENT.postings[1], seals.line_salt(SALT, 2))
    assert seals.join(head, [own, other]) == by_hand()


def test_seals_are_numbered_from_their_first_position_in_the_order_given() -> None:
    other = Content({**TRANSACTION, "id": "f" * 32}, CONTENT.postings)
    made = seals.make_seals([CONTENT, other], [SALT, bytes(16)], first=41)
    assert made == [
        Seal(41, str(TRANSACTION["id"]), SALT, by_hand()),
        Seal(42, "f" * 32, bytes(16), seals.leaf_of(other, bytes(16))),
    ]


def test_a_short_salt_or_too_few_of_them_is_an_error() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        seals.make_seals([CONTENT], [b"short"], first=1)
    with pytest.raises(ValueError, match="shorter"):
        seals.make_seals([CONTENT, CONTENT], [SALT], first=1)


# ---------------------------------------------------------------------------------------------- checkpoints

BATCH = [Seal(41, "a" * 32, SALT, b"1" * 32), Seal(42, "b" * 32, SALT, b"2" * 32)]


def checkpoint() -> checkpoints.Checkpoint:
    return checkpoints.make_checkpoint(
        BATCH,
        ledger="c" * 32,
        number=3,
        chain_before=b"3" * 32,
        previous=b"4" * 32,
        sealed_at="2026-11-22T06:31:00.000001Z",
        balances={"INR": {"wallets": 500, "gateway:razorpay": -500}},
    )


ENTRIES_TEXT = f'[["{"a" * 32}","{"31" * 32}"],["{"b" * 32}","{"32" * 32}"]]'


def statement_text() -> str:
    chain = hashlib.sha256(b"wallet chain 1\n" + b"3" * 32 + b"1" * 32).digest()
    chain = hashlib.sha256(b"wallet chain 1\n" + chain + b"2" * 32).digest()
    return (
        '{"balances":{"INR":{"gateway:razorpay":-500,"wallets":500}},'
        f'"chain":"{chain.hex()}","chain_before":"{"33" * 32}",'
        f'"entries":"{hashlib.sha256(ENTRIES_TEXT.encode()).hexdigest()}","first":41,"format":"wallet checkpoint 1",'
        f'"last":42,"ledger":"{"c" * 32}","number":3,"previous":"{"34" * 32}",'
        '"sealed_at":"2026-11-22T06:31:00.000001Z"}'
    )


def test_the_statement_is_what_the_format_says() -> None:
    assert seals.canonical(checkpoint().statement()).decode() == statement_text()
    assert checkpoint().digest == hashlib.sha256(statement_text().encode()).digest()


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
