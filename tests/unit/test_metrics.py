"""Figures: bounded whatever comes, counted once, named and bucketed as the standard asks."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as open_metrics

from callcenter.calls.model import (
    Breach,
    BreachReason,
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
from callcenter.hooks import desk as hooks_desk
from callcenter.hooks.requests import Hook
from callcenter.metrics import known
from callcenter.metrics.declared import RING_BOUNDS, RINGS_BOUNDS, WAIT_BOUNDS
from callcenter.metrics.figures import MAX_QUEUES, Figures, gauge
from callcenter.metrics.service_levels import Target, Targets
from callcenter.rules.commands import _KINDS
from callcenter.speech.reasons import CODES
from callcenter.speech.workers import Heard
from callcenter.store.outbox import Result

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

LABELS = (
    ("callcenter_hook_calls", "hook"),
    ("callcenter_commands", "kind"),
    ("callcenter_limit_hits", "limit"),
    ("callcenter_transfers", "kind"),
    ("callcenter_live_refused", "reason"),
    ("callcenter_transcription_failures", "reason"),
    ("callcenter_recordings_store_failures", "reason"),
)
"""Counters without a queue, and the label that is looked at."""


def value(figures: Figures, name: str, **labels: str) -> float:
    """The sum of the samples that have these labels."""
    samples = (sample for family in figures.registry.collect() for sample in family.samples if sample.name == name)
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def scraped(figures: Figures) -> str:
    return generate_latest(figures.frozen()).decode()


def test_an_ended_call_is_counted_in_all_its_parts() -> None:
    figures = Figures(["it"])
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
    figures = Figures(["it"])
    figures.ended(replace(ENDED, merged_into="pbx-0.0"))
    assert value(figures, "callcenter_calls_total") == 0


@pytest.mark.parametrize("direction", [Direction.INTERNAL, Direction.OUTBOUND])
def test_calls_that_are_not_the_hotlines_do_not_blur_its_figures(direction: Direction) -> None:
    figures = Figures(["it"])
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


def test_queues_that_asterisk_has_stand_at_zero_unless_there_are_too_many() -> None:
    figures = Figures(["it"])
    figures.expect(("it", "new", "13812345678", "x" * 65, ""))
    assert figures.queues().keys() == {"it", "none", "new"}
    figures.expect(f"idle-{number}" for number in range(MAX_QUEUES))
    assert figures.queues().keys() == {"it", "none", "new"}, "there is room for those that are called"
    assert value(figures, "callcenter_limit_hits_total", limit="queue_labels") == 0, "nobody called there"
    figures.expect(f"idle-{number}" for number in range(MAX_QUEUES - 1))
    assert len(figures.queues()) == MAX_QUEUES + 2


def test_ten_thousand_hostile_queue_names_make_few_series() -> None:
    figures = Figures(["it"])
    for number in range(10_000):
        figures.ended(replace(ENDED, queue=f'q{number}"\n\\{{}}', breaches=()))
    scraped(figures)
    text = generate_latest(figures.registry).decode()
    labels = set(re.findall(r'queue="((?:[^"\\]|\\.)*)"', text))
    assert len(labels) <= MAX_QUEUES + 3
    assert value(figures, "callcenter_calls_total", queue="other", direction="inbound", outcome="answered") >= 9_900
    assert value(figures, "callcenter_limit_hits_total", limit="queue_labels") > 0
    assert len(text.splitlines()) < 20_000, "10,000 names with series of their own would be 2,000,000"
    figures.ended(ENDED)
    assert value(figures, "callcenter_calls_total", queue="it", direction="inbound", outcome="answered") == 1


def test_no_personal_data_in_any_label() -> None:
    figures = Figures(["it"])
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


def test_what_a_service_level_is_made_of_counts_by_the_queues_own_threshold() -> None:
    figures = Figures(["it", "vip"], Targets(Target(15, 5), {"vip": Target(10, 5, "vip")}))
    for queue in ("it", "vip"):
        figures.ended(replace(ENDED, queue=queue))
        figures.ended(replace(ENDED, queue=queue, outcome=Outcome.ABANDONED, wait_seconds=3.0))
    name, answered = "callcenter_service_level_calls_total", {"outcome": "answered"}
    assert value(figures, name, queue="it", service_class="standard", waited="in_time", **answered) == 1
    assert value(figures, name, queue="vip", service_class="vip", waited="late", **answered) == 1
    assert value(figures, name, waited="short", outcome="abandoned") == 2
    assert value(figures, "callcenter_wait_seconds_bucket", queue="vip", le="10.0", **answered) == 0


def test_a_threshold_of_the_site_is_a_bound_of_the_histogram() -> None:
    figures = Figures(["it"], Targets(Target(17.5, 3)))
    figures.ended(replace(ENDED, wait_seconds=17.5))
    assert value(figures, "callcenter_wait_seconds_bucket", le="17.5", outcome="answered") == 1
    assert value(figures, "callcenter_wait_seconds_bucket", le="15.0", outcome="answered") == 0
    figures.ended(replace(ENDED, outcome=Outcome.ABANDONED, wait_seconds=3.0))
    assert value(figures, "callcenter_wait_seconds_bucket", le="3.0", outcome="abandoned") == 1


def test_three_rings_are_kept_or_not() -> None:
    figures = Figures(["it"])
    figures.ended(ENDED)
    figures.ended(replace(ENDED, breaches=()))
    figures.ended(replace(ENDED, breaches=(Breach("B6", "seat_first", 1.0),)))
    name = "callcenter_three_rings_calls_total"
    assert value(figures, name, queue="it", outcome="answered", kept="yes") == 2
    assert value(figures, name, queue="it", outcome="answered", kept="no") == 1


def series(figures: Figures) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Every series of a counter or histogram."""
    kinds = ("counter", "histogram")
    families = [family for family in figures.registry.collect() if family.type in kinds]
    return {(s.name, tuple(sorted(s.labels.items()))) for family in families for s in family.samples}


