"""What is true now, for whoever looks: the running calls by seat, the seats, the queues, the link.

On the path of a call: told by the pipeline after each commit, read by the web (``web/ports.Desk``) and /metrics.
Promises: reads are synchronous and from memory. Never: waits, writes, or knows HTML.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from prometheus_client.core import Metric

from callcenter.ami.link import LinkStatus
from callcenter.calls.model import Call, Phase, RingResult
from callcenter.calls.naming import endpoint
from callcenter.calls.waiters import held_since, waits_for_a_seat, waits_since
from callcenter.metrics.figures import gauge
from callcenter.metrics.seat_groups import GroupFigures
from callcenter.pipeline import Changed, Pipeline
from callcenter.settings import Settings
from callcenter.web import ports
from callcenter.web.window import WRAP_UP_KEPT_SECONDS, State, seen

_PHONES = {
    1: ports.Phone.IDLE,
    2: ports.Phone.IN_USE,
    3: ports.Phone.IN_USE,
    4: ports.Phone.UNREACHABLE,
    5: ports.Phone.UNREACHABLE,
    6: ports.Phone.RINGING,
    7: ports.Phone.RINGING,
    8: ports.Phone.IN_USE,
}
"""app_queue's device states."""

_LABELS = {
    State.FREE: "idle",
    State.RINGING: "ringing",
    State.TALKING: "in_use",
    State.HOLD: "hold",
    State.WRAPUP: "wrapup",
    State.BREAK: "paused",
    State.OFFLINE: "unreachable",
    State.UNKNOWN: "unknown",
}
"""What /metrics calls the states that screens show."""
STATES = tuple(_LABELS.values())
"""What a seat may be counted as."""

Label = Callable[[str | None], str]


def seats_of(call: Call) -> frozenset[str]:
    """Seats that ring or talk in this call now."""
    return frozenset((*call.ringing, *call.talking_to))


def _is_at(call: Call, seat: str) -> bool:
    began = call.caller_channel is not None and endpoint(call.caller_channel) == seat
    return began or seat in call.ringing or seat in call.talking_to


def finishers(call: Call) -> frozenset[str]:
    """Whose work on the ticket begins with the call's end (A4): of who handed the call on it is over, if another seat
    took it (B4)."""
    handed = {transfer.seat_from: transfer.at for transfer in call.transfers}
    lifted = [ring for ring in call.rings if ring.result is RingResult.ANSWERED]
    stayed = {ring.seat for ring in lifted if (ring.ended_at or 0.0) > handed.get(ring.seat, -1.0)}
    return frozenset(stayed or (ring.seat for ring in lifted))


