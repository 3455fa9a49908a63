"""What the sound of a call tells beside its words: talk-over, silence, speaking rate, loudness, clipping (B2, B8, B9).

Place on the path of a call: after its transcription, on the samples of each track and the words of both.
Promises: pure; times are seconds from the beginning. Loudness, rate and clipping are hints for a coach, never findings.
Never: reads a file (``speech/sound.Meter`` measures the samples), or says who is right when two talk at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from callcenter.quality.heard import Wait, silences, words_of
from callcenter.quality.sounds import units
from callcenter.speech.transcript import SPEAKERS, Speaker, Transcript, Word

TALK_OVER_SECONDS = 0.5
"""Shorter overlaps are the usual give and take (a "yes" in between)."""
INTERRUPTION_SECONDS = 0.3
HOLD_LIMIT_SECONDS = 60.0
SILENCE_SECONDS = 10.0
"""Nobody speaks for so long: worth a look."""
FAST, SLOW = 320.0, 140.0
"""Syllables a minute of a seat that a customer follows with trouble (ordinary Mandarin: 200 to 280)."""
LOUD_DBFS, SOFT_DBFS = -14.0, -34.0
CLIPPED_SHARE = 0.001


@dataclass(frozen=True, slots=True)
class Overlap:
    """Both spoke. ``by``: who began while the other was talking; ``interruption``: and went on when that one
    stopped."""

    start: float
    end: float
    by: Speaker
    interruption: bool


def speaking_rate(transcript: Transcript, speaker: Speaker, language: str) -> float | None:
    """Syllables (in English: words) a minute of the time in which this side spoke; ``None`` below three seconds of
    it."""
    words = words_of(transcript, speaker)
    seconds = sum(turn.end - turn.start for turn in turns(words))
    spoken = sum(len(units(word.word, language)) for word in words)
    return 60 * spoken / seconds if seconds >= 3.0 else None


def turns(words: Sequence[Word], pause_seconds: float = 0.6) -> list[Wait]:
    """Stretches of speech without a longer pause, in order."""
    found: list[Wait] = []
    for word in sorted(words, key=lambda word: word.start):
        if found and word.start - found[-1].end <= pause_seconds:
            found[-1] = Wait(found[-1].start, max(found[-1].end, word.end))
        else:
            found.append(Wait(word.start, max(word.start, word.end)))
    return found


def overlaps(transcript: Transcript) -> list[Overlap]:
    """Where both spoke for ``TALK_OVER_SECONDS`` or more, or one cut the other off (B8)."""
    seat, caller = (turns(words_of(transcript, speaker)) for speaker in SPEAKERS)
    found: list[Overlap] = []
    first = 0
    for one in seat:
        while first < len(caller) and caller[first].end <= one.start:
            first += 1
        for other in caller[first:]:
            if other.start >= one.end:
                break
            overlap = _overlap(one, other)
            if overlap is not None:
                found.append(overlap)
    return found


def _overlap(seat: Wait, caller: Wait) -> Overlap | None:
    start, end = max(seat.start, caller.start), min(seat.end, caller.end)
    by: Speaker = "seat" if seat.start > caller.start else "caller"
    later, earlier = (seat, caller) if by == "seat" else (caller, seat)
    went_on = later.end - earlier.end >= INTERRUPTION_SECONDS and end - start >= INTERRUPTION_SECONDS
    return Overlap(start, end, by, went_on) if went_on or end - start >= TALK_OVER_SECONDS else None


def unexplained_waits(
    transcript: Transcript, holds: Sequence[Wait], limit_seconds: float = HOLD_LIMIT_SECONDS
) -> list[Wait]:
    """What no hold covers of silences, where that is beyond the limit (B2): the caller waited, and no Hold event says
    so. Of a silence with a hold inside, the parts beside it."""
    found: list[Wait] = []
    for silence in silences(transcript, limit_seconds):
        parts = [part for part in _uncovered(silence, holds) if part.end - part.start >= SILENCE_SECONDS]
        if sum(part.end - part.start for part in parts) >= limit_seconds:
            found += parts
    return found


def _uncovered(silence: Wait, holds: Sequence[Wait]) -> list[Wait]:
    """What the holds leave of it, in order."""
    left, at = [], silence.start
    for hold in sorted(holds, key=lambda hold: hold.start):
        if hold.end > at and hold.start < silence.end:
            left.append(Wait(at, max(at, hold.start)))
            at = hold.end
    return [*left, Wait(at, max(at, silence.end))]


def measures(
    transcript: Transcript, levels: Mapping[str, Mapping[str, float]], holds: Sequence[Wait], language: str
) -> dict[str, Any]:
    """All of it as plain data for the store and the page. ``levels``: of each side, what ``speech/sound.Meter`` told.

    What could not be measured is not in it."""
    rates = {who: speaking_rate(transcript, who, language) for who in SPEAKERS}
    return {
        "levels": {who: {name: round(value, 4) for name, value in told.items()} for who, told in levels.items()},
        "rates": {who: round(rate) for who, rate in rates.items() if rate is not None},
        "overlaps": [
            {"start": round(o.start, 2), "end": round(o.end, 2), "by": o.by, "interruption": o.interruption}
            for o in overlaps(transcript)
        ],
        "silences": [_plain(wait) for wait in silences(transcript, SILENCE_SECONDS)],
        "unexplained_waits": [_plain(wait) for wait in unexplained_waits(transcript, holds)],
        "hints": hints(levels.get("seat", {}), rates["seat"], language),
    }


def hints(level: Mapping[str, float], rate: float | None, language: str) -> list[str]:
    """What a coach may listen for on the seat's side (B9): clipped, loud, soft, fast, slow."""
    found = []
    if level.get("clipped_share", 0.0) > CLIPPED_SHARE:
        found.append("clipped")
    if level.get("speech_seconds", 0.0) >= 3.0:
        found += ["loud"] if level["loudness"] > LOUD_DBFS else ["soft"] if level["loudness"] < SOFT_DBFS else []
    if rate is not None and language == "zh":
        found += ["fast"] if rate > FAST else ["slow"] if rate < SLOW else []
    return found


def _plain(wait: Wait) -> dict[str, float]:
    return {"start": round(wait.start, 2), "end": round(wait.end, 2)}
