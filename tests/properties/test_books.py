"""A book compared with itself gives nothing; a fact altered by more than the tolerance is found; no text raises."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from callcenter.calls.books import Kind, Told, World, by_call, compare
from callcenter.calls.model import Call, Direction, EndedBy, Outcome, Phase
from callcenter.calls.queue_log import Entry, Visit, parse_lines, visits
from callcenter.calls.records import Record

ID = "pbx-1700000000.0"
WORLD = World(9e9, frozenset({"trunk"}))
SEATS = ("1001", "1002", "1003")
whole = st.integers(1, 500)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """An ended hotline call, answered or given up in the queue."""
    arrived, waited, talked = 1_700_000_000.0 + draw(whole), float(draw(whole)), float(draw(whole))
    answered = draw(st.booleans())
    held = float(draw(st.integers(0, int(talked))))
    call = Call(
        "pbx",
        ID,
        Direction.INBOUND,
        Phase.ENDED,
        queue="support",
        arrived_at=arrived,
        wait_seconds=waited,
        ended_at=arrived + waited,
        outcome=Outcome.ABANDONED,
        ended_by=EndedBy.CALLER,
    )
    if not answered:
        return call
    return replace(
        call,
        outcome=Outcome.ANSWERED,
        answered_at=arrived + waited,
        ended_at=arrived + waited + talked,
        talk_seconds=talked - held,
        hold_seconds=held,
        answered_by=draw(st.sampled_from(SEATS)),
        ended_by=draw(st.sampled_from((EndedBy.CALLER, EndedBy.SEAT))),
    )


def record_of(call: Call) -> Record:
    answered = call.outcome is Outcome.ANSWERED
    return Record(
        *(ID, ID, call.arrived_at or 0.0, call.answered_at, call.ended_at, "", "", "support", "PJSIP/trunk-1"),
        *(f"PJSIP/{call.answered_by or '1001'}-2", answered, "Queue", "support"),
    )


def visit_of(call: Call) -> Visit:
    visit = Visit(ID, "support", call.arrived_at, waited=call.wait_seconds)
    if call.outcome is not Outcome.ANSWERED:
        return replace(visit, left_at=call.ended_at, exit="ABANDON")
    side = "COMPLETEAGENT" if call.ended_by is EndedBy.SEAT else "COMPLETECALLER"
    talked = (call.talk_seconds or 0.0) + call.hold_seconds
    connected = replace(visit, connected_at=call.answered_at, member=call.answered_by)
    return replace(connected, ended_at=call.ended_at, talked=talked, ended=side)


@given(calls())
def test_a_book_compared_with_itself_gives_nothing(call: Call) -> None:
    assert compare(ID, call, Told([record_of(call)], [visit_of(call)]), WORLD) == ()


@given(calls(), st.floats(-1.9, 1.9))
def test_what_is_within_the_tolerance_is_the_same(call: Call, by: float) -> None:
    record = record_of(call)
    moved = replace(record, start=record.start + by, end=(record.end or 0.0) + by)
    assert compare(ID, call, Told([moved], [visit_of(call)]), WORLD) == ()


ALTERATIONS = st.sampled_from(
    (
        "start",
        "end",
        "answer",
        "answered",
        "seat",
        "queue",
        "connected_at",
        "waited",
        "talked",
        "ended",
        "member",
        "stay",
    )
)


@given(calls(), ALTERATIONS, st.integers(3, 10_000), st.sampled_from((1, -1)))
def test_any_single_altered_fact_is_found(call: Call, what: str, by: int, sign: int) -> None:
    answered = call.outcome is Outcome.ANSWERED
    record, visit, far = record_of(call), visit_of(call), float(by * sign)
    if what in ("start", "end"):
        record = replace(record, **{what: getattr(record, what) + far})
    elif what == "answer" and answered:
        record = replace(record, answer=(record.answer or 0.0) + float(by))
    elif what == "answered":
        record = replace(record, answered=not record.answered)
    elif what == "seat" and answered:
        record = replace(record, dest_channel="PJSIP/1009-2")
    elif what == "queue":
        record = replace(record, queue="sales")
    elif what in ("connected_at", "talked") and answered:
        visit = replace(visit, **{what: getattr(visit, what) + far})
    elif what == "waited":
        visit = replace(visit, waited=(visit.waited or 0.0) + far)
    elif what == "ended" and answered:
        visit = replace(visit, ended="COMPLETEAGENT" if visit.ended == "COMPLETECALLER" else "COMPLETECALLER")
    elif what == "member" and answered:
        visit = replace(visit, member="1009")
    else:
        visit = replace(visit, queue="sales")
    found = compare(ID, call, Told([record], [visit]), WORLD)
    assert [one for one in found if not one.explained]


LINE = st.builds(
    "|".join,
    st.lists(
        st.one_of(
            st.sampled_from((ID, "support", "1001", "NONE", "CONNECT", "ENTERQUEUE", "ABANDON", "COMPLETECALLER", "7")),
            st.text(max_size=20),
            st.integers(-10, 2_000_000_000).map(str),
        ),
        max_size=9,
    ),
)


@given(st.lists(LINE, max_size=30))
def test_no_text_raises(lines: list[str]) -> None:
    entries, bad = parse_lines(lines)
    assert len(entries) + bad <= len(lines)
    stays = visits(entries)
    told = by_call({}, {ID: stays})
    for ours in (None, Call("pbx", ID, Direction.INBOUND, Phase.ENDED)):
        compare(ID, ours, Told((), told[ID].visits), WORLD)


@given(st.permutations(range(5)), st.booleans())
def test_the_order_of_lines_does_not_matter(order: list[int], same_second: bool) -> None:
    """Two queues one after the other, also where all happens within one second."""
    at = [1.0 if same_second else float(n + 1) for n in range(5)]
    lines = [
        Entry(at[0], ID, "sales", "NONE", "ENTERQUEUE"),
        Entry(at[1], ID, "sales", "NONE", "EXITWITHTIMEOUT", 9),
        Entry(at[2], ID, "support", "NONE", "ENTERQUEUE"),
        Entry(at[3], ID, "support", "1001", "CONNECT", 2),
        Entry(at[4], ID, "support", "1001", "COMPLETECALLER", talked=5),
    ]
    found = {stay.queue: stay for stay in visits(lines[n] for n in order)}
    assert len(found) == 2
    assert (found["sales"].entered_at, found["sales"].exit) == (at[0], "EXITWITHTIMEOUT")
    support = found["support"]
    assert (support.entered_at, support.connected_at, support.ended_at) == (at[2], at[3], at[4])


def test_every_kind_has_a_stable_code() -> None:
    assert [kind.value for kind in Kind] == [kind.name.lower() for kind in Kind]
