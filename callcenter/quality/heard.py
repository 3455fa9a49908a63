"""What one side of a call said, as one row of units with their times: where phrases are looked for.

Place on the path of a call: between a transcript and ``quality/matching``.
Promises: pure; how the engine split words, segments and punctuation makes no difference; long pauses stay visible.
Never: knows a phrase.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from callcenter.quality.align import Line
from callcenter.quality.sounds import PAUSE, Unit, units
from callcenter.speech.transcript import Speaker, Transcript, Word, joined

PAUSE_SECONDS = 1.2
"""A silence of one speaker that ends a sentence."""
_SPEAKABLE = lru_cache(maxsize=20_000)(units)


@dataclass(frozen=True, slots=True)
class Wait:
    """A time in which nobody spoke."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Heard:
    """``line``: what was said; ``of``: for each unit, the index of its word and its share of that word's time."""

    speaker: Speaker
    words: tuple[Word, ...]
    line: Line
    of: list[tuple[int, float]]

    def start(self, unit: int) -> float:
        """When the unit begins, seconds."""
        index, share = self.of[unit]
        word = self.words[index]
        return word.start + max(0.0, word.end - word.start) * share

    def end(self, unit: int) -> float:
        """When the word of the unit ends, seconds."""
        return self.words[self.of[unit][0]].end

    def text(self, start: int, end: int) -> str:
        """The words that the units belong to, as a person would write them."""
        first, last = self.of[start][0], self.of[end - 1][0]
        return joined([word.word.strip() for word in self.words[first : last + 1]])

    def confidence(self, start: int, end: int) -> float:
        """Mean of the words' confidence, 0 to 1."""
        words = self.words[self.of[start][0] : self.of[end - 1][0] + 1]
        return sum(word.conf for word in words) / len(words)


def heard_of(transcript: Transcript, speaker: Speaker, language: str) -> Heard:
    """Everything that ``speaker`` said, in order of time."""
    words = sorted(
        (word for segment in transcript.segments if segment.speaker == speaker for word in segment.words),
        key=lambda word: word.start,
    )
    found: list[Unit] = []
    of: list[tuple[int, float]] = []
    ended = float("inf")
    for index, word in enumerate(words):
        if word.start - ended > PAUSE_SECONDS:
            found.append(PAUSE)
            of.append((index, 0.0))
        ended = word.end
        own = _SPEAKABLE(word.word, language) if len(word.word) < 100 else units(word.word, language)
        found += own
        of += [(index, 0.0)] if len(own) == 1 else [(index, n / len(own)) for n in range(len(own))]
    return Heard(speaker, tuple(words), Line(found), of)


def talk(transcript: Transcript) -> tuple[float, float] | None:
    """When the first word of anybody begins and the last one ends, seconds."""
    words = [word for segment in transcript.segments for word in segment.words]
    return (min(word.start for word in words), max(word.end for word in words)) if words else None


def silences(transcript: Transcript, seconds: float) -> list[Wait]:
    """The times of at least ``seconds`` between two words in which neither side spoke."""
    words = sorted((word for segment in transcript.segments for word in segment.words), key=lambda word: word.start)
    found, ended = [], float("inf")
    for word in words:
        if word.start - ended >= seconds:
            found.append(Wait(ended, word.start))
        ended = word.end if ended == float("inf") else max(ended, word.end)
    return found


def around(waits: Sequence[Wait], start: float, end: float, before: float, after: float) -> list[int]:
    """Which waits begin within ``before`` seconds after ``end``, or ended within ``after`` seconds before ``start``."""
    return [
        n
        for n, wait in enumerate(waits)
        if (before and -1.0 <= wait.start - end <= before) or (after and -1.0 <= start - wait.end <= after)
    ]
