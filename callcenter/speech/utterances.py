"""A recording in utterances: stretches with sound in them, cut at pauses, for engines that want whole sentences.

Place on the path of a call: in a worker, between ``sound`` and an engine that finds no ends itself
(``engine.Sherpa``).
Promises: bounded memory; no sample is in two utterances; nobody who talks without a pause makes one longer than
``LONGEST_SECONDS``. Never: reads a file, or knows a word.

How: frames of 20 ms are sound where their level is 10 dB over the quietest of the last seconds and over -50 dBFS, and
always over -30 dBFS, which nobody's noise is. A pause of ``PAUSE_SECONDS`` ends an utterance; a long one is cut at its
quietest frame.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np

FRAME_SECONDS = 0.02
PAUSE_SECONDS = 0.6
MARGIN_SECONDS = 0.3
"""Kept before the first and after the last sound: soft consonants are below the level."""
LONGEST_SECONDS = 20.0
LOWEST_LEVEL = 32768 * 10 ** (-50 / 20)
OVER_NOISE = 10 ** (10 / 20)
HIGHEST_NOISE = 32768 * 10 ** (-40 / 20)
NOISE_FRAMES = 250
"""Five seconds, in which somebody takes breath once."""

Samples: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"


class Splitter:
    """Push blocks of 16-bit little-endian samples at ``rate``; utterances come out as (start in seconds, samples)."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._size = round(rate * FRAME_SECONDS)
        self._rest = np.zeros(0, np.float32)
        self._frames: list[Samples] = []
        """Of the utterance that is open; without one, the margin before it."""
        self._levels: list[float] = []
        self._first = 0
        """The number of the first of them."""
        self._sounds = 0
        """Frames of them up to the last with sound; 0: none is open."""
        self._noise: deque[float] = deque(maxlen=NOISE_FRAMES)

    def push(self, block: bytes) -> Iterator[tuple[float, Samples]]:
        whole = np.concatenate([self._rest, np.frombuffer(block, "<i2").astype(np.float32)])
        count = len(whole) // self._size
        self._rest = whole[count * self._size :]
        frames = whole[: count * self._size].reshape(count, self._size)
        for frame, level in zip(frames, np.sqrt(np.mean(frames**2, axis=1)) if count else (), strict=True):
            yield from self._frame(frame, float(level))

    def end(self) -> Iterator[tuple[float, Samples]]:
        """What is left when no more sound comes."""
        if len(self._rest):
            self._frames.append(self._rest)
            self._levels.append(0.0)
        if self._sounds:
            yield self._cut(len(self._frames))

    def _frame(self, frame: Samples, level: float) -> Iterator[tuple[float, Samples]]:
        self._noise.append(level)
        loud = level > max(LOWEST_LEVEL, OVER_NOISE * min(HIGHEST_NOISE, *self._noise))
        self._frames.append(frame)
        self._levels.append(level)
        if loud:
            self._sounds = len(self._frames)
        elif self._sounds and len(self._frames) - self._sounds >= PAUSE_SECONDS / FRAME_SECONDS:
            yield self._cut(self._sounds + round(MARGIN_SECONDS / FRAME_SECONDS))
        if not self._sounds:
            self._drop(len(self._frames) - round(MARGIN_SECONDS / FRAME_SECONDS))
        elif len(self._frames) >= LONGEST_SECONDS / FRAME_SECONDS:
            half = len(self._frames) // 2
            yield self._cut(half + 1 + int(np.argmin(self._levels[half:])))

    def _cut(self, count: int) -> tuple[float, Samples]:
        start = self._first * self._size / self._rate
        samples = np.concatenate(self._frames[:count])
        self._drop(count)
        return start, samples

    def _drop(self, count: int) -> None:
        if count > 0:
            del self._frames[:count], self._levels[:count]
            self._first += count
            self._sounds = max(0, self._sounds - count)


def utterances(blocks: Iterable[bytes], rate: int) -> Iterator[tuple[float, Samples] | None]:
    """All of a recording; ``None`` after each block, so that the caller sees time go on."""
    splitter = Splitter(rate)
    for block in blocks:
        yield from splitter.push(block)
        yield None
    yield from splitter.end()
