#!/usr/bin/env python3
"""Verifies a wallet's ledger against its signed checkpoints, or one transaction against one, with nothing but Python.

    python verify.py export.jsonl checkpoints/ public-key.pem
    python verify.py proof proof.json public-key.pem [--other wal_…]

One file, the standard library, no part of the wallet: written from docs/audit.md, for somebody who trusts neither the
database nor the people who run it. The exit status is 0 if all is as it was signed, 1 if not (the first bad transaction
is named), 2 if there is nothing that can be verified. The key must come from somebody you trust, not from the export.
"""

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

Json = dict[str, Any]

#: How histories are sealed, by their form: 2 shows of a payment what a third person may see, and hashes of the rest.
CHECKPOINTS = {"wallet checkpoint 1": 1, "wallet checkpoint 2": 2}
PROOFS = {"wallet proof 1": 1, "wallet proof 2": 2}
EXPORTS = ("wallet export 1", "wallet export 2")
#: What there is of a transaction and of a posting, and what of it form 2 shows.
TRANSACTION = frozenset(
    (
        "id",
        "type",
        "amount",
        "currency",
        "actor_id",
        "description",
        "reference",
        "attempt_id",
        "gateway",
        "gateway_payment_id",
        "suspense_reason",
        "cause_id",
        "hold_id",
        "withdrawal_id",
        "source_refund_id",
        "created_at",
    )
)
POSTING = frozenset(("line", "account_id", "slot", "type", "side", "amount", "entry_no", "balance_after", "created_at"))
TRANSACTION_SHOWN = frozenset(("id", "type", "currency", "created_at"))
POSTING_SHOWN = frozenset(("line", "account_id", "side", "amount"))
STATEMENT = frozenset(
    (
        "format",
        "ledger",
        "number",
        "first",
        "last",
        "chain_before",
        "chain",
        "previous",
        "sealed_at",
        "balances",
        "entries",
    )
)
#: The most transactions under one checkpoint, and the most bytes that a proof about one of them has.
BATCH = 1000
LARGEST_PROOF = 256 * 1024
#: What nobody should read into a proof.
UNPROVEN = "It proves no name, nor who holds it, nor that nothing was given back afterwards."

#: A commit may take so long that its transaction is dated before one which is sealed already; not longer.
LATE = timedelta(minutes=5)
#: What is sealed later than this after it was written is named: for so long it could be altered without a trace.
SOON = timedelta(minutes=15)
#: So many altered transactions are named; of what is removed, inserted or reordered only the first can be told.
MOST = 20


class UnreadableError(Exception):
    """What is there can't be read as what it should be, so nothing can be said about it."""


def read_json(text: str | bytes, **how: Any) -> Any:  # noqa: ANN401 - whatever it says
    """JSON that can be read in one way only: a name twice is two texts in one, and each reader would take another."""
    try:
        return json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_number, **how)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no whole number")


def _whole(text: str) -> int:
    """A whole number that every reader of JSON takes for the same one."""
    if text == "-0" or len(text) > 17 or abs(int(text)) >= 2**53:
        raise ValueError(f"{text[:20]} is no number that all can read")
    return int(text)


def _each_once(pairs: list[tuple[str, Any]]) -> Json:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError("a name is there twice")
    return told


# ------------------------------------------------------------------------------------------------ hashes


def canonical(value: object) -> bytes:
    """JSON as it is hashed: sorted keys, no blanks, nothing but ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def digest(word: str, *parts: bytes) -> bytes:
    """The hash of something, told apart from all others by a word."""
    return hashlib.sha256(f"{word}\n".encode() + b"".join(parts)).digest()


def salt_of(salt: bytes, line: int) -> bytes:
    """The salt of one line of a transaction; line 0 is the transaction itself."""
    return digest("wallet salt 1", salt, bytes([line]))[:16]


def hash_of_posting(posting: Json, salt: bytes) -> bytes:
    """The hash of a posting, by the salt of its line."""
    return digest("wallet posting 1", salt, canonical(posting))


def hash_of_transaction(transaction: Json, salt: bytes) -> bytes:
    """The hash of a transaction's own columns, by the salt of line 0."""
    return digest("wallet transaction 1", salt, canonical(transaction))


