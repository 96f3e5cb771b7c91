"""How the site gets into its bucket, and what stands in front of it on this machine."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import local.site
from local.front import Front
from local.site import Site, about_the_operator, send_site
from local.state import ROOT
from local.template import read
from tests.support.cloud import REGION, Cloud

BUCKET = "the-site"
SENT_WITH = "sent-with.json"
ABOUT = {"name": "Wallet"}


@pytest.fixture
def s3(cloud: Cloud) -> Iterator[Any]:
    """A client of S3, with an empty bucket."""
    client = cloud.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield client
    for key in (*there(client), SENT_WITH):
        client.delete_object(Bucket=BUCKET, Key=key)
    client.delete_bucket(Bucket=BUCKET)


def site(folder: Path, **files: str) -> Site:
    """A built site of these files, named with `__` for `/` and `_` for `.`."""
    for name, content in files.items():
        file = folder / name.replace("__", "/").replace("_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return Site(folder, "")


def there(s3: Any) -> dict[str, tuple[str, str]]:
    """Of each file its type and how long it is kept."""
    listed = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    told = {one["Key"]: s3.head_object(Bucket=BUCKET, Key=one["Key"]) for one in listed if one["Key"] != SENT_WITH}
    return {key: (one["ContentType"], one["CacheControl"]) for key, one in told.items()}


def test_pages_are_found_without_their_ending_and_asked_for_each_time(s3: Any, tmp_path: Path) -> None:
    files = {
        "index_html": "1",
        "pay_html": "2",
        "docs__index_html": "3",
        "docs__start_html": "4",
        "docs__start_md": "5",
    }
    send_site(s3, BUCKET, site(tmp_path, **files, assets__a1_js="6", assets__a1_css="7", icon_svg="8"), ABOUT)
    page, for_ever = ("text/html; charset=utf-8", "no-cache"), "public, max-age=31536000, immutable"
    assert there(s3) == {
        "index.html": page,
        "pay": page,
        "docs": page,
        "docs/": page,
        "docs/start": page,
        "docs/start.md": ("text/markdown; charset=utf-8", "no-cache"),
        "assets/a1.js": ("text/javascript", for_ever),
        "assets/a1.css": ("text/css", for_ever),
        "icon.svg": ("image/svg+xml", "no-cache"),
        "operator.json": ("application/json", "no-cache"),
    }


def test_what_is_there_is_not_sent_again_and_open_pages_keep_what_they_load(s3: Any, tmp_path: Path) -> None:
    first = site(tmp_path / "1", index_html="old", gone_html="x", assets__old_js="1", icon_svg="8")
    assert set(send_site(s3, BUCKET, first, ABOUT)) == {
        "index.html",
        "gone",
        "assets/old.js",
        "icon.svg",
        "operator.json",
    }
    assert send_site(s3, BUCKET, first, ABOUT) == []
    assert send_site(s3, BUCKET, first, {"name": "Another"}) == ["operator.json"]
    second = site(tmp_path / "2", index_html="new", assets__new_js="2", icon_svg="8")
    assert set(send_site(s3, BUCKET, second, {"name": "Another"})) == {"assets/new.js", "index.html", "gone"}
    assert set(there(s3)) == {"index.html", "assets/old.js", "assets/new.js", "icon.svg", "operator.json"}


#: Types as they were before a rule has changed.
OTHER_TYPES = {".js": "application/javascript", ".svg": "image/x-icon"}


class CutOff:
    """S3, of which a sending reaches so many files."""

    def __init__(self, s3: Any, files: int) -> None:
        self._s3, self._left = s3, iter(range(files))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_object(self, **told: Any) -> None:
        if next(self._left, None) is None:
            raise ConnectionError
        self._s3.put_object(**told)


def test_what_is_to_have_another_type_is_sent_again(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = site(tmp_path, index_html="1", assets__a_js="2", icon_svg="3")
    with monkeypatch.context() as before:
        before.setattr(local.site, "_TYPES", OTHER_TYPES)
        send_site(s3, BUCKET, made, ABOUT)
        assert there(s3)["icon.svg"] == ("image/x-icon", "no-cache")
    assert set(send_site(s3, BUCKET, made, ABOUT)) == {"assets/a.js", "icon.svg"}
    assert there(s3)["assets/a.js"][0] == "text/javascript"
    assert there(s3)["icon.svg"][0] == "image/svg+xml"
    assert send_site(s3, BUCKET, made, ABOUT) == []


def test_what_is_to_be_kept_for_another_time_is_sent_again(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = site(tmp_path, index_html="1", assets__a_js="2")
    with monkeypatch.context() as before:
        before.setattr(local.site, "_FOR_EVER", "no-store")
        send_site(s3, BUCKET, made, ABOUT)
    assert send_site(s3, BUCKET, made, ABOUT) == ["assets/a.js"]
    assert there(s3)["assets/a.js"] == ("text/javascript", "public, max-age=31536000, immutable")


@pytest.mark.parametrize("rule", ["the new one", "the old one"])
@pytest.mark.parametrize("reached", range(5))
def test_a_sending_that_was_cut_off_leaves_nothing_by_another_rule_than_that_of_the_next(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reached: int, rule: str
) -> None:
    """The same again, or what was there before the change."""
    parts = {"index_html": "1", "assets__a_js": "2", "assets__b_js": "3", "icon_svg": "4"}
    old, new = site(tmp_path / "1", **parts), site(tmp_path / "2", **parts, assets__c_js="5")
    send_site(s3, BUCKET, old, ABOUT)
    with monkeypatch.context() as changed:
        changed.setattr(local.site, "_TYPES", OTHER_TYPES)
        with pytest.raises(ConnectionError):
            send_site(CutOff(s3, reached), BUCKET, new, ABOUT)  # type: ignore[arg-type]
        if rule == "the new one":
            send_site(s3, BUCKET, new, ABOUT)
    if rule == "the old one":
        send_site(s3, BUCKET, old, ABOUT)
    types = {
        "the new one": ("application/javascript", "image/x-icon"),
        "the old one": ("text/javascript", "image/svg+xml"),
    }
    now = there(s3)
    assert (now["assets/a.js"][0], now["icon.svg"][0]) == types[rule]
    assert now["assets/b.js"] == now["assets/a.js"]


def test_no_page_is_there_before_what_it_loads(tmp_path: Path) -> None:
    """As a sending that is cut off would leave it."""

    class Cut:
        def __init__(self) -> None:
            self.sent: list[str] = []

        def get_paginator(self, _: str) -> "Cut":
            return self

        def paginate(self, **_: object) -> list[dict[str, Any]]:
            return []

        def put_object(self, **told: Any) -> None:
            if told["Key"] == "assets/b.js":
                raise ConnectionError
            self.sent.append(told["Key"])

    client = Cut()
    with pytest.raises(ConnectionError):
        send_site(client, BUCKET, site(tmp_path, index_html="", assets__a_js="", assets__b_js=""), ABOUT)  # type: ignore[arg-type]
    assert set(client.sent) <= {"assets/a.js"}


def test_browsers_are_told_of_the_operator_what_is_set() -> None:
    told = about_the_operator({"NoticeBrand": "Asha Pay", "SupportEmail": "", "NodalOfficer": "R. Iyer, 1800 000 001"})
    assert told == {"name": "Asha Pay", "nodal_officer": "R. Iyer, 1800 000 001"}


def test_everything_that_the_page_of_help_shows_is_a_parameter() -> None:
    parameters = read(ROOT / "template.yaml")["Parameters"]
    told = about_the_operator({name: f"what {name} says" for name in parameters}, simulator_url="http://127.0.0.1:1")
    page = (ROOT / "web" / "src" / "operator.ts").read_text(encoding="utf-8")
    [fields] = re.findall(r"^const FIELDS = \[(.*)\] as const;$", page, re.MULTILINE)
    assert set(told) == set(json.loads(f"[{fields}]"))
    assert told["address"] == "what OperatorAddress says"


class Upstream(BaseHTTPRequestHandler):
    """Says what it was asked, with headers as the API and the bucket have them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        told = f"{self.command} {self.path}\n{self.headers}\n".encode() + body
        self.send_response(304 if self.path == "/unchanged" else 200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("ETag", '"one"')
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        if self.path == "/unchanged":
            self.end_headers()
            return
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told)

    do_POST = do_HEAD = do_GET  # noqa: N815 - the library's names

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def front() -> Iterator[int]:
    with (
        serving(ThreadingHTTPServer(("127.0.0.1", 0), Upstream)) as upstream,
        serving(Front(0, host="d1.cloudfront.net", upstream=upstream)) as port,
    ):
        yield port


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body or None, told)
    return connection.getresponse()


