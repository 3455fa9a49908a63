"""The store and the live state as the web's ports: the hinge between ``web`` and the rest of the house.

On the path of a call: a window reads and writes through here. ``web/ports`` says what is wanted, the store what there
is; nothing is decided in between.
Never: holds state of its own.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from callcenter.calls.model import Call, RingResult
from callcenter.settings import Settings
from callcenter.speech.live import Live, Talk
from callcenter.speech.reading import Reading
from callcenter.store import users as stored_users
from callcenter.store.errors import NoSuchTicketError
from callcenter.store.store import Store
from callcenter.store.ticket_queries import Page, TicketFilter
from callcenter.tickets import model as tickets
from callcenter.web import health_ports, hearing_ports, ports, ticket_ports


class StoredUsers:
    """``ports.Users``."""

    def __init__(self, store: Store) -> None:
        self._users = store.users

    async def user(self, name: str) -> ports.User | None:
        """By log-in name, or by work number where only one person has it."""
        found = await self._users.get(name) or await self._by_work_number(name)
        return _user(found) if found is not None else None

    async def users(self) -> tuple[ports.User, ...]:
        return tuple(_user(one) for one in await self._users.all())

    async def _by_work_number(self, number: str) -> stored_users.User | None:
        same = [user for user in await self._users.all() if user.work_number == number]
        return same[0] if len(same) == 1 else None

    async def session(self, token_hash: str) -> ports.Session | None:
        found = await self._users.session(token_hash)
        if found is None:
            return None
        return ports.Session(token_hash, found.user.name, found.created_at, found.seen_at)

    async def add_session(self, session: ports.Session) -> None:
        await self._users.begin_session(session.token_hash, session.user, session.created_at)

    async def touch_session(self, token_hash: str, seen_at: float) -> None:
        await self._users.touch_session(token_hash, seen_at)

    async def drop_session(self, token_hash: str) -> None:
        await self._users.end_session(token_hash)

    async def set_language(self, name: str, language: str) -> None:
        await self._users.change(name, language=language)

    async def set_password_hash(self, name: str, password_hash: str) -> None:
        await self._users.change(name, password_hash=password_hash)

    async def change_password(self, name: str, old: str, new: str, keep: str, at: float) -> Sequence[str] | None:
        return await self._users.change_password(name, old, new, keep, at)


def _user(user: stored_users.User) -> ports.User:
    return ports.User(
        user.name,
        ports.Role(user.role),
        user.display_name,
        user.password_hash,
        user.extension,
        user.work_number,
        user.language,
        user.active,
    )


class StoredTickets:
    """``ticket_ports.Tickets``."""

    def __init__(
        self,
        store: Store,
        server: str,
        now: Callable[[], float] = time.time,
        wrapped_up: Callable[[str], None] = lambda call_id: None,
    ) -> None:
        """``wrapped_up`` is told the call whose ticket was closed, or left open, for the first time."""
        self._store = store
        self._wrapped_up = wrapped_up
        self._tickets = store.tickets
        self._server = server
        self._now = now

    async def ticket(self, ticket_id: int) -> ticket_ports.Ticket | None:
        try:
            return await self._whole(await self._tickets.get(ticket_id))
        except NoSuchTicketError:
            return None

    async def by_call(self, server: str, call_id: str) -> ticket_ports.Ticket | None:
        found = await self._tickets.by_call(server, call_id)
        return await self._whole(found) if found is not None else None

    async def call(self, server: str, call_id: str) -> Call | None:
        return await self._store.calls.get(server, call_id)

    async def row(self, ticket_id: int) -> ticket_ports.TicketRow | None:
        try:
            ticket = await self._tickets.get(ticket_id)
        except NoSuchTicketError:
            return None
        call = await self._store.calls.get(ticket.server, ticket.call_id)
        seats = {ring.seat for ring in call.rings if ring.result is not RingResult.NOT_RUNG} if call else set()
        return self._row(ticket, await self._whole(ticket), seats)

    async def search(self, query: ticket_ports.TicketQuery) -> ticket_ports.TicketPage:
        wanted = TicketFilter(
            query=query.text,
            status=tickets.Status(query.status) if query.status in set(tickets.Status) else None,
            seat=query.seat,
            queue=query.queue,
            recovered=True if query.recovered else None,
            unanswered=query.missed,
            number=await self._number_of(query.same_caller_as),
        )
        page = Page(query.limit, await self._after(query.before))
        found = await self._tickets.find(wanted, page)
        return ticket_ports.TicketPage(await self._rows(found.tickets), await self._tickets.count(wanted))

    async def _rows(self, found: Collection[tickets.Ticket]) -> tuple[ticket_ports.TicketRow, ...]:
        return tuple([self._row(ticket, await self._whole(ticket)) for ticket in found])

    async def _number_of(self, ticket_id: int | None) -> str | None:
        """The caller's number of a ticket; one that is withheld matches nothing."""
        if ticket_id is None:
            return None
        try:
            return (await self._tickets.get(ticket_id)).caller_number
        except NoSuchTicketError:
            return ""

    async def _after(self, ticket_id: int | None) -> tuple[float, int] | None:
        if ticket_id is None:
            return None
        try:
            return (await self._tickets.get(ticket_id)).opened_at, ticket_id
        except NoSuchTicketError:
            return None

    async def earlier(self, caller_number: str, before: float, limit: int) -> ticket_ports.TicketPage:
        found = await self._tickets.earlier(caller_number, Page(limit, (before, 0)))
        return ticket_ports.TicketPage(
            await self._rows(found), await self._tickets.count_of_number(caller_number, 0.0, before)
        )

    async def save_fields(
        self, ticket_id: int, changes: Mapping[str, str], by: str, base_version: int, origin: str
    ) -> ticket_ports.Saved:
        at = self._now()
        saved = await self._tickets.save_fields(ticket_id, changes, by, at, base_version, origin)
        conflicts = tuple(ticket_ports.Conflict(c.field, c.other, c.changed_by, c.at) for c in saved.conflicts)
        return ticket_ports.Saved(await self._known(saved.ticket_id), at, conflicts)

    async def add_promise(
        self, ticket_id: int, text: str, due_at: float | None, by: str, key: str
    ) -> ticket_ports.Ticket:
        await self._tickets.save_promise(ticket_id, key, text, due_at, by, self._now())
        return await self._known(ticket_id)

    async def set_promise_done(self, ticket_id: int, key: str, done: bool, by: str) -> ticket_ports.Ticket:
        await self._tickets.keep_promise(ticket_id, key, done, by, self._now())
        return await self._known(ticket_id)

    async def close(self, ticket_id: int, by: str) -> ticket_ports.Ticket:
        at = self._now()
        await self._tickets.close(ticket_id, by, at)
        ticket = await self._known(ticket_id)
        if ticket.closed_at == at and ticket.left_open_at is None:
            self._wrapped_up(ticket.call_id)
        return ticket

    async def leave_open(self, ticket_id: int, by: str) -> ticket_ports.Ticket:
        at = self._now()
        await self._tickets.leave_open(ticket_id, by, at)
        ticket = await self._known(ticket_id)
        if ticket.left_open_at == at:
            self._wrapped_up(ticket.call_id)
        return ticket

    async def reopen(self, ticket_id: int, by: str) -> ticket_ports.Ticket:
        await self._tickets.reopen(ticket_id, by, self._now())
        return await self._known(ticket_id)

    async def today(self, extension: str, since: float) -> ticket_ports.Today | None:
        found = await self._store.calls.of_seat(self._server, extension, since)
        return ticket_ports.Today(found.answered, found.within_three_rings, found.missed, found.talk_seconds)

    async def _known(self, ticket_id: int) -> ticket_ports.Ticket:
        return await self._whole(await self._tickets.get(ticket_id))

    async def _whole(self, ticket: tickets.Ticket) -> ticket_ports.Ticket:
        return self._plain(ticket, await self._tickets.promises(ticket.id))

    def _plain(self, ticket: tickets.Ticket, promises: Collection[tickets.Promise]) -> ticket_ports.Ticket:
        return ticket_ports.Ticket(
            ticket_id=ticket.id,
            number=ticket.number,
            server=ticket.server,
            call_id=ticket.call_id,
            opened_at=ticket.opened_at,
            status=ticket.status.value,
            seat=ticket.seat,
            fields=ticket.fields,
            version=ticket.version,
            updated_at=ticket.updated_at,
            automatic=frozenset(name for name, value in ticket.fields.items() if value) - ticket.typed,
            promises=tuple(
                ticket_ports.Promise(p.key, p.text, p.due_at, p.done_at, p.made_by, p.made_at) for p in promises
            ),
            closed_at=ticket.closed_at,
            closed_by=ticket.closed_by,
            left_open_at=ticket.left_open_at,
            recovered=ticket.recovered,
            merged_into=ticket.merged_into,
        )

    def _row(
        self, ticket: tickets.Ticket, told: ticket_ports.Ticket, seats: Collection[str] = ()
    ) -> ticket_ports.TicketRow:
        call = ticket.call
        return ticket_ports.TicketRow(
            ticket=told,
            caller_number=ticket.caller_number or None,
            queue=call.queue if call else None,
            outcome=call.outcome.value if call and call.outcome else None,
            answered_at=call.answered_at if call else None,
            talk_seconds=call.talk_seconds if call else None,
            rings_heard=call.rings_heard if call else 0,
            seats=frozenset(seats),
            phase=call.phase.value if call else None,
        )


