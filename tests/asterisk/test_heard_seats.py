"""Spoken calls with more than one seat, or one that did not ring first, on a real Asterisk: the recording is whole, and
every word and every finding is of the seat that spoke, whichever way the call came to it.

Both sides speak with voices of their own; the real vosk hears the two tracks. One Asterisk and one daemon for all.
"""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from callcenter.quality.audio import speaking_rate
from callcenter.speech.transcript import Segment, Transcript, Word, from_dict, seats_between
from tests.asterisk.conftest import old_program
from tests.asterisk.daemon import Daemon
from tests.asterisk.handing import FIRST, LATER, MANNERS, SECOND, Pair, handsets
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.spoken import CALLER_VOICE, MODEL, SEAT_VOICE, Turn, conversation

pytestmark = pytest.mark.alone  # speech is heard: a neighbour's load would cost packets of it

DUTY = "3001"
NUMBERS = {FIRST: "018", SECOND: "019", DUTY: "020"}
"""The seats' work numbers."""
COMPANY = "示例服务"
GREETING = "您好，示例服务，我是{number}号值班员。"
PROBLEM = Turn("caller", "我办公室的打印机坏了，昨天下午开始卡纸，请帮我看一下。")
UNCLEAR = "这个我们不清楚，您说的是什么型号？"
ALONE = "这个我也不知道。"
"""Of two seats among themselves; forbidden words to a customer."""
SILENCE_SECONDS = 60


@dataclass
class House:
    lab: Lab
    daemon: Daemon
    voices: Path

    def said(self, name: str, *turns: Turn, pad: float = 0.0) -> dict[str, Path]:
        """Both tracks of it as telephones send them, with silence behind."""
        folder = self.voices / name
        folder.mkdir(parents=True)
        tracks, _ = conversation(folder, turns, SEAT_VOICE, CALLER_VOICE)
        for track in tracks.values():
            raw = ["-t", "raw", "-e", "a-law", "-b", "8", track.with_suffix(".raw"), "pad", "0", str(pad)]
            subprocess.run(["sox", "-q", track, *raw], check=True)
        return {who: track.with_suffix(".raw") for who, track in tracks.items()}

    def heard(self, number: str, column: str = "caller_number") -> "Heard":
        """What the store knows of this number's call, once it has been transcribed."""
        of_call = f"SELECT * FROM recordings WHERE call_id = (SELECT call_id FROM calls WHERE {column} = ?)"
        of_recording = "SELECT * FROM {} WHERE recording_id = ?"

        def transcripts() -> list[dict[str, Any]]:
            rows = self.daemon.rows(of_call, number)
            return self.daemon.rows(of_recording.format("transcripts"), rows[0]["id"]) if rows else []

        wait_until(transcripts, 120, f"the transcript; {self.daemon.log()}")
        (recording,) = self.daemon.rows(of_call, number)
        (transcript,) = transcripts()
        (call,) = self.daemon.rows(f"SELECT * FROM calls WHERE {column} = ?", number)
        seats = self.daemon.rows(of_recording.format("recording_seats") + " ORDER BY position", recording["id"])
        findings = self.daemon.rows("SELECT * FROM findings WHERE transcript_id = ?", transcript["id"])
        (ticket,) = [one for one in self.daemon.tickets() if one["call_id"] == call["call_id"]]
        assert (recording["call_id"], recording["ticket_id"]) == (call["call_id"], ticket["id"])
        assert ticket["seat"] in [row["seat"] for row in seats]
        return Heard(
            call,
            recording,
            [row["seat"] for row in seats],
            from_dict(json.loads(transcript["words"])),
            {row["phrase"]: row for row in findings},
            json.loads(transcript["measures"]),
        )


@dataclass
class Heard:
    call: dict[str, Any]
    recording: dict[str, Any]
    seats: list[str]
    told: Transcript
    findings: dict[str, dict[str, Any]]
    measures: dict[str, Any]

    def words(self, who: str) -> list[Word]:
        """Of the caller, or of the seat with this extension, as the review page tells who spoke."""
        speaker = "caller" if who == "caller" else "seat"
        found = [word for segment in self.told.segments if segment.speaker == speaker for word in segment.words]
        return [word for word in found if who == "caller" or who in self._there(word)]

    def _there(self, word: Word) -> list[str]:
        return [turn.extension for turn in seats_between(self.told.seats, word.start, word.end)]

    def seat_track(self) -> list[Word]:
        return [word for segment in self.told.segments if segment.speaker == "seat" for word in segment.words]

    def text(self, who: str) -> str:
        return "".join(word.word for word in self.words(who))

    def whole(self) -> None:
        """It lasts from the answer to the end, and all that is on our side is a seat's."""
        talked = self.call["ended_at"] - self.call["answered_at"]
        assert self.recording["state"] == "found"
        assert self.recording["seconds"] == pytest.approx(talked, abs=0.7)
        assert len(self.seat_track()) == sum(len(self.words(seat)) for seat in self.seats)

    def found(self) -> dict[str, tuple[bool, str, str | None]]:
        return {name: (bool(row["found"]), row["band"], row["seat"]) for name, row in self.findings.items()}

    def forbidden(self) -> Sequence[str]:
        return [name for name, row in self.findings.items() if row["kind"] == "forbidden" and row["found"]]


