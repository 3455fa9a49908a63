"""Phrases counted by seat and week: calls, not findings; doubtful ones apart."""

from callcenter.quality.rates import FORBIDDEN, Counted, Judged, counted, together


def judged(
    call: int, phrase: str, found: bool, kind: str = "required", doubtful: bool = False, week: int = 0
) -> Judged:
    return Judged("1001", week, call, phrase, kind, found, doubtful)


def test_required_phrases_are_counted_by_call_and_doubtful_ones_apart() -> None:
    rows = counted(
        [
            judged(1, "greeting", True),
            judged(2, "greeting", False),
            judged(3, "greeting", False, doubtful=True),
            judged(1, "ask_name", True),
        ]
    )
    assert rows == [Counted("1001", 0, "greeting", 1, 1, 1)]
    assert rows[0].share == 0.5


def test_a_call_with_one_forbidden_phrase_of_many_is_one_call() -> None:
    rows = counted(
        [
            judged(1, "refusal", True, "forbidden"),
            judged(1, "blame", False, "forbidden"),
            judged(2, "refusal", False, "forbidden"),
            judged(3, "refusal", True, "forbidden", doubtful=True),
            judged(3, "blame", False, "forbidden"),
        ]
    )
    assert rows == [Counted("1001", 0, FORBIDDEN, 1, 1, 1)]


def test_weeks_add_up_and_nothing_has_no_share() -> None:
    rows = counted(
        [judged(1, "closing", True), judged(2, "closing", False, week=1), judged(3, "closing", True, week=1)]
    )
    assert [(row.week, row.share) for row in rows] == [(0, 1.0), (1, 0.5)]
    assert together(rows, "closing").share == 2 / 3
    assert together(rows, "greeting").share is None
