"""FastAGI hooks: the dialplan's AGI(agi://...) comes in here.

On the path of a call: the channel is held for as long as the connection is open, and Asterisk itself knows no limit; so
the limit is here.
Promises: every connection is answered and closed within ``deadline_ms``, whatever the other end does: closes early,
sends nothing, one byte a second, garbage, or more connections than ``max_sessions`` (those are closed at once).
Never: waits for the store or the pipeline; lets one connection disturb another.
"""

import asyncio
import logging

from callcenter.errors import BadInput
from callcenter.hooks import agi
from callcenter.hooks.answers import Answer
from callcenter.hooks.desk import UNKNOWN, Hooks
from callcenter.hooks.text import harmless
from callcenter.web.doors import let_wait

log = logging.getLogger(__name__)

WAITING = 1024
"""Connections that the system holds while the loop is busy. When it is full, AGI() waits 2 s before it gives up."""
BURST = 16
"""Taken in before the loop turns: those beyond ``max_sessions`` are open files until it does."""

BUSY = "too many hooks at once: they went on without an answer; raise hooks.max_sessions"


class _Broken(Exception):
    """The other end does not speak AGI, or has gone."""


class FastAgi:
    """The server. ``start`` it, ``close`` it; ``port`` is where it listens."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        assert self._server is not None, "not started"
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen. Raises ``OSError`` if the address is taken."""
        settings = self._hooks.settings
        server = await asyncio.start_server(
            self._accept, settings.agi_host, settings.agi_port, limit=agi.MAX_ENVIRONMENT_BYTES, backlog=BURST
        )
        self._server = let_wait(server, WAITING)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._hooks.enter():
            self._hooks.count(UNKNOWN, "busy", BUSY)
            writer.transport.abort()
            return
        session = asyncio.ensure_future(self._serve(reader, writer))
        self._sessions.add(session)
        session.add_done_callback(self._left)

    def _left(self, session: asyncio.Task[None]) -> None:
        self._sessions.discard(session)
        self._hooks.leave()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(self._hooks, reader, writer)
        result = "broken"
        try:
            async with asyncio.timeout(self._hooks.settings.deadline_ms / 1000):
                result = await session.run()
                # Every reply has been read by now: an unread one would turn the end into a reset, and Asterisk would
                # lose what it was told last.
                writer.close()
                await writer.wait_closed()
        except TimeoutError:
            result = "late"
        except (_Broken, ConnectionError):
            pass
        except Exception as error:
            # Only the kind: a message could hold what a caller sent.
            log.error("hooks: an AGI session failed with %s", type(error).__name__)
        finally:
            writer.transport.abort()
        self._hooks.count(session.hook, result, session.sentence)


class _Session:
    """One connection: Asterisk's opening block, the token, the answer as variables."""

    def __init__(self, hooks: Hooks, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hook = UNKNOWN
        self.sentence = ""
        self._hooks = hooks
        self._reader = reader
        self._writer = writer

    async def run(self) -> str:
        """The result for the metric."""
        block = await self._opening()
        if block is None:
            return "closed"
        try:
            request = agi.request(agi.environment(block))
            self.hook = request.hook.value
            token = await self._token() if request.token is None else request.token
            if not self._hooks.token.admits(token):
                await self._refuse(f"the token is missing or wrong: set the global variable {agi.TOKEN_VARIABLE}")
                return "unauthorised"
            answer = self._hooks.answer(request.hook, dict(request.fields))
        except BadInput as error:
            await self._refuse(str(error))
            return "bad_request"
        await self._tell(answer)
        return "ok"

    async def _opening(self) -> bytes | None:
        try:
            return await self._reader.readuntil(b"\n\n")
        except asyncio.IncompleteReadError as error:
            if not error.partial:
                return None
            raise _Broken from None
        except asyncio.LimitOverrunError:
            raise _Broken from None

    async def _token(self) -> str:
        return (await self._command(agi.ASK_TOKEN)).value

    async def _tell(self, answer: Answer) -> None:
        """CC_HOOK_STATUS comes last: without it the dialplan takes nothing of an answer that was cut short."""
        for name, value in answer.values:
            await self._command(agi.set_variable(f"CC_HOOK_{name.upper() or 'VALUE'}", harmless(value)))
        await self._command(agi.set_variable("CC_HOOK_STATUS", "ok"))

    async def _refuse(self, sentence: str) -> None:
        self.sentence = sentence
        await self._command(agi.verbose(sentence))

    async def _command(self, line: bytes) -> agi.Reply:
        self._writer.write(line)
        await self._writer.drain()
        while True:
            try:
                told = await self._reader.readline()
            except ValueError:
                raise _Broken from None
            if not told.endswith(b"\n"):
                raise _Broken
            reply = agi.reply(told)
            if reply is not None:
                return reply
