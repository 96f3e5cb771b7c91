"""Lets containers reach what listens on this machine's loopback interface, and nobody else."""

import socket
import socketserver
import threading
from collections.abc import Iterable
from typing import Self

from local import ports

_PIECE = 65_536


class Forwarder:
    """Listens on `address`, an interface that only containers reach, and passes on to the same ports here."""

    def __init__(self, address: str, port_numbers: Iterable[int]) -> None:
        self._servers = [_Server((address, port), _Connection) for port in port_numbers]

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Carries bytes both ways until both sides are done."""
        with socket.create_connection((ports.HOST, self.request.getsockname()[1])) as inner:
            back = threading.Thread(target=_carry, args=(inner, self.request), daemon=True)
            back.start()
            _carry(self.request, inner)
            back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(_PIECE):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # one side has hung up: let the other know
        for end in (source, target):
            end.close()
