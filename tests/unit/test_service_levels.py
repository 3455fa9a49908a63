"""The six variants of the service level, against figures worked out by hand and against each other."""

import re
import sqlite3
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.calls.model import Call, Direction, Outcome, Phase
from callcenter.metrics.service_levels import (
    FORMULAS,
    Tally,
    Target,
    Targets,
    Variant,
    base,
    percent,
    service_level,
    sql,
    tally_of,
)
from callcenter.web.render import TEMPLATES

DAY = Tally(
    answered=940,
    answered_in_time=860 - 60 + 9,
    abandoned=60,
    abandoned_in_time=20,
    abandoned_short=10,
    overflowed=25,
    other=3,
)


@pytest.mark.parametrize(
    ("variant", "good", "of"),
    [
        (Variant.ABANDONS_IGNORED, 809, 940),
        (Variant.ABANDONS_GOOD, 829, 1000),
        (Variant.ABANDONS_BAD, 809, 1000),
        (Variant.LATE_ABANDONS_BAD, 809, 980),
        (Variant.SHORT_ABANDONS_FORGIVEN, 809, 990),
        (Variant.FLOW_OUTS_BAD, 809, 1025),
    ],
)
def test_a_day_worked_out_by_hand(variant: Variant, good: int, of: int) -> None:
    assert service_level(DAY, variant) == pytest.approx(good / of)
    assert base(DAY, variant) == of


def test_no_calls_is_no_share() -> None:
    assert {service_level(Tally(other=5), variant) for variant in Variant} == {None}


counts = st.integers(0, 500)


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    answered, abandoned = draw(counts), draw(counts)
    in_time = draw(st.integers(0, abandoned))
    return Tally(
        answered,
        draw(st.integers(0, answered)),
        abandoned,
        in_time,
        draw(st.integers(0, in_time)),
        draw(counts),
        draw(counts),
    )


@given(tallies())
def test_sql_says_the_same(tally: Tally) -> None:
    columns = ", ".join(f"{value} AS {name}" for name, value in asdict(tally).items())
    formulas = ", ".join(sql(variant) for variant in FORMULAS)
    row = sqlite3.connect(":memory:").execute(f"SELECT {formulas} FROM (SELECT {columns})").fetchone()
    for variant, share in zip(FORMULAS, row, strict=True):
        assert share == (pytest.approx(said) if (said := service_level(tally, variant)) is not None else None)


@given(tallies())
def test_every_share_lies_between_nothing_and_all_and_their_order_is_known(tally: Tally) -> None:
    shares = {variant: service_level(tally, variant) for variant in Variant}
    assert all(share is None or 0 <= share <= 1 for share in shares.values())
    strict, forgiving = shares[Variant.FLOW_OUTS_BAD], shares[Variant.ABANDONS_IGNORED]
    if strict is not None and forgiving is not None:
        assert strict <= shares[Variant.ABANDONS_BAD] <= forgiving  # type: ignore[operator]


@given(tallies(), tallies())
def test_tallies_of_two_intervals_add_up(one: Tally, two: Tally) -> None:
    assert (one + two).calls == one.calls + two.calls


@pytest.mark.parametrize("waited", [None, 0.0, 5.0, 5.001, 15.0, 15.001])
@pytest.mark.parametrize("outcome", [*Outcome, None])
def test_one_call_is_one_call(outcome: Outcome | None, waited: float | None) -> None:
    call = Call("pbx", "1", Direction.INBOUND, Phase.ENDED, outcome=outcome, wait_seconds=waited)
    tally = tally_of(call, Target(15, 5))
    assert tally.calls == 1
    in_time = waited is not None and waited <= 15
    assert tally.answered_in_time == (outcome is Outcome.ANSWERED and in_time)
    assert tally.abandoned_in_time == (outcome is Outcome.ABANDONED and in_time)
    assert tally.abandoned_short == (outcome is Outcome.ABANDONED and waited is not None and waited <= 5)


def test_a_queue_counts_by_its_own_target_and_others_by_the_default() -> None:
    targets = Targets(Target(), {"vip": Target(10, 5, "vip")})
    assert (targets.of("vip").service_class, targets.of("it"), targets.of(None)) == ("vip", Target(), Target())
    assert targets.bounds == {5.0, 10.0, 15.0}


@pytest.mark.parametrize(
    ("share", "shown", "whole"),
    [
        (1.0, "100", "100"),
        (1999 / 2000, "99.9", "99"),
        (0.9951, "99.5", "99"),
        (0.5, "50.0", "50"),
        (1 / 2001, "0.1", "1"),
        (0.0, "0.0", "0"),
        (2.5, "250.0", "250"),
    ],
)
def test_a_hundred_is_all_and_nought_is_none(share: float, shown: str, whole: str) -> None:
    assert (percent(share), percent(share, 0)) == (shown, whole)


def test_no_screen_rounds_a_share_itself() -> None:
    """A difference with its sign is no share."""
    files = [*TEMPLATES.rglob("*.html"), TEMPLATES.parents[1] / "reports" / "command.py"]
    own = re.compile(r"\"%\.\df\"\|format\(100 \*|\{100 \* \w+:\.\df\}")
    assert [file.name for file in files if own.search(file.read_text(encoding="utf-8"))] == []
