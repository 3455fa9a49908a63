"""Pausing a recording: said only when Asterisk did it, kept at the call, ended when it was forgotten."""

import asyncio
from dataclasses import replace

import pytest

from callcenter.ami.actions import Action, MixMonitorMute
from callcenter.ami.events import Event
from callcenter.calls.derive import derive
from callcenter.calls.fold import recording_paused
from callcenter.calls.model import Call, Pause
from callcenter.effects.pauses import Pauses
from callcenter.errors import BadInput, BrokenWorld
from callcenter.hooks.requests import Hook
from tests.fakes.hooks import Stand
from tests.fakes.story import CALL_ID, T0, TERMS, book_of, told

TALK = """
0.0 Newchannel caller Ring 13800138000 4008
0.1 DialBegin 1001
0.2 Newstate 1001 Ringing
2.0 Newstate 1001 Up
2.1 BridgeEnter caller b
2.1 BridgeEnter 1001 b
"""
END = "\n30.0 HangupRequest caller\n30.1 Hangup caller 16\n30.1 Hangup 1001 16"


def marks(*said: tuple[float, bool, str]) -> list[Event]:
    return [recording_paused(CALL_ID, CALL_ID, paused, by, T0 + at) for at, paused, by in said]


def call_with(*said: tuple[float, bool, str], ended: bool = True) -> Call:
    book = book_of([*told(TALK + (END if ended else "")), *marks(*said)])
    call = derive(book, book.calls[CALL_ID], TERMS)
    assert call is not None
    return call


@pytest.mark.parametrize(
    ("said", "pauses"),
    [
        ((), ()),
        (((5, True, "1001"), (9, False, "1001")), ((5, 9, "1001"),)),
        (((5, True, "1001"), (6, True, "dialplan"), (9, False, "limit")), ((5, 9, "1001"),)),
        (((4, False, "1001"), (5, True, "1001")), ((5, 30.1, "1001"),)),
        (
            ((9, False, "1001"), (5, True, "1001"), (12, True, "1001"), (13, False, "1001")),
            ((5, 9, "1001"), (12, 13, "1001")),
        ),
    ],
)  # fmt: skip
def test_pauses_are_pairs_whatever_their_order(
    said: tuple[tuple[float, bool, str], ...], pauses: tuple[tuple[float, float, str], ...]
) -> None:
    call = call_with(*said)
    assert [(round(p.started_at - T0, 1), round((p.ended_at or 0) - T0, 1), p.by) for p in call.pauses] == list(pauses)
    assert not call.recording_paused


def test_a_running_pause_is_known() -> None:
    call = call_with((5, True, "1001"), ended=False)
    assert call.recording_paused
    assert call.pauses[0].ended_at is None


class Asterisk:
    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.done: list[Action] = []
        self.submitted: list[Event] = []

    async def perform(self, action: Action) -> None:
        if self.fault is not None:
            raise self.fault
        self.done.append(action)


RUNNING = replace(call_with(ended=False), recording="a.wav", recorded_channel="PJSIP/trunk-1")


def pauses(asterisk: Asterisk, *calls: Call, now: float = T0 + 100) -> Pauses:
    return Pauses(asterisk.perform, lambda: calls, asterisk.submitted.append, lambda: now, 60.0)


async def test_asterisk_is_asked_first_and_then_the_call_is_told() -> None:
    asterisk = Asterisk()
    await pauses(asterisk, RUNNING).set(RUNNING, True, "1001")
    assert asterisk.done == [MixMonitorMute("PJSIP/trunk-1", "both", True)]
    assert asterisk.submitted == [recording_paused(CALL_ID, CALL_ID, True, "1001", T0 + 100)]


async def test_what_asterisk_did_not_do_is_not_said() -> None:
    asterisk = Asterisk(BrokenWorld("no link"))
    with pytest.raises(BrokenWorld):
        await pauses(asterisk, RUNNING).set(RUNNING, True, "1001")
    assert asterisk.submitted == []


async def test_a_call_without_a_recording_has_nothing_to_pause() -> None:
    asterisk = Asterisk()
    with pytest.raises(BadInput, match="not recorded"):
        await pauses(asterisk).set(replace(RUNNING, recording=None), True, "1001")
    assert (asterisk.done, asterisk.submitted) == ([], [])


async def test_a_hook_does_not_wait_and_a_stranger_changes_nothing() -> None:
    asterisk = Asterisk()
    asked = pauses(asterisk, RUNNING)
    assert asked.ask("nobody", True, "dialplan") == "no_call"
    assert asked.ask(CALL_ID, True, "dialplan") == "asked"
    assert pauses(asterisk, replace(RUNNING, recording=None)).ask(CALL_ID, True, "dialplan") == "no_recording"
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(asterisk.done) == len(asterisk.submitted) == 1


def test_what_was_forgotten_is_overdue() -> None:
    def since(at: float) -> Call:
        return replace(RUNNING, pauses=(Pause(T0 + at, None, "1001"),))

    asterisk, late, fresh = Asterisk(), since(39), since(41)
    assert pauses(asterisk, late, fresh, RUNNING).overdue() == [late]


def test_the_hook_takes_pause_and_resume_alone(tmp_path: object) -> None:
    stand = Stand(tmp_path)  # type: ignore[arg-type]
    asked = stand.hooks.answer(Hook.RECORDING, {"linkedid": CALL_ID, "state": "pause"})
    stand.desk.became = "no_call"
    refused = stand.hooks.answer(Hook.RECORDING, {"linkedid": CALL_ID, "state": "resume"})
    assert (asked.values, refused.values) == ((("", "asked"),), (("", "no_call"),))
    assert stand.desk.paused == [(CALL_ID, True), (CALL_ID, False)]
    with pytest.raises(BadInput, match="pause or resume"):
        stand.hooks.answer(Hook.RECORDING, {"linkedid": CALL_ID, "state": "stop"})
