"""B5: which ends of an answered call are a conversation that broke off, by the words of two real Asterisks."""

from pathlib import Path

import pytest

from callcenter.calls.model import Outcome
from callcenter.replay import calls

FOLDER = Path(__file__).parents[1] / "data" / "cut-off"
BROKE_OFF = {
    "customer-killed-rtp": "no_sound",
    "seat-killed-rtp": "no_sound",
    "bye-reason-q850-38": "network",
    "bye-reason-q850-41": "network",
    "22-bye-reason-sip-408": "network",
    "22-bye-reason-sip-503": "network",
    "timers-customer-killed": "network",
}
"""All others were hung up by somebody, or Asterisk called them so."""


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.ami")), ids=lambda file: file.stem)
def test_only_what_was_observed_as_broken_off_is(file: Path) -> None:
    (call,) = calls([file])
    assert (call.outcome, call.answered_by) == (Outcome.ANSWERED, "1001")
    expected = BROKE_OFF.get(file.stem) or BROKE_OFF.get(file.stem[3:])
    assert call.cut_off == expected


def test_both_asterisks_and_both_kinds_of_ends_are_there() -> None:
    names = {file.stem for file in FOLDER.glob("*.ami")}
    for version in ("22", "16"):
        of_version = {name[3:] for name in names if name.startswith(version)}
        assert of_version & BROKE_OFF.keys()
        assert of_version - BROKE_OFF.keys()
