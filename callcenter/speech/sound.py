"""What an engine listens to: a recording as 16-bit samples of one channel at the engine's rate, block by block.

Place on the path of a call: between the file (``wav``) and the engine. Stereo is mixed.
Promises: bounded memory whatever the length; a resampled tone keeps its place in time and level, and what the target
rate cannot hold is removed (about 70 dB); A-law and u-law are decoded as ITU-T G.711 says.
Never: reads or writes a file.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import gcd
from typing import Any, TypeAlias

import numpy as np

from callcenter.riff import Format
from callcenter.speech.wav import Wav

Samples: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"
Shorts: TypeAlias = "np.ndarray[Any, np.dtype[np.int16]]"
_ZERO_CROSSINGS = 16
_PASS_BAND = 0.92


def pcm(wav: Wav, rate: int) -> Iterator[bytes]:
    """The recording as 16-bit little-endian samples of one channel at ``rate``."""
    if (wav.form.coding, wav.form.channels, wav.form.rate) == ("pcm16", 1, rate):
        yield from wav.blocks()
        return
    blocks: Iterator[Samples] = (samples(block, wav.form) for block in wav.blocks())
    if wav.form.rate != rate:
        blocks = Resampler(wav.form.rate, rate).stream(blocks)
    for block in blocks:
        yield np.clip(np.rint(block), -32768, 32767).astype("<i2").tobytes()


def samples(block: bytes, form: Format) -> Samples:
    """Whole frames as they are stored -> samples of one channel, full scale 32768."""
    flat = _DECODERS[form.coding](block)
    mixed = flat.reshape(-1, form.channels).mean(axis=1) if form.channels > 1 else flat
    return np.asarray(mixed, np.float32)


def _pcm24(block: bytes) -> Samples:
    wide = np.zeros((len(block) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(block, np.uint8).reshape(-1, 3)
    return np.asarray(wide.view("<i4")[:, 0] / 65536.0, np.float32)


def _float32(block: bytes) -> Samples:
    return np.asarray(np.nan_to_num(np.frombuffer(block, "<f4")).clip(-1, 1) * 32768.0, np.float32)


def _alaw_table() -> Samples:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.float32)


def _ulaw_table() -> Samples:
    code = np.arange(256) ^ 0xFF
    size = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.float32)


_ALAW, _ULAW = _alaw_table(), _ulaw_table()
_DECODERS: dict[str, Callable[[bytes], Samples]] = {
    "pcm8": lambda block: (np.frombuffer(block, np.uint8).astype(np.float32) - 128) * 256,
    "pcm16": lambda block: np.frombuffer(block, "<i2").astype(np.float32),
    "pcm24": _pcm24,
    "pcm32": lambda block: np.asarray(np.frombuffer(block, "<i4") / 65536.0, np.float32),
    "float32": _float32,
    "alaw": lambda block: _ALAW[np.frombuffer(block, np.uint8)],
    "ulaw": lambda block: _ULAW[np.frombuffer(block, np.uint8)],
}


FRAME_SECONDS = 0.02
MEASURED_BLOCKS = 16
SPEECH_DBFS = -45.0
"""Frames below are no speech, so that pauses do not make a loud voice quiet."""
SILENT_DBFS = -120.0
CLIPPED, CLIPPED_MU_LAW = 32_700, 32_124
"""A sample from here on is at the end of the scale; u-law's ends a little below 32767."""


