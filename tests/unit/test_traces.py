"""Bringing spans to a collector: a real little receiver takes them, is away, refuses, and wants a header."""

import asyncio
import logging
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callcenter.calls.model import Call, Direction, Phase
from callcenter.clock import ManualClock
from callcenter.errors import BadInput
from callcenter.settings import SettingsError, Traces
from callcenter.traces import exporter as module
from callcenter.traces.exporter import KEEP_SECONDS, Exporter, exporter_of, read_headers
from callcenter.traces.spans import Span, following, trace_id
from callcenter.traces.tracer import Tracer, trace_of
from tests.fakes.collector import Collector
from tests.fakes.ports import free_port
from tests.properties.test_spans import KNOWN


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as one:
        yield one


class Counted(dict[str, int]):
    def count(self, result: str, spans: int) -> None:
        self[result] = self.get(result, 0) + spans


def nobody() -> str:
    return f"http://127.0.0.1:{free_port()}/v1/traces"


def spans(count: int, first: int = 0) -> list[Span]:
    return [following("pbx", f"pbx-1.{n}", "transcript", 1.0, 2.0) for n in range(first, first + count)]


def made(endpoint: str, **more: Any) -> tuple[Exporter, Counted, ManualClock]:
    counted, clock = Counted(), ManualClock()
    settings = Traces(endpoint=endpoint, timeout_seconds=0.5, **more)
    return Exporter(settings, "pbx", counted.count, clock), counted, clock


async def test_spans_arrive_with_our_ids_and_instants(collector: Collector) -> None:
    one, counted, _ = made(collector.endpoint)
    (span,) = spans(1)
    one.add([span])
    await one.bring()
    (got,) = collector.spans
    assert int(got["trace"], 16) == span.trace_id == trace_id("pbx", "pbx-1.0")
    assert (int(got["id"], 16), int(got["parent"], 16)) == (span.span_id, span.parent)
    assert (got["name"], got["start"], got["end"], got["links"]) == ("transcript", 1.0, 2.0, 1)
    assert got["service"]["service.name"] == "callcenter"
    assert got["service"]["service.instance.id"] == "pbx"
    assert counted == {"sent": 1}


async def test_a_collector_that_is_away_is_a_line_a_minute_and_nothing_is_lost_before_its_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one, counted, clock = made(nobody())
    one.add(spans(3))
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            await one.bring()
        assert len(caplog.records) == 1
        clock.advance(60)
        await one.bring()
        assert len(caplog.records) == 2
    assert "127.0.0.1" not in caplog.text
    assert "traces.endpoint: not reachable, or it refused; see whether the collector runs" in caplog.text
    assert (one.failing, counted) == (True, {})
    clock.advance(KEEP_SECONDS)
    await one.bring()
    assert counted == {"lost": 3}


async def test_what_waited_is_brought_when_the_collector_is_back(collector: Collector) -> None:
    collector.status = 503
    one, counted, _ = made(collector.endpoint)
    one.add(spans(2))
    await one.bring()
    assert (one.failing, counted) == (True, {})
    collector.status = 200
    await one.bring()
    assert (one.failing, counted, len(collector.spans)) == (False, {"sent": 2}, 2)


async def test_beyond_the_limit_the_oldest_are_lost_and_counted(collector: Collector) -> None:
    one, counted, _ = made(collector.endpoint, max_waiting_spans=100)
    one.add(spans(130))
    assert counted == {"lost": 30}
    await one.close()
    assert counted == {"lost": 30, "sent": 100}
    assert {int(span["trace"], 16) for span in collector.spans} == {span.trace_id for span in spans(100, 30)}


async def test_only_the_share_is_brought(collector: Collector) -> None:
    one, _, _ = made(collector.endpoint, sample_share=0.0)
    one.add(spans(5))
    await one.close()
    assert collector.asked == []


async def test_the_header_is_read_from_its_file_each_time_and_never_told(
    collector: Collector, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "headers"
    file.write_text("Authorization: Bearer first-secret\n")
    one, counted, _ = made(collector.endpoint, headers_file=file)
    one.add(spans(1))
    await one.bring()
    file.write_text("Authorization: Bearer second-secret\n")
    one.add(spans(1))
    await one.bring()
    assert [asked["authorization"] for asked in collector.asked] == ["Bearer first-secret", "Bearer second-secret"]
    file.write_text("second-secret without a colon\n")
    one.add(spans(1))
    await one.bring()
    assert one.failing
    assert "traces.headers_file: write a header on each line, such as" in caplog.text
    assert "traces.endpoint" not in caplog.text
    assert "secret without" not in caplog.text
    assert counted == {"sent": 2}


@pytest.mark.parametrize("text", ["no colon", "Näme: x", "Name: a\x00b"])
def test_a_file_of_headers_that_is_none_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "headers").write_text(text)
    with pytest.raises(SettingsError, match=r"traces\.headers_file") as refusal:
        read_headers(tmp_path / "headers")
    assert text not in str(refusal.value)


async def test_the_loop_goes_on_while_the_collector_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one, _, _ = made(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces")
        one.add(spans(1))
        bringing = asyncio.ensure_future(one.bring())
        turns = 0
        while not bringing.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert turns > 5
        assert one.failing


def test_without_the_extra_its_installation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("opentelemetry")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with pytest.raises(BadInput, match=r"bin/pip install '/usr/local/src/callcenter\[traces\]'"):
        exporter_of(Traces(endpoint="http://127.0.0.1:4318/v1/traces"), "pbx", Counted().count, ManualClock())


def test_without_an_endpoint_there_is_no_exporter() -> None:
    assert exporter_of(Traces(), "pbx", Counted().count, ManualClock()) is None


def test_the_log_names_the_trace_that_is_kept() -> None:
    assert trace_of("pbx", 1.0)("pbx-1.1") == f"{trace_id('pbx', 'pbx-1.1'):032x}"
    assert trace_of("pbx", 0.0)("pbx-1.1") is None


def test_a_tracer_without_a_taker_does_nothing() -> None:
    call = Call("pbx", "pbx-1.1", Direction.INBOUND, Phase.ENDED, arrived_at=1.0, ended_at=2.0)
    one = Tracer(None, "pbx", KNOWN, lambda: 3.0)
    one.ended(call)
    one.wrapped_up(call)
    assert not one.on


def test_the_last_seconds_are_short() -> None:
    assert module.LAST_SECONDS < 5, "the daemon's end waits for it"
