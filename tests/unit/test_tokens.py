"""Access tokens: ours, unchanged, in time, and nothing else."""

import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.calls import CALLER, GENERATION, PRINCIPAL, SESSION, refusal_of
from wallet.identity.tokens import (
    CLOCK_LEEWAY_S,
    REMEMBERED_S,
    SigningKey,
    key_id,
    sign,
    verify,
)
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal

CURRENT = SigningKey("version-2", "c" * 64)
PREVIOUS = SigningKey("version-1", "p" * 64)
KEYS = {key.id: key for key in (CURRENT, PREVIOUS)}
#: The clock of all of these tests.
NOW = 1_790_000_000
CLAIMS = {
    "iss": "wallet",
    "aud": "wallet-api",
    "sub": ids.show(ids.USER, CALLER),
    "sid": ids.show(ids.SESSION, SESSION),
    "gen": GENERATION,
}


def good(key: SigningKey = CURRENT, *, at: int = NOW, valid_s: int = 900) -> str:
    return sign(PRINCIPAL, key, now=at, valid_s=valid_s)


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def made(header: object = None, secret: str = CURRENT.secret, **claims: Any) -> str:
    """A token of the right signature whose header and claims are as told; a claim that is None is left out."""
    told = {**CLAIMS, "iat": NOW, "exp": NOW + 900, **claims}
    head = {"alg": "HS256", "typ": "JWT", "kid": CURRENT.id} if header is None else header
    signed = f"{part(head)}.{part({name: value for name, value in told.items() if value is not None})}"
    return f"{signed}.{part(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def early(claim: str, ahead: int) -> str:
    """A token whose `iat` or `nbf` is so many seconds ahead."""
    claims: dict[str, Any] = {claim: NOW + ahead}
    return made(**claims)


def refused(token: str, *, now: float = NOW) -> bool:
    return refusal_of(lambda: verify(token, KEYS, now=now)) is Refusal.INVALID_TOKEN


def test_a_token_says_whose_it_is_and_from_when_until_when() -> None:
    read = verify(good(), KEYS, now=NOW)
    assert (read.principal, read.good_from, read.expires_at) == (PRINCIPAL, NOW - CLOCK_LEEWAY_S, NOW + 900)


def test_the_helper_of_these_tests_makes_good_tokens() -> None:
    assert not refused(made())


@pytest.mark.parametrize("ahead", [1, 2, 5, CLOCK_LEEWAY_S])
@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_of_a_clock_that_is_some_seconds_ahead_is_good_at_once(claim: str, ahead: int) -> None:
    assert verify(early(claim, ahead), KEYS, now=NOW).good_from <= NOW


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_of_a_clock_that_is_further_ahead_is_good_from_its_time_on(claim: str) -> None:
    """It is no refusal, which API Gateway would remember beyond the moment when it is good."""
    for ahead in (CLOCK_LEEWAY_S + 1, CLOCK_LEEWAY_S + REMEMBERED_S):
        assert verify(early(claim, ahead), KEYS, now=NOW).good_from == NOW + ahead - CLOCK_LEEWAY_S


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_that_will_not_be_good_while_its_refusal_is_remembered_is_refused(claim: str) -> None:
    assert refused(early(claim, CLOCK_LEEWAY_S + REMEMBERED_S + 1))


def test_the_end_of_a_token_has_no_leeway() -> None:
    """What a client was told of its length is so by every clock of ours."""
    assert not refused(good(), now=NOW + 899.9)
    assert refused(good(), now=NOW + 900)


@pytest.mark.parametrize("key", [CURRENT, PREVIOUS])
def test_both_live_secrets_are_good(key: SigningKey) -> None:
    assert verify(good(key), KEYS, now=NOW).principal == PRINCIPAL
    assert key_id(good(key)) == key.id


def test_a_secret_that_lives_no_more_is_not() -> None:
    assert refused(good(SigningKey("version-0", "o" * 64)))


def test_a_token_ends() -> None:
    assert refused(good(at=NOW - 901))
    assert refused(good(valid_s=-1))