def salts_of(salt: bytes, line: int) -> tuple[bytes, bytes]:
    """Form 2: the salts of a line, the first for what it shows, the second for what it hides."""
    both = digest("wallet salt 2", salt, bytes([line]))
    return both[:16], both[16:]


def opened_hash(what: str, shown: Json, salt: bytes, hidden: bytes) -> bytes:
    """Form 2: the hash of a transaction's own columns or of a posting, from what it shows and the hash of the rest."""
    return digest(f"wallet {what} 2", salt, hidden, canonical(shown))


def hash_in_two(what: str, record: Json, columns: frozenset[str], salt: bytes, line: int) -> bytes:
    """Form 2: the same, from all of its columns."""
    shown = {name: value for name, value in record.items() if name in columns}
    rest = {name: value for name, value in record.items() if name not in columns}
    salt_of_shown, salt_of_hidden = salts_of(salt, line)
    hidden = digest(f"wallet {what} hidden 2", salt_of_hidden, canonical(rest))
    return opened_hash(what, shown, salt_of_shown, hidden)


def leaf_of(transaction: Json, postings: list[Json], salt: bytes, form: int) -> bytes:
    """The hash of a transaction with all its postings, in the order of their lines."""
    postings = sorted(postings, key=lambda posting: int(posting["line"]))
    if form == 1:
        lines = [hash_of_posting(posting, salt_of(salt, posting["line"])) for posting in postings]
        return digest("wallet leaf 1", hash_of_transaction(transaction, salt_of(salt, 0)), *lines)
    lines = [hash_in_two("posting", posting, POSTING_SHOWN, salt, posting["line"]) for posting in postings]
    return digest("wallet leaf 2", hash_in_two("transaction", transaction, TRANSACTION_SHOWN, salt, 0), *lines)


def hash_of_balances(balances: Json, salt: bytes) -> bytes:
    """What a statement of form 2 says of balances."""
    return digest("wallet balances 2", salt, canonical(balances))


def link(chain: bytes, leaf: bytes) -> bytes:
    """The chain behind one more leaf."""
    return digest("wallet chain 1", chain, leaf)


# ------------------------------------------------------------------------------------------- the signature


@dataclass(frozen=True)
class PublicKey:
    """An RSA key."""

    modulus: int
    exponent: int
    fingerprint: str  # SHA-256 of the key as DER, hexadecimal

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this is the key's RSASSA-PKCS1-v1_5 signature with SHA-256 of the message (RFC 8017, 8.2.2).

        The whole padded digest is made again and compared: nothing of the signature is parsed.
        """
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != size or number >= self.modulus:
            return False
        told = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(message).digest()
        wanted = b"\x00\x01" + b"\xff" * (size - len(told) - 3) + b"\x00" + told
        return hmac.compare_digest(pow(number, self.exponent, self.modulus).to_bytes(size, "big"), wanted)


_RSA = bytes.fromhex("300d06092a864886f70d0101010500")  # rsaEncryption, no parameters


def read_key(data: bytes) -> PublicKey:
    """An RSA public key as `SubjectPublicKeyInfo`, in PEM or in DER."""
    if b"-----BEGIN PUBLIC KEY-----" in data:
        inner = data.partition(b"-----BEGIN PUBLIC KEY-----")[2].partition(b"-----END PUBLIC KEY-----")[0]
        try:
            data = base64.b64decode(b"".join(inner.split()), validate=True)
        except binascii.Error as error:
            raise UnreadableError("the public key is no PEM") from error
    fingerprint = hashlib.sha256(data).hexdigest()
    outer, rest = _take(data, 0x30)
    if rest or not outer.startswith(_RSA):
        raise UnreadableError("the public key is no RSA key")
    bits, rest = _take(outer[len(_RSA) :], 0x03)
    if rest or bits[:1] != b"\x00":
        raise UnreadableError("the public key is no RSA key")
    pair, rest = _take(bits[1:], 0x30)
    modulus, exponent = _take(pair, 0x02)
    exponent, more = _take(exponent, 0x02)
    key = PublicKey(int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"), fingerprint)
    if rest or more or key.modulus.bit_length() < 2048 or key.exponent < 65537 or key.exponent % 2 == 0:
        raise UnreadableError("the public key is none that should be trusted: 2048 bits or more, exponent 65537")
    return key


def _take(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the DER element at the beginning of `data`, and what is behind it."""
    if len(data) < 2 or data[0] != tag:
        raise UnreadableError("the public key is no DER of an RSA key")
    length, begin = data[1], 2
    if length >= 0x80:
        begin += length & 0x7F
        length = int.from_bytes(data[2:begin], "big")
    if len(data) < begin + length:
        raise UnreadableError("the public key is cut off")
    return data[begin : begin + length], data[begin + length :]


