"""Three books of the same calls, held against each other: ours, Asterisk's call records, and its queue_log.

Place on the path of a call: minutes after its end, and once more in the night; ``effects/reconciler`` brings the books.
Promises: pure; a book compared with itself gives nothing; every difference has a code, the book that says otherwise,
and where the cause is known a reason: those are *explained* and counted apart. What a book cannot know is not compared.
Never: decides which book is right; keeps a person's number or name.

Tolerance: two seconds for instants and durations. queue_log writes whole seconds, cut, and a telephone's signalling
takes its moment. CEL is not read: what it would add (single bridges, parking) is in no promise of the standard.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from callcenter.calls.model import Call, Direction, EndedBy, Outcome
from callcenter.calls.naming import endpoint
from callcenter.calls.queue_log import ABANDONED, BY_CALLER, BY_MEMBER, TRANSFERRED, Visit
from callcenter.calls.records import Record

TOLERANCE_SECONDS = 2.0
LATE_SECONDS = 180.0
"""Records that are written in batches (``cdr.conf``: batch) may be so late."""
ALREADY_UP_SECONDS = 0.5
"""A record that is answered as soon as it begins is of a caller whom the dialplan had answered before: it does not tell
when the seat lifted."""


class Kind(StrEnum):
    MISSING_OURS = "missing_ours"
    MISSING_CDR = "missing_cdr"
    MISSING_QUEUE_LOG = "missing_queue_log"
    MISSING_LEG = "missing_leg"
    NOT_ENDED = "not_ended"
    ANSWERED = "answered"
    SEAT = "seat"
    ARRIVAL = "arrival"
    WAIT = "wait"
    TALK = "talk"
    END = "end"
    EXIT = "exit"
    ENDED_BY = "ended_by"
    QUEUE = "queue"


class Book(StrEnum):
    CDR = "cdr"
    QUEUE_LOG = "queue_log"


class Reason(StrEnum):
    """Why a difference is none to look into."""

    GAP = "gap"  # nobody observed a part of the call
    RECOVERED = "recovered"  # ours was made of call records
    RESTARTED = "restarted"  # Asterisk ended in the call and wrote nothing of its end
    LATE = "late"  # the record may still come
    NEVER_QUEUED = "never_queued"  # refused at the door of the queue: Queue() writes nothing then
    REDIRECTED = "redirected"  # the ladder took the caller out of the queue, which calls that abandoned
    SAME_MOMENT = "same_moment"  # the caller hung up as the queue's time ended
    PICKED_UP = "picked_up"  # another seat took the call that rang; the queue names the member it rang
    TRANSFERRED = "transferred"  # Asterisk books the parts of a transferred call by channels, not by seats
    AGENT_LOGIN = "agent_login"  # an agent pool: the log-in is a call of its own, and the seat's row is with that one


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of one call. ``ours`` and ``theirs`` as text; empty: not there. ``at``: the call's end."""

    call_id: str
    kind: Kind
    book: Book
    ours: str
    theirs: str
    reason: Reason | None
    at: float

    @property
    def explained(self) -> bool:
        return self.reason is not None


@dataclass(frozen=True, slots=True)
class Told:
    """What Asterisk's books tell of one call. ``None`` where a book is not read, or does not reach back so far."""

    records: Sequence[Record] | None = None
    visits: Sequence[Visit] | None = None

    @property
    def last_at(self) -> float:
        """When the last thing of the call was written down."""
        ends = [record.end or record.start for record in self.records or ()]
        return max([*ends, *(visit.last_at for visit in self.visits or ())], default=0.0)

    @property
    def lines(self) -> int:
        """How many lines tell it, so that another one is noticed."""
        stays = sum(bool(s.entered_at) + bool(s.connected_at) + s.over for s in self.visits or ())
        return len(self.records or ()) + stays

    @property
    def over(self) -> bool:
        return bool(self.records) or all(stay.over for stay in self.visits or ())


@dataclass(frozen=True, slots=True)
class World:
    """What else is known of the time. ``restarts``: when Asterisk's queues started anew."""

    now: float
    """Epoch seconds."""
    lines: frozenset[str] = frozenset()
    gaps: Sequence[tuple[float, float | None]] = ()
    restarts: Sequence[float] = ()
    late_seconds: float = LATE_SECONDS
    since: float = 0.0
    """When we began to observe at all: what was before is no difference."""


