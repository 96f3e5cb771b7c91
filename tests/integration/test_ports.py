"""Ports for the stack's own servers: whoever is given one has it, though its server needs seconds to start."""

import contextlib
import errno
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ports, stack
from local.state import State


@contextlib.contextmanager
def listening(port: int) -> Iterator[None]:
    """A server as all of ours: one that may take a port whose connections are just over."""
    with socket.create_server((ports.HOST, port)):
        yield


def test_a_server_listens_on_the_port_that_was_free_for_it() -> None:
    port = ports.free()
    for _ in range(2):  # once more, as after a restart
        with listening(port), socket.create_connection((ports.HOST, port), timeout=5):
            assert ports.free(port) != port
        assert ports.free(port) == port


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere what keeps a port would keep its server out")
def test_until_it_listens_nobody_else_gets_the_port() -> None:
    port = ports.free()
    # what asks for any port asks in this way: no address is bound twice
    with socket.socket() as other, pytest.raises(OSError) as refused:
        other.bind((ports.HOST, port))
    assert refused.value.errno == errno.EADDRINUSE
    # not even one that would share it, as it asks for none by name
    with contextlib.ExitStack() as sockets:
        for _ in range(200):
            sharing = sockets.enter_context(socket.socket())
            sharing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sharing.bind((ports.HOST, 0))
            assert sharing.getsockname()[1] != port


def test_a_site_whose_port_is_somebody_elses_says_that_its_address_is_another_one(tmp_path: Path) -> None:
    state = State(tmp_path)
    first, said = stack.site_address(state)
    assert said == "", "nobody has bookmarks of it"
    port = int(first.rpartition(":")[2])
    with listening(port):
        second, said = stack.site_address(state)
        assert second != first
        assert f"Another program has port {port}, so the wallet is no longer at {first} but at {second}." in said
    assert stack.site_address(state) == (second, "")
