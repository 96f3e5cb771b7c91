"""A PostgreSQL server for those of the peers that want one, from a package, as no system package is ours to install.

As `local.database.PrivateServer` is: the loopback interface only, TLS only, a commit that was answered is on the disk.
Everything else is as PostgreSQL ships it.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from local import certificates, ports
from local.processes import LocalStackError

_OWNER = "wallet_owner"
_DATABASE = "postgres"
#: It refuses to run as root: then it runs as this account, which every system has.
_NOBODY = "nobody"


class PostgresServer:
    """One server, its data in a temporary folder of its own that goes when it ends.

    `programs` is the folder in which it was installed, with `bin` in it. Usable as a context; `connection` is what a
    client needs to know.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._temporary = tempfile.TemporaryDirectory()
        self._folder = Path(self._temporary.name)
        self._account = pwd.getpwnam(_NOBODY) if os.geteuid() == 0 else None
        self._port = ports.free()
        self._password = secrets.token_hex(20)

    @property
    def connection(self) -> dict[str, str | int]:
        """Where it is, and as whom to come."""
        return {
            "scheme": "postgresql",
            "host": ports.HOST,
            "port": self._port,
            "user": _OWNER,
            "password": self._password,
            "database": _DATABASE,
            "ca": str(self._folder / "tls" / "ca.pem"),
        }

    def __enter__(self) -> Self:
        try:
            self._lay()
            self._run("pg_ctl", "start", "--wait", f"--log={self._folder / 'log'}")
        except BaseException:
            self._temporary.cleanup()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "stop", "--wait", "--mode=fast")
        self._temporary.cleanup()

    def _lay(self) -> None:
        tls, password = self._folder / "tls", self._folder / "password"
        certificates.ensure(tls)
        password.write_text(self._password)
        if self._account is not None:
            # the environment's folder may be one that nobody else may enter
            shutil.copytree(self._programs, self._folder / "programs")
            self._programs = self._folder / "programs"
            for path in (self._folder, *self._folder.rglob("*")):
                os.chown(path, self._account.pw_uid, self._account.pw_gid, follow_symlinks=False)
        self._run(
            "initdb",
            f"--username={_OWNER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--locale-provider=libc",
            "--locale=C",
            "--encoding=UTF8",
        )
        data = self._folder / "data"
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        settings = {
            "listen_addresses": ports.HOST,
            "port": self._port,
            "unix_socket_directories": "",
            "max_connections": 500,
            "ssl": "on",
            "ssl_ca_file": tls / "ca.pem",
            "ssl_cert_file": tls / "server.pem",
            "ssl_key_file": tls / "server-key.pem",
            # what it ships with, said because it is what is measured
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
        }
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def _run(self, tool: str, *arguments: str) -> None:
        """One of its programs, as whom it may run."""
        account = self._account
        # a file, and no pipe: the server that it starts keeps it open
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(  # noqa: S603 - its own, installed for it
                [self._programs / "bin" / tool, f"--pgdata={self._folder / 'data'}", *arguments],
                cwd=self._folder,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
                user=account and account.pw_uid,
                group=account and account.pw_gid,
                extra_groups=None if account is None else [],
                # a Ctrl-C at the terminal is for whoever stops it
                start_new_session=True,
            )
            if done.returncode != 0:
                said.seek(0)
                raise LocalStackError(f"{tool} failed:\n{said.read().decode(errors='replace')}")
