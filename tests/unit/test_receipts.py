"""A receipt that can't be faked: the page's check and the stranger's say the same of good ones and of every forgery."""

import base64
import copy
import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.support.receipts import Page, built_page, strangers_verdict
from tests.support.signing import Key
from tests.unit.made_evidence import ASHA, BELA, KEY, Evidence, content, salt
from verifier import verify
from wallet.ledger import ids, seals
from wallet.ledger.checkpoints import Checkpoint, make_checkpoint
from wallet.ledger.proofs import make_proof
from wallet.ledger.seals import Content, Seal

Json = dict[str, Any]
in_each_form = pytest.mark.parametrize("form", [1, 2])


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return built_page(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stranger")


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Evidence]:
    """By form; in each there are batches of 3, 4 and 2."""
    return {
        form: Evidence(tmp_path_factory.mktemp(f"form_{form}"), 3, 4, 2, forms=(form, form, form)) for form in (1, 2)
    }


def text(proof: Json) -> bytes:
    return json.dumps(proof).encode()


def both(page: Page, folder: Path, receipts: list[bytes], key: bytes = KEY.der) -> list[str]:
    """The verdicts on which page and stranger agree; fails where they don't."""
    pages = [told["why"] if told["is"] == "refused" else "proven" for told in page.verdicts(receipts, [key])]
    strangers = [strangers_verdict(receipt, key, folder) for receipt in receipts]
    assert pages == strangers, [
        (receipt[:2000], *told) for receipt, *told in zip(receipts, pages, strangers, strict=True) if told[0] != told[1]
    ]
    return pages


# ------------------------------------------------------------------------------------------------ what is good


@in_each_form
@pytest.mark.parametrize(("account", "direction"), [(ASHA, "debit"), (BELA, "credit")])
def test_the_page_shows_what_is_proven(
    page: Page, histories: dict[int, Evidence], form: int, account: str, direction: str
) -> None:
    evidence = histories[form]
    other = ids.show(ids.WALLET, UUID(BELA if account == ASHA else ASHA))
    for position, number in ((2, 1), (4, 2), (5, 2), (7, 2), (9, 3)):
        [told] = page.verdicts([text(evidence.proof(position, account))], [KEY.der], other=other)
        checkpoint, _ = evidence.made[number - 1]
        assert told == {
            "is": "proven",
            "form": form,
            "transactionId": f"{position:032x}",
            "type": "payment",
            "currency": "INR",
            "createdAt": evidence.contents[position - 1].transaction["created_at"],
            "sides": [{"walletId": account, "direction": direction, "amount": 100}],
            "checkpoint": {
                "number": number,
                "sealedAt": checkpoint.sealed_at,
                "position": position,
                "ledger": checkpoint.ledger,
            },
            "key": 0,
            "other": True if form == 2 else None,
            "shown": [ids.show(ids.TRANSACTION, UUID(int=position)), ids.show(ids.WALLET, UUID(account))],
            "fingerprint": verify.read_key(KEY.der).fingerprint,
        }


def test_however_it_is_written_it_is_the_same_receipt(page: Page, folder: Path, histories: dict[int, Evidence]) -> None:
    for form in (1, 2):
        proof = histories[form].proof(5)
        turned = {name: proof[name] for name in reversed(proof)}
        forms = [
            json.dumps(proof, indent=2),
            json.dumps(turned, separators=(",", ":")),
            f"\r\n\t {json.dumps(proof)} \n",
        ]
        assert both(page, folder, [told.encode() for told in forms]) == ["proven"] * 3


@in_each_form
def test_a_text_is_hashed_the_same_whatever_is_in_it(page: Page, folder: Path, form: int) -> None:
    """In form 1 the description is in the receipt; in form 2 nobody sees it, and it is under the signature, too."""
    words = ["चाय ☕", "😀", 'quoted "\\" /', "\u2028\u2029", "\x7f\x00\x1f\b\f\n\r\t", "e\u0301é", "\ufeff", "\ud800"]
    receipts = [text(_proof_of([replace_transaction(content(2), description=word)], form=form)) for word in words]
    assert both(page, folder, receipts) == ["proven"] * len(words)
    for receipt, word in zip(receipts, words, strict=True):
        assert ("description" in json.loads(receipt)["transaction"]) is (form == 1), word