def test_a_token_of_tomorrow_is_not_good_today() -> None:
    assert refused(good(at=NOW + 86_400))


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(made(secret="x" * 64), id="another secret"),
        pytest.param(made({"alg": "HS256", "kid": PREVIOUS.id}), id="one secret, the other's kid"),
        pytest.param(made(iss="other"), id="another issuer"),
        pytest.param(made(aud="other"), id="another audience"),
        pytest.param(made(aud=["other"]), id="other audiences"),
        pytest.param(made(iss=None), id="no issuer"),
        pytest.param(made(aud=None), id="no audience"),
        pytest.param(made(sub=None), id="nobody's"),
        pytest.param(made(iat=None), id="no beginning"),
        pytest.param(made(exp=None), id="no end"),
        pytest.param(made(exp=0), id="ended in 1970"),
        pytest.param(made(exp="soon"), id="an end that is no time"),
        pytest.param(made(exp=[1]), id="an end that is a list"),
        pytest.param(made(exp=float("inf")), id="no end at all"),
        pytest.param(made(exp=float("nan")), id="an end that is no number"),
        pytest.param(made(nbf=NOW + 900), id="not yet"),
        pytest.param(made(iat="now"), id="a beginning that is no time"),
        pytest.param(made(iat=NOW + 0.5), id="a beginning between two seconds"),
        pytest.param(made(iat=True), id="a beginning that is a yes"),
        pytest.param(made(nbf=[NOW]), id="a beginning that is a list"),
        pytest.param(made(sub=""), id="an empty subject"),
        pytest.param(made(sub=7), id="a subject that is a number"),
        pytest.param(made(sub=str(CALLER)), id="a plain UUID"),
        pytest.param(made(sub=ids.show(ids.WALLET, CALLER)), id="a wallet's"),
        pytest.param(made(sid=None), id="no session"),
        pytest.param(made(sid=""), id="an empty session"),
        pytest.param(made(sid=7), id="a session that is a number"),
        pytest.param(made(sid=[ids.show(ids.SESSION, SESSION)]), id="a session that is a list"),
        pytest.param(made(sid=str(SESSION)), id="a session's plain UUID"),
        pytest.param(made(sid=ids.show(ids.USER, SESSION)), id="a user's for a session's"),
        pytest.param(made(gen=None), id="no generation"),
        pytest.param(made(gen="3"), id="a generation that is a text"),
        pytest.param(made(gen=3.0), id="a generation that is a float"),
        pytest.param(made(gen=True), id="a generation that is a yes"),
        pytest.param(made(gen=[3]), id="a generation that is a list"),
        pytest.param(made({"alg": "none", "kid": CURRENT.id}), id="alg none, signed"),
        pytest.param(made({"alg": "None", "kid": CURRENT.id}), id="alg None"),
        pytest.param(made({"alg": None, "kid": CURRENT.id}), id="alg null"),
        pytest.param(made({"kid": CURRENT.id}), id="no alg"),
        pytest.param(made({"alg": "HS512", "kid": CURRENT.id}), id="alg HS512"),
        pytest.param(made({"alg": "RS256", "kid": CURRENT.id}), id="alg RS256"),
        pytest.param(made({"alg": ["HS256"], "kid": CURRENT.id}), id="alg a list"),
        pytest.param(made({"alg": "HS256"}), id="no kid"),
        pytest.param(made({"alg": "HS256", "kid": ""}), id="an empty kid"),
        pytest.param(made({"alg": "HS256", "kid": None}), id="kid null"),
        pytest.param(made({"alg": "HS256", "kid": 7}), id="kid a number"),
        pytest.param(made({"alg": "HS256", "kid": [CURRENT.id]}), id="kid a list"),
        pytest.param(made({"alg": "HS256", "kid": {"a": 1}}), id="kid an object"),
        pytest.param(made({"alg": "HS256", "kid": "../../dev/null"}), id="kid a path"),
        pytest.param(made({"alg": "HS256", "kid": "' OR 1=1"}), id="kid SQL"),
        pytest.param(made({"alg": "HS256", "kid": CURRENT.id, "crit": ["exp"]}), id="something critical"),
        pytest.param(made({"alg": "HS256", "kid": CURRENT.id, "crit": ["b64"], "b64": False}), id="unencoded"),
        pytest.param(made([]), id="a header that is a list"),
        pytest.param(made("x"), id="a header that is a text"),
        pytest.param(made(b"{"), id="a header that is no JSON"),
        pytest.param(made(b"\xff"), id="a header that is no UTF-8"),
        pytest.param(made(b"[" * 100_000), id="a header as deep as it gets"),
        pytest.param(made(b"[" * 1_200), id="a header that is short and deep"),
        pytest.param(made(b'{"a":' * 300 + b"1" + b"}" * 300), id="a header of objects in objects"),
        pytest.param(made(b'{"alg":"HS256","kid":"version-2","x":' + b"9" * 5_000 + b"}"), id="a long number"),
        pytest.param(made({"alg": "HS256", "kid": "k" * 1_000_000}), id="a huge kid"),
        pytest.param("", id="nothing"),
        pytest.param(".", id="a dot"),
        pytest.param("..", id="two dots"),
        pytest.param("...", id="three dots"),
        pytest.param("a.b.c", id="letters"),
        pytest.param("é.é.é", id="letters of another alphabet"),
        pytest.param("\ud800.a.b", id="half a surrogate pair"),
        pytest.param("\x00.\x00.\x00", id="NULs"),
        pytest.param(made() + "é", id="a good one and a letter"),
        pytest.param(made() + ".x", id="a good one with a fourth part"),
        pytest.param("x" * 1_000_000, id="a megabyte"),
    ],
)
def test_any_other_token_is_refused(token: str) -> None:
    assert refused(token)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_a_token_without_a_signature_is_refused(alg: str) -> None:
    head, claims, _ = made({"alg": alg, "kid": CURRENT.id}).split(".")
    assert refused(f"{head}.{claims}.")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_token_that_was_changed_is_refused(place: int) -> None:
    parts = good().split(".")
    for position in (3, len(parts[place]) // 2):
        text = parts[place]
        changed = text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]
        assert refused(".".join([*parts[:place], changed, *parts[place + 1 :]]))


