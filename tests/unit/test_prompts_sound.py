"""WAV files in and out, and what is done to the sound between. Files come from sox, as an independent hand."""

import math
import struct
import subprocess
from array import array
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.errors import BadInput
from callcenter.prompts import samples, sound
from callcenter.prompts.sound import Sound


def sox(
    target: Path, *arguments: str, effects: tuple[str, ...] = ("synth", "1", "sine", "440", "gain", "-12")
) -> bytes:
    subprocess.run(["sox", "-D", "-n", *arguments, str(target), *effects], check=True, capture_output=True)
    return target.read_bytes()


def tone(hertz: float, rate: int, seconds: float = 0.5, amplitude: float = 0.5) -> Sound:
    turns = (2 * math.pi * hertz * index / rate for index in range(int(rate * seconds)))
    return Sound(rate, array("d", (amplitude * math.sin(turn) for turn in turns)))


def middle(given: Sound) -> Sound:
    return Sound(given.rate, given.samples[400:-400])


@pytest.mark.parametrize(
    "arguments",
    [
        ("-r", "8000", "-c", "1", "-b", "16"),
        ("-r", "8000", "-c", "1", "-b", "8", "-e", "unsigned-integer"),
        ("-r", "44100", "-c", "2", "-b", "16"),
        ("-r", "44100", "-c", "1", "-b", "24"),
        ("-r", "48000", "-c", "2", "-b", "24"),
        ("-r", "96000", "-c", "1", "-b", "32"),
        ("-r", "48000", "-c", "1", "-b", "32", "-e", "floating-point"),
        ("-r", "22050", "-c", "1", "-b", "16"),
        ("-r", "11025", "-c", "1", "-b", "16"),
    ],
)
def test_every_usual_kind_of_wav_becomes_the_same_tone_at_8_khz(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    read = samples.decode(sox(tmp_path / "tone.wav", *arguments), "tone.wav")
    heard = middle(sound.resampled(read, 8000))
    assert len(heard.samples) == pytest.approx(7200, abs=2)
    assert sound.peak_dbfs(heard) == pytest.approx(-12.0, abs=0.15)
    crossings = sum(1 for one, two in zip(heard.samples, heard.samples[1:], strict=False) if one < 0 <= two)
    assert crossings == pytest.approx(440 * 0.9, abs=1.5)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-r", "8000", "-e", "a-law"), "A-law"),
        (("-r", "8000", "-e", "u-law"), "u-law"),
        (("-r", "8000", "-e", "gsm-full-rate"), "GSM"),
        (("-r", "44100", "-c", "3"), "3 channels"),
        (("-r", "4000"), "4000 samples per second"),
        (("-r", "192000"), "192000 samples per second"),
    ],
)
def test_what_is_no_plain_wav_is_refused_with_what_it_is(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(BadInput, match=rf"^x\.wav .*{told}.*: save it as a WAV file.*\.$"):
        samples.decode(sox(tmp_path / "x.wav", *arguments), "x.wav")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (b"ID3\x04\x00\x00\x00" + bytes(200), "is an MP3 file"),
        (b"\xff\xfb\x90\x64" + bytes(200), "is an MP3 file"),
        (b"\x00\x00\x00\x20ftypM4A " + bytes(200), "is an MP4 file"),
        (b"OggS" + bytes(200), "is an Ogg file"),
        (b"hello", "is some other file"),
        (b"RIFF\x24\x00\x00\x00WAVE", "ends before its sound begins"),
        (b"RIFF\x24\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd", "has a damaged header"),
    ],
)
def test_what_is_no_wav_at_all_is_named(data: bytes, told: str) -> None:
    with pytest.raises(BadInput, match=rf"^x\.wav {told}.*\.$"):
        samples.decode(data, "x.wav")


@pytest.fixture(name="whole")
def whole_file(tmp_path: Path) -> bytes:
    return sox(tmp_path / "whole.wav", "-r", "8000", "-c", "1", "-b", "16")


