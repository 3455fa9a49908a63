"""The ``Clocks`` port over the memory: the real arithmetic of clocks, by the standard's own matrix."""

from dataclasses import dataclass, field, replace
from typing import Any

from callcenter.calls.model import Direction
from callcenter.errors import BadInput
from callcenter.options import clock_terms
from callcenter.settings import Settings
from callcenter.ticket_clocks import add_rules
from callcenter.tickets.clocks import LEVELS, SEVERITIES, WORST_FIRST, Matter, Pause, State, clocks_of, rank
from callcenter.tickets.dispatch import Kind, Step, choices, dispatch_clocks, standing
from callcenter.tickets.model import Change
from callcenter.web.clock_ports import OfLevel, TicketClocks, Watched, Watching

TERMS = clock_terms(Settings())


@dataclass
class Kept:
    """What is stored of one ticket."""

    level: str | None = None
    severity: str | None = None
    plan_at: float | None = None
    pauses: list[Pause] = field(default_factory=list)
    history: list[Change] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


@dataclass
class MemoryClocks:
    """``memory``: ``tests.fakes.web.Memory``, whose tickets and calls these are."""

    memory: Any
    kept: dict[int, Kept] = field(default_factory=dict)
    away: bool = False
    made: int = 0

    def watched(self) -> Watched | None:
        if self.away:
            return None
        now, levels, worst = self.memory.now(), dict[tuple[str, str], OfLevel](), list[Watching]()
        rules = dict[tuple[str, str], OfLevel]()
        for ticket_id, ticket in self.memory.tickets.items():
            found = self._of(ticket_id) if ticket.status == "open" else None
            if found is None:
                continue
            call = self.memory.calls_by_id.get((ticket.server, ticket.call_id))
            queue = call.queue if call is not None else None
            bad = [clock for clock in found.clocks if clock.state(now) in WORST_FIRST]
            seat = ticket.seat
            worst += [Watching(ticket_id, ticket.number, queue, seat, found.level, clock) for clock in bad]
            over = any(clock.state(now) is State.BREACHED for clock in bad)
            key = queue or "", found.level
            levels[key] = levels.get(key, OfLevel()) + OfLevel(1, int(bool(bad) and not over), int(over))
            add_rules(rules, queue, found.clocks, now)
        return Watched(levels, tuple(sorted(worst, key=lambda one: rank(one.clock, now))), rules=rules)

    async def of(self, ticket_id: int) -> TicketClocks | None:
        return self._of(ticket_id)

    def _of(self, ticket_id: int) -> TicketClocks | None:
        ticket = self.memory.tickets.get(ticket_id)
        if ticket is None:
            return None
        call = self.memory.calls_by_id.get((ticket.server, ticket.call_id))
        if call is not None and call.direction is not Direction.INBOUND:
            return None
        one = self.kept.setdefault(ticket_id, Kept())
        answered = call.answered_at if call is not None else ticket.opened_at
        level = one.level or self.memory.targets.of(call.queue if call is not None else None).service_class
        facts = (one.severity, answered, ticket.closed_at, one.plan_at, tuple(one.pauses))
        matter = Matter(ticket.opened_at, level, *facts, taken=answered is not None)
        clocks = (*clocks_of(matter, TERMS), *dispatch_clocks(one.steps, matter, TERMS))
        facts = (level, one.level is not None, one.severity, clocks, tuple(one.pauses), tuple(one.history))
        return TicketClocks(*facts, tuple(one.steps), ticket.closed_at is not None)

    def _note(self, ticket_id: int, name: str, new: str, by: str) -> Kept:
        one = self.kept.setdefault(ticket_id, Kept())
        one.history.append(Change(name, "", new, by, self.memory.now(), len(one.history)))
        return one

    async def set_level(self, ticket_id: int, level: str, by: str) -> None:
        _one_of(level, LEVELS)
        self._note(ticket_id, "level", level, by).level = level

    async def set_severity(self, ticket_id: int, severity: str, by: str) -> None:
        _one_of(severity, ("", *SEVERITIES))
        self._note(ticket_id, "severity", severity, by).severity = severity or None

    async def pause(self, ticket_id: int, reason: str, by: str) -> None:
        self._note(ticket_id, "pause", reason, by).pauses.append(Pause(self.memory.now(), None, reason, by))

    async def resume(self, ticket_id: int, by: str) -> None:
        one, now = self._note(ticket_id, "resume", "", by), self.memory.now()
        one.pauses = [
            pause if pause.ended_at is not None else Pause(pause.started_at, now, pause.reason, pause.by)
            for pause in one.pauses
        ]

    async def plan_made(self, ticket_id: int, by: str) -> None:
        self._note(ticket_id, "plan", "", by).plan_at = self.memory.now()

    async def step(self, ticket_id: int, kind: str, promised_at: float | None, by: str) -> None:
        steps = self.kept.setdefault(ticket_id, Kept()).steps
        closed = self.memory.tickets[ticket_id].closed_at is not None
        if closed or kind not in choices(steps):
            if closed or kind not in [one.kind for one in standing(steps)]:
                raise BadInput("This step cannot be made now.")
            return
        self.made += 1
        steps.append(Step(self.made, Kind(kind), self.memory.now(), by, promised_at))

    async def take_back(self, ticket_id: int, step_id: int, by: str) -> None:
        steps = self.kept.setdefault(ticket_id, Kept()).steps
        if self.memory.tickets[ticket_id].closed_at is not None or step_id not in [one.id for one in steps]:
            raise BadInput("The ticket has no such step.")
        now = self.memory.now()
        undone = [replace(one, undone_at=now, undone_by=by) if one.id == step_id else one for one in steps]
        self.kept[ticket_id].steps = undone


def _one_of(value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadInput("There is no such value.")