@pytest.fixture(scope="module")
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The newest Asterisk, or 16.28."""
    with Lab(program=old_program() if request.param == "old" else None) as lab:
        daemon = Daemon(
            lab, f'[speech]\nenabled = true\npriority = "low"\nmodel = "{MODEL}"\n[site]\ncompany = "{COMPANY}"\n'
        )
        for extension, number in NUMBERS.items():
            daemon.seat(extension, number)
        daemon.start()
        try:
            yield House(lab, daemon, tmp_path_factory.mktemp("voices"))
        finally:
            daemon.stop()


def greeting(seat: str, after: float = 0.5) -> Turn:
    return Turn(
        "seat", GREETING.format(number="零" + {"018": "一八", "019": "一九", "020": "二零"}[NUMBERS[seat]]), after
    )


HANDED_IN = [("new", manner) for manner in MANNERS] + [pytest.param("old", "second line", marks=pytest.mark.asterisk16)]


def handed_on(house: House, name: str) -> tuple[dict[str, Path], dict[str, Path], dict[str, Path]]:
    """First seat, second seat, aside: the first one greets and listens, the second one says what it must not."""
    return (
        house.said(name, greeting(FIRST, 2.5), PROBLEM, pad=SILENCE_SECONDS),
        house.said(f"{name}-then", Turn("seat", UNCLEAR, 1.0)),
        house.said(f"{name}-aside", Turn("seat", ALONE, 0.2)),
    )


def both_seats(heard: Heard) -> None:
    """The greeting is the first seat's, the forbidden phrase and the missing closing the second one's, at their second;
    what was said between them alone is nobody's."""
    heard.whole()
    assert heard.seats == [FIRST, SECOND]
    assert heard.recording["seat"] == FIRST
    assert [(one.extension, one.seat) for one in heard.told.seats] == [(FIRST, "018"), (SECOND, "019")]
    assert heard.told.seats[0].end < heard.told.seats[1].start
    assert "您好" in heard.text(FIRST)
    assert "不清楚" in heard.text(SECOND)
    assert "不清楚" not in heard.text(FIRST) + heard.text("caller")
    assert "知道" not in heard.text(FIRST) + heard.text(SECOND) + heard.text("caller")
    assert "打印机" in heard.text("caller")
    assert "打印机" not in heard.text(FIRST) + heard.text(SECOND)
    found = heard.found()
    assert found["greeting"] == (True, "sure", FIRST)
    assert "018" in heard.findings["greeting"]["heard"]
    assert found["not_clear"] == (True, "sure", SECOND)
    (unclear,) = [word for word in heard.words(SECOND) if word.word == "不清楚"]
    assert abs(heard.findings["not_clear"]["start"] - unclear.start) < 0.1
    assert found["closing"] == (False, "sure", SECOND)
    assert heard.forbidden() == ["not_clear"]


@pytest.mark.parametrize(("house", "manner"), HANDED_IN, indirect=["house"])
def test_handed_on(house: House, manner: str) -> None:
    number = f"1380000{1000 + list(MANNERS).index(manner)}"
    first, second, aside = handed_on(house, f"in {manner}")
    house.lab.phones.voices["customer"] = first["caller"]
    with handsets(house.lab, FIRST, SECOND) as phones:
        pair = Pair(*phones, trimmed(first["seat"]), second["seat"], aside["seat"])
        house.lab.phones.customer(number, "4000")
        pair.handed_on(manner, pair.called())
        heard = house.heard(number)
    both_seats(heard)


@pytest.mark.parametrize("house", ["new"], indirect=True)
def test_a_call_that_went_out_and_was_handed_on(house: House) -> None:
    number = "13800002000"
    first, second, aside = handed_on(house, "out")
    house.lab.phones.voices["customer"] = first["caller"]
    far = house.lab.phones.line(0.3)
    with handsets(house.lab, FIRST, SECOND) as phones:
        pair = Pair(*phones, trimmed(first["seat"]), second["seat"], aside["seat"])
        pair.handed_on("second line", pair.calls(number))
        heard = house.heard(number, "dialled")
    far.stop()
    both_seats(heard)


def trimmed(voice: Path) -> Path:
    """Without the silence behind: the telephone stops speaking, and its seat goes on to the next thing."""
    target = voice.with_suffix(".short.raw")
    target.write_bytes(voice.read_bytes()[: -SILENCE_SECONDS * 8000])
    return target


