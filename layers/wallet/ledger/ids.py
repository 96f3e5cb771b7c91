"""Ids: time-ordered, unguessable, made by us before anything is asked of the database.

An id is a UUIDv7 (RFC 9562, section 5.7). In the database it is `BINARY(16)`; outside it is a prefix that says what
it is, and 26 digits of Crockford's base 32, whose order is the order of the numbers.
"""

from uuid import UUID

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_LENGTH = 26
# two digits at a time: an event shows six ids, and the relay some thousand events a second
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_SHIFTS = range(5 * _LENGTH - 10, -1, -10)

USER = "usr"
WALLET = "wal"
TOP_UP = "top"
PAYMENT = "pay"
REFUND = "rfd"
HOLD = "hld"
WITHDRAWAL = "wdr"
TRANSACTION = "txn"
EVENT = "evt"
BULK_PAYMENT = "blk"
SESSION = "ses"
PHONE_PROOF = "prf"
CONFIRMATION = "cnf"
PASSKEY = "psk"
BREAK = "brk"
DISPUTE = "dsp"
DEBT = "dbt"
REQUEST = "req"
PAYMENT_REQUEST = "prq"


def uuid7(*, unix_ms: int, entropy: bytes) -> UUID:
    """A UUIDv7 of the time `unix_ms` (milliseconds since 1970) and ten bytes of secure randomness."""
    if not 0 <= unix_ms < 1 << 48 or len(entropy) != 10:
        raise ValueError("a UUIDv7 takes a 48-bit time and ten bytes")
    random = int.from_bytes(entropy)
    number = unix_ms << 80 | 0x7 << 76 | (random >> 64 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return UUID(int=number)


def show(prefix: str, value: UUID) -> str:
    """The public form, as `wal_06b3…`."""
    number = value.int
    pairs = [_PAIRS[number >> shift & 1023] for shift in _SHIFTS]
    return f"{prefix}_{''.join(pairs)}"


def read(prefix: str, text: str) -> UUID | None:
    """The id that `text` shows, or None if it is not the public form of one with this prefix."""
    head = f"{prefix}_"
    digits = text.removeprefix(head)
    if not text.startswith(head) or len(digits) != _LENGTH:
        return None
    number = 0
    for digit in digits:
        value = _VALUES.get(digit)
        if value is None:
            return None
        number = number << 5 | value
    return UUID(int=number) if number < 1 << 128 else None