# --------------------------------------------------------------------------------------------- what was found


@dataclass
class Report:
    """What was found, in the order in which it was found; `lines` is what there is to say beside that."""

    breaks: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    def broken(self, what: str) -> None:
        """Notes one thing that is not as it was signed."""
        self.breaks.append(what)


def altered(position: int, transaction: str, how: str) -> str:
    """How one bad transaction is named."""
    return f"transaction {transaction} at position {position}: {how}"


# ----------------------------------------------------------------------------------------------- checkpoints


@dataclass(frozen=True)
class Checkpoint:
    """A published checkpoint whose signature is good."""

    path: Path
    statement: Json
    balances: Json  # in clear, whichever the form

    @property
    def form(self) -> int:
        """How all that is under it is sealed."""
        return CHECKPOINTS[self.statement["format"]]

    def entries(self) -> list[list[str]]:
        """The id and the leaf of each of its transactions."""
        entries: list[list[str]] = read_json(self.path.read_bytes())["entries"]
        return entries


def read_checkpoints(folder: Path, key: PublicKey, report: Report) -> list[Checkpoint]:
    """The checkpoints of a folder, each signed and following from the one before; up to the first that is not."""
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise UnreadableError(f"no checkpoint is in {folder}")
    found: list[Checkpoint] = []
    before: Json | None = None
    for number, path in enumerate(paths, start=1):
        name = f"checkpoint {number}"
        if path.stem != f"{number:012}":
            report.broken(f"{name} is missing: {path.name} is where {number:012}.json should be")
            return found
        try:
            content = read_json(path.read_bytes())
            statement, entries = content["statement"], content["entries"]
            signature = base64.b64decode(content["signature"], validate=True)
            balances, salt = statement["balances"], b""
            if CHECKPOINTS.get(statement["format"]) == 2:
                balances, salt = content["opening"]["balances"], bytes.fromhex(content["opening"]["salt"])
            fault = fault_of_checkpoint(statement, entries, number, before, balances=balances, salt=salt)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            report.broken(f"{name} can't be read: {type(error).__name__}")
            return found
        if not key.signed(canonical(statement), signature):
            fault = "its signature is not the key's"
        if fault is not None:
            report.broken(f"{name}: {fault}")
            return found
        found.append(Checkpoint(path, statement, balances))
        before = statement
    return found


def fault_of_checkpoint(
    statement: Json, entries: list[list[str]], number: int, before: Json | None, *, balances: Json, salt: bytes
) -> str | None:
    """What is wrong with a checkpoint by itself, or as the one that follows `before`.

    `balances` are in clear; `salt` is what a statement of form 2 has their hash by.
    """
    last, chain, previous = (0, "00" * 32, "00" * 32)
    if before is not None:
        last, chain, previous = before["last"], before["chain"], hashlib.sha256(canonical(before)).hexdigest()
    end = bytes.fromhex(statement["chain_before"])
    for _, leaf in entries:
        end = link(end, bytes.fromhex(leaf))
    rules = {
        "it has another format": statement["format"] in CHECKPOINTS,
        "a number in it is not whole": has_whole_numbers(statement, balances),
        "its balances are not those that were signed": statement["format"] == "wallet checkpoint 1"
        or statement["balances"] == hash_of_balances(balances, salt).hex(),
        "it has another number": statement["number"] == number,
        "it is of another ledger": before is None or statement["ledger"] == before["ledger"],
        "it does not name the statement before it": statement["previous"] == previous,
        "it does not begin where the one before it ends": statement["first"] == last + 1
        and statement["chain_before"] == chain,
        "its list of transactions is not the one that was signed": statement["entries"]
        == hashlib.sha256(canonical(entries)).hexdigest()
        and len(entries) == statement["last"] - statement["first"] + 1,
        "its chain does not follow from its transactions": end.hex() == statement["chain"],
        "its balances do not add up to nothing": all(sum(accounts.values()) == 0 for accounts in balances.values()),
    }
    return next((fault for fault, good in rules.items() if not good), None)


