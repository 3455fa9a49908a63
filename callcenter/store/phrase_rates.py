"""How often phrases were said, from the findings of what is kept and the sums of what was erased (E1, E2).

On the path of a call: long after it; ``store/keeping`` adds to the sums in the transaction that takes the findings.
Promises: erasing a recording changes no figure of past days; a sum says day, queue, seat and phrase, and nothing
by which its call could be found.
Never: keeps what was said.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, and_, case, literal, or_, select, update

from callcenter.quality.rates import PHRASES, WEEK_SECONDS, Counted, Judged, counted
from callcenter.store.database import Database, fetch
from callcenter.store.review_joins import AT, JOINED, KEPT
from callcenter.store.review_tables import phrase_sums
from callcenter.store.schema import calls, findings, recording_seats, recordings, transcripts
from callcenter.store.upsert import ignore_known

_NOON_SECONDS = 43_200.0
_KEY = ("day_at", "queue", "seat", "phrase")
_SUMS = ("said", "not_said", "doubtful")
_Row: TypeAlias = Mapping[str, Any]


async def rates(readers: Database, since: float, weeks: int, seat: str | None) -> list[Counted]:
    """Phrases by week, counted from ``since``, and by the seat that said or owed them; of one seat, or of all."""
    rows, sums = await _told(readers, since, weeks, seat)
    return _joined(rows, sums, since)


async def rates_by_queue(readers: Database, since: float) -> dict[str, list[Counted]]:
    """The same of a week from ``since``, by queue ("" for none): added up it is what ``rates`` tells."""
    rows, sums = (_by_queue(found) for found in await _told(readers, since, 1, None))
    return {queue: _joined(rows.get(queue, ()), sums.get(queue, ()), since) for queue in sorted({*rows, *sums})}


async def _told(readers: Database, since: float, weeks: int, seat: str | None) -> tuple[list[_Row], list[_Row]]:
    """What findings are kept, and the sums of what was erased."""
    until = since + weeks * WEEK_SECONDS
    statements = _judged((KEPT, since <= AT, until > AT), seat)
    rows: list[_Row] = [row for one in statements for row in await readers.rows(one)]
    day = phrase_sums.c.day_at + _NOON_SECONDS  # in the middle of the day no change of the clock moves it over a border
    sums = select(phrase_sums, day.label("at")).where(day >= since, day < until)
    sums = sums if seat is None else sums.where(phrase_sums.c.seat == seat)
    return rows, list(await readers.rows(sums))


def _by_queue(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = {}
    for row in rows:
        found.setdefault(row["queue"] or "", []).append(row)
    return found


def _joined(rows: Iterable[_Row], sums: Iterable[_Row], since: float) -> list[Counted]:
    told = counted(_of(row, int((row["at"] - since) // WEEK_SECONDS)) for row in rows)
    both = {(one.seat, one.week, one.phrase): [one.said, one.not_said, one.doubtful] for one in told}
    for row in sums:
        key = row["seat"], int((row["at"] - since) // WEEK_SECONDS), row["phrase"]
        both[key] = [a + row[name] for a, name in zip(both.get(key, [0, 0, 0]), _SUMS, strict=True)]
    return [Counted(*key, *numbers) for key, numbers in sorted(both.items())]


def add_to_sums(connection: Connection, recording_id: int, zone: ZoneInfo) -> None:
    """What the findings of a recording come to is added to the sums; they are about to be deleted."""
    mine = recordings.c.id == recording_id
    told = counted(_of(row, 0) for one in _judged((mine,), None) for row in fetch(connection, one))
    where = fetch(connection, select(AT.label("at"), calls.c.queue).select_from(JOINED).where(mine))
    if not told or not where:
        return
    came = datetime.fromtimestamp(where[0]["at"], zone)
    day = came.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    begin = ignore_known(connection.dialect.name, phrase_sums, _KEY)
    for one in told:
        key = dict(zip(_KEY, (day, where[0]["queue"] or "", one.seat, one.phrase), strict=True))
        connection.execute(begin, {**key, **dict.fromkeys(_SUMS, 0)})
        own = and_(*(phrase_sums.c[name] == value for name, value in key.items()))
        more = {name: phrase_sums.c[name] + getattr(one, name) for name in _SUMS}
        connection.execute(update(phrase_sums).where(own).values(more))


def _judged(wanted: Iterable[ColumnElement[bool]], seat: str | None) -> tuple[Select[Any], Select[Any]]:
    """The findings of each seat, and of what one seat said that the others of the call did not."""
    f, t, on_call = findings.c, transcripts.c.id, recording_seats.c
    unsaid = and_(f.kind == "forbidden", ~f.found)  # by every seat of the call
    whose = case((unsaid, on_call.seat), else_=f.seat)
    others = and_(f.kind == "forbidden", f.found, on_call.seat != f.seat)
    columns = (AT.label("at"), t.label("call"), f.phrase, f.kind, calls.c.queue)
    joined, there = JOINED.join(findings, f.transcript_id == t), on_call.recording_id == recordings.c.id
    counts = or_(f.kind == "forbidden", f.phrase.in_(PHRASES))
    own = select(*columns, whose.label("seat"), f.found, f.band)
    own = own.select_from(joined.outerjoin(recording_seats, and_(unsaid, there))).where(whose.is_not(None), counts)
    beside = select(*columns, on_call.seat, literal(False).label("found"), literal("sure").label("band"))
    beside = beside.select_from(joined.join(recording_seats, and_(others, there)))
    if seat is not None:
        own, beside = own.where(whose == seat), beside.where(on_call.seat == seat)
    return own.where(*wanted), beside.where(*wanted)


def _of(row: Mapping[str, Any], week: int) -> Judged:
    doubtful = row["band"] == "doubtful"
    return Judged(row["seat"], week, row["call"], row["phrase"], row["kind"], row["found"], doubtful)
