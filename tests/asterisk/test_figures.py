"""The figures of a script of known calls on a real Asterisk: /metrics, PromQL in a real Prometheus, and SQL, each
against one table worked out by hand (``TABLE``, ``FACTS``).

To add a screen or a report: take the fixture ``day`` and compare what it shows with ``TABLE``.
"""

import asyncio
import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import pytest

from callcenter.demo.scenario import Hangup, Refer, Talk
from callcenter.metrics.service_levels import (
    Interval,
    Tally,
    Target,
    Targets,
    Variant,
    promql,
    promql_base,
    promql_term,
    service_level,
)
from callcenter.store.service_levels import Key, ServiceLevels
from callcenter.store.store import Store
from callcenter.web.text import midnight
from tests.asterisk.daemon import Daemon, total
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.prometheus import Prometheus
from tests.fakes.proxy import FaultProxy

pytestmark = pytest.mark.alone  # waits are measured: a neighbour's load would be in them

SETTINGS = """
[queues.plain02]
service_level_seconds = 10
service_class = "vip"
[queues.plain03]
[queues.plain07]
"""
TARGETS = Targets(Target(), {"plain02": Target(10, 5, "vip")})
WINDOW = "10m"

TABLE: Mapping[Key, Interval] = {
    # 18 s on one seat's own number: answered, and late for 15 s
    ("", "standard"): Interval(Tally(answered=1)),
    # 2 s; 2 s, then transferred; 2 s, then a cut link and an end from the call records: in time for 10 s
    ("plain02", "vip"): Interval(Tally(answered=3, answered_in_time=3), recovered=1),
    # 12 s: in time for 15 s
    ("plain03", "standard"): Interval(Tally(answered=1, answered_in_time=1)),
    # given up after 3 s and after 40 s; 18 s until the queue's time was over
    ("plain07", "standard"): Interval(
        Tally(abandoned=2, abandoned_in_time=1, abandoned_short=1, overflowed=1),
    ),
    # 2 s, while the link was cut: known from Asterisk's call records
    ("support", "standard"): Interval(Tally(answered=1, answered_in_time=1), recovered=1),
}
SHARES: Mapping[Variant, Mapping[str, float]] = {
    Variant.ABANDONS_IGNORED: {"none": 0, "plain02": 1, "plain03": 1, "support": 1},
    Variant.ABANDONS_GOOD: {"none": 0, "plain02": 1, "plain03": 1, "plain07": 0.5, "support": 1},
    Variant.ABANDONS_BAD: {"none": 0, "plain02": 1, "plain03": 1, "plain07": 0, "support": 1},
    Variant.LATE_ABANDONS_BAD: {"none": 0, "plain02": 1, "plain03": 1, "plain07": 0, "support": 1},
    Variant.SHORT_ABANDONS_FORGIVEN: {"none": 0, "plain02": 1, "plain03": 1, "plain07": 0, "support": 1},
    Variant.FLOW_OUTS_BAD: {"none": 0, "plain02": 1, "plain03": 1, "plain07": 0, "support": 1},
}
ALL = {
    Variant.ABANDONS_IGNORED: 5 / 6,
    Variant.ABANDONS_GOOD: 6 / 8,
    Variant.ABANDONS_BAD: 5 / 8,
    Variant.LATE_ABANDONS_BAD: 5 / 7,
    Variant.SHORT_ABANDONS_FORGIVEN: 5 / 7,
    Variant.FLOW_OUTS_BAD: 5 / 9,
}
"""The whole hotline."""
WAITS = {"none": 18, "plain02": 2 + 2 + 2, "plain03": 12}
"""Seconds that answered callers waited, by queue."""
RINGS = {"": (0, 1), "plain02": (3, 3), "plain03": (1, 1), "support": (1, 1)}
"""Answered calls within three rings, and all answered ones, by queue (A1)."""
FACTS = {"calls": 9, "transfers": 1, "recovered": 2}
SLACK_SECONDS = 1.0
"""SIP's own way, and a busy machine's, in a wait; twice that where several are added."""


