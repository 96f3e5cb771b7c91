"""What is told about a wrong field says what is wanted there, and nothing of what was sent."""

import inspect
import json
import re
from typing import Any

import pytest
from pydantic import BaseModel

from tests.unit.calls import request
from wallet.edge import bodies
from wallet.edge.bodies import (
    Body,
    BulkRowsQuery,
    EmptyBody,
    HoldBody,
    LoginBody,
    NoQuery,
    PaymentBody,
    RegisterBody,
    StatementQuery,
    TopUpBody,
    WalletQuery,
    WithdrawalBody,
)
from wallet.edge.commands import COMMANDS, Desk, commands_of
from wallet.edge.requests import MAX_BODY
from wallet.edge.validation import fields_of, wanted_of
from wallet.ledger.refusals import Refusal, Refused
from wallet.operators.model import ROLE_OF, Role

MODELS = [
    *(one for _, one in inspect.getmembers(bodies, inspect.isclass) if issubclass(one, Body) and one is not Body),
    *COMMANDS.values(),
]
# Words of the library, which say what a program has and not what a person should send.
LIBRARY = re.compile(
    r"Input|Field required|inputs|should |valid |instance|dictionary|pattern|tag|UUID|type=", re.IGNORECASE
)


def refused(work: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value


def told(model: type[BaseModel], body: object) -> dict[str, str]:
    return dict(refused(lambda: request(json.dumps(body).encode()).json(model)).fields)


def told_of_query(model: type[BaseModel], **query: str) -> dict[str, str]:
    return dict(refused(lambda: request(query={name: [text] for name, text in query.items()}).parameters(model)).fields)


def nobody() -> Any:
    raise AssertionError("a command that is not understood asks no database")


def told_of_command(**command: object) -> dict[str, str]:
    name = command.get("command")
    role = Role.ADMIN if name in ("approve", "cancel") else ROLE_OF.get(str(name), Role.LOOK)
    signed = request(
        json.dumps(command).encode(), user_arn="arn:aws:iam::123456789012:user/meera", account="123456789012"
    )
    said = refused(lambda: Desk(role, nobody, nobody, tuple)(signed))
    assert said.refusal is Refusal.INVALID_REQUEST
    return dict(said.fields)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_of_every_body_query_and_command_says_what_it_wants(model: type[BaseModel]) -> None:
    silent = [field for field in fields_of(model) if not wanted_of(model, field)]
    assert silent == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize(
    "value", [None, True, 0, -1, 10**30, 0.5, "", "\u0000", "x" * 3_000, [], {}, {"secret": "hunter2"}]
)
def test_no_value_of_any_field_is_answered_in_the_words_of_the_library(model: type[BaseModel], value: object) -> None:
    """Neither what was sent nor how it is read here is for the answer."""
    for field in fields_of(model):
        try:
            if model in COMMANDS.values():
                (name,) = (name for name, known in COMMANDS.items() if known is model)
                faults = told_of_command(**{field: value, "command": name})
            else:
                faults = told(model, {field: value, "unheard_of": 1})
        except AssertionError:
            continue  # a command that this value makes a good one
        for message in faults.values():
            assert not LIBRARY.search(message), (field, message)
            assert "hunter2" not in message
            assert "xxxx" not in message
            assert message.endswith((".", "too."))


def test_what_is_missing_is_told_with_what_is_wanted() -> None:
    assert told(TopUpBody, {}) == {
        "amount": (
            "Required. A whole number of minor units (paise) from 1 to 9007199254740991, as a JSON number:"
            " 5000 is 50 rupees."
        )
    }
    assert told(RegisterBody, {})["phone"].startswith("Required. A phone number is international")
    assert told(PaymentBody, {"amount": 1})["to"].startswith("Required. An object that names the payee")


def test_an_unknown_field_is_told_with_those_that_there_are() -> None:
    assert told(TopUpBody, {"amount": 1, "currency": "INR"}) == {"currency": "Unknown here; known are: amount."}
    payee = told(PaymentBody, {"to": {"vpa": "asha@okbank"}, "amount": 1})
    assert payee["to.vpa"] == "Unknown here; known are: wallet_id, phone, qr, payment_request."
    assert told(EmptyBody, {"x": 1}) == {"x": "Unknown here: nothing is taken."}
    assert told_of_query(NoQuery, at="2026") == {"at": "Unknown here: nothing is taken."}
    assert "from, to, type" in told_of_query(StatementQuery, since="2026-11-22T06:30:00Z")["since"]


@pytest.mark.parametrize("body", [[], None, 5, "amount", True])
def test_a_body_that_is_no_object_is_told_so(body: object) -> None:
    assert told(TopUpBody, body) == {"body": "A JSON object is wanted."}


@pytest.mark.parametrize("to", ["+919876543210", 5, None, []])
def test_a_payee_that_is_no_object_is_shown_one(to: object) -> None:
    assert '{"phone": "+919876543210"}' in told(PaymentBody, {"to": to, "amount": 1})["to"]


@pytest.mark.parametrize(
    ("model", "body", "field", "words"),
    [
        (PaymentBody, {"to": {"phone": "+919876543210"}, "amount": "100"}, "amount", "as a JSON number"),
        (PaymentBody, {"to": {"phone": "+919876543210"}, "amount": 0}, "amount", "from 1 to 9007199254740991"),
        (PaymentBody, {"to": {"phone": 919876543210}, "amount": 1}, "to.phone", "like +919876543210, as text"),
        (PaymentBody, {"to": {"wallet_id": 7}, "amount": 1}, "to.wallet_id", "like wal_…"),
        (HoldBody, {"to": {"phone": "+919876543210"}, "amount": 1, "expires_in": 0}, "expires_in", "1 to 2592000"),
        (RegisterBody, {"kind": "shop"}, "kind", "One of: personal, merchant."),
        (LoginBody, {"phone": "+919876543210", "password": 7}, "password", "as text"),
        (WithdrawalBody, {"amount": 1, "vpa": None}, "vpa", "like asha@okbank"),
        (PaymentBody, {"description": "x" * 201}, "description", "at most 200 characters"),
        (PaymentBody, {"reference": "x" * 65}, "reference", "at most 64 characters"),
    ],
)
def test_a_value_that_can_not_be_is_told_what_could(
    model: type[BaseModel], body: object, field: str, words: str
) -> None:
    assert words in told(model, body)[field]


@pytest.mark.parametrize("text", ["2026-11-22T06:30:00 05:30", "2026-11-22T06:30:00.123 05:30"])
@pytest.mark.parametrize("model_and_name", [(StatementQuery, "from"), (StatementQuery, "to"), (WalletQuery, "at")])
def test_a_plus_that_arrived_as_a_blank_is_told_how_to_write_it(
    model_and_name: tuple[type[BaseModel], str], text: str
) -> None:
    model, name = model_and_name
    assert "%2B" in told_of_query(model, **{name: text})[name]


@pytest.mark.parametrize(
    "text", ["2026-11-22 06:30:00Z", "yesterday", "2026-11-22T06:30:00", "2026-11-22 06:30", " 05:30"]
)
def test_another_time_that_is_none_is_shown_one(text: str) -> None:
    message = told_of_query(WalletQuery, at=text)["at"]
    assert "%2B" not in message
    assert "2026-11-22T06:30:00Z" in message


@pytest.mark.parametrize(("model", "most"), [(StatementQuery, 100), (BulkRowsQuery, 1000)])
@pytest.mark.parametrize("limit", ["0", "1001", "ten", "", "1.0"])
def test_a_pages_size_is_told_its_bounds(model: type[BaseModel], most: int, limit: str) -> None:
    assert told_of_query(model, limit=limit) == {"limit": f"A whole number from 1 to {most}."}


@pytest.mark.parametrize(
    ("model", "name", "one"), [(StatementQuery, "type", "hold_capture"), (BulkRowsQuery, "status", "waiting")]
)
def test_of_a_few_values_all_are_told(model: type[BaseModel], name: str, one: str) -> None:
    message = told_of_query(model, **{name: "everything"})[name]
    assert message.startswith("One of: ")
    assert one in message


@pytest.mark.parametrize("command", [{}, {"command": "explode"}, {"command": 5}, {"command": None}, {"command": []}])
def test_an_unknown_command_is_told_the_commands_of_its_role(command: dict[str, object]) -> None:
    (message,) = told_of_command(**command).values()
    assert message == f"command is one of: {', '.join(sorted(commands_of(Role.LOOK)))}."
    assert "explode" not in message


def test_an_order_is_told_what_an_order_needs() -> None:
    faults = told_of_command(command="freeze", operator="meera", key="")
    assert faults["freeze.operator"] == "Unknown here; known are: command, reason, key, wallet_id."
    assert faults["freeze.key"].startswith("A key of this order")
    assert faults["freeze.reason"].startswith("Required. Why, for the journal")
    assert faults["freeze.wallet_id"].startswith("Required. A wallet's id, like wal_…")
    assert "breaks, disputes, withdrawals" in told_of_command(command="pending", only="all")["pending.only"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "EOF while parsing a value at line 1 column 0"),
        (b'{"amount": 100,}', "trailing comma at line 1 column 16"),
        (b'{"amount": hunter2}', "expected value at line 1 column 12"),
        (b'{"amount": 100, "amount": 999}', "an object names a key twice"),
        ('{"amount": 100, "x": "\ufffd"}'.encode(), "The body is not text in UTF-8."),
    ],
)
def test_a_malformed_body_is_told_why_and_where(body: bytes, words: str) -> None:
    told = refused(lambda: request(body).json(TopUpBody))
    assert told.refusal is Refusal.MALFORMED_BODY
    assert told.detail is not None
    assert words in told.detail
    assert "hunter2" not in told.detail


def test_a_body_that_is_too_large_is_told_how_large_one_may_be() -> None:
    told = refused(lambda: request(b" " * (MAX_BODY + 1)).json(TopUpBody))
    assert told.detail == "This route takes 16,384 bytes at most."
