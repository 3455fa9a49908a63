"""Live transcription on a real Asterisk: spoken calls, a real recogniser, the words on the right seat's window while
the call runs; and what becomes of the call when the daemon or the recogniser dies or hangs."""

import os
import re
import signal
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.demo import voices
from callcenter.demo.scenario import Hangup, Talk
from tests.asterisk.daemon import PASSWORD, Daemon, Pops
from tests.asterisk.handing import FIRST, LATER, SECOND, by_second_line, handsets
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.spoken import CALLER_VOICE, MODEL, SEAT_VOICE, WORDS_PER_MINUTE

SETTINGS = f"""live = true
[live]
model = "{MODEL}"
not_seats = ["1003"]
tell_supervisors = true
"""
CUSTOMER, SEAT = "我的打印机坏了。", "请您稍等。这个不行。"
VOICES = {"customer": f"cmn-latn-pinyin+{CALLER_VOICE}", "seat": f"cmn-latn-pinyin+{SEAT_VOICE}"}


@pytest.fixture
def talk(lab: Lab) -> Iterator[Daemon]:
    """A daemon that listens to calls of ``support``; both phones say words that the small model knows."""
    for who, words in (("customer", CUSTOMER), ("seat", SEAT)):
        target = lab.folder / f"live-{who}.al"
        lab.phones.voices[who] = voices.speak(words, target, words_per_minute=WORDS_PER_MINUTE, voice=VOICES[who])
    daemon = Daemon(lab, SETTINGS)
    for extension, number in (("1001", "018"), ("1002", "019"), ("1003", "020"), ("1004", "021")):
        daemon.seat(extension, number)
    daemon.command("user", "add", "boss", "--role", "supervisor", "--password-stdin", text=PASSWORD + "\n")
    daemon.start()
    wait_until(lambda: child(daemon) is not None, 60, "the process that listens")
    yield daemon
    daemon.stop()


def child(daemon: Daemon) -> int | None:
    """The process that listens, once it does."""
    assert daemon.process is not None
    pid = daemon.process.pid
    told = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    found = [one for one in told if b"live_child" in _command(one)]
    return found[0] if found and '"listening"' in daemon.get("/readyz") else None


