"""Backups as people make them: a dump by the server's own tool, or a copy of its files; and the binlog on top.

A backup is taken at a `Place` in the binlog; what came behind it is applied again up to another place.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pymysql
from pymysql.cursors import DictCursor

from local.database import PrivateServer

#: What a server that can be restored to any moment is started with; not to wait for disks, as it is never killed.
BINLOG = {"log-bin": "binlog", "server-id": 1, "innodb-flush-log-at-trx-commit": 0, "sync-binlog": 0}
_REPLAY_S = 60


@dataclass(frozen=True, slots=True)
class Place:
    """How far the binlog had come: its file, and the position behind the last event."""

    file: str
    position: int


@dataclass(frozen=True, slots=True)
class Backup:
    """What was kept of a server, and from where on its binlog has the rest."""

    path: Path
    place: Place
    owner_password: str


class Way(Protocol):
    """A way to back a server up and to bring it back."""

    def back_up(self, server: PrivateServer, path: Path) -> Backup:
        """Keeps everything that is committed."""
        ...

    def restore(self, backup: Backup, fresh: PrivateServer) -> None:
        """Starts a server that never ran as what was kept."""
        ...

    def replay(self, logs: Sequence[Path], since: Place, until: Place, restored: PrivateServer) -> None:
        """Applies what the binlog has between two places."""
        ...


@contextmanager
def _cursor(server: PrivateServer) -> Iterator[DictCursor]:
    with (
        pymysql.connect(
            host=server.host,
            port=server.port,
            user=server.owner_user,
            password=server.owner_password,
            ssl={"ca": str(server.folder / "tls" / "ca.pem")},
            cursorclass=DictCursor,
            autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):
        yield cursor


def _status(server: PrivateServer, *statements: str) -> dict[str, Any]:
    """The one row of the first statement that this server knows: their names have changed."""
    with _cursor(server) as cursor:
        for statement in statements:
            try:
                cursor.execute(statement)
            except pymysql.err.ProgrammingError:
                continue
            return dict(cursor.fetchall()[0])
    raise AssertionError(f"{server.program.flavour} {server.program.version} knows none of {statements}")


def place_of(server: PrivateServer) -> Place:
    """Where the server's binlog ends now."""
    row = _status(server, "SHOW BINARY LOG STATUS", "SHOW MASTER STATUS")
    return Place(row["File"], int(row["Position"]))


def logs_of(server: PrivateServer, since: Place, until: Place) -> list[Path]:
    """The binlog's files from one place to another; ended, so that they can be copied."""
    with _cursor(server) as cursor:
        cursor.execute("FLUSH BINARY LOGS")
    found = sorted((server.folder / "data").glob("binlog.0*"))
    return [file for file in found if since.file <= file.name <= until.file]


def _take_the_password(backup: Backup, fresh: PrivateServer) -> None:
    """Users come back with the passwords that they had; so does the one that we ask as."""
    fresh.folder.mkdir(parents=True, exist_ok=True)
    (fresh.folder / "owner-password").write_text(backup.owner_password)


class Dump:
    """`mysqldump`/`mariadb-dump` of everything: tables, routines, triggers, events, users and their rights."""

    def __init__(self, *, client: str, dump: str, binlog: str) -> None:
        self._client, self._dump, self._binlog = client, dump, binlog

    def back_up(self, server: PrivateServer, path: Path) -> Backup:
        dump = [self._dump, *_login(server), "--single-transaction", "--hex-blob"]
        wanted = ["--routines", "--triggers", "--events"]
        if server.program.is_mariadb:
            wanted += ["--master-data=2"]
        else:
            dump += ["--set-gtid-purged=OFF"]  # the fresh server has a history of its own
            wanted += ["--source-data=2"]
        with path.open("wb") as file:
            _run([*dump, *wanted, "--databases", server.database], stdout=file)
            # Users and rights come last: a procedure that is made anew loses the rights to it.
            _run([*dump, "--flush-privileges", "--databases", "mysql"], stdout=file)
        return Backup(path, _noted_place(path), server.owner_password)

    def restore(self, backup: Backup, fresh: PrivateServer) -> None:
        _take_the_password(backup, fresh)
        fresh.start()
        with backup.path.open("rb") as file:
            _run([self._client, *_login(fresh)], stdin=file)

    def replay(self, logs: Sequence[Path], since: Place, until: Place, restored: PrivateServer) -> None:
        kept = restored.folder / "replayed.sql"
        ends = (f"--start-position={since.position}", f"--stop-position={until.position}")
        with kept.open("wb") as file:
            _run([self._binlog, "--no-defaults", *ends, *map(str, logs)], stdout=file)
        with kept.open("rb") as file:
            _run([self._client, *_login(restored), "--binary-mode"], stdin=file)


