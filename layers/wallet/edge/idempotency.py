"""The first line of defence: Powertools' idempotency over DynamoDB.

It gives fast replays, 409 while the first request runs, and 422 for another request under the same key. It can't guard
money alone: its record lives outside the database, ends after a day, is deleted when the work raises, and is missing
if the function dies behind the commit. The second line, the record in MySQL, commits with the money; so whatever this
one loses, the work may simply run again and finds its own answer there.

Nor is it believed alone: it would go on telling of payments that a database restored to an earlier moment has lost. So
before an old answer is given again, MySQL is asked whether it knows the key.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel

from wallet.edge.logs import logger
from wallet.edge.requests import Request
from wallet.edge.responses import Json, Response
from wallet.edge.statuses import TryAgainError
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.claims import Claim

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Asked = TypeVar("Asked", bound=BaseModel)
Told = TypeVar("Told")

_KEPT_S = 24 * 3600


def claim_of(request: Request, *, actor_id: UUID, key: str, asked: Json, generation: int | None = None) -> Claim:
    """What the caller's key stands for: the route, the ids in its path and what was asked, by its SHA-256.

    `generation` is that of the caller's sessions, if somebody has signed in. The hash is kept for ever: leave absent
    fields out of `asked`, or a field that is new one day changes every old one.
    """
    text = json.dumps([request.route, request.path, asked], sort_keys=True, separators=(",", ":"))
    return Claim(actor_id, key, hashlib.sha256(text.encode()).digest(), generation)


@dataclass(slots=True)
class _Run:
    """One run of the work, seen from outside Powertools, which would swallow its result or its refusal."""

    work: Callable[[], tuple[object, bool]]
    answer: str | None = None
    replayed: bool = True
    refusal: Exception | None = None

    def __call__(self) -> str:
        """The answer as text: Powertools would sort the keys of an object, and a replay is the same bytes."""
        try:
            body, self.replayed = self.work()
        except Exception as refusal:
            self.refusal = refusal
            raise
        self.answer = json.dumps(body)
        return self.answer


class _LostError(Exception):
    """Why an answer is forgotten; Powertools wants to be told."""


class Once:
    """Runs the work of a key once, and answers every repetition with the first answer.

    One instance for a process: Powertools' persistence layer remembers the first configuration it was given.
    """

    def __init__(
        self, table: str, dynamodb: "DynamoDBClient", is_known: Callable[[Claim], bool], *, prefix: str
    ) -> None:
        """`is_known` says whether the ledger's own record of a key is there.

        Records are named under `prefix`, each function's own, as it may reach no other's. A key belongs to its caller
        all the same: used again on a route of another function it meets the ledger's record.
        """
        self._is_known = is_known
        self._store = DynamoDBPersistenceLayer(table_name=table, boto3_client=dynamodb)
        self._config = IdempotencyConfig(
            event_key_jmespath="[actor, key]",
            payload_validation_jmespath="asked",
            raise_on_no_idempotency_key=True,
            hash_function="sha256",
            expires_after_seconds=_KEPT_S,
        )
        self._run = idempotent_function(
            _run,
            data_keyword_argument="claim",
            persistence_store=self._store,
            config=self._config,
            key_prefix=prefix,
        )

    def answer(
        self,
        request: Request,
        claim: Claim,
        work: Callable[[], tuple[Told, bool]],
        *,
        status: int,
        lost_runs_anew: bool = True,
    ) -> Response[Told]:
        """Runs `work`, which returns a body and whether the database replayed it, unless this key has an answer.

        A refusal or an accident of the work leaves no record: the same key may be tried again. `lost_runs_anew`:
        whether work may run again that the ledger has lost and this table has not; what it did outside stays done.
        """
        # On every call: with the context of an earlier one the record would be born expired, and guard nothing.
        self._config.register_lambda_context(request.context)  # type: ignore[arg-type]  # a LambdaContext by duck
        run = _Run(work)
        told = {"actor": str(claim.actor_id), "key": claim.key, "asked": claim.request_hash.hex()}
        text = self._text(told, run)
        if run.answer is None and not self._is_known(claim):
            if not lost_runs_anew:
                raise TryAgainError("the ledger has lost what was answered under this key: somebody must look")
            self._forget(told)
            text = self._text(told, run)
        headers = {"Idempotency-Replayed": "true"} if run.replayed else {}
        return Response(status, json.loads(text), headers)

    def _text(self, told: dict[str, str], run: _Run) -> str:
        """The answer: that of `run`, which stays without one of its own if the key had one."""
        try:
            return str(self._run(claim=told, run=run))
        except IdempotencyValidationError as error:
            raise Refused(Refusal.IDEMPOTENCY_KEY_REUSED) from error
        except (IdempotencyAlreadyInProgressError, IdempotencyInconsistentStateError) as error:
            raise Refused(Refusal.IDEMPOTENCY_KEY_IN_USE) from error
        except IdempotencyPersistenceLayerError as error:
            if run.refusal is not None:
                raise run.refusal from error  # the record could not be deleted; it ends with this call's time
            if run.answer is None:
                raise TryAgainError("the idempotency table can't be reached") from error
            return run.answer  # the money has moved and MySQL knows it: only the copy for fast replays is missing

    def _forget(self, told: dict[str, str]) -> None:
        """Deletes the answer of a key that the ledger does not know (any more).

        By two at once it is harmless, even if the second deletes what the first has begun: in MySQL one moves money.
        """
        logger().warning("an answer that the ledger does not know", actor=told["actor"])
        try:
            self._store.delete_record(told, _LostError("the ledger does not know the key"))
        except (BotoCoreError, ClientError) as error:
            raise TryAgainError("the idempotency table can't be reached") from error


def per_key(
    once: Callable[[], Once],
    request: Request,
    model: type[Asked],
    work: Callable[[Claim, Asked], tuple[Told, bool]],
    *,
    status: int,
    body_optional: bool = False,
    lost_runs_anew: bool = True,
) -> Response[Told]:
    """A route that moves money: who asks, under which key, what for; then `work`, once. See `Once.answer`.

    Whoever may not ask, or asks for nothing that can be, is refused before anything else is looked at.
    """
    caller, key = request.principal(), request.idempotency_key()
    asked = request.json(model, optional=body_optional)
    told = asked.model_dump(mode="json", exclude_none=True)
    claim = claim_of(request, actor_id=caller.user_id, key=key, asked=told, generation=caller.generation)
    return once().answer(request, claim, lambda: work(claim, asked), status=status, lost_runs_anew=lost_runs_anew)


def _run(*, claim: dict[str, str], run: _Run) -> str:  # noqa: ARG001 - Powertools reads `claim`
    return run()
