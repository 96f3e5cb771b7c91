"""A monthly statement as a file that a person reads, prints and hands on: one HTML page, complete in itself.

It is cut into sheets of A4 here, each with its number, so that they are the same on every screen and printer. It loads
nothing and runs nothing. What others wrote is in boxes that clip: with whatever marks, it draws over nothing else.
Letters of every script are drawn by who reads it (docs/decisions/0014).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape

from wallet.edge.shapes import wallet_id
from wallet.ledger import ids
from wallet.ledger.names import mask_phone, shorten
from wallet.ledger.periods import INDIA
from wallet.ledger.statements import Holder, MonthlyStatement, StatementEntry
from wallet.ledger.transactions import Side

MEDIA_TYPE = "text/html; charset=utf-8"

# Room for entries on a sheet, a line of text and what is around an entry, in tenths of a millimetre, and letters on a
# line: of the widest ones there are, so that nothing is cut off or pushed to another sheet, whatever the fonts.
_FIRST_SHEET = 1_850
_SHEET = 2_350
_LINE = 44
_AROUND = 11
_LETTERS = 36

_WORDS = {
    ("top_up", Side.CREDIT): "Top-up by UPI through",
    ("payment", Side.DEBIT): "Payment to",
    ("payment", Side.CREDIT): "Payment from",
    ("refund", Side.DEBIT): "Refund to",
    ("refund", Side.CREDIT): "Refund from",
    ("hold_capture", Side.DEBIT): "Payment to",
    ("hold_capture", Side.CREDIT): "Payment from",
    ("withdrawal", Side.DEBIT): "Withdrawal to",
    ("withdrawal_return", Side.CREDIT): "Withdrawal returned from",
    ("refund_to_source", Side.DEBIT): "Refund of a top-up through",
    ("fee", Side.DEBIT): "Fee",
    ("fee", Side.CREDIT): "Fee returned",
    ("adjustment", Side.DEBIT): "Correction",
    ("adjustment", Side.CREDIT): "Correction",
    ("chargeback", Side.DEBIT): "Taken back by your bank through",
    ("chargeback_reversal", Side.CREDIT): "Given back by your bank through",
}
_STYLE = """
@page { size: A4; margin: 12mm 14mm }
* { box-sizing: border-box }
body { margin: 0; background: #e8e8ea; color: #16161a; font: 9pt/4.4mm system-ui, "Noto Sans", sans-serif }
.sheet { position: relative; width: 210mm; min-height: 297mm; margin: 6mm auto; padding: 12mm 14mm; background: #fff }
h1 { margin: 0 0 4mm; font-size: 15pt; line-height: 8mm }
h1 small { font-weight: normal; font-size: 10pt }
dl { display: grid; grid-template-columns: 18mm 1fr 30mm 42mm; gap: 1mm 4mm; margin: 0 0 5mm }
dt { color: #5c5c66 }
dd { margin: 0; overflow-wrap: anywhere; overflow: hidden }
table { width: 100%; border-collapse: collapse; table-layout: fixed }
th { text-align: left; border-bottom: .4mm solid #16161a; font-weight: 600 }
td { vertical-align: top; border-bottom: .1mm solid #c9c9d0; overflow-wrap: anywhere; overflow: hidden }
th, td { padding: .5mm 1.5mm .5mm 0 }
td.others { padding: 0 1.5mm 0 0 }
.others > div { overflow: hidden; contain: paint; padding: .25mm 0 }
.when { width: 24mm }
.sum { width: 25mm; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.fine { color: #5c5c66; font-size: 7.5pt }
.carried td { font-weight: 600; border-bottom: .4mm solid #16161a }
footer { position: absolute; left: 14mm; right: 14mm; bottom: 8mm; display: flex; justify-content: space-between }
@media print {
  body { background: none }
  .sheet { width: auto; min-height: 0; height: 271mm; margin: 0; padding: 0; break-after: page }
  .sheet:last-child { break-after: auto }
  footer { left: 0; right: 0; bottom: 0 }
}
"""


@dataclass(frozen=True, slots=True)
class _Sheet:
    number: int
    brought: int
    entries: tuple[StatementEntry, ...]

    @property
    def carried(self) -> int:
        return self.entries[-1].balance_after if self.entries else self.brought


def statement_file(value: MonthlyStatement) -> str:
    """The file's text."""
    sheets = list(_sheets(value))
    pages = "".join(_page(value, sheet, of=len(sheets)) for sheet in sheets)
    return (
        '<!doctype html><html lang="en-IN"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
        f"<title>Wallet statement {value.month}</title><style>{_STYLE}</style></head><body>{pages}</body></html>\n"
    )


def rupees(amount: int) -> str:
    """Minor units in the Indian way: 12345678 is `1,23,456.78`."""
    whole, paise = divmod(amount, 100)
    digits = str(whole)
    head, tail = digits[:-3], digits[-3:]
    groups = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    return ",".join([*reversed(groups), tail]) + f".{paise:02}"


def _sheets(value: MonthlyStatement) -> Iterator[_Sheet]:
    """Entries by sheets; the first has the summary on it, and the last may be it."""
    number, room, brought = 1, _FIRST_SHEET, value.opening
    page: list[StatementEntry] = []
    for entry in value.entries:
        height = _height(entry)
        if height > room and page:
            yield _Sheet(number, brought, tuple(page))
            number, room, brought, page = number + 1, _SHEET, page[-1].balance_after, []
        page.append(entry)
        room -= height
    yield _Sheet(number, brought, tuple(page))


def _height(entry: StatementEntry) -> int:
    lines = 2 + len(_title(entry)) // _LETTERS + len(_small_print(entry)) // _LETTERS
    return lines * _LINE + _AROUND


def _page(value: MonthlyStatement, sheet: _Sheet, *, of: int) -> str:
    last = sheet.number == of
    closing = "Closing balance" if value.is_whole else "Balance so far"
    rows = [
        _sum_row("Opening balance" if sheet.number == 1 else "Brought forward", sheet.brought),
        *map(_row, sheet.entries),
        _sum_row(closing if last else "Carried forward", sheet.carried),
    ]
    return (
        f'<section class="sheet">{_summary(value) if sheet.number == 1 else ""}'
        '<table><thead><tr><th class="when">Date (IST)</th><th>Details</th><th class="sum">Paid out ₹</th>'
        '<th class="sum">Paid in ₹</th><th class="sum">Balance ₹</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
        f"{_closing_words() if last else ''}"
        f'<footer class="fine"><span>{wallet_id(value.holder.wallet_id)}</span><span>{_month(value)}</span>'
        f"<span>Made {_time(value.made_at)} IST</span><span>Page {sheet.number} of {of}</span></footer></section>"
    )


def _summary(value: MonthlyStatement) -> str:
    last_day = value.until.astimezone(INDIA) if not value.is_whole else value.month.last_day
    told = (
        ("Name", _isolated(value.holder.name)),
        ("Opening balance", f"₹ {rupees(value.opening)}"),
        ("Phone", mask_phone(value.phone)),
        ("Paid in", f"₹ {rupees(value.total_in)}"),
        ("Wallet", wallet_id(value.holder.wallet_id)),
        ("Paid out", f"₹ {rupees(value.total_out)}"),
        ("Period", f"{value.month.first_day:%d %b %Y} to {last_day:%d %b %Y}"),
        ("Closing balance" if value.is_whole else "Balance so far", f"₹ {rupees(value.closing)}"),
        ("Entries", str(len(value.entries))),
        ("Made on", f"{_time(value.made_at)} IST"),
    )
    so_far = "" if value.is_whole else f" <small>(not over yet: up to {_time(value.until)} IST)</small>"
    items = "".join(f"<dt>{name}</dt><dd>{content}</dd>" for name, content in told)
    return f"<h1>Wallet statement, {_month(value)}{so_far}</h1><dl>{items}</dl>"


def _closing_words() -> str:
    return (
        '<p class="fine">End of the statement. Amounts are Indian rupees; a day begins at midnight in India. '
        "Made by a computer, and valid without a signature.</p>"
    )


def _row(entry: StatementEntry) -> str:
    amounts = ("", rupees(entry.amount)) if entry.side is Side.CREDIT else (rupees(entry.amount), "")
    return (
        f'<tr><td class="when">{_time(entry.created_at)}</td><td class="others"><div>{_isolated(_title(entry))}</div>'
        f'<div class="fine">{_isolated(_small_print(entry))}</div></td>'
        f"{''.join(_sum(text) for text in (*amounts, rupees(entry.balance_after)))}</tr>"
    )


def _sum_row(title: str, balance: int) -> str:
    return f'<tr class="carried"><td></td><td>{title}</td><td></td><td></td>{_sum(rupees(balance))}</tr>'


def _sum(text: str) -> str:
    return f'<td class="sum">{text}</td>'


def _title(entry: StatementEntry) -> str:
    """What happened, and with whom."""
    words = _WORDS.get((entry.type, entry.side), entry.type.replace("_", " ").capitalize())
    other = entry.counterparty
    if isinstance(other, Holder):
        return f"{words} {shorten(other.name, kind=other.kind)}"
    return words if other.kind == "account" else f"{words} {other.name}"


def _small_print(entry: StatementEntry) -> str:
    known_as = (f"{name} {number}" for name, number in (("RRN", entry.rrn), ("UTR", entry.utr)) if number)
    told = (entry.description, entry.reference, *known_as, ids.show(ids.TRANSACTION, entry.transaction_id))
    return " · ".join(text for text in told if text)


def _isolated(text: str) -> str:
    """Text of somebody else: escaped, and kept from turning what stands beside it, whatever its direction."""
    return f"<bdi>{escape(text)}</bdi>"


def _month(value: MonthlyStatement) -> str:
    return f"{value.month.first_day:%B %Y}"


def _time(at: datetime) -> str:
    return f"{at.astimezone(INDIA):%d %b %Y %H:%M}"
