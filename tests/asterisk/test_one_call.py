"""The main job on a real Asterisk, seen from outside: ring, pop, greeting, ticket, figures; the ladder; kill -9."""

import itertools
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.demo.scenario import Hangup, Talk
from tests.asterisk.conftest import old_program
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until

# Steps of the ladder are measured, greetings heard, and a burst takes both cores: a neighbour's load would be in them.
pytestmark = pytest.mark.alone

STEP_SECONDS = 0.25
"""How far a step of the ladder may be from its ring (A1)."""


@pytest.fixture(scope="module", params=["new", pytest.param("old", marks=pytest.mark.asterisk16)])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The newest Asterisk, and 16.28."""
    with Lab(hooks="curl", program=old_program() if request.param == "old" else None) as lab:
        yield lab


@pytest.fixture(scope="module")
def daemon(lab: Lab) -> Iterator[Daemon]:
    daemon = Daemon(lab)
    text = daemon.config.read_text().replace("[asterisk]", "[asterisk]\npause_limit_seconds = 5")
    daemon.config.write_text(text)
    for extension, number in (("1001", "018"), ("1002", "019"), ("1003", "020"), ("2001", "030"), ("3001", "001")):
        daemon.seat(extension, number)
    daemon.start()
    yield daemon
    daemon.stop()


def absent(lab: Lab, *seats: str) -> None:
    for seat in seats:
        if seat in lab.phones.seats:
            lab.phones.seats.pop(seat).stop()


def tone_seconds(file: Path, hertz: float) -> float:
    """The longest time a tone sounds in a recording: the lab's greeting is a 700 Hz tone."""
    with wave.open(str(file)) as recording:
        samples = array("h", recording.readframes(recording.getnframes()))
        rate = recording.getframerate()
    window = rate // 50
    heard = []
    for start in range(0, len(samples) - window, window):
        piece = samples[start : start + window]
        crossings = sum((a < 0) != (b < 0) for a, b in itertools.pairwise(piece))
        heard.append(max(map(abs, piece)) > 1000 and abs(crossings / 2 * 50 - hertz) < 60)
    # A busy machine loses a packet now and then: the tone goes on after a gap of up to a tenth of a second.
    longest = run = gap = 0
    for sounds in heard:
        gap = 0 if sounds else gap + 1
        run = 0 if gap > 5 else run + sounds
        longest = max(longest, run)
    return longest / 50


def test_ring_pop_greeting_ticket_figures(lab: Lab, daemon: Daemon) -> None:
    """A caller rings; the seat's page is told before the phone is lifted; the greeting is in the recording's seat track
    (what the caller hears), and the ticket, the call and the figures say the same."""
    absent(lab, "1001", "1002", "1003", "2001")
    answered = daemon.metric("callcenter_calls_total", outcome="answered")
    with daemon.watching("seat1001") as mine, daemon.watching("seat1002") as other:
        lab.phones.seat("1001", 3.0)
        before = len(mine.told)
        lab.phones.customer("13800000001", "4000", Talk(5), Hangup(), name="张三")
        call = daemon.wait_call("13800000001", lambda call: call["phase"] == "ringing")
        wait_until(lambda: any("desk" in line for _, line in mine.told[before:]), 3, "the pop")
        popped_at = next(at for at, line in mine.told[before:] if "desk" in line)
        assert "call--ring" in mine.fragments()
        assert "call--ring" not in other.fragments(), "popped on a seat that does not ring"
        call = daemon.wait_call("13800000001", lambda call: call["phase"] == "talking")
        assert popped_at < call["answered_at"]
        call = daemon.wait_call("13800000001", lambda call: call["phase"] == "ended", 20)
    assert (call["outcome"], call["answered_by"], call["ended_by"]) == ("answered", "1001", "caller")
    assert (call["queue"], call["caller_name"], call["complete"], call["rings_heard"]) == ("support", "张三", 1, 1)
    (ticket,) = [t for t in daemon.tickets() if t["call_id"] == call["call_id"]]
    assert (ticket["caller_name"], ticket["phone"], ticket["seat"]) == ("张三", "13800000001", "1001")
    recording = Path(call["recording"])
    lab.quiet()
    assert tone_seconds(recording.with_name(recording.stem + "-seat.wav"), 700) > 1.2, "the greeting, to the caller"
    assert tone_seconds(recording.with_name(recording.stem + "-caller.wav"), 700) < 0.5
    wait_until(lambda: daemon.metric("callcenter_calls_total", outcome="answered") == answered + 1, 5, "the figure")
    assert daemon.metric("callcenter_wait_seconds_count", queue="support", outcome="answered") >= 1


