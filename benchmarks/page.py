"""docs/performance.md, of what `make bench` has measured and kept here: `make performance`."""

import json
import os
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.kept import kept_files
from local.state import ROOT

_PAGE = ROOT / "docs" / "performance.md"
_INTRODUCTION = """\
# Performance

Written by `make performance` of what `make bench` measured on one machine with {cores} processors, which callers and
server share. Compare within a table, never with another machine: each table's rows took turns. Commits are durable
(`innodb_flush_log_at_trx_commit=1`); callers are processes with a connection over TLS each, as functions have. The
floor is the least that a payment can be in one call: two locks, five rows, a commit; no key, limits, names or events
([floor.sql](../benchmarks/floor.sql)). What the site takes on a phone is [another page](site-performance.md).
"""

Kept = dict[str, Any]
Lines = Iterator[str]


def main() -> None:
    """A section for each server that something is kept of."""
    lines = [_INTRODUCTION.format(cores=os.cpu_count())]
    for file in kept_files():
        kept: Kept = json.loads(file.read_text())
        lines.append(f"## {_shown(kept['server'])}\n")
        for part, section in _SECTIONS.items():
            if part in kept:
                lines += [*section(kept[part]), ""]
    _PAGE.write_text("\n".join(lines).rstrip() + "\n")


def _shown(server: str) -> str:
    return server.replace("mysql", "MySQL").replace("mariadb", "MariaDB")


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Lines:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"


def _plot(title: str, along: Sequence[object], up: str, lines: Mapping[str, Sequence[float]], *, bars: bool) -> Lines:
    """In Mermaid's words, which GitHub draws. It has no legend, so the lines are named below it, from the highest."""
    yield "```mermaid"
    yield "xychart-beta"
    yield f'    title "{title}"'
    yield f"    x-axis [{', '.join(json.dumps(str(one)) for one in along)}]"
    yield f'    y-axis "{up}"'
    for line in lines.values():
        yield f"    {'bar' if bars else 'line'} [{', '.join(f'{one:.4g}' for one in line)}]"
    yield "```"
    if len(lines) > 1:
        by_height = sorted(lines, key=lambda name: -max(lines[name]))
        yield f"\nFrom the highest: {', '.join(by_height)}."


def _payments(measured: list[Kept]) -> Lines:
    by = {(one["callers"], one["is_away"], one["load"], one["who"]): one for one in measured}
    rate = {key: statistics.median(one["rates"]) for key, one in by.items()}
    whose = list(dict.fromkeys(who for *_, who in by))
    yield "### Payments a second\n"
    rows: list[Sequence[object]] = []
    for callers, is_away, load in dict.fromkeys(key[:3] for key in by):
        where = callers, is_away, load
        ours = rate[(*where, "ours")]
        cells = [f"{rate[(*where, who)]:,.0f}" if (*where, who) in rate else "" for who in whose]
        share = f"{ours / rate[(*where, 'the floor')]:.2f}" if (*where, "the floor") in rate else ""
        rows.append([load, callers, "1 ms" if is_away else "none", *cells, share])
    yield from _table(
        ["load", "callers", "network", *whose, "ours, of the floor"], sorted(rows, key=lambda row: str(row[0]))
    )
    widths = sorted({callers for callers, is_away, load, who in by if (is_away, load) == (False, "random wallets")})
    for load in dict.fromkeys(one["load"] for one in measured):
        lines = {who: [rate[width, False, load, who] for width in widths] for who in ("the floor", "ours")}
        yield ""
        yield from _plot(f"Payments a second by callers, {load}", widths, "payments a second", lines, bars=False)
    widest = widths[-1]
    within = {who: by[widest, False, "random wallets", who]["within_ms"] for who in ("the floor", "ours")}
    parts = list(within["ours"])
    lines = {who: [told[part] for part in parts] for who, told in within.items()}
    shown = [f"{float(part):.1%}" for part in parts]
    yield ""
    yield from _plot(f"How long a payment takes, {widest} callers", shown, "ms, of so many", lines, bars=False)


def _stages(measured: Kept) -> Lines:
    yield "### Where a payment's processor time goes\n"
    yield f"In the server, a payment among random wallets; the floor takes {measured['floor']:.0f} µs in all.\n"
    names, took = zip(*measured["stages"], strict=True)
    yield from _table(["stage", "µs"], [(name, f"{one:.0f}") for name, one in measured["stages"]])
    yield ""
    numbers = range(1, len(names) + 1)
    yield from _plot("Processor time by stage, in their order above", numbers, "µs", {"": took}, bars=True)


def _movements(measured: list[list[Any]]) -> Lines:
    yield "### What each movement costs\n"
    yield "SQL statements of one call, nested procedures and triggers counted, and the server's processor time of it.\n"
    yield from _table(
        ["movement", "statements", "µs"], [(name, count, f"{took:.0f}") for name, count, took in measured]
    )


def _hot(measured: list[list[Any]]) -> Lines:
    yield "### Hot wallets that are paid and pay at once\n"
    rows = [
        (scene, name, f"{rate:,.0f}", f"{middle:.1f}", f"{late:.1f}") for scene, name, rate, middle, late in measured
    ]
    yield from _table(["scene", "", "payments a second", "the middle one, ms", "99 of 100 within, ms"], rows)


def _behind(measured: list[list[Any]]) -> Lines:
    yield "### What runs behind the money\n"
    rows = [(load, name, f"{rate:,.0f}", f"{paid:,.0f}", f"{rate / paid:.1f}") for load, name, rate, paid in measured]
    yield from _table(["payments", "", "events or transactions a second", "payments a second", "times"], rows)


def _webhooks(measured: list[Kept]) -> Lines:
    yield "### Webhooks, as the books grow\n"
    yield from _table(
        ["payments in the books", "payments a second", "top-ups settled a second", "of the payments"],
        [
            (
                f"{one['books']:,}",
                f"{one['payments']:,.0f}",
                f"{one['settled']:,.0f}",
                f"{one['settled'] / one['payments']:.2f}",
            )
            for one in measured
        ],
    )
    yield ""
    lines = {"payments": [one["payments"] for one in measured], "top-ups settled": [one["settled"] for one in measured]}
    sizes = [f"{one['books']:,}" for one in measured]
    yield from _plot("A second, by payments in the books", sizes, "a second", lines, bars=False)


def _peers(measured: list[list[Any]]) -> Lines:
    rate = {(name, load): statistics.median(rates) for name, load, rates in measured}
    loads = list(dict.fromkeys(load for _, load in rate))
    yield "### Beside other libraries\n"
    yield "Each by the call that its documentation shows, with commits as durable, payments a second by 16 callers.\n"
    rows = [
        (name, *(f"{rate[name, load]:,.0f}" if (name, load) in rate else "" for load in loads))
        for name in dict.fromkeys(name for name, _ in rate)
    ]
    yield from _table(["", *loads], rows)


def _bulk(measured: Kept) -> Lines:
    rows, seconds = measured["rows"], measured["seconds"]
    yield "### A file of payments\n"
    yield f"{rows:,} rows in {seconds:.1f} s by one worker: {rows / seconds:,.0f} a second."


_SECTIONS: dict[str, Callable[[Any], Lines]] = {
    "payments": _payments,
    "hot": _hot,
    "peers": _peers,
    "stages": _stages,
    "movements": _movements,
    "behind": _behind,
    "webhooks": _webhooks,
    "bulk": _bulk,
}


if __name__ == "__main__":
    main()
