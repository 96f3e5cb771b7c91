"""The same functions under `sam local start-api`, in containers, against the stack that is up."""

import contextlib
import errno
import ipaddress
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local import ports, stack
from local.aws import Emulator
from local.build import lambda_build, machine_architecture, sam_command, sam_environment
from local.deploy import STACK, with_defaults
from local.forward import Forwarder
from local.processes import LocalStackError
from local.state import ROOT, State
from local.template import read, write

# what a container calls the machine it runs on; the database's certificate is good for this name too
_HOST_NAME = "host.docker.internal"
_START_S = 300


def run(state: State) -> int:
    """Serves until Ctrl-C; `sam-local.json` beside `stack.json` holds the address meanwhile."""
    with contextlib.ExitStack() as cleaning:
        cleaning.enter_context(state.alone("sam-local"))
        content = stack.read(state)
        _require_docker()
        emulator = Emulator(state, int(content["aws_endpoint_url"].rpartition(":")[2]))
        template = _template(state, emulator, content)
        used = [content["mysql"]["port"], emulator.port, int(content["gateway_url"].rpartition(":")[2])]
        seen_as = cleaning.enter_context(_way_for_containers(used))
        port = state.port("sam-local")
        url = f"http://{ports.HOST}:{port}"
        daemon = state.daemon("sam-local")
        daemon.stop(patience_s=10)
        cleaning.callback(_remove_containers, state)
        cleaning.callback(daemon.stop, patience_s=30)
        daemon.start(
            sam_command(
                "local",
                "start-api",
                *("--template-file", str(template), "--env-vars", str(write_variables(state, emulator, seen_as))),
                *("--host", ports.HOST, "--port", str(port), "--region", emulator.region),
                *("--warm-containers", "LAZY", "--add-host", f"{_HOST_NAME}:host-gateway"),
                *("--skip-pull-image",) * _has_image(),
            ),
            environment=_environment(state, emulator),
            folder=ROOT,
        )
        _await(url, state)
        stack.point_webhooks(state, content, url)
        cleaning.callback(_point_webhooks_back, state, content)
        file = state.folder / "sam-local.json"
        state.write_json(file, {**content, "api_url": url})
        cleaning.callback(file.unlink, missing_ok=True)
        print(f"\nThe API under sam local: {url}\nCtrl-C ends it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while daemon.pid() is not None:
                time.sleep(0.5)
            raise LocalStackError(f"sam local has ended:\n{daemon.last_words()}")
    print()
    return 0


def _point_webhooks_back(state: State, content: dict[str, Any]) -> None:
    """To the stack's own API, unless the stack has gone meanwhile."""
    if stack.is_up(state):
        stack.point_webhooks(state, content, content["api_url"])


def _template(state: State, emulator: Emulator, stack_content: dict[str, Any]) -> Path:
    """The template for containers: the deployed stack's parameters, with addresses as a container sees them."""
    template = lambda_build(state, machine_architecture()).template
    deployed = emulator.parameters(STACK)
    seen = {
        "DatabaseHost": _from_container(stack_content["mysql"]["host"]),
        "GatewayBaseUrl": _from_container(deployed["GatewayBaseUrl"]),
        "PayoutBaseUrl": _from_container(deployed["PayoutBaseUrl"]),
        "Architecture": machine_architecture(),
    }
    copy = with_defaults(template, {**deployed, **seen})
    # sam local has no aliases, and would leave out an authorizer that is one
    content = read(copy)
    for authorizer in content["Resources"]["WalletApi"]["Properties"]["Auth"]["Authorizers"].values():
        function = authorizer["FunctionArn"]["Ref"].removesuffix(".Alias")
        authorizer["FunctionArn"] = {"Fn::GetAtt": [function, "Arn"]}
    return write(copy, content)


def write_variables(state: State, emulator: Emulator, seen_as: str) -> Path:
    """Each function's variables as they are deployed: `sam local` knows neither the names of deployed resources, such
    as buckets and the worker that a door starts, nor what the template makes conditional.

    AWS is given its address as a number, if there is one: S3's client puts a bucket's name before any other.
    """
    deployed = emulator.variables_of_functions(STACK)
    seen = {
        function: {
            name: value.replace(ports.HOST, seen_as if name == "AWS_ENDPOINT_URL" else _HOST_NAME)
            for name, value in variables.items()
        }
        for function, variables in deployed.items()
    }
    file = state.build / "sam-local-variables.json"
    state.write_json(file, seen)
    return file


def _from_container(address: str) -> str:
    return address.replace(ports.HOST, _HOST_NAME)


@contextlib.contextmanager
def _way_for_containers(port_numbers: list[int]) -> Iterator[str]:
    """Within it containers reach these ports of our loopback interface; the address by which they do.

    Docker Desktop lets them by itself, under a name; an engine on this machine doesn't.
    """
    networks = json.loads(_docker("network", "inspect", "bridge"))
    bridge = networks[0]["IPAM"]["Config"][0]
    address = bridge.get("Gateway") or str(ipaddress.ip_network(bridge["Subnet"])[1])
    try:
        forwarder = Forwarder(address, port_numbers)
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL:
            raise LocalStackError(f"containers can't be given a way to {ports.HOST}: {error}") from error
        yield _HOST_NAME
        return
    with forwarder:
        yield address


def _remove_containers(state: State) -> None:
    """Those that sam left behind, as it does when it is ended twice; they are known by what they mount."""
    listed = _docker("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Mounts}}").splitlines()
    left = [line.split()[0] for line in listed if f"{state.build / 'lambda'}/" in line]
    if left:  # not all, as sam may be at it, too
        subprocess.run(["docker", "rm", "--force", *left], capture_output=True, check=False)


def _has_image() -> bool:
    """True if there is an image for the runtime already: it is not looked for a second time."""
    return bool(_docker("images", "--quiet", f"public.ecr.aws/lambda/python:3.13-{machine_architecture()}").strip())


def _require_docker() -> None:
    if shutil.which("docker") is None:
        raise LocalStackError("sam local runs functions in containers, and there is no docker on this machine")
    _docker("info")


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalStackError(f"docker {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _environment(state: State, emulator: Emulator) -> dict[str, str]:
    docker = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
    environment = {**sam_environment(state), **emulator.credentials(), **docker}
    # sam prefers its own environment to the template's, and this address is not one for containers
    del environment["AWS_ENDPOINT_URL"]
    return environment


def _await(url: str, state: State) -> None:
    daemon = state.daemon("sam-local")
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if daemon.pid() is None:
            raise LocalStackError(f"sam local did not start:\n{daemon.last_words()}")
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return  # any answer will do
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise LocalStackError(f"sam local did not answer in {_START_S} s:\n{daemon.last_words()}")
