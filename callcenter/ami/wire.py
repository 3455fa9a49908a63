"""panoramisk as the wire layer, with its faults kept out: one connection, nothing more.

Place on the path: below ``ami/link``, which decides when to connect, log in, ping and give up. Kept of panoramisk 1.4:
opening the connection (``Manager.connect``), sending (``AMIProtocol.send``), the table of actions that wait for their
answers, ids and futures of actions. Replaced: reading (``ami/codec`` on bytes instead of text per packet), completing
answers, and everything that happens at a loss.

Promises: whole messages only, whatever the packet borders; nothing is ever sent a second time; a waiting action ends
(answer, ``ActionUnknown``) also when the connection does; an exception in a handler is counted and never reaches the
connection; memory is bounded.
Never: reconnects, logs in, or logs a value.
"""

import asyncio
import logging
import ssl
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from panoramisk.actions import Action as PanoramiskAction
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from callcenter.ami.actions import Action, encode
from callcenter.ami.codec import Framer, Message, OversizeMessage
from callcenter.ami.values import text
from callcenter.errors import ActionRefused, ActionUnknown, BadInput, NotConnected

log = logging.getLogger(__name__)

MAX_WAITING_ACTIONS = 1_000
MAX_LIST_ITEMS = 200_000
MAX_UNSENT_BYTES = 262_144


class Response(NamedTuple):
    """Asterisk's answer: its ``Response`` message, and the items of a list answer (without start and end)."""

    message: Message
    items: tuple[Message, ...]


class _Everything:
    """Stock panoramisk keeps unanswered actions and sends them again after a reconnect; no action of ours may be."""

    def __contains__(self, name: object) -> bool:
        return True


class Pending(PanoramiskAction):  # type: ignore[misc]
    """An action that has been sent. panoramisk gives it its id and its future; completing it is ours, for stock reads
    "queued" as the beginning of a list and fails on an Originate without ``Async``."""

    def __init__(self, action: Action, action_id: str | None = None) -> None:
        headers = {"Action": action.NAME}
        if action_id is not None:
            headers["ActionID"] = action_id
        super().__init__(headers)
        self._text = encode(action, self.id).decode()
        self._ends_with = action.ENDS_WITH
        self._head: Message | None = None
        self._items: list[Message] = []

    def __str__(self) -> str:
        return self._text

    def takes(self, message: Message) -> bool:
        """Whether this message belongs to the answer. An ``OriginateResponse`` bears the id too, and is an event."""
        return bool(self._ends_with) or "Event" not in message

    def add_message(self, message: Message) -> bool:
        """Notes a part of the answer; true when it is complete."""
        if self._head is None and "Event" not in message:
            self._head = message
            if message.get("Response") == "Error":
                return self._end(ActionRefused(self["Action"], text(message.get("Message", "no reason given"))))
            return not self._ends_with and self._end(None)
        if message.get("Event") == self._ends_with:
            return self._end(None)
        if len(self._items) < MAX_LIST_ITEMS:
            self._items.append(message)
            return False
        return self._end(ActionUnknown(self["Action"], f"its list has more than {MAX_LIST_ITEMS} items"))

    def _end(self, error: Exception | None) -> bool:
        if not self.future.done():
            if error is not None:
                self.future.set_exception(error)
            else:
                self.future.set_result(Response(self._head or {}, tuple(self._items)))
        return True

    def abandon(self, reason: str) -> None:
        """The connection ended before the answer came."""
        self._end(ActionUnknown(self["Action"], reason))


class Protocol(AMIProtocol):  # type: ignore[misc]
    """Reads with our decoder. Answers go to their actions, everything else to ``handler`` in order of arrival."""

    def __init__(self, wire: "Wire") -> None:
        self.wire = wire
        self.responses: dict[str, Pending] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        # Stock sets these later, in a callback: data may come, or the connection go, before it runs.
        self.factory = self.wire
        self.encoding = "utf-8"

    def data_received(self, data: bytes) -> None:
        wire = self.wire
        if wire.tap is not None:
            wire.guarded(wire.tap, data)
        try:
            messages = wire.decoder.read(data)
        except OversizeMessage as error:
            wire.drop(f"Asterisk sent {error}")
            return
        rest = [m for m in messages if not (isinstance(m, dict) and "ActionID" in m and self._answered(m))]
        if rest:
            wire.guarded(wire.handler, rest)

    def _answered(self, message: Message) -> bool:
        pending = self.responses.get(message["ActionID"])
        if pending is None:
            if "Event" not in message:
                self.wire.counts["late_answers"] += 1
            return "Event" not in message
        if not pending.takes(message):
            return False
        if pending.add_message(message):
            del self.responses[message["ActionID"]]
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        self.wire.lost_because(
            f"the connection broke ({type(exc).__name__})" if exc else "Asterisk closed the connection"
        )
        super().connection_lost(exc)