def has_whole_numbers(statement: Json, balances: Json) -> bool:
    """Whether every number is whole, and is written so: to Python 5.0 and true are equal to 5 and 1, to others not."""
    numbers = [statement[name] for name in ("number", "first", "last")]
    numbers += [amount for accounts in balances.values() for amount in accounts.values()]
    return all(type(number) is int for number in numbers)


# ------------------------------------------------------------------------------------------------ the export


class Export:
    """A ledger as it was exported: JSON lines, read as often as need be."""

    def __init__(self, path: Path) -> None:
        self.path = path
        first = next(self._lines(), {})
        if first.get("format") not in EXPORTS:
            raise UnreadableError(f"{path} is no export of a ledger")
        self.ledger: str = first["ledger"]
        self.accounts: dict[str, str] = first["accounts"]

    def transactions(self) -> Iterator[Json]:
        """Each line but the first and the last; raises if the last is not there."""
        counted = 0
        for number, line in enumerate(self._lines()):
            if "end" in line:
                if line["end"] != counted:
                    raise UnreadableError(f"{self.path} has {counted} transactions and says {line['end']}")
                return
            if number > 0:
                counted += 1
                yield line
        raise UnreadableError(f"{self.path} is cut off: its last line is missing")

    def sealed(self) -> Iterator[Json]:
        """What has a seal, in the order of positions."""
        return (line for line in self.transactions() if line["position"] is not None)

    def unsealed(self) -> Iterator[Json]:
        """What has none."""
        return (line for line in self.transactions() if line["position"] is None)

    def has(self, transaction: str) -> bool:
        """Whether a transaction is sealed anywhere in it."""
        return any(line["transaction_id"] == transaction for line in self.sealed())

    def _lines(self) -> Iterator[Json]:
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                try:
                    told = read_json(line)
                except ValueError as error:
                    raise UnreadableError(f"{self.path} has a line that can't be read: {error}") from error
                if not isinstance(told, dict):
                    raise UnreadableError(f"{self.path} has a line that is no object")
                yield told


def verify_export(export: Export, checkpoints: list[Checkpoint], report: Report) -> None:
    """Holds an export against checkpoints that are good in themselves."""
    if checkpoints and checkpoints[0].statement["ledger"] != export.ledger:
        report.broken("the export is of another ledger than the checkpoints")
        return
    walk = _Walk(export, report)
    for checkpoint in checkpoints:
        if not walk.under(checkpoint, checkpoints):
            return
    covered = walk.position
    walk.behind()
    if report.late:
        report.lines.append(
            f"{len(report.late)} transactions were sealed later than {SOON.seconds // 60} minutes after they were"
            " written, and until then could be altered without a trace: was the sealer away then, or kept from them?"
        )
        report.lines += [f"LATE {told}" for told in report.late[:MOST]]
    report.lines.append(
        f"{covered} transactions are under {len(checkpoints)} signed checkpoints,"
        f" {walk.position - covered} are sealed and not yet under one, {walk.waiting} wait for their seal"
    )
    if checkpoints:
        last = checkpoints[-1].statement
        report.lines.append(f"the last checkpoint is number {last['number']} of {last['sealed_at']}: is it the newest?")


