"""Requests that mean harm, or are just wrong: each is answered by a problem document, and nothing moves."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.addresses import coming_from, new_address
from tests.support.client import PASSWORD, Answer, Api, Json, Person, new_key, new_phone
from tests.support.problems import faulty_fields, problem

#: In the values of requests that are refused: no answer may show it.
SECRET = "hunter2-" + secrets.token_hex(8)
INJECTION = "'; DROP TABLE users; --"
ROUTES = ("/register", "/login", "/token", "/logout", "/top-ups", "/payments")
LARGEST_AMOUNT = 2**53 - 1


_BOOKS = """
SELECT w.id, w.balance, w.held, w.entries,
       (SELECT COUNT(*) FROM postings p WHERE p.account_id = w.id) AS postings,
       (SELECT COUNT(*) FROM payment_attempts a WHERE a.wallet_id = w.id) AS attempts,
       (SELECT COUNT(*) FROM idempotency_records r WHERE r.actor_id = w.user_id) AS records,
       (SELECT COUNT(*) FROM sessions s WHERE s.user_id = w.user_id) AS sessions,
       (SELECT COUNT(*) FROM users u WHERE u.phone = %s) AS unwanted
FROM wallets w WHERE w.id IN (%s, %s) ORDER BY w.id
"""


@dataclass(frozen=True, slots=True)
class World:
    """Somebody with money, somebody to be paid, and a phone that nobody may get to register."""

    api: Api
    asha: Person
    bela: Person
    phone: str
    select: Any

    def good(self, path: str) -> Json:
        """A body that the route would take."""
        bodies: dict[str, Json] = {
            "/register": {"phone_proof": "pp_x", "phone": self.phone, "name": "Mallory", "password": SECRET},
            "/login": {"phone": self.phone, "password": SECRET},
            "/token": {"refresh_token": f"rt_{SECRET}"},
            "/logout": {"refresh_token": f"rt_{SECRET}"},
            "/top-ups": {"amount": 10_000},
            "/payments": {"to": {"wallet_id": self.bela.wallet_id}, "amount": 100},
        }
        return bodies[path]

    def send(self, path: str, raw: bytes | None, *, headers: dict[str, str] | None = None) -> Answer:
        """These very bytes, with a token and a key where the route wants them."""
        mine = path in ("/top-ups", "/payments")
        return self.api.call(
            "POST",
            path,
            raw=raw,
            token=self.asha.token if mine else None,
            key=new_key() if mine else None,
            headers=headers,
        )

    def books(self) -> list[Json]:
        """Everything that a request of Asha's, or one for the phone, could have changed."""
        wallets = [raw_id(self.asha.wallet_id), raw_id(self.bela.wallet_id)]
        rows: list[Json] = self.select(_BOOKS, self.phone, *wallets)
        assert len(rows) == 2
        return rows


@pytest.fixture(scope="module")
def people(api: Api, select: Any) -> World:
    """For tests in which money moves."""
    return World(api, api.person(money=100_000), api.person(name="Bela"), new_phone(), select)


@pytest.fixture
def world(people: World) -> Iterator[World]:
    """For tests that leave the books as they were."""
    before = people.books()
    yield people
    assert people.books() == before


def raw_id(text: str) -> bytes:
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    number = 0
    for digit in text.partition("_")[2]:
        number = number << 5 | digits.index(digit)
    return number.to_bytes(16)


def refused(answer: Answer, status: int, code: str) -> None:
    problem(answer, status, code, hidden=(SECRET,))


# ---------------------------------------------------------------------------------------- bodies that are no JSON