class Cable:
    """The daemon's way to AMI, which can be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._proxy = FaultProxy(port)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._proxy.__aenter__(), self._loop).result(5)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._proxy.__aexit__(None, None, None), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    @property
    def port(self) -> int:
        return self._proxy.port

    def cut(self) -> None:
        self._proxy.target_port = 1  # nobody listens there
        self._loop.call_soon_threadsafe(self._proxy.close)

    def mend(self) -> None:
        self._proxy.target_port = self._port


@dataclass
class Moment:
    """What /metrics and the wallboard said while one caller waited and all four seats were busy."""

    dialled_at: float
    """When this caller had called."""
    scrapes: tuple[tuple[float, str], tuple[float, str]]
    """(moment, text) of /metrics before the wallboard was looked at, and after."""
    parts: Mapping[str, str]


@dataclass
class Day:
    """What is left when the script is over."""

    daemon: Daemon
    prometheus: Prometheus
    began_at: float
    ended_at: float
    cut_seconds: float
    """How long the link was certainly cut."""
    moment: Moment

    def ask(self, question: Callable[[ServiceLevels], Any]) -> Any:
        """The store's answer, beside the running daemon."""

        async def asked() -> Any:
            url = f"sqlite:///{self.daemon.folder}/callcenter.db"
            store = await Store.open(url, exclusive=False)
            try:
                return await question(store.service_levels("pbx", TARGETS))
            finally:
                await store.close()

        return asyncio.run(asked())


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with Lab() as lab, Cable(lab.server.ports["AMI"]) as cable, pytest.MonkeyPatch.context() as environment:
        environment.setenv("CALLCENTER_ASTERISK__PORT", str(cable.port))
        daemon = Daemon(lab, SETTINGS)
        try:
            for seat in ("1001", "1002", "1003", "1004"):
                daemon.seat(seat, seat)
            daemon.start()
            folder = tmp_path_factory.mktemp("prometheus")
            with Prometheus(folder, f"127.0.0.1:{daemon.port}") as prometheus:
                prometheus.wait_scrapes(2)
                yield _script(lab, cable, daemon, prometheus)
        finally:
            daemon.stop()


def _script(lab: Lab, cable: Cable, daemon: Daemon, prometheus: Prometheus) -> Day:
    phones, began_at = lab.phones, time.time()
    sip = lab.server.ports["SIP"]
    phones.seat("1001", 18)
    phones.seat("1002", 12)
    phones.seat("1003", 2, Talk(6), Refer(f"sip:1004@127.0.0.1:{sip}"))
    phones.seat("1004", 2)
    # Each call rings one seat: 1001 and 1003 ring or talk already when the queue of three seats is called.
    last = [phones.customer("13800000018", "5006", Talk(26), Hangup())]
    phones.customer("13800000002", "5302", Talk(3), Hangup())
    daemon.wait_call("13800000018", lambda call: call["phase"] == "ringing")
    daemon.wait_call("13800000002", lambda call: call["phase"] in ("ringing", "talking"))
    last.append(phones.customer("13800000012", "5303", Talk(32), Hangup()))
    daemon.wait_call("13800000012", lambda call: call["phase"] == "ringing")
    # Both seats of this queue ring elsewhere, and talk until the end: nobody can take these calls.
    phones.customer("13800000003", "5307", give_up=3)
    dialled_at = time.time()
    last.append(phones.customer("13800000040", "5307", give_up=40))
    phones.customer("13800000099", "5207", Talk(40))
    daemon.wait_call("13800000002", lambda call: call["phase"] == "ended")
    phones.customer("13800000022", "5302", Talk(12), Hangup())
    # A break that is asked for in a call begins after it. Then 1001 and 1002 talk, 1003 and 1004 have talked, and one
    # caller of the queue is left.
    daemon.wait_call("13800000012", lambda call: call["phase"] == "talking", 20)
    lab.server.cli("queue pause member PJSIP/1002")
    daemon.wait_call("13800000099", lambda call: call["phase"] == "ended", 40)
    daemon.wait_call("13800000022", lambda call: call["phase"] == "ended", 40)
    before = time.time(), daemon.get("/metrics")
    parts = daemon.wallboard()[1]
    moment = Moment(dialled_at, (before, (time.time(), daemon.get("/metrics"))), parts)
    lab.server.cli("queue unpause member PJSIP/1002")
    for customer in last:
        customer.wait()
    lab.quiet()
    phones.customer("13800000006", "5302", Talk(4), Hangup())
    daemon.wait_call("13800000006", lambda call: call["phase"] == "talking")
    cable.cut()
    wait_until(lambda: daemon.metric("callcenter_link_state", state="up") == 0, 10, "the loss of the link")
    cut_at = time.time()
    phones.customer("13800000005", "4000", Talk(4), Hangup()).wait()
    lab.quiet()
    cut_seconds = time.time() - cut_at
    cable.mend()
    wait_until(lambda: daemon.metric("callcenter_link_state", state="up") == 1, 20, "the link")
    wait_until(lambda: daemon.metric("callcenter_recovered_calls_total") == 2, 40, "the calls of the gap")
    prometheus.wait_scrapes(3)
    return Day(daemon, prometheus, began_at, time.time(), cut_seconds, moment)


