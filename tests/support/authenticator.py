"""An authenticator in software, and the browser before it: makes passkeys and signs with them, as WebAuthn has it."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

Json = dict[str, Any]

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def encoded(content: bytes) -> str:
    """Base64url without its padding, as WebAuthn's JSON has bytes."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """The bytes again."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One key pair for one site, whose `origin` its browser shows. `counts`: whether it counts its signatures.

    `made_up_key` is what it says is its public key, where that is none; `user_handle` whose it says it is.
    """

    origin: str
    counts: bool = False
    user_verified: bool = True
    cross_origin: bool = False
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    signatures: int = 0
    made_up_key: bytes | None = None
    user_handle: bytes | None = None

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: Json) -> Json:
        """What `navigator.credentials.create` gives, as its `toJSON()` has it."""
        self.user_handle = decoded(options["user"]["id"])
        attested = b"\0" * 16 + len(self.id).to_bytes(2) + self.id + (self.made_up_key or cbor2.dumps(self._cose()))
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(_ATTESTED) + attested}
        client = self._client("webauthn.create", options["challenge"])
        return self._credential(
            {"clientDataJSON": encoded(client), "attestationObject": encoded(cbor2.dumps(attestation))}
        )

    def get(self, options: Json) -> Json:
        """What `navigator.credentials.get` gives; where none is named, its owner chooses this one."""
        named = {one["id"] for one in options.get("allowCredentials", ())}
        assert not named or encoded(self.id) in named
        self.signatures += 1 if self.counts else 0
        client, data = self._client("webauthn.get", options["challenge"]), self._data(0)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        handle = {} if self.user_handle is None else {"userHandle": encoded(self.user_handle)}
        shown = {"clientDataJSON": encoded(client), "authenticatorData": encoded(data), "signature": encoded(signature)}
        return self._credential(shown | handle)

    def _credential(self, response: Json) -> Json:
        shown = encoded(self.id)
        return {"id": shown, "rawId": shown, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def _client(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin}
        return json.dumps(told).encode()

    def _data(self, more: int) -> bytes:
        flags = _PRESENT | (_VERIFIED if self.user_verified else 0) | more
        site = hashlib.sha256(str(urlsplit(self.origin).hostname).encode()).digest()
        return site + bytes([flags]) + self.signatures.to_bytes(4)

    def _cose(self) -> dict[int, object]:
        numbers = self._key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
