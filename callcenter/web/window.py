"""The seat's window: what a seat sees of its call, from the frozen view to what the templates print. Pure.

Promises: ``window`` is pure and total: any mixture of seat and calls gives one state; a running talk comes before a
ringing, a ringing before wrap-up. Never: counts by the phone's seconds where the caller's rings are meant (A1), shows
a button that nothing stands behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from callcenter.calls.model import Call, Hold, Phase, RingResult
from callcenter.rules.cadence import Cadence
from callcenter.tickets.model import number_key
from callcenter.web.ports import (
    Link,
    LinkState,
    Phone,
    Queue,
    Seat,
)
from callcenter.web.text import phone
from callcenter.web.ticket_ports import Ticket, TicketPage, TicketRow

WRAP_UP_KEPT_SECONDS = 1800.0
"""A ticket that nobody finished leaves the call bar after half an hour; it stays in the list."""


class State(StrEnum):
    """The seat's state as the call bar names it."""

    FREE = "free"
    RINGING = "ringing"
    TALKING = "talking"
    HOLD = "hold"
    WRAPUP = "wrapup"
    BREAK = "break"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


ON_CALL = frozenset({State.RINGING, State.TALKING, State.HOLD, State.WRAPUP})


@dataclass(frozen=True, slots=True)
class Window:
    """What the window shows. ``since`` is the start of the state, ``hold`` the running hold."""

    state: State
    since: float | None
    call: Call | None = None
    hold: Hold | None = None
    other: Call | None = None
    """A second call that rings while the first one talks."""

    @property
    def pop(self) -> str | None:
        """Identity of this ringing: the same in every tab, another one when the seat rings again."""
        if self.state is not State.RINGING or self.call is None:
            return None
        return f"{self.call.server}/{self.call.call_id}/{self.since or 0:.3f}"


def window(seat: Seat, calls: Sequence[Call], last: Call | None, last_open: bool, now: float) -> Window:
    """The state of one seat. ``last``: its last ended call; ``last_open``: that call's ticket still wants finishing."""
    me = seat.extension
    talking = next((call for call in calls if call.running and me in call.talking_to), None)
    ringing = next((call for call in calls if call.running and me in call.ringing), None)
    if talking is not None:
        return _talking(me, talking, ringing)
    if ringing is not None:
        return Window(State.RINGING, _ring_start(me, ringing), ringing)
    if last is not None and last_open and last.ended_at is not None and now - last.ended_at < WRAP_UP_KEPT_SECONDS:
        return Window(State.WRAPUP, last.ended_at, last)
    if seat.paused:
        return Window(State.BREAK, seat.paused_since)
    if seat.phone is Phone.UNREACHABLE:
        return Window(State.OFFLINE, seat.since)
    return Window(State.UNKNOWN if seat.phone is Phone.UNKNOWN else State.FREE, seat.since)


def seen(seat: Seat, calls: Sequence[Call], wrapping_up: Call | None, now: float) -> Window:
    """The state of one seat for all who look: its own window, screens, colleagues, /metrics. Whose phone is in use or
    rings without a call to show, as in one to the outside, is neither free nor on a break."""
    shown = window(seat, calls, wrapping_up, True, now)
    if shown.state in (State.FREE, State.BREAK) and seat.phone in _BUSY:
        return Window(_BUSY[seat.phone], seat.since)
    return shown


_BUSY = {Phone.IN_USE: State.TALKING, Phone.RINGING: State.RINGING}


def honest(shown: Window, link: Link) -> Window:
    """Nothing is known of a phone while the link is down: the last state is not told as if it were this one's."""
    known = link.state is LinkState.UP or shown.state in ON_CALL
    return shown if known else Window(State.UNKNOWN, link.since)


def _talking(me: str, call: Call, ringing: Call | None) -> Window:
    hold = next((hold for hold in call.holds if hold.ended_at is None), None)
    if call.phase is Phase.HELD and hold is not None:
        return Window(State.HOLD, hold.started_at, call, hold, other=ringing)
    return Window(State.TALKING, talk_start(me, call), call, other=ringing)


def talk_start(me: str, call: Call) -> float | None:
    """When this seat lifted: its own answered attempt; the call's answer for a transfer whose attempt was not seen."""
    own = [ring.ended_at for ring in call.rings if ring.seat == me and ring.result is RingResult.ANSWERED]
    return own[-1] if own and own[-1] is not None else call.answered_at


