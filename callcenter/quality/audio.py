"""What the sound of a call tells beside its words: talk-over, silence, speaking rate, loudness, clipping (B2, B8, B9).

Place on the path of a call: after its transcription, on the samples of each track and the words of both.
Promises: pure; samples come in blocks of any size and none is kept; times are seconds from the beginning. Loudness,
rate
and clipping are hints for a coach, never findings.
Never: reads a file, or says who is right when two talk at once.
"""

from __future__ import annotations  # array[int] is a type from 3.12 on

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import mul

from callcenter.quality.heard import Wait, silences
from callcenter.quality.sounds import units
from callcenter.speech.transcript import Speaker, Transcript, Word

FRAME_SECONDS = 0.02
FULL_SCALE = 32768.0
CLIPPED = 32_700
"""A sample from here on is at the end of the scale; telephone codecs end a little below 32767 (u-law 32124)."""
CLIPPED_MU_LAW = 32_124
SPEECH_DBFS = -45.0
"""Frames below are no speech, so that pauses do not make a loud voice quiet."""
NO_SPEECH_DBFS = -120.0
TALK_OVER_SECONDS = 0.5
"""Shorter overlaps are the usual give and take (a "yes" in between)."""
INTERRUPTION_SECONDS = 0.3
HOLD_LIMIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Level:
    """``loudness``: mean of the frames with speech, dBFS; ``peak``: dBFS; ``clipped_share``: of all samples, 0 to 1."""

    loudness: float
    peak: float
    clipped_share: float
    speech_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """Both spoke. ``by``: who began while the other was talking; ``interruption``: and went on when that one
    stopped."""

    start: float
    end: float
    by: Speaker
    interruption: bool


def level(blocks: Iterable[array[int]], rate: int) -> Level:
    """Of one track of 16-bit samples at ``rate`` a second."""
    frame = max(1, round(rate * FRAME_SECONDS))
    rest: array[int] = array("h")
    energy, speech, clipped, peak, samples = 0.0, 0, 0, 0, 0
    threshold = (FULL_SCALE * 10 ** (SPEECH_DBFS / 20)) ** 2
    for block in blocks:
        rest.extend(block)
        samples += len(block)
        whole = len(rest) - len(rest) % frame
        for at in range(0, whole, frame):
            part = rest[at : at + frame]
            power = sum(map(mul, part, part)) / frame
            top = max(*part, -min(part))
            peak = max(peak, top)
            if top >= CLIPPED_MU_LAW:
                clipped += sum(abs(one) >= CLIPPED or abs(one) == CLIPPED_MU_LAW for one in part)
            if power >= threshold:
                energy, speech = energy + power, speech + 1
        rest = rest[whole:]
    return Level(
        loudness=_dbfs(math.sqrt(energy / speech)) if speech else NO_SPEECH_DBFS,
        peak=_dbfs(peak),
        clipped_share=clipped / samples if samples else 0.0,
        speech_seconds=speech * FRAME_SECONDS,
        seconds=samples / rate,
    )


def _dbfs(value: float) -> float:
    return 20 * math.log10(value / FULL_SCALE) if value > 0 else NO_SPEECH_DBFS


def speaking_rate(transcript: Transcript, speaker: Speaker, language: str) -> float | None:
    """Syllables (in English: words) a minute of the time in which this side spoke; ``None`` below three seconds of
    it."""
    words = [word for segment in transcript.segments if segment.speaker == speaker for word in segment.words]
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
    seat, caller = (_turns_of(transcript, speaker) for speaker in ("seat", "caller"))
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


def _turns_of(transcript: Transcript, speaker: str) -> list[Wait]:
    return turns([word for segment in transcript.segments if segment.speaker == speaker for word in segment.words])


def _overlap(seat: Wait, caller: Wait) -> Overlap | None:
    start, end = max(seat.start, caller.start), min(seat.end, caller.end)
    by: Speaker = "seat" if seat.start > caller.start else "caller"
    later, earlier = (seat, caller) if by == "seat" else (caller, seat)
    went_on = later.end - earlier.end >= INTERRUPTION_SECONDS and end - start >= INTERRUPTION_SECONDS
    return Overlap(start, end, by, went_on) if went_on or end - start >= TALK_OVER_SECONDS else None


def unexplained_waits(
    transcript: Transcript, holds: Sequence[Wait], limit_seconds: float = HOLD_LIMIT_SECONDS
) -> list[Wait]:
    """Silences beyond the limit (B2) that no hold covers for the most part: the caller waited, and no Hold event says
    so."""
    return [wait for wait in silences(transcript, limit_seconds) if _covered(wait, holds) < 0.5]


def _covered(wait: Wait, holds: Sequence[Wait]) -> float:
    return sum(max(0.0, min(wait.end, h.end) - max(wait.start, h.start)) for h in holds) / (wait.end - wait.start)
