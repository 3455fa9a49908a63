"""The desk behind both doors: who may ask, how many at once, the answer, and the facts into the pipeline.

On the path of a call: ``web/hooks_in`` and ``web/fastagi`` receive, ``Hooks`` decides, the dialplan goes on.
Promises: everything here is synchronous and from memory; the token is compared in constant time and read anew when its
file changes; more askers than ``max_sessions`` are turned away at once; each call of a hook is counted once.
Never: waits for the store or the pipeline; logs a value that was sent, or the same complaint more than once a minute.
"""

import hashlib
import hmac
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from callcenter.ami.events import Event
from callcenter.clock import Clock
from callcenter.days import REMEDY, Days
from callcenter.hooks import answers
from callcenter.hooks.answers import Answer, Known
from callcenter.hooks.requests import Hook, read
from callcenter.settings import Queue, Settings, SettingsError, read_secret

log = logging.getLogger(__name__)

Observe = Callable[[str, str], None]
"""(hook, result), both from closed lists: fit for labels of a metric."""
Became = Literal["asked", "no_call", "no_recording", "no_link"]
"""Of a wish to pause or resume: Asterisk is being asked; no such call runs; the daemon knows
of no recording of it; no link to Asterisk."""
UNKNOWN = "unknown"
COMPLAIN_EVERY_SECONDS = 60.0
MAX_COMPLAINTS = 200
MAX_TOKEN_CHARS = 512


class HookDesk(Protocol):
    """What hooks need of the rest of the daemon: all of it from memory, none of it may wait."""

    def queue(self, name: str) -> Queue:
        """The rules of a queue, the defaults for one that is not configured."""

    def seat(self, extension: str) -> str | None:
        """The work number of the seat at an extension, "" if it has none, ``None`` if there is no such seat."""

    def submit(self, event: Event) -> None:
        """Put an event on the path of the calls (``Pipeline.events``)."""

    def pause_recording(self, linkedid: str, paused: bool) -> Became:
        """Have the call's recording silenced, or not any more; nobody waits for it. What becomes of that."""

    def now(self) -> float:
        """Epoch seconds by Asterisk's clock."""

    def keeps_ladder(self) -> bool:
        """Whether the daemon can act on calls now (A1)."""


class Token:
    """The secret that a dialplan shows. Raises nothing: without a readable file nobody is let in."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._digest: bytes | None = None
        self.problem: str | None = None
        """Why nobody can be let in: one sentence with the remedy."""
        self._refresh()

    def admits(self, shown: str) -> bool:
        self._refresh()
        if self._digest is None or len(shown) > MAX_TOKEN_CHARS:
            return False
        # Digests of equal length: the comparison tells nothing of the secret's length either.
        return hmac.compare_digest(hashlib.sha256(shown.encode("utf-8", "replace")).digest(), self._digest)

    def _refresh(self) -> None:
        stamp = self._stat()
        if stamp is not None and stamp == self._stamp:
            return
        try:
            secret = read_secret(self._path, "hooks.token_file")
        except SettingsError as error:
            self._digest, self._stamp, self.problem = None, None, str(error)
            return
        self._digest, self._stamp, self.problem = hashlib.sha256(secret.encode()).digest(), stamp, None

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None


class Hooks:
    """One for all transports. ``observe(hook, result)`` counts; results: ok, bad_request, unauthorised, too_large,
    wrong_method, unknown_hook, busy, late, closed, broken, calendar_unknown."""

    def __init__(
        self,
        settings: Settings,
        desk: HookDesk,
        observe: Observe,
        clock: Clock,
        answered: Callable[[str, str, float], None] = lambda hook, linkedid, took_seconds: None,
        days: Days | None = None,
    ) -> None:
        """``days``: the site's calendar; without it, what its zone says."""
        self.settings = settings.hooks
        self.token = Token(settings.hooks.token_file)
        self.open = 0
        """Requests that are being received or answered now."""
        self._all = settings
        self._desk = desk
        self._observe = observe
        self._answered = answered
        self._clock = clock
        self._days = days or Days.of(ZoneInfo(settings.site.timezone), settings.calendar.holidays)
        self._complained: dict[str, float] = {}
        if self.token.problem:
            log.warning("hooks: %s", self.token.problem)

    def enter(self) -> bool:
        """Whether there is room for one more asker; each who was let in has to ``leave``."""
        if self.open >= self.settings.max_sessions:
            return False
        self.open += 1
        return True

    def leave(self) -> None:
        self.open -= 1

    def answer(self, hook: Hook, fields: dict[str, str]) -> Answer:
        """Decide, and submit the facts. Raises ``BadInput``. The asker has been let in already."""
        began = self._clock.monotonic()
        asked = read(hook, fields)
        now = self._desk.now()
        desk = self._desk
        known = Known(now, desk.queue, desk.seat, self._days.kind, keeps_ladder=desk.keeps_ladder())
        found = answers.answer(asked, self._all, known)
        for event in answers.events(asked, found.facts, now):
            self._desk.submit(event)
        if found.pause is not None:
            found = answers.asked_to_pause(found, self._desk.pause_recording(asked.linkedid, found.pause))
        if found.calendar_unknown:
            self._observe(hook.value, "calendar_unknown")
            self._complain(self._calendar_warning() or "the kind of a day is not known")
        self._answered(hook.value, asked.linkedid, self._clock.monotonic() - began)
        return found

    def count(self, hook: str, result: str, sentence: str = "") -> None:
        """One call of a hook has ended so. ``sentence``: what to say in the log, at most once a minute."""
        self._observe(hook if hook in tuple(Hook) else UNKNOWN, result)
        if sentence:
            self._complain(f"{result}: {sentence}")

    def _complain(self, sentence: str) -> None:
        now = self._clock.monotonic()
        last = self._complained.get(sentence)
        if last is not None and now - last < COMPLAIN_EVERY_SECONDS:
            return
        if len(self._complained) >= MAX_COMPLAINTS:
            self._complained.clear()
        self._complained[sentence] = now
        log.warning("hooks: %s", sentence)

    def _calendar_warning(self) -> str | None:
        ends = self._days.warning(answers.site_day(self._all, self._desk.now()))
        return f"{ends} {REMEDY}" if ends else None