class Wire(Manager):  # type: ignore[misc]
    """One AMI connection; what ``decoder`` reads goes to ``handler``. ``lost`` is done with the reason as soon as it is
    over; make a new ``Wire`` then."""

    def __init__(
        self,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        decoder: Framer,
        handler: Callable[[list[Any]], None],
        tap: Callable[[bytes], None] | None = None,
    ) -> None:
        super().__init__(
            host=host,
            port=port,
            ssl=tls or False,
            encoding="utf-8",
            loop=asyncio.get_running_loop(),
            protocol_factory=lambda: Protocol(self),
            forgetable_actions=_Everything(),
        )
        self.decoder = decoder
        self.handler = handler
        self.tap = tap
        self.counts: Counter[str] = Counter()
        self.lost: asyncio.Future[str] = self.loop.create_future()

    async def open(self, timeout_seconds: float) -> None:
        """Connects (TLS included). Raises ``OSError`` (``ssl.SSLError`` is one) or ``TimeoutError``."""
        async with asyncio.timeout(timeout_seconds):
            await self.connect()

    @property
    def certificate_until(self) -> float | None:
        """When the peer's certificate ends, epoch seconds; ``None`` without TLS."""
        shown = self.protocol.transport.get_extra_info("peercert") if self.protocol is not None else None
        return float(ssl.cert_time_to_seconds(shown["notAfter"])) if shown else None

    async def ask(self, action: Action, deadline_seconds: float, action_id: str | None = None) -> Response:
        """Sends the action and waits for its answer.

        Raises ``ActionRefused``, ``ActionUnknown`` (deadline or loss: it may have happened), ``NotConnected`` (it was
        not sent), ``BadInput``."""
        if self.lost.done() or self.protocol is None:
            raise NotConnected("There is no connection to Asterisk; the action was not sent.")
        responses = self.protocol.responses
        unsent = self.protocol.transport.get_write_buffer_size()
        if len(responses) >= MAX_WAITING_ACTIONS or unsent > MAX_UNSENT_BYTES:
            raise NotConnected("Asterisk answers too slowly; the action was not sent.")
        pending = Pending(action, action_id)
        if pending.id in responses:
            raise BadInput("action_id is in use by an action that waits for its answer; give each action its own")
        self.send_action(pending)
        try:
            async with asyncio.timeout(deadline_seconds):
                answer: Response = await pending.future
                return answer
        except TimeoutError:
            raise ActionUnknown(action.NAME, f"no answer within {deadline_seconds:g} s") from None
        finally:
            responses.pop(pending.id, None)

    def guarded(self, handler: Callable[[Any], None], value: Any) -> None:
        """Calls a handler; what it raises is a broken program, is logged without its text, and ends here."""
        try:
            handler(value)
        except Exception as error:
            self.counts["handler_errors"] += 1
            frame = traceback.extract_tb(error.__traceback__)[-1]
            log.error("handler raised %s at %s:%s", type(error).__name__, frame.filename, frame.lineno)

    def drop(self, reason: str) -> None:
        """Ends the connection at once, without waiting for the peer."""
        self.lost_because(reason)
        if self.protocol is not None:
            self.protocol.transport.abort()

    def lost_because(self, reason: str) -> None:
        """Notes the first reason; waiting actions end as unknown. Nothing of them is kept."""
        if self.lost.done():
            return
        self.lost.set_result(reason)
        if self.protocol is not None:
            for pending in list(self.protocol.responses.values()):
                pending.abandon(reason)
            self.protocol.responses.clear()

    # What stock panoramisk would do by itself, and must not:

    def connection_made(self, future: "asyncio.Future[Any]") -> None:
        if future.cancelled() or future.exception() is not None:
            return  # stock plans a reconnect; ``open`` has raised, and the link decides
        super().connection_made(future)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stock plans a reconnect here; the link decides."""

    def ping(self) -> None:
        """Stock sends pings whose answers nobody awaits; the link has its own."""
