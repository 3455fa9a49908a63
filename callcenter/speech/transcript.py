"""What was said in a call, word by word: what an engine makes of a recording, and what phrases are looked for in.

Place on the path of a call: after its end (or while it is talked) ``speech`` makes a ``Transcript`` of the two tracks,
``quality`` reads it, the review page shows it.
Promises: plain immutable data; ``from_dict(to_dict(t)) == t`` for words of engines, which ``as_heard`` makes; bad input
raises ``BadInput`` with place and remedy.
Never: knows an engine, a file or a phrase.

After a transfer our side holds several seats in turn: ``seats`` says which spoke when.

Units: instants are seconds from the beginning of the recording; ``conf`` is the engine's confidence between 0 and 1.
"""

from collections.abc import Iterable, Mapping, Sequence
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


MAX_WORD = 200
"""Characters; more is a text that nobody has cut into words."""


ROUNDED = 0.02
"""By so much others' figures may be off because they were rounded."""


def as_heard(word: str, start: float, end: float, conf: float = 1.0) -> Word:
    """A word as an engine told it, within what a word may be."""
    start = max(0.0, start)
    return Word(word[:MAX_WORD], start, max(start, end), min(1.0, max(0.0, conf)))


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
class Turn:
    """A seat on our side. ``seat`` is its work number, "" where it has none; ``extension`` where that is known."""

    seat: str
    start: float
    end: float
    extension: str = ""

    @property
    def name(self) -> str:
        """What findings call this seat."""
        return self.extension or self.seat


@dataclass(frozen=True, slots=True)
class Transcript:
    """Both tracks, segments in order of their beginning. ``seat`` is the work number (工号) spoken in the greeting.

    ``seats``: who was on our side and when; empty where that is not known, or one seat took the whole call."""

    id: str
    seat: str = ""
    company: str = ""
    segments: tuple[Segment, ...] = ()
    seats: tuple[Turn, ...] = ()


NEAR_SECONDS = 1.0
"""How far the recogniser's times and the telephone system's may lie apart."""
MAX_TURNS = 1_000


def seats_between(turns: Sequence[Turn], start: float, end: float) -> tuple[Turn, ...]:
    """Who was on our side while something was said; two in a conference, nobody where it is not known. Of seats that
    follow one another, the one that had the most of it; beside a turn, the nearest within ``NEAR_SECONDS``."""
    shares = [(min(end, turn.end) - max(start, turn.start), turn) for turn in turns]
    most = max((share for share, _ in shares), default=-NEAR_SECONDS - 1)
    if most > 0:
        return _once(turn for share, turn in shares if share > most / 2)
    return _once(turn for share, turn in shares if share == most and share >= -NEAR_SECONDS)


def _once(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    return tuple({turn.name: turn for turn in turns}.values())


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
    """``seats`` is in it only where it is known."""
    turns = [{"seat": t.seat, "start": t.start, "end": t.end, "extension": t.extension} for t in transcript.seats]
    told: dict[str, Any] = {
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
    return told | ({"seats": turns} if turns else {})


def from_dict(value: Any, stored: bool = False) -> Transcript:
    """Raises ``BadInput`` naming what is missing or of the wrong kind.

    ``stored``: it was written by us, perhaps before words had limits; they are kept to them."""
    told = _object(value, "a transcript")
    segments = told.get("segments")
    if not isinstance(segments, list):
        raise BadInput("segments: must be a list of {speaker, words}; write [] where nothing was said")
    turns = told.get("seats", [])
    if not isinstance(turns, list) or len(turns) > MAX_TURNS:
        raise BadInput(f"seats: must be a list of at most {MAX_TURNS} {{seat, start, end}}; leave it out for one seat")
    return Transcript(
        id=_text(told, "id"),
        seat=_text(told, "seat", ""),
        company=_text(told, "company", ""),
        segments=tuple(_segment(segment, f"segments[{n}]", stored) for n, segment in enumerate(segments)),
        seats=tuple(_turn(turn, f"seats[{n}]") for n, turn in enumerate(turns)),
    )


def _turn(value: Any, where: str) -> Turn:
    told = _object(value, where)
    start, end = _number(told, "start", where), _number(told, "end", where)
    if end < start:
        raise BadInput(f"{where}.end: must not come before its start")
    return Turn(_text(told, "seat", where=where), start, end, _text(told, "extension", "", where))


def _segment(value: Any, where: str, stored: bool) -> Segment:
    told = _object(value, where)
    told_speaker, words = told.get("speaker"), told.get("words")
    speaker: Speaker | None = next((one for one in SPEAKERS if one == told_speaker), None)
    if speaker is None:
        raise BadInput(f'{where}.speaker: must be "seat" or "caller"')
    if not isinstance(words, list):
        raise BadInput(f"{where}.words: must be a list of {{word, start, end, conf}}")
    return Segment(speaker, tuple(_word(word, f"{where}.words[{n}]", stored) for n, word in enumerate(words)))


def _word(value: Any, where: str, stored: bool) -> Word:
    told = _object(value, where)
    conf = _number(told, "conf", where) if told.get("conf") is not None else 1.0
    word = _text(told, "word", where=where), _number(told, "start", where), _number(told, "end", where), conf
    if stored:
        return as_heard(*word)
    if len(word[0]) > MAX_WORD:
        raise BadInput(f"{where}.word: has more than {MAX_WORD} characters; give one word, with its own times")
    if word[2] < word[1] - ROUNDED:
        raise BadInput(f"{where}.end: must not come before its start")
    if conf > 1 + ROUNDED:
        raise BadInput(f"{where}.conf: must be a number from 0 to 1")
    return as_heard(*word)


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"{where}: must be an object")
    return value


def _text(told: Mapping[str, Any], key: str, default: str | None = None, where: str = "") -> str:
    value = told.get(key, default)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise BadInput(f"{where + '.' if where else ''}{key}: {'is missing' if value is None else 'must be a text'}")
    return value


def _number(told: Mapping[str, Any], key: str, where: str) -> float:
    value = told.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e7:
        wanted = "a number from 0 to 1" if key == "conf" else "a number of seconds from the beginning, 0 or more"
        raise BadInput(f"{where}.{key}: must be {wanted}")
    return float(value)
