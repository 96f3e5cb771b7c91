"""What every answer of the API has in common, and every "no"."""

import re

from tests.support.client import Answer

_ALWAYS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_FIELDS = {"type", "title", "status", "detail", "code", "request_id"}
# Words that only somebody who sees the inside knows.
_INSIDE = re.compile(
    r"traceback|pymysql|pydantic|botocore|dynamodb|mysql|mariadb|ministack|sqlstate|\bselect\b|\binsert\b"
    r"|\bcall [a-z]+_|\.py\b|/var/|/opt/|site-packages|exception",
    re.IGNORECASE,
)


def common_headers(answer: Answer) -> None:
    """Fails unless the answer has what every answer has."""
    assert {name: answer.headers.get(name) for name in _ALWAYS} == _ALWAYS
    assert answer.headers["x-request-id"]


def problem(answer: Answer, status: int, code: str, *, hidden: tuple[str, ...] = ()) -> None:
    """Fails unless the answer is this problem in the contract's shape, and shows nothing internal nor `hidden`."""
    assert (answer.status, answer.code) == (status, code), answer.text
    common_headers(answer)
    body = answer.body
    assert body.keys() - {"errors", "limit", "confirmation"} == _FIELDS
    assert ("confirmation" in body) == (code == "confirmation_required")
    assert re.fullmatch(rf"(https?://[^\s/]+/.+|\./(\.\./)*)problems/{code}", body["type"])
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    if "errors" in body:
        assert body["errors"]
        assert all(fault.keys() == {"field", "message"} and fault["message"] for fault in body["errors"])
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
    assert not _INSIDE.search(answer.text), answer.text
    assert not [text for text in hidden if text in answer.text], answer.text


def faulty_fields(answer: Answer) -> list[str]:
    """The fields that a 422 names."""
    return [fault["field"] for fault in answer.body["errors"]]
