"""Headers to typed events: nothing without its identity, no time that nobody told, no control character."""

import pytest

from callcenter.ami import events as ami
from callcenter.ami.codec import Message
from callcenter.ami.parse import WANTED, parse
from callcenter.ami.values import IDENTIFIES, LATEST, MAX_ID, MAX_NAME, MAX_NUMBER, MAX_QUEUE, text

WHOLE: Message = {
    "Timestamp": "1700000000.25",
    "Uniqueid": "1.1",
    "Linkedid": "1.0",
    "Channel": "PJSIP/a-1",
    "DestUniqueid": "1.2",
    "DestLinkedid": "1.0",
    "DestChannel": "PJSIP/b-1",
    "DialStatus": "BUSY",
    "BridgeUniqueid": "b",
    "Queue": "it",
    "Count": "1",
    "Interface": "PJSIP/1001",
    "UserEvent": "Overflow",
    "TransfererUniqueid": "1.1",
    "OrigTransfererUniqueid": "1.1",
    "TargetUniqueid": "1.2",
    "Value": "v",
    "LocalOneUniqueid": "1.1",
    "LocalTwoUniqueid": "1.2",
    "Variable": "QUEUESTATUS",
    "Response": "Success",
}
"""All identities at once: every event finds its own."""
NEEDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Newchannel", "Newstate", "NewCallerid", "Hangup", "HangupRequest", "Hold"), ("Uniqueid",)),
    **dict.fromkeys(("Unhold", "MusicOnHoldStart", "MusicOnHoldStop", "AgentComplete"), ("Uniqueid",)),
    **dict.fromkeys(("DialBegin", "DialState", "DialEnd"), ("DestUniqueid",)),
    **dict.fromkeys(("BridgeEnter", "BridgeLeave"), ("Uniqueid", "BridgeUniqueid")),
    **dict.fromkeys(("QueueCallerJoin", "QueueCallerLeave", "AgentCalled", "AgentConnect"), ("Uniqueid", "Queue")),
    **dict.fromkeys(("QueueMemberStatus", "QueueMemberAdded", "QueueMemberPause"), ("Queue", "Interface")),
    **dict.fromkeys(("QueueMember", "QueueMemberRemoved"), ("Queue", "Interface")),
    "BlindTransfer": ("TransfererUniqueid",),
    "AttendedTransfer": ("OrigTransfererUniqueid",),
    "Pickup": ("Uniqueid", "TargetUniqueid"),
    "LocalBridge": ("LocalOneUniqueid", "LocalTwoUniqueid"),
    "VarSet": ("Uniqueid", "Value"),
    "UserEvent": ("UserEvent",),
    **dict.fromkeys(("OriginateResponse", "Shutdown", "FullyBooted"), ()),
}


def test_the_table_names_every_event_that_is_wanted() -> None:
    assert NEEDS.keys() == WANTED.keys()


@pytest.mark.parametrize("name", sorted(WANTED))
def test_whole_it_is_an_event_without_its_identity_it_is_none(name: str) -> None:
    whole = {"Event": name} | WHOLE
    event = parse(whole)
    assert event is not None
    assert event.at == 1_700_000_000.25
    for key in NEEDS[name]:
        assert parse({k: v for k, v in whole.items() if k != key}) is None, key
        assert parse(whole | {key: ""}) is None, key


@pytest.mark.parametrize("name", sorted(WANTED))
def test_an_event_with_nothing_else_does_not_raise(name: str) -> None:
    assert parse({"Event": name}) is None or NEEDS[name] == ()


@pytest.mark.parametrize("message", [{}, {"Event": "Newexten"}, {"Response": "Success"}, {"Event": ""}])
def test_what_is_no_event_of_ours(message: Message) -> None:
    assert parse(message) is None


