"""Each ended call counts once, also one whose end only Asterisk's records tell."""

from dataclasses import replace

import pytest

from callcenter.calls.model import Call, Direction, Outcome, Phase
from callcenter.metrics import endings
from callcenter.metrics.endings import PATIENCE_SECONDS, Endings

RUNNING = Call("pbx", "1.1", Direction.INBOUND, Phase.TALKING)
SEEN = replace(RUNNING, phase=Phase.ENDED, outcome=Outcome.ANSWERED, ended_at=60.0)
LOST = replace(RUNNING, phase=Phase.ENDED, outcome=Outcome.UNKNOWN)
FILLED = replace(SEEN, recovered=True)


@pytest.fixture
def counted() -> list[Call]:
    return []


@pytest.fixture
def ends(counted: list[Call]) -> Endings:
    return Endings(counted.append, has_records=True)


def test_a_call_counts_when_it_ends_and_never_again(ends: Endings, counted: list[Call]) -> None:
    ends.changed(None, RUNNING, 0)
    assert counted == []
    ends.changed(RUNNING, SEEN, 1)
    ends.changed(SEEN, replace(SEEN, cause=16), 2)
    ends.overdue(1_000)
    assert counted == [SEEN]


def test_a_call_whose_end_was_missed_counts_as_its_records_tell(ends: Endings, counted: list[Call]) -> None:
    ends.changed(RUNNING, LOST, 0)
    ends.overdue(PATIENCE_SECONDS - 1)
    assert counted == []
    ends.changed(LOST, FILLED, 30)
    ends.overdue(1_000)
    assert counted == [FILLED]


def test_without_records_it_counts_as_unknown_after_a_while_and_once(ends: Endings, counted: list[Call]) -> None:
    ends.changed(RUNNING, LOST, 0)
    ends.overdue(PATIENCE_SECONDS)
    ends.changed(LOST, FILLED, PATIENCE_SECONDS + 1)
    assert counted == [LOST]


def test_where_no_records_are_followed_nothing_waits(counted: list[Call]) -> None:
    Endings(counted.append, has_records=False).changed(RUNNING, LOST, 0)
    assert counted == [LOST]


def test_a_call_that_nobody_saw_counts_when_it_is_found(ends: Endings, counted: list[Call]) -> None:
    ends.changed(None, FILLED, 0)
    ends.changed(FILLED, replace(FILLED, cause=16), 1)
    assert counted == [FILLED]


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch, ends: Endings, counted: list[Call]) -> None:
    monkeypatch.setattr(endings, "MAX_REMEMBERED", 3)
    for number in range(5):
        ends.changed(RUNNING, replace(LOST, call_id=str(number)), 0)
    assert [call.call_id for call in counted] == ["0", "1"]
    ends.overdue(PATIENCE_SECONDS)
    assert [call.call_id for call in counted] == ["0", "1", "2", "3", "4"]