@pytest.mark.parametrize("length", [20, 43, 44, 1000, 16043])
def test_a_file_that_was_cut_anywhere_is_refused(whole: bytes, length: int) -> None:
    assert len(whole) == 16044
    with pytest.raises(BadInput, match=r"^x\.wav (is cut off|ends before)"):
        samples.decode(whole[:length], "x.wav")


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_file_that_nobody_finished_is_refused(whole: bytes, size: int) -> None:
    with pytest.raises(BadInput, match="was not finished"):
        samples.decode(whole[:40] + struct.pack("<I", size) + whole[44:], "x.wav")


def test_too_long_too_short_silent_and_holding_no_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"lasts 61\.00 s"):
        samples.decode(sox(tmp_path / "long.wav", "-r", "8000", effects=("synth", "61", "sine", "440")), "long.wav")
    with pytest.raises(BadInput, match=r"lasts 0\.01 s"):
        samples.decode(sox(tmp_path / "short.wav", "-r", "8000", effects=("synth", "0.01", "sine", "440")), "short.wav")
    with pytest.raises(BadInput, match="is silent"):
        sound.prepared(samples.decode(samples.encode(tone(440, 8000, amplitude=0.0003)), "x.wav"), "x.wav")
    floats = sox(tmp_path / "float.wav", "-r", "8000", "-e", "floating-point", "-b", "32")
    with pytest.raises(BadInput, match="no sound"):
        samples.decode(floats[:-4] + struct.pack("<f", math.nan), "x.wav")


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200))
def test_random_bytes_behind_a_header_end_in_a_sentence_or_a_sound(rest: bytes) -> None:
    try:
        read = samples.decode(b"RIFF\x00\x00\x00\x00WAVE" + rest, "x.wav")
    except BadInput as error:
        assert str(error).startswith("x.wav ")  # noqa: PT017 - either end is right, nothing else is
    else:
        assert read.samples


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-1, 1), min_size=400, max_size=500))
def test_writing_and_reading_changes_no_sample_by_more_than_half_a_step(values: list[float]) -> None:
    read = samples.decode(samples.encode(Sound(8000, array("d", values))), "x.wav").samples
    assert all(abs(one - two) <= 1.6 / 32768 for one, two in zip(values, read, strict=True))


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
def test_what_telephones_cannot_carry_does_not_fold_back(rate: int) -> None:
    assert sound.peak_dbfs(middle(sound.resampled(tone(4600, rate), 8000))) < -70
    assert sound.peak_dbfs(middle(sound.resampled(tone(3000, rate), 8000))) == pytest.approx(-6.02, abs=0.1)


def test_silence_around_is_cut_and_a_pause_inside_is_kept() -> None:
    quiet = array("d", bytes(8 * 4000))
    speech = tone(300, 8000, 0.3).samples
    cut = sound.trimmed(Sound(8000, quiet + speech + quiet + speech + quiet), "x")
    assert cut.seconds == pytest.approx(0.3 + 0.5 + 0.3 + 2 * sound.EDGE_MS / 1000, abs=0.021)


def test_loud_soft_and_off_centre_recordings_end_at_one_level() -> None:
    for amplitude, offset in ((0.9, 0.0), (0.01, 0.0), (0.2, 0.3)):
        recorded = Sound(8000, array("d", (value + offset for value in tone(300, 8000, 1.0, amplitude).samples)))
        assert sound.speech_dbfs(sound.prepared(recorded, "x")) == pytest.approx(sound.TARGET_DBFS, abs=0.2)


def test_a_lone_peak_costs_level_but_is_never_clipped() -> None:
    samples = tone(300, 8000, 1.0, 0.05).samples
    samples[4000] = 0.99
    level = sound.levelled(Sound(8000, samples))
    assert sound.peak_dbfs(level) == pytest.approx(sound.CEILING_DBFS, abs=0.01)
    assert max(map(abs, level.samples)) < 1.0


def test_a_clipped_recording_is_noticed_and_a_loud_one_is_not_called_clipped() -> None:
    flattened = array("d", (max(-1.0, min(1.0, 3 * value)) for value in tone(300, 8000).samples))
    assert sound.is_clipped(Sound(8000, flattened))
    assert not sound.is_clipped(tone(300, 8000, amplitude=0.99))
