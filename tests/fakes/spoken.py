"""Speech for the tests of hearing: voices and a speed that neither made nor tuned the tests' models.

They are of TEST and TESTING in scripts/speech_model/voices.py.
"""

import subprocess
import sys
import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from callcenter.speech.transcript import SPEAKERS, Speaker

_DATA = Path(__file__).parents[1] / "data"
MODEL, ENGLISH_MODEL = _DATA / "model-cmn", _DATA / "model-en"
MANDARIN, ENGLISH = "cmn-latn-pinyin", "en-us"
"""As espeak-ng calls them, and as the models were taught."""
SEAT_VOICE, CALLER_VOICE = "f2", "m3"
WORDS_PER_MINUTE = 162
RATE = 8000


@dataclass(frozen=True)
class Turn:
    """``after``: seconds from the end of the turn before; less than none cuts it off."""

    speaker: Speaker
    text: str
    after: float = 0.7


def say(target: Path, text: str, voice: str, language: str = MANDARIN) -> None:
    """The voice alone, at its own rate."""
    command = ["espeak-ng", "-v", f"{language}+{voice}", "-s", str(WORDS_PER_MINUTE), "-w", str(target), text]
    subprocess.run(command, check=True, capture_output=True)


def spoken(
    target: Path, text: str, voice: str = SEAT_VOICE, before: float = 0.5, form: str = "-b 16", rate: int = RATE
) -> Path:
    """A recording of one voice, with silence before and after."""
    raw = target.with_suffix(".raw.wav")
    say(raw, text, voice)
    convert = ["sox", "-q", "-D", str(raw), "-r", str(rate), *form.split(), str(target), "pad", str(before), "0.8"]
    subprocess.run(convert, check=True, capture_output=True)
    raw.unlink()
    return target


def conversation(
    folder: Path, turns: Sequence[Turn], seat: str, caller: str, language: str = MANDARIN
) -> tuple[dict[Speaker, Path], list[float]]:
    """Both tracks of a call between two voices, A-law at 8 kHz with a line's hiss; and the second each turn begins."""
    tracks: dict[Speaker, array[int]] = {speaker: array("h") for speaker in SPEAKERS}
    starts, end = [], 0.0
    for number, turn in enumerate(turns):
        voice = seat if turn.speaker == "seat" else caller
        samples = _samples(folder / f"{number}.wav", turn.text, voice, language)
        starts.append(end + turn.after)
        track = tracks[turn.speaker]
        track.extend([0] * (round(starts[-1] * RATE) - len(track)))
        track.extend(samples)
        end = starts[-1] + len(samples) / RATE
    return {who: _line(folder / f"{who}.wav", track, end + 1.0) for who, track in tracks.items()}, starts


def _samples(raw: Path, text: str, voice: str, language: str) -> "array[int]":
    say(raw, text, voice, language)
    convert = ["sox", "-q", "-D", str(raw), "-t", "raw", "-r", str(RATE), "-e", "signed", "-b", "16", "-L", "-"]
    samples = array("h", subprocess.run(convert, check=True, capture_output=True).stdout)
    raw.unlink()
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _line(target: Path, track: "array[int]", seconds: float) -> Path:
    """The track as a telephone brings it. sox's noise is the same each time."""
    track.extend([0] * (round(seconds * RATE) - len(track)))
    clean, hiss = target.with_suffix(".clean.wav"), target.with_suffix(".hiss.wav")
    if sys.byteorder == "big":
        track.byteswap()
    with wave.open(str(clean), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(track.tobytes())
    noise = f"synth {seconds} pinknoise vol 0.01".split()
    subprocess.run(["sox", "-q", "-n", "-r", str(RATE), "-b", "16", hiss, *noise], check=True, capture_output=True)
    mix = ["sox", "-q", "-D", "-m", "-v", "0.5", str(clean), "-v", "0.5", str(hiss), "-e", "a-law", str(target)]
    subprocess.run(mix, check=True, capture_output=True)
    clean.unlink()
    hiss.unlink()
    return target
