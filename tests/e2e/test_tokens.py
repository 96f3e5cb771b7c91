"""Access tokens: who is let in, who is not, and what happens when their secret is replaced."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest
from urllib3 import HTTPHeaderDict

from tests.support.client import Answer, Api, Json, Person, wait_until
from tests.support.functions import Function
from tests.support.problems import problem
from wallet.identity.tokens import CLOCK_LEEWAY_S

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

REGION = "ap-south-1"


@dataclass(frozen=True, slots=True)
class Mint:
    """Makes tokens as the login makes them, and as it never would; each is another one, for API Gateway's memory."""

    user_id: str
    session_id: str
    kid: str
    secret: str

    def claims(self, **other: object) -> Json:
        """Good claims but for `other`; None leaves one out."""
        now = int(time.time())
        good = {"iss": "wallet", "aud": "wallet-api", "sub": self.user_id, "iat": now, "exp": now + 300}
        good |= {"sid": self.session_id, "gen": 0}
        told = good | {"jti": secrets.token_hex(8)} | other
        return {name: value for name, value in told.items() if value is not None}

    def token(self, *, key: str | None = None, algorithm: str = "HS256", kid: object = ..., **claims: object) -> str:
        """A token signed with the true secret, if nothing else is said."""
        header = {} if kid is None else {"kid": self.kid if kid is ... else kid}
        return jwt.encode(self.claims(**claims), key or self.secret, algorithm=algorithm, headers=header)

    def hand_made(self, header: Json, signature: bytes = b"", **claims: object) -> str:
        """A token that no library makes."""
        parts = (json.dumps(header).encode(), json.dumps(self.claims(**claims)).encode(), signature)
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.fixture(scope="module")
def manager(api: Api) -> "SecretsManagerClient":
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    return session.client("secretsmanager", endpoint_url=api.stack["aws_endpoint_url"])


@pytest.fixture(scope="module")
def asha(api: Api) -> Person:
    return api.person()


@pytest.fixture(scope="module")
def mint(api: Api, asha: Person, manager: "SecretsManagerClient") -> Mint:
    current = manager.get_secret_value(SecretId=api.stack["token_secret"])
    session_id = jwt.decode(asha.token, options={"verify_signature": False})["sid"]
    return Mint(asha.user_id, session_id, current["VersionId"], current["SecretString"])


def wallet(api: Api, authorization: str | None) -> Answer:
    return api.call("GET", "/wallet", headers={} if authorization is None else {"Authorization": authorization})


# ------------------------------------------------------------------------------------------ what gets in


def test_a_token_says_whose_it_is_and_little_else(api: Api, asha: Person) -> None:
    claims = jwt.decode(asha.token, options={"verify_signature": False})
    assert claims.keys() == {"iss", "aud", "sub", "sid", "gen", "iat", "exp"}
    assert claims["sub"] == asha.user_id
    assert claims["exp"] - claims["iat"] == asha.session["expires_in"] == 900
    assert jwt.get_unverified_header(asha.token).keys() == {"alg", "typ", "kid"}


def test_a_token_made_with_the_secret_is_the_users(api: Api, asha: Person, mint: Mint) -> None:
    answer = wallet(api, f"Bearer {mint.token()}")
    assert (answer.status, answer.body["id"]) == (200, asha.wallet_id)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR", "Bearer  "])
def test_the_schemes_case_and_blanks_are_nothing(api: Api, asha: Person, scheme: str) -> None:
    assert wallet(api, f"{scheme} {asha.token}").body["id"] == asha.wallet_id


# ----------------------------------------------------------------------------------------------- rotation
# Before the forgeries: those make the authorizer look for an unknown secret, which it does once in ten seconds.


def test_a_new_secret_is_taken_within_seconds_and_the_old_one_stays_good(
    api: Api, asha: Person, mint: Mint, manager: "SecretsManagerClient"
) -> None:
    name = api.stack["token_secret"]
    newer = manager.put_secret_value(SecretId=name, SecretString=secrets.token_hex(32))["VersionId"]
    try:
        new = Mint(asha.user_id, mint.session_id, newer, manager.get_secret_value(SecretId=name)["SecretString"])
        assert new.secret != mint.secret
        assert api.call("GET", "/wallet", token=mint.token()).status == 200
        assert asha.balance() == 0
        # at most ten seconds: an unknown id makes the authorizer look again, but no more often than that
        wait_until(lambda: api.call("GET", "/wallet", token=new.token()).status == 200, within_s=60)
        assert api.call("GET", "/wallet", token=mint.token()).status == 200
        assert api.person().balance() == 0
        problem(api.call("GET", "/wallet", token=new.token(key=mint.secret)), 401, "invalid_token")
        problem(api.call("GET", "/wallet", token=mint.token(key=new.secret)), 401, "invalid_token")
    finally:
        # the first stays live throughout, so that nobody else on this stack notices
        manager.update_secret_version_stage(
            SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=mint.kid, RemoveFromVersionId=newer
        )


