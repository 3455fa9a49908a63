"""Waveforms: every kind of PCM, headers that were never finished, and any bytes at all."""

import asyncio
import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.web.peaks import MAX_KEPT, PeakShelf, peaks

LOUD = {
    (1, 8): lambda loud: bytes([255 if loud else 128]),
    (1, 16): lambda loud: struct.pack("<h", -32768 if loud else 0),
    (1, 24): lambda loud: b"\0\0\x80" if loud else b"\0\0\0",
    (1, 32): lambda loud: struct.pack("<i", -(1 << 31) if loud else 0),
    (6, 8): lambda loud: bytes([0x2A if loud else 0xD5]),
    (7, 8): lambda loud: bytes([0x00 if loud else 0xFF]),
}


def wav(
    kind: int, bits: int, samples: list[bool], channels: int = 1, said: int | None = None, extra: bytes = b""
) -> bytes:
    """Samples are loud or silent; ``said``: the length that the header claims."""
    data = b"".join(LOUD[kind, bits](loud) * channels for loud in samples)
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, 8000, 8000 * frame, frame, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + form + extra
    chunks += b"data" + struct.pack("<I", len(data) if said is None else said) + data
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


@pytest.mark.parametrize(("kind", "bits"), LOUD)
@pytest.mark.parametrize("channels", [1, 2])
def test_the_loud_half_is_drawn_in_every_kind_of_sound(tmp_path: Path, kind: int, bits: int, channels: int) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(wav(kind, bits, [False] * 4000 + [True] * 4000, channels))
    found = peaks(file, 10)
    assert found is not None
    assert found.seconds == 1.0
    assert max(found.bars[:5]) <= 1
    assert min(found.bars[5:]) >= 90


@pytest.mark.parametrize("said", [0, 0xFFFFFFFF, 10**8])
def test_a_header_that_was_never_finished_reaches_to_the_end(tmp_path: Path, said: int) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(wav(1, 16, [True] * 8000, said=said, extra=b"LIST\x03\0\0\0abc\0"))
    found = peaks(file, 4)
    assert found is not None
    assert (found.seconds, found.bars) == (1.0, (100, 100, 100, 100))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"ID3\x03" + b"\0" * 400,
        wav(1, 16, []),
        wav(1, 16, [True] * 9)[:30],
        wav(1, 16, [True] * 9).replace(b"fmt ", b"fmx "),
        wav(1, 16, [True] * 9, channels=9),
    ],
)
def test_what_is_no_sound_has_no_waveform(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(content)
    assert peaks(file) is None
    assert peaks(tmp_path / "missing.wav") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(st.binary(max_size=80), st.integers(0, 60))
def test_no_bytes_break_it(tmp_path: Path, junk: bytes, at: int) -> None:
    whole = wav(1, 16, [True] * 20)
    file = tmp_path / "a.wav"
    file.write_bytes(whole[:at] + junk + whole[at + len(junk) :])
    found = peaks(file)
    assert found is None or all(0 <= bar <= 100 for bar in found.bars)


async def test_a_waveform_is_kept_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, shelf, read = tmp_path / "a.wav", PeakShelf(), []
    monkeypatch.setattr("callcenter.web.peaks.peaks", lambda path: read.append(path) or peaks(path))
    file.write_bytes(wav(1, 16, [True] * 100))
    first = await asyncio.gather(*(shelf.of(file) for _ in range(5)))
    assert len(set(first)) == 1
    assert len(read) == 1
    file.write_bytes(wav(1, 16, [False] * 100))
    os.utime(file, (1, 1))
    changed = await shelf.of(file)
    assert changed is not None
    assert max(changed.bars) == 0
    assert len(read) == 2


async def test_the_shelf_is_bounded(tmp_path: Path) -> None:
    shelf = PeakShelf()
    for n in range(MAX_KEPT + 5):
        file = tmp_path / f"{n}.wav"
        file.write_bytes(wav(1, 16, [True] * 3))
        await shelf.of(file)
    assert len(shelf._kept) == MAX_KEPT