def _ring_start(me: str, call: Call) -> float | None:
    own = [ring.started_at for ring in call.rings if ring.seat == me and ring.result is RingResult.RINGING]
    return own[-1] if own else call.phase_since


def rings_by(call: Call, at: float, cadence: Cadence) -> int:
    """Rings the caller had heard at the instant, over all attempts (A1), none of them after an announcement; since a
    transfer, where it is handed on."""
    if call.ringing_from is None:
        return 0
    return cadence.rings_begun(min(at, caught_at(call) or at) - call.ringing_from)


def caught_at(call: Call) -> float | None:
    """When the announcement took the caller who waits, if it did: what rings since then, the caller does not hear."""
    return None if call.handed_on else call.announced_at


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of the ladder panel. ``status``: done, now or todo."""

    ring: int
    status: str
    mine: bool
    missed: tuple[str, ...] = ()
    ringing: tuple[str, ...] = ()
    does: tuple[tuple[str, str], ...] = ()
    """What the ladder does here and when: ("announce", "end")."""


def ladder(call: Call, queue: Queue, me: str, now: float, cadence: Cadence) -> list[Rung]:
    """What happened, happens and will happen at each ring (A1); nothing for a call that was answered before."""
    if call.handed_on:
        return []
    current, caught = max(1, rings_by(call, now, cadence)), caught_at(call)
    rungs = []
    steps = {step.ring for step in queue.ladder}
    for number in sorted({*range(1, queue.rings + 1), *steps, current}):
        status = "done" if number < current or caught else "now" if number == current else "todo"
        begun = {
            ring: rings_by(call, ring.started_at, cadence)
            for ring in call.rings
            if ring.started_at is not None and ring.started_at < (caught or float("inf"))
        }
        lasting = [ring for ring, at in begun.items() if at <= number <= current and ring.result is RingResult.RINGING]
        rungs.append(
            Rung(
                ring=number,
                status=status,
                mine=any(ring.seat == me for ring in lasting),
                missed=tuple(r.seat for r, at in begun.items() if at == number and r.result is RingResult.MISSED),
                ringing=tuple(ring.seat for ring in lasting if ring.seat != me),
                does=tuple((step.do, step.at) for step in queue.ladder if step.ring == number),
            )
        )
    return rungs


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who called with this number before: proposed, never assumed."""

    caller_name: str
    organisation: str
    department: str
    address: str
    times: int
    last_at: float


def people(earlier: Sequence[TicketRow], limit: int = 3) -> list[Person]:
    """The distinct callers on the earlier tickets of a number, the most recent first."""
    found: dict[tuple[str, str], Person] = {}
    for row in earlier:
        fields = row.ticket.fields
        key = (fields.get("caller_name", ""), fields.get("organisation", ""))
        if not key[0]:
            continue
        known = found.get(key)
        if known is None:
            rest = (fields.get("department", ""), fields.get("address", ""))
            found[key] = Person(*key, *rest, times=1, last_at=row.ticket.opened_at)
        else:
            found[key] = Person(*key, known.department, known.address, times=known.times + 1, last_at=known.last_at)
    return list(found.values())[:limit]


def shown_name(call: Call, ticket: Ticket | None) -> str:
    """The name that the network shows, unless it only says the number or the ticket's name once more."""
    name = (call.caller_name or "").strip()
    known = {ticket.fields["caller_name"] if ticket else "", call.caller_number or "", phone(call.caller_number)}
    return "" if name in known or number_key(name) == number_key(call.caller_number or "") != "" else name


WANTED_FOR_CLOSING = ("caller_name", "organisation", "phone", "problem", "result")
ASKED = {"caller_name": "ask_name", "organisation": "ask_organisation", "phone": "ask_contact"}
"""A3: what the caller is asked for, and the phrase that asks."""


def missing(ticket: Ticket, wanted: Sequence[str] = WANTED_FOR_CLOSING) -> list[str]:
    """Names of the wanted fields that are still empty."""
    return [name for name in wanted if not ticket.fields.get(name, "").strip()]


def work_key(shown: Window, ticket_id: int | None) -> str:
    """What the middle of the window holds: ``idle``, ``ring:ID`` or ``form:ID``."""
    if ticket_id is None or shown.state not in ON_CALL:
        return "idle"
    return f"{'ring' if shown.state is State.RINGING else 'form'}:{ticket_id}"


def nth_today(earlier: TicketPage, midnight: float) -> int:
    """The how-manieth call of this number today this one is."""
    return 1 + sum(1 for row in earlier.rows if row.ticket.opened_at >= midnight)