def test_a_queue_has_all_its_series_at_zero_before_its_first_call_ends() -> None:
    """Prometheus does not see the first step of a counter that begins at one."""
    figures = Figures(["it"])
    figures.queue("new")
    before = series(figures)
    every = (
        ENDED,
        replace(ENDED, transfers=(Transfer(TransferKind.ATTENDED, "1001", "1002", 50.0),), variables={"survey": "5"}),
        *(replace(ENDED, ended_by=side) for side in (*EndedBy, None)),
        *(replace(ENDED, breaches=(Breach("A1", reason, 1.0),)) for reason in BreachReason),
        *(replace(ENDED, rings=(Ring("1", "a", 0.0, 1.0, result),)) for result in RingResult),
        *(replace(ENDED, direction=direction, outcome=outcome) for direction in Direction for outcome in Outcome),
    )
    for queue in ("it", "new", None):
        for call in every:
            figures.ended(replace(call, queue=queue))
    scraped(figures)
    late = [dict(labels) for name, labels in series(figures) - before]
    # how long callers waited whose call failed, or of which nothing is known, is in no share
    assert {labels["outcome"] for labels in late} == {"failed", "unknown"}
    assert not {name for name, _ in series(figures) - before if name.endswith("_total")}
    assert value(figures, "callcenter_breaches_total", queue="new", reason="no_seat") == 1


def test_every_counter_with_known_labels_is_there_from_the_start() -> None:
    """Held to whoever counts: what they may ever say is known here."""
    figures = Figures()
    told = {
        name: {dict(labels)[key] for of, labels in series(figures) if of == f"{name}_total"} for name, key in LABELS
    }
    assert told == {
        "callcenter_hook_calls": {*Hook, hooks_desk.UNKNOWN},
        "callcenter_commands": set(_KINDS),
        "callcenter_limit_hits": set(known.LIMITS),
        "callcenter_transfers": set(TransferKind),
        "callcenter_live_refused": {"busy", "failed"},
        "callcenter_transcription_failures": set(CODES),
        "callcenter_recordings_store_failures": set(known.NOT_STORED),
    }
    assert {*Result, "shed"} == set(known.COMMAND_ENDS)