def compare(call_id: str, ours: Call | None, told: Told, world: World) -> tuple[Difference, ...]:
    """The differences of one call. A consultation that became part of another call is compared with that one."""
    if ours is not None and ours.merged_into is not None:
        return ()
    if ours is None:
        return tuple(_missing_ours(call_id, told, world))
    if ours.running:
        return tuple(_not_ended(ours, told, world))
    found = [*_against_records(ours, told, world), *_against_queue_log(ours, told)]
    circumstance = _circumstance(ours, told, world)
    return tuple(
        Difference(call_id, kind, book, mine, theirs, reason or circumstance, ours.ended_at or told.last_at)
        for kind, book, mine, theirs, reason in found
    )


def calls_told(told: Told) -> bool:
    """Whether a telephone took part at all: listening and Local channels alone are no call."""
    return any(not r.channel.startswith("Local/") for r in told.records or ()) or bool(told.visits)


def _missing_ours(call_id: str, told: Told, world: World) -> Iterator[Difference]:
    starts = [*(r.start for r in told.records or ()), *(v.entered_at or v.last_at for v in told.visits or ())]
    began = min(starts, default=0.0)
    if not calls_told(told) or began < world.since:
        return
    if told.records is None or (not told.records and not all(stay.over for stay in told.visits or ())):
        return  # a line of the queue alone does not tell which call its channel belongs to; or the call goes on
    late = Reason.LATE if world.now - told.last_at < world.late_seconds else None
    book = Book.CDR if told.records else Book.QUEUE_LOG
    yield Difference(call_id, Kind.MISSING_OURS, book, "", "call", late, told.last_at)


def _not_ended(ours: Call, told: Told, world: World) -> Iterator[Difference]:
    if not any(record.uniqueid == ours.call_id and record.end is not None for record in told.records or ()):
        return
    reason = Reason.LATE if world.now - told.last_at < world.late_seconds else None
    yield Difference(ours.call_id, Kind.NOT_ENDED, Book.CDR, "running", "ended", reason, told.last_at)


_Found = tuple[Kind, Book, str, str, Reason | None]


def _circumstance(ours: Call, told: Told, world: World) -> Reason | None:
    """What explains any difference of this call, if something does."""
    begin, end = ours.arrived_at or 0.0, ours.ended_at or told.last_at or world.now
    if ours.recovered:
        return Reason.RECOVERED
    if not ours.complete or any(a < end and (b is None or b > begin) for a, b in world.gaps):
        return Reason.GAP
    if told.records and any(record.last_app == "AgentLogin" for record in told.records):
        return Reason.AGENT_LOGIN
    if any(begin < at < end + world.late_seconds for at in world.restarts) and not told.records:
        return Reason.RESTARTED
    return None


# --- call records ------------------------------------------------------------------------------------------------


def _against_records(ours: Call, told: Told, world: World) -> Iterator[_Found]:
    book, records = Book.CDR, told.records
    if records is None:
        return
    if not records:
        late = Reason.LATE if ours.ended_at is not None and world.now - ours.ended_at < world.late_seconds else None
        yield Kind.MISSING_CDR, book, "call", "", late
        return
    served = [r for r in records if r.answered and r.dest_channel and "Local/" not in r.dest_channel]
    answered = ours.outcome is Outcome.ANSWERED
    if answered and not served and any(r.answered and "Local/" in r.dest_channel for r in records):
        # Queue() connected the caller to a Local channel, and the row of the seat behind it is not there.
        own = any(ring.seat == ours.answered_by and ring.started_at is not None for ring in ours.rings)
        yield Kind.MISSING_LEG, book, ours.answered_by or "", "", None if own else Reason.AGENT_LOGIN
    elif answered != bool(served):
        yield Kind.ANSWERED, book, _yes(answered), _yes(bool(served)), None
    elif answered:
        yield from _served(ours, served, records, world)
    yield from _instant(Kind.ARRIVAL, book, ours.arrived_at, min(r.start for r in records))
    yield from _instant(Kind.END, book, ours.ended_at, max((r.end for r in records if r.end), default=None))
    called = {endpoint(r.dest_channel) for r in records}
    if not world.lines & called:  # a seat at an outside number is booked under the line
        rang = {ring.seat for ring in ours.rings if ring.started_at is not None and ring.seat.isdigit()}
        if lost := sorted(rang - called - {endpoint(r.channel) for r in records}):
            yield Kind.MISSING_LEG, book, " ".join(lost), "", None
    queues = {r.queue for r in records if r.queue}
    if queues and ours.queue not in queues:
        yield Kind.QUEUE, book, ours.queue or "", sorted(queues)[-1], None


