"""Domain events: what leaves the house says what is documented, and nothing else."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from tests.support import event_schemas
from tests.unit import template as templates
from tests.unit.events import NOON, noted, outbox_event, wallet
from wallet.ledger import ids
from wallet.ledger.events import CATALOGUE, FIELDS, BrokenEventError, told, told_to
from wallet.ledger.notices import ALERTS, DEBITS

everything = pytest.mark.parametrize("event_type", sorted(CATALOGUE))


def valid(value: object, schema: dict[str, Any]) -> bool:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).is_valid(value)


def test_the_documented_schemas_are_those_of_the_code() -> None:
    """`python -m tests.support.event_schemas` writes them."""
    written = {path.name: path.read_text() for path in event_schemas.FOLDER.glob("*")}
    assert written == event_schemas.documents()


@everything
def test_every_type_is_explained(event_type: str) -> None:
    assert f"| [`{event_type}`](events/{event_type}.json) |" in (event_schemas.FOLDER.parent / "events.md").read_text()


@everything
def test_an_event_is_as_its_schema_says(event_type: str) -> None:
    public = told(outbox_event(event_type))
    assert valid(public, event_schemas.schema_of(event_type))
    assert public["sequence"] == 7
    assert public["wallet_id"] == ids.show(ids.WALLET, wallet(1))
    assert public["occurred_at"] == "2026-11-22T06:30:00.000Z"
    assert list(public["data"]) == list(CATALOGUE[event_type].fields)


@everything
def test_what_a_merchant_is_told_is_as_its_schema_says(event_type: str) -> None:
    for side in (wallet(1), wallet(2)):
        event = outbox_event(event_type)
        public = told_to(event, side, told(event))
        assert valid(public, event_schemas.payload_schema(event_type))
        assert (public["type"], public["wallet_id"]) == (event_type, ids.show(ids.WALLET, side))


@pytest.mark.parametrize("event_type", ["PaymentCompleted", "HoldCaptured"])
def test_a_payees_fee_is_none_of_the_payers_affair(event_type: str) -> None:
    event = outbox_event(event_type)
    assert told(event)["data"]["fee"] == told_to(event, wallet(2), told(event))["data"]["fee"] is not None
    assert "fee" not in told_to(event, wallet(1), told(event))["data"]


def test_what_the_catalogue_does_not_name_stays_inside() -> None:
    event = outbox_event(detail=noted("PaymentCompleted", phone="+919876543210", balance=5))
    assert "+919876543210" not in json.dumps(told(event))
    assert "balance" not in told(event)["data"]


@everything
def test_what_may_be_missing_is_null_and_the_rest_may_not_be(event_type: str) -> None:
    whole = json.loads(noted(event_type))
    known = CATALOGUE[event_type]
    for name in known.fields:
        source = known.noted_as.get(name, name)
        without = json.dumps({key: value for key, value in whole.items() if key != source})
        event = outbox_event(event_type, detail=without)
        if name in known.optional:
            assert told(event)["data"][name] is None
        else:
            with pytest.raises(BrokenEventError):
                told(event)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "100"},
        {"amount": True},
        {"amount": 1.5},
        {"transaction_id": "not hexadecimal"},
        {"transaction_id": 5},
        {"currency": 5},
        {"description": ["INR"]},
    ],
)
def test_a_value_of_another_kind_is_no_event(change: dict[str, object]) -> None:
    with pytest.raises(BrokenEventError):
        told(outbox_event(detail=noted("PaymentCompleted", **change)))


def test_a_detail_that_is_no_json_is_no_event() -> None:
    with pytest.raises(BrokenEventError):
        told(outbox_event(detail='{"amount": '))


def test_an_unknown_type_is_no_event() -> None:
    event = outbox_event("PaymentCompleted")
    with pytest.raises(BrokenEventError, match="PaymentUndone"):
        told(type(event)(1, "PaymentUndone", wallet(1), None, "{}", NOON))


def test_an_events_id_is_its_own_and_the_same_each_time() -> None:
    shown = [outbox_event(position=position).id for position in (1, 2, 2, 2**40)]
    assert shown[1] == shown[2]
    assert len(set(shown)) == 3
    assert shown == sorted(shown)


def test_an_events_id_carries_the_millisecond_in_which_it_was_noted() -> None:
    event = replace(outbox_event(), created_at=NOON.replace(microsecond=123_999))
    shown = ids.read(ids.EVENT, event.id)
    assert shown is not None
    assert datetime.fromtimestamp((shown.int >> 80) / 1000, UTC) == NOON.replace(microsecond=123_000)


@pytest.mark.usefixtures("clock_in_india")
def test_a_time_in_an_event_is_told_in_utc_wherever_we_are() -> None:
    public = told(outbox_event("HoldPlaced"))
    assert public["occurred_at"] == "2026-11-22T06:30:00.000Z"
    assert public["data"]["expires_at"] == "2026-11-22T06:30:00.123Z"


def test_every_field_is_used_and_described() -> None:
    used = {name for known in CATALOGUE.values() for name in known.fields}
    assert used == set(FIELDS)
    assert all(field.about.endswith(".") for field in FIELDS.values())
    assert all(known.others_only <= set(known.fields) for known in CATALOGUE.values())


def test_ten_of_the_largest_events_fit_into_one_call_of_the_bus() -> None:
    largest = 0
    for event_type, known in CATALOGUE.items():
        texts = {name: "₹" * 200 for name in known.fields if FIELDS[name].kind == "text"}
        event = outbox_event(event_type, detail=noted(event_type, **texts))
        public = told(event)
        parts = (public, told_to(event, wallet(2), public))
        largest = max(largest, sum(len(json.dumps(part).encode()) for part in parts))
    assert 10 * largest < 256 * 1024


def test_people_are_told_of_exactly_the_debits_there_are() -> None:
    function = templates.functions(templates.load())["NotifyFunction"]
    pattern = function["Events"]["Debit"]["Properties"]["Pattern"]
    assert set(pattern["detail-type"]) == DEBITS <= set(CATALOGUE)
    assert pattern["source"] == ["wallet"]


def test_people_are_alerted_of_exactly_what_there_is_a_text_for() -> None:
    function = templates.functions(templates.load())["NotifyFunction"]
    pattern = function["Events"]["Alert"]["Properties"]["Pattern"]
    assert set(pattern["detail-type"]) == ALERTS <= set(CATALOGUE)
    assert pattern["source"] == ["wallet"]
    # what is of people alone is told to them, if to nobody else
    assert {name for name, known in CATALOGUE.items() if known.is_personal} <= ALERTS
