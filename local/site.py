"""The site that browsers see: the wallet (web/), built by the Node of this environment, and the documentation; put into
the bucket that the distribution reads. `python -m local.site` fetches the packages that it is built with, and no more.
"""

import contextlib
import fcntl
import hashlib
import json
import mimetypes
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local import documentation
from local.contents import contents_hash, files_below
from local.processes import LocalStackError, run_to_its_end
from local.state import ROOT, State

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WEB: Final = ROOT / "web"
#: What browsers are told of whoever runs this: the page of help reads it.
OPERATOR: Final = "operator.json"
# named by what is in them: they never change
_FOR_EVER, _ASK_EACH_TIME = "public, max-age=31536000, immutable", "no-cache"
#: Under this key the bucket has what headers each file was sent with, as its listing doesn't say; it is no address.
_SENT_WITH: Final = "sent-with.json"
#: Folders of what pages load; template.yaml says so, too.
ASSETS: Final = ("assets/", "docs/assets/")
_MADE_FROM = ("src", "public", "index.html", "package.json", "package-lock.json", "vite.config.ts")
_TYPES: Final = {".js": "text/javascript", ".md": "text/markdown; charset=utf-8", ".txt": "text/plain; charset=utf-8"}
_SENT_AT_ONCE = 8
# CloudFormation's
_PARAMETER_MAX = 4096
_NAMED: Final = {
    "NoticeBrand": "name",
    "NoticeContact": "support_phone",
    "SupportEmail": "support_email",
    "NodalOfficer": "nodal_officer",
    "OperatorAddress": "address",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A built site: its files, and what they were made of (40 hexadecimal digits)."""

    folder: Path
    made_of: str


def build_site(state: State) -> tuple[Site, bool]:
    """Builds the site unless it was built of the very same; whether it had to be."""
    folder, remembered = state.build / "site", state.build / "site.txt"
    made_of = contents_hash(ROOT, *(WEB / name for name in _MADE_FROM), *documentation.sources())
    if folder.is_dir() and remembered.exists() and remembered.read_text() == made_of:
        return Site(folder, made_of), False
    fetch_packages()
    remembered.unlink(missing_ok=True)
    fresh = state.build / "site.new"
    shutil.rmtree(fresh, ignore_errors=True)
    # its own words are few, but what it makes of a mistake in the sources is what a developer needs to read
    _node("npm", "run", "build", "--silent", "--", "--outDir", str(fresh), "--emptyOutDir", "--logLevel", "warn")
    documentation.build(fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    remembered.write_text(made_of)
    return Site(folder, made_of), True


def fetch_packages() -> None:
    """Puts what package-lock.json lists into web/node_modules, unless it is there."""
    listed = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    fetched = WEB / "node_modules" / ".fetched"
    with _alone():
        if not fetched.exists() or fetched.read_text() != listed:
            _node("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error")
            fetched.write_text(listed)


def addresses(site: Site) -> str:
    """Where the site has something, as the template's parameter SiteAddresses has it.

    Not the parts of pages, of which the bucket has older ones as well. LocalStackError for a list that CloudFormation
    doesn't take.
    """
    keys = {OPERATOR, *(key for key, _ in _by_key(site))}
    listed = ",".join(sorted(key for key in keys if not key.startswith(ASSETS)))
    if len(listed) > _PARAMETER_MAX:
        raise LocalStackError(
            f"the site's addresses are {len(listed)} characters, and a parameter takes {_PARAMETER_MAX}"
        )
    return listed


def send_site(client: "S3Client", bucket: str, site: Site, told: Mapping[str, object]) -> list[str]:
    """Brings the bucket up to the site; the keys of what was sent or taken away.

    Pages come after what they load, and what older pages load stays, as it was sent: somebody may have one open. `told`
    is what browsers are told of whoever runs this, see `about_the_operator`.
    """
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    there = {item["Key"]: item["ETag"].strip('"') for page in pages for item in page.get("Contents", [])}
    files = {key: file.read_bytes() for key, file in _by_key(site)}
    files[OPERATOR] = json.dumps(told, ensure_ascii=False).encode()
    headers = {key: {"Content-Type": _type(key), "Cache-Control": _kept(key)} for key in files}
    sent_with = _sent_with(client, bucket) if _SENT_WITH in there else {}

    def is_new(key: str) -> bool:
        # a tag of S3 is the content's MD5, as nothing here is sent in parts
        return sent_with.get(key) != headers[key] or there.get(key) != hashlib.md5(files[key]).hexdigest()  # noqa: S324

    def send(key: str) -> None:
        kind, kept = headers[key]["Content-Type"], headers[key]["Cache-Control"]
        client.put_object(Bucket=bucket, Key=key, Body=files[key], ContentType=kind, CacheControl=kept)

    if any(sent_with.get(key, wanted) != wanted for key, wanted in headers.items()):
        # until all is sent nobody knows which of them has which: cut off here, the next time sends everything
        client.delete_object(Bucket=bucket, Key=_SENT_WITH)
    new = [key for key in files if is_new(key)]
    with ThreadPoolExecutor(_SENT_AT_ONCE) as pool:
        list(pool.map(send, [key for key in new if key.startswith(ASSETS)]))
        list(pool.map(send, [key for key in new if not key.startswith(ASSETS)]))
    gone = [key for key in there if key not in files and key != _SENT_WITH and not key.startswith(ASSETS)]
    for key in gone:
        client.delete_object(Bucket=bucket, Key=key)
    if sent_with != headers:
        client.put_object(Bucket=bucket, Key=_SENT_WITH, Body=json.dumps(headers), ContentType="application/json")
    return new + gone


def about_the_operator(parameters: Mapping[str, str], **more: str) -> dict[str, str]:
    """What browsers are told of whoever runs this, by the stack's parameters; what isn't set is left out."""
    named = {**{name: parameters.get(parameter, "") for parameter, name in _NAMED.items()}, **more}
    return {name: value for name, value in named.items() if value}


def _by_key(site: Site) -> Iterator[tuple[str, Path]]:
    return ((key, file) for file in files_below(site.folder) for key in _keys(file.relative_to(site.folder)))


def _keys(name: Path) -> Sequence[str]:
    """Where a file is found: a page without its ending, a folder's page at the folder, as people may type it."""
    if name.suffix != ".html" or str(name) == "index.html":
        return (name.as_posix(),)
    if name.name == "index.html":
        return (name.parent.as_posix(), f"{name.parent.as_posix()}/")
    return (name.with_suffix("").as_posix(),)


def _sent_with(client: "S3Client", bucket: str) -> dict[str, object]:
    """The headers of each file in the bucket, as they were written down there."""
    told: dict[str, object] = json.loads(client.get_object(Bucket=bucket, Key=_SENT_WITH)["Body"].read())
    return told


def _kept(key: str) -> str:
    return _FOR_EVER if key.startswith(ASSETS) else _ASK_EACH_TIME


def _type(key: str) -> str:
    suffix = Path(key).suffix
    if not suffix or suffix == ".html":
        return "text/html; charset=utf-8"
    return _TYPES.get(suffix) or mimetypes.guess_type(key)[0] or "application/octet-stream"


def _node(program: str, *arguments: str) -> None:
    """Runs one of the Node that came with this interpreter, in web/."""
    commands = Path(sys.executable).parent
    path = f"{commands}{os.pathsep}{os.environ.get('PATH', '')}"
    run_to_its_end(
        [str(commands / program), *arguments],
        environment={**os.environ, "PATH": path, "NO_UPDATE_NOTIFIER": "1"},
        folder=WEB,
        failure=f"{program} {' '.join(arguments[:2])} failed in {WEB}",
    )


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Several stacks may be built from one checkout at once, and its packages are in one place."""
    (WEB / "node_modules").mkdir(exist_ok=True)
    with (ROOT / ".web-packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(_: Sequence[str]) -> int:
    """Fetches the packages; for `make check`, which needs nothing else of this."""
    try:
        fetch_packages()
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
