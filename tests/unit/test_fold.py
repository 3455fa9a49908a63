"""The evidence: bounded per call, forgotten whole, and following Asterisk when it links calls."""

import pytest

from callcenter.ami.events import LISTENER, Hangup, MemberGone, MemberState, Snapshot, SnapshotChannel
from callcenter.calls.evidence import MAX_LEGS, MAX_NOTES, Book
from callcenter.calls.fold import fold
from callcenter.calls.naming import endpoint, is_line, unwrapped
from tests.fakes.story import CALL_ID, T0, Legs, book_of, call_of, told


def busy_tries(count: int) -> str:
    """A queue whose only seat is busy: a try five times a second."""
    lines = ["0.0 Newchannel caller Ring 13800138000 4008", "0.1 QueueCallerJoin caller it"]
    for number in range(count):
        at = 1 + number * 0.2
        leg = f"900{number}"
        lines += [f"{at} Newchannel {leg} Down", f"{at} DialBegin {leg}", f"{at} Hangup {leg} 17"]
    return "\n".join(lines)


def test_a_caller_whom_all_seats_are_too_busy_for_takes_no_more_than_so_much_memory() -> None:
    book = book_of(told(busy_tries(3 * MAX_LEGS)))
    (call,) = book.calls.values()
    assert len(call.legs) <= MAX_LEGS
    assert CALL_ID in call.legs, "the caller is never forgotten"


def test_a_phone_that_holds_without_end_takes_no_more_than_so_much_memory() -> None:
    """A re-INVITE per packet is enough for it; the call says that it is not whole."""
    lines = ["0.0 Newchannel caller Ring 138 4008", "0.1 DialBegin 1001", "1.0 Newstate 1001 Up"]
    for number in range(3 * MAX_NOTES):
        lines += [f"{2 + number} Hold 1001", f"{2.5 + number} Unhold 1001", f"{2 + number} BridgeEnter 1001 b{number}"]
    (call,) = book_of(told("\n".join(lines))).calls.values()
    assert call.gap
    assert all(len(leg.holds) <= MAX_NOTES and len(leg.moves) <= MAX_NOTES for leg in call.legs.values())
    assert not call_of("\n".join(lines)).complete


def test_a_call_that_is_let_go_leaves_nothing_behind() -> None:
    """Also of the attempts that were forgotten while it waited: else a busy hotline grows for ever."""
    book = book_of(told(busy_tries(3 * MAX_LEGS)))
    book.let_go(CALL_ID)
    assert (book.calls, book.owner, book.merged) == ({}, {}, {})


def test_an_attempt_that_was_forgotten_does_not_come_back() -> None:
    legs = Legs()
    events = told(busy_tries(2 * MAX_LEGS), legs)
    book = book_of(events)
    (call,) = book.calls.values()
    before = set(call.legs)
    forgotten = next(e for e in events if isinstance(e, Hangup) and e.uniqueid not in before)
    fold(book, forgotten)
    assert set(call.legs) == before


@pytest.mark.parametrize(
    ("interface", "state_interface", "seat"),
    [
        ("PJSIP/1001", "", "1001"),
        ("PJSIP/desk-1", "", "desk-1"),
        ("Local/1001@agents/n", "", "1001"),
        ("Local/1001@from-queue/n", "PJSIP/1001", "1001"),
        ("Local/1001@from-queue/n", "hint:1001@ext-local", "1001"),
        ("Local/1009@pool/n", "Agent:1009", "1009"),
        ("PJSIP/1001", "Custom:DND1001", "1001"),
    ],
)
def test_which_seat_a_queue_member_stands_for(interface: str, state_interface: str, seat: str) -> None:
    book = Book()
    fold(book, MemberState(T0, "it", interface, state_interface, "", 1, False, ""))
    assert [member.interface for member in book.members_of(seat)] == [interface]


