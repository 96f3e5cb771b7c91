"""A database server of our own: loopback interface only, TLS only, its data in a folder that we name."""

import os
import secrets
import shutil
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from local import certificates, mysqld, ports
from local.processes import Daemon, LocalStackError

DATABASE = "wallet"
OWNER = "wallet_owner"
#: For a server whose commits survive its death, but no power cut: the system has them, and writes in time. The last is
#: MariaDB's own, of which a migration would otherwise wait for the disk two thousand times.
NO_POWER_CUT: Final[Mapping[str, object]] = {
    "innodb-flush-log-at-trx-commit": 2,
    "sync-binlog": 0,
    "loose-debug-no-sync": 1,
}
_START_S = 60
_STOP_S = 30


class PrivateServer:
    """One MySQL or MariaDB server, started and stopped by us.

    `folder` may hold the data of several: each flavour and version has a folder of its own in it, as none
    can read another's. `mysqld_program` is by default the one that `mysqld.find` finds; `port` is a wish, by
    default the last one; `options` are the server's, by their names (`{"log-bin": "binlog"}`), beside ours or instead.

    Usable as a context; after `start` there are `host`, `port`, `owner_user`, `owner_password`, `database`
    and `ca_pem`, the text of the authority to verify the server's certificate with.
    """

    host = ports.HOST
    owner_user = OWNER
    database = DATABASE

    def __init__(
        self,
        folder: Path,
        mysqld_program: str | os.PathLike[str] | None = None,
        *,
        port: int | None = None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self.program = mysqld.find(mysqld_program)
        self.folder = folder.absolute() / self.program.folder
        self.port = port or _remembered_port(self.folder)
        self.options = dict(options or {})
        self.ca_pem = ""
        self.daemon = _daemon(self.folder)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def owner_password(self) -> str:
        """Chosen once for each data folder."""
        file = self.folder / "owner-password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(20))
        return file.read_text()

    def start(self) -> Self:
        """Returns when the server answers. Any that still runs on this folder's data is stopped first."""
        stop_all(self.folder.parent)
        temporary = self.folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self.ca_pem = certificates.ensure(self.folder / "tls")
        self._initialise(temporary)
        self.port = ports.free(self.port or None)
        (self.folder / "port").write_text(str(self.port))
        accounts = self._accounts()
        try:
            self.daemon.start(self._command(temporary, accounts), environment={**os.environ, "TZ": "UTC"})
            self._await_greeting()
        finally:
            accounts.unlink()
        return self

    def ensure(self) -> Self:
        """As `start`, but one of this version that runs already, whoever started it, is left to run."""
        if self.daemon.pid() is not None and self._greets():
            self.ca_pem = certificates.ensure(self.folder / "tls")
            return self
        return self.start()

    def stop(self) -> None:
        """Ends the server, whoever started it; data stays."""
        self.daemon.stop(patience_s=_STOP_S)

    def _initialise(self, temporary: Path) -> None:
        data, fresh = self.folder / "data", self.folder / "data.new"
        if data.exists():
            return
        # A crash half way leaves `data.new`, never a `data` that is not whole.
        shutil.rmtree(fresh, ignore_errors=True)
        self.program.initialise(fresh, temporary)
        fresh.rename(data)

    def _accounts(self) -> Path:
        """What the server runs before it takes the first connection, so that it is never open to all."""
        path = self.folder / "accounts.sql"
        path.touch(mode=0o600)
        path.write_text(
            f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n"
            f"CREATE USER IF NOT EXISTS '{OWNER}'@'%' IDENTIFIED BY '{self.owner_password}';\n"
            f"ALTER USER '{OWNER}'@'%' IDENTIFIED BY '{self.owner_password}' REQUIRE SSL;\n"
            f"GRANT ALL PRIVILEGES ON *.* TO '{OWNER}'@'%' WITH GRANT OPTION;\n"
            f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{secrets.token_hex(20)}';\n"
        )
        return path

    def _command(self, temporary: Path, accounts: Path) -> list[str]:
        tls = self.folder / "tls"
        options = {
            "datadir": self.folder / "data",
            "tmpdir": temporary,
            "secure-file-priv": temporary,
            "pid-file": self.folder / "mysqld.pid",
            # relative to the data folder: an absolute path may be longer than a socket's name can be
            "socket": "mysqld.sock",
            "init-file": accounts,
            "bind-address": self.host,
            "port": self.port,
            "require-secure-transport": "ON",
            "ssl-ca": tls / "ca.pem",
            "ssl-cert": tls / "server.pem",
            "ssl-key": tls / "server-key.pem",
            # what the deployed database's parameter group says too
            "transaction-isolation": "READ-COMMITTED",
            "innodb-lock-wait-timeout": 3,
            "default-time-zone": "+00:00",
            "character-set-server": "utf8mb4",
            "collation-server": "utf8mb4_bin",
            "max-connections": 500,
            "loose-log-bin-trust-function-creators": 1,
            # a commit that was answered is on the disk
            "innodb-flush-log-at-trx-commit": 1,
            "sync-binlog": 1,
            "binlog-expire-logs-seconds": 86_400,
            "performance-schema": "OFF",
            "loose-mysqlx": "OFF",
            "loose-auto-generate-certs": "OFF",
            "loose-caching-sha2-password-auto-generate-rsa-keys": "OFF",
        }
        if self.program.is_mariadb:
            options["binlog-format"] = "ROW"
        options |= self.options
        return self.program.command("--skip-name-resolve", *(f"--{k}={v}" for k, v in options.items()))

    def _await_greeting(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if self.daemon.pid() is None:
                raise LocalStackError(f"{self.program.path} ended:\n{self.daemon.last_words()}")
            if self._greets():
                return
            time.sleep(0.05)
        self.stop()
        end = self.daemon.last_words()
        raise LocalStackError(f"{self.program.path} did not answer in {_START_S} s:\n{end}")

    def _greets(self) -> bool:
        """A server that is ready speaks first."""
        try:
            with socket.create_connection((self.host, self.port), timeout=1) as connection:
                return bool(connection.recv(5))
        except OSError:
            return False


def stop_all(folder: Path) -> None:
    """Ends whatever servers run on the data in `folder`."""
    for daemon in daemons(folder):
        daemon.stop(patience_s=_STOP_S)


def runs(folder: Path) -> bool:
    """Whether a server runs on the data in `folder`."""
    return any(daemon.pid() is not None for daemon in daemons(folder))


def daemons(folder: Path) -> list[Daemon]:
    """Every server that was started on the data in `folder` and not stopped since, whether it runs or has ended."""
    return [_daemon(found.parent) for found in folder.absolute().glob("*/server.pid")]


def _daemon(folder: Path) -> Daemon:
    return Daemon("the database", folder / "server.pid", folder / "server.log")


def _remembered_port(folder: Path) -> int:
    try:
        return int((folder / "port").read_text())
    except (OSError, ValueError):
        return 0
