"""Logs: one JSON line each, and nobody's phone, token, address or password in it."""

import datetime as dt
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.conftest import LogLines
from wallet.edge.logs import logger, mask

JWT = "eyJhbGciOiJIUzI1NiIsImtpZCI6InYxIn0.eyJzdWIiOiJ1c3JfMDEifQ.Zm9vYmFyYmF6LXNpZ25hdHVyZV8x"
REFRESH = "rt_Zm9vYmFy-YmF6_cXV1eC1jb3JnZS1ncmF1bHQtZ2FycGx5"
BCRYPT = "$2b$12$C6UzMDM.H6dfI/f/IKcEeO7Zr0Q8yX1wV2uT3sR4qP5oN6mL7kJ8i"


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("+919876543210", "98765432"),
        ("9876543210", "98765432"),
        ("919876543210", "98765432"),
        ("tel:+919876543210,", "98765432"),
        ("Duplicate entry '+919876543210' for key 'users.users_phone_uq'", "98765432"),
        ("Duplicate entry '9876543210-x' for key", "98765432"),
        ("(1062, \"Duplicate entry '+919876543210' for key 'users_phone_uq'\")", "98765432"),
        ("+91 98765-43210", "98765"),
        ("+91 (98765) 43210 called", "98765"),
        ("phone=+14155552671", "41555526"),
        ('{"phone":"+919876543210"}', "98765432"),
        ("phone_9876543210", "98765432"),
        (f"Authorization: Bearer {JWT}", JWT[20:40]),
        (JWT, JWT[20:40]),
        (f"token={JWT}&x=1", JWT[20:40]),
        (JWT.rpartition(".")[0] + ".", JWT[20:40]),
        (REFRESH, REFRESH[10:30]),
        (f"{{'refresh_token': '{REFRESH}'}}", REFRESH[10:30]),
        ("Bearer abcdef0123456789", "abcdef"),
        ("bearer   abcdef", "abcdef"),
        ("Basic cnpwX3Rlc3Q6c2VjcmV0", "cnpw"),
        ("{'Authorization': 'Basic cnpwX3Rlc3Q6c2VjcmV0=='}", "cnpw"),
        ("asha@okhdfcbank", "asha"),
        ("9876543210@ybl", "43210"),
        ("asha.rao-1@upi", "asha"),
        ("a@upi", "a@"),
        ("asha@example.com", "asha"),
        ("asha+wallet@example.com", "asha"),
        ("आशा@example.com", "आशा"),
        (f"hash {BCRYPT} stored", BCRYPT[10:40]),
        (repr(BCRYPT.encode()), BCRYPT[10:40]),
    ],
)
def test_what_is_private_is_masked(text: str, private: str) -> None:
    assert private in text
    assert private not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 06:30:00,123+0000",
        "2026-11-22T06:30:00.123Z",
        "3f1d9c52-5f0b-4c3e-9d57-0d9b8a4e6c11",
        "3f1d9c52-5f0b-4c3e-9d57-123456789012",
        "00000000-0000-4000-8000-000000000000",
        "usr_06b3zq8d5x7k2m9n4p1r8s6t0v",
        "wal_01234567890123456789012345",
        "error 1213",
        "CALL post_payment: error 1062",
        "amount 5000000 of 20000000",
        "POST /payments",
        "order_EKwxwAgItmmXdp",
        "wallet/storage/database.py:137",
    ],
)
def test_what_is_needed_to_find_a_fault_stays(text: str) -> None:
    assert mask(text) == text


def test_the_last_two_digits_of_a_phone_stay() -> None:
    assert mask("+919876543210") == "…10"


@given(
    st.from_regex(r"\+[1-9][0-9]{9,14}", fullmatch=True), st.sampled_from(["{}", "'{}'", "phone={},", "<{}>", "{}."])
)
def test_no_phone_gets_through(phone: str, around: str) -> None:
    assert phone[1:-2] not in mask(around.format(phone))


@given(st.text())
def test_masking_ends_on_any_text(text: str) -> None:
    assert isinstance(mask(text), str)


def test_masking_a_long_line_takes_no_long_time() -> None:
    assert len(mask("a" * 200_000)) == 200_000
    assert mask("+" + "1 " * 50_000).count("…") > 0


def write(text: object) -> None:
    logger().info("line", told=text)


@pytest.mark.parametrize(
    "told",
    [
        "+919876543210",
        ["+919876543210"],
        ("+919876543210",),
        {"phone": "+919876543210"},
        {"deep": [{"phone": "+919876543210"}]},
        ValueError("+919876543210"),
        b"+919876543210",
        {"+919876543210"},
    ],
    ids=lambda told: type(told).__name__,
)
def test_a_line_is_masked_wherever_the_phone_stands(told: object, log_lines: LogLines) -> None:
    write(told)
    written = json.dumps(log_lines())
    assert "98765432" not in written
    assert "10" in written


def test_a_message_is_masked_too(log_lines: LogLines) -> None:
    logger().warning("login of +919876543210 with %s", "Bearer abcdef")
    assert "98765432" not in log_lines()[0]["message"]
    assert "abcdef" not in log_lines()[0]["message"]


def test_what_json_does_not_know_is_written_as_text(log_lines: LogLines) -> None:
    write(dt.date(2026, 11, 22))
    assert log_lines()[0]["told"] == "2026-11-22"


def test_a_line_says_when_and_of_what_service(log_lines: LogLines, monkeypatch: pytest.MonkeyPatch) -> None:
    write("x")
    assert {"level", "location", "message", "timestamp", "service"} <= set(log_lines()[0])


class DuplicateError(Exception):
    """Stands for a database's."""


def duplicate() -> None:
    raise DuplicateError(1062, "Duplicate entry '+919876543210' for key 'users_phone_uq'")


def chain() -> None:
    """A cause, and a context around both."""
    try:
        try:
            duplicate()
        except DuplicateError as cause:
            raise RuntimeError(f"could not store {BCRYPT}") from cause
    except RuntimeError:
        raise ValueError(f"with Bearer {JWT} and {REFRESH}, asha@okhdfcbank")  # noqa: B904 - a context, no cause


def context() -> None:
    try:
        duplicate()
    except DuplicateError:
        raise LookupError(BCRYPT) from None


def group() -> None:
    inner = ValueError("+919876543210")
    inner.add_note("asha@okhdfcbank")
    raise ExceptionGroup("two", [inner, KeyError(JWT)])


@pytest.mark.parametrize("accident", [chain, context, group])
def test_an_exception_is_masked_with_all_that_led_to_it(accident: Callable[[], None], log_lines: LogLines) -> None:
    try:
        accident()
    except (ValueError, LookupError, ExceptionGroup):
        logger().exception("accident")
    [line] = log_lines()
    written = json.dumps(line, ensure_ascii=False)
    assert "Traceback" in line["exception"]
    for private in ("98765432", JWT[20:40], REFRESH[10:30], "asha@", BCRYPT[10:40]):
        assert private not in written
