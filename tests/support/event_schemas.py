"""The documented schemas of events, made of the catalogue that events themselves are made of.

`python -m tests.support.event_schemas` writes them to docs/events/; a test says when that is due.
"""

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema

from wallet.ledger import ids
from wallet.ledger.events import CATALOGUE, FIELDS, VERSION, BrokenEventError, Field, Kind, OutboxEvent, told

Json = dict[str, Any]

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "events"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TIME = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"}


def _id(prefix: str) -> Json:
    return {"type": "string", "pattern": f"^{prefix}_[0-9a-hjkmnp-tv-z]{{26}}$"}


def _told(field: Field, *, optional: bool) -> Json:
    if field.kind is Kind.AMOUNT:
        schema: Json = {"type": "integer", "minimum": 0}
    elif field.kind is Kind.TIME:
        schema = dict(_TIME)
    elif field.kind is Kind.TEXT:
        schema = {"type": "string"}
    else:
        schema = _id(field.kind.value)
    if optional:
        schema["type"] = [schema["type"], "null"]
    return {"description": field.about, **schema}


def _object(properties: Json, **more: Any) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties, **more}


def data_schema(event_type: str) -> Json:
    """What `data` is in events of a type, whole."""
    known = CATALOGUE[event_type]
    return _object({name: _told(FIELDS[name], optional=name in known.optional) for name in known.fields})


def schema_of(event_type: str) -> Json:
    """The `detail` of an event on the bus."""
    wallet = _id(ids.WALLET)
    return {
        "$schema": _DRAFT,
        "title": event_type,
        "description": CATALOGUE[event_type].about,
        **_object(
            {
                "id": {"description": "The same at every delivery: act once on each.", **_id(ids.EVENT)},
                "version": {"const": VERSION},
                "sequence": {"description": "Grows from event to event of one wallet.", "type": "integer"},
                "wallet_id": {"description": "Whose event it is.", **wallet},
                "other_wallet_id": {
                    "description": "The other side's wallet, if there is one.",
                    **wallet,
                    "type": ["string", "null"],
                },
                "occurred_at": dict(_TIME),
                "data": data_schema(event_type),
            }
        ),
    }


def webhook_schema() -> Json:
    """The body of a merchant's webhook, whatever its type."""
    merchants = [event_type for event_type, known in CATALOGUE.items() if not known.is_personal]
    return {
        "$schema": _DRAFT,
        "title": "Webhook",
        "description": "What a merchant is sent.",
        **_object(
            {
                "type": {"description": "What happened.", "enum": merchants},
                **_envelope(schema_of("WalletClosed")),
                "data": {
                    "description": "As the schema of the type has it, less what is the other side's affair.",
                    "type": "object",
                },
            }
        ),
    }


def _envelope(schema: Json) -> Json:
    """What a webhook has of an event's own fields."""
    names = {"occurred_at": "timestamp", "other_wallet_id": None}
    return {new: value for name, value in schema["properties"].items() if (new := names.get(name, name)) is not None}


def payload_schema(event_type: str) -> Json:
    """The body of a webhook of a type: the event as one of its wallets is told of it, whole."""
    data = data_schema(event_type)
    data["required"] = [name for name in data["required"] if name not in CATALOGUE[event_type].others_only]
    properties = {**_envelope(schema_of(event_type)), "type": {"const": event_type}, "data": data}
    return _object(properties, additionalProperties=False)


@functools.cache
def _validator(event_type: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema_of(event_type))


def event_faults(events: Iterable[OutboxEvent]) -> list[str]:
    """What of these events is not as the documents say, or is noted and in no document."""
    faults: list[str] = []
    for event in events:
        try:
            public = told(event)
        except BrokenEventError as error:
            faults.append(str(error))
            continue
        where = f"event {event.position}, {event.type}"
        faults += [f"{where}: {error.message}" for error in _validator(event.type).iter_errors(public)]
        known = CATALOGUE[event.type]
        documented = {known.noted_as.get(name, name) for name in known.fields} | {"wallet_id"}
        noted = {name for name, value in json.loads(event.detail).items() if value is not None}
        faults += [f"{where}: {name} is documented nowhere" for name in sorted(noted - documented)]
    return faults


def documents() -> dict[str, str]:
    """Every file of docs/events/ with its text."""
    schemas = {event_type: schema_of(event_type) for event_type in CATALOGUE} | {"Webhook": webhook_schema()}
    return {f"{name}.json": json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text)
