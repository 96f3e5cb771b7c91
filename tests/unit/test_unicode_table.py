"""What Unicode says, as the product has it: made of its sources, and of nothing that differs from Python to Python."""

import ast

from tests.support import unicode_table
from tests.unit.calls import ROOT


def test_the_table_is_what_its_sources_say() -> None:
    assert unicode_table.TABLE.read_text("utf-8") == unicode_table.table()


def test_no_answer_depends_on_the_tables_of_the_python_that_runs() -> None:
    """What `unicodedata` knows grows with Python. Only Unicode 3.2's forms are used, and a form for passwords."""
    used = {}
    for path in sorted((ROOT / "layers" / "wallet").rglob("*.py")):
        found = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "unicodedata"
        }
        if found:
            used[path.name] = found
    assert used == {"characters.py": {"ucd_3_2_0"}, "passwords.py": {"normalize"}}
