"""The deployment of the built template to the emulator, and the secrets that it is given.

`sam deploy` does the same (and a test has it do so), but packs and sends everything each time, which takes longer than
an edit may take to be live. Here what is in the bucket stays there, and a function gets a new version when its own
code, the layer or its settings are new.
"""

import io
import json
import secrets
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import ports
from local.aws import REGION, Emulator, described
from local.build import Build, combined
from local.database import PrivateServer
from local.detours import Detours
from local.gateway.server import PAYOUT_ACCOUNT
from local.operators import SESSION_ROLE
from local.processes import LocalStackError
from local.state import State
from local.template import Template, read, write

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

STACK = "wallet"
#: What is confirmed here: little, for whoever tries things.
RULES = "above=500000,new_vpa=1"

#: The gateways that the template takes, and that the simulator speaks as.
RAZORPAY, CASHFREE = GATEWAYS = ("razorpay", "cashfree")
ROLES = (
    "identity",
    "money",
    "withdrawals",
    "gateway",
    "reader",
    "directory",
    "confirmations",
    "operator",
    "clock",
    "sealer",
    "auditor",
)
_BUCKET = "wallet-artifacts"
_TEMPLATE = "deployed.json"
_DEPLOY_S = 600
_LOOK_AGAIN_S = 0.05


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
    build: Build,
    gateway: str,
    gateway_url: str,
    web_url: str,
    site_addresses: str,
    rules: str,
    by: Detours,
) -> Deployed:
    """Deploys unless the very same is deployed already.

    `gateway` is the protocol that top-ups go by, `rules` what of money out is confirmed (`ConfirmationRules`),
    `site_addresses` where the site has something (`local.site.addresses`).
    """
    arns, webhook_secrets = _secrets(state, emulator, database, gateway)
    wanted = {
        **arns,
        "Architecture": build.architecture,
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
        "OperatorRoles": SESSION_ROLE,
        "UpiIntent": "on",
        "DefaultTier": "full",
        "ReconcileSchedule": "rate(1 minute)",
        "ReconcileAfterSeconds": "60",
        "CheckpointLockMode": "GOVERNANCE",
        "CheckpointLockDays": "1",
        # to nobody's phone: the simulator keeps them
        "SmsEndpointUrl": f"{gateway_url}/sms/",
        "DebitNotices": "sms",
        "NoticeContact": "1800 000 000",
        "NoticeBrand": "Wallet",
        "WebOrigin": web_url,
        "SiteAddresses": site_addresses,
        **sms_registration(),
        "ConfirmationRules": rules,
        # nobody's pages; said even so, as an update would keep the list of last time
        "AllowedOrigins": "",
        # a merchant's server is on this machine as well
        "WebhookTargets": "any",
        # the emulator has none
        "WebAcl": "off",
        # one machine and perhaps a test at full speed: nothing here needs protecting from callers
        "ApiRateLimit": "10000",
        "ApiBurstLimit": "5000",
        "LoginRateLimit": "10000",
        "LoginBurstLimit": "5000",
        # everybody here comes from one address
        "SignInsPerAddress": "10000",
        "SignInsPerPhone": "10000",
        "CodesPerAddress": "10000",
        "CodesPerDay": "1000000",
        **by.parameters,
    }
    content = read(build.template)
    versions = _versions(content, build, wanted)
    # An empty database is migrated too, though nothing else has changed: its owner has another password. And rules are
    # written down by whoever migrates.
    secrets = json.dumps(arns, sort_keys=True)
    schema = combined(build.artifacts["MigrateFunction"], database.owner_password, secrets, rules)
    wanted["BuildSha"] = combined(json.dumps([content, wanted, dict(build.artifacts), schema], sort_keys=True))
    deployed = emulator.parameters(STACK)
    changed = not emulator.outputs(STACK) or any(deployed.get(k) != v for k, v in wanted.items())
    if changed:
        emulator.begin_deployment()
        _send(emulator, build)
        _deploy(emulator, _template(build, wanted, versions, schema), wanted)
        problems = wanted.get("ProblemBaseUrl") or f"{web_url}/v1/problems/"
        _answer_for_the_gateway(emulator, content, problems, wanted["AllowedOrigins"])
        _lock_checkpoints(emulator, content, wanted)
    outputs = emulator.outputs(STACK)
    if not outputs:
        raise LocalStackError(f"the stack is not complete after its deployment: see {state.folder}/logs/ministack.log")
    return Deployed(_api_url(emulator), outputs, webhook_secrets, changed)


