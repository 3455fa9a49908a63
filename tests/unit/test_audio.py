"""What the sound tells beside its words: made sound and made words of known measures (B2, B8, B9)."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from callcenter.calls.model import Hold, Pause
from callcenter.errors import BadInput
from callcenter.quality.audio import hints, measures, overlaps, speaking_rate, unexplained_waits
from callcenter.quality.heard import Wait
from callcenter.settings import Queue, Settings
from callcenter.speech.judging import judged
from callcenter.speech.sound import Meter
from callcenter.speech.transcript import Segment, Speaker, Transcript, Turn, Word
from tests.store.build import NOW, call

RATE = 8000


def tone(seconds: float, dbfs: float) -> bytes:
    """A sine whose RMS has this level."""
    at = np.arange(round(seconds * RATE)) / RATE
    samples = 32768 * np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(2 * np.pi * 400 * at)
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def told(sound: bytes, piece: int = 4096) -> dict[str, float]:
    meter = Meter(RATE)
    blocks = [sound[n : n + piece] for n in range(0, len(sound), piece)]
    assert list(meter.through(blocks)) == blocks
    return meter.told()


@pytest.mark.parametrize("piece", [2, 320, 322, 100_000])
def test_loudness_is_that_of_the_speech_and_pauses_do_not_count(piece: int) -> None:
    sound = tone(1.0, -20) + bytes(2 * RATE * 3) + tone(1.0, -20)
    found = told(sound if piece > 2 else sound[:40_000], piece)
    assert found["loudness"] == pytest.approx(-20, abs=0.1)
    assert found["peak"] == pytest.approx(-17, abs=0.1)
    assert found["clipped_share"] == 0
    if piece > 2:
        assert (found["speech_seconds"], found["seconds"]) == (pytest.approx(2.0, abs=0.05), pytest.approx(5.0))


def test_clipping_is_counted_also_at_the_end_of_u_law() -> None:
    assert told(tone(1.0, 2))["clipped_share"] > 0.3
    assert told(np.full(100, 32_124, "<i2").tobytes() + bytes(1800))["clipped_share"] == pytest.approx(0.1)


@pytest.mark.parametrize("piece", [320, 322, 100_000])
def test_what_is_played_while_nobody_is_there_is_not_the_seats_loudness(piece: int) -> None:
    """An announcement, louder than the seat, before the seat; ringback between two stays; a survey behind."""
    sound = tone(3.0, -10) + tone(2.0, -30) + tone(1.0, -10) + tone(2.0, -30) + tone(1.0, 2)
    blocks = [sound[n : n + piece] for n in range(0, len(sound), piece)]
    meter = Meter(RATE, [(3.0, 5.0), (6.0, 8.0)])
    assert list(meter.through(blocks)) == blocks, "all of it is heard"
    found = meter.told()
    assert found["loudness"] == pytest.approx(-30, abs=0.1)
    assert found["peak"] == pytest.approx(-27, abs=0.1)
    assert found["clipped_share"] == 0
    assert found["speech_seconds"] == pytest.approx(4.0, abs=0.05)


def test_silence_and_nothing_have_no_loudness() -> None:
    for sound in (b"", bytes(16_000)):
        assert told(sound)["loudness"] == -120.0


def said(*turns: tuple[Speaker, float, float, str]) -> Transcript:
    """Turns from one second to another, their characters spread evenly."""
    segments = []
    for speaker, start, end, text in turns:
        step = (end - start) / len(text)
        words = tuple(Word(c, start + n * step, start + (n + 1) * step) for n, c in enumerate(text))
        segments.append(Segment(speaker, words))
    return Transcript("x", "018", "", tuple(segments))


def test_who_cuts_the_other_off_interrupts_and_a_yes_in_between_does_not() -> None:
    cut = overlaps(said(("caller", 0, 5, "我的打印机坏了昨天开始"), ("seat", 4, 8, "您先听我说一下好吗")))
    assert [(one.start, one.end, one.by, one.interruption) for one in cut] == [(4.0, 5.0, "seat", True)]
    assert overlaps(said(("caller", 0, 5, "我的打印机坏了昨天开始"), ("seat", 2, 2.3, "嗯"))) == []
    both = overlaps(said(("caller", 0, 5, "我的打印机坏了昨天开始"), ("seat", 2, 3, "对对对对对")))
    assert [(one.by, one.interruption) for one in both] == [("seat", False)]


def test_the_rate_is_of_the_time_in_which_somebody_spoke() -> None:
    talk = said(("seat", 0, 6, "好" * 24), ("seat", 60, 66, "好" * 24))
    assert speaking_rate(talk, "seat", "zh") == pytest.approx(240)
    assert speaking_rate(said(("seat", 0, 2, "好的")), "seat", "zh") is None


def test_an_announcement_is_nobodys_speech() -> None:
    """It is on the seat's track before a seat has taken the call: neither fast talk nor an interruption of the seat."""
    spoken = said(
        ("seat", 0, 6, "好" * 60),
        ("caller", 3, 4.5, "喂你好喂你好"),
        ("seat", 12, 18, "好" * 24),
        ("caller", 20, 22, "好的好的"),
    )
    taken = replace(spoken, seats=(Turn("018", 11.5, 30.0, "1001"),))
    assert speaking_rate(taken, "seat", "zh") == pytest.approx(240)
    assert speaking_rate(spoken, "seat", "zh") == pytest.approx(420), "without knowing, all of the track is the seat's"
    assert overlaps(taken) == []
    assert len(overlaps(spoken)) == 1
    assert measures(taken, {}, [], "zh")["hints"] == []
    assert measures(spoken, {}, [], "zh")["hints"] == ["fast"]


