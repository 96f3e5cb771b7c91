"""Whether the database and the emulator's state are of the same stack: a ledger, and the checkpoints and key of it.

Checkpoints follow from each other, so three looks are enough: the database's last one is in the bucket, the one that
would come next isn't, and the key that signs them is there. Else the chain can't go on, and whoever looked at it
later would call the books broken, though what is broken is this folder.
"""

from collections.abc import Callable
from http import HTTPStatus

import pymysql
from botocore.exceptions import ClientError

from local.aws import Emulator
from local.database import PrivateServer
from local.deploy import STACK
from local.processes import LocalStackError

_NO_SUCH_TABLE = 1146
_LAST = "SELECT COALESCE(MAX(IF(published_at IS NULL, 0, number)), 0), COALESCE(MAX(number), 0) FROM checkpoints"
_NAME = "checkpoints/{:012}.json"


def begin_anew_if_unfinished(server: PrivateServer, emulator: Emulator) -> bool:
    """Deletes what an `up` that was killed early has left of the emulator's state, on which nothing hangs yet.

    Whether there was such a thing. LocalStackError if something hangs on it. To be called before the emulator runs.
    """
    if emulator.is_saved or emulator.serves():
        return False
    if (published := _checkpoints(server)[0]) > 0:
        raise LocalStackError(_state_is_lost(server, emulator, published))
    if not emulator.folder.exists():
        return False
    emulator.forget()
    return True


def require(server: PrivateServer, emulator: Emulator) -> None:
    """LocalStackError, with what to do, unless both are of one stack. Both run."""
    published, appended = _checkpoints(server)
    outputs = emulator.outputs(STACK)
    if not outputs:
        if published > 0:
            raise LocalStackError(_state_is_lost(server, emulator, published))
        return
    bucket = outputs["CheckpointBucketName"]
    has_key = _is_there(lambda: emulator.kms().describe_key(KeyId=outputs["CheckpointKeyArn"]))
    if published > 0 and not (has_key and _has(emulator, bucket, published)):
        raise LocalStackError(_state_is_lost(server, emulator, published))
    if _has(emulator, bucket, appended + 1):
        raise LocalStackError(_ledger_is_lost(server, emulator, appended))


def _checkpoints(server: PrivateServer) -> tuple[int, int]:
    """The numbers of the database's last published checkpoint and of its last one."""
    connection = pymysql.connect(
        host=server.host,
        port=server.port,
        user=server.owner_user,
        password=server.owner_password,
        database=server.database,
    )
    with connection, connection.cursor() as cursor:
        try:
            cursor.execute(_LAST)
        except pymysql.err.ProgrammingError as error:
            if error.args[0] != _NO_SUCH_TABLE:
                raise
            return 0, 0
        published, appended = cursor.fetchall()[0]
        return int(published), int(appended)


def _has(emulator: Emulator, bucket: str, number: int) -> bool:
    return _is_there(lambda: emulator.s3().head_object(Bucket=bucket, Key=_NAME.format(number)))


def _is_there(look: Callable[[], object]) -> bool:
    try:
        look()
    except ClientError as error:
        if int(error.response["ResponseMetadata"]["HTTPStatusCode"]) >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return False
    return True


def _state_is_lost(server: PrivateServer, emulator: Emulator, published: int) -> str:
    return (
        f"The ledger in {server.folder} was signed up to checkpoint {published}. The AWS emulator's state that\n"
        f"goes with it ({emulator.folder}: the bucket with the checkpoints, the key that signs them) is gone,\n"
        f"or of an older version, which kept it only in part. {_WHAT_TO_DO}"
    )


def _ledger_is_lost(server: PrivateServer, emulator: Emulator, appended: int) -> str:
    others = sorted(found.parent.name for found in server.folder.parent.glob("*/data") if found.parent != server.folder)
    of_others = f"\nThere is data of {', '.join(others)}, too: MYSQLD names the server to use." if others else ""
    return (
        f"The AWS emulator ({emulator.folder}) keeps checkpoints of a ledger that goes further than the one\n"
        f"in {server.folder}, which has {appended}: the database was lost, set back, or is another server's."
        f"{of_others}\n{_WHAT_TO_DO}"
    )


_WHAT_TO_DO = (
    "Nothing was changed.\nIf you have a copy of what is gone, put it back. Else `make reset` deletes this\n"
    "stack's data and begins anew; `make up STATE=…` with another folder begins anew and leaves this one as it is."
)
