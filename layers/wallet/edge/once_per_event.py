"""An event from the bus, acted on once although the bus delivers it at least once: Powertools' idempotency.

As far as can be: who dies between the deed and the record does it again. For a notice twice is better than never.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The bus repeats for a day, the relay until it could write down that it delivered.
_KEPT_S = 7 * 24 * 3600


class OncePerEvent:
    """Does the work of an event once. One instance for a process, as `Once`."""

    def __init__(self, table: str, dynamodb: "DynamoDBClient", *, prefix: str) -> None:
        """Events are told apart under `prefix`, which names the work that is done for them."""
        self._config = IdempotencyConfig(
            event_key_jmespath="id",
            raise_on_no_idempotency_key=True,
            hash_function="sha256",
            expires_after_seconds=_KEPT_S,
        )
        self._run = idempotent_function(
            _run,
            data_keyword_argument="event",
            persistence_store=DynamoDBPersistenceLayer(table_name=table, boto3_client=dynamodb),
            config=self._config,
            key_prefix=prefix,
        )

    def run(self, event_id: str, context: object, work: Callable[[], None]) -> bool:
        """Runs `work` unless it was done for this event; whether it ran. What it raises leaves no record.

        Raises Powertools' own errors while another run is under way, or the table can't be reached: the event comes
        again.
        """
        self._config.register_lambda_context(context)  # type: ignore[arg-type]  # a LambdaContext by duck
        done: list[bool] = []
        self._run(event={"id": event_id}, work=work, done=done)
        return bool(done)


def _run(*, event: dict[str, str], work: Callable[[], None], done: list[bool]) -> str:  # noqa: ARG001 - Powertools reads `event`
    work()
    done.append(True)
    return "done"
