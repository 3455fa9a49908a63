"""The doors' hinges: connections are taken in, counted and shown out here, before a request is read.

Beside the path of a call. All doors to the world, the web's and that of the figures, share one budget of open files.
Promises: whoever opens connections and says nothing keeps nobody out, and takes no file from the database, Asterisk or
the hooks: beyond the budget the oldest that has asked nothing makes room, then the one whose last answer is longest
ago, and only if all are at work the new one is turned away. A body that has not arrived is nothing asked. What is no
HTTP costs a line of log a minute. Never: reads what a request is about.
"""

import asyncio
import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler

from callcenter.web.access import Handler
from callcenter.web.headers import SERVER

UNREADABLE = (
    "400: this cannot be read: the address or a header is too long, or it is no HTTP. "
    "Shorten the address and ask again."
)
COMPLAIN_EVERY_SECONDS = 60.0
SPARE_FILES = 192
"""Open files that connections leave to the database, Asterisk, books, sound and secrets; those of the hooks beside."""
MOST_FILES = 65_536
FEWEST = 64
FILES_EACH = 2
"""A connection is one file, and what it is sent may be another."""
WAITING = 2_048
"""Connections that the system holds while the loop is busy."""


def most_connections(hooks: int = 0) -> int:
    """What the limit on open files allows to all doors together. ``hooks``: how many may ask at once."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = min(hard, MOST_FILES) if hard != resource.RLIM_INFINITY else MOST_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(FEWEST, (files - min(SPARE_FILES + hooks, files // 2)) // FILES_EACH)


class Doors:
    """The budget that all listeners share. ``hit`` counts a limit that was reached, by its name."""

    def __init__(self, most: int | None = None, hit: Callable[[str], object] = lambda limit: None) -> None:
        self.most = most or most_connections()
        self.hit = hit
        # Each in the order of its last change, the oldest first.
        self._silent: dict[_Connection, None] = {}
        self._idle: dict[_Connection, None] = {}
        self._busy: set[_Connection] = set()

    @property
    def open(self) -> int:
        return len(self._silent) + len(self._idle) + len(self._busy)

    @property
    def burst(self) -> int:
        """How many are taken in before the loop turns: few enough that no newcomer is shown out before it could ask."""
        return max(1, min(16, self.most // 32))

    def came(self, one: "_Connection") -> None:
        self._silent[one] = None
        if self.open <= self.most:
            return
        self.hit("connections")
        oldest = next(iter(self._silent))
        if oldest is one and self._idle:
            oldest = next(iter(self._idle))
        self.left(oldest)
        oldest.shut()

    def left(self, one: "_Connection") -> None:
        self._silent.pop(one, None)
        self._idle.pop(one, None)
        self._busy.discard(one)

    @contextmanager
    def at_work(self, one: "_Connection") -> Iterator[None]:
        """While it is answered nobody takes its place."""
        known = one in self._silent or one in self._idle
        self.left(one)
        if known:
            self._busy.add(one)
        try:
            yield
        finally:
            if one in self._busy:
                self._busy.discard(one)
                self._idle[one] = None


@web.middleware
async def at_work(request: web.Request, handler: Handler) -> web.StreamResponse:
    """For every application that is served here; behind whatever receives bodies, so that one that trickles does not
    count."""
    connection = request.protocol
    if not isinstance(connection, _Connection):
        return await handler(request)
    with connection.doors.at_work(connection):
        return await handler(request)


class _Connection(RequestHandler):
    """aiohttp's own, in the books of the doors. aiohttp answers by itself what it cannot read, and would name its
    version and Python's there, and repeat what it was sent."""

    __slots__ = ("doors",)

    def __init__(self, doors: Doors, server: web.Server, **options: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self.doors = doors

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.doors.came(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.doors.left(self)
        super().connection_lost(exc)

    def shut(self) -> None:
        """At once: closing alone would wait for an other end that does not read."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if isinstance(exc, LineTooLong):
            self.doors.hit("request_head")
        response = super().handle_error(request, status, exc, message)
        response.headers["Server"] = SERVER
        if isinstance(response, web.Response) and response.status == 400:
            response.text = UNREADABLE
        return response


class Runner(web.AppRunner):
    """aiohttp's runner with a listener of ours."""

    listener: asyncio.Server

    async def cleanup(self) -> None:
        self.listener.close()
        await super().cleanup()


async def serve(app: web.Application, host: str, port: int, doors: Doors | None = None) -> Runner:
    """Start listening. Raises ``OSError`` if the address is taken. The caller ends it by ``runner.cleanup()``.

    ``doors``: the budget shared with other listeners."""
    runner = Runner(
        app,
        access_log=None,
        max_line_size=4096,
        max_field_size=8190,
        keepalive_timeout=75,
        shutdown_timeout=3,
        auto_decompress=False,  # nobody sends us compressed bodies but to see what happens
        logger=_quiet_logger(),
    )
    await runner.setup()
    server, shared = runner.server, Doors() if doors is None else doors
    assert server is not None

    def taken_in() -> asyncio.Protocol:
        return _Connection(shared, server, **server._kwargs)

    listener = await asyncio.get_running_loop().create_server(taken_in, host, port, backlog=shared.burst)
    runner.listener = let_wait(listener, WAITING)
    return runner


def let_wait(listener: asyncio.Server, waiting: int) -> asyncio.Server:
    """``backlog`` is two things to asyncio: how many wait in the system, and how many are taken in before the loop
    turns and could close anything. The second has to be small; this makes the first large again."""
    for one in listener.sockets:
        with one.dup() as same:
            same.listen(waiting)
    return listener


def _quiet_logger() -> logging.Logger:
    """aiohttp logs each request that is no HTTP with a trace and with the bytes that were sent: anybody could fill the
    log, and with anything. Here it is the kind of the fault, once a minute."""
    quiet = logging.getLogger(f"{__name__}.http")
    quiet.filters.clear()
    told: dict[str, float] = {}

    def once_a_minute(record: logging.LogRecord) -> bool:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "no HTTP"
        record.msg, record.args, record.exc_info = "a request could not be read: %s", (kind,), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        if record.created - told.get(kind, 0.0) < COMPLAIN_EVERY_SECONDS:
            return False
        told[kind] = record.created
        return True

    quiet.addFilter(once_a_minute)
    return quiet