def label(key: Key) -> dict[str, str]:
    return {"queue": key[0] or "none", "service_class": key[1]}


def test_sql_counts_what_happened(day: Day) -> None:
    assert day.ask(lambda levels: levels.service_levels(day.began_at, day.ended_at)) == TABLE
    assert day.ask(lambda levels: levels.service_levels(day.began_at, day.ended_at, by="arrived_at")) == TABLE


def test_metrics_count_what_happened(day: Day) -> None:
    def counted(**labels: str) -> float:
        return day.daemon.metric("callcenter_service_level_calls_total", **labels)

    for key, interval in TABLE.items():
        of, tally = label(key), interval.tally
        in_time = counted(outcome="answered", waited="in_time", **of) + counted(
            outcome="answered", waited="short", **of
        )
        assert (counted(outcome="answered", **of), in_time) == (tally.answered, tally.answered_in_time), key
        assert counted(outcome="abandoned", **of) == tally.abandoned, key
        assert counted(outcome="abandoned", waited="short", **of) == tally.abandoned_short, key
        assert counted(outcome="overflowed", **of) == tally.overflowed, key
        assert counted(**of) == tally.calls, key
    assert counted() == FACTS["calls"]
    assert day.daemon.metric("callcenter_calls_total", direction="inbound") == FACTS["calls"]
    assert day.daemon.metric("callcenter_transfers_total", kind="blind") == FACTS["transfers"]
    assert day.daemon.metric("callcenter_recovered_calls_total") == FACTS["recovered"]
    for queue, seconds in WAITS.items():
        waited = day.daemon.metric("callcenter_wait_seconds_sum", queue=queue, outcome="answered")
        assert waited == pytest.approx(seconds, abs=2 * SLACK_SECONDS)
    # The histogram's own bounds say the same as the counter: 18 s is above 15, 12 s is below it and above 10.
    for queue, le, calls in (("none", "15.0", 0), ("none", "20.0", 1), ("plain03", "10.0", 0), ("plain03", "15.0", 1)):
        found = day.daemon.metric("callcenter_wait_seconds_bucket", queue=queue, outcome="answered", le=le)
        assert found == calls, (queue, le)


def test_prometheus_works_out_the_same(day: Day) -> None:
    at = day.prometheus.moment()
    for variant, expected in SHARES.items():
        shares = {
            sample["metric"]["queue"]: float(sample["value"][1])
            for sample in day.prometheus.query(promql(variant, WINDOW), at)
        }
        assert shares == expected, variant
        whole = day.prometheus.value(promql(variant, WINDOW, by="job"), at)
        assert whole == pytest.approx(ALL[variant]), variant
    for key, interval in TABLE.items():
        where = ",".join(f'{name}="{value}"' for name, value in label(key).items())
        for name in ("calls", "answered", "answered_in_time", "abandoned", "abandoned_in_time", "overflowed", "other"):
            counted = day.prometheus.value(promql_term(name, WINDOW, where=where), at)
            assert counted == getattr(interval.tally, name), (key, name)
    assert day.prometheus.value(promql_base(Variant.FLOW_OUTS_BAD, WINDOW, by="job"), at) == FACTS["calls"]
    answered = f'sum(increase(callcenter_wait_seconds_sum{{outcome="answered",queue!="support"}}[{WINDOW}]))'
    of = f'sum(increase(callcenter_wait_seconds_count{{outcome="answered",queue!="support"}}[{WINDOW}]))'
    speed = day.prometheus.value(f"{answered} / {of}", at)
    assert speed == pytest.approx(sum(WAITS.values()) / 5, abs=SLACK_SECONDS), "average speed of answer"


def test_prometheus_works_out_transfers_rings_and_gaps(day: Day) -> None:
    at = day.prometheus.moment()

    def more(name: str, where: str = "", step: float = 1) -> float:
        return day.prometheus.value(f"sum(round(increase({name}{{{where}}}[{WINDOW}]), {step}))", at)

    assert more("callcenter_transfers_total", 'kind="blind"') == FACTS["transfers"]
    assert more("callcenter_transfers_total") == FACTS["transfers"]
    assert more("callcenter_recovered_calls_total") == FACTS["recovered"]
    assert more("callcenter_calls_total", 'direction="inbound"') == FACTS["calls"]
    for queue, (kept, answered) in RINGS.items():
        of = f'outcome="answered",queue="{queue or "none"}"'
        assert more("callcenter_three_rings_calls_total", of) == answered, queue
        assert more("callcenter_three_rings_calls_total", f'{of},kept="yes"') == kept, queue
    unobserved = more("callcenter_unobserved_seconds_total", step=0.001)
    stored = day.ask(lambda levels: levels.unobserved(day.began_at, day.ended_at))
    assert day.cut_seconds <= unobserved == pytest.approx(stored, abs=0.5)


