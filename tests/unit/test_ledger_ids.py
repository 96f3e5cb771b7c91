"""Ids: their order is the order of time, and nothing but an id reads as one."""

from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wallet.ledger import ids

times = st.integers(0, 2**48 - 1)
entropies = st.binary(min_size=10, max_size=10)
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
SOME = ids.uuid7(unix_ms=1_795_000_200_000, entropy=bytes(range(10)))


@given(times, entropies)
def test_an_id_is_a_uuid_of_version_7(unix_ms: int, entropy: bytes) -> None:
    made = ids.uuid7(unix_ms=unix_ms, entropy=entropy)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == unix_ms


@given(times, times, entropies, entropies)
def test_a_later_id_sorts_behind_in_every_form(first: int, second: int, some: bytes, other: bytes) -> None:
    assume(first < second)
    early, late = ids.uuid7(unix_ms=first, entropy=some), ids.uuid7(unix_ms=second, entropy=other)
    assert early.bytes < late.bytes
    assert ids.show(ids.PAYMENT, early) < ids.show(ids.PAYMENT, late)


@given(times, entropies, entropies)
def test_all_randomness_but_six_bits_shows(unix_ms: int, some: bytes, other: bytes) -> None:
    same = ids.uuid7(unix_ms=unix_ms, entropy=some) == ids.uuid7(unix_ms=unix_ms, entropy=other)
    kept = (1 << 62) - 1 | 0xFFF << 64  # 74 of the 80 bits
    assert same is (int.from_bytes(some) & kept == int.from_bytes(other) & kept)


@pytest.mark.parametrize("unix_ms", [-1, 2**48])
def test_a_time_that_does_not_fit_is_refused(unix_ms: int) -> None:
    with pytest.raises(ValueError, match="48-bit"):
        ids.uuid7(unix_ms=unix_ms, entropy=bytes(10))


@pytest.mark.parametrize("length", [0, 9, 11, 16])
def test_too_little_or_too_much_randomness_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="ten bytes"):
        ids.uuid7(unix_ms=0, entropy=bytes(length))


@given(st.uuids())
def test_what_is_shown_reads_back(value: UUID) -> None:
    assert ids.read(ids.WALLET, ids.show(ids.WALLET, value)) == value


@given(st.uuids())
def test_the_shown_form_is_a_prefix_and_26_digits(value: UUID) -> None:
    prefix, _, digits = ids.show(ids.TOP_UP, value).partition("_")
    assert prefix == "top"
    assert len(digits) == 26
    assert set(digits) <= set(ALPHABET)


@given(st.text(max_size=40))
def test_any_text_reads_as_an_id_or_as_none(text: str) -> None:
    read = ids.read(ids.USER, text)
    assert read is None or ids.show(ids.USER, read) == text


@given(st.text(ALPHABET, min_size=26, max_size=26))
def test_26_digits_read_as_themselves_or_are_too_large(digits: str) -> None:
    read = ids.read(ids.USER, f"usr_{digits}")
    assert (read is None) is (digits[0] > "7")
    assert read is None or ids.show(ids.USER, read) == f"usr_{digits}"


def test_an_id_is_made_as_the_standard_makes_its_own_example() -> None:
    """RFC 9562, A.6; of our ten bytes the standard has no use for six bits, which are set here."""
    entropy = bytes.fromhex("fcc3d8c4dc0c0c07398f")
    made = ids.uuid7(unix_ms=0x017F22E279B0, entropy=entropy)
    assert made == UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


SHOWN = ids.show(ids.WALLET, SOME)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("wal", id="a prefix"),
        pytest.param("wal_", id="no digits"),
        pytest.param(SHOWN.replace("wal_", "usr_"), id="another prefix"),
        pytest.param(SHOWN.replace("wal_", "WAL_"), id="a prefix in capitals"),
        pytest.param(SHOWN.replace("_", "-"), id="another separator"),
        pytest.param(SHOWN.replace("wal_", "_"), id="no prefix"),
        pytest.param(SHOWN[:-1], id="a digit too few"),
        pytest.param(SHOWN + "0", id="a digit too many"),
        pytest.param(SHOWN.upper().replace("WAL_", "wal_"), id="digits in capitals"),
        pytest.param(SHOWN[:-1] + "u", id="a letter outside the alphabet"),
        pytest.param(SHOWN[:-1] + "\N{ARABIC-INDIC DIGIT ONE}", id="a digit of another script"),
        pytest.param("wal_8" + "0" * 25, id="2 to the 128"),
        pytest.param("wal_" + "z" * 26, id="as large as it gets"),
        pytest.param(f" {SHOWN}", id="a blank before"),
        pytest.param(f"{SHOWN}\n", id="a line's end"),
        pytest.param(str(SOME), id="a plain UUID"),
    ],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    assert ids.read(ids.WALLET, text) is None


def test_the_largest_id_fits() -> None:
    assert ids.read(ids.WALLET, "wal_7" + "z" * 25) == UUID(int=2**128 - 1)
