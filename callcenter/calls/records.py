"""Asterisk's own call records become calls: what C1 is kept with when nobody listened.

The dialplan configuration (dialplans/cdr_custom-callcenter.conf) writes one CSV row per party called, with the linkedid
that also names the call on AMI. From the rows of one linkedid this makes the call, marked as recovered and incomplete.

Promises: a call that was observed keeps what was observed; records only fill what is missing.
Never: reads a file or a clock; shows what records cannot tell (rings, holds, who hung up).

Columns: Asterisk's CDR variables, times as epoch seconds (``CDR(start,u)``), see the configuration file.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import unquote

from callcenter.ami.values import LATEST, MAX_ID, MAX_NUMBER, named, text
from callcenter.calls import intervals as iv
from callcenter.calls.derive import Terms
from callcenter.calls.model import Call, Direction, EndedBy, Outcome, Phase, Stay
from callcenter.calls.naming import endpoint

COLUMNS = (
    *("linkedid", "uniqueid", "sequence", "start", "answer", "end", "src", "clid", "dst", "dcontext", "channel"),
    *("dstchannel", "disposition", "duration", "billsec", "lastapp", "lastdata", "accountcode", "userfield"),
)


@dataclass(frozen=True, slots=True)
class Record:
    """One row. Instants are epoch seconds, ``None`` where Asterisk wrote none."""

    call_id: str
    uniqueid: str
    start: float
    answer: float | None
    end: float | None
    number: str
    name: str
    dialled: str
    channel: str
    dest_channel: str
    answered: bool
    last_app: str
    queue: str


_IDENTIFY = ("linkedid", "uniqueid", "channel", "dstchannel", "lastapp")


def parse_rows(lines: Iterable[str]) -> tuple[list[Record], int]:
    """The records in CSV lines, and how many lines were none."""
    records: list[Record] = []
    bad = 0
    rows = csv.reader(lines)
    while True:
        try:
            record = _record(next(rows))
        except StopIteration:
            return records, bad
        except csv.Error:
            record = None
        if record is None:
            bad += 1
        else:
            records.append(record)


def _record(row: list[str]) -> Record | None:
    if len(row) < len(COLUMNS):
        return None
    value = dict(zip(COLUMNS, row, strict=False))
    start = _instant(value["start"])
    if not value["linkedid"] or start is None or any(len(value[column]) > MAX_ID for column in _IDENTIFY):
        return None
    return Record(
        call_id=value["linkedid"],
        uniqueid=value["uniqueid"],
        start=start,
        answer=_instant(value["answer"]),
        end=_instant(value["end"]),
        number=text(value["src"], MAX_NUMBER),
        name=_name(value["clid"]),
        dialled=text(value["dst"], MAX_NUMBER),
        channel=value["channel"],
        dest_channel=value["dstchannel"],
        answered=value["disposition"] == "ANSWERED",
        last_app=value["lastapp"],
        queue=named(text(unquote(value["userfield"]), 1024)),
    )


def _instant(value: str) -> float | None:
    try:
        at = float(value)
    except ValueError:
        return None
    return at if 0 < at < LATEST else None


def _name(clid: str) -> str:
    """The name in Asterisk's ``"name" <number>``."""
    name = clid.rpartition("<")[0] if "<" in clid else ""
    return text(name.strip().strip('"'))