@pytest.mark.parametrize("house", ["new"], indirect=True)
def test_a_call_that_was_picked_up_is_the_pickers(house: House) -> None:
    number = "13800003000"
    said = house.said("picked", greeting(SECOND, 2.5), PROBLEM, Turn("seat", UNCLEAR), pad=SILENCE_SECONDS)
    house.lab.phones.voices["customer"] = said["caller"]
    house.lab.phones.seat(FIRST)
    house.lab.phones.customer(number, "4000")
    house.daemon.wait_call(number, lambda call: call["phase"] == "ringing")
    with handsets(house.lab, SECOND) as (phone,):
        line = phone.answered(phone.place(f"*8{FIRST}"))
        phone.speak(line, trimmed(said["seat"]), first=1)
        phone.hang_up(line)
        heard = house.heard(number)
    house.lab.phones.seats.pop(FIRST).stop()
    heard.whole()
    assert (heard.recording["seat"], heard.seats) == (SECOND, [SECOND])
    assert "打印机" in heard.text("caller")
    found = heard.found()
    assert (found["greeting"], found["not_clear"]) == ((True, "sure", SECOND), (True, "sure", SECOND))
    assert heard.forbidden() == ["not_clear"]


@pytest.mark.parametrize("house", ["new"], indirect=True)
def test_a_call_that_overflowed_to_the_duty_manager_is_his(house: House) -> None:
    """The announcement and the ringing after it come first in the recording."""
    number = "13800004000"
    said = house.said("duty", greeting(DUTY, 2.5), Turn("seat", UNCLEAR), pad=SILENCE_SECONDS)
    house.lab.phones.voices["customer"] = said["caller"]
    pause(house.lab, True)
    try:
        house.lab.phones.customer(number, "4000")
        with handsets(house.lab, DUTY) as (phone,):
            invite = phone.ring()
            time.sleep(3)
            line = phone.lift(invite)
            phone.speak(line, trimmed(said["seat"]), first=1)
            phone.hang_up(line)
            heard = house.heard(number)
    finally:
        pause(house.lab, False)
    assert (heard.recording["seat"], heard.seats) == (DUTY, [DUTY])
    found = heard.found()
    assert found["greeting"] == (True, "sure", DUTY)
    assert "020" in heard.findings["greeting"]["heard"]
    assert found["not_clear"] == (True, "sure", DUTY)
    (turn,) = heard.told.seats
    assert turn.start > 4, "the announcement and the ringing are on the seat's track"
    measured = heard.measures
    own = replace(heard.told, segments=(Segment("seat", tuple(heard.words(DUTY))),))
    assert measured["rates"]["seat"] == round(speaking_rate(own, "seat", "zh") or 0)
    assert 0 < measured["levels"]["seat"]["seconds"] <= turn.end - turn.start + 0.1, "nor does it count as loudness"


def pause(lab: Lab, paused: bool) -> None:
    """The whole queue: its callers are announced and sent to the duty manager."""
    recorder = lab.recorder("noisy")
    for member in ("Local/1001@cc-seat/n", "Local/1002@cc-seat/n", "Local/1003@cc-seat/n", "Local/2001@cc-backup/n"):
        recorder.action("QueuePause", Interface=member, Paused=str(paused).lower(), Queue="support")
    time.sleep(0.3)


@pytest.mark.parametrize("house", ["new"], indirect=True)
def test_a_hold_with_music_holds_no_word_of_a_seat(house: House) -> None:
    """The seat asks the caller to wait, holds for eight seconds, and says thanks; the caller goes on talking."""
    number = "13800005000"
    asks = house.said("asks", greeting(FIRST, 2.5), Turn("seat", "请您稍等，马上为您查询。"), pad=SILENCE_SECONDS)
    caller = house.said("held", Turn("caller", "我的打印机坏了。", 10.0), pad=SILENCE_SECONDS)
    alone, thanks = house.said("alone", Turn("seat", ALONE)), house.said("thanks", Turn("seat", "让您久等了。", 0.5))
    house.lab.phones.voices["customer"] = caller["caller"]
    with handsets(house.lab, FIRST) as (phone,):
        house.lab.phones.customer(number, "4000")
        line = phone.lift(phone.ring())
        phone.speak(line, trimmed(asks["seat"]), first=1)
        phone.press_hold(line)
        phone.speak(line, alone["seat"], first=LATER // 2)
        time.sleep(4)
        phone.resume(line)
        phone.speak(line, thanks["seat"], first=LATER)
        phone.hang_up(line)
        heard = house.heard(number)
    heard.whole()
    assert heard.seats == [FIRST]
    assert "打印机" in heard.text("caller")
    assert "知道" not in heard.text(FIRST)
    found = heard.found()
    assert found["wait_announcement"] == (True, "sure", FIRST)
    assert found["wait_thanks"] == (True, "sure", FIRST)
    assert heard.forbidden() == []