def test_python_agrees_with_the_table() -> None:
    whole = sum((interval for interval in TABLE.values()), Interval())
    assert {variant: service_level(whole.tally, variant) for variant in Variant} == ALL
    for (queue, _), interval in TABLE.items():
        for variant in Variant:
            assert service_level(interval.tally, variant) == SHARES[variant].get(queue or "none"), (queue, variant)


def test_the_report_says_the_same(day: Day) -> None:
    """``callcenter report`` beside the running daemon: the table, its shares, its waits, and nobody's name."""
    zone = ZoneInfo(day.daemon.zone)
    days = [datetime.fromtimestamp(at, zone).date().isoformat() for at in (day.began_at, day.ended_at)]
    asked = ("report", "--from", days[0], "--to", days[1], "--grain", "half_hour", "--by", "queue", "--format", "json")
    told = json.loads(day.daemon.command(*asked))
    by_queue = {line["queue"]: line for line in told["totals"]}
    for (queue, _), interval in TABLE.items():
        line, tally = by_queue.pop(queue), interval.tally
        for name in ("calls", "answered", "answered_in_time", "abandoned", "abandoned_short", "overflowed", "other"):
            assert line[name] == getattr(tally, name), (queue, name)
        assert line["recovered"] == interval.recovered
        for variant in Variant:
            assert line[f"service_level_{variant}"] == SHARES[variant].get(queue or "none"), (queue, variant)
        kept, answered = RINGS.get(queue, (0, 0))
        assert line["three_rings"] == (kept / answered if answered else None), queue
        assert line["three_rings_of_calls"] == answered, queue
        abandoned, of = tally.abandoned - tally.abandoned_short, tally.calls - tally.abandoned_short
        assert (line["abandon_rate"], line["abandon_rate_of_calls"]) == (abandoned / of, of), queue
        if (waited := WAITS.get(queue or "none")) is not None:
            assert line["asa_seconds"] == pytest.approx(waited / tally.answered, abs=SLACK_SECONDS), queue
    assert by_queue == {}
    for variant in Variant:
        assert told["whole"][f"service_level_{variant}"] == pytest.approx(ALL[variant]), variant
    assert (told["whole"]["calls"], told["whole"]["recovered"]) == (FACTS["calls"], FACTS["recovered"])
    assert told["whole"]["three_rings"] == 5 / 6
    assert (told["whole"]["abandon_rate"], told["whole"]["long_holds"]) == (1 / 8, 0)
    assert sum(line["calls"] or 0 for line in told["lines"]) == FACTS["calls"], "none of those still to come"
    begin = midnight(day.began_at, ZoneInfo(day.daemon.zone))
    stored = day.ask(lambda levels: levels.unobserved(begin, day.ended_at))
    assert told["about"]["unobserved_minutes"] * 60 == pytest.approx(stored, abs=0.5)
    assert "13800000" not in json.dumps(told)


def test_what_was_not_observed_stands_beside_the_figures(day: Day) -> None:
    counted = day.daemon.metric("callcenter_unobserved_seconds_total")
    stored = day.ask(lambda levels: levels.unobserved(day.began_at, day.ended_at))
    assert counted == pytest.approx(stored, abs=0.5)
    assert day.cut_seconds <= stored <= day.ended_at - day.began_at
    now = day.prometheus.value("sum(callcenter_unobserved_seconds_total)", day.prometheus.moment())
    assert now == pytest.approx(stored, abs=0.5)


def test_three_rings_of_these_calls(day: Day) -> None:
    """Kept by whoever lifted within 15 s; a caller whom no phone rang for waited as long in vain (A1)."""
    name = "callcenter_three_rings_calls_total"
    kept = {
        queue: day.daemon.metric(name, queue=queue, kept="yes") for queue in ("none", "plain02", "plain03", "plain07")
    }
    assert kept == {"none": 0, "plain02": 3, "plain03": 1, "plain07": 1}
    assert day.daemon.metric(name, queue="none", kept="no") == 1
    assert day.daemon.metric(name, queue="plain07", kept="no") == 2


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u200b", "").split())


