"""The brake on guessing, as the database counts it."""

import hashlib
from collections.abc import Callable

from tests.support.books import Books, unique
from tests.support.crowd import together
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import users
from wallet.storage.database import Database

LIMIT = 10


def attempt(database: Database, phone: bytes, address: bytes) -> Callable[[], None]:
    """One attempt, to be made later."""
    return lambda: users.count_login_attempt(
        database, phone_hash=phone, address_hash=address, phone_limit=LIMIT, address_limit=10**6, window_s=900
    )


def test_of_many_attempts_at_once_exactly_the_limit_gets_through(books: Books) -> None:
    address = hashlib.sha256(unique("address:").encode()).digest()
    callers = [books.as_role("identity") for _ in range(LIMIT + 2)]
    for _ in range(20):
        phone = hashlib.sha256(unique("phone:").encode()).digest()
        outcomes = together([attempt(database, phone, address) for database in callers])
        refused = [outcome for outcome in outcomes if outcome is not None]
        assert len(refused) == 2
        assert all(isinstance(outcome, Refused) and outcome.refusal is Refusal.TOO_MANY_ATTEMPTS for outcome in refused)