class LiveDesk:
    """``ports.Desk`` over the pipeline's state."""

    def __init__(self, settings: Settings, pipeline: Pipeline, link: Callable[[], LinkStatus]) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._link = link
        self._by_seat: defaultdict[str, set[str]] = defaultdict(set)
        self._last: dict[str, Call] = {}
        self._tickets: dict[str, int] = {}
        """Of running calls, by call id."""
        self._phones: dict[str, tuple[ports.Phone, bool, float]] = {}
        self._people: Mapping[str, tuple[str | None, str]] = {}
        self._wrapping: dict[str, Call] = {}
        """By seat: the call whose ticket it has to finish (A4)."""
        self._finished: set[str] = set()
        """Running calls whose ticket was finished already."""

    def people(self, people: Mapping[str, tuple[str | None, str]]) -> None:
        """Work number and name of each seat, by extension."""
        self._people = people

    def work_number(self, seat: str) -> str | None:
        """The number that the greeting tells; "" if the seat has none, ``None`` if nobody sits there."""
        known = self._people.get(seat)
        return None if known is None else known[0] or ""

    def interfaces_of(self, seat: str) -> list[str]:
        """The queue members that stand for this seat."""
        return sorted({member.interface for member in self._pipeline.book.members_of(seat)})

    # --- told by the pipeline ------------------------------------------------------------------------------------

    def changed(self, changes: Sequence[Changed], seats: Iterable[str]) -> None:
        for change in changes:
            for seat in seats_of(change.before) if change.before else ():
                self._by_seat[seat].discard(change.after.call_id)
            for seat in seats_of(change.after):
                self._by_seat[seat].add(change.after.call_id)
            if change.ticket is not None:
                self._tickets[change.after.call_id] = change.ticket.id
            if change.after.phase is Phase.ENDED:
                self._tickets.pop(change.after.call_id, None)
                early = change.after.call_id in self._finished
                self._finished.discard(change.after.call_id)
                for seat in finishers(change.after):
                    self._last[seat] = change.after
                    if change.before is not None and not early and seat in self._people:
                        self._wrapping[seat] = change.after
        for seat in seats:
            self._note_phone(seat)

    def _note_phone(self, seat: str) -> None:
        members = self._pipeline.book.members_of(seat)
        phone = next((_PHONES[m.status] for m in members if m.status in _PHONES), ports.Phone.UNKNOWN)
        paused = bool(members) and all(m.paused for m in members)
        known = self._phones.get(seat)
        if known is None or known[:2] != (phone, paused):
            self._phones[seat] = (phone, paused, self._pipeline.asterisk_now())

    def wrapped_up(self, call_id: str) -> Call | None:
        """The ticket of a call was closed or left open; the call, if that was the end of its wrap-up."""
        running = self._pipeline.calls.get(call_id)
        if running is not None and running.running:
            self._finished.add(call_id)
            return running
        over = [(seat, call) for seat, call in self._wrapping.items() if call.call_id == call_id]
        for seat, _ in over:
            del self._wrapping[seat]
        return over[0][1] if over else None

    # --- read by the web -----------------------------------------------------------------------------------------

    def link(self) -> ports.Link:
        status = self._link()
        return ports.Link(ports.LinkState(status.state), status.since, status.reason, status.remedy)

    def queue(self, name: str | None) -> ports.Queue:
        queue = self._settings.queue(name)
        ladder = tuple(ports.LadderStep(step.ring, step.at, step.do) for step in queue.ladder)
        company = queue.company or self._settings.site.company
        title = queue.title or name or ""
        return ports.Queue(name or "", title, company, ladder, queue.rings, float(queue.wrapup_seconds))

    def seat(self, extension: str) -> ports.Seat:
        work_number, name = self._people.get(extension, (None, ""))
        phone, paused, since = self._phones.get(extension, (ports.Phone.UNKNOWN, False, None))
        return ports.Seat(extension, work_number, name, phone, paused, self._paused_since(extension, since), since)

    def _paused_since(self, extension: str, noted: float | None) -> float | None:
        """``None`` where it is not paused in all of its queues. Asterisk remembers it beyond our own restart and a call
        that came to the paused seat; ``noted`` is when we saw the seat change, where Asterisk does not tell."""
        members = self._pipeline.book.members_of(extension)
        if not members or not all(member.paused for member in members):
            return None
        told = [member.paused_at for member in members if member.paused_at is not None]
        return max(told) if len(told) == len(members) else noted

    def seats(self) -> Sequence[ports.Seat]:
        return [self.seat(extension) for extension in sorted({*self._phones, *self._people})]

    def is_seat(self, extension: str) -> bool:
        return extension in self._phones or extension in self._people

    def calls(self) -> Sequence[Call]:
        return [call for call in self._pipeline.calls.values() if call.running and call.hotline]

    def calls_of(self, extension: str) -> Sequence[Call]:
        found = (self._pipeline.calls.get(call_id) for call_id in self._by_seat.get(extension, ()))
        return [call for call in found if call is not None and call.running]

    def on_phone(self, extension: str) -> Call | None:
        """The running call at this seat's phone, whoever began it, from the first moment."""
        return next((call for call in self._pipeline.calls.values() if call.running and _is_at(call, extension)), None)

    def wrapping_up(self, extension: str) -> Call | None:
        """The call whose ticket this seat has to finish (A4)."""
        known = extension in self._wrapping and self._wraps_up(extension, self._pipeline.asterisk_now())
        return self._wrapping[extension] if known else None

    def queues_of(self, extension: str) -> Sequence[str]:
        """The queues that this seat serves."""
        return sorted({member.queue for member in self._pipeline.book.members_of(extension)})

    def paused_in(self, extension: str) -> Sequence[str]:
        """Those of its queues that do not ring it: a pause may be of one queue alone. A queue that has the seat as two
        members rings the one that is not paused."""
        members = self._pipeline.book.members_of(extension)
        return sorted({m.queue for m in members if m.paused} - {m.queue for m in members if not m.paused})

    def ticket_of(self, call: Call) -> int | None:
        return self._tickets.get(call.call_id)

    def ticket_of_id(self, call_id: str) -> int | None:
        return self._tickets.get(call_id)

    def last_call(self, extension: str) -> Call | None:
        return self._last.get(extension)

    # --- read by /metrics ----------------------------------------------------------------------------------------

    def gauges(
        self,
        label: Callable[[str | None], str],
        known: Callable[[], Iterable[str]] = tuple,
        groups: GroupFigures | None = None,
    ) -> Iterable[Metric]:
        """Live figures of queues and seats, without samples while the link is down: nothing of this moment is known.
        ``label``: of a queue; ``known``: the labels that always have a sample; ``groups``: what a seat's group is
        called."""
        up = self.link().state is ports.LinkState.UP
        for family in self._gauges(label, known, groups):
            if not up:
                family.samples.clear()
            yield family

    def _gauges(
        self, label: Label, known: Callable[[], Iterable[str]], groups: GroupFigures | None
    ) -> Iterator[Metric]:
        now = self._pipeline.asterisk_now()
        states, members = self._states(now, label)
        running: defaultdict[tuple[str, str], int] = defaultdict(int)
        waits: defaultdict[str, list[float]] = defaultdict(list)
        rings: defaultdict[str, float] = defaultdict(float)
        holds: defaultdict[str, float] = defaultdict(float)
        for call in self._pipeline.calls.values():
            if call.running:
                queue = label(call.queue)
                running[queue, call.phase.value] += 1
                if waits_for_a_seat(call):
                    waits[queue].append(max(0.0, now - (waits_since(call) or now)))
                    if call.phase is Phase.RINGING:
                        rings[queue] = max(rings[queue], waits[queue][-1])
                if (since := held_since(call)) is not None:
                    holds[queue] = max(holds[queue], now - since)
        queues = sorted({*known(), *waits, *holds})
        phases = [(key, float(count)) for key, count in running.items()]
        yield gauge("callcenter_calls_running", "Running calls by phase.", ["queue", "phase"], phases)
        depth = [((queue,), float(len(waits.get(queue, ())))) for queue in queues]
        longest = [((queue,), max(waits.get(queue, ()), default=0.0)) for queue in queues]
        ringing = [((queue,), rings.get(queue, 0.0)) for queue in queues]
        held = [((queue,), holds.get(queue, 0.0)) for queue in queues]
        yield gauge("callcenter_queue_waiting_calls", "Callers who wait for a seat (A1).", ["queue"], depth)
        yield gauge(
            "callcenter_queue_longest_wait_seconds", "The longest of these waits; 0: none (A1).", ["queue"], longest
        )
        text = "The longest of these waits while a seat's phone rings for it; 0: none (A1)."
        yield gauge("callcenter_queue_longest_ringing_seconds", text, ["queue"], ringing)
        yield gauge(
            "callcenter_queue_longest_hold_seconds", "The longest hold that goes on; 0: none (B2).", ["queue"], held
        )
        seats = Counter(states.values())
        over = [((state,), float(seats[state])) for state in STATES]
        yield gauge("callcenter_seats", "Seats by state (A4, A5).", ["state"], over)
        served = sorted({queue for queue, _ in members})
        rows = [((queue, state), float(members[queue, state])) for queue in served for state in STATES]
        yield gauge("callcenter_queue_seats", "Seats that serve a queue, by state.", ["queue", "state"], rows)
        if groups is not None:
            yield _of_groups(groups, states)

    def _states(self, now: float, label: Label) -> tuple[Mapping[str, str], Mapping[tuple[str, str], int]]:
        """The state of each seat as screens show it, and seats by queue and state. A seat may be paused in one queue
        only."""
        states: dict[str, str] = {}
        members = Counter[tuple[str, str]]()
        for seat in {*self._phones, *self._people}:
            phone, paused, _ = self._phones.get(seat, (ports.Phone.UNKNOWN, False, None))
            states[seat] = self._state(seat, phone, paused, now)
            for queue, here in {(member.queue, member.paused) for member in self._pipeline.book.members_of(seat)}:
                state = states[seat] if here is paused else self._state(seat, phone, here, now)
                members[label(queue), state] += 1
        return states, members

    def _state(self, seat: str, phone: ports.Phone, paused: bool, now: float) -> str:
        wrapping_up = self._wrapping[seat] if seat in self._wrapping and self._wraps_up(seat, now) else None
        if wrapping_up is None and not self._by_seat.get(seat):
            return _without_call(phone, paused)
        return _LABELS[seen(ports.Seat(seat, phone=phone, paused=paused), self.calls_of(seat), wrapping_up, now).state]

    def _wraps_up(self, seat: str, now: float) -> bool:
        call = self._wrapping.get(seat)
        if call is None or call.ended_at is None or now - call.ended_at >= WRAP_UP_KEPT_SECONDS:
            self._wrapping.pop(seat, None)
            return False
        return True


@cache
def _without_call(phone: ports.Phone, paused: bool) -> str:
    """Most seats at most moments, of thousands."""
    return _LABELS[seen(ports.Seat("", phone=phone, paused=paused), (), None, 0.0).state]


def _of_groups(groups: GroupFigures, states: Mapping[str, str]) -> Metric:
    found = Counter((groups.of(seat), state) for seat, state in states.items())
    rows = [((group, state), float(found[group, state])) for group in groups.labels for state in STATES]
    about = "Seats of a seat group by state (A4, A5); none: of no group."
    return gauge("callcenter_seat_group_seats", about, ["seat_group", "state"], rows)
