"""The parts of /readyz: what is not ready says why and what to do."""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from callcenter.ami.status import LinkStatus
from callcenter.clock import ManualClock
from callcenter.days import PUBLISHED, Days, Own
from callcenter.health import LATE_COMMIT_SECONDS, Parts
from callcenter.lookout import Seen, Space
from callcenter.settings import Asterisk, Intake, Settings, Speech
from callcenter.store.batch import Gap
from callcenter.store.webhooks import Pending
from callcenter.web.status_reasons import told as told_in
from callcenter.web.status_words import FACTS, PARTS, REMEDIES, STATES
from callcenter.web.words import load
from tests.fakes.links import until
from tests.fakes.pipeline import Run
from tests.fakes.story import T0, told
from tests.unit.test_pipeline import running

ENDS = datetime(max(PUBLISHED), 12, 31, tzinfo=UTC).timestamp()
"""Where the package's calendar ends."""


def parts(status: LinkStatus | None = None, **daemon: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "link": SimpleNamespace(status=status or LinkStatus("up"), now=lambda: T0),
        "pipeline": SimpleNamespace(committed_at=0.0, refusal="", backlog=0, shedding=False),
        "clock": ManualClock(T0),
        "recovery": SimpleNamespace(state="reading", bad_lines=0),
        "reconciler": None,
        "settings": Settings(),
        "live": SimpleNamespace(worker=None),
        "storing": SimpleNamespace(archive=None),
    }
    daemon_ = SimpleNamespace(**(values | daemon))
    return {part.name: part for part in Parts(daemon_).parts()}  # type: ignore[arg-type]


def test_all_is_well() -> None:
    found = parts()
    assert list(found) == ["asterisk", "store", "call records"]
    assert all(part.ready and not part.reason and not part.remedy for part in found.values())


@pytest.mark.parametrize("state", ["connecting", "refused", "lost"])
def test_a_link_that_is_not_up_says_why(state: Any) -> None:
    part = parts(LinkStatus(state, 1.0, "the secret is wrong", "correct it"))["asterisk"]
    assert (part.ready, part.state, part.reason, part.remedy) == (False, state, "the secret is wrong", "correct it")


def test_a_link_below_the_version_floor_works_and_is_warned_about() -> None:
    part = parts(LinkStatus("up", warning="Asterisk is old.", below_floor=True))["asterisk"]
    assert (part.ready, part.reason, part.facts["below_floor"]) == (True, "Asterisk is old.", True)


@pytest.mark.parametrize(("late", "ready"), [(0.0, True), (9.9, True), (10.0, False)])
def test_a_store_that_takes_nothing_for_a_while_is_not_ready(late: float, ready: bool) -> None:
    clock = ManualClock(T0)
    clock.advance(late)
    pipeline = SimpleNamespace(
        committed_at=0.0, refusal="The disk is full; free some space.", backlog=3, shedding=False
    )
    part = parts(pipeline=pipeline, clock=clock)["store"]
    assert (part.ready, part.facts["waiting_events"]) == (ready, 3)
    assert bool(part.reason) is bool(part.remedy) is not ready
    assert ("The disk is full" in part.reason) is not ready


@pytest.mark.parametrize(
    ("backlog", "shedding", "state"),
    [(0, False, "writing"), (100_000, False, "writing"), (100_001, False, "behind"), (150_000, True, "shedding")],
)
def test_a_store_that_falls_behind_is_not_ready_before_anything_is_lost(
    backlog: int, shedding: bool, state: str
) -> None:
    pipeline = SimpleNamespace(committed_at=0.0, refusal="", backlog=backlog, shedding=shedding)
    part = parts(pipeline=pipeline)["store"]
    assert (part.state, part.ready, part.level) == (state, state == "writing", "well" if state == "writing" else "bad")
    assert bool(part.reason) is bool(part.remedy) is not part.ready
    assert part.ready or f"{backlog} events wait to be stored, of 200000 at most." in part.reason
    assert ("store", state) in STATES
    assert part.ready or ("store", state) in REMEDIES
    shown = told_in(load("zh"), part.reason)
    assert part.ready or not re.search("[a-z]", shown), shown


