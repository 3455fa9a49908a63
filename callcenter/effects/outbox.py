"""Commands become actions: the performer at the end of the path of a call.

A command was committed, marked as being carried out, with the facts that caused it; here it is sent to Asterisk once,
and its end noted. That one transaction decides and claims keeps a step of the ladder within its quarter of a second.

Promises: at most once: a command that a crash left behind is "unknown" and never sent again, and so is one whose answer
is missing; one that is past its moment is not sent at all.
Never: decides; a rule did.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from callcenter.ami.actions import Action, Redirect
from callcenter.errors import ActionRefused, ActionUnknown, BadInput, BrokenWorld, NotConnected
from callcenter.rules.commands import Announce, OpenGate, Performed
from callcenter.store.outbox import Result

log = logging.getLogger(__name__)

MAX_WAITING = 1_000
MAX_REMEMBERED = 10_000
BACKUP_NOW = "cc-backup-now"
ANNOUNCE = "cc-announce"
_EXTENSION = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,31}")


class Outbox(Protocol):
    """What the performer needs of the store."""

    async def finish(self, command_id: str, result: Result, at: float, error: str | None = None) -> None: ...


class Performer:
    """Carries out one server's commands. Give them to ``perform`` after their commit; run ``run`` in a task."""

    def __init__(
        self,
        outbox: Outbox,
        perform: Callable[[Action], Awaitable[Any]],
        now: Callable[[], float],
        count: Callable[[str, str], None],
        ended: Callable[[Performed, str, float], None] = lambda command, result, took_seconds: None,
    ) -> None:
        self._outbox = outbox
        self._perform = perform
        self._now = now
        self._count = count
        self._ended = ended
        self._waiting: asyncio.Queue[Performed] = asyncio.Queue(MAX_WAITING)
        self._taken: dict[str, None] = {}

    def take(self, commands: Iterable[Performed]) -> None:
        """Commands that have just been committed; one that a rule asked for again, under its id, is sent once.

        Beyond the limit they stay "claimed", hence unknown at the next start."""
        for command in commands:
            if command.command_id in self._taken:
                continue
            self._remember(command.command_id)
            try:
                self._waiting.put_nowait(command)
            except asyncio.QueueFull:
                self._count(type(command).__name__, "shed")

    def _remember(self, command_id: str) -> None:
        self._taken[command_id] = None
        while len(self._taken) > MAX_REMEMBERED:
            del self._taken[next(iter(self._taken))]

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                command = await self._waiting.get()
                group.create_task(self._carry_out(command))

    async def _carry_out(self, command: Performed) -> None:
        began = self._now()
        result, error = await self._outcome(command)
        self._count(type(command).__name__, result.value)
        self._ended(command, result.value, max(0.0, self._now() - began))
        try:
            await self._outbox.finish(command.command_id, result, self._now(), error)
        except BrokenWorld as fault:
            log.warning("the end of a command is not stored: %s", fault, extra={"call_id": command.call_id})

    async def _outcome(self, command: Performed) -> tuple[Result, str | None]:
        if self._now() > command.not_after:
            return Result.FAILED, "its moment had passed"
        try:
            await self._perform(action_of(command))
        except (ActionRefused, NotConnected) as error:
            return Result.FAILED, str(error)
        except ActionUnknown as error:
            return Result.UNKNOWN, str(error)
        except BadInput:
            return Result.FAILED, "the command cannot be made into an action"
        return Result.DONE, None


def action_of(command: Performed) -> Action:
    """The one AMI action that carries a command out."""
    match command:
        case OpenGate():
            return Redirect(command.channel, BACKUP_NOW, command.seat)
        case Announce():
            return Redirect(command.channel, ANNOUNCE, _extension(command.queue or ""))


def _extension(queue: str) -> str:
    """What the announcement is entered by: the queue, or a word in its stead where its name is none for a dialplan."""
    return queue if _EXTENSION.fullmatch(queue) else "announcement"