def test_a_silence_beyond_a_minute_that_no_hold_explains_is_told() -> None:
    talk = said(("seat", 0, 2, "请您稍等"), ("seat", 75, 78, "好了"))
    assert [(wait.start, wait.end) for wait in unexplained_waits(talk, [])] == [(2.0, 75.0)]
    assert unexplained_waits(talk, [Wait(3.0, 74.0)]) == []


@pytest.mark.parametrize(
    ("holds", "told"),
    [
        ([Wait(10.0, 110.0)], [Wait(110.0, 200.0)]),
        ([Wait(50.0, 150.0)], [Wait(10.0, 50.0), Wait(150.0, 200.0)]),
        ([Wait(100.0, 200.0)], [Wait(10.0, 100.0)]),
        ([Wait(150.0, 300.0), Wait(0.0, 60.0), Wait(20.0, 50.0)], [Wait(60.0, 150.0)]),
        ([Wait(12.0, 90.0), Wait(95.0, 150.0)], []),
        ([Wait(10.0, 80.0), Wait(110.0, 171.0)], []),
        ([Wait(0.0, 5.0), Wait(300.0, 400.0)], [Wait(10.0, 200.0)]),
    ],
)
def test_what_a_hold_leaves_of_a_silence_is_told_if_it_is_beyond_the_limit_itself(
    holds: list[Wait], told: list[Wait]
) -> None:
    talk = said(("seat", 0, 10, "请您稍等"), ("seat", 200, 204, "好了"))
    assert unexplained_waits(talk, holds) == told


def test_measures_are_plain_data_with_hints_for_a_coach() -> None:
    talk = said(("seat", 0, 5, "好" * 30), ("caller", 20, 22, "谢谢"))
    level = {"loudness": -10.0, "peak": -1.0, "clipped_share": 0.01, "speech_seconds": 5.0, "seconds": 22.0}
    found = measures(talk, {"seat": level}, [], "zh")
    assert found["hints"] == ["clipped", "loud", "fast"]
    assert found["rates"] == {"seat": 360}
    assert found["silences"] == [{"start": 5.0, "end": 20.0}]
    assert hints({}, None, "zh") == []


def test_what_was_not_due_is_no_finding_and_a_hold_makes_it_due() -> None:
    """Of a call without a wait nothing is stored of B1; a hold that the call knows is a wait."""
    talk = said(
        ("seat", 0, 4, "您好示例服务我是零一八号值班员"), ("caller", 5, 40, "好" * 100), ("seat", 41, 43, "再见")
    )
    judge = judged(Settings())
    waits = ("wait_announcement", "wait_thanks")
    findings, _ = judge(talk, None, {}, 43.0)
    assert not [one for one in findings if one["phrase"] in waits]
    held = call("1", ended_at=NOW + 43, holds=(Hold("1001", NOW + 10, NOW + 30),))
    findings, _ = judge(talk, held, {}, 43.0)
    assert {one["phrase"]: one["found"] for one in findings if one["phrase"] in waits} == dict.fromkeys(waits, False)


def test_a_pause_of_the_recording_is_counted_from_its_beginning_and_explains_its_silence() -> None:
    talk = said(
        ("seat", 0, 2, "您好示例服务"), ("caller", 75, 80, "我的打印机坏了"), ("seat", 81, 85, "感谢您的来电再见")
    )
    judge = judged(Settings())
    paused = call("1", ended_at=NOW + 85, pauses=(Pause(NOW + 2, NOW + 74, "1001"),))
    for one, band, silences in ((paused, "doubtful", 0), (call("1", ended_at=NOW + 85), "sure", 1)):
        findings, found = judge(talk, one, {}, 85.0)
        assert next(each["band"] for each in findings if each["phrase"] == "greeting") == band
        assert len(found["unexplained_waits"]) == silences


def test_a_queue_is_judged_by_its_own_script_and_its_mistakes_are_told_at_once(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'language = "zh"\n[phrases.slogan]\nrule = "A2"\nkind = "required"\nvariants = ["为您服务是我的荣幸"]\n'
    )
    talk = said(("seat", 0, 4, "为您服务是我的荣幸"))
    judge = judged(Settings(queues={"vip": Queue(script=own)}))
    findings, _ = judge(talk, call("1", queue="vip"), {}, 5.0)
    assert [(one["phrase"], one["found"]) for one in findings] == [("slogan", True)]
    others, _ = judge(talk, call("2", queue="support"), {}, 5.0)
    assert "slogan" not in {one["phrase"] for one in others}
    own.write_text("language = 7\n[phrases.x]\n")
    with pytest.raises(BadInput, match=r"own\.toml"):
        judged(Settings(queues={"vip": Queue(script=own)}))