NO_JSON: dict[str, bytes | None] = {
    "no body": None,
    "an empty body": b"",
    "blanks": b" \r\n\t ",
    "words": SECRET.encode(),
    "a form": b"amount=100&phone=" + SECRET.encode(),
    "half an object": b'{"amount": 100, "password": "' + SECRET.encode(),
    "two objects": b'{"amount": 100}{"amount": 100}',
    "something behind it": b'{"amount": 100} ' + SECRET.encode(),
    "a comma too many": b'{"amount": 100,}',
    "single quotes": b"{'amount': 100}",
    "a comment": b'{"amount": 100 /* one rupee */}',
    "a hexadecimal number": b'{"amount": 0x64}',
    "a number with a plus": b'{"amount": +100}',
    "a number with leading zeros": b'{"amount": 0100}',
    "a newline in a text": b'{"name": "a\nb"}',
    "a NUL in a text": b'{"name": "a\x00b"}',
    "a NUL behind it": b'{"amount": 100}\x00',
    "a byte order mark": b'\xef\xbb\xbf{"amount": 100}',
    "UTF-16": '{"amount": 100}'.encode("utf-16"),
    "UTF-32": '{"amount": 100}'.encode("utf-32"),
    "8,000 lists": b"[" * 8_000,
    "8,000 lists that end": b"[" * 8_000 + b"]" * 8_000,
    "2,500 objects": b'{"a":' * 2_500 + b"1" + b"}" * 2_500,
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56\x4a\xcc",
}


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_that_is_no_json_is_malformed(world: World, path: str) -> None:
    for name, raw in NO_JSON.items():
        answer = world.send(path, raw)
        assert (answer.status, answer.code) == (400, "malformed_body"), f"{name}: {answer.text}"
        refused(answer, 400, "malformed_body")


@pytest.mark.parametrize("path", ROUTES)
def test_a_good_body_with_a_flaw_in_its_json_is_malformed(world: World, path: str) -> None:
    good = world.good(path)
    text = json.dumps(good)
    first, value = next(iter(good.items()))
    spelled = f"\\u{ord(first[0]):04x}{first[1:]}"
    flawed = {
        "a field told twice": f'{{"{first}": {json.dumps(value)}, {text[1:]}',
        "a field told twice, otherwise spelled": f'{{"{spelled}": {json.dumps(value)}, {text[1:]}',
        "half a surrogate pair": text[:-1] + ', "x": "\\ud83d"}',
        "the pair the wrong way round": text[:-1] + ', "x": "\\ude00\\ud83d"}',
        "half a surrogate pair in a name": text[:-1] + ', "\\ud83d": 1}',
        "a 5,000-digit number": text[:-1] + ', "x": ' + "9" * 5_000 + "}",
        "a truncated end": text[:-1],
    }
    for name, body in flawed.items():
        answer = world.send(path, body.encode())
        assert (answer.status, answer.code) in ((400, "malformed_body"), (422, "invalid_request")), (
            f"{name}: {answer.text}"
        )
        refused(answer, answer.status, str(answer.code))


