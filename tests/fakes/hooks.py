"""A hook desk in memory, for tests: what is asked of it is settled by the test, what is submitted is kept."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from callcenter.ami.events import Event
from callcenter.clock import ManualClock
from callcenter.hooks.desk import Became, Hooks
from callcenter.settings import Hooks as HookSettings
from callcenter.settings import Queue, Settings

TOKEN = "sesame"
NOON = 1_795_320_000.0
"""2026-11-22 12:00 in Shanghai, a Sunday."""


class FakeDesk:
    def __init__(self, settings: Settings, seats: Mapping[str, str], now: float = NOON) -> None:
        self.settings = settings
        self.seats = seats
        self.at = now
        self.ladder = False
        self.submitted: list[Event] = []
        self.paused: list[tuple[str, bool]] = []
        self.became: Became = "asked"

    def queue(self, name: str) -> Queue:
        return self.settings.queue(name)

    def seat(self, extension: str) -> str | None:
        return self.seats.get(extension)

    def submit(self, event: Event) -> None:
        self.submitted.append(event)

    def pause_recording(self, linkedid: str, paused: bool) -> Became:
        self.paused.append((linkedid, paused))
        return self.became

    def now(self) -> float:
        return self.at

    def keeps_ladder(self) -> bool:
        return self.ladder


class Stand:
    """Hooks with their desk, and what was counted."""

    def __init__(self, folder: Path, hooks: HookSettings | None = None, **settings: object) -> None:
        token_file = folder / "token"
        token_file.write_text(TOKEN + "\n", "utf-8")
        self.token_file = token_file
        own = hooks or HookSettings(token_file=token_file, agi_port=0)
        self.settings = Settings(hooks=own, **settings)  # type: ignore[arg-type]
        self.desk = FakeDesk(self.settings, {"1001": "15"})
        self.counts: Counter[tuple[str, str]] = Counter()
        self.clock = ManualClock(NOON)
        self.hooks = Hooks(self.settings, self.desk, self.observe, self.clock)

    def observe(self, hook: str, result: str) -> None:
        self.counts[hook, result] += 1
