"""Every capture of the real Asterisk, folded: calls as the phones' own journals tell them.

``tests/captures/README.md`` has the table of stories. Expectations were worked out from the phones alone
(``*.expected.json``); what a capture's author left undecided is decided here, each with its reason.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from callcenter.calls import intervals as iv
from callcenter.calls.model import Call, Direction, TransferKind
from callcenter.calls.recorded import begun_at, on_our_side, seats_of
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


IN_TURN = {
    "attended-transfer-ami": ("1001", "1002"),
    "attended-transfer-feature": ("1001", "1002"),
    "attended-transfer-replaces": ("1001", "1002"),
    "blind-transfer-ami": ("1001", "1002"),
    "blind-transfer-feature": ("1001", "1002"),
    "blind-transfer-refer": ("1001", "1002"),
    "elsewhere-attended-over-queue": ("1001", "1002"),
    "elsewhere-attended-to-ringing": ("1001", "1002"),
    "elsewhere-feature-to-nobody": ("1001",),
    "elsewhere-refer-outside": ("1001",),
    "elsewhere-refer-three-times": ("1001", "1002", "1003", "1001"),
    "hotline-transfer-refer": ("1002", "1004"),
    "queue-attended-transfer-replaces": ("1001", "1002"),
    "queue-blind-transfer-refer": ("1001", "1003"),
}
"""Stories in which a seat hands the caller on: who speaks on our side, in turn. A number outside is no seat."""


HANDED_OUTSIDE = ("elsewhere-inside-then-outside", "elsewhere-refer-outside")
"""Talk goes on with somebody over a line, who is no seat."""


def _customers(story: str, account: str) -> list[Call]:
    return [one for one in calls([CAPTURES / f"{story}{account}.ami"]) if one.direction is Direction.INBOUND]


@pytest.mark.parametrize("account", ["", ".least"])
@pytest.mark.parametrize("story", IN_TURN)
def test_after_a_transfer_our_side_is_the_next_seat(story: str, account: str) -> None:
    """A blind one's from its lifting, an attended one's from the moment that the consultation was joined."""
    (call,) = _customers(story, account)
    assert call.caller_gone_at is not None
    seconds = call.caller_gone_at - (call.answered_at or 0.0)
    found = on_our_side(call, seconds)
    assert tuple(one.seat for one in found) == IN_TURN[story]
    began = begun_at(call, seconds) or 0.0
    for transfer, after in zip(call.transfers, found[1:], strict=False):
        (lifted,) = [ring.ended_at for ring in call.rings if ring.seat == after.seat][-1:]
        assert lifted is not None
        expected = lifted if transfer.kind is TransferKind.BLIND else max(lifted, transfer.at)
        assert began + after.start == pytest.approx(expected, abs=0.25)


@pytest.mark.parametrize("account", ["", ".least"])
@pytest.mark.parametrize("story", STORIES)
def test_our_side_of_every_recording(story: str, account: str) -> None:
    """Sorted, disjoint for each seat, inside the recording; begun by the seat that answered; and together as long as
    the talk that the phones' journals tell of."""
    for call in calls([CAPTURES / f"{story}{account}.ami"]):
        if call.caller_gone_at is None or call.answered_at is None:
            assert call.stays == ()
            continue
        seconds = call.caller_gone_at - call.answered_at
        found = on_our_side(call, seconds)
        assert [one.start for one in found] == sorted(one.start for one in found)
        assert all(0 <= one.start < one.end <= seconds for one in found)
        for seat in seats_of(call):
            own = [(one.start, one.end) for one in found if one.seat == seat]
            assert iv.union(own) == own
        if call.direction is Direction.OUTBOUND or not found:
            continue
        assert (found[0].seat, found[0].start) == (call.answered_by, pytest.approx(0.0, abs=0.01))
        talked = iv.total(iv.union((one.start, one.end) for one in found))
        if story not in HANDED_OUTSIDE:
            assert talked == pytest.approx(call.talk_seconds, abs=0.3), call.call_id