def test_the_wallboard_shows_the_same(day: Day) -> None:
    """Opened by a link of its own, as a screen on the wall does it."""
    page, parts = day.daemon.wallboard()
    said = {name: words(html) for name, html in parts.items()}
    now = time.time()
    since = midnight(now, ZoneInfo(day.daemon.zone))
    minutes = math.ceil(day.ask(lambda levels: levels.unobserved(since, now)) / 60)
    unobserved = f"{minutes} 分钟" if minutes < 120 else f"{minutes / 60:.1f} 小时"
    share = f"62.5 % 目标 80 % 共 8 通 · 补 2 达标 5，未达 3 {unobserved}未观测 放弃算未达标"
    assert said["service"].endswith(f"按各队列时限 {share}")
    assert "83.3 % 6 通 目标 90 %" in said["answered"]
    assert f"今天来电 {FACTS['calls']} " in said["lost"]
    assert said["lost"].startswith("放弃 1 12.5 %")
    assert said["foot"].endswith("来电 9 = 接听 6 + 放弃 1 + 短放弃 1 + 转出 1")
    rows = dict(re.findall(r'<th scope="row">.*?<bdi[^>]*>(.*?)</bdi>(.*?)</tr>', parts["queues"], re.S))
    levels = {name: words(html) for name, html in rows.items()}
    for queue, level in (
        ("plain02", "100 3 通 补 1 0"),
        ("plain03", "100 1 通 0"),
        ("plain07", "0.0 2 通 1 +1"),
        ("技术支持", "100 1 通 补 1 0"),  # support
    ):
        assert levels.get(queue, "").endswith(level), (queue, levels)
    named = {"plain02", "plain03", "plain07", "技术支持"}
    assert not [row for queue, row in levels.items() if queue not in named and re.search(r"[1-9]\d* 通", row)], levels
    assert "138000000" not in page, "no caller's number"


SHOWN_AS = {
    "free": "idle",
    "ringing": "ringing",
    "talking": "in_use",
    "hold": "hold",
    "wrapup": "wrapup",
    "break": "paused",
    "offline": "unreachable",
    "unknown": "unknown",
}
"""The wall's states, and what /metrics calls them."""


def test_metrics_say_who_waits_and_what_seats_do(day: Day) -> None:
    for at, text in day.moment.scrapes:
        waiting = "callcenter_queue_waiting_calls"
        assert (total(text, waiting), total(text, waiting, queue="plain07")) == (1, 1)
        longest = total(text, "callcenter_queue_longest_wait_seconds", queue="plain07")
        assert longest == pytest.approx(at - day.moment.dialled_at, abs=2 * SLACK_SECONDS)
        states = {state: total(text, "callcenter_seats", state=state) for state in SHOWN_AS.values()}
        assert (states["in_use"], states["wrapup"], states["ringing"], states["hold"]) == (2, 2, 0, 0)
        served = {state: total(text, "callcenter_queue_seats", queue="plain07", state=state) for state in states}
        assert {state: count for state, count in served.items() if count} == {"in_use": 2}


def test_the_wallboard_said_the_same_at_that_moment(day: Day) -> None:
    parts, (at, text) = day.moment.parts, day.moment.scrapes[0]
    rows = dict(re.findall(r'<th scope="row">.*?<bdi[^>]*>(.*?)</bdi>(.*?)</tr>', parts["queues"], re.S))
    waits = {queue: re.search(r'data-since="([\d.]+)".*?<b>(\d+)</b>', row, re.S) for queue, row in rows.items()}
    ((queue, found),) = [(queue, found) for queue, found in waits.items() if found]
    assert (queue, float(found[2])) == ("plain07", total(text, "callcenter_queue_waiting_calls", queue=queue))
    longest = total(text, "callcenter_queue_longest_wait_seconds", queue=queue)
    assert at - float(found[1]) == pytest.approx(longest, abs=SLACK_SECONDS)
    assert "0 /2" in words(rows["plain07"]), "none of its two seats is free"
    shown = dict(re.findall(r'<span class="s-(\w+)[^"]*">(?:(?!</b>).)*<b class="num">(\d+)</b>', parts["seats"], re.S))
    told = {state: total(text, "callcenter_seats", state=label) for state, label in SHOWN_AS.items()}
    assert {state: int(count) for state, count in shown.items() if count != "0"} == {
        state: count for state, count in told.items() if count
    }
