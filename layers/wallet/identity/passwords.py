"""Passwords: bcrypt over a digest, so that every byte counts.

bcrypt stops at 72 bytes and at a NUL. A keyed digest before it (base64: no NUL, 44 bytes) takes in the whole password;
the key makes the digests useless for attacks with other sites' leaked SHA-256 sums ("password shucking").
"""

import base64
import functools
import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Iterator

import bcrypt

MIN_LENGTH = 8
MAX_LENGTH = 128

# A context word that is shorter says nothing, and so much beside it is a password of its own.
_MIN_CONTEXT, _MIN_REST = 4, 6
# the digits of an Indian number without its country
_NATIONAL = 10

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


def cost_of(stored: bytes) -> int:
    """The work that a stored hash took: `$2b$12$…` is 12."""
    return int(stored.split(b"$")[2])


def refuse(password: str, context: Iterable[str]) -> str | None:
    """Why a password is too easy to guess, None if it isn't: it is among the ones that many people use, or it is a word
    that whoever attacks this account tries first (`context`: the phone, the name, the product), with little beside it.

    NIST SP 800-63B-4, 3.1.1.2: no rules about kinds of characters, a list instead.
    """
    plain = unicodedata.normalize("NFKC", password).casefold()
    if plain in _common_passwords():
        return "This password is one of those that are tried first, because many people use it."
    for word in _words_of(context):
        rest = plain.replace(word, "")
        if plain in word or (rest != plain and len(rest) < _MIN_REST):
            return "This password is little more than the phone, the name or the name of this service."
    return None


def _words_of(context: Iterable[str]) -> Iterator[str]:
    """What people make passwords of: a text as a whole, without blanks and signs, each part, a phone's last ten."""
    for text in context:
        plain = unicodedata.normalize("NFKC", text).casefold()
        joined = "".join(sign for sign in plain if sign.isalnum())
        words = {plain, joined, joined[-_NATIONAL:], *plain.split()}
        yield from (word for word in words if len(word) >= _MIN_CONTEXT)


@functools.cache
def _common_passwords() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - who sets a password waits for it, nobody else

    return frozenset(FREQUENCY_LISTS["passwords"])


def fingerprint(password: str, *, salt: bytes) -> str:
    """A slow, salted digest by which a repeated registration is recognised; it gives nothing away if it leaks."""
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=32).hex()


def _digest(password: str) -> bytes:
    """The same password typed on another keyboard may be other code points: NFKC (NIST SP 800-63B, 5.1.1.2)."""
    normal = unicodedata.normalize("NFKC", password)
    return base64.b64encode(hmac.digest(_DIGEST_KEY, normal.encode(), "sha256"))
