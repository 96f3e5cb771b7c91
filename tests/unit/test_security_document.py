"""docs/security.md answers every requirement, and whatever it points to is there."""

import re

import pytest

from tests.support.pointers import fault_of
from tests.unit.calls import ROOT

#: OWASP ASVS 5.0.0 (github.com/OWASP/ASVS, tag v5.0.0_release): of each chapter's sections the levels of the
#: requirements 1, 2, 3, … What another version adds is answered before its number stands here.
_CHAPTERS = {
    1: "22 1111122223 112222222223 222 123",
    2: "122 112 12223 23",
    3: "3 113 12223 11222233 11122333 3 22333",
    4: "12233 23333 22 1222",
    5: "2 112333 113 222",
    6: "122 111111112222 11223333 112233 22222333 2223 33 2222",
    7: "222 1111 22 11222 223 22",
    8: "1233 1123 133 23",
    9: "111 1222",
    10: "22 223 22223 1111122222233333 22222 22 222",
    11: "2233 22233 11233 1222 23 23 33",
    12: "12233 11 22223",
    13: "2333 222223 2233 1222233",
    14: "22 12223333 122",
    15: "12233 12233 1222222 3333",
    16: "2 22222 2222 222 2223",
    17: "23 22223333 22",
}
LEVELS = {
    f"{chapter}.{section}.{place}": level
    for chapter, sections in _CHAPTERS.items()
    for section, levels in enumerate(sections.split(), start=1)
    for place, level in enumerate(levels, start=1)
    if level in "12"
}
#: OWASP API Security Top 10, 2023 (owasp.org/API-Security/editions/2023).
RISKS = [f"API{place}" for place in range(1, 11)]

TEXT = (ROOT / "docs/security.md").read_text()
#: What an answer begins with that is no pointer, and says why in words.
WORDS = ("partly", "not done", "n/a", "AWS")

_ROW = re.compile(r"^\| (?P<no>API[0-9]+|[0-9]+\.[0-9]+\.[0-9]+) \|(?P<cells>.*)\|$", re.MULTILINE)
_QUOTED = re.compile(r"`([^`]+)`")
#: What looks like a pointer where other things are quoted, too.
_POINTER = re.compile(r"tests/\S+::\S+|\S+\.yaml: \S+|(\S+/)?\S+\.(md|py|toml|txt|yaml)(#\S+)?")


def rows() -> list[tuple[str, list[str]]]:
    """Each row's number and the cells behind it, as they stand."""
    return [(row["no"], [cell.strip() for cell in row["cells"].split("|")]) for row in _ROW.finditer(TEXT)]


def word_of(answer: str) -> str | None:
    """The word that an answer begins with; None where it is a pointer."""
    return next((word for word in WORDS if answer.startswith(f"{word}: ")), None)


def answers() -> dict[str, str]:
    """The answer of each requirement and of each risk."""
    return {number: cells[-1] for number, cells in rows()}


def pointers() -> list[str]:
    """All that the document points to."""
    quoted = {one for answer in answers().values() for one in _QUOTED.findall(answer)}
    return sorted(quoted | {one for one in _QUOTED.findall(TEXT) if _POINTER.fullmatch(one)})


def test_there_are_253_requirements_of_levels_1_and_2() -> None:
    levels = list(LEVELS.values())
    assert (levels.count("1"), levels.count("2")) == (70, 183)


def test_each_risk_and_each_requirement_has_one_row_in_order() -> None:
    assert [number for number, _ in rows()] == [*RISKS, *LEVELS]


def test_each_row_says_what_is_asked_at_which_level_and_what_answers_it() -> None:
    for number, cells in rows():
        *level, asks, answer = cells
        assert level == ([LEVELS[number]] if number in LEVELS else []), number
        assert asks, number
        assert answer, number


def test_an_answer_is_a_pointer_or_says_in_words_why_there_is_none() -> None:
    for number, answer in answers().items():
        word = word_of(answer)
        assert answer.startswith("`") if word is None else answer.removeprefix(f"{word}: "), number
        if word == "partly":
            pointed, _, lacks = answer.partition("; ")
            assert _QUOTED.search(pointed), number
            assert lacks, f"{number}: what is missing"


def test_the_document_counts_its_answers_right() -> None:
    told = [word_of(answer) for number, answer in answers().items() if number in LEVELS]
    assert (
        f"{len(told)} requirements: {told.count(None)} answered, {told.count('partly')} partly, "
        f"{told.count('not done')} not done, {told.count('AWS')} AWS, {told.count('n/a')} n/a."
    ) in TEXT


@pytest.mark.parametrize("pointer", pointers(), ids=str)
def test_what_is_pointed_to_is_there(pointer: str) -> None:
    assert fault_of(pointer) is None


@pytest.mark.parametrize(
    "pointer",
    [
        "tests/unit/test_security_document.py::test_that_nobody_wrote",
        "tests/unit/test_nobody_wrote.py::test_x",
        "tests/unit/test_security_document.py::TestNobody::test_what_is_pointed_to_is_there",
        "template.yaml: NobodysParameter",
        "template.yaml: WalletApi.NobodysProperty",
        "template.yaml: LogLevel.Default",
        "infrastructure/nobodys.yaml: Vpc",
        "docs/nobodys.md",
        "docs/api.md#nobodys-heading",
        "POST /payments",
    ],
)
def test_a_pointer_that_leads_nowhere_is_noticed(pointer: str) -> None:
    assert fault_of(pointer) is not None


@pytest.mark.parametrize(
    "pointer",
    [
        "tests/unit/test_security_document.py::test_what_is_pointed_to_is_there",
        "template.yaml: LogLevel",
        "template.yaml: WalletApi.Auth.DefaultAuthorizer",
        "infrastructure/database.yaml: Cluster.StorageEncrypted",
        "docs/api.md",
        "docs/api.md#sessions-of-browsers",
    ],
)
def test_a_pointer_that_leads_somewhere_is_followed(pointer: str) -> None:
    assert fault_of(pointer) is None
