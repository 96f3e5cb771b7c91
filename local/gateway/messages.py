"""The operator of text messages: takes what SNS takes to publish to a phone, and shows it to whoever holds the phone.

The protocol is AWS's query protocol: a form in, XML out. It is here and not at the emulator of AWS, because a phone is
no part of AWS: what is sent leaves us.
"""

import json
import time
import uuid
from datetime import UTC, datetime
from urllib.parse import parse_qs

from local.gateway.shapes import Json
from local.gateway.store import Row, Store
from local.gateway.talk import Reply, Request

_ANSWER = (
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>{id}</MessageId>'
    "</PublishResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></PublishResponse>"
)
_REFUSAL = (
    '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
    "<Code>InvalidParameter</Code><Message>{why}</Message></Error></ErrorResponse>"
)


class Messages:
    """Every message that was taken, by phone."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, request: Request) -> Reply:
        """`Publish` with a phone and a text; anything else is refused."""
        told = parse_qs(request.raw_body.decode())
        if told.get("Action") != ["Publish"] or not told.get("PhoneNumber") or not told.get("Message"):
            return Reply(400, _REFUSAL.format(why="Publish takes a PhoneNumber and a Message"))
        (phone,), (text,), attributes = told["PhoneNumber"], told["Message"], json.dumps(_attributes(told))
        self._store.rows(
            "INSERT INTO messages (at, phone, text, attributes) VALUES (?, ?, ?, ?)",
            time.time(),
            phone,
            text,
            attributes,
        )
        return Reply(200, _ANSWER.format(id=uuid.uuid4()))

    def of(self, query: dict[str, str]) -> Json:
        """What came to a phone, the oldest first."""
        sql = "SELECT * FROM messages WHERE phone = ? ORDER BY position"
        return {"data": [_message(row) for row in self._store.rows(sql, query.get("phone", ""))]}

    def latest(self, phone: str | None, count: int) -> list[Json]:
        """So many messages at most, to one phone or to all, the newest first; each has a number, `id`, of its own."""
        where, values = ("", ()) if phone is None else ("WHERE phone = ?", (phone,))
        sql = f"SELECT * FROM messages {where} ORDER BY position DESC LIMIT ?"  # noqa: S608 - one of two fixed texts
        return [{"id": row["position"], **_message(row)} for row in self._store.rows(sql, *values, count)]

    def phones(self, count: int) -> list[str]:
        """So many phones at most that messages came to, by the newest message."""
        sql = "SELECT phone FROM messages GROUP BY phone ORDER BY MAX(position) DESC LIMIT ?"
        return [str(row["phone"]) for row in self._store.rows(sql, count)]


def _message(row: Row) -> Json:
    return {
        "at": shown(row["at"]),
        "phone": row["phone"],
        "text": row["text"],
        "attributes": json.loads(row["attributes"]),
    }


def _attributes(told: dict[str, list[str]]) -> dict[str, str]:
    """The message's attributes, which the protocol numbers: `MessageAttributes.entry.1.Name` and so on."""
    named = {name: values[0] for name, values in told.items() if name.startswith("MessageAttributes.entry.")}
    return {
        value: named.get(name.removesuffix("Name") + "Value.StringValue", "")
        for name, value in named.items()
        if name.endswith(".Name")
    }


def shown(at: float) -> str:
    """Write a time, in Unix seconds, as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