def _served(ours: Call, served: list[Record], records: Sequence[Record], world: World) -> Iterator[_Found]:
    book = Book.CDR
    whole = [r for r in served if r.end and r.answer and r.end - r.answer > 0.1] or served
    first = min(whole, key=lambda r: r.answer or 0.0)
    changed = _changed(ours)
    seat = endpoint(first.dest_channel)
    if ours.answered_by is not None and seat not in world.lines and seat != ours.answered_by:
        yield Kind.SEAT, book, ours.answered_by, seat, changed
    if any("Local/" in r.channel and r.answered for r in served) and not any(
        r.answered and "Local/" not in r.channel for r in records
    ):
        yield Kind.MISSING_LEG, book, "caller", "", None
    if first.answer is None or ours.answered_at is None or ours.direction is Direction.OUTBOUND:
        return  # of a call that a seat makes, the records tell when the seat's own telephone was lifted
    if first.answer - first.start > ALREADY_UP_SECONDS or ours.answered_at < first.answer:
        yield from _instant(Kind.WAIT, book, ours.answered_at, first.answer)
    ends = max((r.end for r in served if r.end), default=None)
    if ends is not None and ours.talk_seconds is not None:
        yield from _seconds(Kind.TALK, book, ours.talk_seconds + ours.hold_seconds, ends - ours.answered_at, changed)


# --- queue_log ---------------------------------------------------------------------------------------------------


def _against_queue_log(ours: Call, told: Told) -> Iterator[_Found]:
    book, stays = Book.QUEUE_LOG, told.visits
    if stays is None or (not stays and ours.queue is None):
        return
    if not stays:
        queued = bool(ours.transfers) or not told.records or any(r.last_app == "Queue" for r in told.records)
        yield Kind.MISSING_QUEUE_LOG, book, ours.queue or "", "", _changed(ours) if queued else Reason.NEVER_QUEUED
        return
    last = stays[-1]
    if last.queue != ours.queue:
        yield Kind.QUEUE, book, ours.queue or "", last.queue, _changed(ours)
    connected = next((stay for stay in stays if stay.connected_at is not None), None)
    if connected is None:
        yield from _unconnected(ours, last, told)
    elif ours.outcome is not Outcome.ANSWERED:
        yield Kind.ANSWERED, book, "no", "yes", None
    else:
        yield from _connected(ours, connected, told)


def _unconnected(ours: Call, last: Visit, told: Told) -> Iterator[_Found]:
    """Nobody in the queue took the caller; who answered did so after it."""
    book, exit_ = Book.QUEUE_LOG, last.exit
    outcome = ours.outcome.value if ours.outcome else "unknown"
    if exit_ is None:
        yield Kind.EXIT, book, outcome, "", None
        return
    went_on = (ours.ended_at or 0.0) > (last.left_at or 0.0) + TOLERANCE_SECONDS
    if ours.outcome is Outcome.ANSWERED:
        after = ours.answered_at is not None and last.left_at is not None and ours.answered_at >= last.left_at - 1
        elsewhere = any(r.answered and r.dest_channel and r.last_app != "Queue" for r in told.records or ())
        if not (after and (elsewhere or told.records is None)):
            yield Kind.ANSWERED, book, "yes", "no", None
        elif exit_ == ABANDONED:
            yield Kind.EXIT, book, outcome, exit_, Reason.REDIRECTED
        return
    if (exit_ == ABANDONED) != (ours.outcome is Outcome.ABANDONED):
        yield Kind.EXIT, book, outcome, exit_, _other_exit(ours, exit_, went_on)
    left_at = _plus(ours.arrived_at, ours.wait_seconds)
    if ours.outcome in (Outcome.ABANDONED, Outcome.OVERFLOWED):
        yield from _waited(left_at, last.left_at, last)


