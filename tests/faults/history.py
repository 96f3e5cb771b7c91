"""What callers did and what they were told: the half of the truth that the books are held against."""

import dataclasses
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

#: What says nothing about whether anything has moved: no answer, an accident, or another request still at work.
_NOTHING_SAID = frozenset({"idempotency_key_in_use", "too_many_requests", "too_many_attempts"})

#: Who asks, and how often, is looked at before anything else.
_BEFORE_ANYTHING = (401, 429)


@dataclass(frozen=True, slots=True)
class Try:
    """One request. `status` None: no answer came. Times in seconds since the start."""

    at_s: float
    took_s: float
    status: int | None
    code: str | None = None
    body: Any = None
    replayed: bool = False

    @property
    def is_done(self) -> bool:
        """Whether it was carried out."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_refused(self) -> bool:
        """Whether it was told that this request moved nothing."""
        told_no = self.status is not None and 400 <= self.status < 500 and self.status != 401
        return told_no and self.code is not None and self.code not in _NOTHING_SAID

    @property
    def is_unknown(self) -> bool:
        """Whether it may have been carried out for all that its caller knows."""
        return not (self.is_done or self.is_refused or self.status in _BEFORE_ANYTHING)


@dataclass(slots=True)
class Operation:
    """One intention of a caller, tried until an answer came or the caller gave up.

    `asked` is what for, in the words of `model.py`; `mark` is in it and in what it leaves in the books, and in no other
    operation. Operations of one `actor` with one `key` are one to the product.
    """

    kind: str
    actor: str
    mark: str
    asked: Json
    key: str | None = None
    tries: list[Try] = field(default_factory=list)
    #: Asks once more, in the same words.
    repeat: Callable[[], object] | None = field(default=None, repr=False)

    @property
    def done(self) -> Try | None:
        """The first answer that said it was carried out."""
        return next((one for one in self.tries if one.is_done), None)

    @property
    def must_have_happened(self) -> bool:
        """Somebody was told so."""
        return self.done is not None

    @property
    def may_have_happened(self) -> bool:
        """Nobody was told that it can't have: a request without an answer may even come through behind a later no."""
        return self.must_have_happened or any(one.is_unknown for one in self.tries)

    @property
    def is_open(self) -> bool:
        """Whether its caller gave up without an answer."""
        return not self.tries or not (self.tries[-1].is_done or self.tries[-1].is_refused)


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """A webhook that we made up. `counts` if its signature is right, so that the wallet may believe it."""

    kind: str
    payment_id: str
    order_id: str
    amount: int
    currency: str
    counts: bool
    status: int | None


class History:
    """Everything that was done, in no order but that of its beginnings. Safe to be written by many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.operations: list[Operation] = []
        self.told_events: list[ToldEvent] = []

    def begin(self, operation: Operation) -> Operation:
        """Keeps an operation, whose tries are still to come."""
        with self._lock:
            self.operations.append(operation)
        return operation

    def tell(self, event: ToldEvent) -> None:
        """Keeps a made-up webhook."""
        with self._lock:
            self.told_events.append(event)

    def of(self, *kinds: str) -> Iterable[Operation]:
        """The operations of some kinds."""
        return [operation for operation in self.operations if operation.kind in kinds]

    def write(self, path: Path) -> None:
        """One line of JSON for each."""
        with path.open("w") as file:
            for operation in self.operations:
                told = dataclasses.asdict(dataclasses.replace(operation, repeat=None))
                file.write(json.dumps(told) + "\n")
            for event in self.told_events:
                file.write(json.dumps(dataclasses.asdict(event)) + "\n")