def test_three_rings_ladder(lab: Lab, daemon: Daemon) -> None:
    """Nobody lifts: the backup group rings at ring 2, the announcement answers where ring 4 would begin, the duty
    manager is rung and takes the call; the breach says why."""
    for seat in ("1001", "1002", "1003", "2001"):
        lab.phones.seat(seat, None)
    lab.phones.seat("3001", 2.0)
    lab.phones.customer("13800000002", "4000", Talk(9), Hangup())
    call = daemon.wait_call("13800000002", lambda call: call["phase"] == "ended", 40)
    lab.quiet()
    detail = json.loads(call["detail"])
    first = detail["first_ring_at"]
    backup = next(ring["started_at"] for ring in detail["rings"] if ring["seat"] == "2001")
    assert abs(backup - (first + 5)) < STEP_SECONDS
    assert abs(detail["announced_at"] - (first + 15)) < STEP_SECONDS
    assert call["rings_heard"] == 3
    assert (call["outcome"], call["answered_by"]) == ("answered", "3001")
    assert sorted(detail["seats_missed"]) == ["1001", "1002", "1003", "2001"]
    (breach,) = json.loads(call["breaches"])
    assert (breach["rule"], breach["reason"]) == ("A1", "not_lifted")
    states = daemon.rows("SELECT kind, state FROM outbox ORDER BY position")
    assert {(row["kind"], row["state"]) for row in states} >= {("OpenGate", "done"), ("Announce", "done")}
    assert daemon.metric("callcenter_breaches_total", rule="A1", reason="not_lifted") >= 1


def test_killed_in_a_call_and_calls_while_dead(lab: Lab, daemon: Daemon) -> None:
    """kill -9 while one caller talks; that call ends and another comes and goes unobserved; after the return each has
    one ticket, recovered from Asterisk's records, and the gap is stored."""
    absent(lab, "1002", "1003", "2001")
    lab.phones.seat("1001", 1.0)
    lab.phones.customer("13800000003", "4000", Talk(6), Hangup())
    daemon.wait_call("13800000003", lambda call: call["phase"] == "talking")
    daemon.kill()
    lab.quiet()
    lab.phones.customer("13800000004", "4000", Talk(2), Hangup())
    wait_until(lambda: "13800000004" in lab.server.cdr_file.read_text(), 30, "the record of the second call")
    lab.quiet()
    daemon.start()
    first = daemon.wait_call("13800000003", lambda call: call["ended_at"] is not None, 60)
    second = daemon.wait_call("13800000004", lambda call: call["ended_at"] is not None, 60)
    assert (first["outcome"], first["answered_by"], first["recovered"], first["complete"]) == ("answered", "1001", 1, 0)
    assert (second["outcome"], second["answered_by"], second["recovered"]) == ("answered", "1001", 1)
    for call in (first, second):
        assert len([t for t in daemon.tickets() if t["call_id"] == call["call_id"]]) == 1
    gaps = daemon.rows("SELECT * FROM gaps ORDER BY started_at")
    assert any(gap["ended_at"] and gap["started_at"] <= second["arrived_at"] <= gap["ended_at"] for gap in gaps)


def test_killed_in_a_burst(lab: Lab, daemon: Daemon) -> None:
    """50 callers at once, kill -9 in the middle of them: afterwards every call of Asterisk's records has one ticket."""
    lab.phones.seat("1001", None)
    for member in ("1002@cc-seat", "1003@cc-seat", "2001@cc-backup"):
        lab.server.cli(f"queue pause member Local/{member}/n queue support")
    lab.phones.customers(50, "139", "4000", give_up=8)
    daemon.wait_call("13920", lambda call: call["phase"] != "ended", 20)
    daemon.kill()
    daemon.start(ready=False)
    lab.quiet(120)
    wait_until(daemon.ready, 60, "the daemon to be ready again")
    recorded = {line.split('"')[1] for line in lab.server.cdr_file.read_text().splitlines() if '"139' in line}
    assert len(recorded) == 50

    def all_there() -> bool:
        return recorded <= {t["call_id"] for t in daemon.tickets()} and all(
            c["phase"] == "ended" for c in daemon.calls()
        )

    wait_until(all_there, 60, "a ticket for each call")
    tickets = [t["call_id"] for t in daemon.tickets()]
    assert len(tickets) == len(set(tickets))
    assert daemon.rows("PRAGMA integrity_check")[0]["integrity_check"] == "ok"


