"""The waveform of a track: loudest sample per slice, reckoned on the server, so that a page needs no audio to draw it.

Place on the path of a call: the review page. The sound itself is played by ``web/review`` in byte ranges.
Promises: reads only; a header that was never finished is read up to the end of the file; whatever is no PCM sound gives
``None``; memory and time are bounded (a long track is read in places); finished waveforms are kept, a bounded number.
Never: takes a path from a request.
"""

import asyncio
import sys
from array import array
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO, NamedTuple

from callcenter.riff import Format, Head, read_head

BARS = 240
MAX_SAMPLES_PER_BAR = 24_000
MAX_KEPT = 256
_TYPES = {1: "B", 2: "h", 4: "i"}


class Peaks(NamedTuple):
    """``bars``: loudest sample of each slice, 0 to 100. ``seconds``: length of the track."""

    seconds: float
    bars: tuple[int, ...]


class PeakShelf:
    """Waveforms by file; one is reckoned at a time, so that pages do not take the machine from the calls."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], Peaks | None] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def of(self, file: Path) -> Peaks | None:
        """The waveform of a file; ``None`` if it cannot be read as sound."""
        try:
            stat = await asyncio.to_thread(file.stat)
        except OSError:
            return None
        key = str(file), stat.st_mtime_ns, stat.st_size
        async with self._one_at_a_time:
            if key not in self._kept:
                self._kept[key] = await asyncio.to_thread(peaks, file)
                while len(self._kept) > MAX_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def peaks(file: Path, bars: int = BARS) -> Peaks | None:
    """The waveform of a WAV file; ``None`` if it is none, or of a kind that is not known here."""
    try:
        with file.open("rb") as source:
            return _draw(source, read_head(source, "", ""), bars)
    except (OSError, ValueError):  # also what is no sound: BadSound
        return None


def _draw(source: BinaryIO, head: Head, bars: int) -> Peaks | None:
    form, frame = head.form, head.form.frame_bytes
    frames = head.length // frame
    if not frames or form.coding == "float32":
        return None
    loudest = []
    for bar in range(bars):
        first, last = frames * bar // bars, frames * (bar + 1) // bars
        source.seek(head.offset + first * frame)
        data = source.read(min(last - first, MAX_SAMPLES_PER_BAR // form.channels) * frame)
        loudest.append(_loudest(data[: len(data) // frame * frame], form))
    return Peaks(round(frames / form.rate, 3), tuple(loudest))


def _loudest(data: bytes, form: Format) -> int:
    if not data:
        return 0
    if form.coding in _COMPANDED:
        return max(_COMPANDED[form.coding][byte] for byte in set(data))
    width = form.bits // 8
    if width == 3:  # the upper two bytes are what is drawn
        upper = bytearray(len(data) // 3 * 2)
        upper[0::2], upper[1::2] = data[1::3], data[2::3]
        data = bytes(upper)
    samples = array(_TYPES[2 if width == 3 else width], data)
    if sys.byteorder == "big":
        samples.byteswap()
    if width == 1:
        return round(100 * max(max(samples) - 128, 128 - min(samples)) / 128)
    highest, lowest = max(samples), min(samples)
    return round(100 * max(highest, -lowest) / (1 << (8 * samples.itemsize - 1)))


def _alaw(byte: int) -> int:
    """ITU-T G.711, size of the sample, 0 to 100."""
    byte ^= 0x55
    exponent, mantissa = (byte >> 4) & 7, byte & 15
    size = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return round(100 * size / 32_768)


def _ulaw(byte: int) -> int:
    byte = ~byte & 0xFF
    size = ((((byte & 15) << 3) + 0x84) << ((byte >> 4) & 7)) - 0x84
    return round(100 * size / 32_768)


_COMPANDED = {"alaw": [_alaw(byte) for byte in range(256)], "ulaw": [_ulaw(byte) for byte in range(256)]}
