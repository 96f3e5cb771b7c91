"""The AWS emulator: started, waited for, stopped, with its state in the stack's folder."""

import functools
import json
import os
import shutil
import signal
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3

from local import ports
from local.processes import LocalStackError
from local.state import ROOT, State

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

REGION: Final = "ap-south-1"
_START_S = 60
# it writes its state when it is asked to end, and the machine may be busy
_STOP_S = 90
_SAVE_S = 20


@dataclass(frozen=True, slots=True)
class Emulator:
    """MiniStack for one stack."""

    state: State
    port: int
    #: For functions' processes, beside what they have anyway.
    more_environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def region(self) -> str:
        return REGION

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    @property
    def folder(self) -> Path:
        """Everything that it has on the disk."""
        return self.state.folder / "ministack"

    @property
    def is_saved(self) -> bool:
        """Whether there is a whole stack on the disk, and not what was left of the beginning of one."""
        return (self.folder / "saved").exists()

    def ensure(self) -> None:
        """Starts it unless it runs; returns when it answers. A deployment that was cut off is undone."""
        if self.serves():
            return
        self.stop()
        self._deploying.unlink(missing_ok=True)
        self._start()

    def serves(self) -> bool:
        """Whether it runs, and with nothing in it of a deployment that was cut off."""
        return self.state.daemon("ministack").pid() is not None and not self._deploying.exists() and self.answers()

    def forget(self) -> None:
        """Deletes all that it has on the disk, while it doesn't run."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def begin_deployment(self) -> None:
        """From now on it saves nothing: killed or ended, it is as it was before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._deploying.touch()

    def end_deployment(self) -> bool:
        """Has it save what was deployed; False if nothing was.

        The first time it is ended and started anew, which shows that what it saves is what it can begin with. Later,
        as after each edit, it saves while it runs, if it can.
        """
        if not self._deploying.exists():
            return False
        before = self._saved()
        self._deploying.unlink()
        if before is not None and self._save_while_it_runs(before):
            return True
        self.stop()
        if self._saved() == before:
            raise LocalStackError(
                f"MiniStack did not save what was deployed:\n{self.state.daemon('ministack').last_words()}"
            )
        self._start()
        return True

    def _save_while_it_runs(self, before: Path) -> bool:
        """Whether it did, within a time that is long for it."""
        pid = self.state.daemon("ministack").pid()
        deadline = time.monotonic() + _SAVE_S
        if pid is not None:
            os.kill(pid, signal.SIGUSR1)
            while self._saved() == before and time.monotonic() < deadline:
                time.sleep(0.02)
        return self._saved() != before

    @property
    def _deploying(self) -> Path:
        return self.folder / "deploying"

    def _saved(self) -> Path | None:
        """What the link leads to, another folder each time."""
        return (self.folder / "saved").resolve() if self.is_saved else None

    def _start(self) -> None:
        folder = self.folder
        environment = {
            **self.state.environment(),
            **self.credentials(),
            # what is at CloudFront's edge is run by the Node of this environment
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "BIND_HOST": ports.HOST,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": ports.HOST,
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "EMULATOR_FOLDER": str(folder),
            "STATE_DIR": str(folder / ("saved" if self.is_saved else "unsaved")),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder / "s3"),
            "LOG_LEVEL": os.environ.get("MINISTACK_LOG_LEVEL", "INFO"),
            # it would listen on ports of its own for services that we don't use
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # local/emulator.py limits processes instead, by a queue
            "LAMBDA_ACCOUNT_CONCURRENCY": "0",
            "LOCAL_PROCESSES": os.environ.get("LOCAL_PROCESSES", str(max(4, os.cpu_count() or 1))),
            **self.more_environment,
        }
        # Functions inherit this, and have an endpoint of their own in the template's parameters.
        environment.pop("AWS_ENDPOINT_URL")
        daemon = self.state.daemon("ministack")
        daemon.start([sys.executable, "-m", "local.emulator"], environment=environment, folder=ROOT)
        deadline = time.monotonic() + _START_S
        while not self.answers():
            if daemon.pid() is None or time.monotonic() > deadline:
                raise LocalStackError(f"MiniStack did not start:\n{daemon.last_words()}")
            time.sleep(0.1)

    def stop(self) -> None:
        self.state.daemon("ministack").stop(patience_s=_STOP_S)

    def answers(self) -> bool:
        """Whether it is up and says so."""
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2) as answer:
                return bool(json.load(answer))
        except (OSError, ValueError):
            return False

    def credentials(self) -> dict[str, str]:
        """Environment for AWS tools: this emulator, made-up keys, nothing of a person's real account."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def apigateway(self) -> "APIGatewayClient":
        return _client("apigateway", self.url)  # type: ignore[no-any-return]

    def cloudformation(self) -> "CloudFormationClient":
        return _client("cloudformation", self.url)  # type: ignore[no-any-return]

    def functions(self) -> "LambdaClient":
        from botocore.config import Config  # noqa: PLC0415 - half a second, and only needed here

        patient = Config(read_timeout=330, retries={"total_max_attempts": 1})
        return _session().client("lambda", endpoint_url=self.url, config=patient)

    def kms(self) -> "KMSClient":
        return _client("kms", self.url)  # type: ignore[no-any-return]

    def s3(self) -> "S3Client":
        return _client("s3", self.url)  # type: ignore[no-any-return]

    def secrets(self) -> "SecretsManagerClient":
        return _client("secretsmanager", self.url)  # type: ignore[no-any-return]

    def outputs(self, stack: str) -> dict[str, str]:
        """Outputs of a stack that is complete; empty if there is none."""
        found = described(self.cloudformation(), stack)
        if found.get("StackStatus") not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return {}
        return {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}

    def parameters(self, stack: str) -> dict[str, Any]:
        """What a stack was last deployed with; empty if there is none."""
        found = described(self.cloudformation(), stack)
        return {item["ParameterKey"]: item.get("ParameterValue", "") for item in found.get("Parameters", [])}

    def variables_of_functions(self, stack: str) -> dict[str, dict[str, str]]:
        """The environment of each of a stack's functions, by what the template calls it."""
        resources = self.cloudformation().describe_stack_resources(StackName=stack)["StackResources"]
        names = {
            found["LogicalResourceId"]: found["PhysicalResourceId"]
            for found in resources
            if found["ResourceType"] == "AWS::Lambda::Function"
        }
        client = self.functions()
        return {
            function: client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            for function, name in names.items()
        }


def described(client: "CloudFormationClient", stack: str) -> Mapping[str, Any]:
    """What CloudFormation says of a stack; empty if there is none."""
    try:
        return client.describe_stacks(StackName=stack)["Stacks"][0]
    except client.exceptions.ClientError:
        return {}


@functools.cache
def _session() -> boto3.Session:
    # or a person's own profile, perhaps one that boto3 can't find, would get into this
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        os.environ.pop(name, None)
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106


@functools.cache
def _client(service: str, url: str) -> Any:  # noqa: ANN401 - its type is for the caller to say
    """Making one takes longer than most of its calls."""
    return _session().client(service, endpoint_url=url)  # type: ignore[call-overload]  # one of many, by its name