def loud(file: Path) -> list[bool]:
    """Of each tenth of a second of a recording, whether something sounds in it."""
    with wave.open(str(file)) as recording:
        samples = array("h", recording.readframes(recording.getnframes()))
        window = recording.getframerate() // 10
    return [max(map(abs, samples[n : n + window])) > 500 for n in range(0, len(samples) - window, window)]


def test_a_paused_recording_is_silent_on_both_tracks_and_goes_on(lab: Lab, daemon: Daemon) -> None:
    """By the seat's click, while a card number is said; the tracks stay aligned, and the call tells from when to when
    and by whom. What the seat forgets ends by itself, here after five seconds, even if the daemon died meanwhile."""
    absent(lab, "1001", "1002", "1003", "2001")
    lab.phones.voices = {
        who: tone(lab.folder / f"{who}.al", hertz) for who, hertz in (("seat", 500), ("customer", 900))
    }
    try:
        lab.phones.seat("1001", 1.0)
        lab.phones.customer("13800000031", "4000", Talk(19), Hangup())
        daemon.wait_call("13800000031", lambda call: call["phase"] == "talking" and call["recording"])
        browser = daemon.log_in("seat1001")
        time.sleep(2.5)  # the greeting is over
        for paused in (True, False, True):
            wait_until(
                lambda: 'data-record="' in browser.open(daemon.address + "/desk").read().decode(), 5, "the button"
            )
            press(daemon, browser, "/api/seat/recording", {"paused": paused})
            time.sleep(2)
        daemon.kill()
        daemon.start()
        call = daemon.wait_call("13800000031", lambda call: call["phase"] == "ended", 40)
    finally:
        lab.phones.voices = {}
    lab.quiet()
    first, second = json.loads(call["detail"])["pauses"]
    assert (first["by"], second["by"]) == ("1001", "1001")
    assert 1.5 < first["ended_at"] - first["started_at"] < 4.5
    assert second["ended_at"] < call["ended_at"] - 1, "it went on by itself"
    path = Path(call["recording"])
    tracks = {who: loud(path.with_name(f"{path.stem}-{who}.wav")) for who in ("seat", "caller")}
    assert abs(len(tracks["seat"]) - len(tracks["caller"])) <= 5
    # Asterisk writes from where sound begins to flow (here the answer) to the caller's hang-up.
    begun_at = call["ended_at"] - len(tracks["caller"]) / 10
    assert abs(begun_at - call["answered_at"]) < 0.5
    silent = [[round(10 * (pause[key] - begun_at)) for key in ("started_at", "ended_at")] for pause in (first, second)]
    for track in tracks.values():
        for begin, end in silent:
            assert not any(track[begin + 4 : end - 4]), "nothing is heard in a pause"
            assert any(track[end + 4 : end + 14]), "and it goes on"
    with pytest.raises(urllib.error.HTTPError, match="409"):
        press(daemon, browser, "/api/seat/recording", {"paused": True})


def tone(file: Path, hertz: int) -> Path:
    """A minute of a tone, as telephones carry it."""
    command = ["sox", "-q", "-n", "-r", "8000", "-c", "1", "-t", "raw", "-e", "a-law", "-b", "8", str(file)]
    subprocess.run([*command, "synth", "60", "sine", str(hertz), "gain", "-9"], check=True)
    return file


def press(daemon: Daemon, browser: urllib.request.OpenerDirector, path: str, body: dict[str, object]) -> None:
    """A button of the seat's page."""
    page = browser.open(daemon.address + "/desk", timeout=10).read().decode()
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found
    headers = {"X-CSRF-Token": found[1], "Origin": daemon.address, "Content-Type": "application/json"}
    request = urllib.request.Request(daemon.address + path, json.dumps(body).encode(), headers)
    browser.open(request, timeout=10).close()
