"""An in-memory stand-in for everything behind ``web/ports.py``; with a journal it survives kill -9 like the store.

Acknowledged means journalled: a write returns after its line is in the file, so a killed server comes back with it.
"""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp.web import AppRunner
from argon2 import PasswordHasher

from callcenter.calls.model import Call, Outcome, RingResult
from callcenter.errors import (
    BadInput,
    BrokenWorld,
)
from callcenter.metrics.service_levels import (
    Target,
    Targets,
)
from callcenter.metrics.today import (
    CallsToday,
)
from callcenter.web.board_ports import (
    Day,
    Owed,
    ScreenLink,
    Worked,
)
from callcenter.web.health_ports import Part, Unobserved
from callcenter.web.hearing_ports import Alarm, Heard, Transcription
from callcenter.web.ports import (
    LadderStep,
    Link,
    LinkState,
    Phone,
    Ports,
    Queue,
    RefusedError,
    Role,
    Seat,
    Session,
    UnclearError,
    User,
)
from callcenter.web.sessions import token_hash
from callcenter.web.text import midnight
from callcenter.web.ticket_ports import (
    Conflict,
    Promise,
    Saved,
    Ticket,
    TicketPage,
    TicketQuery,
    TicketRow,
    Today,
)
from tests.fakes.callbacks import MemoryCallbacks
from tests.fakes.clocks import MemoryClocks

FAST_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD = "a long enough password"
LADDER = (LadderStep(2, "start", "widen"), LadderStep(3, "end", "announce"))


def user(
    name: str, role: Role, extension: str | None = None, work: str | None = None, shown: str = "", **more: Any
) -> User:
    return User(name, role, shown or name, FAST_HASHER.hash(PASSWORD), extension, work, **more)


USERS = (
    user("li", Role.SEAT, "1001", "018", "李晓雯"),
    user("ma", Role.SEAT, "1002", "011", "马骏"),
    user("wu", Role.SUPERVISOR, "1003", "003", "吴倩"),
    user("qa", Role.QA, None, None, "郑宇"),
    user("root", Role.ADMIN, None, None, "管理员"),
)


@dataclass
class _Change:
    field: str
    old: str
    new: str
    by: str
    at: float
    version: int
    origin: str