def test_the_front_hands_on_everything_but_the_name_that_it_was_asked_by(front: int) -> None:
    answer = ask(front, "POST", "/v1/x?key=a%20b", b"\x00body", Authorization="Bearer t", X_Forwarded_For="6.6.6.6")
    said = answer.read()
    assert said.startswith(b"POST /v1/x?key=a%20b\n")
    assert said.endswith(b"\n\x00body")
    assert b"Host: d1.cloudfront.net\n" in said
    assert b"Authorization: Bearer t\n" in said
    assert b"6.6.6.6" not in said, "the emulator would believe it"
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert answer.getheader("Content-Encoding") is None


def test_the_front_compresses_pages_and_not_what_the_api_says(front: int) -> None:
    long = "x" * 2_000
    page = ask(front, "POST", "/page", long.encode(), Accept_Encoding="gzip, br")
    assert page.getheader("Content-Encoding") == "gzip"
    assert page.getheader("ETag") == 'W/"one"'
    assert len(page.read()) < 1_000
    said = ask(front, "POST", "/v1/page", long.encode(), Accept_Encoding="gzip, br")
    assert said.getheader("Content-Encoding") is None


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_the_front_says_of_a_file_without_its_content_what_it_says_with_it(front: int, encoding: str) -> None:
    path = "/" + "x" * 2_000  # which the upstream repeats
    told = {}
    for method in ("GET", "HEAD"):
        answer = ask(front, method, path, Accept_Encoding=encoding)
        told[method] = {name: value for name, value in answer.getheaders() if name != "Date"}
        assert (answer.status, bool(answer.read())) == (200, method == "GET")
    assert told["HEAD"] == told["GET"]
    assert int(told["HEAD"]["Content-Length"]) > 0
    assert told["HEAD"].get("Content-Encoding") == (None if encoding == "identity" else "gzip")