def _api_url(emulator: Emulator) -> str:
    return f"http://{ports.HOST}:{emulator.port}/_aws/execute-api/{emulator.outputs(STACK)['ApiId']}/v1"


def _versions(content: Template, build: Build, parameters: Mapping[str, str]) -> dict[str, str]:
    """What decides whether a function gets a new version: its code, the layer's, and its settings."""
    settings = json.dumps([content["Globals"], dict(parameters)], sort_keys=True)
    resources = content["Resources"]
    return {
        one: combined(code, build.artifacts["WalletLayer"], settings, json.dumps(resources[one], sort_keys=True))
        for one, code in build.artifacts.items()
        if "AutoPublishCodeSha256" in resources[one]["Properties"]
    }


def _send(emulator: Emulator, build: Build) -> None:
    """Puts into the bucket what isn't there."""
    client = emulator.s3()
    if _BUCKET not in [bucket.get("Name") for bucket in client.list_buckets().get("Buckets", [])]:
        client.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET)
    there = {item["Key"] for page in pages for item in page.get("Contents", [])}
    for logical_id, content in build.artifacts.items():
        if f"{logical_id}/{content}" not in there:
            packed = _packed(build.template.with_name(logical_id))
            client.put_object(Bucket=_BUCKET, Key=f"{logical_id}/{content}", Body=packed)
    # the emulator has long taken what it needs of those before
    for key in there - {_TEMPLATE, *(f"{logical_id}/{content}" for logical_id, content in build.artifacts.items())}:
        client.delete_object(Bucket=_BUCKET, Key=key)


def _packed(folder: Path) -> bytes:
    """A zip of a folder; uncompressed, as it goes from this machine to this machine."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return packed.getvalue()


def _template(build: Build, parameters: Mapping[str, str], versions: Mapping[str, str], schema: str) -> Path:
    """The template with what `sam package` would put into it, and with values as defaults (see `with_defaults`)."""
    packaged = read(build.template)
    for logical_id, code in build.artifacts.items():
        properties = packaged["Resources"][logical_id]["Properties"]
        uri = "CodeUri" if "CodeUri" in properties else "ContentUri"
        properties[uri] = f"s3://{_BUCKET}/{logical_id}/{code}"
        if logical_id in versions:
            properties["AutoPublishCodeSha256"] = versions[logical_id]
    # migrations wait for a new schema, not for each edit
    packaged["Resources"]["Schema"]["Properties"]["Build"] = schema
    packaged["Resources"]["MigrateFunction"]["Properties"]["Environment"]["Variables"]["BUILD"] = schema
    _set_defaults(packaged, parameters)
    return write(build.template.with_name("deployed.json"), packaged)


def _deploy(emulator: Emulator, template: Path, parameters: Mapping[str, str]) -> None:
    """Creates or updates the stack; returns when it is done."""
    client = emulator.cloudformation()
    stood = described(client, STACK).get("StackStatus")
    if stood in ("ROLLBACK_COMPLETE", "DELETE_FAILED", "ROLLBACK_FAILED"):  # a first deployment that failed
        client.delete_stack(StackName=STACK)
        client.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
        stood = None
    # too long to be sent along
    emulator.s3().put_object(Bucket=_BUCKET, Key=_TEMPLATE, Body=template.read_bytes())
    name = f"local-{time.time_ns()}"
    client.create_change_set(
        StackName=STACK,
        ChangeSetName=name,
        ChangeSetType="CREATE" if stood in (None, "REVIEW_IN_PROGRESS") else "UPDATE",
        TemplateURL=f"{emulator.url}/{_BUCKET}/{_TEMPLATE}",
        # an update would take the values of last time, whatever the defaults are now
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    while (made := client.describe_change_set(StackName=STACK, ChangeSetName=name))["Status"].endswith("_IN_PROGRESS"):
        time.sleep(_LOOK_AGAIN_S)
    if made["Status"] != "CREATE_COMPLETE":
        raise LocalStackError(f"the template can't be deployed: {made.get('StatusReason', made['Status'])}")
    client.execute_change_set(StackName=STACK, ChangeSetName=name)
    deadline = time.monotonic() + _DEPLOY_S
    while (status := described(client, STACK).get("StackStatus", "")).endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise LocalStackError(f"the deployment is {status} after {_DEPLOY_S} s")
        time.sleep(_LOOK_AGAIN_S)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise LocalStackError(f"the deployment failed ({status}):\n{why_it_failed(client, STACK)}")


def why_it_failed(client: "CloudFormationClient", stack: str) -> str:
    """What failed in a stack's last deployment, a line each, the first first."""
    failed: list[str] = []
    for page in client.get_paginator("describe_stack_events").paginate(StackName=stack):
        for event in page["StackEvents"]:  # the newest first
            name, status = event.get("LogicalResourceId", ""), event.get("ResourceStatus", "")
            if status.endswith("_FAILED"):
                failed.insert(0, f"{name}: {event.get('ResourceStatusReason', '')}")
            if name == stack and status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                return "\n".join(failed)
    return "\n".join(failed)


