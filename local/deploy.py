"""`sam deploy` of the built template to the emulator, and the secrets that it is given."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local import ports
from local.aws import REGION, Emulator
from local.build import combined, machine_architecture, sam
from local.database import PrivateServer
from local.detours import Detours
from local.gateway.server import PAYOUT_ACCOUNT
from local.processes import LocalStackError
from local.state import State

STACK = "wallet"
#: The gateways that the template takes, and that the simulator speaks as.
RAZORPAY, CASHFREE = GATEWAYS = ("razorpay", "cashfree")
ROLES = ("identity", "money", "gateway", "reader", "operator", "clock", "sealer", "auditor")
_BUCKET = "wallet-artifacts"


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deployment leaves to be known."""

    api_url: str
    outputs: Mapping[str, str]
    webhook_secrets: tuple[str, ...]
    changed: bool


def deploy(
    state: State,
    emulator: Emulator,
    database: PrivateServer,
    *,
    template: Path,
    build_sha: str,
    gateway: str,
    gateway_url: str,
    by: Detours,
) -> Deployed:
    """Deploys unless the very same is deployed already. `gateway` is the protocol that top-ups go by."""
    arns, webhook_secrets = _secrets(state, emulator, database, gateway)
    wanted = {
        **arns,
        "Architecture": machine_architecture(),
        "AwsEndpointUrl": f"http://{ports.HOST}:{by.through('aws', emulator.port)}",
        "DatabaseHost": database.host,
        "DatabasePort": str(by.through("database", database.port)),
        "DatabaseName": database.database,
        "DatabaseCa": database.ca_pem,
        "Gateway": gateway,
        "GatewayBaseUrl": gateway_url if gateway == RAZORPAY else f"{gateway_url}/pg",
        "GatewayAccountId": account_id(state),
        "PayoutBaseUrl": gateway_url,
        "PayoutAccountNumber": PAYOUT_ACCOUNT,
        "UpiIntent": "on",
        "DefaultTier": "full",
        "ReconcileSchedule": "rate(1 minute)",
        "ReconcileAfterSeconds": "60",
        "CheckpointLockDays": "1",
        # to nobody's phone: the emulator keeps them
        "DebitNotices": "sms",
        "NoticeContact": "1800 000 000",
        # one machine and perhaps a test at full speed: nothing here needs protecting from callers
        "ApiRateLimit": "10000",
        "ApiBurstLimit": "5000",
        "LoginRateLimit": "10000",
        "LoginBurstLimit": "5000",
        # everybody here comes from one address
        "LoginFailuresPerAddress": "10000",
        **by.parameters,
    }
    # a new version behind the alias also for settings alone, which are part of a version
    wanted["BuildSha"] = combined(build_sha, json.dumps(wanted, sort_keys=True))
    deployed = emulator.parameters(STACK)
    changed = not emulator.outputs(STACK) or any(deployed.get(k) != v for k, v in wanted.items())
    if changed:
        _sam_deploy(state, emulator, template, wanted)
        _answer_for_the_gateway(emulator, template)
        _lock_checkpoints(emulator, template, wanted)
    outputs = emulator.outputs(STACK)
    if not outputs:
        raise LocalStackError("the stack is not complete after its deployment; see logs/sam-deploy.log")
    api_url = f"http://{ports.HOST}:{emulator.port}/_aws/execute-api/{outputs['ApiId']}/v1"
    return Deployed(api_url, outputs, webhook_secrets, changed)


def migrate(emulator: Emulator, function: str) -> list[str]:
    """Invokes the function that brings the schema up to date; what it applied."""
    answer = emulator.functions().invoke(FunctionName=function, Payload=b"{}", LogType="Tail")
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        text = f"{said.get('errorMessage', said)}\n{said.get('stackTrace', '')}"
        raise LocalStackError(f"the migrations failed: {text}")
    applied: list[str] = said.get("applied", [])
    return applied


def _sam_deploy(state: State, emulator: Emulator, template: Path, parameters: Mapping[str, str]) -> None:
    client = emulator.s3()
    if _BUCKET not in [bucket.get("Name") for bucket in client.list_buckets().get("Buckets", [])]:
        client.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    sam(
        state,
        "deploy",
        *("--template-file", str(with_defaults(template, parameters))),
        # an update would take the values of last time, whatever the defaults are now
        *("--parameter-overrides", f"file://{_overrides(template, parameters)}"),
        # samconfig.toml is for AWS: a set of settings that isn't in it has none
        *("--config-env", "local"),
        *("--stack-name", STACK),
        *("--region", REGION),
        *("--s3-bucket", _BUCKET),
        *("--capabilities", "CAPABILITY_IAM"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
        environment=emulator.credentials(),
    )


def _overrides(template: Path, parameters: Mapping[str, str]) -> Path:
    path = template.with_name("parameters.yaml")
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(dict(parameters), sort_keys=False))
    return path


