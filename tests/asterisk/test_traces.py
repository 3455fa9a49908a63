"""One call on a real Asterisk as one trace: from its first event to ticket, pop, hooks and recording."""

from pathlib import Path

import pytest

from callcenter.demo.scenario import Hangup, Talk
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until
from tests.asterisk.test_hearing import COMPANY, TURNS, heard
from tests.fakes.collector import Collector
from tests.fakes.spoken import MANDARIN, MODEL

NEEDED = {"call", "waiting", "ring", "talk", "hook", "ticket opened", "pop told", "recording"}


def test_a_hotline_call_is_one_trace(tmp_path: Path) -> None:
    with Lab(hooks="curl") as lab, Collector() as collector:
        daemon = Daemon(lab, f'[traces]\nendpoint = "{collector.endpoint}"\n')
        daemon.seat("1001", "018")
        daemon.start()
        try:
            lab.phones.seat("1001", 3.0)
            lab.phones.customer("13800000001", "4000", Talk(4), Hangup(), name="张三")
            call = daemon.wait_call("13800000001", lambda call: call["phase"] == "ended", 40)
            wait_until(lambda: {span["name"] for span in collector.spans} >= NEEDED, 30, "the whole trace")
        finally:
            daemon.stop()
    assert len({span["trace"] for span in collector.spans}) == 1
    by_name = {span["name"]: span for span in collector.spans}
    whole = by_name["call"]
    assert whole["attributes"]["callcenter.call_id"] == call["call_id"]
    assert (whole["attributes"]["callcenter.queue"], whole["attributes"]["callcenter.outcome"]) == (
        "support",
        "answered",
    )
    for name in NEEDED - {"call", "recording"}:
        span = by_name[name]
        assert span["parent"] == whole["id"]
        assert whole["start"] - 0.5 <= span["start"] <= span["end"] <= whole["end"] + 0.5, name
    assert by_name["recording"]["start"] >= whole["end"]
    assert abs(by_name["waiting"]["end"] - call["answered_at"]) < 0.001
    answered = [span for span in collector.spans if span["attributes"].get("callcenter.result") == "answered"]
    assert [span["attributes"]["callcenter.seat"] for span in answered] == ["1001"]
    assert not [word for word in ("13800000001", "张三", "4000") if word in str(collector.spans)]


@pytest.mark.alone  # speech is heard: a neighbour's load would cost packets of it
def test_what_was_heard_is_in_the_trace_of_its_call() -> None:
    """A spoken call, heard by the real vosk after its end: one trace from the first event to the transcript."""
    with Lab(hooks="curl") as lab, Collector() as collector:
        traces = f'[traces]\nendpoint = "{collector.endpoint}"\n'
        one = heard(lab, TURNS, COMPANY, MODEL, MANDARIN, more=traces)
        wait_until(lambda: {span["name"] for span in collector.spans} >= NEEDED | {"transcript"}, 30, "the whole trace")
    assert len({span["trace"] for span in collector.spans}) == 1
    by_name = {span["name"]: span for span in collector.spans}
    whole, transcript = by_name["call"], by_name["transcript"]
    assert whole["attributes"]["callcenter.call_id"] == one.call["call_id"]
    assert transcript["parent"] == whole["id"]
    assert whole["end"] <= transcript["start"] < transcript["end"]
    assert not [word for word in ("13800000021", "打印机", "不清楚") if word in str(collector.spans)]