@in_each_form
def test_a_receipt_from_a_full_checkpoint_is_checked_too(page: Page, folder: Path, form: int) -> None:
    contents = [content(number) for number in range(2, 1002)]
    first, last = (text(_proof_of(contents, form=form, at=at)) for at in (1, 1000))
    assert 64_000 < len(first) < 80_000
    assert len(last) < 4_000
    assert both(page, folder, [first, last]) == ["proven"] * 2


def replace_transaction(made: Content, **changes: Any) -> Content:
    return Content({**made.transaction, **changes}, made.postings)


def _proof_of(
    contents: list[Content],
    *,
    form: int,
    at: int = 1,
    account: str = BELA,
    spoil: Callable[[Checkpoint], Checkpoint] = lambda made: made,
) -> Json:
    """The proof of one of these, under a checkpoint of their own."""
    made = seals.make_seals(contents, [salt(number) for number in range(len(contents))], first=1, form=form)
    checkpoint = spoil(_checkpoint(made))
    proof = make_proof(
        contents[at - 1],
        made,
        checkpoint,
        account_id=account,
        position=at,
        digest=checkpoint.digest,
        signature=KEY.sign(checkpoint.digest),
    )
    through_a_file: Json = json.loads(json.dumps(proof))
    return through_a_file


def _checkpoint(made: list[Seal]) -> Checkpoint:
    return make_checkpoint(
        made,
        ledger="ab" * 16,
        number=1,
        chain_before=seals.BEGINNING,
        previous=seals.BEGINNING,
        sealed_at="2026-11-22T06:31:00.000000Z",
        balances={"INR": {"wallets": 5, "gateway:razorpay": -5}},
    )


# ---------------------------------------------------------------------------------------------- what is forged


def _put(*path: Any, to: Any) -> Callable[[Json, Json], None]:
    def forge(proof: Json, _: Json) -> None:
        place: Any = proof
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to(place[path[-1]]) if callable(to) else to

    return forge


def _own(proof: Json) -> Json:
    line: Json = next(line for line in proof["lines"] if "posting" in line or "shown" in line)
    return line


def _shown(line: Json) -> Json:
    posting: Json = line["posting"] if "posting" in line else line["shown"]
    return posting


def _posting(column: str, to: Any) -> Callable[[Json, Json], None]:
    def forge(proof: Json, _: Json) -> None:
        _shown(_own(proof))[column] = to

    return forge


def _transaction(column: str, to: Any) -> Callable[[Json, Json], None]:
    def forge(proof: Json, _: Json) -> None:
        transaction = proof["transaction"]
        transaction.get("shown", transaction)[column] = to

    return forge


def _salts_swapped(proof: Json, _: Json) -> None:
    head = proof if proof["format"].endswith("1") else proof["transaction"]
    head["salt"], _own(proof)["salt"] = _own(proof)["salt"], head["salt"]


def _lines_swapped(proof: Json, _: Json) -> None:
    proof["lines"].reverse()


def _lines_swapped_and_numbered(proof: Json, _: Json) -> None:
    proof["lines"].reverse()
    line = _own(proof)
    _shown(line)["line"] = 1


def _other_line_opened(proof: Json, other: Json) -> None:
    """The other side's line, from its own proof: as good as if both had shown theirs."""
    proof["lines"][0] = other["lines"][0]


def _other_line_made_up(proof: Json, other: Json) -> None:
    proof["lines"][0] = copy.deepcopy(other["lines"][0])
    line = proof["lines"][0]
    _shown(line)["account_id"] = "0c" * 16


def _of_another_checkpoint(proof: Json, other: Json) -> None:
    """Another statement, well signed by the same key."""
    proof["statement"], proof["signature"] = other["statement"], other["signature"]


