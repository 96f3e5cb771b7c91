"""The template: what is open, what each function is given, and that nothing has more than it uses."""

import ast
import json
import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import pytest

from tests.unit import template as templates
from tests.unit.calls import FUNCTIONS, ROOT, door
from wallet.channels.daily_cap import COUNTERS
from wallet.channels.port import Place
from wallet.edge.addresses import ORIGIN_HEADER
from wallet.edge.cors import EXPOSED, PREFLIGHT
from wallet.edge.statuses import REFUSALS
from wallet.ledger.notices import ALERT_TEXTS, CONFIRMATION_TEXTS, DEBIT_TEXTS, TEXTS
from wallet.ledger.refusals import Refusal
from wallet.movements.notify import Untold
from wallet.operators.model import Role
from wallet.storage.breaks import Figures

TEMPLATE = templates.load()
ALL = templates.functions(TEMPLATE)
API = TEMPLATE["Resources"]["WalletApi"]["Properties"]
RESPONSES = API["GatewayResponses"]

# Who may call these is not for the authorizer to say: they make tokens, end them, or prove themselves otherwise.
OPEN = {
    "POST /register",
    "POST /login",
    "POST /token",
    "POST /logout",
    "POST /session",
    "POST /session/token",
    "DELETE /session",
    "POST /phone-proofs",
    "POST /phone-proofs/{id}",
    "POST /password-resets",
    "POST /passkey-proofs/options",
    "POST /passkey-proofs",
    "POST /webhooks/{gateway}",
    "GET /problems/{code}",
    "GET /openapi.json",
    "GET /proof-key",
    "OPTIONS /{proxy+}",
}

FOLDERS = {
    "RegisterFunction": "register",
    "LoginFunction": "login",
    "SessionFunction": "session",
    "SessionsFunction": "sessions",
    "PhoneProofsFunction": "phone_proofs",
    "PasskeyProofsFunction": "passkey_proofs",
    "PasswordResetsFunction": "password_resets",
    "MeFunction": "me",
    "OwnFreezeFunction": "own_freeze",
    "AuthorizerFunction": "authorizer",
    "RotateTokenKeyFunction": "rotate_token_key",
    "BalanceFunction": "balance",
    "TransactionsFunction": "transactions",
    "PaymentRequestsFunction": "payment_requests",
    "ListsFunction": "lists",
    "TopUpFunction": "top_up",
    "PreviewFunction": "preview",
    "PayFunction": "pay",
    "RefundFunction": "refund",
    "HoldFunction": "hold",
    "CaptureFunction": "capture",
    "ExpireHoldsFunction": "expire_holds",
    "WithdrawFunction": "withdraw",
    "BulkFunction": "bulk",
    "BulkResultsFunction": "bulk_results",
    "BulkWorkerFunction": "bulk_worker",
    "WebhookFunction": "webhook",
    "ReconcileFunction": "reconcile",
    "OperatorFunction": "operator",
    "RelayFunction": "relay",
    "SealFunction": "seal",
    "AuditFunction": "audit",
    "ProofFunction": "proof",
    "ProblemsFunction": "problems",
    "OpenapiFunction": "openapi",
    "PreflightFunction": "preflight",
    "NotifyFunction": "notify",
    "MerchantWebhookFunction": "merchant_webhook",
    "StatementFunction": "statement",
    "PayeesFunction": "payees",
    "ConfirmationsFunction": "confirmations",
    "PasskeysFunction": "passkeys",
}

# The secrets of each function, by the parameter or resource that names them.
SECRETS = {
    "RegisterFunction": {"DatabaseIdentitySecretArn", "OriginSecret"},
    "LoginFunction": {"DatabaseIdentitySecretArn", "TokenSecret", "OriginSecret"},
    "SessionFunction": {"DatabaseIdentitySecretArn", "TokenSecret", "OriginSecret"},
    "SessionsFunction": {"DatabaseIdentitySecretArn"},
    "PhoneProofsFunction": {"DatabaseIdentitySecretArn", "CodeSecret", "OriginSecret"},
    "PasskeyProofsFunction": {"DatabaseIdentitySecretArn", "CodeSecret", "OriginSecret"},
    "PasswordResetsFunction": {"DatabaseIdentitySecretArn", "OriginSecret"},
    "MeFunction": {"DatabaseIdentitySecretArn", "OriginSecret"},
    "OwnFreezeFunction": {"DatabaseIdentitySecretArn"},
    "AuthorizerFunction": {"TokenSecret"},
    "RotateTokenKeyFunction": set(),
    "BalanceFunction": {"DatabaseReaderSecretArn"},
    "TransactionsFunction": {"DatabaseReaderSecretArn"},
    "PaymentRequestsFunction": {"DatabaseDirectorySecretArn"},
    "ListsFunction": {"DatabaseReaderSecretArn"},
    "StatementFunction": {"DatabaseReaderSecretArn"},
    "PayeesFunction": {"DatabaseDirectorySecretArn", "OriginSecret"},
    "ConfirmationsFunction": {"DatabaseConfirmationsSecretArn", "CodeSecret"},
    "PasskeysFunction": {"DatabaseConfirmationsSecretArn", "CodeSecret"},
    "TopUpFunction": {"DatabaseMoneySecretArn", "GatewaySecretArn"},
    "PreviewFunction": {"DatabaseReaderSecretArn"},
    "PayFunction": {"DatabaseMoneySecretArn"},
    "RefundFunction": {"DatabaseMoneySecretArn"},
    "HoldFunction": {"DatabaseMoneySecretArn"},
    "CaptureFunction": {"DatabaseMoneySecretArn"},
    "ExpireHoldsFunction": {"DatabaseClockSecretArn"},
    "WithdrawFunction": {"DatabaseWithdrawalsSecretArn", "PayoutSecretArn"},
    "BulkFunction": {"DatabaseMoneySecretArn"},
    "BulkResultsFunction": {"DatabaseReaderSecretArn"},
    "BulkWorkerFunction": {"DatabaseMoneySecretArn"},
    "WebhookFunction": {"DatabaseGatewaySecretArn", "WebhookSecretArn", "PayoutWebhookSecretArn"},
    "ReconcileFunction": {"DatabaseGatewaySecretArn", "GatewaySecretArn", "PayoutSecretArn"},
    "OperatorFunction": {"DatabaseOperatorSecretArn"},
    "RelayFunction": {"DatabaseClockSecretArn"},
    "MerchantWebhookFunction": set(),  # of each merchant's, by its name
    "NotifyFunction": {"DatabaseReaderSecretArn"},
    "SealFunction": {"DatabaseSealerSecretArn"},
    "AuditFunction": {"DatabaseAuditorSecretArn"},
    "ProofFunction": {"DatabaseReaderSecretArn"},
    "ProblemsFunction": set(),
    "OpenapiFunction": set(),
    "PreflightFunction": set(),
    "MigrateFunction": {
        "DatabaseOwnerSecretArn",
        "DatabaseIdentitySecretArn",
        "DatabaseMoneySecretArn",
        "DatabaseWithdrawalsSecretArn",
        "DatabaseGatewaySecretArn",
        "DatabaseReaderSecretArn",
        "DatabaseDirectorySecretArn",
        "DatabaseConfirmationsSecretArn",
        "DatabaseOperatorSecretArn",
        "DatabaseClockSecretArn",
        "DatabaseSealerSecretArn",
        "DatabaseAuditorSecretArn",
    },
}
# And the secrets that a function gives new versions, without reading them.
WRITTEN = {"RotateTokenKeyFunction": {"TokenSecret"}}
WITH_THE_TABLE = {
    "RegisterFunction",
    "TopUpFunction",
    "PayFunction",
    "RefundFunction",
    "HoldFunction",
    "CaptureFunction",
    "WithdrawFunction",
    "BulkFunction",
    "NotifyFunction",
}
ITEM_ACTIONS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
# What else a function may do.
TELLS = {
    "RotateTokenKeyFunction": {"secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue"},
    "RelayFunction": {"events:PutEvents"},
    "NotifyFunction": {"sns:Publish"},
    "PhoneProofsFunction": {"sns:Publish", "ssm:GetParameter"},
    "ConfirmationsFunction": {"sns:Publish", "ssm:GetParameter"},
    "PasskeysFunction": {"ssm:GetParameter"},
    "PaymentRequestsFunction": {"ssm:GetParameter"},
    "PasskeyProofsFunction": {"ssm:GetParameter"},
    "StatementFunction": {"s3:PutObject", "s3:GetObject"},
    "SealFunction": {"s3:PutObject", "s3:GetObject", "s3:ListBucket"},
    "AuditFunction": {
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "kms:GetPublicKey",
    },
    "ProofFunction": {"kms:GetPublicKey"},
    "BulkFunction": {"lambda:InvokeFunction"},
    "MerchantWebhookFunction": {
        "ssm:GetParameter",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:SendMessage",
    },
}
#: What merchants' own stacks make is allowed by the beginning of its name.
OF_MERCHANTS = {
    "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}"
    ":secret:${AWS::StackName}/webhooks/*"
}

