"""A wallet with more entries, and at other times, than a test has time to make: it answers as the API does."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Route

STATEMENT = re.compile(r".*/v1/wallet/transactions\?.*")


@dataclass
class Book:
    """Entries of a wallet, and the answers to whoever asks for them; `answer` is a route of the browser's."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    #: which questions get no answer, by what they ask
    loses: Callable[[dict[str, str]], bool] = lambda _: False
    #: what its clock says; None: nothing, and the browser has only its own
    clock: datetime | None = None

    def adds(self, at: datetime, amount: int = 100, *, direction: str = "credit", type_: str = "payment") -> None:
        """An entry becomes visible; it may be earlier than others that were there."""
        self.entries.append(
            {
                "id": f"txn_{len(self.entries):026}",
                "type": type_,
                "direction": direction,
                "amount": amount,
                "balance_after": 0,
                "counterparty": {"wallet_id": f"wal_{7:026}", "name": "Asha Rao"},
                "description": None,
                "reference": None,
                "rrn": None,
                "utr": None,
                "created_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            }
        )

    def answer(self, route: Route) -> None:
        """As of the first page: a cursor says how many entries there were, and where the page begins."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
        self.asked.append(query)
        if self.loses(query):
            route.abort("connectionreset")
            return
        known, start = map(int, query.get("cursor", f"{len(self.entries)}.0").split("."))
        stretch = [one for one in self.entries[:known] if one["created_at"] >= query.get("from", "")]
        stretch.sort(key=lambda one: (one["created_at"], one["id"]), reverse=True)
        end = start + int(query["limit"])
        body = {"data": stretch[start:end], "next_cursor": f"{known}.{end}" if end < len(stretch) else None}
        headers = {"X-Request-Id": "book"}  # without one it is none of the API's answers
        if self.clock is not None:
            headers["Date"] = format_datetime(self.clock, usegmt=True)
        route.fulfill(status=200, content_type="application/json", headers=headers, body=json.dumps(body))
