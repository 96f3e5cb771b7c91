"""A TCP proxy that can be told to count, to cut and to refuse: the network between a function and its database."""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

#: Decides, for each chunk on its way, whether it goes on: (from the client?, the bytes) → True, False to cut, or what
#: goes on in its place.
Judge = Callable[[bool, bytes], bool | bytes]


class Proxy:
    """Forwards connections to `target`, whatever that is when they are made; `judge` may cut any at any chunk.

    Cutting before the chunk is forwarded loses it: a request that never arrives, or an answer that is lost after the
    work was done.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()[:2]
        self.judge: Judge = lambda _from_client, _chunk: True
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.cut_all()

    def cut_all(self) -> None:
        """Cuts every connection there is."""
        for end in list(self._open):
            end_both_ways(end)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or the second part of an answer waits 40 ms
            self._open |= {client, server}
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """Both ways, until one ends.

        Only then is a socket closed: its number is soon another's, and who still wrote to it would write there.
        """
        answers = threading.Thread(target=self._pump, args=(server, client, False), daemon=True)
        answers.start()
        self._pump(client, server, True)  # noqa: FBT003 - a judge's first word
        answers.join()
        for end in (client, server):
            self._open.discard(end)
            end.close()

    def _pump(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:  # noqa: FBT001 - a thread's
        try:
            while chunk := source.recv(65536):
                verdict = self.judge(from_client, chunk)
                if verdict is False:
                    break
                sink.sendall(chunk if verdict is True else verdict)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                end_both_ways(end)


def end_both_ways(connection: socket.socket) -> None:
    """Nothing comes or goes by it any more, and who waits for it is woken; its number is its own until it is closed."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
