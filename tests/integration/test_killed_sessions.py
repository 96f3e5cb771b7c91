"""A session that dies anywhere inside a procedure leaves nothing half done, and its caller does it once after all."""

import random
import threading
import time

import pytest

from tests.support.books import Books
from tests.support.sessions import kill
from tests.support.verbs import Day, Verb
from wallet.storage import database as storage
from wallet.storage.database import Database, DatabaseUnavailableError

_TURNS = 25
#: Longer than any of the procedures takes, so that some of the kills come before the first statement, some between any
#: two of them, and some too late.
_LONGEST_S = 0.006


def _killed(books: Books, verb: Verb, killer: Database, after_s: float, patch: pytest.MonkeyPatch) -> bool:
    """Asks for a verb, once, and kills the session some time into it; True if the caller lost the answer."""
    database = books.as_role("money")
    session = int(database.read("SELECT CONNECTION_ID() AS id")[0]["id"])

    def kill_soon() -> None:
        time.sleep(after_s)
        kill(killer, session)

    thread = threading.Thread(target=kill_soon)
    thread.start()
    try:
        with patch.context() as once:
            once.setattr(storage, "_TRIES", 1)
            verb(database)
    except DatabaseUnavailableError:
        return True
    else:
        return False
    finally:
        thread.join()
        database.close()


def test_a_session_killed_anywhere_leaves_nothing_half_done_and_a_repetition_does_it_once(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, killer, dice = Day(books), books.owner(), random.Random(1)
    before = (books.balance(day.payer), books.held(day.payer), books.total(day.payer, day.merchant))
    asked: list[Verb] = []
    lost = 0
    for _ in range(_TURNS):
        for verb in day.verbs().values():
            lost += _killed(books, verb, killer, dice.uniform(0, _LONGEST_S), monkeypatch)
            asked.append(verb)
    assert lost > 0, "no kill came in time: this shows nothing"
    database = books.as_role("money")
    assert books.faults() == []

    for verb in asked:  # what clients do when they saw an outage: the same keys once more
        verb(database)
    after = (books.balance(day.payer), books.held(day.payer), books.total(day.payer, day.merchant))
    assert after == (before[0] + _TURNS * Day.PAYER, before[1] + _TURNS * Day.HELD, before[2])
    assert books.faults() == []
