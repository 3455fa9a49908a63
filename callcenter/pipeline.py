"""The path of a call in one screen: take a batch, fold, derive, decide, commit, publish.

Everything that can change a call comes through here in one order: Asterisk's events, the link lost and found, what a
hook told, a timer that is due. One task does it all, and awaits nothing but its own commit.

Promises: a batch closes after ``batch_ms`` or ``batch_events``, whichever is first, and is one transaction: log, calls,
tickets, timers and commands together or not at all. What is published was committed. A commit that fails is tried
again until it succeeds; nothing is thrown away before ``max_waiting_events``, and what is, is counted and makes a gap.
Never: performs a command, holds the loop for more than a slice of ``SLICE`` calls or ``FOLD_SLICE`` events.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from callcenter.ami import journal
from callcenter.ami.events import Event, LinkLost, MemberGone, MemberState, Snapshot
from callcenter.calls.derive import Terms, derive
from callcenter.calls.evidence import Book
from callcenter.calls.fold import fold, fold_snapshot
from callcenter.calls.model import Call, Direction, Phase
from callcenter.calls.naming import endpoint
from callcenter.clock import Clock
from callcenter.errors import BrokenWorld
from callcenter.gaps import Gaps
from callcenter.metrics.figures import Figures
from callcenter.rules import decide
from callcenter.rules.commands import CancelTimer, Command, NoteAttempt, OpenCallback, Performed, StartTimer
from callcenter.rules.timers import Timers
from callcenter.settings import Settings
from callcenter.store.batch import Batch, CdrPosition, Committed, Gap
from callcenter.tickets.callbacks import Ended
from callcenter.tickets.model import TicketPatch, TicketRef, patch_of

log = logging.getLogger(__name__)

SLICE = 50
FOLD_SLICE = 1_000
IDLE_SECONDS = 1.0
"""An idle pipeline tells the store so often that the link is observed."""
RECOVERED_CALLS = 200
"""Calls from Asterisk's records in one batch: after a long absence there may be tens of thousands."""
SETTLE_SECONDS = 3.0
"""An ended call is kept this long, for a straggling event; then it is only in the store."""
NO_CALL_SECONDS = 60.0
"""What is no call (Local channels alone, a hook on an unknown channel) is looked at so often, and let go when idle."""
RETRY_COMMIT_SECONDS = 0.5
COMPLAIN_EVERY_SECONDS = 60.0
"""A store that goes on refusing is logged so often."""
_NOT_LOGGED = (MemberState, MemberGone)


@dataclass(frozen=True, slots=True)
class Changed:
    """A call before and after a batch, with its ticket; what windows, metrics and performers are told."""

    before: Call | None
    after: Call
    ticket: TicketRef | None


class Unit(Protocol):
    """What the pipeline needs of the store: one transaction."""

    async def commit(self, batch: Batch) -> Committed: ...


