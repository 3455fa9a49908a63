"""The MFCC that libvosk computes from ``conf/mfcc.conf``, in numpy (agrees with kaldi-native-fbank to 1e-4)."""

import numpy as np

from scripts.speech_model.voices import RATE

BINS, SHIFT, WINDOW = 30, 80, 200
"""8 kHz: 10 ms step, 25 ms window."""
LOW_HZ, HIGH_HZ = 60.0, 3800.0
CONF = f"""--sample-frequency={RATE}
--use-energy=false
--num-mel-bins={BINS}
--num-ceps={BINS}
--low-freq={LOW_HZ:g}
--high-freq={HIGH_HZ:g}
--dither=0
"""
"""Without dither=0 the same sound gives other words each time."""


def _mel(hertz: np.ndarray | float) -> np.ndarray:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def _banks() -> np.ndarray:
    low = _mel(LOW_HZ)
    step = (_mel(HIGH_HZ) - low) / (BINS + 1)
    mel, left = _mel(np.arange(128) * RATE / 256), low + np.arange(BINS)[:, None] * step
    both = np.minimum((mel - left) / step, (left + 2 * step - mel) / step)
    banks: np.ndarray = np.clip(both, 0, None).astype(np.float32)
    return banks


_BANKS = _banks()
_POVEY = ((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))) ** 0.85).astype(np.float32)
_K = np.arange(BINS)
_DCT = np.sqrt(2.0 / BINS) * np.cos(np.pi / BINS * (_K[None, :] + 0.5) * _K[:, None])
_DCT[0] = np.sqrt(1.0 / BINS)
_LIFTER = 1 + 0.5 * 22 * np.sin(np.pi * _K / 22)


def mfcc(pcm: np.ndarray) -> np.ndarray:
    count = 1 + (len(pcm) - WINDOW) // SHIFT
    frames = np.lib.stride_tricks.sliding_window_view(pcm.astype(np.float32), WINDOW)[::SHIFT][:count].copy()
    frames -= frames.mean(1, keepdims=True)
    frames[:, 1:] -= 0.97 * frames[:, :-1].copy()
    frames[:, 0] *= 1 - 0.97
    power = np.abs(np.fft.rfft(frames * _POVEY, 256)) ** 2
    energy = np.log(np.maximum(power[:, :128] @ _BANKS.T, 1.1920929e-07))
    made: np.ndarray = (energy @ _DCT.T * _LIFTER).astype(np.float32)
    return made
