"""The wallboard: one picture of the hotline for all big screens, drawn once and pushed to each of them.

On the path of a call: after its commit ``web/live.Hub`` says that something changed; at most four times a second the
screen is drawn anew, in each language that is looked at, in parts; a screen is sent the parts that are new to it.
Promises: however many screens there are, a part is rendered, encoded and compressed once; drawing and telling take at
most a fifth of the event loop's time, in pieces of some milliseconds, so that no pop waits behind screens; a screen
that does not read is dropped and misses nothing but pictures; one whose link was revoked, or whose user logged out, is
told and closed. Never: shows a caller's name or number.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from callcenter.errors import BrokenWorld
from callcenter.settings.sections import Wallboard
from callcenter.web.access import EVERYBODY, LINK, SESSION, USER, Problem, Route
from callcenter.web.board_ports import Board, Day
from callcenter.web.context import Web
from callcenter.web.live import WRITE_SECONDS, Hub, encode
from callcenter.web.picture import GZIP_HEADER, Picture, packed
from callcenter.web.ports import Link, Ports
from callcenter.web.render import RENDERER, TEMPLATES, Renderer, language_of
from callcenter.web.roster_view import MOST_LABELS
from callcenter.web.seats_now import SeatsNow
from callcenter.web.wallboard_facts import Facts, Site
from callcenter.web.wallboard_seats import SeatNow
from callcenter.web.wallboard_view import Wall, wall
from callcenter.web.words import N_

log = logging.getLogger(__name__)

DRAW_SECONDS = 0.25
IDLE_SECONDS = 1.0
"""What changes by the time alone is looked at so often."""
SHARE_OF_LOOP, DRAWINGS_OF_USUAL = 0.2, 8
"""Of the last so many drawings on the average."""
BEAT_SECONDS = 2.0
"""A screen that heard nothing for 5 s says that it is not live."""
STALE_SECONDS = 10.0
"""A picture that could not be drawn for so long is not said to be live."""
LOOK_SECONDS = 2.0
"""How soon a revoked link or an ended session is noticed."""
STATIC = TEMPLATES.parent / "static"
SCREENS_AT_ONCE = 25
"""So many are told before the loop looks at anything else."""
FRAME = ("head", "foot")
BELOW_QUEUES = {"roster": 2, "clocks": 3}
"""Lines of queues whose room these take."""
NO_BOARD = N_("This server has no wallboard.")


@dataclass(eq=False)
class Screen:
    """One open wallboard. ``seen``: the last drawing that it was sent."""

    language: str
    link: str | None = None
    packed: bool = False
    """Whether it reads gzip, as every browser does."""
    seen: int = 0
    bye: str = ""
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Screens:
    """All open wallboards, and the picture that they share."""

    def __init__(self, ports: Ports, board: Board, renderer: Renderer, hub: Hub) -> None:
        self._ports, self._board, self._renderer = ports, board, renderer
        self.site = Site(
            renderer.options.wallboard,
            renderer.options.variant,
            renderer.options.target_share,
            ports.desk.queue,
            board.target,
            renderer.options.cadence,
            renderer.options.satisfaction_share,
            renderer.options.three_rings_share,
        )
        self._seats, self._looking = SeatsNow(ports.desk, board), asyncio.Lock()
        self._open: set[Screen] = set()
        self._pictures: dict[str, Picture] = {}
        self._ready: set[str] = set()
        self._changed = asyncio.Event()
        self._waits_since: float | None = None
        """When the oldest change was told that no drawing has seen."""
        self.drawn_at = 0.0
        """When the picture was last known to be right, by the loop's clock."""
        self._hub = hub
        hub.on_board = self._note_change
        chosen = renderer.options.wallboard.tiles
        self.tiles = tuple(tile for tile in chosen if tile != "roster" or ports.roster is not None)
        self.parts = (*FRAME[:1], *self.tiles, *FRAME[1:])
        taken = sum(lines for tile, lines in BELOW_QUEUES.items() if tile in self.tiles)
        self._most_queues = min(self.site.shown.most_queues, 8 - taken)
        self.build = _build(renderer.options.wallboard)
        """Another one after an update or a change of settings: the page loads itself anew."""

    def open(self, language: str, link: str | None, packed: bool = False) -> Screen | None:
        """``None`` if there are too many."""
        if len(self._open) >= self.site.shown.max_screens:
            return None
        screen = Screen(language, link, packed)
        self._open.add(screen)
        self._hub.wallboards = len(self._open)
        self._changed.set()
        return screen

    def close(self, screen: Screen) -> None:
        self._open.discard(screen)
        self._hub.wallboards = len(self._open)

    def _note_change(self, seats: Collection[str] | None) -> None:
        self._seats.touch(seats)
        if self._waits_since is None:
            self._waits_since = time.monotonic()
        self._changed.set()

    def end_all(self) -> None:
        self._end(self._open, "stopping")

    def _end(self, screens: Collection[Screen], why: str) -> None:
        for screen in screens:
            screen.bye = why
            screen.wake.set()

    def news(self, screen: Screen) -> bytes:
        """What the screen has not seen yet."""
        picture = self._pictures.get(screen.language)
        if picture is None:
            return b""
        found = picture.news(screen.seen, self._renderer.now(), screen.packed)
        screen.seen = picture.number
        return found

    def facts(self, now: float) -> Facts:
        """Everything that is true now."""
        day, link = self._board.day(), self._ports.desk.link()
        return self._with(self._seats.all(link, day, now), link, day, now)

    async def facts_kept(self, now: float) -> Facts:
        """The same, without looking at thousands of seats in which nothing changed."""
        async with self._looking:
            day, link = self._board.day(), self._ports.desk.link()
            return self._with(await self._seats.kept(link, day, now), link, day, now)

    def _with(self, seats: Sequence[SeatNow], link: Link, day: Day | None, now: float) -> Facts:
        board, roster = self._board, self._ports.roster
        muster = roster.muster() if roster is not None else None
        clocks = self._ports.clocks.watched() if self._ports.clocks is not None else None
        return Facts(now, link, board.calls(), seats, day, self._ports.health.parts(), board.queues(), muster, clocks)

    def drawn(self, language: str) -> dict[str, str]:
        """The parts as they are now."""
        now = self._renderer.now()
        return self._parts(language, wall(self.facts(now), self.site, None, self._most_queues), now)

    def _parts(self, language: str, shown: Wall, now: float) -> dict[str, str]:
        return {part: self._part(part, language, shown, now) for part in self.parts}

    def _part(self, part: str, language: str, shown: Wall, now: float) -> str:
        return self._renderer.text(
            f"wall/{part}.html",
            language,
            w=shown,
            now=now,
            most_labels=MOST_LABELS,
        ).strip()

    async def run(self) -> None:
        """Until cancelled. Draws while somebody looks."""
        loop = asyncio.get_running_loop()
        looked_at, usual = loop.time(), 0.0
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            began = time.thread_time()
            try:
                await self._draw({screen.language for screen in self._open})
                self.drawn_at = loop.time()
            except Exception as error:  # said once a second, and by the screens: they hear nothing more
                log.error("the wallboard cannot be drawn: %s", type(error).__name__)
            spent = time.thread_time() - began  # the loop's whole work meanwhile: a busy daemon draws less often
            if loop.time() - looked_at >= LOOK_SECONDS:
                looked_at = loop.time()
                await self._look_at_links()
            usual += (spent - usual) / DRAWINGS_OF_USUAL  # one that looked at every seat is no reason to be late
            await asyncio.sleep(max(DRAW_SECONDS, usual / SHARE_OF_LOOP))

    async def _draw(self, languages: Collection[str]) -> None:
        """In pieces, so that a pop waits for none of them but the one that is at work."""
        since, self._waits_since = self._waits_since, None
        if not languages:
            return
        now = self._renderer.now()
        facts = await self.facts_kept(now)
        await asyncio.sleep(0)
        shown = wall(facts, self.site, None, self._most_queues)
        for language in languages:
            await self.ready(language)
            await asyncio.sleep(0)
            self._pictures.setdefault(language, Picture()).replace(self._parts(language, shown, now))
        if await self._tell() and since is not None:
            self._hub.on_wallboards_told(time.monotonic() - since)

    async def _tell(self) -> int:
        """The screens, some at a time: between them the loop looks at what else there is to do."""
        told = 0
        for screen in list(self._open):
            picture = self._pictures.get(screen.language)
            if picture is not None and screen.seen < picture.number:
                screen.wake.set()
                told += 1
                if told % SCREENS_AT_ONCE == 0:
                    await asyncio.sleep(0)
        await asyncio.sleep(0)
        return told

    async def ready(self, language: str) -> None:
        """Compiles the templates before they are first drawn, in a thread: it takes longer than a pop may wait."""
        if language not in self._ready:
            await asyncio.to_thread(self._renderer.compile, [f"wall/{part}.html" for part in self.parts], language)
            self._ready.add(language)

    async def _look_at_links(self) -> None:
        if self._ports.links is None or not any(screen.link for screen in self._open):
            return
        try:
            names = await self._ports.links.names()
        except BrokenWorld:
            return  # the store is away for now: what was open stays open
        self._end([screen for screen in self._open if screen.link is not None and screen.link not in names], "revoked")


