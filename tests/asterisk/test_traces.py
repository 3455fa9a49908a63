"""One call on a real Asterisk as one trace: from its first event to ticket, pop, hooks and recording."""

from pathlib import Path

from callcenter.demo.scenario import Hangup, Talk
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.collector import Collector

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
