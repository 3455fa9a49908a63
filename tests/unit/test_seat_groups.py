"""Figures of seat groups: whose a call is, labels of the settings only, every series from the start."""

import re
from dataclasses import replace

from callcenter.calls.model import Hold, Outcome
from callcenter.metrics.figures import Figures
from tests.unit.test_metrics import ENDED, scraped, series

GROUPS = {"day": ("1001",), "night": ("1002", "1003")}
LONG = replace(ENDED, holds=(Hold("1001", 10.0, 19.0), Hold("1001", 20.0, 81.0), Hold("1001", 90.0, None)))


def of_groups(figures: Figures, what: str) -> dict[tuple[str, ...], float]:
    """What is not zero of a counter of seat groups."""
    families = (one for one in figures.registry.collect() if one.name == f"callcenter_seat_group_{what}")
    samples = (sample for family in families for sample in family.samples)
    return {tuple(sample.labels.values()): sample.value for sample in samples if sample.value}


def test_a_call_counts_for_the_group_that_answered_and_a_ring_for_the_one_that_rang() -> None:
    figures = Figures(["it"], groups=GROUPS)
    before = series(figures)
    figures.ended(LONG)
    figures.ended(replace(ENDED, answered_by="9999", breaches=(), rings=(), holds=(), talk_seconds=7.0))
    figures.ended(replace(ENDED, outcome=Outcome.ABANDONED, answered_by=None))
    figures.wrapped_up(LONG, 20.0)
    assert series(figures) == before, "all of them stood at zero"
    assert of_groups(figures, "answered_calls") == {("day", "no"): 1, ("none", "yes"): 1}
    handled = {("day", "talk"): 100, ("day", "hold"): 70, ("day", "wrapup"): 20, ("none", "talk"): 7}
    assert of_groups(figures, "handle_seconds") == handled
    assert of_groups(figures, "holds") == {("day", "yes"): 1, ("day", "no"): 1}
    assert of_groups(figures, "rings") == {("night", "missed"): 2, ("night", "not_rung"): 2, ("day", "answered"): 2}


def test_only_groups_of_the_settings_are_labels() -> None:
    figures = Figures(groups=GROUPS)
    for seat in ("1004", "13800138000", 'a"b', ""):
        figures.ended(replace(ENDED, answered_by=seat))
    labels = set(re.findall(r'seat_group="([^"]*)"', scraped(figures)))
    assert labels == {"day", "night", "none"}