class Copy:
    """The files of a server that was stopped; the binlog is applied by the server itself, as a replica would."""

    def back_up(self, server: PrivateServer, path: Path) -> Backup:
        server.stop()
        shutil.copytree(server.folder / "data", path, ignore=shutil.ignore_patterns("*.sock*", "*.pid"))
        server.start()
        return Backup(path, Place(place_of(server).file, 4), server.owner_password)

    def restore(self, backup: Backup, fresh: PrivateServer) -> None:
        _take_the_password(backup, fresh)
        shutil.copytree(backup.path, fresh.folder / "data")
        (fresh.folder / "data" / "auto.cnf").unlink(missing_ok=True)  # a MySQL's own identity
        # a server passes over what its own number has written
        fresh.options |= {"server-id": 2, "relay-log": "relay"}
        fresh.start()

    def replay(self, logs: Sequence[Path], since: Place, until: Place, restored: PrivateServer) -> None:
        restored.stop()
        names = [f"relay.{number:06}" for number in range(1, len(logs) + 1)]
        for log, name in zip(logs, names, strict=True):
            shutil.copy(log, restored.folder / "data" / name)
        (restored.folder / "data" / "relay.index").write_text("".join(f"./{name}\n" for name in names))
        restored.start()
        with _cursor(restored) as cursor:
            for statement in _replica(restored, names[0], since.position, names[-1], until.position):
                cursor.execute(statement)
        _await_the_end(restored)


def _replica(server: PrivateServer, first: str, begin: int, last: str, end: int) -> list[str]:
    if server.program.is_mariadb:
        return [
            f"CHANGE MASTER TO MASTER_HOST='nobody', RELAY_LOG_FILE='{first}', RELAY_LOG_POS={begin}",
            f"START SLAVE SQL_THREAD UNTIL RELAY_LOG_FILE='{last}', RELAY_LOG_POS={end}",
        ]
    return [
        f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='nobody', RELAY_LOG_FILE='{first}', RELAY_LOG_POS={begin}",
        f"START REPLICA SQL_THREAD UNTIL RELAY_LOG_FILE='{last}', RELAY_LOG_POS={end}",
    ]


def _await_the_end(server: PrivateServer) -> None:
    ends = time.monotonic() + _REPLAY_S
    while True:
        row = _status(server, "SHOW REPLICA STATUS", "SHOW SLAVE STATUS")
        assert row["Last_SQL_Errno"] == 0, row["Last_SQL_Error"]
        if "No" in (row.get("Replica_SQL_Running"), row.get("Slave_SQL_Running")):
            return
        assert time.monotonic() < ends, row
        time.sleep(0.05)


def dump_of(server: PrivateServer) -> Dump | None:
    """The dump by the tools of the server's makers; None where they are not."""
    tools = {purpose: server.program.tool(purpose) for purpose in ("client", "dump", "binlog")}
    found = {purpose: path for purpose, path in tools.items() if path is not None}
    return Dump(**found) if len(found) == len(tools) else None


def _login(server: PrivateServer) -> list[str]:
    """A client's options: none of this machine's files, and no password that others see."""
    path = server.folder / "client.cnf"
    path.touch(mode=0o600)
    verified = "ssl-verify-server-cert" if server.program.is_mariadb else "ssl-mode=VERIFY_CA"
    path.write_text(
        f"[client]\nprotocol=tcp\nhost={server.host}\nport={server.port}\nuser={server.owner_user}\n"
        f'password={server.owner_password}\nssl-ca="{server.folder / "tls" / "ca.pem"}"\n{verified}\n'
        "default-character-set=utf8mb4\n"
    )
    return [f"--defaults-file={path}"]


def _noted_place(dump: Path) -> Place:
    """Where the binlog stood when the dump was made: its tool writes that into it, as a comment."""
    for line in dump.read_text(errors="replace").splitlines():
        if line.startswith("-- CHANGE ") and "_LOG_FILE='" in line:
            file = line.partition("_LOG_FILE='")[2].partition("'")[0]
            return Place(file, int(line.partition("_LOG_POS=")[2].strip(" ;")))
    raise AssertionError("the dump does not say where the binlog stood")


def _run(command: Sequence[str], **pipes: Any) -> None:
    done = subprocess.run(list(command), stderr=subprocess.PIPE, check=False, **pipes)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2_000:]
