"""Files and the links to them, without asking S3."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from wallet import aws
from wallet.aws import Files, FilesUnavailableError
from wallet.edge.statuses import problem_of


@pytest.fixture(autouse=True)
def in_mumbai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("ACCESS_KEY_ID", "key"), ("SECRET_ACCESS_KEY", "word"), ("DEFAULT_REGION", "ap-south-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    aws.s3.cache_clear()  # a client of another environment may be left
    yield
    aws.s3.cache_clear()


def test_a_link_goes_to_the_buckets_own_region() -> None:
    link = urlsplit(Files("statements").link("wal_1/word/october.html", valid_s=300))
    assert link.scheme == "https"
    assert link.netloc == "statements.s3.ap-south-1.amazonaws.com"
    assert link.path == "/wal_1/word/october.html"


def test_a_link_is_signed_for_so_many_seconds_and_for_reading_alone() -> None:
    query = parse_qs(urlsplit(Files("statements").link("x", valid_s=300)).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["300"]
    assert query["X-Amz-Credential"][0].endswith("/ap-south-1/s3/aws4_request")


def test_an_emulators_link_has_the_bucket_in_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    link = urlsplit(Files("statements").link("x", valid_s=300))
    assert (link.netloc, link.path) == ("127.0.0.1:4566", "/statements/x")


def test_without_s3_a_caller_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(FilesUnavailableError) as caught:
        Files("statements").put("x", b"", media_type="text/html")
    assert problem_of(caught.value).status == 503
