"""The push to the seats' pages: last stop of a call's path, from "committed" to "on the screen".

Promises: a page is told at once and only of its own seat; each page has a bounded queue (100 notices, then one
"resync"); notices waiting for the same page are sent as one; a page that does not read is dropped after 10 s; a
heartbeat every 10 s lets both sides notice a dead line. Never: blocks the pipeline, carries a customer's data (a
notice says what has changed, the page fetches it).
"""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from callcenter.calls.model import Call

Key = TypeVar("Key")

QUEUE_NOTICES = 100
STREAMS_PER_SESSION = 4
"""Browsers open six connections to one server at most; what is left carries the saves."""
HEARTBEAT_SECONDS = 10.0
BOARDS_AT_ONCE, BOARDS_PAUSE_SECONDS = 50, 0.02
WRITE_SECONDS = 10.0

DESK = "desk"
BOARD = "board"
HEARD = "heard"
ALARM = "alarm"
RESYNC = "resync"
BYE = "bye"


@dataclass(frozen=True, slots=True)
class Notice:
    """What has changed: ``kind`` is desk, board, ticket, heard, alarm, resync, bye; ``value`` a ticket or a reason."""

    kind: str
    value: str = ""


@dataclass(eq=False)
class Stream:
    """One open page. ``tickets`` are those it shows, beside its own seat's."""

    session: str
    extension: str | None
    tickets: frozenset[int] = frozenset()
    supervisor: bool = False
    waiting: deque[Notice] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    overflows: int = 0

    def put(self, notice: Notice) -> None:
        if notice in self.waiting:
            return
        if len(self.waiting) >= QUEUE_NOTICES:
            self.waiting.clear()
            self.overflows += 1
            notice = Notice(RESYNC)
        self.waiting.append(notice)
        self.wake.set()

    def take(self) -> list[Notice]:
        """All that waits, oldest first."""
        taken = list(self.waiting)
        self.waiting.clear()
        self.wake.clear()
        return taken

    async def next(self, timeout_seconds: float) -> list[Notice]:
        """What waits, as soon as something does; an empty list after ``timeout_seconds``."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self.wake.wait()
        except TimeoutError:
            return []
        return self.take()


class Hub:
    """Who listens, and what to tell them. All methods are synchronous and cheap."""

    def __init__(self, max_streams: int = 1000, board_seconds: float = 1.0) -> None:
        self._max_streams = max_streams
        self._by_seat: defaultdict[str, set[Stream]] = defaultdict(set)
        self._by_ticket: defaultdict[int, set[Stream]] = defaultdict(set)
        self._by_session: defaultdict[str, list[Stream]] = defaultdict(list)
        self._all: set[Stream] = set()
        self._board_seconds = board_seconds
        self._next_boards = 0.0
        self._boards_due: asyncio.TimerHandle | None = None
        self._boards_changed = False
        self.overflows = 0
        self.on_board: Callable[[Collection[str] | None], None] = lambda seats: None
        """Told whenever something that all screens show may be another now, and of which seats; must be cheap."""
        self.wallboards = 0
        """How many are open."""
        self.on_wallboards_told: Callable[[float], object] = lambda seconds: None
        """Told how long after a change the last of them was sent it."""

    @property
    def listening(self) -> int:
        """Open pages."""
        return len(self._all)

    def open(
        self,
        session: str,
        extension: str | None,
        tickets: frozenset[int] = frozenset(),
        supervisor: bool = False,
    ) -> Stream | None:
        """A new page; the session's oldest is closed beyond four of them. ``None`` if the daemon serves too many."""
        if len(self._all) >= self._max_streams:
            return None
        while len(self._by_session[session]) >= STREAMS_PER_SESSION:
            oldest = self._by_session[session][0]
            oldest.put(Notice(BYE, "tabs"))
            self.close(oldest)
        stream = Stream(session, extension, tickets, supervisor)
        self._all.add(stream)
        self._by_session[session].append(stream)
        if extension is not None:
            self._by_seat[extension].add(stream)
        for ticket in tickets:
            self._by_ticket[ticket].add(stream)
        return stream

    def close(self, stream: Stream) -> None:
        if stream not in self._all:
            return
        self._all.discard(stream)
        self.overflows += stream.overflows
        self._by_session[stream.session].remove(stream)
        if not self._by_session[stream.session]:
            del self._by_session[stream.session]
        if stream.extension is not None:
            _discard(self._by_seat, stream.extension, stream)
        for ticket in stream.tickets:
            _discard(self._by_ticket, ticket, stream)

    def seat_changed(self, *extensions: str) -> None:
        """The call, the state or the phone of these seats is another one now."""
        self.on_board(extensions)
        for extension in extensions:
            for stream in self._by_seat.get(extension, ()):
                stream.put(Notice(DESK))

    def heard(self, extension: str) -> None:
        """Something was said in this seat's call."""
        for stream in self._by_seat.get(extension, ()):
            stream.put(Notice(HEARD))

    def alarm(self) -> None:
        """A forbidden phrase was said: tells supervisors."""
        for stream in self._all:
            if stream.supervisor:
                stream.put(Notice(ALARM))

    def call_changed(self, before: Call | None, after: Call) -> None:
        """A committed change of a call: tells every seat that it rings, talks to, or has just let go."""
        self.calls_changed([(before, after)])

    def calls_changed(self, changes: Iterable[tuple[Call | None, Call]]) -> None:
        """All changes of one commit: every page is told once."""
        seats: set[str] = set()
        for before, after in changes:
            seats |= _seats_of(before) | _seats_of(after)
        self.seat_changed(*seats)
        self._note_boards()

    def board_changed(self) -> None:
        """Something that every desk shows changed: waiting calls, seats, the link to Asterisk. Each page is told once a
        second at most, and not all in one go: a pop must not wait behind a thousand boards."""
        self.on_board(None)
        self._note_boards()

    def _note_boards(self) -> None:
        self._boards_changed = True
        if self._boards_due is None and self._all:
            self._boards_due = asyncio.get_running_loop().call_at(self._next_boards, self._begin_boards)

    def _begin_boards(self) -> None:
        self._boards_changed = False
        self._next_boards = asyncio.get_running_loop().time() + self._board_seconds
        self._tell_boards(deque(self._all))

    def _tell_boards(self, rest: deque[Stream]) -> None:
        for _ in range(min(BOARDS_AT_ONCE, len(rest))):
            rest.popleft().put(Notice(BOARD))
        self._boards_due = None
        if rest:
            self._boards_due = asyncio.get_running_loop().call_later(BOARDS_PAUSE_SECONDS, self._tell_boards, rest)
        elif self._boards_changed:
            self._note_boards()

    def ticket_changed(self, ticket_id: int, seat: str | None) -> None:
        """A ticket was written: tells the seat's pages and whoever has it open."""
        listeners = set(self._by_ticket.get(ticket_id, ()))
        if seat is not None:
            listeners |= self._by_seat.get(seat, set())
        for stream in listeners:
            stream.put(Notice("ticket", str(ticket_id)))

    def end_session(self, session: str, reason: str = "logout") -> None:
        """Log-out, or the session was ended from elsewhere (``ended``): its pages are told and closed."""
        for stream in list(self._by_session.get(session, ())):
            stream.put(Notice(BYE, reason))
            self.close(stream)

    def end_all(self) -> None:
        """The daemon stops: every page is told, so that it need not wait for a heartbeat."""
        for stream in list(self._all):
            stream.put(Notice(BYE, "stopping"))
            self.close(stream)


def _discard(index: defaultdict[Key, set[Stream]], key: Key, stream: Stream) -> None:
    index[key].discard(stream)
    if not index[key]:
        del index[key]


def _seats_of(call: Call | None) -> set[str]:
    if call is None:
        return set()
    return {*call.ringing, *call.talking_to, *(ring.seat for ring in call.rings)}


def encode(event: str, data: object, event_id: str | None = None) -> bytes:
    """One server-sent event (HTML Living Standard, 9.2.5)."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


async def batches(stream: Stream) -> AsyncIterator[list[Notice]]:
    """What to tell the page, without end; [] for a heartbeat."""
    while True:
        notices = await stream.next(HEARTBEAT_SECONDS)
        yield notices
        if any(notice.kind == BYE for notice in notices):
            return


def merged(notices: Iterable[Notice]) -> tuple[bool, bool, list[int], bool]:
    """(desk, board, tickets, resync): one batch as one message."""
    kinds = {notice.kind for notice in notices}
    tickets = [int(notice.value) for notice in notices if notice.kind == "ticket"]
    return DESK in kinds, BOARD in kinds, tickets, RESYNC in kinds
