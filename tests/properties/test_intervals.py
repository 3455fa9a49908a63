"""Interval arithmetic against sets of whole seconds, where every answer can be counted."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from callcenter.calls import intervals as iv

MOMENTS = st.integers(0, 30)
RAW = st.lists(st.tuples(MOMENTS, MOMENTS).map(lambda pair: (min(pair), max(pair))), max_size=8)


def covered(intervals: list[tuple[float, float]]) -> set[int]:
    return {second for start, end in intervals for second in range(int(start), int(end))}


def assert_sorted_and_disjoint(intervals: list[tuple[float, float]]) -> None:
    assert all(start < end for start, end in intervals)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(intervals))


@given(RAW)
def test_union_covers_the_same_seconds(raw: list[tuple[float, float]]) -> None:
    joined = iv.union(raw)
    assert covered(joined) == covered(raw)
    assert_sorted_and_disjoint(joined)
    assert iv.total(joined) == len(covered(raw))


@given(RAW, RAW)
def test_subtract_and_intersect_part_a_stretch_in_two(
    a: list[tuple[float, float]], b: list[tuple[float, float]]
) -> None:
    left, right = iv.union(a), iv.union(b)
    assert covered(iv.intersect(left, right)) == covered(left) & covered(right)
    assert covered(iv.subtract(left, right)) == covered(left) - covered(right)
    assert iv.total(iv.intersect(left, right)) + iv.total(iv.subtract(left, right)) == iv.total(left)


@given(st.lists(st.tuples(MOMENTS, st.booleans()), max_size=12), st.randoms())
def test_pairs_do_not_depend_on_order_or_repeats(moments: list[tuple[float, bool]], random: object) -> None:
    found = iv.pairs(moments)
    mixed = moments * 2
    random.shuffle(mixed)  # type: ignore[attr-defined]
    whole = [pair for pair in iv.pairs(mixed) if pair[0] != pair[1]]
    assert whole == [pair for pair in found if pair[0] != pair[1]]
    ends = [end for _, end in found]
    assert None not in ends[:-1], "only the last one may be open"
    assert all(end is None or start <= end for start, end in found)


@given(st.lists(st.tuples(MOMENTS, st.sampled_from("bc"), st.booleans()), max_size=12), MOMENTS)
def test_a_leg_is_never_longer_in_a_bridge_than_it_lived(moves: list[tuple[float, str, bool]], gone_at: int) -> None:
    lived = [move for move in moves if move[0] <= gone_at]
    for bridge, (start, end) in iv.stays(lived, gone_at, 99):
        assert start <= end <= gone_at
        assert (start, bridge, True) in lived
