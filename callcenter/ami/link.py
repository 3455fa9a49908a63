"""The link to Asterisk: connect, log in, take stock, stream events, notice loss, begin again.

Place on the path: the first thing alive. Below it ``ami/wire`` (panoramisk); above it a ``Sink`` that only enqueues.

Promises: after every log-in the sink gets ``LinkUp``, one ``Snapshot``, then the live events in order of arrival,
those that came while the snapshot was read included; at every loss ``LinkLost``, dated to the last thing heard. A dead
peer is noticed within ``ping_every_seconds + answer_within_seconds``. Reconnects back off with jitter; a refused log-in
is tried again no sooner than ``refused_retry_seconds``. An action is sent once or not at all; its outcome is known or
``ActionUnknown``.
Never: interprets an event, blocks on the sink, repeats an action, or logs a value.

All instants handed on are Asterisk's: our wall clock plus the offset that every pong tells.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

from callcenter.ami import rights, snapshot, version
from callcenter.ami.actions import Action
from callcenter.ami.codec import Message
from callcenter.ami.events import Event, LinkLost, LinkUp, Snapshot
from callcenter.ami.glance import EventDecoder
from callcenter.ami.login import Lost, Refused, log_in, tls_context
from callcenter.ami.parse import WANTED, parse
from callcenter.ami.queries import CoreSettings, CoreStatus, ListCommands, Logoff, Ping
from callcenter.ami.status import LinkStatus as LinkStatus
from callcenter.ami.status import Sink as Sink
from callcenter.ami.values import instant, text
from callcenter.ami.wire import Response, Wire
from callcenter.clock import Clock
from callcenter.errors import ActionRefused, ActionUnknown, NotConnected
from callcenter.settings import Asterisk, SettingsError

log = logging.getLogger(__name__)

MAX_BUFFERED_EVENTS = 100_000
"""Events that may come while a snapshot is read; beyond it the link is dropped, rather than an event in silence."""
STABLE_SECONDS = 10.0
"""A link that held so long was a good one: the back-off starts afresh."""


class Link:
    """One Asterisk server. Run ``run`` in a task; read ``status`` and ``counts`` at any time."""

    def __init__(
        self,
        settings: Asterisk,
        secret: Callable[[], str],
        sink: Sink,
        clock: Clock | None = None,
        *,
        rng: random.Random | None = None,
        wanted: Mapping[str, tuple[bytes, ...]] | None = WANTED,
        tap: Callable[[bytes], None] | None = None,
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._sink = sink
        self._clock = clock or Clock()
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._wanted = wanted
        self._tap = tap
        self._wire: Wire | None = None
        self._buffer: list[Event] | None = None
        self._totals: Counter[str] = Counter()
        self._short_lived = 0
        self._told = ""
        self._heard_at = 0.0
        self._ahead: float | None = None
        """Asterisk's clock minus our monotonic one: whoever sets the wall clock of this machine sets nothing here."""
        self._has_queues = False
        self._banner: asyncio.Future[str]
        self._drop: Callable[[str], None]
        self.status = LinkStatus(since=self._clock.wall())

    @property
    def counts(self) -> Counter[str]:
        """Totals since the start: ``seen`` (events that Asterisk sent), ``events`` (handed on), ``logins``,
        ``refusals``, ``losses``, ``late_answers``, ``handler_errors``, ``unwanted``, ``hostile``, ``garbage``."""
        return self._totals + self._of_wire()

    @property
    def certificate_until(self) -> float | None:
        """When the certificate that Asterisk showed ends; ``None`` without TLS."""
        return self._wire.certificate_until if self._wire is not None else None

    def now(self) -> float:
        """Epoch seconds by Asterisk's clock, as well as the last pong told."""
        if self._ahead is None:
            return self._clock.wall()
        return self._clock.monotonic() + self._ahead

    async def perform(self, action: Action, action_id: str | None = None) -> Response:
        """Sends one action, once. Raises ``NotConnected`` (not sent), ``ActionRefused`` (did not happen) or
        ``ActionUnknown`` (may have happened: look at the next snapshot before asking again)."""
        if self._wire is None or self.status.state != "up":
            raise NotConnected("The link to Asterisk is down; the action was not sent.")
        return await self._wire.ask(action, self._settings.action_timeout_seconds, action_id)

    def take_stock(self, reason: str) -> None:
        """Begins anew with a log-in and a snapshot: what was told since the last one is not whole."""
        if self._wire is not None:
            self._wire.drop(reason)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            began = self._clock.monotonic()
            try:
                await self._connection()
            except Refused as refusal:
                self._totals["refusals"] += 1
                self._set("refused", refusal.reason, refusal.remedy)
                wait = self._settings.refused_retry_seconds
            except Lost as loss:
                self._note_loss(str(loss))
                held = self._clock.monotonic() - began
                self._short_lived = 0 if held >= STABLE_SECONDS else self._short_lived + 1
                wait = self._back_off()
            self._tell(f"link {self.status.state}: {self.status.reason}", wait)
            await asyncio.sleep(wait)

    def _tell(self, what: str, wait: float) -> None:
        """A night without Asterisk is one line, not ten thousand: the same reason again is for those who debug."""
        level = logging.DEBUG if what == self._told else logging.WARNING
        log.log(level, "%s (next try in %.1f s)", what, wait)
        self._told = what

    def _back_off(self) -> float:
        settings = self._settings
        ceiling = min(settings.reconnect_max_seconds, settings.reconnect_min_seconds * 2 ** min(self._short_lived, 20))
        return float(ceiling * self._rng.uniform(0.5, 1.0))

    def _note_loss(self, reason: str) -> None:
        s = self._settings
        was_up = self.status.state == "up"
        remedy = f"Check that Asterisk runs and that AMI listens on {s.host}:{s.port} (manager.conf, firewall)."
        self._set("lost", reason, remedy)
        if was_up:
            self._totals["losses"] += 1
            self._emit([LinkLost(self._heard_at, reason)])

    async def _connection(self) -> None:
        """One connection from beginning to end; always raises."""
        wire = self._new_wire()
        try:
            await log_in(wire, self._banner, self._settings, self._read_secret())
            self._totals["logins"] += 1
            self._wire = wire
            await self._take_stock(wire)
            raise Lost(await self._stay(wire))
        except (ActionUnknown, NotConnected) as error:
            raise Lost(wire.lost.result() if wire.lost.done() else str(error)) from None
        except asyncio.CancelledError:
            await self._log_off(wire)
            raise
        finally:
            self._totals += self._of_wire(wire)
            self._wire, self._buffer = None, None
            wire.drop("the link was closed")

    def _read_secret(self) -> str:
        try:
            return self._secret()
        except (SettingsError, OSError) as error:
            raise Refused(str(error), "Make asterisk.secret_file readable for the daemon.") from None

    def _new_wire(self) -> Wire:
        s = self._settings
        self._banner = asyncio.get_running_loop().create_future()
        self._buffer = []
        decoder = EventDecoder(self._wanted, s.max_message_bytes)
        wire = Wire(s.host, s.port, tls_context(s), decoder, self._received, self._tap)
        self._drop = wire.drop
        return wire

    async def _take_stock(self, wire: Wire) -> None:
        """What Asterisk this is and what is alive in it; then the events that came meanwhile."""
        await self._ping(wire)
        up_at = self.now()
        try:
            settings, status = (
                (await self._ask(wire, CoreSettings())).message,
                (await self._ask(wire, CoreStatus())).message,
            )
            may = rights.commands((await self._ask(wire, ListCommands())).message)
            taken = await self._snapshot(wire)
        except ActionRefused as refusal:
            raise Refused(
                f"the account {self._settings.user!r} may not look at the channels ({refusal})",
                "Give it 'write = originate,agent,call,reporting' in manager.conf, then 'manager reload'.",
            ) from None
        running = text(settings.get("AsteriskVersion", ""))  # it goes into the log: one line, whatever it says
        below_floor = version.warning(running)
        self.status = replace(
            self.status,
            asterisk_version=running,
            system_name=text(settings.get("SystemName", "")),
            started=f"{status.get('CoreStartupDate', '')} {status.get('CoreStartupTime', '')}".strip(),
            below_floor=bool(below_floor),
            warning=" ".join(filter(None, (below_floor, rights.warning(may)))),
        )
        self._set("up", "", "")
        self._told = ""
        log.info("link up: Asterisk %s, %s channels", running, len(taken.channels))
        self._release([LinkUp(up_at, self._banner.result()), taken])

    async def _ask(self, wire: Wire, action: Action) -> Response:
        return await wire.ask(action, self._settings.answer_within_seconds)

    async def _snapshot(self, wire: Wire) -> Snapshot:
        """From here to ``_release`` events wait: passed on first, they would be undone by what the snapshot shows."""
        self._buffer = self._buffer or []
        ask = partial(self._ask, wire)
        self._has_queues = await snapshot.has_queues(ask)
        return await snapshot.read(ask, self.now, self._has_queues)

    def _release(self, first: list[Event]) -> None:
        buffered, self._buffer = self._buffer or [], None
        self._emit([*first, *buffered])

    async def _stay(self, wire: Wire) -> str:
        """Pings until the connection is over; the reason of its end."""
        while True:
            await asyncio.wait({wire.lost}, timeout=self._settings.ping_every_seconds)
            if wire.lost.done():
                return wire.lost.result()
            await self._ping(wire)
            if not self._has_queues and await snapshot.has_queues(partial(self._ask, wire)):
                # Asterisk was still booting: now it can tell its queues.
                self._release([await self._snapshot(wire)])

    async def _ping(self, wire: Wire) -> None:
        s, clock = self._settings, self._clock
        sent, began = clock.wall(), clock.monotonic()
        try:
            pong = (await wire.ask(Ping(), s.answer_within_seconds)).message
        except ActionUnknown:
            wire.drop(f"Asterisk did not answer a ping within {s.answer_within_seconds:g} s")
            raise
        received = clock.wall()
        at = instant(pong.get("Timestamp", ""), None)
        offset = self.status.clock_offset_seconds if at is None else at - (sent + received) / 2
        self._ahead = self._ahead if at is None else at - (began + clock.monotonic()) / 2
        self.status = replace(self.status, last_pong_at=received, clock_offset_seconds=offset)
        self._heard_at = self.now()

    async def _log_off(self, wire: Wire) -> None:
        """Politely, and not for long: the task is being cancelled."""
        if not wire.lost.done() and self._wire is wire:
            try:
                await asyncio.wait_for(wire.ask(Logoff(), 0.5), 0.5)
            except (ActionRefused, ActionUnknown, NotConnected, TimeoutError):
                pass

    def _received(self, messages: list[Event | Message]) -> None:
        """From the connection: everything that answers no action."""
        received_at = self._heard_at = self.now()
        events: list[Event] = []
        for message in messages:
            if not isinstance(message, dict):
                events.append(message)
            elif "Event" in message:
                event = parse(message, received_at)
                if event is not None:
                    events.append(event)
            elif "Banner" in message and not self._banner.done():
                self._banner.set_result(message["Banner"])
        if self._buffer is None:
            if events:
                self._emit(events)
            return
        self._buffer += events
        if len(self._buffer) > MAX_BUFFERED_EVENTS:
            self._buffer = []
            self._drop(f"more than {MAX_BUFFERED_EVENTS} events came while the snapshot was read")

    def _emit(self, events: list[Event]) -> None:
        self._totals["events"] += len(events)
        try:
            self._sink.events(events)
        except Exception as error:
            self._totals["handler_errors"] += 1
            log.error("sink raised %s; %s events are lost", type(error).__name__, len(events))

    def _of_wire(self, wire: Wire | None = None) -> Counter[str]:
        wire = wire or self._wire
        return wire.counts + wire.decoder.counts + Counter(seen=wire.decoder.seen) if wire is not None else Counter()

    def _set(self, state: Literal["connecting", "refused", "up", "lost"], reason: str, remedy: str) -> None:
        since = self.status.since if self.status.state == state else self._clock.wall()
        self.status = replace(self.status, state=state, since=since, reason=reason, remedy=remedy)
