"""Passwords: bcrypt over a digest, so that every byte counts.

bcrypt stops at 72 bytes and at a NUL. A keyed digest before it (base64: no NUL, 44 bytes) takes in the whole password;
the key makes the digests useless for attacks with other sites' leaked SHA-256 sums ("password shucking").
"""

import base64
import hashlib
import hmac
import unicodedata

import bcrypt

MIN_LENGTH = 8
MAX_LENGTH = 128

_DIGEST_KEY = b"wallet.password.v1"
_NOBODYS_SALT = "C6UzMDM.H6dfI/f/IKcEeO"
_NOBODYS_HASH = "." * 31


def hash_password(password: str, *, cost: int) -> bytes:
    """The bcrypt hash of a password, 60 bytes; the work doubles with each step of `cost`."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(rounds=cost))


def check_password(password: str, stored: bytes | None, *, cost: int) -> bool:
    """Whether the password is the one that was stored; takes as long if there is none (`cost` as when stored)."""
    if stored is None:
        bcrypt.checkpw(_digest(password), f"$2b${cost:02}${_NOBODYS_SALT}{_NOBODYS_HASH}".encode())
        return False
    return bcrypt.checkpw(_digest(password), stored)


def fingerprint(password: str, *, salt: bytes) -> str:
    """A slow, salted digest by which a repeated registration is recognised; it gives nothing away if it leaks."""
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=32).hex()


def _digest(password: str) -> bytes:
    """The same password typed on another keyboard may be other code points: NFKC (NIST SP 800-63B, 5.1.1.2)."""
    normal = unicodedata.normalize("NFKC", password)
    return base64.b64encode(hmac.digest(_DIGEST_KEY, normal.encode(), "sha256"))