def with_defaults(template: Path, parameters: Mapping[str, str]) -> Path:
    """The template with these values as defaults: all of parameters that the emulator's transform sees."""
    content = yaml.safe_load(template.read_text())
    for name, value in parameters.items():
        content["Parameters"][name]["Default"] = value
    # beside the original, as paths in it are relative
    path = template.with_name("deployed.yaml")
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def _answer_for_the_gateway(emulator: Emulator, template: Path) -> None:
    """The emulator knows gateway responses, but not where SAM puts them: say them again, one by one."""
    resources = yaml.safe_load(template.read_text())["Resources"]
    api = emulator.outputs(STACK)["ApiId"]
    client = emulator.apigateway()
    for kind, response in resources["WalletApi"]["Properties"]["GatewayResponses"].items():
        headers = response["ResponseParameters"]["Headers"]
        client.put_gateway_response(
            restApiId=api,
            responseType=kind,
            statusCode=str(response["StatusCode"]),
            responseParameters={f"gatewayresponse.header.{name}": value for name, value in headers.items()},
            responseTemplates=response["ResponseTemplates"],
        )
    client.create_deployment(restApiId=api, stageName="v1")


def _lock_checkpoints(emulator: Emulator, template: Path, parameters: Mapping[str, str]) -> None:
    """The emulator's S3 knows Object Lock, but not from a template: say it again."""
    told = yaml.safe_load(template.read_text())
    lock = told["Resources"]["CheckpointFiles"]["Properties"]["ObjectLockConfiguration"]
    retention = {
        name: parameters.get(value["Ref"], told["Parameters"][value["Ref"]]["Default"])
        for name, value in lock["Rule"]["DefaultRetention"].items()
    }
    emulator.s3().put_object_lock_configuration(
        Bucket=emulator.outputs(STACK)["CheckpointBucketName"],
        ObjectLockConfiguration={
            "ObjectLockEnabled": lock["ObjectLockEnabled"],
            "Rule": {"DefaultRetention": {"Mode": retention["Mode"], "Days": int(retention["Days"])}},
        },
    )


def _secrets(
    state: State, emulator: Emulator, database: PrivateServer, gateway: str
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Makes the secrets that are an operator's on AWS: parameters with their ARNs, webhook secrets."""
    client = emulator.secrets()

    def current(name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
        except client.exceptions.ResourceNotFoundException:
            return None
        return found

    def put(name: str, content: Mapping[str, Any]) -> str:
        existing = current(name)
        if existing is None:
            return client.create_secret(Name=name, SecretString=json.dumps(content))["ARN"]
        if existing != content:
            client.put_secret_value(SecretId=name, SecretString=json.dumps(content))
        return client.describe_secret(SecretId=name)["ARN"]

    # Somebody may have rotated this one: what is there stays.
    webhook = current("wallet/webhook") or {
        "secrets": [secrets.token_hex(20), secrets.token_hex(20)],
    }
    owner = {"username": database.owner_user, "password": database.owner_password}
    arns = {
        "DatabaseOwnerSecretArn": put("wallet/database/owner", owner),
        "GatewaySecretArn": put("wallet/gateway", gateway_key(state)),
        "WebhookSecretArn": put("wallet/webhook", webhook),
        "PayoutSecretArn": put("wallet/payout", gateway_key(state)),
        "PayoutWebhookSecretArn": put("wallet/payout-webhook", {"secrets": [payout_webhook_secret(state)]}),
    }
    if gateway == CASHFREE:  # which signs with the API's own secret
        keys = _cashfree_keys(state)
        arns["GatewaySecretArn"] = arns["WebhookSecretArn"] = put("wallet/gateway/cashfree", keys)
        webhook = {"secrets": [keys["client_secret"]]}
    for role in ROLES:
        account = {"username": f"wallet_{role}", "password": state.secret(f"database_{role}")}
        arns[f"Database{role.title()}SecretArn"] = put(f"wallet/database/{role}", account)
    return arns, tuple(webhook["secrets"])


def _cashfree_keys(state: State) -> dict[str, str]:
    """The same key in Cashfree's words: the simulator has one merchant, with one pair of keys for both protocols."""
    key = gateway_key(state)
    return {"client_id": key["key_id"], "client_secret": key["key_secret"]}


def gateway_key(state: State) -> dict[str, str]:
    """The API key of the gateway simulator."""
    return {
        "key_id": f"rzp_test_{state.secret('gateway_key_id')[:14]}",
        "key_secret": state.secret("gateway_key_secret"),
    }


def payout_webhook_secret(state: State) -> str:
    """What the simulator's webhooks of payouts are signed with."""
    return state.secret("payout_webhook")


def account_id(state: State) -> str:
    """The account that the gateway simulator's events name."""
    return f"acc_{state.secret('gateway_account')[:14]}"
