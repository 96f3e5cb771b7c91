"""What `make sam-local` tells the functions in its containers: what the deployed ones have, as a container sees it."""

import json
from pathlib import Path
from typing import Any

import yaml

from local import ports, sam_local
from local.aws import Emulator
from local.invocation import session
from local.state import ROOT, State
from tests.support.client import Api

_GATEWAY_OF_CONTAINERS = "172.17.0.1"


class _Loader(yaml.SafeLoader):
    """Reads a template, whose `!Ref` and the like mean nothing here."""


_Loader.add_multi_constructor("!", lambda *_: None)


def test_containers_are_told_every_variable_of_every_function_with_addresses_that_they_can_reach(
    api: Api, tmp_path: Path
) -> None:
    emulator = Emulator(State(tmp_path), int(api.stack["aws_endpoint_url"].rpartition(":")[2]))
    told: dict[str, dict[str, str]] = json.loads(
        sam_local.write_variables(State(tmp_path), emulator, _GATEWAY_OF_CONTAINERS).read_text()
    )
    template: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), _Loader)  # noqa: S506 - a safe loader's child
    functions = {
        name: found["Properties"].get("Environment", {}).get("Variables", {})
        for name, found in template["Resources"].items()
        if found["Type"] == "AWS::Serverless::Function"
    }
    assert functions.keys() == told.keys()
    for name, declared in functions.items():
        assert declared.keys() <= told[name].keys()
        assert not [value for value in told[name].values() if ports.HOST in value]
        assert told[name]["AWS_ENDPOINT_URL"] == f"http://{_GATEWAY_OF_CONTAINERS}:{emulator.port}"
    s3 = session().client("s3", endpoint_url=api.stack["aws_endpoint_url"])
    assert s3.head_bucket(Bucket=told["StatementFunction"]["STATEMENT_BUCKET"])
    functions_here = session().client("lambda", endpoint_url=api.stack["aws_endpoint_url"])
    assert functions_here.get_function(FunctionName=told["BulkFunction"]["BULK_WORKER"])
