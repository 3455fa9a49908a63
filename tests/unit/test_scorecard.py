"""The standard's scorecard on one known call, and where words were said."""

import pytest

from callcenter.quality.cards import shipped_card
from callcenter.quality.review import Review, digest
from callcenter.quality.scorecard import Facts, Verdict, proposals, score
from callcenter.quality.search import all_said, moments, terms
from tests.fakes.review_site import CLEAN, DIALOGUE, FOUND, transcript

STANDARD = shipped_card()
MET = dict.fromkeys((question.id for question in STANDARD.questions), Verdict.MET)


def test_weights_add_up_to_a_hundred() -> None:
    assert sum(question.weight for question in STANDARD.questions) == 100


def test_the_machine_proposes_what_it_is_sure_of() -> None:
    facts = Facts(longest_hold_seconds=61.0, guidance_seconds=301.0, ended_by="seat")
    assert proposals(STANDARD, FOUND, facts) == {
        "greeting": Verdict.MET,
        "waiting": Verdict.MET,
        "hold": Verdict.MISSED,
        "language": Verdict.MISSED,
        "closing": Verdict.MISSED,
        "hangup": Verdict.MISSED,
    }


def test_what_was_not_observed_is_not_proposed() -> None:
    assert proposals(STANDARD, (), Facts()) == {}
    assert proposals(STANDARD, (), Facts(ended_by="system")) == {}


@pytest.mark.parametrize(
    ("changes", "points"),
    [
        ({}, 100.0),
        ({"greeting": Verdict.PARTLY}, 92.5),
        ({"greeting": Verdict.NA}, 100.0),
        ({"closing": Verdict.MISSED}, 90.0),
        ({"language": Verdict.MISSED}, 50.0),  # critical: the whole course of the call
        ({"language": Verdict.PARTLY}, 90.0),
        ({"language": Verdict.NA, "record": Verdict.MISSED}, 87.5),
    ],
)
def test_a_score_by_hand(changes: dict[str, Verdict], points: float) -> None:
    assert score(STANDARD, MET | changes).points == points


def test_a_clean_call_is_proposed_as_met() -> None:
    assert set(proposals(STANDARD, CLEAN).values()) == {Verdict.MET}


def test_who_said_it_and_when() -> None:
    found = moments(transcript(DIALOGUE), terms("不知道"))
    assert [(one.speaker, one.start) for one in found] == [("caller", 15.0), ("seat", 31.8)]
    assert (found[1].before, found[1].said, found[1].after[:2]) == ("这个我", "不知道", "要先")


@pytest.mark.parametrize(
    ("query", "times"),
    [
        ("我不知道", [31.4]),  # over two words
        ("知道", [15.0, 31.8]),  # a part of a word
        ("018号", [4.0]),  # the engine wrote a space there
        ("０１８ 号", [4.0, 4.4, 36.4 + 0.4 * 3]),
        ("打印机 驱动", [15.8, 33.8]),
        ("驱动 没有人说过", []),
        ("的发票又打不出来了", [8.4]),
    ],
)
def test_a_query_means_pieces_of_what_one_speaker_said(query: str, times: list[float]) -> None:
    found = [one.start for one in all_said(transcript(DIALOGUE), terms(query))]
    assert found == pytest.approx(times, abs=0.3)


def test_case_and_width_do_not_matter_in_english() -> None:
    said = transcript((("seat", 0.0, "I do not KNOW É"),))
    assert [one.said for one in moments(said, terms("ｋｎｏｗ"))] == ["KNOW"]
    assert [one.said for one in moments(said, terms("é"))] == ["É"]


def test_a_query_is_bounded() -> None:
    assert len(terms("a b c d e f g h i j")) == 6
    assert max(map(len, terms("很" * 500))) == 60
    assert terms("  \n ") == ()


def test_marks_quotes_and_what_nobody_sees_are_no_part_of_a_term() -> None:
    assert terms("谢谢，再见。 “操作有误” \u200b不\u2060清楚\ufe0f") == ("谢谢再见", "操作有误", "不清楚")
    assert terms("hello , DON'T") == ("hello", "dont")
    assert terms("零一八 〇幺八 洞幺捌 018") == ("018",)
    assert terms("% ，") == ("%", "，"), "what has no letters is found nowhere, not everywhere"
    assert moments(transcript((("seat", 0.0, "100 % ， 是"),)), terms("%")) == []


def test_a_moment_is_told_as_it_was_written() -> None:
    said = transcript((("seat", 0.0, "谢谢 ， 再见 。"),))
    assert [one.said.replace(" ", "") for one in moments(said, terms("谢谢再见"))] == ["谢谢，再见"]


def test_the_signature_changes_with_every_signed_thing() -> None:
    base = Review(1, 2, "qa", "standard-1", MET, {}, "note", 100.0)
    same = Review(9, 2, "qa", "standard-1", dict(reversed(MET.items())), {}, "note", 100.0, updated_at=5.0)
    assert digest(base) == digest(same)
    others = [
        Review(1, 3, "qa", "standard-1", MET, {}, "note", 100.0),
        Review(1, 2, "wu", "standard-1", MET, {}, "note", 100.0),
        Review(1, 2, "qa", "standard-1", MET | {"hold": Verdict.NA}, {}, "note", 100.0),
        Review(1, 2, "qa", "standard-1", MET, {}, "other", 100.0),
        Review(1, 2, "qa", "standard-1", MET, {}, "note", 99.0),
    ]
    assert len({digest(one) for one in (base, *others)}) == 6
