"""A gateway's event, as it comes over HTTP."""

from typing import Protocol

from wallet.edge.requests import Request
from wallet.gateways.port import GatewayEvent, MalformedEventError, SignatureMismatchError, WebhookReader
from wallet.ledger.refusals import Refusal, Refused

#: Events have a few kilobytes; this is generous, and what fits in a row.
MAX_EVENT = 256 * 1024


class FindReader(Protocol):
    """Finds what reads a gateway's webhooks, None if it is not connected; `fresh` when its secrets may be new."""

    def __call__(self, gateway_name: str, *, fresh: bool) -> WebhookReader | None:
        """The reader."""
        ...


def read_event(request: Request, gateway_name: str, find_reader: FindReader) -> GatewayEvent:
    """The verified event in a request; raises `Refused` if no such gateway is connected or it didn't send this."""
    request.check_size(MAX_EVENT)
    for fresh in (False, True):  # a secret may have been added since we looked
        reader = find_reader(gateway_name, fresh=fresh)
        if reader is None:
            raise Refused(Refusal.UNKNOWN_GATEWAY)
        try:
            return reader.read(request.body, request.headers)
        except SignatureMismatchError:
            continue
        except MalformedEventError as error:
            raise Refused(Refusal.MALFORMED_EVENT) from error
    raise Refused(Refusal.INVALID_SIGNATURE)
