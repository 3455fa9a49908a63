"""A call as spans: what happened when, as plain data.

Place on the path of a call: after the commit, from the frozen ``calls/model.Call`` and from what others report of it.
Promises: the ids come from the call's own, so that a transcript made an hour later, after a restart, joins the same
trace; a span lies within its parent, or follows it (``follows``: it begins no sooner than the call has ended); a span
whose moments were not observed is not made. Never: a number, a name or a text; the name of a queue or a seat that the
site does not know.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from callcenter.calls.model import Call, Ring, RingResult

Value = str | int | float | bool
_CALL_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_QUEUE = re.compile(r"[A-Za-z](?!.*\d{4})[A-Za-z0-9_-]{0,31}")
OTHER = "other"
NOTHING: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Span:
    """Instants are epoch seconds by Asterisk's clock. ``parent``: a span id, ``None`` of the call itself."""

    trace_id: int
    span_id: int
    name: str
    started_at: float
    ended_at: float
    parent: int | None = None
    follows: bool = False
    attributes: Mapping[str, Value] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Known:
    """What of the site may be named: others are ``other``, for their names come from outside."""

    queues: Collection[str]
    """The configured ones; others are named if they look like the name of a queue and like nobody's number."""
    service_class: Callable[[str | None], str]
    seat: Callable[[str], bool]
    label: Callable[[str], str]
    """What figures call such a queue: after so many of them all further ones are ``other`` here, too."""

    def queue_name(self, queue: str | None) -> str:
        if not queue:
            return "none"
        if queue in self.queues:
            return queue
        return self.label(queue) if _QUEUE.fullmatch(queue) else OTHER

    def seat_name(self, seat: str | None) -> str:
        return "none" if seat is None else seat if self.seat(seat) else OTHER


def trace_id(server: str, call_id: str) -> int:
    """128 bits, never 0."""
    return _number(16, server, call_id)


def span_id(trace: int, name: str, which: str = "") -> int:
    """64 bits, never 0."""
    return _number(8, f"{trace:032x}", name, which)


def _number(size: int, *words: str) -> int:
    text = "\n".join(word.replace("\n", " ") for word in words)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:size]) or 1


def sampled(trace: int, share: float) -> bool:
    """Whether a trace is among the share that is kept: always the same answer for the same trace."""
    return (trace & (2**56 - 1)) < share * 2**56


def shown_id(call_id: str) -> str:
    """The call's id as an attribute; what is no id of Asterisk's came from outside."""
    return call_id if _CALL_ID.fullmatch(call_id) else OTHER


def root_of(server: str, call_id: str) -> tuple[int, int]:
    """Trace and span of the call itself."""
    trace = trace_id(server, call_id)
    return trace, span_id(trace, "call")


def of_call(call: Call, known: Known) -> list[Span]:
    """Everything of an ended call that the call itself tells; nothing where not even its beginning was observed. Where
    its end was not, the trace goes as far as something is known (``callcenter.complete`` is false then)."""
    moments = [call.arrived_at, call.waiting_since, call.first_ring_at, call.answered_at]
    begun = [at for at in moments if at is not None]
    if call.running or not begun:
        return []
    known_ends = [at for at in (call.ended_at, *(ring.ended_at for ring in call.rings)) if at is not None]
    begin, end = min(begun), max([*known_ends, *begun])
    trace, root = root_of(call.server, call.call_id)
    whole = Span(trace, root, "call", begin, end, attributes=_facts(call, known))
    inside = [*_waiting(call, whole), *_rings(call, whole, known)]
    talk = _talk(call, whole, known)
    return [whole, *inside, *talk, *_holds(call, talk[0] if talk else whole, known)]