def _build(shown: Wallboard) -> str:
    """A short name of what a screen is made of: its settings, and every file that it loads."""
    digest = hashlib.sha256(repr(shown).encode())
    for file in sorted([TEMPLATES / "wallboard.html", *STATIC.glob("*.css"), *STATIC.glob("js/*.js")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


SCREENS: web.AppKey[Screens] = web.AppKey("screens", Screens)


def add(app: web.Application, ports: Ports, hub: Hub) -> None:
    """Gives the application its screens, where there is a board."""
    if ports.board is None:
        return
    screens = app[SCREENS] = Screens(ports, ports.board, app[RENDERER], hub)

    async def running(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(screens.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def told(_: web.Application) -> None:
        screens.end_all()

    app.cleanup_ctx.append(running)
    app.on_shutdown.append(told)


def screens_of(request: web.Request) -> Screens:
    """404 where there is no board."""
    found: Screens | None = request.app.get(SCREENS)
    if found is None:
        raise Problem(404, NO_BOARD)
    return found


async def show(request: web.Request) -> web.StreamResponse:
    """The page, with the picture of this moment already on it."""
    screens, web_ = screens_of(request), Web(request)
    shown = screens.site.shown
    await screens.ready(language_of(request))
    return web_.page(
        "wallboard.html",
        parts=screens.drawn(language_of(request)),
        build=screens.build,
        shown=shown,
        tiles=screens.tiles,
    )


async def alive(request: web.Request) -> web.StreamResponse:
    """For a screen that lost its stream: whether to come again, or whether its link was revoked."""
    screens_of(request)
    return web.Response(status=204)


async def live(request: web.Request) -> web.StreamResponse:
    """Server-sent events for one screen, until it leaves, may look no longer, or reads too slowly."""
    screens = screens_of(request)
    packs = "gzip" in request.headers.get("Accept-Encoding", "")
    screen = screens.open(language_of(request), request.get(LINK), packs)
    if screen is None:
        raise Problem(
            503, N_("Too many screens are open on this server. Close some and load this one again."), "screens"
        )
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "X-Accel-Buffering": "no",
            "Vary": "Accept-Encoding",
            **({"Content-Encoding": "gzip"} if packs else {}),
        }
    )
    try:
        await response.prepare(request)
        hello = _for(screen, "hello", {"now": Web(request).now(), "build": screens.build})
        await _write(response, (GZIP_HEADER if packs else b"") + hello)
        await _pump(request, screens, screen, response)
    except (ConnectionResetError, TimeoutError, BrokenWorld):
        pass  # the screen left or does not read; it will come again and ask for everything
    finally:
        screens.close(screen)
    return response


def _for(screen: Screen, event: str, data: object) -> bytes:
    return packed(encode(event, data)) if screen.packed else encode(event, data)


async def _pump(request: web.Request, screens: Screens, screen: Screen, response: web.StreamResponse) -> None:
    loop = asyncio.get_running_loop()
    looked_at = wrote_at = loop.time()
    while not screen.bye:
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await screen.wake.wait()
        except TimeoutError:
            pass
        screen.wake.clear()
        if loop.time() - looked_at >= LOOK_SECONDS and not screen.bye:
            looked_at = loop.time()
            screen.bye = "" if await _may_look(request) else "logout"
        news = screens.news(screen)
        stale = loop.time() - screens.drawn_at > STALE_SECONDS
        if news or (loop.time() - wrote_at >= BEAT_SECONDS / 2 and not stale):
            wrote_at = loop.time()
            await _write(response, news or _for(screen, "beat", {"now": Web(request).now()}))
    await _write(response, _for(screen, "bye", {"reason": screen.bye}))


async def _may_look(request: web.Request) -> bool:
    """Of somebody who logged in; links are looked at for all screens at once."""
    if USER not in request:
        return True
    users = Web(request).ports.users
    try:
        session, user = await users.session(request[SESSION].token_hash), await users.user(request[USER].name)
    except BrokenWorld:
        return True  # the store is away for now: what was open stays open
    return session is not None and user is not None and user.active


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(data)


ROUTES = [
    Route("GET", "/wallboard", show, EVERYBODY, page=True, screens=True),
    Route("GET", "/wallboard/alive", alive, EVERYBODY, screens=True),
    Route("GET", "/wallboard/live", live, EVERYBODY, screens=True),
]
