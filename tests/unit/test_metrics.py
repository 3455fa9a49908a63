"""Figures: bounded whatever comes, counted once, named and bucketed as the standard asks."""

import re
from dataclasses import replace

import pytest
from prometheus_client.exposition import generate_latest

from callcenter.calls.model import (
    Breach,
    Call,
    Direction,
    EndedBy,
    Hold,
    Outcome,
    Phase,
    Ring,
    RingResult,
    Transfer,
    TransferKind,
)
from callcenter.metrics.figures import MAX_QUEUES, RING_BOUNDS, RINGS_BOUNDS, WAIT_BOUNDS, Figures, gauge

ENDED = Call(
    "pbx",
    "pbx-1.1",
    Direction.INBOUND,
    Phase.ENDED,
    caller_number="13800138000",
    caller_name="张三",
    queue="it",
    outcome=Outcome.ANSWERED,
    answered_by="1001",
    rings_heard=3,
    wait_seconds=14.0,
    talk_seconds=100.0,
    hold_seconds=9.0,
    holds=(Hold("1001", 10.0, 19.0), Hold("1001", 30.0, None)),
    rings=(
        Ring("1002", "a", 0.0, 10.0, RingResult.MISSED),
        Ring("1003", "b", None, 10.0, RingResult.NOT_RUNG),
        Ring("1001", "c", 10.0, 14.0, RingResult.ANSWERED),
    ),
    transfers=(Transfer(TransferKind.BLIND, "1001", "1002", 50.0),),
    ended_by=EndedBy.CALLER,
    breaches=(Breach("A1", "not_lifted", 15.0),),
)


def value(figures: Figures, name: str, **labels: str) -> float:
    return figures.registry.get_sample_value(name, labels) or 0.0


def test_an_ended_call_is_counted_in_all_its_parts() -> None:
    figures = Figures()
    figures.ended(ENDED)
    assert value(figures, "callcenter_calls_total", queue="it", direction="inbound", outcome="answered") == 1
    assert value(figures, "callcenter_wait_seconds_sum", queue="it", outcome="answered") == 14.0
    assert value(figures, "callcenter_wait_seconds_bucket", queue="it", outcome="answered", le="15.0") == 1
    assert value(figures, "callcenter_wait_seconds_bucket", queue="it", outcome="answered", le="11.0") == 0
    assert value(figures, "callcenter_rings_heard_sum", queue="it", outcome="answered") == 3
    assert value(figures, "callcenter_seat_ring_seconds_sum", queue="it", result="missed") == 10.0
    assert value(figures, "callcenter_seat_ring_seconds_count", queue="it", result="not_rung") == 0
    assert value(figures, "callcenter_talk_seconds_sum", queue="it") == 100.0
    assert value(figures, "callcenter_hold_seconds_count", queue="it") == 1, "an open hold has no length"
    assert value(figures, "callcenter_transfers_total", kind="blind") == 1
    assert value(figures, "callcenter_calls_ended_by_total", queue="it", side="caller") == 1
    assert value(figures, "callcenter_breaches_total", rule="A1", reason="not_lifted", queue="it") == 1


def test_a_consultation_that_became_part_of_another_call_is_none() -> None:
    figures = Figures()
    figures.ended(replace(ENDED, merged_into="pbx-0.0"))
    assert b"callcenter_calls_total{" not in generate_latest(figures.registry)


@pytest.mark.parametrize("direction", [Direction.INTERNAL, Direction.OUTBOUND])
def test_calls_that_are_not_the_hotlines_do_not_blur_its_figures(direction: Direction) -> None:
    figures = Figures()
    figures.ended(replace(ENDED, direction=direction))
    assert value(figures, "callcenter_calls_total", queue="it", direction=direction.value, outcome="answered") == 1
    assert value(figures, "callcenter_wait_seconds_count", queue="it", outcome="answered") == 0
    assert value(figures, "callcenter_breaches_total", rule="A1", reason="not_lifted", queue="it") == 0


def test_what_is_not_known_is_counted_as_unknown_and_measured_nowhere() -> None:
    figures = Figures()
    figures.ended(Call("pbx", "1.1", Direction.INBOUND, Phase.ENDED, recovered=True))
    assert value(figures, "callcenter_calls_total", queue="none", direction="inbound", outcome="unknown") == 1
    assert value(figures, "callcenter_wait_seconds_count", queue="none", outcome="unknown") == 0
    assert value(figures, "callcenter_recovered_calls_total") == 1


def test_ten_thousand_hostile_queue_names_make_few_series() -> None:
    figures = Figures(["it"])
    for number in range(10_000):
        figures.ended(replace(ENDED, queue=f'q{number}"\n\\{{}}', breaches=()))
    text = generate_latest(figures.registry).decode()
    labels = set(re.findall(r'queue="((?:[^"\\]|\\.)*)"', text))
    assert len(labels) <= MAX_QUEUES + 2
    assert value(figures, "callcenter_calls_total", queue="other", direction="inbound", outcome="answered") >= 9_900
    assert value(figures, "callcenter_limit_hits_total", limit="queue_labels") > 0
    assert len(text.splitlines()) < 10_000
    figures.ended(ENDED)
    assert value(figures, "callcenter_calls_total", queue="it", direction="inbound", outcome="answered") == 1


def test_no_personal_data_in_any_label() -> None:
    figures = Figures()
    figures.ended(ENDED)
    text = generate_latest(figures.registry).decode()
    for personal in ("13800138000", "张三", "pbx-1.1", '"1001"', '"1002"'):
        assert personal not in text


def test_names_and_help_by_the_conventions() -> None:
    for metric in Figures().registry.collect():
        if metric.name.startswith(("process_", "python_")):
            continue
        assert re.fullmatch(r"callcenter_[a-z][a-z0-9_]*", metric.name)
        assert metric.documentation.endswith(".")
        assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket")), "the client adds these"
        if metric.type == "histogram":
            assert metric.name.endswith(("_seconds", "_rings_heard"))


def test_the_thresholds_of_the_standard_are_bounds() -> None:
    """Three rings of China end at 15 s, the third tone at 11 s; service levels count at 10, 15, 20, 30 and 60 s."""
    assert {5, 10, 11, 15, 20, 30, 60} <= set(WAIT_BOUNDS)
    assert {5, 10, 11, 15} <= set(RING_BOUNDS)
    assert {3, 4} <= set(RINGS_BOUNDS)
    for bounds in (WAIT_BOUNDS, RING_BOUNDS, RINGS_BOUNDS):
        assert list(bounds) == sorted(set(bounds))


def test_a_gauge_read_at_the_scrape_is_read_at_each() -> None:
    figures, depth = Figures(), [3.0]
    figures.gauges(lambda: [gauge("callcenter_queue_waiting_calls", "Waiting.", ["queue"], [(("it",), depth[0])])])
    assert value(figures, "callcenter_queue_waiting_calls", queue="it") == 3.0
    depth[0] = 1.0
    assert value(figures, "callcenter_queue_waiting_calls", queue="it") == 1.0
