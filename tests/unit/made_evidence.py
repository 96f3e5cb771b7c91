"""A small ledger with its evidence, made by the product's own hashing, to be altered."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.support.signing import Key
from verifier import verify
from verifier.verify import Report
from wallet.ledger import checkpoints, seals
from wallet.ledger.checkpoints import Checkpoint
from wallet.ledger.proofs import make_proof
from wallet.ledger.seals import POSTING_COLUMNS, TRANSACTION_COLUMNS, Content, Seal

KEY = Key(2048)
PUBLIC = verify.read_key(KEY.pem)
LEDGER = "ab" * 16
US, ASHA, BELA = "01" * 16, "0a" * 16, "0b" * 16


def content(number: int, *, amount: int = 100, at: str = "2026-11-22T06:30:00") -> Content:
    """A top-up of Asha's, or from the second on a payment to Bela."""
    debit, credit = (US, ASHA) if number == 1 else (ASHA, BELA)
    transaction: dict[str, Any] = dict.fromkeys(TRANSACTION_COLUMNS)
    time = f"{at}.{number:06}Z"
    transaction |= {"id": f"{number:032x}", "type": "payment", "amount": amount, "currency": "INR", "created_at": time}
    lines = []
    for line, (side, account) in enumerate((("debit", debit), ("credit", credit)), start=1):
        posting: dict[str, Any] = dict.fromkeys(POSTING_COLUMNS)
        posting |= {"line": line, "account_id": account, "slot": 0, "side": side, "amount": amount, "created_at": time}
        posting |= {"type": "payment", "entry_no": 1_700 + number, "balance_after": 987_000 + number}
        lines.append(posting)
    return Content(transaction, tuple(lines))


def salt(position: int) -> bytes:
    return hashlib.sha256(position.to_bytes(4, "big")).digest()[:16]


class Evidence:
    """A ledger of so many batches, with an export and a folder of checkpoints as the product would write them.

    `forms` are those in which the batches are sealed, all of the newest if none are given.
    """

    def __init__(self, folder: Path, *sizes: int, forms: tuple[int, ...] = ()) -> None:
        self.folder = folder
        self.made: list[tuple[Checkpoint, list[Seal]]] = []
        self.contents: list[Content] = []
        chain = previous = seals.BEGINNING
        balances: checkpoints.Balances = {}
        (folder / "checkpoints").mkdir(parents=True)
        for number, size in enumerate(sizes, start=1):
            first = len(self.contents) + 1
            batch = [content(position) for position in range(first, first + size)]
            form = forms[number - 1] if forms else seals.NEWEST_FORM
            made = seals.make_seals(batch, [salt(first + index) for index in range(size)], first=first, form=form)
            balances = checkpoints.balances_after(balances, batch, {US: "gateway:razorpay"})
            checkpoint = checkpoints.make_checkpoint(
                made,
                ledger=LEDGER,
                number=number,
                chain_before=chain,
                previous=previous,
                sealed_at=f"2026-11-22T06:{30 + number}:00.000000Z",
                balances=balances,
            )
            self.put(checkpoint, made)
            chain, previous = checkpoint.chain, checkpoint.digest
            self.contents += batch
            self.made.append((checkpoint, made))
        self.lines: list[dict[str, Any]] = [
            {
                "position": seal.position,
                "transaction_id": seal.transaction_id,
                "salt": seal.salt.hex(),
                "leaf": seal.leaf.hex(),
                "form": seal.form,
                **line_of(self.contents[seal.position - 1]),
            }
            for _, made in self.made
            for seal in made
        ]

    def put(self, checkpoint: Checkpoint, made: list[Seal]) -> None:
        name = self.folder / checkpoints.object_key(checkpoint.number)
        name.write_bytes(checkpoints.published(checkpoint, checkpoints.entries_of(made), KEY.sign(checkpoint.digest)))

    def proof(self, position: int, account: str = BELA) -> dict[str, Any]:
        """The proof of a transaction for whoever has the account, as it comes out of a file."""
        checkpoint, made = next((c, m) for c, m in self.made if c.first <= position <= c.last)
        proof = make_proof(
            self.contents[position - 1],
            made,
            checkpoint,
            account_id=account,
            position=position,
            digest=checkpoint.digest,
            signature=KEY.sign(checkpoint.digest),
        )
        through_a_file: dict[str, Any] = json.loads(json.dumps(proof))
        return through_a_file

    def verify(self, lines: list[dict[str, Any]] | None = None, *, accounts: Any = None) -> list[str]:
        return self.report(lines, accounts=accounts).breaks

    def report(self, lines: list[dict[str, Any]] | None = None, *, accounts: Any = None) -> Report:
        """All that the verifier has to say."""
        told = self.lines if lines is None else lines
        head = {"format": "wallet export 2", "ledger": LEDGER, "accounts": accounts or {US: "gateway:razorpay"}}
        export = self.folder / "export.jsonl"
        export.write_text("\n".join(json.dumps(line) for line in [head, *told, {"end": len(told)}]))
        report = Report()
        good = verify.read_checkpoints(self.folder / "checkpoints", PUBLIC, report)
        verify.verify_export(verify.Export(export), good, report)
        return report


def verified(proof: dict[str, Any], *, other: str | None = None) -> verify.Report:
    """What a stranger finds in a proof."""
    report = verify.Report()
    verify.verify_proof(proof, PUBLIC, report, other=other)
    return report


def line_of(content: Content) -> dict[str, Any]:
    return {"transaction": dict(content.transaction), "postings": [dict(posting) for posting in content.postings]}


def unsealed(number: int, **changes: Any) -> dict[str, Any]:
    """A line of the export that has no seal."""
    made = line_of(content(number, **changes))
    return {"position": None, "transaction_id": made["transaction"]["id"], "waiting": True, **made}
