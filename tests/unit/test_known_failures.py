"""The table of known failures says the truth: every report is in it, and every test that it names is there and runs."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.pointers import fault_of_test, left_out
from tests.unit.calls import ROOT

REPORTS = [
    "razorpay-magento#291",
    "medusa#13301",
    "razorpay-prestashop#64",
    "formance/stack#1464",
    "lago-api#5870",
    "powertools-python#8049, #801, #4759",
    "midaz#2485",
    "midaz#1974, midaz-sdk#236",
    "FINERACT-2485",
    "FINERACT-1659",
    "blnk#374",
    "blnk#152",
    "blnk#238, #239",
    "laravel-wallet#124",
    "laravel-wallet#82",
    "laravel-wallet#1009",
    "blnk#181",
    "midaz#2317, #2437",
    "double_entry#114, medici#119",
    "formance/ledger#1607",
    "midaz#2032",
    "cala#776",
    "django-hordak#142",
    "blnk#73",
    "medici README",
    "rafiki#223",
    "serverless-application-model#3610",
    "razorpay-python#121",
    "powertools event handler",
    "razorpay-magento#249",
    "razorpayx-integration#23",
    "liberapay#1421, frappe/press#5014",
    "formance/payments#808",
    "anypay#1007, iodevs/qr_code#61",
    "dograh#757",
    "Expensify#96468, lemmy#3436",
    "element-web#130",
    "craftcms#16633",
    "twitchdev#1104",
    "chatwoot#15684",
    "rocketmq-dashboard#2756",
    "woocommerce-payments#8522",
    "cloud_controller_ng#849",
    "firefly-iii#691",
    "gratipay#3202, loyal-app#438",
    "boto3#2947",
    "fx-private-relay#2738",
]
#: How many things people met who tried it.
MET = 27
#: Folders whose tests meet a database, and run on both in CI.
_ON_BOTH = ("tests/integration/", "tests/e2e/", "tests/faults/")

_TEST = re.compile(r"`(?P<path>tests/[a-z0-9_/]+\.py)::(?P<name>test_[a-z0-9_]+)`")


def tables() -> list[list[list[str]]]:
    """The document's two tables, each a list of rows of cells without its head."""
    parts = (ROOT / "docs/known-failures.md").read_text().split("\n## ")
    lines = [[line for line in part.splitlines() if line.startswith("|")][2:] for part in parts]
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in table] for table in lines]


def rows() -> dict[str, list[str]]:
    """The cells behind each report."""
    return {cells[0]: cells[1:] for cells in tables()[0]}


def met() -> dict[int, list[str]]:
    """The cells behind the number of each thing that people met."""
    return {int(cells[0]): cells[1:] for cells in tables()[1]}


def named() -> Iterator[tuple[str, str]]:
    """Each file and test that the tables name."""
    for cells in (*rows().values(), *met().values()):
        for found in _TEST.finditer(cells[-1]):
            yield found["path"], found["name"]


def test_every_report_has_its_row_and_no_other() -> None:
    assert list(rows()) == REPORTS


def test_every_row_says_what_happened_what_is_promised_and_what_holds_it() -> None:
    for report, cells in rows().items():
        assert len(cells) == 3, report
        assert all(cells), report
        assert _TEST.search(cells[-1]), report
        assert _TEST.sub("", cells[-1]).replace("<br>", "") == "", report


def test_everything_that_people_met_has_its_row_in_order() -> None:
    assert list(met()) == list(range(1, MET + 1))


def test_every_row_of_what_people_met_says_what_holds_it_and_where() -> None:
    for number, (happened, promised, databases, held_by) in met().items():
        assert happened, number
        assert promised, number
        assert _TEST.sub("", held_by).replace("<br>", "") == "", number
        tests = [found["path"] for found in _TEST.finditer(held_by)]
        assert tests, number
        assert databases in ("both", "any"), number
        assert databases == "any" or any(path.startswith(_ON_BOTH) for path in tests), number


@pytest.mark.parametrize(("path", "name"), sorted(set(named())), ids=lambda part: part)
def test_every_test_of_the_table_is_there_and_runs(path: str, name: str) -> None:
    assert fault_of_test(path, name) is None


def test_what_keeps_a_test_from_running_is_seen() -> None:
    for text in ("@pytest.mark.skip\ndef test_x(): pass", "def test_x():\n    pytest.skip('no')"):
        [function] = ast.parse(text).body
        assert isinstance(function, ast.FunctionDef)
        assert left_out(function)
