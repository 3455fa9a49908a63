"""``callcenter replay``: the same bytes give the same lines, in any number of pieces."""

import itertools
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter import replay
from callcenter.calls.model import Call, Direction, Phase
from callcenter.replay import CaptureError, as_dict, calls, terms_of, to_json
from callcenter.settings import Asterisk, Queue, Rings, Settings

CAPTURES = Path(__file__).parents[1] / "captures"
STREAMS = sorted(CAPTURES.glob("*.least.ami"))
KEYS = [
    *("call_id", "direction", "caller_number", "caller_name", "dialled", "queue", "arrived_at", "answered_at"),
    *("ended_at", "rings_heard", "wait_seconds", "outcome", "answered_by", "seats_missed", "talk_seconds"),
    *("hold_seconds", "holds", "transfers", "ended_by", "recording", "breaches", "complete"),
]
"""The keys of a line are part of the command's promise."""


def lines(*files: Path) -> list[str]:
    return [to_json(call) for call in calls(files)]


def message(*headers: str) -> str:
    return "\r\n".join(headers) + "\r\n\r\n"


def arrival(number: int, at: float | None = 1_700_000_000.0, name: str = "") -> str:
    uniqueid = f"pbx-1700000000.{number}"
    stamp = [] if at is None else [f"Timestamp: {at}"]
    return message(
        *("Event: Newchannel", "Privilege: call,all", *stamp, f"Channel: PJSIP/trunk-{number:08x}"),
        *("ChannelStateDesc: Ring", "CallerIDNum: 138", f"CallerIDName: {name}", "Exten: 4008"),
        *(f"Uniqueid: {uniqueid}", f"Linkedid: {uniqueid}"),
    )


def departure(number: int, at: float | None = 1_700_000_009.0) -> str:
    uniqueid = f"pbx-1700000000.{number}"
    stamp = [] if at is None else [f"Timestamp: {at}"]
    return message(
        *("Event: Hangup", "Privilege: call,all", *stamp, f"Channel: PJSIP/trunk-{number:08x}"),
        *(f"Uniqueid: {uniqueid}", f"Linkedid: {uniqueid}", "Cause: 16"),
    )


def pieces_of(folder: Path, data: bytes, cuts: list[int]) -> list[Path]:
    borders = [0, *sorted(cuts), len(data)]
    files = [folder / f"piece-{number}" for number in range(len(borders) - 1)]
    for file, (start, end) in zip(files, itertools.pairwise(borders), strict=True):
        file.write_bytes(data[start:end])
    return files


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name.split(".")[0])
def test_every_line_has_the_promised_keys_in_their_order_and_is_json(path: Path) -> None:
    found = lines(path)
    assert found
    for line in found:
        assert "\n" not in line
        told = json.loads(line)
        assert list(told) == KEYS
        assert told["direction"] in ("inbound", "outbound", "internal")
        assert told["outcome"] in ("answered", "abandoned", "overflowed", "failed", "unknown")
        assert told["ended_by"] in ("caller", "seat", "system", "unknown")
        assert all(set(transfer) == {"kind", "from", "to"} for transfer in told["transfers"])


@pytest.mark.parametrize("path", STREAMS[::6], ids=lambda path: path.name.split(".")[0])
def test_twice_the_same(path: Path) -> None:
    assert lines(path) == lines(path)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(STREAMS), st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_the_pieces_of_a_cut_capture_equal_the_whole(
    tmp_path_factory: pytest.TempPathFactory, path: Path, cuts: list[float]
) -> None:
    data = path.read_bytes()
    files = pieces_of(tmp_path_factory.mktemp("cut"), data, [int(cut * len(data)) for cut in cuts])
    assert lines(*files) == lines(path)