# --- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("1700000000.123456", 1_700_000_000.123456),
        ("1700000000", 1_700_000_000.0),
        (None, 7.0),
        ("", 7.0),
        ("soon", 7.0),
        ("nan", 7.0),
        ("inf", 7.0),
        ("-1", 7.0),
        ("0", 7.0),
        ("1e999", 7.0),
        (str(LATEST), 7.0),
    ],
)
def test_asterisks_own_time_or_when_it_was_received(stamp: str | None, at: float) -> None:
    message = {"Event": "Hold", "Uniqueid": "1.1"} | ({} if stamp is None else {"Timestamp": stamp})
    event = parse(message, 7.0)
    assert event is not None
    assert event.at == at
    assert parse(message) is not None, "and without either it is still an event"


# --- values ----------------------------------------------------------------------------------------------------------


def newchannel(**headers: str) -> ami.Newchannel:
    event = parse({"Event": "Newchannel", "Uniqueid": "1.1"} | headers)
    assert isinstance(event, ami.Newchannel)
    return event


@pytest.mark.parametrize("unknown", ["", "<unknown>", "<none>"])
def test_a_caller_who_is_not_known_has_no_name_and_no_number(unknown: str) -> None:
    event = newchannel(CallerIDNum=unknown, CallerIDName=unknown)
    assert (event.caller_number, event.caller_name) == ("", "")


def test_control_characters_never_reach_a_name() -> None:
    name = newchannel(CallerIDName="\r\n张\x00三\x1b[31m\u2028\x85 ").caller_name
    assert name.isprintable()
    assert name.startswith("张 三")


def test_names_and_numbers_are_bounded() -> None:
    event = newchannel(CallerIDNum="1" * 5_000, CallerIDName="张" * 5_000, Exten="9" * 5_000)
    assert [len(event.caller_number), len(event.caller_name), len(event.exten)] == [MAX_NUMBER, MAX_NAME, MAX_NUMBER]


def test_text_keeps_what_a_person_may_read() -> None:
    assert text("O'Neil & Söhne <it> 😀") == "O'Neil & Söhne <it> 😀"


@pytest.mark.parametrize(("cause", "number"), [("16", 16), ("", None), ("sixteen", None), ("9" * 5_000, None)])
def test_a_cause_is_a_number_or_unknown(cause: str, number: int | None) -> None:
    event = parse({"Event": "Hangup", "Uniqueid": "1.1", "Cause": cause})
    assert isinstance(event, ami.Hangup)
    assert event.cause == number


def test_our_dialplans_words_are_decoded_once_and_made_harmless() -> None:
    about = {"Event": "UserEvent", "UserEvent": "CallcenterVariable", "Uniqueid": "1.1", "Exten": "5"}
    event = parse(about | {"Name": "note", "Value": "a%2Cb%0D%0AAction%3A%20Logoff%2520", "ChanVariable:X": "1"})
    assert isinstance(event, ami.UserEvent)
    assert dict(event.fields) == {"Name": "note", "Value": "a,b  Action: Logoff%20"}


def test_a_recording_is_known_from_the_variable_or_the_dialplans_own_word() -> None:
    variable = {"Event": "VarSet", "Uniqueid": "1.1", "Variable": "MIXMONITOR_FILENAME", "Value": "/var/a.wav"}
    assert parse(variable) == ami.RecordingStarted(None, "1.1", "", "/var/a.wav", "", "")
    word = {"Event": "UserEvent", "UserEvent": "CallcenterRecording", "Uniqueid": "1.1"}
    tracks = {"Mixed": "a.wav", "Seat": "a-seat.wav", "Caller": "a%20caller.wav"}
    assert parse(word | tracks) == ami.RecordingStarted(None, "1.1", "", "a.wav", "a-seat.wav", "a caller.wav")