def with_defaults(template: Path, parameters: Mapping[str, str]) -> Path:
    """The template with these values as defaults: all of parameters that the emulator's transform sees."""
    content = read(template)
    _set_defaults(content, parameters)
    # beside the original, as paths in it are relative
    return write(template.with_name("deployed.json"), content)


def _set_defaults(content: Template, parameters: Mapping[str, str]) -> None:
    for name, value in parameters.items():
        content["Parameters"][name]["Default"] = value


def _answer_for_the_gateway(emulator: Emulator, template: Template, problems: str, origins: str) -> None:
    """The emulator knows gateway responses, but not where SAM puts them, nor its domain: say them again, one by one.

    `problems` is where problems are explained, `origins` the list of allowed ones.
    """
    resources = template["Resources"]
    api = emulator.outputs(STACK)["ApiId"]
    client = emulator.apigateway()
    known = {one["responseType"]: one for one in client.get_gateway_responses(restApiId=api)["items"]}
    wanted: dict[Any, dict[str, Any]] = {
        kind: {
            "statusCode": str(response["StatusCode"]),
            "responseParameters": {
                f"gatewayresponse.header.{name}": value
                for name, told in response["ResponseParameters"]["Headers"].items()
                if (value := _header(told, origins))
            },
            "responseTemplates": {
                media_type: text["Fn::Sub"][0].replace("${Problems}", problems)
                for media_type, text in response["ResponseTemplates"].items()
            },
        }
        for kind, response in resources["WalletApi"]["Properties"]["GatewayResponses"].items()
    }
    new = {kind: said for kind, said in wanted.items() if known.get(kind, {}) | said != known.get(kind)}
    for kind, said in new.items():
        client.put_gateway_response(restApiId=api, responseType=kind, **said)
    if new:
        client.create_deployment(restApiId=api, stageName="v1")


def _header(told: str | dict[str, Any], origins: str) -> str:
    """The value of a gateway response's header; '' for one that the template has only where origins are listed."""
    if isinstance(told, str):
        return told
    _, listed, _ = told["Fn::If"]
    text = listed if isinstance(listed, str) else listed["Fn::Sub"][0].replace("${First}", origins.partition(",")[0])
    return str(text) if origins else ""


def _lock_checkpoints(emulator: Emulator, template: Template, parameters: Mapping[str, str]) -> None:
    """The emulator's S3 knows Object Lock, but not from a template: say it again."""
    lock = template["Resources"]["CheckpointFiles"]["Properties"]["ObjectLockConfiguration"]
    retention: dict[str, Any] = {
        name: parameters[value["Ref"]] for name, value in lock["Rule"]["DefaultRetention"].items()
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


def sms_registration() -> dict[str, str]:
    """Ids as India's operators give them out, of nobody: one for us, one for each text."""
    texts = (
        "Payment",
        "HoldCaptured",
        "Refund",
        "Withdrawal",
        "WithdrawalCorrected",
        "RefundToSource",
        "Chargeback",
        "Unclaimed",
        "Paused",
        "Code",
        "NewDevice",
        "PasswordChanged",
        "PasswordReset",
        "FrozenByOwner",
        "UnfreezeRequested",
        "FrozenByUs",
        "WithdrawalAddress",
        "ConfirmationFailed",
        "ConfirmPayment",
        "ConfirmHold",
        "ConfirmWithdrawal",
        "ConfirmBulkPayment",
        "PasskeyAdded",
        "PasskeyRemoved",
        "ConfirmNewPasskey",
        "ConfirmLostPasskey",
        "NameChanged",
        "PhoneChanged",
        "ConfirmNewName",
        "ConfirmNewPhone",
    )
    templates = {f"SmsTemplate{text}": f"11070000000000000{number:02}" for number, text in enumerate(texts, start=1)}
    return {"SmsEntityId": "1101000000000000001", "SmsSenderId": "WALLET", **templates}


def account_id(state: State) -> str:
    """The account that the gateway simulator's events name."""
    return f"acc_{state.secret('gateway_account')[:14]}"
