"""What a call is found by: a fault of a rule, one phrase, and what the sound and the holds of the call tell.

On the path of a call: below the queries of the review page.
Promises: the same on SQLite and PostgreSQL; a value is a bound parameter; one phrase, and the names of all, are read
from ``ix_findings_phrase_found``; a call's details are read only where its holds together are long enough.
Never: decides what a fault is; findings and measures were stored with the transcript.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, column, exists, func, literal, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import JSON

from callcenter.quality.review import OF_PHRASE
from callcenter.store.schema import calls, findings, transcripts


class _Items(FunctionElement[Any]):
    """The items of a list in a JSON column as rows; none of a list that is not there."""

    inherit_cache = True

    def __init__(self, of: ColumnElement[Any], key: str) -> None:
        super().__init__(of, literal(f"$.{key}"), literal(key))


@compiles(_Items)
def _of_sqlite(element: _Items, compiler: Any, **options: Any) -> str:
    of, path, _ = element.clauses
    return f"json_each({compiler.process(of, **options)}, {compiler.process(path, **options)})"


@compiles(_Items, "postgresql")
def _of_postgres(element: _Items, compiler: Any, **options: Any) -> str:
    of, _, key = element.clauses
    return f"json_array_elements({compiler.process(of, **options)} -> {compiler.process(key, **options)})"


def has_finding(fault: str, hold_limit_seconds: float) -> ColumnElement[bool]:
    """``fault``: as ``Wanted.fault``."""
    c = findings.c
    if fault == "hold":
        return _long_hold(hold_limit_seconds)
    if fault == "unexplained":
        return func.json_array_length(transcripts.c.measures["unexplained_waits"]) > 0
    if fault == "interruption":
        return _seat_interrupts()
    of_transcript = c.transcript_id == transcripts.c.id
    if fault == "doubtful":
        return exists().where(of_transcript, c.band == "doubtful")
    if fault.startswith(OF_PHRASE):
        of_phrase = select(c.transcript_id).where(c.phrase == fault.removeprefix(OF_PHRASE))
        return transcripts.c.id.in_(of_phrase.where(or_(_WRONG, c.band == "doubtful")))
    return exists().where(of_transcript, c.rule == fault, _WRONG)


_WRONG = or_(
    and_(findings.c.kind == "forbidden", findings.c.found), and_(findings.c.kind == "required", ~findings.c.found)
)


def _long_hold(limit_seconds: float) -> ColumnElement[bool]:
    """One that ended: how long any other lasted nobody saw."""
    held = _Items(calls.c.detail, "holds").table_valued(column("value", JSON), name="held")
    seconds = held.c.value["ended_at"].as_float() - held.c.value["started_at"].as_float()
    long = exists(select(1).select_from(held).where(seconds > limit_seconds).correlate(calls))
    return and_(calls.c.hold_seconds > limit_seconds, long)


def _seat_interrupts() -> ColumnElement[bool]:
    both = _Items(transcripts.c.measures, "overlaps").table_valued(column("value", JSON), name="both_spoke")
    by_seat = both.c.value["by"].as_string() == "seat"
    return exists(
        select(1).select_from(both).where(by_seat, both.c.value["interruption"].as_boolean()).correlate(transcripts)
    )


def phrases() -> Select[Any]:
    """Name, rule and kind of each phrase of which there is a finding: from name to name along the index, not through
    all findings."""
    c = findings.c
    names = select(func.min(c.phrase).label("name")).cte("names", recursive=True)
    later = select(func.min(c.phrase)).where(c.phrase > names.c.name).scalar_subquery()
    names = names.union_all(select(later).where(names.c.name.is_not(None)))
    of_one = (select(one).where(c.phrase == names.c.name).limit(1).scalar_subquery() for one in (c.rule, c.kind))
    rule, kind = of_one
    return select(names.c.name, rule.label("rule"), kind.label("kind")).where(names.c.name.is_not(None))