#: By what is done to the payee's proof of position 5, second of the four of its checkpoint: what is said of it.
FORGERIES: dict[str, tuple[Callable[[Json, Json], object], str]] = {
    "the amount": (_posting("amount", 100_000), "chain"),
    "the direction": (_posting("side", "debit"), "chain"),
    "the wallet": (_posting("account_id", "0c" * 16), "chain"),
    "the time": (_transaction("created_at", "2026-11-23T06:30:00.000005Z"), "chain"),
    "the type": (_transaction("type", "refund"), "chain"),
    "the currency": (_transaction("currency", "USD"), "chain"),
    "the transaction's id": (_transaction("id", "0c" * 16), "chain"),
    "salts swapped": (_salts_swapped, "chain"),
    "lines swapped": (_lines_swapped, "unreadable"),
    "lines swapped and numbered": (_lines_swapped_and_numbered, "chain"),
    "a line more": (lambda proof, _: proof["lines"].append({"hash": "00" * 32}), "chain"),
    "the other line gone": (lambda proof, _: proof["lines"].pop(0), "unreadable"),
    "no line shown": (lambda proof, _: proof["lines"].pop(), "unreadable"),
    "no line at all": (_put("lines", to=[]), "unreadable"),
    "256 lines": (_put("lines", to=lambda lines: lines + [lines[0]] * 254), "unreadable"),
    "the other line made up": (_other_line_made_up, "chain"),
    "the chain before": (_put("before", to="00" * 32), "chain"),
    "nothing after": (_put("after", to=[]), "chain"),
    "one less after": (lambda proof, _: proof["after"].pop(), "chain"),
    "the first after gone": (lambda proof, _: proof["after"].pop(0), "chain"),
    "one more after": (lambda proof, _: proof["after"].append("00" * 32), "chain"),
    "so many after that it would be before the first": (_put("after", to=lambda after: after * 99), "chain"),
    "999 after": (_put("after", to=["00" * 32] * 999), "chain"),
    "1000 after": (_put("after", to=["00" * 32] * 1000), "unreadable"),
    "more after than can be read": (_put("after", to=["00" * 32] * 100_000), "unreadable"),
    "after another one": (_put("after", to=lambda after: after[::-1]), "chain"),
    "its number": (_put("statement", "number", to=9), "signature"),
    "its first": (_put("statement", "first", to=1), "signature"),
    "its last": (_put("statement", "last", to=8), "signature"),
    "its chain": (_put("statement", "chain", to="00" * 32), "signature"),
    "when it was sealed": (_put("statement", "sealed_at", to="2026-11-22T06:32:00.000001Z"), "signature"),
    "its ledger": (_put("statement", "ledger", to="cd" * 16), "signature"),
    "the signature": (_put("signature", to=lambda told: "AAAA" + told[4:]), "signature"),
    "a short signature": (_put("signature", to=lambda told: told[:-4]), "signature"),
    "a long signature": (
        _put("signature", to=lambda told: base64.b64encode(base64.b64decode(told) + b"x").decode()),
        "signature",
    ),
    "no signature": (_put("signature", to=""), "unreadable"),
    "a signature with bits behind its end": (
        _put("signature", to=lambda told: told[:-3] + chr(ord(told[-3]) + 1) + "=="),
        "unreadable",
    ),
    "a signature that is no base64": (_put("signature", to=lambda told: told[:-4] + "-_=="), "unreadable"),
    "the statement of another checkpoint": (_of_another_checkpoint, "chain"),
    "another format": (_put("format", to="wallet proof 3"), "unreadable"),
    "the other form's name": (
        _put("format", to=lambda told: f"wallet proof {3 - int(told[-1])}"),
        "unreadable",
    ),
    "a checkpoint of the other form": (
        _put("statement", "format", to=lambda told: f"wallet checkpoint {3 - int(told[-1])}"),
        "unreadable",
    ),
    "a name more": (
        lambda proof, _: proof.update(note="paid by Asha"),
        "unreadable",
    ),
    "a name more in a line": (lambda proof, _: _own(proof).update(note="x"), "unreadable"),
    "a column more": (_posting("note", "x"), "unreadable"),
    "a name more in the transaction": (_transaction("name", "Asha"), "unreadable"),
    "a name more in the statement": (lambda proof, _: proof["statement"].update(note="x"), "unreadable"),
    "a name that objects have": (lambda proof, _: proof.update({"__proto__": {"amount": 1}}), "unreadable"),
    "a line with hash and posting": (lambda proof, _: _own(proof).update(hash="00" * 32), "unreadable"),
    "a fraction": (_posting("amount", 100.0), "unreadable"),
    "digits as a text": (_posting("amount", "100"), "unreadable"),
    "a truth": (_put("lines", 1, to=lambda line: {**line, "salt": True}), "unreadable"),
    "zero": (_posting("amount", 0), "unreadable"),
    "less than zero": (_posting("amount", -100), "unreadable"),
    "a number that no browser can read": (_posting("amount", 2**53), "unreadable"),
    "the largest that all can read": (_posting("amount", 2**53 - 1), "chain"),
    "a time that is none": (_transaction("created_at", "2026-02-30T06:30:00.000005Z"), "unreadable"),
    "a time of another zone": (_transaction("created_at", "2026-11-22T06:30:00.000005+05:30"), "unreadable"),
    "capital digits": (_put("before", to=lambda told: told.upper()), "unreadable"),
    "a digit less": (_put("before", to=lambda told: told[1:]), "unreadable"),
}


