"""Which database server this machine has: a MySQL or a MariaDB, found or, where that is usual, installed."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.processes import LocalStackError

# `mysqld` before `mariadbd`: on a machine that has both, the one that the product runs on
_NAMES = ("mysqld", "mariadbd")
_FOLDERS = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/usr/local/mysql/bin",
)
# what the server's own clients are called, in the order to look for them
_TOOLS: dict[str, dict[str, tuple[str, ...]]] = {
    "mysql": {"client": ("mysql",), "dump": ("mysqldump",), "binlog": ("mysqlbinlog",)},
    "mariadb": {
        "client": ("mariadb", "mysql"),
        "dump": ("mariadb-dump", "mysqldump"),
        "binlog": ("mariadb-binlog", "mysqlbinlog"),
    },
}
_OLDEST = {"mysql": (8, 0), "mariadb": (10, 11)}
_DEBIAN_TOOLS = ("mariadb-client",)
# the second has what the first one's mariadb-install-db reads its settings with
_DEBIAN_PACKAGES = ("mariadb-server-core", "mariadb-client-core")


@dataclass(frozen=True, slots=True)
class Program:
    """A database server: its path, and what it says it is."""

    path: Path
    flavour: str  # mysql or mariadb
    version: str  # major.minor

    @property
    def is_mariadb(self) -> bool:
        return self.flavour == "mariadb"

    @property
    def name(self) -> str:
        return f"{'MariaDB' if self.is_mariadb else 'MySQL'} {self.version}"

    @property
    def folder(self) -> str:
        """What the folder with its data is called: no other flavour or version can read it."""
        return f"{self.flavour}-{self.version}"

    @property
    def ignores_option_files(self) -> bool:
        """True for a wrapper script that says so itself; MySQL refuses to be told twice."""
        with self.path.open("rb") as file:
            return file.read(2) == b"#!" and b"--no-defaults" in file.read(8192)

    def command(self, *options: str) -> list[str]:
        """The server with these options and with nothing of what the machine's option files say."""
        first = () if self.ignores_option_files else ("--no-defaults",)
        # as root a server must be told to stay so; as anyone else it can be nobody but who it is
        user = ("--user=root",) if os.geteuid() == 0 else ()
        return [str(self.path), *first, *user, *options]

    def initialise(self, data: Path, temporary: Path) -> None:
        """Makes a new data folder."""
        if self.is_mariadb:
            tool = self._install_tool()
            user = ("--user=root",) if os.geteuid() == 0 else ()
            # a shell script that can't take blanks in a path: so a relative one, and the environment
            command = [tool, "--no-defaults", *user, f"--datadir=./{data.name}"]
            command += ["--auth-root-authentication-method=socket", "--skip-test-db", "--skip-name-resolve"]
        else:
            command = self.command("--initialize-insecure", f"--datadir={data}", f"--tmpdir={temporary}")
            command.append(f"--secure-file-priv={temporary}")
        done = subprocess.run(
            command,
            cwd=data.parent,
            env={**os.environ, "TMPDIR": str(temporary)},
            capture_output=True,
            text=True,
            check=False,
            errors="replace",
        )
        if done.returncode != 0:
            raise LocalStackError(f"{command[0]} could not make a data folder:\n{done.stdout}{done.stderr}")

    def tool(self, purpose: str) -> str | None:
        """The `client`, `dump` or `binlog` program of this server's makers, None if there is none here.

        Looked for in the folder that MYSQL_TOOLS names, beside the server and on the PATH; MariaDB's is installed where
        that is ours to do, as the server is.
        """
        found = self._find_tool(purpose)
        if found is None and self.is_mariadb:
            _install(_DEBIAN_TOOLS)
            found = self._find_tool(purpose)
        return found

    def _find_tool(self, purpose: str) -> str | None:
        path = os.pathsep.join([os.environ.get("MYSQL_TOOLS", ""), self._beside()])
        for name in _TOOLS[self.flavour][purpose]:
            found = shutil.which(name, path=path)
            if found and _is_mariadbs(Path(found)) == self.is_mariadb:
                return found
        return None

    def _beside(self) -> str:
        folder = self.path.resolve().parent
        return os.pathsep.join([str(folder), str(folder.parent / "bin"), os.environ.get("PATH", "")])

    def _install_tool(self) -> str:
        for name in ("mariadb-install-db", "mysql_install_db"):
            found = shutil.which(name, path=self._beside())
            if found:
                return found
        raise LocalStackError(f"{self.path} is a MariaDB server, but mariadb-install-db is not beside it")


def find(wanted: str | os.PathLike[str] | None = None) -> Program:
    """The server to use: `wanted`, else what MYSQLD names, else this machine's, else one newly installed."""
    found = look(wanted)
    if found is None:
        _install(_DEBIAN_PACKAGES)
        found = look(wanted)
    if found is None:
        raise LocalStackError(f"no database server, though {' '.join(_DEBIAN_PACKAGES)} are installed")
    return found


def look(wanted: str | os.PathLike[str] | None = None) -> Program | None:
    """As `find`, but nothing is installed: None if that is what has to be done, and can be."""
    named = wanted or os.environ.get("MYSQLD")
    path = shutil.which(named) if named else _search()
    if path is not None:
        return _identify(Path(path))
    if named:
        raise LocalStackError(f"MYSQLD: there is no program {named}")
    if not _can_install():
        raise LocalStackError(
            "no MySQL or MariaDB server on this machine: install one (Debian: apt install"
            f" {' '.join(_DEBIAN_PACKAGES)}; macOS: brew install mysql), or name one: MYSQLD=/path/to/mysqld"
        )
    return None


def _search() -> str | None:
    path = os.pathsep.join([os.environ.get("PATH", ""), *_FOLDERS])
    return next(filter(None, (shutil.which(name, path=path) for name in _NAMES)), None)


def _is_mariadbs(tool: Path) -> bool:
    """MariaDB's go by MySQL's names too, and not each says whose it is."""
    said = subprocess.run([str(tool), "--version"], capture_output=True, text=True, check=False).stdout
    return tool.resolve().name.startswith("mariadb") or "MariaDB" in said


def _identify(path: Path) -> Program:
    try:
        said = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise LocalStackError(f"{path} can't be run: {error.strerror}") from error
    version = re.search(r"Ver (\d+)\.(\d+)", said.stdout)
    if version is None:
        raise LocalStackError(f"{path} doesn't say which version it is: {said.stdout}{said.stderr}")
    # on Debian `mysqld` is a MariaDB too
    program = Program(path.absolute(), "mariadb" if "MariaDB" in said.stdout else "mysql", ".".join(version.groups()))
    oldest = _OLDEST[program.flavour]
    if tuple(map(int, version.groups())) < oldest:
        raise LocalStackError(f"{path} is {program.name}, and {oldest[0]}.{oldest[1]} is the oldest that will do")
    return program


def _can_install() -> bool:
    """As root, on a Debian-like system."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install(packages: tuple[str, ...]) -> None:
    """Only where it is ours to do."""
    if not _can_install():
        return
    print(f"  not found here: installing {' '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LocalStackError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