@dataclass
class Memory:
    """Users, sessions, tickets and calls. Implements the ``Users``, ``Tickets`` and ``Desk`` ports at once."""

    now: Any
    journal: Path | None = None
    users_by_name: dict[str, User] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    tickets: dict[int, Ticket] = field(default_factory=dict)
    changes: dict[int, list[_Change]] = field(default_factory=dict)
    calls_by_id: dict[tuple[str, str], Call] = field(default_factory=dict)
    ended: dict[str, Call] = field(default_factory=dict)
    seat_states: dict[str, Seat] = field(default_factory=dict)
    link_state: Link = field(default_factory=lambda: Link(LinkState.UP))
    queues: dict[str, Queue] = field(default_factory=dict)
    promise_keys: set[str] = field(default_factory=set)
    fail_saves: bool = False
    audit: list[tuple[str, str, float]] = field(default_factory=list)
    day_read: bool = True
    targets: Targets = field(default_factory=Targets)
    unobserved: float | None = 0.0
    worked: Worked | None = None
    owed: tuple[Owed, ...] | None = ()
    serves: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pauses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """In single queues, by extension."""
    links: dict[str, str] = field(default_factory=dict)
    links_seen: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.users_by_name = {one.name: one for one in USERS}
        for one in USERS:
            if one.extension:
                self.seat_states[one.extension] = Seat(
                    one.extension, one.work_number, one.display_name, Phone.IDLE, since=self.now() - 76
                )
        self.queues["it"] = Queue("it", "IT 支持热线", "远信服务", LADDER)
        if self.journal is not None and self.journal.exists():
            self._replay()

    # -- journal: only what a browser test needs to find again
    def _write(self, kind: str, *values: Any) -> None:
        if self.journal is not None:
            with self.journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps([kind, *values], ensure_ascii=False) + "\n")

    def _replay(self) -> None:
        assert self.journal is not None
        for line in self.journal.read_text(encoding="utf-8").splitlines():
            kind, *values = json.loads(line)
            if kind == "session":
                self.sessions[values[0]] = Session(*values)
            elif kind == "drop":
                self.sessions.pop(values[0], None)
            elif kind == "ticket":
                self.open_ticket(Call_from(values[0]), values[1], journalled=True)
            elif kind == "save":
                self._store(*values)
            elif kind == "promise":
                self._promise(*values)

    # -- Users
    async def user(self, name: str) -> User | None:
        return self.users_by_name.get(name) or next(
            (one for one in self.users_by_name.values() if one.work_number == name), None
        )

    async def users(self) -> tuple[User, ...]:
        return tuple(self.users_by_name.values())

    async def session(self, token_hash: str) -> Session | None:
        return self.sessions.get(token_hash)

    async def add_session(self, session: Session) -> None:
        self.sessions[session.token_hash] = session
        self._write("session", session.token_hash, session.user, session.created_at, session.seen_at)

    async def touch_session(self, token_hash: str, seen_at: float) -> None:
        self.sessions[token_hash] = replace(self.sessions[token_hash], seen_at=seen_at)

    async def drop_session(self, token_hash: str) -> None:
        self.sessions.pop(token_hash, None)
        self._write("drop", token_hash)

    async def set_language(self, name: str, language: str) -> None:
        self.users_by_name[name] = replace(self.users_by_name[name], language=language)

    async def set_password_hash(self, name: str, password_hash: str) -> None:
        self.users_by_name[name] = replace(self.users_by_name[name], password_hash=password_hash)

    async def change_password(self, name: str, old: str, new: str, keep: str, at: float) -> Sequence[str] | None:
        known = self.users_by_name[name]
        if known.password_hash != old:
            return None
        self.users_by_name[name] = replace(known, password_hash=new)
        ended = [one.token_hash for one in self.sessions.values() if one.user == name and one.token_hash != keep]
        for gone in ended:
            await self.drop_session(gone)
        self.audit.append((name, "password_changed", at))
        return ended

    # -- Tickets
    async def ticket(self, ticket_id: int) -> Ticket | None:
        return self.tickets.get(ticket_id)

    async def by_call(self, server: str, call_id: str) -> Ticket | None:
        return next((one for one in self.tickets.values() if (one.server, one.call_id) == (server, call_id)), None)

    async def call(self, server: str, call_id: str) -> Call | None:
        return self.calls_by_id.get((server, call_id))

    async def row(self, ticket_id: int) -> TicketRow | None:
        ticket = self.tickets.get(ticket_id)
        return self._row(ticket) if ticket else None

    def _row(self, ticket: Ticket) -> TicketRow:
        call = self.calls_by_id.get((ticket.server, ticket.call_id))
        if call is None:
            return TicketRow(ticket, ticket.fields.get("phone"), "it", "answered", ticket.opened_at, 188.0, 1)
        seats = frozenset(ring.seat for ring in call.rings)
        return TicketRow(
            ticket,
            call.caller_number,
            call.queue,
            call.outcome,
            call.answered_at,
            call.talk_seconds,
            call.rings_heard,
            seats,
            call.phase.value,
        )

    async def search(self, query: TicketQuery) -> TicketPage:
        rows = [self._row(one) for one in sorted(self.tickets.values(), key=lambda one: -one.opened_at)]
        rows = [row for row in rows if self._fits(row, query)]
        total = len(rows)
        rows = [row for row in rows if query.before is None or row.ticket.ticket_id < query.before]
        return TicketPage(tuple(rows[: query.limit]), total)

    def _fits(self, row: TicketRow, query: TicketQuery) -> bool:
        ticket = row.ticket
        texts = [ticket.number, row.caller_number or "", *ticket.fields.values()]
        same = self.tickets.get(query.same_caller_as or 0)
        return (
            (query.seat is None or query.seat == ticket.seat)
            and (query.queue is None or query.queue == row.queue)
            and (query.status is None or query.status == ticket.status)
            and (not query.missed or row.answered_at is None)
            and (not query.recovered or ticket.recovered)
            and (same is None or self._row(same).caller_number == row.caller_number)
            and any(query.text.lower() in text.lower() for text in texts)
        )

    async def earlier(self, caller_number: str, before: float, limit: int) -> TicketPage:
        rows = [self._row(one) for one in sorted(self.tickets.values(), key=lambda one: -one.opened_at)]
        rows = [row for row in rows if row.caller_number == caller_number and row.ticket.opened_at < before]
        return TicketPage(tuple(rows[:limit]), len(rows))

    async def save_fields(
        self, ticket_id: int, changes: Mapping[str, str], by: str, base_version: int, origin: str
    ) -> Saved:
        if self.fail_saves:
            raise RuntimeError("the number 13800138000 must not be told")
        at = self.now()
        conflicts = [
            Conflict(one.field, one.new, one.by, one.at)
            for one in self.changes.get(ticket_id, ())
            if one.version > base_version
            and one.origin != origin
            and one.field in changes
            and one.new != changes[one.field]
        ]
        self._write("save", ticket_id, dict(changes), by, at, origin)
        self._store(ticket_id, changes, by, at, origin)
        last = {conflict.field: conflict for conflict in conflicts}
        return Saved(self.tickets[ticket_id], at, tuple(last.values()))

    def _store(self, ticket_id: int, changes: Mapping[str, str], by: str, at: float, origin: str) -> None:
        old = self.tickets[ticket_id]
        version = old.version + 1
        for name, value in changes.items():
            change = _Change(name, old.fields.get(name, ""), value, by, at, version, origin)
            self.changes.setdefault(ticket_id, []).append(change)
        self.tickets[ticket_id] = replace(
            old,
            fields={**old.fields, **changes},
            automatic=old.automatic - set(changes),
            version=version,
            updated_at=at,
        )

    async def add_promise(self, ticket_id: int, text: str, due_at: float | None, by: str, key: str) -> Ticket:
        if key not in self.promise_keys:
            self._write("promise", ticket_id, text, due_at, by, key, self.now())
            self._promise(ticket_id, text, due_at, by, key, self.now())
        return self.tickets[ticket_id]

    def _promise(self, ticket_id: int, text: str, due_at: float | None, by: str, key: str, at: float) -> None:
        self.promise_keys.add(key)
        old = self.tickets[ticket_id]
        promise = Promise(key, text, due_at, None, by, at)
        self.tickets[ticket_id] = replace(old, promises=(*old.promises, promise), version=old.version + 1)

    async def set_promise_done(self, ticket_id: int, key: str, done: bool, by: str) -> Ticket:
        old = self.tickets[ticket_id]
        promises = tuple(
            replace(one, done_at=self.now() if done else None) if one.key == key else one for one in old.promises
        )
        self.tickets[ticket_id] = replace(old, promises=promises, version=old.version + 1)
        return self.tickets[ticket_id]

    async def close(self, ticket_id: int, by: str) -> Ticket:
        return self._set(ticket_id, status="closed", closed_at=self.now(), closed_by=by)

    async def leave_open(self, ticket_id: int, by: str) -> Ticket:
        return self._set(ticket_id, left_open_at=self.now())

    async def reopen(self, ticket_id: int, by: str) -> Ticket:
        return self._set(ticket_id, status="open", closed_at=None, closed_by=None, left_open_at=self.now())

    def _set(self, ticket_id: int, **values: Any) -> Ticket:
        old = self.tickets[ticket_id]
        self.tickets[ticket_id] = replace(old, **values, version=old.version + 1, updated_at=self.now())
        return self.tickets[ticket_id]

    async def today(self, extension: str, since: float) -> Today | None:
        mine = [self._row(one) for one in self.tickets.values() if one.seat == extension and one.opened_at >= since]
        answered = [row for row in mine if row.answered_at is not None]
        missed = sum(
            ring.seat == extension and ring.result is RingResult.MISSED
            for call in self.calls_by_id.values()
            for ring in call.rings
        )
        talk = sum(row.talk_seconds or 0 for row in answered)
        return Today(len(answered), sum(row.rings_heard <= 3 for row in answered), missed, talk)

    # -- Desk
    def link(self) -> Link:
        return self.link_state

    def queue(self, name: str | None) -> Queue:
        return self.queues.get(name or "", Queue(name or "—", name or "—", "远信服务", LADDER))

    def seat(self, extension: str) -> Seat:
        return self.seat_states.get(extension, Seat(extension))

    def seats(self) -> Sequence[Seat]:
        return [self.seat_states[key] for key in sorted(self.seat_states)]

    def is_seat(self, extension: str) -> bool:
        return extension in self.seat_states

    def calls(self) -> Sequence[Call]:
        return [call for call in self.calls_by_id.values() if call.running]

    def calls_of(self, extension: str) -> Sequence[Call]:
        return [one for one in self.calls() if extension in one.ringing or extension in one.talking_to]

    def ticket_of(self, call: Call) -> int | None:
        return None

    def last_call(self, extension: str) -> Call | None:
        return self.ended.get(extension)

    # -- Board and Links
    def day(self) -> Day | None:
        if not self.day_read:
            return None
        today = CallsToday(self.targets, midnight(self.now(), ZoneInfo("Asia/Shanghai")))
        for call in self.calls_by_id.values():
            today.changed(call, self.now())
        still_open = sum(one.status == "open" for one in self.tickets.values())
        told = Day(today.since, today.by_queue(), today.missed, self.unobserved, self.owed, still_open)
        return replace(told, worked=self.worked)

    def wrapping_up(self, extension: str) -> Call | None:
        last = self.ended.get(extension)
        if last is None:
            return None
        ticket = next(one for one in self.tickets.values() if one.call_id == last.call_id)
        return last if ticket.status == "open" and ticket.left_open_at is None else None

    def queues_of(self, extension: str) -> Sequence[str]:
        return self.serves.get(extension, ("it",))

    def paused_in(self, extension: str) -> Collection[str]:
        return self.pauses.get(extension, ())

    def target(self, queue: str | None) -> Target:
        return self.targets.of(queue)

    async def names(self) -> Mapping[str, str]:
        return self.links

    async def seen(self, token_hash: str, at: float) -> None:
        self.links_seen[token_hash] = at

    async def listed(self) -> Sequence[ScreenLink]:
        return [ScreenLink(name, self.now(), self.links_seen.get(hashed)) for hashed, name in self.links.items()]

    async def add(self, name: str, by: str) -> str:
        if not name.isalnum() or name in self.links.values():
            raise BadInput(f"{name}: cannot be")
        token = f"a-token-of-a-screen-that-is-long-enough-{len(self.links)}"
        self.links[token_hash(token)] = name
        return token

    async def revoke(self, name: str, by: str) -> None:
        found = [hashed for hashed, known in self.links.items() if known == name]
        if not found:
            raise BadInput(f"{name}: is none")
        del self.links[found[0]]

    # -- what the pipeline would do
    def put(self, call: Call) -> Call | None:
        """Commit a call; returns what it was before. Opens its ticket."""
        key = (call.server, call.call_id)
        before = self.calls_by_id.get(key)
        self.calls_by_id[key] = call
        if not call.running and call.answered_by:
            self.ended[call.answered_by] = call
        if not any((one.server, one.call_id) == key for one in self.tickets.values()):
            self.open_ticket(call, self.now())
        elif call.answered_by:
            ticket = next(one for one in self.tickets.values() if (one.server, one.call_id) == key)
            self.tickets[ticket.ticket_id] = replace(ticket, seat=call.answered_by)
        return before

    def open_ticket(self, call: Call, at: float, *, journalled: bool = False, **fields: str) -> Ticket:
        number = len(self.tickets) + 187
        phone = {"phone": call.caller_number} if call.caller_number else {}
        ticket = Ticket(
            ticket_id=number,
            number=f"26-1122-{number:04}",
            server=call.server,
            call_id=call.call_id,
            opened_at=call.arrived_at or at,
            status="open",
            seat=call.answered_by or (call.ringing[0] if call.ringing else None),
            fields={**phone, **fields},
            version=1,
            updated_at=at,
            automatic=frozenset(phone),
            recovered=call.recovered,
        )
        self.tickets[number] = ticket
        if not journalled:
            self._write("ticket", Call_dict(call), at)
        return ticket


