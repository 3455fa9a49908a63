"""What is heard of one running call: both directions put together, and judged against the script while it is spoken.

Place on the path of a call: in the child process, between the recognisers and what the daemon is told.
Promises: memory is bounded (``MAX_SEGMENTS``); a recogniser that is slower than speech loses sound, never time: beyond
``MAX_LAG_SECONDS`` what waits is dropped and counted. A required phrase, once heard for certain, stays heard.
Never: knows a socket, a process or a page.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from callcenter.errors import BadInput
from callcenter.quality.finding import Finding
from callcenter.speech.audiosocket import BYTES_PER_SECOND
from callcenter.speech.live_engine import Ear, Heard
from callcenter.speech.transcript import Segment, Speaker, Transcript, Word

MAX_LAG_SECONDS = 1.0
MAX_SEGMENTS = 400
"""Half an hour of lively talk; the oldest are let go."""
RECENT_SEGMENTS = 6
"""With which what is only guessed is judged: several times a second, so the whole call would be too much."""
GUESS_CONFIDENCE = 0.3

Judge = Callable[[Transcript], list[Finding]]


def find_judge(language: str, path: Path | None = None) -> Judge | None:
    """``quality.matching.judge`` with the script in a file, or else the shipped one of the language; ``None`` where
    there is none: then nothing is judged. What announces a wait counts before the wait is there.
    Raises ``BadInput`` where it is there and cannot be used."""
    try:
        judge = import_module("callcenter.quality.matching").judge
        scripts = import_module("callcenter.quality.scripts")
        script = scripts.while_it_runs(scripts.script_for(path, language))
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("callcenter."):
            return None
        raise BadInput(f"Phrases cannot be judged without the package {error.name}; install callcenter anew.") from None

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
        dropped = self.waiting_seconds
        self.waiting.clear()
        self.missed_seconds += dropped
        return dropped

    @property
    def waiting_seconds(self) -> float:
        """How long ago the oldest sound that waits came in, where sound comes as fast as it is spoken."""
        return len(self.waiting) / BYTES_PER_SECOND

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
        self._new_words = False
        self._found: dict[str, Finding] = {}
        self._kept: dict[str, Finding] = {}
        """Required phrases that were heard in words that do not change any more."""

    def heard(self, line: Line, heard: Heard) -> bool:
        """Note it. Whether anything is different now."""
        changed = bool(heard.final) or heard.partial != line.partial
        line.partial = heard.partial
        if heard.final:
            self._new_words = True
            self.segments.append(Segment(line.speaker, line.placed(heard.final)))
            self.segments.sort(key=lambda segment: segment.words[0].start)
            del self.segments[:-MAX_SEGMENTS]
        return changed

    def transcript(self) -> Transcript:
        """All final words."""
        return Transcript(self.call, self._seat, self._company, tuple(self.segments))

    def guess(self) -> Transcript:
        """The last final words, and what is guessed after them."""
        guessed = [Segment(line.speaker, _guessed(line)) for line in self.lines if line.partial]
        return Transcript(self.call, self._seat, self._company, (*self.segments[-RECENT_SEGMENTS:], *guessed))

    def judging(self) -> Callable[[], list[Finding] | None]:
        """What has to be judged now, as work for another thread. Its result is what was said of the script;
        ``None`` where nothing judges."""
        judge, final, guess = self._judge, self.transcript(), self.guess()
        with_final, self._new_words = self._new_words, False

        def work() -> list[Finding] | None:
            if judge is None:
                return None
            if with_final:
                self._found_in_final(judge(final))
            found = {one.phrase: one for one in judge(guess) if one.found and one.band == "doubtful"}
            return list({**found, **self._found, **self._kept}.values())

        return work

    def _found_in_final(self, findings: Iterable[Finding]) -> None:
        self._found = {one.phrase: one for one in findings if one.found}
        for one in self._found.values():
            if one.kind == "required" and one.band == "sure":
                self._kept.setdefault(one.phrase, one)

    def told(self) -> dict[str, Any]:
        """The newest of it, as the daemon is told: final words are told once, what is guessed each time."""
        return {
            "partial": [[line.speaker, list(line.partial), round(line.now, 2)] for line in self.lines if line.partial],
            "missed": round(sum(line.missed_seconds for line in self.lines), 1),
        }


def _guessed(line: Line) -> tuple[Word, ...]:
    """Guesses have no times yet: they are being said now. What is found in them is doubtful until they are final."""
    return tuple(Word(word, line.now, line.now, GUESS_CONFIDENCE) for word in line.partial)