def test_a_claim_put_into_a_signed_token_is_refused() -> None:
    head, _, signature = good().split(".")
    claims = {**CLAIMS, "sub": ids.show(ids.USER, CALLER), "iat": NOW, "exp": NOW + 9}
    assert refused(f"{head}.{part(claims)}.{signature}")


def test_a_public_key_is_no_secret() -> None:
    """The trick that takes an RS256 verifier's public key for an HMAC secret, both ways round."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    claims = {**CLAIMS, "iat": NOW, "exp": NOW + 900}
    assert refused(jwt.encode(claims, private, algorithm="RS256", headers={"kid": CURRENT.id}))
    assert refused(made(secret=pem.decode()))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256", "kid": "version-9", "jku": "https://evil.example/keys"},
        {"alg": "HS256", "kid": "version-9", "jwk": {"kty": "oct", "k": part(b"x" * 64)}},
        {"alg": "HS256", "kid": "version-9", "x5u": "https://evil.example/cert"},
    ],
)
def test_a_token_can_not_bring_its_own_key(header: dict[str, object]) -> None:
    assert refused(made(header, secret="x" * 64))


@given(st.text())
def test_any_text_is_refused_and_breaks_nothing(text: str) -> None:
    assert refused(text)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=40))
def test_any_three_parts_are_refused(header: bytes, claims: bytes, signature: bytes) -> None:
    assert refused(f"{part(header)}.{part(claims)}.{part(signature)}")


@pytest.mark.parametrize("secret", ["", "x" * 31])
def test_a_short_secret_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        SigningKey("v", secret)


def test_a_token_has_nobodys_data_in_it() -> None:
    claims = jwt.decode(good(), options={"verify_signature": False})
    assert set(claims) == {"iss", "aud", "sub", "sid", "gen", "iat", "exp"}