def test_what_was_let_go_is_not_begun_again_by_a_straggler_and_the_list_of_those_is_bounded() -> None:
    book = Book()
    for number in range(20_100):
        call_id = f"pbx-1700000000.{number}"
        fold(book, Hangup(T0, call_id, call_id, "PJSIP/a-1", 16, ""))
        book.let_go(call_id)
    assert len(book.retired) == 20_000
    last = "pbx-1700000000.20099"
    fold(book, Hangup(T0, last, last, "PJSIP/a-1", 16, ""))
    assert book.calls == {}


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("PJSIP/1001-0000002a", "1001"),
        ("PJSIP/trunk-a-0000002a", "trunk-a"),
        ("Local/1001@seats-00000001;2", "1001"),
        ("AsyncGoto/PJSIP/1001-0000002a", "1001"),
        ("Bridge/PJSIP/1001-0000002a<ZOMBIE>", "1001"),
        ("PJSIP/1001", "1001"),
        ("PJSIP/acme.sip-trunk_1@eu-0000001f", "acme.sip-trunk_1@eu"),
        ("SIP/1001-0000001a", "1001"),
        ("IAX2/trunk-12345", "trunk"),
        ("DAHDI/5-1", "5"),
        ("DAHDI/i1/13800138000-2", "i1"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_the_endpoint_in_a_channels_name(channel: str, name: str) -> None:
    assert endpoint(channel) == name


def test_wrappers_and_zombies_are_the_same_channel() -> None:
    assert unwrapped("Transfered/PJSIP/a-1<ZOMBIE>") == "PJSIP/a-1"


@pytest.mark.parametrize(
    ("dial_string", "name", "line"),
    [
        ("13800138000@trunk", "trunk", True),
        ("trunk/13800138000", "trunk", True),
        ("trunk/+8613800138000", "trunk", True),
        ("1001", "1001", False),
        ("1001/sip:1001@192.0.2.5", "1001", False),
        ("1001@seats", "1001", False),
        ("1001/1001", "1001", False),
        ("1001/sip:13800138000@192.0.2.5", "1001", False),
        ("alice/sip:k3j5h2l1@192.0.2.9:5060;transport=ws", "alice", False),
        ("trunk/sip:+8613800138000@192.0.2.9:5060", "trunk", True),
        ("g0/13800138000", "i1", True),
        ("13800138000@acme.sip@eu", "acme.sip@eu", True),
    ],
)
def test_which_dial_strings_send_a_number_over_a_line(dial_string: str, name: str, line: bool) -> None:
    assert is_line(dial_string, name) is line


@pytest.mark.parametrize(
    ("dial_string", "number"),
    [
        ("13800138000@trunk", "13800138000"),
        ("trunk/13800138000", "13800138000"),
        ("trunk/sip:13800138000@192.0.2.9", "13800138000"),
        ("PJSIP/13800138000@trunk", "13800138000"),  # as Queue() writes it
    ],
)
def test_a_mobile_behind_a_line_is_named_by_its_number(dial_string: str, number: str) -> None:
    table = f"0.0 Newchannel caller Ring 138 4008\n0.1 DialBegin trunk caller {dial_string}\n1.0 Newstate trunk Up"
    assert call_of(table).answered_by == number


def test_the_latest_name_holds_and_an_empty_one_takes_nothing_back() -> None:
    call = call_of("0.0 Newchannel caller Ring 138 4008 Old Name\n1.0 NewCallerid caller 139\n2.0 NewCallerid caller")
    assert (call.caller_number, call.caller_name) == ("139", "Old Name")


def test_a_channel_that_only_the_snapshot_knows_is_a_call_of_which_the_beginning_is_missing() -> None:
    alive = SnapshotChannel(CALL_ID, CALL_ID, "PJSIP/trunk-1", "Up", "138", "", "c", "4008", "Queue", "it", "", 30.0)
    book = book_of([Snapshot(T0, (alive,), (), ())])
    leg = book.calls[CALL_ID].legs[CALL_ID]
    assert (leg.created_at, leg.born, leg.was_up, leg.up_at) == (T0 - 30.0, False, True, None)


def test_members_move_between_seats_and_leave() -> None:
    member = MemberState(T0, "it", "Local/x@seats/n", "PJSIP/1001", "x", 1, False, "")
    book = book_of([member])
    assert [m.queue for m in book.members_of("1001")] == ["it"]
    fold(book, member._replace(state_interface="PJSIP/1002"))
    assert (book.members_of("1001"), len(book.members_of("1002"))) == ([], 1)
    fold(book, MemberGone(T0, "it", "Local/x@seats/n"))
    fold(book, MemberGone(T0, "it", "Local/x@seats/n"))
    assert book.members_of("1002") == []
    assert book.touched_seats == {"1001", "1002"}


def test_the_channels_by_which_we_listen_are_no_call() -> None:
    """Neither from their events nor from a snapshot, and they do not touch the call that they hear."""
    legs = Legs()
    events = told("0.0 Newchannel caller Ring 138 4008", legs)
    book = book_of(events)
    stream = f"{LISTENER}8c5d7b1e-0000-4000-8000-0123456789ab"
    for event in events:
        fold(book, event._replace(uniqueid=stream, linkedid=stream))  # type: ignore[call-arg,union-attr]
    channel = SnapshotChannel(stream, stream, "AudioSocket/x-1", "Up", *[""] * 7, 1.0)
    fold(book, Snapshot(T0 + 1, (channel,), (), ()))
    assert list(book.calls) == [CALL_ID]
