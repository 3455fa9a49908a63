"""How far ``callcenter transcribe --since`` says that it is. What it hears: ``tests/faults/test_speech_workers``."""

import sys

import pytest

from callcenter.clock import ManualClock
from callcenter.speech.backfill import Progress
from callcenter.speech.workers import Heard


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(0.0)


@pytest.fixture
def progress(clock: ManualClock) -> Progress:
    """Two calls of an hour each."""
    one = Progress(clock.monotonic)
    one.total, one.recordings = 7_200.0, 2
    return one


def test_a_line_a_minute_is_written_where_there_is_no_terminal(
    progress: Progress, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    for second in range(1, 121):
        clock.advance(1.0)
        progress.at("w", 20.0 * second)  # of both tracks
    assert capsys.readouterr().err.splitlines() == [
        "0 of 2 recordings, 0.2 of 2.0 h of sound, 0 failed, 10.0 times as fast as talked, 11 min left",
        "0 of 2 recordings, 0.3 of 2.0 h of sound, 0 failed, 10.0 times as fast as talked, 10 min left",
    ]


def test_what_is_heard_counts_once_whoever_is_in_the_middle_of_it(
    progress: Progress, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.at("a", 7_000.0)
    progress.at("b", 1_440.0)
    progress.transcribed(None, Heard(seconds=7_200.0), ())
    clock.advance(432.0)
    progress.ended("a")
    assert capsys.readouterr().err.splitlines() == [
        "1 of 2 recordings, 1.2 of 2.0 h of sound, 0 failed, 10.0 times as fast as talked, 5 min left",
    ]


def test_a_terminal_shows_one_line_that_changes_within_a_long_recording(
    progress: Progress, clock: ManualClock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for second in (1, 2):
        clock.advance(1.0)
        progress.at("w", 720.0 * second)
    first, second_line = capsys.readouterr().err.rstrip("\r").split("\r")
    assert first.startswith("0 of 2 recordings, 0.1 of 2.0 h of sound, 0 failed, 360.0 times as fast as talked, 0 min")
    assert second_line.startswith("0 of 2 recordings, 0.2 of 2.0 h")
