"""The event log's rows: there and back, and rows of another version."""

import json

import pytest

from callcenter.ami import journal
from callcenter.ami.events import Hangup, LinkLost, LinkUp, MemberState, Newstate, Snapshot, SnapshotChannel, UserEvent

CHANNEL = SnapshotChannel("1.1", "1.1", "PJSIP/a-1", "Up", "138", "张三", "c", "s", "Queue", "it", "b", 4.5)
MEMBER = MemberState(1.5, "it", "PJSIP/1001", "", "1001", None, True, "午休")
EVENTS = [
    LinkUp(1_700_000_000.123456, "Asterisk Call Manager/11.0.0"),
    Snapshot(1_700_000_000.5, (CHANNEL, CHANNEL), (MEMBER,), (("it", "1.1", 3.25),), ("it", "vip")),
    Snapshot(1.0, (), (), ()),
    Newstate(None, "1.1", "1.1", "PJSIP/a-1", "Ringing"),
    UserEvent(2.5, "1.1", "1.1", "CallcenterStep", (("Detail", 'a"\\\r\n\u2028'), ("Step", "arrival"))),
    LinkLost(3.0, "the network \ud800"),
]


def test_there_and_back() -> None:
    again = journal.loads(journal.dumps(EVENTS))
    assert again == EVENTS
    assert [type(event) for event in again] == [type(event) for event in EVENTS]


def test_a_row_is_one_line_of_ascii() -> None:
    row = journal.dumps(EVENTS)
    assert row.isascii()
    assert b"\n" not in row


@pytest.mark.parametrize(
    "strange",
    [
        ["Teleport", 1.0],
        ["Newstate", 1.0, "1.1"],
        ["Newstate", 1.0, "1.1", "1.1", "PJSIP/a-1", "Up", "one more"],
        ["Snapshot", 1.0, [["1.1", "too short"]], [], []],
        ["Snapshot", 1.0, [], [["it"]], []],
        ["Snapshot", 1.0, [7], [], []],
        [],
        7,
        [["Newstate"]],
        {"Newstate": 1},
        None,
    ],
)
def test_an_entry_of_another_version_is_left_out(strange: object) -> None:
    """After an update the log may hold what the new version does not know: the daemon starts all the same."""
    known = Newstate(1.0, "1.1", "1.1", "PJSIP/a-1", "Up")
    row = json.dumps([strange, ["Newstate", *known]]).encode()
    assert journal.loads(row) == [known]


@pytest.mark.parametrize("row", [b"", b"\xff", b"{", b"7", b"null", b"{}"])
def test_what_is_no_row_is_refused_in_one_way(row: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        journal.loads(row)


def test_a_row_of_before_an_event_gained_a_field_is_read() -> None:
    """The tail of the log is folded again after an update: no hang-up in it may be lost."""
    row = json.dumps([["Hangup", 1.0, "1.1", "1.1", "PJSIP/a-1", 16, ""]]).encode()
    assert journal.loads(row) == [Hangup(1.0, "1.1", "1.1", "PJSIP/a-1", 16, "")]


def test_a_snapshot_of_before_members_gained_a_field_is_read() -> None:
    whole = Snapshot(1.0, (), (MEMBER,), ())
    row = json.loads(journal.dumps([whole]))
    row[0][3] = [member[:8] for member in row[0][3]]
    del row[0][5]  # nor did it tell the queues
    assert journal.loads(json.dumps(row).encode()) == [whole]
