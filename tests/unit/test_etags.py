"""Tags of answers: what is compared with what, and that a tag follows what is told and nothing else."""

import re
import time
from typing import Any

import pytest

from tests.unit.calls import request
from wallet.edge.etags import revalidated
from wallet.edge.responses import Json, Response, to_api_gateway

WALLET: Json = {"id": "wal_1", "balance": {"total": 100, "held": 0}, "as_of": "2026-11-22T06:30:00.123Z"}


def asked(if_none_match: str | None = None, body: Json = WALLET) -> Response[Any]:
    headers = {} if if_none_match is None else {"if-none-match": if_none_match}
    return revalidated(request(headers=headers), body, apart_from=("as_of",))


TAG = asked().headers["ETag"]
OPAQUE = TAG.removeprefix("W/")


def test_a_tag_is_weak_and_of_a_form_that_no_proxy_misreads() -> None:
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', TAG)


@pytest.mark.parametrize(
    "if_none_match",
    [
        TAG,
        OPAQUE,  # the comparison is weak: the mark does not count
        f" {TAG} ",
        f'"old", {TAG}',
        f'{TAG},W/"older"',
        f'"a, b",{TAG}',
        f'"",{TAG}',
        "*",
        " * ",
        f'"{"x" * 10_000}", {TAG}',
    ],
)
def test_who_names_the_tag_is_sent_no_body(if_none_match: str) -> None:
    answer = asked(if_none_match)
    assert (answer.status, answer.body, answer.headers) == (304, None, {"ETag": TAG})


@pytest.mark.parametrize(
    "if_none_match",
    [
        None,
        "",
        '""',
        'W/"old"',
        OPAQUE.strip('"'),  # without its quotes
        TAG.upper(),
        f"w/{OPAQUE}x",
        f'"{OPAQUE.strip(chr(34))} "',
        f'"x{OPAQUE.strip(chr(34))}"',
        f'"*", "{OPAQUE[1:-2]}"',
        '"*"',
        "**",
        "*, *",
        ", ,",
        '"',
        "é",
        '"\x00"',
    ],
)
def test_anything_else_is_answered_whole(if_none_match: str | None) -> None:
    answer = asked(if_none_match)
    assert (answer.status, answer.body, answer.headers) == (200, WALLET, {"ETag": TAG})


@pytest.mark.parametrize("text", ['"', "W/", '"a",', ",", '"a" ', "\\", '"\\"'])
def test_ten_kilobytes_of_anything_are_read_at_once(text: str) -> None:
    began = time.monotonic()
    assert asked(text * (10_240 // len(text))).status == 200
    assert time.monotonic() - began < 0.5


def test_a_tag_is_of_what_is_told_in_any_order_apart_from_when_it_was_read() -> None:
    later = {**dict(reversed(WALLET.items())), "as_of": "2026-11-22T06:31:00.000Z"}
    assert asked(body=later).headers["ETag"] == TAG
    assert asked(TAG, body=later).status == 304


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "wal_2"},
        {"balance": {"total": 101, "held": 0}},
        {"balance": {"total": 100, "held": 1}},
        {"balance": {"total": "100", "held": 0}},
        {"status": None},
    ],
)
def test_whatever_else_changes_has_another_tag(changed: Json) -> None:
    answer = asked(TAG, body=WALLET | changed)
    assert answer.status == 200
    assert answer.headers["ETag"] != TAG


def test_an_answer_without_a_body_has_every_header_but_a_type() -> None:
    told = to_api_gateway(asked(TAG), "req-1")
    whole = to_api_gateway(asked(), "req-1")
    assert told["body"] == ""
    assert told["headers"].keys() == whole["headers"].keys() - {"Content-Type"}
    assert told["headers"]["Cache-Control"] == "no-store"
