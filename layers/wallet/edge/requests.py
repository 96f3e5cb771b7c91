"""A request as API Gateway hands it over (REST, payload 1.0), read with suspicion."""

import base64
import binascii
import itertools
import math
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from wallet.edge.addresses import ORIGIN_HEADER, counted_address
from wallet.edge.validation import Fault, faults_of
from wallet.gateways.exact_json import MalformedJsonError, json_object
from wallet.identity.phones import NO_REGION
from wallet.identity.sessions.model import Principal
from wallet.ledger import ids
from wallet.ledger.periods import Month
from wallet.ledger.refusals import Refusal, Refused

#: The largest body of a route that people call, in bytes. The largest useful one has under two thousand.
MAX_BODY = 16 * 1024

#: How many faults an answer shows of a request that is all wrong.
MAX_FAULTS = 20
_MAX_NAME = 64

NO_UTF_8 = "The body is not text in UTF-8."

_KEY = re.compile(r"[\x21-\x7e]{1,64}")
_JSON = re.compile(r"application/json *(;.*)?", re.IGNORECASE)
# U+FFFD, which API Gateway puts in the place of bytes that are no UTF-8: what was said there is lost.
_LOST = "\ufffd".encode()

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Request:
    """One call: `route` is method and path template (`GET /payments/{id}`), `context` is Lambda's own.

    `region` is where phones are that name no country. `address` is what it counts by (see `addresses`). `user_arn` is
    who signed it, where IAM asks for a signature, and `account` the API's own.
    """

    id: str
    route: str
    path: dict[str, str]
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    address: str
    authorizer: dict[str, Any]
    context: object
    region: str = NO_REGION
    user_arn: str | None = None
    account: str = ""

    def caller(self) -> UUID:
        """Whose token it is."""
        return self.principal().user_id

    def principal(self) -> Principal:
        """Who asks, and in which session. The authorizer says so; a request that it has not seen is nobody's."""
        user_id = ids.read(ids.USER, str(self.authorizer.get("user_id", "")))
        if user_id is None:
            raise Refused(Refusal.MISSING_TOKEN)
        session_id = ids.read(ids.SESSION, str(self.authorizer.get("session_id", "")))
        generation = str(self.authorizer.get("generation", ""))
        if session_id is None or not generation.isdecimal():
            raise Refused(Refusal.INVALID_TOKEN)
        # API Gateway remembers the authorizer's word for a while
        good_from, expires_at = (_number(self.authorizer.get(name)) for name in ("good_from", "expires_at"))
        if not good_from <= time.time() < expires_at:
            raise Refused(Refusal.INVALID_TOKEN)
        return Principal(user_id, session_id, int(generation))

    def idempotency_key(self) -> str:
        """The key under which money moves; raises `Refused` without one."""
        key = self.optional_idempotency_key()
        if key is None:
            raise Refused(Refusal.IDEMPOTENCY_KEY_REQUIRED)
        return key

    def optional_idempotency_key(self) -> str | None:
        """The key, if the caller sent one."""
        key = self.headers.get("idempotency-key")
        if key is None:
            return None
        if not _KEY.fullmatch(key):
            raise Refused(Refusal.IDEMPOTENCY_KEY_INVALID)
        return key

    def json(self, model: type[Model], *, max_bytes: int = MAX_BODY, optional: bool = False) -> Model:
        """The body as `model`; raises `Refused` with the offending fields, and never shows what was in them.

        A route that takes a body takes no parameters. `optional`: no body at all is an empty object.
        """
        body = self._json_body(max_bytes=max_bytes, optional=optional)
        try:
            asked = model.model_validate_json(body, context={"region": self.region})
        except ValidationError as error:
            raise explain(error, model) from None  # its text shows what was in the body
        _object(body)
        self._check_no_query()
        return asked

    def raw_json(self, *, max_bytes: int = MAX_BODY) -> dict[str, Any]:
        """The body as a JSON object, read as strictly, for whoever finds its model in it."""
        body = self._json_body(max_bytes=max_bytes, optional=False)
        self._check_no_query()
        return _object(body)

    def _json_body(self, *, max_bytes: int, optional: bool) -> bytes:
        self.check_size(max_bytes)
        content_type = self.headers.get("content-type")
        if content_type is not None and not _JSON.fullmatch(content_type):
            raise Refused(Refusal.UNSUPPORTED_MEDIA_TYPE)
        if _LOST in self.body:
            raise Refused(Refusal.MALFORMED_BODY, NO_UTF_8)
        return b"{}" if optional and not self.body else self.body

    def text(self, media_type: str, *, max_bytes: int) -> str:
        """The body of a route that takes no JSON but text of this type, in UTF-8; a byte order mark is none of it.

        Raises `Refused`. It may have control characters, and NUL among them.
        """
        self.check_size(max_bytes)
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
            raise Refused(Refusal.UNSUPPORTED_MEDIA_TYPE, f"Send {media_type}.")
        self._check_no_query()
        try:
            if _LOST not in self.body:
                return self.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass  # its text shows what was in the body
        raise Refused(Refusal.MALFORMED_BODY, NO_UTF_8)

    def parameters(self, model: type[Model]) -> Model:
        """The query as `model`, each parameter given once."""
        repeated = [name for name, values in self.query.items() if len(values) != 1]
        if repeated:
            raise invalid((name, "Give it once.") for name in repeated)
        try:
            told = {name: values[0] for name, values in self.query.items()}
            return model.model_validate(told, context={"region": self.region})
        except ValidationError as error:
            raise explain(error, model, whole="query") from None

    def id_in_path(self, prefix: str) -> UUID:
        """The id in the path; one that is no id of ours is simply not found."""
        found = ids.read(prefix, self.path.get("id", ""))
        if found is None:
            raise Refused(Refusal.NOT_FOUND)
        return found

    def month_in_path(self) -> Month:
        """The month in the path, like `2026-11`."""
        month = Month.read(self.path.get("month", ""))
        if month is None:
            raise invalid([("month", "A month is written like 2026-11.")])
        return month

    def check_size(self, max_bytes: int) -> None:
        """Refuses a body that is larger than its route takes."""
        if len(self.body) > max_bytes:
            raise Refused(Refusal.REQUEST_TOO_LARGE, f"This route takes {max_bytes:,} bytes at most.")

    def _check_no_query(self) -> None:
        if self.query:
            raise invalid((name, "This route takes no parameters.") for name in self.query)


