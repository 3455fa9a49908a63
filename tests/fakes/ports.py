"""Ports for servers that a test starts, stops and starts again.

Promises: below the range from which the system gives ports to whoever connects, and from a block that no other process
of tests has, so that nobody takes one between its choice and the server's start, or while the server is down.
"""

import socket
from functools import cache

from callcenter.demo.server import Ports

REFUSED = {2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080}
"""Where Chromium opens no page, for other protocols live there."""


class _Block(Ports):
    """Below the blocks of labs."""

    FIRST, SIZE, LAST = 2048, 256, 10240


@cache
def _block() -> _Block:
    """This process's own."""
    return _Block()


def free_port() -> int:
    while (port := _block().take(kinds=(socket.SOCK_STREAM,))) in REFUSED:
        pass
    return port
