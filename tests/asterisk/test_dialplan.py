"""The dialplans alone, with no daemon: every promise that holds when it is dead (A1, A2, recording, records)."""

from __future__ import annotations

import csv
import math
import re
import subprocess
import time
import wave
from array import array
from pathlib import Path
from urllib.parse import unquote

from callcenter.ami import version
from callcenter.ami.codec import parse as decode
from callcenter.ami.events import MemberState
from callcenter.ami.parse import parse
from callcenter.calls.records import COLUMNS
from callcenter.demo.scenario import Hangup, Talk
from tests.asterisk.handset import Handset
from tests.asterisk.lab import Lab, Recorder, wait_until
from tests.captures.truth import dropped, heard_bye, invited, lifted, moments, rang, said_bye

NUMBER = "13800000001"
FIRST_GROUP = ("1001", "1002", "1003")
BEEP_HERTZ = 700


TONES = {"seat": 500, "customer": 1500}
"""What the phones send where it matters whose voice is where, in Hz."""


def steps(recorder: Recorder) -> list[tuple[str, str]]:
    """The marks of the call's path, with their details."""
    found = re.findall(r"Step: (\S+)\r\nQueue: ?\S*\r\nDetail: ?(\S*)", bytes(recorder.data).decode())
    return [(step, unquote(detail)) for step, detail in found]


def loudness_at(path: Path, begin: float, seconds: float, hertz: float) -> float:
    """Share of the sound from *begin* that is a tone of *hertz*: Goertzel's filter over the mean square."""
    with wave.open(str(path)) as sound:
        rate = sound.getframerate()
        sound.setpos(int(begin * rate))
        samples = array("h", sound.readframes(int(seconds * rate)))
    power = sum(sample * sample for sample in samples) / max(len(samples), 1)
    if not power:
        return 0.0
    turn = 2 * math.pi * hertz / rate
    real = sum(sample * math.cos(turn * index) for index, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(turn * index) for index, sample in enumerate(samples))
    return 2 * (real * real + imaginary * imaginary) / (len(samples) ** 2 * power)


def test_greeting_is_played_to_the_caller_when_the_seat_lifts(any_lab: Lab) -> None:
    recorder = any_lab.recorder("callcenter")
    for name in FIRST_GROUP:
        any_lab.phones.seat(name)
    seat = any_lab.phones.seat("1002", 2, Talk(4), Hangup())
    customer = any_lab.phones.customer(NUMBER, "4000")
    customer.wait()
    any_lab.quiet()
    answered = moments(customer, "received", r"^SIP/2.0 200 .*INVITE\)$")[0]
    assert answered - lifted(seat) < 0.5, "the caller was answered after the greeting instead of before it"
    names = re.findall(r"(?:Mixed|Caller|Seat): (\S+?wav)", bytes(recorder.data).decode())
    mixed, caller, heard = (Path(unquote(name)) for name in names)
    assert mixed.exists()
    assert loudness_at(heard, 0.3, 0.8, BEEP_HERTZ) > 0.8, "the greeting is not on the track of what the caller hears"
    assert loudness_at(caller, 0.3, 0.8, BEEP_HERTZ) < 0.1, "the greeting is on the caller's own track"
    assert ("arrival", "4000") in steps(recorder)
    assert ("greeting", "greeting-zh-1002") in steps(recorder)


def own_tracks(lab: Lab, second: float) -> None:
    """Each phone's tone is on its side's track and not on the other, from *second* of the recording on."""
    lab.quiet()
    for track, own, other in (("seat", "seat", "customer"), ("caller", "customer", "seat")):
        (file,) = lab.server.recordings.glob(f"*-{track}.wav")
        assert loudness_at(file, second, 0.5, TONES[own]) > 0.8, f"the {own}'s voice is not on the {track}'s track"
        assert loudness_at(file, second, 0.5, TONES[other]) < 0.1, f"the {other}'s voice is on the {track}'s track"


def tone(target: Path, hertz: int) -> Path:
    """Twenty seconds of it, as a phone sends it."""
    raw = ["-r", "8000", "-c", "1", "-e", "a-law", "-b", "8", "-t", "raw", target]
    subprocess.run(["sox", "-q", "-n", *raw, "synth", "20", "sine", str(hertz), "gain", "-12"], check=True)
    return target


def tones(lab: Lab) -> None:
    """The phones send tones from now on."""
    for who, hertz in TONES.items():
        lab.phones.voices[who] = tone(lab.folder / f"tone-{who}.raw", hertz)