def test_whatever_is_counted_in_the_sources_is_known() -> None:
    """The words that are counted, as the modules write them."""
    root = Path(__file__).parents[2] / "callcenter"

    def words(pattern: str, *files: str) -> set[str]:
        return {word for file in files for word in re.findall(pattern, (root / file).read_text("utf-8"))}

    hooks = ("web/hooks_in.py", "web/fastagi.py", "hooks/desk.py")
    ends = (
        words(r'Refused\(\d+, "(\w+)"', *hooks)
        | words(r'return "(\w+)"', hooks[1])
        | words(r'result = "(\w+)"', hooks[1])
    )
    assert len(ends) > 8
    assert ends <= set(known.HOOK_ENDS)
    every = [str(path.relative_to(root)) for path in root.rglob("*.py")]
    limits = words(r'limit_hit\("(\w+)"', *every)
    assert limits
    assert limits <= set(known.LIMITS)
    link = words(r'(?:counts|_totals)\["(\w+)"\]', "ami/link.py", "ami/wire.py", "ami/codec.py", "ami/glance.py")
    assert len(link) > 5
    assert link | {"seen"} == set(known.LINK)
    stored = words(r'(?:_away\(|reason = |else )"(\w+)"', "speech/storing.py")
    assert stored - {"working"} == set(known.NOT_STORED)


def test_a_queue_stands_at_zero_once_anything_tells_of_it() -> None:
    """A member of it, or a call that has only begun: else its counters are born with their first call."""
    figures = Figures(["it"])
    line = re.compile(
        r'^callcenter_calls_total{direction="inbound",outcome="answered",queue="(\w+)"} (.*)$', re.MULTILINE
    )

    def shown() -> dict[str, str]:
        return dict(line.findall(generate_latest(figures.frozen()).decode()))

    assert shown() == {"it": "0.0", "none": "0.0"}
    figures.gauges(lambda: [gauge("callcenter_queue_seats", "Seats.", ["queue"], [((figures.queue("new"),), 2.0)])])
    assert shown() == {"it": "0.0", "new": "0.0", "none": "0.0"}
    figures.ended(replace(ENDED, queue="new"))
    assert shown()["new"] == "1.0", "whoever looks after a call sees it"


@pytest.mark.parametrize(
    "name", ["13812345678", "+86 138-1234-5678", "q1a2b3c4d5e6f7", "１３８１２３４５６７８", "x" * 65, "队" * 200_000]
)
def test_a_number_or_an_endless_name_is_no_label(name: str) -> None:
    figures = Figures(["it"])
    before = len(scraped(figures))
    for _ in range(2):
        figures.ended(replace(ENDED, queue=name))
    text = scraped(figures)
    assert name not in text
    assert value(figures, "callcenter_calls_total", queue="other", outcome="answered") == 2
    assert len(text) - before < 40_000, "one more label"


def test_a_queue_of_the_settings_may_look_like_a_number() -> None:
    figures = Figures(["4008001234"])
    figures.ended(replace(ENDED, queue="4008001234"))
    assert value(figures, "callcenter_calls_total", queue="4008001234") == 1


def test_queues_that_are_called_like_a_reserved_label_join_it() -> None:
    figures = Figures(["it"])
    for name in ("none", "other"):
        figures.ended(replace(ENDED, queue=name))
    figures.ended(replace(ENDED, queue=None))
    scraped(figures)
    assert value(figures, "callcenter_calls_total", queue="none") == 2
    assert value(figures, "callcenter_calls_total", queue="other") == 1