class _Walk:
    """Goes through an export and its checkpoints side by side."""

    def __init__(self, export: Export, report: Report) -> None:
        self.export = export
        self.report = report
        self.position = 0
        self.waiting = 0
        self._sealed = export.sealed()
        self._floor = ""  # what is sealed from here on is not dated before this
        self._balances: dict[str, dict[str, int]] = {}
        self._told_of_balances = False

    def under(self, checkpoint: Checkpoint, checkpoints: list[Checkpoint]) -> bool:
        """What one checkpoint says is there; False if it makes no sense to go on."""
        newest = ""
        is_sound = True
        for transaction, leaf in checkpoint.entries():
            self.position += 1
            found = next(self._sealed, None)
            if found is None or found["transaction_id"] != transaction:
                self._name_the_first(transaction, found, checkpoints)
                return False
            fault = self._fault(found, leaf, checkpoint.form)
            if fault is not None:
                self.report.broken(altered(self.position, transaction, fault))
                if len(self.report.breaks) >= MOST:
                    return False
                is_sound = False
                continue
            self._count(found)
            newest = max(newest, found["transaction"]["created_at"])
            self._note_if_late(found, checkpoint.statement["sealed_at"])
        self._compare(checkpoint, is_sound=is_sound)
        self._floor = max(self._floor, _late(min(newest, checkpoint.statement["sealed_at"])))
        return True

    def _compare(self, checkpoint: Checkpoint, *, is_sound: bool) -> None:
        """Holds the balances against those that were signed, and goes on with the latter.

        One false statement, told once, must not hide what is altered behind it.
        """
        told = checkpoint.balances
        if is_sound and not self._told_of_balances and not _same(self._balances, told):
            self._told_of_balances = True
            self.report.broken(f"checkpoint {checkpoint.statement['number']}: its balances are not those of the ledger")
        self._balances = {currency: dict(accounts) for currency, accounts in told.items()}

    def _note_if_late(self, found: Json, sealed_at: str) -> None:
        written = found["transaction"]["created_at"]
        if _moment(sealed_at) - _moment(written) > SOON:
            name = f"transaction {found['transaction_id']} at position {self.position}"
            self.report.late.append(f"{name}: written {written}, sealed {sealed_at}")

    def behind(self) -> None:
        """What is sealed behind the last checkpoint, and what has no seal."""
        for found in self._sealed:
            self.position += 1
            fault = self._fault(found, found["leaf"], _form(found))
            if fault is not None:
                self.report.broken(altered(self.position, found["transaction_id"], fault))
                return
        for found in self.export.unsealed():
            self.waiting += 1
            if found["transaction"] is None:
                fault = "inserted: there are postings of it, and it is not in the ledger"
            elif not found["waiting"]:
                fault = "inserted: it is neither sealed nor waits for a seal"
            elif found["transaction"]["created_at"] < self._floor:
                fault = "inserted: it is dated before what was sealed before it came"
            else:
                continue
            self.report.broken(f"transaction {found['transaction_id']}: {fault}")
            return

    def _fault(self, found: Json, leaf: str, form: int) -> str | None:
        """What is wrong with the transaction at this position, whose leaf should be this, in this form."""
        if found["position"] != self.position:
            return f"reordered: its seal says position {found['position']}"
        if found["transaction"] is None:
            return "removed: it has a seal and is not in the ledger"
        if found["transaction"].get("id") != found["transaction_id"] or _leaf_made(found, form) != leaf:
            return "altered: its columns, its postings or its salt are not those that were sealed"
        if found["leaf"] != leaf or _form(found) != form:
            return "altered: the leaf in its seal is not the one that was signed, or not of that form"
        if found["transaction"]["created_at"] < self._floor:
            return "inserted: it is dated before what was sealed before it"
        return None

    def _name_the_first(self, wanted: str, found: Json | None, checkpoints: list[Checkpoint]) -> None:
        """Tells removed, inserted and reordered apart, where another transaction stands than was signed."""
        if not self.export.has(wanted):
            self.report.broken(altered(self.position, wanted, "removed: it was signed, and is not in the ledger"))
        elif found is not None and not any(
            found["transaction_id"] == transaction for known in checkpoints for transaction, _ in known.entries()
        ):
            self.report.broken(
                altered(self.position, found["transaction_id"], "inserted: it stands where another one was signed")
            )
        else:
            self.report.broken(altered(self.position, wanted, "reordered: another one stands in its place"))

    def _count(self, found: Json) -> None:
        accounts = self._balances.setdefault(found["transaction"]["currency"], {})
        for posting in found["postings"]:
            name = self.export.accounts.get(posting["account_id"], "wallets")
            signed = posting["amount"] if posting["side"] == "credit" else -posting["amount"]
            accounts[name] = accounts.get(name, 0) + signed


