"""RSA signatures, verified: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2.2), and nothing else.

No library for it is in the layer (14 MB for one sum), and verifying is no secret work. Nothing of a signature is
parsed: the padded digest is made again and compared whole, which leaves forgers nothing to hide in.
"""

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

# DigestInfo of a SHA-256, up to the digest itself (RFC 8017, section 9.2).
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
# AlgorithmIdentifier of an RSA key: rsaEncryption, no parameters.
_RSA_KEY = bytes.fromhex("300d06092a864886f70d0101010500")
_SEQUENCE, _INTEGER, _BIT_STRING = 0x30, 0x02, 0x03
_SMALLEST_BITS = 2048
_SMALLEST_EXPONENT = 65537


class UnusableKeyError(Exception):
    """The key is no RSA key, or one that nobody should trust."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An RSA public key; `fingerprint` is the SHA-256 of its DER."""

    modulus: int
    exponent: int
    fingerprint: bytes

    def has_signed(self, digest: bytes, signature: bytes) -> bool:
        """Whether this is the key's signature of what has this SHA-256."""
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature)
        if len(signature) != size or number >= self.modulus:
            return False
        end = b"\x00" + _SHA256 + digest
        wanted = b"\x00\x01".ljust(size - len(end), b"\xff") + end
        return compare_digest(pow(number, self.exponent, self.modulus).to_bytes(size), wanted)


def read_public_key(der: bytes) -> PublicKey:
    """A key from its SubjectPublicKeyInfo (RFC 5280), as KMS gives it. Raises UnusableKeyError."""
    info = _content(der, _SEQUENCE)
    if not info.startswith(_RSA_KEY):
        raise UnusableKeyError("not a key for RSA")
    bits = _content(info.removeprefix(_RSA_KEY), _BIT_STRING)
    numbers = _content(bits.removeprefix(b"\x00"), _SEQUENCE)
    modulus, rest = _element(numbers, _INTEGER)
    exponent = _content(rest, _INTEGER)
    key = PublicKey(int.from_bytes(modulus), int.from_bytes(exponent), sha256(der).digest())
    if key.modulus.bit_length() < _SMALLEST_BITS or key.exponent < _SMALLEST_EXPONENT or key.exponent % 2 == 0:
        raise UnusableKeyError("a key too small to be trusted")
    return key


def _content(der: bytes, tag: int) -> bytes:
    """The content of the one element that `der` is."""
    content, rest = _element(der, tag)
    if rest:
        raise UnusableKeyError("something stands behind the key")
    return content


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first element, and what is behind it. Lengths are definite (DER)."""
    if len(der) < 2 or der[0] != tag:
        raise UnusableKeyError("not the DER of an RSA key")
    more = der[1] & 0x7F if der[1] & 0x80 else 0
    begin = 2 + more
    length = int.from_bytes(der[2:begin]) if more else der[1]
    if len(der) < begin + length:
        raise UnusableKeyError("the key is cut off")
    return der[begin : begin + length], der[begin + length :]