def Call_dict(call: Call) -> dict[str, Any]:  # noqa: N802
    """The few facts of a call that name its ticket."""
    return {
        "server": call.server,
        "call_id": call.call_id,
        "caller_number": call.caller_number,
        "arrived_at": call.arrived_at,
        "ringing": list(call.ringing),
    }


def Call_from(facts: dict[str, Any]) -> Call:  # noqa: N802
    from callcenter.calls.model import Direction, Phase

    return Call(
        facts["server"],
        facts["call_id"],
        Direction.INBOUND,
        Phase.RINGING,
        caller_number=facts["caller_number"],
        arrived_at=facts["arrived_at"],
        ringing=tuple(facts["ringing"]),
    )


@dataclass
class Telephone:
    """The ``Actions`` port: remembers what was asked."""

    actions: frozenset[str] = frozenset()
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    refuse: str = ""
    silent: str = ""
    """What is said of a call that Asterisk does not answer."""
    memory: Memory | None = None

    def possible(self, extension: str) -> frozenset[str]:
        return self.actions

    async def pause(self, extension: str, paused: bool, reason: str) -> None:
        if self.refuse:
            raise RefusedError(self.refuse)
        self.asked.append(("pause", extension, paused, reason))
        if self.memory is not None:
            seat = self.memory.seat_states[extension]
            self.memory.seat_states[extension] = replace(seat, paused=paused, paused_since=self.memory.now())

    async def pause_recording(self, extension: str, paused: bool) -> None:
        if self.refuse:
            raise RefusedError(self.refuse)
        self.asked.append(("record", extension, paused))

    async def dial(self, extension: str, number: str, ticket_id: int | None) -> None:
        if self.refuse:
            raise RefusedError(self.refuse)
        self.asked.append(("dial", extension, number, ticket_id))
        if self.silent:
            raise UnclearError(self.silent)


