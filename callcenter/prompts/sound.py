"""Sound files: espeak-ng speaks, sox converts; both as child processes, for espeak-ng crashes on some texts.

On the path of a call: nowhere; long before it. Promises 8 kHz, one channel, 16 bit, the same loudness and the same bytes
each time. Never leaves a half-written file under its final name.
"""

import os
import subprocess
import wave
from collections.abc import Sequence
from pathlib import Path

from callcenter.errors import BrokenWorld

RATE = 8000
PEAK_DB = -3
TIMEOUT_SECONDS = 30


def speak(words: str, voice: str, words_per_minute: int, pitch: int, target: Path) -> None:
    """espeak-ng's own rate and loudness; finish() makes a prompt of it."""
    _run(["espeak-ng", "-v", voice, "-s", str(words_per_minute), "-p", str(pitch), "-w", str(target), "--stdin"], words,
         "apt install espeak-ng")


def join(pieces: Sequence[Path], target: Path) -> None:
    """One file of several, whatever their formats. The pieces are brought to one rate first: sox does not do it."""
    plain = [target.with_name(f"{target.stem}.{index}.wav") for index, _ in enumerate(pieces)]
    for piece, copy in zip(pieces, plain, strict=True):
        _sox([str(piece), *_format(), str(copy)])
    _sox([*map(str, plain), str(target)])
    for copy in plain:
        copy.unlink()


def finish(source: Path, target: Path) -> float:
    """Bring *source* to the telephone's format and an even loudness as *target*. Returns its length in seconds."""
    work = target.with_name(f".{target.name}.{os.getpid()}.wav")
    try:
        _sox([str(source), *_format(), str(work), "remix", "-", "rate", str(RATE), "norm", str(PEAK_DB), "pad", "0.1", "0.1"])
        with wave.open(str(work)) as sound:
            seconds = sound.getnframes() / sound.getframerate()
        os.replace(work, target)
    finally:
        work.unlink(missing_ok=True)
    return seconds


def _format() -> list[str]:
    return ["-r", str(RATE), "-c", "1", "-b", "16", "-e", "signed-integer"]


def _sox(arguments: Sequence[str]) -> None:
    # -D: no dither, -R: repeatable; the same bytes each time
    _run(["sox", "-D", "-R", "-q", "-V1", *arguments], "", "apt install sox")


def _run(command: Sequence[str], text: str, remedy: str) -> None:
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    except FileNotFoundError:
        raise BrokenWorld(f"{command[0]} is not installed; {remedy}") from None
    except subprocess.TimeoutExpired:
        raise BrokenWorld(f"{command[0]} took more than {TIMEOUT_SECONDS} s for one prompt; try a shorter text") from None
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise BrokenWorld(f"{command[0]} failed ({done.returncode}): {words[-1] if words else 'without a word'}")