@pytest.mark.parametrize(
    ("variable", "value", "recording"),
    [
        ("MIXMONITOR_FILENAME", "/var/a.wav", "/var/a.wav"),
        ("RECFILE", "/var/a.WAV", "/var/a.WAV"),
        ("RECFILE", "yes", ""),
        ("PROMPT", "/sounds/greeting.wav", ""),
    ],
)
def test_a_recording_named_by_a_channel_variable(variable: str, value: str, recording: str) -> None:
    event = parse({"Event": "Hangup", "Uniqueid": "1.1", f"ChanVariable:{variable}": value})
    assert isinstance(event, ami.Hangup)
    assert event.recording == recording


@pytest.mark.parametrize(("paused", "is_paused"), [("1", True), ("0", False), ("", False), ("yes", False)])
def test_a_member(paused: str, is_paused: bool) -> None:
    event = parse({"Event": "QueueMember", "Queue": "it", "Location": "PJSIP/1001", "Name": "李", "Paused": paused})
    assert event == ami.MemberState(None, "it", "PJSIP/1001", "", "李", None, is_paused, "")


@pytest.mark.parametrize(
    ("paused", "last_pause", "since"),
    [
        ("1", "1795374338", 1795374338.0),
        ("1", "0", None),
        ("1", "", None),
        ("1", "yesterday", None),
        ("1", "-5", None),
        ("1", "9" * 40, None),
        ("0", "1795374338", None),
    ],
)
def test_since_when_a_member_is_paused(paused: str, last_pause: str, since: float | None) -> None:
    event = parse(
        {"Event": "QueueMember", "Queue": "it", "Location": "PJSIP/1001", "Paused": paused, "LastPause": last_pause}
    )
    assert isinstance(event, ami.MemberState)
    assert event.paused_at == since


def test_an_originate_that_made_no_channel_has_no_id() -> None:
    event = parse({"Event": "OriginateResponse", "ActionID": "7", "Response": "Failure", "Uniqueid": "<unknown>"})
    assert event == ami.OriginateResponse(None, "7", False, "", "")


NAMES = {
    *("Queue", "Channel", "DestChannel", "Interface", "MemberName", "CallerIDNum", "CallerIDName", "Context", "Exten"),
    *(
        "Uniqueid",
        "Linkedid",
        "DestUniqueid",
        "DialString",
        "UserEvent",
        "Detail",
        "Extension",
        "PausedReason",
        "Value",
    ),
}
NEVER_KEPT = {"state", "status", "reason", "result", "action_id"}
"""Words that are compared and forgotten."""


@pytest.mark.parametrize("event", sorted(WANTED))
@pytest.mark.parametrize("header", sorted(NAMES | IDENTIFIES))
def test_no_name_is_endless(event: str, header: str) -> None:
    """Pages, exports and the store carry what is kept here."""
    found = parse({**WHOLE, "Event": event, header: "x" * 200_000})
    if found is None:
        return
    kept = {name: value for name, value in found._asdict().items() if name not in NEVER_KEPT}
    assert len(str(kept)) < 3_000, kept.keys()


def test_a_queues_endless_name_is_cut_and_shows_it() -> None:
    found = parse({**WHOLE, "Event": "QueueCallerJoin", "Queue": "队" * 200_000})
    assert isinstance(found, ami.QueueCallerJoin)
    assert found.queue == "队" * (MAX_QUEUE - 1) + "…"
    found = parse({**WHOLE, "Event": "QueueCallerJoin", "Queue": "q" * MAX_QUEUE})
    assert isinstance(found, ami.QueueCallerJoin)
    assert found.queue == "q" * MAX_QUEUE
    told = parse({"Event": "UserEvent", "UserEvent": "CallcenterStep", "Uniqueid": "1", "Queue": "q" * 900})
    assert isinstance(told, ami.UserEvent)
    assert len(dict(told.fields)["Queue"]) == MAX_QUEUE


def test_what_identifies_is_never_cut() -> None:
    """Two calls would become one."""
    assert parse({**WHOLE, "Event": "Hold", "Uniqueid": "1" * MAX_ID}) is not None
    assert parse({**WHOLE, "Event": "Hold", "Uniqueid": "1" * (MAX_ID + 1)}) is None
