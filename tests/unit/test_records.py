"""Asterisk's call records become calls: rows as the dialplan's configuration writes them."""

from dataclasses import replace

import pytest

from callcenter.calls.derive import Terms
from callcenter.calls.model import Call, Direction, EndedBy, Outcome, Phase
from callcenter.calls.records import COLUMNS, Record, fill, needs_records, parse_rows, recover
from callcenter.rules.cadence import BY_COUNTRY
from tests.fakes.story import T0

TERMS = Terms("pbx", BY_COUNTRY["cn"], lines=frozenset({"trunk"}), seats=frozenset({"1001", "1002"}))
CALL_ID = "pbx-1700000000.0"


def row(**values: str) -> str:
    """One line of the record file; by default a caller whom 1001 answered after 5 s and who talked for 10 s."""
    defaults = {
        "linkedid": CALL_ID,
        "uniqueid": CALL_ID,
        "start": f"{T0}",
        "answer": f"{T0 + 5}",
        "end": f"{T0 + 15}",
        "src": "13800138000",
        "clid": '"张三" <13800138000>',
        "dst": "4008",
        "channel": "PJSIP/trunk-00000000",
        "dstchannel": "PJSIP/1001-00000001",
        "disposition": "ANSWERED",
        "lastapp": "Dial",
        "userfield": "it",
    }
    cells = ({**defaults, **values}.get(name, "") for name in COLUMNS)
    return ",".join('"{}"'.format(cell.replace('"', '""')) for cell in cells) + "\n"


def records(*rows: str) -> list[Record]:
    found, bad = parse_rows(rows)
    assert bad == 0
    return found


def recovered(*rows: str) -> Call:
    call = recover(records(*rows), TERMS)
    assert call is not None
    return call


def test_an_answered_call() -> None:
    call = recovered(row())
    assert (call.outcome, call.answered_by, call.queue, call.dialled) == (Outcome.ANSWERED, "1001", "it", "4008")
    assert (call.wait_seconds, call.talk_seconds, call.caller_name) == (5.0, 10.0, "张三")
    assert (call.phase, call.ended_by, call.ended_at) == (Phase.ENDED, EndedBy.UNKNOWN, T0 + 15)
    assert (call.recovered, call.complete) == (True, False), "rings, holds and who hung up are not in the records"


def test_one_row_for_each_seat_that_was_tried_is_one_call() -> None:
    tried = row(answer="", end=f"{T0 + 4}", disposition="NO ANSWER")
    call = recovered(tried, row(dstchannel="PJSIP/1002-00000002"))
    assert (call.answered_by, call.arrived_at) == ("1002", T0)


@pytest.mark.parametrize(
    ("cells", "outcome"),
    [
        ({"disposition": "NO ANSWER", "answer": ""}, Outcome.ABANDONED),
        ({"disposition": "NO ANSWER", "answer": "", "lastapp": "Queue"}, Outcome.ABANDONED),
        ({"disposition": "NO ANSWER", "answer": "", "lastapp": "Hangup"}, Outcome.UNKNOWN),
        ({"dstchannel": "", "lastapp": "Playback"}, Outcome.OVERFLOWED),
    ],
    ids=["left in Dial", "left in Queue", "left in the menu", "the dialplan answered"],
)
def test_unanswered(cells: dict[str, str], outcome: Outcome) -> None:
    call = recovered(row(**cells))
    assert (call.outcome, call.answered_by, call.talk_seconds) == (outcome, None, None)


@pytest.mark.parametrize(
    ("cells", "direction"),
    [
        ({}, Direction.INBOUND),
        ({"channel": "PJSIP/1001-0", "src": "1001", "dstchannel": "PJSIP/trunk-1"}, Direction.OUTBOUND),
        ({"channel": "PJSIP/1001-0", "src": "1001", "dstchannel": "PJSIP/1002-1"}, Direction.INTERNAL),
    ],
)
def test_which_way(cells: dict[str, str], direction: Direction) -> None:
    call = recovered(row(**cells))
    assert call.direction is direction
    assert call.answered_by == {"inbound": "1001", "outbound": None, "internal": "1002"}[direction]


def test_helpers_without_a_telephone_are_no_call() -> None:
    assert recover(records(row(channel="Local/1@x-0;1")), TERMS) is None


@pytest.mark.parametrize(
    "line",
    [
        "half,a,line\n",
        "\n",
        "\x00\x01\xff\n",
        row(linkedid=""),
        row(start=""),
        row(start="0"),
        row(start="inf"),
        row(start="nan"),
        row(start="1e300"),
        row(clid="x" * 200_000),
    ],
    ids=["cells", "empty", "bytes", "no id", "no start", "zero", "inf", "nan", "too late", "longer than csv allows"],
)
def test_what_is_no_record_is_counted_and_stops_nothing(line: str) -> None:
    found, bad = parse_rows([line, row()])
    assert [record.call_id for record in found] == [CALL_ID]
    assert bad == 1


def test_hostile_cells_are_made_harmless() -> None:
    (record,) = records(row(clid='"a\tb\x07" <138>', src="1" * 500, userfield="%E5%94%AE%0a"))
    assert (record.name, len(record.number), record.queue) == ("a b", 64, "售")


def test_endless_cells_are_bounded() -> None:
    (record,) = records(row(userfield="q" * 2_000))
    assert record.queue == "q" * 79 + "…"
    assert parse_rows([row(linkedid="1" * 300)]) == ([], 1)
    assert parse_rows([row(channel="PJSIP/" + "1" * 300)]) == ([], 1)


OBSERVED = Call("pbx", CALL_ID, Direction.INBOUND, Phase.TALKING, caller_number="13900000000", arrived_at=T0 + 0.25)


def test_what_was_observed_stays_and_what_is_missing_is_filled() -> None:
    call = fill(replace(OBSERVED, rings_heard=2, seats_missed=("1002",), talking_to=("1001",)), recovered(row()))
    assert (call.caller_number, call.arrived_at, call.rings_heard) == ("13900000000", T0 + 0.25, 2)
    assert (call.outcome, call.ended_at, call.answered_by, call.dialled) == (
        Outcome.ANSWERED,
        T0 + 15,
        "1001",
        "4008",
    )
    assert (call.phase, call.talking_to, call.recovered, call.complete) == (Phase.ENDED, (), True, False)
    assert call.seats_missed == ("1002",)


def test_an_observed_outcome_is_not_replaced() -> None:
    assert fill(replace(OBSERVED, outcome=Outcome.OVERFLOWED), recovered(row())).outcome is Outcome.OVERFLOWED


def test_zero_seconds_of_waiting_are_seconds() -> None:
    assert fill(replace(OBSERVED, wait_seconds=0.0), recovered(row())).wait_seconds == 0.0


@pytest.mark.parametrize(
    ("stored", "needs"),
    [
        (OBSERVED, True),
        (replace(OBSERVED, ended_at=T0 + 9, outcome=Outcome.UNKNOWN), True),
        (replace(OBSERVED, ended_at=T0 + 9, outcome=Outcome.ABANDONED), False),
    ],
)
def test_which_stored_calls_need_their_records(stored: Call, needs: bool) -> None:
    assert needs_records(stored) is needs