@in_each_form
def test_every_forgery_is_refused_by_both_for_the_same_reason(
    page: Page, folder: Path, histories: dict[int, Evidence], form: int
) -> None:
    evidence = histories[form]
    receipts = []
    for how, (forge, _) in FORGERIES.items():
        proof = evidence.proof(5)
        forge(proof, evidence.proof(9) if forge is _of_another_checkpoint else evidence.proof(5, ASHA))
        receipts.append(text(proof))
        assert receipts[-1] != text(evidence.proof(5)), f"{how}: nothing is altered"
    told = dict(zip(FORGERIES, both(page, folder, receipts), strict=True))
    assert told == {how: why for how, (_, why) in FORGERIES.items()}


def test_what_form_2_hides_can_not_be_exchanged(page: Page, folder: Path, histories: dict[int, Evidence]) -> None:
    def exchanged(proof: Json) -> Json:
        one, other = proof["transaction"], _own(proof)
        one["hidden"], other["hidden"] = other["hidden"], one["hidden"]
        return proof

    def emptied(proof: Json) -> Json:
        _own(proof)["hidden"] = "00" * 32
        return proof

    receipts = [text(forge(histories[2].proof(5))) for forge in (exchanged, emptied)]
    assert both(page, folder, receipts) == ["chain"] * 2


def test_what_both_sides_show_together_is_good(page: Page, folder: Path, histories: dict[int, Evidence]) -> None:
    """Each opens their own line; nobody opens anybody else's."""
    receipts = []
    for form in (1, 2):
        proof = histories[form].proof(5)
        _other_line_opened(proof, histories[form].proof(5, ASHA))
        receipts.append(text(proof))
    assert both(page, folder, receipts) == ["proven"] * 2


@in_each_form
def test_seals_of_one_form_are_none_under_a_checkpoint_of_the_other(page: Page, folder: Path, form: int) -> None:
    """Though the key has signed it: what says the one and is the other is nothing."""
    other = 3 - form
    proof = _proof_of(
        [content(2), content(3)], form=form, spoil=lambda made: replace(made, form=other, balances_salt=salt(1))
    )
    renamed = {**copy.deepcopy(proof), "format": f"wallet proof {other}"}
    assert proof["statement"]["format"] == f"wallet checkpoint {other}"
    assert both(page, folder, [text(proof), text(renamed)]) == ["unreadable"] * 2


