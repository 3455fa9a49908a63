"""Makes one prompt after the other: chooses its voice, gets the pieces, joins them.

Place on the path of a call: inside ``build``.
Promises: each prompt is in one voice: a whole recording, else recorded pieces, else espeak-ng; a piece is spoken or
read once, also when that fails, so that a broken piece costs one time-out and not one per seat.
Never: writes a file.
"""

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from callcenter.errors import CallcenterError
from callcenter.prompts import samples, sound
from callcenter.prompts.espeak import Espeak
from callcenter.prompts.manifest import fingerprint
from callcenter.prompts.phrases import Voice
from callcenter.prompts.plan import Prompt
from callcenter.prompts.recordings import Recordings
from callcenter.prompts.sound import Sound

RECIPE = 1
"""To be raised when the same words would sound different, so that all prompts are built again."""
LEAD_MS = 30
"""Silence around a prompt: phones swallow the first moment of a call."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording, by its path in the folder of recordings."""

    name: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words for espeak-ng."""

    words: str
    voice: Voice


Part = Recorded | Spoken


@dataclass(frozen=True, slots=True)
class Work:
    """How a prompt will be made: parts with the silence after each, in ms; ``recipe`` changes when they do."""

    made_from: str
    parts: tuple[tuple[Part, int], ...]
    recipe: str


class Workshop:
    """Makes prompts from ``recordings`` and by ``espeak``; ``notes`` gathers what the site should know."""

    def __init__(self, recordings: Recordings, espeak: Espeak) -> None:
        self._recordings = recordings
        self._espeak = espeak
        self._version = _Once[str, str](lambda _: espeak.version)
        self._fingerprint = _Once[str, str](lambda name: fingerprint(recordings.read(name)))
        self._shared = _Once[Part, Sound](self._sound)
        self.notes: list[str] = []

    def prepare(self, prompt: Prompt) -> Work:
        """Choose what ``prompt`` is made from. Raises ``BadInput`` or ``BrokenWorld``."""
        made_from, parts = self._choose(prompt)
        contents = [[self._identity(part), pause_ms] for part, pause_ms in parts]
        recipe = [RECIPE, sound.TARGET_DBFS, sound.CEILING_DBFS, LEAD_MS, contents]
        return Work(made_from, parts, fingerprint(json.dumps(recipe).encode()))

    def make(self, work: Work) -> tuple[bytes, dict[str, Any]]:
        """The WAV file and what was measured of it. Raises ``BadInput`` or ``BrokenWorld``."""
        # A part that stands alone is a whole prompt: many of them would only fill the memory.
        get = self._shared if len(work.parts) > 1 else self._sound
        whole = sound.levelled(sound.joined([(get(part), pause_ms) for part, pause_ms in work.parts], LEAD_MS))
        facts = {
            "made_from": work.made_from,
            "seconds": round(whole.seconds, 3),
            "speech_dbfs": round(sound.speech_dbfs(whole), 2),
            "peak_dbfs": round(sound.peak_dbfs(whole), 2),
        }
        return samples.encode(whole), facts

    def _choose(self, prompt: Prompt) -> tuple[str, tuple[tuple[Part, int], ...]]:
        pauses = [piece.pause_ms for piece in prompt.pieces]
        if whole := self._recordings.whole(prompt):
            return f"recording {whole}", ((Recorded(whole), 0),)
        if names := self._recordings.pieces(prompt):
            return f"{len(names)} recorded pieces", tuple(zip(map(Recorded, names), pauses, strict=True))
        spoken = [Spoken(piece.words, prompt.voice) for piece in prompt.pieces]
        return f"espeak-ng {self._version('')} {prompt.voice.name}", tuple(zip(spoken, pauses, strict=True))

    def _identity(self, part: Part) -> list[Any]:
        if isinstance(part, Recorded):
            return [self._fingerprint(part.name)]
        return [self._version(""), part.words, part.voice.name, part.voice.words_per_minute, part.voice.pitch]

    def _sound(self, part: Part) -> Sound:
        if isinstance(part, Spoken):
            words = self._espeak.speak(part.words, part.voice)
            return sound.prepared(samples.decode(words, "What espeak-ng said"), "What espeak-ng said")
        raw = samples.decode(self._recordings.read(part.name), part.name)
        if sound.is_clipped(raw):
            self.notes.append(f"{part.name} was recorded too loud and is clipped: record it again at a lower level.")
        return sound.prepared(raw, part.name)


Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class _Once(Generic[Key, Result]):
    """Calls ``work`` once for each key and remembers its result, also the error."""

    def __init__(self, work: Callable[[Key], Result]) -> None:
        self._work = work
        self._results: dict[Key, Result] = {}
        self._errors: dict[Key, CallcenterError] = {}

    def __call__(self, key: Key) -> Result:
        if key in self._errors:
            raise self._errors[key]
        if key not in self._results:
            try:
                self._results[key] = self._work(key)
            except CallcenterError as error:
                self._errors[key] = error
                raise
        return self._results[key]