@pytest.mark.parametrize("path", ROUTES)
def test_bytes_that_are_no_utf_8_are_malformed_wherever_they_stand(world: World, path: str) -> None:
    good = world.good(path)
    field = next(name for name in (*good, "x") if isinstance(good.get(name, ""), str))
    for wrong in (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf"):
        raw = json.dumps(good | {field: "MARK"}).encode().replace(b"MARK", b"text" + wrong)
        refused(world.send(path, raw), 400, "malformed_body")


def test_bytes_that_are_no_utf_8_in_a_description_are_malformed(world: World) -> None:
    raw = json.dumps(world.good("/payments") | {"description": "MARK"}).encode().replace(b"MARK", b"tea \xff")
    refused(world.send("/payments", raw), 400, "malformed_body")


@pytest.mark.parametrize("path", ROUTES)
def test_json_that_is_no_object_with_the_fields_is_invalid(world: World, path: str) -> None:
    for raw in (b"null", b"true", b"7", b"1.5", b'"amount"', b"[]", b'[{"amount": 100}]', b"{}"):
        answer = world.send(path, raw)
        assert answer.status == 422, f"{raw!r}: {answer.text}"
        refused(answer, 422, "invalid_request")
        assert faulty_fields(answer)


@pytest.mark.parametrize("path", ROUTES)
def test_a_large_body_is_too_large_whatever_is_in_it(world: World, path: str) -> None:
    good = json.dumps(world.good(path)).encode()
    large = {
        "1 MB of x": b"x" * 1_000_000,
        "1 MB behind the body": good + b" " * 1_000_000,
        "100,000 lists": b"[" * 100_000,
        "100,000 objects": b'{"a":' * 100_000,
        "a 100,000-digit amount": b'{"amount": ' + b"9" * 100_000 + b"}",
        "one byte too many": good + b" " * (16 * 1024 + 1 - len(good)),
    }
    for name, raw in large.items():
        answer = world.send(path, raw)
        assert (answer.status, answer.code) == (413, "request_too_large"), f"{name}: {answer.text}"
        refused(answer, 413, "request_too_large")


CONTENT_TYPES = [
    *("text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
    *("application/jsonp", "application/json-patch+json", "text/html, application/json", "*/*", "nonsense", ""),
]


@pytest.mark.parametrize("path", ROUTES)
def test_another_content_type_is_unsupported(world: World, path: str) -> None:
    raw = json.dumps(world.good(path)).encode()
    for content_type in CONTENT_TYPES:
        answer = world.send(path, raw, headers={"Content-Type": content_type})
        assert answer.status == 415, f"{content_type}: {answer.text}"
        refused(answer, 415, "unsupported_media_type")


# ------------------------------------------------------------------------------------------------ wrong fields


UNKNOWN_FIELDS = [
    *("balance", "user_id", "__proto__", "constructor", "Amount", "amount ", "id", "", "a" * 5_000, INJECTION),
    "\r\nX-Evil: 1",
]


@pytest.mark.parametrize("path", ROUTES)
def test_an_unknown_field_is_refused_by_its_name(world: World, path: str) -> None:
    for field in UNKNOWN_FIELDS:
        answer = world.send(path, json.dumps(world.good(path) | {field: SECRET}).encode())
        assert answer.status == 422, f"{field}: {answer.text}"
        refused(answer, 422, "invalid_request")
        assert faulty_fields(answer) == [field[:64] or "body"]
        assert "x-evil" not in answer.headers


@pytest.mark.parametrize("path", ROUTES)
def test_a_thousand_unknown_fields_get_a_short_answer(world: World, path: str) -> None:
    answer = world.send(path, json.dumps({f"f{number}": 1 for number in range(1_000)}).encode())
    refused(answer, 422, "invalid_request")
    assert len(answer.text) < 5_000


@pytest.mark.parametrize("path", ROUTES)
def test_a_missing_field_is_named(world: World, path: str) -> None:
    good = world.good(path)
    for field in good:
        answer = world.send(path, json.dumps({name: value for name, value in good.items() if name != field}).encode())
        refused(answer, 422, "invalid_request")
        assert faulty_fields(answer) == [field]


#: As JSON text: no JSON library would send some of them.
NO_AMOUNTS = [
    *("1.0", "100.0", "1e3", "1E3", "1.5", "1e-2", "1e400", "-1e400", "true", "false", "null", '"100"', '""', '"1e3"'),
    *(
        "[100]",
        "[]",
        '{"value": 100}',
        "{}",
        "0",
        "-0",
        "-0.0",
        "0.0",
        "-1",
        "-9007199254740993",
        '"\u0967\u0966\u0966"',
    ),
    *("9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551616"),
    *("NaN", "Infinity", "-Infinity", "9" * 5_000, "-" + "9" * 5_000, "1" + "0" * 4_400, "0." + "0" * 5_000 + "1"),
]


@pytest.mark.parametrize("path", ["/top-ups", "/payments"])
def test_what_is_no_amount_is_refused(world: World, path: str) -> None:
    for amount in NO_AMOUNTS:
        raw = json.dumps(world.good(path) | {"amount": "AMOUNT"}).replace('"AMOUNT"', amount).encode()
        answer = world.send(path, raw)
        assert answer.status in (400, 422), f"{amount[:40]}: {answer.text}"
        refused(answer, answer.status, "malformed_body" if answer.status == 400 else "invalid_request")
        if answer.status == 422:
            assert faulty_fields(answer) == ["amount"]


def test_the_largest_amount_is_an_amount_and_more_than_anybody_has(world: World) -> None:
    raw = json.dumps(world.good("/payments") | {"amount": LARGEST_AMOUNT}).encode()
    refused(world.send("/payments", raw), 402, "insufficient_funds")
    refused(world.send("/top-ups", json.dumps({"amount": LARGEST_AMOUNT}).encode()), 422, "amount_out_of_range")


def test_a_top_up_below_a_rupee_or_above_the_tier_is_out_of_range(world: World) -> None:
    for amount in (1, 99, 20_000_001):
        refused(world.send("/top-ups", json.dumps({"amount": amount}).encode()), 422, "amount_out_of_range")


WRONG_TYPES: list[object] = [1, 1.5, True, None, [], ["a"], {}, {"a": 1}]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/register", "phone_proof"),
        ("/register", "phone"),
        ("/register", "name"),
        ("/register", "password"),
        ("/register", "kind"),
        ("/login", "phone"),
        ("/login", "password"),
        ("/token", "refresh_token"),
        ("/logout", "refresh_token"),
        ("/payments", "to"),
    ],
)
def test_a_value_of_another_type_is_refused_by_the_fields_name(world: World, path: str, field: str) -> None:
    for value in WRONG_TYPES:
        answer = world.send(path, json.dumps(world.good(path) | {field: value}).encode())
        assert answer.status == 422, f"{value}: {answer.text}"
        refused(answer, 422, "invalid_request")
        assert all(name.split(".")[0] == field for name in faulty_fields(answer)), answer.text


