"""What a deployment asks of the function that migrates, and what it is answered."""

import json
import sys
import time
import urllib.error
import urllib.request
from io import BytesIO
from types import ModuleType
from typing import Any

import pytest

import deployment


class CloudFormation:
    """Asks as CloudFormation does, and keeps what it is answered."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.deaf_for = 0

    def urlopen(self, request: urllib.request.Request, timeout: float) -> BytesIO:
        assert (request.full_url, request.method, timeout) == ("https://answers.example/1", "PUT", 10)
        assert request.get_header("Content-type") == ""
        if self.deaf_for:
            self.deaf_for -= 1
            raise urllib.error.URLError("no way there")
        assert isinstance(request.data, bytes)
        self.answers.append(json.loads(request.data))
        return BytesIO()

    def ask(self, kind: str, build: str) -> dict[str, Any]:
        """Asks, and gives the one answer."""
        event = {
            "RequestType": kind,
            "ResponseURL": "https://answers.example/1",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Schema",
            "ResourceProperties": {"ServiceToken": "…", "Build": build},
        }
        if kind != "Create":
            event["PhysicalResourceId"] = "as it was called"
        deployment.handler(event, None)
        (answer,) = self.answers
        return answer


@pytest.fixture
def cloud_formation(monkeypatch: pytest.MonkeyPatch) -> CloudFormation:
    asking = CloudFormation()
    monkeypatch.setattr(urllib.request, "urlopen", asking.urlopen)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setenv("BUILD", "this")
    return asking


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The migrations that were run: none, or one."""
    done: list[str] = []
    module = ModuleType("migrate")

    def run() -> list[str]:
        done.append("run")
        return ["0001_one"]

    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "migrate", module)
    return done


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_release_is_made_ready_for(cloud_formation: CloudFormation, runs: list[str], kind: str) -> None:
    answer = cloud_formation.ask(kind, "this")
    assert (answer["Status"], runs) == ("SUCCESS", ["run"])
    assert (answer["StackId"], answer["RequestId"], answer["LogicalResourceId"]) == ("stack", "request", "Schema")
    # another name would be another resource, and the one before it deleted
    assert answer["PhysicalResourceId"] == ("schema" if kind == "Create" else "as it was called")


@pytest.mark.parametrize(("kind", "build"), [("Update", "the one before"), ("Delete", "this")])
def test_what_is_taken_back_leaves_the_schema_alone(
    cloud_formation: CloudFormation, runs: list[str], kind: str, build: str
) -> None:
    assert cloud_formation.ask(kind, build)["Status"] == "SUCCESS"
    assert runs == []


def test_a_migration_that_fails_is_told_and_why(
    cloud_formation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("migrate")

    def run() -> list[str]:
        raise ValueError("no such table " + 2_000 * "x")

    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "migrate", module)
    answer = cloud_formation.ask("Update", "this")
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("ValueError: no such table")
    assert len(answer["Reason"]) < 1_000  # 4 KB are all that is taken


@pytest.mark.parametrize(("build", "status"), [("this", "FAILED"), ("the one before", "SUCCESS")])
def test_code_that_cannot_be_imported_is_not_waited_for_and_can_be_taken_back(
    cloud_formation: CloudFormation, monkeypatch: pytest.MonkeyPatch, build: str, status: str
) -> None:
    monkeypatch.setitem(sys.modules, "migrate", None)
    assert cloud_formation.ask("Update", build)["Status"] == status


def test_an_answer_that_does_not_get_there_is_sent_again(cloud_formation: CloudFormation, runs: list[str]) -> None:
    cloud_formation.deaf_for = 3
    assert cloud_formation.ask("Update", "this")["Status"] == "SUCCESS"
    assert runs == ["run"]


def test_who_invokes_it_by_hand_is_answered_and_told_of_a_failure(
    cloud_formation: CloudFormation, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deployment.handler({}, None) == {"applied": ["0001_one"]}
    monkeypatch.setitem(sys.modules, "migrate", None)
    with pytest.raises(ImportError):
        deployment.handler({}, None)
    assert cloud_formation.answers == []
