"""Speech as samples: another rate, no silence around it, one level, pieces joined.

Place on the path of a call: when prompts are built. Level: the mean power of the frames in which somebody speaks, after
the idea of ITU-T P.56, since a plain RMS makes a prompt with pauses louder than one without.
Promises: the same samples for the same input, on any machine with IEEE floats; no sample beyond full scale after
``levelled``. Resampling is done here rather than by sox: prompts can then be built where there is no sox, and sox adds
random dither unless told not to.
Never: reads or writes a file.
"""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from operator import mul

from callcenter.errors import BadInput

RATE_HZ = 8000
"""What Asterisk plays without conversion on G.711 lines."""
TARGET_DBFS = -20.0
"""Level of the speech, full scale sine = -3 dBFS; the peak stays below ``CEILING_DBFS`` even if that costs level."""
CEILING_DBFS = -1.0
EDGE_MS = 40
"""What is kept before and after the speech, lest a soft consonant be cut."""
SILENT_DBFS = -60.0

_FRAME_MS = 10
_SPEECH_BELOW_LOUDEST_DB = 25.0
_SOUND_BELOW_LOUDEST_DB = 35.0
_ZERO_CROSSINGS = 16
_PASS_BAND = 0.92
_FADE_MS = 5


@dataclass(frozen=True, slots=True)
class Sound:
    """One channel; ``rate`` in samples per second; full scale is 1.0."""

    rate: int
    samples: "array[float]"

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def prepared(sound: Sound, name: str) -> Sound:
    """``sound`` without hum at 0 Hz, cut to the speech, at 8 kHz and levelled. Raises ``BadInput`` if it is silent."""
    mean = math.fsum(sound.samples) / len(sound.samples)
    centred = Sound(sound.rate, array("d", (sample - mean for sample in sound.samples)))
    # First to have less to resample; then again, since a hiss above 4 kHz was sound and is silence now.
    narrow = resampled(trimmed(centred, name), RATE_HZ)
    return levelled(faded(trimmed(narrow, name)))


def resampled(sound: Sound, rate: int) -> Sound:
    """``sound`` at ``rate``, by a polyphase low-pass of windowed sinc shape (about 70 dB, 16 zero crossings a side)."""
    if sound.rate == rate:
        return sound
    divisor = math.gcd(sound.rate, rate)
    up, down = rate // divisor, sound.rate // divisor
    cutoff = min(1.0, rate / sound.rate) * _PASS_BAND
    reach = math.ceil(_ZERO_CROSSINGS / cutoff)
    padded = array("d", bytes(8 * reach)) + sound.samples + array("d", bytes(8 * (reach + 1)))
    kernels: dict[int, list[float]] = {}
    out = array("d")
    for index in range(len(sound.samples) * up // down):
        whole, phase = divmod(index * down, up)
        kernel = kernels.get(phase) or kernels.setdefault(phase, _kernel(phase / up, cutoff, reach))
        out.append(sum(map(mul, kernel, padded[whole : whole + len(kernel)])))
    return Sound(rate, out)


def _kernel(offset: float, cutoff: float, reach: int) -> list[float]:
    """Weights of the samples around a point that lies ``offset`` of a sample after one of them; their sum is 1."""
    weights = []
    for tap in range(-reach, reach + 2):
        distance = (tap - offset) * cutoff
        inside = abs(tap - offset) <= reach
        turn = math.pi * (tap - offset) / reach
        window = 0.42 + 0.5 * math.cos(turn) + 0.08 * math.cos(2 * turn) if inside else 0.0
        weights.append(window * (math.sin(math.pi * distance) / (math.pi * distance) if distance else 1.0))
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def trimmed(sound: Sound, name: str) -> Sound:
    """``sound`` without what is much softer than its loudest frame at both ends, but for ``EDGE_MS``."""
    frame = sound.rate * _FRAME_MS // 1000
    levels = _frame_levels(sound)
    loudest = max(levels, default=-math.inf)
    if loudest < SILENT_DBFS:
        raise BadInput(f"{name} is silent: record it again, and look at the microphone's level.")
    heard = [index for index, level in enumerate(levels) if level >= loudest - _SOUND_BELOW_LOUDEST_DB]
    edge = sound.rate * EDGE_MS // 1000
    first, last = max(0, heard[0] * frame - edge), (heard[-1] + 1) * frame + edge
    return Sound(sound.rate, sound.samples[first:last])


def faded(sound: Sound) -> Sound:
    """``sound`` with its first and last milliseconds let in and out, so that a joint does not click."""
    samples = sound.samples[:]
    length = min(sound.rate * _FADE_MS // 1000, len(samples) // 2)
    for index in range(length):
        samples[index] *= index / length
        samples[-1 - index] *= index / length
    return Sound(sound.rate, samples)


def levelled(sound: Sound) -> Sound:
    """``sound`` with its speech at ``TARGET_DBFS``, or softer where a peak would go beyond ``CEILING_DBFS``."""
    gain = min(TARGET_DBFS - speech_dbfs(sound), CEILING_DBFS - peak_dbfs(sound))
    factor = 10 ** (gain / 20)
    return Sound(sound.rate, array("d", (sample * factor for sample in sound.samples)))


def joined(parts: Iterable[tuple[Sound, int]], lead_ms: int) -> Sound:
    """The parts, each followed by its milliseconds of silence, with ``lead_ms`` before and after; all at 8 kHz."""
    out = _silence(lead_ms)
    for sound, pause_ms in parts:
        out += sound.samples + _silence(pause_ms)
    return Sound(RATE_HZ, out + _silence(lead_ms))


def _silence(milliseconds: int) -> "array[float]":
    return array("d", bytes(8 * (RATE_HZ * milliseconds // 1000)))


def speech_dbfs(sound: Sound) -> float:
    """Mean power of the frames with speech in them, in dB of full scale."""
    levels = _frame_levels(sound)
    loudest = max(levels, default=-math.inf)
    powers = [10 ** (level / 10) for level in levels if level >= loudest - _SPEECH_BELOW_LOUDEST_DB]
    return _decibels(math.fsum(powers) / len(powers)) if powers else -math.inf


def peak_dbfs(sound: Sound) -> float:
    """The largest sample, in dB of full scale."""
    return _decibels(max((sample * sample for sample in sound.samples), default=0.0))


def is_clipped(sound: Sound) -> bool:
    """Whether it was recorded too loud: three samples in a row at full scale, anywhere."""
    run = 0
    for sample in sound.samples:
        run = run + 1 if abs(sample) >= 0.999 else 0
        if run == 3:
            return True
    return False


def _frame_levels(sound: Sound) -> list[float]:
    frame = sound.rate * _FRAME_MS // 1000
    starts = range(0, max(1, len(sound.samples) - frame + 1), frame)
    frames = (sound.samples[start : start + frame] for start in starts)
    return [_decibels(math.fsum(map(mul, each, each)) / len(each)) for each in frames if each]


def _decibels(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
