"""Runs in the folder of an older commit, with its code: a server with its schema and its people, until our input ends.

Prints one line of JSON: where the server is, and who is there.
"""

import json
import sys
import tempfile
from pathlib import Path

from local.database import PrivateServer
from tests.support.books import Books


def main(people: int, money: int, rows: int) -> None:
    """Its people, and a merchant whose credits are spread over so many rows; each with user id and wallet id."""
    with tempfile.TemporaryDirectory() as folder, PrivateServer(Path(folder)) as server:
        books = Books(server)
        books.migrate()
        everybody = [books.person(money=money) for _ in range(people)]
        hot = books.person(kind="merchant", tier="merchant")
        books.spread(hot, rows)
        ids = [(person.user_id.hex, person.wallet_id.hex) for person in (*everybody, hot)]
        where = (server.host, server.port, server.database, server.ca_pem)
        print(json.dumps([where, (server.owner_user, server.owner_password), ids]), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
