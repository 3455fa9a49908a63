"""Speech for the phones of the demonstration and the tests: espeak-ng, as raw A-law for SIPp.

Place on the path of a call: what the two people say. It promises the same bytes for the same words and voice.
It never speaks on the real site's lines; prompts.py does that.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

CUSTOMER = "你好，我的打印机坏了，今天上午开始卡纸，请帮我看一下。"
SEAT = "好的，请您稍等，马上为您查询。"


def speak(
    words: str, target: Path, pitch: int = 50, words_per_minute: int = 150, voice: str = "cmn-latn-pinyin"
) -> Path:
    """Write *words* as A-law, 8 kHz, one channel, without a header; half a second of silence before, one after."""
    wave = target.with_suffix(".wav")
    subprocess.run(
        ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "-p", str(pitch), "-w", wave, words],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        ["sox", "-q", wave, "-t", "raw", "-e", "a-law", "-b", "8", "-r", "8000", "-c", "1", target, "pad", "0.5", "1"],
        check=True,
        capture_output=True,
    )
    wave.unlink()
    return target