def _facts(call: Call, known: Known) -> Mapping[str, Value]:
    told: dict[str, Value] = {
        "callcenter.call_id": shown_id(call.call_id),
        "callcenter.server": call.server,
        "callcenter.direction": call.direction.value,
        "callcenter.queue": known.queue_name(call.queue),
        "callcenter.service_class": known.service_class(call.queue),
        "callcenter.outcome": call.outcome.value if call.outcome else "unknown",
        "callcenter.ended_by": call.ended_by.value if call.ended_by else "unknown",
        "callcenter.rings_heard": call.rings_heard,
        "callcenter.three_rings_kept": all(breach.rule != "A1" for breach in call.breaches),
        "callcenter.transfers": len(call.transfers),
        "callcenter.recorded": call.recording is not None,
        "callcenter.complete": call.complete,
        "callcenter.recovered": call.recovered,
    }
    if call.merged_into is not None:
        told["callcenter.merged_into"] = shown_id(call.merged_into)
    return told


def _within(parent: Span, name: str, begin: float, end: float | None, which: str = "", **facts: Value) -> Span:
    """A child; what is told to reach beyond its parent is cut, for events may come in another order than they were."""
    begin = min(max(begin, parent.started_at), parent.ended_at)
    end = parent.ended_at if end is None else min(max(end, begin), parent.ended_at)
    told = {f"callcenter.{key}": value for key, value in facts.items()}
    identity = span_id(parent.trace_id, name, which)
    return Span(parent.trace_id, identity, name, begin, end, parent.span_id, attributes=told)


def _waiting(call: Call, whole: Span) -> Iterator[Span]:
    if call.waiting_since is None:
        return
    end = call.answered_at
    if end is None and call.wait_seconds is not None:
        end = call.waiting_since + call.wait_seconds
    yield _within(whole, "waiting", call.waiting_since, end)


def _rings(call: Call, whole: Span, known: Known) -> Iterator[Span]:
    for number, ring in enumerate(call.rings):
        if ring.started_at is not None:
            seat, result = known.seat_name(ring.seat), ring.result.value
            ended_at = ring.started_at if ring.result is RingResult.UNKNOWN else ring.ended_at  # no length is known
            yield _within(whole, "ring", ring.started_at, ended_at, str(number), seat=seat, result=result)


def _talk(call: Call, whole: Span, known: Known) -> list[Span]:
    if call.answered_at is None:
        return []
    return [_within(whole, "talk", call.answered_at, None, seat=known.seat_name(call.answered_by))]


def _holds(call: Call, talk: Span, known: Known) -> Iterator[Span]:
    for number, hold in enumerate(call.holds):
        seat = known.seat_name(hold.seat)
        yield _within(talk, "hold", hold.started_at, hold.ended_at, str(number), seat=seat)
    for number, pause in enumerate(call.pauses):
        yield _within(talk, "recording paused", pause.started_at, pause.ended_at, str(number))


# --- what others report, each as soon as it has happened -------------------------------------------------------------


def reported(call: Call, name: str, begin: float, end: float, which: str = "", **facts: Value) -> Span:
    """Something that was done about a call: its ticket opened, a window told, a command, a hook. Of a call that has
    ended it follows the call."""
    trace, root = root_of(call.server, call.call_id)
    after = call.ended_at is not None
    return _of(trace, root, name, _not_before(begin, call.ended_at), end, which, after, facts)


def following(server: str, call_id: str, name: str, begin: float, end: float, which: str = "", **facts: Value) -> Span:
    """Something that was made of a call after its end, also by a later run of the daemon."""
    trace, root = root_of(server, call_id)
    return _of(trace, root, name, begin, end, which, True, facts)


def _not_before(begin: float, ended_at: float | None) -> float:
    return begin if ended_at is None else max(begin, ended_at)


def _of(
    trace: int, root: int, name: str, begin: float, end: float, which: str, follows: bool, facts: Mapping[str, Value]
) -> Span:
    told = {f"callcenter.{key}": value for key, value in facts.items()}
    return Span(trace, span_id(trace, name, which), name, begin, max(begin, end), root, follows, told)


def newly_ringing(before: Call | None, after: Call) -> Iterator[tuple[int, Ring]]:
    """The rings that began between two views of a call, with their place among all."""
    known = len([ring for ring in before.rings if ring.started_at is not None]) if before is not None else 0
    began = [(n, ring) for n, ring in enumerate(after.rings) if ring.started_at is not None]
    yield from began[known:]