def test_the_front_hands_the_apis_methods_on_as_they_are(front: int) -> None:
    with_content = ask(front, "HEAD", "/v1/x")
    assert with_content.read() == b""
    asked_for = "HEAD /v1/x\nHost: d1.cloudfront.net\n"
    assert int(with_content.getheader("Content-Length", "0")) >= len(asked_for), "as the upstream counts it"


def test_the_front_keeps_a_connection_over_answers_without_a_body(front: int) -> None:
    connection = http.client.HTTPConnection("localhost", front, timeout=10)
    for method, path, status in (("GET", "/unchanged", 304), ("HEAD", "/", 200), ("GET", "/", 200)):
        connection.request(method, path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost:1"}, 421),
        ({"Content_Length": "99999999"}, 413),
        ({"Content_Length": "x"}, 411),
        ({"Transfer_Encoding": "chunked"}, 411),
    ],
)
def test_the_front_refuses_other_names_and_bodies_without_an_end(
    front: int, headers: dict[str, str], status: int
) -> None:
    assert ask(front, "GET", "/", b"", **headers).status == status


def test_the_front_says_so_when_the_stack_is_gone() -> None:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Upstream)) as gone:
        pass
    with serving(Front(0, host="d1.cloudfront.net", upstream=gone)) as port:
        answer = ask(port, "GET", "/")
        assert (answer.status, answer.read()) == (502, b"the stack does not answer\n")
