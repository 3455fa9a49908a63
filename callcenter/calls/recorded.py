"""Where a call stands in its recording: which seat is on our side in which of its seconds.

Place on the path of a call: after its end, when the recording is listed, judged and shown.
The recording is of one channel, mostly that of whoever is no seat. It ends with it, and begins where sound begins to
flow: with ringback alone that is the answer, with music before it the queue (measured on 22.10 and 16.28). So it is
counted from its end.
Promises: pure; of each seat sorted, disjoint intervals inside the recording; two seats in a conference are both there;
where it was not observed who was, nobody is.
Never: takes the seat that answered for the one that speaks after a transfer.
"""

from dataclasses import dataclass

from callcenter.calls import intervals as iv
from callcenter.calls.model import Call, Stay


@dataclass(frozen=True, slots=True)
class OnOurSide:
    """``seat``: its extension. ``start``, ``end``: seconds of the recording."""

    seat: str
    start: float
    end: float


def begun_at(call: Call, seconds: float | None) -> float | None:
    """When a recording that is so long began, epoch seconds; ``None`` where its end or length is not known."""
    known = (call.recorded_until, call.caller_gone_at, call.ended_at)
    until = next((moment for moment in known if moment is not None), None)
    return until - seconds if until is not None and seconds else None


def on_our_side(call: Call, seconds: float | None) -> tuple[OnOurSide, ...]:
    """Who is on our side, by beginning; ``seconds``: the recording's length."""
    began = begun_at(call, seconds)
    if began is None or not seconds:
        return ()
    found = [(one.seat, max(0.0, one.started_at - began), min(seconds, one.ended_at - began)) for one in _stays(call)]
    return tuple(OnOurSide(seat, start, end) for seat, start, end in found if end > start)


def seats_of(call: Call) -> tuple[str, ...]:
    """Every seat that was on our side, once, in the order in which they came; the one that answered where no more is
    known."""
    order = dict.fromkeys(one.seat for one in call.stays)
    return tuple(order) or ((call.answered_by,) if call.answered_by else ())


def _stays(call: Call) -> tuple[Stay, ...]:
    """A call that was stored by a program without ``stays`` had one seat, if it was seen whole and never sent on."""
    if call.stays or call.transfers or not call.complete or call.answered_by is None:
        return call.stays
    if call.answered_at is None or call.ended_at is None:
        return ()
    held = iv.union((hold.started_at, hold.ended_at or call.ended_at) for hold in call.holds)
    talked = iv.subtract(iv.union([(call.answered_at, call.ended_at)]), held)
    return tuple(Stay(call.answered_by, start, end) for start, end in talked)
