"""The recording of a call that a seat hands on is whole, with no daemon at all: both tracks to the call's end and in
step, and each second of our side with the seat that the call itself names (``calls/recorded``).

Every telephone sends a tone of its own, so that each half second of a track tells who is on it.
"""

import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.calls.model import Call, Direction
from callcenter.calls.recorded import on_our_side, seats_of
from callcenter.demo.scenario import Talk
from callcenter.replay import calls
from tests.asterisk.handing import FIRST, MANNERS, SECOND, Pair, handsets
from tests.asterisk.handset import Handset
from tests.asterisk.lab import Lab
from tests.asterisk.test_dialplan import NUMBER, loudness_at, tone

CUSTOMER, ASIDE = "customer", "aside"
TONES = {FIRST: 500, SECOND: 900, ASIDE: 1150, CUSTOMER: 1500}
"""Who sends which tone, in Hz; ASIDE: what the first seat says to the second one alone."""
BEFORE, AFTER = 4.0, 4.0
"""Seconds with the first seat, and with the second one."""
SLOW_PHONES = 5.0
"""How much later than asked for a phone may begin to speak or hang up on a busy machine; never earlier."""
GREETING_SECONDS = 1.5
STEP, EDGE = 0.5, 0.6


class House:
    """Both seats' telephones, and what their Asterisk tells."""

    def __init__(self, lab: Lab, first: Handset, second: Handset) -> None:
        self.lab = lab
        self.recorder = lab.recorder("callcenter")
        voices = {who: tone(lab.folder / f"{who}.raw", hertz) for who, hertz in TONES.items()}
        lab.phones.voices["customer"] = voices[CUSTOMER]
        self.pair = Pair(first, second, voices[FIRST], voices[SECOND], voices[ASIDE])

    def call(self) -> Call:
        """As the daemon would know it."""
        self.lab.quiet()
        told = self.lab.folder / "told.ami"
        told.write_bytes(self.recorder.close())
        (call,) = calls([told])
        return call


@pytest.fixture
def house(any_lab: Lab) -> Iterator[House]:
    with handsets(any_lab, FIRST, SECOND) as (first, second):
        yield House(any_lab, first, second)


def seconds_of(track: Path) -> float:
    with wave.open(str(track)) as sound:
        return sound.getnframes() / sound.getframerate()


def steps(start: float, end: float) -> list[float]:
    """Where half seconds begin that lie between."""
    count = int((end - start) / STEP)
    return [start + STEP * number for number in range(count)]


def heard(track: Path, at: float, who: str) -> bool:
    return loudness_at(track, at, STEP, TONES[who]) > 0.8


def whole(house: House, call: Call, greeting: float = 0.0) -> None:
    """What is heard on the tracks is what the call tells."""
    files = [Path(name or "") for name in (call.recording, call.recording_seat, call.recording_caller)]
    assert len(list(house.lab.server.recordings.glob("*.wav"))) == len(files)
    lengths = [seconds_of(file) for file in files]
    assert max(lengths) - min(lengths) < 0.1, "the tracks are not in step"
    mixed, seats, customer = files
    seconds = lengths[0]
    assert all(heard(customer, at, CUSTOMER) for at in steps(greeting + EDGE, seconds - EDGE))
    assert loudness_at(mixed, seconds - 1.5, STEP, TONES[CUSTOMER]) > 0.3
    found = on_our_side(call, seconds)
    assert [one.seat for one in found] == [FIRST, SECOND]
    assert seats_of(call) == (FIRST, SECOND)
    assert found[0].end - found[0].start > BEFORE - 0.3
    assert AFTER - 0.7 < found[1].end - found[1].start < AFTER + SLOW_PHONES
    speaks = next((at for at in steps(found[1].start, found[1].end) if heard(seats, at, SECOND)), seconds)
    assert speaks < found[1].start + SLOW_PHONES, "the second seat is not heard"
    for one, since in zip(found, (found[0].start + greeting, speaks), strict=True):
        for at in steps(since + EDGE, min(one.end, since + (BEFORE if one.seat == FIRST else AFTER)) - EDGE):
            assert heard(seats, at, one.seat), f"{one.seat} is not heard at {at:.1f}"
    for at in steps(0.0, seconds - STEP):
        there = {one.seat for one in found if one.start - EDGE < at + STEP and at < one.end + EDGE}
        for who in {FIRST, SECOND, ASIDE, CUSTOMER} - there:
            assert loudness_at(seats, at, STEP, TONES[who]) < 0.1, f"{who} is heard among the seats at {at:.1f}"


@pytest.mark.parametrize("manner", MANNERS)
def test_a_call_that_comes_in(house: House, manner: str) -> None:
    house.lab.phones.customer(NUMBER, "4000")
    house.pair.handed_on(manner, house.pair.called(), BEFORE, AFTER)
    call = house.call()
    assert call.direction is Direction.INBOUND
    assert [(one.kind, one.seat_from, one.to) for one in call.transfers] == [(MANNERS[manner][1], FIRST, SECOND)]
    whole(house, call, GREETING_SECONDS)


@pytest.mark.parametrize("manner", MANNERS)
def test_a_call_that_goes_out(house: House, manner: str) -> None:
    house.lab.phones.line(0.3, Talk(3600))
    house.pair.handed_on(manner, house.pair.calls(NUMBER), BEFORE, AFTER)
    call = house.call()
    assert call.direction is Direction.OUTBOUND
    assert [(one.kind, one.seat_from, one.to) for one in call.transfers] == [(MANNERS[manner][1], FIRST, SECOND)]
    whole(house, call)
