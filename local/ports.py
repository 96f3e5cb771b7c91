"""Ports on the loopback interface, which is the only one that anything here listens on."""

import socket
import sys

HOST = "127.0.0.1"

# Linux lets a server listen where a socket is bound that doesn't listen, and gives nobody that port who asks for any.
# Elsewhere such a socket would be in the server's way.
_RESERVES = sys.platform == "linux"
_reserved: dict[int, socket.socket] = {}


def free(preferred: int | None = None) -> int:
    """`preferred` if nothing has it, else a port that nothing has.

    A server needs seconds until it has it. On Linux nobody who asks for any port gets it as long as this process lives.
    """
    for candidate in (preferred, 0):
        if candidate is None:
            continue
        probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # or a port that was in use a minute ago would look taken
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, candidate))
        except OSError:
            probe.close()
            continue
        port: int = probe.getsockname()[1]
        if _RESERVES and port not in _reserved:
            _reserved[port] = probe
        else:
            probe.close()
        return port
    raise OSError("no free port on the loopback interface")
