"""Recordings as files: every coding that telephones use, headers nobody finished, and what is no recording at all."""

import math
import os
import struct
import subprocess
import tracemalloc
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from callcenter.errors import BadInput, BrokenWorld
from callcenter.riff import header
from callcenter.speech import sound
from callcenter.speech.wav import open_wav

SOX = (
    "-e signed -b 16",
    "-e signed -b 24",
    "-e signed -b 32",
    "-e unsigned -b 8",
    "-e a-law",
    "-e u-law",
    "-e float -b 32",
)


def sox(target: Path, *how: str, seconds: float = 1.0, hertz: float = 440, rate: int = 8000) -> Path:
    command = ["sox", "-q", "-D", "-r", str(rate), "-n", *how, str(target), "synth", str(seconds), "sine", str(hertz)]
    subprocess.run([*command, "gain", "-6"], check=True, capture_output=True)
    return target


def heard(file: Path, rate: int = 8000) -> np.ndarray:
    with open_wav(file) as wav:
        return np.frombuffer(b"".join(sound.pcm(wav, rate)), "<i2").astype(np.float64)


def tone(samples: np.ndarray, hertz: float, rate: int) -> float:
    """The amplitude of a tone, without the edges."""
    inner = samples[rate // 10 : -rate // 10]
    return float(2 * abs(np.mean(inner * np.exp(-2j * math.pi * hertz / rate * np.arange(len(inner))))))


def wav_file(
    target: Path, samples: Sequence[int], *, size: int | None = None, after: bytes = b"", rate: int = 8000
) -> Path:
    """16-bit mono, with any size in its header."""
    data = array("h", samples).tobytes()
    told = len(data) if size is None else size
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", told
    )
    target.write_bytes(head + data + after)
    return target


@pytest.mark.parametrize("coding", SOX)
@pytest.mark.parametrize("channels", ["1", "2"])
def test_every_coding_gives_the_same_tone(tmp_path: Path, coding: str, channels: str) -> None:
    samples = heard(sox(tmp_path / "a.wav", *coding.split(), "-c", channels))
    assert len(samples) == 8000
    assert tone(samples, 440, 8000) == pytest.approx(16422, rel=0.02)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("target", [8000, 16000])
def test_every_rate_becomes_the_engines(tmp_path: Path, rate: int, target: int) -> None:
    samples = heard(sox(tmp_path / "a.wav", rate=rate, seconds=1.5), target)
    assert abs(len(samples) - 1.5 * target) <= 1
    assert tone(samples, 440, target) == pytest.approx(16422, rel=0.01)


def test_what_the_rate_cannot_hold_is_removed_and_time_is_kept(tmp_path: Path) -> None:
    high = heard(sox(tmp_path / "high.wav", rate=16000, hertz=6000))
    assert np.abs(high[800:-800]).max() < 10
    clicks = [0] * 48000
    clicks[24000] = 30000
    assert abs(int(np.argmax(np.abs(heard(wav_file(tmp_path / "click.wav", clicks, rate=48000))))) - 4000) <= 1


def test_g711_is_decoded_as_sox_does(tmp_path: Path) -> None:
    for name, law in (("al", "a-law"), ("ul", "u-law")):
        (tmp_path / name).write_bytes(bytes(range(256)))
        for kind in ("-e signed -b 16", f"-e {law}"):
            command = f"sox -q -D -t {name} -r 8000 -c 1 {tmp_path / name} {kind} {tmp_path}/{name}-{kind[-2:]}.wav"
            subprocess.run(command.split(), check=True, capture_output=True)
        assert heard(tmp_path / f"{name}-16.wav").tolist() == heard(tmp_path / f"{name}-aw.wav").tolist()


