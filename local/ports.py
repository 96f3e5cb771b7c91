"""Ports on the loopback interface, which is the only one that anything here listens on."""

import socket

HOST = "127.0.0.1"


def free(preferred: int | None = None) -> int:
    """`preferred` if nothing has it, else a port that nothing has."""
    for candidate in (preferred, 0):
        if candidate is None:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # or a port that was in use a minute ago would look taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            return port
    raise OSError("no free port on the loopback interface")
