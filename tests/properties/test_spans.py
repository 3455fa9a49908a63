"""Spans of calls: every capture and every hostile call gives spans that lie right, stable ids, nobody's data."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.calls.model import Call, Direction, Hold, Outcome, Pause, Phase, Ring, RingResult
from callcenter.metrics.figures import MAX_QUEUES, Figures
from callcenter.traces.spans import (
    OTHER,
    Known,
    Span,
    following,
    of_call,
    reported,
    root_of,
    sampled,
    span_id,
    trace_id,
)

SEATS = frozenset({"1001", "1002"})
KNOWN = Known({"support": None}, lambda queue: "standard", lambda seat: seat in SEATS, lambda queue: queue)
WORDS = {"none", OTHER, "support", "standard", "pbx", *SEATS}

certain = st.floats(-10, 1000).map(lambda at: 1_795_000_000.0 + at)
instants = st.none() | certain
hostile = (
    st.sampled_from(["13800138000", "王小明", "Local/13800138000@out", "x" * 500, "a\nb", "\ud800", "1001"]) | st.text()
)
rings = st.builds(
    Ring, seat=hostile, leg=hostile, started_at=instants, ended_at=instants, result=st.sampled_from(RingResult)
)
calls = st.builds(
    Call,
    server=st.just("pbx"),
    call_id=hostile,
    direction=st.sampled_from(Direction),
    phase=st.just(Phase.ENDED),
    caller_number=hostile,
    caller_name=hostile,
    dialled=hostile,
    queue=st.none() | hostile | st.just("support"),
    caller_channel=hostile,
    arrived_at=instants,
    waiting_since=instants,
    first_ring_at=instants,
    answered_at=instants,
    ended_at=instants,
    wait_seconds=st.none() | st.floats(0, 500),
    outcome=st.none() | st.sampled_from(Outcome),
    answered_by=st.none() | hostile,
    rings=st.lists(rings, max_size=4).map(tuple),
    holds=st.lists(st.builds(Hold, seat=hostile, started_at=certain, ended_at=instants), max_size=3).map(tuple),
    pauses=st.lists(st.builds(Pause, started_at=certain, ended_at=instants, by=hostile), max_size=3).map(tuple),
    recording=st.none() | hostile,
    variables=st.dictionaries(hostile, hostile, max_size=2),
    merged_into=st.none() | hostile,
)


def assert_in_order(spans: list[Span]) -> None:
    by_id = {span.span_id: span for span in spans}
    assert len(by_id) == len(spans), "no two spans have one id"
    assert len({span.trace_id for span in spans}) <= 1
    for span in spans:
        assert span.started_at <= span.ended_at
        assert 0 < span.trace_id < 2**128
        assert 0 < span.span_id < 2**64
        if span.parent is not None and not span.follows:
            parent = by_id[span.parent]
            assert parent.started_at <= span.started_at
            assert span.ended_at <= parent.ended_at


@given(calls)
def test_each_span_lies_within_its_parent_and_ids_are_stable(call: Call) -> None:
    spans = of_call(call, KNOWN)
    assert_in_order(spans)
    assert spans == of_call(replace(call), KNOWN)
    assert of_call(replace(call, phase=Phase.TALKING), KNOWN) == [], "while it runs its end is not known"


@given(calls)
def test_nothing_of_a_person_is_in_a_span(call: Call) -> None:
    """Every text is one of a closed set, but for an id that looks like Asterisk's and a queue that looks like one."""
    closed = {*WORDS, *Direction, *Outcome, *RingResult, "unknown", "caller", "seat", "system"}
    for span in of_call(call, KNOWN):
        for name, value in span.attributes.items():
            if not isinstance(value, str) or value in closed:
                continue
            assert name in ("callcenter.call_id", "callcenter.merged_into", "callcenter.queue"), (name, value)
            assert value.isascii()
            assert len(value) <= 64
            if name == "callcenter.queue":
                assert value[0].isalpha()
                assert not any(value[n : n + 4].isdigit() for n in range(len(value) - 3))


def test_spans_name_as_many_queues_as_figures_do() -> None:
    figures = Figures()
    known = replace(KNOWN, label=figures.queue)
    named = {known.queue_name(f"evil-{number}") for number in range(999)}
    assert len(named) == MAX_QUEUES + 1
    assert {known.queue_name(name) for name in ("support", "evil-0", "evil-998", "13812345678", "x" * 65)} == {
        *("support", "evil-0", OTHER),
    }


@pytest.mark.parametrize("seat", ["13800138000", "Local/138@out", "王"])
def test_a_seat_that_the_site_does_not_know_has_no_name(seat: str) -> None:
    ring = Ring(seat, "x", 2.0, 3.0, RingResult.MISSED)
    call = Call("pbx", "pbx-1.1", Direction.INBOUND, Phase.ENDED, arrived_at=1.0, ended_at=9.0, rings=(ring,))
    (_, rung) = of_call(call, KNOWN)
    assert rung.attributes["callcenter.seat"] == OTHER


@given(calls, certain, st.floats(0, 100))
def test_what_is_reported_of_a_call_hangs_on_it_and_follows_once_it_has_ended(call: Call, at: Any, took: float) -> None:
    span = reported(call, "ticket opened", at, at + took)
    assert (span.trace_id, span.parent) == root_of("pbx", call.call_id)
    assert span.follows is (call.ended_at is not None)
    if call.ended_at is not None:
        assert span.started_at >= call.ended_at
    assert span.started_at <= span.ended_at


def test_a_transcript_of_another_run_joins_the_same_trace() -> None:
    call = Call("pbx", "pbx-1.1", Direction.INBOUND, Phase.ENDED, arrived_at=1.0, ended_at=9.0)
    (root,) = of_call(call, KNOWN)
    later = following("pbx", "pbx-1.1", "transcript", 3_600.0, 3_610.0)
    assert (later.trace_id, later.parent) == (root.trace_id, root.span_id)


@given(st.text(), st.text(), st.text())
def test_ids_tell_calls_and_servers_apart(server: str, one: str, other: str) -> None:
    assert (trace_id(server, one) == trace_id(server, other)) is (one.replace("\n", " ") == other.replace("\n", " "))
    assert trace_id(server, one) == trace_id(server, one)
    assert span_id(1, one) == span_id(1, one)


@given(st.integers(1, 2**128 - 1), st.floats(0, 1))
def test_a_share_is_decided_by_the_trace(trace: int, share: float) -> None:
    assert sampled(trace, 1.0)
    assert not sampled(trace, 0.0)
    assert not sampled(trace, share) or sampled(trace, min(1.0, share * 2))


def test_a_share_is_about_that_share() -> None:
    kept = sum(sampled(trace_id("pbx", f"pbx-1.{n}"), 0.25) for n in range(4_000))
    assert 850 < kept < 1_150