@pytest.mark.parametrize(
    ("size", "after", "frames", "repaired"),
    [
        (None, b"", 1000, ""),
        (None, b"LIST\x04\0\0\0abcd", 1000, ""),
        (0, b"", 1000, "never finished"),
        (0xFFFFFFFF, b"", 1000, "never finished"),
        (9_000, b"", 1000, "2000 of 9000 bytes"),
        (400, b"", 1000, "tells of 400 bytes"),
        (0, b"\1", 1000, "never finished"),
    ],
)
def test_a_header_that_lies(tmp_path: Path, size: int | None, after: bytes, frames: int, repaired: str) -> None:
    """Killed, cut off, stale or odd: the sound that is there is heard, and the file stays as it is."""
    told = list(range(-500, 500))
    file = wav_file(tmp_path / "a.wav", told, size=size, after=after)
    before = file.read_bytes()
    with open_wav(file) as wav:
        assert repaired in wav.repaired
        assert bool(wav.repaired) == bool(repaired)
        assert wav.seconds == frames / 8000
        frames_there = b"".join(wav.blocks())
        whole = header(wav.form, len(frames_there)) + frames_there
    assert heard(file).tolist() == told
    assert file.read_bytes() == before
    (tmp_path / "whole.wav").write_bytes(whole)
    told_by_sox = subprocess.run(["soxi", "-s", tmp_path / "whole.wav"], check=True, capture_output=True).stdout
    assert int(told_by_sox) == frames


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"RIFF", "is some other file"),
        (b"ID3\4" + bytes(100), "is an MP3 file, not a WAV file"),
        (b"\xff\xfb\x90\x00" + bytes(100), "is an MP3 file, not a WAV file"),
        (b"OggS" + bytes(100), "is an Ogg file"),
        (b"\0\0\0\x20ftypM4A " + bytes(100), "is an MP4 file"),
        (b"RIFF\0\0\0\0WAVE", "ends before its sound begins"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0", "has a damaged header"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0" + bytes(100), "does not say how its sound is coded"),
    ],
)
def test_what_is_no_recording_is_refused_in_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(content)
    with pytest.raises(BadInput, match=sentence) as error:
        open_wav(file, "The seat's track")
    assert str(error.value).startswith("The seat's track ")
    assert str(error.value).endswith(".")


def test_a_header_alone_a_folder_and_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no sound"):
        open_wav(wav_file(tmp_path / "a.wav", []))
    with pytest.raises(BadInput, match="cannot be read"):
        open_wav(tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        open_wav(tmp_path / "b.wav")


def test_a_pipe_and_a_device_hold_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "pipe.wav", Path("/dev/zero")):
        with pytest.raises(BadInput, match="it is no file"):
            open_wav(path)


@pytest.mark.parametrize(("tag", "channels", "rate", "bits", "sentence"), [
    (49, 1, 8000, 0, "GSM"), (1, 1, 8000, 12, "12-bit PCM"), (85, 2, 44100, 0, "MP3"), (999, 1, 8000, 16, "unknown"),
    (1, 6, 8000, 16, "6 channels"), (1, 1, 100, 16, "100 samples"),
])  # fmt: skip
def test_a_coding_nobody_hears(tmp_path: Path, tag: int, channels: int, rate: int, bits: int, sentence: str) -> None:
    file = tmp_path / "a.wav"
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, tag, channels, rate, 0, 0, bits, b"data", 9
    )
    file.write_bytes(head + bytes(100))
    with pytest.raises(BadInput, match=sentence):
        open_wav(file)


def test_a_deleted_file_is_read_to_its_end_and_a_cut_one_is_noticed(tmp_path: Path) -> None:
    file = wav_file(tmp_path / "a.wav", [1] * 80_000)
    with open_wav(file) as wav:
        blocks = wav.blocks()
        first = next(blocks)
        file.unlink()
        assert len(first) + sum(len(block) for block in blocks) == 160_000
    file = wav_file(tmp_path / "b.wav", [1] * 800_000)
    with open_wav(file) as wav:
        blocks = wav.blocks()
        next(blocks)
        os.truncate(file, 100_000)
        with pytest.raises(BrokenWorld, match="cut off while it was read"):
            list(blocks)


def test_eight_hours_take_no_memory(tmp_path: Path) -> None:
    """A sparse file: what is read is bounded, whatever the length."""
    file = wav_file(tmp_path / "a.wav", [], size=0)
    os.truncate(file, 44 + 8 * 3600 * 8000 * 2)
    with open_wav(file) as wav:
        assert wav.seconds == 8 * 3600
        tracemalloc.start()
        length = sum(len(block) for block in wav.blocks())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert length == 8 * 3600 * 8000 * 2
    assert peak < 1_000_000
