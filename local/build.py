"""Builds what template.yaml names, by the Makefiles beside the sources: only what has changed, and without the network.

`sam build` would make everything anew for an edit of one file, and fetch every package for it. The Makefiles are the
ones that it runs; what they make is for one Python and one architecture (`Target`), and the template that comes out
can be deployed for that architecture and no other. Packages are fetched once for each list of them and each target,
and kept beside the interpreter's own.
"""

import contextlib
import hashlib
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local import template
from local.contents import contents_hash
from local.processes import LocalStackError, run_to_its_end
from local.state import ROOT, State

ARM64, X86_64 = ARCHITECTURES = ("arm64", "x86_64")
#: Lambda's runtime, as template.yaml names it.
LAMBDA_PYTHON: Final = "3.13"
_SOURCES = ("template.yaml", "functions", "layers", "schema")
_MACHINES: Final = {ARM64: 183, X86_64: 62}  # e_machine of an ELF file
_MAKES_AT_ONCE = 4
#: The layers, and the lists of what is in them beside our own.
_LISTS: Final = {"WalletLayer": "requirements.txt", "PasskeyLayer": "passkeys.txt"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a build is for. `here`: for this very interpreter, on whatever system it runs."""

    python: str
    architecture: str
    here: bool = False

    def about(self) -> str:
        """What tells the same sources built for this from those built for another, or by another Python."""
        return f"{self.python} {self.architecture} {self.here and sys.platform} {sys.version_info[:2]}"

    def environment(self) -> dict[str, str]:
        """What the Makefiles go by."""
        architecture = "host" if self.here else self.architecture
        return {"PYTHON": sys.executable, "TARGET_PYTHON": self.python, "TARGET_ARCH": architecture}


@dataclass(frozen=True, slots=True)
class Build:
    """What was built: the template that names it, and what each function and layer holds (40 hexadecimal digits)."""

    template: Path
    architecture: str
    artifacts: Mapping[str, str]
    changed: tuple[str, ...]


def sources_hash() -> str:
    """40 hexadecimal digits over everything that goes into functions and layer, and the template."""
    return contents_hash(ROOT, *(ROOT / source for source in _SOURCES))


def combined(*parts: str) -> str:
    """40 hexadecimal digits over several texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def machine_architecture() -> str:
    """This machine's processor, in Lambda's words."""
    return ARM64 if platform.machine() in ("arm64", "aarch64") else X86_64


def build_here(state: State) -> Build:
    """Builds for this machine and this Python."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return build(state, "stack", Target(python, machine_architecture(), here=True))


def lambda_build(state: State, architecture: str) -> Build:
    """Builds for Lambda's own runtime, as for a deployment to AWS."""
    return build(state, "lambda", Target(LAMBDA_PYTHON, architecture))


def build(state: State, name: str, target: Target, *, sources: Path = ROOT) -> Build:
    """Brings the build of that name up to date: what is made of what it was made of last time stays as it is."""
    folder = state.build / name
    folder.mkdir(parents=True, exist_ok=True)
    content = template.read(sources / "template.yaml")
    made_of = {
        logical_id: combined(target.about(), contents_hash(sources / source, sources / source))
        for logical_id, source in _buildable(content).items()
    }
    known = _known(folder)
    stale = [one for one in made_of if known.get(one, {}).get("made_of") != made_of[one] or not (folder / one).is_dir()]
    if stale:
        for one in stale:
            known.pop(one, None)
        _remember(folder, known)

        def make(logical_id: str) -> None:
            listed = _LISTS.get(logical_id)
            packages = {} if listed is None else {"PACKAGES": str(packages_for(state, target, listed, sources=sources))}
            variables = {**target.environment(), **packages}
            _make(state, sources / _buildable(content)[logical_id], folder / logical_id, variables)

        with ThreadPoolExecutor(_MAKES_AT_ONCE) as pool:
            list(pool.map(make, stale))  # raises what one of them raises
        for one in stale:
            known[one] = {"made_of": made_of[one], "content": contents_hash(folder / one, folder / one)}
    known = {one: known[one] for one in made_of}
    _remember(folder, known)
    built = template.write(folder / "template.json", _built(content, target))
    return Build(built, target.architecture, {one: known[one]["content"] for one in known}, tuple(stale))


def packages_for(state: State, target: Target, name: str, *, sources: Path = ROOT) -> Path:
    """The packages of a layer's list, installed for a target: fetched if nobody has before, and then kept."""
    listed = [(sources / "layers" / file).read_text() for file in (name, "Makefile")]
    parent = Path(sys.prefix) / "layer-packages"
    kept = parent / combined(target.about(), *listed)[:16]
    if not kept.exists():
        parent.mkdir(exist_ok=True)
        with _scratch(parent) as fresh:
            variables = {**target.environment(), "LIST": name, "PACKAGES": str(fresh)}
            _run_make(state, sources / "layers", "packages", variables)
            wrong = foreign_libraries(fresh, target)
            if wrong:
                raise LocalStackError(f"packages for another machine than {target.architecture}: {', '.join(wrong)}")
            with contextlib.suppress(OSError):  # somebody else was quicker, with the same
                fresh.rename(kept)
    return kept


def foreign_libraries(folder: Path, target: Target) -> list[str]:
    """The compiled libraries below a folder that the target's machine can't load."""
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*.so*"))
        if not _is_for(file.read_bytes()[:20], target)
    ]


