"""Who is on our side of a recording: whatever stays, holds and lengths a call has."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.calls import intervals as iv
from callcenter.calls.model import Call, Direction, Hold, Phase, Stay, Transfer, TransferKind
from callcenter.calls.recorded import begun_at, on_our_side, seats_of
from callcenter.errors import BadInput
from callcenter.speech.transcript import MAX_TURNS, Transcript, Turn, from_dict, seats_between, to_dict

T0 = 1_700_000_000.0
SEATS = st.sampled_from(["1001", "1002", "1003", "会议室"])
moments = st.floats(0.0, 600.0).map(lambda second: T0 + round(second, 3))


def _apart(found: list[tuple[str, float, float]]) -> tuple[Stay, ...]:
    """As ``presence`` gives them: of each seat sorted and disjoint."""
    by_seat: dict[str, list[iv.Interval]] = {}
    for seat, one, other in found:
        by_seat.setdefault(seat, []).append((min(one, other), max(one, other)))
    told = [Stay(seat, *part) for seat, parts in by_seat.items() for part in iv.union(parts)]
    return tuple(sorted(told, key=lambda stay: (stay.started_at, stay.seat)))


stays = st.lists(st.tuples(SEATS, moments, moments), max_size=8).map(_apart)
lengths = st.one_of(st.none(), st.floats(0.0, 900.0))


def call(**more: object) -> Call:
    base = Call("pbx", "c1", Direction.INBOUND, Phase.ENDED, answered_by="1001", answered_at=T0, ended_at=T0 + 600)
    return replace(base, **more)  # type: ignore[arg-type]


@given(stays, lengths, st.one_of(st.none(), moments))
def test_sorted_disjoint_for_each_seat_and_inside_the_recording(
    told: tuple[Stay, ...], seconds: float | None, gone_at: float | None
) -> None:
    one = call(stays=told, caller_gone_at=gone_at)
    found = on_our_side(one, seconds)
    assert list(found) == sorted(found, key=lambda part: part.start)
    assert all(0.0 <= part.start < part.end <= (seconds or 0.0) for part in found)
    for seat in {part.seat for part in found}:
        own = [(part.start, part.end) for part in found if part.seat == seat]
        assert all(end <= start for (_, end), (start, _) in pairwise(own))
    assert {part.seat for part in found} <= set(seats_of(one))


@given(stays, st.floats(1.0, 900.0), st.floats(0.0, 1.0))
def test_every_second_belongs_to_who_was_there(told: tuple[Stay, ...], seconds: float, share: float) -> None:
    one = call(stays=told, transfers=(Transfer(TransferKind.BLIND, "1001", "1002", T0),))
    began = begun_at(one, seconds)
    assert began is not None
    at = began + share * seconds
    there = {stay.seat for stay in told if stay.started_at + 1e-3 < at < stay.ended_at - 1e-3}
    edge = min(share, 1 - share) * seconds <= 1e-3 or any(
        abs(at - moment) <= 1e-3 for stay in told for moment in (stay.started_at, stay.ended_at)
    )
    found = {part.seat for part in on_our_side(one, seconds) if part.start < share * seconds < part.end}
    assert edge or found == there


def test_a_call_stored_without_stays_had_its_one_seat_but_for_holds_and_none_if_it_was_sent_on() -> None:
    one = call(answered_at=T0 + 500, holds=(Hold("1001", T0 + 520, T0 + 540),))
    assert [(part.seat, part.start, part.end) for part in on_our_side(one, 100.0)] == [
        ("1001", 0.0, 20.0),
        ("1001", 40.0, 100.0),
    ]
    sent_on = replace(one, transfers=(Transfer(TransferKind.BLIND, "1001", "1002", T0 + 550),))
    assert on_our_side(sent_on, 100.0) == ()
    assert on_our_side(replace(one, complete=False), 100.0) == ()
    assert on_our_side(replace(one, ended_at=None), 100.0) == ()
    assert seats_of(sent_on) == ("1001",)


def test_a_recording_ends_with_the_channel_it_is_of() -> None:
    """The caller handed the seat on to somebody else and left: the call goes on, its recording does not."""
    one = call(stays=(Stay("1001", T0 + 10, T0 + 30),), caller_gone_at=T0 + 30)
    assert [(part.start, part.end) for part in on_our_side(one, 20.0)] == [(0.0, 20.0)]


turns = st.lists(
    st.tuples(st.sampled_from(["018", "019", ""]), st.integers(0, 100), st.integers(0, 100)), max_size=6
).map(lambda found: tuple(Turn(seat, float(min(a, b)), float(max(a, b)), f"x{seat}") for seat, a, b in found))


@given(turns, st.integers(0, 110), st.integers(0, 20))
def test_who_spoke_is_somebody_who_was_there_or_nearly(told: tuple[Turn, ...], start: int, length: int) -> None:
    found = seats_between(told, float(start), float(start + length))
    assert len({one.name for one in found}) == len(found)
    assert all(one.start <= start + length + 1 and one.end >= start - 1 for one in found)
    alone = {one.name for one in told if one.start <= start and one.end >= start + length}
    assert length == 0 or alone <= {one.name for one in found}, "two in a conference are both named"


@given(turns)
def test_turns_survive_the_store(told: tuple[Turn, ...]) -> None:
    one = Transcript("t", "018", "示例服务", (), told)
    assert from_dict(to_dict(one)) == one
    assert ("seats" in to_dict(one)) == bool(told)


@pytest.mark.parametrize(
    ("seats", "sentence"),
    [
        ("018", "seats: must be a list"),
        ([{"seat": "018", "start": 0, "end": 1}] * (MAX_TURNS + 1), "seats: must be a list of at most 1000"),
        ([{"seat": "018", "start": 5, "end": 1}], r"seats\[0\]\.end: must not come before its start"),
        ([{"seat": "018", "start": 0}], r"seats\[0\]\.end: must be a number"),
        ([{"start": 0, "end": 1}], r"seats\[0\]\.seat: is missing"),
        (["018"], r"seats\[0\]: must be an object"),
    ],
)
def test_what_is_wrong_with_seats_is_said_with_its_place(seats: object, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        from_dict({"id": "t", "segments": [], "seats": seats})