def _form(found: Json) -> Any:  # noqa: ANN401 - whatever it says
    """How a transaction is sealed: an export of the first format knows one form, and doesn't say."""
    return found.get("form", 1)


def _leaf_made(found: Json, form: int) -> str:
    """The leaf of a transaction as it is now; nothing if it is no longer anything that has one."""
    try:
        if form not in (1, 2):
            return ""
        return leaf_of(found["transaction"], found["postings"], bytes.fromhex(found["salt"]), form).hex()
    except (ValueError, KeyError, TypeError):
        return ""


def _same(counted: dict[str, dict[str, int]], told: dict[str, dict[str, int]]) -> bool:
    """Whether balances are the same; what is not there is zero."""
    names = {(currency, name) for side in (counted, told) for currency in side for name in side[currency]}
    return all(
        counted.get(currency, {}).get(name, 0) == told.get(currency, {}).get(name, 0) for currency, name in names
    )


def _moment(time: str) -> datetime:
    return datetime.fromisoformat(time.removesuffix("Z"))


def _late(time: str) -> str:
    """The latest time before which nothing is dated that is sealed behind something of this time."""
    if not time:
        return ""
    moment = _moment(time) - LATE
    return moment.isoformat(timespec="microseconds") + "Z"


# -------------------------------------------------------------------------------------------------- a proof


@dataclass(frozen=True)
class Shown:
    """What a proof shows, once it has the shape of one: nothing in it is believed yet."""

    form: int
    transaction: Json
    lines: list[Json]  # of the postings that it shows, what it shows
    other: Json | None  # of a pair's other line: what it is like but for its account, and by what to know that
    leaf: bytes
    before: bytes
    after: list[bytes]
    statement: Json
    signature: bytes


def verify_proof(proof: Json, key: PublicKey, report: Report, *, other: str | None = None) -> None:
    """Verifies that one transaction, as far as it is shown, is under a signed checkpoint.

    `other`: the id of the wallet that should be its other side, hexadecimal or as `wal_…`.
    """
    if proof.get("format") not in PROOFS:
        raise UnreadableError("this is no proof")
    try:
        shown = read_proof(proof)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableError(f"the proof can't be read: {error}") from error
    statement, transaction = shown.statement, shown.transaction
    end = shown.before
    for leaf in (shown.leaf, *shown.after):
        end = link(end, leaf)
    position = statement["last"] - len(shown.after)
    if not key.signed(canonical(statement), shown.signature):
        report.broken("the checkpoint's signature is not the key's")
    elif end.hex() != statement["chain"] or position < statement["first"]:
        report.broken(f"transaction {transaction['id']} is not under the checkpoint: something in the proof is altered")
    elif other is not None and not is_other_side(shown, other):
        report.broken(f"wallet {other} is not the other side of transaction {transaction['id']}, or it is not shown")
    else:
        report.lines.append(
            f"transaction {transaction['id']} of {transaction['created_at']} is at position {position},"
            f" under checkpoint {statement['number']} of {statement['sealed_at']} of ledger {statement['ledger']}"
        )
        kind = {name: transaction[name] for name in ("type", "currency")}
        report.lines += [f"  {canonical({**kind, **line}).decode()}" for line in shown.lines]
        if other is not None:
            report.lines.append(f"the other side is wallet {other}")
        report.lines.append(UNPROVEN)


def read_proof(proof: Json) -> Shown:
    """A proof, if it has the shape of one and nothing beside that, where a reader could take it for proven.

    Raises ValueError, KeyError, TypeError or AttributeError.
    """
    form = PROOFS[proof["format"]]
    names = {"format", "transaction", "lines", "before", "after", "statement", "signature"}
    _exactly(proof, names | {"salt"} if form == 1 else names, "a proof")
    statement, lines, after = proof["statement"], proof["lines"], proof["after"]
    _fits_statement(statement, form)
    if not isinstance(lines, list) or not isinstance(after, list) or not 1 <= len(lines) <= 255 or len(after) >= BATCH:
        raise ValueError("its lists are none, or too long")
    if form == 1:
        transaction = proof["transaction"]
        head = hash_of_transaction(_fits(transaction, TRANSACTION, "a transaction"), _bytes(proof["salt"], 16))
        read = [_line_whole(told, line) for line, told in enumerate(lines, start=1)]
    else:
        transaction = _fits(proof["transaction"]["shown"], TRANSACTION_SHOWN, "a transaction")
        head = _opened("transaction", proof["transaction"])
        read = [_line_in_two(told, line) for line, told in enumerate(lines, start=1)]
    shown = [posting for _, posting in read if posting is not None]
    if not shown:
        raise ValueError("it shows no line")
    return Shown(
        form=form,
        transaction=transaction,
        lines=shown,
        other=_other_of(lines, shown) if form == 2 else None,
        leaf=digest(f"wallet leaf {form}", head, *(one for one, _ in read)),
        before=_bytes(proof["before"], 32),
        after=[_bytes(leaf, 32) for leaf in after],
        statement=statement,
        signature=_base64(proof["signature"]),
    )