def _other_exit(ours: Call, exit_: str, went_on: bool) -> Reason | None:
    if ours.outcome is Outcome.OVERFLOWED and exit_ == ABANDONED and went_on:
        return Reason.REDIRECTED
    if ours.outcome is Outcome.ABANDONED and exit_ != ABANDONED and not went_on:
        return Reason.SAME_MOMENT
    return None


def _connected(ours: Call, stay: Visit, told: Told) -> Iterator[_Found]:
    book = Book.QUEUE_LOG
    changed = _changed(ours)
    yield from _waited(ours.answered_at, stay.connected_at, stay)
    named = stay.member or ""
    member = endpoint(named) if "/" in named else named
    if member.isdigit() and ours.answered_by is not None and member != ours.answered_by:
        rang = any(ring.seat == member for ring in ours.rings)
        confirmed = any(r.answered and endpoint(r.dest_channel) == ours.answered_by for r in told.records or ())
        yield Kind.SEAT, book, ours.answered_by, member, Reason.PICKED_UP if rang and confirmed else changed
    if stay.ended is None:
        yield Kind.EXIT, book, "ended", "", None
    elif stay.ended in (BY_MEMBER, BY_CALLER):
        if ours.talk_seconds is not None and stay.talked is not None:
            yield from _seconds(Kind.TALK, book, ours.talk_seconds + ours.hold_seconds, stay.talked, changed)
        side = {EndedBy.SEAT: BY_MEMBER, EndedBy.CALLER: BY_CALLER}.get(ours.ended_by or EndedBy.UNKNOWN)
        if side is not None and side != stay.ended:
            yield Kind.ENDED_BY, book, (ours.ended_by or EndedBy.UNKNOWN).value, stay.ended, changed
    elif stay.ended in TRANSFERRED and not ours.transfers:
        yield Kind.EXIT, book, "not transferred", stay.ended, None


def _waited(ours: float | None, theirs: float | None, stay: Visit) -> Iterator[_Found]:
    """The end of waiting as an instant, and the seconds since the queue was entered; the first that differs."""
    found = list(_instant(Kind.WAIT, Book.QUEUE_LOG, ours, theirs))
    if not found and ours is not None and stay.entered_at is not None and stay.waited is not None:
        found = list(_seconds(Kind.WAIT, Book.QUEUE_LOG, ours - stay.entered_at, stay.waited, None))
    yield from found


# --- small things --------------------------------------------------------------------------------------------------


def _instant(kind: Kind, book: Book, ours: float | None, theirs: float | None) -> Iterator[_Found]:
    """Shown as seconds by which the other book is later than ours."""
    if ours is None or theirs is None:
        if ours is not theirs:
            yield kind, book, "" if ours is None else "known", "" if theirs is None else "known", None
    elif not _same(theirs, ours):
        yield kind, book, "0 s", f"{theirs - ours:+.1f} s", None


def _seconds(kind: Kind, book: Book, ours: float, theirs: float, reason: Reason | None) -> Iterator[_Found]:
    if not _same(ours, theirs):
        yield kind, book, f"{ours:.1f} s", f"{theirs:.1f} s", reason


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= TOLERANCE_SECONDS


def _plus(at: float | None, seconds: float | None) -> float | None:
    return None if at is None or seconds is None else at + seconds


def _changed(ours: Call) -> Reason | None:
    return Reason.TRANSFERRED if ours.transfers else None


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def by_call(records: Mapping[str, Sequence[Record]], stays: Mapping[str, Sequence[Visit]]) -> dict[str, Told]:
    """The two books by call. ``stays`` are by the caller's channel, which need not be the one the call is named by."""
    owner = {r.uniqueid: call_id for call_id, rows in records.items() for r in rows}
    queued: dict[str, list[Visit]] = {}
    for uniqueid, found in stays.items():
        queued.setdefault(owner.get(uniqueid, uniqueid), []).extend(found)
    return {
        call_id: Told(records.get(call_id, ()), sorted(queued.get(call_id, ()), key=lambda stay: stay.last_at))
        for call_id in records.keys() | queued.keys()
    }
