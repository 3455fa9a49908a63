"""What judging loads is there before a door opens, and was not loaded on the loop."""

import subprocess
import sys
from typing import Any

import pytest

from callcenter import serve
from callcenter.settings import Settings, Speech

PROGRAM = """
import asyncio, sys, threading
from callcenter import serve
from callcenter.settings import Settings, Speech

NEEDED = {"callcenter.quality.matching", "callcenter.quality.sounds", "callcenter.quality.audio", "pypinyin"}
early = NEEDED & set(sys.modules)
on_loop = {}

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in NEEDED:
            on_loop[name] = threading.current_thread() is threading.main_thread()

sys.meta_path.insert(0, Watch())
asyncio.run(serve.ready_to_judge(Settings(speech=Speech(enabled=ENABLED))))
print(sorted(early), sorted(on_loop.items()), sorted(NEEDED & set(sys.modules)))
"""


def told(enabled: bool) -> str:
    program = PROGRAM.replace("ENABLED", str(enabled))
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_what_judging_needs_is_loaded_off_the_loop() -> None:
    needed = ["callcenter.quality.audio", "callcenter.quality.matching", "callcenter.quality.sounds", "pypinyin"]
    assert told(enabled=True) == f"[] {[(name, False) for name in needed]} {needed}"


def test_where_nobody_judges_nothing_is_loaded() -> None:
    assert told(enabled=False) == "[] [] []"


class NotYet(Exception):
    """The daemon went on to its restart."""


async def test_a_daemon_is_ready_to_judge_before_it_takes_up_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    class Stored:
        async def close(self) -> None: ...

    class Daemon:
        def __init__(self, *_: Any) -> None: ...

        @property
        def stop(self) -> Any:
            raise NotYet

    async def opened(_settings: Settings) -> Stored:
        return Stored()

    monkeypatch.setattr(serve, "open_store", opened)
    monkeypatch.setattr(serve, "Daemon", Daemon)
    monkeypatch.setattr(serve, "warm", lambda _settings: steps.append("warm"))
    with pytest.raises(NotYet):
        await serve.run(Settings(speech=Speech(enabled=True)))
    assert steps == ["warm"]