class Pipeline:
    """One Asterisk server's path. Give it events with ``events``; run ``run`` in a task."""

    def __init__(
        self,
        settings: Settings,
        terms: Callable[[], Terms],
        unit: Unit,
        publish: Callable[[Sequence[Changed], frozenset[str]], None],
        perform: Callable[[Sequence[Performed]], None],
        clock: Clock,
        figures: Figures,
    ) -> None:
        self.settings = settings
        self.server = settings.asterisk.name
        self.book = Book()
        self.calls: dict[str, Call] = {}
        self.timers = Timers()
        self.asterisk_now: Callable[[], float] = clock.wall
        self.take_stock: Callable[[str], None] = lambda reason: None
        """Asks the link for a new snapshot."""
        self.on_callbacks: Callable[[Sequence[Ended]], None] = lambda ended: None
        """Told after a commit that may have changed callbacks; ``ended``: those that are over by it."""
        self._terms = terms
        self._unit = unit
        self._publish = publish
        self._perform = perform
        self._clock = clock
        self._figures = figures
        self._waiting: deque[tuple[float, list[Event]]] = deque()
        """What was taken in, in order, with when that was."""
        self.backlog = 0
        """Events that wait to be committed."""
        self._wake = asyncio.Event()
        self._ending: dict[str, float] = {}
        self._patches: dict[str, int] = {}
        """By call: a fingerprint of what its ticket was last told."""
        self._tickets: dict[str, TicketRef] = {}
        self._recovered: list[tuple[Call | None, Call]] = []
        self._cdr: CdrPosition | None = None
        self.shedding = False
        """Whether what comes is thrown away, because too much waits."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._gaps = Gaps(figures.unobserved.inc)
        self.committed_at = clock.monotonic() - IDLE_SECONDS
        """When the store last took something: monotonic, since the clocks of two machines may jump."""
        self.refusal = ""
        """Why the store does not take the present batch; empty once it has."""

    # --- intake: synchronous, only enqueues ----------------------------------------------------------------------

    def events(self, events: list[Event]) -> None:
        """Take events in order. Beyond the limit they are shed and counted; a gap begins where the first is missing."""
        room = self.settings.intake.max_waiting_events - self.backlog
        if self.shedding:
            self._figures.limit_hit("intake", len(events))
            return
        if len(events) > room:
            self.shedding = True
            self._figures.limit_hit("intake", len(events) - room)
            events = [*events[:room], LinkLost(self.asterisk_now(), "more events than could be stored")]
        if events:
            self._waiting.append((self._clock.monotonic(), events))
        self.backlog += len(events)
        self._idle.clear()
        self._wake.set()

    def recovered(self, calls: Sequence[tuple[Call | None, Call]], position: CdrPosition) -> None:
        """Calls as Asterisk's records tell them, each with what was stored of it, and how far the records were read."""
        self._recovered += calls
        self._cdr = position
        self._wake.set()

    async def drained(self) -> None:
        """Until everything that came has been committed."""
        await self._idle.wait()

    # --- the loop ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        self.committed_at = self._clock.monotonic() - IDLE_SECONDS  # so that the first step says that somebody listens
        while True:
            await self._next_work()
            await self.step()
            if not self._waiting:
                self._idle.set()

    async def _next_work(self) -> None:
        if not self._waiting and not self._recovered:
            self._wake.clear()
            due = None if self._gaps.open else self.timers.next_due()
            pause = 1.0 if due is None else min(1.0, max(0.0, due - self.asterisk_now()))
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                return
        if self.backlog < self.settings.intake.batch_events:
            await asyncio.sleep(self.settings.intake.batch_ms / 1000)

    async def step(self) -> None:
        """One batch, from events to what is published."""
        batch, received_at = self._take()
        now = self.asterisk_now()
        await self._fold(batch)
        gaps = self._gaps.note(batch, now)
        # While nobody listens a caller who waited may have been answered: what is due waits for the next snapshot.
        due = [] if self._gaps.open else self.timers.due(now)
        changed, commands = await self._derive(now)
        recovered, asked = self._take_recovered(now)
        changed += recovered
        commands += asked + self._timer_commands(due, now)
        self._note_timers(commands)
        if batch or changed or commands or due or self._clock.monotonic() - self.committed_at >= IDLE_SECONDS:
            committed = await self._commit(await self._batch(batch, changed, commands, due, gaps, now))
            self.committed_at = self._clock.monotonic()
            self._perform([c for c in commands if isinstance(c, Performed)])
            self._tickets.update(committed.tickets)
            if committed.callbacks or any(isinstance(c, OpenCallback | NoteAttempt) for c in commands):
                self.on_callbacks(committed.callbacks)
            self._publish([Changed(b, a, self._tickets.get(a.call_id)) for b, a in changed], self._take_seats())
            self._figures.batch(len(batch), received_at, self._clock.monotonic())
        self._let_go()

    async def _fold(self, batch: list[Event]) -> None:
        for number, event in enumerate(batch, 1):
            if isinstance(event, Snapshot):
                self.book.now = max(self.book.now, event.at)
                self._figures.expect(event.queues)
                for _ in fold_snapshot(self.book, event, event.at):
                    await asyncio.sleep(0)
            else:
                fold(self.book, event)
            if number % FOLD_SLICE == 0:
                await asyncio.sleep(0)

    def _take(self) -> tuple[list[Event], float]:
        """The next events, and when the first of them was received."""
        taken: list[Event] = []
        limit = self.settings.intake.batch_events
        received_at = self._waiting[0][0] if self._waiting else 0.0
        while self._waiting and len(taken) < limit:
            at, events = self._waiting.popleft()
            room = limit - len(taken)
            taken += events[:room]
            if len(events) > room:
                self._waiting.appendleft((at, events[room:]))
        self.backlog -= len(taken)
        if self.shedding and self.backlog < self.settings.intake.max_waiting_events // 2:
            self.shedding = False
            self.take_stock("more events came than could be stored")
        return taken, received_at

    async def _derive(self, now: float) -> tuple[list[tuple[Call | None, Call]], list[Command]]:
        """The calls that the batch changed, and what the rules want done."""
        changed: list[tuple[Call | None, Call]] = []
        commands: list[Command] = []
        terms = self._terms()
        seats = terms.seats | self.book.seats
        touched, self.book.touched = self.book.touched, set()
        for number, call_id in enumerate(touched, 1):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            before = self.calls.get(call_id)
            after = self._view(call_id, before, terms)
            if after is None:
                self._ending.setdefault(call_id, self._clock.monotonic() + NO_CALL_SECONDS)
                continue
            if after == before:
                continue
            self.calls[call_id] = after
            changed.append((before, after))
            commands += decide.decide(before, after, self.settings, now, seats)
            if after.phase is Phase.ENDED or call_id not in self._ending:
                self._ending[call_id] = self._clock.monotonic() + SETTLE_SECONDS
        return changed, commands

    def _take_seats(self) -> frozenset[str]:
        seats = frozenset(self.book.touched_seats)
        self.book.touched_seats.clear()
        return seats

    def _take_recovered(self, now: float) -> tuple[list[tuple[Call | None, Call]], list[Command]]:
        recovered, self._recovered = self._recovered[:RECOVERED_CALLS], self._recovered[RECOVERED_CALLS:]
        for _, call in recovered:
            self._ending[call.call_id] = self._clock.monotonic()
        changed = [(before, self.calls.setdefault(call.call_id, call)) for before, call in recovered]
        seats = self._terms().seats | self.book.seats if changed else ()
        return changed, [c for b, a in changed for c in decide.decide(b, a, self.settings, now, seats)]

    def _view(self, call_id: str, before: Call | None, terms: Terms) -> Call | None:
        evidence = self.book.calls.get(call_id)
        if evidence is not None:
            return derive(self.book, evidence, terms)
        if before is not None and call_id in self.book.merged:
            return replace(before, phase=Phase.ENDED, merged_into=self.book.resolve(call_id), gates=(), ringing=())
        return None

    def _timer_commands(self, due: Iterable[str], now: float) -> list[Command]:
        commands: list[Command] = []
        for key in due:
            owner = decide.call_of_timer(key)
            call = self.calls.get(owner[1]) if owner and owner[0] == self.server else None
            if call is not None:
                commands += decide.on_timer(key, call, self.settings, now)
        return commands

    def _note_timers(self, commands: Iterable[Command]) -> None:
        for command in commands:
            if isinstance(command, StartTimer):
                self.timers.start(command.key, command.due_at)
            elif isinstance(command, CancelTimer):
                self.timers.cancel(command.key)

    # --- the transaction -----------------------------------------------------------------------------------------

    async def _batch(
        self,
        events: list[Event],
        changed: list[tuple[Call | None, Call]],
        commands: list[Command],
        due: list[str],
        gaps: list[Gap],
        now: float,
    ) -> Batch:
        logged = [event for event in events if not isinstance(event, _NOT_LOGGED)]
        # What comes during the commit belongs to the next one.
        cdr = None
        if not self._recovered:  # how far the records were read holds when all of them are stored
            cdr, self._cdr = self._cdr, None
        return Batch(
            server=self.server,
            at=now,
            log=journal.dumps(logged) if logged else None,
            calls=[after for _, after in changed],
            tickets=await self._changed_patches(changed),
            commands=[CancelTimer(key) for key in due] + commands,
            gaps=gaps,
            observed_until=None if self._gaps.open else now,
            cdr=cdr,
        )

    async def _changed_patches(self, changed: list[tuple[Call | None, Call]]) -> list[TicketPatch]:
        patches = []
        for number, (_, after) in enumerate(changed, 1):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            patch = patch_of(after)
            fingerprint = patch.fingerprint()
            if self._patches.get(after.call_id) != fingerprint:
                self._patches[after.call_id] = fingerprint
                patches.append(patch)
        return patches

    async def _commit(self, batch: Batch) -> Committed:
        complain_at = self._clock.monotonic()
        while True:
            try:
                committed = await self._unit.commit(batch)
            except BrokenWorld as error:
                self._figures.commit_failed()
                if self._clock.monotonic() >= complain_at:
                    complain_at = self._clock.monotonic() + COMPLAIN_EVERY_SECONDS
                    log.warning("the store does not take a batch, it is tried again: %s", error)
                self.refusal = str(error)
                await asyncio.sleep(RETRY_COMMIT_SECONDS)
                continue
            if self.refusal:
                self.refusal = ""
                log.warning("the store takes batches again")
            return committed

    def _let_go(self) -> None:
        now = self._clock.monotonic()
        for call_id in [c for c, at in self._ending.items() if at <= now]:
            del self._ending[call_id]
            call = self.calls.get(call_id)
            if call is None and not self.book.idle(call_id):
                self._ending[call_id] = now + NO_CALL_SECONDS
            elif call is None or call.phase is Phase.ENDED:
                self.book.let_go(call_id)
                for known in (self.calls, self._patches, self._tickets):
                    known.pop(call_id, None)
            else:
                self.book.slim(call_id)

    # --- after a restart -----------------------------------------------------------------------------------------

    def restore(
        self, payloads: Iterable[bytes], running: Sequence[Call], stopped_at: float, open_gaps: Iterable[Gap] = ()
    ) -> None:
        """Fold the log's tail again and keep the calls that were running; what came since is unknown: a gap, unless one
        was open already."""
        for payload in payloads:
            try:
                events = journal.loads(payload)
            except ValueError:
                log.warning("a row of the event log is damaged and was left out; check the disk")
                continue
            for event in events:
                fold(self.book, event)
        self.calls = {call.call_id: call for call in running}
        # Who is a seat was learned from queue members, which are not logged. A member at an outside number is called by
        # the name of the line until Asterisk has said whom it dials: a line is never a seat.
        callers = [(call.direction, endpoint(call.caller_channel)) for call in running if call.caller_channel]
        lines = {name for direction, name in callers if direction is Direction.INBOUND}
        seats = {ring.seat for call in running for ring in call.rings}
        seats |= {name for direction, name in callers if direction is not Direction.INBOUND}
        self.book.seats |= seats - lines
        for call_id in [c for c in self.book.calls if c not in self.calls and not self._has_no_telephone_yet(c)]:
            self.book.let_go(call_id)
        self.book.retired.clear()
        self.book.touched = set(self.book.calls)
        self._gaps.open = list(open_gaps)
        self.events([LinkLost(stopped_at, "the daemon was not running")])

    def _has_no_telephone_yet(self, call_id: str) -> bool:
        """A call that begins with Local channels, as a click-to-call does, is stored once a telephone is there."""
        return not self.book.idle(call_id) and self._view(call_id, None, self._terms()) is None