def test_each_side_of_a_call_that_comes_in_has_its_own_track(any_lab: Lab) -> None:
    tones(any_lab)
    any_lab.phones.seat("1001", 0.3)
    any_lab.phones.customer(NUMBER, "411001", Talk(5), Hangup()).wait()
    own_tracks(any_lab, 3.0)  # after the greeting


def test_each_side_of_a_call_that_goes_out_has_its_own_track(any_lab: Lab) -> None:
    tones(any_lab)
    any_lab.phones.line(0.3)
    any_lab.phones.dial("1001", NUMBER, Talk(3), Hangup()).wait()
    own_tracks(any_lab, 1.5)


def test_each_side_of_a_call_by_a_click_has_its_own_track(any_lab: Lab) -> None:
    tones(any_lab)
    any_lab.phones.seat("1001", 0.3)
    far = any_lab.phones.line(0.3, Talk(3), Hangup())
    where = {"Context": "cc-click", "Exten": NUMBER, "Priority": "1"}
    any_lab.recorder().action("Originate", Channel="PJSIP/1001", Async="true", **where)
    wait_until(lambda: moments(far, "sent", r"^BYE"), 20, "the end of the call")
    own_tracks(any_lab, 1.5)


def test_an_asterisk_that_leaves_sound_out_of_recordings_is_known(any_lab: Lab) -> None:
    """A telephone may number its RTP from anywhere (RFC 3550, 5.1); the greeting before it counts as number 0. What
    ``callcenter check`` says of this Asterisk is what its recording of such a telephone shows."""
    tones(any_lab)
    phone = Handset("1001", any_lab.server.ports["SEAT1001"], any_lab.server.ports["SIP"])
    try:
        customer = any_lab.phones.customer(NUMBER, "4000", Talk(4), Hangup())
        with phone.speaking(phone.lift(phone.ring()), any_lab.phones.voices["seat"], first=40_000):
            customer.wait()
    finally:
        phone.stop()
    any_lab.quiet()
    (track,) = any_lab.server.recordings.glob("*-seat.wav")
    heard = loudness_at(track, 2.5, 0.5, TONES["seat"]) > 0.8
    assert heard != version.loses_sound(any_lab.server.cli("core show version").removeprefix("Asterisk "))


def test_three_rings_ladder_without_the_daemon(any_lab: Lab) -> None:
    recorder = any_lab.recorder("callcenter")
    group = [any_lab.phones.seat(name) for name in FIRST_GROUP]
    backup = any_lab.phones.seat("2001")
    manager = any_lab.phones.seat("3001", 1, Talk(1), Hangup())
    customer = any_lab.phones.customer(NUMBER, "4000")
    customer.wait()
    any_lab.quiet()
    first_ring = rang(group)
    answered = moments(customer, "received", r"^SIP/2.0 200 .*INVITE\)$")[0]
    assert 5.0 <= rang(backup) - first_ring <= 5.8, "the backup group has to ring with the second ring"
    assert answered - first_ring <= 15.25, "the announcement has to be there when the fourth ring would begin"
    assert answered - first_ring >= 12.9, "too early: the third ring has not been waited for"
    assert dropped([*group, backup]) - first_ring <= 15.25
    assert heard_bye(customer) >= said_bye(manager)
    assert [step for step, _ in steps(recorder) if step in ("backup", "announcement", "duty")] == [
        "backup",
        "announcement",
        "duty",
    ]


def test_gate_opens_at_once_when_it_is_redirected(any_lab: Lab) -> None:
    recorder = any_lab.recorder("callcenter")
    for name in FIRST_GROUP:
        any_lab.phones.seat(name)
    backup = any_lab.phones.seat("2001", 1, Talk(1), Hangup())
    customer = any_lab.phones.customer(NUMBER, "4000")
    recorder.wait_for(b"DialStatus: RINGING")
    gate = re.search(rb"Channel: (Local/2001@cc-backup\S+;2)", recorder.data)
    assert gate is not None
    asked = time.time()
    recorder.action("Redirect", Channel=gate[1].decode(), Context="cc-backup-now", Exten="2001", Priority="1")
    customer.wait()
    assert rang(backup) - asked < 0.25


def test_announcement_takes_the_caller_over_while_seats_ring(any_lab: Lab) -> None:
    recorder = any_lab.recorder("callcenter")
    seats = [any_lab.phones.seat(name) for name in FIRST_GROUP]
    any_lab.phones.seat("3001", 1, Talk(1), Hangup())
    customer = any_lab.phones.customer(NUMBER, "4000")
    recorder.wait_for(b"DialStatus: RINGING")
    time.sleep(1)
    asked = time.time()
    recorder.action("Redirect", Channel="PJSIP/trunk-00000000", Context="cc-announce", Exten="support", Priority="1")
    customer.wait()
    any_lab.quiet()
    assert moments(customer, "received", r"^SIP/2.0 200 .*INVITE\)$")[0] - asked < 0.25
    assert dropped(seats) - asked < 0.25
    assert ("announcement", "LADDER") in steps(recorder)


