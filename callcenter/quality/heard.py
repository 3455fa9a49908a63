"""What one side of a call said, as one row of units with their times: where phrases are looked for.

Place on the path of a call: between a transcript and ``quality/matching``.
Promises: pure; how the engine split words, segments and punctuation makes no difference; long pauses stay visible.
Never: knows a phrase.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from operator import attrgetter

from callcenter.quality.align import Line
from callcenter.quality.sounds import BOUNDARY, code_of, spoken
from callcenter.speech.transcript import NEAR_SECONDS, Speaker, Transcript, Word, seats_between

PAUSE_OF_GAPS = 3.0
"""How many of the speaker's usual gaps between words such a silence is at least."""
PAUSE_SECONDS = 0.45
"""A silence of one speaker that ends a sentence."""
_SHORT = 100
_SPOKEN = lru_cache(maxsize=20_000)(spoken)
_START, _END = attrgetter("start"), attrgetter("end")


@dataclass(frozen=True, slots=True)
class Wait:
    """A time in which nobody spoke."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Heard:
    """``line``: what was said; ``begins``: for each word the number of its first unit."""

    speaker: Speaker
    words: Sequence[Word]
    line: Line
    begins: Sequence[int]

    def start(self, unit: int) -> float:
        """When the unit begins, seconds."""
        index = bisect_right(self.begins, unit) - 1
        word = self.words[index]
        begin = self.begins[index]
        end = self.begins[index + 1] if index + 1 < len(self.words) else len(self.line.classes)
        while end > unit + 1 and self.line.texts[end - 1] == BOUNDARY:
            end -= 1  # the pause behind the word takes none of its time
        return word.start + max(0.0, word.end - word.start) * (unit - begin) / max(1, end - begin)

    def end(self, unit: int) -> float:
        """When the word of the unit ends, seconds."""
        return self.words[bisect_right(self.begins, unit) - 1].end

    def told(self, start: int, end: int) -> Sequence[Word]:
        """The words that the units belong to."""
        return self.words[bisect_right(self.begins, start) - 1 : bisect_right(self.begins, end - 1)]


def heard_of(transcript: Transcript, speaker: Speaker, language: str) -> Heard:
    """Everything that ``speaker`` said, in order of time."""
    words = sorted(chain.from_iterable(s.words for s in transcript.segments if s.speaker == speaker), key=_START)
    texts: list[str] = []
    classes: list[str] = []
    begins: list[int] = []
    at, pause = 0, code_of(BOUNDARY)
    gaps = [two.start - one.end for one, two in pairwise(words)]
    longest = _longest(gaps)
    units = [_SPOKEN(w.word, language) if len(w.word) < _SHORT else spoken(w.word, language) for w in words]
    for gap, (own, sounds) in zip(chain((0.0,), gaps), units):  # noqa: B905 - of no words there is one gap too many
        if gap > longest:
            texts.append(BOUNDARY)
            classes.append(pause)
            at += 1
        begins.append(at)
        texts.append(own)
        classes.append(sounds)
        at += len(sounds)
    text = (" " if language == "en" else "").join(texts)
    return Heard(speaker, words, Line(text, "".join(classes), language), begins)


def _longest(gaps: Sequence[float]) -> float:
    """Seconds that may lie between two words of one sentence: more with somebody, or in a transcript, that leaves time
    between all words."""
    return max(PAUSE_SECONDS, PAUSE_OF_GAPS * sorted(gaps)[len(gaps) // 2]) if gaps else PAUSE_SECONDS


def taken_at(transcript: Transcript) -> float:
    """When a seat took the call, where that is known: what is heard before is an announcement."""
    return min((turn.start for turn in transcript.seats), default=0.0) - NEAR_SECONDS


def words_of(transcript: Transcript, speaker: Speaker) -> list[Word]:
    """What this side said. On the seat's track are announcements, too: what is heard without a seat is nobody's."""
    words = [word for segment in transcript.segments if segment.speaker == speaker for word in segment.words]
    if speaker == "caller" or not transcript.seats:
        return words
    return [word for word in words if seats_between(transcript.seats, word.start, word.end)]


def talk(transcript: Transcript) -> tuple[float, float] | None:
    """When the first word of anybody begins, once a seat has taken the call, and the last one ends, seconds."""
    words = [word for segment in transcript.segments for word in segment.words]
    if not words:
        return None
    since = taken_at(transcript)
    end = max(map(_END, words))
    return min((word.start for word in words if word.start >= since), default=end), end


def silences(transcript: Transcript, seconds: float) -> list[Wait]:
    """The times of at least ``seconds`` between two words in which neither side spoke."""
    words = sorted(chain.from_iterable(segment.words for segment in transcript.segments), key=_START)
    found, ended = [], float("inf")
    for word in words:
        if word.start - ended >= seconds:
            found.append(Wait(ended, word.start))
        if word.end > ended or ended == float("inf"):
            ended = word.end
    return found


def around(waits: Sequence[Wait], start: float, end: float, before: float, after: float) -> list[int]:
    """Which waits begin within ``before`` seconds after ``end``, or ended within ``after`` seconds before ``start``."""
    return [
        n
        for n, wait in enumerate(waits)
        if (before and -1.0 <= wait.start - end <= before) or (after and -1.0 <= start - wait.end <= after)
    ]
