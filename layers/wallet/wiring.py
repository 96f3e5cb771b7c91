"""Puts the parts together from the environment: read late, once, and nowhere else.

Every function is given only the variables and the secrets that it uses (template.yaml); asking for another fails.
"""

import functools
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from wallet import aws
from wallet.aws import Secret
from wallet.identity.phones import NO_REGION
from wallet.ledger import ids
from wallet.ledger.refusals import Refused
from wallet.ledger.seals import SALT_SIZE
from wallet.storage.claims import is_known
from wallet.storage.database import READ_TIMEOUT, Credentials, Database, Server, connect

if TYPE_CHECKING:
    import pymysql
    from pymysql.cursors import DictCursor

    from wallet.channels.evidence import Archive, Signer
    from wallet.channels.kept import Kept
    from wallet.channels.port import Bus, Notices
    from wallet.channels.sns import SmsNotices
    from wallet.confirmations.model import CodeLimits, ConfirmationRules
    from wallet.edge.door import Door
    from wallet.edge.idempotency import Once
    from wallet.edge.once_per_event import OncePerEvent
    from wallet.edge.routes import Route
    from wallet.gateways.port import Gateway, GatewayEvent, ListingGateway, PayoutProvider, WebhookReader
    from wallet.identity.accounts.model import ResetRules
    from wallet.identity.phone_proofs.model import CodeRules, CodeSender
    from wallet.identity.sessions.model import SignInRules
    from wallet.identity.sessions.service import Issuer
    from wallet.identity.tokens import SigningKey
    from wallet.ledger.signatures import PublicKey
    from wallet.merchant_webhooks.model import Endpoint
    from wallet.merchant_webhooks.service import Deliveries
    from wallet.movements.notify import Messenger
    from wallet.movements.top_up import TopUpRules
    from wallet.passkeys.model import ProofRules, RelyingParty
    from wallet.payees.model import LookupQuotas