def _is_for(head: bytes, target: Target) -> bool:
    if not head.startswith(b"\x7fELF"):
        return target.here  # macOS has a format of its own, and there is nothing but this machine to be for
    return int.from_bytes(head[18:20], "little") == _MACHINES[target.architecture]


def _buildable(content: template.Template) -> dict[str, str]:
    """What the Makefiles make, by logical id, and the folder of each."""
    return {
        logical_id: _uri(resource["Properties"], content)
        for logical_id, resource in content["Resources"].items()
        if resource.get("Metadata", {}).get("BuildMethod") == "makefile"
    }


def _uri(properties: Mapping[str, Any], content: template.Template) -> str:
    uri: str = properties.get("ContentUri") or properties.get("CodeUri") or content["Globals"]["Function"]["CodeUri"]
    return uri


def _built(content: template.Template, target: Target) -> template.Template:
    """The template of what was built, which can't be deployed for another architecture."""
    for logical_id in _buildable(content):
        resource = content["Resources"][logical_id]
        resource["Properties"]["CodeUri" if resource["Type"].endswith("::Function") else "ContentUri"] = logical_id
        del resource["Metadata"]["BuildMethod"]
    content["Parameters"]["Architecture"] |= {"Default": target.architecture, "AllowedValues": [target.architecture]}
    return content


def _make(state: State, source: Path, artifact: Path, variables: Mapping[str, str]) -> None:
    with _scratch(artifact.parent) as fresh:
        _run_make(state, source, f"build-{artifact.name}", {**variables, "ARTIFACTS_DIR": str(fresh)})
        shutil.rmtree(artifact, ignore_errors=True)
        fresh.rename(artifact)


def _run_make(state: State, folder: Path, goal: str, variables: Mapping[str, str]) -> None:
    run_to_its_end(
        # the environment would yield to whatever a make around this one was given
        ["make", "--silent", "--directory", str(folder), goal, *(f"{k}={v}" for k, v in variables.items())],
        environment=state.environment(),
        failure=f"{goal} could not be made in {folder}",
    )


@contextlib.contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, gone afterwards unless it was renamed."""
    fresh = Path(tempfile.mkdtemp(dir=parent, prefix="new-"))
    fresh.chmod(0o755)
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _known(folder: Path) -> dict[str, dict[str, str]]:
    try:
        known: dict[str, dict[str, str]] = json.loads((folder / "artifacts.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return known


def _remember(folder: Path, known: Mapping[str, Mapping[str, str]]) -> None:
    fresh = folder / "artifacts.new"
    fresh.write_text(json.dumps(known, indent=1))
    fresh.replace(folder / "artifacts.json")


def sam_command(*arguments: str) -> list[str]:
    """The `sam` that came with this interpreter."""
    return [sys.executable, "-m", "samcli", *arguments]


def sam_environment(state: State) -> dict[str, str]:
    """No telemetry, no look for updates, no settings in the home folder."""
    return {
        **state.environment(),
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_CHECK_FOR_UPDATES": "0",
        "__SAM_CLI_APP_DIR": str(state.folder / "sam"),
        "AWS_DEFAULT_REGION": "ap-south-1",
    }