def _command(pid: int) -> bytes:
    """Its command line; nothing of a process that has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def heard(pops: Pops) -> str:
    """What the seat's window shows of the call's words."""
    html = pops.browser.open(pops.address + "/desk/heard", timeout=10).read().decode()
    return re.sub(r"\s+", " ", html)


def channels(lab: Lab, technology: str) -> int:
    return sum(line.startswith(technology) for line in lab.server.cli("core show channels concise").splitlines())


def listening(lab: Lab) -> int:
    return channels(lab, "AudioSocket/")


def test_words_on_the_seats_window_while_the_call_runs(lab: Lab, talk: Daemon) -> None:
    lab.phones.seat("1001", 1.0)
    with talk.watching("seat1001") as mine, talk.watching("seat1002") as other:
        lab.phones.customer("13800000001", "4000", Talk(14), Hangup())
        wait_until(lambda: "打印机坏了" in heard(mine), 30, "the customer's words")
        wait_until(lambda: "稍等" in heard(mine), 30, "the seat's words")
        assert talk.call("13800000001")["phase"] == "talking"
        assert listening(lab) == 2
        assert "打印机" not in heard(other)
        said = dict(re.findall(r'<li class="said__(\w+)[^>]*>.*?<bdi>(.*?)</bdi>', heard(mine)))
        assert "打印机" in said["caller"]
        assert "稍等" in said["seat"]
        assert not any("打印机" in line for _, line in mine.told), "words were pushed instead of fetched"
        assert any("event: heard" in line for _, line in mine.told)
    talk.wait_call("13800000001", lambda call: call["phase"] == "ended", 25)
    lab.quiet()
    assert [call["caller_number"] for call in talk.calls()] == ["13800000001"], "listening became a call"
    assert len(talk.tickets()) == 1
    assert "AudioSocket" not in lab.server.cdr_file.read_text()


def test_a_seat_that_is_left_out_is_not_listened_to(lab: Lab, talk: Daemon) -> None:
    lab.phones.seat("1003", 1.0)
    with talk.watching("seat1003") as mine:
        lab.phones.customer("13800000003", "4000", Talk(3), Hangup())
        talk.wait_call("13800000003", lambda call: call["phase"] == "talking")
        time.sleep(1)
        assert listening(lab) == 0
        assert "打印机" not in heard(mine)


def test_a_queue_that_is_left_out_is_not_listened_to(lab: Lab, talk: Daemon) -> None:
    """Only ``support`` has ``live = true``; the same seat answers a call of another queue."""
    lab.phones.seat("1001", 1.0)
    with talk.watching("seat1001") as mine:
        lab.phones.customer("13800000005", "5301", Talk(4), Hangup())
        call = talk.wait_call("13800000005", lambda call: call["phase"] == "talking")
        assert call["queue"] == "plain01"
        time.sleep(2)
        assert listening(lab) == 0
        assert "打印机" not in heard(mine)
    talk.wait_call("13800000005", lambda call: call["phase"] == "ended", 20)


def test_killed_in_the_middle_the_call_goes_on(lab: Lab, talk: Daemon) -> None:
    seconds = 12
    lab.phones.seat("1001", 1.0)
    customer = lab.phones.customer("13800000004", "4000", Talk(seconds), Hangup())
    with talk.watching("seat1001") as mine:
        wait_until(lambda: "打印机" in heard(mine), 30, "the customer's words")
    listener = child(talk)
    talk.kill()
    wait_until(lambda: listening(lab) == 0, 20, "the listening channels to go")
    assert channels(lab, "PJSIP/") == 2, "the call went with them"
    wait_until(lambda: not Path(f"/proc/{listener}").exists(), 30, "the process that listened to end")
    customer.wait(30)
    lab.quiet()
    tracks = [*lab.server.recordings.glob("*-seat.wav"), *lab.server.recordings.glob("*-caller.wav")]
    assert len(tracks) == 2
    for track in tracks:
        with wave.open(str(track)) as recording:
            assert recording.getnframes() / recording.getframerate() > seconds - 1, "the sound stopped with the daemon"
    talk.start()
    talk.wait_call("13800000004", lambda call: call["phase"] == "ended", 30)
    assert len(talk.tickets()) == 1


ALAW_SILENCE = b"\xd5"
ASKS, UNCLEAR, ALONE = "请问您贵姓？", "这个我们不清楚。", "这个肯定不行。"


def test_the_next_seat_is_heard_on_its_own_window(lab: Lab, talk: Daemon) -> None:
    """The first seat asks the name and hands the call on, attended; the second one says what it must not. The daemon is
    killed while it speaks, and the call knows nothing of it."""
    asks, unclear, alone = (
        voices.speak(words, lab.folder / f"{name}.al", words_per_minute=WORDS_PER_MINUTE, voice=VOICES["seat"])
        for name, words in (("asks", ASKS), ("unclear", UNCLEAR), ("alone", ALONE))
    )
    for said in (asks, unclear):
        said.write_bytes((said.read_bytes() + ALAW_SILENCE * 8_000) * 6)
    with handsets(lab, FIRST, SECOND) as (first, second):
        customer = lab.phones.customer("13800000007", "4000")
        own = first.lift(first.ring())
        with talk.watching("seat1001") as mine, talk.watching("seat1004") as other, talk.watching("boss") as boss:
            wait_until(lambda: listening(lab) == 2, 20, "the call to be listened to")
            with first.speaking(own, asks, first=1):
                wait_until(lambda: ticked(mine, "A3"), 30, "the name's tick")
            assert "贵姓" not in heard(other)
            line = by_second_line(first, own, second, lambda line: first.speaking(line, alone, first=1))
            with second.speaking(line, unclear, first=LATER) as speaks:
                wait_until(lambda: "不清楚" in heard(other), 30, "the second seat's words")
                wait_until(lambda: 'data-forbidden="not_clear"' in heard(other), 30, "the warning to who said it")
                wait_until(lambda: "event: alarm" in said_to(boss), 30, "the supervisor to be told")
                assert "不清楚" in boss.fragments("state")
                assert "不清楚" not in heard(mine)
                assert "data-forbidden" not in heard(mine)
                assert not ticked(other, "A3")
                talk.kill()
                wait_until(lambda: listening(lab) == 0, 20, "the listening channels to go")
                assert channels(lab, "PJSIP/") == 2, "the call went with them"
                speaks.join()
        second.hang_up(line)
        customer.wait(30)
        parted_at = time.time()
    lab.quiet()
    talk.start()
    call = talk.wait_call("13800000007", lambda call: call["phase"] == "ended", 30)
    assert len(talk.calls()) == 1
    (track,) = lab.server.recordings.glob("*-seat.wav")
    with wave.open(str(track)) as recording:
        talked = parted_at - call["answered_at"]
        assert abs(recording.getnframes() / recording.getframerate() - talked) < 1, "the sound stopped with the daemon"


def ticked(pops: Pops, rule: str) -> bool:
    """Whether the window's checklist shows it as said."""
    return re.search(f'data-tick="{rule}" data-said="sure"', heard(pops)) is not None


def said_to(pops: Pops) -> str:
    return "\n".join(line for _, line in pops.told)


def test_a_recogniser_that_hangs_disturbs_no_pop_and_is_replaced(lab: Lab, talk: Daemon) -> None:
    lab.phones.seat("1001", 1.0)
    first = child(talk)
    assert first is not None
    with talk.watching("seat1001") as mine, talk.watching("seat1002") as other:
        lab.phones.customer("13800000005", "4000", Talk(25), Hangup())
        wait_until(lambda: "打印机" in heard(mine), 30, "the customer's words")
        os.kill(first, signal.SIGSTOP)
        lab.phones.seat("1002")
        before = len(other.told)
        lab.phones.customer("13800000006", "411002", Talk(3), Hangup())
        wait_until(lambda: any("ringing" in line for _, line in other.told[before:]), 15, "the pop of the second call")
        wait_until(lambda: child(talk) not in (None, first), 60, "another process to listen")
        wait_until(lambda: listening(lab) == 2, 30, "the call to be listened to again")
        assert talk.call("13800000005")["phase"] == "talking"
        assert not Path(f"/proc/{first}").exists()