def is_other_side(shown: Shown, wallet: str) -> bool:
    """Whether a wallet is the other side of what is shown: whoever knows its id can see that, and nobody else."""
    if shown.other is None:
        return False
    line = {**shown.other["shown"], "account_id": wallet_id(wallet)}
    salt, hidden = _bytes(shown.other["salt"], 16), _bytes(shown.other["hidden"], 32)
    return opened_hash("posting", line, salt, hidden) == _bytes(shown.other["hash"], 32)


def wallet_id(text: str) -> str:
    """A wallet's id as it is sealed, from itself or from the form that people see: `wal_` and base 32 (Crockford's)."""
    if not text.startswith("wal_"):
        return text
    number = 0
    for digit in text[4:]:
        number = number * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(digit)
    return f"{number:032x}"


def _line_whole(told: Json, line: int) -> tuple[bytes, Json | None]:
    """Form 1: the hash of a line, and the posting if it is shown."""
    if "posting" not in told:
        _exactly(told, {"hash"}, "a line")
        return _bytes(told["hash"], 32), None
    _exactly(told, {"posting", "salt"}, "a line")
    posting = _fits(told["posting"], POSTING, "a posting")
    _fits_posting(posting, line)
    return hash_of_posting(posting, _bytes(told["salt"], 16)), posting


def _line_in_two(told: Json, line: int) -> tuple[bytes, Json | None]:
    """Form 2: the hash of a line, and what is shown of the posting."""
    if "shown" in told:
        _fits_posting(_fits(told["shown"], POSTING_SHOWN, "a posting"), line)
        return _opened("posting", told), told["shown"]
    if "salt" in told:
        _exactly(told, {"hash", "salt", "hidden"}, "a line")
        _bytes(told["salt"], 16), _bytes(told["hidden"], 32)
    else:
        _exactly(told, {"hash"}, "a line")
    return _bytes(told["hash"], 32), None


def _opened(what: str, told: Json) -> bytes:
    _exactly(told, {"shown", "salt", "hidden"}, "what is opened")
    return opened_hash(what, told["shown"], _bytes(told["salt"], 16), _bytes(told["hidden"], 32))


def _other_of(lines: list[Json], shown: list[Json]) -> Json | None:
    """The other line of a pair: as much as the one that is shown, on the other side."""
    if len(lines) != 2 or len(shown) != 1:
        return None
    [own] = shown
    [told] = [told for told in lines if "shown" not in told]
    side = "credit" if own["side"] == "debit" else "debit"
    like = {"line": 3 - own["line"], "side": side, "amount": own["amount"]}
    return {**told, "shown": like} if "salt" in told else None


def _fits_statement(statement: Json, form: int) -> None:
    _exactly(statement, STATEMENT, "a statement")
    if CHECKPOINTS.get(statement["format"]) != form:
        raise ValueError("proof and checkpoint are of two forms")
    balances = statement["balances"]
    if form == 2:
        _bytes(balances, 32)
        balances = {}
    if not has_whole_numbers(statement, balances):
        raise ValueError("a number in the checkpoint's statement is not whole")
    _fits_id(statement["ledger"])
    _fits_time(statement["sealed_at"])
    for name in ("chain_before", "chain", "previous", "entries"):
        _bytes(statement[name], 32)


