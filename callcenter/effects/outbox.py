"""Commands become actions: the performer at the end of the path of a call.

A command was committed with the facts that caused it; here it is claimed, sent to Asterisk once, and its end noted.

Promises: at most once: a command is marked as sent before it is sent, and one whose answer is missing is "unknown" and
never sent again; one that is past its moment is not sent at all.
Never: decides; a rule did.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from callcenter.ami.actions import Action, Redirect
from callcenter.errors import ActionRefused, ActionUnknown, BadInput, BrokenWorld, NotConnected
from callcenter.rules.commands import Announce, OpenGate, Performed, from_row

log = logging.getLogger(__name__)

BATCH = 50
IDLE_SECONDS = 2.0
BACKUP_NOW = "cc-backup-now"
ANNOUNCE = "cc-announce"


class Claimed(Protocol):
    """A claimed row of the outbox."""

    @property
    def command_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


class Outbox(Protocol):
    """What the performer needs of the store."""

    async def claim(self, server: str, now: float, limit: int) -> Sequence[Claimed]: ...

    async def finish(self, command_id: str, state: str, now: float, error: str = "") -> None: ...


class Performer:
    """Carries out one server's commands. ``wake`` after each commit; run ``run`` in a task."""

    def __init__(
        self,
        server: str,
        outbox: Outbox,
        perform: Callable[[Action], Any],
        now: Callable[[], float],
        count: Callable[[str, str], None],
    ) -> None:
        self._server = server
        self._outbox = outbox
        self._perform = perform
        self._now = now
        self._count = count
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. Looks every ``IDLE_SECONDS`` even if nobody wakes it, for what an earlier run left."""
        while True:
            self._wake.clear()
            try:
                rows = await self._outbox.claim(self._server, self._now(), BATCH)
                await asyncio.gather(*(self._carry_out(row) for row in rows))
            except BrokenWorld as error:
                log.warning("commands wait: %s", error)
                rows = []
            if len(rows) < BATCH:
                try:
                    async with asyncio.timeout(IDLE_SECONDS):
                        await self._wake.wait()
                except TimeoutError:
                    pass

    async def _carry_out(self, row: Claimed) -> None:
        state, error = await self._outcome(row)
        self._count(row.kind, state)
        await self._outbox.finish(row.command_id, state, self._now(), error)

    async def _outcome(self, row: Claimed) -> tuple[str, str]:
        try:
            command = from_row(row.kind, row.payload)
            if self._now() > command.not_after:
                return "failed", "its moment had passed"
            await self._perform(action_of(command))
        except (ActionRefused, NotConnected) as error:
            return "failed", str(error)
        except ActionUnknown as error:
            return "unknown", str(error)
        except (BadInput, KeyError, TypeError):
            return "failed", "the command cannot be made into an action of this version"
        return "done", ""


def action_of(command: Performed) -> Action:
    """The one AMI action that carries a command out."""
    match command:
        case OpenGate():
            return Redirect(command.channel, BACKUP_NOW, command.seat)
        case Announce():
            return Redirect(command.channel, ANNOUNCE, command.queue or "announcement")