class Meter:
    """Loudness and clipping of one track, block by block on its way to an engine (B9).

    ``there``: seconds in which somebody is on this side, where that is known. The rest is announcements and ringback,
    and counts for nobody."""

    def __init__(self, rate: int, there: Sequence[tuple[float, float]] = ()) -> None:
        self._frame = round(rate * FRAME_SECONDS)
        self._rate = rate
        self._there = [(round(start * rate), round(end * rate)) for start, end in there]
        self._at = 0
        self._new: list[Shorts] = []
        self._rest: Shorts = np.zeros(0, np.int16)
        """Of what was measured, the samples after the last whole frame."""
        self._energy = self._speech = self._clipped = self._peak = self._samples = 0.0

    def through(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The same blocks, measured a few seconds at a time: numpy's calls cost more than its arithmetic."""
        for n, block in enumerate(blocks, 1):
            self._take(np.frombuffer(block, "<i2"))
            if n % MEASURED_BLOCKS == 0:
                self._measure()
            yield block

    def _take(self, new: Shorts) -> None:
        begun, self._at = self._at, self._at + len(new)
        if not self._there:
            self._new.append(new)
        for start, end in self._there:
            if start < self._at and end > begun:
                self._new.append(new[max(0, start - begun) : end - begun])

    def _measure(self) -> None:
        new = np.concatenate([self._rest[:0], *self._new])
        self._look(new)
        whole = np.concatenate([self._rest, new])
        count = len(whole) // self._frame
        used, self._rest, self._new = whole[: count * self._frame], whole[count * self._frame :], []
        frames = used.astype(np.float32).reshape(count, self._frame)
        power = np.einsum("ij,ij->i", frames, frames) / self._frame
        speech = power[power >= (32768 * 10 ** (SPEECH_DBFS / 20)) ** 2]
        self._energy += float(speech.sum(dtype=np.float64))
        self._speech += len(speech)

    def _look(self, samples: Shorts) -> None:
        """The peak, and how much of it lies at the end of the scale."""
        self._samples += len(samples)
        peak = max(int(samples.max(initial=0)), -int(samples.min(initial=0)))
        self._peak = max(self._peak, peak)
        if peak >= CLIPPED_MU_LAW:
            size = np.abs(samples.astype(np.int32))
            self._clipped += int(((size >= CLIPPED) | (size == CLIPPED_MU_LAW)).sum())

    def told(self) -> dict[str, float]:
        """``loudness``: mean of the frames with speech, dBFS; ``peak``: dBFS; ``clipped_share`` of all samples."""
        self._measure()
        return {
            "loudness": _dbfs((self._energy / self._speech) ** 0.5) if self._speech else SILENT_DBFS,
            "peak": _dbfs(self._peak),
            "clipped_share": self._clipped / self._samples if self._samples else 0.0,
            "speech_seconds": self._speech * FRAME_SECONDS,
            "seconds": self._samples / self._rate,
        }


def _dbfs(value: float) -> float:
    return 20 * float(np.log10(value / 32768)) if value > 0 else SILENT_DBFS


class Resampler:
    """One stream from one rate to another, by a polyphase low-pass of windowed sinc shape."""

    def __init__(self, source: int, target: int) -> None:
        common = gcd(source, target)
        self._up, self._down = target // common, source // common
        cutoff = _PASS_BAND * min(1.0, target / source)
        self._half = int(np.ceil(_ZERO_CROSSINGS / cutoff))
        taps = np.arange(1 - self._half, self._half + 1)
        away = taps[None, :] - np.arange(self._up)[:, None] / self._up
        table = cutoff * np.sinc(cutoff * away) * np.clip(np.cos(np.pi * away / (2 * self._half)), 0, None) ** 2
        self._table = (table / table.sum(axis=1, keepdims=True)).astype(np.float32)
        self._kept = np.zeros(self._half - 1, np.float32)
        """What was read and is needed still; its first sample has the number ``_first``."""
        self._first = 1 - self._half
        self._next = 0
        """The number of the next sample to give out."""

    def stream(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        total = 0
        for block in blocks:
            total += len(block)
            yield self._push(block)
        end = -(-total * self._up // self._down)
        tail = self._push(np.zeros(2 * self._half, np.float32), end)
        if len(tail):
            yield tail

    def _push(self, block: Samples, end: int | None = None) -> Samples:
        self._kept = np.concatenate([self._kept, block])
        last = self._first + len(self._kept) - 1 - self._half
        """The last sample that has all its neighbours."""
        stop = (last + 1) * self._up // self._down + 1 if last >= 0 else 0
        numbers = np.arange(self._next, stop if end is None else min(stop, end), dtype=np.int64) * self._down
        centre, phase = numbers // self._up, numbers % self._up
        ready = centre <= last
        centre, phase = centre[ready], phase[ready]
        self._next += len(centre)
        if len(self._kept) < 2 * self._half:
            return np.zeros(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(self._kept, 2 * self._half)
        made = np.einsum("ij,ij->i", windows[centre + 1 - self._half - self._first], self._table[phase])
        drop = self._next * self._down // self._up + 1 - self._half - self._first
        if drop > 0:
            self._kept = self._kept[drop:]
            self._first += drop
        return np.asarray(made, np.float32)
