"""WAV files as sound: reading what a site recorded, writing what Asterisk plays.

Place on the path of a call: when prompts are built. ``riff`` reads the header.
Promises: a file that is not a whole, plain WAV of speech length is refused with one sentence: what it is, what to do.
Never: opens a file; ``name`` is only for the sentences.
"""

import sys
from array import array
from dataclasses import replace
from io import BytesIO

from callcenter import riff
from callcenter.errors import BadInput
from callcenter.prompts.sound import Sound
from callcenter.riff import Format, Head

MIN_SECONDS = 0.05
MAX_SECONDS = 60.0
MIN_RATE_HZ = 8000
MAX_RATE_HZ = 96000

_COMPANDED = {"alaw": "A-law", "ulaw": "u-law"}
_REMEDY = "save it as a WAV file, 16-bit PCM, mono, 8000 Hz or more"


def decode(data: bytes, name: str) -> Sound:
    """The sound of a WAV file, stereo mixed to one channel. Raises ``BadInput``, whose text begins with ``name``."""
    head = riff.read_head(BytesIO(data), name, _REMEDY)
    if head.flaw == "understated":  # what stands behind the sound, such as an editor's tag
        head = replace(head, length=head.told - head.told % head.form.frame_bytes)
    _check(head, name)
    samples = _samples(data[head.offset : head.offset + head.length], head.form)
    if head.form.channels == 2:
        samples = array("d", ((left + right) / 2 for left, right in zip(samples[::2], samples[1::2], strict=True)))
    if not all(-8.0 < sample < 8.0 for sample in samples):  # also False for NaN
        raise BadInput(f"{name} holds values that are no sound: {_REMEDY}.")
    return Sound(head.form.rate, samples)


def encode(sound: Sound) -> bytes:
    """A WAV file, 16-bit PCM, mono, with the plainest header there is. ``OverflowError`` for a sample beyond 1.0."""
    samples = array("h", (round(sample * 32767) for sample in sound.samples))
    if sys.byteorder == "big":
        samples.byteswap()
    body = samples.tobytes()
    return riff.header(Format("pcm16", 1, sound.rate, 16), len(body)) + body


def _check(head: Head, name: str) -> None:
    """Nothing is repaired here: who records a prompt can do it again."""
    form = head.form
    if form.coding in _COMPANDED:
        raise BadInput(f"{name} is coded as {_COMPANDED[form.coding]}: {_REMEDY}.")
    if not MIN_RATE_HZ <= form.rate <= MAX_RATE_HZ:
        raise BadInput(f"{name} has {form.rate} samples per second, not {MIN_RATE_HZ} to {MAX_RATE_HZ}: {_REMEDY}.")
    if not head.told and not head.rest:
        raise BadInput(f"{name} holds no sound: record it again.")
    if head.flaw == "unfinished":
        raise BadInput(f"{name} was not finished, its header gives no length: open it in an editor and save it again.")
    if head.flaw == "cut_off":
        told = f"{head.rest} of {head.told} bytes of sound are there"
        raise BadInput(f"{name} is cut off, {told}: copy or record it again.")
    if not MIN_SECONDS <= head.seconds <= MAX_SECONDS:
        raise BadInput(
            f"{name} lasts {head.seconds:.2f} s: record it again, {MIN_SECONDS} to {MAX_SECONDS:.0f} s long."
        )


def _samples(body: bytes, form: Format) -> "array[float]":
    if form.bits == 8:
        return array("d", ((value - 128) / 128 for value in body))
    if form.bits == 24:
        wide = bytearray(len(body) // 3 * 4)
        for byte in range(3):
            wide[byte + 1 :: 4] = body[byte::3]
        body = bytes(wide)
    floats = form.coding == "float32"
    values: array[float] = array("f") if floats else array("h" if form.bits == 16 else "i")  # type: ignore[assignment]
    values.frombytes(body)
    if sys.byteorder == "big":
        values.byteswap()
    scale = 1.0 if floats else 2.0**15 if form.bits == 16 else 2.0**31
    return array("d", (value / scale for value in values))