async def test_a_daemon_that_sheds_events_says_so_until_it_has_caught_up() -> None:
    run = Run(settings=replace(Settings(), intake=Intake(max_waiting_events=1_000)))
    run.pipeline.events(told("0.0 Newchannel caller Ring 138 4008") * 1_001)
    assert parts(pipeline=run.pipeline, clock=run.clock, settings=run.pipeline.settings)["store"].state == "shedding"
    while run.pipeline.backlog:
        await run.pipeline.step()
    assert parts(pipeline=run.pipeline, clock=run.clock, settings=run.pipeline.settings)["store"].ready


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
async def test_a_clock_that_is_set_neither_hides_nor_makes_a_late_store(jump: float) -> None:
    run = Run()
    await run.feed(told("0.0 Newchannel caller Ring 138 4008"))
    run.clock.set_wall(T0 + jump)
    assert parts(pipeline=run.pipeline, clock=run.clock)["store"].ready
    run.clock.advance(LATE_COMMIT_SECONDS)
    assert not parts(pipeline=run.pipeline, clock=run.clock)["store"].ready
    await run.pipeline.step()
    assert parts(pipeline=run.pipeline, clock=run.clock)["store"].ready, (
        "an idle pipeline tells the store that it lives"
    )


async def test_a_store_that_never_took_anything_is_not_ready_either() -> None:
    run = Run()
    run.unit.failing = 10**9
    async with running(run):
        run.pipeline.events(told("0.0 Newchannel caller Ring 138 4008"))
        await until(lambda: run.unit.attempts)
    run.clock.advance(LATE_COMMIT_SECONDS)
    part = parts(pipeline=run.pipeline, clock=run.clock)["store"]
    assert not part.ready
    assert "The disk is full" in part.reason


def test_records_that_cannot_be_read_are_not_ready_and_say_what_to_do() -> None:
    part = parts(recovery=SimpleNamespace(state="cannot be read: Permission denied", bad_lines=0))["call records"]
    assert (part.ready, part.state, part.reason) == (False, "cannot be read", "Permission denied")
    assert "cdr_file" in part.remedy


def test_without_records_the_remedy_names_the_setting() -> None:
    part = parts(recovery=None)["call records"]
    assert part.ready
    assert "asterisk.cdr_file" in part.remedy


def test_records_that_cannot_be_read_are_told() -> None:
    recovery = SimpleNamespace(state="cannot be read: Permission denied", bad_lines=4)
    part = parts(recovery=recovery)["call records"]
    assert (part.state, part.reason, part.facts["unreadable_lines"]) == ("cannot be read", "Permission denied", 4)
    assert "asterisk.cdr_file" in part.remedy


@pytest.mark.parametrize(("port", "state"), [(9092, "listening"), (None, "down")])
def test_no_call_waits_for_the_process_that_listens(port: int | None, state: str) -> None:
    worker = SimpleNamespace(port=port, reason="It ended.", starts=3)
    part = parts(live=SimpleNamespace(worker=worker, running=2))["live transcription"]
    assert (part.ready, part.state, part.facts) == (port is not None, state, {"calls": 2, "starts": 3})
    assert not part.hinders
    assert bool(part.reason) is bool(part.remedy) is (port is None)


@pytest.mark.parametrize(("port", "state"), [(9092, "idle"), (9092, "hearing"), (None, "The model is damaged.")])
def test_whether_there_is_transcription_is_told_where_it_is_switched_on(port: int | None, state: str) -> None:
    live = SimpleNamespace(worker=SimpleNamespace(port=port, reason="", starts=3), running=2)
    settings, recordings = Settings(speech=Speech(enabled=True)), SimpleNamespace(states={}, backlog_seconds=0.0)
    daemon = SimpleNamespace(
        settings=settings,
        live=live,
        recordings=recordings,
        hearings=[SimpleNamespace(state="idle"), SimpleNamespace(state=state)],
    )
    works = port is not None
    assert Parts(daemon).transcribing() == {"recordings": works, "live": works}  # type: ignore[arg-type]
    off = SimpleNamespace(settings=Settings(), live=SimpleNamespace(worker=None))
    assert Parts(off).transcribing() == {}  # type: ignore[arg-type]


