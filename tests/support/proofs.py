"""Proofs of phones: by the database's procedures, and over HTTP with the code that came to the phone."""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pymysql

from tests.support.addresses import coming_from, new_address
from wallet import wiring
from wallet.identity.phone_proofs.model import Purpose, proof_hash
from wallet.storage.database import Database

if TYPE_CHECKING:
    from tests.support.client import Answer, Api

_CODE = re.compile(r"^(\d{6}) is your code", re.MULTILINE)
# seconds that a test waits for the next code
_PAUSE_S = 5
# far more than a test's people ask for
_UNLIMITED = 10**6


def proof_of(database: Database, phone: str, purpose: Purpose = Purpose.REGISTER, *, valid_s: int = 900) -> str:
    """A proof of a phone, as the identity's own user gets it from the database."""
    proof, proof_id, code_hash = f"pp_{secrets.token_urlsafe(16)}", wiring.new_id(), secrets.token_bytes(32)
    counters = [secrets.token_bytes(32) for _ in range(5)]  # phone, owner, address, origin, everybody
    limits = (_UNLIMITED, _UNLIMITED, _UNLIMITED, 1, 600)
    database.call("ask_for_code", proof_id.bytes, phone, purpose.value, code_hash, *counters, *limits)
    database.call("show_code", proof_id.bytes, code_hash, proof_hash(proof), valid_s)
    return proof


def ask_for_code(api: "Api", phone: str, purpose: str = "register", *, address: str | None = None) -> "Answer":
    """One request for a code."""
    headers = coming_from(address or new_address())
    return api.call("POST", "/phone-proofs", {"phone": phone, "purpose": purpose}, headers=headers)


def proof_put_into(mysql: Mapping[str, Any], phone: str) -> str:
    """A proof for registering, put into a stack's database by its owner, where proving is no test's concern."""
    proof = f"pp_{secrets.token_urlsafe(16)}"
    account = {name: mysql[name] for name in ("host", "port", "user", "password", "database")}
    with closing(pymysql.connect(**account, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO phone_proofs"
            " (id, phone, purpose, code_hash, created_at, expires_at, proof_hash, proof_expires_at)"
            " VALUES (%s, %s, 'register', %s, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 15 MINUTE, %s,"
            " UTC_TIMESTAMP(6) + INTERVAL 15 MINUTE)",
            (wiring.new_id().bytes, phone, secrets.token_bytes(32), proof_hash(proof)),
        )
    return proof


def leave_for_days(select: Any, phone: str, days: int) -> None:
    """Makes it so long since somebody was here."""
    select(
        "UPDATE users u JOIN sessions s ON s.user_id = u.id SET u.signed_in_at = u.signed_in_at - INTERVAL %s DAY,"
        " s.last_used_at = s.last_used_at - INTERVAL %s DAY WHERE u.phone = %s",
        days,
        days,
        phone,
    )


def messages_to(api: "Api", phone: str) -> list[dict[str, Any]]:
    """Every message that came to a phone, the oldest first."""
    url = f"{api.stack['gateway_url']}/simulator/messages"
    found: list[dict[str, Any]] = api.pool.request("GET", url, fields={"phone": phone}, timeout=30.0).json()["data"]
    return found


def newest_code(api: "Api", phone: str) -> str:
    """The last code that came to a phone."""
    codes = [found[1] for message in messages_to(api, phone) if (found := _CODE.search(message["text"]))]
    return codes[-1]


def prove(
    api: "Api", phone: str, purpose: str, *, address: str, until: Callable[[Callable[[], "Answer"]], "Answer"]
) -> str:
    """A proof of a phone over HTTP; `until` calls again what says to come back. It waits for a pause between codes."""
    sent = until(lambda: ask_for_code(api, phone, purpose, address=address))
    if sent.code == "too_many_codes" and int(sent.headers["retry-after"]) <= _PAUSE_S:
        time.sleep(int(sent.headers["retry-after"]))
        sent = until(lambda: ask_for_code(api, phone, purpose, address=address))
    assert sent.status == 202, sent.text
    shown = until(lambda: api.call("POST", f"/phone-proofs/{sent.body['id']}", {"code": newest_code(api, phone)}))
    assert shown.status == 200, shown.text
    proof: str = shown.body["phone_proof"]
    return proof
