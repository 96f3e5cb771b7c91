"""Signatures: what a library of repute signs is believed, and nothing else; by us and by the stranger's verifier."""

import base64
import hashlib
import itertools
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.signing import Key
from verifier import verify
from wallet.ledger.signatures import PublicKey, UnusableKeyError, read_public_key

KEY = Key(2048)
OURS = read_public_key(KEY.der)
THEIRS = verify.read_key(KEY.pem)
SIZE = 256


def both(message: bytes, signature: bytes) -> tuple[bool, bool]:
    return OURS.has_signed(hashlib.sha256(message).digest(), signature), THEIRS.signed(message, signature)


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_a_key_of_each_size_is_read_from_der_and_from_pem(bits: int) -> None:
    key = Key(bits)
    numbers = key.private.public_key().public_numbers()
    ours, theirs, from_der = read_public_key(key.der), verify.read_key(key.pem), verify.read_key(key.der)
    assert (ours.modulus, ours.exponent) == (theirs.modulus, theirs.exponent) == (numbers.n, numbers.e)
    assert theirs == from_der
    assert ours.fingerprint.hex() == theirs.fingerprint == hashlib.sha256(key.der).hexdigest()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_what_the_key_has_signed_is_believed(message: bytes) -> None:
    assert both(message, KEY.sign(hashlib.sha256(message).digest())) == (True, True)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=100), st.integers(0, SIZE * 8 - 1))
def test_a_signature_with_one_bit_altered_is_not_believed(message: bytes, bit: int) -> None:
    signature = int.from_bytes(KEY.sign(hashlib.sha256(message).digest()), "big") ^ (1 << bit)
    assert both(message, signature.to_bytes(SIZE, "big")) == (False, False)


def test_another_message_another_key_and_another_hash_are_not_believed() -> None:
    digest = hashlib.sha256(b"m").digest()
    assert both(b"n", KEY.sign(digest)) == (False, False)
    assert both(b"m", Key(2048).sign(digest)) == (False, False)
    assert both(b"m", KEY.private.sign(b"m", padding.PKCS1v15(), hashes.SHA512())) == (False, False)
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    assert both(b"m", KEY.private.sign(b"m", pss, hashes.SHA256())) == (False, False)


@pytest.mark.parametrize("signature", [b"", b"\0" * SIZE, b"\xff" * SIZE, b"\0" * (SIZE + 1)])
def test_what_is_no_signature_is_not_believed(signature: bytes) -> None:
    assert both(b"m", signature) == (False, False)


def test_a_longer_form_of_a_good_signature_is_not_believed() -> None:
    signature = KEY.sign(hashlib.sha256(b"m").digest())
    shifted = (int.from_bytes(signature, "big") + OURS.modulus).to_bytes(SIZE + 1, "big")
    assert both(b"m", b"\0" + signature) == both(b"m", shifted) == (False, False)


def test_a_signature_that_is_as_long_and_not_smaller_than_the_modulus_is_not_believed() -> None:
    """Raised to the exponent it is the same block: one signature would have two forms."""
    for number in itertools.count():
        message = str(number).encode()
        other = int.from_bytes(KEY.sign(hashlib.sha256(message).digest()), "big") + OURS.modulus
        if other.bit_length() <= SIZE * 8:
            break
    assert both(message, other.to_bytes(SIZE, "big")) == (False, False)


def forgeries(message: bytes) -> dict[str, bytes]:
    """Blocks that a verifier takes which only parses them: what is raised to 1 is what it is."""
    told = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(message).digest()
    garbage = b"\x00\x01" + b"\xff" * 8 + b"\x00" + told
    return {
        "garbage behind": garbage + b"\0" * (SIZE - len(garbage)),
        "too little padding": (b"\x00\x01" + b"\xff" * 8 + b"\x00" + told).rjust(SIZE, b"\0"),
        "no null in the algorithm": (
            b"\x00\x01".ljust(SIZE - len(told) + 1, b"\xff") + b"\x00" + told.replace(b"\x05\x00", b"", 1)
        )[:SIZE],
        "other padding": b"\x00\x01".ljust(SIZE - len(told) - 1, b"\xfe") + b"\x00" + told,
    }


@pytest.mark.parametrize("name", forgeries(b"m"))
def test_a_block_that_is_not_exactly_the_padded_digest_is_not_believed(name: str) -> None:
    block = forgeries(b"m")[name]
    private = KEY.private.private_numbers()
    signature = pow(int.from_bytes(block, "big"), private.d, OURS.modulus).to_bytes(SIZE, "big")
    assert both(b"m", signature) == (False, False)


def _pem(der: bytes) -> bytes:
    return b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der) + b"\n-----END PUBLIC KEY-----\n"


def _small() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that it is refused is the test
    return _der(key.public_key())


def _small_exponent() -> bytes:
    return _der(rsa.generate_private_key(public_exponent=3, key_size=2048).public_key())


def _even_exponent() -> bytes:
    """No library makes one."""
    assert KEY.der.endswith((65537).to_bytes(3, "big"))
    return KEY.der[:-3] + (65540).to_bytes(3, "big")


def _cut_off_in_its_exponent() -> bytes:
    """What is left would be a key, with the exponent 65537."""
    return _der(rsa.RSAPublicNumbers(0x01000101, OURS.modulus).public_key())[:-1]


def _der(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"0",
        KEY.der[:-1],
        KEY.der + b"\0",
        _small(),
        _small_exponent(),
        _even_exponent(),
        _cut_off_in_its_exponent(),
        _der(ec.generate_private_key(ec.SECP256R1()).public_key()),
    ],
    ids=[
        "nothing",
        "one byte",
        "cut off",
        "more behind",
        "1024 bits",
        "exponent 3",
        "even exponent",
        "cut-off exponent",
        "another kind",
    ],
)
def test_a_key_that_is_none_or_too_weak_is_refused(der: bytes) -> None:
    with pytest.raises(UnusableKeyError):
        read_public_key(der)
    with pytest.raises(verify.UnreadableError):
        verify.read_key(der)
    with pytest.raises(verify.UnreadableError):
        verify.read_key(_pem(der))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | st.integers(0, len(KEY.der) - 1).map(lambda at: KEY.der[:at] + b"\xff" + KEY.der[at:]))
def test_no_bytes_break_the_reading_of_keys(der: bytes) -> None:
    with suppress(UnusableKeyError):
        assert isinstance(read_public_key(der), PublicKey)
    with suppress(verify.UnreadableError):
        assert isinstance(verify.read_key(der), verify.PublicKey)