def test_paused_seats_lead_straight_to_the_announcement(any_lab: Lab) -> None:
    recorder = any_lab.recorder("callcenter")
    manager = any_lab.phones.seat("3001", 1, Talk(1), Hangup())
    for member in ("Local/1001@cc-seat/n", "Local/1002@cc-seat/n", "Local/1003@cc-seat/n", "Local/2001@cc-backup/n"):
        recorder.action("QueuePause", Interface=member, Paused="true")
    time.sleep(0.3)
    customer = any_lab.phones.customer(NUMBER, "4000")
    customer.wait()
    any_lab.quiet()
    assert ("announcement", "JOINEMPTY") in steps(recorder)
    assert moments(customer, "received", r"^SIP/2.0 200 .*INVITE\)$")[0] - invited(customer) < 1
    assert lifted(manager)


def test_asterisk_remembers_since_when_a_member_is_paused(any_lab: Lab) -> None:
    """What the break timer rests on after a restart of the daemon."""
    recorder = any_lab.recorder("callcenter")
    member = "Local/1001@cc-seat/n"

    def told(action: str, event: bytes, **fields: str) -> MemberState:
        before = len(recorder.data)
        recorder.action(action, **fields)
        recorder.wait_for(b"Event: " + event, start=before)
        wanted = member.encode()
        recorder.wait_for(wanted, start=before)
        time.sleep(0.3)
        frames = bytes(recorder.data[before:]).split(b"\r\n\r\n")
        states = [parse(decoded) for frame in frames if event in frame and (decoded := decode(frame)) is not None]
        return next(one for one in states if isinstance(one, MemberState) and one.interface == member)

    never = told("QueueStatus", b"QueueMember\r", Queue="support")
    began = int(time.time())
    paused = told("QueuePause", b"QueueMemberPause", Interface=member, Queue="support", Paused="true", Reason="a")
    time.sleep(2.1)
    later = told("QueueStatus", b"QueueMember\r", Queue="support")
    again = told("QueuePause", b"QueueMemberPause", Interface=member, Queue="support", Paused="true", Reason="b")
    back = told("QueuePause", b"QueueMemberPause", Interface=member, Queue="support", Paused="false")
    assert (never.paused_at, back.paused_at) == (None, None)
    assert paused.paused_at is not None
    assert began <= paused.paused_at <= began + 1
    assert later.paused_at == paused.paused_at
    assert again.paused_at is not None
    assert again.paused_at >= paused.paused_at + 2, "another reason begins another pause"


def test_call_records_tell_enough_for_a_ticket(any_lab: Lab) -> None:
    any_lab.phones.seat("1001", 1, Talk(2), Hangup())
    customer = any_lab.phones.customer(NUMBER, "4000", name=r"张三, \"x\"")
    customer.wait()
    any_lab.quiet()
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(any_lab.server.cdr_file.open(encoding="utf-8"))]
    answered = [row for row in rows if row["disposition"] == "ANSWERED" and row["lastapp"] == "Queue"]
    assert len({row["linkedid"] for row in rows}) == 1
    assert len(answered) == 1
    assert answered[0]["src"] == NUMBER
    assert answered[0]["userfield"] == "support"
    assert abs(float(answered[0]["start"]) - invited(customer)) < 0.5
    assert float(answered[0]["end"]) > float(answered[0]["answer"]) > float(answered[0]["start"])


def test_the_account_has_no_more_rights_than_it_needs(any_lab: Lab) -> None:
    recorder = any_lab.recorder("callcenter")
    for name, fields in (
        ("Command", {"Command": "core show version"}),
        ("GetConfig", {"Filename": "manager.conf"}),
        ("Originate", {"Channel": "Local/s@cc-defaults", "Application": "System", "Data": "true", "Async": "true"}),
    ):
        start = len(recorder.data)
        recorder.action(name, ActionID=name, **fields)
        recorder.wait_for(b"Response: Error", start=start)
    any_lab.phones.seat("1001", 1, Talk(1), Hangup())
    any_lab.phones.customer(NUMBER, "5001").wait()
    any_lab.quiet()
    events = set(re.findall(r"Event: (\w+)", bytes(recorder.data).decode()))
    assert {"Newchannel", "Hangup", "HangupRequest", "DialEnd"} <= events
    assert not events & {"VarSet", "Newexten", "NewConnectedLine", "Cdr", "BridgeCreate", "DeviceStateChange"}
