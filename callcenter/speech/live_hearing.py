"""What is heard of one running call: both directions put together, and judged against the script while it is spoken.

Place on the path of a call: in the child process, between the recognisers and what the daemon is told.
Promises: memory is bounded (``MAX_SEGMENTS``); a recogniser that is slower than speech loses sound, never time: beyond
``MAX_LAG_SECONDS`` what waits is dropped and counted. A required phrase, once heard for certain, stays heard.
Never: knows a socket, a process or a page.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from callcenter.quality.finding import Finding
from callcenter.speech.audiosocket import BYTES_PER_SECOND
from callcenter.speech.live_engine import Ear, Heard
from callcenter.speech.transcript import Segment, Speaker, Transcript, Word

MAX_LAG_SECONDS = 1.0
MAX_SEGMENTS = 400
"""Half an hour of lively talk; the oldest are let go."""
GUESS_CONFIDENCE = 0.3

Judge = Callable[[Transcript], list[Finding]]


def find_judge(language: str) -> Judge | None:
    """``quality.matching.judge`` with the shipped script; ``None`` where it is not there: then nothing is judged."""
    try:
        judge = import_module("callcenter.quality.matching").judge
        script = import_module("callcenter.quality.scripts").default_script(language)
    except (ImportError, AttributeError):
        return None

    def judged(transcript: Transcript) -> list[Finding]:
        found: list[Finding] = judge(transcript, script)
        return found

    return judged


@dataclass
class Line:
    """One direction. ``offset`` is when its sound began, in seconds from the beginning of the hearing."""

    speaker: Speaker
    ear: Ear
    offset: float
    waiting: bytearray = field(default_factory=bytearray)
    missed_seconds: float = 0.0
    partial: tuple[str, ...] = ()
    heard_seconds: float = 0.0
    busy: bool = False

    def take(self, pcm: bytes) -> float:
        """Sound that came in; the seconds that had to be dropped."""
        self.waiting += pcm
        if len(self.waiting) <= MAX_LAG_SECONDS * BYTES_PER_SECOND:
            return 0.0
        dropped = len(self.waiting) / BYTES_PER_SECOND
        self.waiting.clear()
        self.missed_seconds += dropped
        return dropped

    def piece(self) -> bytes:
        """All that waits; empty if nothing does."""
        piece = bytes(self.waiting)
        self.waiting.clear()
        self.heard_seconds += len(piece) / BYTES_PER_SECOND
        return piece

    @property
    def now(self) -> float:
        """Where this direction stands, in seconds from the beginning of the hearing."""
        return self.offset + self.missed_seconds + self.heard_seconds

    def placed(self, words: Iterable[Word]) -> tuple[Word, ...]:
        """Words with times of the call instead of the recogniser's, which counts only what it was given."""
        shift = self.offset + self.missed_seconds
        return tuple(Word(w.word, w.start + shift, w.end + shift, w.conf) for w in words)


class Hearing:
    """One call."""

    def __init__(self, call: str, seat: str, company: str, judge: Judge | None) -> None:
        self.call = call
        self._seat, self._company, self._judge = seat, company, judge
        self.lines: list[Line] = []
        self.segments: list[Segment] = []
        self._kept: dict[str, Finding] = {}
        """Required phrases that were heard in words that do not change any more."""

    def heard(self, line: Line, heard: Heard) -> bool:
        """Note it. Whether anything is different now."""
        changed = bool(heard.final) or heard.partial != line.partial
        line.partial = heard.partial
        if heard.final:
            self.segments.append(Segment(line.speaker, line.placed(heard.final)))
            self.segments.sort(key=lambda segment: segment.words[0].start)
            del self.segments[:-MAX_SEGMENTS]
        return changed

    def transcript(self, with_partial: bool) -> Transcript:
        guessed = [Segment(line.speaker, _guessed(line)) for line in self.lines if line.partial] if with_partial else []
        return Transcript(self.call, self._seat, self._company, (*self.segments, *guessed))

    def findings(self) -> list[Finding] | None:
        """What was said of the script so far; ``None`` where nothing judges."""
        if self._judge is None:
            return None
        for finding in self._judge(self.transcript(False)):
            if finding.kind == "required" and finding.found and finding.band == "sure":
                self._kept.setdefault(finding.phrase, finding)
        now = self._judge(self.transcript(True))
        said = [finding for finding in now if finding.found or finding.phrase in self._kept]
        return [self._kept.get(finding.phrase, finding) for finding in said]

    def told(self) -> dict[str, Any]:
        """The newest of it, as the daemon is told: final words are told once, what is guessed each time."""
        return {
            "partial": [[line.speaker, list(line.partial), round(line.now, 2)] for line in self.lines if line.partial],
            "missed": round(sum(line.missed_seconds for line in self.lines), 1),
        }


def _guessed(line: Line) -> tuple[Word, ...]:
    """Guesses have no times yet: they are being said now. What is found in them is doubtful until they are final."""
    return tuple(Word(word, line.now, line.now, GUESS_CONFIDENCE) for word in line.partial)