everybody = pytest.mark.parametrize("name", sorted(ALL))
doors = pytest.mark.parametrize("name", sorted(FOLDERS))


def variables(name: str) -> dict[str, Any]:
    found: dict[str, Any] = ALL[name]["Environment"]["Variables"]
    return found


def references(value: object) -> set[str]:
    """Everything that a value refers to."""
    if isinstance(value, dict):
        named = {value["Ref"]} if isinstance(value.get("Ref"), str) else set()
        return named.union(*(references(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(references(inner) for inner in value))
    return set()


def test_nothing_is_told_twice() -> None:
    assert templates.keys_told_twice() == []


def test_the_functions_of_the_template_are_the_folders_there_are() -> None:
    assert set(ALL) == {*FOLDERS, "MigrateFunction"}
    assert set(FOLDERS.values()) == {path.parent.name for path in FUNCTIONS.glob("*/app.py")}


def test_the_build_puts_each_folder_into_its_own_function() -> None:
    built = dict(re.findall(r"^door-(\w+) = (\w+)$", (FUNCTIONS / "Makefile").read_text(), re.MULTILINE))
    assert built == FOLDERS


def test_a_route_without_another_word_needs_a_token() -> None:
    authorizer = API["Auth"]["Authorizers"][API["Auth"]["DefaultAuthorizer"]]
    assert authorizer["FunctionArn"] == {"Ref": "AuthorizerFunction.Alias"}
    assert authorizer["FunctionPayloadType"] == "TOKEN"


def test_exactly_these_routes_are_open() -> None:
    told = {
        route: properties["Auth"]
        for function in ALL.values()
        for route, properties in templates.routes(function).items()
        if "Auth" in properties
    }
    signed = {f"POST /operator/{role}/commands" for role in Role}
    # not with the caller's rights: who may invoke the function could tell it any ARN
    assert told == {route: {"Authorizer": "NONE"} for route in OPEN} | {
        route: {"Authorizer": "AWS_IAM", "InvokeRole": "NONE"} for route in signed
    }
    assert signed == set(templates.routes(ALL["OperatorFunction"]))


def test_every_route_belongs_to_the_one_api() -> None:
    apis = [properties["RestApiId"] for function in ALL.values() for properties in templates.routes(function).values()]
    assert apis == [{"Ref": "WalletApi"}] * len(apis)
    kinds = {source["Type"] for function in ALL.values() for source in function.get("Events", {}).values()}
    assert kinds == {"Api", "ScheduleV2", "EventBridgeRule"}


def test_who_signed_an_operators_request_is_in_the_access_log() -> None:
    assert '"operator":"$context.identity.userArn"' in API["AccessLogSetting"]["Format"]


def test_no_function_has_an_address_of_its_own() -> None:
    assert not [name for name in ALL if "FunctionUrlConfig" in ALL[name]]
    resources = {resource["Type"] for resource in TEMPLATE["Resources"].values()}
    assert resources & {"AWS::Lambda::Url", "AWS::Lambda::Permission", "AWS::Serverless::HttpApi"} == set()


def test_a_token_that_has_expired_is_not_remembered_for_long() -> None:
    authorizer = API["Auth"]["Authorizers"][API["Auth"]["DefaultAuthorizer"]]
    assert authorizer["Identity"]["Header"] == "Authorization"
    assert authorizer["Identity"]["ReauthorizeEvery"] <= 60


@pytest.mark.parametrize(
    ("header", "good"),
    [
        ("Bearer eyJ0.eyJ1.s-_s", True),
        ("bearer  eyJ0.eyJ1.s", True),
        ("Basic dXNlcjpwYXNz", False),
        ("eyJ0.eyJ1.s", False),
        ("Bearer ", False),
        ("Bearer a b", False),
        ("Bearer é", False),
    ],
)
def test_what_is_no_bearer_token_does_not_reach_the_authorizer(header: str, good: bool) -> None:  # noqa: FBT001 - a table
    expression = API["Auth"]["Authorizers"][API["Auth"]["DefaultAuthorizer"]]["Identity"]["ValidationExpression"]
    assert bool(re.fullmatch(expression, header)) is good


@doors
def test_a_door_knows_exactly_the_routes_that_the_template_sends_it(name: str) -> None:
    known = getattr(door(FOLDERS[name]).handler, "routes", {})
    assert set(known) == set(templates.routes(ALL[name]))


# ---------------------------------------------------------------------------------------- the environment

_WIRING = ast.parse((ROOT / "layers/wallet/wiring.py").read_text(encoding="utf-8"))
_PARTS = {node.name: node for node in ast.walk(_WIRING) if isinstance(node, ast.FunctionDef)}


def read_by(node: ast.AST, seen: frozenset[str] = frozenset()) -> set[str]:
    """The settings that a piece of code reads: those it names itself, and those of the wiring that it uses."""
    found: set[str] = set()
    for inner in ast.walk(node):
        name = (
            inner.id
            if isinstance(inner, ast.Name) and seen  # inside the wiring; a door's own names are its own
            else inner.attr
            if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == "wiring"
            else ""
        )
        if name in _PARTS and name not in seen:
            found |= read_by(_PARTS[name], seen | {name})
        if isinstance(inner, ast.Call) and inner.args and isinstance(inner.args[0], ast.Constant):
            called = ast.unparse(inner.func).removeprefix("wiring.")
            if called in ("setting", "number", "os.environ.get"):
                found.add(str(inner.args[0].value))
    return found


@everybody
def test_a_function_is_given_exactly_the_settings_that_it_reads(name: str) -> None:
    schema = [ROOT / "schema" / file for file in ("deployment.py", "migrate.py")]
    sources = [FUNCTIONS / FOLDERS[name] / "app.py"] if name in FOLDERS else schema
    read = [read_by(ast.parse(source.read_text(encoding="utf-8"))) for source in sources]
    # AWS's SDK reads this one itself, wherever something is published to phones
    by_the_sdk = {"AWS_ENDPOINT_URL_SNS"} if "sns:Publish" in TELLS.get(name, set()) else set()
    assert set(variables(name)) == by_the_sdk.union(*read)


def test_what_every_function_is_given_is_for_the_logs_and_the_emulator() -> None:
    told = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    assert set(told) == {"LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "AWS_ENDPOINT_URL"}
    assert told["AWS_ENDPOINT_URL"] == {
        "Fn::If": ["HasAwsEndpoint", {"Ref": "AwsEndpointUrl"}, {"Ref": "AWS::NoValue"}]
    }


@everybody
def test_idempotency_is_switched_off_nowhere(name: str) -> None:
    assert "POWERTOOLS_IDEMPOTENCY_DISABLED" not in variables(name)


@everybody
def test_a_variable_names_a_secret_and_never_holds_one(name: str) -> None:
    for variable, value in variables(name).items():
        if re.search(r"SECRET|TOKEN$|KEY|PASSWORD$", variable):
            assert references(value), f"{variable} is written into the template"
            assert references(value) <= SECRETS[name] | WRITTEN.get(name, set())


def test_no_secret_is_looked_up_while_deploying_but_the_one_that_the_distribution_proves_itself_by() -> None:
    looked_up = re.findall(r"\{\{resolve:\S*\}\}", (ROOT / "template.yaml").read_text(encoding="utf-8"))
    assert set(looked_up) == {"{{resolve:secretsmanager:${OriginSecret}:SecretString:::${OriginSecretVersion}}}"}
    resources = TEMPLATE["Resources"]
    assert json.dumps(resources["ApiWebAcl"]).count("{{resolve:") == 2, "in each of its rules"
    assert json.dumps(resources["Site"]).count("{{resolve:") == 1
    assert json.dumps(resources).count("{{resolve:") == 3


def test_the_site_is_read_through_its_distribution_alone() -> None:
    resources = TEMPLATE["Resources"]
    assert set(resources["SiteFiles"]["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    allowed = [
        statement
        for statement in resources["SiteFilesPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if statement.get("Effect") == "Allow"
    ]
    assert {statement["Action"] for statement in allowed} == {"s3:GetObject", "s3:ListBucket"}
    for statement in allowed:
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        (arn,) = statement["Condition"]["StringEquals"].values()
        assert "distribution/${Site}" in json.dumps(arn), "not everybody's distribution"


def test_what_the_api_says_is_neither_kept_nor_replaced_on_its_way_through_the_site() -> None:
    settings = TEMPLATE["Resources"]["Site"]["Properties"]["DistributionConfig"]
    kept = {told.pop("ErrorCode"): told for told in map(dict, settings["CustomErrorResponses"])}
    assert {400, 403, 404, 500, 502, 503, 504} <= set(kept)
    assert list(kept.values()) == [{"ErrorCachingMinTTL": 0}] * len(kept), "and no page in its place"
    api, *_ = settings["CacheBehaviors"]
    assert (api["PathPattern"], api["TargetOriginId"]) == ("/v1/*", "api")
    # AWS's own policies: CachingDisabled, AllViewerExceptHostHeader
    assert api["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert api["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert settings["DefaultCacheBehavior"]["AllowedMethods"] == ["GET", "HEAD"]


def test_a_certificate_needs_the_name_that_it_is_for_and_a_name_may_be_answered_by_somebody_elses() -> None:
    about_names = [rule for rule in TEMPLATE["Rules"].values() if "WebOrigin" in json.dumps(rule)]
    assert [rule["RuleCondition"] for rule in about_names] == [
        {"Fn::Not": [{"Fn::Equals": [{"Ref": "WebCertificateArn"}, ""]}]}
    ]
    assert references(about_names[0]["Assertions"]) == {"WebOrigin"}
    settings = TEMPLATE["Resources"]["Site"]["Properties"]["DistributionConfig"]
    for name in ("Aliases", "ViewerCertificate"):
        assert settings[name]["Fn::If"][0] == "HasCertificate", "a name that is not proven would fail the deployment"


def test_nothing_is_inline_on_the_site_and_nothing_comes_from_elsewhere() -> None:
    told = TEMPLATE["Resources"]["SiteHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    policy = told["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("require-trusted-types-for") == "'script'"
    sources = {source for rule in rules.values() for source in rule.split()}
    assert sources == {"'self'", "'none'", "data:", "blob:"}
    assert {name for name, rule in rules.items() if "data:" in rule or "blob:" in rule} == {"img-src"}


def test_no_parameter_takes_a_secret() -> None:
    taken = [
        name
        for name in TEMPLATE["Parameters"]
        if re.search(r"secret|password|key", name, re.IGNORECASE)
        and not name.endswith("SecretArn")
        and not name.startswith("SmsTemplate")
    ]
    assert set(taken) == {"PasswordCost", "PasswordConcurrency", "OriginSecretVersion"}  # a number, and a name


def test_a_password_costs_what_it_should_where_nobody_says_otherwise() -> None:
    assert TEMPLATE["Parameters"]["PasswordCost"]["Default"] == 12


# ------------------------------------------------------------------------------------------- the policies


@everybody
def test_a_function_may_read_its_own_secrets_and_no_other(name: str) -> None:
    read: set[str] = set()
    for statement in templates.statements(ALL[name]):
        if "secretsmanager:GetSecretValue" in templates.listed(statement["Action"]):
            assert templates.listed(statement["Action"]) == ["secretsmanager:GetSecretValue"]
            if name == "MerchantWebhookFunction":
                assert statement["Resource"] == OF_MERCHANTS
                continue
            for resource in templates.listed(statement["Resource"]):
                assert list(resource) == ["Ref"]
                read.add(resource["Ref"])
    assert read == SECRETS[name]


@everybody
def test_a_function_uses_the_secrets_that_it_may_read(name: str) -> None:
    named = set().union(*(references(value) for value in variables(name).values()))
    assert SECRETS[name] <= named


@everybody
def test_the_idempotency_table_is_open_to_those_who_move_money_each_to_its_own_items_one_at_a_time(name: str) -> None:
    """And to register and notify. Powertools names a record by its prefix, `#` and a hash."""
    own = [variables(name).get("IDEMPOTENCY_PREFIX")] + [COUNTERS] * (name == "NotifyFunction")
    only = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{prefix}#*" for prefix in own]}}
    allowed = [
        (set(templates.listed(statement["Action"])), statement["Resource"], statement["Condition"])
        for statement in templates.statements(ALL[name])
        if any(action.startswith("dynamodb:") for action in templates.listed(statement["Action"]))
    ]
    table = (ITEM_ACTIONS, {"Fn::GetAtt": ["IdempotencyTable", "Arn"]}, only)
    assert allowed == ([table] if name in WITH_THE_TABLE else [])


def test_no_two_functions_share_a_prefix_in_the_idempotency_table() -> None:
    prefixes = {name: variables(name)["IDEMPOTENCY_PREFIX"] for name in WITH_THE_TABLE}
    assert prefixes == {name: f"wallet.{FOLDERS[name]}.v1" for name in WITH_THE_TABLE}
    everybodys = [*prefixes.values(), COUNTERS]
    assert not [(one, other) for one in everybodys for other in everybodys if one != other and other.startswith(one)]


@everybody
def test_no_policy_has_a_star_or_any_other_service(name: str) -> None:
    for statement in templates.statements(ALL[name]):
        assert statement["Effect"] == "Allow"
        for action in templates.listed(statement["Action"]):
            assert action in {*ITEM_ACTIONS, "secretsmanager:GetSecretValue"} | TELLS.get(name, set())
        if statement["Action"] == "sns:Publish" and "NotResource" in statement:
            continue  # a phone has no name in a policy; the next test says what this leaves
        if statement["Resource"] == {"Fn::Sub": "${StatementFiles.Arn}/wal_*"}:
            continue  # the files of one bucket, whatever their names
        if statement["Resource"] == {"Fn::Sub": "${CheckpointFiles.Arn}/${CheckpointPrefix}checkpoints/*"}:
            continue  # as above
        if name == "MerchantWebhookFunction":
            continue  # a test of its own has every one of them
        assert "*" not in json.dumps(statement["Resource"])
    assert "Role" not in ALL[name]


def test_statements_are_kept_from_everybody_for_a_week_and_sent_encrypted_only() -> None:
    bucket = TEMPLATE["Resources"]["StatementFiles"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    assert [rule["ExpirationInDays"] for rule in bucket["LifecycleConfiguration"]["Rules"]] == [7]
    [rule] = TEMPLATE["Resources"]["StatementFilesPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (rule["Effect"], rule["Principal"], rule["Action"]) == ("Deny", "*", "s3:*")
    assert rule["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert rule["Resource"] == [{"Fn::GetAtt": ["StatementFiles", "Arn"]}, {"Fn::Sub": "${StatementFiles.Arn}/*"}]


def test_statements_are_read_and_written_by_one_function_alone() -> None:
    users = {name for name in ALL if "StatementFiles" in json.dumps(templates.statements(ALL[name]))}
    assert users == {"StatementFunction"}


def test_checkpoints_are_locked_and_outlive_the_stack() -> None:
    for name in ("CheckpointFiles", "CheckpointKey"):
        assert TEMPLATE["Resources"][name]["DeletionPolicy"] == "Retain"
        assert TEMPLATE["Resources"][name]["UpdateReplacePolicy"] == "Retain"
    bucket = TEMPLATE["Resources"]["CheckpointFiles"]["Properties"]
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["ObjectLockConfiguration"]["Rule"] == {
        "DefaultRetention": {"Mode": {"Ref": "CheckpointLockMode"}, "Days": {"Ref": "CheckpointLockDays"}}
    }
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "LifecycleConfiguration" not in bucket


def test_how_checkpoints_are_locked_is_chosen_by_somebody() -> None:
    """A lock that can be bypassed is no evidence, and one that can't stays for years: neither is there by default."""
    mode = TEMPLATE["Parameters"]["CheckpointLockMode"]
    assert mode["AllowedValues"] == ["GOVERNANCE", "COMPLIANCE"]
    assert "Default" not in mode


def test_a_checkpoint_is_put_under_a_new_name_only_and_hidden_by_nobody() -> None:
    rules = TEMPLATE["Resources"]["CheckpointFilesPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {(rule["Effect"], rule["Principal"]) for rule in rules} == {("Deny", "*")}
    told = {rule["Action"]: rule.get("Condition") for rule in rules}
    assert told == {
        "s3:*": {"Bool": {"aws:SecureTransport": "false"}},
        "s3:PutObject": {"Null": {"s3:if-none-match": "true"}},
        "s3:DeleteObject": None,
    }


def test_checkpoints_are_written_by_one_function_and_read_by_one_more() -> None:
    users = {name for name in ALL if "CheckpointFiles" in json.dumps(templates.statements(ALL[name]))}
    assert users == {"SealFunction", "AuditFunction"}
    assert not [action for action in TELLS["AuditFunction"] if re.search("Put|Delete|Bypass|Sign", action)]


def test_nobody_but_the_sealer_signs_checkpoints() -> None:
    """With `kms:*` for the account, as keys usually have it, any policy of any role could allow signing."""
    key = TEMPLATE["Resources"]["CheckpointKey"]["Properties"]
    assert (key["KeySpec"], key["KeyUsage"]) == ("RSA_3072", "SIGN_VERIFY")
    signers = [
        statement["Principal"]
        for statement in key["KeyPolicy"]["Statement"]
        if {"kms:Sign", "kms:*", "*"} & set(templates.listed(statement["Action"]))
    ]
    assert signers == [{"AWS": {"Fn::GetAtt": ["SealFunctionRole", "Arn"]}}]
    sealers = [
        statement["Action"]
        for statement in key["KeyPolicy"]["Statement"]
        if statement["Principal"] == {"AWS": {"Fn::GetAtt": ["SealFunctionRole", "Arn"]}}
    ]
    assert sealers == ["kms:Sign", "kms:GetPublicKey"], "it verifies what is kept before it signs"
    readers = {name for name in ALL if "kms:" in json.dumps(templates.statements(ALL[name]))}
    assert readers == {"AuditFunction", "ProofFunction"}


def test_an_audit_that_never_ends_rings_after_days_and_not_at_once() -> None:
    """One that is cut off now and then is none; nor can who writes to the database make it look finished."""
    [metric] = TEMPLATE["Resources"]["AuditUnfinished"]["Properties"]["MetricTransformations"]
    assert TEMPLATE["Resources"]["AuditUnfinished"]["Properties"]["LogGroupName"] == {"Ref": "AuditLogs"}
    alarm = TEMPLATE["Resources"]["AuditUnfinishedAlarm"]["Properties"]
    assert (metric["MetricValue"], metric["MetricName"]) == ("$.unfinished", alarm["MetricName"])
    assert "DefaultValue" not in metric, "a minute without a run would count as a run that was finished"
    assert (alarm["Statistic"], alarm["Threshold"], alarm["Period"]) == ("Minimum", 1, 86_400)
    assert alarm["EvaluationPeriods"] == {"Ref": "AuditUnfinishedDays"}
    days = TEMPLATE["Parameters"]["AuditUnfinishedDays"]
    assert (days["MinValue"], days["MaxValue"]) == (1, 7), "CloudWatch looks at a week at most"
    assert days["Default"] > 1


def test_what_the_sealer_says_once_has_an_alarm() -> None:
    for name, pattern in (
        ("SealedLate", '{ $.message = "late" }'),
        ("SealContradictions", '{ $.message = "contradiction" }'),
    ):
        told = TEMPLATE["Resources"][name]["Properties"]
        assert (told["LogGroupName"], told["FilterPattern"]) == ({"Ref": "SealLogs"}, pattern)
        alarm = TEMPLATE["Resources"][f"{name}Alarm"]["Properties"]
        assert (alarm["MetricName"], alarm["Threshold"], alarm["Statistic"]) == (name, 1, "Sum")


def test_notices_go_to_our_topic_or_to_phones_but_to_no_other_topic() -> None:
    allowed = [
        statement
        for statement in templates.statements(ALL["NotifyFunction"])
        if "sns:Publish" in templates.listed(statement["Action"])
    ]
    assert [statement.get("Resource") for statement in allowed] == [{"Ref": "DebitNoticesTopic"}, None]
    assert allowed[1]["NotResource"] == {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}


def test_who_sends_webhooks_reaches_what_merchants_stacks_make_for_it_and_no_more() -> None:
    """And is in no network of ours, for merchants choose whom it calls."""
    function = ALL["MerchantWebhookFunction"]
    here = "${AWS::Region}:${AWS::AccountId}:"
    told = {
        statement["Resource"]["Fn::Sub"].removeprefix("arn:${AWS::Partition}:").replace(here, ""): set(
            templates.listed(statement["Action"])
        )
        for statement in templates.statements(function)
    }
    reads = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
    assert told == {
        "secretsmanager:secret:${AWS::StackName}/webhooks/*": {"secretsmanager:GetSecretValue"},
        "ssm:parameter/${AWS::StackName}/webhooks/*": {"ssm:GetParameter"},
        "sqs:${AWS::StackName}-webhooks-*": reads | {"sqs:GetQueueUrl"},
        "sqs:${AWS::StackName}-undelivered-webhooks-*": {"sqs:SendMessage", "sqs:GetQueueUrl"},
    }
    assert function["VpcConfig"] == {"Ref": "AWS::NoValue"}
    assert [name for name in ALL if "VpcConfig" in ALL[name]] == ["MerchantWebhookFunction"]
    assert not any(variable.startswith("DATABASE") for variable in variables("MerchantWebhookFunction"))


def test_webhooks_go_to_the_public_internet_unless_somebody_says_otherwise() -> None:
    targets = TEMPLATE["Parameters"]["WebhookTargets"]
    assert (targets["Default"], targets["AllowedValues"]) == ("public", ["public", "any"])


def test_the_relay_alone_publishes_and_on_our_bus() -> None:
    publishers = {
        name: statement["Resource"]
        for name in ALL
        for statement in templates.statements(ALL[name])
        if "events:PutEvents" in templates.listed(statement["Action"])
    }
    assert publishers == {"RelayFunction": {"Fn::GetAtt": ["WalletEvents", "Arn"]}}


def test_the_door_of_bulk_payments_alone_starts_a_function_and_that_is_the_worker() -> None:
    starters = {
        name: statement["Resource"]
        for name in ALL
        for statement in templates.statements(ALL[name])
        if "lambda:InvokeFunction" in templates.listed(statement["Action"])
    }
    assert starters == {"BulkFunction": {"Ref": "BulkWorkerFunction.Alias"}}


def test_the_bulk_worker_begins_each_minute_whoever_has_forgotten_to_start_it() -> None:
    clock = ALL["BulkWorkerFunction"]["Events"]["Clock"]
    assert (clock["Type"], clock["Properties"]["ScheduleExpression"]) == ("ScheduleV2", "rate(1 minute)")


def test_notices_of_debits_are_off_unless_somebody_wants_them_and_alerts_never_are() -> None:
    assert TEMPLATE["Parameters"]["DebitNotices"]["Default"] == "off"
    assert "Condition" not in TEMPLATE["Resources"]["NotifyFunction"]
    events = {name: event["Properties"].get("State") for name, event in ALL["NotifyFunction"]["Events"].items()}
    assert events == {"Debit": {"Fn::If": ["SendsNotices", "ENABLED", "DISABLED"]}, "Alert": None}


def parameters_of(texts: Iterable[str]) -> set[str]:
    return {f"SmsTemplate{name.title().replace('_', '')}" for name in texts}


def test_alerts_name_a_contact_and_every_registered_id_or_are_not_deployed() -> None:
    contact, registered = (TEMPLATE["Rules"][name] for name in ("AlertsNameAContact", "AlertsAreRegistered"))
    assert "RuleCondition" not in contact
    assert references(contact["Assertions"]) == {"NoticeContact"}
    assert TEMPLATE["Parameters"]["NoticeContact"]["Default"] == ""
    assert registered["RuleCondition"] == {"Fn::Equals": [{"Ref": "CodeRegions"}, "IN"]}
    assert references(registered["Assertions"]) == parameters_of(ALERT_TEXTS)


def test_notices_by_sms_name_every_registered_id_or_are_not_deployed() -> None:
    rule = TEMPLATE["Rules"]["SmsAreRegistered"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "DebitNotices"}, "sms"]}
    wanted = references(rule["Assertions"])
    registered = {name for name in TEMPLATE["Parameters"] if name.startswith("SmsTemplate")} - {
        "SmsTemplateCode",
        *parameters_of(CONFIRMATION_TEXTS),
    }
    assert wanted == {"NoticeBrand", "SmsEntityId", "SmsSenderId"} | parameters_of(DEBIT_TEXTS)
    assert {TEMPLATE["Parameters"][name]["Default"] for name in wanted} == {""}, "nobody's id is ours"
    told = variables("NotifyFunction")["SMS_TEMPLATE_IDS"]["Fn::Sub"]
    assert set(re.findall(r"=\$\{(\w+)\}", told)) == registered
    assert set(re.findall(r"(\w+)=", told)) == {*DEBIT_TEXTS, *ALERT_TEXTS}


def test_codes_to_indian_phones_name_every_registered_id_or_are_not_deployed() -> None:
    rule = TEMPLATE["Rules"]["CodesAreRegistered"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "CodeRegions"}, "IN"]}
    wanted = references(rule["Assertions"])
    codes = parameters_of(["code", *CONFIRMATION_TEXTS])
    assert wanted == {"NoticeBrand", "SmsEntityId", "SmsSenderId"} | codes
    assert {TEMPLATE["Parameters"][name]["Default"] for name in wanted} == {""}, "nobody's id is ours"
    assert variables("PhoneProofsFunction")["SMS_TEMPLATE_IDS"] == {"Fn::Sub": "code=${SmsTemplateCode}"}
    told = variables("ConfirmationsFunction")["SMS_TEMPLATE_IDS"]["Fn::Sub"]
    assert re.findall(r"(\w+)=", told) == list(CONFIRMATION_TEXTS)
    assert set(re.findall(r"=\$\{(\w+)\}", told)) == parameters_of(CONFIRMATION_TEXTS)
    assert set(TEXTS) == {*DEBIT_TEXTS, *ALERT_TEXTS, *CONFIRMATION_TEXTS, "code"}


def test_sms_that_do_not_arrive_or_cost_much_and_notices_over_a_cap_ring() -> None:
    resources = TEMPLATE["Resources"]
    arrive = resources["SmsSuccessAlarm"]["Properties"]
    assert (arrive["Namespace"], arrive["MetricName"], arrive["Statistic"]) == ("AWS/SNS", "SMSSuccessRate", "Average")
    assert {one["Name"]: one["Value"] for one in arrive["Dimensions"]} == {"Country": "IN", "SMSType": "Transactional"}
    assert (arrive["ComparisonOperator"], arrive["Threshold"]) == ("LessThanThreshold", {"Ref": "SmsSuccessRate"})
    assert arrive["TreatMissingData"] == "notBreaching", "an hour without a message is none in which they fail"
    spend = resources["SmsSpendAlarm"]["Properties"]
    assert (spend["MetricName"], spend["Threshold"]) == ("SMSMonthToDateSpentUSD", {"Ref": "SmsMonthlySpendUsd"})
    capped = resources["NoticesCapped"]["Properties"]
    assert capped["LogGroupName"] == {"Ref": "NotifyLogs"}
    caps = {place.value for place in (Place.PERSON_FULL, Place.ALL_FULL)}
    assert capped["FilterPattern"] == '{ ($.message = "not notified") && ($.reason = "cap_*") }'
    assert {reason.value for reason in Untold if reason.value.startswith("cap_")} == caps
    assert resources["NoticesCappedAlarm"]["Properties"]["MetricName"] == "NoticesCapped"


def test_the_account_keeps_the_reason_of_each_sms_that_failed_and_rings() -> None:
    account = templates.load("infrastructure/account.yaml")["Resources"]
    group = account["SmsFailureLogs"]["Properties"]["LogGroupName"]
    assert group == {"Fn::Sub": "sns/${AWS::Region}/${AWS::AccountId}/DirectPublishToPhoneNumber/Failure"}
    assert account["SmsFailures"]["Properties"]["LogGroupName"] == {"Ref": "SmsFailureLogs"}
    [metric] = account["SmsFailures"]["Properties"]["MetricTransformations"]
    assert metric["MetricName"] == account["SmsFailuresAlarm"]["Properties"]["MetricName"]
    role = account["SmsDeliveryRole"]["Properties"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "sns.amazonaws.com"}
    [statement] = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert statement["Resource"]["Fn::Sub"].endswith(":log-group:sns/*"), "no log of ours"


@pytest.mark.parametrize("name", ["PhoneProofsFunction", "ConfirmationsFunction"])
def test_codes_go_to_phones_and_to_no_topic(name: str) -> None:
    [allowed] = [
        statement
        for statement in templates.statements(ALL[name])
        if "sns:Publish" in templates.listed(statement["Action"])
    ]
    assert "Resource" not in allowed
    assert allowed["NotResource"] == {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}


def test_what_hashes_codes_and_seals_challenges_is_held_by_those_that_make_them_alone() -> None:
    holders = {name for name in ALL if "CODE_SECRET" in variables(name)}
    readers = {name for name in ALL if "CodeSecret" in references(templates.statements(ALL[name]))}
    codes, challenges = {"PhoneProofsFunction", "ConfirmationsFunction"}, {"PasskeysFunction", "PasskeyProofsFunction"}
    assert holders == readers == codes | challenges


def test_what_signs_in_and_the_authorizer_alone_hold_the_secret_of_the_tokens() -> None:
    holders = {name for name in ALL if "TOKEN_SECRET" in variables(name)}
    readers = {name for name in ALL if "TokenSecret" in references(templates.statements(ALL[name]))}
    # the last of them writes keys, and reads none
    assert holders == readers == {"LoginFunction", "SessionFunction", "AuthorizerFunction", "RotateTokenKeyFunction"}


# ------------------------------------------------------------------------------ what API Gateway says itself


def answered(kind: str) -> dict[str, Any]:
    """The problem that API Gateway answers with, where nobody says where problems are explained."""
    text, values = RESPONSES[kind]["ResponseTemplates"]["application/json"]["Fn::Sub"]
    condition, named, own = values["Problems"]["Fn::If"]
    assert TEMPLATE["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ProblemBaseUrl"}, ""]}]}
    assert named == {"Ref": "ProblemBaseUrl"}
    problem: dict[str, Any] = json.loads(text.replace("${Problems}", own))
    return problem


@pytest.mark.parametrize("kind", sorted(RESPONSES))
def test_what_api_gateway_answers_itself_is_a_problem_document(kind: str) -> None:
    told = RESPONSES[kind]
    assert set(told["ResponseTemplates"]) == {"application/json"}
    problem = answered(kind)
    assert set(problem) == {"type", "title", "status", "detail", "code", "request_id"}
    assert problem["status"] == told["StatusCode"]
    assert problem["type"] == f"https://$context.domainName/$context.stage/problems/{problem['code']}"
    assert problem["request_id"] == "$context.requestId"
    assert told["ResponseParameters"]["Headers"]["Content-Type"] == "'application/problem+json'"


@pytest.mark.parametrize("kind", sorted(RESPONSES))
def test_what_api_gateway_answers_itself_has_the_headers_of_every_answer(kind: str) -> None:
    headers = RESPONSES[kind]["ResponseParameters"]["Headers"]
    assert headers["X-Request-Id"] == "context.requestId"
    assert headers["Cache-Control"] == "'no-store'"
    assert headers["X-Content-Type-Options"] == "'nosniff'"
    assert headers["X-Frame-Options"] == "'DENY'"
    assert headers["Referrer-Policy"] == "'no-referrer'"
    assert headers["Strict-Transport-Security"] == "'max-age=31536000; includeSubDomains'"


@pytest.mark.parametrize("kind", sorted(RESPONSES))
def test_a_code_means_the_same_status_whoever_says_it(kind: str) -> None:
    told = answered(kind)
    if told["code"] in set(Refusal) and RESPONSES[kind]["StatusCode"] != 400:
        assert told["status"] == REFUSALS[Refusal(told["code"])].status


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("MISSING_AUTHENTICATION_TOKEN", 404),  # API Gateway's name for a route that there isn't
        ("RESOURCE_NOT_FOUND", 404),
        ("UNAUTHORIZED", 401),
        ("ACCESS_DENIED", 401),  # the authorizer's Deny
        ("REQUEST_TOO_LARGE", 413),
        ("THROTTLED", 429),
        ("AUTHORIZER_FAILURE", 503),
        ("DEFAULT_4XX", None),
        ("DEFAULT_5XX", None),
    ],
)
def test_each_trouble_of_api_gateways_own_is_told(kind: str, status: int | None) -> None:
    assert kind in RESPONSES
    assert status is None or RESPONSES[kind]["StatusCode"] == status


@pytest.mark.parametrize("kind", [kind for kind in sorted(RESPONSES) if RESPONSES[kind]["StatusCode"] in (429, 503)])
def test_who_is_told_to_wait_is_told_how_long(kind: str) -> None:
    assert re.fullmatch(r"'[1-9][0-9]*'", RESPONSES[kind]["ResponseParameters"]["Headers"]["Retry-After"])


def test_whoever_answers_a_problem_is_told_where_problems_are_explained() -> None:
    answering = {name for name in ALL if templates.routes(ALL[name])}
    assert {name for name in ALL if variables(name).get("PROBLEM_BASE_URL") == {"Ref": "ProblemBaseUrl"}} == answering
    assert TEMPLATE["Parameters"]["ProblemBaseUrl"]["Default"] == "", "the API's own pages, which are always there"


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("", True),
        ("https://docs.example/problems#", True),
        ("https://wallet.example/problems/", True),
        ("http://127.0.0.1:8000/problems/", True),
        ("https://wallet.example/problems", False),
        ("wallet.example/problems/", False),
        ('https://wallet.example/"/', False),
        ("https://wallet.example/$context.path/", False),
    ],
)
def test_an_address_of_problems_is_one_that_a_code_can_be_put_behind(address: str, good: bool) -> None:  # noqa: FBT001 - a table
    assert bool(re.fullmatch(TEMPLATE["Parameters"]["ProblemBaseUrl"]["AllowedPattern"], address)) is good


# ------------------------------------------------------------------------------- pages of other origins

#: What a header is where origins are listed, by what the template says of the first of them.
FIRST = {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "AllowedOrigins"}]}]}


def where_listed(told: object) -> object:
    """A value that is there only where origins are listed."""
    assert isinstance(told, dict), told
    condition, listed, otherwise = told["Fn::If"]
    assert TEMPLATE["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AllowedOrigins"}, ""]}]}
    assert otherwise == {"Ref": "AWS::NoValue"}
    return listed


def test_every_route_has_a_preflight_that_needs_no_token() -> None:
    """One for all paths: no route takes OPTIONS itself, and no other greedy path is nearer to any of them."""
    routes = {
        route: properties for function in ALL.values() for route, properties in templates.routes(function).items()
    }
    taking = {route: properties for route, properties in routes.items() if route.startswith(("OPTIONS ", "ANY "))}
    assert set(taking) == {"OPTIONS /{proxy+}"} == set(templates.routes(ALL["PreflightFunction"]))
    assert taking["OPTIONS /{proxy+}"]["Auth"] == {"Authorizer": "NONE"}
    paths = {route.partition(" ")[2] for route in routes}
    assert [path for path in paths if "+}" in path] == ["/{proxy+}"]
    assert "/" not in paths, "a greedy path is not of the root"


def test_where_no_origin_is_listed_no_preflight_is_answered() -> None:
    conditional = {name: one["Condition"] for name, one in TEMPLATE["Resources"].items() if "Condition" in one}
    assert conditional["PreflightFunction"] == "ListsOrigins"
    assert {name for name in conditional if name in ALL} == {"PreflightFunction"}, "every other route is always there"


def test_a_preflight_allows_the_methods_that_there_are() -> None:
    methods = {route.partition(" ")[0] for function in ALL.values() for route in templates.routes(function)}
    assert {*PREFLIGHT["Access-Control-Allow-Methods"].split(", ")} == methods - {"OPTIONS"}


def test_whatever_answers_a_browser_knows_whose_pages_may_read_it() -> None:
    answering = {name for name in ALL if templates.routes(ALL[name])}
    assert {name for name in ALL if variables(name).get("ALLOWED_ORIGINS") == {"Ref": "AllowedOrigins"}} == answering
    assert TEMPLATE["Parameters"]["AllowedOrigins"]["Default"] == "", "nobody's"


@pytest.mark.parametrize("kind", sorted(RESPONSES))
def test_what_api_gateway_answers_itself_names_the_first_listed_origin_and_echoes_none(kind: str) -> None:
    headers = RESPONSES[kind]["ResponseParameters"]["Headers"]
    assert where_listed(headers["Access-Control-Allow-Origin"]) == {"Fn::Sub": ["'${First}'", {"First": FIRST}]}
    assert where_listed(headers["Access-Control-Expose-Headers"]) == f"'{EXPOSED}'"
    assert where_listed(headers["Vary"]) == "'Origin'"
    assert "Access-Control-Allow-Credentials" not in headers
    assert "method.request" not in json.dumps(headers), "what a caller sends comes back to nobody"


def test_another_list_reaches_what_api_gateway_answers_itself() -> None:
    """Which is the stage's: SAM has it deployed anew for a new text of the definition, and a parameter is none."""
    assert API["AlwaysDeploy"] is True


@pytest.mark.parametrize("rule", ["passwords", "everything"])
def test_what_waf_answers_names_the_same_origin(rule: str) -> None:
    [action] = [one["Action"] for one in ACL["Rules"] if one["Name"] == rule]
    told = [one for one in action["Block"]["CustomResponse"]["ResponseHeaders"] if "Fn::If" in one]
    assert [where_listed(one) for one in told] == [
        {"Name": "Access-Control-Allow-Origin", "Value": FIRST},
        {"Name": "Access-Control-Expose-Headers", "Value": EXPOSED},
        {"Name": "Vary", "Value": "Origin"},
    ]


@pytest.mark.parametrize(
    ("origins", "good"),
    [
        ("", True),
        ("https://app.example", True),
        ("https://app.example:8443", True),
        ("https://xn--nxasmq6b.example", True),
        ("http://localhost", True),
        ("http://localhost:5173", True),
        ("https://app.example,http://localhost:5173,https://b.example", True),
        ("https://a.example:4430,https://b.example", True),
        ("*", False),
        ("null", False),
        ("app.example", False),
        ("//app.example", False),
        ("http://app.example", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1:5173", False),
        ("https://app.example/", False),
        ("https://app.example/page", False),
        ("https://app.example?x", False),
        ("https://app.example#x", False),
        ("https://user@app.example", False),
        ("https://*.example", False),
        ("https://APP.example", False),
        ("HTTPS://app.example", False),
        ("https://", False),
        ("https://.", False),
        ("https://app..example", False),
        ("https://app.example:", False),
        ("https://app.example:0", False),
        ("https://app.example:123456", False),
        ("https://app.example:443", False),  # as no browser writes it: it would never fit
        ("https://app.example:443,https://b.example", False),
        ("http://localhost:80", False),
        ("https://app.example,", False),
        (",https://app.example", False),
        ("https://app.example,,https://b.example", False),
        ("https://app.example, https://b.example", False),
        ("https://app.example https://b.example", False),
        ("https://app.examplehttps://b.example", False),
        (" https://app.example", False),
        ("https://app.example'", False),
        ("https://app.example\nhttps://b.example", False),
        ("https://app.example\n", False),
        ("https://app.example,*", False),
        ("https://app.example,null", False),
    ],
)
def test_an_origin_is_one_that_a_browser_sends_or_is_not_deployed(origins: str, good: bool) -> None:  # noqa: FBT001 - a table
    assert bool(re.fullmatch(TEMPLATE["Parameters"]["AllowedOrigins"]["AllowedPattern"], origins)) is good


# ------------------------------------------------------------------------------------------ limits by address

ACL = TEMPLATE["Resources"]["ApiWebAcl"]["Properties"]
EDGE_ACL = templates.load("infrastructure/web_acl.yaml")["Resources"]["WebAcl"]["Properties"]


def rate_rule(acl: dict[str, Any], name: str) -> dict[str, Any]:
    """What a rule of an ACL counts, and where it ends."""
    [rule] = [rule for rule in acl["Rules"] if rule["Name"] == name]
    statement: dict[str, Any] = rule["Statement"]["RateBasedStatement"]
    assert statement["AggregateKeyType"] == "IP", (
        "the connection's own: what a header says first is its sender's to choose"
    )
    assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429
    return statement


def path_in(statement: object) -> re.Pattern[str]:
    """The one expression that a statement matches paths with."""
    [found] = re.findall(r'"RegexString": "([^"]+)"', json.dumps(statement))
    return re.compile(found)


@pytest.mark.parametrize("acl", [ACL, EDGE_ACL], ids=["the API's", "CloudFront's"])
def test_one_address_may_ask_for_so_much_and_for_less_where_passwords_are_hashed(acl: dict[str, Any]) -> None:
    assert rate_rule(acl, "passwords")["Limit"] == {"Ref": "AddressLoginLimit"}
    assert rate_rule(acl, "everything")["Limit"] == {"Ref": "AddressLimit"}
    assert acl["DefaultAction"] == {"Allow": {}}
    told = json.loads(_text_of(acl["CustomResponseBodies"]["too_many_requests"]["Content"]))
    assert (told["status"], told["code"]) == (429, "too_many_requests")
    tight = path_in(rate_rule(acl, "passwords"))
    for route in {*OPEN, "POST /session", "POST /session/token", "POST /phone-proofs/x", "POST /password-resets"}:
        path = f"/v1{route.partition(' ')[2]}"
        hashes = not path.startswith(
            ("/v1/logout", "/v1/webhooks", "/v1/problems", "/v1/openapi.json", "/v1/proof-key", "/v1/{proxy+}")
        )
        assert bool(tight.search(path)) is hashes, path
    assert not tight.search("/v1/sessions")
    assert not tight.search("/v1/wallet/login")


def _text_of(content: Any) -> str:
    return str(content["Fn::Sub"][0] if isinstance(content, dict) else content)


def test_whoever_does_not_prove_to_come_through_our_distribution_is_counted_at_the_api() -> None:
    for name in ("passwords", "everything"):
        directly, _ = rate_rule(ACL, name)["ScopeDownStatement"]["AndStatement"]["Statements"]
        proof = directly["NotStatement"]["Statement"]["ByteMatchStatement"]
        assert proof["FieldToMatch"] == {"SingleHeader": {"Name": ORIGIN_HEADER}}
        assert proof["PositionalConstraint"] == "EXACTLY"
        assert proof["TextTransformations"] == [{"Priority": 0, "Type": "NONE"}]


def test_webhooks_are_not_counted_as_they_come_from_few_addresses_and_bring_money() -> None:
    _, aside = rate_rule(ACL, "everything")["ScopeDownStatement"]["AndStatement"]["Statements"]
    webhooks = path_in(aside["NotStatement"])
    assert webhooks.search("/v1/webhooks/razorpay")
    assert not webhooks.search("/v1/wallet/webhooks/")
    transformations = [
        one["Type"]
        for one in json.loads(json.dumps(aside))["NotStatement"]["Statement"]["RegexMatchStatement"][
            "TextTransformations"
        ]
    ]
    assert transformations == ["URL_DECODE", "NORMALIZE_PATH"], "or /v1/webhooks/../wallet would not be counted"


def test_the_acl_is_on_unless_somebody_turns_it_off_and_in_front_of_the_api() -> None:
    assert TEMPLATE["Parameters"]["WebAcl"]["Default"] == "on"
    association = TEMPLATE["Resources"]["ApiWebAclAssociation"]
    assert association["Condition"] == TEMPLATE["Resources"]["ApiWebAcl"]["Condition"] == "HasWebAcl"
    assert association["Properties"]["WebACLArn"] == {"Fn::GetAtt": ["ApiWebAcl", "Arn"]}
    assert (ACL["Scope"], EDGE_ACL["Scope"]) == ("REGIONAL", "CLOUDFRONT")


def test_nothing_of_a_request_is_kept_by_waf() -> None:
    for acl in (ACL, EDGE_ACL):
        kept = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]
        assert {one["SampledRequestsEnabled"] for one in kept} == {False}


def test_one_address_is_refused_long_before_it_keeps_everybody_out() -> None:
    """What all together may ask for of a route that hashes, within WAF's five minutes, is many times what one may."""
    limit = {name: parameter["Default"] for name, parameter in TEMPLATE["Parameters"].items() if "Limit" in name}
    assert limit["LoginRateLimit"] * 300 >= 50 * limit["AddressLoginLimit"]
    assert limit["LoginBurstLimit"] >= limit["LoginRateLimit"]


# -------------------------------------------------------------------------------- publishing, logs, the table


@everybody
def test_a_change_in_the_layer_alone_is_published_too(name: str) -> None:
    assert ALL[name]["AutoPublishCodeSha256"] == {"Ref": "BuildSha"}
    assert "Default" not in TEMPLATE["Parameters"]["BuildSha"]
    assert TEMPLATE["Globals"]["Function"]["AutoPublishAlias"] == "live"


@doors
def test_no_function_is_touched_before_the_migrations_are_done(name: str) -> None:
    """CloudFormation changes a function when all that it depends on is done; its version and alias come after it."""
    assert TEMPLATE["Resources"][name]["DependsOn"] == "Schema"


def test_migrations_are_part_of_each_deployment() -> None:
    schema = TEMPLATE["Resources"]["Schema"]["Properties"]
    assert schema["Build"] == {"Ref": "BuildSha"} == variables("MigrateFunction")["BUILD"]
    # by an address that stays: a resource can't change who looks after it
    assert schema["ServiceToken"] == {"Ref": "MigrateFunction.Alias"}
    # or it would be given up while it works
    assert schema["ServiceTimeout"] > ALL["MigrateFunction"]["Timeout"]
    assert "DependsOn" not in TEMPLATE["Resources"]["MigrateFunction"]


def test_no_body_gets_into_api_gateways_log() -> None:
    settings = API["MethodSettings"]
    assert ("/*", "*") in {(told["ResourcePath"], told["HttpMethod"]) for told in settings}
    assert [told["DataTraceEnabled"] for told in settings] == [False] * len(settings)


def test_what_hashes_passwords_is_throttled_by_itself() -> None:
    limited = {told["ResourcePath"] for told in API["MethodSettings"] if references(told) >= {"LoginRateLimit"}}
    assert limited >= {"/register", "/login", "/session", "/me/password", "/password-resets"}


def test_what_sends_codes_is_throttled_by_itself() -> None:
    limited = {told["ResourcePath"] for told in API["MethodSettings"] if references(told) >= {"LoginRateLimit"}}
    assert "/phone-proofs" in limited


def test_a_password_that_is_tried_on_many_phones_rings_wherever_people_sign_in() -> None:
    for name, logs in (("PasswordSprayedAtLogin", "LoginLogs"), ("PasswordSprayedAtSession", "SessionLogs")):
        told = TEMPLATE["Resources"][name]["Properties"]
        assert told["LogGroupName"] == {"Ref": logs}
        assert told["FilterPattern"] == '{ $.message = "password_sprayed" }'
        assert told["MetricTransformations"][0]["MetricName"] == "PasswordSprayed"
    alarm = TEMPLATE["Resources"]["PasswordSprayedAlarm"]["Properties"]
    assert (alarm["MetricName"], alarm["Threshold"], alarm["Statistic"]) == ("PasswordSprayed", 1, "Sum")


def test_the_sessions_of_browsers_are_shorter_than_the_others() -> None:
    def default(name: str) -> int:
        number: int = TEMPLATE["Parameters"][name]["Default"]
        return number

    assert default("BrowserTokenSeconds") < default("AccessTokenSeconds")
    assert default("BrowserTokenSeconds") < default("BrowserIdleSeconds") < default("BrowserSessionSeconds")
    assert default("AccessTokenSeconds") < default("RefreshTokenSeconds") < default("SessionSeconds")


def test_the_access_log_has_no_header_and_no_body() -> None:
    told = json.dumps(API.get("AccessLogSetting", {}))
    assert not re.search(r"authorization|idempotency|input|header|\$context\.authorizer\.token", told, re.IGNORECASE)


def test_keys_and_tokens_outlive_a_stack() -> None:
    for name in ("IdempotencyTable", "TokenSecret", "CodeSecret"):
        assert TEMPLATE["Resources"][name]["DeletionPolicy"] == "Retain"


def test_a_function_gives_up_before_api_gateway_does() -> None:
    for name, properties in ALL.items():
        if templates.routes(properties) or name == "AuthorizerFunction":
            assert properties.get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"]) < 29


@everybody
def test_every_function_has_a_log_that_ends(name: str) -> None:
    group = ALL[name]["LoggingConfig"]["LogGroup"]["Ref"]
    assert TEMPLATE["Resources"][group]["Properties"]["RetentionInDays"]


def test_each_figure_of_the_reconciler_has_an_alarm_with_a_threshold_of_its_own() -> None:
    alarms = {
        resource["Properties"]["MetricName"]: resource["Properties"]
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    filters = [
        resource["Properties"]
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::Logs::MetricFilter"
        and resource["Properties"]["LogGroupName"] == {"Ref": "ReconcileLogs"}
        and resource["Properties"]["MetricTransformations"][0]["MetricName"] != "GatewayKeysRefused"
    ]
    watched = {}
    for told in filters:
        assert told["FilterPattern"] == '{ $.message = "reconciled" }'
        [metric] = told["MetricTransformations"]
        alarm = alarms[metric["MetricName"]]
        assert (alarm["Namespace"], metric["MetricNamespace"]) == ({"Ref": "AWS::StackName"},) * 2
        assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Maximum", "GreaterThanOrEqualToThreshold")
        watched[metric["MetricValue"].removeprefix("$.")] = alarm["Threshold"]["Ref"]
        assert TEMPLATE["Parameters"][alarm["Threshold"]["Ref"]]["Default"] > 0
    assert len(set(watched.values())) == len(watched)
    assert set(watched) == {field.name for field in fields(Figures)} - {"open_breaks"} | {"list_behind_s"}, (
        "the logged line has these"
    )


def test_refused_keys_ring_whoever_hears_of_them_first() -> None:
    heard = {
        resource["Properties"]["LogGroupName"]["Ref"]
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::Logs::MetricFilter"
        and resource["Properties"]["FilterPattern"] == '{ $.message = "keys_refused" }'
        and resource["Properties"]["MetricTransformations"][0]["MetricName"] == "GatewayKeysRefused"
    }
    assert heard == {"TopUpLogs", "WithdrawLogs", "ReconcileLogs"}
    alarm = TEMPLATE["Resources"]["GatewayKeysRefusedAlarm"]["Properties"]
    assert (alarm["MetricName"], alarm["Threshold"], alarm["Statistic"]) == ("GatewayKeysRefused", 1, "Sum")


def test_the_settlement_reports_are_read_each_day_by_the_reconciler() -> None:
    events = ALL["ReconcileFunction"]["Events"]
    assert json.loads(events["Settlements"]["Properties"]["Input"]) == {"task": "settlements"}
    assert "Input" not in events["Clock"]["Properties"]


def test_what_runs_by_the_clock_has_an_alarm_on_its_errors() -> None:
    watched = {
        dimension["Value"]["Ref"]
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and resource["Properties"]["MetricName"] == "Errors"
        for dimension in resource["Properties"].get("Dimensions", [])
        if dimension["Name"] == "FunctionName"
    }
    by_the_clock = {
        name
        for name, properties in ALL.items()
        if any(source["Type"] == "ScheduleV2" for source in properties.get("Events", {}).values())
    }
    assert by_the_clock
    assert by_the_clock <= watched
