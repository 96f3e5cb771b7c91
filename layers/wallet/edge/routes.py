"""What answers a route, and what is said of it to whoever calls it.

The door asks a route for its name and its handler. The rest is for the API's document (tests/support/openapi.py), which
every answer of the end-to-end tests is held to: what a handler takes and answers, and what it may refuse.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.ledger.refusals import Refusal

Handler = Callable[[Request], Response[Any]]

#: What whoever pays or promises money may be told, in order.
MONEY_OUT = (
    Refusal.SELF_PAYMENT,
    Refusal.WALLET_FROZEN,
    Refusal.INSUFFICIENT_FUNDS,
    Refusal.WALLET_LIMIT_EXCEEDED,
    Refusal.TOO_MANY_LOOKUPS,
    Refusal.PAYEE_UNAVAILABLE,
    Refusal.CONFIRMATION_PAUSED,
    Refusal.CONFIRMATION_REQUIRED,
)
#: What whoever has something confirmed may be told.
CONFIRMED = (Refusal.CONFIRMATION_PAUSED, Refusal.CONFIRMATION_REQUIRED)


@dataclass(frozen=True, slots=True)
class Route:
    """Method and path template (`POST /payments`), and what answers it.

    `asks` is the body's model, `query` that of the parameters. `key`: `required` or `optional` of an `Idempotency-Key`.
    `is_open`: it takes no access token. `takes` is what its body is, `media` what else than JSON it may answer.
    `refuses` are refusals beside those that follow from the rest.
    """

    name: str
    handler: Handler
    asks: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200
    key: str | None = None
    is_open: bool = False
    takes: str = "application/json"
    media: tuple[str, ...] = ()
    refuses: tuple[Refusal, ...] = ()


def route(
    name: str,
    *,
    asks: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    status: int = 200,
    key: str | None = None,
    is_open: bool = False,
    takes: str = "application/json",
    media: tuple[str, ...] = (),
    refuses: tuple[Refusal, ...] = (),
) -> Callable[[Handler], Route]:
    """Makes the route of a handler; see `Route`."""

    def make(handler: Handler) -> Route:
        return Route(name, handler, asks, query, status, key, is_open, takes, media, refuses)

    return make