_TEXTS: dict[str, Callable[[bytes], bytes]] = {
    "a name twice": lambda told: told.replace(b'"amount": 100', b'"amount": 999, "amount": 100', 1),
    "a name twice, once escaped": lambda told: told.replace(b'"amount": 100', b'"amo\\u0075nt": 999, "amount": 100', 1),
    "a name twice in the statement": lambda told: told.replace(b'"number": 2', b'"number": 3, "number": 2', 1),
    "a name twice at the top": lambda told: told.replace(b'{"format"', b'{"format": "x", "format"', 1),
    "an exponent": lambda told: told.replace(b'"amount": 100', b'"amount": 1e2', 1),
    "a fraction": lambda told: told.replace(b'"amount": 100', b'"amount": 100.0', 1),
    "less than nothing": lambda told: told.replace(b'"amount": 100', b'"amount": -0', 1),
    "a zero before it": lambda told: told.replace(b'"amount": 100', b'"amount": 0100', 1),
    "no number": lambda told: told.replace(b'"amount": 100', b'"amount": NaN', 1),
    "endless": lambda told: told.replace(b'"amount": 100', b'"amount": Infinity', 1),
    "digits of another script": lambda told: told.replace(b'"amount": 100', '"amount": १००'.encode(), 1),
    "so many digits": lambda told: told.replace(b'"amount": 100', b'"amount": ' + b"1" * 5000, 1),
    "cut off": lambda told: told[:-1],
    "something behind it": lambda told: told + b"{}",
    "twice": lambda told: told * 2,
    "a comma too many": lambda told: told[:-1] + b",}",
    "a mark of its bytes' order": lambda told: b"\xef\xbb\xbf" + told,
    "no UTF-8": lambda told: told.replace(b'"payment"', b'"pay\xffment"', 1),
    "a line within a text": lambda told: told.replace(b'"payment"', b'"pay\nment"', 1),
    "UTF-16": lambda told: told.decode().encode("utf-16"),
    "a list of it": lambda told: b"[" + told + b"]",
    "a comment": lambda told: b"/* paid */" + told,
    "another blank": lambda told: b"\xc2\xa0" + told,
    "nothing": lambda _: b"",
    "an empty object": lambda _: b"{}",
    "null": lambda _: b"null",
    "a picture": lambda _: b"\x89PNG\r\n\x1a\n" + bytes(100),
    "nested too deep": lambda _: b"[" * 100_000,
    "too large": lambda told: told + b" " * 300_000,
}


@in_each_form
def test_what_could_be_read_in_two_ways_is_read_in_none(
    page: Page, folder: Path, histories: dict[int, Evidence], form: int
) -> None:
    told = text(histories[form].proof(5))
    receipts = [alter(told) for alter in _TEXTS.values()]
    assert not [how for how, receipt in zip(_TEXTS, receipts, strict=True) if receipt == told], "nothing is altered"
    said = dict(zip(_TEXTS, both(page, folder, receipts), strict=True))
    assert said == dict.fromkeys(_TEXTS, "unreadable")


_OTHERS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 5, 2**53, 1.5, "", "x", "0" * 32, "0" * 64, "debit", "2026-11-22T06:30:00.000000Z"),
    *([], [[]], {}, ["0" * 64], {"hash": "0" * 64}, {"posting": {}, "salt": "0" * 32}),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, one in inner for found in _places(one, (*path, step)))]


@in_each_form
def test_nothing_in_a_receipt_can_be_anything_else(
    page: Page, folder: Path, histories: dict[int, Evidence], form: int
) -> None:
    """Each value, of whatever depth, in place of each other one: both refuse it, for the same reason."""
    proof = histories[form].proof(5)
    receipts, named = [], []
    for path in _places(proof)[1:]:
        for other in _OTHERS:
            forged = copy.deepcopy(proof)
            _put(*path, to=other)(forged, {})
            if forged != proof:
                receipts.append(text(forged))
                named.append((path, other))
    said = both(page, folder, receipts)
    accepted = [told for told, verdict in zip(named, said, strict=True) if verdict == "proven"]
    # what says only who the other side is: of those no forger gains, see below
    assert accepted == [
        (("lines", 0, name), other) for name, other in (("salt", "0" * 32), ("hidden", "0" * 64)) if form == 2
    ]


