"""Whether what the machine allows and what the settings allow fit together."""

import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callcenter import serve
from callcenter.settings import Live, Settings, Speech
from callcenter.speech.memory import limit_mb, needed_mb, shortage

ROOT = Path(__file__).parents[2]
HEARING = Settings(speech=Speech(enabled=True), live=Live(model=Path("model")))


def groups(folder: Path, own: str, **limits: str) -> int | None:
    """The limit of a process in ``own``. ``limits``: by a group's last name; ``top`` is the root's."""
    (folder / "cgroup").write_text(f"12:cpu:/else\n0::{own}\n")
    path = folder / "fs"
    for name in ("top", *own.strip("/").split("/")):
        path = path if name == "top" else path / name
        path.mkdir(parents=True, exist_ok=True)
        if name in limits:
            (path / "memory.max").write_text(limits[name] + "\n")
    return limit_mb(folder / "cgroup", folder / "fs")


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, None),
        ({"callcenter": "max", "slice": "max"}, None),
        ({"callcenter": str(2**30)}, 1024),
        ({"callcenter": str(2**32), "slice": str(2**31)}, 2048),
        ({"callcenter": "max", "top": str(2**31)}, 2048),  # a container sees its own group as the root
        ({"callcenter": "much"}, None),
    ],
)
def test_the_lowest_limit_of_all_groups_above_holds(
    tmp_path: Path, limits: dict[str, str], expected: int | None
) -> None:
    assert groups(tmp_path, "/slice/callcenter", **limits) == expected


def test_without_control_groups_nothing_is_known(tmp_path: Path) -> None:
    assert limit_mb(tmp_path / "none", tmp_path) is None
    (tmp_path / "cgroup").write_text("5:memory:/old\n")
    assert limit_mb(tmp_path / "cgroup", tmp_path) is None


def test_the_shipped_unit_has_room_for_what_the_defaults_allow() -> None:
    unit = (ROOT / "docker/callcenter.service").read_text()
    (gigabytes,) = re.findall(r"^MemoryMax=(\d+)G$", unit, re.MULTILINE)
    assert needed_mb(HEARING) <= int(gigabytes) * 1024
    assert shortage(HEARING, int(gigabytes) * 1024) is None


def test_too_little_is_one_sentence_that_names_both_figures_and_the_remedy() -> None:
    said = shortage(replace(HEARING, live=Live()), 1024)
    assert said is not None
    assert "may use 1024 MB" in said
    assert "need 3072 MB" in said
    assert "MemoryMax=" in said
    assert "speech.memory_mb" in said
    assert shortage(Settings(), 512) is None, "who hears nothing needs no warning"
    assert shortage(HEARING, None) is None


async def test_it_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    class Stop(Exception):
        """Far enough."""

    class Stored:
        async def close(self) -> None: ...

    async def opened(_settings: Settings) -> Stored:
        return Stored()

    def stop(_settings: Any) -> None:
        raise Stop

    monkeypatch.setattr(serve, "open_store", opened)
    monkeypatch.setattr(serve, "Daemon", lambda *_: None)
    monkeypatch.setattr(serve, "limit_mb", lambda: 1024)
    monkeypatch.setattr(serve, "warm", stop)
    with caplog.at_level(logging.WARNING), pytest.raises(Stop):
        await serve.run(HEARING)
    assert [record.getMessage() for record in caplog.records] == [shortage(HEARING, 1024)]