def recover(records: list[Record], terms: Terms) -> Call | None:
    """The call that one linkedid's records tell of; ``None`` if no telephone took part."""
    real = [r for r in records if not r.channel.startswith("Local/")]
    if not real:
        return None
    first = min(real, key=lambda r: (r.uniqueid != r.call_id, r.start))
    served = [
        r for r in records if r.answered and r.answer is not None and r.dest_channel and "Local/" not in r.dest_channel
    ]
    seat = min(served, key=lambda r: r.answer or 0.0, default=None)
    arrived_at = min(r.start for r in real)
    ended_at = max((r.end for r in records if r.end is not None), default=None)
    direction = _direction(first, records, terms)
    outside = seat is not None and endpoint(seat.dest_channel) in terms.lines
    answered_at = seat.answer if seat else None
    return Call(
        server=terms.server,
        call_id=first.call_id,
        direction=direction,
        phase=Phase.ENDED,
        caller_number=first.number or None,
        caller_name=first.name or None,
        dialled=first.dialled if first.dialled not in ("", "s") else None,
        queue=next((r.queue for r in records if r.queue), None),
        arrived_at=arrived_at,
        answered_at=answered_at,
        ended_at=ended_at,
        wait_seconds=answered_at - arrived_at if answered_at is not None else None,
        outcome=_outcome(first, seat, real),
        answered_by=endpoint(seat.dest_channel) if seat and not outside else None,
        talk_seconds=max(0.0, seat.end - answered_at) if seat and seat.end and answered_at is not None else None,
        ended_by=EndedBy.UNKNOWN,
        stays=_stays(served, first, terms) if direction is not Direction.OUTBOUND else (),
        complete=False,
        recovered=True,
    )


def _stays(served: list[Record], first: Record, terms: Terms) -> tuple[Stay, ...]:
    """Who talked with the caller: the far ends of the caller's own records, and of Local channels' on the way there."""
    found: dict[str, list[iv.Interval]] = {}
    for r in served:
        seat = endpoint(r.dest_channel)
        own = r.channel == first.channel or r.channel.startswith("Local/")
        if own and seat not in terms.lines and r.answer is not None and r.end is not None:
            found.setdefault(seat, []).append((r.answer, max(r.answer, r.end)))
    told = [Stay(seat, start, end) for seat, parts in found.items() for start, end in iv.union(parts)]
    return tuple(sorted(told, key=lambda one: (one.started_at, one.seat)))


def _direction(first: Record, records: list[Record], terms: Terms) -> Direction:
    if endpoint(first.channel) in terms.lines or endpoint(first.channel) not in terms.seats | {first.number}:
        return Direction.INBOUND
    called = {endpoint(r.dest_channel) for r in records if r.dest_channel}
    return Direction.OUTBOUND if called & terms.lines else Direction.INTERNAL


def _outcome(first: Record, seat: Record | None, real: list[Record]) -> Outcome:
    """Unanswered: a caller who was last in Queue() or Dial() left there; one whom the dialplan took on overflowed."""
    if seat is not None:
        return Outcome.ANSWERED
    if any(r.answered for r in real):
        return Outcome.OVERFLOWED
    return Outcome.ABANDONED if first.last_app in ("Queue", "Dial") else Outcome.UNKNOWN


def fill(observed: Call, recovered: Call) -> Call:
    """An observed call whose end was missed, completed from its records."""
    unknown = observed.outcome in (None, Outcome.UNKNOWN)
    return replace(
        observed,
        phase=Phase.ENDED,
        caller_number=observed.caller_number or recovered.caller_number,
        caller_name=observed.caller_name or recovered.caller_name,
        dialled=observed.dialled or recovered.dialled,
        queue=observed.queue or recovered.queue,
        arrived_at=observed.arrived_at or recovered.arrived_at,
        answered_at=observed.answered_at or recovered.answered_at,
        ended_at=observed.ended_at or recovered.ended_at,
        wait_seconds=observed.wait_seconds if observed.wait_seconds is not None else recovered.wait_seconds,
        outcome=recovered.outcome if unknown else observed.outcome,
        answered_by=observed.answered_by or recovered.answered_by,
        talk_seconds=recovered.talk_seconds if recovered.talk_seconds is not None else observed.talk_seconds,
        ended_by=observed.ended_by or EndedBy.UNKNOWN,
        stays=recovered.stays or observed.stays,
        ringing=(),
        talking_to=(),
        gates=(),
        complete=False,
        recovered=True,
    )


def needs_records(observed: Call) -> bool:
    """Whether a stored call lacks what its records could tell."""
    return observed.ended_at is None or observed.outcome in (None, Outcome.UNKNOWN)
