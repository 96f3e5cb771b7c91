"""What MiniStack writes to the disk: all of its state or none, and Object Lock as well.

MiniStack writes its state when it ends, one file for each service, and passes over what it could not write. A file of
this deployment beside one of the last would be a stack that never was. So each time all of them go into a new folder,
and one link is moved to it. While a deployment is under way nothing is saved: what is on the disk is a whole stack.

Objects in buckets are written when they are put; until when each is locked is kept beside them here. Secrets are
written when they are changed: one that was rotated is not among what a kill may lose.
"""

import json
import logging
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from ministack.core import persistence
from ministack.services import lambda_svc, s3, secretsmanager

Services = Mapping[str, Callable[[], dict[str, Any] | None]]
Described = Callable[[str, str], dict[str, Any]]
Handling = Callable[[str, str, Mapping[str, str], bytes, object], Awaitable[tuple[int, dict[str, str], bytes]]]
Locking = Callable[..., tuple[int, dict[str, str], bytes]]

#: In the emulator's folder: the link to what was saved last; what there is before that; the sign of a deployment.
SAVED: Final = "saved"
UNSAVED: Final = "unsaved"
DEPLOYING: Final = "deploying"
_TRIES = 5
_READING = ("Get", "List", "Describe", "BatchGet")
_log = logging.getLogger("persistence")


def save_all(folder: Path, services: Services) -> None:
    """Saves every service's state into `folder`, unless a deployment is under way. All of it, or what was stays."""
    if (folder / DEPLOYING).exists():
        _log.warning("a deployment is under way: what was saved before it stays")
        return
    link = folder / SAVED
    before = link.resolve() if link.exists() else folder / UNSAVED
    # the one that the link doesn't point to: a save that was cut off has left it
    fresh = folder / ("saved-2" if before.name == "saved-1" else "saved-1")
    shutil.rmtree(fresh, ignore_errors=True)
    if before.exists():
        shutil.copytree(before, fresh, copy_function=os.link)  # of services that were not asked for anything
    persistence.STATE_DIR = str(fresh)
    lambda_svc.CODE_BLOB_DIR = str(fresh / "lambda-blobs")
    for name, get_state in services.items():
        if (state := get_state()) is not None:
            written = fresh / f"{name}.json"
            written.unlink(missing_ok=True)
            persistence.save_state(name, state)
            if not written.exists():
                raise OSError(f"the state of {name} could not be saved; why is above")
    moved = folder / f"{SAVED}.new"
    moved.unlink(missing_ok=True)
    moved.symlink_to(fresh.name)
    moved.replace(link)
    shutil.rmtree(before, ignore_errors=True)


def save_all_now(folder: Path, services: Services) -> None:
    """`save_all` while it runs. What fails is said in the log, and was not saved; it goes on running."""
    for _ in range(_TRIES):
        try:
            save_all(folder, services)
        except RuntimeError:  # something was added while it was copied
            continue
        except Exception:  # noqa: BLE001 - in a signal's handler it would end the emulator
            _log.exception("nothing was saved")
        return
    _log.error("nothing was saved: too much changed meanwhile")


def keeping_secrets(folder: Path, handle: Handling) -> Handling:
    """`handle`, which does what Secrets Manager is asked to, and what that changes is saved at once.

    Unless a deployment is under way, which is saved as a whole.
    """

    async def handle_and_keep(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: object
    ) -> tuple[int, dict[str, str], bytes]:
        answer = await handle(method, path, headers, body, query)
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if not action.startswith(_READING) and (folder / SAVED).exists() and not (folder / DEPLOYING).exists():
            persistence.save_state("secretsmanager", secretsmanager.get_state())
        return answer

    return handle_and_keep


def with_locks(describe: Described) -> Described:
    """`describe`, what is kept beside an object, and until when which version of it is locked."""

    def describe_with_locks(bucket: str, key: str) -> dict[str, Any]:
        return {**describe(bucket, key), **{name: _of_versions(store, bucket, key) for name, store in _LOCKS.items()}}

    return describe_with_locks


def keeping(lock: Locking) -> Locking:
    """`lock`, which locks an object, and what is kept beside that object says so at once."""

    def lock_and_keep(bucket: str, key: str, *arguments: object) -> tuple[int, dict[str, str], bytes]:
        answer = lock(bucket, key, *arguments)
        if answer[0] == HTTPStatus.OK:
            s3._persist_version_state(bucket, key, s3._buckets[bucket])  # noqa: SLF001 - as all of this
        return answer

    return lock_and_keep


def restore_locks() -> None:
    """Every object is locked as it was when the emulator ended, or was killed."""
    for account, bucket in list(s3._buckets._data):  # noqa: SLF001
        folder = Path(s3.DATA_DIR) / account / bucket
        for path, key in s3._persisted_key_files(str(folder), sidecars=True):  # noqa: SLF001
            kept = json.loads(Path(path).read_text())
            for name, store in _LOCKS.items():
                for version, lock in kept.get(name, {}).items():
                    store._data[(account, (bucket, kept.get("key", key), version))] = lock  # noqa: SLF001


def _of_versions(store: Any, bucket: str, key: str) -> dict[str, Any]:  # noqa: ANN401 - MiniStack has no types
    return {found[2]: lock for found, lock in store.items() if found[:2] == (bucket, key) and found[2] is not None}


_LOCKS: Final = {"retention": s3._object_retention, "legal_hold": s3._object_legal_hold}  # noqa: SLF001
