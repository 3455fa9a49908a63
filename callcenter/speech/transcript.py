"""What was said in a call, word by word: what an engine makes of a recording, and what phrases are looked for in.

Place on the path of a call: after its end (or while it is talked) ``speech`` makes a ``Transcript`` of the two tracks,
``quality`` reads it, the review page shows it.
Promises: plain immutable data; ``from_dict(to_dict(t)) == t``; bad input raises ``BadInput`` with place and remedy.
Never: knows an engine, a file or a phrase.

Units: instants are seconds from the beginning of the recording; ``conf`` is the engine's confidence between 0 and 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from callcenter.errors import BadInput

Speaker = Literal["seat", "caller"]
SPEAKERS: tuple[Speaker, ...] = ("seat", "caller")


@dataclass(frozen=True, slots=True)
class Word:
    """One word as the engine wrote it (in Chinese: one of its dictionary's words, no spaces inside)."""

    word: str
    start: float
    end: float
    conf: float = 1.0


@dataclass(frozen=True, slots=True)
class Segment:
    """Words that one speaker said without a longer pause, in order."""

    speaker: Speaker
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """As a person would write it: Chinese words joined, others with spaces."""
        return joined([word.word for word in self.words])


@dataclass(frozen=True, slots=True)
class Transcript:
    """Both tracks, segments in order of their beginning. ``seat`` is the work number (工号) spoken in the greeting."""

    id: str
    seat: str = ""
    company: str = ""
    segments: tuple[Segment, ...] = ()


def joined(words: list[str]) -> str:
    """Words as text: a space stands only where one of the neighbours is no Chinese character."""
    text = ""
    for word in words:
        text += " " + word if text and not (is_han(text[-1]) and is_han(word[:1])) else word
    return text


def is_han(character: str) -> bool:
    """Whether it is a Chinese character (CJK Unified Ideographs and Extension A, Unicode 15)."""
    return "\u3400" <= character <= "\u9fff"


def to_dict(transcript: Transcript) -> dict[str, Any]:
    return {
        "id": transcript.id,
        "seat": transcript.seat,
        "company": transcript.company,
        "segments": [
            {
                "speaker": segment.speaker,
                "words": [{"word": w.word, "start": w.start, "end": w.end, "conf": w.conf} for w in segment.words],
            }
            for segment in transcript.segments
        ],
    }


def from_dict(value: Any) -> Transcript:
    """Raises ``BadInput`` naming what is missing or of the wrong kind."""
    told = _object(value, "a transcript")
    segments = told.get("segments", [])
    if not isinstance(segments, list):
        raise BadInput("segments: must be a list of {speaker, words}; write [] where nothing was said")
    return Transcript(
        id=_text(told, "id"),
        seat=_text(told, "seat", ""),
        company=_text(told, "company", ""),
        segments=tuple(_segment(segment, f"segments[{n}]") for n, segment in enumerate(segments)),
    )


def _segment(value: Any, where: str) -> Segment:
    told = _object(value, where)
    told_speaker, words = told.get("speaker"), told.get("words")
    speaker: Speaker | None = next((one for one in SPEAKERS if one == told_speaker), None)
    if speaker is None:
        raise BadInput(f'{where}.speaker: must be "seat" or "caller"')
    if not isinstance(words, list):
        raise BadInput(f"{where}.words: must be a list of {{word, start, end, conf}}")
    return Segment(speaker, tuple(_word(word, f"{where}.words[{n}]") for n, word in enumerate(words)))


def _word(value: Any, where: str) -> Word:
    told = _object(value, where)
    return Word(
        _text(told, "word", where=where), _number(told, "start", where), _number(told, "end", where), _conf(told, where)
    )


def _conf(told: Mapping[str, Any], where: str) -> float:
    return min(1.0, max(0.0, _number(told, "conf", where))) if told.get("conf") is not None else 1.0


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"{where}: must be an object")
    return value


def _text(told: Mapping[str, Any], key: str, default: str | None = None, where: str = "") -> str:
    value = told.get(key, default)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise BadInput(f"{where + '.' if where else ''}{key}: must be a text")
    return value


def _number(told: Mapping[str, Any], key: str, where: str) -> float:
    value = told.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e7:
        raise BadInput(f"{where}.{key}: must be a number of seconds (for conf: 0 to 1)")
    return float(value)
