"""What is heard of a running call: words placed in time, judged, bounded, and dropped rather than late."""

from collections.abc import Sequence

import pytest

from callcenter.quality.finding import Finding
from callcenter.speech.audiosocket import BYTES_PER_SECOND
from callcenter.speech.live_engine import Heard
from callcenter.speech.live_hearing import MAX_LAG_SECONDS, MAX_SEGMENTS, Hearing, Line, find_judge
from callcenter.speech.transcript import Speaker, Transcript, Word

SECOND = bytes(BYTES_PER_SECOND)


class Silent:
    """An ear that hears nothing."""

    def feed(self, pcm: bytes) -> Heard:
        return Heard()

    def end(self) -> Heard:
        return Heard()


def line(speaker: Speaker = "seat", offset: float = 0.0) -> Line:
    return Line(speaker, Silent(), offset)


def judge(transcript: Transcript) -> list[Finding]:
    """The phrase "closing" where 再见 is said, "refusal" where the seat says 不行; doubtful if it was heard badly."""
    texts = [(segment.speaker, segment.text) for segment in transcript.segments]
    band = "sure" if all(w.conf > 0.5 for s in transcript.segments for w in s.words) else "doubtful"
    return [
        Finding("closing", "B7", "required", any("再见" in text for _, text in texts), band=band),
        Finding("refusal", "B5", "forbidden", ("seat", "不行") in texts, heard="不行", band=band),
    ]


def found(hearing: Hearing) -> Sequence[str]:
    return [finding.phrase for finding in hearing.judging()() or ()]


def test_times_are_those_of_the_call_not_of_the_recogniser() -> None:
    one = line(offset=0.5)
    one.take(SECOND * 3)
    assert one.missed_seconds == 3.0
    assert one.placed([Word("好", 1.0, 1.2)]) == (Word("好", 4.5, 4.7),)


def test_sound_that_cannot_be_followed_is_dropped_and_counted() -> None:
    one = line()
    assert one.take(SECOND[: int(MAX_LAG_SECONDS * BYTES_PER_SECOND)]) == 0.0
    assert one.take(SECOND[:320]) > MAX_LAG_SECONDS
    assert one.piece() == b""
    one.take(SECOND[:320])
    assert len(one.piece()) == 320
    assert round(one.now, 2) == round(one.missed_seconds + 0.02, 2)


def test_a_forbidden_phrase_is_found_in_a_guess_and_goes_with_it() -> None:
    hearing = Hearing("c", "018", "远信", judge)
    seat = line()
    hearing.lines.append(seat)
    assert hearing.heard(seat, Heard((), ("不行",)))
    assert found(hearing) == ["refusal"]
    assert hearing.heard(seat, Heard((), ("不", "信")))
    assert found(hearing) == []


def test_a_required_phrase_stays_said_once_its_words_are_final() -> None:
    hearing = Hearing("c", "018", "远信", judge)
    seat = line()
    hearing.lines.append(seat)
    hearing.heard(seat, Heard((), ("再见",)))
    assert found(hearing) == ["closing"]
    hearing.heard(seat, Heard((), ("再",)))
    assert found(hearing) == [], "a guess was kept"
    hearing.heard(seat, Heard((Word("再见", 1.0, 1.5),)))
    assert found(hearing) == ["closing"]
    hearing.segments.clear()
    assert found(hearing) == ["closing"]


@pytest.mark.parametrize(
    ("language", "earlier", "announced"),
    [("zh", "嗯我看看", "请您稍等马上为您查询"), ("en", "all right", "one moment please")],
)
def test_an_announcement_counts_before_its_wait_whatever_waits_there_were(
    language: str, earlier: str, announced: str
) -> None:
    """Both were silent for eight seconds and more before it; nobody knows yet whether a wait will follow."""
    hearing = Hearing("c", "018", "远信", find_judge(language))
    seat = line()
    hearing.lines.append(seat)
    hearing.heard(seat, Heard((*words(earlier, 1.0), *words("好", 30.0))))
    assert "wait_announcement" not in found(hearing)
    hearing.heard(seat, Heard(words(announced, 60.0)))
    (told,) = (one for one in hearing.judging()() or () if one.phrase == "wait_announcement")
    assert (told.found, told.band, told.start) == (True, "sure", 60.0)


def words(text: str, start: float) -> tuple[Word, ...]:
    pieces = text.split() if text.isascii() else text
    return tuple(Word(piece, start + 0.3 * n, start + 0.3 * n + 0.3) for n, piece in enumerate(pieces))


def test_both_directions_are_in_order_of_time() -> None:
    hearing = Hearing("c", "", "", None)
    seat, caller = line("seat"), line("caller", offset=1.0)
    hearing.heard(seat, Heard((Word("您好", 2.0, 2.4),)))
    hearing.heard(caller, Heard((Word("喂", 0.2, 0.4),)))
    assert [(s.speaker, s.words[0].start) for s in hearing.transcript().segments] == [
        ("caller", 1.2),
        ("seat", 2.0),
    ]
    assert hearing.judging()() is None, "nothing judges, so nothing was found"


def test_a_call_without_end_does_not_fill_the_memory() -> None:
    hearing = Hearing("c", "", "", None)
    seat = line()
    for second in range(MAX_SEGMENTS + 10):
        hearing.heard(seat, Heard((Word("好", float(second), second + 0.5),)))
    assert len(hearing.segments) == MAX_SEGMENTS
    assert hearing.segments[0].words[0].start == 10.0


def test_the_same_guess_again_is_nothing_new() -> None:
    hearing = Hearing("c", "", "", None)
    seat = line()
    assert hearing.heard(seat, Heard((), ("好",)))
    assert not hearing.heard(seat, Heard((), ("好",)))