def test_exemplars_name_the_call_in_the_one_format_that_has_them() -> None:
    figures = Figures(["it"])
    figures.ended(ENDED)
    assert "pbx-1.1" not in generate_latest(figures.registry).decode()
    text = open_metrics(figures.registry).decode()
    exemplars = [line for line in text.splitlines() if '# {call_id="pbx-1.1"} ' in line]
    assert {line.partition("{")[0] for line in exemplars} >= {
        *("callcenter_calls_total", "callcenter_wait_seconds_bucket", "callcenter_breaches_total"),
    }
    for personal in ("13800138000", "张三", '"1001"', '"1002"'):
        assert personal not in text


def test_a_call_id_that_somebody_made_up_is_no_exemplar() -> None:
    figures = Figures(["it"])
    for made_up in ("x" * 65, 'a"b', "+86 138 0013 8000", ""):
        figures.ended(replace(ENDED, call_id=made_up))
    assert "call_id" not in open_metrics(figures.registry).decode()


def test_an_encoder_in_a_thread_sees_the_moment_of_the_scrape() -> None:
    figures, depth = Figures(["it"]), [3.0]
    figures.gauges(lambda: [gauge("callcenter_queue_waiting_calls", "Waiting.", ["queue"], [(("it",), depth[0])])])
    frozen = figures.frozen()
    depth[0] = 1.0
    text = generate_latest(frozen).decode()
    assert 'callcenter_queue_waiting_calls{queue="it"} 3.0' in text
    assert text.count("# TYPE callcenter_calls_total ") == 1


def manual() -> dict[str, set[str]]:
    """The table of docs/metrics.md: each metric, as the client calls it, with its labels."""
    table = (Path(__file__).parents[2] / "docs/metrics.md").read_text("utf-8").split("## Every metric")[1]
    told: dict[str, set[str]] = {}
    for cells in re.findall(r"^\| (`.*?) \| (.*?) ?\|", table, re.MULTILINE):
        names = [name.removesuffix("_total") for name in re.findall(r"`(callcenter_\w+)`", cells[0])]
        labels = [set(re.findall(r"\w+", one)) for one in cells[1].split(";")]
        assert len(labels) in (1, len(names)), cells
        assert not set(names) & told.keys(), "each metric has one row"
        told |= zip(names, labels * (len(names) // len(labels)), strict=True)
    return told


def test_the_manual_names_every_metric_and_no_other() -> None:
    """docs/metrics.md, by the names of the sources: also those that only some sites have."""
    root = Path(__file__).parents[2]
    sources = "".join(path.read_text() for path in (root / "callcenter").rglob("*.py"))
    names = {name.removesuffix("_total") for name in re.findall(r'"(callcenter_[a-z0-9_]+)"', sources)}
    assert len(names) > 50
    assert manual().keys() == names


def test_the_manual_names_the_labels_of_every_metric_that_is_kept() -> None:
    kept = {
        one._name: set(one._labelnames) for one in Figures().kept._collector_to_names if hasattr(one, "_labelnames")
    }
    assert len(kept) > 40
    told = manual()
    assert {name: labels for name, labels in kept.items() if told[name] != labels} == {}


def test_a_phrase_that_two_seats_of_a_call_said_is_one_of_the_queue() -> None:
    figures = Figures()
    said = {"phrase": "dont_know", "found": True, "band": "sure"}
    unsaid = {"phrase": "wait_announcement", "found": False, "band": "sure"}
    figures.transcribed("it", Heard(seconds=9.0), [said, said, unsaid, {**unsaid, "band": "doubtful"}])
    counted = [
        value(figures, "callcenter_phrases_total", queue="it", phrase=phrase, result=result)
        for phrase, result in (
            ("dont_know", "said"),
            ("wait_announcement", "doubtful"),
            ("wait_announcement", "not_said"),
        )
    ]
    assert counted == [1, 1, 0]


def test_the_first_doubt_about_a_phrase_is_a_step() -> None:
    figures = Figures()
    figures.transcribed("it", Heard(), [{"phrase": "greeting", "found": True, "band": "sure"}])
    before = series(figures)
    figures.transcribed("it", Heard(), [{"phrase": "greeting", "found": True, "band": "doubtful"}])
    assert series(figures) == before
