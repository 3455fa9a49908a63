"""What a seat may do to its own telephone from the page: pause, dial, silence its recording.

Beside the path of a call; the web's ``ports.Actions``. Promises: only actions of the closed list; a phone that is being
dialled or talked at is not rung by another click. Never: sends an action twice, or knows a page.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from callcenter.ami.actions import Action, Originate, QueuePause
from callcenter.calls.model import Call
from callcenter.calls.naming import click_id
from callcenter.effects.pauses import Pauses
from callcenter.errors import ActionUnknown, BadInput, BrokenWorld
from callcenter.web import ports

UNSEEN_SECONDS = 2.0
"""How long nothing need be seen of a call that Asterisk was asked for."""


class Telephone:
    """``ports.Actions``: what a seat may do to its phone, by the actions of the closed list."""

    def __init__(
        self,
        perform: Callable[[Action], Any],
        up: Callable[[], bool],
        members: Callable[[str], list[str]],
        pauses: Pauses,
        calls_of: Callable[[str], Sequence[Call]],
        on_phone: Callable[[str], Call | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``on_phone``: the running call at a seat's phone, whoever began it."""
        self._on_phone, self._clock = on_phone, clock
        self._dialling: dict[str, float] = {}
        """By seat: when Asterisk was asked to ring its phone; of the last seconds only."""
        self._perform = perform
        self._up = up
        self._members = members
        self._pauses = pauses
        self._calls_of = calls_of

    def possible(self, extension: str) -> frozenset[str]:
        if not self._up():
            return frozenset()
        found = {"dial"} | ({"pause"} if self._members(extension) else set())
        return frozenset(found | ({"record"} if self._recorded(extension) else set()))

    def _recorded(self, extension: str) -> Call | None:
        """The seat's recorded call."""
        recorded = (call for call in self._calls_of(extension) if call.recording and call.recorded_channel)
        return next((call for call in recorded if extension in call.talking_to), None)

    async def pause_recording(self, extension: str, paused: bool) -> None:
        call = self._recorded(extension)
        if call is None:
            raise ports.RefusedError("There is no recorded call on your phone.")
        try:
            await self._pauses.set(call, paused, extension)
        except (BadInput, BrokenWorld) as error:
            raise ports.RefusedError(str(error)) from None

    async def pause(self, extension: str, paused: bool, reason: str) -> None:
        for interface in self._members(extension):
            await self._do(QueuePause, interface, paused, reason)

    async def dial(self, extension: str, number: str, ticket_id: int | None) -> None:
        self._check_free(extension)
        self._dialling[extension] = self._clock()
        channel_id = click_id(time.time_ns() // 1_000_000, ticket_id)
        try:
            await self._do(Originate, f"PJSIP/{extension}", number, channel_id)
        except ports.UnclearError:
            raise
        except BaseException:
            self._dialling.pop(extension, None)
            raise

    def _check_free(self, extension: str) -> None:
        """A phone that is dialled or talked at is not rung on another click. Between the asking and the first that is
        seen of the call, its time says so."""
        now = self._clock()
        self._dialling = {seat: at for seat, at in self._dialling.items() if now - at < UNSEEN_SECONDS}
        call = self._on_phone(extension)
        waits = call is not None and call.clicked_by == extension and call.lifted_to_dial_at is None
        if waits or (call is None and extension in self._dialling):
            raise ports.RefusedError(ports.DIALLING)
        if call is not None:
            raise ports.RefusedError(ports.ON_PHONE)

    async def _do(self, kind: Callable[..., Action], *fields: Any) -> None:
        try:
            await self._perform(kind(*fields))
        except ActionUnknown as unknown:
            raise ports.UnclearError(str(unknown)) from None
        except (BadInput, BrokenWorld) as error:
            raise ports.RefusedError(str(error)) from None
