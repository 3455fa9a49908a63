"""/metrics of a daemon that has seen real calls, as Prometheus' own promtool judges it. No promtool, no pass."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import generate_latest

from callcenter.ami.events import Event, QueueCallerLeave
from callcenter.ami.glance import EventDecoder
from callcenter.ami.link import LinkStatus
from callcenter.ami.parse import WANTED, parse
from callcenter.app import Daemon
from callcenter.calls.model import Call, Direction, Phase
from callcenter.replay import _events
from callcenter.settings import Settings
from callcenter.speech.workers import Heard
from callcenter.store import migrate
from callcenter.store.store import Store

CAPTURES = Path(__file__).parents[1] / "captures"
STORIES = (
    *("hotline-answered", "hotline-abandoned", "hotline-duty-manager", "queue-ring-all", "hold-twice"),
    *("attended-transfer-ami", "outgoing-answered"),
)
QUIET = {"callcenter_link_silence_seconds", "callcenter_books_last_run_timestamp_seconds"}
"""They have no sample before the first answer of an Asterisk, or the first comparison with Asterisk's books."""


async def scrape(folder: Path, hostile: bool = False) -> str:
    """What /metrics says after the calls of the stories, while one more caller waits; ``hostile``: with one more call,
    whose queue has an endless name."""
    url = f"sqlite:///{folder}/callcenter.db"
    await migrate(url)
    store = await Store.open(url)
    try:
        daemon = Daemon(Settings(), store)
        daemon.desk._link = lambda: LinkStatus("up")  # without it no figure of this moment is told
        daemon.live.worker = SimpleNamespace(port=None, reason="It ended.", starts=3)  # type: ignore[assignment]
        await daemon._count_tickets()
        events = [event for story in STORIES for event in _events([CAPTURES / f"{story}.least.ami"])]
        waiting = _events([CAPTURES / "queue-timeout.least.ami"])
        events += takewhile(lambda event: not isinstance(event, QueueCallerLeave), waiting)
        if hostile:
            events += list(endless_call())
        daemon.pipeline.events(events)
        while daemon.pipeline.backlog:
            await daemon.pipeline.step()
        figures = daemon.figures
        figures.limit_hit("queue_labels")
        figures.lag.observe(0.001)
        figures.commands.labels("OpenGate", "done").inc()
        figures.hooks.labels("arrival", "answered").inc()
        figures.transcribed("support", Heard(seconds=60.0), [{"phrase": "greeting", "found": True, "band": "sure"}])
        figures.not_transcribed("not_wav", "failed")
        figures.recording_stored()
        figures.recording_not_stored("away")
        figures.wrapped_up(Call("pbx", "1.1", Direction.INBOUND, Phase.ENDED, queue="support"), 20.0)
        figures.pushes.labels("done").inc()
        figures.webhooks.labels("crm", "done").inc()
        figures.traced("sent", 1)
        return generate_latest(figures.frozen()).decode()
    finally:
        await store.close()


def endless_call() -> Iterator[Event]:
    """An abandoned one, as its bytes come in."""
    story = (CAPTURES / "hotline-abandoned.least.ami").read_bytes().split(b"\r\n\r\n")
    decoder = EventDecoder(WANTED)
    for frame in story:
        longer = re.sub(rb"(?m)^Queue: .*?\r$", b"Queue: " + b"q" * 200_000 + b"\r", frame)
        longer = re.sub(rb"(?m)^((?:Dest)?(?:Uniqueid|Linkedid): )", rb"\g<1>evil-", longer)
        for found in decoder.read(longer + b"\r\n\r\n"):
            event = parse(found, None) if isinstance(found, dict) else found
            if event is not None:
                yield event


def test_an_endless_name_of_a_queue_adds_no_more_than_a_label(exposition: str, tmp_path: Path) -> None:
    hostile = asyncio.run(scrape(tmp_path, hostile=True))
    assert 'queue="other"' in hostile
    assert "qqqq" not in hostile
    assert len(hostile) - len(exposition) < 40_000


@pytest.fixture(scope="module")
def exposition(tmp_path_factory: pytest.TempPathFactory) -> str:
    return asyncio.run(scrape(tmp_path_factory.mktemp("exposition")))


def promtool(text: str) -> str:
    """What ``promtool check metrics`` complains of; nothing when it is content."""
    program = shutil.which("promtool")
    assert program, "promtool is missing: run scripts/setup --test, and this by scripts/check or scripts/test"
    done = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


def test_promtool_is_content(exposition: str) -> None:
    assert promtool(exposition) == ""


def test_promtool_would_complain() -> None:
    assert "no help text" in promtool("callcenter_calls_total 1\n")


def test_every_metric_has_a_sample(exposition: str) -> None:
    """Otherwise promtool would have nothing to judge."""
    declared = {line.split()[2] for line in exposition.splitlines() if line.startswith("# TYPE callcenter")}
    shown = {line.split("{")[0].split()[0] for line in exposition.splitlines() if line.startswith("callcenter")}
    empty = {name for name in declared if not any(one.startswith(name) for one in shown)}
    assert len(declared) > 20
    assert empty <= QUIET


def test_live_transcription_that_is_down_is_told(exposition: str) -> None:
    assert 'callcenter_ready{part="live_transcription"} 0.0' in exposition
    assert 'callcenter_transcription_up{of="live"} 0.0' in exposition
    assert 'callcenter_transcription_up{of="recordings"}' not in exposition, "it is not switched on"


def test_nothing_of_a_person_is_a_label(exposition: str) -> None:
    """Neither the callers' numbers nor a seat, a channel or a call's id."""
    samples = [line.rpartition(" ")[0] for line in exposition.splitlines() if line.startswith("callcenter")]
    assert [one for one in samples if any(word in one for word in ("138", "1001", "PJSIP", "pbx-"))] == []
