"""Secrets: remembered for a while, asked for again for a reason, and never told in an error."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from wallet import aws
from wallet.aws import LateParameter, Secret, SecretUnavailableError

ARN = "arn:aws:secretsmanager:ap-south-1:000000000000:secret:wallet/token-AbCdEf"


class Manager:
    """Secrets Manager, and the clock."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.asked: list[str] = []
        self.answers: dict[str, tuple[str, str] | Exception] = {"AWSCURRENT": ("v1", "first")}

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        assert SecretId == ARN
        self.asked.append(VersionStage)
        answer = self.answers.get(VersionStage, refused("ResourceNotFoundException"))
        if isinstance(answer, Exception):
            raise answer
        return {"VersionId": answer[0], "SecretString": answer[1]}


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetSecretValue")


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Manager:
    kept = Manager()
    monkeypatch.setattr(aws, "_secrets_manager", lambda: kept)
    monkeypatch.setattr("wallet.aws.time.monotonic", lambda: kept.now)
    return kept


def test_a_secret_is_asked_for_once(manager: Manager) -> None:
    secret = Secret(ARN)
    assert [secret.text(), secret.text()] == ["first", "first"]
    assert manager.asked == ["AWSCURRENT"]


def test_a_secret_is_asked_for_again_after_five_minutes(manager: Manager) -> None:
    secret = Secret(ARN)
    secret.text()
    manager.answers["AWSCURRENT"] = ("v2", "second")
    manager.now += 299
    assert secret.text() == "first"
    manager.now += 2
    assert secret.text() == "second"


def test_somebody_with_a_reason_gets_it_sooner_but_not_all_the_time(manager: Manager) -> None:
    """Forged tokens name unknown keys: they must not make us ask for every one of them."""
    secret = Secret(ARN)
    secret.text()
    for _ in range(50):
        secret.text(fresh=True)
    assert len(manager.asked) == 1
    manager.now += 11
    for _ in range(50):
        secret.text(fresh=True)
    assert len(manager.asked) == 2


def test_both_live_versions_are_of_one_look(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a rotation would fall between two looks, and what was current until then be in neither."""
    secret, ask = Secret(ARN), manager.get_secret_value

    def slowly(**asked: str) -> dict[str, Any]:
        manager.now += 0.5
        return ask(**asked)

    monkeypatch.setattr(manager, "get_secret_value", slowly)
    assert [version.id for version in secret.live()] == ["v1"]
    manager.answers |= {"AWSCURRENT": ("v2", "second"), "AWSPREVIOUS": ("v1", "first")}
    manager.now += 9.2  # ten seconds since the first question, not yet since the second
    assert [version.id for version in secret.live(fresh=True)] == ["v2", "v1"]


def test_there_may_be_no_previous_version(manager: Manager) -> None:
    secret = Secret(ARN)
    assert secret.version("AWSPREVIOUS") is None
    assert secret.version("AWSPREVIOUS") is None
    assert manager.asked == ["AWSPREVIOUS"]


@pytest.mark.parametrize(
    "accident",
    [
        refused("ResourceNotFoundException"),
        refused("AccessDeniedException"),
        refused("ThrottlingException"),
        ConnectTimeoutError(endpoint_url="https://secrets.invalid"),
    ],
)
def test_a_secret_that_can_not_be_read_is_an_outage(manager: Manager, accident: Exception) -> None:
    manager.answers["AWSCURRENT"] = accident
    with pytest.raises(SecretUnavailableError):
        Secret(ARN).text()


def test_in_an_outage_what_a_secret_said_last_still_holds(manager: Manager) -> None:
    secret = Secret(ARN)
    secret.text()
    manager.answers["AWSCURRENT"] = refused("InternalServiceError")
    manager.now += 301
    assert secret.text() == "first"
    manager.answers["AWSCURRENT"] = ("v2", "second")
    manager.now += 301
    assert secret.text() == "second"


def test_an_outage_is_not_remembered(manager: Manager) -> None:
    secret = Secret(ARN)
    manager.answers["AWSCURRENT"] = refused("InternalServiceError")
    with pytest.raises(SecretUnavailableError):
        secret.text()
    manager.answers["AWSCURRENT"] = ("v1", "first")
    assert secret.text() == "first"


def test_a_previous_version_that_may_not_be_read_is_an_outage_and_not_none(manager: Manager) -> None:
    manager.answers["AWSPREVIOUS"] = refused("AccessDeniedException")
    with pytest.raises(SecretUnavailableError):
        Secret(ARN).version("AWSPREVIOUS")


@pytest.mark.parametrize("text", ["[]", '"hunter2"', "7", "null"])
def test_what_should_be_an_object_is_one(manager: Manager, text: str) -> None:
    manager.answers["AWSCURRENT"] = ("v1", text)
    with pytest.raises(SecretUnavailableError) as caught:
        Secret(ARN).json()
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_is_no_json_is_not_told(manager: Manager) -> None:
    manager.answers["AWSCURRENT"] = ("v1", "hunter2")
    with pytest.raises(SecretUnavailableError) as caught:
        Secret(ARN).json()
    assert "hunter2" not in str(caught.value)


# ------------------------------------------------------------------------------ a setting that comes later


class Ssm:
    """SSM's parameters, and the clock."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.asked = 0
        self.answer: str | Exception = refused("ParameterNotFound")

    def get_parameter(self, *, Name: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        assert Name == "/wallet/web-origin"
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"Parameter": {"Value": self.answer}}


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> Ssm:
    kept = Ssm()
    monkeypatch.setattr(aws, "_ssm", lambda: kept)
    monkeypatch.setattr("wallet.aws.time.monotonic", lambda: kept.now)
    return kept


def test_what_is_not_written_yet_is_looked_for_every_ten_seconds_and_what_is_every_five_minutes(ssm: Ssm) -> None:
    parameter = LateParameter("/wallet/web-origin")
    assert [parameter.text(), parameter.text()] == ["", ""]
    assert ssm.asked == 1
    ssm.answer = "https://wallet.example"
    ssm.now += 11
    assert parameter.text() == "https://wallet.example"
    ssm.now += 299
    assert (parameter.text(), ssm.asked) == ("https://wallet.example", 2)
    ssm.now += 2
    assert (parameter.text(), ssm.asked) == ("https://wallet.example", 3)


@pytest.mark.parametrize("error", [refused("AccessDeniedException"), ConnectTimeoutError(endpoint_url="https://x")])
def test_while_it_can_not_be_looked_for_it_is_what_it_was(ssm: Ssm, error: Exception) -> None:
    parameter = LateParameter("/wallet/web-origin")
    ssm.answer = "https://wallet.example"
    assert parameter.text() == "https://wallet.example"
    ssm.answer, ssm.now = error, ssm.now + 301
    assert [parameter.text(), parameter.text()] == ["https://wallet.example"] * 2
    assert ssm.asked == 2, "nothing waits for it twice"
    fresh = LateParameter("/wallet/web-origin")
    assert [fresh.text(), fresh.text()] == ["", ""]