_ROLES = (
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

#: The gateways that there are adapters for, and where each answers for real money.
_GATEWAY_ADDRESSES = {"razorpay": "https://api.razorpay.com", "cashfree": "https://api.cashfree.com/pg"}

#: Who pays withdrawals out, by its name in our books and in its webhooks' path.
_PAYOUT_PROVIDER = "razorpayx"

# Longer than the server gives any question of the audit.
_AUDIT_PATIENCE_S = 320

# A table may be large; the function itself may run for 300 seconds.
_MIGRATION_PATIENCE_S = 280

# How long a proof of a phone is good, whatever it was made from
_PROOF_VALID_S = 900


class SettingError(Exception):
    """The environment lacks a setting, or has one that can't be used: a fault of the deployment."""


def new_id() -> UUID:
    """A new id, of this moment."""
    return ids.uuid7(unix_ms=time.time_ns() // 1_000_000, entropy=secrets.token_bytes(10))


def new_word() -> str:
    """A word that nobody can guess, for where a file is put."""
    return secrets.token_urlsafe(24)


def new_salt() -> bytes:
    """What keeps a seal's hash from being guessed back."""
    return secrets.token_bytes(SALT_SIZE)


def new_nonce() -> bytes:
    """What makes a challenge one that nobody was given before."""
    return secrets.token_bytes(16)


def random_below(limit: int) -> int:
    """A whole number from 0 on and below the limit, that nobody can guess."""
    return secrets.randbelow(limit)


def setting(name: str) -> str:
    """A setting that must be there."""
    value = os.environ.get(name)
    if not value:
        raise SettingError(f"{name} is not set")
    return value


def number(name: str) -> int:
    """A setting that is a whole number, positive."""
    value = setting(name)
    if not value.isdecimal() or int(value) < 1:
        raise SettingError(f"{name} is no positive whole number")
    return int(value)


def api_handler(*routes: "Route") -> "Door":
    """The handler of a function that the API calls: what answers each of its routes."""
    from wallet.edge.door import Door  # noqa: PLC0415 - functions that run on a schedule have none

    return Door(*routes, problem_base=problem_base_url, allowed_origins=allowed_origins)


def phone_api_handler(*routes: "Route") -> "Door":
    """The handler of one whose requests have phones in them, of which some name no country."""
    from wallet.edge.door import Door  # noqa: PLC0415 - as above

    return Door(*routes, problem_base=problem_base_url, region=region, allowed_origins=allowed_origins)


def address_api_handler(*routes: "Route") -> "Door":
    """The handler of one whose requests are counted by the address that they come from."""
    from wallet.edge.door import Door  # noqa: PLC0415 - as above

    return Door(*routes, problem_base=problem_base_url, origin_secrets=origin_secrets, allowed_origins=allowed_origins)


def counting_api_handler(*routes: "Route") -> "Door":
    """The handler of one whose requests have phones in them, and are counted by the address that they come from."""
    from wallet.edge.door import Door  # noqa: PLC0415 - as above

    return Door(
        *routes,
        problem_base=problem_base_url,
        region=region,
        origin_secrets=origin_secrets,
        allowed_origins=allowed_origins,
    )


def problem_base_url() -> str:
    """Where problems are explained, an address for a code to be put behind: mostly '', which is the API itself."""
    return os.environ.get("PROBLEM_BASE_URL", "")


def allowed_origins() -> tuple[str, ...]:
    """The origins whose pages may call the API besides its own, as browsers write them; mostly none."""
    return tuple(origin for origin in os.environ.get("ALLOWED_ORIGINS", "").split(",") if origin)


def region() -> str:
    """The country of phones that name none, like `IN`; none if there is no such setting."""
    return os.environ.get("DEFAULT_REGION") or NO_REGION


def origin_secrets() -> list[str]:
    """What our own distribution proves itself with: two while it is rotated, none where there is no such setting."""
    arn = os.environ.get("ORIGIN_SECRET")
    return [version.text for version in _origin_secret(arn).live()] if arn else []


@functools.cache
def _origin_secret(arn: str) -> Secret:
    return Secret(arn)


def operator_session_roles() -> tuple[str, ...]:
    """Names of the roles whose trust policies have each IAM user's session bear the user's name; mostly none."""
    return tuple(name for name in os.environ.get("OPERATOR_ROLES", "").split(",") if name)


@functools.cache
def database() -> Database:
    """The database, as this function's own user."""
    return _database(patience_s=READ_TIMEOUT)


@functools.cache
def patient_database() -> Database:
    """The same, for questions about everything there is."""
    return _database(patience_s=_AUDIT_PATIENCE_S)


def _database(*, patience_s: int) -> Database:
    secret = Secret(setting("DATABASE_SECRET"))

    def credentials(*, fresh: bool) -> Credentials:
        return _credentials(secret.json(fresh=fresh))

    return Database(_server(), credentials, patience_s=patience_s)


@functools.cache
def once() -> "Once":
    """The first line of idempotency."""
    from wallet.edge.idempotency import Once  # noqa: PLC0415 - a third of a cold start, for three functions only

    table, prefix = setting("IDEMPOTENCY_TABLE"), setting("IDEMPOTENCY_PREFIX")
    return Once(table, aws.dynamodb(), lambda claim: is_known(database(), claim), prefix=prefix)


@functools.cache
def once_per_event() -> "OncePerEvent":
    """What keeps a repeated event from being acted on again."""
    from wallet.edge.once_per_event import OncePerEvent  # noqa: PLC0415 - as above

    return OncePerEvent(setting("IDEMPOTENCY_TABLE"), aws.dynamodb(), prefix=setting("IDEMPOTENCY_PREFIX"))


@functools.cache
def event_bus() -> "Bus":
    """The bus that events go to."""
    from wallet.channels.event_bridge import EventBridgeBus  # noqa: PLC0415 - only the relay publishes
    from wallet.channels.port import CALLS_AT_ONCE  # noqa: PLC0415 - as above

    return EventBridgeBus(aws.event_bridge(CALLS_AT_ONCE), setting("EVENT_BUS"))


@functools.cache
def webhook_deliveries() -> "Deliveries":
    """What merchants' webhooks are sent with."""
    from wallet.channels.sqs import SqsQueues  # noqa: PLC0415 - one function sends them
    from wallet.merchant_webhooks.client import WebhookClient  # noqa: PLC0415 - as above
    from wallet.merchant_webhooks.service import Deliveries  # noqa: PLC0415 - as above

    client = WebhookClient(local=setting("WEBHOOK_TARGETS") == "any")
    return Deliveries(_webhook_endpoint, client, SqsQueues(aws.sqs()), lambda: datetime.now(UTC), random_below)


def _webhook_endpoint(wallet_id: str) -> "Endpoint":
    """Where a merchant's webhooks go and what signs them, as their own stack says."""
    from wallet.merchant_webhooks.model import Endpoint, EndpointUnavailableError, key_of  # noqa: PLC0415 - as above

    address, secret = _webhook_settings(f"{setting('WEBHOOK_PREFIX')}{wallet_id}")
    try:
        keys = [key_of(version.text) for version in secret.live()]
    except aws.SecretUnavailableError as error:
        raise EndpointUnavailableError("secret_unavailable") from error
    except ValueError as error:
        raise EndpointUnavailableError("secret_malformed") from error
    if not address.text():
        raise EndpointUnavailableError("url_unavailable")
    return Endpoint(address.text(), keys)


@functools.cache
def _webhook_settings(name: str) -> tuple[aws.LateParameter, Secret]:
    return aws.LateParameter(f"/{name}"), Secret(name)


@functools.cache
def messenger() -> "Messenger":
    """How people are told of debits, how often at most, and by whom."""
    return _messenger(_notices(), "debits", per_person=number("SMS_PER_PERSON"), in_all=number("SMS_PER_DAY"))


@functools.cache
def alert_messenger() -> "Messenger":
    """The same for alerts of their account, which go to phones always."""
    from wallet.ledger.notices import ALERT_TEXTS  # noqa: PLC0415 - only one function tells people

    messages = _text_messages(ALERT_TEXTS)
    return _messenger(messages, "alerts", per_person=number("ALERTS_PER_PERSON"), in_all=number("ALERTS_PER_DAY"))


def _messenger(notices: "Notices", kind: str, *, per_person: int, in_all: int) -> "Messenger":
    from wallet.channels.daily_cap import DailyCap  # noqa: PLC0415 - as above
    from wallet.ledger.notices import Sender  # noqa: PLC0415 - as above
    from wallet.movements.notify import Messenger  # noqa: PLC0415 - as above

    cap = DailyCap(aws.dynamodb(), setting("IDEMPOTENCY_TABLE"), kind=kind, per_person=per_person, in_all=in_all)
    sender = Sender(contact=setting("NOTICE_CONTACT"), brand=os.environ.get("NOTICE_BRAND", ""))
    return Messenger(notices, cap, per_person, sender)


def _notices() -> "Notices":
    """Where people's notices go: `sms`, or the topic whose ARN the setting is."""
    from wallet.channels.sns import TopicNotices  # noqa: PLC0415 - as above
    from wallet.ledger.notices import DEBIT_TEXTS  # noqa: PLC0415 - as above

    to = setting("NOTICES_TO")
    if to != "sms":
        return TopicNotices(aws.sns(), to)
    return _text_messages(DEBIT_TEXTS)


def _text_messages(texts: Iterable[str]) -> "SmsNotices":
    """What sends texts with these templates to phones."""
    from wallet.channels.sns import Registration, SmsNotices  # noqa: PLC0415 - as above

    template_ids = dict(pair.split("=", 1) for pair in setting("SMS_TEMPLATE_IDS").split(",") if "=" in pair)
    registration = Registration(os.environ.get("SMS_ENTITY_ID", ""), os.environ.get("SMS_SENDER_ID", ""), template_ids)
    missing = sorted(name for name in texts if not template_ids.get(name))
    if missing and registration.entity_id:
        raise SettingError(f"SMS_TEMPLATE_IDS has no id of {', '.join(missing)}")
    return SmsNotices(aws.sns(), registration)


def _checkpoint_prefix() -> str:
    """What the names of checkpoints begin with in their bucket: mostly nothing."""
    return os.environ.get("CHECKPOINT_PREFIX", "")


@functools.cache
def kept_checkpoints() -> "Kept":
    """What is kept of checkpoints, to be looked at."""
    from wallet.channels.kept import KeptInBucket  # noqa: PLC0415 - only the audit looks

    return KeptInBucket(aws.s3(), setting("CHECKPOINT_BUCKET"), _checkpoint_prefix())


@functools.cache
def checkpoint_public_key() -> "PublicKey":
    """What a checkpoint's signature is verified with."""
    from wallet.channels.kept import public_key_of  # noqa: PLC0415 - as above
    from wallet.ledger.signatures import read_public_key  # noqa: PLC0415 - as above

    return read_public_key(public_key_of(aws.kms(), setting("CHECKPOINT_SIGNER")))


@functools.cache
def checkpoint_signer() -> "Signer":
    """The key that signs checkpoints."""
    from wallet.channels.kms import KmsSigner  # noqa: PLC0415 - only the sealer signs

    return KmsSigner(aws.kms(), setting("CHECKPOINT_SIGNER"))


@functools.cache
def checkpoint_archive() -> "Archive":
    """Where checkpoints are kept."""
    from wallet.channels.locked_bucket import LockedBucket  # noqa: PLC0415 - as above

    return LockedBucket(aws.s3(), setting("CHECKPOINT_BUCKET"), _checkpoint_prefix())


@functools.cache
def _gateway_secret() -> Secret:
    return Secret(setting("GATEWAY_SECRET"))


@functools.cache
def _razorpay(base_url: str, key_id: str, key_secret: str) -> "ListingGateway":
    from wallet.gateways.razorpay.client import RazorpayGateway  # noqa: PLC0415 - only who asks the gateway pays for it

    return RazorpayGateway.over_http(base_url=base_url, key_id=key_id, key_secret=key_secret)


@functools.cache
def _cashfree(base_url: str, client_id: str, client_secret: str) -> "Gateway":
    from wallet.gateways.cashfree.client import CashfreeGateway  # noqa: PLC0415 - as above

    return CashfreeGateway.over_http(base_url=base_url, client_id=client_id, client_secret=client_secret)


def _gateway_name() -> str:
    """The gateway that new top-ups go through, and whose webhooks and payments are asked for."""
    name = setting("GATEWAY")
    if name not in _GATEWAY_ADDRESSES:
        raise SettingError("GATEWAY names no gateway that this code speaks to")
    return name


def gateway() -> "Gateway":
    """The payment gateway's API; its keys may change under way."""
    name, keys = _gateway_name(), _gateway_secret().json()
    base_url = os.environ.get("GATEWAY_BASE_URL") or _GATEWAY_ADDRESSES[name]
    if name == "cashfree":
        return _cashfree(base_url, keys["client_id"], keys["client_secret"])
    return _razorpay(base_url, keys["key_id"], keys["key_secret"])


def listing_gateway() -> "ListingGateway | None":
    """The payment gateway, if it gives lists of its payments and of what it settled; Cashfree gives none."""
    if _gateway_name() != "razorpay":
        return None
    keys = _gateway_secret().json()
    base_url = os.environ.get("GATEWAY_BASE_URL") or _GATEWAY_ADDRESSES["razorpay"]
    return _razorpay(base_url, keys["key_id"], keys["key_secret"])


@functools.cache
def _webhook_secret() -> Secret:
    return Secret(setting("WEBHOOK_SECRET"))


def webhook_reader(gateway_name: str, *, fresh: bool) -> "WebhookReader | None":
    """What reads the webhooks of a gateway or payout provider, None if no such one is connected."""
    if gateway_name == _PAYOUT_PROVIDER:
        from wallet.gateways.razorpayx.webhook import RazorpayXWebhook  # noqa: PLC0415 - only for the webhook's door

        return RazorpayXWebhook(_payout_webhook_secret().json(fresh=fresh)["secrets"])
    if gateway_name != _gateway_name():
        return None
    if gateway_name == "cashfree":
        from wallet.gateways.cashfree.webhook import CashfreeWebhook  # noqa: PLC0415 - only for the webhook's door

        # Cashfree signs with the API's own secret, so the one before the last rotation is its former version.
        return CashfreeWebhook([keys["client_secret"] for keys in _webhook_secret().live_json(fresh=fresh)])
    from wallet.gateways.razorpay.webhook import RazorpayWebhook  # noqa: PLC0415 - as above

    secrets_of_ours = _webhook_secret().json(fresh=fresh)["secrets"]
    return RazorpayWebhook(secrets_of_ours, account_id=setting("GATEWAY_ACCOUNT_ID"))


def kept_event(gateway_name: str, body: bytes) -> "GatewayEvent":
    """Reads an event that was verified when it came; raises MalformedEventError if it can't be read any more."""
    from wallet.gateways.port import MalformedEventError  # noqa: PLC0415 - as above

    if gateway_name == _PAYOUT_PROVIDER:
        from wallet.gateways.razorpayx.webhook import event_of as razorpayx_event  # noqa: PLC0415 - as above

        return razorpayx_event(body)
    if gateway_name != _gateway_name():
        raise MalformedEventError("an event of a gateway that is not connected any more")
    if gateway_name == "cashfree":
        from wallet.gateways.cashfree.webhook import event_of as cashfree_event  # noqa: PLC0415 - as above

        return cashfree_event(body)
    from wallet.gateways.razorpay.webhook import event_of as razorpay_event  # noqa: PLC0415 - as above

    return razorpay_event(body, account_id=setting("GATEWAY_ACCOUNT_ID"))


@functools.cache
def _payout_secret() -> Secret:
    return Secret(setting("PAYOUT_SECRET"))


@functools.cache
def _payout_webhook_secret() -> Secret:
    return Secret(setting("PAYOUT_WEBHOOK_SECRET"))


@functools.cache
def _razorpayx(base_url: str, key_id: str, key_secret: str, account_number: str) -> "PayoutProvider":
    from wallet.gateways.razorpayx.client import RazorpayXPayouts  # noqa: PLC0415 - as above

    return RazorpayXPayouts.over_http(
        base_url=base_url, key_id=key_id, key_secret=key_secret, account_number=account_number
    )


def payout_provider() -> "PayoutProvider":
    """The payout provider's API; its keys may change under way."""
    keys = _payout_secret().json()
    return _razorpayx(setting("PAYOUT_BASE_URL"), keys["key_id"], keys["key_secret"], setting("PAYOUT_ACCOUNT_NUMBER"))


@functools.cache
def statement_files() -> aws.Files:
    """Where monthly statements are put."""
    return aws.Files(setting("STATEMENT_BUCKET"))


@functools.cache
def _token_secret() -> Secret:
    return Secret(setting("TOKEN_SECRET"))


def signing_key() -> "SigningKey":
    """The secret that signs access tokens now."""
    from wallet.identity.tokens import SigningKey  # noqa: PLC0415 - PyJWT, for two functions only

    version = _token_secret().version("AWSCURRENT")
    if version is None:
        raise SettingError("TOKEN_SECRET has no current version")
    return SigningKey(version.id, version.text)


def verifying_keys(key_id: str | None) -> "Mapping[str, SigningKey]":
    """The two live secrets by their id; asked for again if `key_id` is none of them, for it may be brand-new."""
    keys = _verifying_keys(fresh=False)
    return keys if key_id is None or key_id in keys else _verifying_keys(fresh=True)


def _verifying_keys(*, fresh: bool) -> "Mapping[str, SigningKey]":
    from wallet.identity.tokens import SigningKey  # noqa: PLC0415 - as above

    return {version.id: SigningKey(version.id, version.text) for version in _token_secret().live(fresh=fresh)}


def token_keys() -> aws.WrittenSecret:
    """The secret that signs access tokens, to be given a new version."""
    return aws.WrittenSecret(setting("TOKEN_SECRET"))


def token_key_least_age() -> timedelta:
    """How old a key has to be when another takes its place.

    Whoever remembers the one before it has looked again by then, and what that has signed has ended; twice that, as it
    is remembered for longer while Secrets Manager can't be reached.
    """
    return 2 * timedelta(seconds=number("ACCESS_TOKEN_SECONDS") + aws.SECRET_MAX_AGE_S)


def token_issuer() -> "Issuer":
    """What signs access tokens now, and how long sessions of refresh tokens last."""
    return _issuer(number("ACCESS_TOKEN_SECONDS"), number("REFRESH_TOKEN_SECONDS"), number("SESSION_SECONDS"))


def browser_token_issuer() -> "Issuer":
    """The same for sessions of browsers."""
    return _issuer(number("BROWSER_TOKEN_SECONDS"), number("BROWSER_IDLE_SECONDS"), number("BROWSER_SESSION_SECONDS"))


def _issuer(access_token_s: int, idle_s: int, valid_s: int) -> "Issuer":
    from wallet.identity.sessions.model import Lifetimes  # noqa: PLC0415 - as above
    from wallet.identity.sessions.service import Issuer  # noqa: PLC0415 - as above

    return Issuer(signing_key(), Lifetimes(access_token_s, idle_s, valid_s), int(time.time()))


def sign_in_rules() -> "SignInRules":
    """How often somebody may guess."""
    from wallet.identity.sessions.model import SignInRules  # noqa: PLC0415 - as above

    return SignInRules(
        password_cost=number("PASSWORD_COST"),
        per_pair=number("SIGN_INS_PER_PHONE_AND_ADDRESS"),
        per_phone=number("SIGN_INS_PER_PHONE"),
        per_address=number("SIGN_INS_PER_ADDRESS"),
        window_s=number("SIGN_IN_WINDOW_SECONDS"),
    )


def reset_rules() -> "ResetRules":
    """What a proof of the phone alone may do for a forgotten password."""
    from wallet.identity.accounts.model import ResetRules  # noqa: PLC0415 - as above

    return ResetRules(
        sign_ins=sign_in_rules(),
        seen_within_days=number("RESET_SEEN_WITHIN_DAYS"),
    )


def product_name() -> str:
    """Our name, which nobody's password should be."""
    return os.environ.get("NOTICE_BRAND") or "wallet"


@functools.cache
def _code_secret() -> Secret:
    return Secret(setting("CODE_SECRET"))


def code_key() -> str:
    """What codes are hashed with."""
    return _code_secret().text()


def code_rules() -> "CodeRules":
    """How long codes are good, how many there are, and where to."""
    from wallet.identity.phone_proofs.model import CodeRules  # noqa: PLC0415 - as above

    return CodeRules(
        valid_s=600,
        proof_valid_s=_PROOF_VALID_S,
        per_phone_day=number("CODES_PER_PHONE"),
        per_address_hour=number("CODES_PER_ADDRESS"),
        in_all_day=number("CODES_PER_DAY"),
        pause_s=number("CODE_PAUSE_SECONDS"),
        regions=frozenset(setting("CODE_REGIONS").split(",")),
    )


def code_sender() -> "CodeSender":
    """What codes go by, whom they are from, and the site that may fill them in."""
    return _code_sender(["code"])


def confirmation_sender() -> "CodeSender":
    """The same of codes that confirm money out."""
    from wallet.ledger.notices import CONFIRMATION_TEXTS  # noqa: PLC0415 - as above

    return _code_sender(CONFIRMATION_TEXTS)


def confirmation_code_limits() -> "CodeLimits":
    """How many codes that confirm there are."""
    from wallet.confirmations.model import CodeLimits  # noqa: PLC0415 - as above

    return CodeLimits(per_day=number("CONFIRMATION_CODES_PER_DAY"), pause_s=number("CODE_PAUSE_SECONDS"))


def relying_party() -> "RelyingParty":
    """The site that passkeys are for; raises `Refused` where there is none yet."""
    from wallet.edge.logs import logger  # noqa: PLC0415 - as above
    from wallet.passkeys.model import RelyingParty  # noqa: PLC0415 - as above

    origin = web_origin()
    try:
        return RelyingParty.of(origin, name=os.environ.get("NOTICE_BRAND") or "Wallet", key=code_key())
    except Refused:
        if origin:
            logger().error("the web origin is no origin", origin=origin)
        raise


def passkey_proof_rules() -> "ProofRules":
    """How often passkeys let somebody in."""
    from wallet.passkeys.model import ProofRules  # noqa: PLC0415 - as above

    return ProofRules(
        per_address=number("SIGN_INS_PER_ADDRESS"),
        window_s=number("SIGN_IN_WINDOW_SECONDS"),
        per_passkey_day=number("SIGN_INS_PER_PHONE_AND_ADDRESS"),
        proof_valid_s=_PROOF_VALID_S,
    )


def web_origin() -> str:
    """The site, from the deployment or, as it may come after that, from where it was written down; '' for none."""
    return os.environ.get("WEB_ORIGIN") or _late_web_origin(setting("WEB_ORIGIN_PARAMETER")).text()


@functools.cache
def _late_web_origin(name: str) -> aws.LateParameter:
    return aws.LateParameter(name)


def _code_sender(texts: Iterable[str]) -> "CodeSender":
    from wallet.identity.phone_proofs.model import CodeSender  # noqa: PLC0415 - as above
    from wallet.ledger.notices import Sender  # noqa: PLC0415 - as above

    sender = Sender(contact="", brand=os.environ.get("NOTICE_BRAND", ""))
    return CodeSender(_text_messages(texts), sender, urlsplit(web_origin()).hostname or "", code_key())


def lookup_quotas() -> "LookupQuotas":
    """How many payees may be looked up."""
    from wallet.payees.model import LookupQuotas  # noqa: PLC0415 - one function looks payees up

    return LookupQuotas(
        per_hour=number("PAYEE_LOOKUPS_PER_HOUR"),
        per_day=number("PAYEE_LOOKUPS_PER_DAY"),
        per_address=number("PAYEE_LOOKUPS_PER_ADDRESS"),
    )


def top_up_rules() -> "TopUpRules":
    """How long a top-up stays open, and how it is paid."""
    from wallet.movements.top_up import TopUpRules  # noqa: PLC0415 - as above

    return TopUpRules(
        valid_s=number("TOP_UP_VALID_SECONDS"),
        first_check_s=first_check_s(),
        upi_intent=setting("UPI_INTENT") == "on",
    )


def first_check_s() -> int:
    """How old an attempt is, in seconds, when the gateway is first asked about it."""
    return number("RECONCILE_AFTER_SECONDS")


def settled_within_days() -> int:
    """How many days after it was booked a payment has to be in a settlement report."""
    return number("SETTLED_WITHIN_DAYS")


def dispute_notice_h() -> int:
    """How many hours before a dispute's deadline somebody is to be told."""
    return number("DISPUTE_NOTICE_HOURS")


def start_bulk_worker() -> bool:
    """Has the bulk worker begin now; False if that could not be asked for: it begins by its schedule anyway."""
    return aws.invoke_soon(setting("BULK_WORKER"))


@dataclass(frozen=True, slots=True)
class Migration:
    """Where to migrate, as whom, the users to set up by role, and what of all tiers' money out is confirmed.

    `confirmation_rules` is None where those are kept by tier.
    """

    server: Server
    owner: Credentials
    users: dict[str, Credentials]
    confirmation_rules: "ConfirmationRules | None"

    def connect(self) -> "pymysql.Connection[DictCursor]":
        """A connection as the schema's owner."""
        return connect(self.server, self.owner, patience_s=_MIGRATION_PATIENCE_S)


def migration() -> Migration:
    """What the migrations need: the only place that reads every role's secret."""
    arns = setting("DATABASE_ROLE_SECRETS").split(",")
    if len(arns) != len(_ROLES):
        raise SettingError(f"DATABASE_ROLE_SECRETS names the secrets of {', '.join(_ROLES)}, in this order")
    users = {role: _credentials(Secret(arn).json()) for role, arn in zip(_ROLES, arns, strict=True)}
    from wallet.confirmations.model import ConfirmationRules  # noqa: PLC0415 - as above

    try:
        rules = ConfirmationRules.read(setting("CONFIRMATION_RULES"))
    except ValueError as error:
        raise SettingError(f"CONFIRMATION_RULES: {error}") from error
    return Migration(_server(), _credentials(Secret(setting("DATABASE_SECRET")).json()), users, rules)


def _server() -> Server:
    return Server(
        host=setting("DATABASE_HOST"),
        port=number("DATABASE_PORT"),
        database=setting("DATABASE_NAME"),
        ca_pem=os.environ.get("DATABASE_CA", ""),
    )


def _credentials(secret: Mapping[str, str]) -> Credentials:
    return Credentials(secret["username"], secret["password"])