def test_books_that_cannot_be_read_are_told_and_nothing_stops() -> None:
    reconciler = SimpleNamespace(state="cannot be read: Permission denied", bad_lines=2, compared=7)
    part = parts(reconciler=reconciler)["books"]
    assert (part.ready, part.state, part.reason) == (True, "cannot be read", "Permission denied")
    assert "asterisk.queue_log_file" in part.remedy
    assert part.facts == {"compared_calls": 7, "unreadable_lines": 2}


# --- the status page's parts -----------------------------------------------------------------------------------------


def whole(**changed: Any) -> dict[str, Any]:
    """All parts of a daemon that is well, but for what is changed."""
    clock = ManualClock(T0)
    clock.advance(1.0)
    seen = {"gaps": (), "commands": {"done": 4}, "database_bytes": 4096, **changed.pop("seen", {})}
    values: dict[str, Any] = {
        "link": SimpleNamespace(
            status=LinkStatus("up", asterisk_version="22.10.1"), counts=Counter(losses=1), certificate_until=None
        ),
        "pipeline": SimpleNamespace(committed_at=0.5, refusal="", backlog=0, shedding=False, calls={}),
        "clock": clock,
        "recovery": SimpleNamespace(state="reading", bad_lines=0),
        "live": SimpleNamespace(worker=None),
        "lookout": SimpleNamespace(seen=Seen(**seen), today=lambda now: T0 - 3600),
        "figures": SimpleNamespace(last_batch=None),
        "last_call_at": None,
        "hub": SimpleNamespace(listening=2),
        "store": SimpleNamespace(folder=Path("/")),
        "settings": Settings(asterisk=Asterisk(recordings_dir=Path("/"))),
        "recordings": SimpleNamespace(states={}, backlog_seconds=0.0),
        "hearings": [],
        "pusher": None,
        "webhooks": None,
        "exporter": None,
        "reconciler": None,
        "duty": None,
        "storing": SimpleNamespace(archive=None),
        "started_at": T0 - 60,
        "days": Days(chinese=True, own=Own(years=frozenset(range(2027, 2100)))),
    }
    one = Parts(SimpleNamespace(**(values | changed)))  # type: ignore[arg-type]
    return {part.name: part for part in one.status()}


def test_a_daemon_that_is_well_has_words_for_all_of_it() -> None:
    found = whole()
    assert {part.level for part in found.values()} == {"well"}
    for part in found.values():
        assert part.name in PARTS
        assert (part.name, part.state) in STATES
        assert set(part.facts) <= set(FACTS), part.name


def test_before_the_first_event_nothing_is_known_of_it() -> None:
    facts = whole()["calls"].facts
    assert (facts["last_event_at"], facts["last_call_at"], facts["lag_seconds"]) == (None, None, None)


def test_the_last_event_is_dated_by_our_clock_and_its_way_is_measured() -> None:
    facts = whole(figures=SimpleNamespace(last_batch=(0.25, 0.375)))["calls"].facts
    assert (facts["last_event_at"], facts["lag_seconds"]) == (T0 + 0.25, 0.125)


