"""`make deploy`: builds for Lambda and has `sam deploy` bring the stack of an account up to it.

What the environment says of AWS (a profile, a region, an endpoint) is what counts. What a function runs on is one thing
with what was built: the parameter `Architecture` decides both, and one that isn't given is what it was last time.
"""

import contextlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from local import template
from local.aws import described
from local.build import ARCHITECTURES, LAMBDA_PYTHON, Target, build, combined, sam_command, sources_hash
from local.deploy import why_it_failed
from local.processes import LocalStackError
from local.site import Site, about_the_operator, addresses, build_site, send_site
from local.state import ROOT, State


def release(state: State, stack_name: str, given: str, *, confirm: bool, python: str = LAMBDA_PYTHON) -> int:
    """Deploys; `sam deploy`'s exit status. `given` is like a shell's words: `Name=value 'Name=two words' file://…`.

    `python` is what the functions run on; an emulator's is not Lambda's.
    """
    if confirm and not sys.stdin.isatty():
        raise LocalStackError("nobody is there to confirm what would change: CONFIRM=no deploys without asking")
    parameters = parsed(given)
    parameters.setdefault("Architecture", _architecture_of(stack_name))
    if parameters["Architecture"] not in ARCHITECTURES:
        raise LocalStackError(f"Architecture is {' or '.join(ARCHITECTURES)}")
    built = build(state, "release", Target(python, parameters["Architecture"]))
    # before anything is deployed: pages that can't be built are no reason for a new API behind old ones
    site, _ = build_site(state)
    parameters["SiteAddresses"] = addresses(site)
    parameters.setdefault("BuildSha", combined(sources_hash(), json.dumps(parameters, sort_keys=True)))
    _carry(built.template, parameters["BuildSha"])
    file = template.write(built.template.with_name("parameters.yaml"), parameters)
    status = subprocess.run(
        sam_command(
            "deploy",
            *("--config-file", str(ROOT / "samconfig.toml"), "--template-file", str(built.template)),
            *("--stack-name", stack_name, "--parameter-overrides", f"file://{file}"),
            "--confirm-changeset" if confirm else "--no-confirm-changeset",
        ),
        cwd=ROOT,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "SAM_CLI_CHECK_FOR_UPDATES": "0"},
        check=False,
    ).returncode
    if status == 0:
        _send_site(site, stack_name, parameters["BuildSha"])
    else:  # sam's own table breaks a reason up
        with contextlib.suppress(ClientError, BotoCoreError):
            print(f"\n{why_it_failed(boto3.client('cloudformation'), stack_name)}", file=sys.stderr)
    return status


def _send_site(site: Site, stack_name: str, build_sha: str) -> None:
    """Pages come after the API that they ask, and not at all where somebody was asked and has said no."""
    try:
        found = described(boto3.client("cloudformation"), stack_name)
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}
        if parameters.get("BuildSha") != build_sha:
            print("\nNothing was deployed, so the site stays as it is.")
            return
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
        sent = send_site(boto3.client("s3"), outputs["SiteBucketName"], site, about_the_operator(parameters))
    except (ClientError, BotoCoreError) as error:
        raise LocalStackError(f"the stack is deployed, but its site is not: {error}") from error
    print(f"\nThe wallet: {outputs['SiteUrl']}/ ({len(sent)} files sent)")
    if unproven := _unproven(parameters, outputs["SiteDomainName"]):
        print(
            f"CloudFront doesn't answer as {unproven}, for want of a WebCertificateArn: what does so has to hand on to"
            f" {outputs['SiteDomainName']} (docs/site.md)."
        )


def _unproven(parameters: Mapping[str, str], distribution: str) -> str | None:
    """The site's name, where our distribution isn't the one that answers under it."""
    name = parameters.get("WebOrigin", "").removeprefix("https://")
    has_certificate = parameters.get("WebCertificateArn", "") != ""
    return None if has_certificate or name in ("", distribution) or name.startswith("http://localhost") else name


def _carry(path: Path, build_sha: str) -> None:
    """The template says of itself which build it is: not everything that reads templates is told of parameters."""
    content = template.read(path)
    content["Parameters"]["BuildSha"]["Default"] = build_sha
    template.write(path, content)


def parsed(given: str) -> dict[str, str]:
    """Parameters from words like a shell's; those of a file give way to those that are named beside it."""
    named: dict[str, str] = {}
    filed: dict[str, str] = {}
    try:
        words = shlex.split(given)
    except ValueError as error:
        raise LocalStackError(f"PARAMETERS can't be read: {error}") from error
    for word in words:
        name, equals, value = word.partition("=")
        if word.startswith("file://"):
            filed |= _from_file(Path(word.removeprefix("file://")))
        elif not equals or not name.isalnum():
            raise LocalStackError(f"PARAMETERS are Name=value, 'Name=two words' or file://parameters.yaml, not {word}")
        else:
            named[name] = value
    return filed | named


def _from_file(path: Path) -> dict[str, str]:
    """YAML or JSON: names and values, or CloudFormation's own list of ParameterKey and ParameterValue."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise LocalStackError(f"{path} can't be read: {error}") from error
    if isinstance(content, list) and all(isinstance(one, Mapping) and "ParameterKey" in one for one in content):
        content = {one["ParameterKey"]: one.get("ParameterValue", "") for one in content}
    if not isinstance(content, Mapping):
        raise LocalStackError(f"{path} holds no parameters")
    return {str(name): _text(value, f"{name} in {path}") for name, value in content.items()}


def _text(value: object, what: str) -> str:
    """What CloudFormation is told: YAML's own words for it would be others (`on` is a truth, `1e3` a number)."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(_text(one, what) for one in value)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise LocalStackError(f'{what} is not a text: put it into quotes, "{value}"')


def _architecture_of(stack_name: str) -> str:
    """What the stack runs on, as for every parameter that isn't given; the template's default for a new one."""
    try:
        found = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise LocalStackError(f"AWS doesn't say whether there is a stack {stack_name}: {error}") from error
        found = {"Parameters": []}  # type: ignore[typeddict-item]  # all that is looked at
    except BotoCoreError as error:
        raise LocalStackError(f"AWS can't be asked: {error}") from error
    of_stack = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}
    default: str = template.read(ROOT / "template.yaml")["Parameters"]["Architecture"]["Default"]
    return of_stack.get("Architecture", default)
