"""Speech for the phones of the demonstration and the tests: espeak-ng, as raw A-law for SIPp.

Place on the path of a call: what the two people say. It promises the same bytes for the same words and voice.
It never speaks on the real site's lines; prompts.py does that.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CUSTOMER = "你好，我的打印机坏了，今天上午开始卡纸，请帮我看一下。"
SEAT = "好的，请您稍等，马上为您查询。"
MANDARIN = "cmn-latn-pinyin"
RATE = 8000
_SILENCE = b"\xd5"
"""Nothing, in A-law."""


def speak(words: str, target: Path, pitch: int = 50, words_per_minute: int = 150, voice: str = MANDARIN) -> Path:
    """Write *words* as A-law, 8 kHz, one channel, without a header; half a second of silence before, one after."""
    return _speak(words, target, ["-v", voice, "-s", str(words_per_minute), "-p", str(pitch)], ["pad", "0.5", "1"])


def _speak(words: str, target: Path, how: Sequence[str], effects: Sequence[str] = ()) -> Path:
    wave = target.with_suffix(".wav")
    subprocess.run(["espeak-ng", *how, "-w", wave, words], check=True, capture_output=True)
    subprocess.run(
        ["sox", "-q", "-D", wave, "-t", "raw", "-e", "a-law", "-b", "8", "-r", str(RATE), "-c", "1", target, *effects],
        check=True,
        capture_output=True,
    )
    wave.unlink()
    return target


@dataclass(frozen=True, slots=True)
class Turn:
    """``after``: seconds from the end of the turn before; less than none cuts it off."""

    who: Literal["seat", "caller"]
    words: str
    after: float = 0.7


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Two files for two phones; ``seconds`` from the seat's lifting until a moment after the last word."""

    seat: Path
    caller: Path
    seconds: float


def dialogue(turns: Sequence[Turn], folder: Path, seat: str, caller: str, head: float, tail: float) -> Dialogue:
    """What two people say to each other. ``seat``, ``caller``: variants of the Mandarin voice. ``head``: so much
    earlier the caller's file begins; ``tail``: silence behind both."""
    folder.mkdir(parents=True, exist_ok=True)
    tracks = {"seat": bytearray(), "caller": bytearray(_SILENCE * round(head * RATE))}
    begins = {"seat": 0.0, "caller": head}
    end = 0.0
    for turn in turns:
        voice = f"{MANDARIN}+{seat if turn.who == 'seat' else caller}"
        said = _speak(turn.words, folder / "turn.al", ["-v", voice, "-s", "162"]).read_bytes()
        start, track = end + turn.after, tracks[turn.who]
        track += _SILENCE * (round((begins[turn.who] + start) * RATE) - len(track))
        track += said
        end = start + len(said) / RATE
    for who, track in tracks.items():
        (folder / f"{who}.al").write_bytes(track + _SILENCE * round((begins[who] + end + tail) * RATE - len(track)))
    return Dialogue(folder / "seat.al", folder / "caller.al", end + 1.0)
