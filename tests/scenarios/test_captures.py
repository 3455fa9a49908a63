"""Every capture of the real Asterisk, folded: calls as the phones' own journals tell them.

``tests/captures/README.md`` has the table of stories. Expectations were worked out from the phones alone
(``*.expected.json``); what a capture's author left undecided is decided here, each with its reason.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from callcenter.replay import as_dict, calls

CAPTURES = Path(__file__).parents[1] / "captures"
STORIES = sorted(path.name.removesuffix(".expected.json") for path in CAPTURES.glob("*.expected.json"))

CONSULTED = (
    "While a seat consults by feature code or AMI its phone says Hold: the caller hears music and does not talk."
)
JOINED = "A consultation that is joined becomes part of the customer's call: one call, one ticket."
DECIDED: dict[tuple[str, str], str] = {
    ("attended-transfer-ami", "talk_seconds hold_seconds holds"): CONSULTED,
    ("attended-transfer-feature", "talk_seconds hold_seconds holds"): CONSULTED,
    ("blind-transfer-feature", "hold_seconds holds"): CONSULTED,
    ("elsewhere-agent-pool", "answered_at wait_seconds talk_seconds outcome"): (
        "The agent's phone is lifted all day: when the queue put the caller through shows in Asterisk only. "
        "And whether a log-in is answered is nobody's question."
    ),
    ("elsewhere-attended-to-ringing", "talk_seconds hold_seconds holds"): CONSULTED,
    ("elsewhere-feature-to-nobody", "talk_seconds hold_seconds holds"): CONSULTED,
    ("attended-transfer-replaces", "count"): JOINED,
    ("queue-attended-transfer-replaces", "count"): JOINED,
    ("click-to-call", "caller_name"): "The seat's own name is what its phone is configured with.",
    ("click-to-call-seat-absent", "caller_name"): "The seat's own name is what its phone is configured with.",
    ("hostile-injection", "caller_name"): "The name that the dialplan set, made harmless.",
    ("hostile-names", "caller_name"): "Asterisk 22 replaces bytes that are no UTF-8 before it tells them.",
    ("hotline-abandoned", "recording"): "MixMonitor was started; the file is named though it holds no sound.",
    ("outgoing-unanswered", "recording"): "MixMonitor was started; the file is named though it holds no sound.",
    ("hotline-all-paused", "breaches"): "Answered by the announcement for want of a seat: three rings were not kept.",
    ("hotline-overflow", "rings_heard"): "The dialplan alone acts 20 ms after the fourth ring would begin.",
    ("link-lost-mid-call", "complete"): "Two seconds of this call were not observed.",
    ("link-lost-until-after", "talk_seconds"): "Nobody saw whether the phone was lifted.",
    ("outgoing-answered", "rings_heard"): "No seat rang: rings are those of a seat (A1).",
}
"""(story, keys) that the phones' journals cannot decide, and why the fold says what it says."""


def _undecided(story: str) -> set[str]:
    return {key for (name, keys) in DECIDED if name == story for key in keys.split()}


def _same(key: str, got: Any, want: Any, tolerance: float) -> bool:
    if isinstance(want, float | int) and isinstance(got, float | int) and not isinstance(want, bool):
        return abs(got - want) <= tolerance
    if key == "caller_name":
        return (got or "") == (want or "")
    if key == "recording":
        return (got or "").rpartition("/")[2] == (want or "").rpartition("/")[2]
    return bool(got == want)


@pytest.mark.parametrize("account", ["", ".least"])
@pytest.mark.parametrize("story", STORIES)
def test_story(story: str, account: str) -> None:
    """``account``: the stream with every class of events, and the one of the product's least-rights account."""
    expected = json.loads((CAPTURES / f"{story}.expected.json").read_text("utf-8"))
    found = {call.call_id: as_dict(call) for call in calls([CAPTURES / f"{story}{account}.ami"])}
    undecided = _undecided(story)
    if "count" not in undecided:
        assert sorted(found) == sorted(call["call_id"] for call in expected["calls"])
    differences = [
        f"{call_id} {key}: {got!r} instead of {want[key]!r}"
        for want in expected["calls"]
        if (call_id := want["call_id"]) in found
        for key, got in found[call_id].items()
        if key not in undecided and not _same(key, got, want[key], expected["tolerance_seconds"])
    ]
    assert not differences, "\n".join(differences)


def test_every_decision_is_needed() -> None:
    """A decision whose story no longer differs is a decision to delete."""
    assert {name for name, _ in DECIDED} <= set(STORIES)


def test_there_are_stories() -> None:
    assert len(STORIES) >= 40
