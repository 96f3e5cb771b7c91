"""A request and its answer, whatever protocol they are of."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.gateway import fields
from local.gateway.shapes import Json


@dataclass(frozen=True)
class Request:
    """One request: the path without the query, the query's last values, headers by lower-case name."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    raw_body: bytes

    def body(self) -> Json:
        """Read the JSON object in it; ApiError if there is none."""
        return fields.body_of(self.raw_body)


@dataclass(frozen=True)
class Reply:
    """One answer, JSON or a text (of XML, unless `media_type` says otherwise).

    `dropped` closes the connection instead of giving it.
    """

    status: int
    body: Json | list[Json] | str
    headers: tuple[tuple[str, str], ...] = ()
    dropped: bool = False
    media_type: str = ""
