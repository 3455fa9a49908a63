"""Speech for the tests of hearing: voices and speeds that the tests' model never heard in its training."""

import subprocess
from pathlib import Path

MODEL = Path(__file__).parents[1] / "data" / "model-cmn"
SEAT_VOICE, CALLER_VOICE = "f5", "m5"
WORDS_PER_MINUTE = "162"


def spoken(
    target: Path, text: str, voice: str = SEAT_VOICE, before: float = 0.5, form: str = "-b 16", rate: int = 8000
) -> Path:
    """A recording of one voice, with silence before and after."""
    raw = target.with_suffix(".raw.wav")
    command = ["espeak-ng", "-v", f"cmn-latn-pinyin+{voice}", "-s", WORDS_PER_MINUTE, "-w", str(raw), text]
    subprocess.run(command, check=True, capture_output=True)
    convert = ["sox", "-q", "-D", str(raw), "-r", str(rate), *form.split(), str(target), "pad", str(before), "0.8"]
    subprocess.run(convert, check=True, capture_output=True)
    raw.unlink()
    return target
