"""`make deploy`, as on AWS, of a stack of its own beside the tests' one: what it runs there is what runs here."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.build import machine_architecture
from local.invocation import session
from local.state import ROOT
from tests.support.client import Api

_NAME = "wallet-eu"
_DATABASE = "wallet_eu"
_COPIED = (
    "functions",
    "layers",
    "schema",
    "local",
    "web",
    "docs",
    "clients",
    "template.yaml",
    "samconfig.toml",
    "Makefile",
    "requirements-dev.txt",
)


class Release:
    """A checkout that is edited and deployed, by somebody without a terminal."""

    def __init__(self, folder: Path, endpoint_url: str) -> None:
        self.folder = folder
        self._endpoint_url = endpoint_url
        self.stacks = self._client("cloudformation")
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules", "dist"))
            else:
                shutil.copy2(ROOT / name, folder / name)
        (folder / ".venv").symlink_to((ROOT / ".venv").resolve())

    def _client(self, service: str) -> Any:
        return session().client(service, endpoint_url=self._endpoint_url)  # type: ignore[call-overload]  # by its name

    def deploy(self, parameters: str = "") -> subprocess.CompletedProcess[str]:
        """Runs `make deploy`; what it said, and its status. Again where the emulator took a minute for one answer."""
        done = self._deploy(parameters)
        while done.returncode != 0 and re.search(r"ChangeSet \[.*\] already exists|Read timeout", done.stdout):
            done = self._deploy(parameters)
        return done

    def _deploy(self, parameters: str) -> subprocess.CompletedProcess[str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE", "STACK"))
        }
        return subprocess.run(
            [
                *("make", "--old-file", ".venv/made", "deploy", f"STACK_NAME={_NAME}", "CONFIRM=no"),
                # the emulator runs functions with our own Python
                f"PYTHON_OF_FUNCTIONS={sys.version_info.major}.{sys.version_info.minor}",
                f"PARAMETERS={parameters}",
            ],
            cwd=self.folder,
            env={
                **environment,
                "AWS_ENDPOINT_URL": self._endpoint_url,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "ap-south-1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def described(self, name: str = _NAME) -> Any:
        return self.stacks.describe_stacks(StackName=name)["Stacks"][0]

    def versions(self) -> dict[str, str]:
        """Which version of each function its alias is in front of."""
        functions = self._client("lambda")
        pages = functions.get_paginator("list_functions").paginate()
        names = [one["FunctionName"] for page in pages for one in page["Functions"]]
        return {
            name: functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
            for name in names
            if name.startswith(f"{_NAME}-")
        }

    def files(self, bucket: str) -> set[str]:
        """The names of everything in a bucket."""
        pages = self._client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    def delete(self) -> None:
        self.stacks.delete_stack(StackName=_NAME)
        self.stacks.get_waiter("stack_delete_complete").wait(StackName=_NAME, WaiterConfig={"Delay": 1})


@pytest.fixture
def release(api: Api, select: Any, tmp_path: Path) -> Iterator[Release]:
    """The checkout, and a database of its own on the same server."""
    select(f"CREATE DATABASE {_DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    made = Release(tmp_path, api.stack["aws_endpoint_url"])
    try:
        yield made
    finally:
        made.delete()
        select(f"DROP DATABASE {_DATABASE}")


def test_a_failing_migration_fails_the_deployment_and_leaves_the_old_code_answering(
    api: Api, select: Any, release: Release
) -> None:
    told = {one["ParameterKey"]: one["ParameterValue"] for one in release.described("wallet")["Parameters"]}
    for name in ("BuildSha", "Architecture"):
        del told[name]
    (release.folder / "in production.yaml").write_text(yaml.safe_dump(told))

    first = release.deploy(
        f"'file://{release.folder}/in production.yaml' DatabaseName={_DATABASE} NoticeContact='1800 000 111'"
        f" Architecture={machine_architecture()}"  # whose libraries no other loads
    )
    assert first.returncode == 0, first.stdout
    deployed = release.described()
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in deployed["Parameters"]}
    assert parameters["NoticeContact"] == "1800 000 111"
    assert parameters["ReconcileSchedule"] == told["ReconcileSchedule"] == "rate(1 minute)"
    outputs = {one["OutputKey"]: one["OutputValue"] for one in deployed["Outputs"]}
    files = release.files(outputs["SiteBucketName"]) - {"sent-with.json"}
    assert {"index.html", "pay", "operator.json"} <= files, first.stdout
    assert f"The wallet: {told['WebOrigin']}/ ({len(files)} files sent)" in first.stdout
    there = api.stack["aws_endpoint_url"] + f"/_aws/execute-api/{outputs['ApiId']}/v1"
    eu = Api({**api.stack, "api_url": there, "mysql": {**api.stack["mysql"], "database": _DATABASE}})
    asha = eu.person()
    assert asha.get("/wallet").status == 200
    users = select(f"SELECT phone FROM {_DATABASE}.users")  # noqa: S608 - our own database
    assert users == [{"phone": asha.phone}]
    before = release.versions()
    assert len(before) > 20

    # a release whose migration fails, and whose code would not answer as the old does
    tables = release.folder / "schema" / "tables"
    number = len(list(tables.glob("*.sql"))) + 1
    migration = tables / f"{number:04}_next.sql"
    migration.write_text("CREATE TABLE IF NOT EXISTS next_release (id INT);\nINSERT INTO nowhere VALUES (1);\n")
    balance = release.folder / "functions" / "balance" / "app.py"
    old_code = balance.read_text()
    balance.write_text("raise RuntimeError('the new code')\n")
    failed = release.deploy()
    assert failed.returncode != 0, failed.stdout
    assert f"{_DATABASE}.nowhere" in failed.stdout  # as the server puts it
    assert release.described()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    after = release.versions()
    migrates = {name for name in before if "-MigrateFunction-" in name}
    assert {name for name in before if before[name] != after[name]} <= migrates
    assert asha.get("/wallet").status == 200
    bela = eu.person()  # registering and signing in, too
    assert bela.get("/wallet").status == 200
    assert number not in {int(row["version"]) for row in select(f"SELECT version FROM {_DATABASE}.schema_migrations")}  # noqa: S608

    # mended, it is migrated and then live; what isn't said again is as it was
    migration.write_text("CREATE TABLE IF NOT EXISTS next_release (id INT);\n")
    balance.write_text(old_code + "\nassert handler, 'the new code'\n")
    mended = release.deploy()
    assert mended.returncode == 0, mended.stdout
    assert number in {int(row["version"]) for row in select(f"SELECT version FROM {_DATABASE}.schema_migrations")}  # noqa: S608
    newest = release.versions()
    assert {name for name in before if before[name] == newest[name]} == set()
    assert asha.get("/wallet").status == 200
    again = {one["ParameterKey"]: one["ParameterValue"] for one in release.described()["Parameters"]}
    assert again | {"BuildSha": ""} == parameters | {"BuildSha": ""}