@in_each_form
def test_no_byte_of_a_receipt_can_be_another_one(
    page: Page, folder: Path, histories: dict[int, Evidence], form: int
) -> None:
    told = text(histories[form].proof(5))
    chosen = random.Random(form)
    receipts = []
    for at in chosen.sample(range(len(told)), 400):
        other = chosen.choice([byte for byte in b'0123456789abcdef"{}[]:, \\' if byte != told[at]])
        receipts.append(told[:at] + bytes([other]) + told[at + 1 :])
    for receipt, verdict in zip(receipts, both(page, folder, receipts), strict=True):
        if verdict == "proven":
            forged, proof = json.loads(receipt), json.loads(told)
            for name in ("salt", "hidden"):
                forged["lines"][0].pop(name, None)
                proof["lines"][0].pop(name, None)
            assert forged == proof, "a blank for a blank, or what says who the other side is"


# -------------------------------------------------------------------------------------------------- who it is


def test_a_receipt_is_good_whoever_holds_it_and_says_to_the_other_side_that_it_is_theirs(
    page: Page, folder: Path, histories: dict[int, Evidence]
) -> None:
    """Somebody shows Asha's payment to Bela as their own, to a shop: it is no payment to the shop, and shows that."""
    receipt = text(histories[2].proof(5, ASHA))
    shown = ids.show(ids.WALLET, UUID(BELA))
    shop = ids.show(ids.WALLET, UUID(int=7))
    for other, is_it in ((BELA, True), (shown, True), (shop, False), (ASHA, False), ("0c" * 16, False), ("x", False)):
        [told] = page.verdicts([receipt], [KEY.der], other=other)
        assert (told["is"], told["other"]) == ("proven", is_it)
        assert strangers_verdict(receipt, KEY.der, folder, other=other) == ("proven" if is_it else "other")


def test_of_a_forged_or_missing_word_on_the_other_side_nobody_is_the_other_side(
    page: Page, folder: Path, histories: dict[int, Evidence]
) -> None:
    for name in ("salt", "hidden"):
        proof = histories[2].proof(5, ASHA)
        proof["lines"][1][name] = "0" * len(proof["lines"][1][name])
        [told] = page.verdicts([text(proof)], [KEY.der], other=BELA)
        assert (told["is"], told["other"]) == ("proven", False)
        assert strangers_verdict(text(proof), KEY.der, folder, other=BELA) == "other"
    proof = histories[2].proof(5, ASHA)
    del proof["lines"][1]["salt"], proof["lines"][1]["hidden"]
    [told] = page.verdicts([text(proof)], [KEY.der], other=BELA)
    assert (told["is"], told["other"]) == ("proven", None)


# ------------------------------------------------------------------------------------------------------ links


def test_a_link_has_all_of_a_receipt_or_there_is_none(page: Page, histories: dict[int, Evidence]) -> None:
    short = json.dumps(histories[2].proof(5), separators=(",", ":"))
    long = json.dumps(_proof_of([content(number) for number in range(2, 102)], form=2))
    texts = [short, "चाय ☕", "~~~???>>>", long]
    links = page.links(texts)
    assert links[3] is None
    found = [link for link in links if link is not None]
    assert all(re.fullmatch("[A-Za-z0-9_-]+", link) for link in found), "nothing that a messenger cuts at"
    assert page.from_links(found) == texts[:3]
    assert page.from_links(["", "txn 1", "a", "%7B%7D", found[0] + "="]) == [None] * 5


# ------------------------------------------------------------------------------------------------------- keys


def test_it_is_signed_by_the_key_and_by_no_other(page: Page, folder: Path, histories: dict[int, Evidence]) -> None:
    receipt, other = text(histories[2].proof(5)), Key(2048)
    assert both(page, folder, [receipt], key=other.der) == ["signature"]
    [told] = page.verdicts([receipt], [other.der, KEY.pem])
    assert (told["is"], told["key"]) == ("proven", 1), "PEM and DER, and whichever of several"
    assert page.verdicts([receipt], []) == [{"is": "refused", "why": "signature"}]


def test_a_key_that_is_none_or_too_small_signs_nothing(page: Page, histories: dict[int, Evidence]) -> None:
    receipt = text(histories[2].proof(5))
    for key in (b"", b"x", KEY.der[:-1], Key(1024).der, KEY.pem.replace(b"A", b"!")):
        assert page.verdicts([receipt], [key]) == [{"is": "refused", "why": "signature"}]