@dataclass
class Shelf:
    """The ``Recordings`` port."""

    folder: Path | None = None
    copies: dict[str, Path] = field(default_factory=dict)
    away: bool = False
    became: Transcription = field(default_factory=lambda: Transcription("off"))

    def root(self) -> Path | None:
        return self.folder

    async def stored(self, server: str, call_id: str) -> Collection[str]:
        return self.copies.keys()

    async def fetched(self, server: str, call_id: str, track: str) -> Path | None:
        if self.away:
            raise BrokenWorld("The store of recordings cannot be used.")
        return self.copies.get(track)

    async def transcription(self, server: str, call_id: str) -> Transcription:
        return self.became


@dataclass
class Doctor:
    """The ``Health`` port."""

    found: list[Part] = field(default_factory=lambda: [Part("asterisk", True, "up"), Part("store", True, "open")])

    gaps: list[Unobserved] = field(default_factory=list)
    more: list[Part] = field(default_factory=list)
    """What only the status page tells."""

    def parts(self) -> Sequence[Part]:
        return self.found

    def status(self) -> Sequence[Part]:
        return [*self.found, *self.more]

    def unobserved(self) -> Sequence[Unobserved]:
        return self.gaps


@dataclass
class Ear:
    """The ``Hearing`` port: what a test says was heard."""

    by_seat: dict[str, Heard] = field(default_factory=dict)
    alarmed: list[Alarm] = field(default_factory=list)

    def heard(self, extension: str) -> Heard | None:
        return self.by_seat.get(extension)

    def alarms(self) -> Sequence[Alarm]:
        return self.alarmed


def ports(
    memory: Memory,
    telephone: Telephone | None = None,
    folder: Path | None = None,
    ear: Ear | None = None,
    shelf: Shelf | None = None,
) -> Ports:
    return Ports(
        memory,
        memory,
        memory,
        telephone or Telephone(),
        shelf or Shelf(folder),
        Doctor(),
        ear or Ear(),
        board=Board(memory),
        clocks=MemoryClocks(memory),
        links=memory,
        callbacks=MemoryCallbacks(memory.now),
    )


class Board:
    """The ``Board`` port over the memory, whose ``queues`` are settings."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    def queues(self) -> Sequence[str]:
        return sorted(self._memory.queues)


ANSWERED = Outcome.ANSWERED


async def until_ended(*runners: AppRunner, told: object = "ready") -> None:
    """Says on standard output that the servers are there, and keeps them until the process is ended."""
    print(told, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        for runner in runners:
            await runner.cleanup()
