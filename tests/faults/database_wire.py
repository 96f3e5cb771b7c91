"""The wire between the functions and their database, to be cut: it carries TLS, so it sees packets and no words.

Every statement of a function is one packet there and one answer back, and each commits by itself or not at all. So to
lose a packet is to cut before CALL is sent; to cut behind it is to cut while the server works; to lose the answer is
to cut behind the commit.
"""

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Self

from tests.support.proxy import end_both_ways

#: At most so many packets a client sends before its first question: TLS, who it is, what the session is like.
GREETING = 6
_PIECE = 65_536


class Cut(StrEnum):
    """Where a connection breaks."""

    BEFORE_SENT = "database: cut before a statement was sent"
    BEHIND_SENT = "database: cut while the statement ran"
    ANSWER_LOST = "database: cut behind the commit, before its answer"


class DatabaseWire:
    """Listens on this machine, and carries what it gets to `port` there, as long as nobody has it cut."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._links: set[_Link] = set()
        self._armed: Counter[Cut] = Counter()
        #: What was cut, and how often.
        self.struck: Counter[str] = Counter()
        self.refuses = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="database-wire", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.cut_all()

    def arm(self, cut: Cut, times: int) -> None:
        """The next so many statements, whoever's they are, meet this."""
        with self._lock:
            self._armed[cut] += times

    def disarm(self) -> None:
        """From now on nothing is cut."""
        with self._lock:
            self._armed.clear()
            self.refuses = False

    def cut_all(self) -> int:
        """Cuts every connection there is; how many those were."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.cut()
        return len(links)

    def take(self, *cuts: Cut) -> Cut | None:
        """What the packet at hand is to suffer, counted; for the links."""
        with self._lock:
            for cut in cuts:
                if self._armed[cut] > 0:
                    self._armed[cut] -= 1
                    self.struck[cut] += 1
                    return cut
        return None

    def forget(self, link: "_Link") -> None:
        """A link is over."""
        with self._lock:
            self._links.discard(link)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refuses:
                client.close()
                self.struck["database: refused connections"] += 1
                continue
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            link = _Link(self, client, server)
            with self._lock:
                self._links.add(link)
            link.carry()


class _Link:
    """One connection."""

    def __init__(self, wire: DatabaseWire, client: socket.socket, server: socket.socket) -> None:
        self._wire = wire
        self._client = client
        self._server = server
        self._packets = 0
        #: Behind a statement that has gone through, until its answer has.
        self._asked = False
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def carry(self) -> None:
        threading.Thread(target=self._carry, daemon=True).start()

    def cut(self) -> None:
        for end in (self._client, self._server):
            end_both_ways(end)

    def _carry(self) -> None:
        answers = threading.Thread(target=self._until_the_end, args=(self._answers,), daemon=True)
        answers.start()
        self._until_the_end(self._questions)
        answers.join()
        # not sooner: a socket's number is soon another's, and who still wrote to it would write there
        self._client.close()
        self._server.close()
        self._wire.forget(self)

    def _until_the_end(self, work: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):
            work()
        self.cut()

    def _questions(self) -> None:
        while piece := self._client.recv(_PIECE):
            self._packets += 1
            at_work = self._packets > GREETING
            cut = self._wire.take(Cut.BEFORE_SENT, Cut.BEHIND_SENT) if at_work else None
            if cut is Cut.BEFORE_SENT:
                return
            if cut is Cut.BEHIND_SENT:
                end_both_ways(self._client)  # first, or its answer might win
            self._asked = at_work
            self._server.sendall(piece)
            if cut is Cut.BEHIND_SENT:
                return

    def _answers(self) -> None:
        while piece := self._server.recv(_PIECE):
            if self._asked and self._wire.take(Cut.ANSWER_LOST):
                return
            self._asked = False
            self._client.sendall(piece)