def _fits(record: Json, columns: frozenset[str], what: str) -> Json:
    """A record with exactly these columns, of texts, whole numbers and nothing."""
    _exactly(record, columns, what)
    if any(value is not None and type(value) not in (str, int) for value in record.values()):
        raise ValueError(f"{what} has a column that is neither text nor a whole number")
    if "id" in columns:
        _fits_id(record["id"])
        _fits_time(record["created_at"])
        if type(record["type"]) is not str or type(record["currency"]) is not str:
            raise ValueError(f"{what} has no type, or no currency")
    return record


def _fits_posting(posting: Json, line: int) -> None:
    _fits_id(posting["account_id"])
    if type(posting["line"]) is not int or posting["line"] != line:
        raise ValueError("a posting is not at its line")
    if posting["side"] not in ("debit", "credit") or type(posting["amount"]) is not int or posting["amount"] <= 0:
        raise ValueError("a posting is neither a debit nor a credit of an amount")


def _exactly(record: Json, names: frozenset[str] | set[str], what: str) -> None:
    if not isinstance(record, dict) or record.keys() != names:
        raise ValueError(f"{what} has other names than it should")


def _fits_id(text: str) -> None:
    _bytes(text, 16)


def _fits_time(text: str) -> None:
    if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}\.[0-9]{6}Z", text):
        raise ValueError("a time is not written as it should be")
    _moment(text)


def _bytes(text: str, size: int) -> bytes:
    """Bytes from lower-case hexadecimal digits: the one way in which they are written, and just so many of them."""
    if not isinstance(text, str) or not re.fullmatch(rf"[0-9a-f]{{{2 * size}}}", text):
        raise ValueError(f"{size} bytes are not written as they should be")
    return bytes.fromhex(text)


def _base64(text: str) -> bytes:
    """Bytes from base64, written in its one way: the bits behind its end are zero."""
    told = base64.b64decode(text, validate=True)
    if not told or base64.b64encode(told).decode() != text:
        raise ValueError("the signature is no base64")
    return told


# ------------------------------------------------------------------------------------------------ the command


def main(arguments: list[str]) -> int:
    """Runs the command; its exit status."""
    try:
        report, key = _run(arguments)
    except (UnreadableError, OSError) as error:
        print(f"can't be verified: {error}", file=sys.stderr)
        return 2
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        print(f"can't be verified: something is not of its form: {type(error).__name__} {error}", file=sys.stderr)
        return 2
    print(f"the key: sha256:{key.fingerprint}: is it the one that you trust?")
    for line in report.lines:
        print(line)
    for found in report.breaks:
        print(f"BROKEN {found}")
    print("broken" if report.breaks else "verified")
    return 1 if report.breaks else 0


def _run(arguments: list[str]) -> tuple[Report, PublicKey]:
    report = Report()
    if arguments[:1] == ["proof"]:
        parser = argparse.ArgumentParser(prog="verify.py proof", description="Verify one transaction.")
        parser.add_argument("proof", type=Path, help="what GET /wallet/transactions/{id}/proof answered")
        parser.add_argument("key", type=Path, help="the public key that checkpoints are signed with, PEM or DER")
        parser.add_argument("--other", help="the wallet that should be its other side, such as your own: wal_…")
        given = parser.parse_args(arguments[1:])
        try:
            text = given.proof.read_bytes()
            if len(text) > LARGEST_PROOF:
                raise UnreadableError("the proof is larger than one can be")
            proof = read_json(text.decode("utf-8"), parse_float=_no_number, parse_int=_whole)
        except ValueError as error:
            raise UnreadableError(f"the proof can't be read: {error}") from error
        key = read_key(given.key.read_bytes())
        verify_proof(proof if isinstance(proof, dict) else {}, key, report, other=given.other)
        return report, key
    parser = argparse.ArgumentParser(prog="verify.py", description="Verify a ledger against its signed checkpoints.")
    parser.add_argument("export", type=Path, help="what `make export` wrote")
    parser.add_argument("checkpoints", type=Path, help="the folder of checkpoints, as they are in the bucket")
    parser.add_argument("key", type=Path, help="the public key that checkpoints are signed with, PEM or DER")
    given = parser.parse_args(arguments)
    export, key = Export(given.export), read_key(given.key.read_bytes())
    verify_export(export, read_checkpoints(given.checkpoints, key, report), report)
    return report, key


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
