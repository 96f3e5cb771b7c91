"""Cells of CSV files: text that a spreadsheet would take for a formula is guarded on its way out, and only there.

A guard is one apostrophe before the text. What would be read as guarded is guarded too, so that taking a guard off
what was exported gives back what it was, whatever it was.
"""

import re

# What a spreadsheet takes for the beginning of a formula, in the widths that it knows; behind blanks too, and behind
# apostrophes, of which one may be a guard.
_FORMULA = re.compile("'*[ \u00a0]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")


def guarded(text: str) -> str:
    """The text as a cell. A phone comes to a number, and no harm."""
    return f"'{text}" if _is_formula(text) else text


def unguarded(cell: str) -> str:
    """The text of a cell: without the guard, if it has one. A cell that nobody guarded is what it is."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _PHONE.fullmatch(text) is None
