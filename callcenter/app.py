"""The composition root: builds everything, starts it in order, stops it in order. The only place that knows all types.

Start: store (refuses a second daemon, a foreign or an old schema), running calls from the log's tail, web, link. Stop:
the link first, so that nothing new comes; then what is in the pipeline; then the windows; then the store. Because
kill -9 is always safe, SIGTERM only makes it polite.
Never: decides anything about a call.
"""

import asyncio
import errno
import gc
import logging
import signal
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from prometheus_client.core import Metric

from callcenter import __version__
from callcenter.ami.actions import Listen
from callcenter.ami.events import Event
from callcenter.ami.link import Link
from callcenter.calls.derive import Terms
from callcenter.calls.evidence import GREETING
from callcenter.calls.naming import greeted_seat
from callcenter.clock import Clock
from callcenter.desk import LiveDesk
from callcenter.effects.outbox import Performer
from callcenter.effects.pauses import Pauses
from callcenter.effects.recovery import Recovery
from callcenter.errors import BrokenWorld
from callcenter.health import Parts
from callcenter.hooks.desk import Hooks
from callcenter.metrics.endings import Endings
from callcenter.metrics.endpoint import metrics_app, metrics_route
from callcenter.metrics.figures import Figures
from callcenter.metrics.live import live_metrics, watch_loop
from callcenter.metrics.push import Pusher
from callcenter.pipeline import Changed, Pipeline
from callcenter.rules.commands import Performed
from callcenter.settings import Settings, read_secret
from callcenter.speech.judging import judged
from callcenter.speech.keeping import Keeper
from callcenter.speech.live import Live
from callcenter.speech.service import Hearing, Recordings, Site, hearings
from callcenter.store.store import Store
from callcenter.store.ticket_queries import TicketFilter
from callcenter.tickets.model import Status
from callcenter.web.fastagi import FastAgi
from callcenter.web.hooks_in import add_routes as add_hooks
from callcenter.web.live import Hub
from callcenter.web.ports import Ports
from callcenter.web.render import WebOptions
from callcenter.web.server import make_app, serve
from callcenter.web.window import WRAP_UP_KEPT_SECONDS
from callcenter.web_ports import HeardNow, RecordingsFolder, StoredTickets, StoredUsers, Telephone

log = logging.getLogger(__name__)

PURGE_EVERY_SECONDS = 600.0
SEATS_EVERY_SECONDS = 5.0
STOP_SECONDS = 5.0
COLLECT_AFTER = (20_000, 5, 100)
"""Allocations before a young collection, young ones before a middle one, middle ones before a full one."""


