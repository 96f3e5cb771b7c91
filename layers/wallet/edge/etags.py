"""Asking again at little cost (RFC 9110, 8.8.3 and 13.1.2): an answer has a tag, and who names it gets no body.

A tag is a hash of what the very answer tells, so it tells nothing that its reader was not told before. It is weak: two
answers with the same tag mean the same, but may have been read at different times.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TypeVar

from wallet.edge.requests import Request
from wallet.edge.responses import Json, Response

Told = TypeVar("Told", bound=Mapping[str, object])

# without the mark of a weak one, which doesn't count in this comparison; a comma may be within the quotes
_TAGS = re.compile(r'(?:^|,)[ \t]*(?:W/)?"([\x21\x23-\x7e\x80-\U0010ffff]*)"[ \t]*(?=,|$)')


def revalidated(request: Request, body: Told, *, apart_from: tuple[str, ...] = ()) -> Response[Told | None]:
    """200 with `body` and its tag, or 304 if the caller has it already.

    `apart_from` are fields that are new at each look though nothing has changed.
    """
    tag = _tag_of({name: value for name, value in body.items() if name not in apart_from})
    if _names(request.headers.get("if-none-match", ""), tag):
        return Response(304, None, {"ETag": f'W/"{tag}"'})
    return Response(200, body, {"ETag": f'W/"{tag}"'})


def _tag_of(told: Json) -> str:
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _names(if_none_match: str, tag: str) -> bool:
    """Whether a list of tags has this one; `*` is whatever there is. What can't be read names none."""
    return if_none_match.strip() == "*" or tag in _TAGS.findall(if_none_match)
