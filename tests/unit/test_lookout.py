"""What is looked at now and then: disks, secrets, the store's size, the day's gaps."""

import asyncio
import subprocess
import time
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcenter import lookout
from callcenter.clock import ManualClock
from callcenter.days import REMEDY, Days
from callcenter.errors import BrokenWorld
from callcenter.lookout import NOT_YET, Lookout, Space, secret_problems
from callcenter.settings import Asterisk, Hooks, Settings, Web, secret_files
from callcenter.store.batch import Gap

NOW = 1_795_000_000.0


class Away(BrokenWorld):
    pass


def store(folder: Path | None, gaps: tuple[Gap, ...] = (), away: bool = False, since: float | None = 1.0) -> Any:
    async def size() -> int:
        if away:
            raise Away("The database cannot be reached.")
        return 4_096

    async def states(server: str) -> dict[str, int]:
        return {"done": 3}

    async def gaps_of(server: str, since: float, until: float) -> tuple[Gap, ...]:
        return tuple(gap for gap in gaps if (gap.ended_at or until) > since)

    async def observed_since(server: str) -> float | None:
        return since

    return SimpleNamespace(
        folder=folder,
        books=SimpleNamespace(observed_since=observed_since),
        size_bytes=size,
        outbox=SimpleNamespace(states=states),
        journal=SimpleNamespace(gaps=gaps_of),
    )


async def seen(settings: Settings, *, folder: Path | None = None, **more: Any) -> lookout.Seen:
    one = Lookout(store(folder, **more), settings, ManualClock(NOW), Days())
    await one.look()
    return one.seen


async def test_disks_and_store_are_measured(tmp_path: Path) -> None:
    found = await seen(Settings(asterisk=Asterisk(recordings_dir=tmp_path)), folder=tmp_path)
    assert found.database_bytes == 4_096
    assert found.database_space is not None
    assert found.recordings_space is not None
    assert 0 <= found.recordings_space.free <= found.recordings_space.whole
    assert (found.recordings_problem, found.commands) == ("", {"done": 3})


async def test_a_folder_that_is_not_there_is_a_reason_and_no_figure(tmp_path: Path) -> None:
    found = await seen(Settings(asterisk=Asterisk(recordings_dir=tmp_path / "none")))
    assert (found.recordings_space, found.recordings_problem) == (None, "No such file or directory")


async def test_a_store_that_is_away_leaves_its_size_unknown(tmp_path: Path) -> None:
    found = await seen(Settings(), folder=tmp_path, away=True)
    assert found.database_bytes is None
    assert found.database_space is not None


async def test_gaps_are_those_of_the_sites_day() -> None:
    today = Lookout(store(None), Settings(), ManualClock(NOW), Days()).today(NOW)
    gaps = (Gap(today - 500, today - 400, "yesterday"), Gap(today - 5, today + 5, "over midnight"), Gap(NOW, None, "x"))
    assert [gap.reason for gap in (await seen(Settings(), gaps=gaps)).gaps] == ["over midnight", "x"]
    assert (today + 8 * 3600) % 86_400 == 0, "midnight in Shanghai"


async def test_the_day_before_the_first_log_in_is_a_gap() -> None:
    today = Lookout(store(None), Settings(), ManualClock(NOW), Days()).today(NOW)
    assert (await seen(Settings(), since=NOW - 60)).gaps == (Gap(today, NOW - 60, NOT_YET),)
    assert (await seen(Settings(), since=None)).gaps == (Gap(today, None, NOT_YET),)
    assert (await seen(Settings(), since=today)).gaps == ()


def test_each_secret_that_cannot_be_read_is_a_sentence_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    settings = Settings(
        asterisk=replace(Asterisk(), secret_file=tmp_path / "gone"), hooks=Hooks(token_file=tmp_path / "empty")
    )
    problems = list(secret_problems(settings))
    assert [problem.partition(":")[0] for problem in problems] == ["asterisk.secret_file", "hooks.token_file"]
    assert not [problem for problem in problems if str(tmp_path) in problem]


async def test_a_secret_that_cannot_be_read_is_told_once_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A scrape that is refused for want of it would tell nobody why."""
    token = tmp_path / "token"
    settings = Settings(web=Web(metrics_token_file=token))
    one = Lookout(store(None), settings, ManualClock(NOW), Days())
    for there in (False, False, True, False):
        token.write_text("x") if there else token.unlink(missing_ok=True)
        await one.look()
    assert [message.partition(";")[0] for message in caplog.messages] == [
        "web.metrics_token_file: the secret file is missing"
    ] * 2


@pytest.mark.parametrize(
    ("free", "whole", "little"),
    [
        (2**40, 2**41, False),
        (2**30 - 1, 2**34, True),
        (2**37, 2**42, True),
        (3 * 2**20, 16 * 2**20, True),
        (2**33, 2**36, False),
    ],
)
def test_when_there_is_little_room(free: int, whole: int, little: bool) -> None:
    assert Space(free, whole).little is little


async def test_the_end_of_a_certificate_is_known_and_junk_is_not(tmp_path: Path) -> None:
    (tmp_path / "junk.pem").write_text("no certificate")
    found = await seen(Settings(asterisk=Asterisk(tls=True, ca_file=tmp_path / "junk.pem")))
    assert found.authority_until is None
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ca", "-batch"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "ca.pem")]
    await asyncio.to_thread(subprocess.run, [*made, *files], check=True, capture_output=True)
    found = await seen(Settings(asterisk=Asterisk(tls=True, ca_file=tmp_path / "ca.pem")))
    assert found.authority_until is not None
    assert abs(found.authority_until - time.time() - 2 * 86_400) < 3_600


def test_every_secret_file_of_the_settings_is_looked_at() -> None:
    """A new one is not forgotten; these are no secrets."""
    public = {"asterisk.ca_file", "asterisk.cdr_file", "asterisk.queue_log_file"}
    known = {
        f"{section.name}.{spec.name}"
        for section in fields(Settings)
        if is_dataclass(part := getattr(Settings(), section.name))
        for spec in fields(part)
        if spec.name.endswith("_file")
    }
    assert {key for key, _ in secret_files(Settings())} == known - public


async def test_the_log_is_told_once_a_day_that_the_calendar_ends(caplog: pytest.LogCaptureFixture) -> None:
    """By a daemon that was started long before, too."""
    days = Days(chinese=True)
    end = days.end(ZoneInfo("Asia/Shanghai"))
    assert end is not None
    clock = ManualClock(end - 46 * 86_400)
    one = Lookout(store(None), Settings(), clock, days)
    told = []
    for _ in range(6):
        await one.look()
        told.append(len(caplog.messages))
        clock.advance(43_200)
    assert told == [0, 0, 1, 1, 2, 2]
    assert caplog.messages[0] == f"{days.warning(days.known_until())} {REMEDY}"  # type: ignore[arg-type]
