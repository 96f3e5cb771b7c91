"""A gateway's event, as it comes over HTTP."""

from wallet.edge.requests import Request
from wallet.gateways.port import GatewayEvent, MalformedEventError, SignatureMismatchError, WebhookReader
from wallet.ledger.refusals import Refusal, Refused

#: Events have a few kilobytes; this is generous, and what fits in a row.
MAX_EVENT = 256 * 1024


def read_event(request: Request, reader: WebhookReader | None) -> GatewayEvent:
    """The verified event in a request; raises `Refused` if no such gateway is connected or it didn't send this."""
    if reader is None:
        raise Refused(Refusal.UNKNOWN_GATEWAY)
    request.check_size(MAX_EVENT)
    try:
        return reader.read(request.body, request.headers)
    except SignatureMismatchError as error:
        raise Refused(Refusal.INVALID_SIGNATURE) from error
    except MalformedEventError as error:
        raise Refused(Refusal.MALFORMED_EVENT) from error
