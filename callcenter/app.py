"""The composition root: builds everything, starts it in order, stops it in order. The only place that knows all types.

Start: store (refuses a second daemon, a foreign or an old schema), running calls from the log's tail, web, link. Stop:
the link first, so that nothing new comes; then what is in the pipeline; then the windows; then the store. Because
kill -9 is always safe, SIGTERM only makes it polite.
Never: decides anything about a call.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from prometheus_client.core import Metric

from callcenter import __version__
from callcenter.ami.actions import Listen
from callcenter.ami.events import Event
from callcenter.ami.link import Link
from callcenter.board import LiveBoard, StoredLinks
from callcenter.callbacks import LiveCallbacks
from callcenter.calls.derive import Terms
from callcenter.calls.evidence import GREETING
from callcenter.calls.model import Call
from callcenter.calls.naming import greeted_seat
from callcenter.clock import Clock
from callcenter.day_files import days_in
from callcenter.desk import LiveDesk
from callcenter.duty import LiveDuty
from callcenter.effects.outbox import Performer
from callcenter.effects.pauses import Pauses
from callcenter.effects.reconciler import Reconciler
from callcenter.effects.recovery import Recovery
from callcenter.errors import BrokenWorld
from callcenter.health import Parts
from callcenter.hooks.desk import Became, Hooks
from callcenter.lookout import Lookout
from callcenter.metrics.endings import Endings
from callcenter.metrics.figures import Figures
from callcenter.metrics.live import live_metrics, watch_loop
from callcenter.metrics.push import Pusher
from callcenter.options import clock_terms, seat_groups, terms_of
from callcenter.pipeline import Changed, Pipeline
from callcenter.quality.cards import scorecards_of
from callcenter.reconcile import books_files, books_terms
from callcenter.reports.report import Site as ReportSite
from callcenter.rules.commands import Performed
from callcenter.settings import Settings, read_secret
from callcenter.speech.judging import judged
from callcenter.speech.keeping import Keeper
from callcenter.speech.live import Live
from callcenter.speech.service import Hearing, Recordings, Site, hearings
from callcenter.speech.storing import Storing
from callcenter.store.store import Store
from callcenter.store.ticket_queries import TicketFilter
from callcenter.telephone import Telephone
from callcenter.ticket_clocks import LiveClocks
from callcenter.tickets.model import Status
from callcenter.traces.exporter import exporter_of
from callcenter.traces.spans import Known
from callcenter.traces.tracer import Tracer
from callcenter.web.live import Hub
from callcenter.web.ports import History, Ports
from callcenter.web.window import WRAP_UP_KEPT_SECONDS
from callcenter.web_ports import HeardNow, RecordingsFolder, StoredBooks, StoredTickets, StoredUsers
from callcenter.webhooks import webhooks_of

log = logging.getLogger(__name__)

PURGE_EVERY_SECONDS = 600.0
SEATS_EVERY_SECONDS = 5.0
STOP_SECONDS = 5.0


class Daemon:
    """Everything that runs, wired together; ``start`` brings it up, ``run`` keeps it up until ``stop`` is set."""

    def __init__(self, settings: Settings, store: Store, clock: Clock | None = None) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock or Clock()
        self.stop, self.server = asyncio.Event(), settings.asterisk.name
        self.started_at, self.days = self.clock.wall(), days_in(settings)
        self.last_call_at: float | None = None
        """When the last call came; ``None``: none since the start."""
        self.seats: frozenset[str] = frozenset()
        groups = {name: group.seats for name, group in settings.seat_groups.items()}
        self.figures = Figures(settings.queues, settings.targets, groups)
        self.figures.build.labels(__version__).set(1)
        self.endings = Endings(self._ended, settings.asterisk.cdr_file is not None)
        self.hub = Hub(settings.web.max_streams)
        self.hub.on_wallboards_told = self.figures.wallboard_lag.observe
        self.exporter = exporter_of(settings.traces, self.server, self.figures.traced, self.clock)
        self.pipeline = Pipeline(settings, self.terms, store, self._published, self._asked, self.clock, self.figures)
        self.link = Link(settings.asterisk, self._secret, self.pipeline, self.clock)
        self.pipeline.asterisk_now = self.link.now
        self.pipeline.take_stock = self.link.take_stock
        of = self.figures.targets.of
        known = Known(settings.queues, lambda q: of(q).service_class, lambda s: s in self.seats, self.figures.queue)
        self.tracer = Tracer(self.exporter.add if self.exporter else None, self.server, known, self.link.now)
        self.desk = LiveDesk(settings, self.pipeline, lambda: self.link.status)
        zone = ZoneInfo(settings.site.timezone)
        self.callbacks = LiveCallbacks(
            *(settings, store, self.link.now, self.figures.callbacks, self.hub.board_changed),
            lambda ticket: self.hub.ticket_changed(ticket, None),
        )
        self.pipeline.on_callbacks = self.callbacks.changed
        self.board = LiveBoard(
            settings, store, self.pipeline, self.desk, self.callbacks.owing, zone, self.hub.board_changed
        )
        self.duty = self._duty() if settings.roster.files else None
        self.live = Live(
            settings,
            lambda stream, port, uniqueid: self.link.perform(Listen(stream, settings.live.host, port, uniqueid)),
            self.desk.work_number,
            self._greeted,
            self.hub.heard,
            self.hub.alarm,
            self.figures.heard,
            self.clock,
        )
        self.performer = Performer(
            store.outbox,
            self.link.perform,
            self.link.now,
            lambda kind, state: self.figures.commands.labels(kind, state).inc(),
            lambda command, result, took: self.tracer.command(
                self.pipeline.calls.get(command.call_id), type(command).__name__, result, took, command.command_id
            ),
        )
        self.pauses = Pauses(
            self.link.perform,
            lambda: [call for call in self.pipeline.calls.values() if call.running],
            lambda event: self.pipeline.events([event]),
            self.link.now,
            settings.asterisk.pause_limit_seconds,
        )
        self.recovery: Recovery | None = None
        self.reconciler: Reconciler | None = None
        self.ticket_counts: dict[tuple[str, str], int] = {}
        """By state and level: open, and with a promise overdue (C2)."""
        self.recordings = Recordings(store, settings, self.clock, self.tracer.recording)
        self.keeper = Keeper(store, settings, self.clock, self.live)
        self.storing = Storing(store, settings, self.clock, self.figures)
        self.hearings: list[Hearing] = []
        judge = judged(settings)  # mistakes of a queue's phrase script are told now, also where only live calls need it
        self.scorecards = scorecards_of(settings)
        if settings.speech.enabled:
            site = Site(settings, self.desk.work_number, judge, self.tracer.transcribed)
            self.hearings = hearings(store, site, self.clock, self.figures)
        self.service_levels = store.service_levels(self.server, settings.targets)
        self.tickets = StoredTickets(store, self.server, self.clock.wall, self._wrapped_up)
        self.clocks = LiveClocks(
            store.clocks,
            self.server,
            clock_terms(settings, self.days),
            settings.targets,
            self.clock.wall,
            lambda *labels: self.figures.clocks.labels(*labels).inc(),
            self.hub.board_changed,
            seat_groups(settings),
        )
        self.hooks = Hooks(
            settings,
            _HooksOf(self),
            lambda hook, result: self.figures.hooks.labels(hook, result).inc(),
            self.clock,
            lambda hook, linkedid, took: self.tracer.hook(self.pipeline.calls.get(linkedid), hook, took),
            self.days,
        )
        self.lookout = Lookout(store, settings, self.clock, self.days)
        self.pusher = Pusher(self.figures, settings.metrics, self.server) if settings.metrics.push_url else None
        self.webhooks = webhooks_of(settings, store, self.server, self.link.now, self.figures, self.tracer)
        self.parts = Parts(self)
        self.figures.gauges(self._live_metrics)

    def terms(self) -> Terms:
        return terms_of(self.settings, self.seats)

    def _secret(self) -> str:
        return read_secret(self.settings.asterisk.secret_file, "asterisk.secret_file")

    def _duty(self) -> LiveDuty:
        """The duty roster (A5)."""
        return LiveDuty(
            self.settings,
            self.store.duty,
            self.pipeline.book.members_of,
            lambda seat: bool(self.desk.calls_of(seat)),
            lambda: self.link.status.state == "up",
            self.link.now,
            self.hub.board_changed,
            self.days,
        )

    def _greeted(self, call_id: str, seat: str) -> bool:
        """Whether the dialplan found a greeting for this seat."""
        book = self.pipeline.book
        call = book.calls.get(book.resolve(call_id))
        marks = call.marks if call is not None else ()
        return any(what == GREETING and greeted_seat(name) == seat for _, what, name in marks)

    def _ended(self, call: Call) -> None:
        self.figures.ended(call)
        self.tracer.ended(call)

    def _live_metrics(self) -> Iterable[Metric]:
        yield from self.desk.gauges(self.figures.queue, self.figures.queues, self.figures.groups)
        yield from self.clocks.gauges(self.figures.queue)
        yield from live_metrics(self)
        yield from self.callbacks.gauges()
        if self.duty is not None:
            yield from self.duty.metrics()

    def _wrapped_up(self, call_id: str) -> None:
        call = self.desk.wrapped_up(call_id)
        if call is not None:
            self.hub.board_changed()
            self.tracer.wrapped_up(call)
            self.figures.wrapped_up(call, self.link.now() - call.ended_at if call.ended_at is not None else 0.0)

    def _published(self, changes: Sequence[Changed], seats: frozenset[str]) -> None:
        """After each commit: memory for the windows, the windows, figures, performers."""
        self.desk.changed(changes, seats)
        self.board.changed(changes, seats)
        if changes:
            self.hub.calls_changed((change.before, change.after) for change in changes)
            self.live.changed(change.after for change in changes)
            if self.tracer.on:
                self.tracer.changed((change.before, change.after, change.ticket is not None) for change in changes)
        for change in changes:
            if change.before is None:
                self.last_call_at = max(self.last_call_at or 0.0, change.after.arrived_at or 0.0) or None
            if not change.after.running and log.isEnabledFor(logging.DEBUG):
                log.debug("a call has ended: %s", change.after.outcome, extra={"call_id": change.after.call_id})
            self.figures.queue(change.after.queue)
            self.endings.changed(change.before, change.after, self.clock.monotonic())
        if seats:
            self.hub.seat_changed(*seats)

    def _asked(self, commands: Sequence[Performed]) -> None:
        self.performer.take(commands)

    # --- life ----------------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """What an earlier run left: running calls, timers, commands in flight, the gap since."""
        journal = self.store.journal
        await self.refresh_seats()
        observed = await journal.observed_until(self.server)
        start = await journal.replay_from(self.server)
        payloads = [row.payload async for row in journal.tail(self.server, start)] if start is not None else []
        running = await self.store.calls.running(self.server)
        await self._count_tickets()
        if observed is not None:
            self.pipeline.restore(payloads, running, observed, await journal.open_gaps(self.server))
        now = self.clock.wall()
        wrapping_up = await self.store.calls.ended_since(self.server, now - WRAP_UP_KEPT_SECONDS)
        self.desk.changed([Changed(None, call, None) for call in (*wrapping_up, *running)], ())
        self.pipeline.timers.load(await self.store.outbox.timers_of(self.server))
        await self.store.outbox.recover(self.server, now)
        if (file := self.settings.asterisk.cdr_file) is not None:
            position = await journal.cdr_position(self.server, str(file))
            self.recovery = Recovery(
                file,
                self.pipeline,
                lambda call_id: self.store.calls.get(self.server, call_id),
                self.terms,
                self.clock.monotonic,
                position,
                observed is not None,
            )
        if (files := books_files(self.settings)) is not None:
            wall = self.clock.wall
            self.reconciler = Reconciler(self.store.books, files, books_terms(self.settings), wall, self.figures)

    async def refresh_seats(self) -> None:
        """Extensions of the people who log in are seats, whatever a queue says."""
        people = await self.store.users.all()
        self.seats = frozenset(user.extension for user in people if user.extension)
        self.desk.people({u.extension: (u.work_number, u.display_name) for u in people if u.extension and u.active})

    async def run(self) -> None:
        """Runs all parts until ``stop`` is set; a part that breaks ends the daemon, for limping hides the damage."""
        loops: list[Callable[[], Coroutine[None, None, None]]] = [
            self.pipeline.run,
            self.performer.run,
            self._keep_house,
            lambda: watch_loop(self.figures),
        ]
        always = (self.live, self.lookout, self.board, self.callbacks, self.clocks)
        where_set = (self.exporter, self.pusher, self.webhooks, self.recovery, self.reconciler, self.duty)
        loops += [part.run for part in (*always, *where_set) if part is not None]
        loops += [self.recordings.run, self.keeper.run, self.pauses.run, *(hearing.run for hearing in self.hearings)]
        if self.storing.archive is not None:
            loops.append(self.storing.run)
        tasks = [asyncio.ensure_future(loop()) for loop in loops]
        link = asyncio.ensure_future(self.link.run())
        stopping = asyncio.ensure_future(self.stop.wait())
        try:
            done, _ = await asyncio.wait([*tasks, link, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()
        finally:
            await _cancel([link, stopping])
            await self._drain()
            await _cancel(tasks)
            if self.exporter is not None:
                await self.exporter.close()

    async def _drain(self) -> None:
        """What Asterisk said before the stop is still stored."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.pipeline.drained()
        except TimeoutError:
            log.warning("stopped with %d events not stored", self.pipeline.backlog)

    async def _keep_house(self) -> None:
        """Small regular work: the list of seats, and what may be forgotten."""
        purged_at = self.clock.monotonic()
        while True:
            await asyncio.sleep(SEATS_EVERY_SECONDS)
            self.endings.overdue(self.clock.monotonic())
            try:
                await self.refresh_seats()
                await self._count_tickets()
                if self.clock.monotonic() - purged_at >= PURGE_EVERY_SECONDS:
                    purged_at = self.clock.monotonic()
                    await self._purge()
            except BrokenWorld:
                continue  # the store is away for now: the pipeline waits for it, and says so

    async def _count_tickets(self) -> None:
        wanted = {
            "open": TicketFilter(status=Status.OPEN),
            "overdue": TicketFilter(promise_due_before=self.clock.wall()),
        }
        found = {state: await self.store.tickets.by_level(one) for state, one in wanted.items()}
        self.ticket_counts = {
            (state, level): count for state in found for level, count in self.clocks.by_level(found[state]).items()
        }

    async def _purge(self) -> None:
        now, web = self.clock.wall(), self.settings.web
        await self.store.journal.purge(self.server, now - self.settings.store.log_keep_hours * 3600)
        idle, oldest = web.session_idle_minutes * 60.0, web.session_absolute_hours * 3600.0
        await self.store.users.purge_sessions(now - idle, now - oldest)

    def ports(self) -> Ports:
        members = self.desk.interfaces_of
        past = self.store.reports(self.server, self.settings.targets, seat_groups(self.settings))
        return Ports(
            users=StoredUsers(self.store),
            tickets=self.tickets,
            desk=self.desk,
            actions=Telephone(
                *(self.link.perform, lambda: self.link.status.state == "up", members, self.pauses),
                *(self.desk.calls_of, self.desk.on_phone),
            ),
            recordings=RecordingsFolder(self.settings, self.store),
            health=self.parts,
            hearing=HeardNow(self.live, self.desk.ticket_of_id),
            reviews=self.store.reviews,
            board=self.board,
            callbacks=self.callbacks,
            clocks=self.clocks,
            links=StoredLinks(self.store, self.clock.wall),
            history=History(ReportSite.of(self.settings, self.days), past),
            books=StoredBooks(self.store, self.server) if self.reconciler is not None else None,
            roster=self.duty,
        )


class _HooksOf:
    """The daemon as the hooks want it (``hooks.desk.HookDesk``)."""

    def __init__(self, daemon: Daemon) -> None:
        self.queue = daemon.settings.queue
        self.seat = daemon.desk.work_number
        self.now = daemon.link.now
        self._daemon = daemon

    def submit(self, event: Event) -> None:
        self._daemon.pipeline.events([event])

    def pause_recording(self, linkedid: str, paused: bool) -> Became:
        if self._daemon.link.status.state != "up":
            return "no_link"
        return self._daemon.pauses.ask(linkedid, paused, "dialplan")

    def keeps_ladder(self) -> bool:
        return self._daemon.link.status.state == "up"


async def _cancel(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
