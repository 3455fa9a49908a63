"""The performer: each command once at most, never late, and its end noted."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from callcenter.ami.actions import Action, Redirect
from callcenter.effects import outbox
from callcenter.effects.outbox import Performer, action_of
from callcenter.errors import ActionRefused, ActionUnknown, BrokenWorld, NotConnected
from callcenter.rules.commands import Announce, OpenGate, Performed
from callcenter.store.outbox import Result

NOW = 100.0


class Desk:
    """A performer with an Asterisk that does as it is told, and an outbox that keeps what ended how."""

    def __init__(self) -> None:
        self.sent: list[Action] = []
        self.ended: dict[str, tuple[Result, str | None]] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.answers: list[Exception] = []
        self.answering = asyncio.Event()
        self.answering.set()
        self.unstorable = False
        self.performer = Performer(self, self._perform, lambda: NOW, lambda kind, state: self._count(kind, state))

    def _count(self, kind: str, state: str) -> None:
        self.counts[kind, state] += 1

    async def _perform(self, action: Action) -> Any:
        self.sent.append(action)
        await self.answering.wait()
        if self.answers:
            raise self.answers.pop()

    async def finish(self, command_id: str, result: Result, at: float, error: str | None = None) -> None:
        if self.unstorable:
            raise BrokenWorld("The disk is full.")
        self.ended[command_id] = (result, error)

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.performer.run())
        try:
            yield
            for _ in range(20):
                await asyncio.sleep(0)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def announce(number: int = 1, queue: str | None = "it", not_after: float = NOW + 3) -> Announce:
    return Announce(f"A1/pbx/1.1/{number}", "pbx", "1.1", "PJSIP/trunk-00000001", queue, not_after)


async def carried_out(*commands: Performed, answer: Exception | None = None) -> Desk:
    desk = Desk()
    desk.answers = [answer] if answer else []
    async with desk.at_work():
        desk.performer.take(commands)
    return desk


async def test_a_command_is_sent_and_done() -> None:
    desk = await carried_out(announce())
    assert desk.sent == [Redirect("PJSIP/trunk-00000001", "cc-announce", "it")]
    assert desk.ended == {"A1/pbx/1.1/1": (Result.DONE, None)}
    assert desk.counts == {("Announce", "done"): 1}


async def test_asked_for_again_under_its_id_it_is_not_sent_again() -> None:
    """A gate may come in the very batch in which its step is due: both ways ask for the same command."""
    gate = OpenGate("A1/pbx/1.1/0/x", "pbx", "1.1", "2001", "Local/2001@cc-backup-1;2", NOW + 3)
    desk = Desk()
    async with desk.at_work():
        desk.performer.take([gate, gate])
        await asyncio.sleep(0)
        desk.performer.take([gate])
    assert len(desk.sent) == 1


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (ActionRefused("Redirect", "No such channel"), Result.FAILED),
        (NotConnected("The link is down."), Result.FAILED),
        (ActionUnknown("Redirect", "no answer in 5 s"), Result.UNKNOWN),
    ],
)
async def test_what_became_of_it_is_noted_and_it_is_not_tried_again(answer: Exception, result: Result) -> None:
    desk = await carried_out(announce(), answer=answer)
    assert len(desk.sent) == 1
    assert desk.ended["A1/pbx/1.1/1"] == (result, str(answer))


async def test_past_its_moment_it_is_not_sent() -> None:
    desk = await carried_out(announce(not_after=NOW - 0.001))
    assert (desk.sent, desk.ended["A1/pbx/1.1/1"][0]) == ([], Result.FAILED)


async def test_one_that_cannot_be_an_action_fails_without_telling_the_value() -> None:
    gate = OpenGate("id", "pbx", "1.1", "2001\r\nAction: Logoff", "Local/2001@cc-backup-1;2", NOW + 3)
    desk = await carried_out(gate)
    assert desk.sent == []
    assert desk.ended["id"][0] is Result.FAILED
    assert "Logoff" not in str(desk.ended["id"][1])


async def test_a_slow_answer_does_not_hold_up_the_next_command() -> None:
    desk = Desk()
    desk.answering.clear()
    async with desk.at_work():
        desk.performer.take([announce(1), announce(2)])
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(desk.sent) == 2
        desk.answering.set()
    assert len(desk.ended) == 2


async def test_an_end_that_cannot_be_stored_stops_nothing() -> None:
    desk = Desk()
    desk.unstorable = True
    async with desk.at_work():
        desk.performer.take([announce(1)])
        for _ in range(5):
            await asyncio.sleep(0)
        desk.unstorable = False
        desk.performer.take([announce(2)])
    assert list(desk.ended) == ["A1/pbx/1.1/2"]


async def test_beyond_the_limit_commands_are_shed_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 3)
    desk = Desk()
    desk.performer.take([announce(number) for number in range(5)])
    assert desk.counts == {("Announce", "shed"): 2}
    async with desk.at_work():
        pass
    assert len(desk.sent) == 3


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_REMEMBERED", 10)
    desk = Desk()
    desk.performer.take([announce(number) for number in range(50)])
    assert len(desk.performer._taken) == 10


@pytest.mark.parametrize(
    ("queue", "exten"),
    [
        ("it", "it"),
        ("support-2", "support-2"),
        (None, "announcement"),
        ("售后", "announcement"),
        ("4load", "announcement"),
        ("q", "announcement"),
        ("it.vip", "announcement"),
    ],
)
def test_the_announcement_can_be_entered_whatever_the_queue_is_called(queue: str | None, exten: str) -> None:
    """[cc-announce] takes a letter or digit and at least one more; AMI actions have an allow list of their own."""
    assert action_of(announce(queue=queue)) == Redirect("PJSIP/trunk-00000001", "cc-announce", exten)