def test_a_capture_cut_at_every_byte_of_a_user_event_equals_the_whole(tmp_path: Path) -> None:
    """Cut inside "UserEvent: ", the second piece begins like a message of its own."""
    said = message(
        *("Event: UserEvent", "Privilege: user,all", "Timestamp: 1700000004.0", "Channel: PJSIP/trunk-00000001"),
        *("Uniqueid: pbx-1700000000.1", "Linkedid: pbx-1700000000.1", "UserEvent: Overflow", "Reason: TIMEOUT"),
    )
    head, tail = arrival(1).encode(), departure(1).encode()
    data = head + said.encode() + tail
    whole = lines(*pieces_of(tmp_path, data, []))
    assert json.loads(whole[0])["outcome"] == "overflowed"
    for cut in range(len(head), len(head) + len(said)):
        assert lines(*pieces_of(tmp_path, data, [cut])) == whole, cut


def test_a_piece_that_begins_afresh_drops_what_the_one_before_left_unfinished(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text(arrival(1) + "Event: Hangup\r\nUniqueid: pbx-17", newline="")
    second.write_text(arrival(2), newline="")
    assert len(lines(first, second)) == 2


def test_a_new_connection_in_the_stream_makes_running_calls_incomplete(tmp_path: Path) -> None:
    file = tmp_path / "a"
    banner = "Asterisk Call Manager/11.0.0\r\n"
    file.write_text(banner + arrival(1) + arrival(2) + departure(2) + banner + departure(1), newline="")
    complete = {json.loads(line)["call_id"][-1]: json.loads(line)["complete"] for line in lines(file)}
    assert complete == {"1": False, "2": True}


def test_a_call_that_still_runs_is_not_complete_and_has_no_end(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text(arrival(1), newline="")
    told = json.loads(lines(file)[0])
    assert (told["complete"], told["ended_at"], told["outcome"], told["ended_by"]) == (
        False,
        None,
        "unknown",
        "unknown",
    )


def test_without_timestamps_nothing_is_told_of_times(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text(arrival(1, None) + arrival(2, None) + departure(1, None), newline="")
    told = [json.loads(line) for line in lines(file)]
    assert [call["call_id"][-1] for call in told] == ["1", "2"], "the order is kept"
    for call in told:
        assert {call[key] for key in ("arrived_at", "answered_at", "ended_at", "wait_seconds", "talk_seconds")} == {
            None
        }


def test_a_capture_begun_in_mid_call_tells_who_called_and_not_when(tmp_path: Path) -> None:
    """Every event of a channel says who is at it; what came before the capture stays unknown."""
    whole = (CAPTURES / "direct-caller-hangs-up.least.ami").read_bytes()
    file = tmp_path / "piece"
    file.write_bytes(whole[whole.index(b"Event: BridgeEnter") :])
    (told,) = (json.loads(line) for line in lines(file))
    assert (told["caller_number"], told["caller_name"]) == ("13800000001", "Zhang San")
    assert told["outcome"] == "answered", "it was in a bridge with a seat"
    for key in ("arrived_at", "answered_at", "talk_seconds"):
        assert told[key] is None
    assert not told["complete"]
    file.write_bytes(whole[whole.rindex(b"Event: Hangup\r\n") :])
    (told,) = (json.loads(line) for line in lines(file))
    assert told["outcome"] == "unknown", "no giving up: nobody saw a waiting"


def test_a_piece_may_begin_between_a_line_end_and_its_other_half(tmp_path: Path) -> None:
    """It is no file whose line ends were changed, though no CR LF is in it."""
    data = (arrival(1) + departure(1)).encode()
    assert lines(*pieces_of(tmp_path, data, [len(data) - 1])) == lines(*pieces_of(tmp_path, data, []))


STAMPS = re.compile(rb"Timestamp: [0-9.]+\r\n")


@pytest.mark.parametrize("story", ["elsewhere-both-missed", "queue-two-misses", "hold-twice", "queue-ring-all"])
def test_without_timestamps_it_is_known_who_and_not_how_long(tmp_path: Path, story: str) -> None:
    """What is told of people is the same; counts and durations that rest on times are null where there were any."""
    whole, bare = CAPTURES / f"{story}.least.ami", tmp_path / "bare"
    bare.write_bytes(STAMPS.sub(b"", whole.read_bytes()))
    (timed,), (untimed,) = ([json.loads(line) for line in lines(file)] for file in (whole, bare))
    for key in ("direction", "outcome", "answered_by", "seats_missed", "holds", "transfers", "ended_by", "queue"):
        assert untimed[key] == timed[key], key
    assert untimed["rings_heard"] is None
    assert untimed["hold_seconds"] == (None if timed["holds"] else 0.0)


@pytest.mark.parametrize("story", ["elsewhere-menu-two-queues", "hostile-names", "link-lost-mid-call"])
def test_line_ends_that_some_tool_has_changed_change_nothing(tmp_path: Path, story: str) -> None:
    whole, changed = CAPTURES / f"{story}.ami", tmp_path / "changed"
    changed.write_bytes(whole.read_bytes().replace(b"\r\n", b"\n"))
    assert lines(changed) == lines(whole)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(rb"PJSIP/", rb"SIP/", id="chan_sip"),
        pytest.param(rb"PJSIP/(trunk|acme-trunk-1)-0*", rb"IAX2/\1-9", id="iax2"),
        pytest.param(rb"(DialString: |SystemName: )?pbx-(?=1)", rb"", id="no systemname"),
        pytest.param(rb"(Timestamp: \d+\.\d{3})\d+", rb"\1", id="milliseconds"),
    ],
)
@pytest.mark.parametrize("story", ["queue-two-misses", "outgoing-answered", "elsewhere-refer-outside", "pickup-group"])
def test_other_channel_drivers_and_settings_tell_the_same(tmp_path: Path, story: str, old: bytes, new: bytes) -> None:
    """Written by hand from real captures: those drivers and settings are not in the lab."""
    whole, other = CAPTURES / f"{story}.least.ami", tmp_path / "other"
    other.write_bytes(re.sub(old, new, whole.read_bytes()))
    for one, two in zip(calls([whole]), calls([other]), strict=True):
        for key, told in as_dict(one).items():
            same = as_dict(two)[key]
            if isinstance(told, float):
                assert same == pytest.approx(told, abs=0.002)
            elif key not in ("call_id", "recording"):
                assert same == told, key


def test_calls_are_in_order_of_arrival(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text(arrival(3, 1_700_000_003.0) + arrival(1, 1_700_000_001.0) + arrival(2, 1_700_000_002.0), newline="")
    assert [json.loads(line)["call_id"][-1] for line in lines(file)] == ["1", "2", "3"]


def test_line_breaks_in_a_name_do_not_break_a_line() -> None:
    call = Call("pbx", "1.1", Direction.INBOUND, Phase.ENDED, caller_name='a\r\n"\u2028b张')
    assert len(to_json(call).splitlines()) in (1, 2), "U+2028 may stand in JSON; a raw CR or LF may not"
    assert not {"\r", "\n"} & set(to_json(call))
    assert json.loads(to_json(call))["caller_name"] == call.caller_name
    assert list(as_dict(call)) == KEYS


@pytest.mark.parametrize("data", [b"", b"\x00" * 5_000, b"\r\n" * 5_000, b"GET / HTTP/1.1\r\n\r\n", b"\xff\xfe{}"])
def test_what_is_no_capture_is_refused_in_one_sentence(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a"
    file.write_bytes(data)
    with pytest.raises(CaptureError, match=r"a: is no AMI capture \(no message of Asterisk in it\)"):
        lines(file)


def test_a_file_without_an_end_of_a_message_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x" * 600_000)
    with pytest.raises(CaptureError, match=r"is no AMI capture \(more than 262144 bytes"):
        lines(file)


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="missing: cannot be read"):
        lines(tmp_path / "missing")
    with pytest.raises(CaptureError, match="cannot be read"):
        lines(tmp_path)


def test_a_configuration_tells_lines_cadence_and_rings() -> None:
    terms = terms_of(
        Settings(
            asterisk=Asterisk(name="hq", trunks=("sip-a",)), rings=Rings(country="us"), queue_defaults=Queue(rings=2)
        )
    )
    assert (terms.server, terms.lines, terms.rings_allowed) == ("hq", frozenset({"sip-a"}), 2)
    assert terms.cadence.period_seconds == 6.0
    assert terms_of(None) is replay.DEFAULT_TERMS