@pytest.fixture
def rotated(api: Api, manager: "SecretsManagerClient", tmp_path: Path) -> Iterator[tuple[Function, Callable[[], Mint]]]:
    """An authorizer of the test's own, with a secret of its own, and what replaces that secret."""
    user_id, session_id = (f"{prefix}_" + "0" * 25 + "1" for prefix in ("usr", "ses"))
    name = f"test/token-{secrets.token_hex(6)}"
    manager.create_secret(Name=name, SecretString=secrets.token_hex(32))

    def rotate() -> Mint:
        """Replaces the secret; a mint that signs with the new one."""
        text = secrets.token_hex(32)
        return Mint(user_id, session_id, manager.put_secret_value(SecretId=name, SecretString=text)["VersionId"], text)

    environment = {
        "TOKEN_SECRET": name,
        "LOG_LEVEL": "INFO",
        "POWERTOOLS_SERVICE_NAME": "wallet",
        "AWS_ENDPOINT_URL": api.stack["aws_endpoint_url"],
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with Function("authorizer", environment, tmp_path / "authorizer.log") as authorizer:
        yield authorizer, rotate
    manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def effect(authorizer: Function, token: str) -> str:
    arn = "arn:aws:execute-api:ap-south-1:000000000000:api/v1/GET/wallet"
    policy = authorizer.invoke({"type": "TOKEN", "methodArn": arn, "authorizationToken": f"Bearer {token}"})
    told: Any = policy["policyDocument"]["Statement"][0]["Effect"]
    return str(told)


def test_after_a_second_rotation_the_oldest_secret_is_dead(rotated: tuple[Function, Callable[[], Mint]]) -> None:
    authorizer, rotate = rotated
    first = rotate()
    assert effect(authorizer, first.token()) == "Allow"
    second = rotate()
    authorizer.kill()  # a new process: what is remembered for minutes is forgotten
    assert [effect(authorizer, mint.token()) for mint in (first, second)] == ["Allow", "Allow"]
    third = rotate()
    authorizer.kill()
    assert [effect(authorizer, mint.token()) for mint in (first, second, third)] == ["Deny", "Allow", "Allow"]
    logged = authorizer.logged()
    assert not [secret for secret in (first.secret, second.secret, third.secret) if secret in logged]
    assert "eyJ" not in logged


# ------------------------------------------------------------------------------------------ what does not

NO_TOKENS = {
    "nothing": None,
    "an empty header": "",
    "the scheme alone": "Bearer",
    "the scheme and a blank": "Bearer ",
    "another scheme": "Basic YXNoYTpwYXNzd29yZA==",
    "two words": "Bearer a b",
    "a token alone": "TOKEN",
    "a tab for a blank": "Bearer\tTOKEN",
    "two headers in one": "Bearer TOKEN, Bearer TOKEN",
    "quotes": 'Bearer "TOKEN"',
    "not ASCII": "Bearer é",
    "SQL": "Bearer '; DROP TABLE users; --",
}


@pytest.mark.parametrize("authorization", NO_TOKENS.values(), ids=NO_TOKENS.keys())
def test_what_is_no_bearer_token_is_missing(api: Api, asha: Person, authorization: str | None) -> None:
    sent = None if authorization is None else authorization.replace("TOKEN", asha.token)
    problem(wallet(api, sent), 401, "missing_token", hidden=(asha.token,))


def test_two_headers_are_none(api: Api, asha: Person) -> None:
    two = HTTPHeaderDict({"Authorization": f"Bearer {asha.token}"})
    two.add("Authorization", f"Bearer {asha.token}")
    answer = api.pool.request("GET", api.stack["api_url"] + "/wallet", headers=two)
    assert answer.status == 401
    assert answer.json()["code"] in ("missing_token", "invalid_token")


def forged(asha: Person, mint: Mint) -> Iterator[tuple[str, str]]:
    """Tokens that look like one, and what is wrong with each."""
    past = int(time.time()) - 1
    header, payload, signature = asha.token.split(".")
    yield "garbage", "garbage"
    yield "a refresh token", asha.session["refresh_token"]
    yield "three dots", "..."
    yield "no signature", f"{header}.{payload}."
    yield "two parts", f"{header}.{payload}"
    yield "a cut signature", f"{header}.{payload}.{signature[:-4]}"
    yield "another's signature", f"{header}.{payload}.{mint.token().split('.')[2]}"
    yield "a changed payload", f"{header}.{mint.token().split('.')[1]}.{signature}"
    yield "longer than any", mint.token(padding="x" * 4_000)
    yield "expired", mint.token(exp=past)
    yield "expired long ago", mint.token(exp=1)
    yield "without an end", mint.token(exp=None)
    yield "an end that is a text", mint.token(exp="never")
    yield "of the future", mint.token(iat=past + 3_600)
    yield "not before tomorrow", mint.token(nbf=past + 86_400)
    yield "another audience", mint.token(aud="other-api")
    yield "no audience", mint.token(aud=None)
    yield "another issuer", mint.token(iss="somebody")
    yield "no issuer", mint.token(iss=None)
    yield "no subject", mint.token(sub=None)
    yield "a subject that is no user", mint.token(sub="wal_" + "0" * 26)
    yield "SQL as a subject", mint.token(sub="usr_'; DROP TABLE users; --")
    yield "another secret", mint.token(key="x" * 64)
    yield "an empty secret", mint.hand_made({"alg": "HS256", "typ": "JWT", "kid": mint.kid}, b"\x00" * 32)
    yield "another secret's id", mint.token(kid="00000000-0000-4000-8000-000000000000")
    yield "no secret's id", mint.token(kid=None)
    yield "a path as an id", mint.token(kid="../../dev/null")
    yield "SQL as an id", mint.token(kid="' OR '1'='1")
    yield "HS384", mint.token(algorithm="HS384")
    yield "HS512", mint.token(algorithm="HS512")
    for none in ("none", "None", "NONE", "nOnE", ""):
        yield f"alg {none!r}", mint.hand_made({"alg": none, "typ": "JWT", "kid": mint.kid})
    yield "alg none and a signature", mint.hand_made({"alg": "none", "typ": "JWT", "kid": mint.kid}, b"x" * 32)
    yield "RS256", mint.hand_made({"alg": "RS256", "typ": "JWT", "kid": mint.kid}, b"x" * 256)
    yield "ES256", mint.hand_made({"alg": "ES256", "typ": "JWT", "kid": mint.kid}, b"x" * 64)
    yield "no alg", mint.hand_made({"typ": "JWT", "kid": mint.kid}, b"x" * 32)
    yield "a list as alg", mint.hand_made({"alg": ["HS256"], "kid": mint.kid}, b"x" * 32)
    yield "a number as kid", mint.hand_made({"alg": "HS256", "kid": 7}, b"x" * 32)
    yield "a key of its own", mint.hand_made({"alg": "HS256", "jwk": {"kty": "oct", "k": "eA"}}, b"x" * 32)
    yield "a list as claims", jwt.api_jws.encode(b"[]", mint.secret, headers={"kid": mint.kid})
    yield "claims that are no JSON", jwt.api_jws.encode(b"hello", mint.secret, headers={"kid": mint.kid})
    yield "claims that never end", jwt.api_jws.encode(b"[" * 1_000, mint.secret, headers={"kid": mint.kid})
    yield "an unknown crit", jwt.encode(mint.claims(), mint.secret, headers={"kid": mint.kid, "crit": ["x"]})


def test_every_forgery_is_invalid(api: Api, asha: Person, mint: Mint) -> None:
    for what, token in forged(asha, mint):
        answer = wallet(api, f"Bearer {token}")
        assert (answer.status, answer.code) == (401, "invalid_token"), f"{what}: {answer.text}"
        problem(answer, 401, "invalid_token", hidden=(mint.secret, mint.kid))


def test_a_forgery_opens_no_door(api: Api, mint: Mint) -> None:
    unknown = "0" * 26
    for method, path in (
        ("GET", "/wallet/transactions"),
        ("GET", f"/payments/pay_{unknown}"),
        ("POST", "/payments"),
        ("GET", f"/top-ups/top_{unknown}"),
        ("POST", "/top-ups"),
    ):
        body: Json | None = {} if method == "POST" else None
        problem(api.call(method, path, body, token=mint.token(key="x" * 64), key="k"), 401, "invalid_token")


def test_a_good_token_of_nobody_is_invalid(api: Api, mint: Mint) -> None:
    nobody = mint.token(sub="usr_" + "0" * 26)
    problem(api.call("GET", "/wallet", token=nobody), 401, "invalid_token")
    problem(api.call("GET", "/wallet/transactions", token=nobody), 401, "invalid_token")


def test_a_token_of_a_clock_that_is_a_little_ahead_is_good_at_once(api: Api, mint: Mint) -> None:
    assert api.call("GET", "/wallet", token=mint.token(iat=int(time.time()) + 5)).status == 200


def test_a_token_that_was_refused_for_a_clock_is_good_as_soon_as_its_time_has_come(api: Api, mint: Mint) -> None:
    """API Gateway remembers for a minute what the authorizer said of it."""
    for ahead in (3, 6, 12, 24, 48):  # more if the machine is so busy that its time has come before it was looked at
        good_from = int(time.time()) + ahead
        token = mint.token(iat=good_from + CLOCK_LEEWAY_S)
        answer = api.call("GET", "/wallet", token=token)
        if time.time() < good_from:
            break
    problem(answer, 401, "invalid_token")
    time.sleep(max(0, good_from + 0.1 - time.time()))
    assert api.call("GET", "/wallet", token=token).status == 200


def test_a_token_ends_on_time_although_api_gateway_remembers_it(api: Api, mint: Mint) -> None:
    for seconds in (2, 4, 8, 16):  # more if the machine is so busy that it ends before it was looked at
        ends = int(time.time()) + seconds
        token = mint.token(exp=ends)
        answer = api.call("GET", "/wallet", token=token)
        if time.time() < ends:
            break
    assert answer.status == 200
    time.sleep(max(0, ends + 0.1 - time.time()))
    problem(api.call("GET", "/wallet", token=token), 401, "invalid_token")