@pytest.mark.parametrize(
    ("name", "state", "changed"),
    [
        ("observation", "interrupted", {"seen": {"gaps": (Gap(T0 - 10, None, "gone"),)}}),
        ("store", "little room", {"seen": {"database_space": Space(10, 10**12)}}),
        ("recordings", "little room", {"seen": {"recordings_space": Space(10, 10**12)}}),
        ("recordings", "unreadable", {"seen": {"recordings_problem": "Permission denied"}}),
        ("recordings", "no folder", {"settings": Settings()}),
        ("secrets", "unreadable", {"seen": {"secret_problems": ("hooks.token_file: is empty.",)}}),
        ("pushgateway", "failing", {"pusher": SimpleNamespace(failing=True)}),
        (
            "webhooks",
            "failing",
            {"webhooks": SimpleNamespace(failing={"crm"}, pending={"crm": Pending(2, T0), "erp": Pending(0, None)})},
        ),
        ("traces", "failing", {"exporter": SimpleNamespace(failing=True, sent=3, lost=1)}),
        ("call records", "not followed", {"recovery": None}),
        ("calendar", "ends soon", {"days": Days(chinese=True), "clock": ManualClock(ENDS - 20 * 86_400)}),
        ("calendar", "ended", {"days": Days(chinese=True), "clock": ManualClock(ENDS + 2 * 86_400)}),
        (
            "books",
            "cannot be read",
            {"reconciler": SimpleNamespace(state="cannot be read: No", bad_lines=0, compared=1)},
        ),
        ("recordings store", "away", {"storing": SimpleNamespace(archive=1, state="away", reason="It is.", waiting=2)}),
        (
            "recordings store",
            "refused",
            {"storing": SimpleNamespace(archive=1, state="refused", reason="No.", waiting=2)},
        ),
        (
            "certificates",
            "ends soon",
            {"settings": Settings(asterisk=Asterisk(tls=True)), "seen": {"authority_until": T0 + 86_400}},
        ),
        (
            "transcription",
            "stands still",
            {
                "settings": Settings(speech=Speech(enabled=True)),
                "hearings": [SimpleNamespace(state="The model is damaged.")],
            },
        ),
        (
            "transcription",
            "set aside",
            {
                "settings": Settings(speech=Speech(enabled=True)),
                "recordings": SimpleNamespace(states={"quarantined": 2}, backlog_seconds=0.0),
            },
        ),
    ],
)
def test_what_needs_a_person_works_on_and_says_what_to_do(name: str, state: str, changed: dict[str, Any]) -> None:
    part = whole(**changed)[name]
    assert (part.state, part.level) == (state, "heed")
    assert not part.hinders, "no call waits for it"
    assert part.remedy
    assert (name, state) in STATES
    assert (name, state) in REMEDIES


def test_which_system_takes_no_messages_and_since_when_they_wait_is_told() -> None:
    pending = {"crm": Pending(2, T0 - 60), "erp": Pending(1, T0 - 90), "lake": Pending(0, None)}
    part = whole(webhooks=SimpleNamespace(failing={"erp", "crm"}, pending=pending))["webhooks"]
    assert (part.reason, part.facts) == (
        "Not taken by webhooks.crm, webhooks.erp.",
        {"waiting": 3, "oldest_at": T0 - 90},
    )
    assert told_in(load("zh"), part.reason) == "webhooks.crm, webhooks.erp 没有接收。"
    assert set(part.facts) <= set(FACTS)


def test_a_calendar_ends_with_a_day_not_with_its_midnight() -> None:
    part = whole(days=Days(chinese=True), clock=ManualClock(ENDS - 20 * 86_400))["calendar"]
    assert part.facts["known_until"] == f"{max(PUBLISHED)}-12-31"


def test_gaps_of_the_day_are_added_up_from_its_beginning() -> None:
    part = whole(seen={"gaps": (Gap(T0 - 7200, T0 - 3000, "over midnight"), Gap(T0 - 20, T0 - 10, "x"))})["observation"]
    assert (part.state, part.facts["unobserved_seconds"], part.facts["gaps"]) == ("gaps", 610.0, 2)


def test_a_servers_own_disk_is_not_shown_as_unknown() -> None:
    part = whole(store=SimpleNamespace(folder=None))["store"]
    assert (part.facts["kind"], "free_bytes" in part.facts) == ("PostgreSQL", False)


def test_no_call_waits_for_the_store_of_recordings() -> None:
    storing = SimpleNamespace(archive=object(), state="away", reason="It does not answer.", waiting=7)
    part = parts(storing=storing)["recordings store"]
    assert (part.ready, part.state, part.reason, part.facts["waiting"]) == (True, "away", "It does not answer.", 7)
    assert "Nothing is lost" in part.remedy
