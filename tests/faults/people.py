"""The people who call: who they are, what they have done, and how they stay logged in."""

import random
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TypeVar

from tests.faults.history import Json

Thing = TypeVar("Thing")

_KEPT = 200


@dataclass(slots=True)
class User:
    """A registered user. Ids as callers know them (`wal_…`); `user` and `wallet` as the ledger's rows have them."""

    phone: str
    kind: str
    user_id: str
    wallet_id: str
    user: str
    wallet: str
    access: str = ""
    refresh: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class Society:
    """Everybody, and what of what they did others may go on from. Safe to be used by many."""

    users: list[User] = field(default_factory=list)
    payments: deque[Json] = field(default_factory=lambda: deque(maxlen=_KEPT))
    holds: deque[Json] = field(default_factory=lambda: deque(maxlen=_KEPT))
    withdrawals: deque[Json] = field(default_factory=lambda: deque(maxlen=_KEPT))
    top_ups: deque[Json] = field(default_factory=lambda: deque(maxlen=_KEPT))
    files: deque[Json] = field(default_factory=lambda: deque(maxlen=_KEPT))
    frozen: deque[User] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: int = 0
    _amounts: set[int] = field(default_factory=set)

    def next_number(self) -> int:
        """A number that no other operation has."""
        with self._lock:
            self._numbers += 1
            return self._numbers

    def next_amount(self, dice: random.Random) -> int:
        """An amount in minor units that no other top-up has."""
        with self._lock:
            while (amount := dice.randint(2_000, 400_000)) in self._amounts:
                pass
            self._amounts.add(amount)
            return amount

    def people(self, kind: str = "") -> list[User]:
        """All, or all of a kind."""
        return [user for user in self.users if kind in ("", user.kind)]


def one_of(dice: random.Random, things: "deque[Thing]") -> Thing | None:
    """Any of them, None if there is none."""
    known = list(things)
    return dice.choice(known) if known else None
