"""Pausing a recording while a card number is read: by the seat's click, or by the dialplan's hook.

On the path of a call: while it is talked. Asterisk silences the recording first; only then the call is told, as an
event like all others, so that windows, the store and the review page say what is true.
Promises: a pause that was forgotten, or whose daemon died, ends after ``asterisk.pause_limit_seconds``; nothing that is
said in it reaches live transcription. Never: stops a recording, or says that it is silent before Asterisk did it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Literal

from callcenter.ami.actions import Action, MixMonitorMute
from callcenter.ami.events import Event
from callcenter.calls.fold import recording_paused
from callcenter.calls.model import Call
from callcenter.errors import BadInput, BrokenWorld

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
LIMIT = "limit"


class Pauses:
    """``running``: the running calls; ``submit``: puts an event on the path of the calls; ``now``: Asterisk's clock."""

    def __init__(
        self,
        perform: Callable[[Action], Any],
        running: Callable[[], Iterable[Call]],
        submit: Callable[[Event], None],
        now: Callable[[], float],
        limit_seconds: float,
    ) -> None:
        self._perform, self._running, self._submit, self._now = perform, running, submit, now
        self._limit_seconds = limit_seconds
        self._tasks: set[asyncio.Task[None]] = set()

    async def set(self, call: Call, paused: bool, by: str) -> None:
        """Raises ``BadInput`` where there is nothing to pause, ``BrokenWorld`` where Asterisk did not do it."""
        if call.recording is None or call.recorded_channel is None:
            raise BadInput("This call is not recorded: there is nothing to pause.")
        await self._perform(MixMonitorMute(call.recorded_channel, "both", paused))
        self._submit(recording_paused(call.call_id, call.call_id, paused, by, self._now()))

    def ask(self, linkedid: str, paused: bool, by: str) -> Literal["asked", "no_call", "no_recording"]:
        """The same for whoever cannot wait (a hook). What goes wrong once Asterisk is asked is only in the log."""
        call = next((call for call in self._running() if call.call_id == linkedid), None)
        if call is None:
            log.warning("a recording was to be %s, of a call that does not run", "paused" if paused else "resumed")
            return "no_call"
        if call.recording is None or call.recorded_channel is None:
            return "no_recording"
        task = asyncio.get_running_loop().create_task(self._asked(call, paused, by))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return "asked"

    async def _asked(self, call: Call, paused: bool, by: str) -> None:
        try:
            await self.set(call, paused, by)
        except (BadInput, BrokenWorld) as error:
            done, of = "paused" if paused else "resumed", {"call_id": call.call_id}
            log.warning("the recording was not %s: %s", done, error, extra=of)

    async def run(self) -> None:
        """Ends what was forgotten; until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            for call in self.overdue():
                await self._asked(call, False, LIMIT)

    def overdue(self) -> list[Call]:
        """Running calls whose recording has been silent for longer than it may be."""
        before = self._now() - self._limit_seconds
        return [
            call
            for call in self._running()
            if call.recording_paused and any(p.ended_at is None and p.started_at <= before for p in call.pauses)
        ]
