"""Digits as digits, and personal numbers out of sight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import BadInput
from callcenter.speech.digits import digits_of, masked, normalised
from callcenter.speech.transcript import Segment, Speaker, Transcript, Word, as_heard, from_dict, to_dict


def said(*segments: tuple[Speaker, str]) -> Transcript:
    """Words by spaces, half a second each; a "|" is a pause of two seconds, "||" of four and a half."""
    made, now = [], 0.0
    for speaker, text in segments:
        words = []
        for word in text.split():
            if set(word) == {"|"}:
                now += 2.0 if word == "|" else 4.5
            else:
                words.append(Word(word, now, now + 0.4, 0.9))
                now += 0.5
        made.append(Segment(speaker, tuple(words)))
    return Transcript("1", segments=tuple(made))


def words(transcript: Transcript) -> list[str]:
    return [word.word for segment in transcript.segments for word in segment.words]


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("工号 零 一 八 为 您", ["工号", "018", "为", "您"]),
        ("看 一 下", ["看", "一", "下"]),
        ("两 个", ["两", "个"]),
        ("幺 三 八 | 零 零 一 三", ["1380013"]),
        ("一三八 0013", ["1380013"]),
        ("agent one two three speaking", ["agent", "123", "speaking"]),
        ("十 五 分钟", ["十", "五", "分钟"]),
        ("oh one two speaking", ["012", "speaking"]),
        ("oh one moment", ["oh", "one", "moment"]),
        ("one oh | oh i see", ["one", "oh", "oh", "i", "see"]),
        ("", []),
    ],
)
def test_runs_of_digits_are_numbers(spoken: str, written: list[str]) -> None:
    assert words(normalised(said(("seat", spoken)))) == written


def test_a_number_keeps_the_times_of_its_digits() -> None:
    (word,) = normalised(said(("seat", "零 一 八"))).segments[0].words
    assert (word.start, word.end, word.conf) == (0.0, 1.4, 0.9)


@pytest.mark.parametrize(
    ("segments", "left"),
    [
        ([("caller", "13800138000")], ["*********00"]),
        ([("seat", "工号 0182 分机 8001")], ["工号", "0182", "分机", "8001"]),
        ([("caller", "138 | 0013"), ("seat", "好 的"), ("caller", "8000")], ["***", "****", "好", "的", "**00"]),
        ([("caller", "138"), ("caller", "|| 0013")], ["138", "0013"]),
        ([("caller", "幺"), ("caller", "38001380")], ["*", "******80"]),
    ],
)
def test_personal_numbers_are_masked_also_across_pauses(segments: list[tuple[Speaker, str]], left: list[str]) -> None:
    assert words(masked(said(*segments), 7)) == left


def test_an_english_nought_is_masked_with_its_number() -> None:
    told = said(("caller", "one three oh two"), ("caller", "oh"), ("caller", "five oh nine oh well"))
    assert words(masked(normalised(told), 7)) == ["****", "*", "**90", "well"]


@pytest.mark.parametrize(
    ("spoken", "left"),
    [
        ("一三八 嗯 零零一三 啊 八零零零", ["***", "嗯", "****", "啊", "**00"]),
        ("138 那 个 然后 0013 就是 8000 好", ["***", "那", "个", "然后", "****", "就是", "**00", "好"]),
        ("138 嗯嗯 | 呃 | 0013", ["***", "嗯嗯", "呃", "**13"]),
        ("138 ， - 0013", ["***", "，", "-", "**13"]),
        ("one three eight um zero zero er one three", ["***", "um", "**", "er", "13"]),
        ("one three eight double zero one three eight triple zero", ["***", "*", "****", "*0", "0"]),
        ("triple five one two one two", ["**", "***12"]),
        ("thirteen eighty double zero thirteen eighty", ["**", "**", "*", "*", "**", "80"]),
        ("thirty eight forty one twenty two six", ["*", "*", "*", "*", "*", "26"]),
        ("Thirty-Eight forty 0380", ["*-*", "**", "**80"]),
        ("幺 三 八 洞 洞 幺 三", ["***", "*", "*", "13"]),
        ("１３８００１３８０００", ["*********00"]),
        ("１３８ 嗯 ００１３", ["***", "嗯", "**13"]),
        ("13800138000，", ["*********00，"]),
        ("138-0013-8000", ["***-****-**00"]),
        ("嗯138 (0013)8000。", ["嗯***", "(****)**00。"]),
        ("+86-138,0013,8000", ["+**-***,****,**00"]),
    ],
)
def test_personal_numbers_are_masked_however_they_are_said(spoken: str, left: list[str]) -> None:
    assert words(masked(normalised(said(("caller", spoken))), 7)) == left


@pytest.mark.parametrize(
    "spoken",
    [
        "工号 0182 然后 分机 8001",
        "工号 018 嗯 那个 啊 8001",
        "12:30:45 到 13:30:45",
        "2026-11-28 09:30",
        "1,234,567 元",
        "12.50 元 100.00 元",
        "138 和 0013",
        "ten thirty to eleven fifteen",
        "nineteen eighty four",
        "three hundred twenty five thousand",
        "a double room for one moment like that then",
        "agent 1001 um thirty minutes",
        "138 嗯 || 0013",
        "一会儿 一三八 一下 零零一 一起",
    ],
)
def test_what_is_nobodys_number_stays(spoken: str) -> None:
    told = normalised(said(("caller", spoken)))
    assert masked(told, 7) == told


FILLERS = (
    "",
    "嗯",
    "啊",
    "呃",
    "那个",
    "然后",
    "是",
    "那 个",
    "嗯 啊",
    "um",
    "uh",
    "er um",
    "，",
    "- 嗯",
    "|",
    "嗯 | 就是",
)
WRITINGS = ("0123456789", "零一二三四五六七八九", "０１２３４５６７８９")
JOINTS = ("", "", "-", "·", "，")


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 9), min_size=1, max_size=5),
            *(st.sampled_from(one) for one in (WRITINGS, JOINTS, ("", "，", "。"), FILLERS)),
        ),
        min_size=7,
        max_size=12,
    )
)
def test_a_number_in_any_pieces_is_masked_wholly(
    pieces: list[tuple[list[int], str, str, str, str]],
) -> None:
    spoken = ""
    for digits, writing, joint, end, filler in pieces:
        spoken += f"{joint.join(writing[digit] for digit in digits)}{end} {filler} "
    told = normalised(said(("caller", spoken)))
    hidden = masked(told, 7)
    figures = [c for c in "".join(words(hidden)) if c == "*" or digits_of(c)]
    assert figures == ["*"] * (sum(len(digits) for digits, *_ in pieces) - 2) + figures[-2:]
    assert "*" not in figures[-2:]
    times = [[(word.start, word.end, word.conf) for word in one.segments[0].words] for one in (told, hidden)]
    assert times[0] == times[1]


def test_no_policy_leaves_everything() -> None:
    told = said(("caller", "13800138000"))
    assert masked(told, 0) == told


@given(st.lists(st.tuples(st.sampled_from(["seat", "caller"]), st.text("零一二三9 好|", max_size=30)), max_size=6))
def test_no_long_number_is_left(segments: list[tuple[Speaker, str]]) -> None:
    hidden = masked(normalised(said(*segments)), 7)
    for segment in hidden.segments:
        assert all(len(digits_of(word.word)) < 7 for word in segment.words)


def test_a_number_without_end_is_cut_into_words_that_may_be() -> None:
    told = normalised(said(("caller", "一 " * 450)))
    assert [len(word) for word in words(told)] == [200, 200, 50]
    assert from_dict(to_dict(told)) == told
    assert told.segments[0].words[1].start == pytest.approx(100.0)
    assert words(masked(told, 7)) == ["*" * 200, "*" * 200, "*" * 48 + "11"]


def test_what_an_engine_tells_is_kept_to_what_a_word_may_be() -> None:
    assert as_heard("x" * 300, 2.0, 1.0, 1.00001) == Word("x" * 200, 2.0, 2.0, 1.0)
    assert as_heard("好", -0.1, 0.3, -1.0) == Word("好", 0.0, 0.3, 0.0)


def test_a_transcript_that_an_earlier_version_stored_is_still_read() -> None:
    """Its words are kept to the limits; from anybody else they would be refused."""
    words = [{"word": "x" * 300, "start": 9.0, "end": 1.0, "conf": 2.0}]
    told = {"id": "1", "segments": [{"speaker": "seat", "words": words}]}
    assert from_dict(told, stored=True).segments[0].words == (Word("x" * 200, 9.0, 9.0, 1.0),)
    with pytest.raises(BadInput, match=r"segments\[0\]\.words\[0\]\.word: has more than 200"):
        from_dict(told)
