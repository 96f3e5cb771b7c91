"""Sessions of the database server, and how one is killed."""

import time

from wallet.storage.database import Database

_PATIENCE_S = 60


def kill(killer: Database, session: int) -> None:
    """Kills a session, and returns when it is gone: until then whoever connects may find MySQL silent.

    A killed thread may still read from its socket's number, which is that of the next connection by then.
    """
    killer.read("KILL %s", session)
    until = time.monotonic() + _PATIENCE_S
    while killer.read("SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = %s", session):
        assert time.monotonic() < until, "who was killed lives on"
        time.sleep(0.005)
