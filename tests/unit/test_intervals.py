"""The arithmetic of moments and stretches, by hand-made examples."""

import pytest

from callcenter.calls import intervals as iv


@pytest.mark.parametrize(
    ("moments", "found"),
    [
        ([], []),
        ([(1, True), (3, False)], [(1, 3)]),
        ([(3, False), (1, True)], [(1, 3)]),
        ([(1, True)], [(1, None)]),
        ([(2, False), (3, True)], [(3, None)]),
        ([(1, True), (2, True), (3, False), (4, False)], [(1, 3)]),
        ([(1, True), (2, False), (3, True), (5, False)], [(1, 2), (3, 5)]),
        ([(2, False), (2, True)], [(2, 2)]),
    ],
)
def test_pairs(moments: list[tuple[float, bool]], found: list[tuple[float, float | None]]) -> None:
    assert iv.pairs(moments) == found


def test_a_stay_ends_with_leaving_with_the_leg_or_with_now() -> None:
    moves = [(5.0, "b", False), (1.0, "b", True), (6.0, "c", True)]
    assert iv.stays(moves, None, 9.0) == [("b", (1.0, 5.0)), ("c", (6.0, 9.0))]
    assert iv.stays(moves, 7.0, 9.0) == [("b", (1.0, 5.0)), ("c", (6.0, 7.0))]
    assert iv.stays([(5.0, "b", False)], None, 9.0) == [], "a leaving without an entering is nothing"
    assert iv.stays([(8.0, "b", True)], 7.0, 9.0) == [("b", (8.0, 8.0))], "never ends before it began"


def test_earliest_ignores_what_is_unknown() -> None:
    assert iv.earliest(None, 3.0, 2.0) == 2.0
    assert iv.earliest(None) is None
    assert iv.earliest(0.0, 1.0) == 0.0, "zero is a moment"


def test_touching_intervals_are_one_and_empty_ones_none() -> None:
    assert iv.union([(3, 4), (1, 2), (2, 3), (7, 7)]) == [(1, 4)]
