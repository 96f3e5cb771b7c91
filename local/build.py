"""`sam build` for the interpreter at hand, and only when something has changed."""

import hashlib
import platform
import subprocess
import sys
from pathlib import Path

from local.processes import LocalStackError
from local.state import ROOT, State

_SOURCES = ("template.yaml", "functions", "layers", "schema")
_LEFT_OUT = {"__pycache__", ".mypy_cache", ".ruff_cache"}


def sources_hash() -> str:
    """40 hexadecimal digits over everything that goes into functions and layer: the template's BuildSha."""
    digest = hashlib.sha256()
    for source in _SOURCES:
        path = ROOT / source
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and not _LEFT_OUT.intersection(file.parts):
                digest.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:40]


def combined(*parts: str) -> str:
    """40 hexadecimal digits over several texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def machine_architecture() -> str:
    """This machine's processor, in Lambda's words."""
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def build_here(state: State) -> tuple[Path, str, bool]:
    """Builds for this machine and this Python: the built template, the build's hash, whether it is new."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return _build(state, "stack", python=python, architecture="host")


def lambda_build(state: State, architecture: str) -> Path:
    """Builds for Lambda's own runtime, as for a deployment to AWS; the built template."""
    return _build(state, "lambda", python="3.13", architecture=architecture)[0]


def _build(state: State, name: str, *, python: str, architecture: str) -> tuple[Path, str, bool]:
    about = f"{sources_hash()} {python} {architecture} {sys.platform} {sys.version_info[:2]}"
    wanted = combined(about)
    folder, mark = state.build / name, state.build / f"{name}.built"
    template = folder / "template.yaml"
    if template.exists() and mark.exists() and mark.read_text() == wanted:
        return template, wanted, False
    mark.unlink(missing_ok=True)
    sam(
        state,
        "build",
        *("--template-file", str(ROOT / "template.yaml"), "--build-dir", str(folder), "--parallel"),
        environment={"PYTHON": sys.executable, "TARGET_PYTHON": python, "TARGET_ARCH": architecture},
    )
    mark.write_text(wanted)
    return template, wanted, True


def sam_command(*arguments: str) -> list[str]:
    """The `sam` that came with this interpreter."""
    return [sys.executable, "-m", "samcli", *arguments]


def sam(state: State, command: str, *arguments: str, environment: dict[str, str]) -> None:
    """Runs one `sam` command; what it says is kept in a log, and shown if it fails."""
    log = state.folder / "logs" / f"sam-{command}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        done = subprocess.run(
            sam_command(command, *arguments),
            cwd=ROOT,
            env={**sam_environment(state), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
        raise LocalStackError(f"sam {command} failed:\n{end}")


def sam_environment(state: State) -> dict[str, str]:
    """No telemetry, no look for updates, no settings in the home folder."""
    return {
        **state.environment(),
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_CHECK_FOR_UPDATES": "0",
        "__SAM_CLI_APP_DIR": str(state.folder / "sam"),
        "AWS_DEFAULT_REGION": "ap-south-1",
    }