class StoredBooks:
    """``health_ports.Books``."""

    def __init__(self, store: Store, server: str) -> None:
        self._books, self._server = store.books, server

    async def lines(
        self, since: float, until: float, explained: bool | None, kind: str, limit: int
    ) -> list[health_ports.BookLine]:
        found = await self._books.found(self._server, since, until, explained, kind, limit)
        return [health_ports.BookLine(one.difference, one.ticket_id, one.ticket_number) for one in found]

    async def days(self, since: str) -> dict[str, health_ports.BookDay]:
        found = await self._books.days(self._server, since)
        return {day: health_ports.BookDay(one.compared, one.whole, one.done_at) for day, one in found.items()}


class RecordingsFolder:
    """``hearing_ports.Recordings`` over the one folder and the store of recordings."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._folder, self._heard = settings.asterisk.recordings_dir, settings.speech.enabled
        self._store = store
        self._reading = Reading(settings, store)

    def root(self) -> Path | None:
        return self._folder

    async def stored(self, server: str, call_id: str) -> Collection[str]:
        return frozenset(await self._reading.copies(server, call_id))

    async def fetched(self, server: str, call_id: str, track: str) -> Path | None:
        return await self._reading.fetched(server, call_id, track)

    async def transcription(self, server: str, call_id: str) -> hearing_ports.Transcription:
        found = await self._store.speech.status(server, call_id)
        if found is None:
            return hearing_ports.Transcription("soon" if self._heard else "off")
        if found.state != "found":
            return hearing_ports.Transcription(found.state)
        state = {None: "soon" if self._heard else "off", "claimed": "working"}.get(found.job, found.job or "off")
        return hearing_ports.Transcription(state, found.error, found.recording_id, found.code, found.sha256)


class HeardNow:
    """``hearing_ports.Hearing`` over live transcription."""

    LINES = 8

    def __init__(self, live: Live, ticket_of: Callable[[str], int | None]) -> None:
        self._live, self._ticket_of = live, ticket_of

    def heard(self, extension: str) -> hearing_ports.Heard | None:
        talk = self._live.talk(extension)
        if talk is None:
            return None
        said = [
            hearing_ports.HeardLine(one.speaker, one.text, talk.begun_at + one.at) for one in talk.said[-self.LINES :]
        ]
        guessed = [hearing_ports.HeardLine(one.speaker, one.text, talk.begun_at + one.at, True) for one in talk.guessed]
        down = talk.state == "starting" and (self._live.worker is None or self._live.worker.port is None)
        return hearing_ports.Heard(
            talk.call_id,
            "down" if down else talk.state,
            (*said, *guessed)[-self.LINES :],
            _phrases(talk),
            talk.missed_seconds,
            talk.greeted,
        )

    def alarms(self) -> list[hearing_ports.Alarm]:
        return [
            hearing_ports.Alarm(one.seat, self._ticket_of(one.call_id), one.rule, one.heard, one.at)
            for one in self._live.alerts()
        ]


def _phrases(talk: Talk) -> tuple[hearing_ports.HeardPhrase, ...] | None:
    if talk.findings is None:
        return None
    found = (finding for finding in talk.findings if finding["found"])
    return tuple(
        hearing_ports.HeardPhrase(f["phrase"], f["rule"], f["kind"], f["heard"], f["band"] != "sure") for f in found
    )