class Daemon:
    """Everything that runs, wired together; ``start`` brings it up, ``run`` keeps it up until ``stop`` is set."""

    def __init__(self, settings: Settings, store: Store, clock: Clock | None = None) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock or Clock()
        self.stop = asyncio.Event()
        self.server = settings.asterisk.name
        self.seats: frozenset[str] = frozenset()
        self.figures = Figures(settings.queues, settings.targets)
        self.figures.build.labels(__version__).set(1)
        self.endings = Endings(self.figures.ended, settings.asterisk.cdr_file is not None)
        self.hub = Hub(settings.web.max_streams)
        self.pipeline = Pipeline(settings, self.terms, store, self._published, self._asked, self.clock, self.figures)
        self.link = Link(settings.asterisk, self._secret, self.pipeline, self.clock)
        self.pipeline.asterisk_now = self.link.now
        self.pipeline.take_stock = self.link.take_stock
        self.desk = LiveDesk(settings, self.pipeline, lambda: self.link.status)
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
        )
        self.pauses = Pauses(
            self.link.perform,
            lambda: [call for call in self.pipeline.calls.values() if call.running],
            lambda event: self.pipeline.events([event]),
            self.link.now,
            settings.asterisk.pause_limit_seconds,
        )
        self.recovery: Recovery | None = None
        self.ticket_counts: dict[str, int] = {"open": 0, "overdue": 0}
        self.recordings = Recordings(store, settings, self.clock)
        self.keeper = Keeper(store, settings, self.clock)
        self.hearings: list[Hearing] = []
        judge = judged(settings)  # mistakes of a queue's phrase script are told now, also where only live calls need it
        if settings.speech.enabled:
            site = Site(settings, self.desk.work_number, judge)
            self.hearings = hearings(store, site, self.clock, self.figures)
        self.service_levels = store.service_levels(self.server, settings.targets)
        self.tickets = StoredTickets(store, self.server, self.clock.wall, self._wrapped_up)
        self.hooks = Hooks(settings, _HooksOf(self), self._hook_called, self.clock)
        self.parts = Parts(self)
        self.figures.gauges(self._live_metrics)

    def terms(self) -> Terms:
        """What the derivation of calls needs to know of the site."""
        settings = self.settings
        return Terms(
            self.server,
            settings.rings.cadence,
            settings.queue_defaults.rings,
            frozenset(settings.asterisk.trunks),
            self.seats,
            rings_of_queue={name: queue.rings for name, queue in settings.queues.items()},
        )

    def _secret(self) -> str:
        return read_secret(self.settings.asterisk.secret_file, "asterisk.secret_file")

    def _greeted(self, call_id: str, seat: str) -> bool:
        """Whether the dialplan found a greeting for this seat."""
        book = self.pipeline.book
        call = book.calls.get(book.resolve(call_id))
        marks = call.marks if call is not None else ()
        return any(what == GREETING and greeted_seat(name) == seat for _, what, name in marks)

    def _hook_called(self, hook: str, result: str) -> None:
        self.figures.hooks.labels(hook, result).inc()

    def _live_metrics(self) -> Iterable[Metric]:
        yield from self.desk.gauges(self.figures.queue, self.figures.queues)
        yield from live_metrics(self)

    def _wrapped_up(self, call_id: str) -> None:
        call = self.desk.wrapped_up(call_id)
        if call is not None:
            self.figures.wrapped_up(call.queue, self.link.now() - call.ended_at if call.ended_at is not None else 0.0)

    def _published(self, changes: Sequence[Changed], seats: frozenset[str]) -> None:
        """After each commit: memory for the windows, the windows, figures, performers."""
        self.desk.changed(changes, seats)
        if changes:
            self.hub.calls_changed((change.before, change.after) for change in changes)
            self.live.changed(change.after for change in changes)
        for change in changes:
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
        if self.settings.asterisk.cdr_file is not None:
            file = self.settings.asterisk.cdr_file
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

    async def refresh_seats(self) -> None:
        """Extensions of the people who log in are seats, whatever a queue says."""
        people = await self.store.users.all()
        self.seats = frozenset(user.extension for user in people if user.extension)
        self.desk.people({u.extension: (u.work_number, u.display_name) for u in people if u.extension and u.active})

    async def run(self) -> None:
        """Runs all parts until ``stop`` is set; a part that breaks ends the daemon, for limping hides the damage."""
        _collect_seldom()
        loops: list[Callable[[], Coroutine[None, None, None]]] = [
            self.pipeline.run,
            self.performer.run,
            self._keep_house,
            self.live.run,
            lambda: watch_loop(self.figures),
        ]
        if self.settings.metrics.push_url:
            loops.append(Pusher(self.figures, self.settings.metrics, self.server).run)
        if self.recovery is not None:
            loops.append(self.recovery.run)
        loops += [self.recordings.run, self.keeper.run, self.pauses.run, *(hearing.run for hearing in self.hearings)]
        tasks = [asyncio.ensure_future(loop()) for loop in loops]
        link = asyncio.ensure_future(self.link.run())
        stopping = asyncio.ensure_future(self._stopped())
        try:
            done, _ = await asyncio.wait([*tasks, link, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()
        finally:
            await _cancel([link, stopping])
            await self._drain()
            await _cancel(tasks)

    async def _stopped(self) -> None:
        await self.stop.wait()

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
        tickets, now = self.store.tickets, self.clock.wall()
        self.ticket_counts["open"] = await tickets.count(TicketFilter(status=Status.OPEN))
        self.ticket_counts["overdue"] = await tickets.count(TicketFilter(promise_due_before=now))

    async def _purge(self) -> None:
        now, web = self.clock.wall(), self.settings.web
        await self.store.journal.purge(self.server, now - self.settings.store.log_keep_hours * 3600)
        await self.store.users.purge_sessions(
            now - web.session_idle_minutes * 60.0, now - web.session_absolute_hours * 3600.0
        )

    def ports(self) -> Ports:
        members = self.desk.interfaces_of
        return Ports(
            users=StoredUsers(self.store),
            tickets=self.tickets,
            desk=self.desk,
            actions=Telephone(
                self.link.perform, lambda: self.link.status.state == "up", members, self.pauses, self.desk.calls_of
            ),
            recordings=RecordingsFolder(
                self.settings.asterisk.recordings_dir, self.store, self.settings.speech.enabled
            ),
            health=self.parts,
            hearing=HeardNow(self.live, self.desk.ticket_of_id),
            reviews=self.store.reviews,
        )

    def web_options(self) -> WebOptions:
        site, web = self.settings.site, self.settings.web
        return WebOptions(
            company=site.company,
            zone=ZoneInfo(site.timezone),
            cadence=self.settings.rings.cadence,
            language=site.language,
            public_origin=web.public_url.rstrip("/") or None,
            secure_cookies=web.public_url.startswith("https://"),
            session_idle_seconds=web.session_idle_minutes * 60.0,
            session_absolute_seconds=web.session_absolute_hours * 3600.0,
            max_body_bytes=web.max_body_bytes,
            seats_see=web.seats_see,
            categories=site.categories,
            proxies=web.proxies,
            hotline_number=site.hotline_number,
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

    def pause_recording(self, linkedid: str, paused: bool) -> None:
        self._daemon.pauses.ask(linkedid, paused, "dialplan")

    def keeps_ladder(self) -> bool:
        return self._daemon.link.status.state == "up"


def _collect_seldom() -> None:
    """What was built at the start stays: the collector need not look at it again and again. Calls and events are freed
    by their reference counts; cycles are rare, and a full collection holds the loop as long as there are objects."""
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


async def _cancel(tasks: Sequence["asyncio.Future[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def open_store(settings: Settings, *, exclusive: bool = True) -> Store:
    """The store of the settings; a new SQLite file is made. Raises ``StoreError``."""
    store = settings.store
    password_file: Path | None = store.password_file
    return await Store.open(
        store.url,
        password=(lambda: read_secret(password_file, "store.password_file")) if password_file else None,
        timezone=settings.site.timezone,
        synchronous=store.synchronous,
        exclusive=exclusive,
        create=True,
    )


_CANNOT_LISTEN = {
    errno.EADDRINUSE: "another program listens there; end that one",
    errno.EADDRNOTAVAIL: "this machine has no such address; correct it",
    errno.EACCES: "this account may not listen there; take a port above 1023",
}


@contextmanager
def _listening(key: str, host: str, port: int) -> Iterator[None]:
    """An address that cannot be had becomes a sentence. ``key``: the setting of the port."""
    try:
        yield
    except OSError as error:
        reason = _CANNOT_LISTEN.get(error.errno or 0, f"{error.strerror or type(error).__name__}; correct it")
        raise BrokenWorld(f"{key}: cannot listen on {host}:{port}: {reason}, or set another {key}.") from None


async def run(settings: Settings) -> int:
    """``callcenter run``: until SIGTERM or SIGINT; the exit code."""
    async with AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        daemon = Daemon(settings, store)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, daemon.stop.set)
        await daemon.restore()
        own_port = settings.metrics.port
        app = make_app(
            daemon.ports(),
            daemon.web_options(),
            daemon.hub,
            daemon.link.now,
            wall=daemon.clock.wall,
            extra_routes=[] if own_port else [metrics_route(daemon.figures, settings.web)],
        )
        add_hooks(app, daemon.hooks)
        agi = FastAgi(daemon.hooks)
        with _listening("hooks.agi_port", settings.hooks.agi_host, settings.hooks.agi_port):
            await agi.start()
        stack.push_async_callback(agi.close)
        with _listening("web.port", settings.web.host, settings.web.port):
            runner = await serve(app, settings.web.host, settings.web.port)
        stack.push_async_callback(runner.cleanup)
        if own_port:
            with _listening("metrics.port", settings.metrics.host, own_port):
                figures = await serve(metrics_app(daemon.figures, settings.web), settings.metrics.host, own_port)
            stack.push_async_callback(figures.cleanup)
        log.info("callcenter %s is up on http://%s:%d", __version__, settings.web.host, settings.web.port)
        await daemon.run()
    return 0
