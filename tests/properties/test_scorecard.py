"""Laws of the scorecard that hold for any answers and findings."""

from hypothesis import given
from hypothesis import strategies as st

from callcenter.quality.cards import shipped_card
from callcenter.quality.finding import Finding
from callcenter.quality.scorecard import (
    CRITICAL,
    Question,
    Scorecard,
    Section,
    Verdict,
    differences,
    is_fault,
    proposals,
    score,
)

STANDARD = shipped_card()
VERDICTS = st.sampled_from(list(Verdict))
IDS = [question.id for question in STANDARD.questions]
WHOLE = st.fixed_dictionaries(dict.fromkeys(IDS, VERDICTS))
SOME = st.dictionaries(st.sampled_from(IDS), VERDICTS)
FINDINGS = st.builds(
    Finding,
    phrase=st.just("p"),
    rule=st.sampled_from(["A2", "A3", "B1", "B7", "B8", "Z9"]),
    kind=st.sampled_from(["required", "forbidden"]),
    found=st.booleans(),
    band=st.sampled_from(["sure", "doubtful"]),
)
ROWS = st.tuples(st.sampled_from("abc"), st.integers(1, 40), st.sampled_from(CRITICAL))
CARDS = st.lists(ROWS, min_size=1, max_size=8).map(
    lambda rows: Scorecard(
        "any",
        tuple(map(Section, sorted({section for section, _, _ in rows}))),
        tuple(
            Question(f"q{n}", section, weight, critical=critical) for n, (section, weight, critical) in enumerate(rows)
        ),
    )
)


@given(WHOLE)
def test_a_whole_card_has_one_score_between_0_and_100(answers: dict[str, Verdict]) -> None:
    found = score(STANDARD, answers)
    assert found.open == ()
    assert found.least == found.most == found.points
    assert found.points is None or 0 <= found.points <= 100
    assert (found.points is None) == all(verdict is Verdict.NA for verdict in answers.values())


@given(SOME)
def test_open_questions_give_a_range_and_no_score(answers: dict[str, Verdict]) -> None:
    found = score(STANDARD, answers)
    assert set(found.open) == set(IDS) - answers.keys()
    if found.open:
        assert found.points is None
        assert found.least is not None
        assert found.most is not None
        assert found.least <= found.most


@given(SOME, st.lists(st.sampled_from([Verdict.MET, Verdict.PARTLY, Verdict.MISSED]), min_size=9, max_size=9))
def test_however_the_open_ones_end_the_score_lies_in_the_range(
    answers: dict[str, Verdict], rest: list[Verdict]
) -> None:
    found = score(STANDARD, answers)
    done = score(STANDARD, dict(zip(found.open, rest, strict=False)) | answers)
    if done.points is not None and found.least is not None and found.most is not None:
        assert found.least <= done.points <= found.most


@given(CARDS, st.data())
def test_a_better_answer_never_lowers_the_score(card: Scorecard, data: st.DataObject) -> None:
    answers = {question.id: data.draw(VERDICTS) for question in card.questions}
    one = data.draw(st.sampled_from(card.questions)).id
    if answers[one] is Verdict.NA:
        return
    worse, better = score(card, answers | {one: Verdict.MISSED}), score(card, answers | {one: Verdict.MET})
    assert worse.points is not None
    assert better.points is not None
    assert worse.points <= better.points


@given(CARDS, st.data())
def test_a_critical_fault_takes_its_section_or_the_card(card: Scorecard, data: st.DataObject) -> None:
    answers = {question.id: data.draw(VERDICTS) for question in card.questions}
    faults = [q for q in card.questions if q.critical and answers[q.id] is Verdict.MISSED]
    whole = any(q.critical == "card" for q in faults)
    lost = {q.section for q in (card.questions if whole else faults)}
    assert not whole or score(card, answers).points == 0
    assert set(score(card, answers).zeroed) == lost
    counted = [q for q in card.questions if answers[q.id] is not Verdict.NA]
    halves = {Verdict.MET: 2, Verdict.PARTLY: 1, Verdict.MISSED: 0}
    reached = sum(halves[answers[q.id]] * q.weight for q in counted if q.section not in lost)
    possible = sum(2 * q.weight for q in counted)
    assert score(card, answers).points == (round(100 * reached / possible, 1) if possible else None)


@given(st.lists(FINDINGS, max_size=8))
def test_a_doubtful_finding_leaves_its_question_open(found: list[Finding]) -> None:
    made = proposals(STANDARD, found)
    for question in STANDARD.questions:
        of_rule = [one for one in found if one.rule == question.rule]
        if any(one.band == "doubtful" for one in of_rule):
            assert question.id not in made
        elif of_rule and not any(is_fault(one) for one in of_rule):
            assert made[question.id] is Verdict.MET
        elif of_rule:
            assert made[question.id] in (Verdict.PARTLY, Verdict.MISSED)
    assert set(made) <= {"greeting", "identity", "waiting", "closing", "language"}


@given(WHOLE, WHOLE)
def test_differences_are_seen_from_both_sides(one: dict[str, Verdict], other: dict[str, Verdict]) -> None:
    there, back = differences(STANDARD, one, other), differences(STANDARD, other, one)
    assert [(d.question, d.one, d.other) for d in there] == [(d.question, d.other, d.one) for d in back]
    assert {d.question for d in there} == {key for key in IDS if one[key] is not other[key]}
