"""Passwords: every byte counts, and nobody learns whether a phone is registered."""

import unicodedata

import bcrypt
import pytest

from wallet.identity.passwords import check_password, fingerprint, hash_password

COST = 4


def matches(stored: str, tried: str) -> bool:
    return check_password(tried, hash_password(stored, cost=COST), cost=COST)


@pytest.mark.parametrize("password", ["correct horse", "x" * 128, "🎉" * 128, "पासवर्ड१२३", "\x00" * 8, "a b\tc\n12"])
def test_a_password_is_its_own(password: str) -> None:
    assert matches(password, password)


@pytest.mark.parametrize(
    ("stored", "tried"),
    [
        pytest.param("x" * 72 + "a", "x" * 72 + "b", id="byte 73"),
        pytest.param("x" * 72, "x" * 73, id="a byte more"),
        pytest.param("x" * 127 + "a", "x" * 127 + "b", id="the last byte"),
        pytest.param("🎉" * 18 + "a", "🎉" * 18 + "b", id="byte 73 of emoji"),
        pytest.param("secret\x00one", "secret\x00two", id="behind a NUL"),
        pytest.param("secret12\x00", "secret12", id="a NUL at the end"),
        pytest.param("Correct Horse", "correct horse", id="capitals"),
        pytest.param("correct horse", "correct horse ", id="a blank at the end"),
        pytest.param("correct horse", "", id="nothing"),
    ],
)
def test_another_password_is_another(stored: str, tried: str) -> None:
    assert not matches(stored, tried)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_the_keyboard_makes_no_difference(form: str) -> None:
    assert matches("Élan ﬁne № 5", unicodedata.normalize(form, "Élan ﬁne № 5"))  # type: ignore[arg-type]  # the four


def test_a_hash_is_bcrypt_at_the_cost_that_was_asked_for() -> None:
    stored = hash_password("correct horse", cost=5)
    assert stored.startswith(b"$2b$05$")
    assert len(stored) == 60


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("correct horse", cost=COST) != hash_password("correct horse", cost=COST)


def test_the_hash_is_not_of_the_password_itself() -> None:
    """Nor of a digest that another site may have leaked: ours has a key."""
    assert not bcrypt.checkpw(b"correct horse", hash_password("correct horse", cost=COST))


@pytest.mark.parametrize("password", ["correct horse", "", "x" * 1024])
def test_nobody_has_no_password(password: str) -> None:
    assert not check_password(password, None, cost=COST)


@pytest.mark.parametrize("cost", [4, 5, 12])
def test_an_unknown_phone_costs_as_much_as_a_known_one(cost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[bytes] = []

    def checkpw(_: bytes, hashed: bytes) -> bool:
        worked.append(hashed)
        return False

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    check_password("correct horse", None, cost=cost)
    check_password("correct horse", b"$2b$%02d$" % cost + b"C6UzMDM.H6dfI/f/IKcEeO" + b"." * 31, cost=cost)
    assert len(worked) == 2
    assert worked[0][:7] == worked[1][:7] == b"$2b$%02d$" % cost
    assert len(worked[0]) == 60


def test_nobodys_hash_is_one_that_bcrypt_works_through() -> None:
    """Were it refused at a glance, an unknown phone would be answered at once."""
    check_password("correct horse", None, cost=COST)


def test_a_hash_of_an_older_cost_is_still_good() -> None:
    assert check_password("correct horse", hash_password("correct horse", cost=4), cost=5)


def test_a_fingerprint_tells_one_password_from_another() -> None:
    one, same, other = (fingerprint(text, salt=b"salt") for text in ("correct horse", "correct horse", "wrong horse"))
    assert one == same != other


def test_a_fingerprint_means_nothing_under_another_salt() -> None:
    assert fingerprint("correct horse", salt=b"one") != fingerprint("correct horse", salt=b"other")