@pytest.mark.parametrize(
    ("path", "field"), [("/register", "email"), ("/payments", "description"), ("/payments", "reference")]
)
def test_an_optional_value_of_another_type_is_refused_too(world: World, path: str, field: str) -> None:
    for value in WRONG_TYPES:
        if value is not None:
            answer = world.send(path, json.dumps(world.good(path) | {field: value}).encode())
            refused(answer, 422, "invalid_request")
            assert faulty_fields(answer) == [field]


NO_NAMES = {
    "nothing": "",
    "blanks": "   ",
    "an emoji": "Asha 😀",
    "a flag": "🇮🇳",
    "a NUL": "Asha\x00Rao",
    "a newline": "Asha\nRao",
    "an escape": "Asha\x1b[31m",
    "a DEL": "Asha\x7f",
    "a C1 control": "Asha\x85Rao",
    "the other direction": "Asha\u202eoaR",
    "an invisible blank": "Asha\u2028Rao",
    "a byte order mark": "\ufeffAsha",
    "a replacement character": "Asha \ufffd",
    "a noncharacter": "Asha\uffff",
    "private use": "Asha\ue000",
    "joiners only": "\u200d\u200c",
    "101 letters": "a" * 101,
    "SQL": INJECTION,
    "HTML": "<script>alert(1)</script>",
    "a template": "${jndi:ldap://x/a}",
    "a percent": "%s%n",
    "a filler": "\u3164",
    "a mark of no form": "As\u034fha",
    "five marks": "a\u0316\u0317\u0318\u0319\u0301",
    "an address": "kyc-update.in/verify",
    "a number": "98765 43210",
    "a reserved word": "Razorpay Support",
    "a Cyrillic a": "\u0430mazon",
}