def read_request(
    event: dict[str, Any],
    context: object,
    *,
    region: str = NO_REGION,
    origin_secrets: Callable[[], Iterable[str]] = tuple,
) -> Request:
    """Reads an event; raises `Refused` (`malformed_body`) if its body is not what it says it is.

    `origin_secrets` are asked for only if the request claims to come through our distribution.
    """
    told = event.get("requestContext") or {}
    headers = headers_of(event)
    return Request(
        id=str(told.get("requestId") or getattr(context, "aws_request_id", "")),
        route=f"{event.get('httpMethod')} {event.get('resource')}",
        path=event.get("pathParameters") or {},
        query=event.get("multiValueQueryStringParameters") or {},
        headers=headers,
        body=_body(event),
        address=counted_address(
            headers,
            str((told.get("identity") or {}).get("sourceIp") or ""),
            origin_secrets() if ORIGIN_HEADER in headers else (),
        ),
        authorizer=told.get("authorizer") or {},
        context=context,
        region=region,
        user_arn=(told.get("identity") or {}).get("userArn"),
        account=str(told.get("accountId") or ""),
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        return json_object(body, bounded=True)
    except MalformedJsonError as error:  # a field told twice: two readers could believe different amounts
        why = str(error).partition(" (")[0]
        raise Refused(Refusal.MALFORMED_BODY, f"The body is not JSON that can be read: {why}.") from error


def explain(error: ValidationError, model: type[BaseModel], *, whole: str = "body") -> Refused:
    """What is wrong, without what it is: nothing here shows a value that the caller sent.

    `whole` is what a fault is of that no single field has.
    """
    for fault in error.errors(include_url=False, include_context=True, include_input=False):
        if fault["type"] == "json_invalid":
            # the parser's words: what it missed and where, nothing of what stood there
            why = fault["ctx"]["error"]
            return Refused(Refusal.MALFORMED_BODY, f"The body is not JSON that can be read: {why}.")
    return invalid(faults_of(error, model, whole=whole))


def headers_of(event: dict[str, Any]) -> dict[str, str]:
    """By lower-case name; one that is sent several times is a list, which no key, type or signature of ours is."""
    several = event.get("multiValueHeaders") or {}
    single = event.get("headers") or {}
    return {name.lower(): value for name, value in single.items()} | {
        name.lower(): ", ".join(values) for name, values in several.items()
    }


def _body(event: dict[str, Any]) -> bytes:
    """The bytes as they were sent: API Gateway hands them as text, or in base64."""
    body = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return str(body).encode()
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise Refused(Refusal.MALFORMED_BODY) from error


def _number(told: object) -> float:
    """A number that was told; what is none compares with nothing."""
    try:
        return float(str(told))
    except ValueError:
        return math.nan


def invalid(faults: Iterable[Fault]) -> Refused:
    """Names and messages. The names of unknown fields come from the caller: few of them, and short."""
    told = tuple((_short(name), message) for name, message in itertools.islice(faults, MAX_FAULTS))
    return Refused(Refusal.INVALID_REQUEST, fields=told)


def _short(name: str) -> str:
    return name[:_MAX_NAME].encode(errors="replace").decode()  # half a surrogate pair is no UTF-8