@pytest.mark.parametrize("escaped", [True, False])
def test_what_is_no_name_is_refused(world: World, escaped: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    for what, name in NO_NAMES.items():
        body = json.dumps(world.good("/register") | {"name": name}, ensure_ascii=escaped)
        answer = world.send("/register", body.encode())
        if what == "a replacement character" and not escaped:
            refused(answer, 400, "malformed_body")
            continue
        assert answer.status == 422, f"{what}: {answer.text}"
        refused(answer, 422, "invalid_request")
        assert faulty_fields(answer) == ["name"]


NO_PHONES = [
    *("", "98765", "+0123456789", "+91", "+919876", "+9198765432101234567", "++919876543210", "+91 98765 4321o"),
    *("+91 98765", "+910000000000", "14155552671"),
    *(
        "+91\u096f\u096e\u096d\u096c\u096b\u096a\u0969\u0968\u0967\u0966",
        "+919876543210\x00",
        "+919876543210\n",
        "tel:+91",
        INJECTION,
    ),
    *("+91" + "-" * 40 + "9876543210", "+919876543210' OR '1'='1"),
]


@pytest.mark.parametrize("path", ["/register", "/login", "/payments"])
def test_what_is_no_phone_is_refused(world: World, path: str) -> None:
    for phone in NO_PHONES:
        told = {"to": {"phone": phone}} if path == "/payments" else {"phone": phone}
        answer = world.send(path, json.dumps(world.good(path) | told).encode())
        assert answer.status == 422, f"{phone}: {answer.text}"
        refused(answer, 422, "invalid_request")
        assert faulty_fields(answer) == ["to.phone" if path == "/payments" else "phone"]


REFUSED_AT_THE_DOOR: dict[str, list[str]] = {
    "password": ["", "7 chars", "x" * 129, "é" * 129],
    "email": [
        *("", "asha", "@example.com", "asha@", "a@b@example.com", "a b@example.com", "a\x00@example.com"),
        *("a" * 250 + "@b.in", INJECTION),
    ],
    "kind": ["admin", "", "PERSONAL", "merchant\x00", INJECTION],
}


@pytest.mark.parametrize(("field", "values"), REFUSED_AT_THE_DOOR.items())
def test_what_is_no_password_email_or_kind_is_refused(world: World, field: str, values: list[str]) -> None:
    for value in values:
        answer = world.send("/register", json.dumps(world.good("/register") | {field: value}).encode())
        assert answer.status == 422, f"{value}: {answer.text}"
        refused(answer, 422, "invalid_request")
        assert faulty_fields(answer) == [field]


def test_somebody_who_is_not_registered_gets_in_by_no_trick(world: World) -> None:
    for password in (INJECTION, "' OR '1'='1", SECRET, "\x00", "x" * 1_024, ""):
        raw = json.dumps({"phone": world.phone, "password": password}).encode()
        refused(world.send("/login", raw, headers=coming_from(new_address())), 401, "invalid_credentials")
    raw = json.dumps({"phone": world.phone, "password": "x" * 1_025}).encode()
    refused(world.send("/login", raw), 422, "invalid_request")


def test_what_is_no_refresh_token_is_invalid_and_as_good_as_logged_out(world: World) -> None:
    for token in (INJECTION, "rt_", "null", "\x00", "rt_" + "a" * 43, "é" * 100):
        raw = json.dumps({"refresh_token": token}).encode()
        refused(world.send("/token", raw), 401, "invalid_token")
        assert world.send("/logout", raw).status == 204


@pytest.mark.parametrize("path", ["/token", "/logout"])
def test_a_refresh_token_of_no_or_any_length_is_refused(world: World, path: str) -> None:
    for token in ("", "x" * 201):
        refused(world.send(path, json.dumps({"refresh_token": token}).encode()), 422, "invalid_request")


# --------------------------------------------------------------------------------------------------- payments


def test_a_payee_is_named_in_one_way(world: World) -> None:
    both = {"wallet_id": world.bela.wallet_id, "phone": world.bela.phone}
    wrong: list[object] = [
        {},
        both,
        {"wallet_id": None},
        {"wallet_id": None, "phone": None},
        {"user_id": world.bela.user_id},
    ]
    wrong += [both | {"phone": None, "name": "x"}, world.bela.wallet_id, [world.bela.wallet_id]]
    for to in wrong:
        answer = world.send("/payments", json.dumps({"to": to, "amount": 100}).encode())
        assert answer.status == 422, f"{to}: {answer.text}"
        refused(answer, 422, "invalid_request")


def test_what_is_no_wallets_id_is_refused(world: World) -> None:
    own = world.bela.wallet_id
    wrong: list[object] = [
        "",
        "wal_",
        own[:-1],
        own + "0",
        own.upper(),
        own.replace("wal_", "usr_"),
        f" {own}",
        f"{own}\n",
    ]
    wrong += [
        world.bela.user_id,
        INJECTION,
        f"{own}'; --",
        "wal_" + "z" * 26,
        "wal_" + "0" * 5_000,
        "wal_\x00",
        7,
        True,
        [own],
    ]
    wrong += [own.removeprefix("wal_"), "00000000-0000-0000-0000-000000000000", {"$ne": None}]
    for wallet_id in wrong:
        answer = world.send("/payments", json.dumps({"to": {"wallet_id": wallet_id}, "amount": 100}).encode())
        assert answer.status == 422, f"{wallet_id}: {answer.text}"
        refused(answer, 422, "invalid_request")
        assert faulty_fields(answer) == ["to.wallet_id"]


def test_nobody_there_is_paid_nothing(world: World) -> None:
    for to in ({"wallet_id": "wal_" + "0" * 26}, {"wallet_id": "wal_7" + "z" * 25}, {"phone": world.phone}):
        raw = json.dumps({"to": to, "amount": 100}).encode()
        refused(world.send("/payments", raw), 409, "payee_unavailable")


def test_nobody_pays_themselves(world: World) -> None:
    for to in ({"wallet_id": world.asha.wallet_id}, {"phone": world.asha.phone}):
        refused(world.send("/payments", json.dumps({"to": to, "amount": 100}).encode()), 422, "self_payment")


@pytest.mark.parametrize(("field", "longest"), [("description", 200), ("reference", 64)])
def test_a_text_with_controls_or_too_long_is_refused(world: World, field: str, longest: int) -> None:
    for text in (
        *("x" * (longest + 1), "a\x00b", "a\nb", "\x1b[31m", "\x7f", "a\x85b", "\ufdd0"),
        *("a\u2028b", "\u3164", "a\u200bb", "a" + "\u0301" * 49),
    ):
        answer = world.send("/payments", json.dumps(world.good("/payments") | {field: text}).encode())
        assert answer.status == 422, f"{text!r}: {answer.text}"
        refused(answer, 422, "invalid_request")
        assert faulty_fields(answer) == [field]


def test_sql_in_a_text_is_a_text(people: World) -> None:
    told = {"description": f"{INJECTION} 😀 ☕ \U0001faea %s \\' \"", "reference": f"{INJECTION}\\"}
    before = people.asha.balance()
    answer = people.send("/payments", json.dumps(people.good("/payments") | told).encode())
    assert answer.status == 201, answer.text
    assert {name: answer.body[name] for name in told} == told
    entry = people.bela.get("/wallet/transactions?limit=1").body["data"][0]
    assert {name: entry[name] for name in told} == told
    assert people.asha.balance() == before - 100


# ------------------------------------------------------------------------------------------------- headers

NO_KEYS = {
    "nothing": "",
    "a blank": " ",
    "blanks within": "a b",
    "a tab within": "a\tb",
    "65 characters": "k" * 65,
    "10,000 characters": "k" * 10_000,
    "not ASCII": "clé",
    "an emoji": "🔑".encode().decode("latin-1"),
    "a DEL": "a\x7f",
    "two of them": "a, b",
}


@pytest.mark.parametrize("path", ["/top-ups", "/payments"])
def test_money_moves_under_a_key_only(world: World, path: str) -> None:
    answer = world.api.call("POST", path, world.good(path), token=world.asha.token)
    refused(answer, 400, "idempotency_key_required")


@pytest.mark.parametrize("path", ["/register", "/top-ups", "/payments"])
def test_what_is_no_key_is_refused(world: World, path: str) -> None:
    raw = json.dumps(world.good(path)).encode()
    for what, key in NO_KEYS.items():
        answer = world.send(path, raw, headers={"Idempotency-Key": key})
        assert answer.status == 400, f"{what}: {answer.text}"
        refused(answer, 400, "idempotency_key_invalid")


# ----------------------------------------------------------------------------------------- paths and queries


@pytest.mark.parametrize("path", ["/payments", "/top-ups"])
def test_what_is_no_id_is_not_found(world: World, path: str) -> None:
    prefix = {"/payments": "pay_", "/top-ups": "top_"}[path]
    whole = prefix + "0" * 26
    wrong = [
        whole,
        prefix,
        "0",
        whole + "0",
        whole[:-1],
        whole.upper(),
        "txn_" + "0" * 26,
        prefix + "z" * 26,
        "null",
        "-1",
    ]
    wrong += [
        INJECTION,
        f"{whole}' OR '1'='1",
        "..",
        "../wallet",
        "\x00",
        "%",
        "%00",
        "é",
        "😀",
        "a" * 5_000,
        "*",
        "{id}",
    ]
    for told in wrong:
        answer = world.asha.get(f"{path}/{quote(told, safe='')}")
        assert answer.status == 404, f"{told}: {answer.text}"
        refused(answer, 404, "not_found")


def test_a_payment_is_there_for_its_two_and_for_nobody_else(people: World) -> None:
    answer = people.asha.pay(people.bela, 100)
    payment_id = answer.body["id"]
    stranger = people.api.person(name="Mallory")
    assert people.asha.get(f"/payments/{payment_id}").status == 200
    assert people.bela.get(f"/payments/{payment_id}").status == 200
    hers, nobodys = stranger.get(f"/payments/{payment_id}"), stranger.get("/payments/pay_" + "0" * 26)
    refused(hers, 404, "not_found")
    # and nothing tells a stranger that it exists
    assert hers.body | {"request_id": ""} == nobodys.body | {"request_id": ""}
    for other in (payment_id.upper(), payment_id.replace("pay_", "txn_"), payment_id[:-1]):
        refused(people.asha.get(f"/payments/{other}"), 404, "not_found")
    refused(people.asha.get(f"/top-ups/{payment_id.replace('pay_', 'top_')}"), 404, "not_found")


def test_a_top_up_is_there_for_its_owner_and_for_nobody_else(people: World) -> None:
    top_up_id = people.asha.open_top_up(10_000)["id"]
    assert people.asha.get(f"/top-ups/{top_up_id}").status == 200
    hers, nobodys = people.bela.get(f"/top-ups/{top_up_id}"), people.bela.get("/top-ups/top_" + "0" * 26)
    refused(hers, 404, "not_found")
    assert hers.body | {"request_id": ""} == nobodys.body | {"request_id": ""}
    refused(people.asha.get(f"/payments/{top_up_id.replace('top_', 'pay_')}"), 404, "not_found")


@pytest.mark.parametrize("path", ["/wallet", "/wallet/transactions", "/payments/pay_", "/top-ups/top_"])
def test_an_unknown_parameter_is_refused(world: World, path: str) -> None:
    whole = path + "0" * 26 if path.endswith("_") else path
    for query in ("x=1", "x", "Limit=5", "user_id=usr_0", "since=1", "%00=1", quote(INJECTION) + "=1"):
        answer = world.asha.get(f"{whole}?{query}")
        assert answer.status == 422, f"{query}: {answer.text}"
        refused(answer, 422, "invalid_request")


@pytest.mark.parametrize("path", ROUTES)
def test_a_route_with_a_body_takes_no_parameters(world: World, path: str) -> None:
    mine = path in ("/top-ups", "/payments")
    answer = world.api.call(
        "POST",
        f"{path}?amount=1&dry_run={SECRET}",
        world.good(path),
        token=world.asha.token if mine else None,
        key=new_key(),
    )
    refused(answer, 422, "invalid_request")
    assert sorted(faulty_fields(answer)) == ["amount", "dry_run"]


WRONG_QUERIES = {
    "limit": ["", "0", "101", "-1", "1.0", "1e1", "ten", "\u0665", "+5", " 5", "0x5", "9" * 5_000, INJECTION, "%00"],
    "cursor": [
        "",
        "0",
        "e0",
        "e",
        "e-1",
        "e1.5",
        "1",
        "E5",
        "ee5",
        "e" + "9" * 10,
        "e\u0665",
        INJECTION,
        "null",
        "e1 OR 1=1",
    ],
    "type": ["", "topup", "PAYMENT", "suspense", "payment,top_up", INJECTION, "*"],
    "from": [
        "",
        "yesterday",
        "2026-11-22",
        "2026-11-22T06:30:00",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "1795000000",
    ],
    "to": [
        "2026-11-22T24:30:00Z",
        "2026-11-22T06:30:60Z",
        "2026-W47-7T00:00:00Z",
        "0000-01-01T00:00:00Z",
        INJECTION,
        "%00",
    ],
}


@pytest.mark.parametrize(("name", "values"), WRONG_QUERIES.items())
def test_a_parameter_that_can_not_be_read_is_refused_by_name(world: World, name: str, values: list[str]) -> None:
    for value in values:
        answer = world.asha.get(f"/wallet/transactions?{name}={quote(value, safe='%')}")
        assert answer.status == 422, f"{value}: {answer.text}"
        refused(answer, 422, "invalid_request")
        assert faulty_fields(answer) == [name]


def test_a_parameter_is_given_once(world: World) -> None:
    time = "2026-11-22T06:30:00Z"
    for name, value in {"limit": "5", "cursor": "e5", "type": "payment", "from": time, "to": time}.items():
        answer = world.asha.get(f"/wallet/transactions?{name}={value}&{name}={value}")
        refused(answer, 422, "invalid_request")
        assert faulty_fields(answer) == [name]


def test_times_at_the_ends_of_the_calendar_break_nothing(world: World) -> None:
    ends = ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999999Z"]
    for time in (*ends, "9999-12-31T23:59:59-14:00"):
        for name in ("from", "to"):
            answer = world.asha.get(f"/wallet/transactions?{name}={quote(time)}")
            assert answer.status in (200, 422), f"{time}: {answer.text}"


def test_the_tables_are_all_still_there(people: World) -> None:
    rows = people.select("SELECT COUNT(*) AS n FROM users WHERE phone = %s", people.asha.phone)
    assert rows == [{"n": 1}]
    assert people.api.call("POST", "/login", {"phone": people.asha.phone, "password": PASSWORD}).status == 200
